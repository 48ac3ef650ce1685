-- scripts/order.lua
local id = ...
local order = call_api "order" { via = "shop", GET = "/orders/" .. id, retry = 2, timeout = "5s" }
print(order.status, order.json.order_id, order.json.courier)
