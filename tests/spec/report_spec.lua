-- jaunt report: the funnel from the state, the same as the run told; over a period; and whether groups differ.

local json = require "json"
local states = require "states"
local statistics = require "jaunt.base.statistics"

local SCRIPT = [[
return journey "sales" { goal = "bought", flow = function(person)
  call_api "note" { via = "crm", POST = "/notes", payload = "note", on_failure = person.hold and "hold" or "drop" }
  local copy = split "copy" { plain = 50, funny = 50 }
  if person.broken then error("ours") end
  wait(person.long and "3d" or "1d")
  call_api "letter" { via = "mail", POST = "/send", json = { a = 1 } }
  if person.quits then exit("had enough") end
end }]]

local PEOPLE = {
  { id = "ada" }, { id = "grace", long = true }, { id = "bad", status = 422 }, { id = "worse", status = 500 },
  { id = "held", status = 400, hold = true }, { id = "broken", broken = true }, { id = "quits", quits = true }, { id = "buys" },
}
local EVENTS = '{"person":"buys","name":"bought","time":"+5h"}\n'
local FILES = {
  ["payloads/note.lua"] = "return function(person) return { status = person.status } end", ["events.ndjson"] = EVENTS,
}

local function element(report, name)
  for _, one in ipairs(report.elements) do
    if one.name == name then return one end
  end
  error("there is no element " .. name)
end

local COUNTS = { "entered", "running", "queued", "waiting", "held", "completed", "dropped", "exited", "control" }

