-- Events for people in a journey: wait_for, goal and exit_on, and what becomes of events that nobody can use.

local helper = require "helper"
local journeys = require "journeys"
local json = require "json"
local running = require "running"

local run, held, element = journeys.run, journeys.held, journeys.element

-- An event for ada; `data` is what the script sees.
local function event(time, name, data, id)
  return { person = "ada", name = name, time = time, data = data, id = id }
end

local CRM = { ["vendor.lua"] = [[return { crm = { ["POST /broken"] = function() return 503, "" end } }]] }

describe("wait_for", function()
  it("gives the event, and what the flow does next comes after it", function()
    local all = run {
      flow = [[local before = now() local got = wait_for("paid") say(got.amount, got.meta.name, now() - before)]],
      events = { event("+2h", "paid", { amount = 12345678901234567 }) },
    }
    assert.same({ "12345678901234567\tpaid\t7200.0" }, all.said)
    assert.same({ 1, 1 }, { element(all, "wait_for paid").reached, element(all, "wait_for paid").went_on })
    assert.equal(1, all.completed)
  end)

  it("gives nil when the time is over", function()
    local all = run {
      flow = [[local before = now() say(wait_for("paid", { within = "1h" }), now() - before)]],
      events = { event("+2h", "paid"), event("+10m", "other") },
    }
    assert.same({ "nil\t3600.0" }, all.said)
    assert.equal(1, all.lost_events)
  end)

  it("is over when its time is over, even for an event of that very moment", function()
    local people, events = {}, {}
    for i = 1, 200 do
      people[i] = "p" .. i
      events[i] = { person = "p" .. i, name = "paid", time = "+1h" }
    end
    local all = run { flow = [[say(wait_for("paid", { within = "1h" }))]], people = people, events = events, workers = 4 }
    assert.equal(200, #all.said)
    for _, line in ipairs(all.said) do assert.equal("nil", line) end
  end)

  it("takes the oldest event since entry that was not taken yet", function()
    local all = run {
      flow = [[
        wait "1d"
        for i = 1, 4 do
          local got = wait_for("paid", { within = "0s" })
          say(got and got.n)
        end
      ]],
      events = { event("+1h", "paid", { n = 1 }), event("+2h", "other", { n = 2 }), event("+3h", "paid", { n = 3 }),
        event("+4h", "paid", { n = 4 }) },
    }
    assert.same({ "1", "3", "4", "nil" }, all.said)
    assert.equal(0, all.lost_events)
  end)

  it("misses no event while the person is busy", function()
    local all = run {
      flow = [[
        call_api "slow" { via = "crm", POST = "/broken", retry = { attempts = 3, base = "10m" }, on_failure = "continue" }
        say(wait_for("paid").n, wait_for("paid").n)
      ]],
      events = { event("+0s", "paid", { n = 1 }), event("+1s", "paid", { n = 2 }) }, files = CRM,
    }
    assert.same({ "1\t2" }, all.said)
  end)

  it("takes in turn events of the same moment", function()
    local all = run {
      flow = "for i = 1, 3 do say(wait_for('paid').n) end",
      events = { event("+1h", "paid", { n = 1 }), event("+1h", "paid", { n = 2 }), event("+1h", "paid", { n = 3 }) },
    }
    assert.same({ "1", "2", "3" }, all.said)
  end)

  it("asks `where` with the event and the run's own, and passes over what does not match", function()
    local all = run {
      head = "local function same_cart(e, own) return e.cart == own.cart end",
      flow = [[
        say(wait_for("paid", { where = same_cart }).n)
        say(wait_for { "paid", where = same_cart, within = "10h" }.n)
        say(wait_for("paid", { within = "10h" }).n)
      ]],
      people = { { id = "ada", event = { cart = "c1" } } },
      events = { event("+1h", "paid", { cart = "c2", n = 1 }), event("+2h", "paid", { cart = "c1", n = 2 }),
        event("+3h", "paid", { cart = "c1", n = 3 }) },
    }
    assert.same({ "2", "3", "1" }, all.said)
  end)

  it("holds the person when its `where` fails, whether it is asked at once or later", function()
    local WHERE = [[wait_for("paid", { where = function(e)
      return e.cart.total > 5 end })]]
    for _, before in ipairs { "", "wait '1d' " } do
      local why, all = held { flow = before .. WHERE, events = { event("+1h", "paid") } }
      assert.matches("ada is held: script: ", why, 1, true)
      assert.matches("t.lua:2: attempt to index a nil value (field 'cart')", why, 1, true)
      assert.same({ script = 1 }, element(all, "wait_for paid").reasons)
      assert.equal(1, element(all, "wait_for paid").held)
    end
  end)

  it("waits on when nothing comes, and the ledger says so", function()
    local all = run { flow = "wait_for 'godot'", events = { event("+1h", "other") } }
    assert.equal(1, all.waiting)
    assert.equal(0, all.code)
    assert.equal(1, run({ flow = "wait_for 'godot'" }).waiting)
  end)

  it("names what it can't take", function()
    local flows = {
      "wait_for()", "wait_for {}", "wait_for(5)", "wait_for('x', '1h')", "wait_for('x', { where = 'y' })",
      "wait_for('x', { within = 'soon' })", "wait_for('x', { withn = '1h' })", "wait_for { 'x', 'y' }", "wait_for('x', { 'y' })",
    }
    local words = {
      "wait_for takes an event's name", "wait_for takes an event's name", "wait_for takes an event's name",
      "wait_for's second argument is a table { where =, within = }, not a string",
      "wait_for: where is a function(event, own_event)",
      'wait_for: within: "soon" is no duration', "wait_for knows no option withn; did you mean within?",
      "one thing without a name", "without a name",
    }
    for i, why in ipairs(journeys.held_each(flows)) do assert.matches(words[i], why, 1, true) end
  end)

  it("can't do anything in `where`", function()
    local acts = {
      "wait '1h'", "call_api { GET = 'https://x.example.com/' }", "drop()", "person.x = 1", "random()", "wait_for 'y'",
      "split 's' { a = 1 }",
    }
    local names = { "wait", "call_api", "drop", "a write to person", "random", "wait_for", "split" }
    local people, events, lines = {}, {}, {}
    for i, act in ipairs(acts) do
      people[i] = { id = "p" .. i, n = i }
      events[i] = { person = "p" .. i, name = "x", time = "+1h" }
      lines[i] = ("function(person) wait_for('x', { where = function() %s return true end }) end,"):format(act)
    end
    local all = run {
      head = "local cases = {" .. table.concat(lines, "\n") .. "}", flow = "cases[person.n](person)",
      people = people, events = events,
    }
    assert.equal(#acts, all.held)
    for i, name in ipairs(names) do
      assert.matches(("p%d is held: script: "):format(i), all.err, 1, true)
      assert.matches(("t.lua:%d: %s can't be used in a predicate or a payload"):format(i, name), all.err, 1, true)
    end
  end)
end)

describe("the event that let a person in", function()
  it("is there with its data and meta, and never nil", function()
    local all = run {
      fields = "starts_on = 'signed_up',",
      flow = "say(person.id, event.cart, event.meta.name, math.type(event.meta.time), #event.meta.id)",
      people = { { id = "ada", event = { cart = "c1" } }, { id = "eve" } },
    }
    assert.same({ "ada\tc1\tsigned_up\tfloat\t32", "eve\tnil\tsigned_up\tfloat\t32" }, journeys.sorted(all.said))
  end)

  it("differs from those that come later, each with its own id, name and time", function()
    local all = run {
      flow = [[local got = wait_for("paid") say(got.meta.id, got.meta.name, got.meta.time == now(), got.meta.time)]],
      events = { event("2026-01-05T09:30:00.250Z", "paid", nil, "e-17") },
    }
    assert.same({ "e-17\tpaid\ttrue\t1767605400.25" }, all.said)
  end)
end)

describe("a goal", function()
  local function exits_by_goal(options)
    options.fields = options.fields or "goal = 'paid',"
    options.events = options.events or { event("+30m", "paid") }
    options.flow = options.flow .. " say 'went on'"
    local all = run(options)
    assert.equal(1, all.exited, all.err)
    assert.same({ goal = 1 }, all.exits)
    assert.same({}, all.said)
    return all
  end

  it("ends a run that waits for a time", function()
    local all = exits_by_goal { flow = "wait '1d'" }
    assert.equal(30 * 60 * 1000, all.forecast.ms)
    assert.same({ 1, 0 }, { element(all, "wait 1d").reached, element(all, "wait 1d").went_on })
  end)

  it("ends a run that waits for another event, or for the same one", function()
    exits_by_goal { flow = "wait_for('other', { within = '1d' })" }
    exits_by_goal { flow = "wait_for('paid')" }
  end)

  it("ends a run in the pause between two attempts, and nothing more is sent", function()
    local all = exits_by_goal {
      flow = [[call_api "try" { via = "crm", POST = "/broken", retry = { attempts = 9, base = "10h", cap = "20h" } }]], files = CRM,
      events = { event("+1s", "paid") },
    }
    assert.equal(1, all.attempts)
    assert.same({ 1, 0, 0 }, { element(all, "try").reached, element(all, "try").dropped, element(all, "try").went_on })
  end)

  it("ends a run in a coroutine of its own", function()
    exits_by_goal { flow = "coroutine.wrap(function() pcall(wait, '1d') end)()" }
  end)

  it("runs <close> variables", function()
    local all = exits_by_goal {
      flow = [[local guard <close> = setmetatable({}, { __close = function() log "closed" end }) wait "1d"]],
    }
    assert.matches("ada: closed", all.err, 1, true)
  end)

  it("asks `where`, and counts only within its time", function()
    local fields = "goal = { 'paid', where = function(e, own) return e.cart == own.cart end, within = '2h' },"
    local people = { { id = "ada", event = { cart = "c1" } } }
    exits_by_goal { flow = "wait '1d'", fields = fields, people = people,
      events = { event("+1h", "paid", { cart = "c2" }), event("+2h", "paid", { cart = "c1" }) } }
    local all = run { flow = "wait '1d'", fields = fields, people = people,
      events = { event("+1h", "paid", { cart = "c2" }), event("+121m", "paid", { cart = "c1" }) } }
    assert.equal(1, all.completed)
  end)

  it("holds the person when its `where` fails", function()
    local why = held {
      flow = "wait '1d'", fields = "goal = { 'paid', where = function(e) return e.a.b end },", events = { event("+1h", "paid") },
    }
    assert.matches("ada is held: script: ", why, 1, true)
    assert.matches("t.lua:1: attempt to index a nil value (field 'a')", why, 1, true)
  end)

  it("in a call's pause holds the person when its `where` fails, and nothing more is sent", function()
    local _, all = held {
      flow = [[call_api "try" { via = "crm", POST = "/broken", retry = { attempts = 9, base = "10h", cap = "20h" } }]],
      fields = "goal = { 'paid', where = function(e) return e.a.b end },", events = { event("+1s", "paid") }, files = CRM,
    }
    assert.equal(1, all.attempts)
  end)

  it("is no matter of luck when it comes at the moment at which a wait ends", function()
    local people, events = {}, {}
    for i = 1, 200 do
      people[i] = "p" .. i
      events[i] = { person = "p" .. i, name = "paid", time = "+1h" }
    end
    local all = run { flow = "wait '1h'", fields = "goal = 'paid',", people = people, events = events, workers = 4 }
    assert.same({ 200, 0, 200 }, { all.completed, all.exited, all.lost_events })
  end)

  it("comes after all that an event before it did, even one of the same moment", function()
    local people, events = {}, {}
    for i = 1, 100 do
      people[i] = "p" .. i
      events[2 * i - 1] = { person = "p" .. i, name = "delivered", time = "+1h" }
      events[2 * i] = { person = "p" .. i, name = "paid", time = "+1h" }
    end
    local all = run { flow = "wait_for 'delivered'", fields = "goal = 'paid',", people = people, events = events, workers = 4 }
    assert.same({ 100, 0, 100 }, { all.completed, all.exited, all.lost_events })
  end)

  it("ends a call that is on the wire with that attempt: no other follows", function()
    local vendor = running.vendor("--latency", "2s", "--fail", "100%")
    local all = run {
      flow = [[call_api "try" { via = "shop", POST = "/x", retry = { attempts = 50, base = "1ms", cap = "2ms" } }]],
      fields = "goal = 'paid',", events = { event("+0s", "paid") }, "--live", "--yes",
      files = { ["connections.lua"] = ("return { shop = { base_url = %q, private_network = true } }"):format(vendor.url) },
    }
    vendor.stop()
    assert.equal(1, all.exited)
    assert.is_true(all.attempts <= 1, all.attempts .. " attempts")
  end)
end)

describe("exit_on", function()
  local function exits(fields, events)
    local all = run { fields = fields, flow = "wait '1d'", events = events, people = { { id = "ada", event = { cart = "c1" } } } }
    return all.exited, all.exits.exit_on
  end

  it("takes one name", function()
    assert.equal(1, (exits("exit_on = 'cancelled',", { event("+1h", "cancelled") })))
    assert.equal(0, (exits("exit_on = 'cancelled',", { event("+1h", "other") })))
  end)

  it("takes one event with `where` and `within`", function()
    local where = "exit_on = { 'cancelled', where = function(e, own) return e.cart == own.cart end },"
    assert.equal(1, (exits(where, { event("+1h", "cancelled", { cart = "c1" }) })))
    assert.equal(0, (exits(where, { event("+1h", "cancelled", { cart = "c2" }) })))
    local within = "exit_on = { 'cancelled', within = '2h' },"
    assert.equal(1, (exits(within, { event("+2h", "cancelled") })))
    assert.equal(0, (exits(within, { event("+3h", "cancelled") })))
  end)

  it("takes a list of both forms", function()
    local list = "exit_on = { 'cancelled', { 'returned', where = function(e) return e.all end }, 'died' },"
    for _, name in ipairs { "cancelled", "died" } do
      local count, reasons = exits(list, { event("+1h", name) })
      assert.same({ 1, 1 }, { count, reasons })
    end
    assert.equal(0, (exits(list, { event("+1h", "returned") })))
    assert.equal(1, (exits(list, { event("+1h", "returned", { all = true }) })))
  end)

  it("gives way to the goal, where an event is both", function()
    local all = run { fields = "goal = 'paid', exit_on = 'paid',", flow = "wait '1d'", events = { event("+1h", "paid") } }
    assert.same({ goal = 1 }, all.exits)
  end)

  it("holds the person when its `where` fails", function()
    local why = held {
      fields = "exit_on = { 'x', where = function() error 'oh dear' end },", flow = "wait '1d'", events = { event("+1h", "x") },
    }
    assert.matches("t.lua:1: oh dear", why, 1, true)
  end)
end)

describe("events that cannot be used", function()
  it("are told one by one at first, then counted, and counted in the report", function()
    local events = {}
    for i = 1, 100 do events[i] = "no JSON " .. i end
    events[101] = event("+1h", "paid")
    local all = run { flow = "wait_for 'paid'", events = events }
    assert.equal(1, all.completed)
    assert.equal(100, all.rejected_events)
    local _, told = all.err:gsub("events%.ndjson:%d+: ", "")
    assert.equal(20, told)
    assert.matches("… and 80 more rejected events\n", all.err)
  end)

  it("are none where there are none", function()
    assert.equal(0, run({ flow = "", events = { event("+1h", "paid") } }).rejected_events)
  end)
end)

describe("an event", function()
  it("for nobody is counted: for a stranger, and for someone who has left", function()
    local all = run {
      flow = "wait_for('paid')", events = { event("+1h", "paid"), event("+2h", "paid"), { person = "eve", name = "paid",
        time = "+3h" } },
    }
    assert.equal(2, all.lost_events)
    assert.equal(1, all.completed)
  end)

  it("reaches only its own person", function()
    local people, events = {}, {}
    for i = 1, 300 do people[i] = "p" .. i end
    for i = 1, 300 do events[i] = { person = "p" .. i, name = "paid", time = ("+%dm"):format(i), data = { who = "p" .. i } } end
    local all = run { flow = "say(person.id == wait_for('paid').who)", people = people, events = events, workers = 4 }
    assert.equal(300, #all.said)
    for _, line in ipairs(all.said) do assert.equal("true", line) end
  end)

  it("names a person by a number, too", function()
    local all = run {
      flow = "wait_for('paid')", people = { { id = 42 } }, events = { { person = 42, name = "paid", time = "+1h" } },
    }
    assert.equal(1, all.completed)
  end)

  it("of the past comes at once", function()
    local all = run { flow = "wait_for('paid') say(now())", events = { event("2020-01-01T00:00:00Z", "paid") } }
    assert.same({ "1767600000.0" }, all.said)
  end)

  it("has data of its own or none", function()
    local all = run {
      flow = "for i = 1, 2 do local got = wait_for('x') say(got.meta.name, got.list and #got.list) end",
      events = { { person = "ada", name = "x", time = "+1s", data = json.null }, event("+2s", "x", { list = { 1, 2 } }) },
    }
    assert.same({ "x\tnil", "x\t2" }, all.said)
  end)

  it("lies in a file with a byte order mark, CRLF and empty lines", function()
    local all = run {
      flow = "wait_for('x') wait_for('y')",
      events = { '\u{FEFF}{"person":"ada","name":"x","time":"+1s"}\r', "", "  \r", '{"person":"ada","name":"y","time":"+2s"}\r' },
    }
    assert.equal(1, all.completed, all.err)
  end)

  it("sets the start of a rehearsal, where it has a time of its own", function()
    local project = journeys.project {
      ["journeys/t.lua"] = journeys.script { flow = "say(now()) wait_for('x') say(now())" },
      ["people.csv"] = "id\nada\n",
      ["events.ndjson"] = '\u{FEFF}{"person":"ada","name":"x","time":"2026-11-25T10:00:00Z"}\n',
    }
    local done = helper.jaunt("run", project .. "/journeys/t.lua", "--people", project .. "/people.csv", "--events",
      project .. "/events.ndjson", "--json")
    assert.matches("said\t1795600800.0\nsaid\t1795600800.0\n", done.err, 1, true)
  end)

  it("that can't be used is told with its line, and does not come", function()
    local lines = {
      event("+1h", "x"), -- 1
      event("+30m", "x"), -- 2: out of order
      "{broken", -- 3
      '"text"', "[]", -- 4, 5
      { name = "x", time = "+2h" }, { person = "", name = "x", time = "+2h" }, -- 6, 7
      { person = "ada", time = "+2h" }, -- 8
      { person = "ada", name = "x" }, -- 9
      event("soon", "x"), event("+soon", "x"), event(1e300, "x"), event(-1, "x"), -- 10 to 13
      '{"person":"ada","name":"x","time":"+2h","data":[1]}', event("+2h", "x", "text"), -- 14, 15
      '{"person":"ada\\u0000","name":"x","time":"+2h"}', '{"person":"ada","name":"x\\u0000","time":"+2h"}', -- 16, 17
      event("+1h", "x"), -- 18: the same time is in order
    }
    local words = {
      [2] = "it is earlier than the event before it: events come in the order of their times", [4] = "it is no JSON object",
      [5] = "it is no JSON object", [6] = "it names no person", [7] = "it names no person", [8] = "it has no name",
      [9] = "it has no time",
      [10] = '"soon" is no time', [11] = '"soon" is no duration', [12] = "1e+300 is no time in seconds since 1970",
      [13] = "-1 is no time in seconds since 1970", [14] = "its data are no object", [15] = "its data are no object",
      [16] = "its person holds a NUL byte", [17] = "its name holds a NUL byte",
    }
    local all = run { flow = "for i = 1, 18 do wait_for('x') say(i) end", events = lines }
    assert.same({ "1", "2" }, all.said)
    for line, why in pairs(words) do assert.matches(("events.ndjson:%d: %s"):format(line, why), all.err, 1, true) end
    assert.matches("events.ndjson:3: column 2: ", all.err, 1, true)
    assert.is_nil(all.err:find("events.ndjson:18: ", 1, true))
    assert.equal(0, all.code)
  end)

  it("file that is not there is refused", function()
    local done = journeys.try { flow = "wait '1h'", "--events=no/such.ndjson" }
    assert.equal(2, done.code)
    assert.matches("no/such.ndjson", done.err, 1, true)
  end)

  it("file with many more events than are kept at once brings them all", function()
    local people, events = {}, {}
    for i = 1, 50 do people[i] = "p" .. i end
    for i = 1, 2000 do events[i] = { person = "p" .. (i % 50 + 1), name = "x", time = ("+%ds"):format(i // 100), data = { n = i } } end
    local all = run {
      flow = [[
        local last = 0
        for i = 1, 40 do
          local got = wait_for("x")
          assert(got.n > last)
          last = got.n
        end
      ]],
      people = people, events = events, workers = 4,
    }
    assert.equal(50, all.completed, all.err)
    assert.equal(0, all.lost_events)
  end)
end)

describe("an inbox that is full", function()
  -- Three of five events are left, whether the run is parked, in memory or nowhere else.
  local function crowd(state, flow)
    local events = {}
    for i = 1, 5 do events[i] = event("+" .. i .. "h", "paid", { n = i }) end
    return run { flow = flow .. [[
      for i = 1, 4 do
        local got = wait_for("paid", { within = "0s" })
        say(got and got.n)
      end
    ]], events = events, "--state", state, "--limits", "inbox=3" }
  end

  local function assert_told(all)
    assert.same({ "3", "4", "5", "nil" }, all.said)
    assert.equal(2, all.crowded_out)
    assert.matches("warning: ada has more than 3 events in its inbox: the oldest give way %(limit inbox%)\n", all.err)
    assert.equal(1, select(2, all.err:gsub("limit inbox", "")))
  end

  it("keeps the newest, and that is told: in memory", function()
    assert_told(crowd("memory:", [[wait "1d"]]))
  end)

  it("of a run that is parked", function()
    assert_told(crowd("sqlite:" .. helper.temp_folder() .. "/state.db", [[wait "1d"]]))
  end)

  it("of a run that its state keeps, and that stays in memory", function()
    assert_told(crowd("sqlite:" .. helper.temp_folder() .. "/state.db", [[for i = 1, 6000 do wait "4s" end]]))
  end)

  it("takes nothing from one that takes its events", function()
    local events = {}
    for i = 1, 30 do events[i] = event("+" .. i .. "h", "paid", { n = i }) end
    local all = run { flow = [[for i = 1, 30 do assert(wait_for("paid").n == i) end]], events = events,
      "--state", "sqlite:" .. helper.temp_folder() .. "/state.db", "--limits", "inbox=3" }
    assert.equal(1, all.completed, all.err)
    assert.equal(0, all.crowded_out)
  end)

  it("holds at least one", function()
    local result = journeys.try { flow = "", "--limits", "inbox=0" }
    assert.equal(2, result.code)
    assert.matches("inbox", result.err)
  end)
end)
