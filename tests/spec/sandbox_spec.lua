-- What a script tries, on purpose or by mistake, to stop the runtime, to reach another person, or to see what differs from
-- process to process; and that the people beside it do not notice.

local attacks = require "attacks"
local helper = require "helper"
local journeys = require "journeys"
local scripts = require "scripts"

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
    head = "local attacks = {\n" .. table.concat(functions, "\n") .. "\n}", -- a line each: what is told of two is not alike
    flow = [[
      if person.attack then attacks[person.attack](person) end
      local r = call_api "note" { via = "crm", POST = "/notes", json = { name = person.name } }
      assert(type(r.status) == "number")]],
    people = people, workers = 1, "--limits", limits,
    files = attacks.payloads,
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
  promise_limits(attacks.endless, "slice_time=60ms")

  it("is not what a run is taken for that works long and pauses now and then", function()
    local run = beside({ { "", "for i = 1, 20 do for j = 1, 200000 do end wait '1s' end" } }, "slice_time=100ms")
    assert.equal(0, run.held, run.err)
  end)
end)

describe("a limit", function()
  it("that is counted is bounded itself", function()
    local script = scripts.folder { ["s.lua"] = "" } .. "/s.lua"
    for _, much in ipairs { "4294967296", "2147483648" } do
      local r = helper.jaunt("run", "--limits", "coroutines=" .. much, script)
      assert.equal("jaunt: --limits: coroutines is at most 2147483647\n", r.err)
      assert.equal(2, r.code)
    end
    assert.equal(0, helper.jaunt("run", "--limits", "coroutines=2147483647", script).code)
  end)

  it("that is none is refused in words", function()
    local r = helper.jaunt("run", "--limits", "text=much", scripts.folder { ["s.lua"] = "" } .. "/s.lua")
    assert.equal("jaunt: --limits: text is a size such as 65536, \"64KiB\" or \"1MB\"\n", r.err)
  end)
end)

describe("a script that wants everything", function()
  promise_limits(attacks.greedy, "slice_time=30s")

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

  it("is not what a run is taken for at which Lua makes room for everybody's texts", function()
    local people = {}
    for i = 1, 12000 do people[i] = "somebody-" .. i end
    local run = journeys.run {
      flow = [[wait "1h"]], people = people, workers = 1, "--in-flight", "20000", "--limits", "slice_time=30s run_memory=48KiB",
    }
    assert.equal(12000, run.completed, run.err)
  end)

  it("is not what a run is taken for that makes much garbage and keeps little", function()
    local run = beside({ { "", "for i = 1, 100000 do local t = { ('x'):rep(100) .. i } end" } }, "slice_time=30s run_memory=1MiB")
    assert.equal(0, run.held, run.err)
  end)

  it("is not what a run is taken for that makes up names of splits", function()
    local run = beside({ { "", "for i = 1, 100000 do split('copy ' .. i) end" } }, "slice_time=30s run_memory=1MiB")
    assert.equal(0, run.held, run.err)
  end)
end)

describe("a script that asks for too much at once", function()
  promise_limits(attacks.large, "slice_time=30s")
end)

describe("a script that reaches for what is not its own", function()
  local batch_of = in_batches(attacks.refused, "slice_time=30s")
  for number, case in ipairs(attacks.refused) do
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
  it("is a table's type where its __name is no text, in a long line, too", function()
    local run = journeys.run {
      flow = [[
        local odd = setmetatable({}, { __name = 5 })
        local many = {}
        for i = 1, 200 do many[i] = odd end
        assert(("%s"):rep(200):format(table.unpack(many)) == ("table"):rep(200))
        assert(("\0%s"):format(odd) == "\0table")
        print("said", ("x"):rep(3000), odd, odd, "end")]],
      people = 1, workers = 1,
    }
    assert.equal(1, run.completed, run.err)
    assert.equal(("x"):rep(3000) .. "\ttable\ttable\tend", run.said[1])
  end)

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
