-- The language of payload templates: names, tags, payloads in payloads, Braze's words, mistakes and where they are,
-- limits, probes. Filters, escapes and JSON have specs of their own; the golden suite is in tests/conformance.

local liquid = require "jaunt.liquid"

local NOW = 1764158400000 -- Wed 26 Nov 2025, 12:00 UTC

local ADA = { first_name = "Ada", plan = "pro", id = 9007199254740993, ["Favourite Shop"] = "Corner" }

local function compile(text, options)
  options = options or {}
  options.path = options.path or "hello.txt"
  local template, fault = liquid.compile(text, options)
  assert.is_nil(fault, tostring(fault))
  return template
end

local function render(text, vars, options)
  local template = compile(text, options)
  local result, fault = template:render {
    person = ADA, event = { name = "cart", items = { { sku = "a" }, { sku = "b" } } }, vars = vars, now = NOW,
    limits = options and options.limits,
  }
  return result, fault
end

local function gives(wanted, text, vars, options)
  local result, fault = render(text, vars, options)
  assert.equal(wanted, result or tostring(fault))
end

-- The fault of a template that does not compile, or does not render.
local function fault_of(text, vars, options)
  options = options or {}
  options.path = options.path or "hello.txt"
  local template, fault = liquid.compile(text, options)
  if template then
    local result
    result, fault = template:render { person = ADA, event = {}, vars = vars, now = NOW, limits = options.limits }
    assert.is_nil(result)
  end
  return fault
end

local function partials(texts)
  return function(name)
    if texts[name] then return { text = texts[name], path = name .. ".txt" } end
    return nil, "did you mean footer?"
  end
end

describe("names:", function()
  it("a field of vars comes before the person's attribute, which needs no person.", function()
    gives("Ada pro x", "{{ first_name }} {{ plan }} {{ shop }}", { shop = "x" })
    gives("Bea Ada", "{{ first_name }} {{ person.first_name }}", { first_name = "Bea" })
  end)

  it("person, event and now come before vars", function()
    gives("Ada cart 2025", "{{ person.first_name }} {{ event.name }} {{ now | date: '%Y' }}",
      { person = { first_name = "no" }, event = {}, now = "no" })
  end)

  it("false in vars is a value, nil is none", function()
    gives("false-pro", "{{ off }}-{{ plan }}", { off = false })
  end)

  it("a name that is not assigned on this way is what it is outside", function()
    gives("pro", "{% if false %}{% assign plan = 'x' %}{% endif %}{{ plan }}")
    gives("pro-x-", "{{ plan }}-{% assign plan = 'x' %}{{ plan }}-{% assign plan = nil %}{{ plan }}")
  end)

  it("a loop's variable comes before what is assigned to its name, and ends with the loop", function()
    gives("1 2 | 9", "{% for x in (1..2) %}{% assign x = 9 %}{{ x }} {% endfor %}| {{ x }}")
  end)

  it("a counter is seen where nothing is assigned", function()
    gives("0 1, 00, -1 -1", "{% increment i %} {{ i }}, {% decrement i %}{% increment j %}, {% decrement i %} {{ i }}")
    gives("05 5 15", "{% assign i = 5 %}{% increment i %}{{ i }} {{ i }} {% increment i %}{{ i }}")
    gives("0-x1-", "{% increment plan %}-{{ x }}{% assign x = 'x' %}{{ x }}{{ plan }}-")
  end)

  it("a name can be a value", function()
    gives("pro x 2", "{% assign a = 'x' %}{{ ['plan'] }} {{ [key] }} {% for i in (2..2) %}{{ [loop] }}{% endfor %}",
      { key = "a", loop = "i" })
  end)

  it("json.null in them is nil, put out, filtered or compared, and what has no members has none", function()
    local null = require("json").null
    gives("|d|y|NULL", "{{ a.x }}|{{ a.x | default: 'd' }}|{% if a.x == nil %}y{% endif %}|{{ a.x | json | upcase }}",
      { a = { x = null } })
    gives("d;d;5;d;d;", "{% for i in l %}{{ i.x | default: 'd' }};{% endfor %}",
      { l = { { x = null }, null, { x = 5 }, "text", 7 } })
    gives(";;5;;;", "{% for i in l %}{{ i.x }};{% endfor %}", { l = { { x = null }, null, { x = 5 }, "text", 7 } })
  end)

  it("the members of more of them than are kept as locals are all there, in loops of great length, too", function()
    local pieces, vars, wanted = {}, { l = { { x = 1 }, { x = 2 } } }, {}
    for i = 1, 60 do
      pieces[i], wanted[i] = ("{{ a%d.x }},{{ a%d.x | plus: 1 }};"):format(i, i), ("%d,%d;"):format(i, i + 1)
      vars["a" .. i] = { x = i }
    end
    gives(table.concat(wanted), table.concat(pieces), vars)
    gives(("1"):rep(450) .. ("2"):rep(450), "{% for i in l %}" .. ("{{ i.x }}"):rep(450) .. "{% endfor %}", vars)
  end)

  it("more of them than Lua has locals are all there", function()
    local text, wanted = {}, {}
    for i = 1, 500 do text[i], wanted[i] = ("{%% assign v%d = w%d %%}{{ v%d }},"):format(i, i, i), i .. "," end
    local vars = {}
    for i = 1, 500 do vars["w" .. i] = i end
    gives(table.concat(wanted), table.concat(text), vars)
  end)

  it("integers stay exact", function()
    gives("9007199254740993 9223372036854775807 -9223372036854775808",
      "{{ person.id }} {{ 9223372036854775807 }} {{ -9223372036854775808 }}")
  end)
end)

