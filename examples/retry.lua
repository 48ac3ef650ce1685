-- Retries, and what happens when the last one is spent. The pretend shop fails twice before it makes a ticket,
-- and always at /legacy.
--
--   jaunt run examples/retry.lua --people examples/people.csv

return journey "retry" {
  flow = function(person)
    local made = call_api "ticket" {
      via = "shop", POST = "/tickets", json = { customer = person.id },
      retry = { attempts = 5, base = "2s", cap = "1m" }, -- 4 attempts, "1s" and "1m" by default
      within = "1h",                                     -- retries included
    }
    log(("%s after %d attempts"):format(made.json.ticket, made.attempts))

    local old = call_api "legacy system" {
      via = "shop", POST = "/legacy", json = { customer = person.id },
      retry = false,                                     -- one attempt
      on_failure = "continue",                           -- "drop" (default), "continue" or "hold"
    }
    if old.failed and person.plan == "free" then
      call_api "legacy system again" { via = "shop", POST = "/legacy", retry = false, on_failure = "hold" }
    end
  end,
}
