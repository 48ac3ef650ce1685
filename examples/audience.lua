-- Who is meant: --where takes a Lua expression over the person, --limit so many people, --id another column as the id.
-- People come as CSV, TSV, NDJSON or a JSON array, from a file or, with -, from standard input.
--
--   jaunt run examples/audience.lua --people examples/people.csv --where 'tonumber(age) >= 18 and zone:match("^Europe")' --limit 2

return journey "audience" {
  flow = function(person)
    log("is in " .. person.country)
    call_api "letter" { via = "crm", POST = "/letters", json = { to = person.first_name } }
  end,
}
