-- JSON templates: what is put out is JSON whatever the people are like, and what could be anything else is refused,
-- in words.

local json = require "json"
local liquid = require "jaunt.liquid"

local function options(partials)
  return {
    path = "hello.json", kind = "json",
    partial = function(name)
      local text = partials and partials[name]
      if text then return { text = text, path = name .. "." .. (partials[name .. ".kind"] or "json"),
        kind = partials[name .. ".kind"] or "json" } end
    end,
  }
end

local function compiled(text, partials)
  local template, why = liquid.compile(text, options(partials))
  if not template then error(tostring(why), 3) end
  return template
end

-- The text that a template gives with these vars; it has to be JSON.
local function rendered(text, vars, partials)
  local result, facts = compiled(text, partials):render { person = {}, event = {}, vars = vars or {}, now = 0 }
  if not result then error(tostring(facts), 2) end
  local ok, why = pcall(json.decode, result)
  if not ok then error(why .. ": " .. result, 2) end
  return result, facts
end

local function value(text, vars, partials) return json.decode((rendered(text, vars, partials))) end

local function failure(text, vars, partials)
  local result, why = compiled(text, partials):render { person = {}, event = {}, vars = vars or {}, now = 0 }
  if result then error("it was rendered: " .. result, 2) end
  return why
end

-- The mistake that a template is refused with.
local function refused(text, partials)
  local template, why = liquid.compile(text, options(partials))
  if template then error("it was accepted: " .. text, 2) end
  assert.equal("syntax", why.what)
  return tostring(why)
end

local function refuses(text, ...)
  local why = refused(text)
  for _, part in ipairs { ... } do
    if not why:find(part, 1, true) then error(("%s\n  does not say: %s"):format(why, part), 2) end
  end
end

local HOSTILE = "a\"b\\c\n\0\u{2028}é\xff"

describe("within quotes", function()
  it("a text is escaped, and nothing of it ends the string", function()
    assert.equal([[{"a": "Hi a\"b\\c\n\u0000\u2028é]] .. "\u{FFFD}" .. [[!"}]], (rendered('{"a": "Hi {{ x }}!"}', {
      x = HOSTILE })))
  end)

  it("what was not UTF-8 is counted", function()
    local _, facts = rendered('{"a": "{{ x }}{{ x }}", "b": {{ x }}, {{ x }}: 1}', { x = HOSTILE })
    assert.equal(4, facts.repaired)
    local _, none = rendered('{"a": "{{ x }}"}', { x = "é" })
    assert.equal(0, none.repaired)
  end)

  it("nil is nothing, numbers and booleans are as they are printed", function()
    assert.equal('{"a": "-9007199254740993-1.5-true"}', (rendered('{"a": "{{ no }}-{{ i }}-{{ f }}-{{ b }}"}',
      { i = 9007199254740993, f = 1.5, b = true })))
  end)

  it("a table is a mistake, unless it was joined or made JSON of", function()
    local why = failure('{"a":\n "{{ x }}"}', { x = { 1, 2 } })
    assert.equal("render", why.what)
    assert.equal(2, why.line)
    assert.truthy(why.text:find("an array stands within quotes", 1, true))
    assert.truthy(why.text:find("| json", 1, true))
    assert.equal('{"a": "1, 2"}', (rendered('{"a": "{{ x | join: ", " }}"}', { x = { 1, 2 } })))
    assert.equal('{"b":["x\\""]}', value('{"a": "{{ x | json }}"}', { x = { b = { 'x"' } } }).a)
  end)

  it("branches may hold parts of a text", function()
    local text = '{"a": "Hello {% if x %}{{ x }}{% else %}you{% endif %}!"}'
    assert.equal("Hello Ada!", value(text, { x = "Ada" }).a)
    assert.equal("Hello you!", value(text).a)
  end)
end)

