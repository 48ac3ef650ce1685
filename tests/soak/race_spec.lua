-- The long form of tests/faults/race_spec.lua: as many races as SOAK_RACES says (600 by default, `make soak` sets
-- 100000), a tenth of them on the real clock.

local racing = require "racing"

local races = tonumber(os.getenv "SOAK_RACES" or "600")
local VIRTUAL, REAL = 600, 500 -- at a time

it("of an event and its timeout at the same moment one wins, and all replays know it, a great many times", function()
  racing.check("races on a virtual clock", math.max(races * 9 // 10, VIRTUAL), VIRTUAL, true)
  racing.check("races on the real clock", math.max(races // 10, REAL), REAL, false)
end)
