-- jaunt redrive: held and dropped runs go on from where they were held or dropped, and nothing is done twice.

local helper = require "helper"
local json = require "json"
local repairing = require "repairing"
local running = require "running"

local STATE = repairing.STATE

local TWO_CALLS = [[
  call_api "first" { via = "vendor", POST = "/first", json = { id = person.id } }
  call_api "second" { via = "vendor", POST = "/second", payload = "words" }
  wait "2h"
  call_api "third" { via = "vendor", POST = "/third", json = { id = person.id } }
]]

local function words(project, text)
  helper.write_file(project.folder .. "/payloads/words.lua",
    ("return function(person) return { id = person.id, words = %q } end"):format(text))
end

local function two_calls(refusals)
  local project = repairing.project(TWO_CALLS, { refusals = refusals })
  words(project, "old")
  return project
end

local function redrive(project, ...)
  return project.command("redrive", "trip", "--state", STATE, "--yes", ...)
end

describe("redriving while a runtime has the state", function()
  local REFUSED = { ["POST /second"] = { p1 = 422, p2 = 422 } }

  local function live(...)
    local project = repairing.project((TWO_CALLS:gsub('wait "2h"', 'wait "2d"')))
    words(project, "old")
    local mind = helper.write_file(project.folder .. "/mind.lua", repairing.behaviour(REFUSED))
    local vendor = running.vendor("--behaviour", mind, ...)
    local env = { VENDOR_URL = vendor.url .. "/vendor" }
    local process = project.live(env, function(_, counts) return counts.waiting == 6 and counts.dropped == 2 end)
    return project, process, vendor, env
  end

  for k=1,25 do it("is kept when the runtime is killed right after it", function()
    local project, process, vendor, env = live()
    assert.equal(2, redrive(project).done)
    process.signal "KILL"
    process.finish()
    vendor.stop()
    local other = running.vendor()
    env.VENDOR_URL = other.url .. "/vendor"
    -- the first runtime may have got their answers, and dropped them again, before it was killed
    process = project.live(env, function(_, counts) return (counts.waiting or 0) + (counts.dropped or 0) == 8 end)
    process.signal "INT"
    local report = process.finish().report
    assert.equal(report.entered, running.ledger(report))
    assert.equal(2, running.element(report, "second").reasons.redriven)
    other.stop()
  end) end
end)
