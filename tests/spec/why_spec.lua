-- jaunt why: one person's whole story, with the verdict first.

local helper = require "helper"
local json = require "json"
local states = require "states"

local SCRIPT = [[
return journey "hello" {
  goal = "bought",
  flow = function(person, event)
    call_api "note" { via = "crm", POST = "/notes", headers = { ["X-Key"] = secret "CRM_TOKEN" }, payload = "note",
      retry = { attempts = 3 }, query = { who = person.id } }
    local copy = split "copy" { plain = 50, funny = 50 }
    person.copy = copy
    local newer = wait_for("clicked", { within = "2d" })
    call_api "letter" { via = "mail", POST = "/send", json = { to = person.email, big = ("x"):rep(3000), a = 1, b = 2 } }
    if person.broken then error("a mistake of ours") end
    call_api "form" { via = "crm", POST = "/form", form = { Text = "Grüße & more" } }
  end,
}]]

local NOTE = "return function(person) return { status = person.status, fails_first = person.fails_first } end"

local PEOPLE = {
  { id = "guest-77", email = "jo@example.com", event = { order = "O-1" } },
  { id = "u-1092", email = "jo@example.com", fails_first = 1 },
  { id = "refused", status = 422 },
  { id = "broken", broken = true },
  { id = "clicks", phone = 49301234 },
  { id = "buys" },
}

local EVENTS = [[
{"person":"clicks","name":"clicked","time":"+3h","data":{"link":"/sale"}}
{"person":"buys","name":"bought","time":"+5h","data":{"order":"O-9"}}
]]

-- The lines before the first empty one.
local function verdict_of(out)
  return out:match("^(.-)\n\n")
end