describe("as a value", function()
  it("each type is what it is", function()
    assert.equal('["x\\"", 9007199254740993, 0.1, 2.0, true, null, [1,"b"], {"k":null}]', (rendered(
      "[{{ s }}, {{ i }}, {{ f }}, {{ w }}, {{ b }}, {{ no }}, {{ l }}, {{ o }}]",
      { s = 'x"', i = 9007199254740993, f = 0.1, w = 2.0, b = true, l = { 1, "b" }, o = { k = json.null } })))
  end)

  it("the smallest and the greatest integers are exact", function()
    assert.equal("[-9223372036854775808,9223372036854775807]", (rendered("[{{ a }},{{ b }}]",
      { a = math.mininteger, b = math.maxinteger })))
  end)

  it("NaN and infinity are mistakes, alone and in a table", function()
    assert.truthy(failure("{{ x }}", { x = 0 / 0 }).text:find("NaN", 1, true))
    assert.truthy(failure("[{{ x }}]", { x = -1 / 0 }).text:find("infinite", 1, true))
    assert.truthy(failure("[{{ x }}]", { x = { a = { 0 / 0 } } }).text:find(".a[1] is NaN", 1, true))
  end)

  it("texts in a table that are not UTF-8 are made so and counted", function()
    local text, facts = rendered("[{{ x }}]", { x = { a = "\xff", [ "\xfe" ] = "é" } })
    assert.equal(2, facts.repaired)
    assert.same({ { a = "\u{FFFD}", ["\u{FFFD}"] = "é" } }, json.decode(text))
  end)

  it("it may be the whole payload", function()
    assert.equal('{"a":[1]}', (rendered("{{ x | json }}", { x = { a = { 1 } } })))
    assert.equal('"x"', (rendered(" {{ x }}", { x = "x" })):match "%S+")
  end)

  it("cycle, increment and decrement are outputs like others", function()
    assert.equal('{"a": ["x", "y", "xyx"], "b": [0, 1, -1], "c": "0"}', (rendered(
      '{"a": [{% cycle "x", "y" %}, {% cycle "x", "y" %},'
      .. ' "{% cycle "x", "y" %}{% cycle "x", "y" %}{% cycle "x", "y" %}"],'
      .. ' "b": [{% increment a %}, {% increment a %}, {% decrement b %}], "c": "{% increment c %}"}')))
  end)
end)

describe("as a key", function()
  it("a text is quoted, alone or as a part", function()
    assert.equal('{ "x\\"": 1, "p_x\\"": 2, "7": 3}', (rendered('{ {{ k }}: 1, "p_{{ k }}": 2, {{ n }}: 3}', {
      k = 'x"', n = 7 })))
  end)

  it("nil, the empty text and tables are mistakes", function()
    for _, text in ipairs { "{ {{ k }}: 1}", '{"{{ k }}": 1}', '{"p_{{ k }}": 1}' } do
      assert.truthy(failure(text, {}).text:find("a key is nil here", 1, true))
      assert.truthy(failure(text, { k = "" }).text:find("a key is empty here", 1, true))
      assert.truthy(failure(text, { k = { 1 } }).text:find("an array can't be a key", 1, true))
    end
  end)
end)

