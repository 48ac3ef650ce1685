-- A folder of payloads is an equal split of their name: payloads/subject/a.txt and b.txt. Everybody always gets the same one, and
-- jaunt report --by payload tells the two apart. A template may also say that nothing is to be sent, or drop its person.
--
--   jaunt run examples/variants.lua --people examples/people.csv --seed 2

return journey "variants" {
  flow = function(person)
    local sent = call_api "letter" { via = "crm", POST = "/letters", payload = "subject" }
    log(sent.skipped and "nothing sent: " .. sent.error or "sent")
  end,
}
