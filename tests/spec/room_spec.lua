-- Bounds on what grows with the people: events that come for many of them at once wake no more than --in-flight has room for, and
-- the others as soon as it has; elements whose names are made of people's data are counted as one.

local bundle = require "jaunt.project.bundle"
local helper = require "helper"
local launch = require "jaunt.run.launch"
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
  return launch.engine(gathered, found, {
    in_flight = IN_FLIGHT, seed = 1, state = folder .. "/state.db", start_ms = start_ms, reroute = url, events = true,
  })
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

describe("elements that are named after people", function()
  local lines = { "id" }
  for i = 1, 30 do lines[i + 1] = "p" .. i end
  local trip = running.project {
    ["journeys/trip.lua"] = [[return journey "trip" { flow = function(person)
      split("half of " .. person.id) { a = 1, b = 1 }
      wait "2h"
      split("other half of " .. person.id) { a = 1, b = 1 }
    end }]],
    ["people.csv"] = table.concat(lines, "\n") .. "\n",
  }

  local function go(...)
    return running.run(trip, "trip", "--people", "people.csv", "--state", "sqlite:state.db", "--json", "--limits",
      "elements=5", ...)
  end

  it("are counted as one from the bound on, which is told once; each story still has its own", function()
    local first = go("--start", "2026-11-25T09:00:00Z", "--until", "2026-11-25T10:00:00Z", "--workers", "1")
    assert.equal(6, #first.report.elements)
    local others = first.report.elements[6]
    assert.same({ "(others)", "others", 30 - 4 }, { others.name, others.kind, others.reached })
    assert.equal(1, select(2, first.err:gsub("limit elements", "")))
    local result = go("--start", "2026-11-25T11:00:00Z")
    assert.same({ 30, 0, 6 }, { result.report.completed, result.report.held, #result.report.elements })
    assert.equal(30 - 4 + 30, result.report.elements[6].reached)
    local story = helper.sh("env -C " .. helper.quote(trip) .. " " .. helper.jaunt_words("why", "p30", "--state",
      "sqlite:state.db"))
    assert.matches("other half of p30", story.out)
  end)

  it("are all there without state and bound", function()
    local result = running.run(trip, "trip", "--people", "people.csv", "--json")
    assert.equal(61, #result.report.elements)
  end)
end)
