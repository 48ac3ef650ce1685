-- For specs that kill `jaunt run --live` again and again, at random moments, over one audience. The vendor outlives all
-- of them and is the oracle: it knows what it was sent.

local assert = require "luassert"
local control = require "jaunt.native.control"
local oracles = require "oracle"
local running = require "running"

local killing = {}

local CONNECTIONS = [[
return {
  crm = { base_url = env("VENDOR_URL") .. "/crm", private_network = true, retry = { attempts = 5, base = "10ms", cap = "100ms" } },
  sms = { base_url = env("VENDOR_URL") .. "/sms", private_network = true, idempotent = false },
}]]

-- A call that must not be made twice; two calls with a decision and a wait between them that leaves memory; a short
-- wait that does not, and a call that must not be made twice.
local JOURNEY = [[
return journey "j" { flow = function(person)
  call_api "note" { via = "sms", POST = "/note", json = { id = person.id }, on_failure = "continue" }
  local answer = call_api "first" { via = "crm", POST = "/first", json = { id = person.id, dice = random(1, 1000000) },
    on_failure = "continue" }
  person.way = split "way" { a = 50, b = 50 }
  wait(person.way == "a" and "5s" or "5500ms")
  call_api "second" { via = "crm", POST = "/second", on_failure = "continue",
    json = { id = person.id, way = person.way, name = uuid(), status = answer.status } }
  wait "500ms"
  call_api "text" { via = "sms", POST = "/text", json = { id = person.id }, on_failure = "continue" }
end }]]

local UNTIL_THEY_WAKE = 3500 -- milliseconds from then on: the first kills take the rest of the five seconds

local KILLED = 128 + 9          -- an exit code

local function audience(count)
  local lines = { "id" }
  for i = 1, count do lines[i + 1] = "p" .. i end
  return table.concat(lines, "\n") .. "\n"
end

-- The same audience, killed `kills` times and then let run to its end; everything that must hold is asserted.
function killing.check(kills, people)
  local vendor = running.vendor("--latency", "15ms", "--fail", "5%", "--reset", "3%", "--seed", tostring(kills))
  local folder = running.project { ["connections.lua"] = CONNECTIONS, ["journeys/j.lua"] = JOURNEY,
    ["people.csv"] = audience(people) }
  local options = { env = { VENDOR_URL = vendor.url } }
  local words = { "j", "--people", "people.csv", "--live", "--yes", "--json", "--workers", "2", "--in-flight", "50" }
  local killed = 0
  for i = 1, kills do
    local process = running.start(folder, options, table.unpack(words))
    local later = i == kills * 2 // 3 and UNTIL_THEY_WAKE or 0 -- the others come while people wait, or after it
    local moment = control.now_mono() + i * 7919 % 250 + later
    while control.now_mono() < moment and running.lives(process.pid) do control.sleep(1) end
    if process.stop "KILL" == KILLED then killed = killed + 1 end
  end
  local result = running.run(folder, options, table.unpack(words))
  assert.equal(0, result.code, result.err)
  local report, oracle = result.report, oracles.new()
  oracle.fault(killed)
  oracle.ended(report, people)
  assert.equal(people, report.completed)
  for _, name in ipairs { "note", "first", "way", "second", "text" } do oracle.passed(report, name, people) end
  oracle.vendor(vendor)
  oracle.once("/crm/first", people)
  oracle.once("/crm/second", people)
  oracle.at_most_once "/sms/note"
  oracle.at_most_once "/sms/text"
  oracle.journals(folder .. "/jaunt.db")
  oracle.tell "kill -9"
  vendor.stop()
  return killed
end

return killing
