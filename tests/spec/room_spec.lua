-- What is brought back into memory is bounded: events that come for many people at once wake no more of them than --in-flight
-- has room for, and the others as soon as it has.

local bundle = require "jaunt.project.bundle"
local connections = require "jaunt.project.connections"
local engine = require "jaunt.native.engine"
local project = require "jaunt.project"
local running = require "running"

local PEOPLE, IN_FLIGHT, LEAST = 300, 20, 64 -- a worker has room for so many at the least
local START_MS = 1764061200000

local JOURNEY = [[
return journey "storm" { flow = function(person)
  local go = wait_for("go")
  call_api "gone" { via = "vendor", POST = "/gone", json = { id = person.id, n = go.n } }
end }]]

local folder = running.project { ["journeys/storm.lua"] = JOURNEY }
local found = project.need(folder)
local gathered = bundle.gather(folder .. "/journeys/storm.lua", found)

-- An engine over the folder's state; `url` is the vendor's.
local function start(url, start_ms)
  local list = connections.read(found)
  connections.reroute(list, url)
  local secrets = connections.secrets(true, found)
  return engine.start {
    journey = gathered.name, version = gathered.version, bundle = gathered.text, workers = 1, in_flight = IN_FLIGHT, seed = 1,
    state = folder .. "/state.db", virtual = true, start_ms = start_ms, reentry_ms = -1,
    connections = connections.make(list, secrets), secrets = secrets, reroute = url, events = true,
  }
end

-- To the end; look(figures) is called all the while.
local function run_through(alive, look)
  repeat
    alive:wait(10)
    look(alive:look())
  until alive:finished()
  alive:stop(0)
  return alive:report()
end

it("events for many people at once wake no more of them than there is room for", function()
  local vendor = running.vendor("--latency", "20ms")
  do
    local alive <close> = start(vendor.url, START_MS)
    for i = 1, PEOPLE do alive:admit("p" .. i, "{}", "{}") end
    alive:admission_over()
    alive:events_over()
    assert.equal(PEOPLE, run_through(alive, function() end).waiting)
  end
  local alive <close> = start(vendor.url, START_MS + 1000)
  alive:admission_over()
  local sent, most = 0, 0
  local report = run_through(alive, function(figures)
    most = math.max(most, figures.running + figures.queued)
    while sent < PEOPLE and alive:wants_event() do
      sent = sent + 1
      alive:event(START_MS + 2000, "p" .. sent, "go", ('{"n":%d}'):format(sent))
    end
    if sent == PEOPLE and not alive:finished() then alive:events_over() end
  end)
  assert.equal(PEOPLE, report.completed)
  assert.equal(PEOPLE, vendor.received().requests)
  assert.is_true(most <= LEAST, most .. " were under way at once")
  vendor.stop()
end)