describe("jaunt report", function()
  local state

  setup(function()
    state = states.make("sales", SCRIPT, PEOPLE, { files = FILES, flags = { "--events", "events.ndjson" } })
  end)

  it("tells what the run told at its end", function()
    local told = json.decode(state.look("report", "sales", "--json"))
    for _, count in ipairs(COUNTS) do assert.equal(state.report[count], told[count], count) end
    assert.equal(#state.report.elements, #told.elements)
    for i, one in ipairs(state.report.elements) do
      local other = told.elements[i]
      for _, field in ipairs { "name", "kind", "line", "reached", "went_on", "dropped", "held" } do
        assert.equal(one[field], other[field])
      end
      assert.same(one.reasons, other.reasons)
    end
    assert.same(state.report.exits, told.exits)
  end)

  it("finds the same in the journals as in the counters", function()
    local counted = json.decode(state.look("report", "sales", "--json"))
    local looked = json.decode(state.look("report", "sales", "--since", "2026-11-01", "--json"))
    assert.same(counted, looked)
  end)

  it("finds the same in both when an operator has sent people on, and they were dropped again", function()
    local again = states.make("sales", SCRIPT, PEOPLE, { files = FILES })
    assert.equal(0, again.ask("redrive", "sales", "--reason", "status", "--yes", "--state", "sqlite:state.db").code)
    states.make("sales", SCRIPT, PEOPLE, { files = FILES, folder = again.folder, start = "2026-11-30 09:00" })
    local counted = json.decode(again.look("report", "sales", "--json"))
    assert.is_true(element(counted, "note").reasons.redriven > 0)
    assert.same(counted, json.decode(again.look("report", "sales", "--since", "2026-11-01", "--json")))
  end)

  it("tells how long people were at an element", function()
    local told = json.decode(state.look("report", "sales", "--json"))
    local day = 86400000
    assert.equal(day, element(told, "wait 1d").median_ms) -- two waited for it, one left for its goal before
    assert.equal(3 * day, element(told, "wait 3d").p90_ms)
    assert.equal(0, element(told, "copy").median_ms)
    assert.matches("\nwait 1d .* 1d +1d\n", state.look("report", "sales"))
  end)

  it("counts those who entered in a period", function()
    local none = json.decode(state.look("report", "sales", "--since", "2026-11-26", "--json"))
    assert.equal(0, none.entered)
    local all = json.decode(state.look("report", "sales", "--until", "2026-11-26", "--json"))
    assert.equal(#PEOPLE, all.entered)
    assert.matches(", entered since 2026%-11%-01 00:00, entered before 2026%-11%-26 00:00",
      state.look("report", "sales", "--since", "2026-11-01", "--until", "2026-11-26"))
  end)

  it("prints funnel, ledger and exits for people, and CSV", function()
    local out = state.look("report", "sales")
    assert.matches("^sales, version %x+ %(state.db%)\n\nelement +reached +went on +dropped +held +median +90 %%\n", out)
    assert.matches("\nnote +8 +5 +2 +1 ", out)
    assert.matches("\nledger    8 entered = 0 running %+ 0 queued %+ 0 waiting %+ 2 held %+ 2 completed %+ 2 dropped %+ 2 exited\n", out)
    assert.matches("\nexits     1× exit %(had enough%) · 1× goal %(bought%)", out)
    assert.matches("^element,kind,reached,went_on,dropped,held,median_ms,p90_ms\nnote,call_api,8,5,2,1,0,%d+\n",
      state.look("report", "sales", "--csv"))
  end)

  it("counts those alone as converted who reached the goal, whatever others exited for", function()
    local told, converted = json.decode(state.look("report", "sales", "--by", "copy", "--json")), 0
    for _, group in ipairs(told.groups) do converted = converted + group.converted end
    assert.equal(2, told.exited)
    assert.equal(1, converted)
  end)

  it("tells of each version, and of one alone", function()
    local two = states.make("sales", SCRIPT, { { id = "ada" }, { id = "bad", status = 422 } }, { files = FILES })
    states.make("sales", (SCRIPT:gsub("wait%(.-%)", 'wait "5d"')), { { id = "yuki" } }, { files = FILES, folder = two.folder })
    local told = json.decode(two.look("report", "sales", "--json"))
    assert.equal(3, told.entered)
    assert.equal(2, #told.versions)
    assert.equal(2, told.versions[1].entered)
    assert.equal(1, told.versions[2].entered)
    local one = json.decode(two.look("report", "sales", "--version", told.versions[2].version:sub(1, 5), "--json"))
    assert.equal(1, one.entered)
    assert.equal(0, one.dropped)
    assert.equal(5 * 86400000, element(one, "wait 5d").median_ms)
    assert.matches("\nversion +entered +living +completed +dropped +exited +converted\n", two.look("report", "sales"))
  end)

  it("says in one line what it does not know", function()
    assert.matches('nobody has entered a journey "sals" in state.db; did you mean sales?',
      state.complaint("report", "sals"), 1, true)
    assert.matches('--by: nobody has come to a split "cpoy"; did you mean copy?', state.complaint("report", "sales",
      "--by", "cpoy"), 1, true)
    assert.matches('--by: nobody has come to a split "weather"; there are copy, payload, control',
      state.complaint("report", "sales", "--by", "weather"), 1, true)
    assert.matches('--by takes a split, and "note" is a call_api', state.complaint("report", "sales", "--by", "note"), 1, true)
  end)
end)

describe("groups", function()
  local TRIAL = [[
return journey "trial" { goal = { "bought", within = "2d" }, control = "20%", flow = function(person)
  local copy = split "copy" { plain = 50, funny = 50 }
  person.copy = copy
  call_api "letter" { via = "mail", POST = "/send", payload = "letter_" .. copy }
  wait "1d"
end }]]
  local state

  -- Who buys is chosen by the groups of a first rehearsal: the seed makes them the same in the second.
  setup(function()
    local people = {}
    for i = 1, 600 do people[i] = { id = "p" .. i } end
    local letter = "return function() return { a = 1 } end"
    local files = { ["payloads/letter_plain.lua"] = letter, ["payloads/letter_funny.lua"] = letter }
    local first = states.make("trial", TRIAL, people, { files = files, flags = { "--seed", "5" } })
    local events, counts = {}, { funny = 0, plain = 0 }
    for line in first.look("runs", "--csv", "--columns", "person,person.copy"):gmatch("[^\n]+") do
      local person, copy = line:match("^(p%d+),(%l+)$")
      if copy then
        counts[copy] = counts[copy] + 1
        if counts[copy] % 4 == 0 or (copy == "funny" and counts[copy] % 2 == 0) then
          events[#events + 1] = ('{"person":"%s","name":"bought","time":"+5h"}\n'):format(person)
        end
      end
    end
    files["events.ndjson"] = table.concat(events)
    state = states.make("trial", TRIAL, people, { files = files, flags = { "--seed", "5", "--events", "events.ndjson" } })
  end)

  local function group(told, name)
    for _, one in ipairs(told.groups) do
      if one.name == name then return one end
    end
  end

  it("are a split's branches: people, converted, rate, and which is better", function()
    local told = json.decode(state.look("report", "trial", "--by", "copy", "--json"))
    local funny, plain = group(told, "funny"), group(told, "plain")
    assert.equal(600 - told.control, funny.people + plain.people)
    assert.equal(funny.people // 2, funny.converted)
    assert.equal(plain.people // 4, plain.converted)
    assert.is_true(funny.low < funny.rate and funny.rate < funny.high)
    assert.equal("funny", told.better)
    assert.matches("\n\nfunny converts better than plain %(95 %%%)\n", state.look("report", "trial", "--by", "copy"))
  end)

  it("are payloads that were sent, and the control people beside the others", function()
    local told = json.decode(state.look("report", "trial", "--by", "payload", "--json"))
    assert.equal("letter_funny", told.better)
    told = json.decode(state.look("report", "trial", "--by", "control", "--json"))
    assert.equal(told.control, group(told, "control").people)
    assert.equal(600 - told.control, group(told, "journey").people)
    assert.equal("journey", told.better)
    assert.matches("^control,people,converted,rate,low,high,living\ncontrol,", state.look("report", "trial", "--by",
      "control", "--csv"))
  end)

  it("do not differ yet where nobody could tell", function()
    local small = states.make("small", TRIAL:gsub('"trial"', '"small"'), { { id = "a" }, { id = "b" }, { id = "c" }, { id = "d" } },
      { files = { ["payloads/letter_plain.lua"] = "return function() return {} end",
        ["payloads/letter_funny.lua"] = "return function() return {} end" } })
    local out = small.look("report", "small", "--by", "payload")
    assert(out:find("no difference yet: too few people or conversions to tell", 1, true) or out:find("one group", 1, true), out)
  end)
end)

describe("a funnel", function()
  local report, term = require "jaunt.run.report", require "jaunt.base.term"
  local long = "connection refused by 127.0.0.1:19102, and again"
  local FUNNEL = {
    { name = "note", reached = 12000, went_on = 1, dropped = 9116, held = 3000, median_ms = 1, p90_ms = 2, reasons = {
      { reason = "connect", detail = long, count = 8998 }, { reason = "redriven", detail = "connect", count = 3009 },
      { reason = "status", detail = "422", count = 118 }, { reason = "timeout", detail = "", count = 1 } } },
    { name = "日本語の分岐 🎉 and so on and on and on", reached = 1, went_on = 1, dropped = 0, held = 0, reasons = {} },
    { name = "short", reached = 1, went_on = 0, dropped = 1, held = 0,
      reasons = { { reason = "drop", detail = "no", count = 1 } } },
  }

  it("takes no line that is wider than the terminal, and tells each reason's count all the same", function()
    for width = 72, 240 do
      local lines = report.funnel_lines(FUNNEL, term.paint(), width)
      for _, line in ipairs(lines) do assert(term.columns(line) <= width, ("%d columns: %s"):format(width, line)) end
      local text = table.concat(lines, "\n")
      for _, part in ipairs { "8,998× con", "3,009× redr", "118× stat", "1 more", "1× drop (no)" } do
        assert(text:find(part, 1, true), ("%d columns: no %s in\n%s"):format(width, part, text))
      end
    end
  end)
end)

describe("reasons of a funnel", function()
  it("that differ only where they are cut are one, with their sum", function()
    local report, term = require "jaunt.run.report", require "jaunt.base.term"
    local reasons = {}
    for i, name in ipairs { "Ada", "Bob", "Zoë", "Yuki" } do
      reasons[i] = { reason = "script", detail = "journeys/hello.lua:3: no greeting for this person, " .. name, count = 10 - i }
    end
    reasons[5] = { reason = "status", detail = "422", count = 20 }
    local line = report.funnel_lines({ { name = "a", reached = 50, went_on = 0, dropped = 20, held = 30, reasons = reasons } },
      term.paint(), 110)[2]
    assert.matches("  30× script %(journeys/hello%.lua:3: no [^·]*… · 20× status 422$", line)
  end)
end)

describe("statistics", function()
  it("give Wilson's interval", function()
    -- Newcombe 1998, Statistics in Medicine 17, table I: 81 of 263, 15 of 148, 0 of 20, 1 of 29
    for _, case in ipairs { { 81, 263, 0.2553, 0.3662 }, { 15, 148, 0.0624, 0.1605 }, { 0, 20, 0, 0.1611 },
      { 1, 29, 0.0061, 0.1718 } } do
      local low, high = statistics.interval(case[1], case[2])
      assert.is_true(math.abs(low - case[3]) < 5e-5 and math.abs(high - case[4]) < 5e-5,
        ("%d/%d: %f %f"):format(case[1], case[2], low, high))
    end
    assert.is_nil(statistics.interval(0, 0))
    for n = 1, 200 do -- nobody, or everybody: the end is exact
      assert.same({ 0, 1 }, { (statistics.interval(0, n)), (select(2, statistics.interval(n, n))) })
    end
  end)

  it("tell a difference from chance as the test of two proportions does", function()
    -- z = 2.677 and z = 0.729: the normal distribution's tails beyond them
    local p = statistics.difference(200, 1000, 250, 1000)
    assert.is_true(math.abs(p - 0.0074) < 2e-4, tostring(p))
    p = statistics.difference(100, 1000, 110, 1000)
    assert.is_true(math.abs(p - 0.4655) < 2e-3, tostring(p))
    assert.is_nil(statistics.difference(1, 10, 3, 10))
    assert.is_nil(statistics.difference(0, 1000, 0, 1000))
  end)

  it("find percentiles exactly, and within half a percent where there are very many values", function()
    local spread = statistics.spread()
    for i = 1, 100 do spread.add(i) end
    assert.equal(50, spread.percentile(0.5))
    assert.equal(90, spread.percentile(0.9))
    assert.is_nil(statistics.spread().percentile(0.5))
    spread = statistics.spread()
    for i = 1, 20000 do spread.add(i * 7919 % 20011) end
    local median = spread.percentile(0.5)
    assert.is_true(math.abs(median - 10000) < 60, tostring(median))
  end)
end)
