-- What a JSON Schema beside a payload says, and how a payload that breaks it is told of.

local json = require "json"
local schema = require "jaunt.schema"

-- The faults of a value (as JSON text) under a schema (as JSON text).
local function faults(schema_text, value_text)
  local check, why = schema.compile(schema_text, "hello.schema.json")
  assert(check, why)
  return check(json.decode(value_text))
end

-- The first fault's text; nil where there is none.
local function fault(schema_text, value_text)
  local found = faults(schema_text, value_text)
  return found[1] and found[1].text
end

-- What is wrong with a schema itself.
local function mistake(schema_text)
  local check, why = schema.compile(schema_text, "hello.schema.json")
  assert.is_nil(check)
  return why
end

describe("a payload that breaks its schema", function()
  it("is told by path, value, rule and place in the schema", function()
    local found = faults([[{"properties":{"to":{"type":"array","items":{"properties":{"phone":{"pattern":"^\\+[1-9]"}}}}}}]],
      [[{"to":[{"phone":"+44"},{"phone":"030 901820"}]}]])
    assert.same({ {
      path = "$.to[1].phone", value = [["030 901820"]], rule = "pattern", place = "#/properties/to/items/properties/phone/pattern",
      text = [=[$.to[1].phone is "030 901820": it has to match ^\+[1-9]]=],
    } }, found)
  end)

  it("is told of each of its faults, up to twenty", function()
    local rule = [[{"required":["a","b"],"properties":{"c":{"type":"string"}},"items":{"type":"string"}}]]
    assert.equal(3, #faults(rule, [[{"c":1}]]))
    assert.equal(20, #faults(rule, "[" .. ("1,"):rep(49) .. "1]"))
  end)

  it("is told with the nearest right name", function()
    assert.equal([[$.channel is "emial": it is one of "email","sms"; did you mean email?]],
      fault([[{"properties":{"channel":{"enum":["email","sms"]}}}]], [[{"channel":"emial"}]]))
    assert.equal("$.subjct is not allowed: there is no such property; did you mean subject?",
      fault([[{"properties":{"subject":{}},"additionalProperties":false}]], [[{"subjct":"x"}]]))
  end)

  it("shows values cut, at a character, and odd names in quotes", function()
    local text = fault([[{"properties":{"a b":{"maxLength":3}}}]], json.encode { ["a b"] = ("é"):rep(100) })
    assert.matches("^%$%['a b'%] is \".+…: it has 100 characters, of at most 3$", text)
    assert.is_truthy(utf8.len(text))
  end)
end)

-- schema, what keeps to it, and what does not with what is said (true: something).
local CASES = {
  type = {
    { '{"type":"string"}', { '"x"' }, { ["1"] = "$ is 1: string is wanted, not integer" } },
    { '{"type":["integer","null"]}', { "1", "1.0", "null", "12345678901234567" },
      { ["1.5"] = "$ is 1.5: integer or null is wanted, not number", ['"1"'] = '$ is "1": integer or null is wanted, not string' } },
    { '{"type":"object"}', { "{}" }, { ["[]"] = "$ is []: object is wanted, not array" } },
    { '{"type":"array"}', { "[]" }, { ["{}"] = "$ is {}: array is wanted, not object" } },
    { '{"type":"boolean"}', { "true", "false" }, { null = "$ is null: boolean is wanted, not null" } },
  },
  enum = {
    { '{"enum":[1,"a",null,{"b":[2]}]}', { "1", "1.0", '"a"', "null", '{"b":[2]}' }, { ['{"b":[3]}'] = true, ["2"] = true } },
  },
  const = { { '{"const":{"a":[]}}', { '{"a":[]}' }, { ['{"a":{}}'] = '$ is {"a":{}}: it is always {"a":[]}' } } },
  numbers = {
    { '{"minimum":1,"maximum":3}', { "1", "3", "2.5", '"x"' },
      { ["0.9"] = "$ is 0.9: it is at least 1", ["4"] = "$ is 4: it is at most 3" } },
    { '{"exclusiveMinimum":1,"exclusiveMaximum":3}', { "1.1" },
      { ["1"] = "$ is 1: it is more than 1", ["3"] = "$ is 3: it is less than 3" } },
    { '{"multipleOf":0.01}', { "0.07", "19.99", "3" }, { ["0.005"] = "$ is 0.005: it is a multiple of 0.01" } },
  },
  lengths = {
    { '{"minLength":2,"maxLength":3}', { '"ab"', '"日本語"', "7" },
      { ['"a"'] = '$ is "a": it has 1 character, of at least 2', ['"abcd"'] = '$ is "abcd": it has 4 characters, of at most 3' } },
    { '{"minItems":1,"maxItems":2.0}', { "[1]", "{}" }, { ["[]"] = "$ is []: it has 0 items, of at least 1", ["[1,2,3]"] = true } },
    { '{"minProperties":1,"maxProperties":1}', { '{"a":1}', "[]" },
      { ["{}"] = true, ['{"a":1,"b":2}'] = '$ is {"a":1,"b":2}: it has 2 properties, of at most 1' } },
    { '{"uniqueItems":true}', { "[1,2]", "[[],{}]" }, { ["[1,2,1.0]"] = "$ is [1,2,1.0]: the items 0 and 2 are the same" } },
  },
  pattern = {
    { '{"pattern":"^[a-z]+$"}', { '"abc"', "7" }, { ['"abc\\n"'] = true, ['"ABC"'] = '$ is "ABC": it has to match ^[a-z]+$' } },
    { '{"pattern":"\\\\d"}', { '"a1"' }, { ['"a٣"'] = true } },
    { '{"pattern":"^.$"}', { '"é"', '"👩"' }, { ['"éé"'] = true } },
    { '{"pattern":"^\\\\u00e9\\\\u{1F600}$"}', { '"é😀"' }, { ['"e"'] = true } },
  },
  objects = {
    { '{"required":["a"]}', { '{"a":null}', "[]" }, { ["{}"] = "$.a is missing: it is required" } },
    { '{"properties":{"a":false}}', { "{}" }, { ['{"a":1}'] = "$.a is 1: nothing may stand here" } },
    { '{"patternProperties":{"^x_":{"type":"integer"}},"additionalProperties":{"type":"string"}}', { '{"x_a":1,"b":"c"}' },
      { ['{"x_a":"1"}'] = true, ['{"b":1}'] = "$.b is 1: string is wanted, not integer" } },
    { '{"propertyNames":{"maxLength":2}}', { '{"ab":1}' }, { ['{"abc":1}'] = true } },
    { '{"dependentRequired":{"card":["address"]}}', { "{}", '{"card":1,"address":2}' },
      { ['{"card":1}'] = "$.address is missing: it is required beside card" } },
    { '{"dependentSchemas":{"a":{"required":["b"]}}}', { '{"b":1}' }, { ['{"a":1}'] = true } },
  },
  arrays = {
    { '{"items":{"type":"integer"}}', { "[1,2]", "[]", "{}" }, { ['[1,"x"]'] = '$[1] is "x": integer is wanted, not string' } },
    { '{"prefixItems":[{"const":1}],"items":{"const":2}}', { "[1,2,2]", "[]" }, { ["[2]"] = true, ["[1,1]"] = true } },
    { '{"contains":{"const":1},"minContains":2,"maxContains":3}', { "[1,1]", "[1,2,1,1]" },
      { ["[1,2]"] = "$ is [1,2]: 1 of its items are as they have to be, of at least 2", ["[1,1,1,1]"] = true } },
  },
  several = {
    { '{"allOf":[{"minimum":1},{"maximum":2}]}', { "1" }, { ["0"] = true, ["3"] = true } },
    { '{"anyOf":[{"type":"string"},{"type":"object","required":["id"]}]}', { '"x"', '{"id":1}' },
      { ["1"] = true, ["{}"] = "$ is {}: it is none of the 2 kinds that are allowed; the nearest: "
        .. "$ is {}: string is wanted, not object" } },
    { '{"oneOf":[{"minimum":5},{"maximum":9}]}', { "1", "10" },
      { ["7"] = "$ is 7: it is of several kinds at once (0, 1), and has to be of one" } },
    { '{"not":{"const":""}}', { '"x"' }, { ['""'] = '$ is "": it is what it must not be' } },
    { '{"if":{"properties":{"type":{"const":"sms"}},"required":["type"]},"then":{"required":["to"]},"else":{"required":["email"]}}',
      { '{"type":"sms","to":1}', '{"email":1}' },
      { ['{"type":"sms"}'] = "$.to is missing: it is required", ["{}"] = "$.email is missing: it is required" } },
  },
  references = {
    { '{"$ref":"#/$defs/name","$defs":{"name":{"type":"string"}}}', { '"x"' }, { ["1"] = true } },
    { '{"properties":{"inner":{"$ref":"#"},"n":{"type":"integer"}}}', { '{"inner":{"inner":{"n":1}}}' },
      { ['{"inner":{"inner":{"n":"1"}}}'] = '$.inner.inner.n is "1": integer is wanted, not string' } },
    { '{"properties":{"a/b~c":{"type":"integer"}},"additionalProperties":{"$ref":"#/properties/a~1b~0c"}}', { '{"x":1}' },
      { ['{"x":"1"}'] = true } },
    { '{"$ref":"#"}', {}, { ["1"] = "$ can't be checked: the schema refers to itself without end" } },
  },
}

local FORMATS = {
  date = { { "2026-02-28", "2024-02-29", "2000-02-29" }, { "2026-02-29", "1900-02-29", "2026-13-01", "2026-1-1", "tomorrow", "" } },
  time = { { "10:00:00Z", "00:59:60+01:00", "10:00:00.123-05:30" }, { "10:00:00", "24:00:00Z", "10:00Z", "10:00:60Z" } },
  ["date-time"] = { { "2026-11-25T10:00:00Z", "2026-11-25t10:00:00.5+01:00" },
    { "2026-11-25 10:00:00Z", "2026-11-25", "2026-11-31T10:00:00Z" } },
  email = { { "ada@example.com", "o'neil+x@sub.example.co.uk", "ü@bücher.example" },
    { "ada", "ada@", "@example.com", "a b@example.com", "a..b@example.com", ".a@example.com", "a@-x.com", "a@b@c", "a@x..y" } },
  hostname = { { "example.com", "a", "xn--bcher-kva.example" }, { "", "-a.com", "a-.com", "a_b.com", ("a"):rep(64) .. ".com" } },
  ipv4 = { { "127.0.0.1", "255.255.255.255" }, { "256.0.0.1", "1.2.3", "1.2.3.4.5", "01.2.3.4", "" } },
  ipv6 = { { "::", "::1", "2001:db8::1", "1:2:3:4:5:6:7:8", "::ffff:1.2.3.4", "1::8" },
    { ":", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "::1::", "12345::", "1.2.3.4", "1:2:3:4:5:6:7::8:9", "" } },
  uri = { { "https://example.com/a?b=c#d", "mailto:ada@example.com", "urn:isbn:1", "https://example.com/%20" },
    { "example.com", "/path", "https://example.com/a b", "https://example.com/%zz", "https://bücher.example" } },
  ["uri-reference"] = { { "/path?x=1", "#top", "" }, { "a b", "%" } },
  uuid = { { "123e4567-e89b-12d3-a456-426614174000", "123E4567-E89B-12D3-A456-426614174000" },
    { "123e4567e89b12d3a456426614174000", "123e4567-e89b-12d3-a456-42661417400", "123e4567-e89b-12d3-a45-6426614174000" } },
  regex = { { "^a+$" }, { "(" } },
}

describe("a schema's keyword", function()
  for name, cases in pairs(CASES) do
    it("about " .. name .. " takes what is right and refuses what is wrong", function()
      for _, case in ipairs(cases) do
        for _, value in ipairs(case[2]) do assert.is_nil(fault(case[1], value), case[1] .. " " .. value) end
        for value, text in pairs(case[3]) do
          local told = fault(case[1], value)
          assert(told, case[1] .. " takes " .. value)
          if text ~= true then assert.equal(text, told) end
        end
      end
    end)
  end

  for name, sides in pairs(FORMATS) do
    it("format knows a " .. name, function()
      local rule = json.encode { format = name }
      for _, text in ipairs(sides[1]) do assert.is_nil(fault(rule, json.encode(text)), text) end
      for _, text in ipairs(sides[2]) do
        assert.matches("it is no " .. name:gsub("%-", "%%-") .. "$", fault(rule, json.encode(text)) or text .. " is taken")
      end
      assert.is_nil(fault(rule, "7"))
    end)
  end

  it("that is slow on purpose is told, and does not stop the process", function()
    assert.matches("can't be told: match limit exceeded$", fault([[{"pattern":"^(a+)+$"}]], '"' .. ("a"):rep(40) .. 'b"'))
  end)
end)

describe("a schema with a mistake", function()
  it("is refused with its place, and the nearest right word", function()
    assert.equal("hello.schema.json#/properties/a/requird: there is no keyword requird; did you mean required?",
      mistake [[{"properties":{"a":{"requird":["x"]}}}]])
    assert.equal([[hello.schema.json#/type: there is no type "strng"; did you mean string?]], mistake [[{"type":"strng"}]])
    assert.equal([[hello.schema.json#/format: there is no format "e-mail"; did you mean email?]], mistake [[{"format":"e-mail"}]])
    assert.equal("hello.schema.json#/pattern: \"(\" can't be used: missing closing parenthesis (at character 2)",
      mistake [[{"pattern":"("}]])
    assert.equal("hello.schema.json#/items: items is one schema for all; a list of them is prefixItems", mistake [[{"items":[{}]}]])
    assert.equal([[hello.schema.json#/$ref: "other.json" is in another schema: ]]
      .. "$ref goes to a place in this one, such as #/$defs/address",
      mistake [[{"$ref":"other.json"}]])
    assert.equal("hello.schema.json#/$ref: #/$defs/nam is not there", mistake [[{"$ref":"#/$defs/nam","$defs":{"name":{}}}]])
    assert.equal("hello.schema.json#/required: required is a list of names, not true", mistake [[{"required":true}]])
    assert.equal("hello.schema.json#/minLength: minLength is a whole number from 0 on, not -1", mistake [[{"minLength":-1}]])
    assert.equal("hello.schema.json#/then: then stands beside if, which is not there", mistake [[{"then":{}}]])
    assert.matches("^hello.schema.json: ", mistake "{")
  end)

  it("is found below $defs, too, where nobody uses it", function()
    assert.matches("#/$defs/x/typ: there is no keyword typ", mistake [[{"$defs":{"x":{"typ":"string"}}}]], 1, true)
  end)

  it("may say what it likes to people, and under names of its own", function()
    assert.is_nil(fault('{"$schema":"https://json-schema.org/draft/2020-12/schema","title":"t","description":"d",'
      .. '"x-team":"crm","default":1,"examples":[2]}', "3"))
  end)
end)
