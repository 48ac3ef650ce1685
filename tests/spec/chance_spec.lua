-- What looks like chance and is the same every time: split, random, uuid, and runs on any number of workers.

local journeys = require "journeys"

local run, held_each, element = journeys.run, journeys.held_each, journeys.element

describe("split", function()
  it("gives everybody the same branch in every run, with any seed, workers and order", function()
    local function branches(options)
      options.flow = "say(person.id, split 'copy' { plain = 50, funny = 50 })"
      options.people = options.people or 300
      return journeys.sorted(run(options).said)
    end
    local backwards = {}
    for i = 1, 300 do backwards[i] = "p" .. 301 - i end
    local first = branches { workers = 1 }
    assert.equal(300, #first)
    assert.same(first, branches { workers = 4, seed = 77 })
    assert.same(first, branches { people = backwards, seed = false })
  end)

  it("does not depend on the order in which the branches are written", function()
    local all = run {
      flow = "say(split 'copy' { a = 20, b = 30, c = 50 } == split 'copy' { c = 50, b = 30, a = 20 })", people = 50,
    }
    for _, line in ipairs(all.said) do assert.equal("true", line) end
    assert.equal(50, #all.said)
  end)

  -- 5,000 throws: five standard deviations of a share p are 5 * sqrt(p (1 - p) / 5000), at most 3.6 %.
  it("has shares that are about right over 5,000 people", function()
    local counts = { a = 0, b = 0, c = 0, never = 0 }
    local all = run { flow = "say(split 'copy' { a = 1, b = 2, c = 7, never = 0 })", people = 5000 }
    for _, line in ipairs(all.said) do counts[line] = counts[line] + 1 end
    for name, share in pairs { a = 0.1, b = 0.2, c = 0.7 } do
      local spread = 5 * math.sqrt(share * (1 - share) / 5000)
      assert.is_true(math.abs(counts[name] / 5000 - share) < spread, ("%s: %d"):format(name, counts[name]))
    end
    assert.equal(0, counts.never)
  end)

  it("is independent under different names", function()
    local counts = {}
    local all = run { flow = "say(split 'one' { a = 1, b = 1 }, split 'two' { a = 1, b = 1 })", people = 5000 }
    for _, line in ipairs(all.said) do counts[line] = (counts[line] or 0) + 1 end
    for _, both in ipairs { "a\ta", "a\tb", "b\ta", "b\tb" } do
      assert.is_true(math.abs(counts[both] / 5000 - 0.25) < 5 * math.sqrt(0.25 * 0.75 / 5000), both)
    end
  end)

  it("is an element that everybody goes on from", function()
    local all = run { flow = "split 'copy' { a = 1 }", people = 10 }
    assert.same({ 10, 10 }, { element(all, "copy").reached, element(all, "copy").went_on })
  end)

  it("refuses what is no share, in words", function()
    local flows = {}
    local branches = { "{ 50, 50 }", "{ a = 'half' }", "{ a = -1, b = 2 }", "{ a = true }", "{ a = 1/0 }", "{ a = 0/0 }" }
    for i, each in ipairs(branches) do flows[i] = "split 'x' " .. each end
    for i, why in ipairs(held_each(flows)) do
      assert.matches(("t.lua:%d: split takes shares by name, such as { plain = 50, funny = 50 }"):format(i), why, 1, true)
    end
    local whys = held_each {
      "split 'x' { a = 0 }", "split 'x' {}", "split 'x' (5)", "split { a = 1 }", "split 'x' { a = 1e308, b = 1e308 }",
    }
    assert.matches("split needs at least one branch with a share above 0", whys[1], 1, true)
    assert.matches("split needs at least one branch", whys[2], 1, true)
    assert.matches('split "NAME" takes { branch = share, ... }, not a number', whys[3], 1, true)
    assert.matches("split takes a name before its shares", whys[4], 1, true)
    assert.matches("the shares are too big", whys[5], 1, true)
  end)
end)

describe("workers", function()
  local FLOW = [[
    wait(random(1, 100000))
    local branch = split "way" { a = 1, b = 2, c = 3 }
    if branch == "a" then drop("by " .. branch) end
    if random() < 0.2 then exit "tired" end
    call_api "tell" { via = "crm", POST = "/", json = { id = uuid() }, on_failure = "continue" }
    wait_until "mon 09:00"
    person.dice = random(6)
    say(person.id, now(), random(), uuid(), person.dice, branch)
  ]]

  local function with(workers, seed)
    return run { flow = FLOW, people = 300, workers = workers, seed = seed, "--vendor-fail=10%" }
  end

  it("change nothing: funnel, dice, ids and times are those of the seed", function()
    local one, four = with(1), with(4)
    assert.same(journeys.sorted(one.said), journeys.sorted(four.said))
    assert.is_true(#one.said > 50)
    for _, run_ in ipairs { one, four } do run_.seconds, run_.median_ms, run_.p99_ms = nil, nil, nil end
    for _, field in ipairs { "elements", "exits", "entered", "completed", "dropped", "exited", "held", "calls", "attempts" } do
      assert.same(one[field], four[field])
    end
  end)

  it("give other dice for another seed, and without one", function()
    local flow = { flow = "say(random(), uuid())", people = 1 }
    local function said(seed)
      flow.seed = seed
      return run(flow).said[1]
    end
    assert.equal(said(1), said(1))
    assert.not_equal(said(1), said(2))
    assert.not_equal(said(false), said(false))
  end)

  it("give each person dice of their own", function()
    local seen = {}
    for _, line in ipairs(run({ flow = "say(uuid())", people = 500 }).said) do
      assert.is_nil(seen[line])
      assert.matches("^%x+%-%x%x%x%x%-4%x%x%x%-[89ab]%x%x%x%-%x+$", line)
      seen[line] = true
    end
  end)
end)

describe("random", function()
  it("stays within its bounds", function()
    local all = run {
      flow = [[
        local sides = {}
        for _ = 1, 600 do
          local x, die, range = random(), random(6), random(-2, 2)
          assert(x >= 0 and x < 1)
          assert(math.type(die) == "integer" and die >= 1 and die <= 6)
          assert(range >= -2 and range <= 2)
          sides[die] = true
        end
        assert(#sides == 6 and random(3, 3) == 3 and math.random(1) == 1)
        random(math.mininteger, math.maxinteger)
      ]],
    }
    assert.equal(1, all.completed, all.err)
  end)

  it("refuses an empty range in words", function()
    assert.matches("random(m, n) needs m <= n", held_each({ "random(2, 1)" })[1], 1, true)
  end)
end)
