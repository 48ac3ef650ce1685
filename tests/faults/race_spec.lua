-- An event and its timeout at the same moment, with crashes between: one winner, and the same one in every replay. The
-- long form is in tests/soak/.

local racing = require "racing"

describe("of an event and the time when it is too late for it", function()
  it("the one that came first wins, however often the process ends, and all replays know it", function()
    local races = 1200
    assert.equal(races / 3, racing.check("races on a virtual clock", races, 600, true))
  end)

  it("one wins where both come at the same moment of the real clock", function()
    racing.check("races on the real clock", 500, 500, false)
  end)
end)
