-- person is the profile: whatever the audience says of someone, and what the journey adds. What lies inside a value is
-- read-only: assign the whole. A CSV file gives texts; NDJSON also numbers, lists and objects.
--
--   jaunt run examples/person.lua --people examples/people.csv --limit 1

return journey "person" {
  flow = function(person)
    person.age = math.tointeger(person.age)
    person.greeted = { count = 1, first = "mail" }
    log(("%s is %d, born about %d"):format(person.first_name, person.age, 2026 - person.age))

    local written, why = pcall(function() person.greeted.count = 2 end)
    log(tostring(written) .. ": " .. why:match("what lies.-read%-only"))

    person.greeted = { count = person.greeted.count + 1, first = person.greeted.first }
    person.zone = nil -- takes it away
    log("the profile now", person)
  end,
}
