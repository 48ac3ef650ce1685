-- `jaunt run` as a command: what it prints where, its exit codes, its flags, and the same funnel for the same seed.

local dry = require "jaunt.run.dry"
local helper = require "helper"
local json = require "json"
local running = require "running"
local term = require "jaunt.base.term"

local folder = running.project {
  ["journeys/offer.lua"] = [[
    return journey "offer" {
      starts_on = "came",
      flow = function(person)
        log("looking at " .. person.id)
        call_api "check" { via = "vendor", POST = "/check", json = { id = person.id, age = person.age } }
        wait "1d"
        if person.age == "17" then drop "too young" end
        if person.age == "99" then exit "has one" end
        if split "copy" { plain = 50, funny = 50 } == "plain" then
          call_api "plain" { via = "vendor", POST = "/offer", json = { id = person.id } }
        else
          call_api "funny" { via = "vendor", POST = "/offer", json = { id = person.id }, on_failure = "hold" }
        end
      end,
    }]],
  ["journeys/broken.lua"] = [[return journey "broken" { starts_on = "came", flow = function() local x = nil; return x.y end }]],
  ["vendor.lua"] = [[
    return { vendor = { ["POST /check"] = function(request)
      if request.json.age == "13" then return 422, { error = "no" } end
      return 200, { ok = true }
    end } }]],
  ["plain.lua"] = [[print("hello " .. table.concat({ ... }, "-"))]],
}

