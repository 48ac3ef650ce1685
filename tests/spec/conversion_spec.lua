-- Conversions: whoever reaches the goal within its time counts as converted, also when the run has ended by then; once, whatever
-- happens; and outcomes stay as they are.

local engine = require "jaunt.native.engine"
local faulty = require "faulty"
local helper = require "helper"
local journeys = require "journeys"
local json = require "json"
local running = require "running"
local states = require "states"
local testing = require "jaunt.testing"

local FIELDS = "goal = { 'bought', where = function(e, own) return e.cart == own.cart end, within = '7d' },"

local function script(fields, flow, head)
  return ([[%s return journey "sales" { %s flow = function(person, event, state) %s end }]]):format(head or "", fields,
    flow)
end

local function lines(events)
  local text = {}
  for i, event in ipairs(events) do
    text[i] = json.encode { person = event[1], name = event[2], time = event[3], data = event[4] } .. "\n"
  end
  return table.concat(text)
end

-- Rehearses people over events: { person, name, time, data } each. `options` as states.make takes them.
local function sell(fields, flow, people, events, options)
  options = options or {}
  options.files = { ["events.ndjson"] = lines(events) }
  options.flags = table.move(options.flags or {}, 1, #(options.flags or {}), 3, { "--events", "events.ndjson" })
  return states.make("sales", script(fields, flow, options.head), people, options)
end

local function told(state, ...)
  return json.decode(state.look("report", "sales", "--json", ...))
end

local ADA = { id = "ada", event = { cart = "c1" } }
local SAME = { cart = "c1" }

describe("a goal that is reached after the end", function()
  it("counts as converted, and the outcome stays", function()
    local state = sell(FIELDS, "wait '1h'", { ADA, { id = "bob" } }, { { "ada", "bought", "+2d", SAME } })
    assert.same({ 2, 0, 1, 0 }, { state.report.completed, state.report.exited, state.report.converted,
      state.report.lost_events })
    assert.same({ 2, 1 }, { told(state).completed, told(state).converted })
    assert.equal(1, told(state, "--since", "2026-11-01").converted)
    assert.matches("\nconverted 1 of 2 %(50.0 %%%)\n", state.look("report", "sales"))
    assert.matches("^sales: completed .*; reached its goal 2026%-11%-27 09:00, and counts as converted",
      state.look("why", "ada"))
    assert.matches("\nada,2026%-11%-27 09:00:00\n", state.look("runs", "sales", "--csv", "--columns",
      "person,converted"))
  end)

  it("does not count when its time is over, or when `where` says no; without a time it counts for 30 days", function()
    local late = sell(FIELDS, "wait '1h'", { ADA }, { { "ada", "bought", "+2h", { cart = "c2" } }, { "ada", "bought",
      "+169h", SAME } })
    assert.same({ 0, 2 }, { late.report.converted, late.report.lost_events })
    local open = sell("goal = 'bought',", "wait '1h'", { ADA, { id = "bob" } }, { { "ada", "bought", "+30d" }, { "bob",
      "bought", "+721h" } })
    assert.equal(1, open.report.converted)
  end)

  it("counts once, however often it comes, and in whichever process", function()
    local again = { "ada", "bought", "2026-11-27T09:00:00Z", SAME }
    local state = sell(FIELDS, "wait '1h'", { ADA }, { again, again, { "ada", "bought", "2026-11-28T09:00:00Z",
      { cart = "c1", n = 2 } } })
    assert.equal(1, state.report.converted)
    local later = sell(FIELDS, "wait '1h'", { ADA }, { again }, { folder = state.folder, start = "2026-11-27 09:00" })
    assert.same({ 1, 1, 1 }, { later.report.converted, told(later).converted, told(later, "--since",
      "2026-11-01").converted })
  end)

  it("counts for whoever exits by it in a state in memory, too", function()
    local left = journeys.run { fields = "goal = 'bought',", flow = "wait '1d'", people = { "ada", "bob" },
      events = { { person = "ada", name = "bought", time = "+1h" } } }
    assert.same({ 1, 1, 1 }, { left.completed, left.exited, left.converted })
  end)

  it("is found when it comes in a later process, of the version that the person was in", function()
    local state = sell(FIELDS, "wait '1h'", { ADA }, {})
    assert.equal(0, state.report.converted)
    local other = FIELDS:gsub("==", "~=") -- this one would say no
    sell(other, "wait '2h'", { { id = "eve" } }, { { "ada", "bought", "2026-11-28T09:00:00Z", SAME } },
      { folder = state.folder, start = "2026-11-27 09:00" })
    local versions = told(state).versions
    assert.same({ 1, 0 }, { versions[1].converted, versions[2].converted })
  end)

  it("counts for those who were dropped, left by exit_on, or were ended by an operator", function()
    local state = sell(FIELDS .. " exit_on = 'left',", [[
      if person.bad then call_api { via = "crm", POST = "/notes", json = { status = 422 } } end
      wait "5d"
    ]], { { id = "bad", bad = true }, { id = "left" }, { id = "ended" } }, { { "left", "left", "+1h" } },
      { flags = { "--until", "2026-11-26 09:00" } })
    assert.same({ 1, 1, 1 }, { state.report.dropped, state.report.exited, state.report.waiting })
    assert.equal(0, state.ask("end", "sales", "--outcome", "waiting", "--yes", "--state", "sqlite:state.db").code)
    local later = sell(FIELDS .. " exit_on = 'left',", "", {}, {
      { "bad", "bought", "2026-11-28T09:00:00Z" }, { "left", "bought", "2026-11-28T09:00:00Z" }, { "ended", "bought",
        "2026-11-28T09:00:00Z" },
    }, { folder = state.folder, start = "2026-11-28 08:00" })
    assert.same({ 3, 1, 2, 1 }, { later.report.converted, later.report.dropped, later.report.exited,
      told(later).exits.operator })
  end)

  it("counts for one who is held, and lets them leave when they are sent on", function()
    local CALL = [[call_api "note" { via = "crm", POST = "/notes", json = { status = 422 }, on_failure = "hold" } wait "1d"]]
    local state = sell(FIELDS, CALL, { ADA }, { { "ada", "bought", "+1h", SAME } })
    assert.same({ 1, 1 }, { state.report.held, state.report.converted })
    assert.equal(0, state.ask("redrive", "sales", "--outcome", "held", "--yes", "--state", "sqlite:state.db").code)
    local after = sell(FIELDS, CALL, { ADA }, {}, { folder = state.folder, start = "2026-11-26 09:00" })
    assert.same({ 0, 1, 1, 0 }, { after.report.held, after.report.exited, after.report.converted, after.report.calls })
  end)

  -- Live, so that nobody waits for one event to be durable before the next comes.
  local function sell_live(flow, count)
    local people = { "id,n" }
    for i = 1, count do people[#people + 1] = ("p%d,%d"):format(i, i) end
    local folder = running.project {
      ["journeys/sales.lua"] = script("goal = { 'paid', where = function() return true end },", flow),
      ["people.csv"] = table.concat(people, "\n") .. "\n",
    }
    return function(events)
      helper.write_file(folder .. "/events.ndjson", lines(events))
      return running.run(folder, "sales", "--people", "people.csv", "--events", "events.ndjson", "--live", "--yes",
        "--json",
        "--workers", "1").report
    end
  end

  it("counts once when it comes twice in the same moment", function()
    local go = sell_live("", 100)
    assert.same({ 100, 0 }, { go({}).completed, go({}).converted })
    local events = {}
    for i = 1, 200 do events[i] = { "p" .. (i + 1) // 2, "paid", "2026-01-01T00:00:00Z", { n = i } } end
    assert.equal(100, go(events).converted)
  end)

  it("is not missed in the moment in which the run ends", function()
    local events, first = {}, math.floor(os.time()) + 2
    for i = 1, 600 do
      local ms = 1000 * first + 2 * i
      events[i] = { "p" .. i, "paid", os.date("!%Y-%m-%dT%H:%M:%S", ms // 1000) .. (".%03dZ"):format(ms % 1000) }
    end
    local flow = ("local n = tonumber(person.n) wait_until(%d + (2 * n + 4 * (n %% 20 - 10)) / 1000)"):format(first)
    local report = sell_live(flow, 600)(events)
    assert.same({ 600, 600, 0 }, { report.completed + report.exited, report.converted, report.lost_events })
  end)

  it("keeps its time when the run is sent on before that is durable", function()
    local system, vendor = faulty.new(), running.vendor("--fail", "100%")
    local folder = running.project {
      ["journeys/sales.lua"] = script("goal = 'paid',",
        [[call_api { via = "vendor", POST = "/x", json = {}, on_failure = "hold", retry = { attempts = 1 } } ]]),
      ["people.csv"] = "id\nada\n", ["events.ndjson"] = lines { { "ada", "paid", "+30m" }, { "eve", "paid", "+3h" } },
    }
    local process = running.start(folder, { env = system.env { VENDOR_URL = vendor.url .. "/vendor" } }, "sales",
      "--people", "people.csv", "--events", "events.ndjson", "--live", "--yes", "--json", "--workers", "1")
    local function ada()
      local told = helper.sh(("env -C %s %s"):format(helper.quote(folder), helper.jaunt_words("runs", "sales", "--state",
        "sqlite:jaunt.db", "--json"))).out
      return told ~= "" and json.decode(told) or {}
    end
    running.wait_for("ada to be held", function() return ada().state == "held" end)
    system.set("syncs_wait", 1)
    system.set("calendar_ms", 3600000)
    running.wait_for("her goal", function() return system.get("syncs_waited") > 0 end)
    local sent = helper.start(("env -C %s %s"):format(helper.quote(folder), helper.jaunt_words("redrive", "sales",
      "--state", "sqlite:jaunt.db", "--yes")))
    running.wait_for("the order", function() return helper.read_file(process.err):find("redrives 1 run", 1, true) end)
    system.set("syncs_wait", 0)
    running.wait_for("ada to leave", function() return ada().state == "exited" end)
    sent.stop()
    local left = ada()
    assert.is_true(engine.moment(left.converted) - engine.moment(left.entered) >= 1800000, left.converted)
    system.set("calendar_ms", 4 * 3600000)
    assert.equal(1, process.finish().report.converted)
    vendor.stop()
  end)

  -- `where` is not told in any record of a run that is over: whoever asks it again has to get the same answer.
  it("is asked as of the run's last record, however late and often it comes, and in whichever process", function()
    local HOUR = 3600
    local fields = "goal = { 'bought', where = function(e) return now() - e.meta.time == e.off end, within = '30d' },"
    local flow = "wait '2h'"
    local no = { "bob", "bought", "2026-11-25T14:00:00Z", { off = 0 } }
    local env = { start = "2026-11-25T09:00:00Z" }
    local state = sell(fields, flow, { ADA, { id = "bob" } }, { { "ada", "bought", "2026-11-25T14:00:00Z",
      { off = -3 * HOUR } }, no, no }, env)
    assert.same({ 2, 1, 2 }, { state.report.completed, state.report.converted, state.report.lost_events })
    local again = sell(fields, flow, { ADA, { id = "bob" } }, { no }, { folder = state.folder, start = "2026-11-25T14:00:00Z" })
    assert.same({ 1, 1 }, { again.report.converted, again.report.lost_events })
  end)

  it("is told when its `where` fails, and not counted", function()
    local state = sell("goal = { 'bought', where = function(e) return e.a.b end },", "wait '1h'", { ADA }, { { "ada",
      "bought", "+2h" } })
    assert.same({ 1, 0 }, { state.report.completed, state.report.converted })
    assert.matches("ada %(run 1, completed%) is not counted as converted: goal: .*attempt to index a nil value",
      state.said)
  end)

  it("counts for a run that began anew, by the event it goes on with", function()
    local state = sell(FIELDS, [[
      event.cart = "c2"
      if not state then restart_with { n = 1 } end
    ]], { ADA }, { { "ada", "bought", "+1h", { cart = "c1" } }, { "ada", "bought", "+2h", { cart = "c2" } } })
    assert.same({ 1, 1 }, { state.report.converted, state.report.lost_events })
  end)
end)

describe("groups are compared by it", function()
  it("by a split, and by the control group, which is only watched", function()
    local people, events = {}, {}
    for i = 1, 60 do
      people[i] = { id = "p" .. i }
      events[i] = { "p" .. i, "bought", "+2d" }
    end
    local state = sell("control = '50%', goal = { 'bought', within = '7d' },",
      "split 'copy' { plain = 50, funny = 50 }", people, events)
    for _, by in ipairs { "control", "copy" } do
      local groups = told(state, "--by", by).groups
      assert.equal(2, #groups)
      for _, group in ipairs(groups) do
        assert.is_true(group.people > 0)
        assert.equal(group.people, group.converted)
      end
    end
    assert.same({ 60, 60 }, { told(state).converted, state.report.entered })
  end)

  it("also where the goal has no time, and the control group has nothing to wait for", function()
    local state = sell("control = 1, goal = 'bought',", "", { ADA }, { { "ada", "bought", "+2d" } })
    assert.same({ 1, 1 }, { state.report.completed, state.report.converted })
  end)
end)

describe("--keep", function()
  it("leaves those who may still convert", function()
    local state = sell(FIELDS, "", { ADA, { id = "bob" } }, { { "bob", "bought", "+1h" } }, { flags = { "--keep",
      "1h" } })
    local function go_on(start, events)
      return sell(FIELDS, "", {}, events, { folder = state.folder, start = start, flags = { "--keep", "1h" } })
    end
    go_on("2026-11-27 09:00", {})
    assert.same({ "ada" }, state.persons("sales"))
    assert.equal(2, go_on("2026-11-28 09:00", { { "ada", "bought", "2026-11-28T10:00:00Z", SAME } }).report.converted)
    go_on("2026-12-25 09:00", {})
    assert.same({}, state.persons("sales"))
    assert.equal(2, told(state).converted)
  end)
end)

describe("the process may end at any moment", function()
  it("around an end and a goal that comes after it, and the person has converted once", function()
    local folder = helper.temp_folder()
    helper.write_file(folder .. "/connections.lua", 'return { crm = { base_url = "https://crm.example.com" } }')
    helper.write_file(folder .. "/journeys/sales.lua", script(FIELDS, [[
      call_api "hello" { via = "crm", POST = "/hello", json = { id = person.id } }
      local got = wait_for("clicked", { within = "1d", where = function(e) return e.n == 2 end })
      person.clicked = got and got.n
      call_api "bye" { via = "crm", POST = "/bye", json = { n = got and got.n or 0 } }
    ]]))
    local moments = testing.crash_everywhere("sales", { id = "ada" }, { project = folder, event = { cart = "c1" },
      events = {
      { name = "bought", after = "30m", data = { cart = "c2" } }, { name = "clicked", after = "1h", data = { n = 1 } },
      { name = "clicked", after = "2h", data = { n = 2 } }, { name = "bought", after = "3d", data = { cart = "c2" } },
      { name = "bought", after = "4d", data = { cart = "c1" } }, { name = "bought", after = "5d", data = { cart = "c1",
        again = true } },
    } })
    assert.is_true(moments >= 12, moments)
  end)
end)
