-- A script's own coroutines work, and calls in them, too: a call pauses the whole run, not the coroutine alone.
--
--   jaunt run examples/coroutines.lua MUG PEN
--
-- It needs the pretend shop: see connections.lua.

local function stock_of(...)
  local wanted = { ... }
  return coroutine.wrap(function()
    for _, sku in ipairs(wanted) do
      local answer = call_api("stock of " .. sku) { via = "shop", GET = "/stock/" .. sku }
      coroutine.yield(sku, answer.json.left)
    end
  end)
end

for sku, left in stock_of(...) do print(sku, left) end
