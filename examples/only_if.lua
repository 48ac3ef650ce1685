-- only_if is asked again before each send, retries included: whoever it says no to is skipped, and goes on.
--
--   jaunt run examples/only_if.lua --people examples/people.csv

return journey "only_if" {
  flow = function(person)
    local text = call_api "text message" {
      via = "shop", POST = "/texts", json = { to = person.phone, text = "Your parcel is here." },
      only_if = function(person) return person.phone ~= nil end,
    }
    if text.skipped then
      call_api "letter" { via = "shop", POST = "/letters", json = { to = person.first_name } }
    end
  end,
}
