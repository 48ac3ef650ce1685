-- A payload is changed while jaunt is down, after a kill in the middle of calls: what had been rendered is sent again
-- as it was, under the same key; who is called from then on is told the new words.

local helper = require "helper"
local json = require "json"
local oracles = require "oracle"
local repairing = require "repairing"
local running = require "running"
local states = require "jaunt.native.state"

local PEOPLE, AT_ONCE = 40, 8

-- The old words get no answer in time the first time, so that calls are under way for as long as it takes.
local BEHAVIOUR = [[
local function answer(request)
  if request.json.text == "old" and request.attempt == 1 then return 200, nil, nil, "10m" end
end
return { vendor = { ["POST /note"] = answer, ["POST /last"] = answer } }]]

local FLOW = [[
  call_api "note" { via = "vendor", POST = "/note", payload = "words", timeout = "10m" }
  call_api "last" { via = "vendor", POST = "/last", payload = "words" }
]]

local function payload(words)
  return ("return function(person) return { id = person.id, text = %q } end\n"):format(words)
end

-- { [key of a call whose request was made] = whether its result is known }
local function calls_in(path)
  local looked_at <close> = states.open(path)
  local found = {}
  for _, run in ipairs(looked_at:runs {}) do
    local key
    for _, record in ipairs(looked_at:journal(run.run)) do
      if record.kind == "intent" then key = record.name end
      if record.kind == "intent" or record.kind == "result" then found[key] = record.kind == "result" end
    end
  end
  return found
end

it("what was rendered before a crash is sent again as it was, and what was not is sent with the new words", function()
  local oracle = oracles.new()
  local vendor = running.vendor("--behaviour", helper.write_file(helper.temp_folder() .. "/vendor.lua", BEHAVIOUR))
  local folder = running.project {
    ["journeys/trip.lua"] = repairing.journey(FLOW), ["payloads/words.lua"] = payload "old",
    ["people.csv"] = repairing.people(PEOPLE),
  }
  local options = { env = { VENDOR_URL = vendor.url .. "/vendor" } }
  local words = { "trip", "--people", "people.csv", "--live", "--yes", "--json", "--in-flight", tostring(AT_ONCE) }
  local process = running.start(folder, options, table.unpack(words))
  running.wait_for("calls that are under way", function() return vendor.received().requests >= AT_ONCE end)
  oracle.fault()
  process.stop "KILL"
  local before = calls_in(folder .. "/jaunt.db")
  helper.write_file(folder .. "/payloads/words.lua", payload "new")
  oracle.fault()
  local result = running.run(folder, options, table.unpack(words))
  assert.equal(0, result.code, result.err)

  oracle.ended(result.report, PEOPLE)
  oracle.vendor(vendor)
  for _, path in ipairs { "/vendor/note", "/vendor/last" } do oracle.once(path, PEOPLE) end
  oracle.journals(folder .. "/jaunt.db")
  local again, renewed = 0, 0
  for _, item in ipairs(oracle.items) do
    local rendered = before[item.key] ~= nil
    local text = json.decode(item.body).text
    oracle.want(text == (rendered and "old" or "new"), "%s was sent with the %s words", item.path, text)
    if before[item.key] == false then again = again + 1 end
    if not rendered then renewed = renewed + 1 end
  end
  oracle.tell "a payload changed between a crash and the re-send"
  assert.equal(AT_ONCE, again)
  assert.equal(2 * PEOPLE - AT_ONCE, renewed)
  vendor.stop()
end)
