-- The calendar is stepped by an hour, forward and back, while jaunt runs and while it is down. The long form is in
-- tests/soak/.

local control = require "jaunt.native.control"
local stepping = require "stepping"

local HOUR_MS = 3600000
local WAITING = 60 -- people of 80, whose waits are long

describe("waits", function()
  it("whose time came while all was down end at once", function()
    local world = stepping.new("down past the deadline", 80)
    world.start()
    world.wait_for_requests(240 - 2 * WAITING)
    world.kill()
    world.step(2 * HOUR_MS)
    world.start()
    world.wait_for_requests(240)
    world.finish()
  end)

  it("go by the calendar where it is stepped while they last: none is early, none is lost", function()
    local world = stepping.new("the calendar is stepped", 80)
    world.start()
    world.wait_for_requests(240 - 2 * WAITING)
    world.step(-HOUR_MS)
    world.kill()
    world.start()
    control.sleep(300)  -- so that nothing else happens any more
    world.step(HOUR_MS) -- as it was: still none of them
    control.sleep(100)
    world.step(HOUR_MS)
    world.wait_for_requests(240)
    world.finish()
  end)

  it("and calls on the wire do not see each other's clocks", function()
    assert.equal(240, stepping.check("the calendar is stepped under calls", 80, 12, false))
  end)

  it("are neither early nor lost where it is killed between the steps", function()
    assert.is_true(stepping.check("the calendar is stepped between kills", 80, 12, true) >= 240)
  end)
end)