describe("tags:", function()
  it("break and continue without a loop end the template", function()
    gives("a", "a{% if true %}{% break %}{% endif %}b")
    gives("a", "a{% continue %}b")
    gives("a", "a{% capture x %}b{% break %}{% endcapture %}c{{ x }}")
  end)

  it("break and continue reach their loop out of a case, a capture and another payload's block", function()
    gives("12 5", "{% for i in (1..5) %}{% case i %}{% when 3, i %}{% if i == 3 %}{% continue %}{% elsif i == 4 %}"
      .. "{% break %}{% endif %}{{ i }}{% endcase %}{% endfor %} 5")
    gives("1;", "{% for i in (1..3) %}{% capture x %}{% if i == 2 %}{% break %}{% endif %}{% endcapture %}{{ i }}"
      .. ";{% endfor %}")
    gives("1;2;", "{% for i in (1..3) %}{% include 'p' %}{{ i }};{% endfor %}", nil,
      { partial = partials { p = "{% if i == 3 %}{% break %}{% endif %}" } })
    gives("(1;(2;(3;", "{% for i in (1..3) %}{% render 'p' %}{{ i }};{% endfor %}", nil,
      { partial = partials { p = "({% break %})" } })
  end)

  it("a cycle, a counter and a loop's end begin anew with each render", function()
    local template = compile("{% cycle 'a', 'b' %}{% increment i %}{% for x in (1..4) limit: 2 %}{% endfor %}"
      .. "{% for x in (1..4) offset: continue %}{{ x }}{% endfor %}")
    for _ = 1, 3 do assert.equal("a034", (template:render { person = ADA, now = NOW })) end
  end)

  it("limit and offset may be nil, negative and larger than the list", function()
    gives("123|123|12||3|", "{% for i in (1..3) limit: x %}{{ i }}{% endfor %}|{% for i in (1..3) offset: x %}"
      .. "{{ i }}{% endfor %}|"
      .. "{% for i in (1..3) offset: -2, limit: 4 %}{{ i }}{% endfor %}|{% for i in (1..3) limit: -1 %}{{ i }}"
      .. "{% endfor %}|"
      .. "{% for i in (1..3) reversed limit: 9 offset: 2 %}{{ i }}{% endfor %}|{% for i in (1..3) offset: 9 %}"
      .. "{{ i }}{% endfor %}")
  end)

  it("forloop is a value, too", function()
    gives("1/2 i-(1..2) 2/2 i-(1..2) ", "{% for i in (1..2) %}{% assign f = forloop %}{{ f.index }}"
      .. "/{{ f['length'] }} {{ f.name }} {% endfor %}")
    gives("1.1 ", "{% for i in (1..1) %}{% for j in (1..1) %}{% assign f = forloop %}{{ f.index }}"
      .. ".{{ f.parentloop.index }} {% endfor %}{% endfor %}")
  end)

  it("and/or bind to the right, whichever they are", function()
    gives("no", "{% if false and true or true %}yes{% else %}no{% endif %}")
    gives("yes", "{% if true or false and false %}yes{% else %}no{% endif %}")
  end)

  it("null in the data is nil: false, and nothing in a loop", function()
    local null = require("json").null
    gives("no:", "{% if x %}yes{% else %}no{% endif %}{% for i in list %}{% if i %}yes{% else %}:{% endif %}"
      .. "{% endfor %}", { x = null, list = { null } })
  end)

  it("a mark of whitespace control at a raw's ends takes the blanks outside of it away", function()
    gives("a {{ x }} b", "a  {%- raw %} {{ x }} {% endraw -%}  b")
  end)

  it("an output ends at the first }}, and a ${ in quotes stands for itself", function()
    gives("${ }", "{{ '${' }} }")
    gives("${x}|${", "{{ '${x}' }}|{{ \"${\" }}")
    assert.equal("this quote is never closed", fault_of("{{ '}}' }}").text)
  end)

  it("a byte order mark in front is left out", function()
    gives("x", "\u{FEFF}x")
  end)
end)

