-- jaunt move: runs go on with the script as it is now, if their replay comes to where they are; nothing is sent to find out.

local helper = require "helper"
local json = require "json"
local running = require "running"

local STATE = "sqlite:state.db"
local START, NOON, LATER = "2026-11-25T09:00:00Z", "2026-11-25T12:00:00Z", "2026-11-30T09:00:00Z"

local BEFORE = [[
  call_api "first" { via = "vendor", POST = "/first" }
  wait "2h"
  if person.id == "b" then error "oops" end
  call_api "second" { via = "vendor", POST = "/second" }
  wait "2d"
]]
local MENDED = BEFORE:gsub('error "oops"', 'print "mended"')

local function write(folder, flow)
  helper.write_file(folder .. "/journeys/t.lua", ("return journey \"t\" { flow = function(person)\n%s\nend }\n"):format(flow))
end

-- A project whose people a, b and c are at noon: two wait, b is held by a script error.
local function at_noon()
  local folder = running.project { ["people.csv"] = "id\na\nb\nc\n" }
  write(folder, BEFORE)
  local report = running.run(folder, "t", "--people", "people.csv", "--state", STATE, "--start", START, "--until", NOON,
    "--json").report
  assert.same({ 2, 1 }, { report.waiting, report.held })
  return folder
end

local function command(folder, ...)
  local result = helper.sh(("env -C %s %s"):format(helper.quote(folder), helper.jaunt_words(...)))
  return result
end

local function go_on(folder)
  local result = running.run(folder, "t", "--people", "people.csv", "--state", STATE, "--start", LATER, "--json")
  assert.equal(result.report.entered, running.ledger(result.report))
  return result.report, result
end

describe("jaunt move", function()
  it("tells, and changes nothing, with --dry-run", function()
    local folder = at_noon()
    write(folder, MENDED)
    local result = command(folder, "move", "t", "--state", STATE, "--dry-run")
    assert.equal(0, result.code, result.err)
    assert.is_truthy(result.out:find("3 would be moved", 1, true), result.out)
    local report = go_on(folder)
    assert.equal(1, report.held)
    assert.equal(2, report.completed)
  end)

  it("tells who would go on and who would not, and gives those alone as examples who would", function()
    local folder = at_noon()
    write(folder, (MENDED:gsub('wait "2h"', 'if person.id == "c" then wait "1h" end %0')))
    local text = command(folder, "move", "t", "--to", "new", "--state", STATE, "--dry-run").out
    assert.is_truthy(text:find("2 would be moved:\n  1  waiting at \"wait 2d\"\n  1  held at \"wait 2h\": script\n1 would be refused: ",
      1, true), text)
    assert.is_truthy(text:find('"wait 2h"; now the script asks for wait "wait 1h"', 1, true), text)
    local samples = { text:match("\nfor example:\n  (%w+)  [^\n]+\n  (%w+)  [^\n]+\n$") }
    table.sort(samples)
    assert.same({ "a", "b" }, samples)
    local told = json.decode(command(folder, "move", "t", "--state", STATE, "--dry-run", "--json").out)
    assert.same({ 2, 2 }, { told.done, #told.samples })
  end)

  it("lets who is held by a script error go on with the mended script, after a redrive", function()
    local folder = at_noon()
    write(folder, MENDED)
    local result = command(folder, "redrive", "t", "--state", STATE, "--outcome", "held")
    assert.is_truthy(result.out:find("move it to a mended version first", 1, true), result.out)
    result = command(folder, "move", "t", "--state", STATE, "--json", "--yes")
    assert.equal(3, json.decode(result.out).done)
    assert.matches("^t: held at \"wait 2h\" by another version %(script%), and moved to this one: jaunt redrive lets it go on\n",
      command(folder, "why", "b", "--state", STATE).out)
    result = command(folder, "redrive", "t", "--state", STATE, "--outcome", "held", "--yes")
    assert.equal(0, result.code, result.out .. result.err)
    local report, done = go_on(folder)
    assert.equal(3, report.completed)
    assert.equal(0, report.held)
    assert.is_truthy(done.err:find("mended", 1, true))
    assert.equal(1, report.calls) -- b's second one: nothing that was done is done again
  end)

  it("moves the ledger, so that each version's adds up", function()
    local folder = at_noon()
    write(folder, MENDED)
    command(folder, "move", "t", "--state", STATE, "--yes", "--outcome", "waiting")
    local versions = json.decode(command(folder, "report", "t", "--state", STATE, "--json").out).versions
    local entered = {}
    for _, version in ipairs(versions) do entered[#entered + 1] = version.entered end
    table.sort(entered)
    assert.same({ 1, 2 }, entered)
  end)

  it("leaves who would go another way where they are, and says where the ways part", function()
    local folder = at_noon()
    write(folder, (MENDED:gsub('"first"', '"zeroth"')))
    local result = command(folder, "move", "t", "--state", STATE, "--yes")
    assert.equal(1, result.code)
    assert.is_truthy(result.out:find('step 1 was recorded as call_api "first"; now the script asks for call_api "zeroth" at journeys/t.lua:2',
      1, true), result.out)
    assert.equal(2, go_on(folder).completed)
  end)

  it("finds a script that fails on the way, and one that ends too early", function()
    local folder = at_noon()
    write(folder, [[ call_api "first" { via = "vendor", POST = "/first" } if person.id == "a" then error "here" end ]])
    local result = command(folder, "move", "t", "--state", STATE, "--yes")
    assert.is_truthy(result.out:find("here", 1, true), result.out)
    assert.is_truthy(result.out:find("now the script ends there", 1, true), result.out)
  end)

  it("keeps waits, events and answers: who was moved goes on at the time that was set", function()
    local folder = at_noon()
    write(folder, MENDED .. [[ print("at the end", person.id) ]])
    command(folder, "move", "t", "--state", STATE, "--yes", "--outcome", "waiting")
    local early = running.run(folder, "t", "--people", "people.csv", "--state", STATE, "--start", NOON, "--until",
      "2026-11-27T10:59:00Z", "--json")
    assert.equal(2, early.report.waiting)
    local _, late = go_on(folder)
    assert.equal(2, select(2, late.err:gsub("at the end", "")))
  end)

  it("works through the runtime that has the state", function()
    local folder = running.project { ["people.csv"] = "id\na\nc\n" }
    write(folder, 'wait "1h"')
    local process = running.start(folder, {}, "t", "--people", "people.csv", "--live", "--yes")
    running.wait_for("its people", function()
      local out = command(folder, "runs", "t", "--json").out
      return select(2, out:gsub('"waiting"', "")) == 2
    end)
    write(folder, 'wait "1h" print "new words"')
    local result
    running.wait_for("the move", function()
      result = command(folder, "move", "t", "--yes", "--json")
      return json.decode(result.out).done == 2
    end)
    assert.equal(process.pid, json.decode(result.out).live)
    process.signal "INT"
    process.finish()
  end)
end)
