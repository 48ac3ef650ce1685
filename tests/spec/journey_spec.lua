-- What a journey promises about people: the ledger, how they leave, what they see of themselves, and that nobody sees
-- anybody else.

local helper = require "helper"
local journeys = require "journeys"
local json = require "json"

local run, held, element = journeys.run, journeys.held, journeys.element

describe("a journey without anybody", function()
  it("ends well, with an empty ledger and an empty funnel", function()
    local none = run { flow = "wait '2h'", people = {} }
    assert.equal(0, none.code)
    assert.equal(0, none.entered)
    assert.same(json.array {}, none.elements)
    assert.equal(0, none.calls)
  end)
end)

describe("a journey over one person", function()
  it("completes when its flow ends", function()
    local one = run { flow = "wait '2h'" }
    assert.equal(1, one.entered)
    assert.equal(1, one.completed)
    local waited = element(one, "wait 2h")
    assert.same({ 1, 1, 0, 0 }, { waited.reached, waited.went_on, waited.dropped, waited.held })
  end)
end)

describe("a journey over 20,000 people with nothing but waits", function()
  it("brings everybody through, in a ledger that adds up", function()
    local many = run { flow = "wait '2h' wait_until '18:00' wait(90)", people = 20000 }
    assert.equal(20000, many.entered)
    assert.equal(20000, many.completed)
    assert.same({ "wait 2h", "wait_until 18:00", "wait 1m30s" },
      { many.elements[1].name, many.elements[2].name, many.elements[3].name })
    for _, each in ipairs(many.elements) do assert.same({ 20000, 20000 }, { each.reached, each.went_on }) end
  end)
end)

