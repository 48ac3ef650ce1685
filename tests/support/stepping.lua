-- For specs of a calendar that is stepped under `jaunt run --live`: while it runs, and while it is down. Waits are by
-- the calendar: none ends before it shows the wait's time, none is lost; and what is measured on the wire does not see
-- it.

local control = require "jaunt.native.control"
local dice = require "dice"
local faulty = require "faulty"
local helper = require "helper"
local oracles = require "oracle"
local running = require "running"

local stepping = {}

local HOUR_MS = 3600000
local MOST_MS = 3 * HOUR_MS -- that it is off, in steps at random
local NEXT_STEP_MS = 500
local ELEMENTS = { "before", "after", "last" }

-- Each kind of wait; the short one does not leave memory.
local JOURNEY = [[
local function hold_on(kind)
  if kind == "wait" then wait "30m"
  elseif kind == "until" then wait_until(now() + 1800)
  elseif kind == "event" then wait_for("never", { within = "30m" })
  else wait "1s" end
end

return journey "j" { flow = function(person)
  call_api "before" { via = "vendor", POST = "/before", json = { id = person.id }, within = "300d" }
  hold_on(person.kind)
  call_api "after" { via = "vendor", POST = "/after", json = { id = person.id }, within = "300d" }
  wait "100ms"
  call_api "last" { via = "vendor", POST = "/last", json = { id = person.id }, within = "300d" }
end }]]

local KINDS = { "wait", "until", "event", "short" }

local function audience(count)
  local lines = { "id,kind" }
  for i = 1, count do lines[i + 1] = ("p%d,%s"):format(i, KINDS[i % #KINDS + 1]) end
  return table.concat(lines, "\n") .. "\n"
end

-- A project with so many people, and a system whose calendar can be stepped. In it, methods:
--   start()       jaunt run --live, going on where it was
--   step(ms)      steps the calendar; back where negative
--   kill()        kill -9
--   finish()      to the end, with steps forward until all waits are over; then everything that must hold is checked,
--                 and the counts are told as `what`. Returns how many requests the vendor got
function stepping.new(what, people)
  local system, oracle = faulty.new(), oracles.new()
  local vendor = running.vendor("--latency", "50ms")
  local folder = running.project { ["journeys/j.lua"] = JOURNEY, ["people.csv"] = audience(people) }
  local env = system.env { VENDOR_URL = vendor.url }
  local words = { "j", "--people", "people.csv", "--live", "--yes", "--json", "--workers", "2",
    "--in-flight", tostring(people) }
  local self, process, off = { vendor = vendor }, nil, 0

  function self.start() process = running.start(folder, { env = env }, table.unpack(words)) end

  function self.step(ms)
    off = off + ms
    oracle.fault()
    system.set("calendar_ms", off)
  end

  function self.kill()
    oracle.fault()
    process.stop "KILL"
  end

  function self.wait_for_requests(count)
    running.wait_for("the requests", function()
      assert(running.lives(process.pid), helper.read_file(process.err))
      return vendor.received().requests >= count
    end)
  end

  function self.finish()
    while running.lives(process.pid) do -- some may have begun to wait a moment ago
      self.step(HOUR_MS)
      control.sleep(NEXT_STEP_MS)
    end
    local result = process.finish()
    assert(result.code == 0 and result.report, result.err)
    oracle.ended(result.report, people)
    for _, name in ipairs(ELEMENTS) do oracle.passed(result.report, name, people) end
    oracle.vendor(vendor)
    for _, name in ipairs(ELEMENTS) do oracle.once("/" .. name, people) end
    oracle.journals(folder .. "/jaunt.db")
    oracle.tell(what)
    local requests = vendor.received().requests
    vendor.stop()
    return requests
  end

  return self
end

-- So many steps of an hour, either way, while people enter, wait and are called; `kills`: and it is killed before every
-- fifth step. Returns how many requests the vendor got.
function stepping.check(what, people, steps, kills)
  local world = stepping.new(what, people)
  local draw, off = dice(people), 0
  world.start()
  for i = 1, steps do
    control.sleep(20 + draw(150))
    if kills and i % 5 == 0 then world.kill() end
    local back = draw(2) == 1
    if math.abs(off) == MOST_MS then back = off > 0 end
    off = off + (back and -HOUR_MS or HOUR_MS)
    world.step(back and -HOUR_MS or HOUR_MS)
    if kills and i % 5 == 0 then world.start() end
  end
  return world.finish()
end

return stepping
