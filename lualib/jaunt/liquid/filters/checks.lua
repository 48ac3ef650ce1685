-- Filters that say what is to be where a value is missing, and of which kind it has to be. The strict ones (number,
-- int, bool, string) let nil through, so that default, omit_if_nil, required and hold_if_nil can stand behind them.

local values = require "jaunt.liquid.values"

local find, lower, match = string.find, string.lower, string.match
local floor, math_type, tointeger, tonumber, type = math.floor, math.type, math.tointeger, tonumber, type
local fail, show = values.fail, values.show

---------------------------------------------------------------------------------------------- what is missing

-- false counts as missing unless allow_false is true.
local function default(value, other, named)
  local kept = named and values.truthy(named.allow_false)
  if value == nil or (value == false and not kept) then return other end
  if values.is_empty(value) or value == values.empty or value == values.blank then return other end
  return value
end

local function reason_of(reason, name)
  local text = values.string(reason)
  if not find(text, "%S") then fail("%s needs a reason that is no empty text", name) end
  return text
end

-- Nil, and what there is nothing to show of; false is a value.
local function required(value, reason)
  if value == false or not values.is_blank(value) then return value end
  values.stop("drop", reason_of(reason, "required"))
end

local function hold_if_nil(value, reason)
  if value ~= nil then return value end
  values.stop("hold", reason_of(reason, "hold_if_nil"))
end

local function omit_if_nil(value)
  if value == nil then return values.omit end
  return value
end

---------------------------------------------------------------------------------------------- kinds

-- A number as JSON and people write it, all of the text: 12, -0.5, 1e3; no hexadecimal digits.
local function read_number(text)
  return find(text, "^[%s%deE.+-]+$") and tonumber(text) or nil
end

local function number(value)
  if value == nil then return nil end
  local read = type(value) == "number" and value or type(value) == "string" and read_number(value)
  if not read or read ~= read or read - read ~= 0 then fail("%s is not a number", show(value)) end
  return read
end

local function int(value)
  if value == nil or math_type(value) == "integer" then return value end
  local read = type(value) == "number" and value or type(value) == "string" and read_number(value)
  local whole = read and tointeger(read)
  if not whole then
    local broken = read and read == read and read - read == 0 and read ~= floor(read)
    fail(broken and "%s is not a whole number" or "%s is not an integer", show(value))
  end
  return whole
end

local WORDS = {
  ["true"] = true, yes = true, on = true, ["1"] = true, ["false"] = false, no = false, off = false, ["0"] = false,
}

local function bool(value)
  if value == nil or type(value) == "boolean" then return value end
  local read
  if value == 1 or value == 0 then read = value == 1 end
  if type(value) == "string" then read = WORDS[lower(match(value, "^%s*(%w+)%s*$") or "")] end
  if read == nil then fail("%s is neither true nor false", show(value)) end
  return read
end

local SHOWN = { string = true, number = true, boolean = true, date = true, blank = true, empty = true }

local function string_of(value)
  if value == nil then return nil end
  if not SHOWN[values.kind(value)] then fail("%s is not a text", show(value)) end
  return values.text(value)
end

---------------------------------------------------------------------------------------------- others

local function property_accessor(value, key)
  return values.get(value, key)
end

-- The compiler puts out what comes from here as it is.
local function raw(value)
  return value
end

return {
  { name = "bool", run = bool,
    about = "true or false, or an error; yes, on and 1 are true, no, off and 0 false.", example = "'yes' | bool",
    result = "true" },
  { name = "default", run = default, most = 1, names = { "allow_false" }, arguments = "value, allow_false: false",
    about = "This value in place of nil, false and what is empty.", example = "'' | default: 'friend'",
    result = "friend" },
  { name = "hold_if_nil", run = hold_if_nil, least = 1, most = 1, arguments = "reason",
    about = "Holds the person for nil, with the reason.", example = "'Ada' | hold_if_nil: 'no name'", result = "Ada" },
  { name = "int", run = int,
    about = "An integer, or an error.", example = "'42' | int", result = "42" },
  { name = "number", run = number,
    about = "A number, or an error.", example = "'1.50' | number", result = "1.5" },
  { name = "omit_if_nil", run = omit_if_nil,
    about = "In JSON: leaves the member out for nil.", example = "nick | omit_if_nil", result = '{"name":"Ada"}',
    kind = "json", template = '{"name":"Ada","nick":{{ nick | omit_if_nil }}}' },
  { name = "property_accessor", run = property_accessor, least = 1, most = 1, arguments = "name",
    about = "A member by its name.", example = "prices | property_accessor: 'hat'", result = "12",
    vars = { prices = { hat = 12 } } },
  { name = "raw", run = raw,
    about = "In HTML and XML: not escaped.", example = "'<b>' | raw", result = "<b>" },
  { name = "required", run = required, least = 1, most = 1, arguments = "reason",
    about = "Drops the person for nil and what is blank, with the reason.", example = "'Ada' | required: 'no name'",
    result = "Ada" },
  { name = "string", run = string_of,
    about = "A text, or an error for arrays and objects.", example = "4.0 | string", result = "4.0" },
}
