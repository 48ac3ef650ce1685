-- What lies inside values: characters, items, members, and what loops go over.

local json = require "json"
local kinds = require "jaunt.liquid.values.kinds"
local own = require "jaunt.liquid.values.own"

local error, getmetatable, math_type, next, setmetatable, sub, type =
  error, getmetatable, math.type, next, setmetatable, string.sub, type
local utf8_len, utf8_offset = utf8.len, utf8.offset
local is_list, is_object, keys_of = kinds.is_list, kinds.is_object, kinds.keys
local range_meta = own.range_meta

local parts = {}

local null, empty_array = json.null, json.empty_array

-- How many characters a text has; each byte counts as one where it is not UTF-8.
local function length_of(text)
  return utf8_len(text) or #text
end
parts.length_of = length_of

-- A text's character by its index from 0, or from the end by a negative one; nil where there is none.
function parts.character(text, index)
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
function parts.size(v)
  if type(v) == "string" then return length_of(v) end
  if v == empty_array then return 0 end
  if is_list(v) or own.is_range(v) then return #v end
  return is_object(v) and count_of(v) or nil
end

-- The first character, item, or member as { key, value }.
function parts.first(v)
  if type(v) == "string" then return parts.character(v, 0) or "" end
  if is_list(v) or own.is_range(v) then return v ~= empty_array and found(v[1]) or nil end
  if is_object(v) and next(v) ~= nil then
    local key = keys_of(v)[1]
    return { key, v[key] }
  end
end

-- The last character or item; an object has none.
function parts.last(v)
  if type(v) == "string" then return parts.character(v, -1) or "" end
  if (is_list(v) or own.is_range(v)) and v ~= empty_array then return found(v[#v]) end
end

-- An object's member; nil where there is none.
function parts.member(object, key)
  if key == nil or key ~= key then return nil end
  return found(object[key])
end

local COMMANDS = { size = parts.size, first = parts.first, last = parts.last }

-- v.key, or v[key]: a member; an item by its index from 0, or from the end by a negative one; without such a member
-- `size`, `first` and `last`. nil for all that isn't there.
function parts.get(v, key)
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

local NOTHING = setmetatable({}, { __newindex = function() error("this list is nobody's to write to", 2) end })

-- What a loop goes over: an array or a range as it is, an object's members as { key, value } in the order of the
-- keys, a text as one item; nothing for all else. Has # and []; items may be json.null.
function parts.list(v)
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

return parts
