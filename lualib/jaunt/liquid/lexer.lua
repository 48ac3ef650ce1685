-- Cuts a template into tokens, and the inside of {{ }} and {% %} into the tokens of expressions.
--
-- Called by jaunt.liquid.parser and jaunt.liquid.expression; knows no tag but `raw`, whose content it must not look at.
-- The rules are Shopify's (the tokenizer and the strict lexer of the Ruby gem liquid): a {{ ends at the first }}, a {%
-- at the first %}, quoted or not, since Liquid's comments may hold a lone quote. What is different: Braze's ${name},
-- whose } does not count.

local fault = require "jaunt.liquid.fault"
local pasted = require "jaunt.liquid.pasted"

local find, sub, match, byte, format = string.find, string.sub, string.match, string.byte, string.format

local lexer = {}

-- Where the output that opens at `at` ends: the offset of its }}. A quoted text that holds no }} is skipped, so that
-- a ${ in it stands for itself.
local function end_of_output(source, at)
  local text = source.text
  local here = at + 2
  while true do
    local found = find(text, "[}'\"$]", here)
    if not found then
      fault.raise(source, at, "this {{ is never closed", "it ends with }}")
    end
    local char = sub(text, found, found)
    here = found + 1
    if char == "}" then
      if sub(text, here, here) == "}" then return found end
    elseif char == "$" then
      if sub(text, here, here) == "{" then here = (find(text, "}", here, true) or here) + 1 end
    else
      local quote = find(text, char, here, true)
      if quote and not find(sub(text, here, quote), "}}", 1, true) then here = quote + 1 end
    end
  end
end

-- The inside of a token between `from` and `to`, without the hyphens of whitespace control.
local function inside(text, from, to)
  local left, right = sub(text, from, from) == "-", to > from and sub(text, to, to) == "-"
  if left then from = from + 1 end
  if right then to = to - 1 end
  return from, to, left, right
end

local function output_token(source, at)
  local close = end_of_output(source, at)
  local from, to, left, right = inside(source.text, at + 2, close - 1)
  return { kind = "output", at = at, stop = close + 1, from = from, to = to, left = left, right = right }
end

-- A tag's name ("#" for an inline comment) and where its markup begins: between `from` and `to`.
local function name_of(text, from, to)
  local at, stop = find(text, "^%s*()#", from)
  if not at then at, stop = find(text, "^%s*[%w_]+", from) end
  if not at or stop > to then return nil, from end
  return match(sub(text, from, stop), "%S+"), stop + 1
end

local function tag_token(source, at)
  local text = source.text
  local close = find(text, "%}", at + 2, true)
  if not close then fault.raise(source, at, "this {% is never closed", "it ends with %}") end
  local from, to, left, right = inside(text, at + 2, close - 1)
  local name, markup = name_of(text, from, to)
  if not name then fault.raise(source, at, "this tag has no name") end
  return {
    kind = "tag", at = at, stop = close + 1, name = name, from = markup, to = to, left = left, right = right,
    name_at = markup - #name,
  }
end

-- What stands between {% raw %} and {% endraw %}: a text that is not looked at.
local function raw_token(source, tag)
  local text = source.text
  local open, close = find(text, "{%%%-?%s*endraw%s*%-?%%}", tag.stop + 1)
  if not open then fault.raise(source, tag.at, "this raw is never closed", "it ends with {% endraw %}") end
  return {
    kind = "raw", at = tag.at, stop = close, text = sub(text, tag.stop + 1, open - 1), left = tag.left,
    right = sub(text, close - 2, close - 2) == "-",
  }
end

-- A piece of text, with whitespace taken away where the neighbours' hyphens say so.
local function text_token(text, from, to, before, after)
  if before and before.right then from = find(text, "%S", from) or to + 1 end
  if after and after.left then
    while to >= from and find(text, "^%s", to) do to = to - 1 end
  end
  if from <= to then return { kind = "text", at = from, stop = to, text = sub(text, from, to) } end
end

-- The tokens of a template, each with `at` and `stop` (its first and last byte):
--   { kind = "text" | "raw", text = }
--   { kind = "output", from =, to = }                      its expression's bytes
--   { kind = "tag", name =, name_at =, from =, to = }      its markup's bytes, after the name
function lexer.template(source)
  local text, tokens = source.text, {}
  local here, before = 1, nil
  while true do
    local open = find(text, "{[{%%]", here)
    local token
    if open then
      token = byte(text, open + 1) == 123 and output_token(source, open) or tag_token(source, open)
      if token.name == "raw" then token = raw_token(source, token) end
    end
    tokens[#tokens + 1] = text_token(text, here, (open or #text + 1) - 1, before, token)
    if not token then return tokens end
    tokens[#tokens + 1] = token
    here, before = token.stop + 1, token
  end
end

-- The lines of a {% liquid %} tag as tokens of tags.
function lexer.lines(source, from, to)
  local text, tokens = source.text, {}
  while from <= to do
    local last = (find(text, "\n", from, true) or to + 1) - 1
    if last > to then last = to end
    local at = find(text, "%S", from)
    if at and at <= last then
      local name, markup = name_of(text, at, last)
      if not name then fault.raise(source, at, "a line of liquid begins with the name of a tag") end
      tokens[#tokens + 1] =
        { kind = "tag", at = at, stop = last, name = name, name_at = at, from = markup, to = last, line = true }
    end
    from = last + 2
  end
  return tokens
end

-- The number that digits stand for. Lua would read an integer that is too large as a float.
local function number_of(source, at, digits)
  local value = tonumber(digits)
  if math.type(value) == "float" and not find(digits, ".", 1, true) then
    fault.raise(source, at, format("%s is more than 64 bits hold", fault.show(digits)))
  end
  return value
end

local SIGNS = {
  ["=="] = "compare", ["!="] = "compare", ["<>"] = "compare", ["<="] = "compare", [">="] = "compare",
  ["<"] = "compare", [">"] = "compare", ["|"] = "|", [":"] = ":", [","] = ",", ["."] = ".", [".."] = "..",
  ["["] = "[", ["]"] = "]", ["("] = "(", [")"] = ")", ["="] = "=", ["{{"] = "{{", ["}}"] = "}}",
}

-- Mistakes that have a right way in Liquid.
local MENDS = {
  ["{%"] = "the one before is not closed: %} is missing",
  ["&&"] = "the word is and", ["||"] = "the word is or", ["!"] = "use unless, or == false",
  ["&"] = "the word is and", ["+"] = "use the filter plus", ["-"] = "use the filter minus",
  ["*"] = "use the filter times", ["/"] = "use the filter divided_by", ["%"] = "use the filter modulo",
  ["}"] = "an output ends with }}, a tag with %}",
  ["{"] = "an output begins with {{; a { before it needs a blank behind itself",
  ["?"] = "use if, else and endif", ["#"] = "a condition is written {% if … %}, and ends with {% endif %}",
}

local function quoted(source, at, quote, to)
  local text = source.text
  local close = find(text, quote, at + 1, true)
  if not close or close > to then
    fault.raise(source, at, "this quote is never closed", format("the text ends with another %s", quote))
  end
  return sub(text, at + 1, close - 1), close
end

local function unexpected(source, at)
  local text = source.text
  local two = sub(text, at, at + 1)
  local char = MENDS[two] and two or match(text, "^[!-~]", at) or match(text, "^[\194-\244][\128-\191]+", at)
  if not char or not utf8.len(char) then char = format("the byte 0x%02X", byte(text, at)) end
  local what, hint = pasted.explain(text, at, "Liquid wants a plain one: \" or '")
  if what then fault.raise(source, at, what, hint) end
  fault.raise(source, at, format("%s is not expected here", char), MENDS[char])
end

-- The next token of an expression at `at`: kind, value, last byte.
local function expression_token(source, at, to)
  local text = source.text
  local char = sub(text, at, at)
  if find(char, "[%a_]") then
    local _, stop, name = find(text, "^([%a_][%w_%-]*%??)", at)
    if stop > to then stop, name = to, sub(text, at, to) end
    return "name", name, stop
  elseif find(char, "%d") or (char == "-" and find(text, "^%d", at + 1)) then
    local _, stop = find(text, "^%-?%d+%.%d+", at)
    if not stop then _, stop = find(text, "^%-?%d+", at) end
    return "number", number_of(source, at, sub(text, at, stop)), stop
  elseif char == '"' or char == "'" then
    return "string", quoted(source, at, char, to)
  elseif char == "$" and sub(text, at + 1, at + 1) == "{" then
    local close = find(text, "}", at, true)
    if not close or close > to then fault.raise(source, at, "this ${ is never closed", "it ends with }") end
    return "attribute", match(sub(text, at + 2, close - 1), "^%s*(.-)%s*$"), close
  end
  local two = at < to and sub(text, at, at + 1)
  if two and SIGNS[two] then return SIGNS[two], two, at + 1 end
  if SIGNS[char] and not MENDS[two] then return SIGNS[char], char, at end
  return unexpected(source, at)
end

-- The tokens of the expression in the bytes `from` to `to`, each { kind =, value =, at =, stop = }; the last is of the
-- kind "end". Kinds: "name", "number", "string", "attribute" (Braze's ${name}), "compare", "end", and the signs that
-- stand for themselves: | : , . .. [ ] ( ) = {{ }}.
function lexer.expression(source, from, to)
  local text, tokens = source.text, {}
  local at = find(text, "%S", from) or to + 1
  while at <= to do
    local kind, value, stop = expression_token(source, at, to)
    tokens[#tokens + 1] = { kind = kind, value = value, at = at, stop = stop }
    at = find(text, "%S", stop + 1) or to + 1
  end
  tokens[#tokens + 1] = { kind = "end", at = to + 1, stop = to }
  return tokens
end

return lexer
