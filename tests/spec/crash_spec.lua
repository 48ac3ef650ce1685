-- Every journey of the project goes on from every moment at which the process can end, and the story stays the same.

local testing = require "jaunt.testing"

local PEOPLE = {
  { id = "ada", first_name = "Ada", email = "ada@example.com", phone = "+49 30 1", zone = "Europe/Berlin", consent = "all", plan = "free" },
  { id = "ben", first_name = "Ben \"B\"", email = "ben@example.com", zone = "America/New_York", consent = "none" },
  { id = "eve", email = "no address", phone = "+44 20 1" },
}

-- Tries every person; the least number of moments that each has to have had.
local function tries(journey, least, options)
  options = options or {}
  options.project = "scripts"
  for _, person in ipairs(PEOPLE) do
    local with = {}
    for key, value in pairs(person) do with[key] = value end
    for key, value in pairs(options.attributes or {}) do with[key] = value end
    assert.is_true(testing.crash_everywhere(journey, with, options) >= least)
  end
end

describe("the process may end at any moment of", function()
  it("welcome", function() tries("welcome", 3) end)

  it("win_back", function()
    tries("win_back", 8, { attributes = { recency_days = "400", frequency = "12", total = "900" } })
    tries("win_back", 1, { attributes = { recency_days = "3", frequency = "1", total = "5" } })
  end)

  it("abandoned_cart, with more in the cart, an order of another cart, and one of this", function()
    tries("abandoned_cart", 6, { event = { cart_id = "c1", total = 80, items = { { name = "Tea", price = 8 } } }, events = {
      { name = "cart_updated", after = "30m", data = { cart_id = "c1", total = 90, items = { { name = "Tea", price = 9 } } } },
      { name = "cart_updated", after = "40m", data = { cart_id = "c2", total = 10 } },
    } })
    tries("abandoned_cart", 4, { event = { cart_id = "c1", total = 80, items = {} }, events = {
      { name = "order_placed", after = "10m", data = { cart_id = "c2" } },
      { name = "order_placed", after = "20m", data = { cart_id = "c1" } },
    } })
  end)

  it("order_update, delivered, cancelled, and late", function()
    local event = { order_id = "o1", courier = "Post", tracking = "t1", items = { { name = "Tea" } } }
    tries("order_update", 6, { event = event, events = { { name = "order_delivered", after = "2d", data = { order_id = "o1" } } } })
    tries("order_update", 5, { event = event, events = { { name = "order_cancelled", after = "1d", data = { order_id = "o1" } } } })
    tries("order_update", 6, { event = event })
  end)
end)
