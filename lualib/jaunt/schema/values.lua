-- What values are to a schema: of which types, whether two are the same, and how a message shows one.

local json = require "json"

local find, sub = string.find, string.sub
local null, is_array = json.null, json.is_array

local values = {}

local SHOWN = 60 -- bytes of a value in a message

-- Whether a value, as JSON is decoded to, is an object, or an array.
function values.is_object(value) return type(value) == "table" and not is_array(value) end
function values.is_list(value) return type(value) == "table" and is_array(value) end

-- The types that schemas know, each a function that says whether a value is of it.
values.TYPES = {
  null = function(value) return value == null end,
  boolean = function(value) return type(value) == "boolean" end,
  string = function(value) return type(value) == "string" end,
  number = function(value) return type(value) == "number" end,
  integer = function(value) return math.tointeger(value) ~= nil and type(value) == "number" end,
  array = values.is_list,
  object = values.is_object,
}
values.TYPE_NAMES = { "array", "boolean", "integer", "null", "number", "object", "string" }

-- The first type that a value is of, by alphabet.
function values.type_of(value)
  for _, name in ipairs(values.TYPE_NAMES) do
    if values.TYPES[name](value) then return name end
  end
end

-- Whether two values are equal, in all that is in them.
function values.same(a, b)
  if type(a) ~= "table" or type(b) ~= "table" then return a == b end
  if is_array(a) ~= is_array(b) then return false end
  for key, value in pairs(a) do
    if b[key] == nil or not values.same(value, b[key]) then return false end
  end
  for key in pairs(b) do
    if a[key] == nil then return false end
  end
  return true
end

-- A value as messages show it.
function values.shown(value)
  local ok, text = pcall(json.encode, value)
  if not ok then return "a " .. type(value) end
  if #text <= SHOWN then return text end
  local cut = SHOWN
  while cut > 1 and find(sub(text, cut + 1, cut + 1), "[\x80-\xBF]") do cut = cut - 1 end
  return sub(text, 1, cut) .. "…"
end

-- Whether a value is what a keyword takes: a count, names, an array that is not empty.
function values.is_count(value) return values.TYPES.integer(value) and value >= 0 end

function values.is_names(value)
  if not values.is_list(value) then return false end
  for _, name in ipairs(value) do
    if type(name) ~= "string" then return false end
  end
  return true
end

function values.is_nonempty(value) return values.is_list(value) and #value > 0 end

return values
