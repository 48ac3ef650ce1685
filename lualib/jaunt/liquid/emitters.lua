-- The emitters: what a value is put out as, where it stands in a payload. Each is a function(value) that gives a text.
--
-- Called by the code that jaunt.liquid.compiler makes; which emitter stands where, jaunt.liquid.escapes says. The work
-- on bytes is jaunt.native.text's; what is seldom met is done here.

local json = require "json"
local native = require "jaunt.native.text"
local values = require "jaunt.liquid.values"

local byte, find, format, gsub, lower, match =
  string.byte, string.find, string.format, string.gsub, string.lower, string.match
local next, pcall, type = next, pcall, type

local emitters = {}

---------------------------------------------------------------------------------------------- values as JSON

-- What json.encode can hold: texts made UTF-8, dates and ranges as their text, other things of the engine's own as
-- nothing.
local function encodable(value, depth)
  if type(value) == "string" then return (native.mend(value)) end
  if type(value) ~= "table" then return value end
  if depth > 200 then values.fail("a value is nested more than 200 deep: does a table contain itself?") end
  if not values.is_list(value) and not values.is_object(value) then return (native.mend(values.text(value))) end
  local made = values.is_list(value) and json.array() or {}
  for key, part in next, value do
    made[type(key) == "string" and native.mend(key) or key] = encodable(part, depth + 1)
  end
  return made
end

-- A value as JSON text; what is not UTF-8 in it is made safe, and counted. What JSON can't hold is a render's mistake.
local function json_text(value)
  local ok, text = pcall(json.encode, value)
  if ok then return text end
  ok, text = pcall(json.encode, encodable(value, 1))
  if ok then return text end
  text = gsub(gsub(text, "^.-json%.encode: ", ""), "; json%.null .*$", "")
  values.fail("%s", (gsub(text, "^value ", "the value ")))
end

local function json_of_other(value)
  if type(value) == "number" then
    values.fail("this number is %s, which JSON cannot hold", value ~= value and "NaN" or "infinite")
  end
  return json_text(value)
end

---------------------------------------------------------------------------------------------- emitters
-- The second arguments are asked for what is not a text, an integer, a boolean or nil.

local function is_table(value)
  local kind = values.kind(value)
  return kind == "list" or kind == "object"
end

local function text_in_quotes(value)
  if not is_table(value) then return values.text(value) end
  values.fail("%s stands within quotes; take the quotes away, or use | join: \", \" or | json", values.word(value))
end

local function text_or_json(value)
  return is_table(value) and json_text(value) or values.text(value)
end

local function key_text(value)
  if is_table(value) then values.fail("%s can't be a key", values.word(value)) end
  local text = values.text(value)
  if text == "" then
    local what = value == "" and "empty" or values.word(value)
    values.fail("a key is %s here; use | default: \"…\", or | omit_if_nil", what)
  end
  return text
end

local function path_text(value)
  local text = values.text(value)
  if text == "" or text == "." or text == ".." then
    values.fail("%s can't be a part of a URL's path: it would be another path", values.show(value))
  end
  return text
end

local known = {
  text = values.text,
  txt = native.emitter("text", values.text),
  json_string = native.emitter("json_string", text_in_quotes),
  json_string_any = native.emitter("json_string", text_or_json),
  json_value = native.emitter("json_value", json_of_other),
  json_key = native.emitter("json_key", key_text),
  json_key_part = native.emitter("json_key_part", key_text),
  markup = native.emitter("markup", values.text),
  form = native.emitter("form", values.text),
  url_path = native.emitter("url_path", path_text),
  url_query = native.emitter("url_query", values.text),
  header = native.emitter("header", values.text),
}

function known.markup_once(value)
  return (gsub(known.markup(value), "&amp;(#?%w+;)", "&%1"))
end

function known.markup_br(value)
  return (gsub(known.markup(value), "\r?\n", "<br />\n"))
end

---------------------------------------------------------------------------------------------- within HTML

-- What a value may begin a URL with: what else there is runs a script (javascript:), or is for programs to decide.
local SCHEMES = { http = true, https = true, mailto = true, tel = true, sms = true }

-- A URL whose scheme a value may say; of another scheme it is nothing, and counted. Browsers pass over blanks and
-- controls there (WHATWG URL, 4.4).
local function harmless_url(value)
  local text = values.text(value)
  local scheme = match(text, "^([^/?#:]*):")
  if not scheme or SCHEMES[lower(gsub(scheme, "[%c ]", ""))] then return text end
  native.made_safe()
  return ""
end

function known.markup_url(value) return known.markup(harmless_url(value)) end

-- What follows another value in a URL whose scheme is not certain yet: no colon of it ends one.
function known.markup_url_rest(value)
  return known.markup((gsub(values.text(value), ":", "%%3A")))
end

-- CSS Syntax, 4.3.7: a value is part of a word, a number or a text, whatever it holds; of functions it may be a
-- colour.
function known.css(value)
  local text = native.mend(values.text(value))
  if find(text, "^[rRhH][gGsS][bBlL][aA]?%([%d%s.,%%]*%)$") then return text end
  return (gsub(text, "[^%w\128-\255 #.,%%+_-]", function(c) return format("\\%x ", byte(c)) end))
end

-- In CSS's url(…), which ends with a bracket, a quote or a blank; css_path behind its scheme.
function known.css_path(value)
  local text = native.mend(values.text(value))
  return (gsub(text, "[%c \"'()<>\\;{}]", function(c) return format("%%%02X", byte(c)) end))
end

function known.css_url(value) return known.css_path(harmless_url(value)) end

function known.markup_css_path(value) return known.markup(known.css_path(value)) end

function known.markup_css_url(value) return known.markup(known.css_url(value)) end

-- In a text of JavaScript or JSON within <script>: nothing of it ends the text, or the element.
function known.script_text(value)
  local text = native.mend(text_in_quotes(value))
  text = gsub(text, "[%c\"'\\<>&`$]", function(c) return format("\\u%04x", byte(c)) end)
  return (gsub(text, "\u{2028}", "\\u2028"):gsub("\u{2029}", "\\u2029"))
end

-- As a value of JavaScript or JSON there.
function known.script_json(value)
  return (gsub(known.json_value(value), "[<>&]", function(c) return format("\\u%04x", byte(c)) end))
end

---------------------------------------------------------------------------------------------- the whole

-- A value as JSON text, as json_value puts it out where it is a table.
emitters.json = json_text

-- All by name; in_json_NAME is NAME's text within a JSON string.
emitters.by_name = setmetatable(known, {
  __index = function(_, name)
    local inner = known[match(name, "^in_json_(.+)$") or error("there is no emitter " .. name)]
    local function emit(value) return known.json_string(inner(value)) end
    known[name] = emit
    return emit
  end,
})

-- How many parts of values were made safe since it was last called, by all emitters of this Lua state.
emitters.repaired = native.repaired

return emitters
