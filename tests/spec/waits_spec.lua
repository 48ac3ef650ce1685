-- wait and wait_until: how long and until when, in the zones that people live in.

local engine = require "jaunt.native.engine"
local journeys = require "journeys"

local run, held_each, element = journeys.run, journeys.held_each, journeys.element

local START = "2026-01-05T08:00:00Z" -- a Monday

-- What was said by each person, by id: said(person.id, …).
local function by_person(all)
  local said = {}
  for _, line in ipairs(all.said) do
    local id, rest = line:match("^([^\t]+)\t(.*)$")
    said[id] = rest
  end
  return said
end

-- Each of the flows is held at its line, with these words.
local function expect_held(flows, words)
  for i, why in ipairs(held_each(flows)) do
    assert.matches(("t.lua:%d: "):format(i), why, 1, true)
    assert.matches(words[i], why, 1, true)
  end
end

-- An RFC 3339 time as now() shows it.
local function seconds(time)
  return ("%.1f"):format(assert(engine.moment(time)) / 1000)
end

describe("wait", function()
  it("lasts as long as it says", function()
    local flows = { ["2h"] = 7200, ["1d 4h"] = 100800, ["90s"] = 90, ["2w"] = 14 * 86400, ["500ms"] = 0.5, ["0s"] = 0 }
    local people = {}
    for text in pairs(flows) do people[#people + 1] = { id = text } end
    local all = run { flow = "local before = now() wait(person.id) say(person.id, now() - before)", people = people }
    local said = by_person(all)
    for text, length in pairs(flows) do assert.equal(("%.1f"):format(length), said[text]) end
  end)

  it("takes seconds as a number", function()
    local all = run { flow = "local before = now() wait(90) say(now() - before) wait(0.5) say(now() - before) wait(0)" }
    assert.same({ "90.0", "90.5" }, all.said)
    assert.equal(1, all.completed)
  end)

  it("is an element that is reached and gone on from", function()
    local all = run { flow = "wait '2h' wait '2h'\nwait '3d'" , people = 3 }
    assert.same({ 6, 6 }, { element(all, "wait 2h").reached, element(all, "wait 2h").went_on })
    assert.same({ 3, 3 }, { element(all, "wait 3d").reached, element(all, "wait 3d").went_on })
    assert.equal("wait", element(all, "wait 3d").kind)
    assert.same({ 1, 2 }, { element(all, "wait 2h").line, element(all, "wait 3d").line })
  end)

  it("takes no time in a rehearsal, and the forecast says how long it would be", function()
    local all = run { flow = "wait '365d'", people = 10 }
    assert.equal(365 * 24 * 3600 * 1000, all.forecast.ms)
    assert.equal(10, all.completed)
  end)

  it("names what is no duration", function()
    local flows = {
      "wait 'soon'", "wait '1.5h'", "wait(-1)", "wait(0/0)", "wait(1/0)", "wait {}", "wait()", "wait ''", "wait '99999999999d'",
    }
    local words = {
      'wait: "soon" is no duration', 'wait: "1.5h" is no duration', "wait: -1", "no duration in seconds", "inf", "not a table",
      'wait is a duration such as "2h"', 'wait: ""', "wait: ",
    }
    expect_held(flows, words)
  end)
end)

describe("wait_until", function()
  it("waits for the time in the person's zone", function()
    local all = run {
      flow = "wait_until '09:00' say(person.id, now())", start = START,
      people = {
        { id = "london", zone = "Europe/London" }, { id = "berlin", zone = "Europe/Berlin" }, { id = "tokyo", zone = "Asia/Tokyo" },
        { id = "new york", zone = "America/New_York" }, { id = "kathmandu", zone = "Asia/Kathmandu" },
      },
    }
    assert.same({
      london = seconds "2026-01-05T09:00:00Z", berlin = seconds "2026-01-06T08:00:00Z", -- it is nine there now: tomorrow
      tokyo = seconds "2026-01-06T00:00:00Z", ["new york"] = seconds "2026-01-05T14:00:00Z",
      kathmandu = seconds "2026-01-06T03:15:00Z",
    }, by_person(all))
  end)

  it("keeps to the clock on the wall when daylight saving begins and ends", function()
    local function nine(start)
      local all = run {
        flow = "for i = 1, 2 do wait_until '09:00' say(person.id .. i, now()) end", start = start,
        people = { { id = "berlin", zone = "Europe/Berlin" }, { id = "tokyo", zone = "Asia/Tokyo" } },
      }
      return by_person(all)
    end
    assert.same({
      berlin1 = seconds "2026-03-28T08:00:00Z", berlin2 = seconds "2026-03-29T07:00:00Z",
      tokyo1 = seconds "2026-03-28T00:00:00Z", tokyo2 = seconds "2026-03-29T00:00:00Z",
    }, nine "2026-03-27T20:00:00Z")
    assert.same({
      berlin1 = seconds "2026-10-24T07:00:00Z", berlin2 = seconds "2026-10-25T08:00:00Z",
      tokyo1 = seconds "2026-10-24T00:00:00Z", tokyo2 = seconds "2026-10-25T00:00:00Z",
    }, nine "2026-10-23T20:00:00Z")
  end)

  it("finds a moment for a time that the day skips, and one for a time that comes twice", function()
    local function at(start)
      local all = run { flow = "wait_until '02:30' say(now())", start = start, people = { { id = "a", zone = "Europe/Berlin" } } }
      return all.said[1]
    end
    assert.equal(seconds "2026-03-29T01:00:00Z", at "2026-03-28T20:00:00Z") -- the hour from two to three is skipped: its end
    assert.equal(seconds "2026-10-25T00:30:00Z", at "2026-10-24T20:00:00Z") -- the first of the two
  end)

  it("knows days", function()
    local all = run {
      flow = [[
        local before = now()
        for _, time in ipairs {
          "mon 09:00", "friday 09:00", "tomorrow 06:30", "2026-02-01", "2026-02-01 10:15", "2026-02-02T10:00:00+02:00",
        } do
          wait_until(time)
          say(now())
        end
      ]],
      people = { { id = "ada", zone = "UTC" } }, start = START,
    }
    assert.same({
      seconds "2026-01-05T09:00:00Z", seconds "2026-01-09T09:00:00Z", seconds "2026-01-10T06:30:00Z",
      seconds "2026-02-01T00:00:00Z", seconds "2026-02-01T10:15:00Z", seconds "2026-02-02T08:00:00Z",
    }, all.said)
  end)

  it("passes at once where the time is over, and never goes back", function()
    local all = run {
      flow = "local before = now() wait_until '2020-01-01' wait_until(0) wait_until(now()) say(now() - before)", start = START,
    }
    assert.same({ "0.0" }, all.said)
    assert.equal(1, all.completed)
    assert.equal(0, all.forecast.ms)
  end)

  it("takes a time as now() gives it", function()
    local all = run { flow = "local before = now() wait_until(before + 90) say(now() - before)" }
    assert.same({ "90.0" }, all.said)
  end)

  it("takes another zone than the person's", function()
    local all = run {
      flow = "wait_until { '09:00', zone = 'Asia/Tokyo' } say(now())", start = START,
      people = { { id = "ada", zone = "Europe/London" } },
    }
    assert.same({ seconds "2026-01-06T00:00:00Z" }, all.said)
  end)

  it("asks the person's zone anew each time", function()
    local all = run {
      flow = "person.zone = 'Asia/Tokyo' wait_until '09:00' say(now())", start = START, people = { { id = "ada", zone = "UTC" } },
    }
    assert.same({ seconds "2026-01-06T00:00:00Z" }, all.said)
  end)

  it("takes the system's zone for people who have none", function()
    local all = run {
      flow = "wait_until '09:00' say(person.id, now())", start = START, env = { TZ = "America/New_York" },
      people = { { id = "none" }, { id = "empty", zone = "" } },
    }
    assert.same({ none = seconds "2026-01-05T14:00:00Z", empty = seconds "2026-01-05T14:00:00Z" }, by_person(all))
  end)

  it("names bad times, zones and options", function()
    local flows = {
      "wait_until 'noon'", "wait_until '25:00'", "wait_until '2026-02-30'", "wait_until 'mon'", "wait_until '2026-01-01T10:00'",
      "wait_until()", "wait_until {}", "wait_until(true)", "wait_until(0/0)", "wait_until(1e300)", "wait_until(-5)",
      "wait_until { '09:00', zone = 'Mars/Base' }", "wait_until { '09:00', zone = 5 }", "wait_until { '09:00', zon = 'UTC' }",
      "wait_until { '09:00', '10:00' }", "person.zone = 'Europe/Berln' wait_until '09:00'",
      "person.zone = { 'UTC' } wait_until '09:00'",
    }
    local words = {
      '"noon" is no time', '"25:00" is no time, for no clock shows that time', "there is no such day", "it lacks a time of the day",
      "a time with a T needs its offset", "wait_until takes a time", "wait_until takes a time", "wait_until takes a time",
      "is no time in seconds since 1970", "is no time in seconds since 1970", "is no time in seconds since 1970", "Mars/Base",
      "zone is a zone's name", "wait_until knows no option zon; did you mean zone?", "one thing without a name",
      "Europe/Berln", "person.zone is a zone's name such as \"Europe/Berlin\", not a",
    }
    expect_held(flows, words)
  end)
end)

describe("now", function()
  it("stands still while a flow runs", function()
    local all = run { flow = "local before = now() for i = 1, 100000 do end say(now() == before, os.time() == math.floor(before))" }
    assert.same({ "true\ttrue" }, all.said)
  end)

  it("begins at --start", function()
    assert.same({ seconds "2027-05-01T10:00:00Z" }, run({ flow = "say(now())", start = "2027-05-01T10:00:00Z" }).said)
  end)
end)
