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
    assert.same({ "j.lua:2 journey" }, places)
    assert.matches("did you mean flow?", told.findings[1].text, 1, true)
  end)

  it("says what was meant by those who come from other languages", function()
    for line, hint in pairs {
      ["if x != 1 then end"] = 'Lua\'s "is not" is ~=', ["if x && y then end"] = "Lua says and",
      ["if x || y then end"] = "Lua says or",
      ["if !x then end"] = "Lua says not", ["x += 1"] = "Lua has no such assignment: n = n + 1",
      ["x++"] = "Lua has no ++: n = n + 1",
      ["if person.x = 1 then end"] = "two values are compared with ==", ["// note"] = "a comment begins with --",
      ["# note"] = "a comment begins with --",
      ["wait \u{201C}2h\u{201D}"] = "a text stands in plain quotes",
      ["local gr\u{FC}n = 1"] = "names are made of the letters a to z, digits and _",
      ["If person.x then end"] = "Lua's words are written small: if", ["let x = 1"] = "Lua says local x = 1",
      ["local t = { a = 1 b = 2 }"] = "is a comma missing before it?",
      ['local t = { a: "x" }'] = "a field is written NAME = value", ["elif x then"] = "Lua says elseif",
    } do
      local places, told = in_flow(line)
      assert.same({ line, "j.lua:2 syntax", hint }, { line, places[1], told.findings[1].hint })
    end
    assert.equal("nil", select(2, in_flow("if person.x == null then wait '1h' end")).findings[1].hint)
  end)

  it("points at the block that lacks its end, not at what comes too early for it", function()
    local _, told = in_flow("  if person.x then\n    wait '1h'\n  for i = 1, 2 do\n    wait '1h'\n  end")
    assert.same({ 2, "this 'if' has no end of its own" }, { told.findings[1].line, told.findings[1].text })
    _, told = in_flow("  if person.x then\n    wait '1h'\n  else if person.y then\n    wait '1h'\n  end")
    assert.equal("else if opens another block, elseif does not", told.findings[1].hint)
  end)

  it("finds values that the words of scripts would refuse, where they stand", function()
    finds("value", 'call_api "a" { via = "crm", POST = "/x", headers = "X: y" }', "headers is a table, not a text")
    finds("value", 'call_api "a" { via = "crm", POST = "/x", success = true }',
      "success is a text or a number or a table or a function, not true")
    finds("call", 'call_api "a" { via = "crm" }', "the call says no method with its path")
    finds("call", 'call_api "a" { via = "crm", POST = "/x", GET = "/y" }', "there are both GET and POST")
    finds("call", 'call_api "a" { via = "crm", POST = "/x", payload = "note", json = {} }', "there are both payload and json")
    finds("call", 'call_api "a" { via = "crm", POST = "/x", vars = {} }', "vars go to a payload")
    finds("call", 'call_api("a", { via = "crm", POST = "/x" })', "the fields come in braces of their own")
    finds("value", 'wait_until "tomorow 9am"', 'wait_until: "tomorow 9am" is no time')
    finds("value", 'wait_until { "09:00", zone = "Europe/Berln" }', 'there is no time zone "Europe/Berln"')
    finds("value", 'wait_for("paid", "2h")', "wait_for's second argument is a table, not a text")
    finds("field", 'wait_for("paid", { withn = "2h" })', "wait_for has no field withn", "within")
    finds("value", 'split "s" { a = "50", b = 50 }', "a share is a number, not a text")
    finds("value", 'split "s" { a = 0, b = 0 }', "no branch has a share above 0")
    finds("field", 'local r = call_api "a" { via = "crm", GET = "/x" } if r.statuss then exit "x" end',
      "a response has no field statuss", "status")
    finds("value", 'call_api "a" { via = "crm", GET = "/x", headers = { A = "k " .. secret "CRM" } }',
      "a secret can't be put together with a text")
  end)

  it("leaves a choice between two methods or bodies alone: a value that is nil is not given", function()
    local chosen = [[local body = person.a and { b = 1 } or nil
      call_api "a" { via = "crm", POST = person.id and "/x" or nil, PUT = not person.id and "/x" or nil,
        json = body, payload = not body and "note" or nil }
      call_api "b" { via = "crm", POST = "/x", json = nil, payload = "note", vars = nil }]]
    assert.same({}, (in_flow(chosen)))
    finds("call", 'call_api "a" { via = "crm", POST = "/x/" .. person.id, PUT = "/y" }', "there are both POST and PUT")
  end)

  it("knows a response's fields as scripts do", function()
    local fields = table.concat(require("jaunt.worker.sandbox").RESPONSE_FIELDS, ", ")
    local text = helper.read_file(source .. "/runtime/bind/response.c")
    assert.matches(fields, (text:gsub('"%s*\n%s*"', "")), 1, true)
  end)

  it("finds rows of samples that can't be used", function()
    local places = check { ["people/samples.csv"] = "id,first_name\na,Ada\n,Ben\nc,Cy\nd,Di,more\n" }
    assert.same({ "samples.csv:3 people", "samples.csv:5 people" }, places)
  end)

  it("finds files of people from which nobody can be read, and the other mistakes all the same", function()
    local journey = { ["journeys/j.lua"] = 'return journey "j" {\n  flwo = function() end }' }
    for text, place in pairs { ["name\nx\n"] = 1, ["id,first_name\n,x\n"] = 2 } do
      for _, file in ipairs { "samples.csv", "more.csv" } do
        journey["people/more.csv"] = nil
        journey["people/samples.csv"] = FILES["people/samples.csv"]
        journey["people/" .. file] = text
        local places = check(journey)
        table.sort(places)
        assert.same({ "j.lua:2 journey", ("%s:%d people"):format(file, place) }, places)
      end
    end
  end)

  it("finds a vendor.lua that is no Lua, and does without samples where there is nobody in the file", function()
    local places = check { ["vendor.lua"] = "return { crm = {\n  [\"GET /x\"] = function( } }\n" }
    assert.same({ "vendor.lua:2 syntax" }, places)
    assert.same({}, (check { ["people/samples.csv"] = "id,first_name\n" }))
  end)

  it("looks into what journeys require, and knows the globals that it makes", function()
    local places = check {
      ["journeys/j.lua"] = 'local tools = require "lib.tools"\nreturn journey "j" { flow = function() twice(MOST) tools.send() end }\n',
      ["lib/tools.lua"] = 'MOST = 3\nfunction twice(n) return 2 * n end\nlocal M = {}\nfunction M.send()\n  sent = true\n  return call_api "a" { via = "crn", POST = "/x" }\nend\nreturn M\n',
    }
    assert.same({ "tools.lua:5 global", "tools.lua:6 connection" }, places)
    local _, told = check { ["journeys/j.lua"] = 'return journey "j" { flow = function()\n  local x = require "nowhere"\nend }\n' }
    assert.same({ 2, 'there is no module "nowhere": it would be nowhere.lua' }, { told.findings[1].line, told.findings[1].text })
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
    for _, loop in ipairs { 'while true do wait "1h" end', "while true do if person.x then break end end",
      "while person.x do local y = 1 end",
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
    local found = finds("text", "if person.age > 18 then wait '1h' end",
      "person.age is compared with a number, and is a text in people/samples.csv", "tonumber(person.age)")
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
