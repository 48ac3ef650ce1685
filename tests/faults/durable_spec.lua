-- What is let out only when it is durable: a call, and what is told to whoever asked for an act. The disk takes as long
-- for a sync as the spec wants. And what that costs: a lone call waits for one sync.

local control = require "jaunt.native.control"
local faulty = require "faulty"
local helper = require "helper"
local oracles = require "oracle"
local repairing = require "repairing"
local running = require "running"

local STATE = repairing.STATE
local PEOPLE = 8
local A_WHILE_MS = 300 -- within it, what must not come would come
local HOUR_MS = 3600000

-- Half of the people are dropped, the others wait.
local TRIP = [[
  if tonumber(person.id:sub(2)) > 4 then wait "1h" end
  call_api "note" { via = "vendor", POST = "/note", json = { id = person.id }, success = "201" }
]]

local function half_waits(_, counts)
  return counts.dropped == PEOPLE // 2 and counts.waiting == PEOPLE // 2
end

-- A runtime on a system with faults, when half of its people are dropped and the others wait.
local function live(vendor)
  local system = faulty.new()
  local project = repairing.project(TRIP)
  local process = project.live(system.env { VENDOR_URL = vendor.url }, half_waits)
  return system, project, process
end

-- From now on no sync returns; go_on() lets them.
local function hold_syncs(system)
  local before = system.get "syncs_waited"
  system.set("syncs_wait", 1)
  return {
    wait = function()
      running.wait_for("a sync", function() return system.get "syncs_waited" > before end)
      control.sleep(A_WHILE_MS)
    end,
    go_on = function() system.set("syncs_wait", 0) end,
  }
end

-- Those who are left to wait are ended, everybody else comes to an end.
local function check_all(oracle, project, vendor)
  project.jaunt("resume", "trip", "--state", STATE)
  project.jaunt("end", "trip", "--state", STATE, "--outcome", "waiting", "--yes")
  oracle.ended(project.run_live({ VENDOR_URL = vendor.url }).report, PEOPLE)
  oracle.vendor(vendor)
  oracle.journals(project.folder .. "/state.db")
end

it("no call leaves while a sync lasts that is to make it durable", function()
  local oracle, vendor = oracles.new(), running.vendor()
  local system, project, process = live(vendor)
  local held = hold_syncs(system)
  system.set("calendar_ms", 2 * HOUR_MS)
  held.wait()
  assert.equal(PEOPLE // 2, vendor.received().requests)
  oracle.fault()
  held.go_on()
  local report = process.finish().report
  oracle.ended(report, PEOPLE)
  oracle.vendor(vendor)
  oracle.once("/note", PEOPLE)
  oracle.journals(project.folder .. "/state.db")
  oracle.tell "a sync that lasts"
  vendor.stop()
end)

describe("an act is told to who asked for it when it is durable, and not before:", function()
  local ACTS = {
    { "end", "--outcome", "waiting", told = " ends " }, { "redrive", "--outcome", "dropped", told = " redrives " },
    { "pause", told = " pauses " },
  }

  for _, act in ipairs(ACTS) do
    local name = act[1]
    it(name, function()
      local oracle, vendor = oracles.new(), running.vendor()
      local system, project, process = live(vendor)
      local words = { name, "trip", "--state", STATE, "--json", table.unpack(act, 2) }
      if name ~= "pause" then table.insert(words, "--yes") end
      local held = hold_syncs(system)
      local command = helper.start(("env -C %s %s"):format(helper.quote(project.folder),
        helper.jaunt_words(table.unpack(words))))
      running.wait_for("the order", function() return helper.read_file(process.err):find(act.told, 1, true) end)
      held.wait()
      assert.is_true(running.lives(command.pid), helper.read_file(command.err))
      assert.equal("", helper.read_file(command.out))
      oracle.fault()
      process.stop "KILL"
      running.wait_for("the command's end", function() return not running.lives(command.pid) end)
      assert.equal(2, command.stop "0")
      assert.matches("the runtime ended before it answered: ask again", helper.read_file(command.err))
      assert.equal("", helper.read_file(command.out))
      held.go_on()
      check_all(oracle, project, vendor)
      oracle.tell("killed before an act was durable: " .. name)
      vendor.stop()
    end)
  end
end)

it("a lone call waits for one sync", function()
  local FEW, MANY = 5, 45
  local function syncs_of(calls)
    local system, vendor = faulty.new(), running.vendor()
    local folder = running.project {
      ["journeys/trip.lua"] = repairing.journey(([[for i = 1, %d do
        call_api "note" { via = "vendor", POST = "/note", json = { i = i } }
      end]]):format(calls)),
      ["people.csv"] = repairing.people(1),
    }
    local options = { env = system.env { VENDOR_URL = vendor.url } }
    local result = running.run(folder, options, "trip", "--people", "people.csv", "--live", "--yes", "--json")
    assert.equal(calls, result.report.calls, result.err)
    vendor.stop()
    return system.get "syncs"
  end
  local each = (syncs_of(MANY) - syncs_of(FEW)) / (MANY - FEW)
  print(("%.2f syncs a call"):format(each))
  assert.is_true(each >= 0.9 and each <= 1.2) -- a checkpoint may come in between, and a commit be shared
end)
