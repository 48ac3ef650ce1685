-- kill -9 while old runs are taken out of a state: see tests/support/sweeping.lua. The long form is in tests/soak/.

local sweeping = require "sweeping"

it("a sweep that is killed again and again loses nothing that lives, and comes to its end", function()
  assert.is_true(sweeping.check(4000, 50, 400) >= 2)
end)
