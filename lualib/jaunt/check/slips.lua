-- What a script that is no Lua was meant to be: the habits of other languages, and blocks without their `end`.

local lexer = require "jaunt.lua.lexer"

local slips = {}

-- What stands at the mistake, or right before it, and what Lua has instead.
local HABITS = {
  { "^!=", "Lua's \"is not\" is ~=" }, { "^&&", "Lua says and" }, { "^||", "Lua says or" }, { "^!", "Lua says not" },
  { "^&", "Lua says and" }, { "^|", "Lua says or" },
  { "^%+%+", "Lua has no ++: n = n + 1" }, { "^%-=", "Lua has no -=: n = n - 1" }, { "^[%+%*/%.]+=", "Lua has no such assignment: n = n + 1" },
  { "^=[^=]", "two values are compared with ==" }, { "^//", "a comment begins with --" }, { "^/%*", "a comment begins with --" },
  { "^%?", "Lua has no ?: a and b or c" }, { "^\u{201C}", "a text stands in plain quotes" }, { "^\u{201D}", "a text stands in plain quotes" },
  { "^\u{201E}", "a text stands in plain quotes" }, { "^\u{2018}", "a text stands in plain quotes" }, { "^\u{2019}", "a text stands in plain quotes" },
  { "^[\xC2-\xF4]", "names are made of the letters a to z, digits and _" },
}

local AFTER_VALUE = { ["="] = true } -- `a = b` is an assignment where a statement may stand

-- Something to say about the bytes at the mistake; nil where nothing is known.
local function habit(text, mistake)
  local at = mistake.at
  if text:find("^%s*[%+%-]", at) and text:sub(at, at + 1) == "--" then return nil end
  if AFTER_VALUE[text:sub(at, at)] and not mistake.text:find("'then' is expected", 1, true) and not mistake.text:find("'do' is expected", 1, true) then
    return nil
  end
  if text:sub(at - 1, at) == "&&" then at = at - 1 end
  if text:sub(at - 1, at) == "||" then at = at - 1 end
  for _, one in ipairs(HABITS) do
    if text:find(one[1], at) then return one[2] end
  end
  local word = text:sub(1, at - 1):match("([%a_]+)%s*$")
  if word and not lexer.KEYWORDS[word] and lexer.KEYWORDS[word:lower()] then return ("Lua's words are written small: %s"):format(word:lower()) end
end

---------------------------------------------------------------------------------------------- blocks without an end

local OPENS = { ["if"] = true, ["function"] = true, ["do"] = true, ["repeat"] = true }
local CLOSES = { ["end"] = true, ["until"] = true }

-- How far the line is indented in which `at` stands, and whether something else stands before it there.
local function indentation(text, at)
  local line = text:sub(1, at - 1):match("[^\n]*$")
  local blank = line:match("^%s*")
  return #blank, #line > #blank
end

-- The first block that is closed by an `end` which is less indented than the line that opened it: it lacks one of its own.
local function unclosed(text)
  local open = {}
  for _, token in ipairs(lexer.tokens(text)) do
    if token.kind == "keyword" and OPENS[token.value] then
      open[#open + 1] = token
    elseif token.kind == "keyword" and CLOSES[token.value] and #open > 0 then
      local opener = table.remove(open)
      local depth, is_behind = indentation(text, token.at)
      if not is_behind and depth < indentation(text, opener.at) then return opener end
    end
  end
  return open[#open]
end

---------------------------------------------------------------------------------------------- all

-- Says of a mistake (see jaunt.lua.parser) what was meant. Returns where to point (an offset), the text, and a hint or nil.
function slips.explain(text, mistake)
  local hint = habit(text, mistake)
  if hint then return mistake.at, mistake.text, hint end
  local opener = (mistake.text:find("is expected", 1, true)) and unclosed(text)
  if not opener or opener.at >= mistake.at then return mistake.at, mistake.text, nil end
  local is_else_if = text:sub(1, opener.at - 1):find("else%s+$") or text:find("^[^\n]*\n.-else[ \t]+if%f[%W]", opener.at)
  return opener.at, ("this '%s' has no end of its own"):format(opener.value), is_else_if and "else if opens another block, elseif does not" or nil
end

return slips
