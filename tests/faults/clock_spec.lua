-- The calendar is stepped by an hour, forward and back, while jaunt runs and while it is down. The long form is in
-- tests/soak/.

local control = require "jaunt.native.control"
local faulty = require "faulty"
local helper = require "helper"
local json = require "json"
local running = require "running"
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

-- A call whose first attempt is answered with 503 and Retry-After; it is stepped while the call waits for the second one.
local function retry_after(step_ms, fields)
  local system = faulty.new()
  local folder = running.project {
    ["journeys/j.lua"] = ([[return journey "j" { flow = function()
      call_api "busy" { via = "vendor", POST = "/busy", json = {}, %s }
    end }]]):format(fields or ""),
    ["people.csv"] = "id\nada\n",
    ["vendor.lua"] = [[return { vendor = { ["ANY /*"] = function(request)
      return request.attempt == 1 and 503 or 201, {}, { ["Retry-After"] = "3" }
    end } }]],
  }
  local vendor = running.vendor("--behaviour", folder .. "/vendor.lua")
  local env = system.env { VENDOR_URL = vendor.url .. "/vendor" }
  local process = running.start(folder, { env = env }, "j", "--people", "people.csv", "--live", "--yes", "--json")
  running.wait_for("the pause before the second attempt", function()
    if not running.lives(process.pid) then return true end -- it was over before it was seen
    local seen = helper.sh("env -C " .. helper.quote(folder) .. " " .. helper.jaunt_words("report", "j", "--json"))
    return seen.code == 0 and json.decode(seen.out).queued == 1
  end)
  system.set("calendar_ms", step_ms)
  local result = process.finish()
  vendor.stop()
  return result.report
end

describe("the pause before another attempt", function()
  it("lasts no hour longer where the calendar is stepped back an hour", function()
    assert.equal(1, retry_after(-HOUR_MS).completed)
  end)

  it("and `within` are not over where it is stepped ahead", function()
    assert.equal(1, retry_after(HOUR_MS, [[within = "30m", on_failure = "drop"]]).completed)
  end)
end)
