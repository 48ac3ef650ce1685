-- Which numbers values are taken for.

local fail = require("jaunt.liquid.values.limits").fail
local json = require "json"
local own = require "jaunt.liquid.values.own"
local show = require("jaunt.liquid.values.texts").show

local find, gsub, match, sub = string.find, string.gsub, string.match, string.sub
local math_type, tonumber, type = math.type, tonumber, type

local numbers = {}

local null = json.null

-- A whole number's text as an integer; too long for 64 bits is an error.
local function whole(text, digits)
  local number = tonumber(digits)
  if math_type(number) ~= "integer" then fail("%s has more digits than 64 bits hold", show(text)) end
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
function numbers.number(v)
  local kind = type(v)
  if kind == "number" then return v end
  if kind ~= "string" then return 0 end
  local decimal = match(v, "^%s*(%-?%d+%.%d+)%s*$")
  if decimal then return tonumber(decimal) + 0.0 end
  return leading_integer(v)
end

-- The integer that an index or a count must be: an integer, or a text of one; anything else is an error.
function numbers.integer(v)
  if math_type(v) == "integer" then return v end
  local digits = type(v) == "string" and match(v, "^%s*([+-]?%d+)%s*$")
  if digits then return whole(v, gsub(digits, "^%+", "")) end
  fail("%s is not an integer", show(v))
end

local function bound(v)
  if math_type(v) == "integer" then return v end
  if v == nil or v == null or v == own.blank or v == own.empty then return 0 end
  if type(v) == "string" then return leading_integer(v) end
  if type(v) == "number" then
    local number = math.tointeger(v < 0 and math.ceil(v) or math.floor(v))
    if number then return number end
  end
  return numbers.integer(v)
end

-- (a..b), both included. Texts are the integer that they begin with, nil is 0, a fraction is cut off.
function numbers.range(a, b)
  return own.new_range(bound(a), bound(b))
end

return numbers
