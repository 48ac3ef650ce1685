-- What is wrong with a template, or why it gives no text: told with file, line, column, the line itself and a caret.
--
-- A source is { text =, path = }: the bytes of a template and the name of its file for messages. While a template is
-- compiled, a mistake is raised with fault.raise, and jaunt.liquid catches it; while it is rendered, jaunt.liquid
-- makes the fault from what was raised. A fault is
--   { text =, hint = or nil, path =, line =, column =, excerpt =, what =, reason = or nil }
-- `what` is "syntax", "render" or "limit" for mistakes; "skip", "drop" and "hold" are a template's own decisions and
-- carry `reason`. Columns count characters from 1, as do lines. tostring(fault) is the whole of it.

local native = require "jaunt.native.text"
local nearest = require "jaunt.base.nearest"

local columns = native.columns
local find, sub, gsub, rep, format = string.find, string.sub, string.gsub, string.rep, string.format

local fault = {}

local LONGEST = 40 -- of a piece in a message; of a word that may be a mistyped name
local WIDEST = 70 -- columns of an excerpt: with its number it fits into a narrow terminal

local meta = {
  __name = "liquid fault",
  __tostring = function(self)
    local hint = self.hint and "; " .. self.hint or ""
    return format("%s:%d:%d: %s%s\n%s", self.path, self.line, self.column, self.text, hint, self.excerpt)
  end,
}

-- Whether a value that was raised is a fault.
function fault.is(value)
  return getmetatable(value) == meta
end

-- How many characters a piece of text has: bytes where it is not UTF-8.
local function characters(text)
  return utf8.len(text) or #text
end

-- The line that holds the byte at `at`: its number, and the offsets of its first byte and of its end.
local function line_at(text, at)
  local line, first = 1, 1
  local newline = find(text, "\n", 1, true)
  while newline and newline < at do
    line, first = line + 1, newline + 1
    newline = find(text, "\n", first, true)
  end
  local last = (newline or #text + 1) - 1
  return line, first, sub(text, last, last) == "\r" and last - 1 or last
end

-- A text as it can be printed on one line: tabs as a space; other control characters, and what is not UTF-8, as "?".
local function printable(text)
  if not utf8.len(text) then text = gsub(text, "[\128-\255]", "?") end
  return (gsub(gsub(text, "[\t\r]", " "), "%c", "?"))
end

-- A piece of a source as a message has it: on one line, and not too long.
function fault.show(text)
  local stop = #text > LONGEST and utf8.len(text) and utf8.offset(text, LONGEST)
  if stop then text = sub(text, 1, stop - 1) .. "…" end
  return printable(text)
end

-- A hint at the one of `names` (a list) that a mistyped word is nearest to; nil for none.
function fault.did_you_mean(word, names)
  local name = #word <= LONGEST and nearest.find(word, names)
  return name and format("did you mean %s?", name) or nil
end

-- How much of a line fits into so many columns before `at`: the offset where it begins.
local function back(text, first, at, room)
  while at > first do
    local start = at - 1
    while start > first and find(text, "^[\128-\191]", start) do start = start - 1 end
    room = room - columns(sub(text, start, at - 1))
    if room < 0 then break end
    at = start
  end
  return at
end

-- How much of it fits from `at` on: the offset where it ends.
local function forward(text, last, at, room)
  while at <= last do
    local stop = at
    while stop < last and find(text, "^[\128-\191]", stop + 1) do stop = stop + 1 end
    room = room - columns(sub(text, at, stop))
    if room < 0 then break end
    at = stop + 1
  end
  return at - 1
end

-- The part of a line that is shown around `at`: all of it where it fits; else most of it is what stands before.
local function window(text, first, last, at)
  local start, stop = first, last
  if last - first >= WIDEST and columns(printable(sub(text, first, last))) > WIDEST then
    stop = forward(text, last, at, WIDEST // 3)
    start = back(text, first, at, WIDEST - columns(printable(sub(text, at, stop))))
    if start == first then stop = forward(text, last, at, WIDEST - columns(printable(sub(text, first, at - 1)))) end
  end
  return start, stop
end

-- The line with a caret under the byte at `at`.
local function excerpt(text, line, first, last, at)
  local start, stop = window(text, first, last, at)
  local before = (start > first and "…" or "") .. printable(sub(text, start, at - 1))
  local after = printable(sub(text, at, stop)) .. (stop < last and "…" or "")
  local number = format("%d", line)
  return format("  %s | %s%s\n  %s | %s^", number, before, after, rep(" ", #number), rep(" ", columns(before)))
end

-- A fault at byte `at` of `source`. `more` may hold hint (what would be right, in words), what ("syntax" unless said
-- otherwise) and reason.
function fault.new(source, at, text, more)
  more = more or {}
  local all = source.text
  at = math.max(1, math.min(at, #all + 1))
  local line, first, last = line_at(all, at)
  return setmetatable({
    text = printable(text),
    hint = more.hint,
    path = source.path,
    line = line,
    column = characters(sub(all, first, at - 1)) + 1,
    excerpt = excerpt(all, line, first, last, at),
    what = more.what or "syntax",
    reason = more.reason,
  }, meta)
end

-- Raises a fault of the kind "syntax".
function fault.raise(source, at, text, hint)
  error(fault.new(source, at, text, { hint = hint }), 0)
end

return fault
