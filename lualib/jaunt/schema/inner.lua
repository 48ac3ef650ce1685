-- The keywords that hold schemas, by name: see jaunt.schema.keywords, which says what each is.

local compiled_pattern = require "jaunt.schema.pattern"
local keys = require "jaunt.base.keys"
local nearest = require "jaunt.base.nearest"
local places = require "jaunt.schema.places"
local telling = require "jaunt.schema.telling"
local values = require "jaunt.schema.values"

local concat, find = table.concat, string.find
local below = places.below
local descend, mistake, tell, tried, want =
  telling.descend, telling.mistake, telling.tell, telling.tried, telling.want
local is_count, is_list, is_nonempty, is_object, shown, TYPES =
  values.is_count, values.is_list, values.is_nonempty, values.is_object, values.shown, values.TYPES

local keywords = {}

-- { NAME = schema } as { NAME = check }.
local function compile_all(schemas, place, context)
  local checks = {}
  for _, name in ipairs(keys.sorted(schemas)) do checks[name] = context.compile(schemas[name], below(place, name)) end
  return checks
end

local function compile_list(schemas, place, name, context)
  want(place, name, schemas, is_nonempty, "a list of schemas")
  local checks = {}
  for i, one in ipairs(schemas) do checks[i] = context.compile(one, below(below(place, name), i - 1)) end
  return checks
end

function keywords.properties(schemas, place, context)
  want(place, "properties", schemas, is_object, "an object of schemas")
  local checks, sorted = compile_all(schemas, below(place, "properties"), context), keys.sorted(schemas)
  return function(value, state)
    if not is_object(value) then return end
    for i = 1, #sorted do
      local name = sorted[i]
      if value[name] ~= nil then descend(state, name, checks[name], value[name]) end
    end
  end
end

