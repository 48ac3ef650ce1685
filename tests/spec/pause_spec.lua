-- jaunt pause and resume: nobody is let into a paused journey and nobody is woken, whatever processes come and go.

local fault = require "fault"
local helper = require "helper"
local json = require "json"
local repairing = require "repairing"
local running = require "running"

local STATE = repairing.STATE
local EARLY = { "--start", "2026-11-25T09:00:00Z", "--until", "2026-11-25T10:00:00Z" }

local function waiting_people(flow)
  local project = repairing.project(flow or [[ wait "2h" print("woke", person.id) ]])
  assert.equal(8, project.run(table.unpack(EARLY)).waiting)
  return project
end

local function pause(project)
  local told, result = project.command("pause", "trip", "--state", STATE)
  assert.equal(0, result.code, result.err)
  return told
end

local function resume(project)
  local told, result = project.command("resume", "trip", "--state", STATE)
  assert.equal(0, result.code, result.err)
  return told
end

-- A rehearsal on the state that goes on until it is finished, or ended; once it listens.
local function start(project, ...)
  local process = running.start(project.folder, {}, "trip", "--people", "people.csv", "--state", STATE, ...)
  repairing.wait_for_answer(project.folder .. "/state.db.sock", process)
  return process
end

describe("a paused journey", function()
  it("is said to be so in the first line of jaunt run, which waits for jaunt resume, and then goes on", function()
    local project = waiting_people()
    assert.is_true(pause(project).changed)
    helper.write_file(project.folder .. "/people.csv", repairing.people(12))
    local process = start(project, "--start", "2026-11-26T09:00:00Z")
    running.wait_for("the first line", function() return helper.read_file(process.out):find("\n", 1, true) end)
    local first = helper.read_file(process.out):match("^[^\n]+")
    assert.is_truthy(first:find("; paused since 20%d%d%-%d%d%-%d%d .*: nobody is let in or woken until jaunt resume trip$"), first)
    for _ = 1, 3 do pause(project) end -- each waits for an answer: the runtime had time to do what it must not do
    local _, counts = project.where()
    assert.same({ waiting = 8 }, counts)
    assert.is_true(running.lives(process.pid))
    local told = resume(project)
    assert.is_true(told.changed)
    assert.is_true(told.live > 0)
    local result = process.finish()
    assert.equal(0, result.code)
    assert.equal(12, select(2, result.out:gsub("woke\tp%d+", "")))
  end)

  it("is said to be so by report and why", function()
    local project = waiting_people()
    local function told(...) return project.jaunt(...).out end
    assert.is_nil(told("report", "trip", "--state", STATE):find("paused", 1, true))
    pause(project)
    assert.matches("%(state.db%); paused since 20%d%d%-%d%d%-%d%d [%d:]+, until jaunt resume trip\n",
      told("report", "trip", "--state", STATE))
    assert.matches('"paused":"20%d%d%-', told("report", "trip", "--state", STATE, "--json"))
    assert.matches("its wait is over since 2026%-11%-25 [%d:]+: jaunt resume trip lets it go on; the journey is paused since 20",
      told("why", "p1", "--state", STATE))
  end)

  it("is not needed for resume to let people in again where script errors have stopped that, which the runtime tells", function()
    local project = repairing.project [[ if person.id == "p1" then wait "2d" end error "oh" ]]
    helper.write_file(project.folder .. "/people.csv", repairing.people(90))
    local process = start(project, "--live", "--yes", "--workers", "1", "--in-flight", "2")
    local function held() return select(2, project.where()).held or 0 end
    running.wait_for("that nobody else is let in", function()
      return helper.read_file(process.err):find("nobody else is let in: 20 people are held by script errors", 1, true)
    end)
    local before = held()
    assert.is_true(before >= 20 and before < 40)
    assert.is_true(resume(project).changed)
    running.wait_for("others", function() return held() >= before + 20 end)
    process.signal "INT"
    process.finish()
  end)

  it("stays so when the runtime that paused it is killed, and until it is resumed without one", function()
    local project = repairing.project [[ wait "2d" ]]
    local process = project.live({}, function(_, counts) return counts.waiting == 8 end)
    assert.is_true(pause(project).live > 0)
    process.signal "KILL"
    process.finish()
    assert.is_false(pause(project).changed)
    assert.is_true(resume(project).changed)
    assert.is_false(resume(project).changed)
    assert.equal(8, select(2, project.where()).waiting)
    assert.is_true(pause(project).changed)
  end)

  it("lets those who are under way go on to their next wait, and lets nobody in", function()
    local server = fault.start()
    local project = repairing.project([[
      call_api "one" { via = "vendor", POST = "/held/200", json = { id = person.id } }
      wait "1ms"
      call_api "two" { via = "vendor", POST = "/status/200", json = { id = person.id } }
    ]], { count = 40 })
    local process = project.live({ VENDOR_URL = server.url "" }, nil, "--in-flight", "4", "--workers", "1")
    running.wait_for("the calls", function() return server.count "/held/200" == 4 end)
    pause(project)
    server.ask "/let-go"
    local entered
    project.wait_for(function(_, counts)
      entered = 0
      for _, count in pairs(counts) do entered = entered + count end
      return not counts.running and not counts.queued
    end)
    assert.equal(4, entered)
    local before = server.count "/status/200"
    for _ = 1, 3 do pause(project) end
    assert.equal(before, server.count "/status/200")
    resume(project)
    local report = process.finish().report
    assert.equal(40, report.completed)
    assert.equal(80, report.calls)
    server.stop()
  end)

  it("keeps the events that come meanwhile for those whom they concern", function()
    local project = repairing.project [[
      local paid = wait_for("paid", { within = "3650d" })
      print("paid", person.id, paid and paid.sum)
    ]]
    local process = project.live({}, function(_, counts) return counts.waiting == 8 end)
    process.signal "KILL"
    process.finish()
    pause(project)
    helper.write_file(project.folder .. "/events.ndjson",
      json.encode { name = "paid", person = "p1", time = "2026-11-25T10:00:00Z", data = { sum = 5 } } .. "\n"
      .. json.encode { name = "paid", person = "p1", time = "2026-11-25T10:00:00Z", data = { sum = 6 } } .. "\n")
    process = start(project, "--live", "--yes", "--events", "events.ndjson")
    for _ = 1, 3 do pause(project) end
    assert.equal(8, select(2, project.where()).waiting)
    running.wait_for("both events to be kept", function()
      return select(2, project.jaunt("why", "p1", "--state", STATE).out:gsub("came, and was not taken", "")) == 2
    end)
    process.signal "KILL"
    process.finish()
    assert.matches("waited; an event has come for it: jaunt resume trip lets it go on",
      project.jaunt("why", "p1", "--state", STATE).out)
    assert.matches('"due":null', project.jaunt("runs", "--where", "id == 'p1'", "--state", STATE, "--json").out)
    resume(project)
    process = start(project, "--live", "--yes")
    project.wait_for(function(_, counts) return counts.completed == 1 end)
    assert.same({ completed = 1, waiting = 7 }, select(2, project.where()))
    running.wait_for("what the script says", function() return helper.read_file(process.out):find("paid\tp1\t5", 1, true) end)
    process.signal "KILL"
    process.finish()
  end)

  it("can be redriven into: who is sent on goes on when it is resumed", function()
    local project = repairing.project([[
      call_api "hello" { via = "vendor", POST = "/hello", json = { id = person.id } }
    ]], { refusals = { ["POST /hello"] = { p1 = 422 } } })
    project.run()
    project.refuse {}
    pause(project)
    local process = start(project, "--json")
    assert.equal(1, project.command("redrive", "trip", "--state", STATE).done)
    for _ = 1, 3 do pause(project) end
    assert.equal("running", project.where().p1.state)
    resume(project)
    assert.equal(8, process.finish().report.completed)
  end)

  it("ends with its runtime where nobody is left who could go on", function()
    local project = repairing.project [[ drop "no" ]]
    project.run()
    pause(project)
    local process = start(project)
    process.signal "INT"
    assert.equal(0, process.finish().code)
  end)
end)

describe("jaunt pause", function()
  it("is for a journey that somebody has entered, and says which there are", function()
    local project = waiting_people()
    local result = project.jaunt("pause", "tripp", "--state", STATE)
    assert.equal(2, result.code)
    assert.is_truthy(result.err:find("did you mean trip?", 1, true), result.err)
  end)

  it("says what it has done", function()
    local project = waiting_people()
    local function out(...) return project.jaunt(...).out end
    assert.equal("trip is paused: nobody is let in or woken until jaunt resume trip\n", out("pause", "trip", "--state", STATE))
    assert.is_truthy(out("pause", "trip", "--state", STATE):find("^trip is paused already, since 20"))
    assert.equal("trip goes on with the next jaunt run\n", out("resume", "trip", "--state", STATE))
    assert.equal("trip is not paused\n", out("resume", "trip", "--state", STATE))
  end)
end)