local rows = { "id,age", "no,13" }
for i = 1, 60 do rows[#rows + 1] = ("p%d,%d"):format(i, 20 + i % 50) end
rows[#rows + 1] = "y,17\nw,99\nno,13"
helper.write_file(folder .. "/people.csv", table.concat(rows, "\n") .. "\n")

local function run(...) return running.run(folder, {}, "offer", "--people", "people.csv", ...) end

local function keys(object)
  local names = {}
  for name in pairs(object) do names[#names + 1] = name end
  table.sort(names)
  return table.concat(names, " ")
end

describe("--json", function()
  local result = run("--json", "--seed", "3")

  it("prints one object and nothing else on standard output", function()
    assert.equal(0, result.code)
    assert.matches("^{[^\n]*}\n$", result.out)
    assert.matches("looking at p1", result.err)
  end)

  it("has the promised fields", function()
    local report = result.report
    for name, kind in pairs { journey = "string", version = "string", entered = "number", running = "number", queued = "number",
      waiting = "number", held = "number", completed = "number", dropped = "number", exited = "number", rejected = "number",
      calls = "number", seconds = "number", elements = "table" } do
      assert.equal(kind, type(report[name]), name)
    end
    for _, element in ipairs(report.elements) do
      for name, kind in pairs { name = "string", reached = "number", went_on = "number", dropped = "number", held = "number",
        reasons = "table" } do
        assert.equal(kind, type(element[name]), name)
      end
    end
    assert.equal("already_in attempts calls completed control converted crowded_out dropped elements entered exited exits forecast held interrupted journey "
      .. "left_out live lost_events median_ms p99_ms queued rejected rejected_events running seconds unfinished version waiting", keys(report))
    assert.equal("details dropped held kind line name reached reasons went_on", keys(report.elements[1]))
  end)

  it("counts what happened", function()
    local report = result.report
    assert.equal("offer", report.journey)
    assert.equal(63, report.entered)
    assert.equal(1, report.rejected)
    assert.equal(2, report.dropped)
    assert.equal(1, report.exited)
    assert.equal(60, report.completed)
    assert.equal(63 + 60, report.calls)
    assert.same({ status = 1 }, running.element(report, "check").reasons)
    assert.equal(63, running.element(report, "check").reached)
    assert.equal(62, running.element(report, "check").went_on)
    assert.equal(60, running.element(report, "plain").reached + running.element(report, "funny").reached)
    assert.equal(63, running.ledger(report))
  end)

  it("is an empty list of elements, not an object, where nobody came", function()
    helper.write_file(folder .. "/nobody.csv", "id,age\n")
    local out = running.run(folder, {}, "offer", "--people", "nobody.csv", "--json").out
    assert.matches('"elements":%[%]', out)
  end)
end)

describe("what is printed for people", function()
  local result = run("--seed", "3")

  it("is the funnel in the script's order, the ledger and a forecast", function()
    assert.equal(0, result.code)
    assert.matches("^offer, version %x+ %(rehearsal: pretend vendors, virtual time from %d", result.out)
    assert.matches("\nelement +reached  went on  dropped  held\n", result.out)
    assert.matches("\ncheck +63 +62 +1 +0  1× status 422\n", result.out)
    local check, wait, drop, exit, copy, plain, funny = result.out:find("\ncheck "), result.out:find("\nwait "),
      result.out:find("\ndrop "), result.out:find("\nexit "), result.out:find("\ncopy "), result.out:find("\nplain "),
      result.out:find("\nfunny ")
    assert.is_true(check < wait and wait < drop and drop < exit and exit < copy and copy < plain and plain < funny)
    assert.matches("\nledger    63 entered = 0 running %+ 0 queued %+ 0 waiting %+ 0 held %+ 60 completed %+ 2 dropped %+ 1 exited\n",
      result.out)
    assert.matches("\ncalls     123", result.out)
    assert.matches("\nrejected  1 row, kept in people%.rejects%.csv\n", result.out)
    assert.matches("\nforecast  all would be over after 1d", result.out)
  end)

  it("holds no escape codes elsewhere than on a terminal", function()
    assert.is_nil((result.out .. result.err):find("\27"))
  end)
end)

describe("--dry-run", function()
  it("shows a body of many lines to its end", function()
    local text = dry.describe(json.encode { person = "a", element = "e", method = "POST", url = "https://example.com/",
      headers = { ["Content-Type"] = "text/plain" }, body = ("x\n"):rep(1500) .. "end" }, term.paint())
    assert.equal(1500, select(2, text:gsub("\n    x", "")))
    assert.matches("\n    end\n$", text)
  end)
end)

describe("the exit code", function()
  it("is 0 though people were dropped, 1 with --strict, and 0 again when nobody was", function()
    assert.equal(0, run().code)
    assert.equal(1, run("--strict").code)
    assert.equal(0, run("--strict", "--where", "age ~= '13' and age ~= '17'").code)
  end)

  it("is 2 for what cannot run, and says why in one line", function()
    local cases = {
      { { "ofer", "--people", "people.csv" }, "no such journey: ofer; did you mean offer%?" },
      { { "zzz", "--people", "people.csv" }, "no such journey: zzz; there are broken, offer" },
      { { "offer", "--people", "poeple.csv" }, "no such people file: poeple%.csv; did you mean people%.csv%?" },
      { { "offer", "--peple", "people.csv" }, "%-%-people" },
      { { "offer" }, "a journey needs people: %-%-people FILE" },
      { { "offer", "--people", "people.csv", "--limit", "many" }, "%-%-limit" },
      { { "offer", "--people", "people.csv", "--stop-if", "sad > 5%" }, "%-%-stop%-if takes such as" },
      { { "offer", "--people", "people.csv", "--start", "soon" }, "%-%-start: " },
      { { "offer", "--people", "people.csv", "--dry-run", "--live" }, "exclude each other" },
      { { "offer", "--people", "people.csv", "more" }, "a journey takes no arguments: more" },
      { { "offer", "--people", "." }, "is a folder" },
      { { "plian.lua" }, "no such script: plian%.lua; did you mean plain%.lua%?" },
    }
    for _, case in ipairs(cases) do
      local result = running.run(folder, {}, table.unpack(case[1]))
      assert.equal(2, result.code, case[2])
      assert.matches("^jaunt: [^\n]*" .. case[2] .. "[^\n]*\n$", result.err)
      assert.equal("", result.out, case[2])
    end
  end)

  it("of a plain script is 0, and its arguments reach it", function()
    local result = running.run(folder, {}, "plain.lua", "a", "b")
    assert.equal(0, result.code)
    assert.equal("hello a-b\n", result.out)
  end)
end)

describe("people held by a script's errors", function()
  it("that are all of one kind are told three times, and then counted", function()
    local result = running.run(folder, {}, "broken", "--people", "people.csv", "--limit", "12")
    assert.equal(3, select(2, result.err:gsub("warning: %w+ is held: script: ", "")), result.err)
    assert.matches("\n… and 9 more warnings\n", result.err)
  end)

  it("pause admission, which says so", function()
    local result = running.run(folder, {}, "broken", "--people", "people.csv", "--strict", "--workers", "1", "--in-flight", "5")
    assert.equal(1, result.code)
    assert.matches("admission was paused: 20 people are held by script errors", result.err)
    assert.matches("broken%.lua:1: attempt to index a nil value", result.err)
    assert.matches("0 completed %+ 0 dropped", result.out)
  end)
end)

describe("--start", function()
  it("is when a rehearsal begins", function()
    local result = run("--start", "2026-03-02T09:00:00Z")
    assert.matches("virtual time from 2026%-03%-02T09:00:00Z", result.out)
    assert.matches("the last call would go out at 2026%-03%-03T09:00:0", result.out)
  end)
end)

describe("--stop-if", function()
  it("ends admission once it is true, and not before", function()
    local result = run("--stop-if", "dropped > 0", "--json", "--in-flight", "4", "--vendor-latency", "100ms")
    assert.is_true(result.report.interrupted)
    assert.is_true(result.report.entered < 63)
    result = run("--stop-if", "dropped > 50", "--json")
    assert.is_false(result.report.interrupted)
    assert.equal(63, result.report.entered)
  end)
end)

describe("--seed", function()
  local FUNNEL = { "completed", "dropped", "exited", "held", "entered", "calls", "attempts", "exits", "elements" }

  local function funnel(...)
    local report = run("--json", "--vendor-fail", "5%", "--vendor-reset", "2%", ...).report
    local part = {}
    for _, name in ipairs(FUNNEL) do part[name] = report[name] end
    return json.encode(part)
  end

  it("gives the same funnel byte for byte, whatever the workers", function()
    local first = funnel("--seed", "11", "--workers", "1")
    assert.equal(first, funnel("--seed", "11", "--workers", "1"))
    assert.equal(first, funnel("--seed", "11", "--workers", "4"))
    assert.equal(first, funnel("--seed", "11", "--workers", "4", "--in-flight", "7"))
  end)

  it("that is another one draws other faults", function()
    local attempts = {}
    for seed = 1, 4 do attempts[#attempts + 1] = funnel("--seed", tostring(seed)):match('"attempts":(%d+)') end
    assert.is_false(attempts[1] == attempts[2] and attempts[2] == attempts[3] and attempts[3] == attempts[4])
  end)
end)

describe("a full disk", function()
  it("for the rejected rows ends the run in words", function()
    local result = run("--rejects", "/dev/full")
    assert.equal(2, result.code)
    assert.matches("jaunt: cannot write the rejected rows to /dev/full: No space left on device\n$", result.err)
    assert.is_nil(result.err:find("mistake in jaunt", 1, true))
  end)

  it("for the report is no success", function()
    local result = helper.sh(running.words(folder, {}, "offer", "--people", "people.csv", "--json") .. " >/dev/full")
    assert.equal(2, result.code)
    assert.matches("can't write the output", result.err)
  end)
end)
