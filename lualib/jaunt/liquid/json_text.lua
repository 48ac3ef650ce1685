-- Reads the literal text of a JSON template, and says where an item begins and ends: the part of
-- jaunt.liquid.json_shape that knows JSON.
--
-- Its methods take a node, an offset in the node's text, and the state there (jaunt.liquid.json_state), and give the
-- state behind it; what is not JSON is a mistake in words. `self` has `source`, `seen` = {} for places that were
-- looked at before, and `starts` = {} for the events at which items begin. What has to be done when the template is
-- rendered is noted in `node.events`, a list, where each is found by its place and kind, too (events["2comma"]):
--   { at = in the node's text (0: at the node itself), kind = "comma", "start" or "finish" of an item, or "open",
--     depth = the container's, set = all that may have been written before,
--     loose = (of a comma) whether it may be left over, commas = (of a start) those that may stand before it,
--     mark = (of a start) whether the item may be taken out, lists = (of a start) the literal keys from there on }

local pasted = require "jaunt.liquid.pasted"
local states = require "jaunt.liquid.json_state"

local find, format, lower, match, sub = string.find, string.format, string.lower, string.match, string.sub
local concat, insert = table.concat, table.insert
local ipairs, pairs, tonumber = ipairs, pairs, tonumber

local START, ITEM, COMMA, NONE = states.START, states.ITEM, states.COMMA, states.NONE
local with, place, on_line, line_of, fail, value_of, words, join_commas, make_loose =
  states.with, states.place, states.on_line, states.line_of, states.fail, states.value_of, states.words,
  states.join_commas, states.make_loose

local DEPTH_MOST = 30  -- of containers in literal text: each may need four of Lua's 200 locals
local KEYS_MOST = 1000 -- of an object, in which one that stands twice is found

local reader = {}
reader.__index = reader

reader.DEPTH_MOST = DEPTH_MOST

---------------------------------------------------------------------------------------------- items

-- Notes that something happens at offset `at` of a node's text (0: at the node itself), each time that it is looked at.
local function event(node, at, kind, frame)
  node.events = node.events or {}
  local key = at .. kind
  local found = node.events[key]
  if not found then
    found = { at = at, kind = kind, depth = frame.depth, set = 0 }
    node.events[key] = found
    insert(node.events, found)
  end
  found.set = found.set | frame.set
  return found
end

-- Adds the events of a frame to those that an event is reached from.
local function add_commas(to, frame)
  to.commas = to.commas or {}
  for comma in pairs(frame.commas) do to.commas[comma] = true end
end

local SIDE_BY_SIDE = 'write both within one pair of quotes, "…", to make one text of them, or a comma between them'

local function touches(last, where)
  return last and last.source == where.source and last.at == where.at
end

local INNER_QUOTE = 'a quote within a text is written \\"'

-- An item begins: what stands before it must have been followed by a comma.
function reader:start(node, at, state, where, what)
  local frame = state.frame
  if frame.set & ITEM ~= 0 then
    local last = state.last
    if touches(last, where) and (last.what == "output" or what == "output") then
      fail(where, "two values stand side by side here, without quotes around them",
        last.what == "text" and SIDE_BY_SIDE .. "; " .. INNER_QUOTE or SIDE_BY_SIDE)
    elseif frame.set == ITEM and last and last.source == where.source and last.at > where.at then
      fail(where, "the loop comes back here without a comma",
        "write one at the end of its body: the last one, which is one too many, is taken away")
    elseif frame.set == ITEM and last and last.what == "output" and what == "output" then
      fail(where, "two values stand one after the other here, without a comma", SIDE_BY_SIDE)
    elseif frame.set == ITEM then
      fail(where, format("a comma is missing before this %s", frame.kind == "object" and "member" or "value"),
        last and format("put it behind what ends %s", on_line(last, where.source)))
    end
    fail(where, format("a comma may be missing before this %s: some ways through the template come here without one",
      frame.kind == "object" and "member" or "value"),
      "write the comma always, outside of any condition: one too many is taken away")
  end
  local started = event(node, at, "start", frame)
  if not started.commas then insert(self.starts, started) end
  add_commas(started, frame)
  return with(frame, { starts = { [started] = true }, omits = false, key = false })
end

