-- A run's story in a few lines, for the messages of assertions that fail.

local engine = require "jaunt.native.engine"
local term = require "jaunt.base.term"

local telling = {}

-- Why an entry is as it is, behind `mark`; "" where it has no reason.
local function reason_of(entry, mark)
  local detail = entry.detail and entry.detail ~= "" and ": " .. entry.detail or ""
  return entry.reason and mark .. entry.reason .. detail or ""
end

local WORDS = {
  enter = function() return "enters" end,
  call = function(entry)
    local attempt = entry.attempts[#entry.attempts]
    local how = entry.result or "under way"
    local status = attempt and attempt.status > 0 and (" (%d)"):format(attempt.status) or ""
    return ("%q: %s%s%s"):format(entry.name, how, status, reason_of(entry, ", "))
  end,
  wait = function(entry)
    local till = entry.until_ms and " until " .. engine.rfc3339(entry.until_ms) or ""
    return ("%s%s%s"):format(entry.name, till, entry.over_ms and (entry.by == "event" and ": it came" or ": over") or ": waits")
  end,
  split = function(entry) return ("split %q: %s"):format(entry.name, entry.verdict) end,
  write = function(entry) return ("person.%s = %s"):format(entry.name, entry.value) end,
  ["end"] = function(entry) return entry.outcome .. reason_of(entry, ": ") end,
}

-- The story of a row (see jaunt.testing.world's look) as text, an entry a line.
function telling.story(row)
  local lines = {}
  for _, entry in ipairs(row.story) do
    local words = WORDS[entry.what]
    if words then lines[#lines + 1] = "  " .. term.one_line(engine.rfc3339(entry.at_ms) .. "  " .. words(entry)) end
  end
  return table.concat(lines, "\n")
end

-- Where a run is, in words.
function telling.place(row)
  local at = row.element and (" at %q"):format(row.element) or ""
  local why = row.reason and (" (%s%s)"):format(row.reason, row.detail and row.detail ~= "" and ": " .. row.detail or "") or ""
  return row.state .. at .. why
end

return telling
