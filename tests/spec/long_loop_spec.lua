-- A run that waits for one event after the other: its journal grows, and each event finds it all the same, at no more
-- cost than the one before.

local helper = require "helper"
local json = require "json"
local repairing = require "repairing"
local running = require "running"

local LOOP = [[
  local sum = 0
  for i = 1, %d do sum = sum + wait_for("tick", { within = "9d" }).n end
  print("said", sum)
  %s
]]

local function ticks(count, more)
  local lines = {}
  for i = 1, count do
    lines[i] = json.encode { person = "p1", name = "tick", time = ("+%ds"):format(3600 + i), data = { n = i } } .. "\n"
  end
  return table.concat(lines) .. (more or "")
end

-- Rehearses the loop over so many events. Returns the result, and the seconds of processor time that it took.
local function loop(count, after, more, ...)
  local folder = running.project { ["journeys/trip.lua"] = repairing.journey(LOOP:format(count, after or "")),
    ["people.csv"] = repairing.people(1), ["events.ndjson"] = ticks(count, more) }
  local times_file = folder .. "/times"
  local words = running.words(folder, {}, "trip", "--people", "people.csv", "--events", "events.ndjson", "--state",
    "sqlite:state.db",
    "--json", "--workers", "1", "--start", "2026-11-25T09:00:00Z", ...)
  local result = helper.sh(("%s; code=$?; times >%s; exit $code"):format(words, helper.quote(times_file)))
  result.report = json.decode(result.out)
  local took = 0 -- of the system, too: how much of a short time is whose is a guess of the system's
  for minutes, seconds in helper.read_file(times_file):match("\n(.*)"):gmatch("(%d+)m([%d.]+)s") do
    took = took + 60 * tonumber(minutes) + tonumber(seconds)
  end
  return result, took, folder
end

local function sum_to(count) return ("said\t%d\n"):format(count * (count + 1) // 2) end

describe("a loop over events", function()
  it("takes each of them, and the last costs what the first did", function()
    local few, few_seconds = loop(600)
    local many, many_seconds = loop(3000)
    assert.is_truthy(few.err:find(sum_to(600), 1, true), few.err)
    assert.is_truthy(many.err:find(sum_to(3000), 1, true), many.err)
    assert.same({ 1, 0 }, { many.report.completed, many.report.lost_events })
    assert.is_true(many_seconds < 10 * few_seconds, ("%.2f s for 600, %.2f s for 3,000"):format(few_seconds,
      many_seconds))
  end)

  it("has its time all the same, and its goal", function()
    local timed = loop(700, "print('said', wait_for('tick', { within = '2d' }))")
    assert.is_truthy(timed.err:find("said\tnil", 1, true), timed.err)
    assert.equal(1, timed.report.completed)
    local GOAL = '{"person":"p1","name":"paid","time":"+30h","data":{}}\n'
    local left = loop(700, "wait_for 'more'", GOAL)
    assert.equal(1, left.report.waiting)
    local folder = running.project { ["journeys/trip.lua"] = repairing.journey(LOOP:format(700, "wait_for 'more'"),
      "goal = 'paid',"),
      ["people.csv"] = repairing.people(1), ["events.ndjson"] = ticks(700, GOAL) }
    local result = running.run(folder, "trip", "--people", "people.csv", "--events", "events.ndjson", "--state",
      "sqlite:state.db",
      "--json", "--start", "2026-11-25T09:00:00Z")
    assert.same({ 1, 1 }, { result.report.exited, result.report.converted })
  end)

  it("goes on in another process, and with events of before told again", function()
    local _, _, folder = loop(1200, nil, nil, "--until", "2026-11-25T10:15:00Z")
    local result = running.run(folder, "trip", "--people", "people.csv", "--events", "events.ndjson", "--state",
      "sqlite:state.db",
      "--json", "--start", "2026-11-25T09:00:00Z")
    assert.equal(1, result.report.completed)
    assert.is_truthy(result.err:find(sum_to(1200), 1, true), result.err)
  end)
end)

describe("a run that lingers in memory between two events", function()
  it("is an operator's like any other that waits", function()
    local project = repairing.project(LOOP:format(700, "wait_for('more', { within = '2d' })"), { count = 1 })
    local lines = {}
    for i = 1, 700 do
      lines[i] = json.encode { person = "p1", name = "tick", time = "2026-01-01T00:00:00Z", data = { n = i } } .. "\n"
    end
    helper.write_file(project.folder .. "/events.ndjson", table.concat(lines))
    local process = project.live({}, function(by_person)
      return by_person.p1 and by_person.p1.state == "waiting" and by_person.p1.element == "wait_for more"
    end, "--events", "events.ndjson")
    local path = project.folder .. "/journeys/trip.lua"
    helper.write_file(path, helper.read_file(path) .. "-- another version\n")
    local moved = project.command("move", "trip", "--yes", "--state", repairing.STATE)
    assert.same({ 1, 0 }, { moved.done, #moved.refused })
    assert.equal(1, project.command("end", "trip", "--yes", "--state", repairing.STATE).done)
    local report = process.finish().report
    assert.same({ 1, 1 }, { report.exited, report.exits.operator })
  end)
end)
