-- Where things stand in a JSON text: which bytes a value takes, on which line, under which path.
--
-- Paths are RFC 9535's ("$.to.components[0]", counting from 0), pointers RFC 6901's ("#/to/components/0"). The text
-- has been parsed before (by json.decode): nothing is checked here.

local concat = table.concat
local find, format, gsub, sub = string.find, string.format, string.gsub, string.sub

local places = {}

-- One step of a path: a name, or a number from 0.
function places.step(step)
  if math.type(step) == "integer" then return format("[%d]", step) end
  if find(step, "^[%a_][%w_]*$") then return "." .. step end
  return format("['%s']", (gsub(gsub(step, "\\", "\\\\"), "'", "\\'")))
end

-- The path of a list of steps.
function places.path(steps)
  local parts = { "$" }
  for i = 1, #steps do parts[i + 1] = places.step(steps[i]) end
  return concat(parts)
end

-- The pointer one step below another one.
function places.below(pointer, step)
  return pointer .. "/" .. gsub(gsub(tostring(step), "~", "~0"), "/", "~1")
end

-- The end of the string that begins at `at`.
local function string_end(text, at)
  local stop = find(text, '["\\]', at + 1)
  while sub(text, stop, stop) == "\\" do stop = find(text, '["\\]', stop + 2) end
  return stop
end

-- What a key's bytes say.
local function key_text(bytes)
  if not find(bytes, "\\", 1, true) then return sub(bytes, 2, -2) end
  return require "json".decode(bytes)
end

local OPENS, CLOSES = { ["{"] = true, ["["] = true }, { ["}"] = true, ["]"] = true }

-- The tokens of a JSON text, in their order: { kind =, first =, last = (bytes) }; kind is "{", "}", "[", "]", ",",
-- ":", "key", "string" or "word" (a number, true, false, null). A key, a value and what opens one have path and
-- pointer.
function places.tokens(text)
  local tokens, open = {}, {} -- the containers around: { path =, pointer =, next = (an array's), key = (an object's) }
  local at = find(text, "%S") or #text + 1

  local function named(token, step)
    local around = open[#open]
    step = step or around and (around.next or around.key)
    token.path = around and around.path .. places.step(step) or "$"
    token.pointer = around and places.below(around.pointer, step) or "#"
    return token
  end

  while at <= #text do
    local letter, token = sub(text, at, at), nil
    local around = open[#open]
    if OPENS[letter] then
      token = named { kind = letter, first = at, last = at }
      open[#open + 1] = { path = token.path, pointer = token.pointer, next = letter == "[" and 0 or nil }
    elseif CLOSES[letter] then
      token = { kind = letter, first = at, last = at }
      open[#open] = nil
    elseif letter == "," or letter == ":" then
      token = { kind = letter, first = at, last = at }
      if letter == "," and around.next then around.next = around.next + 1 end
      if letter == "," then around.key = nil end
    elseif letter == '"' then
      local stop = string_end(text, at)
      local is_key = around and not around.next and not around.key
      if is_key then around.key = key_text(sub(text, at, stop)) end
      token = named { kind = is_key and "key" or "string", first = at, last = stop }
    else
      token = named { kind = "word", first = at, last = find(text, "[%s,%]}]", at) }
      token.last = (token.last or #text + 1) - 1
    end
    tokens[#tokens + 1] = token
    at = find(text, "%S", token.last + 1) or #text + 1
  end
  return tokens
end

-- The line of a byte.
function places.line(text, at)
  local _, newlines = gsub(sub(text, 1, at - 1), "\n", "")
  return newlines + 1
end

-- The line on which stands what a pointer names: its key, or the value itself in an array. Where it is not there, the
-- nearest around it. 1 for a text that is no JSON.
function places.line_of(text, pointer)
  local lines, ok, tokens = {}, pcall(places.tokens, text)
  if not ok then return 1 end
  for _, token in ipairs(tokens) do
    if token.pointer and not lines[token.pointer] then lines[token.pointer] = places.line(text, token.first) end
  end
  while pointer and not lines[pointer] do pointer = pointer:match("^(.*)/[^/]*$") end
  return lines[pointer] or 1
end

return places