describe("payloads in payloads:", function()
  local function with(texts) return { partial = partials(texts) } end

  it("render sees its arguments, vars and the person, and nothing that its caller set", function()
    gives("[1 Ada v ]", "{% assign set = 1 %}{% render 'p', a: set %}", { v = "v" },
      with { p = "[{{ a }} {{ first_name }} {{ v }} {{ set }}]" })
    gives("x", "{% render 'p' %}{{ set }}{{ plan2 }}", { plan2 = "x" }, with { p = "{% assign set = 1 %}" })
  end)

  it("an argument that is nil hides a name from outside", function()
    gives("[]", "{% render 'p', first_name: nil %}", nil, with { p = "[{{ first_name }}]" })
  end)

  it("render takes a value with `with`, and is repeated with `for`, under its own name or another", function()
    gives("(a)(x)", "{% render 'p' with a %}{% render 'q' with 'x' as y %}",
      { a = "a" }, with { p = "({{ p }})", q = "({{ y }})" })
    gives("1/2a1/22/2b", "{% render 'p' for list %}", { list = { "a", "b" } },
      with { p = "{{ forloop.index }}/{{ forloop.length }}{{ p }}{% if forloop.first %}{{ forloop.index }}"
        .. "/{{ forloop.rindex }}{% endif %}" })
    gives("[x]", "{% render 'p' for 'x' as y %}", nil, with { p = "[{{ y }}]" })
  end)

  it("include shares the names of its caller", function()
    gives("1 2 3", "{% assign a = 1 %}{% include 'p', b: 2 %}{{ c }}{{ b }}", nil, with { p = "{{ a }} {{ b }}"
      .. " {% assign c = 3 %}" })
  end)

  it("may render themselves, to the limit", function()
    gives("3210", "{% render 'p', i: 3 %}", nil, with { p = "{{ i }}{% if i > 0 %}{% assign j = i | minus: 1 %}"
      .. "{% render 'p', i: j %}{% endif %}" })
    local fault = fault_of("{% render 'p' %}", nil, with { p = "{% render 'p' %}" })
    assert.equal("limit", fault.what)
    assert.equal("payloads render each other more than 20 deep (limits.depth)", fault.text)
    assert.equal("p.txt", fault.path)
    fault = fault_of("{% include 'p' %}", nil, with { p = "{% include 'p' %}" })
    assert.equal("payloads include each other more than 20 deep (limits.depth)", fault.text)
  end)

  it("a filter that escapes already does so once, wherever an include stands", function()
    gives("a%252Bb+a%252Bb", "{% render 'p', a: 1 %} {% render 'p', b: 1 %}", nil, { kind = "form", partial = partials {
      p = "{% include 'q' %}", q = "{{ 'a+b' | url_encode | url_encode }}",
    } }) -- literal blanks are + in a form
  end)

  it("a mistake in one is told with its file and line", function()
    local fault = fault_of("a\n{% render 'p' %}", nil, with { p = "x\ny {{ 1 | divided_by: 0 }}" })
    assert.equal("p.txt:2:10", ("%s:%d:%d"):format(fault.path, fault.line, fault.column))
    fault = fault_of("a\n{% render 'p' %}", nil, with { p = "x\ny {{ 1 | divded_by: 0 }}" })
    assert.equal("p.txt:2:10", ("%s:%d:%d"):format(fault.path, fault.line, fault.column))
  end)

  it("one that is not there is a mistake with a hint", function()
    local fault = fault_of("{% render 'foter' %}", nil, with { footer = "" })
    assert.equal('there is no payload "foter" to render', fault.text)
    assert.equal("did you mean footer?", fault.hint)
    assert.equal(11, fault.column)
  end)
end)

