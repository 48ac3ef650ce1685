-- The same journey makes the same calls, byte for byte, in every process: whatever the hash seed (another one in each),
-- the number of workers and the collector's mode. Journeys are made up by dice; and each guard is taken away once, to see
-- that this would be noticed.

local helper = require "helper"
local running = require "running"

local PEOPLE = 30

-- Dice of the test's own: the same journeys every time (Park and Miller, CACM 31:10, 1988).
local function dice(seed)
  local state = seed
  return function(n)
    state = state * 48271 % 2147483647
    return state % n + 1
  end
end

-- Pieces of flow; each leaves something in `t`. %d is a number that makes names differ.
local PIECES = {
  [[for i = 1, 30 do t["k" .. i * %d %% 37] = i end]],
  [[local list = {} for k, v in pairs(t) do list[#list + 1] = tostring(k) .. "=" .. tostring(v) end t.s%d = table.concat(list, ";")]],
  [[t.first%d = tostring((next(t)))]],
  [[local list = {} for i = 1, 150 do list[i] = { i %% 5, i } end
    table.sort(list, function(a, b) return a[1] < b[1] end)
    local order = {} for i, pair in ipairs(list) do order[i] = pair[2] end t.o%d = table.concat(order, ",")]],
  [[t.r%d = random(1000000) t.m = math.random(1000000) t.f = math.random()]],
  [[t.u%d = uuid()]],
  [[t.x%d = tostring({}) .. tostring(print) .. ("%%s"):format(coroutine.create(print))]],
  [[t.c%d = os.clock() t.now = now() t.date = os.date()]],
  [[local set = setmetatable({}, { __index = function(_, k) return #k end }) t.w%d = set.abc]],
  [[wait "%dm"]],
  [[t.b%d = split "branch" { a = 1, b = 2, c = 3 }]],
  [[local co = coroutine.wrap(function() for k in pairs { z = 1, y = 2, x = 3 } do coroutine.yield(k) end end) t.p%d = co() .. co()]],
  [[person.kept%d = { b = 1, a = { 2, 1 } } for k, v in pairs(person) do t["p_" .. k] = tostring(v) end]],
}

local CALL = [[ call_api "call %d" { via = "vendor", POST = "/notes", json = t, query = { b = 1, a = { 2, 3 }, c = person.id },
  headers = { ["X-B"] = "1", ["X-A"] = "2" } } ]]

local function made_up(seed)
  local roll = dice(seed)
  local lines = { "local t = { id = person.id }" }
  for i = 1, 14 do
    lines[#lines + 1] = ("do %s end"):format(PIECES[roll(#PIECES)]:format(i))
    if i % 7 == 0 then lines[#lines + 1] = CALL:format(i) end
  end
  return table.concat(lines, "\n")
end

local function project_of(flow)
  local lines = { "id,name" }
  for i = 1, PEOPLE do lines[#lines + 1] = ("p%d,name %d"):format(i, i) end
  return running.project {
    ["journeys/t.lua"] = ("return journey \"t\" { flow = function(person, event)\n%s\nend }"):format(flow),
    ["people.csv"] = table.concat(lines, "\n") .. "\n",
  }
end

-- The calls that one run makes, as one text: each with its target, headers and body, in the order of their keys.
local function calls_of(folder, options)
  local calls = {}
  local environment = { JAUNT_COLLECTOR = options.collector, JAUNT_LUALIB = options.lualib }
  local done = running.run(folder, { env = environment }, "t", "--people", "people.csv", "--json", "--seed", "5", "--start",
    "2026-01-05T08:00:00Z", "--workers", tostring(options.workers or 1), "--trace", folder .. "/trace")
  assert.equal(0, done.code, done.err)
  assert.equal(PEOPLE, done.report.completed, done.err)
  for line in io.lines(folder .. "/trace") do calls[#calls + 1] = line end
  table.sort(calls)
  return table.concat(calls, "\n")
end

describe("the same journey", function()
  for seed = 1, 6 do
    it(("makes the same calls in every process (%d)"):format(seed), function()
      local folder = project_of(made_up(seed * 7919))
      local first = calls_of(folder, {})
      assert.is_true(#first > 0)
      assert.equal(first, calls_of(folder, { workers = 4 }))
      assert.equal(first, calls_of(folder, { collector = "generational", workers = 2 }))
      assert.equal(first, calls_of(folder, { collector = "aggressive" }))
    end)
  end
end)

-- Everybody has two runs, which come to the same times and go on by what the other one has written last. Returns the calls of the
-- process that has both.
local function calls_of_two_runs(folder, workers)
  local state = ("sqlite:%s/%d.db"):format(folder, workers)
  local trace = ("%s/trace.%d"):format(folder, workers)
  for day, until_day in ipairs { 6, 9 } do
    local lines = { "id,event.cart,mood" }
    for i = 1, PEOPLE do lines[#lines + 1] = ("p%d,c%d,%d"):format(i, day, day * i % 3) end
    helper.write_file(folder .. "/people.csv", table.concat(lines, "\n") .. "\n")
    local done = running.run(folder, {}, "t", "--people", "people.csv", "--json", "--seed", "5", "--workers", tostring(workers),
      "--state", state, "--start", ("2026-01-0%dT08:00:00Z"):format(day + 4), "--until",
      ("2026-01-0%dT07:00:00Z"):format(until_day), "--trace", trace)
    assert.equal(0, done.code, done.err)
    assert.equal(day == 2 and 2 * PEOPLE or 0, done.report.completed, done.err)
  end
  local calls = {}
  for line in io.lines(trace) do calls[#calls + 1] = line end
  table.sort(calls)
  return table.concat(calls, "\n")
end

describe("two runs of a person", function()
  it("make the same calls whatever the number of workers, by what the other has written", function()
    local folder = running.project { ["journeys/t.lua"] = [[return journey "t" { per = "cart", flow = function(person, event)
      if event.cart == "c1" then wait "25h" end
      for i = 1, 6 do
        wait(person.mood == "1" and "20m" or "40m")
        person.mood, person.turns = tostring(random(0, 2)), (person.turns or 0) + 1
        call_api("turn " .. person.turns) { via = "vendor", POST = "/turns", json = { event.cart, i, person.mood, person.turns } }
      end
    end }]] }
    local first = calls_of_two_runs(folder, 1)
    assert.is_truthy(first:find('"turn 8"', 1, true))
    assert.equal(first, calls_of_two_runs(folder, 2))
    assert.equal(first, calls_of_two_runs(folder, 4))
  end)
end)

-- Each guard: the name that lualib/jaunt/worker/sandbox.lua puts in the place of Lua's own, and a flow that shows whether it does.
-- (Two more can't be seen in every run of a test: a stable sort, whose absence shows only when the clock gives another
-- pivot; and the clock itself.)
local GUARDS = {
  { "next", [[local t = {} for i = 1, 50 do t["k" .. i] = i end
     local k json_of = {} for i = 1, 10 do k = next(t, k) json_of[i] = k end]] },
  { "pairs", [[local t = {} for i = 1, 50 do t["k" .. i] = i end
     json_of = {} for k in pairs(t) do json_of[#json_of + 1] = k end]] },
  { "tostring", [[json_of = { tostring({}) }]] },
  { "format", [[json_of = { ("%s"):format({}) }]] },
  { "setmetatable", [[local w = setmetatable({}, { __mode = "v" })
     for i = 1, 2000 do w[i] = { i } end
     local n = 0 for i = 1, 2000 do if w[i] then n = n + 1 end end json_of = { n }]] },
}

-- A copy of lualib without one of the sandbox's replacements.
local function lualib_without(name)
  local folder = helper.temp_folder() .. "/lualib"
  assert(os.execute(("cp -r %s %s"):format(helper.quote(os.getenv("JAUNT_SOURCE") .. "/lualib"), helper.quote(folder))))
  local path = folder .. "/jaunt/worker/sandbox.lua"
  local text, count = helper.read_file(path), nil
  local from = text:find("local REPLACED", 1, true)
  local head, rest = text:sub(1, from - 1), text:sub(from)
  rest, count = rest:gsub('"' .. name .. '",? ?', "", 1)
  assert(count == 1, "the sandbox replaces no " .. name)
  helper.write_file(path, head .. rest)
  return folder
end

-- True when several processes with different collectors don't all make the same calls (or refuse what is a fault).
local function differs(folder, lualib)
  local first
  for _, collector in ipairs { "incremental", "aggressive", "generational", "incremental" } do
    local ok, calls = pcall(calls_of, folder, { lualib = lualib, collector = collector })
    if not ok then return false end
    first = first or calls
    if calls ~= first or calls:find("0x%x%x%x") then return true end -- an address differs, if not today
  end
  return false
end

describe("a guard", function()
  for _, guard in ipairs(GUARDS) do
    it(("is missed when it is taken away: %s"):format(guard[1]), function()
      local folder = project_of(guard[2] .. [[ call_api "c" { via = "vendor", POST = "/x", json = json_of } ]])
      assert.is_false(differs(folder, nil))
      assert.is_true(differs(folder, lualib_without(guard[1])))
    end)
  end
end)

-- A state file and two processes: everybody waits in the first one and is told again in the second. Returns how many were held as
-- diverged there, and what was said of it.
local function diverged(folder, lualib)
  local state = folder .. "/" .. (lualib and "without" or "with") .. ".db"
  local function go(start, collector, ...)
    local environment = { JAUNT_LUALIB = lualib, JAUNT_COLLECTOR = collector }
    local done = running.run(folder, { env = environment }, "t", "--people", "people.csv", "--json", "--seed", "5", "--state",
      "sqlite:" .. state, "--start", start, ...)
    assert.equal(0, done.code, done.err)
    return done.report, done.err
  end
  local report = go("2026-01-05T08:00:00Z", "incremental", "--until", "2026-01-05T09:00:00Z")
  assert.equal(PEOPLE, report.waiting)
  local err
  report, err = go("2026-01-05T12:00:00Z", "aggressive")
  assert.equal(PEOPLE, report.held + report.completed)
  return report.held, err
end

describe("replay", function()
  for _, guard in ipairs(GUARDS) do
    local loads = guard[1] ~= "setmetatable" -- with it, weak tables are refused, so that nobody gets as far as waiting
    if loads then it(("holds who goes another way than was recorded, when a guard is taken away: %s"):format(guard[1]), function()
      local folder = project_of(guard[2] .. [[ split(json.encode(json_of):sub(1, 100)) { a = 1 } wait "2h" ]])
      assert.equal(0, (diverged(folder, nil)))
      local held, err = diverged(folder, lualib_without(guard[1]))
      assert.is_true(held > 0)
      assert.is_truthy(err:find('diverged: step 1 was recorded as split "', 1, true), err)
      assert.is_truthy(err:find('; now the script asks for split "', 1, true), err)
      assert.is_truthy(err:find("journeys/t.lua:", 1, true), err)
    end) end
  end
end)
