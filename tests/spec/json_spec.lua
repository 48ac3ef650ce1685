-- Exact JSON: what is encoded comes back the same, the same value gives the same bytes, and what cannot be written
-- or read is told by its place.

local dice = require "dice"
local json = require "json"
local raw = require "jaunt.native.lua_cjson" -- lua-cjson, the second opinion

-- How many of `count` random cases are tried: fewer where the collector is made to work without a pause.
local function times(count) return os.getenv "JAUNT_SPEC_GC" == "1" and count // 20 or count end

local function same(a, b)
  if math.type(a) ~= math.type(b) or type(a) ~= type(b) then return false end
  if type(a) ~= "table" then return a == b and (a ~= 0 or math.type(a) ~= "float" or 1 / a == 1 / b) end
  if next(a) == nil and next(b) == nil then return json.is_array(a) == json.is_array(b) end
  for key, value in pairs(a) do
    if not same(value, b[key]) then return false end
  end
  for key in pairs(b) do
    if a[key] == nil then return false end
  end
  return true
end

local function comes_back(value)
  local text = json.encode(value)
  local again = json.decode(text)
  if not same(value, again) then error("did not come back: " .. text, 2) end
  if json.encode(again) ~= text then error("other bytes: " .. text, 2) end
  return text
end

local function failure(f, ...)
  local ok, message = pcall(f, ...)
  assert.is_false(ok)
  return message
end

local hostile = {
  "", " ", "\0", "\0\1\2\31\127", '"', "\\", '\\"', "\\u0041", "</script>", "\u{2028}\u{2029}", "\u{FEFF}", "\u{FFFF}",
  "\u{10FFFF}", "é", "日本語", "👩‍👩‍👧", "a\r\n\tb\b\f", "{}", "[]", "null", "1.0", ("x"):rep(10000), ("é"):rep(3000),
  ("\\"):rep(100), "1234567\"", "12345678\"", "1234567\n8", "Z̮̞̠͙͔ͅḀ̗̞͈̻̗Ḷ͙͎̯̹̞͓G̻O̭̗̮", "‮test", "%s%n", "__proto__",
}

local function random_double(draw)
  while true do
    local value = string.unpack("<d", string.pack("<i8", draw()))
    if value == value and value ~= math.huge and value ~= -math.huge then return value end
  end
end