describe("Braze's words:", function()
  it("${x} is the person's x, custom_attribute.${x} too, event_properties.${x} the event's", function()
    gives("Ada pro cart", "{{${first_name}}} {{custom_attribute.${plan}}} {{ event_properties.${name} }}")
    gives("Ada!", "{{${first_name} | default: 'there' | append: '!'}}")
    gives("Corner", "{{custom_attribute.${Favourite Shop}}}")
  end)

  it("{{ }} in a tag and ${} in a filter's argument mean the value", function()
    gives("yes", "{% if {{custom_attribute.${plan}}} == 'pro' %}yes{% endif %}")
    gives("xAda", "{% assign y = 'x' | append: {{${first_name}}} %}{{ y }}")
    gives("xAda", "{{ 'x' | append: ${first_name} }}")
  end)

  it("abort_message skips the call, drop_message drops the person, both with a reason", function()
    for text, wanted in pairs {
      ["{% abort_message('no cart') %}"] = "skip no cart", ["{% abort_message 'no cart' %}"] = "skip no cart",
      ["{% abort_message() %}"] = "skip abort_message", ["{% abort_message %}"] = "skip abort_message",
      ["a\n{% drop_message plan %}"] = "drop pro", ["{% drop_message(person.plan) %}"] = "drop pro",
    } do
      local fault = fault_of(text)
      assert.equal(wanted, fault.what .. " " .. fault.reason)
    end
  end)
end)

