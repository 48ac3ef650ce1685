-- JSON Schema, the part of draft 2020-12 that payloads need, over decoded values (json.decode's). In commands and in
-- workers.
--
--   local checker = schema.compile(text, path)      or nil and what is wrong with the schema: "hello.schema.json#/type: …"
--   local faults = checker(value)                   a list, empty where the value keeps to the schema
--
-- A fault is { path = "$.to.phone", value = (as JSON, cut short; nil where it is missing), rule = "pattern", place =
-- "#/properties/to/…/pattern", text = (all of it in words, but for the place) }; path and place as in
-- jaunt.schema.places. At most FAULTS_MOST are told.
--
-- Known are the keywords of the table KEYWORDS, and those that only tell people something; a format is checked, as
-- all else is. A keyword or a format that is not known is a mistake in the schema, not left unchecked in silence;
-- names that begin with x- are nobody's business. $ref goes to places in the same schema (#/$defs/NAME).

local json = require "json"
local nearest = require "jaunt.base.nearest"
local places = require "jaunt.schema.places"
local regex = require "jaunt.native.regex"

local find, format, gsub, match, sub = string.find, string.format, string.gsub, string.match, string.sub
local concat, sort = table.concat, table.sort
local null, is_array = json.null, json.is_array
local below = places.below

local schema = {}

local FAULTS_MOST = 20
local DEPTH_MOST = 128  -- of schemas within schemas at one check: more is one that refers to itself without end
local SHOWN = 60        -- bytes of a value in a message

---------------------------------------------------------------------------------------------- values

local function is_object(value) return type(value) == "table" and not is_array(value) end
local function is_list(value) return type(value) == "table" and is_array(value) end

local TYPES = {
  null = function(value) return value == null end,
  boolean = function(value) return type(value) == "boolean" end,
  string = function(value) return type(value) == "string" end,
  number = function(value) return type(value) == "number" end,
  integer = function(value) return math.tointeger(value) ~= nil and type(value) == "number" end,
  array = is_list,
  object = is_object,
}
local TYPE_NAMES = { "array", "boolean", "integer", "null", "number", "object", "string" }

local function type_of(value)
  for _, name in ipairs(TYPE_NAMES) do
    if TYPES[name](value) then return name end
  end
end

local function keys_of(object)
  local list = {}
  for key in pairs(object) do list[#list + 1] = key end
  sort(list)
  return list
end

local function same(a, b)
  if type(a) ~= "table" or type(b) ~= "table" then return a == b end
  if is_array(a) ~= is_array(b) then return false end
  for key, value in pairs(a) do
    if b[key] == nil or not same(value, b[key]) then return false end
  end
  for key in pairs(b) do
    if a[key] == nil then return false end
  end
  return true
end

-- A value as messages show it.
local function shown(value)
  local ok, text = pcall(json.encode, value)
  if not ok then return "a " .. type(value) end
  if #text <= SHOWN then return text end
  local cut = SHOWN
  while cut > 1 and find(sub(text, cut + 1, cut + 1), "[\x80-\xBF]") do cut = cut - 1 end
  return sub(text, 1, cut) .. "…"
end

---------------------------------------------------------------------------------------------- formats

local MONTHS = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 }

-- RFC 3339, section 5.6.
local function is_date(text)
  local year, month, day = match(text, "^(%d%d%d%d)%-(%d%d)%-(%d%d)$")
  year, month, day = tonumber(year), tonumber(month), tonumber(day)
  if not year or month < 1 or month > 12 or day < 1 then return false end
  local leap = year % 4 == 0 and (year % 100 ~= 0 or year % 400 == 0)
  return day <= MONTHS[month] + (leap and month == 2 and 1 or 0)
end

-- The minutes of "Z" or "+01:30"; nil for anything else.
local function offset_of(text)
  if text == "Z" or text == "z" then return 0 end
  local sign, hours, minutes = match(text, "^([+-])(%d%d):(%d%d)$")
  hours, minutes = tonumber(hours), tonumber(minutes)
  if not hours or hours > 23 or minutes > 59 then return nil end
  return (sign == "+" and 1 or -1) * (hours * 60 + minutes)
end

-- The second 60 is there at 23:59 UTC alone.
local function is_time(text)
  local hours, minutes, seconds, rest = match(text, "^(%d%d):(%d%d):(%d%d)(.*)$")
  hours, minutes, seconds = tonumber(hours), tonumber(minutes), tonumber(seconds)
  if not hours or hours > 23 or minutes > 59 or seconds > 60 then return false end
  local offset = offset_of((gsub(rest, "^%.%d+", "")))
  return offset ~= nil and (seconds < 60 or (hours * 60 + minutes - offset) % 1440 == 1439)
end

local function is_date_time(text)
  local date, time = match(text, "^(.-)[Tt](.*)$")
  return date ~= nil and is_date(date) and is_time(time)
end

-- RFC 1123: labels of letters, digits and hyphens.
local function is_hostname(text)
  if text == "" or #text > 253 then return false end
  for label in string.gmatch(text .. ".", "([^.]*)%.") do
    if #label > 63 or not find(label, "^%w[%w-]*$") or find(label, "%-$") then return false end
  end
  return true
end

local function is_ipv4(text)
  local parts = { match(text, "^(%d+)%.(%d+)%.(%d+)%.(%d+)$") }
  for _, part in ipairs(parts) do
    if #part > 3 or tonumber(part) > 255 or find(part, "^0%d") then return false end
  end
  return #parts == 4
end

-- How many groups of 16 bits stand there, or nil; an IPv4 address may be the last two.
local function groups_of(text, last)
  local count = 0
  if text == "" then return 0 end
  for part, at in string.gmatch(text .. ":", "([^:]*):()") do
    if find(part, "^%x%x?%x?%x?$") then count = count + 1
    elseif last and at == #text + 2 and is_ipv4(part) then count = count + 2
    else return nil end
  end
  return count
end

local function is_ipv6(text)
  local head, tail = match(text, "^(.-)::(.*)$")
  if not head then return groups_of(text, true) == 8 end
  local before, behind = groups_of(head, false), groups_of(tail, true)
  return before ~= nil and behind ~= nil and before + behind < 8
end

-- RFC 5321's mailbox without quoted parts, or their international form.
local function is_email(text)
  local name, host = match(text, "^([^%s@\"(),:;<>%[%]\\]+)@([^%s@]+)$")
  if not name or find(name, "^%.") or find(name, "%.$") or find(name, "..", 1, true) then return false end
  return #name <= 64 and (is_hostname(gsub(host, "[\x80-\xFF]", "x")) and true or false)
end

local function is_reference(text)
  return not find(text, "[%s<>\"{}|\\^`\x80-\xFF\0-\31\127]") and not find(gsub(text, "%%%x%x", ""), "%", 1, true)
end

local function is_uri(text)
  return find(text, "^%a[%w+.-]*:") ~= nil and is_reference(text)
end

local function is_uuid(text)
  return match(text, "^%x+%-%x+%-%x+%-%x+%-%x+$") ~= nil and #text == 36
    and match(text, "^........%-....%-....%-....%-............$") ~= nil
end

local FORMATS = {
  ["date-time"] = is_date_time, date = is_date, time = is_time, email = is_email, hostname = is_hostname,
  ipv4 = is_ipv4, ipv6 = is_ipv6, uri = is_uri, ["uri-reference"] = is_reference, uuid = is_uuid,
  regex = function(text) return regex.compile(text) ~= nil end,
}

---------------------------------------------------------------------------------------------- telling

-- `state` is what a check has on its way: the steps to the value at hand, the faults so far, how deep it is.
local function tell(state, place, rule, value, text, ...)
  if #state.faults >= FAULTS_MOST then return end
  local path = places.path(state.steps)
  local told = value ~= nil and shown(value) or nil
  state.faults[#state.faults + 1] = {
    path = path, value = told, rule = rule, place = below(place, rule),
    text = format("%s %s", path, told and format("is %s: %s", told, format(text, ...)) or format(text, ...)),
  }
end

-- Checks what lies one step further.
local function descend(state, step, check, value)
  local steps = state.steps
  steps[#steps + 1] = step
  check(value, state)
  steps[#steps] = nil
end

-- The faults that one of several schemas finds, told to nobody.
local function tried(state, check, value)
  local told = state.faults
  state.faults = {}
  check(value, state)
  local found = state.faults
  state.faults = told
  return found
end

---------------------------------------------------------------------------------------------- keywords

-- Raised for a mistake in the schema; schema.compile catches it.
local function mistake(place, text, ...)
  error({ schema_mistake = format("%s: %s", place, format(text, ...)) }, 0)
end

local function want(place, name, value, fits, what)
  if not fits(value) then mistake(below(place, name), "%s is %s, not %s", name, what, shown(value)) end
  return value
end

local function is_count(value) return TYPES.integer(value) and value >= 0 end
local function is_names(value)
  if not is_list(value) then return false end
  for _, name in ipairs(value) do
    if type(name) ~= "string" then return false end
  end
  return true
end
local function is_nonempty(value) return is_list(value) and #value > 0 end

-- Each takes (argument, place of the schema, context) and returns check(value, state). context: compile(schema,
-- place), and object: the schema that the keyword stands in.
local KEYWORDS = {}

function KEYWORDS.type(names, place)
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

function KEYWORDS.enum(values, place)
  want(place, "enum", values, is_nonempty, "a list of values")
  return function(value, state)
    for i = 1, #values do
      if same(values[i], value) then return end
    end
    local texts = {}
    for _, one in ipairs(values) do texts[#texts + 1] = type(one) == "string" and one or nil end
    tell(state, place, "enum", value, "it is one of %s%s", sub(shown(values), 2, -2),
      type(value) == "string" and nearest.hint(value, texts) or "")
  end
end

function KEYWORDS.const(wanted, place)
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
  KEYWORDS[name] = function(number, place)
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
  { "minProperties", is_object, count_keys, true, "property" }, { "maxProperties", is_object, count_keys, false, "property" },
}
for _, size in ipairs(SIZES) do
  local name, applies, measure, least, unit = table.unpack(size)
  local many = unit == "property" and "properties" or unit .. "s"
  KEYWORDS[name] = function(bound, place)
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

local function compiled_pattern(pattern, place)
  local matcher, why, at = regex.compile(pattern)
  if matcher then return matcher end
  mistake(place, "%s can't be used: %s%s", shown(pattern), why, at and format(" (at character %d)", at) or "")
end

function KEYWORDS.pattern(pattern, place)
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

function KEYWORDS.format(name, place)
  want(place, "format", name, TYPES.string, "a text")
  local fits = FORMATS[name]
  if not fits then
    mistake(below(place, "format"), "there is no format %q%s", name, nearest.hint(name, keys_of(FORMATS)))
  end
  return function(value, state)
    if type(value) == "string" and not fits(value) then tell(state, place, "format", value, "it is no %s", name) end
  end
end

function KEYWORDS.uniqueItems(wanted, place)
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

function KEYWORDS.required(names, place)
  want(place, "required", names, is_names, "a list of names")
  return function(value, state)
    if not is_object(value) then return end
    for _, name in ipairs(names) do
      if value[name] == nil then
        descend(state, name, function() tell(state, place, "required", nil, "is missing: it is required") end)
      end
    end
  end
end

function KEYWORDS.dependentRequired(needs, place)
  want(place, "dependentRequired", needs, is_object, "an object of lists of names")
  for name, names in pairs(needs) do
    want(below(place, "dependentRequired"), name, names, is_names, "a list of names")
  end
  local sorted = keys_of(needs)
  return function(value, state)
    for _, name in ipairs(is_object(value) and sorted or {}) do
      for _, other in ipairs(value[name] ~= nil and needs[name] or {}) do
        if value[other] == nil then
          descend(state, other, function()
            tell(state, place, "dependentRequired", nil, "is missing: it is required beside %s", name)
          end)
        end
      end
    end
  end
end

---------------------------------------------------------------------------------------------- schemas within schemas

-- { NAME = schema } as { NAME = check }.
local function compile_all(schemas, place, context)
  local checks = {}
  for _, name in ipairs(keys_of(schemas)) do checks[name] = context.compile(schemas[name], below(place, name)) end
  return checks
end

local function compile_list(schemas, place, name, context)
  want(place, name, schemas, is_nonempty, "a list of schemas")
  local checks = {}
  for i, one in ipairs(schemas) do checks[i] = context.compile(one, below(below(place, name), i - 1)) end
  return checks
end

function KEYWORDS.properties(schemas, place, context)
  want(place, "properties", schemas, is_object, "an object of schemas")
  local checks, sorted = compile_all(schemas, below(place, "properties"), context), keys_of(schemas)
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
  for _, pattern in ipairs(keys_of(patterns)) do
    matchers[#matchers + 1] = { matcher = compiled_pattern(pattern, below(place, pattern)), pattern = pattern }
  end
  return matchers
end

function KEYWORDS.patternProperties(schemas, place, context)
  want(place, "patternProperties", schemas, is_object, "an object of schemas")
  local inner = below(place, "patternProperties")
  local checks, matchers = compile_all(schemas, inner, context), compile_patterns(schemas, inner)
  return function(value, state)
    for _, name in ipairs(is_object(value) and keys_of(value) or {}) do
      for _, one in ipairs(matchers) do
        if one.matcher:matches(name) then descend(state, name, checks[one.pattern], value[name]) end
      end
    end
  end
end

-- What stands in neither properties nor patternProperties. `false` is told with the nearest right name.
function KEYWORDS.additionalProperties(inner, place, context)
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
    for _, name in ipairs(is_object(value) and keys_of(value) or {}) do
      if is_known(name) then -- nothing to say
      elseif inner == false then
        descend(state, name, function()
          tell(state, place, "additionalProperties", nil, "is not allowed: there is no such property%s",
            nearest.hint(name, keys_of(known)))
        end)
      else
        descend(state, name, check, value[name])
      end
    end
  end
end

function KEYWORDS.propertyNames(inner, place, context)
  local check = context.compile(inner, below(place, "propertyNames"))
  return function(value, state)
    for _, name in ipairs(is_object(value) and keys_of(value) or {}) do descend(state, name, check, name) end
  end
end

function KEYWORDS.dependentSchemas(schemas, place, context)
  want(place, "dependentSchemas", schemas, is_object, "an object of schemas")
  local checks, sorted = compile_all(schemas, below(place, "dependentSchemas"), context), keys_of(schemas)
  return function(value, state)
    for _, name in ipairs(is_object(value) and sorted or {}) do
      if value[name] ~= nil then checks[name](value, state) end
    end
  end
end

function KEYWORDS.prefixItems(schemas, place, context)
  local checks = compile_list(schemas, place, "prefixItems", context)
  return function(value, state)
    for i = 1, is_list(value) and math.min(#value, #checks) or 0 do descend(state, i - 1, checks[i], value[i]) end
  end
end

function KEYWORDS.items(inner, place, context)
  if is_list(inner) then mistake(below(place, "items"), "items is one schema for all; a list of them is prefixItems") end
  local check = context.compile(inner, below(place, "items"))
  local first = is_list(context.object.prefixItems) and #context.object.prefixItems + 1 or 1
  return function(value, state)
    for i = first, is_list(value) and #value or 0 do descend(state, i - 1, check, value[i]) end
  end
end

-- With its minContains and maxContains.
function KEYWORDS.contains(inner, place, context)
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

function KEYWORDS.allOf(schemas, place, context)
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

function KEYWORDS.anyOf(schemas, place, context)
  local checks = compile_list(schemas, place, "anyOf", context)
  return function(value, state)
    local best, fitting = nearest_faults(state, checks, value)
    if #fitting == 0 then tell(state, place, "anyOf", value, NO_KIND, #checks, best[1].text) end
  end
end

function KEYWORDS.oneOf(schemas, place, context)
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

KEYWORDS["not"] = function(inner, place, context)
  local check = context.compile(inner, below(place, "not"))
  return function(value, state)
    if #tried(state, check, value) == 0 then tell(state, place, "not", value, "it is what it must not be") end
  end
end

KEYWORDS["if"] = function(inner, place, context)
  local check = context.compile(inner, below(place, "if"))
  local yes = context.object["then"] ~= nil and context.compile(context.object["then"], below(place, "then"))
  local no = context.object["else"] ~= nil and context.compile(context.object["else"], below(place, "else"))
  return function(value, state)
    local branch = no
    if #tried(state, check, value) == 0 then branch = yes end
    if branch then branch(value, state) end
  end
end

KEYWORDS["$ref"] = function(reference, place, context)
  want(place, "$ref", reference, TYPES.string, "a text")
  if not find(reference, "^#") then
    mistake(below(place, "$ref"), "%s is in another schema: $ref goes to a place in this one, such as #/$defs/address",
      shown(reference))
  end
  return function(value, state) context.resolve(reference)(value, state) end, reference
end

-- Those that stand beside another one, which reads them.
local BESIDE = { minContains = "contains", maxContains = "contains", ["then"] = "if", ["else"] = "if" }

-- Those that say something to people, or say where a schema is.
local SILENT = {
  ["$schema"] = true, ["$id"] = true, ["$comment"] = true, ["$defs"] = true, definitions = true, title = true,
  description = true, default = true, examples = true, deprecated = true, readOnly = true, writeOnly = true,
  contentEncoding = true, contentMediaType = true,
}

---------------------------------------------------------------------------------------------- compiling

local known_names = {}
for _, set in ipairs { KEYWORDS, BESIDE, SILENT } do
  for name in pairs(set) do known_names[#known_names + 1] = name end
end

local function passes() end

local function deeper(checks)
  return function(value, state)
    if state.depth == DEPTH_MOST then error({ schema_mistake = "the schema refers to itself without end" }, 0) end
    state.depth = state.depth + 1
    for i = 1, #checks do checks[i](value, state) end
    state.depth = state.depth - 1
  end
end

-- The value that a pointer such as "#/$defs/address" leads to, or nil.
local function pointed(root, pointer)
  local at = root
  for step in string.gmatch(sub(pointer, 2), "/([^/]*)") do
    step = gsub(step, "%%(%x%x)", function(hex) return string.char(tonumber(hex, 16)) end)
    step = gsub(gsub(step, "~1", "/"), "~0", "~")
    if type(at) ~= "table" then return nil end
    at = is_array(at) and math.tointeger(tonumber(step)) and at[math.tointeger(tonumber(step)) + 1] or at[step]
  end
  return at
end

local function compiler(root)
  local context, made, wanted = {}, {}, {}

  local function compile_keyword(object, name, place, checks)
    local make = KEYWORDS[name]
    if make then
      local around = { compile = context.compile, resolve = context.resolve, object = object }
      local check, reference = make(object[name], place, around)
      checks[#checks + 1] = check
      if reference then wanted[#wanted + 1] = { reference = reference, place = below(place, "$ref") } end
    elseif BESIDE[name] then
      if object[BESIDE[name]] == nil then
        mistake(below(place, name), "%s stands beside %s, which is not there", name, BESIDE[name])
      end
    elseif not SILENT[name] and not find(name, "^x%-") then
      mistake(below(place, name), "there is no keyword %s%s", name, nearest.hint(name, known_names))
    end
  end

  function context.compile(object, place)
    if object == true then return passes end
    if object == false then
      return function(value, state) tell(state, place, "false", value, "nothing may stand here") end
    end
    if not is_object(object) then mistake(place, "a schema is an object, true or false, not %s", shown(object)) end
    local checks = {}
    for _, name in ipairs(keys_of(object)) do compile_keyword(object, name, place, checks) end
    return deeper(checks)
  end

  function context.resolve(reference) return made[reference] end

  -- What $ref asks for, and what that asks for.
  function context.finish()
    while #wanted > 0 do
      local one = table.remove(wanted)
      if not made[one.reference] then
        local target = pointed(root, one.reference)
        if target == nil then mistake(one.place, "%s is not there", one.reference) end
        made[one.reference] = context.compile(target, one.reference)
      end
    end
  end
  return context
end

-- Everything below $defs is looked at, used or not.
local function compile(root)
  local context = compiler(root)
  local check = context.compile(root, "#")
  for _, name in ipairs { "$defs", "definitions" } do
    if type(root) == "table" and root[name] ~= nil then
      want("#", name, root[name], is_object, "an object of schemas")
      compile_all(root[name], "#/" .. name, context)
    end
  end
  context.finish()
  return check
end

-- Compiles the JSON text of a schema; `path` is its file, for messages. Returns a function of a decoded value that
-- gives the list of its faults (see above); or nil and what is wrong with the schema.
function schema.compile(text, path)
  local ok, root = pcall(json.decode, text)
  if not ok then return nil, format("%s: %s", path, (gsub(tostring(root), "^.-: ", "", 1))) end
  local compiled, check = pcall(compile, root)
  if not compiled and type(check) == "table" and check.schema_mistake then return nil, path .. check.schema_mistake end
  if not compiled then error(check, 0) end
  return function(value)
    local state = { steps = {}, faults = {}, depth = 0 }
    local done, why = pcall(check, value, state)
    if done then return state.faults end
    if type(why) ~= "table" or not why.schema_mistake then error(why, 0) end
    return { { path = "$", rule = "$ref", place = "#", text = "$ can't be checked: " .. why.schema_mistake } }
  end
end

return schema
