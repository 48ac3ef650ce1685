-- Replay: a run that comes back sees what it saw before, whatever has changed around it, and nobody is stuck for it.

local control = require "jaunt.native.control"
local helper = require "helper"
local json = require "json"
local repairing = require "repairing"
local running = require "running"

local STATE = repairing.STATE
local FIRST, LATER, go, stop_while_waiting = repairing.FIRST, repairing.LATER, repairing.go, repairing.stop_while_waiting

local function trip(flow, fields, count)
  return running.project {
    ["journeys/trip.lua"] = repairing.journey(flow, fields),
    ["people.csv"] = repairing.people(count or 5),
  }
end

local function events(folder, ...)
  local lines = {}
  for i, event in ipairs { ... } do lines[i] = json.encode(event) end
  helper.write_file(folder .. "/events.ndjson", table.concat(lines, "\n") .. "\n")
end

local function count(text, what) return select(2, text:gsub(what, "")) end

describe("replay", function()
  it("tells the time that a call took as it was told before", function()
    local folder = trip [[
      local answer = call_api "first" { via = "vendor", POST = "/first", json = { id = person.id } }
      person.took = answer.ms
      wait "2h"
    ]]
    stop_while_waiting(folder)
    local report, result = go(folder, LATER)
    assert.equal(5, report.completed, result.err)
  end)

  -- A write that is not what it was is a divergence.
  it("tells answers as they were: status, body and each header", function()
    local folder = trip [[
      local said = {}
      for i = 1, 4 do
        local answer = call_api "first" { via = "vendor", POST = "/first", json = { i = i }, on_failure = "continue" }
        said[i] = { answer.status, answer.body, answer.headers, answer.error or "" }
      end
      person.said = json.encode(said)
      wait "2h"
    ]]
    helper.write_file(folder .. "/vendor.lua", [[
      local HEADERS = {
        { Server = "nginx/1.22.1", ["X-Empty"] = "", ["X-Own"] = "a: b", ["Last-Modified"] = "Thu, 26 Nov 2026 18:54:24 GMT" },
        { Server = "nginx/1.22.1", ["set-cookie"] = "a=1", ["Cache-Control"] = "no-store", Expires = "Thu, 26 Nov 2026 18:54:60 GMT" },
        { ["x-request-id"] = "\u{fc}ber", ["X-Runtime"] = "2", ["Keep-Alive"] = "timeout=5, max=99" },
        { ["Content-Type"] = "text/csv", ["ETag"] = '"1"' },
      }
      return { vendor = { ["POST /first"] = function(request)
        local i = request.json.i
        return i == 3 and 422 or 200, ("x"):rep(i), HEADERS[i]
      end } }
    ]])
    stop_while_waiting(folder)
    local report, result = go(folder, LATER)
    assert.equal(5, report.completed, result.err)
  end)

  it("tells a body that was cut to keep_body as it was: as long, and truncated", function()
    local folder = trip [[
      local answer = call_api "first" { via = "vendor", POST = "/first", json = {}, keep_body = 100 }
      person.said = { answer.body, answer.truncated }
      local whole = call_api "second" { via = "vendor", POST = "/second", json = {}, keep_body = 200 }
      person.also = { whole.body, whole.truncated }
      wait "2h"
    ]]
    helper.write_file(folder .. "/vendor.lua", [[return { vendor = { ["ANY /*"] = function() return 200, ("ab"):rep(100) end } }]])
    stop_while_waiting(folder)
    local report, result = go(folder, LATER, "--trace", "none")
    assert.equal(5, report.completed, result.err)
    local looked_at <close> = require("jaunt.native.state").open(folder .. "/state.db")
    local seen = 0
    for _, record in ipairs(looked_at:journal(1)) do
      local value = record.kind == "write" and json.decode(record.data)
      if value then
        seen = seen + 1
        assert.same(seen == 1 and { ("ab"):rep(50), true } or { ("ab"):rep(100), false }, value)
      end
    end
    assert.equal(2, seen)
  end)

  it("tells the time of the entry where an event brought the run back", function()
    local folder = trip [[
      local began, at = now(), event.meta.time
      wait_for("paid", { within = "10d" })
      print(("began %d %d"):format(began, at))
    ]]
    stop_while_waiting(folder)
    events(folder, { name = "paid", person = "p1", time = "2026-11-26T10:00:00Z" })
    local report, result = go(folder, LATER, "--events", "events.ndjson", "--until", "2026-11-27T10:00:00Z")
    assert.equal(1, report.completed)
    assert.is_truthy(result.err:find("began 1795597200 1795597200", 1, true), result.err)
  end)

  it("may take longer than a slice: each of the slices that it was counts by itself", function()
    local folder = trip([[
      local sum = 0
      for i = 1, 60 do
        for j = 1, 2000000 do sum = sum + j % 7 end
        wait "4s"
      end
      wait "2h"
      print "came through"
    ]], nil, 1)
    local report = go(folder, FIRST, "--until", "2026-11-25T10:30:00Z")
    assert.equal(1, report.waiting)
    local result
    report, result = go(folder, LATER)
    assert.equal(1, report.completed, result.err)
  end)

  it("does not want a secret that is not needed any more", function()
    local vendor = running.vendor()
    local project = repairing.project([[
      call_api "first" { via = "vendor", POST = "/first", json = { id = person.id }, headers = { ["X-Token"] = secret "TOKEN" } }
      wait_for "go"
    ]], { count = 3 })
    local words = { "trip", "--people", "people.csv", "--state", STATE, "--live", "--yes", "--json" }
    local result = running.run(project.folder, { env = { VENDOR_URL = vendor.url, TOKEN = "t" } }, table.unpack(words))
    assert.equal(3, result.report.waiting, result.err)
    local lines = {}
    for i = 1, 3 do lines[i] = { name = "go", person = "p" .. i, time = "2026-01-01T00:00:00Z" } end
    events(project.folder, table.unpack(lines))
    words[#words + 1], words[#words + 2] = "--events", "events.ndjson"
    result = running.run(project.folder, { env = { VENDOR_URL = vendor.url } }, table.unpack(words))
    assert.equal(3, result.report.completed, result.err)
    vendor.stop()
  end)
end)

describe("a run that is redriven long after it was held", function()
  it("has all of its call's time before it", function()
    local project = repairing.project([[
      call_api "first" { via = "later", POST = "/first", json = { id = person.id } }
    ]], { count = 3 })
    local report = project.run("--start", FIRST)
    assert.equal(3, report.held)
    helper.write_file(project.folder .. "/connections.lua", [[return { later = { base_url = "https://vendor.example.com" } }]])
    local told, result = project.command("redrive", "trip", "--state", STATE, "--yes")
    assert.equal(3, told and told.done, result.err)
    report, result = project.run("--start", "2026-11-29T09:00:00Z")
    assert.equal(3, report.completed, result.err .. json.encode(report))
  end)

  it("makes calls under new keys, also after it has begun anew", function()
    local project = repairing.project([[
      call_api "first" { via = "vendor", POST = "/first", json = { id = person.id } }
      if not person.again then
        person.again = true
        restart_with { n = 1 }
      end
      call_api "second" { via = "vendor", POST = "/second", json = { id = person.id } }
    ]], { count = 1, refusals = { ["POST /first"] = { p1 = 422 } } })
    project.run()
    project.refuse { ["POST /second"] = { p1 = 422 } }
    project.command("redrive", "trip", "--state", STATE, "--yes")
    assert.equal(1, project.run("--trace", "two").dropped)
    project.refuse {}
    project.command("redrive", "trip", "--state", STATE, "--yes")
    assert.equal(1, project.run("--trace", "three").completed)
    assert.not_equal(project.calls("two").second.p1[1].key, project.calls("three").second.p1[1].key)
  end)
end)

describe("a run whose journal can't be read", function()
  it("is told once, and keeps nobody else from going on", function()
    local folder = trip([[ wait "2h" print("woke", person.id) ]], nil, 20)
    stop_while_waiting(folder)
    local bytes = helper.read_file(folder .. "/state.db")
    local damaged, times = bytes:gsub('{"id":"p1"}', '{"id":"p1"]')
    assert.is_true(times > 0)
    helper.write_file(folder .. "/state.db", damaged)
    local report, result = go(folder, LATER)
    assert.equal(19, report.completed, result.err)
    assert.equal(1, report.waiting)
    assert.equal(1, count(result.err, "can't be read"), result.err)
  end)
end)

describe("events for a run that is not in memory", function()
  -- Live: the run is parked, as nothing comes; then these events come all at once.
  local function live(flow, ...)
    local project = repairing.project(flow, { count = 1 })
    local words = { "trip", "--people", "people.csv", "--state", STATE, "--live", "--yes", "--json" }
    assert.equal(1, running.run(project.folder, table.unpack(words)).report.waiting)
    events(project.folder, ...)
    words[#words + 1], words[#words + 2] = "--events", "events.ndjson"
    return running.run(project.folder, table.unpack(words))
  end
  local AT = "2026-01-01T00:00:00Z"

  it("are all there when the last of them brings it back at once", function()
    local result = live([[
      wait_for "go"
      local paid = wait_for("paid", { within = "3s" })
      print("paid", paid and paid.sum)
    ]], { name = "paid", person = "p1", time = AT, data = { sum = 5 } }, { name = "go", person = "p1", time = AT })
    assert.is_truthy(result.err:find("paid\t5", 1, true), result.err)
  end)

  it("are one where they are equal", function()
    local paid = { name = "paid", person = "p1", time = AT, data = { sum = 5 } }
    local result = live([[
      wait_for "go"
      local one, two = wait_for("paid", { within = "3s" }), wait_for("paid", { within = "1s" })
      print("paid", one and one.sum, two and two.sum)
    ]], paid, paid, { name = "go", person = "p1", time = AT })
    assert.is_truthy(result.err:find("paid\t5\tnil", 1, true), result.err)
  end)
end)

describe("a rehearsal that goes no further than a time", function()
  it("ends, also when nobody else can be let in by then", function()
    local folder = running.project { ["journeys/trip.lua"] = repairing.journey [[
      call_api "first" { via = "vendor", POST = "/first", json = { id = person.id }, retry = { attempts = 5, base = "5h", cap = "5h" } }
    ]], ["people.csv"] = repairing.people(10), ["vendor.lua"] = [[return { vendor = { ["ANY /*"] = function() return 503, {} end } }]] }
    local process = running.start(folder, {}, "trip", "--people", "people.csv", "--json", "--start", FIRST, "--until",
      "2026-11-25T09:30:00Z", "--in-flight", "2", "--workers", "1")
    local result = process.finish()
    assert.equal(0, result.code)
    assert.equal(2, result.report.queued)
  end)
end)

describe("attempts that have failed", function()
  -- The seed draws the pauses: the first one is longer than half an hour, and all of them are over within a day.
  it("count in the process that goes on with the call", function()
    local folder = running.project { ["journeys/trip.lua"] = repairing.journey [[
      local got = call_api "first" { via = "vendor", POST = "/first", json = { id = person.id }, on_failure = "continue",
        retry = { attempts = 4, base = "5h", cap = "5h" } }
      print("said", got.attempts, got.status)
    ]], ["people.csv"] = repairing.people(1), ["vendor.lua"] = [[return { vendor = { ["ANY /*"] = function() return 503, {} end } }]] }
    local function go(...)
      return running.run(folder, "trip", "--people", "people.csv", "--state", STATE, "--json", "--workers", "1", "--seed", "7", ...)
    end
    local first = go("--start", FIRST, "--until", "2026-11-25T09:30:00Z")
    assert.equal(1, first.report.queued)
    local second = go("--start", "2026-11-25T09:30:00Z")
    assert.matches("said\t4\t503", second.err)
    assert.equal(4, first.report.attempts + second.report.attempts)
  end)
end)

describe("a state that can't be written", function()
  local function ticks(pid) -- of processor time, each 10 ms
    local user, system = helper.read_file(("/proc/%d/stat"):format(pid)):match("%) %S" .. (" %S+"):rep(10) .. " (%d+) (%d+)")
    return tonumber(user) + tonumber(system)
  end

  it("is told, and keeps the process from nothing but going on: it rests, and ends when it is asked", function()
    local folder = trip([[
      if person.id == "first" then return end
      local big = ("x"):rep(20000)
      for i = 1, 20 do person.note = big .. i end
      wait "1h"
    ]], nil, 2000)
    helper.write_file(folder .. "/first.csv", "id\nfirst\n")
    local function live(people)
      return "trip", "--people", people, "--state", STATE, "--live", "--yes", "--json", "--workers", "1"
    end
    assert.equal(1, running.run(folder, live "first.csv").report.completed) -- of the others perhaps nobody can be written
    local words = running.words(folder, {}, live "people.csv")
    local process = helper.start("sh -c " .. helper.quote("trap '' XFSZ; ulimit -S -f 20000; exec " .. words))
    running.wait_for("the warning", function() return helper.read_file(process.err):find("state.db can't be written", 1, true) end)
    running.wait_for("it to be still", function()
      local before = ticks(process.pid)
      control.sleep(200)
      return ticks(process.pid) - before <= 4
    end)
    assert(os.execute(("kill -INT %d"):format(process.pid)))
    running.wait_for("its end", function() return not running.lives(process.pid) end)
    assert.equal(0, process.stop("0"))
    local looked = helper.sh("env -C " .. helper.quote(folder) .. " " .. helper.jaunt_words("report", "trip", "--state",
      STATE, "--json"))
    assert.equal(0, looked.code, looked.err)
  end)
end)

describe("restart_with", function()
  it("says what of the event can't be taken along", function()
    local folder = trip([[
      event.f = function() end
      restart_with { n = 1 }
    ]], nil, 1)
    local report, result = go(folder, FIRST)
    assert.equal(1, report.held)
    assert.is_truthy(result.err:find("held: script: restart_with: event.f is a function", 1, true), result.err)
  end)
end)
