-- A state that outlives the process: whoever was under way goes on where they were, by replay, and does nothing twice.

local helper = require "helper"
local json = require "json"
local repairing = require "repairing"
local running = require "running"

local STATE = repairing.STATE
local FIRST, LATER, go, stop_while_waiting = repairing.FIRST, repairing.LATER, repairing.go, repairing.stop_while_waiting

local function people(count)
  local lines = { "id,name,zone" }
  for i = 1, count do lines[#lines + 1] = ("p%d,N%d,Europe/Berlin"):format(i, i) end
  return table.concat(lines, "\n") .. "\n"
end

-- A project with the journey "trip", whose flow this is, and `count` people.
local function trip(flow, fields, count)
  return running.project {
    ["journeys/trip.lua"] = repairing.journey(flow, fields),
    ["people.csv"] = people(count or 20),
  }
end

local function rewrite(folder, flow, fields)
  helper.write_file(folder .. "/journeys/trip.lua", repairing.journey(flow, fields))
end

local function lines_of(folder, name)
  local lines = {}
  for line in (helper.read_file(folder .. "/" .. name) or ""):gmatch("[^\n]+") do lines[#lines + 1] = json.decode(line) end
  return lines
end

describe("a run that was stopped", function()
  it("goes on where everybody was, and nobody is called twice", function()
    local folder = trip [[
      call_api "first" { via = "vendor", POST = "/first", json = { id = person.id } }
      wait "2h"
      call_api "second" { via = "vendor", POST = "/second", json = { id = person.id } }
    ]]
    local report = stop_while_waiting(folder)
    assert.equal(20, report.waiting)
    assert.equal(20, report.calls)
    report = go(folder, LATER)
    assert.equal(20, report.completed)
    assert.equal(20, report.calls) -- the second ones alone
    assert.equal(20, report.already_in)
    assert.equal(20, running.element(report, "first").reached)
    assert.equal(20, running.element(report, "second").went_on)
  end)

  it("says in its first line that it goes on", function()
    local folder = trip [[ wait "2h" ]]
    stop_while_waiting(folder)
    local out = running.run(folder, "trip", "--people", "people.csv", "--state", STATE, "--start", LATER).out
    assert.is_truthy(out:find("goes on from state.db: 20 people entered, 20 under way, 0 held", 1, true), out)
    assert.is_truthy(out:find("been here 20 people", 1, true), out)
  end)

  it("lets N more people in with --limit N, wherever those stand who are in already", function()
    local folder = trip [[ wait "2h" ]]
    for round = 1, 4 do
      local report = running.run(folder, "trip", "--people", "people.csv", "--state", STATE, "--start", FIRST,
        "--until", FIRST, "--json", "--limit", "7").report
      assert.equal(math.min(20, 7 * round), report.entered)
      assert.equal(math.min(20, 7 * (round - 1)), report.already_in)
    end
  end)

  it("says what to do for those who are held", function()
    local folder = trip [[ error "oh" ]]
    local result = running.run(folder, "trip", "--people", "people.csv", "--state", STATE, "--limit", "3")
    assert.is_truthy(result.out:find("mend what is wrong, then: jaunt redrive trip --outcome held --state sqlite:state.db; "
      .. "after a script's error, before that: jaunt move trip --state sqlite:state.db\n", 1, true),
      result.out)
  end)

  it("lets nobody in twice, however often the audience is fed", function()
    local folder = trip [[ drop "no" ]]
    for _ = 1, 3 do go(folder, FIRST) end
    local report = go(folder, FIRST)
    assert.equal(20, report.entered)
    assert.equal(20, report.already_in)
    helper.write_file(folder .. "/people.csv", people(25))
    report = go(folder, FIRST)
    assert.equal(25, report.entered)
  end)

  it("sees the same dice, times, verdicts and answers as before", function()
    local folder = trip [[
      local dice, id = random(1, 1000000), uuid()
      local copy = split "copy" { plain = 1, funny = 1 }
      local answer = call_api "first" { via = "vendor", POST = "/any/echo", json = { dice = dice } }
      local at, city = now(), env("CITY", "nowhere")
      wait "2h"
      call_api "second" { via = "vendor", POST = "/second", json = { dice = dice, id = id, copy = copy, at = at, city = city,
        status = answer.status, header = answer.headers["content-type"], attempts = answer.attempts, ms = answer.ms,
        again = random(1, 1000000), body = answer.body } }
    ]]
    local whole, halves = trip(helper.read_file(folder .. "/journeys/trip.lua"):match("event%)\n(.*)\nend }")), folder
    running.run(whole, { env = { CITY = "Berlin" } }, "trip", "--people", "people.csv", "--state", STATE, "--start",
      FIRST, "--seed", "7", "--trace", "trace")
    running.run(halves, { env = { CITY = "Berlin" } }, "trip", "--people", "people.csv", "--state", STATE, "--start",
      FIRST, "--seed", "7", "--until", "2026-11-25T10:00:00Z")
    running.run(halves, { env = { CITY = "Paris" } }, "trip", "--people", "people.csv", "--state", STATE, "--start",
      LATER, "--seed", "7", "--trace", "trace")
    local expected, count = {}, 0
    for _, call in ipairs(lines_of(whole, "trace")) do
      if call.element == "second" then expected[call.person] = call end
    end
    for _, call in ipairs(lines_of(halves, "trace")) do
      local other = expected[call.person]
      assert.equal("second", call.element)
      assert.equal(other.key, call.key)
      local a, b = json.decode(call.body), json.decode(other.body)
      a.ms, b.ms = nil, nil
      assert.same(b, a)
      assert.equal("Berlin", a.city)
      count = count + 1
    end
    assert.equal(20, count)
  end)

  it("prints nothing twice", function()
    local folder = trip [[ print("before", person.id) wait "2h" print("after", person.id) ]]
    local _, result = stop_while_waiting(folder)
    local function count(text, what) return select(2, text:gsub(what, "")) end
    assert.equal(20, count(result.err, "before"))
    _, result = go(folder, LATER)
    assert.equal(0, count(result.err, "before"))
    assert.equal(20, count(result.err, "after"))
  end)

  it("keeps its waits: never early, and at once when their time has passed meanwhile", function()
    local folder = trip [[
      wait "2h"
      print(("woke %d"):format(now() * 1000 // 1))
    ]]
    stop_while_waiting(folder)
    local _, result = go(folder, "2026-11-25T10:00:00Z")
    for at in result.err:gmatch("woke (%d+)") do
      assert.is_true(tonumber(at) >= 1795604400000, at) -- 2026-11-25T11:00:00Z, as it was said
    end
    assert.equal(20, select(2, result.err:gsub("woke", "")))
  end)

  it("runs deep loops again in a moment", function()
    local folder = trip([[
      local sum = 0
      for i = 1, 3000 do
        person.count = i
        sum = sum + random(1, 6)
        split("s" .. i % 7) { a = 1, b = 1 }
      end
      wait "2h"
      print("sum", sum, person.count)
    ]], nil, 20)
    stop_while_waiting(folder)
    local report, result = go(folder, LATER)
    assert.equal(20, report.completed)
    assert.equal(20, select(2, result.err:gsub("sum\t%d+\t3000", "")))
  end)
end)

describe("a write to person", function()
  it("is there after a stop, in the run and for those who enter later", function()
    local folder = trip([[
      person.seen = (person.seen or 0) + 1
      person.name = "changed"
      wait "2h"
      print("has", person.id, person.seen, person.name)
    ]], "reentry = 'always',")
    stop_while_waiting(folder)
    local _, result = go(folder, LATER)
    assert.equal(20, select(2, result.err:gsub("has\tp%d+\t1\tchanged", "")))
    local said = result.err
    _, result = go(folder, "2026-11-27T09:00:00Z")
    assert.equal(20, select(2, (said .. result.err):gsub("has\tp%d+\t2\tchanged", "")))
  end)
end)

describe("re-entry", function()
  it("is allowed by the journey alone: always, or so long after the end", function()
    local folder = trip([[ drop "no" ]], "reentry = 'always',")
    go(folder, FIRST)
    assert.equal(40, go(folder, FIRST).entered)
    folder = trip([[ drop "no" ]], "reentry = '7d',")
    go(folder, "2026-11-01T09:00:00Z")
    assert.equal(20, go(folder, "2026-11-08T08:59:00Z").entered)
    assert.equal(40, go(folder, "2026-11-08T09:01:00Z").entered)
  end)

  it("gives the next run another name, so that its calls have other keys", function()
    local folder = trip([[ call_api "hello" { via = "vendor", POST = "/hello" } ]], "reentry = 'always',")
    go(folder, FIRST, "--trace", "one")
    go(folder, FIRST, "--trace", "two")
    local keys = {}
    for _, name in ipairs { "one", "two" } do
      for _, call in ipairs(lines_of(folder, name)) do
        assert.is_nil(keys[call.key])
        keys[call.key] = true
      end
    end
  end)

  it("of another state has another name, too: no two states share a key", function()
    local folder = trip([[ call_api "hello" { via = "vendor", POST = "/hello" } ]])
    local keys, count = {}, 0
    for _, where in ipairs { "memory:", "memory:", "sqlite:one.db", "sqlite:two.db" } do
      local result = running.run(folder, "trip", "--people", "people.csv", "--state", where, "--json", "--trace", "told")
      assert.equal(20, result.report.completed, result.err)
      for _, call in ipairs(lines_of(folder, "told")) do
        assert.is_nil(keys[call.key])
        keys[call.key], count = true, count + 1
      end
    end
    assert.equal(80, count)
  end)

  it("never lets somebody in who is still there", function()
    local folder = trip([[ wait "2h" ]], "reentry = 'always',")
    stop_while_waiting(folder)
    assert.equal(20, stop_while_waiting(folder).entered)
  end)
end)

describe("per", function()
  it("gives a person one living run for each value of the event's field", function()
    local folder = trip([[ wait "2h" print("cart", person.id, event.cart) ]], "starts_on = 'cart_updated', per = 'cart',")
    local function feed(start, ...)
      helper.write_file(folder .. "/people.csv", "id,event.cart\n" .. table.concat({ ... }, "\n") .. "\n")
      return go(folder, start, "--until", "2026-11-25T10:00:00Z")
    end
    assert.equal(2, feed(FIRST, "ada,c1", "ben,c1").entered)
    assert.equal(3, feed(FIRST, "ada,c2", "ben,c1").entered)
    local report, result = go(folder, LATER)
    assert.equal(3, report.completed)
    assert.equal(2, select(2, result.err:gsub("cart\tada\tc%d", "")))
  end)
end)

describe("a script that was changed meanwhile", function()
  local BEFORE = [[
    call_api "first" { via = "vendor", POST = "/first" }
    wait "2h"
    print "as it was"
  ]]

  it("does not concern those who are under way: a run keeps its version", function()
    local folder = trip(BEFORE)
    stop_while_waiting(folder)
    rewrite(folder, [[ print "anew" ]])
    helper.write_file(folder .. "/people.csv", people(25))
    local report, result = go(folder, LATER)
    assert.equal(25, report.completed)
    assert.equal(20, select(2, result.err:gsub("as it was", "")))
    assert.equal(5, select(2, result.err:gsub("anew", "")))
  end)

  it("keeps its modules, too", function()
    local folder = trip [[ local words = require "words" wait "2h" print(words.said) ]]
    helper.write_file(folder .. "/words.lua", "return { said = 'old words' }")
    stop_while_waiting(folder)
    helper.write_file(folder .. "/words.lua", "return { said = 'new words' }")
    local _, result = go(folder, LATER)
    assert.equal(20, select(2, result.err:gsub("old words", "")))
  end)

  it("but a payload's new words reach everybody", function()
    local folder = trip [[
      wait "2h"
      call_api "mail" { via = "vendor", POST = "/mail", payload = "mail" }
    ]]
    helper.write_file(folder .. "/payloads/mail.lua", "return function() return { words = 'old' } end")
    stop_while_waiting(folder)
    helper.write_file(folder .. "/payloads/mail.lua", "return function() return { words = 'new' } end")
    go(folder, LATER, "--trace", "trace")
    for _, call in ipairs(lines_of(folder, "trace")) do assert.equal("new", json.decode(call.body).words) end
  end)
end)

describe("a vendor that has moved meanwhile", function()
  it("is no divergence: what is recorded is what the script says, and later calls go to the new address", function()
    local folder = trip([[
      call_api "first" { via = "vendor", POST = "/first", json = { id = person.id } }
      wait "2h"
      call_api "second" { via = "vendor", POST = "/second", json = { id = person.id } }
    ]], nil, 3)
    stop_while_waiting(folder)
    helper.write_file(folder .. "/connections.lua", [[return { vendor = { base_url = "https://elsewhere.example.org/v9" } }]])
    local report, result = go(folder, LATER, "--trace", "told")
    assert.same({ 3, 0 }, { report.completed, report.held }, result.err)
    for _, call in ipairs(lines_of(folder, "told")) do assert.equal("https://elsewhere.example.org/v9/second", call.url) end
  end)
end)

describe("an event", function()
  local function events(folder, ...)
    local lines = {}
    for i, event in ipairs { ... } do lines[i] = json.encode(event) end
    helper.write_file(folder .. "/events.ndjson", table.concat(lines, "\n") .. "\n")
  end

  it("brings back a run that is not in memory", function()
    local folder = trip [[
      local paid = wait_for("paid", { where = function(e) return e.sum > 10 end, within = "10d" })
      print("paid", person.id, paid and paid.sum)
    ]]
    stop_while_waiting(folder)
    events(folder, { name = "paid", person = "p1", time = "2026-11-26T10:00:00Z", data = { sum = 5 } },
      { name = "paid", person = "p2", time = "2026-11-26T10:00:00Z", data = { sum = 50 } },
      { name = "other", person = "p3", time = "2026-11-26T10:00:00Z" },
      { name = "paid", person = "p1", time = "2026-11-27T10:00:00Z", data = { sum = 20 } })
    local report, result = go(folder, LATER, "--events", "events.ndjson")
    assert.equal(20, report.completed)
    assert.equal(1, select(2, result.err:gsub("paid\tp1\t20", "")))
    assert.equal(1, select(2, result.err:gsub("paid\tp2\t50", "")))
    assert.equal(18, select(2, result.err:gsub("paid\tp%d+\tnil", "")))
  end)

  it("that nobody waited for yet is kept, and is found after a stop", function()
    local folder = trip [[
      wait "2h"
      local paid = wait_for("paid", { within = "1h" })
      print("paid", person.id, paid and paid.sum)
    ]]
    stop_while_waiting(folder)
    events(folder, { name = "paid", person = "p1", time = "2026-11-25T10:00:00Z", data = { sum = 5 } })
    go(folder, "2026-11-25T09:30:00Z", "--events", "events.ndjson", "--until", "2026-11-25T10:30:00Z")
    local report = go(folder, LATER)
    assert.equal(20, report.completed)
  end)

  it("reaches the goal of a run that is not in memory, and it exits", function()
    local folder = trip([[ wait "5d" ]], "goal = { 'paid', where = function(e, own) return e.sum > 10 end },")
    stop_while_waiting(folder)
    events(folder, { name = "paid", person = "p1", time = "2026-11-26T10:00:00Z", data = { sum = 5 } },
      { name = "paid", person = "p2", time = "2026-11-26T10:00:00Z", data = { sum = 50 } })
    local report = go(folder, LATER, "--events", "events.ndjson")
    assert.equal(1, report.exited)
    assert.equal(19, report.completed)
    assert.equal(1, report.exits.goal)
  end)

  it("is taken once, and not again after a stop", function()
    local folder = trip [[
      local one = wait_for("paid", { within = "2h" })
      wait "2d"
      local two = wait_for("paid", { within = "2h" })
      print("took", person.id, one and one.sum, two and two.sum)
    ]]
    events(folder, { name = "paid", person = "p1", time = "2026-11-25T10:00:00Z", data = { sum = 1 } },
      { name = "paid", person = "p1", time = "2026-11-25T12:00:00Z", data = { sum = 2 } })
    go(folder, FIRST, "--events", "events.ndjson", "--until", "2026-11-25T13:00:00Z")
    local _, result = go(folder, "2026-11-28T09:00:00Z")
    assert.equal(1, select(2, result.err:gsub("took\tp1\t1\t2", "")))
    assert.equal(19, select(2, result.err:gsub("took\tp%d+\tnil\tnil", "")))
  end)
end)

describe("a replay that asks for something else", function()
  -- The bundle is pinned, so only what a script can't see may differ: here, a value that no guard covers is put in by hand.
  it("never happens to a script of its own version", function()
    local folder = trip [[
      local t = setmetatable({}, { __index = function(_, k) return k .. "!" end })
      for _, k in ipairs { "a", "b" } do split(t[k]) { x = 1 } end
      local names = {}
      for k in pairs { z = 1, y = 2, x = 3 } do names[#names + 1] = k end
      split(table.concat(names)) { x = 1 }
      split(tostring({}):gsub("%W", "")) { x = 1 }
      split(os.date("!%H") .. math.random(10)) { x = 1 }
      wait "2h"
    ]]
    stop_while_waiting(folder)
    local report = go(folder, LATER)
    assert.equal(0, report.held)
    assert.equal(20, report.completed)
  end)
end)

describe("a state file", function()
  it("is one process's at a time, and says whose", function()
    local folder = trip [[ wait "2h" ]]
    local process = running.start(folder, {}, "trip", "--people", "people.csv", "--live", "--yes")
    running.wait_for("the state", function() return (helper.read_file(process.out) or ""):find("state in jaunt.db", 1, true) end)
    local result = running.run(folder, "trip", "--people", "people.csv", "--live", "--yes")
    assert.equal(2, result.code)
    assert.is_truthy(result.err:find("jaunt.db", 1, true), result.err)
    assert.is_truthy(result.err:find(tostring(process.pid), 1, true) or result.err:find("process %d+"), result.err)
    process.signal "INT"
    process.finish()
  end)

  it("is refused where it can't be, with what to do", function()
    local folder = trip [[ wait "2h" ]]
    for _, case in ipairs { { "postgres:x", "memory: or sqlite:FILE" }, { "sqlite:no/such/folder.db", "no folder" },
      { "sqlite:journeys", "journeys" } } do
      local result = running.run(folder, "trip", "--people", "people.csv", "--state", case[1])
      assert.equal(2, result.code)
      assert.is_truthy(result.err:find(case[2], 1, true), result.err)
    end
    helper.write_file(folder .. "/other.db", ("no database"):rep(1000))
    local result = running.run(folder, "trip", "--people", "people.csv", "--state", "sqlite:other.db")
    assert.equal(2, result.code)
    assert.is_truthy(result.err:find("other.db", 1, true), result.err)
  end)
end)

describe("restart_with", function()
  local FLOW = [[
    local round = state or { n = 0, log = {} }
    local dice = random(1, 1000)
    call_api("round " .. round.n) { via = "vendor", POST = "/round", json = { n = round.n, dice = dice } }
    person.rounds = round.n
    wait "1d"
    if round.n == 3 then exit "enough" end
    restart_with { n = round.n + 1 }
  ]]
  local function endless()
    return running.project { ["people.csv"] = people(5),
      ["journeys/trip.lua"] = ("return journey \"trip\" { flow = function(person, event, state)\n%s\nend }\n"):format(FLOW) }
  end

  it("begins the journey anew with what it is given, in memory and on a state, with other keys and dice each time", function()
    local in_memory, kept = endless(), endless()
    local result = running.run(in_memory, "trip", "--people", "people.csv", "--json", "--start", FIRST, "--seed", "7",
      "--trace", "trace")
    assert.equal(5, result.report.exited, result.err)
    assert.equal(20, result.report.calls)
    go(kept, FIRST, "--trace", "trace")
    local function sorted(folder)
      local list = {}
      for i, call in ipairs(lines_of(folder, "trace")) do list[i] = ("%s %s %s %s"):format(call.person, call.element, call.key, call.body) end
      table.sort(list)
      return list
    end
    local one, two = sorted(in_memory), sorted(kept)
    assert.same(one, two)
    local seen = {}
    for _, line in ipairs(one) do
      local key = line:match(" (%x+) {")
      assert.is_nil(seen[key])
      seen[key] = true
    end
  end)

  it("goes on after a stop in the middle of it", function()
    local folder = endless()
    go(folder, FIRST, "--until", "2026-11-26T10:00:00Z")
    go(folder, "2026-11-26T11:00:00Z", "--until", "2026-11-27T12:00:00Z")
    local report = go(folder, "2026-11-29T09:00:00Z")
    assert.equal(5, report.exited)
    assert.equal(5, running.element(report, "round 3").went_on)
  end)

  it("closes what the script left open, and cannot be caught", function()
    local folder = trip([[
      local guard <close> = setmetatable({}, { __close = function() log "closed" end })
      if person.again then exit "done" end
      person.again = true
      pcall(restart_with, { 1 })
      print "not here"
    ]], nil, 3)
    local report, result = go(folder, FIRST)
    assert.equal(3, report.exited)
    assert.equal(6, select(2, result.err:gsub("closed", "")))
    assert.is_nil(result.err:find("not here", 1, true))
  end)
end)
