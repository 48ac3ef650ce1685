-- JSON Schema, the part of draft 2020-12 that payloads need, over decoded values (json.decode's). In commands and in
-- workers.
--
--   local checker = schema.compile(text, path)   or nil and what is wrong with the schema: "hello.schema.json#/type: …"
--   local faults = checker(value)                a list, empty where the value keeps to the schema
--
-- A fault is { path = "$.to.phone", value = (as JSON, cut short; nil where it is missing), rule = "pattern", place =
-- "#/properties/to/…/pattern", text = (all of it in words, but for the place) }; path and place as in
-- jaunt.schema.places. Not all of very many are told.
--
-- Known are the keywords of jaunt.schema.keywords and jaunt.schema.inner, and those that only tell people something; a
-- format is checked, as all else is. A keyword or a format that is not known is a mistake in the schema, not left
-- unchecked in silence; names that begin with x- are nobody's business. $ref goes to places in the same schema
-- (#/$defs/NAME).

local inner = require "jaunt.schema.inner"
local json = require "json"
local keys = require "jaunt.base.keys"
local keywords = require "jaunt.schema.keywords"
local nearest = require "jaunt.base.nearest"
local places = require "jaunt.schema.places"
local telling = require "jaunt.schema.telling"
local values = require "jaunt.schema.values"

local find, format, gsub, sub = string.find, string.format, string.gsub, string.sub
local below = places.below
local mistake, tell, want = telling.mistake, telling.tell, telling.want
local is_object, shown = values.is_object, values.shown

local schema = {}

local DEPTH_MOST = 128 -- of schemas within schemas at one check: more is one that refers to itself without end

-- Those that stand beside another one, which reads them.
local BESIDE = { minContains = "contains", maxContains = "contains", ["then"] = "if", ["else"] = "if" }

-- Those that say something to people, or say where a schema is.
local SILENT = {
  ["$schema"] = true, ["$id"] = true, ["$comment"] = true, ["$defs"] = true, definitions = true, title = true,
  description = true, default = true, examples = true, deprecated = true, readOnly = true, writeOnly = true,
  contentEncoding = true, contentMediaType = true,
}

local known_names = {}
for _, set in ipairs { keywords, inner, BESIDE, SILENT } do
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
    at = json.is_array(at) and math.tointeger(tonumber(step)) and at[math.tointeger(tonumber(step)) + 1] or at[step]
  end
  return at
end

local function compiler(root)
  local context, made, wanted = {}, {}, {}

  local function compile_keyword(object, name, place, checks)
    local make = keywords[name] or inner[name]
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
    for _, name in ipairs(keys.sorted(object)) do compile_keyword(object, name, place, checks) end
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
      for _, key in ipairs(keys.sorted(root[name])) do context.compile(root[name][key], below("#/" .. name, key)) end
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