describe("json, to_json and json_escape", function()
  it("are not done twice, within quotes and without", function()
    local text = '["{{ s | json_escape }}", {{ s | json }}, {{ s | to_json }}, "{{ s | json }}", {{ s | json_escape }},'
      .. " {{ o | json }}]"
    assert.same({ 'x"', 'x"', 'x"', 'x"', 'x"', { a = 1 } }, value(text, { s = 'x"', o = { a = 1 } }))
  end)

  it("are done once more where they were written twice", function()
    assert.equal('"x\\""', value('["{{ s | json | json_escape }}"]', { s = 'x"' })[1])
    assert.equal('"x\\""', value('[{{ s | json | json }}]', { s = 'x"' })[1])
  end)

  it("are filters like others where something follows", function()
    assert.equal('"x"!', value('["{{ s | json | append: "!" }}"]', { s = "x" })[1])
  end)

  it("make a name that holds JSON, which is not quoted again as a value", function()
    local text = '{% assign s = o | json %}{"a": {{ s }}, "b": "{{ s }}", "c": {{ s | json }}}'
    assert.same({ a = { x = '"' }, b = '{"x":"\\""}', c = '{"x":"\\""}' }, value(text, { o = { x = '"' } }))
    assert.same({ "]" }, value("{% if no %}{% assign s = o | json %}{% endif %}[{{ s }}]", { s = "]" }))
    local mine = '{"admin": true}' -- what a person says is never taken for JSON
    for _, before in ipairs { "{% if no %}{% assign s = o | json %}{% endif %}", "{% assign s = o | json %}{% include 'p' %}",
      "{% include 'q' %}", "{% assign s = o | json %}{% include 'i', s: mine %}" } do
      local given = value("[" .. before .. "{{ s }}]", { s = mine, mine = mine, o = 1 }, { p = "{% assign s = mine %}",
        q = "{% if no %}{% assign s = o | json %}{% endif %}", i = "{{ s }}," })
      assert.is_not_table(given[1], before)
    end
    assert.same({ mine, { 1 } }, value("[{% for o in l %}{{ s }},{% assign s = o | json %}{% endfor %}]",
      { s = mine, l = { { 1 }, 2 } }))
    assert.same({ { 1 }, 2 }, value("[{% render 'r', s: s, o: o %}, 2]", { s = mine, o = { 1 } },
      { r = "{% assign s = o | json %}{{ s }}" }))
  end)

  it("and a capture is a plain text", function()
    assert.same({ 'a"x"', 'a"x"' }, value('{% capture t %}a"{{ s }}"{% endcapture %}["{{ t }}", {{ t }}]', { s = "x" }))
  end)
end)