-- The item at hand, or the document, is complete: at `at` of a node's text.
function reader:finish(node, at, state, where, what)
  local frame = state.frame
  local last = { what = what, at = where.at, source = where.source }
  if frame.kind == "document" then return { mode = "done", frame = frame, last = last } end
  local set, commas = ITEM, NONE
  if frame.omits then
    event(node, at, "finish", frame)
    set, commas = set | frame.set, frame.commas
  end
  local after = { set = set, starts = NONE, omits = false, key = false, commas = commas, behind = frame.key }
  return { mode = "item", frame = with(frame, after), last = last }
end

-- A value begins here: the state's frame as it is within it. Fails where none may.
function reader:value(node, at, state, where, what)
  if state.mode == "value" then return state.frame end
  if state.mode == "item" and state.frame.kind == "array" then return self:start(node, at, state, where, what) end
  if state.mode == "colon" then fail(where, "a colon is missing here", 'a member is written "key": value') end
  if state.mode == "done" and what == "output" and state.last.what == "output" then
    fail(where, "two values stand side by side here, without quotes around them", SIDE_BY_SIDE)
  elseif state.mode == "done" then
    fail(where, "the JSON has ended before this", format("its end is %s; a payload is one value",
      on_line(place(state.last.source, state.last.at - 1), where.source)))
  end
  if state.frame.set == ITEM and what ~= "output" then self:start(node, at, state, where, what) end
  fail(where, "a key has to stand here", 'a member is written "key": value')
end

---------------------------------------------------------------------------------------------- literal text

local ESCAPE_HINT = 'a backslash begins one of \\" \\\\ \\/ \\b \\f \\n \\r \\t \\u0041; a backslash itself is \\\\'

-- Checks \u escapes: halves of surrogate pairs mean nothing alone. Returns the offset behind it.
local function check_unicode(text, i, where)
  local digits = match(text, "^%x%x%x%x", i + 2)
  if not digits then fail(where, "\\u needs four hexadecimal digits", ESCAPE_HINT) end
  local code = tonumber(digits, 16)
  if code < 0xD800 or code > 0xDFFF then return i + 6 end
  local low = code < 0xDC00 and match(text, "^\\u([dD][c-fC-F]%x%x)", i + 6)
  if not low then fail(where, format("\\u%s is one half of a character", digits), "write the character itself") end
  return i + 12
end

-- Passes over text within quotes, up to the closing one or the end: its offset, or nil.
local function string_end(self, node, i)
  local text = node.text
  while true do
    local at = find(text, '["\\%c]', i)
    if not at then return nil end
    local c, where = sub(text, at, at), self:within(node, at)
    if c == '"' then return at end
    if c == "\\" then
      if find(text, "^u", at + 1) then
        i = check_unicode(text, at, where)
      elseif find(text, '^["\\/bfnrt]', at + 1) then
        i = at + 2
      elseif at == #text then
        fail(where, "a backslash stands at the end of this text, before a tag", ESCAPE_HINT)
      else
        fail(where, "this is no escape of JSON", ESCAPE_HINT)
      end
    elseif c == "\127" then
      i = at + 1
    elseif c == "\n" or c == "\r" then
      fail(where, "a line ends here, inside of a text in quotes", 'close the quotes, or write \\n for a line break')
    else
      fail(where, "a control character (a tab?) stands inside of a text in quotes", "write \\t, or a space")
    end
  end
end

-- Where character `i` of a text node stands in its source: what comes from a raw begins behind that tag.
function reader:within(node, i)
  local first = node.at
  if node.raw then first = find(self.source.text, node.text, node.at, true) or first end
  return place(self.source, first + i - 1)
end

-- Adds the literal key whose quote stands at `i` of a text. On the same way to it, the list is the same one each time.
local function add_key(self, frame, node, i, key)
  local known, where = frame.keys, self:within(node, i)
  local count = known and known.count + 1 or 1
  while known and count <= KEYS_MOST do
    if known.key == key and known.where.source == where.source and known.where.at == where.at then
      fail(where, format('the key "%s" is written here more than once in one object', key),
        "in a loop, write a key that differs, such as {{ item.id }}, or make an array of the items")
    elseif known.key == key then
      fail(where, format('the key "%s" stands twice in this object', key), format("it is there already %s",
        on_line(known.where, where.source)))
    end
    known = known.next
  end
  local list = node.events[i .. "start"].lists or {}
  node.events[i .. "start"].lists = list
  local before = frame.keys or NONE
  list[before] = list[before] or { key = key, where = where, next = frame.keys, count = count }
  return with(frame, { keys = list[before], key = key })
