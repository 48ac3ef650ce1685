-- Points in time as commands show them: for people in this machine's zone, for programs as RFC 3339.

local engine = require "jaunt.native.engine"

local times = {}

-- "2026-11-25 09:00:00", by this machine's clocks.
function times.local_time(ms)
  return os.date("%Y-%m-%d %H:%M:%S", ms // 1000)
end

-- The same without seconds where there are none.
function times.short(ms)
  return (times.local_time(ms):gsub(":00$", ""))
end

-- "2026-11-25".
function times.date(ms)
  return os.date("%Y-%m-%d", ms // 1000)
end

-- "09:00:00".
function times.clock(ms)
  return os.date("%H:%M:%S", ms // 1000)
end

-- The zone's short name: "CET".
function times.zone()
  return os.date("%Z")
end

-- RFC 3339; nil for nil.
function times.rfc3339(ms)
  return ms and engine.rfc3339(ms) or nil
end

return times
