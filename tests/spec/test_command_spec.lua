-- jaunt test: the project's specs pass, and what they say of runs is told as a person would want to read it when it is wrong.

local helper = require "helper"

local source = os.getenv("JAUNT_SOURCE")

local PROJECT = {
  ["connections.lua"] = [[return { crm = { base_url = "https://crm.example.com/v2" }, sms = { base_url = "https://sms.example.com", idempotent = false } }]],
  ["people/samples.ndjson"] = '{"id":"ada","first_name":"Ada","zone":"Europe/Berlin","event":{"order_id":"o1"}}\n',
  ["payloads/note.json"] = '{ "name": "{{ first_name }}", "order": "{{ event.order_id }}" }',
  ["vendor.lua"] = [[return { crm = { ["POST /v2/notes"] = function() return 201, { id = 7 } end } }]],
  ["journeys/short.lua"] = [[
return journey "short" { starts_on = "order", reentry = "1d", flow = function(person, event)
  local note = call_api "note" { via = "crm", POST = "/notes", payload = "note", retry = { attempts = 3 } }
  person.note = note.json.id
  local late = wait_for("paid", { within = "2h" })
  if late then exit "paid" end
  local how = split "how" { a = 50, b = 50 }
  call_api "text" { via = "sms", POST = "/messages", json = { how = how }, on_failure = "continue" }
  wait_until "09:00"
end }]],
}

-- Runs `jaunt test` over a spec in the project. Returns helper.sh's result, with the folder.
local function test(spec, ...)
  local folder = helper.temp_folder()
  for name, text in pairs(PROJECT) do helper.write_file(folder .. "/" .. name, text) end
  helper.write_file(folder .. "/spec/short_spec.lua", spec)
  local result = helper.sh(("cd %s && %s"):format(helper.quote(folder), helper.jaunt_words("test", ...)))
  result.folder = folder
  return result
end

-- The same for the body of one test, which has to pass.
local function passes(body)
  local result = test(('describe("short", function() it("does", function() %s end) end)'):format(body))
  assert.equal(0, result.code, result.out .. result.err)
  assert.matches("1 success / 0 failures / 0 errors", result.out)
  return result
end

-- What is told of a body that has to fail: all that stands behind the spec's line.
local function complaint(body)
  local result = test(('describe("short", function() it("does", function()\n%s end) end)'):format(body))
  assert.equal(1, result.code, result.out .. result.err)
  return result.out:match("short_spec%.lua:2: (.*)") or error(result.out)
end