describe("the funnel", function()
  local FLOW = [[
    wait "1h"
    if person.way == "drop" then drop "no way" end
    if person.way == "exit" then exit "had enough" end
    if person.way == "hold" then error "oh dear" end
    if person.way == "park" then wait_for "godot" end
    wait "2h"
  ]]
  local people = {}
  for way, count in pairs { drop = 3, exit = 4, hold = 2, park = 5, on = 6 } do
    for i = 1, count do people[#people + 1] = { id = way .. i, way = way } end
  end
  local all

  setup(function() all = run { flow = FLOW, people = people } end)

  it("counts each outcome once", function()
    assert.same({ 20, 6, 3, 4, 2, 5 }, { all.entered, all.completed, all.dropped, all.exited, all.held, all.waiting })
  end)

  it("stands in the order of the script", function()
    local names = {}
    for i, each in ipairs(all.elements) do names[i] = each.name end
    assert.same({ "wait 1h", "drop", "exit", "wait_for godot", "wait 2h" }, names)
  end)

  it("gives each element what it did to people, with reasons", function()
    local drops = element(all, "drop")
    assert.same({ 3, 0, 3, 0 }, { drops.reached, drops.went_on, drops.dropped, drops.held })
    assert.same({ drop = 3 }, drops.reasons)
    assert.same("no way", drops.details[1].detail)
    local first = element(all, "wait 1h")
    assert.same({ 20, 20, 0, 2 }, { first.reached, first.went_on, first.dropped, first.held })
    assert.same({ script = 2 }, first.reasons)
    assert.matches("oh dear", first.details[1].detail)
    assert.equal(5, element(all, "wait_for godot").reached)
    assert.equal(0, element(all, "wait_for godot").went_on)
  end)

  it("tells why people exited", function()
    assert.same({ exit = 4 }, all.exits)
  end)
end)

describe("drop and exit", function()
  it("can't be caught", function()
    local gone = run {
      flow = [[
        local ok = pcall(function() if person.id == "d" then drop "now" else exit "now" end end)
        say("survived", ok)
        xpcall(function() drop "again" end, function() say("handler") end)
        say "still here"
      ]],
      people = { "d", "e" },
    }
    assert.same({ 1, 1, 0 }, { gone.dropped, gone.exited, gone.completed })
    assert.same({}, gone.said)
  end)

  it("can't be caught in a coroutine of the script's own", function()
    local gone = run {
      flow = [[
        local ok = coroutine.resume(coroutine.create(function() pcall(drop, "inside") end))
        say("survived", ok)
      ]],
    }
    assert.equal(1, gone.dropped)
    assert.same({}, gone.said)
  end)

  it("run <close> variables, the last one first, and log works there", function()
    local gone = run {
      flow = [[
        local first <close> = setmetatable({}, { __close = function() log("closed", { order = 2 }) end })
        pcall(function()
          local second <close> = setmetatable({}, { __close = function() log("closed", { order = 1 }) end })
          drop "enough"
        end)
      ]],
    }
    assert.equal(1, gone.dropped)
    assert.matches('ada: closed {"order":1}\nada: closed {"order":2}\n', gone.err, 1, true)
  end)

  it("run <close> variables in coroutines of the script's own, from the inside out", function()
    local gone = run {
      flow = [[
        local outer <close> = setmetatable({}, { __close = function() log "closed outside" end })
        coroutine.wrap(function()
          local inner <close> = setmetatable({}, { __close = function() log "closed inside" end })
          coroutine.wrap(function()
            local innermost <close> = setmetatable({}, { __close = function() log "closed innermost" end })
            exit "enough"
          end)()
        end)()
      ]],
    }
    assert.equal(1, gone.exited)
    assert.matches("ada: closed innermost\nada: closed inside\nada: closed outside\n", gone.err, 1, true)
  end)

  for name, code in pairs {
    call_api = "call_api 'late' { via = 'crm', GET = '/' }", wait = "wait '1h'", exit = "exit()",
    ["a write to person"] = "person.x = 1", wait_for = "wait_for 'x'", split = "split 'x' { a = 1 }",
  } do
    it(("refuse %s in <close>, in words, and the outcome stays"):format(name), function()
      local gone = run {
        flow = ([[
          local guard <close> = setmetatable({}, { __close = function() %s say "worked" end })
          drop "enough"
        ]]):format(code),
      }
      assert.equal(1, gone.dropped)
      assert.equal(0, gone.calls)
      assert.same({}, gone.said)
      assert.matches("t.lua:%d+: " .. name .. " can't be used in <close> of a run that ends: only log works there", gone.err)
    end)
  end

  it("take no reason as well", function()
    local gone = run { flow = "if person.id == 'd' then drop() else exit() end", people = { "d", "e" } }
    assert.same({ 1, 1 }, { gone.dropped, gone.exited })
  end)
end)

describe("person", function()
  it("shows later what was written", function()
    local seen = run {
      flow = [[
        person.tier = "gold" person.points = 12345678901234567 person.name = nil
        wait "1d"
        say(person.tier, person.points, person.name, person.id)
      ]],
      people = { { id = "ada", name = "Ada" } },
    }
    assert.same({ "gold\t12345678901234567\tnil\tada" }, seen.said)
  end)

  it("keeps its id", function()
    assert.matches("t.lua:1: person.id can't be changed: it names the person", (held { flow = "person.id = 'eve'" }), 1, true)
    assert.matches("person.id can't be changed", (held { flow = "person['i' .. 'd'] = nil" }), 1, true)
  end)

  it("can't be changed inside of a value", function()
    for _, flow in ipairs {
      "person.cart.total = 1", "person.cart.items[1].sku = 'x'", "person.cart.items[2] = {}",
      "for _, item in pairs(person.cart.items) do item.sku = 'x' end", "table.insert(person.cart.items, {})",
    } do
      assert.matches("what lies inside a value of person is read-only", (held {
        flow = flow, people = { { id = "ada", cart = { total = 3, items = { { sku = "a" } } } } },
      }), 1, true)
    end
  end)

  it("can't be changed around its rules", function()
    for _, flow in ipairs {
      "rawset(person, 'id', 'eve')", "rawset(person.cart, 'total', 1)", "setmetatable(person, {})",
      "getmetatable(person).__index = nil",
    } do
      held { flow = flow, people = { { id = "ada", cart = { total = 3 } } } }
    end
  end)

  it("copies a table that is written", function()
    local seen = run {
      flow = [[
        local cart = { items = { "a" } }
        person.cart = cart
        cart.items[1], cart.total = "changed", 5
        wait "1h"
        say(person.cart.items[1], person.cart.total)
        person.again = person.cart
        say(person.again.items[1], #person.again.items)
      ]],
    }
    assert.same({ "a\tnil", "a\t1" }, seen.said)
  end)

  it("reads JSON's null as nothing", function()
    local seen = run {
      flow = [[
        say(person.nothing, person.cart.nothing)
        local names = {}
        for name in pairs(person) do names[#names + 1] = name end
        table.sort(names)
        say(table.concat(names, " "))
      ]],
      people = { { id = "ada", nothing = json.null, cart = { nothing = json.null } } },
    }
    assert.same({ "nil\tnil", "cart id" }, seen.said)
  end)

  it("takes what JSON can hold, and names what it can't", function()
    for value, words in pairs {
      ["{ f = print }"] = "person.x.f is a function", ["print"] = "person.x is a function", ["0/0"] = "person.x is NaN",
      ["{ { deep = { 1, [3] = 2 } } }"] = "person.x[1].deep",
    } do
      assert.matches(words, (held { flow = ("person.x = %s"):format(value) }), 1, true)
    end
    assert.matches("attributes of person have names", (held { flow = "person[1] = 2" }), 1, true)
  end)

  it("is shown by its id", function()
    assert.same({ "person ada" }, run({ flow = "say(person)" }).said)
  end)
end)

describe("two people", function()
  local PEOPLE = { "a", "b", "c", "d", "e" }

  -- Everybody has to have said `expected`, though all were there at the same time and one after the other.
  local function all_say(expected, options)
    options.people = PEOPLE
    options.workers = 1
    local all = run(options)
    assert.equal(#PEOPLE, all.completed, all.err)
    local wanted = {}
    for i = 1, #PEOPLE do wanted[i] = expected end
    assert.same(wanted, all.said)
  end

  it("share no global", function()
    all_say("nil\tnil", { flow = [[say(seen, _G.other) seen, _G.other = person.id, 1 wait "1h" ]] })
  end)

  it("share no upvalue of the script", function()
    all_say("0\t0", {
      head = "local count, list = 0, {}",
      flow = [[say(count, #list) count = count + 1 list[1] = person.id wait "1h"]],
    })
  end)

  it("share no module's table, upvalue or global", function()
    all_say("0\t0\tnil", {
      head = "local counter = require 'counter'",
      flow = [[say(counter.count, counter.hidden(), require('counter').leak)
        counter.count, counter.leak = counter.count + 1, person.id
        counter.raise() wait "1h"]],
      files = {
        ["counter.lua"] = [[
          local hidden = 0
          return { count = 0, hidden = function() return hidden end, raise = function() hidden = hidden + 1 end }
        ]],
      },
    })
  end)

  it("share no payload's global or upvalue", function()
    local all = run {
      flow = [[
        local told = call_api "tell" { via = "crm", POST = "/", payload = "count" }
        say(told.json.seen)
        told = call_api "tell" { via = "crm", POST = "/", payload = "count" }
        say(told.json.seen)
      ]],
      files = {
        ["payloads/count.lua"] = [[
          local count = 0
          return function(person)
            count, shared = count + 1, (shared or 0) + 1
            return { seen = count + shared }
          end
        ]],
        ["vendor.lua"] = [[return { crm = { ["POST /"] = function(request) return 200, request.json end } }]],
      },
      people = PEOPLE, workers = 1,
    }
    assert.equal(#PEOPLE, all.completed, all.err)
    for _, line in ipairs(all.said) do assert.equal("2", line) end
    assert.equal(2 * #PEOPLE, #all.said)
  end)

  for _, name in ipairs { "string", "table", "math", "utf8", "os", "coroutine", "json" } do
    it(("can't leave anything in %s"):format(name), function()
      all_say("nil\tnil\tnil\tnil", {
        head = ("local library = %s"):format(name),
        flow = [[
          local _, found = pairs(library)
          say(library.leak, rawget(library, "leak"), type(found) == "table" and found.leak or nil, getmetatable(library) or nil)
          pcall(function() library.leak = person.id end)
          pcall(rawset, library, "leak", person.id)
          pcall(function() found.leak = person.id end)
          pcall(setmetatable, library, { __index = { leak = person.id } })
          pcall(table.insert, library, person.id)
        ]],
      })
    end)
  end

  it("can't leave anything in what they get from the vocabulary", function()
    all_say("nil\tnil\tnil\tnil\tnil", {
      flow = [[
        local function meta(value) return getmetatable(value) or {} end
        local got = call_api "tell" { via = "crm", GET = "/" }
        local array = json.array {}
        say(meta("").leak, meta(array).leak, meta(got).leak, meta(person).leak, meta(json.decode("[1]")).leak)
        for _, value in ipairs { "", array, got, person, json.decode("[1]") } do
          pcall(function() meta(value).leak = person.id end)
          pcall(rawset, meta(value), "leak", person.id)
        end
      ]],
    })
  end)
end)

describe("a journey's declaration", function()
  local function refused(text, files)
    local done = journeys.try { text = text, files = files }
    assert.equal(2, done.code, done.err)
    assert.equal("", done.out)
    return done.err
  end

  it("names the nearest field for an unknown one", function()
    assert.matches("journey \"t\": there is no field flwo; did you mean flow?",
      refused 'return journey "t" { flwo = function() end }', 1, true)
    assert.matches("there is no field exit_no; did you mean exit_on?",
      refused 'return journey "t" { exit_no = "x", flow = function() end }', 1, true)
    assert.matches("did you mean where?", refused 'return journey "t" { goal = { "x", wher = print }, flow = function() end }', 1, true)
    assert.matches("did you mean where?",
      refused 'return journey "t" { exit_on = { "x", wher = print }, flow = function() end }', 1, true)
    assert.matches("did you mean where?",
      refused 'return journey "t" { exit_on = { "a", { "x", wher = print } }, flow = function() end }', 1, true)
  end)

  it("wants a flow", function()
    assert.matches("flow is missing", refused 'return journey "t" { starts_on = "x" }', 1, true)
    assert.matches("flow is missing", refused 'return journey "t" { flow = "x" }', 1, true)
  end)

  it("wants durations that are some", function()
    assert.matches('goal: within: "soon"', refused 'return journey "t" { goal = { "x", within = "soon" }, flow = print }', 1, true)
    assert.matches("within", refused 'return journey "t" { goal = { "x", within = {} }, flow = print }', 1, true)
  end)

  it("wants a share for control", function()
    for _, share in ipairs { '"lots"', "2", "-0.1", '"101%"', "true", "0/0" } do
      assert.matches("control is a share such as \"10%\"",
        refused(('return journey "t" { control = %s, flow = print }'):format(share)), 1, true)
    end
  end)

  it("wants events in one of their forms", function()
    assert.matches("goal is an event's name", refused 'return journey "t" { goal = 5, flow = print }', 1, true)
    assert.matches("where is a function", refused 'return journey "t" { goal = { "x", where = 1 }, flow = print }', 1, true)
    assert.matches("exit_on is an event's name", refused 'return journey "t" { exit_on = { 1 }, flow = print }', 1, true)
    assert.matches("exit_on is an event's name", refused 'return journey "t" { exit_on = {}, flow = print }', 1, true)
  end)

  it("says when nothing is returned", function()
    local err = refused 'journey "t" { flow = print }'
    assert.matches('journeys/t.lua returns no journey: its last line is return journey "NAME" { … }', err, 1, true)
    assert.equal(select(2, err:gsub("t%.lua", "")), 1)
  end)

  it("tells a syntax error with file and line", function()
    assert.matches("journeys/t.lua:2: ", refused 'return journey "t" { flow = function()\n wait wait "2h" end }', 1, true)
    assert.matches("journeys/t.lua:1: ", refused 'return journey "t" { flow = function() end } end', 1, true)
    assert.matches("helpers.lua:1: ", refused('local h = require "helpers" return journey "t" { flow = print }',
      { ["helpers.lua"] = "retrun 1" }), 1, true)
  end)

  it("tells an error while it is loaded with file and line", function()
    assert.matches("journeys/t.lua:2: oh dear", refused 'local x\nerror "oh dear"\nreturn journey "t" { flow = print }', 1, true)
  end)

  it("can't act while it is loaded", function()
    for _, code in ipairs { 'wait "1h"', 'call_api { GET = "https://x.example" }', "random()", "now()", "drop()", 'split "x" { a = 1 }' } do
      assert.matches(("t.lua:1: %s works in a journey's flow, not while the script is loaded"):format(code:match("^[%w_]+")),
        refused(code .. ' return journey "t" { flow = print }'), 1, true)
    end
  end)

  it("names a module that is not there", function()
    assert.matches('there is no module "helpres"', refused 'local h = require "helpres" return journey "t" { flow = print }', 1, true)
  end)
end)

describe("a script error", function()
  it("holds the person with file and line, and is no drop", function()
    local why, all = held { flow = "wait '1h'\n local x = person.cart.total" }
    assert.matches("ada is held", why, 1, true)
    assert.matches(": script: ", why, 1, true)
    assert.matches("journeys/t.lua:2: attempt to index a nil value (field 'cart')", why, 1, true)
    assert.equal(0, all.dropped)
    assert.equal(0, all.code)
  end)

  it("may be caught", function()
    local all = run { flow = "say(pcall(function() error({ code = 7 }) end)) say(select(2, pcall(error, 'x', 0)))" }
    assert.equal(1, all.completed)
    assert.equal("x", all.said[2])
  end)

  it("of any kind holds the person", function()
    for _, flow in ipairs {
      "error()", "error(nil)", "error({ code = 1 })", "error(setmetatable({}, { __tostring = function() return 'odd' end }))",
      "error(setmetatable({}, { __tostring = function() error 'worse' end }))",
      "error(setmetatable({}, { __tostring = function() return 5 end }))",
      "error(setmetatable({}, { __tostring = function() wait '1h' end }))",
      "error(person)", "error(print)", "local function deep() return 1 + deep() end deep()", "coroutine.yield()",
      "error(('x'):rep(100000))", "error('\\0\\1\\255')",
    } do
      local _, all = held { flow = flow }
      assert.same({ script = 1 }, all.elements[1] and all.elements[1].reasons or { script = 1 })
    end
  end)

  it("in 20 people pauses admission, and the run ends and says so", function()
    local all = run { flow = "error 'a mistake of ours'", people = 5000, "--in-flight=30" }
    assert.is_true(all.held >= 20 and all.held <= 20 + 30, all.held .. " are held")
    assert.equal(all.held, all.entered)
    assert.matches("admission was paused: 20 people are held by script errors", all.err, 1, true)
  end)

  it("in 19 people does not", function()
    local all = run {
      flow = "if person.bad then error 'x' end",
      people = (function()
        local people = {}
        for i = 1, 100 do people[i] = { id = "p" .. i, bad = i <= 19 } end
        return people
      end)(),
      "--in-flight=10",
    }
    assert.same({ 19, 81 }, { all.held, all.completed })
    assert.is_nil(all.err:find("paused", 1, true))
  end)

  it("makes --strict fail", function()
    assert.equal(1, run({ flow = "error 'x'", "--strict" }).code)
    assert.equal(1, run({ flow = "drop()", "--strict" }).code)
    assert.equal(0, run({ flow = "exit()", "--strict" }).code)
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
    assert.matches("random(m, n) needs m <= n", (held { flow = "random(2, 1)" }), 1, true)
  end)
end)

describe("print and log", function()
  it("go to standard output, and under --json to standard error", function()
    local project = journeys.project {
      ["journeys/t.lua"] = [[return journey "t" { flow = function(person) print("one", 2, nil) log("three", { four = 4 }) end }]],
      ["people.csv"] = "id\nada\n",
    }
    local words = { "run", project .. "/journeys/t.lua", "--people", project .. "/people.csv" }
    local plain = helper.jaunt(table.unpack(words))
    assert.matches("\none\t2\tnil\nada: three {\"four\":4}\n", plain.out, 1, true)
    assert.is_nil(plain.err:find("three", 1, true))
    words[#words + 1] = "--json"
    local as_json = helper.jaunt(table.unpack(words))
    assert.matches("one\t2\tnil\nada: three {\"four\":4}\n", as_json.err, 1, true)
    assert.equal(1, json.decode(as_json.out).completed)
  end)
end)

describe("control people", function()
  it("are only watched: no call goes out for them, and they are counted", function()
    local all = run {
      fields = "control = '25%',",
      flow = "say(person.id) call_api 'tell' { via = 'crm', GET = '/' }", people = 2000,
    }
    assert.equal(2000, all.entered)
    assert.equal(2000, all.completed)
    assert.is_true(all.control > 400 and all.control < 600, all.control .. " of 2000 are control people")
    assert.equal(2000 - all.control, all.calls)
    assert.equal(2000 - all.control, #all.said)
  end)

  it("are the same ones in every run", function()
    local function others(options)
      options.fields, options.flow, options.people = "control = 0.5,", "say(person.id)", options.people or 100
      return journeys.sorted(run(options).said)
    end
    local backwards = {}
    for i = 1, 100 do backwards[i] = "p" .. 101 - i end
    local first = others { workers = 1 }
    assert.same(first, others { workers = 4, seed = 9 })
    assert.same(first, others { seed = false, people = backwards })
  end)

  it("wait as long as the goal may take, and leave when they reach it", function()
    local people, events = {}, {}
    for i = 1, 100 do people[i] = "p" .. i end
    for i = 1, 50 do events[i] = { person = "p" .. i, name = "bought", time = "+1d" } end
    local all = run {
      fields = "control = '100%', goal = { 'bought', within = '7d' },", flow = "say 'let in'", people = people, events = events,
    }
    assert.equal(100, all.control)
    assert.same({ 50, 50 }, { all.exited, all.completed })
    assert.same({ goal = 50 }, all.exits)
    assert.same({}, all.said)
    assert.equal(7 * 24 * 3600 * 1000, all.forecast.ms)
  end)

  it("are nobody at 0% and everybody at 100%", function()
    assert.equal(0, run({ fields = "control = '0%',", people = 200 }).control)
    assert.equal(200, run({ fields = "control = 1,", people = 200 }).control)
  end)
end)

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
    for _, branches in ipairs { "{ 50, 50 }", "{ a = 'half' }", "{ a = -1, b = 2 }", "{ a = true }", "{ a = 1/0 }", "{ a = 0/0 }" } do
      assert.matches("split takes shares by name, such as { plain = 50, funny = 50 }",
        (held { flow = "split 'x' " .. branches }), 1, true)
    end
    assert.matches("split needs at least one branch with a share above 0", (held { flow = "split 'x' { a = 0 }" }), 1, true)
    assert.matches("split needs at least one branch", (held { flow = "split 'x' {}" }), 1, true)
    assert.matches("split \"NAME\" takes { branch = share, ... }", (held { flow = "split 'x' (5)" }), 1, true)
    assert.matches("split takes a name", (held { flow = "split { a = 1 }" }), 1, true)
  end)
end)
