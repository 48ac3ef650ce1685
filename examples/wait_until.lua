-- wait_until goes on at a time of the day, where the person lives (person.zone), or in a zone that is named.
--
--   jaunt run examples/wait_until.lua --people examples/people.csv --start 2026-11-25T12:00:00Z

return journey "wait_until" {
  flow = function(person)
    wait_until "fri 09:00"
    log("Friday, nine o'clock: " .. os.date "%a %H:%M UTC")

    wait_until { "18:00", zone = "Europe/Paris" }
    log("Paris, six o'clock: " .. os.date "%a %H:%M UTC")

    wait_until "2026-12-01T08:00:00Z" -- a moment, the same for all
    wait "90m"                        -- and a duration
  end,
}
