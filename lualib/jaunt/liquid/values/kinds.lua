-- What kind of value something is, and which keys an object has. Which table is an array is json.encode's rule: one
-- with something at [1], or one that is marked.

local fail = require("jaunt.liquid.values.limits").fail
local json = require "json"
local own = require "jaunt.liquid.values.own"

local getmetatable, next, rawget, sort, type = getmetatable, next, rawget, table.sort, type

local kinds = {}

local null, empty_array = json.null, json.empty_array
local range_meta, date_meta, sentinel_meta, NAME = own.range_meta, own.date_meta, own.sentinel_meta, own.NAME
local ARRAY_MARK = getmetatable(json.array()) -- what the metatable of a marked array shows

kinds.null = null

-- Marks a table as an array, so that it is one when it is empty, too; returns it.
kinds.array = json.array

-- True for an array; also for json.empty_array, which is one.
local function is_list(v)
  if type(v) ~= "table" then return v == empty_array end
  local meta = getmetatable(v)
  if meta == nil then return rawget(v, 1) ~= nil end
  if meta == ARRAY_MARK then return true end
  if meta == range_meta or meta == date_meta or meta == sentinel_meta then return false end
  return v[1] ~= nil
end
kinds.is_list = is_list

local function is_object(v)
  if type(v) ~= "table" then return false end
  local meta = getmetatable(v)
  if meta == nil then return rawget(v, 1) == nil end
  return meta ~= ARRAY_MARK and meta ~= range_meta and meta ~= date_meta and meta ~= sentinel_meta and v[1] == nil
end
kinds.is_object = is_object

-- "nil", "boolean", "number", "string", "list", "object", "range", "date", "blank", "empty" or "omit"; Lua's word for
-- what is none of these.
function kinds.kind(v)
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

-- What a value is, in words for a message.
function kinds.word(v)
  return WORDS[kinds.kind(v)]
end

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
kinds.keys = keys_of

return kinds
