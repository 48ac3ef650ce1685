-- A control group: these people get nothing and are only watched, for as long as the goal may take. The ledger says
-- how many they were. Who belongs to it is fixed, as in a split.
--
--   jaunt run examples/control.lua --people examples/people.csv --events examples/events.ndjson

return journey "control" {
  control = "50%",
  goal    = { "order_placed", within = "7d" },

  flow = function(person)
    call_api "coupon" { via = "crm", POST = "/coupons", json = { to = person.id } }
    wait "7d"
  end,
}