describe("a mistake is told with its place and what would be right:", function()
  local function told(name, text, wanted, vars)
    it(name, function() assert.equal(wanted, tostring(fault_of(text, vars))) end)
  end

  told("an unknown filter", '{\n  "name": "{{ person.first_name | upcse }}"\n}', [[
hello.txt:2:35: there is no filter "upcse"; did you mean upcase?
  2 |   "name": "{{ person.first_name | upcse }}"
    |                                   ^]])
  told("an unknown tag", "é{% esle %}", [[
hello.txt:1:5: there is no tag "esle"; did you mean else?
  1 | é{% esle %}
    |     ^]])
  told("a long line is cut, a tab is a blank", ("x"):rep(200) .. "\t{{ a b }}" .. ("y"):rep(200), ([[
hello.txt:1:207: b is not expected here
  1 | …%s {{ a b }}%s…
    |  %s^]]):format(("x"):rep(41), ("y"):rep(19), (" "):rep(47)))
  told("a line that fits is shown whole", ("x"):rep(20) .. "{{ a b }}" .. ("y"):rep(41), ([[
hello.txt:1:26: b is not expected here
  1 | %s{{ a b }}%s
    | %s^]]):format(("x"):rep(20), ("y"):rep(41), (" "):rep(25)))
  told("the caret stands under its character, behind wide ones and those without a width, too",
    "結城 e\u{301} 🛒 {{ a b }}\r\n", [[
hello.txt:1:14: b is not expected here
  1 | 結城 é 🛒 {{ a b }}
    |                ^]])
  told("what can't be printed is a ?", "\xFF\27[31m{{ 'a }}", [[
hello.txt:1:10: this quote is never closed; the text ends with another '
  1 | ??[31m{{ 'a }}
    |          ^]])
  told("in rendering, at the filter", "a\n{{ 'x' | upcase | divided_by: 0 }}", [[
hello.txt:2:19: 0 is divided by 0
  2 | {{ 'x' | upcase | divided_by: 0 }}
    |                   ^]])

  for text, wanted in pairs {
    ["{{ a"] = "1:1: this {{ is never closed; it ends with }}",
    ["{% if a"] = "1:1: this {% is never closed; it ends with %}",
    ["{{ a {{ b }}"] = "1:1: this {{ is not closed before the next one begins; }} is missing",
    ["{{ a }, {{ b }}"] = "1:1: this {{ is not closed before the next one begins; }} is missing",
    ["x {{- a', {{ b }}"] = "1:3: this {{ is not closed before the next one begins; }} is missing",
    ["{% if a } {{ b }}"] = "1:1: this {% is never closed; it ends with %}",
    ["{{ a }, }}"] = "1:6: } is not expected here; an output ends with }}, a tag with %}",
    ["{% if a == “b” %}"] = "1:12: this is a typographic quote; Liquid wants a plain one: \" or '",
    ["{{\u{A0}a }}"] = "1:3: this is another space than the plain one (U+00A0); write a plain space",
    ["{{ a\u{200B} }}"] = "1:5: an invisible character stands here (U+200B); take it away",
    ["{% if a %}{% end if %}"] = '1:14: there is no tag "end"; the if ends with endif',
    ["{% set a = 1 %}"] = '1:4: there is no tag "set"; use assign',
    ["{% first_name %}"] = '1:4: there is no tag "first_name"; a value is put out by {{ first_name }}',
    ["{{{ a }}}"] = "1:3: { is not expected here; an output begins with {{; a { before it needs a blank behind itself",
    ["{{#if a}}"] = "1:3: # is not expected here; a condition is written {% if … %}, and ends with {% endif %}",
    ["{{ a ? b : c }}"] = "1:6: ? is not expected here; use if, else and endif",
    ["{{ a or 'b' }}"] = '1:6: or is not expected here; for what is not there: | default: "…"',
    ["{{ a.get('b') }}"] =
      "1:9: ( is not expected here; nothing is called here: filters stand behind the value, as in {{ name | upcase }}",
    ["{{ a | default 'b' }}"] =
      "1:16: 'b' is not expected here; what a filter takes stands behind a colon, as in default: 1",
    ["{{ a | length }}"] = '1:8: there is no filter "length"; did you mean size?',
    ["{{ a | default: 1, 2 }}"] = "1:8: default takes at most 1 argument, not 2",
    ["{% if a %}x"] = "1:1: this if is never closed; it ends with {% endif %}",
    ["{% for a in b %}{% if c %}{% endfor %}"] =
      "1:30: endfor does not belong to the if of line 1, which is still open; it ends with endif",
    ["{% endif %}"] = "1:4: endif closes nothing: there is no open if",
    ["{% elsif a %}"] = "1:4: elsif closes nothing: there is no open if",
    ["{% %}"] = "1:1: this tag has no name",
    ["{% raw %}"] = "1:1: this raw is never closed; it ends with {% endraw %}",
    ["{% comment %}"] = "1:1: this comment is never closed; it ends with {% endcomment %}",
    ["{{ 'a }}"] = "1:4: this quote is never closed; the text ends with another '",
    ["{{ a | upcase: 1 }}"] = "1:8: upcase takes no arguments, not 1",
    ["{{ a | append }}"] = "1:8: append takes 1 argument, not 0",
    ["{{ a | truncate: 1, 2, 3 }}"] = "1:8: truncate takes 0 to 2 arguments, not 3",
    ["{{ a | default: 1, allow_flase: true }}"] =
      "1:20: default has no argument named allow_flase; did you mean allow_false?",
    ["{{ a | }}"] = "1:8: the name of a filter is expected here, not the end",
    ["{{ a.1 }}"] = "1:6: the name of a field is expected here, not 1",
    ["{{ a == 1 }}"] = "1:6: == is not expected here; a comparison stands in if or unless",
    ["{{ a + 1 }}"] = "1:6: + is not expected here; use the filter plus",
    ["{{ 9223372036854775808 }}"] = "1:4: 9223372036854775808 is more than 64 bits hold",
    ["{% if a = 1 %}{% endif %}"] = "1:9: = is not expected here; to compare is ==",
    ["{% if a && b %}{% endif %}"] = "1:9: && is not expected here; the word is and",
    ["{% if a || b %}{% endif %}"] = "1:9: || is not expected here; the word is or",
    ["{% if not a %}{% endif %}"] = "1:11: a is not expected here; use unless, or == false",
    ["{% if a contain b %}{% endif %}"] = "1:9: contain is not expected here; did you mean contains?",
    ["{% if (a or b) and c %}{% endif %}"] =
      "1:10: .. is expected here, not or; brackets make a range, (1..5): Liquid has none for conditions",
    ["{% if a | size > 1 %}{% endif %}"] =
      "1:9: | is not expected here; a condition takes no filters: assign the value first",
    ["{% if %}{% endif %}"] = "1:7: a value is expected here, not the end",
    ["{% assign a b %}"] = "1:13: = is expected here, not b",
    ["{% assign a.b = 1 %}"] = "1:12: = is expected here, not .",
    ["{% assign a = %}"] = "1:15: a value is expected here, not the end",
    ["{% for a of b %}{% endfor %}"] = "1:10: in is expected here, not of; as in for item in items",
    ["{% for a in b limt: 2 %}{% endfor %}"] = "1:15: a for has no limt; did you mean limit?",
    ["{% for a in b limit 2 %}{% endfor %}"] = "1:21: : is expected here, not 2; as in limit: 2",
    ["{% render p %}"] = "1:11: a payload's name in quotes is expected here, not p",
    ["{% render 'p' %}"] = '1:11: there is no payload "p" to render',
    ["{% if a %}{% else if b %}{% endif %}"] = "1:14: an else has no condition; did you mean elsif?",
    ["{{ \1 }}"] = "1:4: the byte 0x01 is not expected here",
    ["{{ \xFF }}"] = "1:4: the byte 0xFF is not expected here",
    ["{% render 'p' as b, c 1 %}"] =
      "1:23: : is expected here, not 1; arguments have names, as in name: person.first_name",
    ["{{ a | " .. ("x"):rep(50) .. " }}"] = '1:8: there is no filter "' .. ("x"):rep(39) .. '…"',
    ["{% liquid\n assign a = 1\n ecoh a\n%}"] = '3:2: there is no tag "ecoh"; did you mean echo?',
    ["{% liquid\n if a\n%}"] = "2:2: this if is never closed; it ends with endif",
    ["{% # a\n b %}"] = "2:2: each line of this comment begins with #",
    ["{% connected_content x %}"] =
      '1:4: there is no tag "connected_content"; rendering calls nobody: use call_api in the journey',
    ["{% break now %}"] = "1:10: now is not expected here",
    ["{% for i in (1..2) limit: 'x' %}{% endfor %}"] = "1:1: ",
    ["{% if 'a' > 1 %}{% endif %}"] = "1:1: ",
    ["{% if false %}\n{% elsif 'a' > 1 %}x{% endif %}"] = "2:1: ",
  } do
    it((text:gsub("[^ -~]", " ")), function()
      local fault = fault_of(text)
      local hint = fault.hint and "; " .. fault.hint or ""
      local said = ("%d:%d: %s%s"):format(fault.line, fault.column, fault.text, hint)
      assert.equal(wanted, said:sub(1, #wanted))
      if not wanted:find ": $" then assert.equal(#wanted, #said, said) end
    end)
  end
end)

describe("limits:", function()
  local function limited(name, wanted, text, limits, vars)
    it(name, function()
      local fault = fault_of(text, vars, { limits = limits, partial = partials { p = "" } })
      assert.equal("limit", fault.what)
      assert.equal(wanted, fault.text)
    end)
  end

  limited("a source has at most 1 MiB", "this template is longer than 1048576 bytes (limits.source)",
    (" "):rep((1 << 20) + 1))
  it("a source and what it includes, 1 MiB in all", function()
    local texts = { p1 = ("x"):rep(100) }
    for i = 2, 16 do texts["p" .. i] = ("{%% include 'p%d' %%}{%% include 'p%d' %%}"):format(i - 1, i - 1) end
    local fault = fault_of("{% include 'p16' %}", nil, { partial = partials(texts) })
    assert.equal("limit", fault.what)
    assert.equal("a template and what it renders are longer than 1048576 bytes (limits.source)", fault.text)
  end)

  limited("blocks stand at most 100 deep in each other", "this is nested more than 100 deep (limits.nesting)",
    ("{% if a %}"):rep(101) .. ("{% endif %}"):rep(101))
  limited("the result has at most 1 MiB",
    "the result is longer than 1048576 bytes (limits.output)", ("{{ a }}"):rep(1025), nil,
    { a = ("x"):rep(1024) })
  limited("the result of a loop, too, and before it is made", "the result is longer than 1048576 bytes (limits.output)",
    "{% for i in (1..90000) %}{{ a }}{{ a }}{% endfor %}", nil, { a = ("x"):rep(1024) })
  limited("a capture, too", "the result is longer than 1000 bytes (limits.output)",
    "{% capture b %}{% for i in (1..11) %}{{ a }}{% endfor %}{% endcapture %}", { output = 1000 },
      { a = ("x"):rep(100) })
  limited("loops turn at most 100,000 times in all", "loops turn more than 100000 times (limits.loops)",
    "{% for i in (1..1000) %}{% for j in (1..101) %}{% endfor %}{% endfor %}")
  limited("a range is not walked further for its size", "loops turn more than 100000 times (limits.loops)",
    "{% for i in (1..9223372036854775807) %}{% endfor %}")
  limited("rendering takes at most so long", "rendering takes longer than 0 ms (limits.time)",
    "{% for i in (1..1000) %}{% endfor %}", { time = 0 })
  limited("also where nothing is repeated",
    "rendering takes longer than 0 ms (limits.time)", ("{{ a }}"):rep(64), { time = 0 })
  limited("also where filters are many, and nothing is put out", "rendering takes longer than 0 ms (limits.time)",
    ("{% assign b = a | upcase %}"):rep(64), { time = 0 })
  limited("also before a filter works on a large array", "rendering takes longer than 0 ms (limits.time)",
    "{% assign b = (1..1001) | reverse %}", { time = 0 })
  limited("loops turn as often as is said, and not once more", "loops turn more than 300 times (limits.loops)",
    "{% for i in (1..301) %}{% endfor %}", { loops = 300 })
  limited("payloads that are rendered count as turns", "loops turn more than 5 times (limits.loops)",
    ("{% render 'p' %}"):rep(6), { loops = 5 })

  it("what is just within them is rendered", function()
    gives(("x"):rep(1 << 20), ("{{ a }}"):rep(1024), { a = ("x"):rep(1024) })
    gives("", "{% for i in (1..1000) %}{% for j in (1..99) %}{% endfor %}{% endfor %}")
    gives("", "{% for i in (1..300) %}{% endfor %}", nil, { limits = { loops = 300 } })
    gives("12345", "{% for i in (1..5) %}{{ i }}{% endfor %}", nil, { limits = { loops = 5 } })
    gives("3", "{% for i in (1..9223372036854775807) %}{% if i == 3 %}{{ i }}{% break %}{% endif %}{% endfor %}")
  end)

  it("expressions are not nested without end", function()
    assert.matches("nested more than 40 deep", fault_of("{{ a" .. ("[a"):rep(41) .. ("]"):rep(41) .. " }}").text)
    assert.matches("more than 40 keys", fault_of("{{ a" .. (".a"):rep(41) .. " }}").text)
    assert.matches("change places more than 40 times", fault_of("{% if a" .. (" and a or a"):rep(41) .. " %}"
      .. "{% endif %}").text)
    gives("", "{{ a" .. ("[a"):rep(39) .. ("]"):rep(39) .. " }}")
    gives("", "{% if a" .. (" and a"):rep(5000) .. " %}{% endif %}")
  end)
end)

describe("a template", function()
  it("renders as before after a render that failed, and after a longer one", function()
    local template = compile("{% for i in list %}{% cycle 'a', 'b' %}{{ i | divided_by: d }}{% endfor %}"
      .. "{% increment k %}")
    local function with(list, d, limits)
      return (template:render { person = ADA, vars = { list = list, d = d }, now = NOW, limits = limits })
    end
    assert.equal("a1b2a30", with({ 1, 2, 3 }, 1))
    assert.is_nil(with({ 1, 2, 3 }, 0))
    assert.equal("a10", with({ 1 }, 1))
    assert.is_nil(with({ 1, 2, 3 }, 1, { loops = 2 }))
    assert.is_nil(with({ 1, 2, 3 }, 1, { output = 6 }))
    assert.equal("a1b2a30", with({ 1, 2, 3 }, 1))
  end)

  it("raises what is no mistake of its own", function()
    local template = compile "{{ plan | upcase }}"
    local filters = require "jaunt.liquid.filters"
    local upcase = filters.upcase.run
    filters.upcase.run = function() error("a fault of ours", 0) end
    local broken = compile "{{ plan | upcase }}"
    filters.upcase.run = upcase
    assert.has_error(function() broken:render { person = ADA, now = NOW } end, "a fault of ours")
    assert.equal("PRO", (template:render { person = ADA, now = NOW }))
  end)
end)

describe("large templates:", function()
  it("2,000 outputs", function()
    gives(("Ada-pro,"):rep(1000), ("{{ first_name }}-{{ person.plan | downcase }},"):rep(1000))
  end)

  it("25,000 outputs, more than the body of a Lua loop can hold", function()
    gives(("x"):rep(25000), "{% for i in (1..1) %}" .. ("{{ a }}"):rep(25000) .. "{% endfor %}", { a = "x" })
  end)

  it("in a loop, with a break far in", function()
    local idle = "{% if b %}{% break %}{% endif %}"
    gives("xxy", "{% for i in (1..3) %}" .. idle:rep(1000) .. "x{% if i == 2 %}y{% break %}{% endif %}"
      .. idle:rep(1000) .. "{% endfor %}")
  end)

  it("100 blocks within each other", function()
    gives("x", ("{% if true %}"):rep(100) .. "x" .. ("{% endif %}"):rep(100))
    gives("x", ("{% for i in (1..1) %}"):rep(100) .. "x" .. ("{% endfor %}"):rep(100))
    gives("x", ("{% case 1 %}{% when 1 %}"):rep(100) .. "x" .. ("{% endcase %}"):rep(100))
    gives("1", ("{% for i in (1..1) %}{% if i == 1 %}"):rep(50) .. "{{ i }}{% break %}" .. ("{% endif %}"
      .. "{% endfor %}"):rep(50))
  end)

  it("100 loops, and each one's variable in the innermost", function()
    local open, inner = {}, {}
    for i = 1, 99 do open[i], inner[i] = ("{%% for v%d in (%d..%d) %%}"):format(i, i, i), ("{{ v%d }},"):format(i) end
    local wanted = {}
    for i = 1, 99 do wanted[i] = i .. "," end
    gives(table.concat(wanted), table.concat(open) .. table.concat(inner) .. ("{% endfor %}"):rep(99))
  end)

  it("breaks out of a loop through functions that Lua's limits make necessary", function()
    gives("a1b1a2done", "{% for i in (1..5) %}a{{ i }}" .. ("{% if true %}"):rep(40) .. "{% if i == 2 %}"
      .. "{% break %}{% endif %}"
      .. "{% if i == 9 %}{% continue %}{% endif %}" .. ("{% endif %}"):rep(40) .. "b{{ i }}{% endfor %}done")
    gives("a1a2a3done", "{% for i in (1..3) %}a{{ i }}" .. ("{% if true %}"):rep(40) .. "{% continue %}"
      .. ("{% endif %}"):rep(40)
      .. "b{{ i }}{% endfor %}done")
    gives("a", "a" .. ("{% if true %}"):rep(40) .. "{% break %}" .. ("{% endif %}"):rep(40) .. "b")
  end)
end)

describe("probes:", function()
  local function probes(text, vars, options)
    options = options or {}
    options.probe = true
    local result, facts = compile(text, options):render { person = ADA, vars = vars, now = NOW }
    return facts.probes, result
  end

  it("tell what was put out where, of which kind, through which filters", function()
    local list, result = probes("Hi {{ person.first_name | upcase | append: '!' }},\n{{ person.frist_name }}{{ 'x' }}")
    assert.equal("Hi ADA!,\nx", result)
    assert.same({
      { at = 4, file = "hello.txt", line = 1, path = "person.first_name", filters = { "upcase", "append" },
        first = 4, last = 7, value = "string" },
      { at = 52, file = "hello.txt", line = 2, path = "person.frist_name", filters = {},
        first = 10, last = 9, value = "nil" },
    }, list)
  end)

  it("tell where default fired, and that a text is empty", function()
    local list = probes("{{ a | default: 'x' }}{{ b | default: 'x' }}{{ c | default: 'x' }}", { a = "", b = "b" })
    assert.same({ "empty", true }, { list[1].value, list[1].defaulted })
    assert.same({ "string" }, { list[2].value, list[2].defaulted })
    assert.same({ "nil", true }, { list[3].value, list[3].defaulted })
  end)

  it("tell each turn of a loop, and of other payloads; not what is captured", function()
    local list = probes("{% for i in (1..2) %}{{ i }}{% render 'p' %}{% endfor %}{% capture x %}{{ a }}"
      .. "{% endcapture %}", nil,
      { partial = partials { p = "\n{{ plan }}" } })
    local told = {}
    for i, probe in ipairs(list) do told[i] = ("%s:%d:%s"):format(probe.file, probe.line, probe.path) end
    assert.same({ "hello.txt:1:i", "p.txt:2:plan", "hello.txt:1:i", "p.txt:2:plan" }, told)
  end)

  it("of JSON tell what was left out, and keep to the bytes of the rest", function()
    local list, result = probes('{"a": {{ x | omit_if_nil }}, "b": "{{ first_name }}"}', nil, { kind = "json" })
    assert.equal('{ "b": "Ada"}', result)
    table.sort(list, function(a, b) return a.at < b.at end)
    assert.same({ "x", true }, { list[1].path, list[1].omitted })
    assert.equal("Ada", result:sub(list[2].first, list[2].last))
  end)

  it("tell nothing of what was put out and taken back", function()
    local list, result = probes('{"a": "{{ plan }}{{ x | omit_if_nil }}", "n": [{% for i in (1..3) %}{{ i }}'
      .. "{% unless forloop.last %},{% endunless %}{% endfor %}]}", nil, { kind = "json" })
    assert.equal('{ "n": [1,2,3]}', result)
    local told = {}
    for i, probe in ipairs(list) do
      told[i] = probe.path .. ":" .. (probe.first and result:sub(probe.first, probe.last) or "omitted")
    end
    table.sort(told)
    assert.same({ "i:1", "i:2", "i:3", "x:omitted" }, told)
  end)
end)
