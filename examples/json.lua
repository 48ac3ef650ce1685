-- Exact JSON: large integers stay what they are, floats stay floats, [] and {} stay apart, keys are sorted, and what
-- cannot be written is refused with its path.
--
--   jaunt run examples/json.lua
--
-- It needs the pretend shop: see connections.lua.

local order = call_api { via = "shop", GET = "/orders/1" }.json
print(order.order, math.type(order.order)) -- 2^53 + 1, which no double holds
print(json.encode(order))
print(json.encode { lines = json.array {}, options = {}, gone = json.null })

local ok, why = pcall(json.encode, { cart = { { price = 0 / 0 } } })
print(ok, why)
