-- The way to each step, in words: what has to have happened before somebody comes there.

local scope = require "jaunt.lua.scope"
local steps = require "jaunt.docs.steps"

local ways = {}

local AFTER = "^after "
local AFTER_MOST = 3 -- of what stands before a step, the last ones are told: the others have to have been before these

local function with(way, ...)
  local longer = table.move(way, 1, #way, 1, {})
  for _, text in ipairs { ... } do longer[#longer + 1] = text end
  return longer
end

local function loop_words(step)
  if step.form == "each" then return "in each round: " .. step.text end
  if step.form == "ever" then return "in each round of a loop" end
  if step.form == "while" then return "as long as " .. step.words:holds(step.test, true) end
  return "in each round, until " .. step.words:holds(step.test, true)
end

local add_ways -- to a list of steps

local function way_behind_choice(step, way)
  local yes, no = step.words:holds(step.test, true), step.words:holds(step.test, false)
  add_ways(step.yes, with(way, "if " .. yes))
  add_ways(step.no, with(way, "if " .. no))
  local yes_falls, no_falls = steps.falls(step.yes), steps.falls(step.no)
  if yes_falls == no_falls then return way end
  return with(way, "if " .. (yes_falls and yes or no))
end

local function way_behind_switch(step, way)
  local what = step.words:value(step.subject)
  local values = {}
  for _, case in ipairs(step.cases) do
    if case.value then values[#values + 1] = ("\"%s\""):format(case.value) end
    local said = case.value and ("if %s is \"%s\""):format(what, case.value)
      or ("if %s is not %s"):format(what, table.concat(values, " or "))
    add_ways(case.steps, with(way, said))
  end
  return way
end

local function way_behind_loop(step, way)
  add_ways(step.body, with(way, loop_words(step)))
  if step.form == "while" then return with(way, "once " .. step.words:holds(step.test, false)) end
  if step.form == "repeat" then return with(way, "once " .. step.words:holds(step.test, true)) end
  return way
end

-- How a call is told of on the way of what comes behind it; nil where that comes in any case.
local function call_on_the_way(step)
  local policy = step.call.fields and scope.field(step.call.fields, "on_failure")
  if policy and step.words:literal(policy) == "continue" then return nil end
  local may_go_on = policy and step.words:literal(policy) == nil
  return ("after “%s” went well%s"):format(step.name, may_go_on and ", or was to go on" or "")
end

local BEHIND = {
  choice = way_behind_choice, switch = way_behind_switch, loop = way_behind_loop,
  call = function(step, way)
    local said = call_on_the_way(step)
    return said and with(way, said) or way
  end,
  wait = function(step, way) return with(way, "after the " .. step.text) end,
}

add_ways = function(list, way)
  for _, step in ipairs(list) do
    step.way = way
    local behind = BEHIND[step.kind]
    if behind then way = behind(step, way) end
  end
end

-- Gives every step of the list `way`: a list of texts; an empty one where everybody comes.
function ways.add(list) add_ways(list, {}) end

-- A way without what goes without saying: of many elements that come before, the last few are named.
function ways.shortened(way)
  local befores, short = 0, {}
  for _, text in ipairs(way) do befores = befores + (text:find(AFTER) and 1 or 0) end
  for _, text in ipairs(way) do
    local is_before = text:find(AFTER)
    if not is_before or befores <= AFTER_MOST then short[#short + 1] = text end
    befores = befores - (is_before and 1 or 0)
  end
  return short
end

return ways
