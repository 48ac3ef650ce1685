-- What values are to a payload template: how they are printed, what is true, equal and less, what lies inside them.
--
-- The rules are those of Shopify's Liquid in its strict mode (lib/liquid/utils.rb, condition.rb, variable_lookup.rb),
-- where Ruby's own show through: an integer is not its digits' text, 1 equals 1.0, text and numbers have no order.
-- Values are nil (json.null counts as nil wherever it is met), booleans, integers of 64 bits, floats, texts, tables
-- as JSON is decoded to, and four of this module's own: `blank`, `empty`, ranges and dates. Which table is an array
-- is json.encode's rule: one with something at [1], or one that is marked. Objects are walked in the order of their
-- keys.
--
-- Compiled templates and filters call this for every person. Nothing here is kept between two renders.

local json = require "json"

local concat, sort = table.concat, table.sort
local byte, find, format = string.byte, string.find, string.format
local gsub, match, sub = string.gsub, string.match, string.sub
local getmetatable, rawget, setmetatable, tonumber, type = getmetatable, rawget, setmetatable, tonumber, type
local math_type = math.type
local utf8_len, utf8_offset = utf8.len, utf8.offset

local values = {}

local null = json.null
local empty_array = json.empty_array
local ARRAY_MARK = getmetatable(json.array()) -- what the metatable of a marked array shows
local DEPTH_MOST = 100

values.null = null

-- Marks a table as an array, so that it is one when it is empty, too; returns it.
values.array = json.array

-- The longest text that a filter may make, in bytes: as much as a whole render's result may have.
values.TEXT_MOST = 1 << 20

-- The longest array that a filter may make or go through: as many items as all loops of a render may have turns.
values.LIST_MOST = 100000

---------------------------------------------------------------------------------------------- errors

-- Raises a mistake that rendering met; the renderer adds the place.
function values.fail(text, ...)
  error({ liquid_text = select("#", ...) > 0 and format(text, ...) or text }, 0)
end

local fail = values.fail

-- Ends the render for a reason that is the template's wish: what = "skip", "drop" or "hold".
function values.stop(what, reason)
  error({ liquid_text = reason, what = what, reason = reason }, 0)
end

function values.too_long()
  fail("the text grows past %d bytes, which is the most that a payload may have", values.TEXT_MOST)
end

-- Raises when a text of that many bytes is longer than a filter may make it.
function values.check_length(bytes)
  if bytes > values.TEXT_MOST then values.too_long() end
end

local WORK_LARGE = 1000 -- items of an array that takes a filter some time

-- Called before a filter works on a large array; jaunt.liquid.runtime raises here where the render has taken too long.
function values.look_at_time() end

-- The same for an array of so many items.
function values.check_count(items)
  if items > WORK_LARGE then values.look_at_time() end
  if items > values.LIST_MOST then
    fail("the array grows past %d items, which is the most that filters work on", values.LIST_MOST)
  end
end

---------------------------------------------------------------------------------------------- values of our own

local range_meta, date_meta, sentinel_meta = { name = "range" }, { name = "date" }, { name = "sentinel" }
local FROM, TO, MS, ZONE, NAME = {}, {}, {}, {}, {} -- keys that no template can name

values.blank = setmetatable({ [NAME] = "blank" }, sentinel_meta)
values.empty = setmetatable({ [NAME] = "empty" }, sentinel_meta)
-- What `| omit_if_nil` gives for nil: JSON's compiled code takes the member out that holds it.
values.omit = setmetatable({ [NAME] = "omit" }, sentinel_meta)

-- The length and the items of a range are worked out, not stored.
function range_meta.__len(range)
  local from, to = range[FROM], range[TO]
  if to < from then return 0 end
  local count = to - from + 1
  return count > 0 and count or math.maxinteger
end

function range_meta.__index(range, key)
  local from = rawget(range, FROM)
  if math_type(key) ~= "integer" or key < 1 or key - 1 > rawget(range, TO) - from then return nil end
  return from + key - 1
end

