-- Forty projects with one fault each: jaunt check finds that one, at its line, and nothing else.

local helper = require "helper"
local json = require "json"

local AROUND = {
  ["connections.lua"] = 'return {\n  crm = { base_url = "https://crm.example.com", auth = { bearer = secret "CRM" } },\n}\n',
  ["payloads/note.json"] = '{\n  "name": "{{ first_name }}",\n  "city": "{{ city | default: \'nowhere\' }}"\n}\n',
  ["people/samples.csv"] = "id,first_name,city,age\na,Ada,London,36\nb,Ben,Bern,7\n",
}

local function flow(line)
  return ('return journey "j" {\n  flow = function(person, event)\n    call_api "first" { via = "crm", POST = "/x", payload = "note" }\n%s\n  end,\n}\n'):format(line)
end

-- { code, line in the file, file, its text }; a text of one line of Lua stands in line 4 of a journey.
local function in_flow(code, line) return { code, 4, "journeys/j.lua", flow(line) } end
local function in_payload(code, line, text) return { code, line, "payloads/note.json", text } end

local FAULTS = {
  in_flow("syntax", "local x = )"), in_flow("syntax", "if person.x then else if y end"),
  in_flow("syntax", "local s = 'open"), in_flow("syntax", "x = = 1"), in_flow("syntax", "goto nowhere"),
  in_flow("field", 'call_api "a" { via = "crm", POST = "/x", paylod = "note" }'),
  in_flow("field", 'call_api "a" { via = "crm", POST = "/x", on_fail = "drop" }'),
  in_flow("connection", 'call_api "a" { via = "crn", POST = "/x" }'),
  in_flow("payload", 'call_api "a" { via = "crm", POST = "/x", payload = "nte" }'),
  in_flow("value", 'call_api "a" { via = "crm", POST = "x" }'),
  in_flow("value", 'call_api "a" { via = "crm", POST = "/x", within = "4 hours" }'),
  in_flow("value", 'call_api "a" { via = "crm", POST = "/x", timeout = "fast" }'),
  in_flow("value", 'call_api "a" { via = "crm", POST = "/x", on_failure = "ignore" }'),
  in_flow("value", 'wait "tomorrow"'), in_flow("value", 'wait_for("paid", { within = "a while" })'),
  in_flow("call", 'call_api "a"'),
  in_flow("twice", 'call_api "first" { via = "crm", POST = "/y" }'), in_flow("twice", 'split "first" { a = 1, b = 1 }'),
  { "unreachable", 5, "journeys/j.lua", flow('drop "x"\nwait "1h"') }, { "unreachable", 5, "journeys/j.lua",
    flow('exit "x"\ncall_api "b" { via = "crm", GET = "/x" }') },
  in_flow("loop", "while true do local x = 1 end"), in_flow("loop", "repeat person.x = 1 until false"),
  in_flow("global", "last = person.id"), in_flow("global", "function helper() end"),
  in_flow("name", "persn.x = 1"), in_flow("name", 'io.open("x")'), in_flow("name", "local n = math.rnd(3)"),
  in_flow("text", "if person.age > 18 then exit 'x' end"), in_flow("text", "if 18 == person.age then exit 'x' end"),
  { "shared", 4, "journeys/j.lua", ("local seen = 0 %s"):format(flow("seen = seen + 1")) },
  in_flow("secret", 'local key = "sk_live_4eC39HqLyjWDarjtT1zdp7dc"'),
  in_flow("secret", 'call_api "a" { via = "crm", GET = "/x", headers = { A = "Bearer abcdefghijkl" } }'),
  { "secret", 2, "connections.lua", 'return {\n  crm = { base_url = "https://crm.example.com", headers = { ["X-Key"] = "xoxb-123456789012-abcdefghij" } },\n}\n' },
  { "connections", 2, "connections.lua", 'return {\n  crm = { base_url = "crm.example.com" },\n}\n' },
  { "journey", 2, "journeys/j.lua", 'return journey "j" {\n  flwo = function() end,\n}\n' },
  in_payload("template", 2, '{\n  "name": "{{ first_name | upcse }}"\n}\n'),
  in_payload("template", 2, '{\n  "name": "{{ first_name }"\n}\n'),
  in_payload("template", 3, '{\n  "name": "x"\n  "city": {{ city }}\n}\n'),
  in_payload("blank", 2, '{\n  "name": "{{ frist_name }}"\n}\n'),
  { "schema", 2, "payloads/note.schema.json", '{ "properties":\n  { "name": { "maxLength": 2 } } }\n' },
}

-- Where jaunt check finds something: { "FILE:LINE CODE", … }.
local function found(files)
  local folder = helper.temp_folder()
  for name, text in pairs(AROUND) do helper.write_file(folder .. "/" .. name, files[name] or text) end
  for name, text in pairs(files) do helper.write_file(folder .. "/" .. name, text) end
  local result = helper.sh(("cd %s && %s"):format(helper.quote(folder), helper.jaunt_words("check", "--json")))
  assert(result.code < 2, result.err)
  local list = {}
  for i, one in ipairs(json.decode(result.out).findings) do list[i] = ("%s:%d %s"):format(one.file, one.line, one.code) end
  return list
end

describe("jaunt check", function()
  it("finds nothing where nothing is wrong", function()
    assert.same({}, found { ["journeys/j.lua"] = flow("") })
    local source = os.getenv("JAUNT_SOURCE")
    for _, folder in ipairs { "scripts", "examples" } do
      local result = helper.sh(("cd %s && %s"):format(helper.quote(source), helper.jaunt_words("check", "--project", folder)))
      assert.equal("nothing found\n", result.out .. result.err)
    end
  end)

  assert(#FAULTS == 40)
  for i, fault in ipairs(FAULTS) do
    local code, line, file, text = table.unpack(fault)
    it(("finds fault %d of 40, %s, at its line and alone"):format(i, code), function()
      local files = { ["journeys/j.lua"] = flow(""), [file] = text }
      assert.same({ ("%s:%d %s"):format(file, line, code) }, found(files))
    end)
  end
end)
