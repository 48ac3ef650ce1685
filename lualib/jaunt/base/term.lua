-- What is shown on a terminal, and how: width, colours, wrapped text.
--
-- Colours only where a person looks: on a terminal that is not dumb, and not where NO_COLOR is set (to
-- anything but nothing; see no-color.org).

local native = require "jaunt.native.term"
local text_columns = require("jaunt.native.text").columns

local term = {}

local CODES = { bold = "1", dim = "2", red = "31", green = "32", yellow = "33", blue = "34", cyan = "36" }

-- Whether file descriptor `fd` (1 by default, standard output) is a terminal.
function term.isatty(fd)
  return native.isatty(fd or 1)
end

-- Whether what is written to `fd` (1 by default) can be written over: on a terminal that is not dumb.
function term.redraws(fd)
  return term.isatty(fd) and os.getenv("TERM") ~= "dumb"
end

-- Whether colours may be written to `fd` (1 by default).
function term.colours(fd)
  local no_color = os.getenv("NO_COLOR")
  if no_color and no_color ~= "" then return false end
  return term.redraws(fd)
end

-- Painters for `fd` (1 by default): term.paint(2).red("text") is the text in red, or the text as it is where
-- there are no colours. The names are bold, dim, red, green, yellow, blue, cyan.
function term.paint(fd)
  local on = term.colours(fd)
  local painters = {}
  for name, code in pairs(CODES) do
    painters[name] = function(text)
      return on and ("\27[%sm%s\27[0m"):format(code, text) or text
    end
  end
  return painters
end

-- Whether the terminal that is typed at gives single keys to whoever reads it, as to a program that has taken the screen.
function term.gives_keys()
  return native.gives_keys(0)
end

-- Columns of the terminal; elsewhere what COLUMNS says, or 80.
function term.width()
  return native.width(1) or math.tointeger(tonumber(os.getenv("COLUMNS") or "")) or 80
end

-- The text without what a terminal would obey: control characters (but for line ends and tabs), and the marks that turn
-- the direction of writing. Each becomes a "?". For texts that come from people's data.
function term.harmless(text)
  return (text:gsub("[\0-\8\11-\31\127]", "?"):gsub("\xC2[\x80-\x9F]", "?"):gsub("\xE2\x80[\xAA-\xAE]", "?")
    :gsub("\xE2\x81[\xA6-\xA9]", "?"))
end

-- A JSON text in which those controls are escaped, too, which JSON does not ask to be escaped, and a terminal may obey.
function term.escaped(text)
  return (text:gsub("\127", "\\u007f"):gsub("\xC2([\x80-\x9F])", function(c) return ("\\u%04x"):format(c:byte()) end))
end

-- The text as UTF-8: in the place of each byte that is none stands U+FFFD.
function term.utf8(text)
  local pieces, at = {}, 1
  local good, bad = utf8.len(text)
  while not good do
    pieces[#pieces + 1] = text:sub(at, bad - 1) .. "\u{FFFD}"
    at = bad + 1
    good, bad = utf8.len(text, at)
  end
  return table.concat(pieces) .. text:sub(at)
end

-- A text as one line that a terminal only shows.
function term.one_line(text)
  return (term.harmless(text):gsub("[\n\t]", " "))
end

-- How many columns a text takes.
function term.columns(text)
  return text:find("[\128-\255]") and text_columns(text) or #text
end

-- The text with blanks behind it, `width` columns wide at least.
function term.pad(text, width)
  return text .. (" "):rep(width - term.columns(text))
end

-- The text, with "…" in the place of what does not fit into `width` columns.
function term.cut(text, width)
  if term.columns(text) <= width then return text end
  local stop, room = 0, width - 1
  for last in text:gmatch(utf8.len(text) and "[^\128-\191][\128-\191]*()" or "()") do
    room = room - term.columns(text:sub(stop + 1, last - 1))
    if room < 0 then break end
    stop = last - 1
  end
  return text:sub(1, stop) .. "…"
end

-- Breaks a text at blanks into a list of lines of at most `width` columns, those after the first of `less` columns less (none by
-- default); longer words stay whole.
function term.wrap(text, width, less)
  local lines, line = {}, ""
  for word in text:gmatch("%S+") do
    if line == "" then
      line = word
    elseif term.columns(line) + 1 + term.columns(word) <= width then
      line = line .. " " .. word
    else
      if #lines == 0 then width = width - (less or 0) end
      lines[#lines + 1] = line
      line = word
    end
  end
  lines[#lines + 1] = line
  return lines
end

-- Prints a text to standard output; on a terminal it is broken at blanks, but for U+00A0, and what follows the first line is
-- indented by `indent` columns.
function term.say(text, indent)
  local lines = { text }
  if term.isatty() and term.columns(text) > term.width() then
    local first = text:match("^ *") -- wrap takes it away
    lines = term.wrap(text, term.width() - #first, indent - #first)
    lines[1] = first .. lines[1]
    for i = 2, #lines do lines[i] = (" "):rep(indent) .. lines[i] end
  end
  for _, line in ipairs(lines) do print((line:gsub("\u{A0}", " "))) end
end

-- Prints rows of { name, text } in two columns, the text wrapped beside its name.
function term.rows(rows)
  local left = 0
  for _, row in ipairs(rows) do left = math.max(left, term.columns(row[1])) end
  left = math.min(left, 28)
  local right = math.max(30, math.min(term.width(), 100) - left - 4)
  for _, row in ipairs(rows) do
    local lines = term.wrap(row[2] or "", right)
    local name = term.pad(row[1], left)
    if term.columns(row[1]) > left then
      print("  " .. row[1])
      name = (" "):rep(left)
    end
    for i, line in ipairs(lines) do
      local beside = i == 1 and name or (" "):rep(left)
      print((("  %s  %s"):format(beside, line):gsub("%s+$", "")))
    end
  end
end

return term