describe("commas that control flow leaves over are taken away:", function()
  local function gives(expected, text, vars) assert.equal(expected, (rendered(text, vars):gsub("%s", ""))) end

  it("at the end of a loop", function()
    local text = "[{% for x in l %}{{ x }},{% endfor %}]"
    gives("[]", text)
    gives("[1]", text, { l = { 1 } })
    gives("[1,2,3]", text, { l = { 1, 2, 3 } })
  end)

  it("before what is left out, behind it, and doubled", function()
    local text = '{"a": 1, {% if b %}"b": 2,{% endif %} {% if c %}, "c": 3{% endif %}, {% if d %}"d": 4{% endif %}}'
    for mask = 0, 7 do
      local vars = { b = mask & 1 > 0 or nil, c = mask & 2 > 0 or nil, d = mask & 4 > 0 or nil }
      local wanted = { a = 1, b = vars.b and 2, c = vars.c and 3, d = vars.d and 4 }
      assert.same(wanted, value(text, vars))
    end
  end)

  it("at the beginning", function()
    gives('{"b":1}', '{ {% if a %}"a": 0{% endif %}, "b": 1}')
    gives("[1]", "[{% if a %}0{% endif %},{% if b %}0{% endif %},1,,]")
  end)

  it("however many there may be", function()
    local text = "[" .. ("{% if c %}1,{% endif %}"):rep(12) .. "2,{% if c %}3{% endif %}]"
    gives("[2]", text)
    gives("[" .. ("1,"):rep(12) .. "2,3]", text, { c = true })
  end)

  it("as templates from elsewhere avoid them themselves", function()
    for _, text in ipairs {
      "[{% for x in l %}{{ x }}{% unless forloop.last %},{% endunless %}{% endfor %}]",
      "[{% for x in l %}{{ x }}{% if forloop.last == false %},{% endif %}{% endfor %}]",
      "[{% for x in l %}{{ x }}{% if forloop.last != true %},{% endif %}{% endfor %}]",
      "[{% for x in l %}{% if forloop.first %}{% else %},{% endif %}{{ x }}{% endfor %}]",
      "[{% for x in l %}{% if forloop.index > 1 %},{% endif %}{{ x }}{% endfor %}]",
      "[{% for x in l %}{% if forloop.index0 != 0 %},{% endif %}{{ x }}{% endfor %}]",
      "[{% for x in l %}{{ x }}{% if forloop.rindex >= 2 %},{% endif %}{% endfor %}]",
      "[{% for x in l %}{{ x }}{% if forloop.index < forloop.length %},{% endif %}{% endfor %}]",
      "[{% for x in l %}{{ x }}{% if forloop.length != forloop.index %},{% endif %}{% endfor %}]",
      "[{% for x in l %}{% if forloop.last and x %}{{ x }}{% elsif forloop.last %}0{% else %}{{ x }},{% endif %}"
        .. "{% endfor %}]",
    } do
      gives("[]", text)
      gives("[7]", text, { l = { 7 } })
      gives("[7,8]", text, { l = { 7, 8 } })
      gives("[7,8,9]", text, { l = { 7, 8, 9 } })
    end
  end)

  it("where a loop is left from within a capture, or by what it includes", function()
    local partials = { leave = "{% if x == 2 %}{% break %}{% endif %}" }
    for _, leaving in ipairs {
      "{% capture t %}{% if x == 2 %}{% break %}{% endif %}{% endcapture %}", "{% include 'leave' %}",
      "{% capture t %}{% include 'leave' %}{% endcapture %}",
      "{% capture t %}{% for y in none %}{% else %}{% break %}{% endfor %}{% endcapture %}",
    } do
      local text = "[{% for x in l %}{{ x }}{% unless forloop.last %}," .. leaving .. "{% endunless %}{% endfor %}]"
      local made = value(text, { l = { 1, 2, 3 } }, partials)
      assert.is_true(#made == 1 or #made == 2)
    end
  end)

  it("in loops within loops, with continue and break", function()
    local text = [==[{"a": [{% for r in rows %}[{% for x in r %}
      {% if x == 0 %}{% continue %}{% endif %}{% if x == 9 %}{% break %}{% endif %}
      {{ x }},{% endfor %}]{% unless forloop.last %},{% endunless %}{% endfor %}]}]==]
    gives('{"a":[[1,2],[],[],[3]]}', text, { rows = { { 1, 0, 2 }, { 0 }, { 9, 1 }, { 3, 9, 4 } } })
  end)

  it("in loops as deep as blocks may be", function()
    local flat = "[" .. ("{% for x in l %}"):rep(45) .. "{{ x }}" .. (",{% endfor %}"):rep(45) .. "]"
    assert.same({}, value(flat))
    local nested = "[" .. ("{% for x in l %}["):rep(25) .. "{{ x }}"
      .. ("]{% unless forloop.last %},{% endunless %}{% endfor %}"):rep(25) .. "]"
    assert.same({}, value(nested))
    local objects = "[" .. ('{% for x in l %}{"a": 1, "b": ['):rep(14) .. "{{ x }}"
      .. (']}{% unless forloop.last %},{% endunless %}{% endfor %}'):rep(14) .. "]"
    assert.same({}, value(objects))
    local joined = "[" .. ("{% for x in l %}"):rep(8) .. "{{ x }}"
      .. ("{% unless forloop.last %},{% endunless %}{% endfor %}"):rep(8) .. "]"
    assert.equal(256, #value(joined, { l = { 1, 2 } }))
  end)

  it("and none is made up", function()
    refuses("[{% for x in l %}{{ x }}{% endfor %}]", "1:18: the loop comes back here without a comma",
      "write one at the end of its body")
    refuses('{"a": 1 "b": 2}', "1:9: a comma is missing before this member", "line 1")
    refuses('{"a": 1{% if x %},"b": 2{% endif %} "c": 3}', "a comma is missing before this member")
    refuses('{"a": 1{% if x %},{% endif %} "c": 3}', "a comma may be missing before this member",
      "write the comma always")
    refuses("[{% for x in l %}{{ x }}{% if x %},{% endif %}{% endfor %}]", "a comma may be missing")
    refuses("[{% for x in l %}{% if forloop.index == 2 %},{% endif %}{{ x }}{% endfor %}]", "a comma may be missing")
  end)
end)

describe("objects whose keys come from people", function()
  it("are written by a loop", function()
    local text = "{ {% for m in o %}{{ m[0] }}: {{ m[1] }}{% unless forloop.last %}, {% endunless %}{% endfor %} }"
    assert.same({ a = 1, ['b"'] = { 2 } }, value(text, { o = { a = 1, ['b"'] = { 2 } } }))
    assert.equal("{}", (rendered(text):gsub("%s", "")))
  end)
end)

describe("omit_if_nil", function()
  it("takes out a member, wherever it stands", function()
    local text = [==[{"a": {{ a | omit_if_nil }}, "b": "x {{ b | omit_if_nil | upcase }}!",
      "c": {"d": {{ c | omit_if_nil }}}, {{ k | omit_if_nil }}: 1}]==]
    assert.same({ c = {} }, value(text))
    assert.same({ a = 1, c = {} }, value(text, { a = 1 }))
    assert.same({ b = "x Y!", c = {} }, value(text, { b = "y" }))
    assert.same({ c = { d = false }, kk = 1 }, value(text, { c = false, k = "kk" }))
    assert.same({ a = "", b = "x Y!", c = { d = 0 }, kk = 1 }, value(text, { a = "", b = "y", c = 0, k = "kk" }))
  end)

  it("takes out an item of an array", function()
    local text = [==[[{{ a | omit_if_nil }}, {{ b | omit_if_nil }}, {% for x in l %}{{ x.v | omit_if_nil }},{% endfor %}
      {{ c | omit_if_nil }}]]==]
    assert.equal("[]", (rendered(text):gsub("%s", "")))
    assert.same({ 1 }, value(text, { b = 1 }))
    assert.same({ 1, 5, 6, 3 }, value(text, { a = 1, c = 3, l = { { v = 5 }, {}, { v = 6 } } }))
  end)

  it("takes out a member for any of several, and in a branch", function()
    local text = [==[{"x": "{{ a | omit_if_nil }} {{ b | omit_if_nil }}",
      "y": {% if c %}{{ d | omit_if_nil }}{% else %}1{% endif %}}]==]
    assert.same({ y = 1 }, value(text, { a = 1 }))
    assert.same({ x = "1 2" }, value(text, { a = 1, b = 2, c = true }))
    assert.same({ x = "1 2", y = 3 }, value(text, { a = 1, b = 2, c = true, d = 3 }))
  end)

  it("in a loop over objects leaves the others as they are", function()
    local text = '[{% for i in l %}{"n": {{ i.n }}, "p": {{ i.p | omit_if_nil }}},{% endfor %}]'
    assert.same({ { n = 1, p = 2 }, { n = 2 }, { n = 3, p = 4 } }, value(text, { l = { { n = 1, p = 2 }, { n = 2 }, {
      n = 3, p = 4 } } }))
  end)

  it("is refused where there is nothing to take out", function()
    refuses("{{ x | omit_if_nil }}", "omit_if_nil has nothing to leave out here")
    refuses("{% assign y = x | omit_if_nil %}{}", "1:19: omit_if_nil works only where a value is put out into JSON")
    refuses('{"a": {{ x | omit_if_nil | first | omit_if_nil }}}', "1:36: omit_if_nil stands here twice")
    refuses('{"a": {{ x | upcase | first | omit_if_nil }}}', "stands behind upcase")
    assert.same({}, value('{"a": {{ x | upcase | default: y | omit_if_nil }}, "b": {{ l | first | omit_if_nil }}}'))
    refuses('{"a": {{ x | upcase | omit_if_nil }}}', "1:23: omit_if_nil stands behind upcase, which never gives nil",
      "put it first")
  end)
end)

describe("what a person lacks", function()
  it("drops or holds for the template's reason", function()
    local why = failure('{"a": {{ x | required: "no address" }}}')
    assert.equal("drop", why.what)
    assert.equal("no address", why.reason)
    why = failure('{"a": "{{ x | hold_if_nil: "no cart" }}"}')
    assert.equal("hold", why.what)
    assert.equal("no cart", why.reason)
    assert.equal('{"a": 1}', (rendered('{"a": {{ x | required: "no" | hold_if_nil: "no" }}}', { x = 1 })))
  end)

  it("skips or drops the call by abort_message, in the midst of a text, too", function()
    local text = '{"a": "Hi {% if x %}{{ x }}{% else %}{% abort_message("no name") %}{% endif %}"}'
    assert.equal("skip", failure(text).what)
    assert.equal("no name", failure(text).reason)
    assert.equal("Hi Ada", value(text, { x = "Ada" }).a)
  end)
end)

describe("types", function()
  it("are converted as asked, or it is a mistake", function()
    assert.equal('[1.5, 2, true, "3"]', (rendered('[{{ a | number }}, {{ b | int }}, {{ c | bool }}, {{ d | string }}]',
      { a = "1.5", b = "2", c = "true", d = 3 })))
    assert.equal("render", failure("[{{ a | number }}]", { a = "x" }).what)
    assert.equal("render", failure("[{{ a | int }}]", { a = {} }).what)
    assert.equal("render", failure("[{{ a | bool }}]", { a = "perhaps" }).what)
  end)
end)

describe("partials", function()
  local PARTIALS = {
    member = '"name": "{{ name }}",', item = "{{ item }}{% unless forloop.last %},{% endunless %}",
      words = "Hi {{ name }}\\n",
    head = '{"a": 1, ', tail = ', "z": 2}', self = "[{% render 'self' %}]",
    bye = 'Bye "{{ name }}"\n', ["bye.kind"] = "txt", mail = '<b a="{{ name }}">', ["mail.kind"] = "html",
  }

  it("of JSON go on with their caller's JSON", function()
    assert.same({ a = 1, name = 'A"', b = { 1, 2 }, z = 2 }, value([==[{% render 'head' %}{% render 'member', name: n %}
      "b": [{% render 'item' for l as item %}]{% render 'tail' %}]==], { n = 'A"', l = { 1, 2 } }, PARTIALS))
    assert.same({ "Hi Ada\n!" }, value([==[["{% render 'words', name: 'Ada' %}!"]]==], {}, PARTIALS))
  end)

  it("of text stand within quotes, escaped once for each", function()
    assert.same({ 'Bye "A""\n|<b a="A&quot;">' },
      value([==[["{% render 'bye', name: n %}|{% render 'mail', name: n %}"]]==], { n = 'A"' }, PARTIALS))
    assert.truthy(refused("[{% render 'bye' %}]", PARTIALS):find("it can stand only within the quotes of a value", 1,
      true))
  end)

  it("of text may render and include others, all of which are escaped", function()
    local inner = { ["a.kind"] = "txt", ["b.kind"] = "txt", b = 'b"{{ n }}' }
    for _, way in ipairs { "include 'b'", "render 'b', n: n" } do
      inner.a = 'a"{% ' .. way .. " %}"
      for _, outer in ipairs { "include 'a'", "render 'a', n: n" } do
        assert.same({ 'a"b""' }, value("{% assign n = '\"' %}[\"{% " .. outer .. ' %}"]', {}, inner))
      end
    end
  end)

  it("may be left by a break, which has to be at a place where they may end", function()
    local text = "[1, {% render 'some', n: n %} 5]"
    assert.same({ 1, 5 }, value(text, { n = 1 }, { some = "{% if n == 1 %}{% break %}{% endif %}2," }))
    assert.same({ 1, 2, 5 }, value(text, { n = 2 }, { some = "{% if n == 1 %}{% break %}{% endif %}2," }))
    local why = refused(text, { some = "2{% if n == 1 %}{% break %}{% endif %}," })
    assert.truthy(why:find("a comma may be missing", 1, true))
  end)

  it("are told of by their own file and line", function()
    local why = refused("{% render 'broken' %}", { broken = '{"a": 1\n"b": 2}' })
    assert.truthy(why:find("broken.json:2:1: a comma is missing", 1, true))
    local fault = failure("[{% render 'late' %}]", {}, { late = "\n{{ 1 | divided_by: 0 }}" })
    assert.equal("late.json", fault.path)
    assert.equal(2, fault.line)
  end)

  it("may be a key, a member, a text's part, and within a capture", function()
    local partials = { k = '"kk"', m = '"mm": {{ n }}', t = "{{ n }}{{ n }}" }
    local text = [==[{% capture c %}{% render 't', n: 1 %}{% endcapture %}{ {% render 'k' %}: 1, {% render 'm', n: 2 %},
      "t": "{% render 't', n: 3 %}", "c": {{ c }} }]==]
    assert.same({ kk = 1, mm = 2, t = "33", c = "11" }, value(text, {}, partials))
  end)

  it("cannot render themselves", function()
    assert.truthy(refused("{% render 'self' %}", PARTIALS):find('"self" renders itself', 1, true))
  end)
end)

describe("a template is refused, with line, column and mend, that has", function()
  it("two fragments side by side outside of quotes", function()
    for text, at in pairs {
      ['{"a": {{ a }}{{ b }}}'] = "1:14", ['{"a": 1{{ a }}}'] = "1:8", ['{"a": {{ a }}1}'] = "1:14",
        ["[{{ a }} {{ b }}]"] = "1:10",
      ['{"a": "x"{{ a }}}'] = "1:10", ["{{ a }}{{ b }}"] = "1:8",
    } do refuses(text, at, "write both within one pair of quotes") end
  end)

  it("branches that end at different places", function()
    refuses('{"a": "x{% if x %}"{% endif %}}', "1:9: the branches of this if", "inside the text that begins on line 1",
      "open and close quotes in the same branch")
    refuses('{"a": {% if x %}1{% endif %}}', "there is no else", 'before the value of "a"', "null where there is none")
    refuses('{\n{% unless x %}"a": [1{% else %}"a": 1{% endunless %}}', "2:1: the branches of this unless",
      "inside the array that is opened on line 2", "open and close braces and brackets in the same branch")
    refuses('{"a": {% case x %}{% when 1 %}1{% when 2 %}2{% endcase %}}', "the branches of this case",
      "where none fits")
    refuses('{"a": {% case x %}{% when y %}1{% when 2 %}2{% else %}3{% endcase %}}',
      "may be rendered behind another one")
    refuses('{"a": {% for x in y %}{{ x }}{% endfor %}}', "this loop's turns do not fit each other")
    refuses("{% if x %}{}{% endif %}", "behind the end of the JSON", "a payload is one value on every way")
    refuses("{% for x in y %}{}{% endfor %}", "[ and ] around a loop")
    refuses('{"a": {% for x in y %}{{ x }}{% break %}{% endfor %}}', "where it has nothing to go over")
    refuses("[{% for x in l %}1,{% if forloop.first %}[{% endif %}{% if forloop.last %}]{% endif %}{% endfor %}]",
      "1:18: this stands",
      "on some ways through the template")
    local around = "[1, {% for x in l %}{% if forloop.first %}[{% endif %}{{ x }},{% if forloop.last %}]{% endif %}"
      .. "{% endfor %}]"
    assert.same({ 1, { 2, 3 } }, value(around, { l = { 2, 3 } }))
  end)

  it("an end that comes too early or too late", function()
    refuses('{"a": "x', "1:7: the payload ends within this text", 'its closing " is missing')
    refuses('{"a": [1,\n {"b": 2\n', "2:2: the payload ends, but this object is still open, and so are the 2 around it")
    refuses("{% comment %}{}{% endcomment %}", "without any JSON in it")
    refuses("{} x", "1:4: the JSON has ended before this")
    refuses("{}}", "1:3: } closes nothing")
    refuses('{"a": 1]', "1:8: ] closes an array, but what is open here is the object of line 1")
    refuses("{% break %}{}", "1:1: break stands outside of a loop and ends the payload here")
  end)

  it("literal text that is not JSON", function()
    refuses('{"a": "\\q"}', "1:8: this is no escape of JSON")
    refuses('{"a": "\\u12g4"}', "1:8: \\u needs four hexadecimal digits")
    refuses('{"a": "\\ud83d!"}', "1:8: \\ud83d is one half of a character")
    refuses('{"a": "b\nc"}', "1:9: a line ends here, inside of a text in quotes")
    refuses('{"a": "b\tc"}', "1:9: a control character")
    refuses('{"a": "b\\{{ x }}"}', "a backslash stands at the end of this text")
    refuses('{"a": 01}', "1:7: 01 is no number of JSON")
    refuses('{"a": +491711234}', "no number of JSON")
    refuses('{"a": 1e999}', "too big a number")
    refuses('{"a": "say "hi" now"}', "1:13: the text has ended with the quote before this; a quote within a text is written")
    refuses('{"a": "say "{{ x }}" now"}', '1:13: two values stand side by side here', 'a quote within a text is written \\"')
    refuses('{ % if x %}', "1:3: % means nothing in JSON; a tag begins with {%, without a blank between them")
    refuses('{\u{A0}"a": 1}', "1:2: this is another space than the plain one (U+00A0); write a plain space")
    refuses('{\u{200B}"a": 1}', "1:2: an invisible character stands here (U+200B); take it away")
    refuses('{"a": True}', "True is no value of JSON; write true")
    refuses("{'a': 1}", "JSON's texts stand in double quotes")
    refuses('{"a": “x”}', "this is a typographic quote")
    refuses('{"a": 1 // x\n}', "JSON has no comments")
    refuses('{"a": 1,{% raw %}\n "b"; {% endraw %}}', "2:5: JSON separates by commas")
    refuses('{"a": 1,\n{%- if x -%}   \n  b {% endif %}}', "3:3: b is no value")
    refuses('{"a" 1}', "a colon is missing")
    refuses('{"a": }', 'the value of "a" is missing; write null')
    refuses('{"a"}', "a key stands before this, without colon and value")
    refuses("{1: 2}", "a key has to stand here")
    refuses('"a": 1', "a member stands here outside of any object")
    refuses('{"a": "\xff"}', "this byte is not UTF-8")
  end)

  it("the same key twice, where a value says it", function()
    local function twice(text, vars, key, at)
      local template = assert(liquid.compile(text, { path = "hello.json", kind = "json" }))
      local result, why = template:render { person = {}, event = {}, vars = vars, now = 0 }
      if result then error("it was rendered: " .. result, 2) end
      assert.equal("render", why.what)
      assert.equal(('hello.json:%s: the key "%s" stands twice in one object; keys that values say have to differ'):format(at,
        key), tostring(why):match "^[^\n]*")
    end
    twice('{"a": 1, {{ k }}: 2}', { k = "a" }, "a", "1:10")
    twice('{"\\u0061": 1, "{{ k }}": 2}', { k = "a" }, "a", "1:16")
    twice('{"x": [{"a": 1,\n"a{{ k }}b": 1, "axb": 2}]}', { k = "x" }, "axb", "2:3")
    twice('[{ {% for k in l %}{{ k }}: [{"b": "c"}],{% endfor %} }]', { l = { "é", "b", "é" } }, "é", "1:20")
    assert.same({ a = { a = "a" }, b = { a = 1 } }, value('{ {{ k }}: {"a": {{ k }}}, "b": { {{ k }}: 1}}', { k = "a" }))
    assert.same({ a = { "b", "b" } }, value('{ {{ k }}: ["b", "b"]}', { k = "a" }))
  end)

  it("the same key twice", function()
    refuses('{"a": 1,\n "a": 2}', '2:2: the key "a" stands twice in this object; it is there already on line 1')
    refuses('{"a": 1, {% if x %}"b": 1,{% endif %} "a": 2}', 'the key "a" stands twice')
    refuses('{"a": 1, {% if x %}{% else %}"b": 1,{% endif %} "a": 2}', 'the key "a" stands twice')
    refuses('{ {% for x in l %}"a": 1,{% endfor %} }', '1:19: the key "a" is written here more than once in one object')
    assert.same({ a = 2 }, value('{ {% if x %}"a": 1,{% else %}"a": 2,{% endif %} }'))
    assert.same({ a = { a = 1 }, b = { a = 1 } }, value('{"a": {"a": 1}, "b": {"a": 1}}'))
    assert.same({ a = 2 }, value('{ {% for x in l %}{% if x == 2 %}"a": {{ x }},{% endif %}{% endfor %} }', { l = { 1,
      2, 3 } }))
  end)
end)

describe("all of JSON's own writing is taken:", function()
  it("white space, numbers, words, escapes, a byte order mark", function()
    local text = '\u{FEFF} {\r\n\t"a" : [ 0 , -1.5e+3, 1E2,true,false , null ] , '
      .. '"\\"\\\\\\/\\b\\f\\n\\r\\t\\u0041\\ud83d\\ude00": "{% raw %}{{{% endraw %}" }\n'
    assert.same({ a = { 0, -1500.0, 100.0, true, false, json.null }, ['"\\/\b\f\n\r\tA😀'] = "{{" }, value(text))
  end)
end)
