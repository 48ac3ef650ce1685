-- What a person says of people and runs on the command line: --where EXPR.

local json = require "json"
local keys = require "jaunt.base.keys"
local mistakes = require "jaunt.base.mistakes"
local term = require "jaunt.base.term"

local where = {}

-- The names that an expression may use besides the person's attributes.
local LIBRARY = {
  tonumber = tonumber, tostring = tostring, type = type, string = string, math = math, json = json,
}

-- A Lua expression of --where, compiled: a function(person, names) that gives ok, value as pcall does. Attributes of the person
-- stand there bare (country == "DE") or as person.country; names, a table, has what stands there besides. And a function that gives
-- the bare names, in order, that nothing has stood under so far, such as a text that lacks its quotes.
function where.expression(text)
  local person, names
  local met = {} -- names that were asked for: whether anything stood there once
  local environment = setmetatable({}, {
    __index = function(_, name)
      if name == "person" then return person end
      local value = person[name]
      if value == nil and names then value = names[name] end
      if value == nil then value = LIBRARY[name] end
      met[name] = met[name] or value ~= nil
      if value == json.null then return nil end
      return value
    end,
  })
  local check, why = load("return " .. text, "=--where", "t", environment)
  if not check then mistakes.fail("--where: %s", (why:gsub("^%-%-where:1: ", ""))) end
  return function(next_person, next_names)
    person, names = next_person, next_names
    return pcall(check)
  end, function()
    local missed = {}
    for _, name in ipairs(keys.sorted(met)) do
      if not met[name] then missed[#missed + 1] = name end
    end
    return missed
  end
end

-- What it raised, for a person to read.
function where.complaint(raised)
  return term.harmless((tostring(raised):gsub("^%-%-where:1: ", "")))
end

-- --where over the people of a file: a function(person, line) that says whether the person is meant; where it fails, that is told
-- with the line.
function where.people(expression)
  local check = where.expression(expression)
  return function(person, line)
    local ok, value = check(person)
    if ok then return value end
    mistakes.fail("--where fails for %s in line %d: %s", term.harmless(tostring(person.id)), line, where.complaint(value))
  end
end

return where
