-- A payload is a file in payloads/: a Lua transform (person, event, vars) that returns a table, or plain JSON. It is
-- rendered when its turn to be sent comes. --dry-run shows what would be sent.
--
--   jaunt run examples/payload.lua --people examples/people.csv --dry-run --where 'phone' --limit 1

return journey "payload" {
  flow = function(person)
    call_api "greeting" {
      via = "crm", POST = "/messages",
      payload = "greeting", vars = { code = "WELCOME-" .. person.id }, -- payloads/greeting.lua
    }
  end,
}
