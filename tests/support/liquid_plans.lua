-- Random JSON templates, each with what it has to give: for the property tests of payloads.
--
--   plans.people(draw)        a hostile person's values: { a =, b =, … (any), l =, m = (lists or nil), c =, d =
--   (conditions) }
--   plans.template(draw)      { text =, value = function(person) -> what it decodes to; raises where it must fail }
--   plans.soup(draw)          a text of fragments that may or may not be a template
--   plans.spoiled(draw, text) the text with one slip of the finger
--   plans.same(a, b)          whether two decoded values are the same

local json = require "json"
local native = require "jaunt.native.text"
local values = require "jaunt.liquid.values"

local plans = {}

---------------------------------------------------------------------------------------------- people

local TEXTS = {
  "", " ", "Ada", "\0", "\0\1\2\31\127", '"', "\\", '\\"', "\\u0041", "</script>", "\u{2028}\u{2029}", "\u{FEFF}",
  "\u{FFFF}", "\u{10FFFF}",
  "é", "日本語", "👩‍👩‍👧", "a\r\n\tb\b\f", "{}", "[]", "null", "1.0", ("x"):rep(3000), ("\\"):rep(99), '1234567"',
  '12345678"',
  "{{ a }}", "}}", "{%", "%}", "{% endif %}", '", "b": "', '"}', "],", ":", ",", "//", "'", "<", "&amp;", "\xff",
  "\xC3", "a\xE2\x80", "\xED\xA0\x80",
  "%s%n", "__proto__", "size", "‮test", "true", "-0",
}

