-- Lua's text as tokens: for the parser, and for colours and completion, which want comments and broken ends as well.
--
-- A token is { kind =, at =, stop =, value = }; at and stop are the bytes it stands on. Kinds are "name", "keyword", "string" and
-- "number" (value: what they mean), "symbol", "comment", "error" (value: what is wrong; incomplete: the text ends too
-- early) and, as the last one, "end". The rules are those of the Lua 5.4 reference manual, section 3.1.

local byte, char, find, sub = string.byte, string.char, string.find, string.sub

local lexer = {}

local KEYWORDS = {}
for word in ([[and break do else elseif end false for function goto if in local nil not or repeat return then true until while]])
  :gmatch("%a+") do KEYWORDS[word] = true end
lexer.KEYWORDS = KEYWORDS

-- The longest first.
local SYMBOLS = { "...", "..", "==", "~=", "<=", ">=", "<<", ">>", "//", "::" }
local SINGLE = "[%+%-%*/%%%^#&~|<>=%(%){}%[%];:,%.]"

local ESCAPES = { a = "\a", b = "\b", f = "\f", n = "\n", r = "\r", t = "\t", v = "\v", ["\\"] = "\\", ['"'] = '"',
  ["'"] = "'", ["\n"] = "\n" }

-- The escape whose backslash is at `at`: what it means and where the text goes on; or nil and what is wrong.
local function escape(text, at)
  local letter = sub(text, at + 1, at + 1)
  if ESCAPES[letter] then return ESCAPES[letter], at + 2 end
  if letter == "\r" then return "\n", at + (sub(text, at + 2, at + 2) == "\n" and 3 or 2) end
  if letter == "z" then return "", select(2, find(text, "^%s*", at + 2)) + 1 end
  local hex = letter == "x" and text:match("^%x%x", at + 2)
  if hex then return char(tonumber(hex, 16)), at + 4 end
  local digits = text:match("^%d%d?%d?", at + 1)
  if digits and tonumber(digits) < 256 then return char(tonumber(digits)), at + 1 + #digits end
  if digits then return nil, "decimal escape too large" end
  local code = letter == "u" and text:match("^{(%x+)}", at + 2)
  if code and #code <= 8 and tonumber(code, 16) < 0x80000000 then return utf8.char(tonumber(code, 16)), at + 4 + #code end
  return nil, "invalid escape sequence"
end

-- A text in quotes that begins at `at`. Returns its value and its last byte; or nil, what is wrong, its end, and whether the
-- text ended too early.
local function quoted(text, at)
  local quote, pieces, here = sub(text, at, at), {}, at + 1
  while true do
    local stop = find(text, "[\\\n\r" .. quote .. "]", here)
    if not stop then return nil, "unfinished string", #text, true end
    pieces[#pieces + 1] = sub(text, here, stop - 1)
    local what = sub(text, stop, stop)
    if what == quote then return table.concat(pieces), stop end
    if what ~= "\\" then return nil, "unfinished string", stop - 1 end
    if stop == #text then return nil, "unfinished string", #text, true end
    local meant, next_at = escape(text, stop)
    if not meant then return nil, next_at, stop + 1 end
    pieces[#pieces + 1], here = meant, next_at
  end
end

-- The long bracket that begins at `at`: its content and its last byte; nil where there is none, or, with what is wrong, no end.
local function long(text, at, what)
  local level = text:match("^%[(=*)%[", at)
  if not level then return nil end
  local from = at + #level + 2
  local close, stop = find(text, "]" .. level .. "]", from, true)
  if not close then return nil, "unfinished long " .. what, #text, true end
  local content = sub(text, from, close - 1):gsub("^\r?\n", "", 1)
  return content, stop
end

-- The numeral that begins at `at`, as Lua's own reader takes it: as far as it could be one, and then it has to be.
local function numeral(text, at)
  local exponent = find(text, "^0[xX]", at) and "[pP]" or "[eE]"
  local here = find(text, "^0[xX]", at) and at + 2 or at
  while true do
    local stop = select(2, find(text, "^" .. exponent .. "[%+%-]?", here)) or select(2, find(text, "^[%x%.]", here))
    if not stop then break end
    here = stop + 1
  end
  here = select(2, find(text, "^[%a_]", here)) and here + 1 or here
  local value = tonumber(sub(text, at, here - 1))
  if value then return value, here - 1 end
  return nil, "malformed number", here - 1
end

local function comment(text, at)
  local content, stop, last, incomplete = long(text, at + 2, "comment")
  if content then return content, stop end
  if stop then return nil, stop, last, incomplete end
  local line = find(text, "\n", at, true) or #text + 1
  return sub(text, at + 2, line - 1), line - 1
end

-- The token at `at`, which is no space: kind, value and last byte, or "error", what is wrong, last byte and incomplete.
local function read(text, at)
  local first = byte(text, at)
  local name = text:match("^[%a_][%w_]*", at)
  if name then return KEYWORDS[name] and "keyword" or "name", name, at + #name - 1 end
  local value, stop, last, incomplete, kind
  if find(text, "^%.?%d", at) then
    kind, value, stop, last = "number", numeral(text, at)
  elseif first == 34 or first == 39 then
    kind, value, stop, last, incomplete = "string", quoted(text, at)
  elseif find(text, "^%-%-", at) then
    kind, value, stop, last, incomplete = "comment", comment(text, at)
  elseif find(text, "^%[=*%[", at) then
    kind, value, stop, last, incomplete = "string", long(text, at, "string")
  end
  if kind and value ~= nil then return kind, value, stop end
  if kind then return "error", stop, last, incomplete end
  for _, symbol in ipairs(SYMBOLS) do
    if sub(text, at, at + #symbol - 1) == symbol then return "symbol", symbol, at + #symbol - 1 end
  end
  if find(text, "^" .. SINGLE, at) then return "symbol", char(first), at end
  return "error", "unexpected symbol", at
end

-- All tokens of `text`, in order; never fails. A byte order mark and a first line that begins with # are passed by.
function lexer.tokens(text)
  local tokens = {}
  local at = select(2, find(text, "^\u{FEFF}")) or 0
  at = (select(2, find(text, "^#[^\n]*", at + 1)) or at) + 1
  while true do
    at = find(text, "[^%s]", at)
    if not at then break end
    local kind, value, stop, incomplete = read(text, at)
    tokens[#tokens + 1] = { kind = kind, value = value, at = at, stop = stop, incomplete = incomplete }
    at = stop + 1
  end
  tokens[#tokens + 1] = { kind = "end", at = #text + 1, stop = #text }
  return tokens
end

-- A function that gives the line and the column (both from 1, the column in bytes) of an offset in `text`.
function lexer.places(text)
  local starts = { 1 }
  for at in text:gmatch("\n()") do starts[#starts + 1] = at end
  return function(offset)
    local low, high = 1, #starts
    while low < high do
      local middle = (low + high + 1) // 2
      if starts[middle] <= offset then low = middle else high = middle - 1 end
    end
    return low, offset - starts[low] + 1
  end
end

return lexer