local function random_value(draw, depth)
  local kind = draw(depth > 0 and 9 or 6)
  if kind == 1 then return draw() end
  if kind == 2 then return random_double(draw) end
  if kind == 3 then return hostile[draw(#hostile)] end
  if kind == 4 then return draw(2) == 1 end
  if kind == 5 then return json.null end
  if kind == 6 then return draw(1000) - 500 end
  local made = kind == 7 and json.array() or {}
  for i = 1, draw(6) - 1 do
    made[kind == 9 and hostile[draw(#hostile)] or kind == 8 and "k" .. draw(50) or i] = random_value(draw, depth - 1)
  end
  return made
end

describe("what is encoded and decoded again is the same:", function()
  it("integers of 64 bits", function()
    local draw = dice(1)
    for i = 0, times(20000) do comes_back(draw() >> (i % 64)) end
    for bit = 0, 63 do
      for beside = -1, 1 do comes_back((1 << bit) + beside) end
    end
    assert.equal("-9223372036854775808", comes_back(math.mininteger))
    assert.equal("9223372036854775807", comes_back(math.maxinteger))
    assert.equal("12345678901234567", comes_back(12345678901234567))
  end)

  it("doubles of all bit patterns", function()
    local draw = dice(2)
    for _ = 1, times(30000) do comes_back(random_double(draw)) end
  end)

  it("floats that are whole stay floats, and zero keeps its sign", function()
    assert.equal("1.0", comes_back(1.0))
    assert.equal("-0.0", comes_back(-0.0))
    assert.equal("1e300", comes_back(1e300))
    assert.equal("9223372036854775808", ("%.0f"):format(json.decode(comes_back(2.0 ^ 63))))
    assert.equal("[1,1.0]", comes_back { 1, 1.0 })
  end)

  it("hostile strings, as values and as names", function()
    for _, text in ipairs(hostile) do
      comes_back(text)
      comes_back { [text] = { text } }
    end
  end)

  it("arrays and objects in each other, empty ones of both kinds, and null", function()
    local draw = dice(3)
    for _ = 1, times(3000) do comes_back(random_value(draw, 5)) end
    assert.equal('{"a":[],"b":{},"c":null,"d":[[],{},null]}', comes_back {
      a = json.array(), b = {}, c = json.null, d = { json.array(), {}, json.null },
    })
  end)

  it("long arrays and objects of many names", function()
    local items, names = {}, {}
    for i = 1, 5000 do
      items[i] = { i }
      names["name" .. i] = i
    end
    comes_back { items = items, names = names }
  end)

  it("values nested 256 deep", function()
    local value = {}
    for _ = 1, 127 do value = { { a = value } } end
    comes_back { value }
  end)
end)

describe("the same value gives the same bytes:", function()
  it("names are in the order of their bytes", function()
    local names = { "b", "a", "B", "é", "", "aa", "a b", "10", "9", "\0", "~" }
    local one, other = {}, {}
    for i = 1, #names do
      one[names[i]] = i
      other[names[#names + 1 - i]] = #names + 1 - i
    end
    assert.equal(json.encode(one), json.encode(other))
    assert.equal('{"":5,"\\u0000":10,"10":8,"9":9,"B":3,"a":2,"a b":7,"aa":6,"b":1,"~":11,"é":4}', json.encode(one))
  end)

  it("whatever the table went through before", function()
    local table = {}
    for i = 1, 300 do table["k" .. i] = i end
    for i = 1, 297 do table["k" .. i] = nil end
    assert.equal('{"k298":298,"k299":299,"k300":300}', json.encode(table))
  end)
end)

describe("the same value gives the same bytes in every process:", function()
  -- FNV-1a: these sums were written down once, and tables are hashed anew in each process.
  local function sum(text)
    local hash = 0xcbf29ce484222325
    for i = 1, #text do hash = (hash ~ text:byte(i)) * 0x100000001b3 end
    return ("%016x"):format(hash)
  end

  it("random values", function()
    local draw, texts = dice(5), {}
    for i = 1, 200 do texts[i] = json.encode(random_value(draw, 4)) end
    assert.equal("b583986497891963", sum(table.concat(texts, "\n")))
  end)

  it("many names, in whatever order they came", function()
    local draw, names = dice(6), {}
    while #names < 2000 do names[#names + 1] = ("%x"):format(draw()) end
    local first, second = {}, {}
    for i = 1, #names do first[names[i]], second[names[#names + 1 - i]] = i, #names + 1 - i end
    assert.equal(json.encode(first), json.encode(second))
    assert.equal("f186c51503a2ddf7", sum(json.encode(first)))
  end)
end)

describe("lua-cjson agrees", function()
  it("on every text of ours, but for integers that it rounds and empty arrays that it loses", function()
    local draw = dice(4)
    local function agree(ours, theirs)
      if type(ours) == "number" then return math.abs(ours - theirs) <= math.abs(ours) * 1e-15 end
      if type(ours) ~= "table" then return ours == theirs end
      for key, value in pairs(ours) do
        if not agree(value, theirs[key]) then return false end
      end
      return type(theirs) == "table"
    end
    for _ = 1, times(3000) do
      local value = random_value(draw, 4)
      assert.is_true(agree(value, raw.decode(json.encode(value))))
    end
  end)

  it("on what it writes itself", function()
    for _, text in ipairs(hostile) do
      assert.equal(text, json.decode(raw.encode { text })[1])
      assert.equal(text, raw.decode(json.encode { text })[1])
    end
  end)

  it("on null and on the last of equal names", function()
    assert.equal(raw.null, json.null)
    assert.equal(json.null, json.decode("null"))
    local text = '{"a":1.5,"b":2.5,"a":3.5}'
    assert.same(raw.decode(text), json.decode(text))
    local many = {}
    for i = 1, 200 do many[i] = ('"k%d":%d.5'):format(i % 70, i) end
    text = "{" .. table.concat(many, ",") .. "}"
    assert.same(raw.decode(text), json.decode(text))
  end)
end)

describe("numbers are decoded", function()
  it("as integers where 64 bits hold them, as floats otherwise", function()
    local function kind(text) return math.type(json.decode(text)) end
    assert.equal("integer", kind "42")
    assert.equal("integer", kind "-0")
    assert.equal("integer", kind "9223372036854775807")
    assert.equal("float", kind "9223372036854775808")
    assert.equal("float", kind "42.0")
    assert.equal("float", kind "4e1")
    assert.equal("/leads/42", "/leads/" .. json.decode('{"id":42}').id)
  end)
end)

describe("arrays", function()
  it("stay arrays when their last item is taken out", function()
    local decoded = json.decode('{"items":[1],"more":[]}')
    table.remove(decoded.items)
    assert.equal('{"items":[],"more":[]}', json.encode(decoded))
  end)

  it("are marked by json.array, or stand there as json.empty_array", function()
    assert.equal("{}", json.encode {})
    assert.equal("[]", json.encode(json.array {}))
    assert.equal("[1]", json.encode(json.array { 1 }))
    assert.equal('{"a":[]}', json.encode { a = json.empty_array })
    local marked = json.array()
    assert.equal(marked, json.array(marked))
  end)

  it("are known by json.is_array", function()
    assert.is_true(json.is_array(json.array()))
    assert.is_true(json.is_array { 1 })
    assert.is_true(json.is_array(json.decode "[]"))
    assert.is_true(json.is_array(json.empty_array))
    assert.is_true(json.is_array(setmetatable({}, { __raw = json.array() })))
    assert.is_false(json.is_array {})
    assert.is_false(json.is_array(json.decode "{}"))
    assert.is_false(json.is_array(json.null))
    assert.is_false(json.is_array "[]")
  end)

  it("share a mark that no script can change", function()
    assert.equal("json array", getmetatable(json.array()))
    assert.matches("protected", failure(setmetatable, json.array(), {}))
    assert.matches("another metatable", failure(json.array, setmetatable({}, {})))
  end)
end)

describe("a view", function()
  local function view(of) return setmetatable({}, { __raw = of, __index = error, __pairs = error, __len = error }) end

  it("is encoded as the table behind it", function()
    assert.equal('{"a":[1,2],"b":[]}', json.encode(view { a = view { 1, 2 }, b = view(json.array()) }))
    assert.equal("[3]", json.encode(view(view { 3 })))
  end)

  it("of itself is refused", function()
    local meta = {}
    meta.__raw = setmetatable({}, meta)
    assert.matches("value is a view %(__raw%) of views without end", failure(json.encode, meta.__raw))
  end)

  it("has none of its metamethods called", function()
    assert.equal('{"a":1}', json.encode(setmetatable({ a = 1 }, { __index = error, __pairs = error, __len = error })))
  end)
end)

describe("what JSON cannot hold is told by its path:", function()
  local function refused(value) return (failure(json.encode, value):gsub("^.-json%.encode: ", "")) end

  it("numbers that are none", function()
    assert.matches("^value%.cart%[3%]%.price is NaN, ", refused { cart = { 1, 2, { price = 0 / 0 } } })
    assert.matches("^value is infinite, ", refused(math.huge))
    assert.matches("^value%[1%] is infinite, ", refused { -math.huge })
  end)

  it("functions, threads and userdata", function()
    assert.equal("value.f is a function, which JSON cannot hold", refused { f = print })
    assert.equal("value.f is a thread, which JSON cannot hold", refused { f = coroutine.create(print) })
    assert.equal("value.f is a userdata, which JSON cannot hold", refused { f = io.stdout })
  end)

  it("bytes that are no text", function()
    assert.matches("^value%.name is not valid UTF%-8 %(byte 4 is 0xFF%)", refused { name = "abc\xff" })
    assert.equal([[value["a b"]["\xC3("] has a name that is not valid UTF-8]], refused { ["a b"] = { ["\xC3("] = 1 } })
  end)

  it("arrays with gaps", function()
    assert.matches("^value%.a has integer keys .* there is nothing at %[2%]", refused { a = { [1] = 1, [3] = 3 } })
    assert.matches("^value%.a has integer keys .* there is %[0%]", refused { a = { [0] = 0, 1 } })
    assert.matches("there is nothing at %[1%]; fill gaps with json.null, or make it an object", refused { [10] = 1 })
  end)

  it("keys that are neither names nor places", function()
    assert.matches("^value has integer keys %(%[1%]%) and names %(%.x%) together", refused { 1, x = 1 })
    assert.matches("^value has a key that is a number", refused { [1.5] = 1 })
    assert.matches("^value%.t has a key that is a boolean", refused { t = { [true] = 1 } })
    local marked = json.array()
    marked.x = 1
    assert.matches("^value is marked as an array, but has the name %.x", refused(marked))
  end)

  it("tables within themselves", function()
    local t = {}
    t.again = t
    assert.matches("^value%.again.*…%.again.* is nested more than 256 deep", refused(t))
  end)

  it("more text than a body may have", function()
    local item, list = ("x"):rep(1 << 20), {}
    for i = 1, 200 do list[i] = item end
    assert.equal("value[101] comes after 100 MiB of JSON, which is the most that is written", refused(list))
  end)
end)

describe("what is not JSON is told by line and column", function()
  local function refused(text) return (failure(json.decode, text):gsub("^.-json%.decode: ", "")) end

  it("in words that say what to do", function()
    assert.equal("line 2, column 3: expected a value, found ']' (is there a comma too many?)", refused "[1,\n  ]")
    assert.equal("line 1, column 9: expected a key in double quotes, found '}' (is there a comma too many?)",
      refused '{"é": 1,}')
    assert.equal("line 1, column 1: expected a value, but the text ends here", refused "")
    assert.equal("line 1, column 257: nested more than 256 deep", refused(("["):rep(100000)))
  end)

  it("and other values than text are refused", function()
    assert.matches("string expected, got number", failure(json.decode, 1))
    assert.matches("string expected, got no value", failure(json.decode))
  end)
end)

describe("json.encode { indent = n }", function()
  it("writes lines that say the same", function()
    local value = { a = { 1, { b = json.null } }, c = json.array(), d = {} }
    local text = json.encode(value, { indent = 2 })
    assert.equal(table.concat({
      "{", '  "a": [', "    1,", "    {", '      "b": null', "    }", "  ],", '  "c": [],', '  "d": {}', "}",
    }, "\n"), text)
    assert.is_true(same(value, json.decode(text)))
  end)

  it("refuses other options", function()
    assert.matches("no option 'indnt'; it has indent", failure(json.encode, {}, { indnt = 1 }))
    assert.matches("0 to 16", failure(json.encode, {}, { indent = 99 }))
  end)
end)

describe("lua-cjson's own names", function()
  it("give the same module", function()
    assert.equal(json, require "cjson")
    assert.equal('{"a":[]}', json.new().encode { a = json.array() })
  end)

  it("answer with what holds, and refuse to change it in words", function()
    assert.equal(256, json.decode_max_depth())
    assert.equal(256, json.encode_max_depth(256))
    assert.is_true(json.encode_keep_buffer(true))
    assert.is_false(json.decode_invalid_numbers())
    assert.matches("cannot be set: JSON has no NaN", failure(json.encode_invalid_numbers, true))
    assert.matches("json.encode_number_precision cannot be set: numbers are always", failure(json.encode_number_precision, 3))
  end)
end)
