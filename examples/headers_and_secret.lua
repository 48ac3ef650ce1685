-- Headers and secrets. A secret comes from the environment or from a file that only you can read; it is put in
-- when the request leaves, and is shown as ‹secret NAME› wherever anyone looks at it.
--
--   jaunt run examples/headers_and_secret.lua --people examples/people.csv --dry-run --limit 1

return journey "headers_and_secret" {
  flow = function(person)
    local pin = secret "SHOP_PIN"
    log("the pin is " .. tostring(pin))

    call_api "sign up" {
      via = "crm", POST = "/contacts", json = { name = person.first_name }, -- crm has a bearer token: connections.lua
      headers = { ["X-Shop-Pin"] = pin, ["X-Campaign"] = "autumn" },
    }
  end,
}
