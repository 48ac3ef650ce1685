-- A name server that fails and comes back, and kill -9 around it: calls are tried again, nobody is lost, and nothing is
-- called twice.

local control = require "jaunt.native.control"
local faulty = require "faulty"
local helper = require "helper"
local oracles = require "oracle"
local repairing = require "repairing"
local running = require "running"

local PEOPLE = 40

local CONNECTIONS = [[
local RETRY = { attempts = 100, base = "100ms", cap = "500ms" }
return {
  crm = { base_url = env("VENDOR_URL") .. "/crm", private_network = true, retry = RETRY },
  sms = { base_url = env("VENDOR_URL") .. "/sms", private_network = true, retry = RETRY, idempotent = false },
}]]

-- Nobody is through before the calendar says so: however long the first lives last, the last one has somebody to call.
local FLOW = [[
  call_api "note" { via = "crm", POST = "/note", json = { id = person.id, dice = random(1, 1000000) } }
  call_api "text" { via = "sms", POST = "/text", json = { id = person.id }, on_failure = "continue" }
  wait_until(%d)
  call_api "last" { via = "crm", POST = "/last", json = { id = person.id, name = uuid() } }
]]

it("names that are not found are asked for again, and a kill in between loses nobody and calls nobody twice", function()
  local system, oracle = faulty.new(), oracles.new()
  local vendor = running.vendor("--latency", "20ms")
  local folder = running.project { ["connections.lua"] = CONNECTIONS,
    ["journeys/trip.lua"] = repairing.journey(FLOW:format(os.time() + 3600)),
    ["people.csv"] = repairing.people(PEOPLE) }
  local env = system.env { VENDOR_URL = vendor.url:gsub("127%.0%.0%.1", "vendor.faulty.test") }
  local words = { "trip", "--people", "people.csv", "--live", "--yes", "--json", "--workers", "2", "--in-flight", "10" }

  local function names_fail(fail)
    oracle.fault()
    system.set("names_fail", fail and 1 or 0)
  end

  local function wait_for(process, what, condition)
    running.wait_for(what, function()
      assert(running.lives(process.pid), helper.read_file(process.err))
      return condition()
    end)
  end

  -- Begins without names, and does not get anywhere.
  local function start()
    names_fail(true)
    local looked_up, requests = system.get "look_ups", vendor.received().requests
    local process = running.start(folder, { env = env }, table.unpack(words))
    wait_for(process, "a look-up", function() return system.get "look_ups" > looked_up end)
    control.sleep(50)
    assert.equal(requests, vendor.received().requests)
    return process
  end

  local function kill(process)
    oracle.fault()
    process.stop "KILL"
    vendor.received() -- after what was on its way to it
  end

  kill(start())
  local process, some = start(), PEOPLE
  names_fail(false)
  wait_for(process, "some calls", function() return vendor.received().requests > some end)
  kill(process)
  system.set("calendar_ms", 2 * 3600000)
  process = start()
  names_fail(false)
  local result = process.finish()
  assert.equal(0, result.code, result.err)
  oracle.ended(result.report, PEOPLE)
  assert.equal(PEOPLE, result.report.completed)
  oracle.vendor(vendor)
  oracle.once("/crm/note", PEOPLE)
  oracle.once("/crm/last", PEOPLE)
  oracle.at_most_once "/sms/text"
  oracle.journals(folder .. "/jaunt.db")
  oracle.tell "names that fail and come back"
  vendor.stop()
end)
