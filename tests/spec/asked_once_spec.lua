-- Predicates over events are asked once about each: what goal, exit_on or a wait_for has said no to stays no, whatever the script
-- has done since, however often the run leaves memory, and wherever the process ends.

local helper = require "helper"
local journeys = require "journeys"
local json = require "json"
local states = require "states"
local testing = require "jaunt.testing"

local run, element = journeys.run, journeys.element

local function event(time, name, data)
  return { person = "ada", name = name, time = time, data = data }
end

local function kept(options)
  options[#options + 1], options[#options + 2] = "--state", "sqlite:" .. helper.temp_folder() .. "/state.db"
  return run(options)
end

-- It says yes as soon as the script has come that far.
local FLAG = "where = function(_, own) return own.flag end"
local FLOW = [[wait_for "go" event.flag = true wait "1d" wait "2d" wait "3d"]]
local EVENTS = { event("+1h", "paid"), event("+2h", "go") }

describe("what was refused stays refused", function()
  it("by a goal, after any number of wakings", function()
    local all = kept { fields = ("goal = { 'paid', %s },"):format(FLAG), flow = FLOW, events = EVENTS }
    assert.same({ 1, 0 }, { all.completed, all.exited })
  end)

  it("by a goal that was asked while the run was in memory, when it has left that and comes back", function()
    local all = kept { fields = ("goal = { 'paid', %s },"):format(FLAG),
      flow = [[wait "2s" event.flag = true wait "1d" wait "1d"]],
      events = { event("+1s", "paid") } }
    assert.same({ 1, 0 }, { all.completed, all.exited })
  end)

  it("by exit_on, each for itself", function()
    local fields = ("exit_on = { { 'paid', %s }, { 'left', %s } },"):format(FLAG, FLAG)
    local all = kept { fields = fields, flow = FLOW, events = EVENTS }
    assert.same({ 1, 0 }, { all.completed, all.exited })
    all = kept { fields = fields, flow = FLOW, events = { EVENTS[1], EVENTS[2], event("+3h", "left") } }
    assert.same({ 0, 1 }, { all.completed, all.exited })
  end)

  it("by an event that came while the run was away, and was asked about when it came back", function()
    local all = kept {
      fields = "goal = { 'paid', where = function(e, own) print('said', e.n, own.flag) return own.flag end },",
      flow = [[wait "1h" event.flag = true wait "2h" wait "3h"]],
      events = { event("+10m", "paid", { n = 1 }), event("+20m", "other"), event("+30m", "paid", { n = 2 }) },
    }
    assert.same({ "1\tnil", "2\tnil" }, all.said)
    assert.equal(1, all.completed)
  end)

  it("by a wait_for, which the next one does not mind", function()
    local all = kept {
      fields = "goal = 'never', exit_on = 'nor this',",
      flow = [[
        local entered = now()
        local function later() return now() - entered > 7000 end
        say((wait_for("paid", { where = later, within = "5h" }) or { n = "none" }).n)
        say(wait_for("paid", { where = later }).n)
      ]],
      events = { event("+1h", "paid", { n = 1 }), event("+3h", "other") },
    }
    assert.same({ "none", "1" }, all.said)
    assert.equal(1, element(all, "wait_for paid").reached - 1)
  end)

  it("by a wait_for that is woken for another event", function()
    local all = kept {
      fields = "goal = { 'looked', where = function() return false end },",
      flow = [[say((wait_for("paid", { where = function(e) print("said", e.n, now() > 0) return false end, within = "9h" })))]],
      events = { event("+1h", "paid", { n = 1 }), event("+2h", "looked"), event("+3h", "looked", { n = 2 }),
        event("+4h", "paid", { n = 2 }) },
    }
    assert.same({ "1\ttrue", "2\ttrue", "nil" }, all.said)
  end)

  it("by exit_on, when it fails on the next one, and the run goes on with a mended script", function()
    local SCRIPT = [[return journey "t" {
      exit_on = { "left", where = function(e) print("said", e.n) %s return false end },
      flow = function() call_api { via = "crm", POST = "/x", json = { status = 422 }, on_failure = "hold" } end }]]
    local FAILS = "if e.n == 2 then error 'oops' end"
    local left = { event("+1h", "left", { n = 1 }), event("+2h", "left", { n = 2 }) }
    local lines = json.encode(left[1]) .. "\n" .. json.encode(left[2]) .. "\n"
    local state = states.make("t", SCRIPT:format(FAILS), { { id = "ada" } }, { files = { ["left.ndjson"] = lines },
      flags = { "--events", "left.ndjson" } })
    local function go_on(script, start, ...)
      for _, command in ipairs { ... } do
        assert.equal(0, state.ask(command, "t", "--yes", "--state", "sqlite:state.db", "--outcome", "held").code)
      end
      local later = states.make("t", script, {}, { folder = state.folder, start = start })
      assert.equal(1, later.report.held)
      return select(2, later.said:gsub("said\t1", "")), select(2, later.said:gsub("said\t2", ""))
    end
    assert.same({ 1, 1 }, { go_on(SCRIPT:format(FAILS), "2026-11-26 09:00", "redrive") })
    helper.write_file(state.folder .. "/journeys/t.lua", SCRIPT:format(""))
    assert.same({ 0, 1 }, { go_on(SCRIPT:format(""), "2026-11-27 09:00", "move", "redrive") })
  end)

  it("wherever the process ends", function()
    local folder = helper.temp_folder()
    helper.write_file(folder .. "/connections.lua", 'return { crm = { base_url = "https://crm.example.com" } }')
    helper.write_file(folder .. "/journeys/t.lua",
      ([[return journey "t" { goal = { 'paid', %s }, exit_on = { 'left', %s }, flow = function(person, event)
      wait_for "go"
      event.flag = true
      call_api { via = "crm", POST = "/x", json = { a = 1 } }
      local got = wait_for("seen", { within = "5h", where = function(e) return e.n == 2 end })
      call_api { via = "crm", POST = "/y", json = { n = got and got.n or 0 } }
      wait "1d"
    end }]]):format(FLAG, FLAG))
    local moments = testing.crash_everywhere("t", { id = "ada" }, { project = folder, events = {
      { name = "paid", after = "1h" }, { name = "left", after = "90m" }, { name = "go", after = "2h" },
      { name = "seen", after = "3h", data = { n = 1 } }, { name = "seen", after = "4h", data = { n = 2 } },
    } })
    assert.is_true(moments >= 15, moments)
  end)
end)
