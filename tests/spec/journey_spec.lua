-- What a journey promises about people: the ledger, the funnel, how they leave, and what is a mistake of ours.

local helper = require "helper"
local journey = require "jaunt.worker.journey"
local journeys = require "journeys"
local json = require "json"

local run, held, held_each, element = journeys.run, journeys.held, journeys.held_each, journeys.element

describe("a journey without anybody", function()
  it("ends well, with an empty ledger and an empty funnel", function()
    local none = run { flow = "wait '2h'", people = {} }
    assert.equal(0, none.code)
    assert.equal(0, none.entered)
    assert.same(json.array {}, none.elements)
    assert.equal(0, none.calls)
  end)
end)

describe("an element's name", function()
  it("has at most 200 bytes, however it comes about", function()
    local long, fits = ("n"):rep(201), ("n"):rep(200)
    for flow, primitive in pairs {
      [("call_api '%s' { via = 'crm', GET = '/' }")] = "call_api", [("call_api { via = 'crm', GET = '/%s' }")] = "call_api",
      ["split '%s' { a = 1 }"] = "split", ["wait_for '%s'"] = "wait_for",
    } do
      assert.matches(primitive .. ": an element's name has at most 200 bytes, not 2%d%d: give \"",
        held { flow = flow:format(long) })
    end
    assert.equal(1, run({ flow = ("split '%s' { a = 1 }"):format(fits) }).completed)
    assert.matches('give "äää', held { flow = ("split '%s' { a = 1 }"):format(("ä"):rep(150)) })
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

describe("a journey over many people with nothing but waits", function()
  it("brings everybody through, in a ledger that adds up", function()
    local count = helper.is_sanitized() and 2000 or 20000 -- the thread sanitizer remembers every pause
    local many = run { flow = "wait '2h'\nwait_until '18:00'\nwait(90)", people = count }
    assert.equal(count, many.entered)
    assert.equal(count, many.completed)
    assert.same({ "wait 2h", "wait_until 18:00", "wait 1m 30s" },
      { many.elements[1].name, many.elements[2].name, many.elements[3].name })
    for _, each in ipairs(many.elements) do assert.same({ count, count }, { each.reached, each.went_on }) end
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

  it("let nothing but log work in <close>, say so, and the outcome stays", function()
    local people = { "call_api", "wait", "exit", "a write to person", "wait_for", "split" }
    local gone = run {
      head = [[local acts = {
        call_api = function() call_api 'late' { via = 'crm', GET = '/' } end, wait = function() wait '1h' end,
        exit = function() exit() end, ["a write to person"] = function(person) person.x = 1 end,
        wait_for = function() wait_for 'x' end, split = function() split 'x' { a = 1 } end,
      }]],
      flow = [[
        local guard <close> = setmetatable({}, { __close = function() acts[person.id](person) say "worked" end })
        drop "enough"
      ]],
      people = people,
    }
    assert.equal(#people, gone.dropped)
    assert.equal(0, gone.calls)
    assert.same({}, gone.said)
    for _, name in ipairs(people) do
      assert.matches("t.lua:%d+: " .. name .. " can't be used in <close> of a run that ends: only log works there", gone.err)
    end
  end)

  it("take no reason as well", function()
    local gone = run { flow = "if person.id == 'd' then drop() else exit() end", people = { "d", "e" } }
    assert.same({ 1, 1 }, { gone.dropped, gone.exited })
  end)
end)

describe("a journey's declaration", function()
  -- What is wrong with journey "t" { definition }.
  local function wrong(definition)
    local ok, why = pcall(journey.check, journey.declare "t"(definition))
    assert.is_false(ok)
    return why
  end
  local function flow() end

  it("names the nearest field for an unknown one", function()
    assert.equal('journey "t": there is no field flwo; did you mean flow?', wrong { flwo = flow })
    assert.matches("there is no field exit_no; did you mean exit_on?", wrong { exit_no = "x", flow = flow }, 1, true)
    assert.matches("goal has no field wher; did you mean where?", wrong { goal = { "x", wher = flow }, flow = flow }, 1, true)
    assert.matches("exit_on has no field wher; did you mean where?", wrong { exit_on = { "x", wher = flow }, flow = flow }, 1, true)
    assert.matches("did you mean where?", wrong { exit_on = { "a", { "x", wher = flow } }, flow = flow }, 1, true)
  end)

  it("wants a flow", function()
    assert.matches("flow is missing", wrong { starts_on = "x" }, 1, true)
    assert.matches("flow is missing", wrong { flow = "x" }, 1, true)
  end)

  it("wants durations that are some", function()
    assert.matches('goal: within: "soon" is no duration', wrong { goal = { "x", within = "soon" }, flow = flow }, 1, true)
    assert.matches("goal: within is a duration", wrong { goal = { "x", within = {} }, flow = flow }, 1, true)
    assert.matches("exit_on: within", wrong { exit_on = { { "x", within = "1x" } }, flow = flow }, 1, true)
  end)

  it("wants a share for control", function()
    for _, share in ipairs { "lots", 2, -0.1, "101%", true, 0 / 0 } do
      assert.matches("control is a share such as \"10%\"", wrong { control = share, flow = flow }, 1, true)
    end
    assert.equal(0.1, journey.check(journey.declare "t" { control = "10%", flow = flow }).control)
  end)

  it("wants events in one of their forms", function()
    assert.matches("goal is an event's name", wrong { goal = 5, flow = flow }, 1, true)
    assert.matches("where is a function", wrong { goal = { "x", where = 1 }, flow = flow }, 1, true)
    assert.matches("exit_on is an event's name", wrong { exit_on = { 1 }, flow = flow }, 1, true)
    assert.matches("exit_on is an event's name", wrong { exit_on = {}, flow = flow }, 1, true)
  end)
end)

describe("a script that can't be loaded", function()
  -- Nobody is let in; returns what is said about it.
  local function refused(text, files)
    local done = journeys.try { text = text, files = files }
    assert.equal(2, done.code, done.err)
    assert.equal("", done.out)
    return done.err
  end

  it("is refused with the declaration's mistake", function()
    assert.matches('journeys/t.lua: journey "t": there is no field flwo; did you mean flow?',
      refused 'return journey "t" { flwo = function() end }', 1, true)
  end)

  it("is refused when it returns nothing", function()
    assert.matches('journeys/t.lua: it returns no journey: its last line is return journey "NAME" { … }\n',
      refused 'journey "t" { flow = print }', 1, true)
  end)

  it("tells a syntax error with file and line", function()
    assert.matches("journeys/t.lua:2: ", refused 'return journey "t" { flow = function()\n wait wait "2h" end }', 1, true)
    assert.matches("journeys/t.lua:1: ", refused 'return journey "t" { flow = function() end } end', 1, true)
    assert.matches("helpers.lua:1: ", refused('local h = require "helpers" return journey "t" { flow = print }',
      { ["helpers.lua"] = "retrun 1" }), 1, true)
  end)

  it("tells an error with file and line", function()
    assert.matches("journeys/t.lua:2: oh dear", refused 'local x\nerror "oh dear"\nreturn journey "t" { flow = print }', 1, true)
  end)

  it("can't act while it is loaded", function()
    for _, code in ipairs { 'wait "1h"', 'call_api { GET = "https://x.example" }', "random()", 'split "x" { a = 1 }' } do
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
    held_each {
      "error()", "error(nil)", "error({ code = 1 })", "error(setmetatable({}, { __tostring = function() return 'odd' end }))",
      "error(setmetatable({}, { __tostring = function() error 'worse' end }))",
      "error(setmetatable({}, { __tostring = function() return 5 end }))",
      "error(setmetatable({}, { __tostring = function() wait '1h' end }))",
      "error(person)", "error(print)", "local function deep() return 1 + deep() end deep()", "coroutine.yield()",
      "error(('x'):rep(100000))", "error('\\0\\1\\255')",
    }
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
