-- A disk that can't be read for a while: who is due does not sleep on, who comes is not taken for somebody who is in, no event
-- is lost. It is told, and tried again until it goes well.

local faulty = require "faulty"
local helper = require "helper"
local repairing = require "repairing"
local running = require "running"

local ALL = 1 << 40 -- reads: more than there are

-- What is written to people makes whoever comes later need a read.
local TRIP = [[
  if person.id:find "^p" then person.seen = true wait "1h" return end
  local paid = wait_for("paid", { within = "300d" })
  assert(paid.by == person.id)
]]

local function event(person)
  return ('{"person":"%s","name":"paid","time":"+90m","data":{"by":"%s"}}\n'):format(person, person)
end

-- A live run whose people come as they are written to `people`.
local function begin(system, ...)
  local folder = running.project { ["journeys/trip.lua"] = repairing.journey(TRIP),
    ["events.ndjson"] = event("asked") .. event("late") }
  assert(os.execute("mkfifo " .. helper.quote(folder .. "/people.csv")))
  local process = running.start(folder, { env = system.env() }, "trip", "--people", "people.csv", "--state",
    repairing.STATE, "--events", "events.ndjson", "--live", "--yes", "--json", ...)
  local people = assert(io.open(folder .. "/people.csv", "r+")) -- not before the process is there: it would have the pipe open, too
  people:setvbuf("no")
  people:write("id\n")
  return process, people, folder
end

local function waiting(folder)
  local result = helper.sh("env -C " .. helper.quote(folder) .. " " .. helper.jaunt_words("runs", "trip", "--state",
    repairing.STATE, "--outcome", "waiting", "--json"))
  return select(2, result.out:gsub("\n", ""))
end

describe("while the state can't be read", function()
  it("people who are due, people who come and events wait, and go on when it can", function()
    local system = faulty.new()
    local process, people, folder = begin(system, "--workers", "2")
    people:write("p1\np2\np3\nasked\n")
    running.wait_for("four who wait", function() return waiting(folder) == 4 end)
    system.set("reads_fail", ALL)
    people:write("late\n")
    people:close()
    local function told() return helper.read_file(process.err) end
    running.wait_for("the warning", function()
      assert(running.lives(process.pid), told())
      return told():find("state.db can't be read: the disk fails (Input/output error); it is tried again", 1, true)
    end)
    system.set("calendar_ms", 2 * 3600000)
    running.wait_for("all that is tried", function() return system.get("reads_failed") > 40 end)
    assert.equal(4, waiting(folder))
    assert.is_true(running.lives(process.pid))
    system.set("reads_fail", 0)
    local result = process.finish()
    assert.equal(0, result.code, result.err)
    assert.equal(5, result.report.completed, result.err)
    assert.equal(5, result.report.entered)
    assert.equal(0, result.report.already_in)
    assert.equal(0, result.report.lost_events)
    assert.is_truthy(result.err:find("the state can be read again", 1, true), result.err)
    local told_of = select(2, result.err:gsub("can't be read", ""))
    assert.is_true(told_of <= 4, result.err) -- once for each worker and fault, not for each try
  end)

  it("nobody's event comes before the person was let in", function()
    local system = faulty.new()
    local process, people, folder = begin(system, "--workers", "1")
    people:write("asked\n")
    running.wait_for("somebody who waits", function() return waiting(folder) == 1 end)
    system.set("calendar_ms", 2 * 3600000) -- all events are due once nobody else comes
    system.set("reads_fail", 1)
    people:write("late\n")
    people:close()
    local result = process.finish()
    assert.equal(2, result.report.completed, result.err)
    assert.equal(0, result.report.lost_events)
    assert.equal(0, result.report.already_in)
  end)

  it("Ctrl-C ends it, and those who waited to be let in are not in", function()
    local system = faulty.new()
    local process, people, folder = begin(system, "--workers", "1")
    people:write("p1\n")
    running.wait_for("somebody who waits", function() return waiting(folder) == 1 end)
    system.set("reads_fail", ALL)
    people:write("late\n")
    running.wait_for("the warning", function() return helper.read_file(process.err):find("can't be read", 1, true) end)
    process.signal "INT"
    local result = process.finish()
    people:close()
    assert.equal(0, result.code, result.err)
    assert.equal(1, result.report.entered)
    assert.equal(0, result.report.already_in)
  end)

  it("an older version's goal is asked again, and nothing is said of it", function()
    local system = faulty.new()
    local function fields(words) return ("goal = { 'paid', where = function() %s end },"):format(words) end
    local folder = running.project {}
    local function run(person, words)
      helper.write_file(folder .. "/journeys/trip.lua", repairing.journey("", fields(words)))
      helper.write_file(folder .. "/people.csv", "id\n" .. person .. "\n")
      return running.start(folder, { env = system.env() }, "trip", "--people", "people.csv", "--state", repairing.STATE,
        "--events", "events.ndjson", "--live", "--yes", "--json", "--workers", "1")
    end
    helper.write_file(folder .. "/events.ndjson", "")
    assert.equal(1, run("ada", "error 'oops'").finish().report.completed)
    assert.equal(2, run("bob", "return true").finish().report.completed)
    local at = '{"person":"%s","name":"paid","time":"%s"}\n'
    helper.write_file(folder .. "/events.ndjson", at:format("ada", "+1h") .. at:format("bob", "+3h"))
    local process = run("eve", "return false")
    local function told(words) return helper.read_file(process.err):find(words, 1, true) end
    running.wait_for("somebody who is let in", function() return helper.sh("env -C " .. helper.quote(folder) .. " "
      .. helper.jaunt_words("why", "eve", "--state", repairing.STATE)).code == 0 end)
    system.set("calendar_ms", 2 * 3600000)
    running.wait_for("ada's goal, which fails", function() return told "ada (run 1, completed) is not counted" end)
    assert(os.rename(folder .. "/state.db", folder .. "/away")) -- what is open already is read as ever
    system.set("calendar_ms", 4 * 3600000)
    running.wait_for("bob's, which can't be asked", function()
      return told "scripts can't be read: it is tried again"
    end)
    assert(os.rename(folder .. "/away", folder .. "/state.db"))
    local result = process.finish()
    assert.equal(1, result.report.converted, result.err)
    assert.is_nil(result.err:find("bob", 1, true), result.err)
  end)

  it("a run that an operator only tries to move is due all the same", function()
    local system = faulty.new()
    local process, people, folder = begin(system, "--workers", "1")
    local MOST = 10
    local function try(person)
      return helper.sh("env -C " .. helper.quote(folder) .. " " .. helper.jaunt_words("move", "trip", "--state",
        repairing.STATE, "--where", ("person.id == %q"):format(person), "--dry-run"))
    end
    helper.write_file(folder .. "/journeys/trip.lua", repairing.journey(TRIP .. "\n"))
    local failed = 0
    for good = 0, MOST do -- the next one may be the one that tells what has come for the run
      local person = "p" .. good
      people:write(person .. "\n") -- what was read before is not what stands there now
      running.wait_for("one more who waits", function() return waiting(folder) == good + 1 end)
      system.set("reads_pass", good)
      system.set("reads_fail", 1)
      if try(person).out:find("can't be read", 1, true) then failed = failed + 1 end
    end
    system.set("reads_fail", 0)
    assert.is_true(failed > 0)
    people:close()
    system.set("reads_pass", 0)
    system.set("calendar_ms", 2 * 3600000)
    local result = process.finish()
    assert.equal(MOST + 1, result.report.completed, result.err)
  end)
end)
