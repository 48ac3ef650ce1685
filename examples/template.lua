-- A template is text with values put in, escaped for where they stand: no name and no quote can break its JSON. Commas
-- that are left over are taken away, and a member whose value is nothing can be left out.
--
--   jaunt run examples/template.lua --people examples/people.csv --dry-run --limit 2

return journey "template" {
  flow = function(person)
    call_api "offer" {
      via = "crm", POST = "/messages/{{ person.id }}", -- values in URLs and headers, too
      payload = "offer", -- payloads/offer.json
      vars = { items = { { sku = "MUG", price = 8.5 }, { sku = 'PEN "fine"', price = 2 } } },
    }
  end,
}
