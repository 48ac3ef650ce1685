-- jaunt backup: the copy of a state, also of one that is being written, is whole and goes on.

local helper = require "helper"
local running = require "running"

local JOURNEY = [[return journey "trip" { flow = function(person)
  call_api "first" { via = "vendor", POST = "/first", json = { id = person.id } }
  wait "1d"
  call_api "second" { via = "vendor", POST = "/second", json = { id = person.id } }
end }]]

local function project(count)
  local lines = { "id" }
  for i = 1, count do lines[#lines + 1] = "p" .. i end
  return running.project { ["journeys/trip.lua"] = JOURNEY, ["people.csv"] = table.concat(lines, "\n") .. "\n" }
end

local function words(state, ...)
  return "trip", "--people", "people.csv", "--state", "sqlite:" .. state, "--json", "--start", "2026-11-25T09:00:00Z",
    "--seed", "7", ...
end

local function backup(folder, ...)
  return helper.sh(("cd %s && %s"):format(helper.quote(folder), helper.jaunt_words("backup", ...)))
end

local function mode_of(path) return helper.sh("stat -c %a " .. helper.quote(path)).out:match("%d+") end

describe("jaunt backup", function()
  it("copies a state that is being written to: the copy adds up, and goes on to the end", function()
    local folder = project(1500)
    local process = running.start(folder, {}, words("state.db", "--vendor-latency", "20ms", "--in-flight", "50"))
    local copies = 0
    running.wait_for("the state", function()
      return helper.sh(("cd %s && test -e state.db && %s"):format(helper.quote(folder),
        helper.jaunt_words("runs", "--state", "sqlite:state.db", "--csv"))).code == 0
    end)
    repeat
      local newest = ("copy%d.db"):format(copies + 1)
      local result = backup(folder, newest, "--state", "sqlite:state.db")
      assert.equal(0, result.code, result.err)
      assert.equal(newest .. " is a copy of state.db\n", result.out)
      copies = copies + 1
    until copies == 2 or not running.lives(process.pid)
    local original = process.finish()
    assert.equal(0, original.code, original.err)
    assert.equal(1500, original.report.completed)
    for i = 1, copies do
      local copy = ("copy%d.db"):format(i)
      assert.equal("600", mode_of(folder .. "/" .. copy))
      local result = running.run(folder, words(copy))
      assert.equal(0, result.code, result.err)
      assert.equal(1500, result.report.entered)
      assert.equal(1500, result.report.completed)
      assert.equal(1500, running.ledger(result.report))
    end
  end)

  it("takes the project's state without --state, and leaves it as it was", function()
    local folder = project(3)
    assert.equal(0, running.run(folder, words("jaunt.db")).code)
    local before = helper.read_file(folder .. "/jaunt.db")
    assert.equal(0, backup(folder, "copy.db").code)
    assert.equal(before, helper.read_file(folder .. "/jaunt.db"))
    assert.equal("", helper.sh("cd " .. helper.quote(folder) .. " && ls | grep copy.db-").out)
  end)

  it("replaces no file without --force, and never the state itself", function()
    local folder = project(3)
    assert.equal(0, running.run(folder, words("state.db")).code)
    helper.write_file(folder .. "/letter", "dear aunt")
    local result = backup(folder, "letter", "--state", "sqlite:state.db")
    assert.equal(2, result.code)
    assert.matches("letter is there already: %-%-force replaces it", result.err)
    assert.equal("dear aunt", helper.read_file(folder .. "/letter"))
    assert.equal(0, backup(folder, "letter", "--state", "sqlite:state.db", "--force").code)
    assert.matches("^SQLite format 3", helper.read_file(folder .. "/letter"))
    result = backup(folder, "state.db", "--state", "sqlite:state.db", "--force")
    assert.equal(2, result.code)
    assert.matches("state.db is the state itself", result.err)
  end)

  it("says so where the state is damaged, and leaves no copy", function()
    local folder = project(200)
    assert.equal(0, running.run(folder, words("state.db")).code)
    local bytes = helper.read_file(folder .. "/state.db")
    local at = 8192 * 12
    helper.write_file(folder .. "/state.db", bytes:sub(1, at) .. ("\xa5"):rep(#bytes - at - 8192) .. bytes:sub(-8192))
    local result = backup(folder, "copy.db", "--state", "sqlite:state.db")
    assert.equal(2, result.code)
    assert.matches("is not whole", result.err)
    assert.equal("", helper.sh("cd " .. helper.quote(folder) .. " && ls | grep copy").out)
  end)

  it("says what is wrong with where it looks", function()
    local folder = project(1)
    assert.matches("no such state: none.db", backup(folder, "copy.db", "--state", "sqlite:none.db").err)
    assert.matches("a state in memory can't be copied", backup(folder, "copy.db", "--state", "memory:").err)
    assert.matches("people.csv is no state of jaunt", backup(folder, "copy.db", "--state", "sqlite:people.csv").err)
  end)
end)
