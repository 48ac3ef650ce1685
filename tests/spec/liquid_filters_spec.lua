-- Filters of payload templates: each does what its row says; they count characters, reckon in decimals, know all
-- scripts' capitals, and no value and no size makes them do harm.

local digest = require "jaunt.native.digest"
local filters = require "jaunt.liquid.filters"
local json = require "json"
local keys = require "jaunt.base.keys"
local liquid = require "jaunt.liquid"
local values = require "jaunt.liquid.values"

local NOW = 1795719600000 -- 2026-11-26T19:00:00Z

local function render(text, vars, kind)
  local template = assert(liquid.compile(text, { path = "t", kind = kind or "txt" }))
  return template:render { vars = vars or {}, now = NOW }
end

-- What an expression gives, where `x` is the value.
local function shows(result, expression, x)
  local text, fault = render("{{ " .. expression .. " }}", { x = x })
  if text ~= result then error(("%s is %s, not %s"):format(expression, text or tostring(fault), result), 2) end
end

-- What is said of an expression that is a mistake; returns the fault.
local function refuses(words, expression, x)
  local text, fault = render("{{ " .. expression .. " }}", { x = x })
  if text then error(("%s gives %s"):format(expression, text), 2) end
  if not tostring(fault):find(words, 1, true) then error(("%s says %s"):format(expression, tostring(fault)), 2) end
  return fault
end

