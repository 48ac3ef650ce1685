-- What a person says about people and figures on the command line: --where and --stop-if.

local cli = require "jaunt.cli"
local engine = require "jaunt.native.engine"
local json = require "json"
local term = require "jaunt.term"
local nearest = require "jaunt.nearest"

local conditions = {}

-- The names that an expression may use besides the person's attributes.
local LIBRARY = {
  tonumber = tonumber, tostring = tostring, type = type, string = string, math = math, json = json,
}

-- A Lua expression of --where, compiled: a function(person, names) that gives ok, value as pcall does. Attributes of the person
-- stand there bare (country == "DE") or as person.country; names, a table, has what stands there besides.
function conditions.expression(text)
  local person, names
  local environment = setmetatable({}, {
    __index = function(_, name)
      if name == "person" then return person end
      local value = person[name]
      if value == nil and names then value = names[name] end
      if value == nil then return LIBRARY[name] end
      if value == json.null then return nil end
      return value
    end,
  })
  local check, why = load("return " .. text, "=--where", "t", environment)
  if not check then cli.fail("--where: %s", (why:gsub("^%-%-where:1: ", ""))) end
  return function(next_person, next_names)
    person, names = next_person, next_names
    return pcall(check)
  end
end

-- What it raised, for a person to read.
function conditions.complaint(raised)
  return term.harmless((tostring(raised):gsub("^%-%-where:1: ", "")))
end

-- --where over the people of a file: a function(person, line) that says whether the person is meant; where it fails, that is told
-- with the line.
function conditions.where(expression)
  local check = conditions.expression(expression)
  return function(person, line)
    local ok, value = check(person)
    if ok then return value end
    cli.fail("--where fails for %s in line %d: %s", term.harmless(tostring(person.id)), line, conditions.complaint(value))
  end
end

local LIMITS = { "run_memory", "worker_memory", "text", "slice_time", "pattern_steps", "coroutines" }

-- --limits "run_memory=32MiB slice_time=1s": what scripts may use, as jaunt.native.engine takes it.
function conditions.limits(text)
  local limits = {}
  for word in text:gmatch("[^%s,]+") do
    local name, value = word:match("^([%w_]+)=(.+)$")
    if not name then cli.fail("--limits takes NAME=VALUE, such as run_memory=32MiB, not \"%s\"", word) end
    local known = false
    for _, limit in ipairs(LIMITS) do known = known or limit == name end
    if not known then
      cli.fail("--limits: there is no limit %s%s; there are %s", name, nearest.hint(name, LIMITS), table.concat(LIMITS, ", "))
    end
    limits[name] = value
  end
  local ok, why = pcall(engine.check_limits, { limits = limits })
  if not ok then cli.fail("--limits: %s", why) end
  return limits
end

local COUNTED = { dropped = true, held = true, exited = true, completed = true }

-- --stop-if: "dropped > 5%" (of those that have ended or are held, once there are 100) or "held > 10". Returns a
-- function of (a function that gives the figures) that gives the reason to stop, or nil.
function conditions.stop_if(text)
  local what, number, percent = text:match("^%s*(%a+)%s*>%s*(%d+%.?%d*)%s*(%%?)%s*$")
  if not what or not COUNTED[what] then
    cli.fail("--stop-if takes such as \"dropped > 5%%\" or \"held > 10\" (dropped, held, exited, completed), not \"%s\"", text)
  end
  local bound = tonumber(number)
  return function(look)
    local figures = look()
    local value = figures[what]
    if percent == "%" then
      local settled = figures.completed + figures.dropped + figures.exited + figures.held
      if settled < 100 then return nil end
      value = value * 100 / settled
    end
    if value > bound then return ("stopped, because %s"):format(text) end
  end
end

return conditions
