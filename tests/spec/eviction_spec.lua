-- When a worker's scripts hold more memory than they may, runs that wait leave it, where a state can bring them back; only when that is not
-- enough is somebody held, and it is the one that holds most.

local helper = require "helper"
local journeys = require "journeys"

-- 60 people, each of whom keeps half a MiB over two waits that are too short to leave memory for by themselves.
local FLOW = [[
  local kept = {}
  for i = 1, 64 do kept[i] = ("x"):rep(8000) .. person.id .. i end
  wait "3s"
  local more = #table.concat(kept)
  wait "4s"
  say(more == #table.concat(kept))
]]

local function crowd(...)
  return journeys.run { flow = FLOW, people = 60, workers = 1, "--in-flight", "1000",
    "--limits", "slice_time=30s worker_memory=12MiB", ... }
end

local function state()
  return "sqlite:" .. helper.temp_folder() .. "/state.db"
end

describe("want of memory", function()
  it("holds nobody while runs that wait can leave", function()
    local all = crowd("--state", state())
    assert.same({ 60, 0 }, { all.completed, all.held }, all.err)
    assert.equal(60, #all.said)
    for _, line in ipairs(all.said) do assert.equal("true", line) end
  end)

  it("does not fall on who is in a call and holds little", function()
    local people = { "caller" }
    for i = 2, 60 do people[i] = "p" .. i end
    local all = journeys.run { people = people, workers = 1, "--in-flight", "1000", "--state", state(),
      "--limits", "slice_time=30s worker_memory=12MiB",
      files = { ["vendor.lua"] = 'return { crm = { ["POST /busy"] = function() return 503, "" end } }' },
      flow = [[
        if person.id == "caller" then
          call_api "busy" { via = "crm", POST = "/busy", retry = { attempts = 3, base = "2s" }, on_failure = "continue" }
          return
        end
      ]] .. FLOW }
    assert.same({ 60, 0 }, { all.completed, all.held }, all.err)
  end)

  it("holds some where no state keeps them", function()
    local all = crowd()
    assert.is_true(all.held > 0)
    assert.matches("limit: worker_memory", all.err, 1, true)
  end)

  it("holds who holds most when the others have left, and nobody else", function()
    local people = { { id = "hog", kib = 14000 } }
    for i = 2, 30 do people[i] = { id = "p" .. i, kib = 300 } end
    local all = journeys.run { people = people, workers = 1, "--in-flight", "1000", "--state", state(),
      "--limits", "slice_time=30s run_memory=64MiB worker_memory=8MiB",
      files = { ["vendor.lua"] = 'return { crm = { ["POST /busy"] = function() return 503, "" end } }' },
      flow = [[
        local kept = {}
        for i = 1, person.kib // 8 do kept[i] = ("x"):rep(8100) .. i end
        if person.id == "hog" then
          call_api "busy" { via = "crm", POST = "/busy", retry = { attempts = 9, base = "1h" }, on_failure = "continue" }
        end
        wait "3s"
        wait(#kept % 2 + 1)
      ]] }
    assert.same({ 29, 1 }, { all.completed, all.held }, all.err)
    assert.matches("hog is held.*limit: worker_memory", all.err)
  end)
end)