end

-- A string ends with the quote at `i`.
local function close_string(self, node, state, i)
  local where = self:within(node, i + 1)
  if state.role == "value" then return self:finish(node, i + 1, state, where, "text") end
  local frame = state.frame
  if state.began_in == node then
    frame = add_key(self, frame, node, state.began_at, sub(node.text, state.began_at + 1, i - 1))
  end
  return { mode = "colon", frame = frame }
end

-- A quote at `i` opens a string.
local function open_string(self, node, state, i)
  local where = self:within(node, i)
  local is_key = state.mode == "item" and state.frame.kind == "object"
  local frame = (is_key and self.start or self.value)(self, node, i, state, where, "text")
  return { mode = "string", role = is_key and "key" or "value", frame = frame, opened = where, began_in = node,
    began_at = i }
end

local function open_container(self, node, state, i, kind)
  local where = self:within(node, i)
  local frame = self:value(node, i, state, where, kind)
  local depth = frame.depth + 1
  if depth > DEPTH_MOST then
    fail(where, format("arrays and objects are nested more than %d deep here", DEPTH_MOST),
      "put the inner ones together in Lua")
  end
  if not frame.omits then -- what was before this item is over: so that the same container looks the same to loops in it
    frame = with(frame, { set = ITEM, commas = NONE, starts = NONE })
  end
  local inner = {
    kind = kind, depth = depth, parent = frame, opened = where, set = START, starts = NONE, omits = false, key = false,
    commas = NONE, behind = false,
  }
  event(node, i, "open", inner)
  return { mode = "item", frame = inner }
end

local CLOSERS = { object = "}", array = "]" }

local function close_container(self, node, state, i, kind)
  local where, frame = self:within(node, i), state.frame
  local closer = CLOSERS[kind]
  if state.mode == "done" or frame.kind == "document" then
    fail(where, format("%s closes nothing", closer), "it is one too many, or its opening one is missing")
  elseif state.mode == "value" then
    fail(where, format("%s is missing", value_of(frame)), "write null where there is nothing")
  elseif state.mode == "colon" then
    fail(where, "a key stands before this, without colon and value", 'a member is written "key": value')
  elseif frame.kind ~= kind then
    local said = "%s closes an %s, but what is open here is the %s of line %d"
    fail(where, format(said, closer, kind, frame.kind, line_of(frame.opened)),
      format("%s is missing before it", CLOSERS[frame.kind]))
  end
  make_loose(frame.commas)
  return self:finish(node, i + 1, { frame = frame.parent }, self:within(node, i + 1), kind)
end

local function comma(self, node, state, i)
  local where, frame = self:within(node, i), state.frame
  if state.mode == "value" and frame.kind ~= "document" then
    fail(where, format("%s is missing", value_of(frame)), "write null where there is nothing")
  elseif state.mode == "colon" then
    fail(where, "a key stands before this, without colon and value", 'a member is written "key": value')
  elseif state.mode ~= "item" then
    fail(where, "this comma stands outside of any array or object")
  end
  local met = event(node, i, "comma", frame)
  local set, commas = frame.set & START, frame.commas
  if frame.set ~= START then
    set, commas = set | COMMA, join_commas(commas, { [met] = true })
  end
  if frame.set ~= ITEM then
    met.loose = true
    make_loose(frame.commas)
  end
  return with(state, { frame = with(frame, { set = set, commas = commas }) })
end

local WORDS = { ["true"] = true, ["false"] = true, null = true }
local WORD_HINTS = {
  none = "null", ["nil"] = "null", undefined = "null", null = "null", yes = "true", no = "false", ["true"] = "true",
  ["false"] = "false",
}

