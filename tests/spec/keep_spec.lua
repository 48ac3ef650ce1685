-- --keep: old runs are taken out of a state, and what has to outlast them does. And a state is of live runs or of rehearsals.

local helper = require "helper"
local json = require "json"
local running = require "running"
local states = require "jaunt.native.state"

local STATE = "sqlite:state.db"

local function trip(fields)
  return running.project {
    ["journeys/trip.lua"] = ([[return journey "trip" { %s flow = function(person)
      call_api "text" { via = "vendor", POST = "/text", json = { id = person.id } }
    end }]]):format(fields or ""),
    ["people.csv"] = "id\nada\nbob\ncyd\n",
  }
end

local function go(folder, start, ...)
  local result = running.run(folder, "trip", "--people", "people.csv", "--state", STATE, "--json", "--start", start, "--seed", "7", ...)
  assert(result.report, result.err)
  assert.equal(result.report.entered, running.ledger(result.report))
  return result.report
end

local function jaunt(folder, ...)
  return helper.sh(("cd %s && %s"):format(helper.quote(folder), helper.jaunt_words(...)))
end

local function runs_in(folder)
  local looked_at <close> = states.open(folder .. "/state.db")
  local runs = looked_at:runs {}
  return #runs, looked_at:versions()[1]
end

describe("--keep", function()
  it("takes out runs that ended longer ago; the ledger stays, and nobody enters again", function()
    local folder = trip()
    go(folder, "2026-11-25T09:00:00Z")
    assert.equal(3, (runs_in(folder)))
    go(folder, "2026-12-20T09:00:00Z") -- not yet
    assert.equal(3, (runs_in(folder)))
    local report = go(folder, "2026-12-26T09:00:00Z")
    local left, version = runs_in(folder)
    assert.equal(0, left)
    assert.equal(3, version.removed)
    assert.equal(3, report.already_in)
    report = go(folder, "2026-12-27T09:00:00Z")
    assert.equal(3, report.entered)
    assert.equal(3, report.completed)
    assert.equal(3, report.already_in)
    assert.equal(0, report.calls)
  end)

  it("0s keeps none, forever keeps all", function()
    local folder = trip()
    go(folder, "2026-11-25T09:00:00Z", "--keep", "forever")
    go(folder, "2036-11-25T09:00:00Z", "--keep", "forever")
    assert.equal(3, (runs_in(folder)))
    go(folder, "2036-11-25T09:00:00Z", "--keep", "0s")
    assert.equal(0, (runs_in(folder)))
  end)

  it("lets people in again as the journey's reentry says, under other keys than before", function()
    local folder = trip 'reentry = "40d",'
    go(folder, "2026-11-25T09:00:00Z", "--trace", "first.ndjson")
    local report = go(folder, "2026-12-30T09:00:00Z", "--trace", "none.ndjson")
    assert.equal(0, (runs_in(folder)))
    assert.equal(3, report.already_in)
    report = go(folder, "2027-01-10T09:00:00Z", "--trace", "second.ndjson")
    assert.equal(6, report.entered)
    assert.equal(3, report.calls)
    local keys, count = {}, 0
    for _, name in ipairs { "first", "second" } do
      for line in helper.read_file(folder .. "/" .. name .. ".ndjson"):gmatch("[^\n]+") do
        local key = json.decode(line).key
        assert(key and not keys[key], line)
        keys[key], count = true, count + 1
      end
    end
    assert.equal(6, count)
  end)

  it("what looks back says that older runs were taken out", function()
    local folder = trip()
    go(folder, "2026-11-25T09:00:00Z", "--keep", "0s")
    go(folder, "2026-11-26T09:00:00Z", "--keep", "0s")
    local told = "3 older runs of trip, the last of them ended 2026%-11%-25 [%d:]+, were taken out"
    for _, words in ipairs { { "runs", "trip" }, { "why", "ada" }, { "report", "trip", "--since", "2026-11-01" } } do
      words[#words + 1], words[#words + 2] = "--state", STATE
      local result = jaunt(folder, table.unpack(words))
      assert.matches(told, result.out .. result.err, nil, words[1])
    end
  end)

  it("is a duration, or forever", function()
    local folder = trip()
    local result = running.run(folder, "trip", "--people", "people.csv", "--keep", "long")
    assert.equal(2, result.code)
    assert.matches("%-%-keep takes a duration, such as 30d, or forever; not \"long\"", result.err)
  end)
end)

describe("a state", function()
  it("of rehearsals is refused by live runs, and the other way round", function()
    local folder = trip()
    go(folder, "2026-11-25T09:00:00Z")
    local result = running.run(folder, "trip", "--people", "people.csv", "--state", STATE, "--live", "--yes")
    assert.equal(2, result.code)
    assert.matches("state.db is of rehearsals: live runs need a state of their own, %-%-state sqlite:OTHER", result.err)
    helper.write_file(folder .. "/nobody.csv", "id\n")
    result = running.run(folder, "trip", "--people", "nobody.csv", "--live", "--yes")
    assert.equal(0, result.code, result.err)
    result = running.run(folder, "trip", "--people", "people.csv", "--state", "sqlite:jaunt.db")
    assert.equal(2, result.code)
    assert.matches("jaunt.db is of live runs: a rehearsal needs a state of its own, %-%-state sqlite:OTHER", result.err)
  end)
end)
