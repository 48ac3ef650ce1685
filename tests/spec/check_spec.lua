-- jaunt check: what is wrong with a project is found before anybody is called, each with its place, and nothing else is.

local helper = require "helper"
local json = require "json"

local source = os.getenv("JAUNT_SOURCE")

local FILES = {
  ["connections.lua"] = 'return { crm = { base_url = "https://crm.example.com", auth = { bearer = secret "CRM" } } }',
  ["payloads/note.json"] = '{ "name": "{{ first_name }}" }',
  ["people/samples.csv"] = "id,first_name,age,event.total\na,Ada,36,5\nb,Ben,,7\n",
}

-- The findings of `jaunt check --json` in a project of these files over FILES: a list of "FILE:LINE CODE", and the whole objects.
local function check(files, ...)
  local folder = helper.temp_folder()
  for name, text in pairs(FILES) do helper.write_file(folder .. "/" .. name, text) end
  for name, text in pairs(files) do helper.write_file(folder .. "/" .. name, text) end
  local result = helper.sh(("cd %s && %s"):format(helper.quote(folder), helper.jaunt_words("check", "--json", ...)))
  assert(result.code < 2, result.err)
  local told = json.decode(result.out)
  local places = {}
  for i, one in ipairs(told.findings) do places[i] = ("%s:%d %s"):format(one.file:match("[^/]+$"), one.line, one.code) end
  assert.equal(#places > 0 and 1 or 0, result.code)
  return places, told, folder
end

-- The same for a journey whose flow is `flow` (from line 2 on); head stands before the journey, in line 1.
local function in_flow(flow, head)
  return check { ["journeys/j.lua"] = ("%s return journey \"j\" { flow = function(person, event)\n%s\nend }\n"):format(head or "", flow) }
end

-- Expects one finding of that code in line 2, with these words and this hint.
local function finds(code, flow, words, hint)
  local places, told = in_flow(flow)
  assert.same({ "j.lua:2 " .. code }, places)
  assert.matches(words, told.findings[1].text, 1, true)
  assert.equal(hint, told.findings[1].hint)
  assert.is_true(#told.findings[1].why > 10)
  return told.findings[1]
end

describe("jaunt check", function()
  it("finds nothing in the ready project", function()
    local result = helper.sh(("cd %s && %s"):format(helper.quote(source), helper.jaunt_words("check")))
    assert.equal("nothing found\n", result.out .. result.err)
    assert.equal(0, result.code)
  end)

  it("finds what can't be loaded", function()
    finds("syntax", "if x then then", "an expression is expected, not 'then'")
    local places, told = check { ["journeys/j.lua"] = 'return journey "j" {\n  flwo = function() end }' }
    assert.same({ "j.lua:1 journey" }, places)
    assert.matches("did you mean flow?", told.findings[1].text, 1, true)
  end)

  it("finds fields, names, connections and payloads that are not there, with the nearest right one", function()
    finds("field", 'call_api "a" { via = "crm", POST = "/x", paylod = "note" }', "call_api has no field paylod", "payload")
    finds("connection", 'call_api "a" { via = "crn", POST = "/x" }', 'there is no connection "crn"', "crm")
    finds("payload", 'call_api "a" { via = "crm", POST = "/x", payload = "nota" }', 'there is no payload "nota"', "note")
    finds("name", "exti 'x'", "nothing here is called exti", "exit")
    finds("name", "print(string.fnd('a', 'b'))", "string has no fnd", "find")
    finds("name", "os.execute 'rm'", "os has no execute")
  end)

  it("finds values that could only hold everybody", function()
    finds("value", 'wait "2 hours long"', "wait: ")
    finds("value", 'call_api "a" { via = "crm", POST = "/x", within = "soon" }', "within: ")
    finds("value", 'call_api "a" { via = "crm", POST = "x" }', 'the path "x" does not begin with /')
    finds("value", 'call_api "a" { via = "crm", POST = "/x", on_failure = "hodl" }', 'not "hodl"', "hold")
    finds("call", 'call_api "a"', 'call_api "a" stands without its braces')
  end)

  it("finds elements that can't be told apart, or are never come to", function()
    local places = in_flow('call_api "a" { via = "crm", GET = "/x" }\ncall_api "a" { via = "crm", GET = "/y" }\nsplit "a" { x = 1 }')
    assert.same({ "j.lua:3 twice", "j.lua:4 twice" }, places)
    places = in_flow('drop "x"\ncall_api "a" { via = "crm", GET = "/x" }')
    assert.same({ "j.lua:3 unreachable" }, places)
    assert.same({}, in_flow('if person.x then drop "x" end\nwait "1h"'))
  end)

  it("finds loops that neither pause nor end, and no others", function()
    finds("loop", "while true do local x = 1 + 1 end", "this loop neither pauses nor ends")
    finds("loop", "repeat local x = 2 until false", "this loop neither pauses nor ends")
    for _, loop in ipairs { 'while true do wait "1h" end', "while true do if person.x then break end end", "while person.x do local y = 1 end",
      "while true do local function f() return 1 end person.y = f() end", "while true do person.list:go() end" } do
      assert.same({}, in_flow(loop), loop)
    end
  end)

  it("finds secrets that are written down", function()
    local places = check { ["connections.lua"] = 'return { crm = { base_url = "https://user:hunter2@crm.example.com",\nheaders = { Authorization = "Bearer abcdefghijklmnop" } } }' }
    assert.same({ "connections.lua:1 connections", "connections.lua:1 secret", "connections.lua:2 secret" }, places)
    finds("secret", 'local key = "sk_live_4eC39HqLyjWDarjtT1zdp7dc"', "this looks like a Stripe key")
  end)

  it("finds globals that are made, and locals of the file that are changed for one run alone", function()
    finds("global", "count = 1", "this makes a global of count")
    local places, told = in_flow("count = count + 1", "local count = 0")
    assert.same({ "j.lua:2 shared" }, places)
    assert.matches("changed here for this run alone", told.findings[1].text, 1, true)
  end)

  it("finds numbers that are compared with what files have as texts", function()
    local found = finds("text", "if person.age > 18 then wait '1h' end", "person.age is compared with a number, and is a text in people/samples.csv", "tonumber(person.age)")
    assert.matches("held", found.why)
    finds("text", "if event.total == 5 then wait '1h' end", "event.total is compared with a number", "tonumber(event.total)")
    assert.same({}, in_flow("if tonumber(person.age) or 0 > 18 then wait '1h' end\nif person.first_name == 'x' then wait '1h' end"))
  end)

  it("finds templates that can't be compiled, with line and column", function()
    local places, told = check { ["payloads/note.json"] = '{\n  "name": "{{ first_name | upcse }}"\n}' }
    assert.same({ "note.json:2 template" }, places)
    assert.equal(28, told.findings[1].column)
  end)

  it("finds what is blank for everybody, and what a schema forbids", function()
    local files = { ["journeys/j.lua"] = 'return journey "j" { flow = function(person, event) call_api "a" { via = "crm", POST = "/x", payload = "note" } end }' }
    files["payloads/note.json"] = '{ "a": "{{ first_name }}",\n"name": "{{ frist_name }}" }'
    local places, told = check(files)
    assert.same({ "note.json:2 blank" }, places)
    assert.matches("did you mean first_name?", told.findings[1].text, 1, true)
    files["payloads/note.json"] = '{ "name": "{{ first_name }}" }'
    files["payloads/note.schema.json"] = '{ "properties": { "name": { "maxLength": 2 } } }'
    places, told = check(files)
    assert.same({ "note.schema.json:1 schema" }, places)
    assert.matches("for 2 of 2", told.findings[1].text, 1, true)
    files["payloads/note.schema.json"] = '{ "typ": 1 }'
    assert.same({ "note.schema.json:1 schema" }, (check(files)))
  end)

  it("does not tell of what is meant", function()
    local places, told = in_flow("count = 1 -- meant: global\nother = 2 -- meant: loop")
    assert.same({ "j.lua:3 global" }, places)
    assert.equal(1, told.meant)
  end)

  it("shows the line, a caret and why, and how to say that it is meant", function()
    local _, _, folder = in_flow("  count = 1")
    local result = helper.sh(("cd %s && %s"):format(helper.quote(folder), helper.jaunt_words("check")))
    assert.equal(1, result.code)
    assert.equal("journeys/j.lua:2:3: this makes a global of count [global]\n    count = 1\n    ^ it is the run's alone, but any function may change it; "
      .. "most often a `local` was forgotten\n\n1 finding. What is meant so is told by a comment in its line: meant: global\n", result.out)
  end)
end)
