-- Where a flow can pause: in coroutines of its own, in pcall and metamethods; and where it can't, which is said in words.

local journeys = require "journeys"

local run, held, held_each, element = journeys.run, journeys.held, journeys.held_each, journeys.element

local CRM = {
  ["vendor.lua"] = [[return { crm = {
    ["POST /echo"] = function(request) return 200, request.json end,
    ["POST /broken"] = function() return 503, "" end,
  } }]],
}

-- What a flow says that has to complete.
local function said(flow, options)
  options = options or {}
  options.flow, options.files = flow, CRM
  local all = run(options)
  assert.equal(all.entered, all.completed, all.err)
  return all.said, all
end

describe("a coroutine of the script's own", function()
  it("lets waits and calls through", function()
    local lines, all = said [[
      local before = now()
      local co = coroutine.create(function(a, b)
        wait "1h"
        local got = call_api "echo" { via = "crm", POST = "/echo", json = { sum = a + b } }
        return got.json.sum, coroutine.status(coroutine.running())
      end)
      say(coroutine.resume(co, 1, 2))
      say(coroutine.status(co), now() - before)
      say(coroutine.resume(co))
    ]]
    assert.same({ "true\t3\trunning", "dead\t3600.0", "false\tcannot resume dead coroutine" }, lines)
    assert.equal(1, all.calls)
    assert.equal(1, element(all, "echo").went_on)
  end)

  it("tells the engine's yields from its own", function()
    local lines = said [[
      local numbers = coroutine.wrap(function(first)
        local given = first
        for i = 1, 3 do
          wait "1h"
          given = coroutine.yield(i, given)
          wait "1h"
        end
        return "end", given
      end)
      say(numbers "a") say(numbers "b") say(numbers "c") say(numbers "d")
    ]]
    assert.same({ "1\ta", "2\tb", "3\tc", "end\td" }, lines)
  end)

  it("may take events and send people away", function()
    local all = run {
      flow = [[
        local got = coroutine.wrap(function() return wait_for("paid", { within = "1d" }) end)()
        say(got.n)
        coroutine.wrap(function() pcall(function() drop "inside" end) say "went on" end)()
        say "went on"
      ]],
      events = { { person = "ada", name = "paid", time = "+1h", data = { n = 5 } } },
    }
    assert.same({ "5" }, all.said)
    assert.equal(1, all.dropped)
  end)

  it("may stand in another, many deep", function()
    local lines, all = said [[
      local function nest(depth)
        if depth == 0 then
          wait "1h"
          return call_api "echo" { via = "crm", POST = "/echo", json = { n = 1 } }.json.n
        end
        return coroutine.wrap(nest)(depth - 1) + 1
      end
      say(nest(100))
    ]]
    assert.same({ "101" }, lines)
    assert.equal(1, all.calls)
  end)

  it("may not stand in others without end, and that is no crash", function()
    held { flow = "local function nest() return coroutine.wrap(nest)() end nest()" }
    local all = run {
      flow = [[
        local function nest(depth)
          local guard <close> = setmetatable({}, { __close = function() log("closed", { depth = depth }) end })
          if depth == 0 then drop "deep inside" end
          coroutine.wrap(nest)(depth - 1)
        end
        nest(100)
      ]],
    }
    assert.equal(1, all.dropped)
    for _, depth in ipairs { 0, 50, 100 } do assert.matches(('ada: closed {"depth":%d}'):format(depth), all.err, 1, true) end
  end)

  it("that fails after a wait gives its error to resume, and raises it from wrap", function()
    local lines = said [[
      local co = coroutine.create(function() wait "1h"
        error "oh dear" end)
      say(coroutine.resume(co))
      say(coroutine.status(co))
      say(pcall(coroutine.wrap(function() wait "1h" error({ code = 7 }) end)) == false)
      local ok, why = pcall(coroutine.wrap(function() wait "1h" error({ code = 7 }) end))
      say(ok, why.code)
    ]]
    assert.matches("^false\t.*t.lua:2: oh dear$", lines[1])
    assert.same({ "dead", "true", "false\t7" }, { lines[2], lines[3], lines[4] })
    local why = held { flow = "coroutine.wrap(function() wait '1h'\n coroutine.wrap(function() wait '1h'\n error 'oh dear' end)() end)()" }
    assert.matches("t.lua:3: oh dear", why, 1, true)
  end)

  it("that fails in a call is dropped with its person", function()
    local all = run {
      flow = [[pcall(coroutine.wrap(function() call_api "no" { via = "crm", POST = "/broken" } end)) say "went on"]], files = CRM,
    }
    assert.equal(1, all.dropped)
    assert.same({ status = 1 }, element(all, "no").reasons)
    assert.same({}, all.said)
  end)

  it("can be closed, with its <close> variables, after it waited", function()
    local lines = said [[
      local co = coroutine.create(function()
        local guard <close> = setmetatable({}, { __close = function() say "closed" end })
        wait "1h"
        coroutine.yield "here"
        say "never"
      end)
      say(coroutine.resume(co))
      say(coroutine.close(co), coroutine.status(co))
    ]]
    assert.same({ "true\there", "closed", "true\tdead" }, lines)
  end)

  it("may be left behind, as may be hundreds", function()
    local lines = said([[
      local kept = {}
      for i = 1, 200 do
        kept[i] = coroutine.create(function() wait "1s" coroutine.yield() end)
        coroutine.resume(kept[i])
        kept[i - 1] = nil
      end
      say "done"
    ]], { people = 20 })
    assert.equal(20, #lines)
  end)

  it("knows itself and whether it can yield", function()
    local lines = said [[
      say(coroutine.isyieldable(), select(2, coroutine.running()))
      coroutine.wrap(function() say(coroutine.isyieldable(), select(2, coroutine.running())) end)()
    ]]
    assert.same({ "true\tfalse", "true\tfalse" }, lines)
  end)

  it("refuses what is no coroutine, in words", function()
    held_each {
      "coroutine.resume(5)", "coroutine.create(5)", "coroutine.wrap()", "coroutine.close('x')", "coroutine.status({})",
      "coroutine.resume()", "coroutine.yield(1)",
    }
    local lines = said "say(coroutine.resume(coroutine.running()))"
    assert.same({ "false\tcannot resume non-suspended coroutine" }, lines)
  end)
end)

describe("a coroutine that waits", function()
  -- It is parked while `where` is asked.
  local function asked(code, rest)
    return run {
      flow = ([[
        local flow = coroutine.running()
        local inner
        inner = coroutine.create(function()
          local got = wait_for("x", { where = function(e) %s return true end })
          return "got", got.n
        end)
        say(coroutine.resume(inner))
        %s
      ]]):format(code, rest or ""),
      events = { { person = "ada", name = "x", time = "+1h", data = { n = 5 } } },
    }
  end

  it("can't be resumed by a predicate", function()
    local all = asked("say(coroutine.resume(inner))")
    assert.same({ "false\tcannot resume a coroutine that waits: it goes on by itself", "true\tgot\t5" }, all.said)
    assert.equal(1, all.completed)
  end)

  it("is dead to the flow when a predicate closes it", function()
    local all = asked("say(coroutine.close(inner))")
    assert.same({ "true", "false\tcannot resume dead coroutine" }, all.said)
    assert.equal(1, all.completed)
  end)

  it("can't be closed, nor resumed, where the flow itself runs in it", function()
    local all = asked("say(pcall(coroutine.close, flow)) say(coroutine.resume(flow))")
    assert.equal(3, #all.said)
    assert.matches("cannot close the coroutine that the flow runs in", all.said[1], 1, true)
    assert.matches("^false\t", all.said[2])
    assert.equal("true\tgot\t5", all.said[3])
    assert.equal(1, all.completed)
  end)

  it("can't be resumed by <close> when its run ends", function()
    local all = run {
      fields = "goal = 'paid',",
      flow = [[
        local inner
        local guard <close> = setmetatable({}, { __close = function() log(tostring(select(2, coroutine.resume(inner)))) end })
        inner = coroutine.create(function()
          call_api "try" { via = "crm", POST = "/broken", retry = { attempts = 9, base = "10h", cap = "20h" } }
          log "went on"
        end)
        coroutine.resume(inner)
        log "went on"
      ]],
      events = { { person = "ada", name = "paid", time = "+1s" } }, files = CRM,
    }
    assert.equal(1, all.exited)
    assert.matches("ada: cannot resume", all.err, 1, true)
    assert.is_nil(all.err:find("went on", 1, true))
  end)
end)

describe("a flow can pause", function()
  it("in pcall and xpcall, which see errors that come after it", function()
    local lines = said [[
      say(pcall(wait, "1h"))
      say(pcall(function() wait "1h" error("late", 0) end))
      say(xpcall(function() wait "1h" error("late", 0) end, function(why) return "handled " .. why end))
    ]]
    assert.same({ "true", "false\tlate", "false\thandled late" }, lines)
  end)

  it("in iterators, metamethods and <close> of a block", function()
    local lines = said [[
      local function pause(value) wait "1h" return value end
      local odd = setmetatable({}, {
        __index = function(_, name) return pause(name) end, __add = function() return pause(3) end,
        __call = function(_, x) return pause(x) end, __lt = function() return pause(true) end,
        __concat = function() return pause "joined" end, __len = function() return pause(7) end,
        __eq = function() return pause(true) end, __newindex = function(t, k, v) rawset(t, k, pause(v)) end,
      })
      odd.set = "later"
      say(odd.field, odd + 1, odd(5), odd < odd, odd .. "", #odd, odd == setmetatable({}, getmetatable(odd)), odd.set)
      for x in function(_, last) if last ~= 2 then return pause((last or 0) + 1) end end do say(x) end
      do local guard <close> = setmetatable({}, { __close = function() pause() say "closed" end }) end
      say "end"
    ]]
    assert.same({ "field\t3\t5\ttrue\tjoined\t7\ttrue\tlater", "1", "2", "closed", "end" }, lines)
  end)

  it("in a module that is required on the way", function()
    local lines = said([[say(require("slow").value)]])
    assert.same({ "5" }, lines)
  end)

  CRM["slow.lua"] = [[wait "1h" return { value = 5 }]]
end)

describe("a flow can't pause", function()
  local PLACES = {
    ["a sort's comparator"] = "table.sort({ 3, 2, 1 }, function(a, b) %s return a < b end)",
    ["gsub's callback"] = "('abc'):gsub('%%w', function() %s end)",
    ["__tostring"] = "tostring(setmetatable({}, { __tostring = function() %s return 'x' end }))",
    ["__tostring in print"] = "print(setmetatable({}, { __tostring = function() %s return 'x' end }))",
    ["a coroutine in a sort's comparator"] = "table.sort({ 3, 2, 1 }, function(a, b) coroutine.wrap(function() %s end)() return a < b end)",
  }
  local ACTS = {
    wait = "wait '1h'", wait_until = "wait_until '09:00'", wait_for = "wait_for 'x'",
    call_api = "call_api { GET = 'https://crm.example.com/' }", drop = "drop()", exit = "exit()",
  }

  it("where Lua itself can't, and says so", function()
    local flows, names = {}, {}
    for _, place in pairs(PLACES) do
      for name, act in pairs(ACTS) do
        flows[#flows + 1], names[#names + 1] = place:format(act), name
      end
    end
    for i, why in ipairs(held_each(flows)) do
      assert.matches(names[i] .. " can't pause here: it is called from inside a function that can't be paused", why, 1, true)
    end
  end)

  it("where Lua itself can't, but may go on after it", function()
    local lines, all = said [[
      say(pcall(table.sort, { 3, 2, 1 }, function() wait "1h" end) == false)
      wait "1h"
      say(coroutine.wrap(function() wait "1h" return "fine" end)())
    ]]
    assert.same({ "true", "fine" }, lines)
    assert.same({ 2, 2 }, { element(all, "wait 1h").reached, element(all, "wait 1h").went_on })
  end)

  it("in predicates and payloads, which may look at the person and the time", function()
    local files = { ["payloads/bad.lua"] = [[return function() wait "1h" return {} end]],
      ["payloads/good.lua"] = [[return function(person) return { id = person.id, at = now() } end]] }
    local options = { files = files }
    local whys = held_each({
      "call_api { via = 'crm', POST = '/', only_if = function() wait '1h' end }",
      "call_api { via = 'crm', POST = '/', success = function() random() end }",
      "call_api { via = 'crm', POST = '/', success = function() person.x = 1 end }",
      "call_api { via = 'crm', POST = '/', payload = 'bad' }",
      "call_api { via = 'crm', POST = '/', only_if = function() call_api 'x' end }",
    }, options)
    for i, name in ipairs { "wait", "random", "a write to person", "wait", "call_api" } do
      assert.matches(name .. " can't be used in a predicate or a payload", whys[i], 1, true)
    end
    local all = run {
      flow = [[
        local got = call_api "ask" { via = "crm", POST = "/", payload = "good",
          only_if = function(who) return who.id == "ada" and now() > 0 end, success = function(r) return r.ok and person.id == "ada" end }
        say(got.ok)
      ]],
      files = files,
    }
    assert.same({ "true" }, all.said)
  end)
end)

describe("call_api \"NAME\" without its braces", function()
  it("is an error at the next primitive, and at the end", function()
    local flows = {
      "call_api 'a' wait '1h'", "call_api 'a' call_api 'b' { via = 'crm', GET = '/' }", "call_api 'a' drop()",
      "local later = call_api 'a'\twait_for 'x'", "call_api 'a'", "coroutine.wrap(function() call_api 'a' end)()",
    }
    local words = {
      "call_api \"a\" has no braces before this wait: call_api \"a\" { ... }", "has no braces before this call_api",
      "has no braces before this drop", "has no braces before this wait_for",
      "call_api \"a\" stands without its braces: call_api \"a\" { ... }",
      "call_api \"a\" stands without its braces",
    }
    for i, why in ipairs(held_each(flows)) do assert.matches(words[i], why, 1, true) end
  end)

  it("does not reach into another person's flow", function()
    local all = run { flow = "if person.id == 'bad' then call_api 'a' end wait '1h'", people = { "bad", "good" }, workers = 1 }
    assert.same({ 1, 1 }, { all.held, all.completed })
  end)

  it("takes what the vocabulary gives within the braces", function()
    local lines = said([[
      local got = call_api "echo" {
        via = "crm", POST = "/echo", headers = { ["X-Key"] = secret "KEY" },
        json = { id = uuid(), at = now(), die = random(6), zone = env("NO_SUCH_NAME", "none"), way = split "way" { a = 1 } },
      }
      say(got.json.zone, got.json.way, got.json.at == now())
    ]])
    assert.same({ "none\ta\ttrue" }, lines)
  end)
end)
