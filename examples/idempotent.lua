-- idempotent = false: the vendor knows no keys, so a call whose fate is unclear is never sent twice. Its result is
-- `unknown`, on_failure does not apply, and the run goes on. Other calls carry an Idempotency-Key, and are repeated.
--
--   jaunt run examples/idempotent.lua --people examples/people.csv --vendor-reset 60% --seed 2

return journey "idempotent" {
  flow = function(person)
    call_api "point" { via = "shop", PUT = "/points/" .. person.id, json = { points = 1 }, retry = 10 }

    local text = call_api "text message" {
      via = "shop", POST = "/texts", json = { to = person.id }, idempotent = false,
    }
    if text.unknown then log("may have got it: " .. text.error) end
  end,
}