-- A number or a word at `i`. Returns the state behind it, and the offset.
local function scalar(self, node, state, i)
  local text, where = node.text, self:within(node, i)
  local word = match(text, "^[%w_.+-]+", i)
  if find(word, "^%a") or find(word, "^_") then
    if not WORDS[word] then
      if state.last and state.last.what == "text" and touches(state.last, where) then
        fail(where, "the text has ended with the quote before this", INNER_QUOTE)
      end
      local meant = WORD_HINTS[lower(word)]
      fail(where, format("%s is no value of JSON", word), meant and format("write %s", meant)
        or "texts and keys stand in double quotes")
    end
  else
    local exact = match(word, "^%-?%d+$") or match(word, "^%-?%d+%.%d+$") or match(word, "^%-?%d+[eE][+-]?%d+$")
      or match(word, "^%-?%d+%.%d+[eE][+-]?%d+$")
    if not exact or find(word, "^%-?0%d") then
      fail(where, format("%s is no number of JSON", word),
        "put it in quotes if it is a text, such as a telephone number")
    elseif tonumber(word) == math.huge or tonumber(word) == -math.huge then
      fail(where, format("%s is too big a number", word))
    end
  end
  local inner = with(state, { frame = self:value(node, i, state, where, "number") })
  return self:finish(node, i + #word, inner, self:within(node, i + #word), "literal"), i + #word
end

-- What people type or paste for JSON's own signs, and what is said of it.
local PLAIN_QUOTE = 'JSON wants the plain one: "'
local COMMENT = "write {% comment %} … {% endcomment %}"
local FOREIGN = {
  { "//", "JSON has no comments", COMMENT }, { "/*", "JSON has no comments", COMMENT },
  { "#", "JSON has no comments", COMMENT },
  { "'", "JSON's texts stand in double quotes", 'write " instead of \'' },
  { ";", "JSON separates by commas", "write , instead of ;" },
  { "=", "JSON has a colon between key and value", "write : instead of =" },
  { "%", "% means nothing in JSON", "a tag begins with {%, without a blank between them" },
}

local function refuse(self, node, i)
  local text, where = node.text, self:within(node, i)
  for _, known in ipairs(FOREIGN) do
    if sub(text, i, i + #known[1] - 1) == known[1] then fail(where, known[2], known[3]) end
  end
  local what, hint = pasted.explain(text, i, PLAIN_QUOTE)
  if what then fail(where, what, hint) end
  local shown = match(text, "^[%z\1-\127\194-\244][\128-\191]*", i)
  fail(where, format("%s means nothing in JSON", find(shown, "%c") and "this control character" or shown),
    "texts and keys stand in double quotes")
end

local function colon(self, node, state, i)
  if state.mode == "colon" then return { mode = "value", frame = state.frame } end
  if state.mode == "done" then
    fail(self:within(node, i), "a member stands here outside of any object", "an object begins with { and ends with }")
  end
  fail(self:within(node, i), "this colon does not stand behind a key", 'a member is written "key": value')
end

local SIGNS = {
  ['"'] = open_string, [","] = comma, [":"] = colon,
  ["{"] = function(self, node, state, i) return open_container(self, node, state, i, "object") end,
  ["["] = function(self, node, state, i) return open_container(self, node, state, i, "array") end,
  ["}"] = function(self, node, state, i) return close_container(self, node, state, i, "object") end,
  ["]"] = function(self, node, state, i) return close_container(self, node, state, i, "array") end,
}

-- Whatever way leads to a text or an output, it has to be the same place of the JSON.
function reader:check_place(node, state)
  local sort_of = state.mode == "string" and "string " .. state.role or state.mode
  local here, seen = concat({ sort_of, state.frame.kind, state.frame.depth }, " "), self.seen[node]
  if seen and seen.here ~= here then
    fail(place(self.source, node.at), format("this stands %s on some ways through the template, and %s on others",
      words(seen.state, self.source), words(state, self.source)),
      "open and close quotes, braces and brackets in the same branch")
  end
  self.seen[node] = { here = here, state = state }
end

function reader:text(node, state)
  local text, i = node.text, 1
  if state.mode == "string" or find(text, "[^ \t\r\n]") then self:check_place(node, state) end
  while i <= #text do
    if state.mode == "string" then
      local close = string_end(self, node, i)
      if not close then return state end
      state, i = close_string(self, node, state, close), close + 1
    else
      i = find(text, "[^ \t\r\n]", i)
      if not i then return state end
      if state.mode == "done" and find(text, "^[^%]},:]", i) then
        self:value(node, i, state, self:within(node, i), "text")
      end
      local sign = SIGNS[sub(text, i, i)]
      if sign then
        state, i = sign(self, node, state, i), i + 1
      elseif find(text, "^[%w_+-]", i) then
        state, i = scalar(self, node, state, i)
      else
        refuse(self, node, i)
      end
    end
  end
  return state
end

reader.CLOSERS = CLOSERS

return reader
