-- How values are printed, and shown in messages.

local json = require "json"
local kinds = require "jaunt.liquid.values.kinds"
local limits = require "jaunt.liquid.values.limits"
local own = require "jaunt.liquid.values.own"

local byte, concat, find, format, gsub, match, sub =
  string.byte, table.concat, string.find, string.format, string.gsub, string.match, string.sub
local getmetatable, math_type, tonumber, type, utf8_offset = getmetatable, math.type, tonumber, type, utf8.offset
local is_list, keys_of, kind_of, word = kinds.is_list, kinds.keys, kinds.kind, kinds.word
local check_length, fail = limits.check_length, limits.fail
local range_meta, date_meta, sentinel_meta = own.range_meta, own.date_meta, own.sentinel_meta

local texts = {}

local null, empty_array = json.null, json.empty_array
local DEPTH_MOST = limits.DEPTH_MOST

-- A float as Ruby prints it: the shortest digits that read back the same, always with a fraction; with an exponent
-- below 0.0001, and from 1.0e+15 on where the digits end before the point.
local function float_text(v)
  if v ~= v then return "NaN" end
  if v == math.huge then return "Infinity" end
  if v == -math.huge then return "-Infinity" end
  local text = format("%.15g", v)
  if tonumber(text) ~= v or (v < 1e-300 and v > -1e-300 and v ~= 0) then text = json.encode(v) end
  if v == 0 or (v > -1e15 and v < 1e15 and (v >= 1e-4 or v <= -1e-4)) then
    if find(text, ".", 1, true) then return text end
    return text .. ".0"
  end
  local sign, digits, exponent = texts.digits(text)
  if exponent < -3 or exponent > 15 and exponent >= #digits then
    local rest = sub(digits, 2)
    return format("%s%s.%se%s%02d", sign, sub(digits, 1, 1), rest == "" and "0" or rest, exponent > 0 and "+" or "-",
      exponent > 0 and exponent - 1 or 1 - exponent)
  end
  return sign .. sub(digits, 1, exponent) .. "." .. sub(digits, exponent + 1)
end

-- Takes a decimal number's text apart: its sign, its digits without zeros at either end, and the exponent with which
-- it is 0.DIGITS × 10^exponent.
function texts.digits(text)
  local sign, whole, rest = match(text, "^([+-]?)(%d*)(.*)$")
  local fraction = match(rest, "^%.(%d*)") or ""
  local exponent = #whole + (tonumber(match(rest, "[eE]([+-]?%d+)$")) or 0)
  local digits = whole .. fraction
  local zeros = #match(digits, "^0*")
  digits = gsub(sub(digits, zeros + 1), "0+$", "")
  return sign == "-" and "-" or "", digits, exponent - zeros
end

local function number_text(v)
  if math_type(v) == "integer" then return format("%d", v) end
  return float_text(v)
end

local ESCAPES = {
  ['"'] = '\\"', ["\\"] = "\\\\", ["\a"] = "\\a", ["\b"] = "\\b", ["\t"] = "\\t", ["\n"] = "\\n", ["\v"] = "\\v",
  ["\f"] = "\\f", ["\r"] = "\\r", ["\27"] = "\\e", ["\127"] = "\\x7F",
}

local function escape_control(c)
  return ESCAPES[c] or format("\\u%04X", byte(c))
end

-- A text as Ruby shows it within an array or an object.
local function quoted(text)
  text = gsub(text, '[%c"\\]', escape_control)
  return '"' .. gsub(text, "#([{$@])", "\\#%1") .. '"'
end

local SHOWN_MOST = 60 -- bytes of a text in a message

-- A value for a message: `"ada"`, 5, an array; long texts are cut.
function texts.show(v)
  local kind = type(v)
  if kind == "string" then
    return quoted(#v > SHOWN_MOST and sub(v, 1, utf8_offset(v, 0, SHOWN_MOST - 2) - 1) .. "..." or v)
  end
  if kind == "number" or kind == "boolean" then return texts.text(v) end
  return word(v)
end

-- Adds to the pieces of a text, whose bytes are counted: a short array may hold one long text many times.
local function add(out, piece)
  out.bytes = out.bytes + #piece
  check_length(out.bytes)
  out[#out + 1] = piece
end

local inspect

local function inspect_list(out, list, depth)
  add(out, "[")
  for i = 1, #list do
    if i > 1 then add(out, ", ") end
    inspect(out, list[i], depth + 1)
  end
  add(out, "]")
end

local function inspect_object(out, object, depth)
  add(out, "{")
  local keys, count = keys_of(object)
  for i = 1, count do
    if i > 1 then add(out, ", ") end
    inspect(out, keys[i], depth + 1)
    add(out, "=>")
    inspect(out, object[keys[i]], depth + 1)
  end
  add(out, "}")
end

-- Adds the value to `out` as Ruby's inspect writes it.
function inspect(out, v, depth)
  if depth > DEPTH_MOST then fail("a value is nested more than %d deep: does a table contain itself?", DEPTH_MOST) end
  local kind = kind_of(v)
  if kind == "list" then
    if v ~= empty_array then return inspect_list(out, v, depth) end
    add(out, "[]")
  elseif kind == "object" then
    inspect_object(out, v, depth)
  else
    add(out, kind == "nil" and "nil" or kind == "string" and quoted(v) or texts.string(v))
  end
end

-- The value as Ruby's inspect shows it.
function texts.inspect(v)
  local out = { bytes = 0 }
  inspect(out, v, 1)
  return concat(out)
end

local function special_text(v, meta)
  if meta == sentinel_meta then return "" end
  if meta == range_meta then return format("%d..%d", own.bounds(v)) end
  if not date_meta.print then require "jaunt.liquid.date" end
  return date_meta.print(v)
end

local function table_string(v)
  local meta = getmetatable(v)
  if meta == sentinel_meta or meta == range_meta or meta == date_meta then return special_text(v, meta) end
  return texts.inspect(v)
end

local function other_string(v)
  if v == nil or v == null then return "" end
  if v == true then return "true" end
  if v == false then return "false" end
  if v == empty_array then return "[]" end
  fail("%s can't be shown", word(v))
end

-- The value as filters take it for a text: an array as ["a", 1], an object as {"a"=>1}.
function texts.string(v)
  local kind = type(v)
  if kind == "string" then return v end
  if kind == "number" then return number_text(v) end
  if kind == "table" then return table_string(v) end
  return other_string(v)
end

local function add_items(out, list, depth)
  if depth > DEPTH_MOST then fail("an array is nested more than %d deep: does it contain itself?", DEPTH_MOST) end
  for i = 1, #list do
    local item = list[i]
    if type(item) == "table" and is_list(item) then
      add_items(out, item, depth + 1)
    elseif item ~= empty_array then
      add(out, texts.string(item))
    end
  end
end

-- The value as Liquid prints it: nil is nothing, an array its items one after the other, an object {"a"=>1}.
function texts.text(v)
  local kind = type(v)
  if kind == "string" then return v end
  if kind == "number" then return number_text(v) end
  if kind == "table" then
    if not is_list(v) then return table_string(v) end
    local out = { bytes = 0 }
    add_items(out, v, 1)
    return concat(out)
  end
  if v == empty_array then return "" end
  return other_string(v)
end

return texts
