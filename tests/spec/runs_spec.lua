-- jaunt runs: who is where, one line each, for people and for programs.

local helper = require "helper"
local json = require "json"
local running = require "running"
local states = require "states"

local SCRIPT = [[
return journey "sales" { flow = function(person)
  call_api "note" { via = "crm", POST = "/notes", json = { status = person.status } }
  if person.why then drop(person.why) end
end }]]

local PEOPLE = {
  { id = "ada", email = "ada@example.com" },
  { id = "grace", status = 422, email = "grace@example.org" },
  { id = "evil\27[31m", email = 'a "quoted",\nthing' },
  { id = "rtl", why = "\u{202E}txet" },
}

describe("jaunt runs", function()
  local state

  setup(function() state = states.make("sales", SCRIPT, PEOPLE) end)

  it("prints a line for each run, and counts them at the end", function()
    local out = state.look("runs", "sales")
    assert.matches("^person +journey +version +state +element +reason +since\n", out)
    assert.matches("\nada +sales +%x+ +completed +note +%- +2026%-11%-25 09:00:0%d\n", out)
    assert.matches("\ngrace +sales +%x+ +dropped +note +status 422 +2026%-11%-25", out)
    assert.matches("\n\n4 runs: 2 completed, 2 dropped\n$", out)
  end)

  it("shows nothing that a terminal would obey", function()
    local out = state.look("runs", "--columns", "person,reason,person.email")
    assert.is_nil(out:find("\27", 1, true))
    assert.is_nil(out:find("\u{202E}", 1, true))
    assert.is_nil(state.look("runs", "--json"):find("\27", 1, true))
  end)

  it("prints the newest first, and as many as are asked for", function()
    local rows, all = state.runs("--limit", "3"), state.runs()
    assert.equal(3, #rows)
    for i = 1, 3 do assert.equal(all[i].person, rows[i].person) end
    assert.matches("3 runs: .*; there are more, which %-%-limit keeps back\n$", state.look("runs", "--limit", "3"))
    assert.is_nil(state.look("runs", "--limit", "4"):find("there are more", 1, true))
  end)

  it("prints CSV that a reader of CSV understands, with the columns that are asked for", function()
    local out = state.look("runs", "--csv", "--columns", "person,person.email,person.nothing,state")
    assert.matches("^person,person.email,person.nothing,state\n", out)
    assert.matches("\nada,ada@example.com,,completed\n", out, 1, true)
    assert.matches('\nevil\27[31m,"a ""quoted"",\nthing",,completed\n', out, 1, true)
  end)

  it("prints one JSON object a line, with all that is known", function()
    local row = state.runs("--reason", "status")[1]
    assert.equal("grace", row.person)
    assert.equal("422", row.detail)
    assert.equal("note", row.element)
    assert.equal("dropped", row.state)
    assert.equal(false, row.control)
    assert.equal(json.null, row.due)
    assert.matches("^2026%-11%-25T09:00:0%d", row.since)
    assert.matches("^%x+$", row.run)
  end)

  it("names the nearest column", function()
    assert.matches("--columns: there is no persn; did you mean person?", state.complaint("runs", "--columns", "persn"), 1, true)
    assert.matches("exclude each other", state.complaint("runs", "--csv", "--json"))
  end)

  it("ends with 1 where there is none", function()
    local result = state.ask("runs", "--state", "sqlite:state.db", "--outcome", "held")
    assert.equal(1, result.code)
    assert.equal("no runs\n", result.out)
  end)

  it("ends quietly when nobody reads on, and with a word when it can't write", function()
    local command = ("cd %s && %s | head -1"):format(state.folder, helper.jaunt_words("runs", "--state",
      "sqlite:state.db", "--csv"))
    local result = helper.sh(command)
    assert.equal("", result.err)
    result = helper.sh(("cd %s && %s >/dev/full"):format(state.folder, helper.jaunt_words("runs", "--state", "sqlite:state.db")))
    assert.equal(2, result.code)
    assert.matches("can't write", result.err)
  end)

  it("lists each run once, of more than one page can look at", function()
    local people = {}
    for i = 1, 20500 do people[i] = { id = "p" .. i } end
    local many = states.make("many", 'return journey "many" { flow = function() end }', people, { flags = { "--sync", "normal" } })
    local seen, count = {}, 0
    for line in many.look("runs", "--csv", "--columns", "person"):gmatch("[^\n]+") do
      assert.is_nil(seen[line])
      seen[line], count = true, count + 1
    end
    assert.equal(20501, count)
    assert.equal("person,state\np1,completed\n", many.look("runs", "--csv", "--columns", "person,state", "--where", 'id == "p1"'))
  end)

  it("shows runs as a killed process has left them, and while a runtime has the state", function()
    local folder = helper.temp_folder()
    helper.write_file(folder .. "/connections.lua",
      'return { crm = { base_url = "http://127.0.0.1:9", private_network = true } }')
    helper.write_file(folder .. "/journeys/stopped.lua", states.CRASH)
    helper.write_file(folder .. "/people.ndjson", '{"id":"ada","waits":true}\n{"id":"grace"}\n')
    local process = helper.start(("env -C %s %s"):format(folder, helper.jaunt_words("run", "stopped", "--people", "people.ndjson",
      "--live", "--yes", "--state", "sqlite:state.db")))
    local function states_now()
      local result = helper.sh(("cd %s && %s"):format(folder,
        helper.jaunt_words("runs", "--state", "sqlite:state.db", "--csv", "--columns", "person,state,element")))
      return result.out
    end
    local wanted = "person,state,element\ngrace,queued,note\nada,waiting,wait 1d\n"
    local function is_wanted()
      local found = states_now()
      return found == wanted or found == "person,state,element\nada,waiting,wait 1d\ngrace,queued,note\n"
    end
    local function why(person)
      return helper.sh(("cd %s && %s"):format(folder, helper.jaunt_words("why", person, "--state", "sqlite:state.db"))).out
    end
    running.wait_for("both runs", function() return is_wanted() and why("grace"):find("attempt 1 could not connect", 1, true) end)
    assert.matches("in use by a runtime", helper.sh(("cd %s && %s"):format(folder,
      helper.jaunt_words("report", "stopped", "--state", "sqlite:state.db"))).out)
    process.stop("KILL")
    assert.is_true(is_wanted())
    assert.matches("was under way at \"note\" when its process ended, between two attempts of a call: the next jaunt run", why "grace", 1,
      true)
    assert.matches("waits until [%d%- :]+ %(in 23h 5%dm%)", why "ada")
  end)
end)
