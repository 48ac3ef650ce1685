-- A payload rendered again and again: by its template, or by the same written by hand, which escapes nothing.
--
--   bench_host render template|hand|compile TIMES     prints CPU microseconds each, and the bytes of one

local json = require "json"

local render = {}

local function read(name)
  local file <close> = assert(io.open(name, "rb"))
  return file:read("a")
end

-- The payload of payload.json as a function that puts the same bytes together.
local function by_hand(data)
  local person, cart = data.person, data.vars.cart
  local items = {}
  for i, item in ipairs(cart.items) do
    local name = #item.name > 40 and item.name:sub(1, 37) .. "..." or item.name
    items[i] = '\n      { "sku": "' .. item.sku .. '", "name": "' .. name .. '", "quantity": ' .. item.quantity
      .. ', "price": ' .. item.price .. " }"
  end
  local name = person.first_name or "there"
  return '{\n  "messaging_product": "whatsapp",\n  "recipient": { "id": "' .. person.id .. '", "phone": "' .. person.phone
    .. '", "name": "' .. name:sub(1, 1):upper() .. name:sub(2) .. '" },\n  "language": "' .. person.language:lower():gsub("_", "-")
    .. '",\n  "segment": "' .. (person.plan or "free") .. '",\n  "since": "' .. person.member_since:sub(1, 10)
    .. '",\n  "cart": {\n    "id": "' .. cart.cart_id .. '",\n    "total": ' .. math.floor(cart.total * 100 + 0.5) / 100
    .. ',\n    "currency": "' .. cart.currency:upper() .. '",\n    "count": ' .. #cart.items .. ',\n    "items": ['
    .. table.concat(items, ",") .. '\n    ]\n  },\n  "text": "Hello ' .. name .. ", your cart with " .. #cart.items
    .. " things is still here. " .. (cart.total > 100 and "Delivery is on us!" or "Shall we keep it for you?")
    .. '",\n  "link": "https://shop.example.com/cart/' .. cart.cart_id:gsub("[^%w%-._~]", function(c)
      return ("%%%02X"):format(c:byte())
    end) .. '"\n}\n'
end

local function measured(times, work)
  for _ = 1, times // 10 do work() end
  local begun = os.clock()
  local text
  for _ = 1, times do text = work() end
  return (os.clock() - begun) / times * 1e6, text
end

function render.main(arguments)
  local how, times = arguments[1], tonumber(arguments[2])
  local liquid = require "jaunt.liquid"
  local source, data = read "payload.json", json.decode(read "payload_data.json")
  local function compile() return assert(liquid.compile(source, { path = "payload.json", kind = "json" })) end
  local template = compile()
  local context = { person = data.person, event = {}, vars = data.vars, now = 0 }
  local ways = {
    template = function() return (assert(template:render(context))) end,
    hand = function() return by_hand(data) end,
    compile = function() return compile() and "" end,
  }
  local us, text = measured(times, ways[how])
  print(("%.3f\t%d"):format(us, #text))
  if how ~= "compile" then assert(text == by_hand(data), "the two give different bytes") end
end

return render