describe("jaunt why", function()
  local state

  setup(function()
    state = states.make("hello", SCRIPT, PEOPLE, {
      files = { ["payloads/note.lua"] = NOTE, ["events.ndjson"] = EVENTS, ["secrets.env"] = "" },
      flags = { "--events", "events.ndjson", "--seed", "1" },
    })
  end)

  it("says first how it ended", function()
    assert.equal('hello: dropped at "note": status 422', verdict_of(state.look("why", "refused")))
    assert.matches('^hello: held at "letter": script: .*a mistake of ours', verdict_of(state.look("why", "broken")))
    assert.equal("hello: exited by its goal: bought", verdict_of(state.look("why", "buys")))
    assert.matches("^hello: completed 2026%-11%-25 12:00[%d:]*, 3h", verdict_of(state.look("why", "clicks")))
  end)

  it("says of each call that took several attempts how they went", function()
    local told = verdict_of(state.look("why", "u-1092"))
    assert.matches('"note": attempt 1 was answered 503; attempt 2 was accepted', told, 1, true)
  end)

  it("finds people by any attribute, and says what was sent twice because they share it", function()
    local told = verdict_of(state.look("why", "jo@example.com"))
    assert.matches('2 × "letter": runs of guest-77 and u-1092 share this address', told, 1, true)
    assert.matches("guest-77, hello: completed", told, 1, true)
    assert.matches("u-1092, hello: completed", told, 1, true)
    assert.matches("clicks, hello: ", state.look("why", "49301234"), 1, true)   -- a number in the profile
    assert.matches("guest-77, hello: ", state.look("why", "O-1"), 1, true)      -- in the event
    assert.matches(" hello: ", state.look("why", "plain"), 1, true)             -- what a script wrote
  end)

  it("tells the story in order: requests, answers, branches, waits, writes", function()
    local out = state.look("why", "clicks")
    local at = 1
    for _, part in ipairs {
      "2026-11-25\n", "09:00:00  enter", "09:00:00  call   note  ok, 201", "POST https://crm.example.com/v2/notes?who=clicks",
      "via crm, payload note@", ", key ", "answer 201, application/json", "split  copy → ", "write  person.copy = \"",
      "wait   wait_for clicked  until 2026-11-27 09:00:00", "12:00:00  event  clicked  came after 3h", '"link":"/sale"',
      "12:00:00  call   letter  ok, 201", "POST https://mail.example.com/send", "Text = Grüße & more", "end    completed",
    } do
      local found, stop = out:find(part, at, true)
      assert(found, part .. " is not told, or not there: " .. out)
      at = stop
    end
  end)

  it("shortens bodies unless all of them is asked for", function()
    assert.is_nil(state.look("why", "clicks"):find(("x"):rep(200), 1, true))
    assert.matches(("x"):rep(3000), state.look("why", "clicks", "--full"), 1, true)
  end)

  it("shows no secret", function()
    for _, flags in ipairs { {}, { "--full" }, { "--json" } } do
      local out = state.look("why", "clicks", table.unpack(flags))
      assert.is_nil(out:find("pretend", 1, true)) -- what a rehearsal's secrets are made of
    end
  end)

  it("tells the same as one JSON object", function()
    local told = json.decode(state.look("why", "u-1092", "--json"))
    local run = told.runs[1]
    assert.equal("completed", run.state)
    assert.equal(2, #run.verdict)
    local call
    for _, entry in ipairs(run.story) do
      if entry.name == "note" then call = entry end
    end
    assert.equal("ok", call.result)
    assert.equal(2, #call.attempts)
    assert.equal("status", call.attempts[1].reason)
    assert.equal("note", call.request.payload)
    assert.equal("POST", call.request.method)
    assert.equal("crm", call.request.connection)
    assert.equal("application/json", call.request.type)
    assert.equal(call.request.key, json.decode(call.answer.body).got)
    assert.is_truthy(("\n" .. call.answer.headers):find("\ncontent%-type: application/json\n", 1) or
      ("\n" .. call.answer.headers):find("\nContent%-Type: application/json\n", 1), call.answer.headers)
    assert.equal("2026-11-25T09:00:00Z", call.at)
  end)

  it("tells of a few alone where many have a value, and how many more there are", function()
    local people = {}
    for i = 1, 130 do people[i] = { id = "p" .. i, country = "DE" } end
    local many = states.make("trip", [[return journey "trip" { flow = function() wait "1d" end }]], people)
    local out = many.look("why", "DE")
    assert.equal(10, select(2, out:gsub("\np%d+  trip, version", "")))
    assert.equal(2, select(2, out:gsub("\n… and 120 older runs %(%-%-full%)\n", "")))
    assert.equal(130, select(2, many.look("why", "DE", "--full"):gsub("\np%d+  trip, version", "")))
    assert.equal(130, #json.decode(many.look("why", "DE", "--json")).runs)
  end)

  it("tells of one journey alone where that is asked for", function()
    assert.matches('nobody has entered a journey "hallo"', state.complaint("why", "clicks", "--journey", "hallo"), 1, true)
    assert.matches("^hello: completed", state.look("why", "clicks", "--journey", "hello"))
  end)

  it("ends with 1 where nobody is meant", function()
    local result = state.ask("why", "nobody@example.com", "--state", "sqlite:state.db")
    assert.equal(1, result.code)
    assert.equal("jaunt: nobody in state.db has the id \"nobody@example.com\", or an attribute with that value\n", result.err)
  end)

  it("makes harmless what people's data and vendors say", function()
    local evil = states.make("evil", [[
      return journey "evil" { flow = function(person)
        call_api "x\27[31mx" { via = "crm", POST = "/x", body = "\27]0;title\7" }
      end }]], { { id = "e\27[2J", note = "\u{202E}abc", event = { c = "\u{9b}31m" } } },
      { vendor = [[return { crm = { ["ANY /*"] = function() return 200, "\27[2Jgone", { ["Content-Type"] = "text/plain" } end } }]] })
    for _, flags in ipairs { {}, { "--full" }, { "--json" } } do
      local out = evil.look("why", "e\27[2J", table.unpack(flags))
      assert.is_nil(out:find("[\27\7]"))
      assert.is_nil(out:find("\u{9b}", 1, true))
    end
  end)

  it("tells the run that was entered twice, and a loop, from two people", function()
    local again = states.make("again", [[
      return journey "again" { reentry = "always", flow = function(person)
        for i = 1, 3 do call_api "ping" { via = "crm", POST = "/x", json = { i = i } } end
      end }]], { { id = "ada" } })
    assert.matches("3 × \"ping\": the script of ada's run came by it 3 times", verdict_of(again.look("why", "ada")), 1, true)
    states.make("again", helper.read_file(again.folder .. "/journeys/again.lua"), { { id = "ada" } }, { folder = again.folder })
    assert.matches('6 × "ping": ada went through again 2 times', verdict_of(again.look("why", "ada")), 1, true)
  end)
end)
