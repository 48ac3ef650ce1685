-- Queries, forms and headers. Everything is percent-encoded for you; a list gives a name several times.
--
--   jaunt run examples/form_and_query.lua
--
-- It needs the pretend shop: see connections.lua.

local answer = call_api {
  via = "shop", POST = "/echo",
  query = { q = "mugs & pens", page = 2 },
  headers = { ["X-City"] = "Zürich" },
  form = { name = "Ada Lovelace", colour = { "red", "blue" }, note = "50% off = good" },
}

local got = answer.json
print("query", got.query.q, got.query.page)
print("form", got.form.name, got.form.note)
print("header", got.city)
