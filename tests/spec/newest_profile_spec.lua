-- The newest profile of a person: what other runs of theirs have written, and what came with them again. Payloads render from
-- it. A script reads it as it was when the script was let go on last, by an answer, an event or the end of a wait; and reads the
-- same again when it is replayed.

local bundle = require "jaunt.project.bundle"
local helper = require "helper"
local json = require "json"
local launch = require "jaunt.run.launch"
local look = require "jaunt.native.state"
local project = require "jaunt.project"
local states = require "states"
local testing = require "jaunt.testing"
local vendors = require "jaunt.native.vendor"

local START_MS = 1795597200000 -- 2026-11-25 09:00

local VENDOR = 'return { crm = { ["ANY /*"] = function(request) return 201, request.json end } }'
local PAYLOAD = [[return function(person) return { plan = person.plan, email = person.email, size = person.size } end]]
local SEND = [[
  local function send(what)
    local sent = call_api(what) { via = "crm", POST = "/x", payload = "p",
      only_if = function(newest) return newest.email ~= "no" end }
    local got = sent.skipped and { email = "skipped" } or sent.json
    print("said", what, got.plan, got.email, person.plan, person.email)
  end
]]

local function script(flow)
  return ([[return journey "carts" { per = "cart", flow = function(person, event) %s %s end }]]):format(SEND, flow)
end

