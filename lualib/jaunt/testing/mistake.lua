-- What a spec has done wrong with a word: told with the line of the spec, whatever lies between.

local mistake = {}

-- "FILE:LINE: " of the innermost function that is neither ours nor luassert's; "" where there is none.
local function place()
  local level, at = 2, nil
  repeat
    at, level = debug.getinfo(level, "Sl"), level + 1
  until not at or at.source:find("^@") and not at.source:find("lualib/jaunt/", 1, true)
    and not at.source:find("luassert", 1, true)
  return at and ("%s:%d: "):format(at.short_src, at.currentline) or ""
end

-- Raises a text behind the spec's place, unless that stands there already.
function mistake.told(text)
  local before = place()
  error(text:sub(1, #before) == before and text or before .. text, 0)
end

-- Raises formatted words behind the spec's place.
function mistake.raise(words, ...)
  error(place() .. words:format(...), 0)
end

return mistake