-- A point in time, milliseconds since 1970, as the clocks of a zone show it (its name; nil is UTC).
function values.date(ms, zone)
  return setmetatable({ [MS] = ms, [ZONE] = zone }, date_meta)
end

function values.is_date(v)
  return getmetatable(v) == date_meta
end

-- Milliseconds and zone of a date.
function values.moment(date)
  return date[MS], date[ZONE]
end

-- How dates are printed; jaunt.liquid.date says it.
function values.print_dates_by(print_date)
  date_meta.print = print_date
end

function values.is_range(v)
  return getmetatable(v) == range_meta
end

---------------------------------------------------------------------------------------------- kinds

-- True for an array; also for json.empty_array, which is one.
local function is_list(v)
  if type(v) ~= "table" then return v == empty_array end
  local meta = getmetatable(v)
  if meta == nil then return rawget(v, 1) ~= nil end
  if meta == ARRAY_MARK then return true end
  if meta == range_meta or meta == date_meta or meta == sentinel_meta then return false end
  return v[1] ~= nil
end
values.is_list = is_list

local function is_object(v)
  if type(v) ~= "table" then return false end
  local meta = getmetatable(v)
  if meta == nil then return rawget(v, 1) == nil end
  return meta ~= ARRAY_MARK and meta ~= range_meta and meta ~= date_meta and meta ~= sentinel_meta and v[1] == nil
end
values.is_object = is_object

-- "nil", "boolean", "number", "string", "list", "object", "range", "date", "blank", "empty" or "omit"; Lua's word for
-- what is none of these.
function values.kind(v)
  local kind = type(v)
  if kind == "userdata" then return v == null and "nil" or v == empty_array and "list" or kind end
  if kind ~= "table" then return kind end
  local meta = getmetatable(v)
  if meta == range_meta or meta == date_meta then return meta.name end
  if meta == sentinel_meta then return v[NAME] end
  return is_list(v) and "list" or "object"
end

-- The value's kind in words, for messages: "an array".
local WORDS = {
  ["nil"] = "nil", boolean = "a boolean", number = "a number", string = "a text", list = "an array",
  object = "an object", range = "a range", date = "a date", blank = "blank", empty = "empty", omit = "nil",
  userdata = "a secret", ["function"] = "a function", thread = "a coroutine",
}

function values.word(v)
  return WORDS[values.kind(v)]
end

---------------------------------------------------------------------------------------------- keys of objects

local RANKS = { number = 1, string = 2, boolean = 3 }

local function in_order(a, b)
  local x, y = RANKS[type(a)], RANKS[type(b)]
  if x ~= y then return x < y end
  if x == 3 then return not a and b end
  return a < b
end

-- The keys of an object in their order: numbers, texts by their bytes, false and true.
local function keys_of(object)
  local keys, count, plain = {}, 0, true
  for key in next, object do
    count = count + 1
    keys[count] = key
    local kind = type(key)
    if kind ~= "string" then
      if not RANKS[kind] then fail("an object has a key that is a %s: keys are texts", kind) end
      plain = false
    end
  end
  if count > 1 then
    if plain then sort(keys) else sort(keys, in_order) end
  end
  return keys, count
end
values.keys = keys_of

---------------------------------------------------------------------------------------------- numbers as text

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
  local sign, digits, exponent = values.digits(text)
  if exponent < -3 or exponent > 15 and exponent >= #digits then
    local rest = sub(digits, 2)
    return format("%s%s.%se%s%02d", sign, sub(digits, 1, 1), rest == "" and "0" or rest, exponent > 0 and "+" or "-",
      exponent > 0 and exponent - 1 or 1 - exponent)
  end
  return sign .. sub(digits, 1, exponent) .. "." .. sub(digits, exponent + 1)
end

-- Takes a decimal number's text apart: its sign, its digits without zeros at either end, and the exponent with which
-- it is 0.DIGITS × 10^exponent.
function values.digits(text)
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

