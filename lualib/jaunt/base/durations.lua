-- Lengths of time as people type them.

local durations = {}

local MS = { ms = 1, s = 1000, m = 60 * 1000, h = 3600 * 1000, d = 24 * 3600 * 1000, w = 7 * 24 * 3600 * 1000 } -- as for wait

-- The milliseconds of a duration such as "250ms", "10s" or "1h30m"; nil for anything else.
function durations.read(text)
  local total, at = 0, 1
  while at <= #text do
    local number, unit, next_at = text:match("^(%d+%.?%d*)(%a+)()", at)
    if not MS[unit] then return nil end
    total, at = total + tonumber(number) * MS[unit], next_at
  end
  return at > 1 and math.floor(total + 0.5) or nil
end

return durations
