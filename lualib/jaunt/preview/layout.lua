-- A payload as a person reads it: indented, a member a line, and what came from data told apart from what the
-- template says.
--
-- A line is { indent =, first =, last =, parts = { { text =, role =, first =, last = }, … } }; first and last are the
-- bytes of the payload that it shows. A role is "key", "string", "word" (numbers, true, false, null), "mark"
-- (punctuation) or "text".

local places = require "jaunt.schema.places"
local term = require "jaunt.base.term"

local layout = {}

local ROLES = { key = "key", string = "string", word = "word" }
local CLOSING = { ["{"] = "}", ["["] = "]" }

---------------------------------------------------------------------------------------------- lines

local function json_lines(text)
  local tokens, lines, line, depth = places.tokens(text), {}, nil, 0

  local function add(token)
    if not line then
      line = { indent = depth, first = token.first, parts = {} }
      lines[#lines + 1] = line
    end
    line.last = token.last
    line.parts[#line.parts + 1] = { text = text:sub(token.first, token.last), role = ROLES[token.kind] or "mark",
      first = token.first, last = token.last }
    if token.kind == ":" then line.parts[#line.parts + 1] = { text = " ", role = "mark" } end
  end

  for i, token in ipairs(tokens) do
    local after = tokens[i + 1] and tokens[i + 1].kind
    local before = tokens[i - 1] and tokens[i - 1].kind
    if CLOSING[token.kind] then
      add(token)
      if after ~= CLOSING[token.kind] then line, depth = nil, depth + 1 end
    elseif token.kind == "}" or token.kind == "]" then
      if CLOSING[before] ~= token.kind then line, depth = nil, depth - 1 end
      add(token)
    else
      add(token)
      if token.kind == "," then line = nil end
    end
  end
  return lines
end

-- Lines as they stand.
local function text_lines(text)
  local lines, at = {}, 1
  for piece, next_at in (text .. "\n"):gmatch("(.-)\n()") do
    local last = at + #piece - 1
    local part = { text = piece, role = "text", first = at, last = last }
    lines[#lines + 1] = { indent = 0, first = at, last = last, parts = { part } }
    at = next_at
  end
  if #lines > 1 and lines[#lines].last < lines[#lines].first then lines[#lines] = nil end -- behind the last line's end
  return lines
end

local function form_decoded(text)
  return (text:gsub("%+", " "):gsub("%%(%x%x)", function(hex) return string.char(tonumber(hex, 16)) end))
end

-- A form as its fields, decoded.
local function form_lines(text)
  local lines, at = {}, 1
  for field, next_at in (text .. "&"):gmatch("([^&]*)&()") do
    local name, value = field:match("^([^=]*)=?(.*)$")
    if field:find("%S") then
      lines[#lines + 1] = { indent = 0, first = at, last = at + #field - 1, parts = {
        { text = term.one_line(form_decoded(name)), role = "key" }, { text = " = ", role = "mark" },
        { text = form_decoded(value):gsub("\n", "⏎"), role = "text" },
      } }
    end
    at = next_at
  end
  return lines
end

-- The lines of a payload of this kind ("json", "form", …). JSON that can't be parsed is shown as it stands.
function layout.lines(text, kind)
  if kind == "form" then return form_lines(text) end
  if kind ~= "json" and kind ~= "lua" then return text_lines(text) end
  local ok = pcall(require "json".decode, text)
  return ok and json_lines(text) or text_lines(text)
end

-- The number of the line that shows a byte; for one between two lines the later.
function layout.line_at(lines, byte)
  for i, line in ipairs(lines) do
    local follows = lines[i + 1] and lines[i + 1].first <= byte
    if byte <= line.last or byte == line.last + 1 and not follows then return i end
  end
  return #lines
end

---------------------------------------------------------------------------------------------- showing

local COLOURS = { key = "blue", string = "green", word = "cyan", mark = "dim" }

local function unpainted(text) return text end

-- A part's bytes that come from data painted another way: `spans` is a list of { first, last }.
local function painted_part(part, spans, paint)
  local plain = paint[COLOURS[part.role]] or unpainted
  local function shown(text) return term.harmless(term.escaped(text)) end
  if not part.first or part.role == "mark" then return plain(shown(part.text)) end
  local pieces, at = {}, part.first
  for _, span in ipairs(spans) do
    local first, last = math.max(span[1], at), math.min(span[2], part.last)
    if first <= last then
      pieces[#pieces + 1] = plain(shown(part.text:sub(at - part.first + 1, first - part.first)))
      pieces[#pieces + 1] = paint.bold(shown(part.text:sub(first - part.first + 1, last - part.first + 1)))
      at = last + 1
    end
  end
  pieces[#pieces + 1] = plain(shown(part.text:sub(at - part.first + 1)))
  return table.concat(pieces)
end

-- A line as text; `spans` (see above, in the order of the bytes) may be left out.
function layout.show(line, paint, spans)
  local pieces = { ("  "):rep(line.indent) }
  for _, part in ipairs(line.parts) do pieces[#pieces + 1] = painted_part(part, spans or {}, paint) end
  return table.concat(pieces)
end

-- The lines as plain texts, for comparing: without commas at their ends, which come and go with what stands behind.
function layout.plain(lines)
  local texts = {}
  for i, line in ipairs(lines) do
    local pieces = { ("  "):rep(line.indent) }
    for at, part in ipairs(line.parts) do
      if not (at == #line.parts and part.role == "mark" and part.text == ",") then pieces[#pieces + 1] = part.text end
    end
    texts[i] = table.concat(pieces)
  end
  return texts
end

return layout
