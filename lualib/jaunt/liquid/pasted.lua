-- Characters that come into templates from word processors and web pages, and are taken for others.
--
-- Called for the messages of jaunt.liquid.lexer and jaunt.liquid.json_text, where such a one stands in the place of a
-- sign.

local find, format, match = string.find, string.format, string.match

local pasted = {}

local QUOTES = "\u{201C}\u{201D}\u{201E}\u{201F}\u{2018}\u{2019}\u{201A}\u{201B}\u{AB}\u{BB}\u{2039}\u{203A}\u{2033}"
local SPACES = "\u{A0}\u{2002}\u{2003}\u{2007}\u{2009}\u{202F}\u{3000}"
local INVISIBLE = "\u{AD}\u{200B}\u{200C}\u{200D}\u{200E}\u{200F}\u{2028}\u{2029}\u{2060}\u{FEFF}"

-- What stands at byte `at` of a text, in words, and what to do about it; nil where it is none of these. `quote` says
-- which quotes are wanted.
function pasted.explain(text, at, quote)
  local char = match(text, "^[\194-\244][\128-\191]+", at)
  if not char then return nil end
  if find(QUOTES, char, 1, true) then return "this is a typographic quote", quote end
  local named = utf8.len(char) and format("U+%04X", utf8.codepoint(char))
  if find(SPACES, char, 1, true) then
    return format("this is another space than the plain one (%s)", named), "write a plain space"
  elseif find(INVISIBLE, char, 1, true) then
    return format("an invisible character stands here (%s)", named), "take it away"
  end
end

return pasted
