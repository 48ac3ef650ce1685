-- The long form of tests/faults/clock_spec.lua: as many steps as SOAK_STEPS says (5 by default, `make soak` sets 300),
-- twice.

local stepping = require "stepping"

local steps = tonumber(os.getenv "SOAK_STEPS" or "5")

it("waits are neither early nor lost, and calls don't see it, however often the calendar is stepped", function()
  local people = 20 * steps
  assert.equal(3 * people, stepping.check("the calendar is stepped under calls", people, steps, false))
  stepping.check("the calendar is stepped between kills", people, steps, true)
end)