---------------------------------------------------------------------------------------------- text

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
function values.show(v)
  local kind = type(v)
  if kind == "string" then
    return quoted(#v > SHOWN_MOST and sub(v, 1, utf8_offset(v, 0, SHOWN_MOST - 2) - 1) .. "..." or v)
  end
  if kind == "number" or kind == "boolean" then return values.text(v) end
  return values.word(v)
end

-- Adds to the pieces of a text, whose bytes are counted: a short array may hold one long text many times.
local function add(out, piece)
  out.bytes = out.bytes + #piece
  values.check_length(out.bytes)
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
  local kind = values.kind(v)
  if kind == "list" then
    if v ~= empty_array then return inspect_list(out, v, depth) end
    add(out, "[]")
  elseif kind == "object" then
    inspect_object(out, v, depth)
  else
    add(out, kind == "nil" and "nil" or kind == "string" and quoted(v) or values.string(v))
  end
end

-- The value as Ruby's inspect shows it.
function values.inspect(v)
  local out = { bytes = 0 }
  inspect(out, v, 1)
  return concat(out)
end

local function special_text(v, meta)
  if meta == sentinel_meta then return "" end
  if meta == range_meta then return format("%d..%d", v[FROM], v[TO]) end
  if not date_meta.print then require "jaunt.liquid.date" end
  return date_meta.print(v)
end

local function table_string(v)
  local meta = getmetatable(v)
  if meta == sentinel_meta or meta == range_meta or meta == date_meta then return special_text(v, meta) end
  return values.inspect(v)
end

local function other_string(v)
  if v == nil or v == null then return "" end
  if v == true then return "true" end
  if v == false then return "false" end
  if v == empty_array then return "[]" end
  fail("%s can't be shown", values.word(v))
end

-- The value as filters take it for a text: an array as ["a", 1], an object as {"a"=>1}.
function values.string(v)
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
      add(out, values.string(item))
    end
  end
end

-- The value as Liquid prints it: nil is nothing, an array its items one after the other, an object {"a"=>1}.
function values.text(v)
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

---------------------------------------------------------------------------------------------- truth, equality, order

-- All but nil and false are true.
function values.truthy(v)
  return v ~= nil and v ~= false and v ~= null
end

local function is_nothing(v)
  return v == nil or v == null or v == false
end

-- Whether the value is `empty`: a text, an array or an object with nothing in it.
local function is_empty(v)
  if type(v) == "string" then return v == "" end
  if type(v) ~= "table" then return v == empty_array end
  local meta = getmetatable(v)
  if meta == sentinel_meta or meta == date_meta or meta == range_meta then return false end
  return next(v) == nil
end
values.is_empty = is_empty

-- Whether it is `blank`: nothing, false, `empty`, or a text of white space.
local function is_blank(v)
  return is_nothing(v) or is_empty(v) or (type(v) == "string" and not find(v, "%S"))
end
values.is_blank = is_blank

local equal

local function equal_lists(a, b, depth)
  if #a ~= #b then return false end
  for i = 1, #a do
    if not equal(a[i], b[i], depth) then return false end
  end
  return true
end

local function equal_objects(a, b, depth)
  local left = 0
  for key, value in next, a do
    local other = b[key]
    if other == nil or not equal(value, other, depth) then return false end
    left = left + 1
  end
  for _ in next, b do left = left - 1 end
  return left == 0
end

local function equal_tables(a, b, depth)
  local x, y = getmetatable(a), getmetatable(b)
  if x == sentinel_meta or y == sentinel_meta then
    if x == y then return false end
    local sentinel, other = a, b
    if y == sentinel_meta then sentinel, other = b, a end
    return sentinel == values.blank and is_blank(other) or sentinel == values.empty and is_empty(other)
  end
  if x == range_meta or y == range_meta then return x == y and a[FROM] == b[FROM] and a[TO] == b[TO] end
  if x == date_meta or y == date_meta then return x == y and a[MS] == b[MS] end
  if depth > DEPTH_MOST then fail("a value is nested more than %d deep: does a table contain itself?", DEPTH_MOST) end
  local lists = is_list(a)
  if lists ~= is_list(b) then return false end
  return (lists and equal_lists or equal_objects)(a, b, depth + 1)
end

-- `==` of templates. Nothing is converted; arrays and objects are equal when all in them is.
function equal(a, b, depth)
  if a == b then return getmetatable(a) ~= sentinel_meta end
  if type(a) == "table" then
    if type(b) == "table" then return equal_tables(a, b, depth or 1) end
    if getmetatable(a) == sentinel_meta then
      return a == values.blank and is_blank(b) or a == values.empty and is_empty(b)
    end
    return b == empty_array and is_list(a) and #a == 0
  end
  if type(b) == "table" then return equal(b, a, depth) end
  return (a == nil or a == null) and (b == nil or b == null)
end

function values.equal(a, b)
  return equal(a, b, 1)
end

-- The two, which are not both numbers, as something that Lua compares: texts or dates' milliseconds. Nothing where
-- Liquid's answer is false whatever the operator.
local function comparable(a, b)
  local x, y = type(a), type(b)
  if x == y and x == "string" then return a, b end
  local dates = getmetatable(a) == date_meta
  if dates and getmetatable(b) == date_meta then return a[MS], b[MS] end
  local ordered_a = x == "number" or x == "string" or dates
  local ordered_b = y == "number" or y == "string" or getmetatable(b) == date_meta
  if ordered_a and ordered_b then
    fail("%s can't be compared with %s", values.show(a), values.show(b))
  end
end

-- The operators <, <=, > and >=. False where one side has no order (nil, booleans, arrays, objects); an error where a
-- text meets a number.
function values.less(a, b)
  if type(a) == "number" and type(b) == "number" then return a < b end
  local x, y = comparable(a, b)
  return x ~= nil and x < y
end

function values.less_equal(a, b)
  if type(a) == "number" and type(b) == "number" then return a <= b end
  local x, y = comparable(a, b)
  return x ~= nil and x <= y
end

function values.greater(a, b)
  if type(a) == "number" and type(b) == "number" then return a > b end
  local x, y = comparable(a, b)
  return x ~= nil and x > y
end

function values.greater_equal(a, b)
  if type(a) == "number" and type(b) == "number" then return a >= b end
  local x, y = comparable(a, b)
  return x ~= nil and x >= y
end

-- The operator `contains`: a text's part, an array's item, an object's key, a range's number.
function values.contains(a, b)
  if is_nothing(a) or is_nothing(b) then return false end
  if type(a) == "string" then return find(a, values.string(b), 1, true) ~= nil end
  if type(a) ~= "table" then return false end
  if getmetatable(a) == range_meta then
    return type(b) == "number" and b >= a[FROM] and b <= a[TO]
  end
  if is_object(a) then return type(b) ~= "table" and b == b and a[b] ~= nil end
  if not is_list(a) then return false end
  for i = 1, #a do
    if equal(a[i], b, 1) then return true end
  end
  return false
end

---------------------------------------------------------------------------------------------- what lies inside

-- How many characters a text has; each byte counts as one where it is not UTF-8.
local function length_of(text)
  return utf8_len(text) or #text
end
values.length_of = length_of

-- A text's character by its index from 0, or from the end by a negative one; nil where there is none.
function values.character(text, index)
  local length = utf8_len(text)
  local count = length or #text
  if index < 0 then index = index + count end
  if index < 0 or index >= count then return nil end
  if not length or length == #text then return sub(text, index + 1, index + 1) end
  local at = utf8_offset(text, index + 1)
  return sub(text, at, utf8_offset(text, 2, at) - 1)
end

local function found(v)
  if v == null then return nil end
  return v
end

local function count_of(object)
  local count = 0
  for _ in next, object do count = count + 1 end
  return count
end

-- How many characters, items or members the value has; nil where it has none of these.
function values.size(v)
  if type(v) == "string" then return length_of(v) end
  if v == empty_array then return 0 end
  if is_list(v) or values.is_range(v) then return #v end
  return is_object(v) and count_of(v) or nil
end

-- The first character, item, or member as { key, value }.
function values.first(v)
  if type(v) == "string" then return values.character(v, 0) or "" end
  if is_list(v) or values.is_range(v) then return v ~= empty_array and found(v[1]) or nil end
  if is_object(v) and next(v) ~= nil then
    local key = keys_of(v)[1]
    return { key, v[key] }
  end
end

-- The last character or item; an object has none.
function values.last(v)
  if type(v) == "string" then return values.character(v, -1) or "" end
  if (is_list(v) or values.is_range(v)) and v ~= empty_array then return found(v[#v]) end
end

-- An object's member; nil where there is none.
function values.member(object, key)
  if key == nil or key ~= key then return nil end
  return found(object[key])
end

local COMMANDS = { size = values.size, first = values.first, last = values.last }

-- v.key, or v[key]: a member; an item by its index from 0, or from the end by a negative one; without such a member
-- `size`, `first` and `last`. nil for all that isn't there.
function values.get(v, key)
  local kind = type(key)
  if type(v) == "table" then
    if kind == "string" then
      local value = v[key]
      if value == nil and COMMANDS[key] then return COMMANDS[key](v) end
      if value == null then return nil end
      return value
    end
    if math_type(key) == "integer" then
      if key >= 0 then return found(v[key + 1]) end
      return found(v[#v + key + 1])
    end
    return kind == "boolean" and found(v[key]) or nil
  end
  local command = kind == "string" and COMMANDS[key]
  return command and command(v) or nil
end

---------------------------------------------------------------------------------------------- lists

local NOTHING = setmetatable({}, { __newindex = function() error("this list is nobody's to write to", 2) end })

-- What a loop goes over: an array or a range as it is, an object's members as { key, value } in the order of the
-- keys, a text as one item; nothing for all else. Has # and []; items may be json.null.
function values.list(v)
  local kind = type(v)
  if kind == "table" then
    if is_list(v) or getmetatable(v) == range_meta then return v end
    if not is_object(v) then return NOTHING end
    local keys, count = keys_of(v)
    for i = 1, count do keys[i] = { keys[i], v[keys[i]] } end
    return keys
  end
  if kind == "string" and v ~= "" then return { v } end
  return NOTHING
end

---------------------------------------------------------------------------------------------- numbers

-- A whole number's text as an integer; too long for 64 bits is an error.
local function whole(text, digits)
  local number = tonumber(digits)
  if math_type(number) ~= "integer" then fail("%s has more digits than 64 bits hold", values.show(text)) end
  return number
end

-- What Ruby's to_i reads of a text: the digits that it begins with (single underscores between them), 0 without.
local function leading_integer(text)
  local digits = match(text, "^%s*([+-]?%d[%d_]*)")
  if not digits then return 0 end
  local twice = find(digits, "__", 1, true)
  digits = gsub(twice and sub(digits, 1, twice - 1) or digits, "_", "")
  return whole(text, gsub(digits, "^%+", ""))
end

-- The number that arithmetic takes a value for. A text of digits and one point is a float, other texts are the
-- integer that they begin with; what is no number is 0.
function values.number(v)
  local kind = type(v)
  if kind == "number" then return v end
  if kind ~= "string" then return 0 end
  local decimal = match(v, "^%s*(%-?%d+%.%d+)%s*$")
  if decimal then return tonumber(decimal) + 0.0 end
  return leading_integer(v)
end

-- The integer that an index or a count must be: an integer, or a text of one; anything else is an error.
function values.integer(v)
  if math_type(v) == "integer" then return v end
  local digits = type(v) == "string" and match(v, "^%s*([+-]?%d+)%s*$")
  if digits then return whole(v, gsub(digits, "^%+", "")) end
  fail("%s is not an integer", values.show(v))
end

local function bound(v)
  if math_type(v) == "integer" then return v end
  if v == nil or v == null or v == values.blank or v == values.empty then return 0 end
  if type(v) == "string" then return leading_integer(v) end
  if type(v) == "number" then
    local number = math.tointeger(v < 0 and math.ceil(v) or math.floor(v))
    if number then return number end
  end
  return values.integer(v)
end

-- (a..b), both included. Texts are the integer that they begin with, nil is 0, a fraction is cut off.
function values.range(a, b)
  return setmetatable({ [FROM] = bound(a), [TO] = bound(b) }, range_meta)
end

return values