describe("the table of filters", function()
  it("says of each what it takes and does, with an example that is true", function()
    local count = 0
    for _, name in ipairs(keys.sorted(filters)) do
      local row = filters[name]
      assert.equal(name, row.name)
      assert.truthy(#row.about > 5 and row.about:find("%.$"), name)
      assert.equal(row.most > 0, row.arguments ~= "", name)
      assert.truthy(row.least <= row.most, name)
      assert.truthy((row.template or row.example):find(name, 1, true), name)
      local text, fault = render(row.template or "{{ " .. row.example .. " }}", row.vars, row.kind)
      assert.equal(row.result, text or tostring(fault), name)
      count = count + 1
    end
    assert.truthy(count >= 80)
  end)

  it("has all of Shopify's and those of Braze that are filters of data", function()
    local wanted = [[
      abs append at_least at_most base64_decode base64_encode base64_url_safe_decode base64_url_safe_encode
      capitalize ceil compact concat date default divided_by downcase escape escape_once find find_index first
      floor has join last lstrip map minus modulo newline_to_br plus prepend reject remove remove_first
      remove_last replace replace_first replace_last reverse round rstrip size slice sort sort_natural split
      squish strip strip_html strip_newlines sum times truncate truncatewords uniq upcase url_decode url_encode
      where hmac_sha1_base64 hmac_sha1_hex hmac_sha256_base64 hmac_sha256_hex json_escape md5
      number_with_delimiter property_accessor sha1 sha2 time_zone url_escape url_param_escape]]
    for name in wanted:gmatch "%S+" do assert.truthy(filters[name], name) end
  end)
end)

describe("letters", function()
  it("have capitals and small ones in all scripts", function()
    shows("ÀÉÎÕÜ ÇA ŁÓDŹ", "x | upcase", "àéîõü ça łódź")
    shows("ПРИВЕТ ΓΕΙΆ ՀԱՅ", "x | upcase", "привет γειά հայ")
    shows("STRASSE ŒUVRE FI", "x | upcase", "straße œuvre ﬁ")
    shows("i̇stanbul ÿ ж ω", "x | downcase", "İSTANBUL Ÿ Ж Ω")
    shows("Éclair und mehr", "x | capitalize", "éCLAIR UND MEHR")
    shows("ǅ", "x | capitalize", "ǆ")
    shows("日本語 ١٢٣ 🎉", "x | upcase", "日本語 ١٢٣ 🎉")
  end)

  it("stay what they are where bytes are not UTF-8", function()
    assert.equal("A\xFFÉ\xC3", filters.upcase.run("a\xFFé\xC3"))
    assert.equal("\xE2\x82", filters.capitalize.run("\xE2\x82"))
  end)
end)

describe("a text's length", function()
  it("is in characters", function()
    shows("5", "x | size", "Grüße")
    shows("Grü...", "x | truncate: 6", "Grüße dich")
    shows("日本…", "x | truncate: 3, '…'", "日本語です")
    shows("語で", "x | slice: -3, 2", "日本語です")
    shows("ß", "x | slice: 3", "Grüße")
    shows("e", "x | last", "Grüße")
    shows("G|r|ü", "x | split: '' | join: '|'", "Grü")
  end)

  it("is in bytes where they are not UTF-8", function()
    assert.equal(2, filters.size.run("\xFF\xFE"))
    assert.equal("\xFE", filters.slice.run("\xFF\xFE", 1))
    assert.equal("\xFF|\xFE", filters.join.run(filters.split.run("\xFF\xFE", ""), "|"))
  end)
end)

describe("texts", function()
  it("are replaced as they stand, with no sign that means something else", function()
    shows("%1 \\0 $& %%", "x | replace: 'a', '%1 \\0 $& %%'", "a")
    shows("[x]", "x | replace: '.+', '[x]'", ".+")
    shows("-a-b-", "x | replace: '', '-'", "ab")
  end)

  it("are split as Ruby does it", function()
    shows("||a||b", "x | split: ',' | join: '|'", ",,a,,b,,")
    shows("a|b", "x | split: ' ' | join: '|'", " \n a \t b ")
    shows("", "x | split: ',' | join: '|'", ",,,")
  end)

  it("lose white space at their ends, and NULs", function()
    shows("[a \t b]", "x | strip | prepend: '[' | append: ']'", "\0 \r\n\v\fa \t b\0\t")
    shows("[a ]", "x | lstrip | prepend: '[' | append: ']'", " a ")
    shows("a b c", "x | squish", " a\n\n b \t c ")
  end)

  it("are cut at words only where there are more", function()
    shows("one  two", "x | truncatewords: 2", "one  two")
    shows("one two...", "x | truncatewords: 2", "one  two ")
    shows("one...", "x | truncatewords: 0", "one two")
  end)

  it("lose tags, and scripts with what is in them", function()
    shows("ab", "x | strip_html", "a<script>if (x<y) {}</script>b<style>p>q</style><!-- <b> -->")
    shows("1 < 2 & 3", "x | strip_html", "1 < 2 & 3")
    shows("<scri", "x | strip_html", "<scri")
  end)

  it("may be as long and as odd as people make them", function()
    local million = 1000000
    assert.equal(("<"):rep(million), render("{{ x | strip_html }}", { x = ("<"):rep(million) }))
    assert.equal(("<script"):rep(100000), render("{{ x | strip_html }}", { x = ("<script"):rep(100000) }))
    assert.equal("a" .. (" "):rep(million - 10) .. "b", render("{{ x | strip }}",
      { x = " a" .. (" "):rep(million - 10) .. "b " }))
    assert.equal(("a"):rep(million) .. "c", render("{{ x | replace_last: 'b', 'c' }}",
      { x = ("a"):rep(million) .. "b" }))
    assert.equal(("&amp;"):rep(200000), render("{{ x | escape_once }}", { x = ("&"):rep(200000) }))
    for _, filter in ipairs { "number", "int", "bool", "plus: 1", "slice: x", "date: '%Y'", "url_decode | size" } do
      for _, x in ipairs { ("1"):rep(million) .. "x", ("1"):rep(million) .. "_1x", (" "):rep(million) .. "x" } do
        render("{{ x | " .. filter .. " }}", { x = x })
      end
    end
    assert.equal("a...", render("{{ x | truncatewords: 1 }}", { x = "a" .. (" "):rep(million) }))
  end)
end)

describe("numbers", function()
  it("are reckoned in decimals, as people do it", function()
    shows("0.3", "0.1 | plus: 0.2")
    shows("7.9", "10.1 | minus: 2.2")
    shows("59.97", "19.99 | times: 3")
    shows("0.57", "0.19 | times: 3")
    shows("1.1", "3.3 | divided_by: 3")
    shows("3.1", "10.1 | modulo: 7.0")
    shows("30.3", "x | sum", { 10.1, 20.2 })
    shows("123456789012.35", "123456789012.34 | plus: 0.01")
    shows("1.0e-07", "0.0000001 | times: 1")
  end)

  it("stay integers, exactly, while both are", function()
    shows("9007199254740993", "9007199254740992 | plus: 1")
    shows("9223372036854775807", "9223372036854775806 | plus: 1")
    shows("-4", "-7 | divided_by: 2")
    shows("1", "-7 | modulo: 2")
    shows("12.0", "10 | plus: 2.0")
    shows("12", "'10 pieces' | plus: '2'")
  end)

  it("are an error past 64 bits", function()
    refuses("more than 64 bits hold", "9223372036854775807 | plus: 1")
    refuses("more than 64 bits hold", "x | minus: 1", math.mininteger)
    refuses("more than 64 bits hold", "4611686018427387904 | times: 2")
    refuses("more than 64 bits hold", "x | times: -1", math.mininteger)
    refuses("more than 64 bits hold", "-1 | times: x", math.mininteger)
    refuses("more than 64 bits hold", "x | divided_by: -1", math.mininteger)
    refuses("more than 64 bits hold", "x | abs", math.mininteger)
    refuses("64 bits", "'99999999999999999999' | plus: 1")
    refuses("64 bits", "x | round", 1e20)
    refuses("64 bits", "x | floor", 1e300)
    refuses("more than 64 bits hold", "x | sum", { math.maxinteger, 1 })
    shows("0", "x | modulo: -1", math.mininteger)
  end)

  it("are not divided by 0", function()
    refuses("5 is divided by 0", "5 | divided_by: 0")
    refuses("is divided by 0", "5.5 | divided_by: 0.0")
    refuses("is divided by 0", "5 | modulo: 'x'")
  end)

  it("are rounded half away from zero, by their decimals", function()
    shows("1.01", "1.005 | round: 2")
    shows("2.68", "2.675 | round: 2")
    shows("3", "2.5 | round")
    shows("-3", "-2.5 | round")
    shows("1300", "1250 | round: -2")
    shows("-1300", "-1250 | round: -2")
    shows("1200", "1234.5 | round: -2")
    shows("5.0", "5.0 | round: 1")
    shows("5", "5 | round: 3")
    shows("0", "5 | round: -400")
  end)

  it("are rounded by their decimals also where it is done in one go", function()
    math.randomseed(9)
    for _ = 1, 20000 do
      local places = math.random(1, 4)
      local power, mantissa = 10 ^ places, math.random(-10 ^ math.random(4, 13), 10 ^ math.random(4, 13))
      local whole = (math.abs(mantissa) + 5) // 10
      local rounded = filters.round.run(mantissa / (power * 10), places)
      assert.equal((mantissa < 0 and -whole or whole) / power, rounded)
      assert.equal("float", math.type(rounded))
    end
  end)

  it("are printed as Ruby prints them", function()
    for text, number in pairs { ["1.0"] = 1.0, ["100000000000000.0"] = 1e14, ["1.0e+15"] = 1e15,
      ["1234567890123456.8"] = 1234567890123456.8,
      ["9.007199254740992e+15"] = 2.0 ^ 53, ["0.0001"] = 1e-4, ["1.0e-05"] = 1e-5, ["-1.5e-07"] = -1.5e-7,
      ["5.0e-324"] = 5e-324,
      ["1.7976931348623157e+308"] = 1.7976931348623157e308, ["0.1"] = 0.1, ["0.30000000000000004"] = 0.1 + 0.2,
      ["-0.0"] = -0.0, ["Infinity"] = math.huge, ["-9223372036854775808"] = math.mininteger } do
      assert.equal(text, values.text(number))
    end
  end)

  it("get commas between the thousands", function()
    shows("999", "999 | number_with_delimiter")
    shows("1,000", "1000 | number_with_delimiter")
    shows("-123,456.78", "-123456.78 | number_with_delimiter")
    shows("n/a", "'n/a' | number_with_delimiter")
  end)
end)

describe("arrays", function()
  local people = { { name = "bo", age = 3 }, { name = "Al", age = 30 }, { name = "cy" }, { name = "al", age = 3 } }

  it("are sorted without changing who comes first of equals, nil last", function()
    shows("bo al Al cy", "x | sort: 'age' | map: 'name' | join", people)
    shows("Al al bo cy", "x | sort_natural: 'name' | map: 'name' | join", people)
    local many = {}
    for i = 1, 1000 do many[i] = { at = i, by = i % 3 } end
    local text = render("{{ x | sort: 'by' | map: 'at' | join: ',' }}", { x = many })
    local last, previous = 0, -1
    for at in text:gmatch "%d+" do
      local by = tonumber(at) % 3
      if by == previous then assert.truthy(tonumber(at) > last) else assert.truthy(by > previous) end
      last, previous = tonumber(at), by
    end
  end)

  it("are sorted only where all have an order", function()
    refuses("can't be sorted together", "x | sort", { 1, "2" })
    refuses("has no order", "x | sort", { true, false })
    refuses("has no order", "x | sort", { { a = 1 }, { b = 2 } })
    refuses("has no order", "x | sort", { 0 / 0, 1.0 })
  end)

  it("lose what is there twice, where 1 and 1.0 are two", function()
    shows("1,1.0,a,[]", "x | uniq | join: ','", { 1, 1.0, 1, "a", "a", "[]" })
    shows("2", "x | uniq | size", { { a = 1, b = { 2 } }, { b = { 2 }, a = 1 }, "t{\"a\"=>1, \"b\"=>[2]}" })
    shows("bo,Al", "x | uniq: 'age' | map: 'name' | join: ','", { people[1], people[2], people[4] })
  end)

  it("hold nil as null", function()
    shows("a#b#", "x | map: 'k' | join: '#'", { { k = "a" }, { k = "b" }, {} })
    shows('["a",null]', "x | map: 'k' | json", { { k = "a" }, {} })
    shows("1", "x | map: 'k' | compact | size", { { k = "a" }, {} })
    shows("[]", "x | where: 'k' | json", { {} })
  end)

  it("leave what was handed in as it was", function()
    local list = { "b", "a", { "c" } }
    render("{{ x | sort }}{{ x | reverse }}{{ x | concat: x }}{{ x | compact }}{{ x | uniq }}{{ x | slice: 0, 2 }}",
      { x = list })
    assert.same({ "b", "a", { "c" } }, list)
  end)
end)

describe("a default", function()
  it("stands for nil, false and what is empty, and for false only where that is not allowed", function()
    for _, x in ipairs { "", false, {}, json.array() } do shows("d", "x | default: 'd'", x) end
    shows("d", "x | default: 'd'", nil)
    shows("d", "x.y | default: 'd'", { y = json.null })
    shows("false", "x | default: 'd', allow_false: true", false)
    for _, x in ipairs { 0, " ", "0" } do shows(tostring(x), "x | default: 'd'", x) end
  end)
end)

describe("the strict filters", function()
  it("convert what is meant so", function()
    shows("12", "'12' | number")
    shows("-1200.0", "' -1.2e3 ' | number")
    shows("42", "42.0 | int")
    shows("9007199254740993", "'9007199254740993' | int")
    shows("true false true false", "'YES' | bool }} {{ 'off' | bool }} {{ 1 | bool }} {{ false | bool")
    shows("1.5", "1.5 | string")
    shows("", "x | number }}{{ x | int }}{{ x | bool }}{{ x | string", nil)
  end)

  it("fail with the value for what is not", function()
    refuses('"12 pieces" is not a number', "'12 pieces' | number")
    refuses('"0x10" is not a number', "'0x10' | number")
    refuses('"" is not a number', "'' | number")
    refuses("an array is not a number", "x | number", { 1 })
    refuses("is not a number", "x | number", 0 / 0)
    refuses('"nan" is not a number', "'nan' | number")
    refuses("2.5 is not a whole number", "2.5 | int")
    refuses("is not an integer", "x | int", 1e300)
    refuses('"1e400" is not', "'1e400' | int")
    refuses('"maybe" is neither true nor false', "'maybe' | bool")
    refuses("2 is neither true nor false", "2 | bool")
    refuses("an object is not a text", "x | string", { a = 1 })
    assert.truthy(#refuses("is not a number", "x | number", ("ä"):rep(1000)).text < 200)
  end)
end)

describe("a value that must be there", function()
  it("drops who lacks it, or holds them, with the reason", function()
    for _, x in ipairs { "", "  ", {}, json.null } do
      local fault = refuses("no name", "x | required: 'no name'", x)
      assert.equal("drop", fault.what)
      assert.equal("no name", fault.reason)
    end
    local fault = refuses("ask again", "x | hold_if_nil: 'ask again'", nil)
    assert.equal("hold", fault.what)
    assert.equal("ask again", fault.reason)
  end)

  it("may be false, and for hold_if_nil empty", function()
    shows("false", "x | required: 'no name'", false)
    shows("0", "0 | required: 'no name'")
    shows("", "'' | hold_if_nil: 'ask again'")
  end)

  it("has a reason that says something", function()
    refuses("needs a reason", "x | required: ''", nil)
    refuses("needs a reason", "x | hold_if_nil: y", nil)
  end)
end)

describe("URLs", function()
  it("have everything escaped that the place needs", function()
    shows("a+b%26c%3Dd%2F%C3%A9~%2A", "x | url_encode", "a b&c=d/é~*")
    shows("a%20b%26c%3Dd%2F%C3%A9~%2A", "x | url_param_escape", "a b&c=d/é~*")
    shows("/a%20b?c=%22d%22&e=%C3%A9#f", "x | url_escape", '/a b?c="d"&e=é#f')
    shows("a b&c %zz", "x | url_decode", "a+b%26c %zz")
    refuses("not UTF-8", "x | url_decode", "%ff")
  end)
end)

describe("HTML", function()
  it("is escaped once, or once more", function()
    shows("&lt;a href=&quot;x&quot;&gt;&#39;&amp;amp;", "x | escape", [[<a href="x">'&amp;]])
    shows("&lt;&amp;&#39;&#39;&amp;&amp;x &amp;#12a; &amp;;", "x | escape_once", "<&amp;&#39;'&&x &#12a; &;")
  end)
end)

describe("base64", function()
  it("is RFC 4648's", function()
    local vectors = { [""] = "", f = "Zg==", fo = "Zm8=", foo = "Zm9v", foob = "Zm9vYg==", fooba = "Zm9vYmE=",
      foobar = "Zm9vYmFy" }
    for plain, encoded in pairs(vectors) do
      assert.equal(encoded, digest.base64_encode(plain))
      assert.equal(plain, digest.base64_decode(encoded))
      assert.equal(plain, digest.base64_decode((encoded:gsub("=", "")), true))
    end
    local bytes = {}
    for i = 0, 255 do bytes[i + 1] = string.char(i) end
    for length = 0, 256 do
      local text = table.concat(bytes, "", 1, length)
      assert.equal(text, digest.base64_decode(digest.base64_encode(text)))
      assert.equal(text, digest.base64_decode(digest.base64_encode(text, true), true))
    end
  end)

  it("is nothing else", function()
    for _, text in ipairs { "Zg", "Zg=", "Z===", "=", "====", "Zh==", "Zm9=", "Zm9v\n", "Zm 9v", "Zm9v====",
      "Zg==Zg==", "Pz8-", "Z" } do
      assert.is_nil(digest.base64_decode(text))
      refuses("is not base64", "x | base64_decode", text)
    end
    for _, text in ipairs { "Pz8+", "Z", "Zh", "Zg=" } do assert.is_nil(digest.base64_decode(text, true)) end
  end)
end)

describe("digests", function()
  it("are those of the standards", function() -- RFC 1321, A.5; FIPS 180-4 by NIST's examples
    shows("d41d8cd98f00b204e9800998ecf8427e", "'' | md5")
    shows("900150983cd24fb0d6963f7d28e17f72", "'abc' | md5")
    shows("a9993e364706816aba3e25717850c26c9cd0d89d", "'abc' | sha1")
    shows("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", "'abc' | sha2")
    shows("68b329da9893e34099c7d8ad5cb9c940", "x | md5", "\n")
  end)

  it("of messages with a key are what Wycheproof says", function()
    local path = (os.getenv "JAUNT_DATA" or "") .. "/crypto/hmac_sha256_test.json"
    local file = io.open(path)
    if not file then return pending(path .. " is not there") end
    local suite <close> = file
    local function bytes(hex) return (hex:gsub("%x%x", function(two) return string.char(tonumber(two, 16)) end)) end
    local count = 0
    for _, group in ipairs(json.decode(suite:read "a").testGroups) do
      for _, test in ipairs(group.tests) do
        local full = filters.hmac_sha256_hex.run(bytes(test.msg), bytes(test.key))
        assert.equal(test.result == "valid", full:sub(1, group.tagSize // 4) == test.tag, test.tcId)
        count = count + 1
      end
    end
    assert.equal(174, count)
  end)

  it("tell where there is no such digest", function()
    local bytes, why = digest.digest("sha0", "x")
    assert.is_nil(bytes)
    assert.truthy(why:find("sha0", 1, true))
  end)
end)

describe("a text that grows", function()
  local big = ("x"):rep(700000)

  it("is refused before it is made, where it gets too long", function()
    local many = {}
    for i = 1, 1000 do many[i] = big end
    refuses("grows past", "x | append: x", big)
    refuses("grows past", "x | prepend: x", big)
    refuses("grows past", "x | replace: 'x', 'yy'", big)
    refuses("grows past", "x | replace: '', 'y'", big)
    refuses("grows past", "x | escape", ("&"):rep(300000))
    refuses("grows past", "x | url_encode", ("&"):rep(500000))
    refuses("grows past", "x | newline_to_br", ("\n"):rep(300000))
    refuses("grows past", "x | base64_encode", ("x"):rep(900000))
    refuses("grows past", "x | join", many)
    refuses("grows past", "x | upcase", many)
    refuses("grows past", "x | json", { big, big })
    refuses("grows past", "x | truncatewords: 1, x", big .. " y")
  end)

  it("is refused as an array of too many items, too", function()
    local list = {}
    for i = 1, 60000 do list[i] = 1 end
    refuses("100000 items", "x | concat: x", list)
    refuses("100000 items", "x | split: ''", ("a"):rep(200000))
    refuses("100000 items", "(1..1000000000) | join")
    refuses("100000 items", "(1..1000000000) | reverse | first")
    refuses("100000 items", "x | compact", { list, list })
    shows("1000000000", "(1..1000000000) | size")
    shows("1000000000", "(1..1000000000) | last")
  end)
end)

-- Whatever a filter is given, it gives a value or a fault: never one of Lua's errors, which would be a mistake of ours.
describe("odd values", function()
  local itself, deep, mixed = {}, {}, { 1, a = 2 }
  itself[1], itself.me = itself, itself
  local at = deep
  for _ = 1, 500 do at[1] = {} at = at[1] end
  local odd = {
    nil, true, false, 0, -1, 1, 2.5, -0.0, 0 / 0, math.huge, -math.huge, math.maxinteger, math.mininteger, 1e308,
    5e-324, "", " ", "a", "0",
    "9223372036854775808", "\xFF\xFE", "\0", "日本", "now", "%Y-%m-%d%%", "%-^0_10:::z%", "Europe/Berlin",
    "2016-02-30", "99:99", ("ab "):rep(50),
    {}, json.array(), { 1, 2, 3 }, { "b", "a" }, { json.null, json.null }, { { a = 1 }, { a = "x" }, {} },
    { a = json.null }, itself, deep, mixed,
    json.empty_array, json.null, values.blank, values.empty, values.omit, values.range(1, 3), values.range(3, 1),
    values.range(math.mininteger, math.maxinteger), values.date(NOW), values.date(NOW, "Europe/Berlin"),
    values.date(0, -3600), print,
    { [1.5] = 1, [true] = 2 }, { [{}] = 1, a = 2 },
  }
  local COUNT = 54
  local STEP = os.getenv "JAUNT_SPEC_GC" == "1" and 9 or 1 -- fewer where the collector is made to work without a pause

  local function try(name, row, ...)
    local done, raised = xpcall(function(...)
      return values.text(row.run(...))
    end, function(raised) return type(raised) == "table" and raised or debug.traceback(raised) end, ...)
    local told = done or type(raised) == "table" and raised.liquid_text
    if not told then error(name .. ": " .. tostring(raised), 0) end
  end

  it("give a value or a fault in each filter, in each place", function()
    local context = { now = NOW }
    for name, row in pairs(filters) do
      for i = 1, COUNT do
        for j = 1, row.most > 0 and COUNT or 1, STEP do
          local k = (i * 7 + j * 3) % COUNT + 1
          if row.context then
            try(name, row, context, odd[i], odd[j], odd[k])
          else
            try(name, row, odd[i], row.most > 0 and odd[j] or nil, row.most > 1 and odd[k] or nil)
          end
        end
      end
    end
  end)

  it("are compared, looked into and shown likewise", function()
    for _, name in ipairs { "equal", "less", "less_equal", "greater", "greater_equal", "contains", "get", "range" } do
      local row = { run = values[name] }
      for i = 1, COUNT do
        for j = 1, COUNT do try(name, row, odd[i], odd[j]) end
      end
    end
    for _, name in ipairs { "text", "string", "truthy", "list", "number", "integer", "size", "first", "last", "kind",
      "word", "show", "is_blank" } do
      for i = 1, COUNT do try(name, { run = function(v) return (values[name](v)) end }, odd[i]) end
    end
  end)
end)

describe("values", function()
  it("are equal as Liquid says", function()
    assert.truthy(values.equal(1, 1.0))
    assert.falsy(values.equal(1, "1"))
    assert.falsy(values.equal(0, false))
    assert.truthy(values.equal({ 1, { a = 2 } }, { 1, { a = 2 } }))
    assert.falsy(values.equal({ 1 }, { 1, 2 }))
    assert.falsy(values.equal({ a = 1 }, { a = 1, b = 2 }))
    assert.truthy(values.equal(values.range(1, 3), values.range(1, 3)))
    assert.truthy(values.equal(nil, json.null))
    for _, blank in ipairs { "", "  \n", {}, json.array(), false } do
      assert.truthy(values.equal(values.blank, blank))
    end
    assert.truthy(values.equal(nil, values.blank))
    for _, empty in ipairs { "", {}, json.array() } do assert.truthy(values.equal(empty, values.empty)) end
    assert.falsy(values.equal(" ", values.empty))
    assert.falsy(values.equal(nil, values.empty))
    assert.falsy(values.equal(values.blank, values.empty))
  end)

  it("are looked into by name, by index from either end, and by size, first and last", function()
    local list = json.array { "a", "b", "c" }
    assert.equal("a", values.get(list, 0))
    assert.equal("c", values.get(list, -1))
    assert.is_nil(values.get(list, 3))
    assert.is_nil(values.get(list, -4))
    assert.equal(3, values.get(list, "size"))
    assert.equal("c", values.get(list, "last"))
    assert.equal(9, values.get({ size = 9, a = 1 }, "size"))
    assert.equal(2, values.get({ b = 9, a = 1 }, "size"))
    assert.same({ "a", 1 }, values.get({ b = 9, a = 1 }, "first"))
    assert.is_nil(values.get({ a = json.null }, "a"))
    assert.equal(4, values.get("Grün", "size"))
  end)

  it("are walked in the order of their keys", function()
    assert.equal('{2=>1, 10=>2, "B"=>3, "a"=>4, false=>5, true=>6}',
      values.text { a = 4, B = 3, [10] = 2, [2] = 1, [true] = 6, [false] = 5 })
    local done, raised = pcall(values.text, { [{}] = 1, a = 2 })
    assert.falsy(done)
    assert.equal("an object has a key that is a table: keys are texts", raised.liquid_text)
  end)

  it("hide what they are made of", function()
    for _, value in ipairs { values.range(1, 3), values.date(NOW, "Europe/Berlin"), values.blank } do
      for _, name in ipairs { "from", "to", "ms", "zone", "name", "print", "__index" } do
        assert.is_nil(values.get(value, name))
      end
    end
  end)

  it("are shown in messages, cut short", function()
    assert.equal("2.0", values.show(2.0))
    assert.equal('"a\\nb\\"\\u0001"', values.show 'a\nb"\1')
    assert.equal("an array", values.show { 1 })
    assert.truthy(#values.show(("é"):rep(500)) < 150)
    assert.truthy(utf8.len(values.show(("é"):rep(500))))
  end)
end)
