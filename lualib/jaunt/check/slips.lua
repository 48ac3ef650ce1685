-- What a script that is no Lua was meant to be: the habits of other languages, and blocks without their `end`.

local lexer = require "jaunt.lua.lexer"

local slips = {}

-- What stands at the mistake, or right before it, and what Lua has instead.
local HABITS = {
  { "^!=", "Lua's \"is not\" is ~=" }, { "^&&", "Lua says and" }, { "^||", "Lua says or" }, { "^!", "Lua says not" },
  { "^&", "Lua says and" }, { "^|", "Lua says or" },
  { "^%+%+", "Lua has no ++: n = n + 1" }, { "^%-=", "Lua has no -=: n = n - 1" }, { "^[%+%*/%.]+=", "Lua has no such assignment: n = n + 1" },
  { "^//", "a comment begins with --" }, { "^/%*", "a comment begins with --" }, { "^#", "a comment begins with --" },
  { "^%?", "Lua has no ?: a and b or c" }, { "^\u{201C}", "a text stands in plain quotes" }, { "^\u{201D}", "a text stands in plain quotes" },
  { "^\u{201E}", "a text stands in plain quotes" }, { "^\u{2018}", "a text stands in plain quotes" }, { "^\u{2019}", "a text stands in plain quotes" },
  { "^[\xC2-\xF4]", "names are made of the letters a to z, digits and _" },
}

-- Words before the mistake.
local WORDS = {
  let = "Lua says local x = 1", var = "Lua says local x = 1", const = "Lua says local x <const> = 1", elif = "Lua says elseif",
  async = "nothing is awaited: calls and waits need no word for it", await = "nothing is awaited: calls and waits need no word for it",
}

-- What the message expects, and the bytes that stand there instead.
local INSTEAD = {
  { "'then' is expected", "^=[^=]", "two values are compared with ==" }, { "'do' is expected", "^=[^=]", "two values are compared with ==" },
  { "'then' is expected", "^{", "a block begins with then, and ends with end" }, { "'do' is expected", "^{", "a block begins with do, and ends with end" },
  { "'}' is expected", "^:", "a field is written NAME = value" }, { "'}' is expected", "^end%f[%W]", "an end too many?" },
  { "'}' is expected", "^[%w_\"'%[]", "is a comma missing before it?" },
}

-- Something to say about the bytes at the mistake; nil where nothing is known.
local function habit(text, mistake)
  local at = mistake.at
  for _, one in ipairs(INSTEAD) do
    if mistake.text:sub(1, #one[1]) == one[1] and text:find(one[2], at) then return one[3] end
  end
  if mistake.text:find("^a name is expected") and text:sub(1, at - 1):find(":%s*$") then return "a field is written NAME = value" end
  if text:find("^[&|]", at) and text:sub(at - 1, at - 1) == text:sub(at, at) then at = at - 1 end
  for _, one in ipairs(HABITS) do
    if text:find(one[1], at) then return one[2] end
  end
  local word = text:sub(1, at - 1):match("([%a_]+)%s*$")
  if not word then return nil end
  if WORDS[word] then return WORDS[word] end
  if not lexer.KEYWORDS[word] and lexer.KEYWORDS[word:lower()] then return ("Lua's words are written small: %s"):format(word:lower()) end
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

-- The first block before `at` that is closed by an `end` which is less indented than the line that opened it: it lacks one of its own.
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

---------------------------------------------------------------------------------------------- all

-- Says of a mistake (see jaunt.lua.parser) what was meant. Returns where to point (an offset), the text, and a hint or nil.
function slips.explain(text, mistake)
  local hint = habit(text, mistake)
  if hint then return mistake.at, mistake.text, hint end
  local opener = comes_too_early(mistake) and unclosed(text, mistake.at)
  if not opener then return mistake.at, mistake.text, nil end
  local is_else_if = text:sub(1, opener.at - 1):find("else%s+$") or text:find("^[^\n]*\n.-else[ \t]+if%f[%W]", opener.at)
  return opener.at, ("this '%s' has no end of its own"):format(opener.value), is_else_if and "else if opens another block, elseif does not" or nil
end

return slips