local function compile_patterns(patterns, place)
  local matchers = {}
  for _, pattern in ipairs(keys.sorted(patterns)) do
    matchers[#matchers + 1] = { matcher = compiled_pattern(pattern, below(place, pattern)), pattern = pattern }
  end
  return matchers
end

function keywords.patternProperties(schemas, place, context)
  want(place, "patternProperties", schemas, is_object, "an object of schemas")
  local inner = below(place, "patternProperties")
  local checks, matchers = compile_all(schemas, inner, context), compile_patterns(schemas, inner)
  return function(value, state)
    for _, name in ipairs(is_object(value) and keys.sorted(value) or {}) do
      for _, one in ipairs(matchers) do
        if one.matcher:matches(name) then descend(state, name, checks[one.pattern], value[name]) end
      end
    end
  end
end

-- What stands in neither properties nor patternProperties. `false` is told with the nearest right name.
function keywords.additionalProperties(inner, place, context)
  local check = context.compile(inner, below(place, "additionalProperties"))
  local known = is_object(context.object.properties) and context.object.properties or {}
  local patterns = context.object.patternProperties
  local matchers = is_object(patterns) and compile_patterns(patterns, below(place, "patternProperties")) or {}
  local function is_known(name)
    if known[name] ~= nil then return true end
    for _, one in ipairs(matchers) do
      if one.matcher:matches(name) then return true end
    end
    return false
  end
  return function(value, state)
    for _, name in ipairs(is_object(value) and keys.sorted(value) or {}) do
      if is_known(name) then -- nothing to say
      elseif inner == false then
        telling.tell_below(state, name, place, "additionalProperties", "is not allowed: there is no such property%s",
          nearest.hint(name, keys.sorted(known)))
      else
        descend(state, name, check, value[name])
      end
    end
  end
end

function keywords.propertyNames(inner, place, context)
  local check = context.compile(inner, below(place, "propertyNames"))
  return function(value, state)
    for _, name in ipairs(is_object(value) and keys.sorted(value) or {}) do descend(state, name, check, name) end
  end
end

function keywords.dependentSchemas(schemas, place, context)
  want(place, "dependentSchemas", schemas, is_object, "an object of schemas")
  local checks, sorted = compile_all(schemas, below(place, "dependentSchemas"), context), keys.sorted(schemas)
  return function(value, state)
    for _, name in ipairs(is_object(value) and sorted or {}) do
      if value[name] ~= nil then checks[name](value, state) end
    end
  end
end

function keywords.prefixItems(schemas, place, context)
  local checks = compile_list(schemas, place, "prefixItems", context)
  return function(value, state)
    for i = 1, is_list(value) and math.min(#value, #checks) or 0 do descend(state, i - 1, checks[i], value[i]) end
  end
end

function keywords.items(inner, place, context)
  if is_list(inner) then
    mistake(below(place, "items"), "items is one schema for all; a list of them is prefixItems")
  end
  local check = context.compile(inner, below(place, "items"))
  local first = is_list(context.object.prefixItems) and #context.object.prefixItems + 1 or 1
  return function(value, state)
    for i = first, is_list(value) and #value or 0 do descend(state, i - 1, check, value[i]) end
  end
end

-- With its minContains and maxContains.
function keywords.contains(inner, place, context)
  local check = context.compile(inner, below(place, "contains"))
  local least, most = context.object.minContains or 1, context.object.maxContains or math.huge
  want(place, "minContains", least, is_count, "a whole number from 0 on")
  if context.object.maxContains then want(place, "maxContains", most, is_count, "a whole number from 0 on") end
  return function(value, state)
    if not is_list(value) then return end
    local count = 0
    for i = 1, #value do
      if #tried(state, check, value[i]) == 0 then count = count + 1 end
    end
    if count >= least and count <= most then return end
    tell(state, place, "contains", value, "%d of its items are as they have to be, of %s %d", count,
      count < least and "at least" or "at most", math.tointeger(count < least and least or most))
  end
end

function keywords.allOf(schemas, place, context)
  local checks = compile_list(schemas, place, "allOf", context)
  return function(value, state)
    for i = 1, #checks do checks[i](value, state) end
  end
end

-- The faults of the alternative that the value comes nearest to: that with the fewest.
local function nearest_faults(state, checks, value)
  local best, fitting = nil, {}
  for i = 1, #checks do
    local faults = tried(state, checks[i], value)
    if #faults == 0 then fitting[#fitting + 1] = i - 1 end
    if not best or #faults < #best then best = faults end
  end
  return best, fitting
end

local NO_KIND = "it is none of the %d kinds that are allowed; the nearest: %s"

function keywords.anyOf(schemas, place, context)
  local checks = compile_list(schemas, place, "anyOf", context)
  return function(value, state)
    local best, fitting = nearest_faults(state, checks, value)
    if #fitting == 0 then tell(state, place, "anyOf", value, NO_KIND, #checks, best[1].text) end
  end
end

function keywords.oneOf(schemas, place, context)
  local checks = compile_list(schemas, place, "oneOf", context)
  return function(value, state)
    local best, fitting = nearest_faults(state, checks, value)
    if #fitting == 0 then
      tell(state, place, "oneOf", value, NO_KIND, #checks, best[1].text)
    elseif #fitting > 1 then
      tell(state, place, "oneOf", value, "it is of several kinds at once (%s), and has to be of one",
        concat(fitting, ", "))
    end
  end
end

keywords["not"] = function(inner, place, context)
  local check = context.compile(inner, below(place, "not"))
  return function(value, state)
    if #tried(state, check, value) == 0 then tell(state, place, "not", value, "it is what it must not be") end
  end
end

keywords["if"] = function(inner, place, context)
  local check = context.compile(inner, below(place, "if"))
  local yes = context.object["then"] ~= nil and context.compile(context.object["then"], below(place, "then"))
  local no = context.object["else"] ~= nil and context.compile(context.object["else"], below(place, "else"))
  return function(value, state)
    local branch = no
    if #tried(state, check, value) == 0 then branch = yes end
    if branch then branch(value, state) end
  end
end

keywords["$ref"] = function(reference, place, context)
  want(place, "$ref", reference, TYPES.string, "a text")
  if not find(reference, "^#") then
    mistake(below(place, "$ref"), "%s is in another schema: $ref goes to a place in this one, such as #/$defs/address",
      shown(reference))
  end
  return function(value, state) context.resolve(reference)(value, state) end, reference
end

return keywords
