-- What a person says on the command line of limits and of when to stop: --limits and --stop-if.

local engine = require "jaunt.native.engine"
local mistakes = require "jaunt.base.mistakes"
local nearest = require "jaunt.base.nearest"

local conditions = {}

local LIMITS = { "run_memory", "worker_memory", "text", "slice_time", "pattern_steps", "coroutines", "elements", "inbox" }

-- --limits "run_memory=32MiB slice_time=1s": what scripts may use, as jaunt.native.engine takes it.
function conditions.limits(text)
  local limits = {}
  for word in text:gmatch("[^%s,]+") do
    local name, value = word:match("^([%w_]+)=(.+)$")
    if not name then mistakes.fail("--limits takes NAME=VALUE, such as run_memory=32MiB, not \"%s\"", word) end
    local known = false
    for _, limit in ipairs(LIMITS) do known = known or limit == name end
    if not known then
      mistakes.fail("--limits: there is no limit %s%s; there are %s", name, nearest.hint(name, LIMITS), table.concat(LIMITS, ", "))
    end
    limits[name] = value
  end
  local ok, why = pcall(engine.check_limits, { limits = limits })
  if not ok then mistakes.fail("--limits: %s", why) end
  return limits
end

local COUNTED = { dropped = true, held = true, exited = true, completed = true }

-- --stop-if: "dropped > 5%" (of those that have ended or are held, once there are 100) or "held > 10". Returns a
-- function of (a function that gives the figures) that gives the reason to stop, or nil.
function conditions.stop_if(text)
  local what, number, percent = text:match("^%s*(%a+)%s*>%s*(%d+%.?%d*)%s*(%%?)%s*$")
  if not what or not COUNTED[what] then
    mistakes.fail("--stop-if takes such as \"dropped > 5%%\" or \"held > 10\" (dropped, held, exited, completed), not \"%s\"", text)
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