-- Feeds ada once more, with a cart and attributes, and goes on until then. Returns the state, with what scripts have said.
local function feed(folder, flow, start, stop, cart, attributes, files)
  local ada = { id = "ada", event = { cart = cart } }
  for name, value in pairs(attributes) do ada[name] = value end
  local with = { ["payloads/p.lua"] = PAYLOAD }
  for path, text in pairs(files or {}) do with[path] = text end
  local state = states.make("carts", script(flow), { ada }, { folder = folder, start = start, vendor = VENDOR, files = with,
    flags = stop and { "--until", stop } })
  state.lines = {}
  for line in state.said:gmatch("said\t([^\n]+)") do state.lines[#state.lines + 1] = line end
  return state
end

describe("a payload is rendered from the newest profile", function()
  it("with what another run of the person has written, and the profile that it came with", function()
    local FLOW = [[
      if event.cart == "c1" then wait "1d" send "first" person.plan = "own" send "second" return end
      wait "1h" person.plan = "gold" send "other"
    ]]
    local first = feed(nil, FLOW, "2026-11-25 09:00", "2026-11-25 10:00", "c1", { email = "old" })
    local both = feed(first.folder, FLOW, "2026-11-25 10:00", nil, "c2", { email = "new" })
    assert.same({ "other\tgold\tnew\tgold\tnew", "first\tgold\tnew\tgold\tnew", "second\town\tnew\town\tnew" },
      both.lines)
  end)

  -- Her older run is taken out while the other one waits for its vendor: it has left nothing but its log by then.
  it("also when her older run is taken out meanwhile", function()
    local MINUTE = 60000
    local folder = helper.temp_folder()
    helper.write_file(folder .. "/connections.lua", 'return { crm = { base_url = "https://crm.example.com" } }')
    helper.write_file(folder .. "/payloads/p.lua", PAYLOAD)
    helper.write_file(folder .. "/vendor.lua", [[return { crm = {
      ["POST /busy"] = function(request) return request.attempt == 1 and 503 or 201, {}, { ["Retry-After"] = "3600" } end,
      ["ANY /*"] = function(request) return 201, request.json end,
    } }]])
    helper.write_file(folder .. "/journeys/carts.lua", script [[
      if event.cart == "c1" then return end
      if event.cart == "late" then wait "25m" return end
      call_api "busy" { via = "crm", POST = "/busy", json = {}, retry = { attempts = 3 } }
      send "at last"
    ]])
    local found = project.need(folder)
    local gathered = bundle.gather(folder .. "/journeys/carts.lua", found)
    local vendor = vendors.start { port = 0, seed = 1, behaviour = folder .. "/vendor.lua" }

    -- Lets them in, { id, email, cart } each, and goes on from one minute to another. Returns what was said.
    local function go(from, to, people)
      local running <close> = launch.engine(gathered, found, { in_flight = 10, seed = 1, state = folder .. "/state.db",
        per = "cart",
        start_ms = START_MS + from * MINUTE, until_ms = START_MS + to * MINUTE, reroute = vendor:url(), keep_ms = 20 * MINUTE,
        events = true })
      for _, one in ipairs(people) do
        running:admit(one[1], json.encode { id = one[1], email = one[2] }, json.encode { cart = one[3] })
      end
      running:admission_over()
      running:events_over()
      while not running:finished() do running:wait(10) end
      local said = {}
      for _, text in running.message, running do said[#said + 1] = text end
      running:stop(0)
      return said
    end

    go(0, 1, { { "ada", "old", "c1" } })
    go(10, 40, { { "ada", "old", "c2" }, { "ada", "new", "c2" }, { "bob", "b", "late" } })
    local said = go(120, 200, {})
    assert.equal("said\tat last\tnil\tnew\tnil\tnew", said[1])
    local looked_at <close> = look.open(folder .. "/state.db")
    for _, run in ipairs((looked_at:runs {})) do assert.not_equal("c1", run.per) end
    vendor:stop()
  end)

  it("also by runs that stay in memory all the while", function()
    local FLOW = [[
      if event.cart == "c2" then wait "6m" person.plan = "gold" send "c2" wait "1s" person.plan = "silver" return end
      wait "65m" for i = 1, 40 do wait "3s" if i % 15 == 0 then send("c1 " .. i) end end
    ]]
    local first = feed(nil, FLOW, "2026-11-25 09:00", "2026-11-25 10:00", "c1", { email = "old" })
    local both = feed(first.folder, FLOW, "2026-11-25 10:00", nil, "c2", { email = "old" })
    assert.same({ "c1 15\tnil\told\tnil\told", "c2\tgold\told\tgold\told", "c1 30\tsilver\told\tsilver\told" }, both.lines)
  end)

  it("with what came with a person who was not let in, but not over what a script has written since", function()
    local FLOW = [[person.plan = "gold" wait "2h" send "a" wait "1d" send "b"]]
    local first = feed(nil, FLOW, "2026-11-25 09:00", "2026-11-25 10:00", "c1", { email = "old", plan = "free" })
    local second = feed(first.folder, FLOW, "2026-11-25 10:00", "2026-11-25 12:00", "c1", { email = "old",
      plan = "free" })
    assert.equal(1, second.report.already_in)
    assert.same({ "a\tgold\told\tgold\told" }, second.lines)
    local third = feed(first.folder, FLOW, "2026-11-25 12:00", nil, "c1", { email = "newer", plan = "free" })
    assert.same({ "b\tgold\tnewer\tgold\tnewer" }, third.lines)
  end)

  it("and so is only_if asked about", function()
    local FLOW = [[wait "2h" send "a" wait "1d" send "b"]]
    local first = feed(nil, FLOW, "2026-11-25 09:00", "2026-11-25 12:00", "c1", { email = "yes" })
    assert.same({ "a\tnil\tyes\tnil\tyes" }, first.lines)
    local second = feed(first.folder, FLOW, "2026-11-25 12:00", nil, "c1", { email = "no" })
    assert.same({ "b\tnil\tskipped\tnil\tno" }, second.lines)
  end)

  it("of a run that entered last, whatever came before", function()
    local FLOW = [[if event.cart == "c1" then wait "1d" send "c1" else wait "1h" send(event.cart) end]]
    local first = feed(nil, FLOW, "2026-11-25 09:00", "2026-11-25 10:00", "c1", { email = "1" })
    feed(first.folder, FLOW, "2026-11-25 10:00", "2026-11-25 10:30", "c1", { email = "2" })
    local third = feed(first.folder, FLOW, "2026-11-25 11:00", nil, "c3", { email = "3" })
    assert.same({ "c3\tnil\t3\tnil\t3", "c1\tnil\t3\tnil\t3" }, third.lines)
  end)

  it("begins anew with the profile that the script has read", function()
    local FLOW = [[
      if event.cart == "c2" then person.plan = "gold" return end
      if event.n then wait "1d" send "anew" return end
      wait "1h" event.n = 1 wait "2h" send "before" restart_with {}
    ]]
    local first = feed(nil, FLOW, "2026-11-25 09:00", "2026-11-25 10:30", "c1", { email = "old" })
    local second = feed(first.folder, FLOW, "2026-11-25 10:30", nil, "c2", { email = "new" })
    assert.same({ "before\tgold\tnew\tgold\tnew", "anew\tgold\tnew\tgold\tnew" }, second.lines)
  end)

  it("while a call is between two attempts, and the script reads that from the answer on", function()
    local FLOW = [[
      if event.cart == "c2" then wait "1m" person.plan = "gold" return end
      local asked, judged = "", ""
      call_api "busy" { via = "crm", POST = "/busy", json = {}, retry = { attempts = 3 },
        only_if = function(newest)
          asked = asked .. tostring(newest.plan) .. tostring(person.plan) .. " "
          return true
        end,
        success = function(got) judged = judged .. tostring(person.plan) return got.status == 201 end }
      print("said", asked, judged, person.plan)
    ]]
    local BUSY = { ["vendor.lua"] = [[return { crm = { ["ANY /*"] = function(request)
      return request.attempt == 1 and 503 or 201, {}, { ["Retry-After"] = "3600" }
    end } }]] }
    local first = feed(nil, FLOW, "2026-11-25 09:00", "2026-11-25 09:01", "c1", { email = "1" }, BUSY)
    local second = feed(first.folder, FLOW, "2026-11-25 09:01", nil, "c2", { email = "1" }, BUSY)
    assert.same({ "nilnil goldnil \tnilnil\tgold" }, second.lines)
  end)
end)

-- The records of ada's run for this cart that say something new of her.
local function newer_records(path, cart)
  local looked_at <close> = look.open(path)
  local found = {}
  for _, run in ipairs((looked_at:runs {})) do
    for _, record in ipairs(run.per == cart and looked_at:journal(run.run) or {}) do
      if record.newer then found[#found + 1] = record end
    end
  end
  return found
end

-- What they say, one JSON text each.
local function newly(state, cart)
  local texts = {}
  for i, record in ipairs(newer_records(state.path, cart)) do texts[i] = record.newer end
  return texts
end

describe("a script reads the newest profile", function()
  it("from the record on that lets it go on, and what it has taken out of it before stays", function()
    local FLOW = [[
      if event.cart == "c2" then wait "1h" person.plan, person.list = "gold", { 2, 3 } wait "1h" person.plan = nil return end
      local plan, list = person.plan, person.list
      for i = 1, 3 do
        local seen = {}
        for name, value in pairs(person) do
          wait "90m"
          seen[#seen + 1] = name .. "=" .. (name == "list" and #value or value)
        end
        print("said", i, table.concat(seen, " "), plan, #list, list[1], person.plan, #person.list, person.email)
      end
    ]]
    local first = feed(nil, FLOW, "2026-11-25 09:00", "2026-11-25 10:00", "c1", { plan = "free", list = { 1 }, email = "1" })
    local second = feed(first.folder, FLOW, "2026-11-25 10:00", nil, "c2", { plan = "free", list = { 1 } })
    second.lines[1] = second.lines[1]:gsub("email=1 ", "") -- it was there when the first round began
    assert.same({
      "1\tid=ada list=1 plan=free\tfree\t1\t1\tnil\t2\tnil", "2\tid=ada list=2\tfree\t1\t1\tnil\t2\tnil",
      "3\tid=ada list=2\tfree\t1\t1\tnil\t2\tnil" }, second.lines)
    assert.same({ '{"email":null}', '{"list":[2,3],"plan":"gold"}', '{"plan":null}' }, newly(second, "c1"))
  end)

  it("and nothing is recorded where nothing has changed for it", function()
    local FLOW = [[
      if event.cart == "c2" then person.plan = "gold" return end
      person.mine = { 1, 2.5, "x" }
      for i = 1, 3 do send("a") wait "2h" end
    ]]
    local first = feed(nil, FLOW, "2026-11-25 09:00", "2026-11-25 10:00", "c1", { email = "1" })
    assert.same({}, newly(first, "c1"))
    local second = feed(first.folder, FLOW, "2026-11-25 10:00", "2026-11-25 12:30", "c2", { email = "1" })
    assert.same({ '{"plan":"gold"}' }, newly(second, "c1"))
    local third = feed(first.folder, FLOW, "2026-11-25 12:30", nil, "c2", { email = "1" })
    assert.same({ '{"plan":"gold"}' }, newly(third, "c1"))
    assert.matches('reads +person: {"plan":"gold"}', third.look("why", "ada", "--full"))
  end)

  it("over what it has written itself, and not over what it has written since", function()
    local FLOW = [[
      if event.cart == "c2" then wait "1h" person.plan, person.tier = "gold", 1 return end
      person.plan = "mine"
      wait "2h" local first = person.plan person.tier = 2
      wait "2h" print("said", first, person.plan, person.tier)
    ]]
    local one = feed(nil, FLOW, "2026-11-25 09:00", "2026-11-25 09:30", "c1", {})
    assert.same({ "gold\tgold\t2" }, feed(one.folder, FLOW, "2026-11-25 09:30", nil, "c2", {}).lines)
  end)

  it("in the next round of a journey without end", function()
    local FLOW = [[
      local round = (event.round or 0) + 1
      if event.cart == "c2" then wait "80m" person.plan = "gold" return end
      if round == 4 then return end
      local before = person.plan
      event.round = round
      wait "1h"
      print("said", round, before, person.plan, person.email)
      restart_with {}
    ]]
    local first = feed(nil, FLOW, "2026-11-25 09:00", "2026-11-25 09:30", "c1", { email = "1" })
    local second = feed(first.folder, FLOW, "2026-11-25 09:30", nil, "c2", { email = "2" })
    assert.same({ "1\tnil\tnil\t2", "2\tnil\tgold\t2", "3\tgold\tgold\t2" }, second.lines)
  end)

  it("but a predicate that is asked before sees what the script has seen", function()
    local FLOW = [[
      if event.cart == "c2" then wait "1h" person.plan = "gold" return end
      local seen
      wait_for("go", { within = "2d", where = function() seen = tostring(person.plan) return true end })
      print("said", seen, person.plan)
    ]]
    local first = feed(nil, FLOW, "2026-11-25 09:00", "2026-11-25 09:30", "c1", {})
    helper.write_file(first.folder .. "/events.ndjson", '{"name":"go","person":"ada","time":"2026-11-25T12:00:00Z"}\n')
    local second = states.make("carts", script(FLOW), { { id = "ada", event = { cart = "c2" } } },
      { folder = first.folder, start = "2026-11-25 09:30", flags = { "--events", "events.ndjson" } })
    assert.matches("said\tnil\tgold", second.said, 1, true)
  end)
end)

describe("replay", function()
  -- Each round writes what it reads: another thing read in replay is another write, and the run is held as diverged.
  local NOTES = [[
    local began = person.email
    for i = 1, 4 do
      person[event.cart .. i] = json.encode { person.plan or "none", person.email or "none", person.other or "none", began }
      if i == 2 then person.plan = event.cart end
      wait "50m"
      split "way" { a = 1, b = 1 }
    end
    print("said", event.cart, person.c14, person.c24)
  ]]

  it("reads what was read, however often people are fed and the process ends between", function()
    local times = { "09:00", "09:10", "09:21", "09:33", "09:44", "10:05", "11:05", "12:05", "13:05" }
    local state = {}
    for i = 1, #times - 1 do
      state = feed(state.folder, NOTES, "2026-11-25 " .. times[i], "2026-11-25 " .. times[i + 1], i == 4 and "c2" or "c1",
        { email = tostring(i), other = i == 3 and "x" or nil })
    end
    assert.same({ completed = 2, held = 0 }, { completed = state.report.completed, held = state.report.held })
    local READ = '["c2","7","none","1"]\t["c2","7","none","4"]'
    assert.same({ "c1\t" .. READ, "c2\t" .. READ }, state.lines)
  end)

  local NEVER = 1 << 60

  -- A process that feeds ada with so many carts (`asleep`: nobody is woken), and dies after so many records. Returns its
  -- report, and the clock.
  local function go(found, vendor, process, die_after)
    local gathered = bundle.gather(project.path(found, "journeys/carts.lua"), found)
    local running <close> = launch.engine(gathered, found, {
      in_flight = 10, seed = 1, state = project.path(found, "state.db"), start_ms = process.at, per = "cart",
      reroute = vendor:url(), events = true, die_after = die_after, asleep = process.asleep,
    })
    for cart = 1, process.carts do
      running:admit("ada", json.encode { id = "ada", email = process.email }, json.encode { cart = "c" .. cart })
    end
    running:admission_over()
    running:events_over()
    while not running:finished() do running:wait(10) end
    local clock = running:look().logical_ms
    running:stop(0)
    return running:report(), clock
  end

  -- A project whose runs write what they read. Returns the path of its state, a function that goes on with the state in a process
  -- (`begins`: with an empty one), and the vendor.
  local function project_of_notes()
    local folder = helper.temp_folder()
    helper.write_file(folder .. "/connections.lua", 'return { crm = { base_url = "https://crm.example.com" } }')
    helper.write_file(folder .. "/vendor.lua", VENDOR)
    helper.write_file(folder .. "/journeys/carts.lua", script [[
      for i = 1, 3 do
        call_api("call " .. i) { via = "crm", POST = "/x", json = { i } }
        split "way" { a = 1, b = 1 }
        person[event.cart .. i] = json.encode { person.plan or "none", person.email or "none" }
        if i == 2 then person.plan = event.cart end
        wait "50m"
      end
    ]])
    local found = project.need(folder)
    local vendor = vendors.start { port = 0, seed = 1, behaviour = folder .. "/vendor.lua" }
    local clock = START_MS
    return folder .. "/state.db", function(process, die_after)
      if process.begins then
        for _, ending in ipairs { "", "-wal", "-shm" } do os.remove(folder .. "/state.db" .. ending) end
      end
      process.at = process.begins and START_MS or clock
      local report
      report, clock = go(found, vendor, process, die_after)
      return report
    end, vendor
  end

  it("reads what was read, wherever two processes end in between", function()
    local _, process, vendor <close> = project_of_notes()
    for first = 1, 15 do
      for second = first * 7 % 25 + 1, 40, 13 do
        process({ begins = true, carts = 1, email = "1" }, first)
        process({ carts = 2, email = "2" }, second)
        local report = process({ carts = 2, email = "3" }, NEVER)
        local when = ("the processes ended after %d and %d records"):format(first, second)
        assert.same({ 2, 0 }, { report.completed, report.held }, when)
      end
    end
  end)

  it("reads what came while nobody was woken from the next record on that lets the script go on, of any kind", function()
    local path, process, vendor <close> = project_of_notes()
    local kinds = {}
    for first = 2, 15 do
      process({ begins = true, carts = 1, email = "1" }, first)
      process({ asleep = true, carts = 1, email = "2" }, NEVER)
      process({ carts = 0 }, first % 7 + 2)
      local report = process({ carts = 0 }, NEVER)
      assert.same({ 1, 0 }, { report.completed, report.held }, ("the process ended after %d records"):format(first))
      local found = newer_records(path, "c1")
      assert.equal(1, #found)
      assert.equal('{"email":"2"}', found[1].newer)
      kinds[found[1].kind] = true
    end
    assert.same({ result = true, step = true, woke = true }, kinds)
  end)

  it("does not believe what a damaged file says of it", function()
    local FLOW = [[
      if event.cart == "c2" then wait "1m" person.plan = "golden" return end
      wait "1h" wait "1h" wait "1h"
    ]]
    local first = feed(nil, FLOW, "2026-11-25 09:00", "2026-11-25 09:30", "c1", {})
    local second = feed(first.folder, FLOW, "2026-11-25 09:30", "2026-11-25 11:30", "c2", {})
    local bytes, times = helper.read_file(second.path):gsub('{"plan":"golden"}', '{"plan":"golden"]')
    assert.is_true(times > 0)
    helper.write_file(second.path, bytes)
    local third = feed(first.folder, FLOW, "2026-11-25 11:30", nil, "c2", {})
    assert.equal(1, third.report.waiting)
    assert.matches("ada stays where it is: its journal (run 1) can't be read", third.said, 1, true)
  end)
end)

describe("the process may end at any moment", function()
  it("of two runs of a person, one of which decides by what the other writes", function()
    local folder = helper.temp_folder()
    helper.write_file(folder .. "/connections.lua", 'return { crm = { base_url = "https://crm.example.com" } }')
    helper.write_file(folder .. "/vendor.lua", VENDOR)
    helper.write_file(folder .. "/payloads/p.lua", PAYLOAD)
    helper.write_file(folder .. "/journeys/carts.lua", script [[
      if event.cart == "writes" then
        wait "1h" person.plan = "gold"
        wait "1h" person.plan = "none"
        return
      end
      local paid = wait_for("paid", { within = "90m" })
      call_api("paid by " .. (person.plan or "nobody")) {
        via = "crm", POST = "/paid", json = { plan = person.plan, paid = paid and 1 },
      }
      while person.plan ~= "none" do
        if person.plan == "gold" then wait "17m" else wait "30m" end
        call_api("still " .. person.plan) { via = "crm", POST = "/still", payload = "p" }
      end
      person.left = person.plan
    ]])
    local options = { project = folder, event = { cart = "reads" }, also = { { cart = "writes" } } }
    assert.is_true(testing.crash_everywhere("carts", { id = "ada" }, options) > 25)
    options.events = { { name = "paid", after = "61m", data = { sum = 1 } } }
    assert.is_true(testing.crash_everywhere("carts", { id = "ada" }, options) > 25)
  end)
end)