describe("jaunt test", function()
  it("passes the specs of the ready project, and its journeys are covered", function()
    local result = helper.sh(("cd %s && %s"):format(helper.quote(source), helper.jaunt_words("test")))
    assert.equal(0, result.code, result.out .. result.err)
    assert.matches(" 0 failures / 0 errors", result.out)
    for _, journey in ipairs { "abandoned_cart", "order_update", "welcome", "win_back" } do
      assert.matches(journey .. ": (%d+) of %1 elements reached\n", result.out)
    end
  end)

  it("moves time only where it is told to, and a wait of hours takes none", function()
    passes [[
      local run = enter("short", "ada")
      assert.is_waiting_at(run, "wait_for paid")
      assert.waits_until(run, "2026-11-25 11:00", "UTC")
      clock "+1h 59m"
      assert.is_waiting_at(run, "wait_for paid")
      clock "+1m"
      assert.went_through(run, "text")
      assert.waits_until(run, "2026-11-26 09:00")
      clock "2026-11-26 08:00"
      assert.completed(run)
    ]]
    passes [[ starts_at "2027-01-01" assert.waits_until(enter("short", "ada"), "2027-01-01 02:00", "UTC") ]]
  end)

  it("gives events to those who wait for them", function()
    passes [[
      local run, other = enter("short", "ada"), enter("short", { id = "ben" })
      happens("paid", "ada", { order_id = "o1" })
      assert.exited(run, nil, "paid")
      assert.is_waiting_at(other, "wait_for paid")
    ]]
  end)

  it("lets vendors answer as the spec says: once, in a row, never, late, and as usual again", function()
    passes [[
      vendor "crm":on "POST /notes":reply(503):reset():reply(201, { id = 1 })
      local ada = enter("short", "ada")
      clock "+1m"
      assert.went_through(ada, "note")
      vendor "crm":on "ANY /*":storm(1, 5)
      local run = enter("short", { id = "c" })
      clock "+5s"
      assert.went_through(run, "note")
      vendor "crm":on "POST /notes":reply(400)
      assert.dropped_at(enter("short", { id = "b" }), "note", "status")
      vendor "sms":on "POST /messages":reset()
      clock "+1d"
      assert.went_through(ada, "text")
      vendor "crm":on "POST /notes":reply(201, { id = 1 }, nil, "20ms")
      assert.went_through(enter("short", { id = "d" }), "note")
      assert.received("crm", "POST /notes", { name = "Ada", order = "o1" }, 1)
    ]]
  end)

  it("shows what was sent, and keeps it as a snapshot", function()
    local spec = [[
      describe("short", function() it("sends", function()
        local request = sent(enter("short", "ada"), "note")
        assert.same({ name = "Ada", order = "o1" }, request.json)
        assert.equal("note", request.payload)
        assert.is_nil(sent(enter("short", { id = "b" }), "text"))
        assert.matches_snapshot("note", request.json)
      end) end)]]
    local result = test(spec)
    assert.equal(0, result.code, result.out)
    assert.matches("1 snapshot taken", result.out)
    local function again(...)
      return helper.sh(("cd %s && %s"):format(helper.quote(result.folder), helper.jaunt_words("test", ...)))
    end
    assert.equal(0, again().code)
    helper.write_file(result.folder .. "/payloads/note.json",
      '{ "name": "{{ first_name | upcase }}", "order": "{{ event.order_id }}" }')
    helper.write_file(result.folder .. "/spec/short_spec.lua", (spec:gsub('name = "Ada"', 'name = "ADA"')))
    local changed = again()
    assert.equal(1, changed.code)
    assert.matches('  -   "name": "Ada"\n  +   "name": "ADA"\n', changed.out, 1, true)
    assert.equal(0, again("--update").code)
    assert.equal(0, again().code)
  end)

  it("tells in words what was expected, where the run is, and its story", function()
    local told = complaint [[assert.dropped_at(enter("short", "ada"), "text")]]
    assert.matches('^ada is to be dropped at "text", and is waiting at "wait_for paid":\n', told)
    assert.matches('T09:00:00Z  "note": ok %(201%)\n', told)
    assert.matches('wait_for paid until 2026%-11%-25T11:00:00Z: waits', told)
    told = complaint [[assert.is_not.went_through(enter("short", "ada"), "note")]]
    assert.matches('^ada is not to go through "note", and is', told)
    told = complaint [[enter("short", "ada") assert.received("crm", "POST /notes", { name = "Eve" }, 1)]]
    assert.matches('^crm is to be sent POST /notes with {"name":"Eve"} 1 time; it was 0 times, of\n  POST crm/notes {"name":"Ada","order":"o1"}', told)
  end)

  it("refuses what is said of nothing, with the nearest right name", function()
    assert.matches('has no element "nota"; did you mean note?',
      complaint [[assert.is_not.went_through(enter("short", "ada"), "nota")]], 1, true)
    assert.matches("no such journey: shrt; did you mean short?", complaint [[enter("shrt", "ada")]], 1, true)
    assert.matches("did you mean ada?", complaint [[enter("short", "add")]], 1, true)
    assert.matches('connections.lua has no connection "crn"', complaint [[vendor "crn"]], 1, true)
    assert.matches("has passed", complaint [[clock "2020-01-01"]], 1, true)
    assert.matches('has no element "nota"; did you mean note?', complaint [[sent(enter("short", "ada"), "nota")]], 1, true)
    assert.matches("no such journey: shrt; did you mean short?", complaint [[crash_everywhere("shrt", "ada")]], 1, true)
    assert.matches('no connection "cmr"; did you mean crm?', complaint [[assert.received("cmr", "POST /notes", nil, 0)]], 1, true)
  end)

  it("says at the spec's line, and in its words, how a word is to be used", function()
    for body, told in pairs {
      ["enter()"] = "enter takes a journey and a person", ['enter "short"'] = "there is no person",
      ['enter("short", "ada", "o1")'] = "an event's data are a table, not a string",
      ['happens "paid"'] = "happens takes an event and a person",
      ["clock(7200)"] = 'clock takes a duration or a time: clock "+2h"', ['clock "2h"'] = 'to go on by so long, it is clock "+2h"',
      ["starts_at(9)"] = "starts_at takes a time", ['assert.completed("ada")'] = 'a run is what enter gives (nil where nobody was let in), not "ada"',
      ['assert.went_through(enter("short", "ada"))'] = "an element's name is a text, not a nil",
      ['assert.waits_until(enter("short", "ada"))'] = "waits_until takes a run and a time",
      ['assert.received "crm"'] = "received takes a connection, a method and a path",
      ['assert.matches_snapshot("s")'] = "there is nothing to compare",
      ['vendor("crm").on("POST /notes")'] = "on is called with a colon",
      ['vendor("crm"):on "POST notes"'] = "on takes a method and a path",
      ['vendor "crm":on "POST /notes":reply { id = 7 }'] = "reply takes a status",
      ['vendor "crm":on "POST /notes":storm()'] = "storm takes how many requests are refused",
      ['vendor "crm":on "POST /notes":reply(200, nil, nil, "5 ms")'] = 'reply: "5 ms" is no duration',
      ['crash_everywhere("short", "ada", { events = { { name = "paid" } } })'] = "event 1: it is { name =",
    } do
      local said = complaint(body)
      assert.truthy(said:find(told, 1, true), body .. ": " .. said)
      assert.is_nil(said:match("^[^\n]*"):find("lualib", 1, true), said)
    end
  end)

  it("finds the journeys of the project that --project names", function()
    local folder = test([[describe("s", function() it("t", function() end) end)]]).folder
    helper.write_file(folder .. "/spec/short_spec.lua", [[describe("s", function() it("t", function()
      assert.completed(enter("short", "ada"))
      assert.is_true(crash_everywhere("short", "ada") > 0)
    end) end)]])
    local result = helper.sh(helper.jaunt_words("test", "--project", folder))
    assert.equal(1, result.code)
    assert.matches('ada is to be completed, and is waiting at "wait_for paid"', result.out, 1, true)
  end)

  it("has a world for each test", function()
    local result = test [[
      describe("short", function()
        for i = 1, 2 do
          it("is as new " .. i, function()
            assert.is_table(enter("short", "ada"))
            assert.is_nil(enter("short", "ada"))
            assert.received("crm", "POST /notes", nil, 1)
            vendor "crm":on "POST /notes":reply(400)
            clock "+3d"
          end)
        end
      end)]]
    assert.equal(0, result.code, result.out)
  end)

  it("tells which elements and branches no test came to", function()
    local result = passes [[enter("short", "ada") happens("paid", "ada")]]
    assert.matches('short: 2 of 5 elements reached, no test came to\n  journeys/short.lua:6: "how"\n  journeys/short.lua:7: "text"\n', result.out, 1, true)
    assert.is_nil(test([[describe("s", function() it("t", function() enter("short", "ada") end) end)]],
      "--no-coverage").out:find("reached"))
  end)

  it("ends with 1 where something fails, with 2 where nothing can be tested", function()
    assert.equal(1, test([[error "broken"]]).code)
    assert.equal(1, test([[describe("s", function() it("t", function() error "x" end) end)]]).code)
    assert.equal(2, test([[describe("s", function() it("t", function() end) end)]], "--filter", "nothing").code)
    assert.equal(0, test([[describe("s", function() it("t-t", function() end) it("u", function() error "x" end) end)]],
      "--filter", "t-t").code)
  end)
end)
