-- The keywords of schemas that look at a value itself, by name; those that hold schemas are in jaunt.schema.inner.
--
-- Each is a function(argument, place of the schema, context), which returns check(value, state), or raises what is
-- wrong with the argument. Those of jaunt.schema.inner use the context: compile(schema, place) makes a check of a schema,
-- resolve(reference) gives the check of what $ref names, object is the schema that the keyword stands in.

local compiled_pattern = require "jaunt.schema.pattern"
local formats = require "jaunt.schema.formats"
local keys = require "jaunt.base.keys"
local nearest = require "jaunt.base.nearest"
local places = require "jaunt.schema.places"
local telling = require "jaunt.schema.telling"
local values = require "jaunt.schema.values"

local concat, sub = table.concat, string.sub
local below = places.below
local mistake, tell, tell_below, want = telling.mistake, telling.tell, telling.tell_below, telling.want
local is_count, is_list, is_names, is_nonempty, is_object, same, shown, type_of, TYPES, TYPE_NAMES =
  values.is_count, values.is_list, values.is_names, values.is_nonempty, values.is_object, values.same, values.shown,
  values.type_of, values.TYPES, values.TYPE_NAMES

local keywords = {}

function keywords.type(names, place)
  if type(names) == "string" then names = { names } end
  want(place, "type", names, is_names, "a name or a list of them")
  for _, name in ipairs(names) do
    if not TYPES[name] then
      mistake(below(place, "type"), "there is no type %q%s", name, nearest.hint(name, TYPE_NAMES))
    end
  end
  local what = concat(names, " or ")
  return function(value, state)
    for i = 1, #names do
      if TYPES[names[i]](value) then return end
    end
    tell(state, place, "type", value, "%s is wanted, not %s", what, type_of(value))
  end
end

function keywords.enum(wanted, place)
  want(place, "enum", wanted, is_nonempty, "a list of values")
  return function(value, state)
    for i = 1, #wanted do
      if same(wanted[i], value) then return end
    end
    local texts = {}
    for _, one in ipairs(wanted) do texts[#texts + 1] = type(one) == "string" and one or nil end
    tell(state, place, "enum", value, "it is one of %s%s", sub(shown(wanted), 2, -2),
      type(value) == "string" and nearest.hint(value, texts) or "")
  end
end

function keywords.const(wanted, place)
  return function(value, state)
    if not same(wanted, value) then tell(state, place, "const", value, "it is always %s", shown(wanted)) end
  end
end

-- Bounds of numbers: name, whether the number fits, words.
local BOUNDS = {
  { "minimum", function(value, bound) return value >= bound end, "it is at least %s" },
  { "maximum", function(value, bound) return value <= bound end, "it is at most %s" },
  { "exclusiveMinimum", function(value, bound) return value > bound end, "it is more than %s" },
  { "exclusiveMaximum", function(value, bound) return value < bound end, "it is less than %s" },
  { "multipleOf", function(value, step)
    local times = value / step -- 0.07 / 0.01 is a little more than 7
    return value % step == 0 or math.abs(times - math.floor(times + 0.5)) <= math.abs(times) * 1e-12
  end, "it is a multiple of %s" },
}
for _, bound in ipairs(BOUNDS) do
  local name, fits, words = bound[1], bound[2], bound[3]
  keywords[name] = function(number, place)
    want(place, name, number, TYPES.number, "a number")
    if name == "multipleOf" and number <= 0 then mistake(below(place, name), "multipleOf is more than 0") end
    return function(value, state)
      if type(value) == "number" and not fits(value, number) then
        tell(state, place, name, value, words, shown(number))
      end
    end
  end
end

local function count_keys(object)
  local count = 0
  for _ in pairs(object) do count = count + 1 end
  return count
end

-- Bounds of sizes: name, of what kind of value, its size, at least or at most, of what.
local function length(text) return utf8.len(text) or #text end
local function items(list) return #list end
local SIZES = {
  { "minLength", TYPES.string, length, true, "character" }, { "maxLength", TYPES.string, length, false, "character" },
  { "minItems", is_list, items, true, "item" }, { "maxItems", is_list, items, false, "item" },
  { "minProperties", is_object, count_keys, true, "property" },
  { "maxProperties", is_object, count_keys, false, "property" },
}
for _, size in ipairs(SIZES) do
  local name, applies, measure, least, unit = table.unpack(size)
  local many = unit == "property" and "properties" or unit .. "s"
  keywords[name] = function(bound, place)
    bound = math.tointeger(want(place, name, bound, is_count, "a whole number from 0 on"))
    return function(value, state)
      if not applies(value) then return end
      local found = measure(value)
      if least and found >= bound or not least and found <= bound then return end
      tell(state, place, name, value, "it has %d %s, of %s %d", found, found == 1 and unit or many,
        least and "at least" or "at most", bound)
    end
  end
end

function keywords.pattern(pattern, place)
  want(place, "pattern", pattern, TYPES.string, "a text")
  local matcher = compiled_pattern(pattern, below(place, "pattern"))
  return function(value, state)
    if type(value) ~= "string" then return end
    local found, why = matcher:matches(value)
    if found then return end
    tell(state, place, "pattern", value, why and "whether it matches %s can't be told: %s" or "it has to match %s",
      pattern, why)
  end
end

function keywords.format(name, place)
  want(place, "format", name, TYPES.string, "a text")
  local fits = formats[name]
  if not fits then
    mistake(below(place, "format"), "there is no format %q%s", name, nearest.hint(name, keys.sorted(formats)))
  end
  return function(value, state)
    if type(value) == "string" and not fits(value) then tell(state, place, "format", value, "it is no %s", name) end
  end
end

function keywords.uniqueItems(wanted, place)
  want(place, "uniqueItems", wanted, TYPES.boolean, "true or false")
  return function(value, state)
    if not wanted or not is_list(value) then return end
    for i = 2, #value do
      for j = 1, i - 1 do
        if same(value[i], value[j]) then
          return tell(state, place, "uniqueItems", value, "the items %d and %d are the same", j - 1, i - 1)
        end
      end
    end
  end
end

function keywords.required(names, place)
  want(place, "required", names, is_names, "a list of names")
  return function(value, state)
    if not is_object(value) then return end
    for _, name in ipairs(names) do
      if value[name] == nil then
        tell_below(state, name, place, "required", "is missing: it is required")
      end
    end
  end
end

function keywords.dependentRequired(needs, place)
  want(place, "dependentRequired", needs, is_object, "an object of lists of names")
  for name, names in pairs(needs) do
    want(below(place, "dependentRequired"), name, names, is_names, "a list of names")
  end
  local sorted = keys.sorted(needs)
  return function(value, state)
    for _, name in ipairs(is_object(value) and sorted or {}) do
      for _, other in ipairs(value[name] ~= nil and needs[name] or {}) do
        if value[other] == nil then
          tell_below(state, other, place, "dependentRequired", "is missing: it is required beside %s", name)
        end
      end
    end
  end
end

return keywords
