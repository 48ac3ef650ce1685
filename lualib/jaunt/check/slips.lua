-- What a script that is no Lua was meant to be: the habits of other languages, and blocks without their `end`.

local lexer = require "jaunt.lua.lexer"

local slips = {}

---------------------------------------------------------------------------------------------- habits

-- What is said of the bytes at a mistake, and the patterns that they match; the first that fits.
local HABITS = {
  { 'Lua\'s "is not" is ~=', "^!=" },
  { "Lua says and", "^&" },
  { "Lua says or", "^|" },
  { "Lua says not", "^!" },
  { "Lua has no ++: n = n + 1", "^%+%+" },
  { "Lua has no such assignment: n = n + 1", "^[%+%*/%.]+=", "^%-=" },
  { "a comment begins with --", "^//", "^/%*", "^#" },
  { "Lua has no ?: a and b or c", "^%?" },
  { "a text stands in plain quotes", "^\u{201C}", "^\u{201D}", "^\u{201E}", "^\u{2018}", "^\u{2019}" },
  { "names are made of the letters a to z, digits and _", "^[\xC2-\xF4]" },
}

-- What is said of bytes that stand where the message expects something else.
local INSTEAD = {
  ["'then' is expected"] = {
    { "two values are compared with ==", "^=[^=]" }, { "a block begins with then, and ends with end", "^{" },
  },
  ["'do' is expected"] = {
    { "two values are compared with ==", "^=[^=]" }, { "a block begins with do, and ends with end", "^{" },
  },
  ["'}' is expected"] = {
    { "a field is written NAME = value", "^:" }, { "an end too many?", "^end%f[%W]" },
    { "is a comma missing before it?", "^[%w_\"'%[]" },
  },
}

local NO_AWAITING = "nothing is awaited: calls and waits need no word for it"

-- What is said of the word before a mistake.
local WORDS = {
  let = "Lua says local x = 1", var = "Lua says local x = 1", const = "Lua says local x <const> = 1",
  elif = "Lua says elseif", async = NO_AWAITING, await = NO_AWAITING,
}

-- The first of `rows` that has a pattern for the bytes at `at`; nil where none has.
local function said_of(rows, text, at)
  for _, row in ipairs(rows or {}) do
    for i = 2, #row do
      if text:find(row[i], at) then return row[1] end
    end
  end
end

-- Something to say about a mistake; nil where nothing is known.
local function habit(text, mistake)
  local at = mistake.at
  local before = text:sub(1, at - 1)
  if mistake.text:find("^a name is expected") and before:find(":%s*$") then return "a field is written NAME = value" end
  local said = said_of(INSTEAD[mistake.text:match("^'%S+' is expected")], text, at) or said_of(HABITS, text, at)
  local word = before:match("([%a_]+)%s*$")
  if said or not word then return said end
  if WORDS[word] or lexer.KEYWORDS[word] or not lexer.KEYWORDS[word:lower()] then return WORDS[word] end
  return "Lua's words are written small: " .. word:lower()
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

-- The first block before `at` that is closed by an `end` which is less indented than the line that opened it: it lacks one
-- of its own.
local function unclosed(text, at)
  local open = {}
  for _, token in ipairs(lexer.tokens(text)) do
    if token.at >= at then return nil end
    if token.kind == "keyword" and OPENS[token.value] then
      open[#open + 1] = token
    elseif token.kind == "keyword" and CLOSES[token.value] and #open > 0 then
      local opener = table.remove(open)
      local depth, is_behind = indentation(text, token.at)
      if not is_behind and depth < indentation(text, opener.at) then return opener end
    end
  end
end

-- What comes too early where a block lacks its end, as messages say it.
local TOO_EARLY = { "','", "'}'", "')'", "the end" }

local function comes_too_early(mistake)
  for _, what in ipairs(TOO_EARLY) do
    if mistake.text:sub(-#what - 5) == " not " .. what then return true end
  end
end

-- Whether the block's keyword, or another one below it, stands behind an else.
local function has_else_if(text, opener)
  return text:sub(1, opener.at - 1):find("else%s+$") or text:find("^[^\n]*\n.-else[ \t]+if%f[%W]", opener.at)
end

---------------------------------------------------------------------------------------------- all

-- Says of a mistake (see jaunt.lua.parser) what was meant. Returns where to point (an offset), the text, and a hint or nil.
function slips.explain(text, mistake)
  local hint = habit(text, mistake)
  local opener = not hint and comes_too_early(mistake) and unclosed(text, mistake.at)
  if not opener then return mistake.at, mistake.text, hint end
  return opener.at, ("this '%s' has no end of its own"):format(opener.value),
    has_else_if(text, opener) and "else if opens another block, elseif does not" or nil
end

return slips
