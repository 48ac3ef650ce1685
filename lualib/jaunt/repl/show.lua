-- A value as Lua that one could paste back: sorted, cut when it is long, with cycles marked.
--
--   show.literal(value, options)    options: width = columns of a line (80), lines = at most so many (200)
--
-- What no Lua can be written for is nil with a comment that says what it was. Runs in workers, on scripts' values: it
-- calls nothing of theirs.

local lexer = require "jaunt.lua.lexer"

local show = {}

local DEEPEST, STRING_MOST, INDENT = 12, 4000, "  "

local rawget, type, format = rawget, type, string.format

---------------------------------------------------------------------------------------------- texts and numbers

local ESCAPES = { ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t", ["\\"] = "\\\\", ['"'] = '\\"' }

local function escaped(character)
  return ESCAPES[character] or format("\\%03d", character:byte())
end

-- Bytes that are no UTF-8 as \xHH, so that a terminal gets only texts.
local function valid(text)
  if utf8.len(text) then return text end
  local pieces, at = {}, 1
  while at <= #text do
    local _, bad = utf8.len(text, at)
    bad = bad or #text + 1
    pieces[#pieces + 1] = text:sub(at, bad - 1)
    if bad <= #text then pieces[#pieces + 1] = format("\\x%02X", text:byte(bad)) end
    at = bad + 1
  end
  return table.concat(pieces)
end

-- Marks that a terminal obeys although they are letters: see jaunt.base.term.
local function shown_marks(text)
  return (text:gsub("\xC2([\x80-\x9F])", function(c) return format("\\u{%x}", c:byte()) end)
    :gsub("\xE2\x80[\xAA-\xAE]", function(mark) return format("\\u{%x}", utf8.codepoint(mark)) end)
    :gsub("\xE2\x81[\xA6-\xA9]", function(mark) return format("\\u{%x}", utf8.codepoint(mark)) end))
end

local function string_literal(text)
  local rest = ""
  if #text > STRING_MOST then
    rest = format(" --[[ and %d more bytes ]]", #text - STRING_MOST)
    text = text:sub(1, (utf8.len(text) and utf8.offset(text, 0, STRING_MOST + 1) or STRING_MOST + 1) - 1)
  end
  return '"' .. shown_marks(valid((text:gsub('[%c\\"\127]', escaped)))) .. '"' .. rest
end

local function number_literal(number)
  if math.type(number) == "integer" then return format("%d", number) end
  if number ~= number then return "0/0" end
  if number == math.huge then return "math.huge" elseif number == -math.huge then return "-math.huge" end
  for digits = 14, 17 do
    local text = format("%." .. digits .. "g", number)
    if tonumber(text) == number then return text:find("[%.e]") and text or text .. ".0" end
  end
end

---------------------------------------------------------------------------------------------- tables

local ORDER = { number = 1, string = 2, boolean = 3 }

local function before(a, b)
  local first, second = ORDER[type(a)] or 4, ORDER[type(b)] or 4
  if first ~= second then return first < second end
  if first <= 2 then return a < b end
  return tostring(a) < tostring(b)
end

local function key_literal(key, writer)
  if type(key) == "string" and key:find("^[%a_][%w_]*$") and not lexer.KEYWORDS[key] then return key end
  return "[" .. writer:value(key, 0, "") .. "]"
end

local function path_below(path, key)
  if type(key) == "string" and key:find("^[%a_][%w_]*$") then return path .. "." .. key end
  return path .. "[" .. (type(key) == "string" and string_literal(key) or tostring(key)) .. "]"
end

local writer = {}
writer.__index = writer

-- The items of a table as texts, in order; the list first, without keys.
function writer:items(value, depth, path)
  local texts, count, keys = {}, 0, {}
  while rawget(value, count + 1) ~= nil do count = count + 1 end
  for i = 1, math.min(count, self.most) do texts[i] = self:value(rawget(value, i), depth, path_below(path, i)) end
  for key in next, value do
    if not (math.type(key) == "integer" and key >= 1 and key <= count) then keys[#keys + 1] = key end
  end
  table.sort(keys, before)
  for i = 1, math.min(#keys, self.most - #texts) do
    texts[#texts + 1] = key_literal(keys[i], self) .. " = " .. self:value(rawget(value, keys[i]), depth, path_below(path, keys[i]))
  end
  return texts, count + #keys - #texts
end

local function fits(texts, room)
  local columns = 4
  for _, text in ipairs(texts) do
    if text:find("\n", 1, true) or text:find("--", 1, true) then return false end
    columns = columns + (utf8.len(text) or #text) + 2
  end
  return columns <= room
end

function writer:table(value, depth, path)
  if self.above[value] then return format("nil --[[ %s again ]]", self.above[value]) end
  if next(value) == nil then return "{}" end
  if depth >= DEEPEST then return "nil --[[ a table, deeper than this shows ]]" end
  self.above[value] = path == "" and "the whole" or path:gsub("^%.", "")
  local texts, more = self:items(value, depth + 1, path)
  self.above[value] = nil
  if more == 0 and fits(texts, self.width - depth * #INDENT) then return "{ " .. table.concat(texts, ", ") .. " }" end
  local inner, lines = INDENT:rep(depth + 1), { "{" }
  for _, text in ipairs(texts) do
    local item, comment = text:match("^([^\n]*[^%s])( %-%-%[%[[^\n]*%]%])$")
    lines[#lines + 1] = inner .. (item and item .. "," .. comment or text .. ",")
  end
  if more > 0 then lines[#lines + 1] = format("%s-- and %d more", inner, more) end
  lines[#lines + 1] = INDENT:rep(depth) .. "}"
  return table.concat(lines, "\n")
end

---------------------------------------------------------------------------------------------- anything

local function function_name(value)
  local about = debug.getinfo(value, "S")
  if about.what == "C" or about.source:find("lualib/jaunt/", 1, true) then return "a function" end
  return format("a function, %s:%d", about.short_src, about.linedefined)
end

-- Userdata of the host: what scripts see of a person is a table; a secret says its name.
function writer:userdata(value, depth, path)
  if value == self.null then return "json.null" end
  local plain = self.plain(value)
  if type(plain) == "table" then return self:table(plain, depth, path) end
  local text = tostring(value)
  local name = text:match("^‹secret (.*)›$")
  return name and "secret " .. string_literal(name) or format("nil --[[ %s ]]", valid(text):gsub("%c", " "))
end

function writer:value(value, depth, path)
  local kind = type(value)
  if kind == "string" then return string_literal(value) end
  if kind == "number" then return number_literal(value) end
  if kind == "table" then return self:table(value, depth, path) end
  if kind == "userdata" then return self:userdata(value, depth, path) end
  if kind == "function" then return format("nil --[[ %s ]]", function_name(value)) end
  if kind == "thread" then return "nil --[[ a coroutine ]]" end
  return tostring(value)
end

-- What of the text is shown: so many lines.
local function cut(text, most)
  local at, lines = 0, 0
  repeat
    at = text:find("\n", at + 1, true)
    lines = lines + 1
  until not at or lines == most
  if not at then return text end
  local _, more = text:sub(at + 1):gsub("\n", "")
  return text:sub(1, at) .. format("-- and %d more lines", more + 1)
end

-- options: plain = a function that takes the views off a value, null = JSON's null, width, lines.
function show.literal(value, options)
  local self = setmetatable({ above = {}, plain = options.plain, null = options.null, width = options.width or 80,
    most = options.items or 1000 }, writer)
  if type(value) == "function" then return function_name(value) end
  if type(value) == "thread" then return "a coroutine" end
  return cut(self:value(value, 0, ""), options.lines or 200)
end

-- A text of any bytes as one of UTF-8.
show.valid = valid

return show