local data = os.getenv "JAUNT_DATA"
local file = data and io.open(data .. "/people/blns.json")
if file then
  for _, text in ipairs(json.decode(file:read "a")) do TEXTS[#TEXTS + 1] = text end
  file:close()
end

local NUMBERS = {
  0, 1, -1, 9007199254740993, math.maxinteger, math.mininteger, 0.1, 2.0, -0.0, 1e300, 5e-324, 0 / 0, 1 / 0, -1 / 0,
}

local any

local function list(draw, depth)
  local made = json.array()
  for i = 1, draw(4) - 1 do
    local item = any(draw, depth - 1)
    made[i] = item == nil and json.null or item
  end
  return made
end

function any(draw, depth)
  local kind = draw(depth > 0 and 12 or 9)
  if kind <= 4 then return TEXTS[draw(#TEXTS)] end
  if kind <= 6 then return NUMBERS[draw(draw(3) == 1 and #NUMBERS or 11)] end
  if kind == 7 then return draw(2) == 1 end
  if kind <= 9 then return nil end
  if kind == 10 then return list(draw, depth) end
  local made = {}
  for _ = 1, draw(4) - 1 do
    local key = TEXTS[draw(#TEXTS)]
    if utf8.len(key) then made[key] = any(draw, depth - 1) end -- others might become the same key
  end
  return made
end

function plans.people(draw)
  local person = {}
  for _, name in ipairs { "a", "b", "e", "f", "g", "h" } do person[name] = any(draw, 2) end
  for _, name in ipairs { "l", "m" } do person[name] = draw(4) > 1 and list(draw, 1) or nil end
  for _, name in ipairs { "c", "d" } do person[name] = draw(2) == 1 or nil end
  person.key = TEXTS[draw(#TEXTS)]
  return person
end

---------------------------------------------------------------------------------------------- what values become

local function mended(text) return (native.mend(text)) end

local function is_table(v) return type(v) == "table" end

-- A value as JSON gives it back.
local function as_json(v)
  if type(v) == "string" then return mended(v) end
  if v == nil then return json.null end
  if v ~= v or v == 1 / 0 or v == -1 / 0 then error "JSON has no such number" end
  if not is_table(v) then return v end
  local made = values.is_list(v) and json.array() or {}
  for key, part in pairs(v) do made[type(key) == "string" and mended(key) or key] = as_json(part) end
  return made
end

local function as_text(v)
  if is_table(v) then error "a table within quotes" end
  return mended(values.text(v))
end

function plans.same(a, b)
  if math.type(a) ~= math.type(b) or type(a) ~= type(b) then return false end
  if type(a) ~= "table" then return a == b and (a ~= 0 or math.type(a) ~= "float" or 1 / a == 1 / b) end
  if next(a) == nil and next(b) == nil then return json.is_array(a) == json.is_array(b) end
  for key, value in pairs(a) do
    if not plans.same(value, b[key]) then return false end
  end
  for key in pairs(b) do
    if a[key] == nil then return false end
  end
  return true
end

---------------------------------------------------------------------------------------------- templates
-- Each of these returns a piece of template, and what it gives for a person. OMIT is a member or item that is left out.

local OMIT = {}

local function pick(draw, choices) return choices[draw(#choices)] end

local function blank(draw) return pick(draw, { "", "", " ", "\n  " }) end

local function name_of(draw, scope) return scope.item and draw(3) > 1 and "x" or pick(draw, { "a", "b", "e", "f", "g",
  "h" }) end

local function literal_text(draw)
  local text = pick(draw, { "", "Hi ", "é", "\\n", '\\"', "\\u00e9", "\\ud83d\\ude00", "{x", "}", ",", ":", "[" })
  return text, json.decode('"' .. text .. '"')
end

-- What may stand within quotes: its text, and a function that gives it.
local function text_part(draw, scope)
  local kind, name = draw(8), name_of(draw, scope)
  if kind <= 2 then
    local text, given = literal_text(draw)
    return text, function() return given end
  elseif kind == 3 then
    return "{{ " .. name .. " | json_escape }}", function(p) return as_text(p[name]) end
  elseif kind == 4 then
    return "{{ " .. name .. " | json }}", function(p)
      if is_table(p[name]) then return json.encode(as_json(p[name])) end
      return as_text(p[name])
    end
  elseif kind == 5 then
    local condition = pick(draw, { "c", "d" })
    local first, first_given = literal_text(draw)
    return "{% if " .. condition .. " %}" .. first .. "{% else %}{{ " .. name .. " }}{% endif %}", function(p)
      return p[condition] and first_given or as_text(p[name])
    end
  elseif kind == 6 then
    return "{% capture t %}<{{ " .. name .. " }}>{% endcapture %}{{ t }}", function(p) return mended("<"
      .. values.text(p[name]) .. ">") end
  end
  return "{{ " .. name .. " }}", function(p) return as_text(p[name]) end
end

local function quoted(draw, scope, omits)
  local texts, parts = {}, {}
  for i = 1, draw(4) - 1 do texts[i], parts[i] = text_part(draw, scope) end
  local name = omits and name_of(draw, scope)
  if name then texts[#texts + 1] = "{{ " .. name .. " | omit_if_nil }}" end
  return '"' .. table.concat(texts) .. '"', function(p)
    local given = {}
    for i, part in ipairs(parts) do given[i] = part(p) end
    if name and p[name] == nil then return OMIT end
    if name then given[#given + 1] = as_text(p[name]) end
    return table.concat(given)
  end
end

local value

local function either(draw, scope, depth)
  local condition = pick(draw, { "c", "d" })
  local first, first_value = value(draw, scope, depth)
  local second, second_value = value(draw, scope, depth)
  local text = pick(draw, {
    "{% if " .. condition .. " %}" .. first .. "{% else %}" .. second .. "{% endif %}",
    "{% unless " .. condition .. " %}" .. second .. "{% else %}" .. first .. "{% endunless %}",
    "{% case " .. condition .. " %}{% when true %}" .. first .. "{% else %}" .. second .. "{% endcase %}",
  })
  return text, function(p)
    if p[condition] then return first_value(p) end
    return second_value(p)
  end
end

local function with_item(person, item)
  local copy = {}
  for name, v in pairs(person) do copy[name] = v end
  copy.x = item ~= json.null and item or nil
  if item == false then copy.x = false end
  return copy
end

-- Items of an array or object: `one(scope)` gives one's text and a function(person, add, turn), where `turn` is a key
-- of the loop's turn.
local function several(draw, scope, one)
  local texts, parts = {}, {}
  local function item()
    local text, part = one(scope)
    return text .. blank(draw) .. ",", part
  end
  for i = 1, draw(4) - 1 do
    local kind = draw(6)
    local text, part
    if kind <= 3 then
      text, part = item()
    elseif kind == 4 then
      local condition = pick(draw, { "c", "d" })
      local inner, inner_part = item()
      text = "{% if " .. condition .. " %}" .. inner .. "{% endif %}"
      part = function(p, add, turn_key) if p[condition] then inner_part(p, add, turn_key) end end
    else
      local over, inner_scope = pick(draw, { "l", "m" }), { item = true, loops = (scope.loops or 0) + 1 }
      local inner, inner_part = one(inner_scope)
      local way = draw(7)
      local continues, breaks = way == 1, way == 2
      local turn = ({
        "{% if x == 1 %}{% continue %}{% endif %}" .. inner .. ",", inner .. ",{% if x == 1 %}{% break %}{% endif %}",
        inner .. ",", inner .. "{% unless forloop.last %},{% endunless %}", "{% if forloop.index > 1 %},{% endif %}"
          .. inner,
        "{% if forloop.first == false %}" .. blank(draw) .. ",{% endif %}" .. inner, "," .. inner,
      })[way]
      text = "{% for x in " .. over .. " %}" .. turn .. "{% endfor %}" .. ","
      part = function(p, add)
        for index, each in ipairs(p[over] or {}) do
          if not (continues and each == 1) then inner_part(with_item(p, each), add, "n" .. index) end
          if breaks and each == 1 then break end
        end
      end
    end
    texts[i], parts[i] = text .. (draw(5) == 1 and "," or ""), part
  end
  if #texts > 0 and draw(2) == 1 then texts[#texts] = texts[#texts]:gsub(",+$", "") end
  return table.concat(texts, blank(draw)), function(p, add)
    for _, part in ipairs(parts) do part(p, add) end
  end
end

local function omitted(draw, scope)
  local name = name_of(draw, scope)
  return "{{ " .. name .. " | omit_if_nil }}", function(p)
    if p[name] == nil then return OMIT end
    return as_json(p[name])
  end
end

local function may_be_omitted(draw, scope, depth)
  local kind = draw(6)
  if kind == 1 then return omitted(draw, scope) end
  if kind == 2 then return quoted(draw, scope, true) end
  return value(draw, scope, depth)
end

local function array(draw, scope, depth)
  local text, fill = several(draw, scope, function(inner)
    local one, given = may_be_omitted(draw, inner, depth - 1)
    return one, function(p, add) add(given(p)) end
  end)
  return "[" .. blank(draw) .. text .. blank(draw) .. "]", function(p)
    local made = json.array()
    fill(p, function(item) if item ~= OMIT then made[#made + 1] = item end end)
    return made
  end
end

local function key(draw, scope, number)
  local name, kind = pick(draw, { "key", name_of(draw, scope) }), draw(8)
  local function given(p)
    if values.text(p[name]) == "" or is_table(p[name]) then error "no key" end
    return as_text(p[name])
  end
  if kind == 1 then return "{{ " .. name .. " }}", given end
  if kind == 2 then return '"p{{ ' .. name .. ' }}"', function(p) return "p" .. given(p) end end
  return '"k' .. number .. '"', function() return "k" .. number end
end

local function object(draw, scope, depth)
  local number = 0
  local text, fill = several(draw, scope, function(inner)
    number = number + 1
    local name, name_given = key(draw, inner, number)
    if inner.loops and inner.loops > (scope.loops or 0) and name:find "^\"k" then -- once in each turn
      name, name_given = '"n{{ forloop.index }}"', nil
    end
    local one, given = may_be_omitted(draw, inner, depth - 1)
    return name .. blank(draw) .. ":" .. blank(draw) .. one, function(p, add, turn_key)
      local called = name_given and name_given(p) or turn_key
      local v = given(p)
      if v ~= OMIT then add(v, called) end
    end
  end)
  return "{ " .. text .. blank(draw) .. "}", function(p)
    local made = {}
    fill(p, function(v, called)
      if made[called] ~= nil then error "a key twice" end
      made[called] = v
    end)
    return made
  end
end

function value(draw, scope, depth)
  local kind, name = draw(depth > 0 and 14 or 8), name_of(draw, scope)
  if kind == 1 then
    local text = pick(draw, { "0", "-1.5e3", "true", "false", "null", "{}", "[]", "9007199254740993" })
    return text, function() return json.decode(text) end
  elseif kind <= 4 then
    return "{{ " .. name .. " }}", function(p) return as_json(p[name]) end
  elseif kind == 5 then
    return "{{ " .. name .. pick(draw, { " | json", " | to_json", " | json_escape" }) .. " }}",
      function(p) return as_json(p[name]) end
  elseif kind <= 8 then
    return quoted(draw, scope)
  elseif kind <= 10 then
    return either(draw, scope, depth - 1)
  elseif kind <= 12 then
    return array(draw, scope, depth)
  end
  return object(draw, scope, depth)
end

function plans.template(draw)
  local text, given = value(draw, {}, 3)
  return { text = text, value = given }
end

---------------------------------------------------------------------------------------------- perhaps templates

local PIECES = {
  "{", "}", "[", "]", ",", ":", '"', '"a"', '"b"', '"a":', '"b": ', "1", "-2.5", "true", "null", " ", "\n", "x", "\\",
    "\\n",
  "{{ a }}", "{{ b }}", "{{ l }}", "{{ a | json }}", "{{ a | omit_if_nil }}", "{{ key }}", "{{ nothing }}",
    '"{{ a }}"', '"{{ key }}": ',
  "{% if c %}", "{% else %}", "{% elsif d %}", "{% endif %}", "{% unless d %}", "{% endunless %}", "{% for x in l %}",
    "{% for x in m %}", "{% endfor %}",
  "{% if forloop.first %}", "{% unless forloop.last %}", "{% if forloop.index < 2 %}", "{{ x }}", "{% break %}",
    "{% continue %}", "{% cycle 1, 'b' %}",
  "{% increment i %}", "{% case a %}{% when 1 %}", "{% when 'Ada' %}", "{% endcase %}", "{% capture t %}",
    "{% endcapture %}", "{% abort_message 'no' %}",
  "{% assign a = l | json %}", "{% render 'part' %}", "{%- if c -%}", "{{- a -}}",
}

local OPENED = { ["if"] = "endif", unless = "endunless", ["for"] = "endfor", case = "endcase", capture = "endcapture" }

-- Fragments in any order; blocks are closed, so that most of it is Liquid.
function plans.soup(draw)
  local texts, open = {}, {}
  for i = 1, draw(24) do
    local piece = pick(draw, PIECES)
    local word = piece:match "{%%%-? (%l+)"
    if word and word:find "^end" then
      piece = #open > 0 and "{% " .. table.remove(open) .. " %}" or ""
    elseif word and OPENED[word] then
      open[#open + 1] = OPENED[word]
    end
    texts[i] = piece
  end
  while #open > 0 do texts[#texts + 1] = "{% " .. table.remove(open) .. " %}" end
  local text = table.concat(texts)
  return pick(draw, { text, "[" .. text .. "]", "{ " .. text .. "}", '["' .. text .. '"]', '{"k": ' .. text .. "}" })
end

function plans.spoiled(draw, text)
  if text == "" then return pick(draw, PIECES) end
  local from = draw(#text)
  local to = math.min(#text, from + draw(6) - 1)
  local kind = draw(5)
  if kind == 1 then return text:sub(1, from - 1) .. text:sub(to + 1) end
  if kind == 2 then return text:sub(1, to) .. text:sub(from) end
  if kind == 3 then return text:sub(1, from - 1) .. pick(draw, PIECES) .. text:sub(from) end
  if kind == 4 then return text:sub(1, from) end
  return text:sub(1, from - 1) .. pick(draw, { ",", '"', "{", "}", "[", "]", ":", "\\", " ", "1" })
    .. text:sub(from + 1)
end

return plans
