-- A plain script: no journey in it, so it runs once, and its calls are real. `...` are its arguments.
--
--   jaunt run examples/plain_script.lua MUG PEN
--
-- It needs the pretend shop: see connections.lua.

for _, sku in ipairs { ... } do
  local answer = call_api { via = "shop", GET = "/stock/" .. sku, on_failure = "continue" }
  if answer.ok then
    print(("%s: %d left (status %d)"):format(answer.json.sku, answer.json.left, answer.status))
  else
    print(("%s: no answer (%s)"):format(sku, answer.error))
  end
end
