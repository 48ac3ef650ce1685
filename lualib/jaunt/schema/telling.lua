-- What a check says: the faults of a value, and mistakes in the schema itself.

local places = require "jaunt.schema.places"
local shown = require("jaunt.schema.values").shown

local below, format = places.below, string.format

local telling = {}

local FAULTS_MOST = 20

-- Faults

-- `state` is what a check has on its way: the steps to the value at hand, the faults so far, how deep it is.
function telling.tell(state, place, rule, value, text, ...)
  if #state.faults >= FAULTS_MOST then return end
  local path = places.path(state.steps)
  local told = value ~= nil and shown(value) or nil
  state.faults[#state.faults + 1] = {
    path = path, value = told, rule = rule, place = below(place, rule),
    text = format("%s %s", path, told and format("is %s: %s", told, format(text, ...)) or format(text, ...)),
  }
end

-- Checks what lies one step further.
function telling.descend(state, step, check, value)
  local steps = state.steps
  steps[#steps + 1] = step
  check(value, state)
  steps[#steps] = nil
end

-- Tells of something one step further that is not there, or must not be.
function telling.tell_below(state, step, place, rule, text, ...)
  local steps = state.steps
  steps[#steps + 1] = step
  telling.tell(state, place, rule, nil, text, ...)
  steps[#steps] = nil
end

-- The faults that one of several schemas finds, told to nobody.
function telling.tried(state, check, value)
  local told = state.faults
  state.faults = {}
  check(value, state)
  local found = state.faults
  state.faults = told
  return found
end

-- Mistakes in the schema

-- Raised for a mistake in the schema; schema.compile catches it.
function telling.mistake(place, text, ...)
  error({ schema_mistake = format("%s: %s", place, format(text, ...)) }, 0)
end

-- Asks for an argument of a keyword that fits, `what` in words; returns it.
function telling.want(place, name, value, fits, what)
  if not fits(value) then telling.mistake(below(place, name), "%s is %s, not %s", name, what, shown(value)) end
  return value
end

return telling
