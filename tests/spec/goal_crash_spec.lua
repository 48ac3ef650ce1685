-- A goal that is reached while a call is on the wire ends the run when the call is over. A process that ends between the two
-- leaves a run that ends the same way: nothing of what the script would have done next is done.

local bundle = require "jaunt.project.bundle"
local control = require "jaunt.native.control"
local engine = require "jaunt.native.engine"
local json = require "json"
local launch = require "jaunt.run.launch"
local project = require "jaunt.project"
local running = require "running"
local vendors = require "jaunt.native.vendor"

local FOREVER = 1 << 60

local FLOW = [[
  local answer = call_api "first" { via = "vendor", POST = "/first", json = { id = person.id }, %s }
  person.answered = answer.status
  %s
]]

local function start(found, vendor, state, die_after)
  local gathered = bundle.gather(project.path(found, "journeys/trip.lua"), found)
  return launch.engine(gathered, found, {
    in_flight = 10, state = state, seed = 1, virtual = false, reroute = vendor:url(), events = true, die_after = die_after,
  })
end

local function ends(runtime)
  while not runtime:finished() do runtime:wait(10) end
  local records = runtime:look().records
  runtime:stop(0)
  return runtime:report(), records
end

-- Lets one person in, and tells of the goal once the call is on the wire. Returns the report, and how many records were made;
-- nothing where this took so long that the call's end, after `latency_ms`, may have come before the goal.
local function first_process(found, vendor, state, die_after, latency_ms)
  local runtime <close> = start(found, vendor, state, die_after)
  local began = control.now_mono()
  runtime:admit("ada", '{"id":"ada"}', "{}")
  runtime:admission_over()
  running.wait_for("the call", function()
    runtime:wait(10)
    return json.decode(vendor:received()).requests == 1
  end)
  runtime:event(engine.now_ms(), "ada", "bought", '{"n":1}')
  runtime:events_over()
  local took = control.now_mono() - began
  local report, records = ends(runtime)
  if took < latency_ms // 2 then return report, records end
end

local function second_process(found, vendor, state)
  local runtime <close> = start(found, vendor, state, FOREVER)
  runtime:admission_over()
  runtime:events_over()
  return ends(runtime)
end

local function try_a_crash(fields, next_step, latency_ms)
  local folder = running.project {
    ["journeys/trip.lua"] = ('return journey "trip" { goal = "bought", flow = function(person)\n%s\nend }')
      :format(FLOW:format(fields, next_step)),
    ["vendor.lua"] = ('return { vendor = { latency = "%dms", ["POST /first"] = function() return 422, {} end } }'):format(latency_ms),
  }
  local found = project.need(folder)
  local undisturbed, records
  do
    local vendor <close> = vendors.start { port = 0, seed = 1, behaviour = folder .. "/vendor.lua" }
    undisturbed, records = first_process(found, vendor, folder .. "/whole.db", FOREVER, latency_ms)
  end
  if not undisturbed then return nil end
  local vendor <close> = vendors.start { port = 0, seed = 1, behaviour = folder .. "/vendor.lua" }
  if not first_process(found, vendor, folder .. "/state.db", records - 1, latency_ms) then return nil end
  local report = second_process(found, vendor, folder .. "/state.db")
  assert.equal(1, json.decode(vendor:received()).requests)
  return report, undisturbed
end

-- What the second process makes of it when the first one ended before its last record, and what the first one does when it
-- does not end. The vendor takes longer where the machine does.
local function after_a_crash(fields, next_step)
  for _, latency_ms in ipairs { 300, 3000, 30000 } do
    local report, undisturbed = try_a_crash(fields, next_step, latency_ms)
    if report then return report, undisturbed end
  end
  error "the goal did not come in time"
end

describe("a goal reached during a call, and the process ended between the call's end and the run's:", function()
  local CASES = {
    ["the script would have gone on"] = { "on_failure = 'continue'", [[call_api "second" { via = "vendor", POST = "/second" }]] },
    ["the script would have ended"] = { "on_failure = 'continue'", "" },
    ["the script would have dropped the person"] = { "on_failure = 'continue'", [[drop "not this way"]] },
    ["the script would have waited"] = { "on_failure = 'continue'", [[wait "1d"]] },
    ["the call would have dropped the person"] = { "on_failure = 'drop'", "" },
    ["the call would have held the person"] = { "on_failure = 'hold'", "" },
  }
  for name, case in pairs(CASES) do
    it(name, function()
      local report, undisturbed = after_a_crash(table.unpack(case))
      assert.equal(1, undisturbed.exited)
      assert.equal(1, report.exited)
      assert.equal("goal", report.exits[1].reason)
      assert.same(undisturbed.elements, report.elements)
    end)
  end
end)
