-- Numbers and lengths of time as people read them.

local figures = {}

-- 1234567 as "1,234,567".
function figures.count(n)
  local digits = ("%d"):format(n)
  local text = digits:reverse():gsub("(%d%d%d)", "%1,"):reverse():gsub("^(%-?),", "%1")
  return text
end

local UNITS = { { 86400000, "d" }, { 3600000, "h" }, { 60000, "m" }, { 1000, "s" } }

-- Milliseconds with their two largest units: "6d 15h", "2m 5s", "350 ms".
function figures.duration(ms)
  ms = math.floor(ms + 0.5)
  if ms < 1000 then return ("%d ms"):format(ms) end
  if ms < 60000 then return ("%.1f s"):format(ms / 1000) end
  for i, unit in ipairs(UNITS) do
    if ms >= unit[1] then
      local small = UNITS[i + 1]
      local rest = small and (ms % unit[1]) // small[1] or 0
      return rest > 0 and ("%d%s %d%s"):format(ms // unit[1], unit[2], rest, small[2]) or ("%d%s"):format(ms // unit[1], unit[2])
    end
  end
end

-- A latency: "0.4 ms", "12 ms", "1.2 s".
function figures.latency(ms)
  if ms < 10 then return ("%.1f ms"):format(ms) end
  if ms < 1000 then return ("%.0f ms"):format(ms) end
  return ("%.1f s"):format(ms / 1000)
end

-- "1 person", "2 people": counted things.
function figures.of(n, one, many)
  return ("%s %s"):format(figures.count(n), n == 1 and one or many or one .. "s")
end

return figures
