-- What is true, equal and less among values.

local json = require "json"
local kinds = require "jaunt.liquid.values.kinds"
local limits = require "jaunt.liquid.values.limits"
local own = require "jaunt.liquid.values.own"
local texts = require "jaunt.liquid.values.texts"

local find, getmetatable, next, type = string.find, getmetatable, next, type
local fail = limits.fail
local is_list, is_object = kinds.is_list, kinds.is_object
local range_meta, date_meta, sentinel_meta = own.range_meta, own.date_meta, own.sentinel_meta

local comparison = {}

local null, empty_array = json.null, json.empty_array
local DEPTH_MOST = limits.DEPTH_MOST

-- All but nil and false are true.
function comparison.truthy(v)
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
comparison.is_empty = is_empty

-- Whether it is `blank`: nothing, false, `empty`, or a text of white space.
local function is_blank(v)
  return is_nothing(v) or is_empty(v) or (type(v) == "string" and not find(v, "%S"))
end
comparison.is_blank = is_blank

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

local function equal_ranges(a, b)
  local from, to = own.bounds(a)
  local other_from, other_to = own.bounds(b)
  return from == other_from and to == other_to
end

local function equal_tables(a, b, depth)
  local x, y = getmetatable(a), getmetatable(b)
  if x == sentinel_meta or y == sentinel_meta then
    if x == y then return false end
    local sentinel, other = a, b
    if y == sentinel_meta then sentinel, other = b, a end
    return sentinel == own.blank and is_blank(other) or sentinel == own.empty and is_empty(other)
  end
  if x == range_meta or y == range_meta then return x == y and equal_ranges(a, b) end
  if x == date_meta or y == date_meta then return x == y and (own.moment(a)) == (own.moment(b)) end
  if depth > DEPTH_MOST then fail("a value is nested more than %d deep: does a table contain itself?", DEPTH_MOST) end
  local lists = is_list(a)
  if lists ~= is_list(b) then return false end
  return (lists and equal_lists or equal_objects)(a, b, depth + 1)
end

-- `==` of templates. Nothing is converted; arrays and objects are equal when all in them is.
function equal(a, b, depth)
  if a == b then return getmetatable(a) ~= sentinel_meta end
  if type(a) == "table" then
    if type(b) == "table" then return equal_tables(a, b, depth) end
    if getmetatable(a) == sentinel_meta then
      return a == own.blank and is_blank(b) or a == own.empty and is_empty(b)
    end
    return b == empty_array and is_list(a) and #a == 0
  end
  if type(b) == "table" then return equal(b, a, depth) end
  return (a == nil or a == null) and (b == nil or b == null)
end

-- Whether two values are equal, as `==` of templates says it.
function comparison.equal(a, b)
  return equal(a, b, 1)
end

-- The two, which are not both numbers, as something that Lua compares: texts or dates' milliseconds. Nothing where
-- Liquid's answer is false whatever the operator.
local function comparable(a, b)
  local x, y = type(a), type(b)
  if x == y and x == "string" then return a, b end
  local dates = getmetatable(a) == date_meta
  if dates and getmetatable(b) == date_meta then return (own.moment(a)), (own.moment(b)) end
  local ordered_a = x == "number" or x == "string" or dates
  local ordered_b = y == "number" or y == "string" or getmetatable(b) == date_meta
  if ordered_a and ordered_b then
    fail("%s can't be compared with %s", texts.show(a), texts.show(b))
  end
end

-- The operators <, <=, > and >=. False where one side has no order (nil, booleans, arrays, objects); an error where a
-- text meets a number.
function comparison.less(a, b)
  if type(a) == "number" and type(b) == "number" then return a < b end
  local x, y = comparable(a, b)
  return x ~= nil and x < y
end

function comparison.less_equal(a, b)
  if type(a) == "number" and type(b) == "number" then return a <= b end
  local x, y = comparable(a, b)
  return x ~= nil and x <= y
end

function comparison.greater(a, b)
  if type(a) == "number" and type(b) == "number" then return a > b end
  local x, y = comparable(a, b)
  return x ~= nil and x > y
end

function comparison.greater_equal(a, b)
  if type(a) == "number" and type(b) == "number" then return a >= b end
  local x, y = comparable(a, b)
  return x ~= nil and x >= y
end

-- The operator `contains`: a text's part, an array's item, an object's key, a range's number.
function comparison.contains(a, b)
  if is_nothing(a) or is_nothing(b) then return false end
  if type(a) == "string" then return find(a, texts.string(b), 1, true) ~= nil end
  if type(a) ~= "table" then return false end
  if getmetatable(a) == range_meta then
    local from, to = own.bounds(a)
    return type(b) == "number" and b >= from and b <= to
  end
  if is_object(a) then return type(b) ~= "table" and b == b and a[b] ~= nil end
  if not is_list(a) then return false end
  for i = 1, #a do
    if equal(a[i], b, 1) then return true end
  end
  return false
end

return comparison
