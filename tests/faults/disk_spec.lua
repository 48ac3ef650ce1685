-- A disk without room under `jaunt run --live`: no call leaves whose record is not on the disk, it is told what to do,
-- and it goes on when there is room. The vendor is the oracle. Files may not grow beyond a limit, which is lifted from
-- outside.

local control = require "jaunt.native.control"
local helper = require "helper"
local running = require "running"
local states = require "jaunt.native.state"

local PEOPLE, KIB = 3000, 700

local function audience()
  local lines = { "id" }
  for i = 1, PEOPLE do lines[i + 1] = "p" .. i end
  return table.concat(lines, "\n") .. "\n"
end

-- The keys of all calls whose intent is durable.
local function intents(path)
  local looked_at <close> = states.open(path)
  local keys, before = {}, nil
  repeat
    local runs
    runs, before = looked_at:runs { before = before }
    for _, run in ipairs(runs) do
      for _, record in ipairs(looked_at:journal(run.run)) do
        if record.kind == "intent" then keys[record.name] = true end
      end
    end
  until not before
  return keys
end

it("a full disk lets no call out that is not on it, is told, and is waited for", function()
  if helper.sh("command -v prlimit").code ~= 0 then return pending "needs prlimit, which is absent" end
  local vendor = running.vendor("--latency", "1ms")
  local folder = running.project {
    ["journeys/j.lua"] = [[return journey "j" { flow = function(person)
      call_api "first" { via = "vendor", POST = "/first", json = { id = person.id, text = ("x"):rep(300) } }
      call_api "second" { via = "vendor", POST = "/second", json = { id = person.id } }
    end }]],
    ["people.csv"] = audience(),
  }
  local words = running.words(folder, { env = { VENDOR_URL = vendor.url } }, "j", "--people", "people.csv", "--live",
    "--yes", "--json", "--workers", "2", "--in-flight", "100")
  local process = helper.start(("sh -c %s"):format(helper.quote(("trap '' XFSZ; ulimit -S -f %d; exec %s"):format(KIB * 2, words))))
  local warning = running.wait_for("the warning", function()
    assert(running.lives(process.pid), helper.read_file(process.err))
    return helper.read_file(process.err):match("warning: [^\n]*can't be written[^\n]*")
  end)
  assert.matches("jaunt.db can't be written: .*make room or mend the disk: it is tried again", warning)
  local seen = {}
  repeat -- what was on its way arrives; then nothing more
    local before = #seen
    control.sleep(300)
    seen = vendor.items()
  until #seen == before
  assert.is_true(#seen < 2 * PEOPLE)
  local durable = intents(folder .. "/jaunt.db")
  for _, item in ipairs(seen) do assert(durable[item.key], "a call left before its record was durable") end
  assert.equal(0, helper.sh(("prlimit --pid %d --fsize=unlimited:unlimited"):format(process.pid)).code)
  running.wait_for("the end", function() return not running.lives(process.pid) end)
  assert.equal(0, process.stop("0"), helper.read_file(process.err))
  local report = require("json").decode(helper.read_file(process.out))
  assert.equal(PEOPLE, report.completed)
  assert.equal(PEOPLE, running.ledger(report))
  local told = vendor.received()
  assert.equal(0, told.two_bodies)
  local keys, count = {}, 0
  for _, item in ipairs(vendor.items()) do
    if not keys[item.key] then keys[item.key], count = true, count + 1 end
  end
  assert.equal(2 * PEOPLE, count)
  vendor.stop()
end)

it("a disk without room for a new state is told with the file and what to look at", function()
  local folder = running.project { ["journeys/j.lua"] = 'return journey "j" { flow = function() end }',
    ["people.csv"] = "id\np1\n" }
  local words = running.words(folder, {}, "j", "--people", "people.csv", "--state", "sqlite:small.db")
  local result = helper.sh("ulimit -f 60; trap '' XFSZ; " .. words)
  assert.equal(2, result.code)
  assert.matches("^jaunt: the state %S+/small%.db can't be used: .+ %(is there room on its disk%?%)\n$", result.err)
end)
