-- Selections mean the same runs wherever they are said; what they cannot mean is told in one line.

local helper = require "helper"
local states = require "states"

local SCRIPT = [[
return journey "sales" { goal = "bought", flow = function(person, event)
  if person.broken then error("a mistake") end
  local copy = split "copy" { a = 50, b = 50 }
  call_api "note" { via = "crm", POST = "/notes", payload = person.payload or "plain" }
  person.copy = copy
  if person.unlucky then drop "not lucky" end
  wait(person.long and "10d" or "1d")
end }]]

local PEOPLE = {
  { id = "ada", country = "GB", age = 36, event = { cart = "C-1" } },
  { id = "grace", country = "US", payload = "fancy" },
  { id = "bad", country = "US", status = 422 },
  { id = "broken", broken = true },
  { id = "unlucky", unlucky = true, country = "GB" },
  { id = "yuki", country = "JP", long = true },
}

describe("a selection", function()
  local state

  setup(function()
    state = states.make("sales", SCRIPT, PEOPLE, {
      files = {
        ["payloads/plain.lua"] = "return function(person) return { status = person.status } end",
        ["payloads/fancy.lua"] = "return function() return { a = 1 } end",
      },
    })
  end)

  it("means all runs when nothing is said", function()
    assert.same({ "ada", "bad", "broken", "grace", "unlucky", "yuki" }, state.persons())
    assert.same({ "ada", "bad", "broken", "grace", "unlucky", "yuki" }, state.persons("sales"))
  end)

  it("takes outcomes, several of them, and the groups living and ended", function()
    assert.same({ "bad", "unlucky" }, state.persons("--outcome", "dropped"))
    assert.same({ "bad", "broken", "unlucky" }, state.persons("--outcome", "dropped,held"))
    assert.same({ "broken" }, state.persons("--outcome", "living"))
    assert.same({ "ada", "bad", "grace", "unlucky", "yuki" }, state.persons("sales", "--outcome", "ended"))
  end)

  it("takes an element, a reason, and a reason with what stands beside it", function()
    assert.same({ "bad" }, state.persons("--at", "note"))
    assert.same({ "bad" }, state.persons("--reason", "status"))
    assert.same({ "bad" }, state.persons("--reason", "status 422"))
    assert.same({}, state.persons("--reason", "status 500"))
    assert.same({ "unlucky" }, state.persons("--reason", "drop not lucky"))
    assert.same({ "broken" }, state.persons("--reason", "script"))
  end)

  it("takes a payload that was sent", function()
    assert.same({ "grace" }, state.persons("--sent", "fancy"))
    assert.same({ "ada", "bad", "unlucky", "yuki" }, state.persons("--sent", "plain"))
  end)

  it("takes a version by its first letters", function()
    local version = state.runs("--limit", "1")[1].version
    assert.equal(6, #state.persons("--version", version:sub(1, 3)))
  end)

  it("takes a reason that nobody has met, and finds nobody", function()
    for _, reason in ipairs { "timeout", "goal", "diverged", "unknown", "limit" } do
      local result = state.ask("runs", "--state", "sqlite:state.db", "--reason", reason)
      assert.same({ 1, "no runs\n", "" }, { result.code, result.out, result.err })
    end
  end)

  it("takes a payload's text by the beginning of its hash, and tells those that were sent instead", function()
    local result = state.ask("runs", "--state", "sqlite:state.db", "--sent", "plain@ffff")
    assert.equal(1, result.code)
    local hash = result.err:match("^jaunt: nobody was sent plain@ffff, but plain@(%x+)\n$")
    assert.same({ "ada", "bad", "unlucky", "yuki" }, state.persons("--sent", "plain@" .. hash:sub(1, 4)))
  end)

  it("says which names of an expression are nobody's, such as a text without its quotes", function()
    local result = state.ask("runs", "--state", "sqlite:state.db", "--where", "country == GB or age == 36")
    assert.equal(0, result.code)
    assert.equal('--where: none of these people has an attribute GB; a text stands in quotes: "GB"\n', result.err)
    assert.equal("", state.ask("runs", "--state", "sqlite:state.db", "--where", "tonumber(age) == 36").err)
  end)

  it("takes a time since which runs are where they are", function()
    assert.same({ "yuki" }, state.persons("--since", "2026-12-01"))
    assert.same({ "ada", "grace", "yuki" }, state.persons("--since", "2026-11-25T10:00:00Z"))
  end)

  it("takes an expression over the person, with what scripts wrote, and the event", function()
    assert.same({ "ada", "unlucky" }, state.persons("--where", 'country == "GB"'))
    assert.same({ "ada" }, state.persons("--where", 'person.age and age > 30'))
    assert.same({ "ada" }, state.persons("--where", 'event.cart == "C-1"'))
    assert.same({ "ada", "grace", "unlucky", "yuki" }, state.persons("--where", "copy ~= nil"))
  end)

  it("takes all of it together", function()
    assert.same({ "unlucky" }, state.persons("sales", "--outcome", "dropped", "--sent", "plain", "--where", 'country == "GB"'))
  end)

  it("tells what it does not know in one line, with the nearest right name", function()
    for _, case in ipairs {
      { { "salse" }, 'nobody has entered a journey "salse" in state.db; did you mean sales?' },
      { { "--at", "noet" }, 'nobody has come to an element "noet"; did you mean note?' },
      { { "--outcome", "droped" }, '--outcome: there is no "droped"; did you mean dropped?' },
      { { "--reason", "statsu" }, 'nobody was dropped, held or has exited for "statsu"; did you mean status?' },
      { { "--version", "zzzz" }, 'there is no version "zzzz"; there are ' },
      { { "--since", "last tuesday" }, "--since takes a time such as 2h" },
      { { "--where", "country ==" }, "--where: " },
      { { "--where", "age + 1 > 2" }, "--where fails for " },
    } do
      local told = state.complaint("runs", table.unpack(case[1]))
      assert(told:find(case[2], 1, true), told)
      assert.equal(1, select(2, told:gsub("\n", "")))
    end
  end)

  it("names a payload like the one that nobody was sent", function()
    local result = state.ask("runs", "--state", "sqlite:state.db", "--sent", "fancey")
    assert.equal(1, result.code)
    assert.matches("nobody was sent fancey; did you mean fancy?", result.err, 1, true)
  end)

  it("says what to do where there is no state", function()
    local folder = helper.temp_folder()
    for _, case in ipairs {
      { "", "there is no state jaunt.db yet: jaunt run JOURNEY --people FILE --live keeps it there" },
      { "--state sqlite:none.db", "no such state file: none.db" },
      { "--state memory:", "what is kept in memory: ends with its process" },
      { "--state sqlite:text.db", "text.db is no state of jaunt" },
      { "--state sqlite:cut.db", "cut.db is damaged (database disk image is malformed): go on from a copy that jaunt backup has made" },
    } do
      helper.write_file(folder .. "/cut.db", (helper.read_file(state.path):sub(1, 20000)))
      helper.write_file(folder .. "/text.db", ("no database "):rep(100))
      for _, command in ipairs { "runs", "report x", "why x" } do
        local result = helper.sh(("cd %s && %s %s %s"):format(folder, helper.jaunt_words(), command, case[1]))
        assert.equal(2, result.code)
        assert(result.err:find(case[2], 1, true), result.err)
      end
    end
  end)

  it("finds the project's own state without being told", function()
    assert(os.execute(("cp %s %s/jaunt.db"):format(state.path, state.folder)))
    local result = state.ask("runs", "--outcome", "held", "--json")
    assert.matches('"person":"broken"', result.out, 1, true)
  end)
end)
