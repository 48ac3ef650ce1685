-- journey "NAME" { … }: what a journey declares, checked.
--
-- A definition has the fields name, flow, starts_on, per, reentry, goal, control, exit_on; goal and every item of
-- exit_on have the form { "event", where = function, within = duration }.

local nearest = require "jaunt.base.nearest"

local journey = {}

local FIELDS = { "starts_on", "per", "reentry", "goal", "control", "exit_on", "flow" }

local function fail(name, message, ...)
  error(("journey \"%s\": " .. message):format(name, ...), 0)
end

-- An event as it is written, "name" or { "name", where =, within = }, in its long form.
local function event_form(name, field, value)
  if type(value) == "string" then return { value } end
  if type(value) ~= "table" or type(value[1]) ~= "string" then
    fail(name, "%s is an event's name, or { \"name\", where = function, within = \"7d\" }", field)
  end
  for key in pairs(value) do
    if key ~= 1 and key ~= "where" and key ~= "within" then
      fail(name, "%s has no field %s%s", field, tostring(key),
        nearest.hint(tostring(key), { "where", "within" }))
    end
  end
  if value.where ~= nil and type(value.where) ~= "function" then
    fail(name, "%s: where is a function(event, own_event)", field)
  end
  return value
end

-- One event or a list of them, as a list. { "a", "b" } is a list; with a field by name it is one event.
local function event_list(name, field, value)
  local items = type(value) == "table" and #value or 0
  for key in pairs(items > 0 and value or {}) do
    if math.type(key) ~= "integer" then items = 0 end
  end
  if items == 0 then return { event_form(name, field, value) } end
  local list = {}
  for i, item in ipairs(value) do list[i] = event_form(name, field, item) end
  return list
end

-- Complains of a `within` that is no duration. Only where scripts are looked at.
local function check_within(name, field, event)
  local within = event and event.within
  if within == nil or type(within) == "number" and within >= 0 and within < math.huge then return end
  if type(within) ~= "string" then fail(name, "%s: within is a duration such as \"7d\", not a %s", field, type(within)) end
  local ms, why = require "jaunt.native.engine".duration(within)
  if not ms then fail(name, "%s: within: %s", field, why) end
end

-- The share that `control = "10%"` (or 0.1) means, from 0 to 1.
local function share(name, value)
  local number = type(value) == "string" and tonumber(value:match("^%s*([%d.]+)%s*%%$"))
  number = number and number / 100 or type(value) == "number" and value or nil
  if not (number and number >= 0 and number <= 1) then
    fail(name, "control is a share such as \"10%%\", not %s", tostring(value))
  end
  return number
end

-- How long after the end of a run the person may enter again, in milliseconds; -1: never. Only where scripts are looked at.
local function reentry_of(name, value)
  if value == nil or value == "never" then return -1 end
  if value == "always" then return 0 end
  local ms, why = require "jaunt.native.engine".duration(tostring(value))
  if not ms then fail(name, "reentry is \"never\", \"always\" or a duration since the last end: %s", why) end
  return ms
end

-- The event's field within whose value a person has one living run at a time. Only where scripts are looked at.
local function per_of(name, value)
  if value == nil or type(value) == "string" and value ~= "" then return value end
  fail(name, "per is the name of a field of the event, not %s", tostring(value))
end

-- `journey` as scripts see it: journey "NAME" { … } gives the definition, not yet checked.
function journey.declare(name)
  if type(name) ~= "string" or name == "" then error("journey takes a name: journey \"NAME\" { … }", 2) end
  return function(definition)
    if type(definition) ~= "table" then error(("journey %q takes a table: journey %q { … }"):format(name, name), 2) end
    definition.name = name
    return definition
  end
end

-- Brings goal and exit_on of a definition, of the journey `name`, that was checked before into their long form.
function journey.events_of(definition, name)
  local goal, exit_on = definition.goal, definition.exit_on
  return goal and event_form(name, "goal", goal), exit_on and event_list(name, "exit_on", exit_on)
end

-- Checks a definition; raises what is wrong with it, in words. Returns { name =, starts_on = (event's name or nil),
-- control = (0 to 1), reentry_ms =, per =, goal =, exit_on = }.
function journey.check(definition)
  if type(definition) ~= "table" or not definition.name then
    error("it returns no journey: its last line is return journey \"NAME\" { … }", 0)
  end
  local name = definition.name
  for key in pairs(definition) do
    local known = key == "name"
    for _, field in ipairs(FIELDS) do known = known or field == key end
    if not known then
      fail(name, "there is no field %s%s", tostring(key), nearest.hint(tostring(key), FIELDS))
    end
  end
  if type(definition.flow) ~= "function" then fail(name, "flow is missing: flow = function(person, event) … end") end
  local goal, exit_on = journey.events_of(definition, name)
  local starts_on = definition.starts_on and event_form(name, "starts_on", definition.starts_on)
  check_within(name, "starts_on", starts_on)
  check_within(name, "goal", goal)
  for _, event in ipairs(exit_on or {}) do check_within(name, "exit_on", event) end
  return {
    name = name, starts_on = starts_on and starts_on[1], goal = goal, exit_on = exit_on,
    control = definition.control ~= nil and share(name, definition.control) or 0,
    reentry_ms = reentry_of(name, definition.reentry), per = per_of(name, definition.per),
  }
end

return journey
