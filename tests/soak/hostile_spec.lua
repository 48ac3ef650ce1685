-- A soak: hostile and honest people in one run, for as long as SOAK_SECONDS says (5 by default). Nobody honest is harmed,
-- every hog is held for a reason, nothing grows, nothing crashes.

local attacks = require "attacks"
local helper = require "helper"
local running = require "running"

local SECONDS = tonumber(os.getenv("SOAK_SECONDS") or "5")
local HOG_EVERY = 50
local GROWTH_MOST = 24 << 20 -- bytes between the first third and the end, beside 24 a person; of a minute and more

-- All attacks as one list of functions; what is only refused is caught, because twenty script errors would pause admission.
local function list_of_attacks()
  local list = {}
  for _, case in ipairs(attacks.endless) do
    if case[3] ~= "" then list[#list + 1] = ("function(person) %s end,"):format(case[2]) end
  end
  for _, cases in ipairs { attacks.greedy, attacks.large } do
    for _, case in ipairs(cases) do list[#list + 1] = ("function(person) %s end,"):format(case[2]) end
  end
  for _, case in ipairs(attacks.refused) do
    list[#list + 1] = ("function(person) pcall(function() %s end) end,"):format(case[2])
  end
  return list
end

local function project_of(list)
  local files = {
    ["journeys/soak.lua"] = ("local attacks = { %s }\n"):format(table.concat(list, "\n")) .. [[
      return journey "soak" { flow = function(person)
        if person.attack then attacks[person.attack](person) exit "survived" end
        local r = call_api "note" { via = "vendor", POST = "/notes", json = { name = person.name } }
        assert(r.ok)
      end }]],
  }
  for name, text in pairs(attacks.payloads) do files[name] = text end
  return running.project(files)
end

-- People for as long as it lasts, on standard output.
local function generator(count)
  return ([[awk 'BEGIN { srand(7); "date +%%s" | getline start; close("date +%%s"); now = start
    for (i = 1; now - start < %d; i++) {
      if (i %% %d == 0) printf "{\"id\":\"hog%%d\",\"attack\":%%d}\n", i, i / %d %% %d + 1
      else printf "{\"id\":\"p%%d\",\"name\":\"n%%d\"}\n", i, i
      if (i %% 1000 == 0) { "date +%%s" | getline now; close("date +%%s") } } }']]):format(SECONDS, HOG_EVERY, HOG_EVERY, count)
end

local function memory_of(pid)
  local file = io.open(("/proc/%d/status"):format(pid))
  if not file then return nil end
  local text = file:read("a")
  file:close()
  return (tonumber(text:match("VmRSS:%s*(%d+)")) or 0) * 1024
end

describe("hostile and honest people in one run", function()
  it("leave each other alone, for a long while", function()
    local list = list_of_attacks()
    local folder = project_of(list)
    local fifo = folder .. "/people"
    assert(os.execute("mkfifo " .. helper.quote(fifo)))
    local source = helper.start(generator(#list) .. " >" .. helper.quote(fifo))
    local process = running.start(folder, { input = fifo }, "soak", "--people", "-", "--json", "--in-flight", "500", "--limits",
      "slice_time=30ms")
    local early, late, began = nil, nil, os.time()
    while running.lives(process.pid) do
      require("jaunt.native.control").sleep(200)
      local now = memory_of(process.pid)
      if now and not early and os.time() - began >= SECONDS / 3 then early = now end
      late = now and now > 0 and now or late
    end
    source.stop("0")
    local result = process.finish()
    assert.equal(0, result.code, result.err)
    local report = result.report
    local hogs = report.held + report.exited
    print(("%d people, %d of them hostile: %d held, %d survived their own errors; memory %d MiB, then %d MiB"):format(
      report.entered, hogs, report.held, report.exited, (early or 0) >> 20, late >> 20))
    assert.is_true(report.entered > 0 and report.held > 0)
    assert.equal(0, report.dropped + report.running + report.queued + report.waiting)
    assert.equal(report.entered, report.completed + hogs)
    assert.equal(report.entered // HOG_EVERY, hogs)
    if early and SECONDS >= 60 and not helper.is_sanitized() then assert.is_true(late - early < GROWTH_MOST + 24 * report.entered) end
  end)
end)
