-- wait_for gives the next event that matches, or nil when its time is over. No event is missed because a run was busy:
-- it takes the oldest one since entry first.
--
--   jaunt run examples/wait_for.lua --people examples/people.csv --events examples/events.ndjson

return journey "wait_for" {
  flow = function(person)
    local order = wait_for("order_placed", {
      where = function(event) return event.total > 10 end,
      within = "1d",
    })
    if order then
      log("ordered for " .. order.total, order.meta)
      call_api "thank you" { via = "crm", POST = "/mails", json = { to = person.id, total = order.total } }
    else
      call_api "reminder" { via = "crm", POST = "/mails", json = { to = person.id } }
    end
  end,
}
