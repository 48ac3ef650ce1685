-- goal and exit_on: events that end a run, whatever it is doing. A small order is no goal here; who unsubscribes gets
-- nothing more; an order after the goal's time counts no more.
--
--   jaunt run examples/goal.lua --people examples/people.csv --events examples/events.ndjson

local function is_large(event) return event.total >= 20 end

return journey "goal" {
  goal    = { "order_placed", where = is_large, within = "1d" },
  exit_on = "unsubscribed", -- or a list of events, each a name or { "name", where = … }

  flow = function(person)
    call_api "first reminder" { via = "crm", POST = "/mails", json = { to = person.id } }
    wait "6h"
    call_api "second reminder" { via = "crm", POST = "/mails", json = { to = person.id } }
    wait "3d"
  end,
}
