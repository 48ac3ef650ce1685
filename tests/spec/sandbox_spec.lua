-- What a script tries, on purpose or by mistake, to stop the runtime, to reach another person, or to see what differs from
-- process to process; and that the people beside it do not notice.

local journeys = require "journeys"

local HONEST = 60
local BATCH = 15 -- after 20 script errors admission would pause

-- The attacks of `cases` (their second fields), each made by a person of its own among honest people who make a call
-- each. Returns the run.
local function beside(cases, limits)
  local functions, people = {}, {}
  for i, case in ipairs(cases) do
    functions[i] = ("[%d] = function(person) %s end,"):format(i, case[2])
    people[i] = { id = "hog" .. i, attack = i }
  end
  for i = 1, HONEST do people[#people + 1] = { id = "p" .. i, name = "n" .. i } end
  return journeys.run {
    head = "local attacks = { " .. table.concat(functions, " ") .. " }",
    flow = [[
      if person.attack then attacks[person.attack](person) end
      local r = call_api "note" { via = "crm", POST = "/notes", json = { name = person.name } }
      assert(type(r.status) == "number")]],
    people = people, workers = 1, "--limits", limits,
    files = { ["payloads/hog.lua"] = "return function() local t = {} for i = 1, math.huge do t[i] = { i } end end" },
  }
end

local function assert_others_unharmed(run)
  assert.equal(HONEST, run.completed, run.err)
  assert.equal(0, run.dropped + run.running + run.queued + run.waiting + run.exited)
end

-- Parts the cases into batches; gives a function that runs the batch of a case once and returns the run, and the case's
-- number in it.
local function in_batches(cases, limits)
  local runs = {}
  return function(number)
    local batch, within = (number - 1) // BATCH, (number - 1) % BATCH + 1
    runs[batch] = runs[batch] or beside(table.move(cases, batch * BATCH + 1, math.min(#cases, (batch + 1) * BATCH), 1, {}),
      limits)
    return runs[batch], within
  end
end

-- Why hog number `i` is held.
local function told_of(run, i)
  local told = run.err:match("hog" .. i .. " is held[^\n]*")
  assert.is_truthy(told, ("hog%d is not held: %s"):format(i, run.err))
  return told
end

-- Those that never end, or want everything: { what, attack, the limit that ends it }.
local ENDLESS = {
  { "loops for ever", "while true do end", "slice_time" },
  { "loops for ever in a function of its own", "local function f() while true do end end f()", "slice_time" },
  { "loops for ever by goto", "::again:: goto again", "slice_time" },
  { "loops for ever under pcall, again and again", "while true do pcall(function() while true do end end) end", "slice_time" },
  { "swallows errors in a loop", "while true do pcall(error, 'x') end", "slice_time" },
  { "loops for ever in a <close> variable",
    "local c <close> = setmetatable({}, { __close = function() while true do end end })", "slice_time" },
  { "loops for ever in a <close> variable after a drop",
    "local c <close> = setmetatable({}, { __close = function() while true do end end }) drop 'x'", "slice_time" },
  { "loops for ever in __index", "local t = setmetatable({}, { __index = function() while true do end end }) local x = t.y",
    "slice_time" },
  { "loops for ever in __index under a C function",
    "table.concat(setmetatable({}, { __index = function() while true do end end }), '', 1, 2)", "slice_time" },
  { "loops for ever in a coroutine of its own", "coroutine.wrap(function() while true do end end)()", "slice_time" },
  { "loops for ever in coroutines within coroutines",
    "local function deep(n) if n == 0 then while true do end end coroutine.wrap(deep)(n - 1) end deep(5)", "slice_time" },
  { "resumes coroutines that loop, for ever",
    "while true do coroutine.resume(coroutine.create(function() while true do end end)) end", "slice_time" },
  { "loops for ever in a sort comparator under pcall",
    "while true do pcall(table.sort, { 3, 2, 1 }, function() while true do end end) end", "slice_time" },
  { "loops for ever in a coroutine in a sort comparator",
    "table.sort({ 2, 1 }, function() coroutine.wrap(function() while true do end end)() end)", "slice_time" },
  { "loops for ever in a gsub callback", "pcall(string.gsub, 'abc', '.', function() while true do end end) while true do end",
    "slice_time" },
  { "loops for ever in the handler of xpcall", "xpcall(error, function() while true do end end)", "slice_time" },
  { "loops for ever in the handler of xpcall after it was stopped",
    "xpcall(function() while true do end end, function() while true do end end)", "slice_time" },
  { "loops for ever in __tostring of an error", "error(setmetatable({}, { __tostring = function() while true do end end }))",
    "" },
  { "loops for ever in __pairs", "pairs(setmetatable({}, { __pairs = function() while true do end end }))", "slice_time" },
  { "loops for ever in only_if", "call_api { via = 'crm', POST = '/x', only_if = function() while true do end end }", "slice_time" },
  { "loops for ever in success", "call_api { via = 'crm', POST = '/x', success = function() while true do end end }",
    "slice_time" },
  { "calls itself with ever more arguments", "local function f(...) return f(1, ...) end f()", "slice_time" },
  { "moves a table that has no end", "table.move({}, 1, 1 << 40, 2)", "slice_time" },
  { "inserts into a table that says it is endless",
    "table.insert(setmetatable({}, { __len = function() return 1 << 50 end }), 1, 'x')", "slice_time" },
  { "removes from a table that says it is endless",
    "table.remove(setmetatable({}, { __len = function() return 1 << 50 end }), 1)", "slice_time" },
  { "concatenates nothing without end",
    "table.concat(setmetatable({}, { __index = table.concat }), 5, 1, 1 << 50)", "slice_time" },
}

-- Those that want everything.
local GREEDY = {
  { "eats memory in tables", "local t = {} for i = 1, math.huge do t[i] = { i } end", "run_memory" },
  { "eats memory under pcall", "while true do pcall(function() local t = {} for i = 1, 1e9 do t[i] = { i } end end) end",
    "run_memory" },
  { "eats memory in one growing text", "local s = 'x' while true do s = s .. s end", "run_memory" },
  { "recurses without end", "local function f() return 1 + f() end return f()", "run_memory" },
  { "eats memory in a payload", "call_api { via = 'crm', POST = '/x', payload = 'hog' }", "run_memory" },
}

-- Those that are refused with an error: { what, attack, a part of the words }.
local REFUSED = {
  { "builds a text of 1 GiB by rep", "return ('x'):rep(1 << 30)", "limit text" },
  { "builds a text of 1 GiB by rep with nothing between", "return ('x'):rep(1 << 30, '')", "limit text" },
  { "builds a large text by concat", "local t, s = {}, ('x'):rep(1 << 17) for i = 1, 100 do t[i] = s end return table.concat(t)",
    "limit text" },
  { "builds a large text by gsub", "return (('x'):rep(1000):gsub('x', ('y'):rep(1 << 16)))", "limit text" },
  { "matches a pattern that backtracks for ever", "return ('a'):rep(1500):find(('.-'):rep(2) .. 'b')", "limit pattern_steps" },
  { "substitutes by a pattern that backtracks for ever", "return ('a'):rep(1500):gsub(('.-'):rep(2) .. 'b', '')",
    "limit pattern_steps" },
  { "iterates over a pattern that backtracks for ever",
    "for x in ('a'):rep(1500):gmatch(('.-'):rep(2) .. 'b') do end", "limit pattern_steps" },
  { "has too many coroutines", "local t = {} for i = 1, 5000 do t[i] = coroutine.create(function() end) end",
    "limit coroutines" },
  { "unpacks a range without end", "return table.unpack({}, 1, 1e8)", "too many results" },
  { "takes bytes without end", "return ('x'):rep(1 << 22):byte(1, -1)", "string slice too long" },
  { "recurses without end in C", "local function f(s) return (s:gsub('.', f)) end return f('x')", "overflow" },
  { "sets a finaliser", "setmetatable({}, { __gc = function() end })", "__gc" },
  { "makes a weak table", "setmetatable({}, { __mode = 'v' })", "__mode" },
  { "changes a library", "string.upper = nil", "read%-only" },
  { "changes a library by rawset", "rawset(string, 'upper', nil)", "read%-only" },
  { "changes a library by table.insert", "table.insert(string, 'x')", "read%-only" },
  { "changes a library's metatable", "setmetatable(string, {})", "protected" },
  { "changes json", "json.encode = nil", "read%-only" },
  { "changes the metatable of its globals", "setmetatable(_G, { __index = error })", "protected" },
  { "changes the metatable of texts", "getmetatable('').__index = nil", "index a boolean" },
  { "changes the metatable of JSON arrays", "getmetatable(json.decode '[]').__index = error", "index a" },
  { "changes the metatable of person", "getmetatable(person).__index = error", "index a boolean" },
  { "calls io", "io.open '/etc/passwd'", "global 'io'" },
  { "calls os.execute", "os.execute 'true'", "field 'execute'" },
  { "calls os.exit", "os.exit(0)", "field 'exit'" },
  { "calls os.getenv", "os.getenv 'HOME'", "field 'getenv'" },
  { "calls debug", "debug.getregistry()", "global 'debug'" },
  { "calls package", "package.loadlib('x', 'y')", "global 'package'" },
  { "calls load", "load('return 1')", "global 'load'" },
  { "calls load with bytecode", "load('\\27Lua')", "global 'load'" },
  { "calls dofile", "dofile 'x'", "global 'dofile'" },
  { "dumps bytecode", "string.dump(function() end)", "field 'dump'" },
  { "calls collectgarbage", "collectgarbage()", "global 'collectgarbage'" },
  { "requires what its name makes up", "local name = 'jaunt.' .. 'worker' require(name)", "no module" },
  { "shows an address by format", "return ('%p'):format({})", "address" },
  { "goes through keys that have no order", "for _ in pairs { [{}] = 1 } do end", "no order" },
  { "raises an error that is a table", "error({ code = 1 })", "table" },
  { "raises an error whose text fails", "error(setmetatable({}, { __tostring = function() error 'again' end }))", "held" },
  { "raises nil", "error(nil)", "nil" },
}

local function promise_limits(cases, limits)
  local batch_of = in_batches(cases, limits)
  for number, case in ipairs(cases) do
    it(("is stopped, and nobody else notices, when it %s"):format(case[1]), function()
      local run, i = batch_of(number)
      assert_others_unharmed(run)
      local told = told_of(run, i)
      if case[3] ~= "" then assert.matches("limit: " .. case[3] .. ": .* at [^ ]*%.lua:%d+", told) end
    end)
  end
end

describe("a script that never ends", function()
  promise_limits(ENDLESS, "slice_time=60ms")

  it("is not what a run is taken for that works long and pauses now and then", function()
    local run = beside({ { "", "for i = 1, 20 do for j = 1, 200000 do end wait '1s' end" } }, "slice_time=100ms")
    assert.equal(0, run.held, run.err)
  end)
end)

describe("a script that wants everything", function()
  promise_limits(GREEDY, "slice_time=30s")

  local HOARD = { { "", "local t = {} for i = 1, 40 do t[i] = ('x'):rep(1 << 20) .. i end" } }

  it("may have as much as the limit says", function()
    assert.equal(1, beside(HOARD, "slice_time=30s").held)
    assert.equal(0, beside(HOARD, "slice_time=30s run_memory=100MiB").held)
  end)

  it("is held before others when all of them together hold too much", function()
    local run = journeys.run {
      flow = [[
        local t = {}
        for i = 1, person.big and 100000 or 100 do t[i] = { i } end
        wait "1h"
        assert(t[1][1] == 1)]],
      people = { { id = "hog", big = true }, "a", "b", "c", "d", "e", "f", "g" }, workers = 1,
      "--limits", "slice_time=30s run_memory=64MiB worker_memory=6MiB",
    }
    assert.equal(7, run.completed, run.err)
    assert.matches("hog is held: limit: worker_memory", run.err)
  end)

  it("is not what a run is taken for that makes much garbage and keeps little", function()
    local run = beside({ { "", "for i = 1, 100000 do local t = { ('x'):rep(100) .. i } end" } }, "slice_time=30s run_memory=1MiB")
    assert.equal(0, run.held, run.err)
  end)
end)

describe("a script that reaches for what is not its own", function()
  local batch_of = in_batches(REFUSED, "slice_time=30s")
  for number, case in ipairs(REFUSED) do
    it(("is refused when it %s"):format(case[1]), function()
      local run, i = batch_of(number)
      assert_others_unharmed(run)
      assert.matches(case[3], told_of(run, i))
    end)
  end

  it("is refused at load when it requires the host's modules", function()
    local done = journeys.try { flow = "require 'jaunt.native.fs'" }
    assert.equal(2, done.code)
    assert.matches("there is no module \"jaunt.native.fs\"", done.err)
  end)

  it("leaves nothing behind for the next person: globals, fields of functions, modules", function()
    local run = journeys.run {
      head = [[local module = require "kept"  local seen = {}]],
      flow = [[
        assert(left == nil and seen.n == nil and module.n == nil and #module.list == 0, "somebody was here")
        left, seen.n, module.n, module.list[1] = person.id, person.id, person.id, person.id
        wait "1h"
        assert(left == person.id and seen.n == person.id and module.n == person.id, "somebody else was here")]],
      people = 50, workers = 1, files = { ["kept.lua"] = "return { list = {} }" },
    }
    assert.equal(50, run.completed, run.err)
  end)
end)

describe("what a script sees", function()
  it("is the same under another hash seed and another number of workers", function()
    local first
    for _, workers in ipairs { 1, 2, 4 } do
      local run = journeys.run {
        flow = [[
          local t = { id = person.id }
          for i = 1, 50 do t["key" .. (i * 7919 % 101)] = i end
          local keys = {}
          for k in pairs(t) do keys[#keys + 1] = k end
          table.sort(keys, function(a, b) return #a < #b end)
          print("said", person.id, table.concat(keys, ","), next(t), tostring(t), ("%s"):format(print), random(1000), uuid(),
            math.random(), os.time(), os.date(), os.clock(), now())]],
        people = 40, workers = workers,
      }
      local said = table.concat(journeys.sorted(run.said), "\n")
      first = first or said
      assert.equal(40, run.completed, run.err)
      assert.equal(first, said)
      assert.is_nil(said:find("0x", 1, true))
    end
  end)
end)
