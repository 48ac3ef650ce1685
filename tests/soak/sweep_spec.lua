-- The long form of tests/faults/sweep_spec.lua: so many people as SOAK_SWEPT says (3000 by default, `make soak` sets
-- 10000).

local sweeping = require "sweeping"

it("a sweep that is killed a great many times loses nothing that lives, and comes to its end", function()
  sweeping.check(tonumber(os.getenv "SOAK_SWEPT" or "3000"), 50, 600)
end)
