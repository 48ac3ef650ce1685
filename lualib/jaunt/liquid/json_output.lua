-- What a JSON template puts out where: the part of jaunt.liquid.json_shape that knows outputs. By where they stand:
--
--   "Hi {{ x }}"   within quotes: text, escaped; nil is nothing; an array or object is a mistake of rendering, unless
--                  it was joined, or `| json` makes its JSON text of it (which is escaped as any other text)
--   {{ x }}        a value: texts get quotes, numbers and booleans are as they are, nil is null, arrays and objects are
--                  JSON
--   {{ k }}: 1     a key: a text in quotes; within quotes, a part of it. nil and empty are mistakes of rendering
-- json, to_json and json_escape as the last filter change nothing of this, but for `| json` within quotes, as above. So
-- a template from elsewhere is not escaped twice: "{{ x | json_escape }}" and {{ x | json }} are what they were there.
-- Only the last one counts: "{{ x | json | json_escape }}" holds x's JSON text, escaped once.
--
-- A name that is only ever assigned by `| json` holds JSON: put out as a value, once it was assigned, it is not quoted
-- again. A capture's body is plain text, which is escaped where it is put out. cycle, increment and decrement are
-- outputs like others.
--
-- `| omit_if_nil` takes out the member (the item, in an array) in which it stands, if the value at its place is nil:
-- the start of the item is marked, and at its end all that was put out since is taken back.

local reader = require "jaunt.liquid.json_text"
local states = require "jaunt.liquid.json_state"
local trees = require "jaunt.liquid.trees"

local format, gmatch = string.format, string.gmatch
local ipairs, pairs, setmetatable = ipairs, pairs, setmetatable
local filtered = trees.filtered
local fail, place, with = states.fail, states.place, states.with
local ITEM = states.ITEM

-- Methods, on top of those of jaunt.liquid.json_text.
local outputs = setmetatable({}, reader)
outputs.__index = outputs

local STRIPPED = { json = true, to_json = true, json_escape = true }

-- Filters that make a text or a number of nil, so that `omit_if_nil` behind them would never see one.
local NEVER_NIL = {}
for name in gmatch([[append base64_encode capitalize ceil downcase escape escape_once floor hmac_sha256_hex join json
    json_escape lstrip md5 minus newline_to_br plus prepend remove remove_first remove_last replace replace_first
    replace_last round rstrip sha1 sha2 size slice split strip strip_html strip_newlines times to_json truncate
    truncatewords upcase url_encode url_escape url_param_escape]], "%S+") do
  NEVER_NIL[name] = true
end

-- Takes the last filter off if it is one of those that escape already. Returns the rest, and the filter's name.
function outputs.without_escape(value)
  local filters = value.kind == "filtered" and value.filters or {}
  local last = filters[#filters]
  if not last or not STRIPPED[last.name] or #last.arguments > 0 then return value, nil end
  return filtered(value.value, filters, 1, #filters - 1), last.name
end

-- Which filter of a value is omit_if_nil, or nil. It must stand where nil can come to it, and once.
local function place_of_omit(filters, source)
  local found, before
  for i, filter in ipairs(filters) do
    local where = place(source, filter.at)
    if filter.name == "omit_if_nil" and before then
      fail(where, format("omit_if_nil stands behind %s, which never gives nil", before),
        "put it first, right behind the value")
    elseif filter.name == "omit_if_nil" and found then
      fail(where, "omit_if_nil stands here twice", "keep the one that is asked about the right value")
    elseif filter.name == "omit_if_nil" then
      found = i
    end
    if NEVER_NIL[filter.name] and not found then before = filter.name end
    if filter.name == "default" then before = nil end
  end
  return found
end

-- Takes a value apart at its omit_if_nil: what is looked at (nil without it), and what is put out of it (`v` in the
-- compiled code).
local function at_omit(value, source)
  local filters = value.kind == "filtered" and value.filters or {}
  local i = place_of_omit(filters, source)
  if not i then return nil, value end
  local v = { kind = "lua", code = "v", at = value.at, stop = value.stop }
  return filtered(value.value, filters, 1, i - 1), filtered(v, filters, i + 1, #filters)
end

-- Whether it is a name that is only ever assigned by `| json`, within the block that is looked at.
local function may_hold_json(self, node)
  local value = node.value
  if not value or node.escape == "json" or node.escape == "to_json" then return false end
  return value.kind == "path" and #value.keys == 0 and self.json_names[value.head] == true
end

-- What is put out, at any way here: the value without what counts no more, and how it is escaped in its mode.
local function prepare_output(self, node)
  if node.given or not node.value then return end
  local value, escape = outputs.without_escape(node.value)
  node.given, node.escape = node.value, escape
  node.tested, node.value = at_omit(value, self.source)
end

-- The item at hand may be taken out: it has to remember where it began.
local function may_omit(self, node, frame)
  if frame.kind == "document" then
    fail(place(self.source, node.at), "omit_if_nil has nothing to leave out here",
      "it takes out the member or item that it stands in")
  end
  for started in pairs(frame.starts) do started.mark = true end
  node.slot = "jo" .. frame.depth
  return with(frame, { omits = true })
end

-- A key that a value says may be one that is there already: that is seen when it is rendered.
local function note_key(self, node)
  self.key_of_value = self.key_of_value or place(self.source, node.at)
end

local function output_in_string(self, node, state)
  if state.role == "key" then
    note_key(self, node)
    node.emit = "json_key_part"
  else
    local whole = node.escape == "json" or node.escape == "to_json"
    node.emit = whole and "json_string_any" or "json_string"
  end
  if not node.tested then return state end
  return with(state, { frame = may_omit(self, node, state.frame) })
end

local function output_key(self, node, state, where)
  local frame = self:start(node, 0, state, where, "output")
  note_key(self, node)
  node.emit = "json_key"
  if node.tested then frame = may_omit(self, node, frame) end
  return { mode = "colon", frame = frame }
end

local function output_value(self, node, state, where)
  local frame = self:value(node, 0, state, where, "output")
  node.emit, node.may_hold_json = "json_value", may_hold_json(self, node)
  node.whole = state.mode == "item" -- an array's item: nothing was put out of it before
  if node.tested and not node.whole then frame = may_omit(self, node, frame) end
  local after = self:finish(node, 0, { frame = frame }, place(self.source, node.stop + 1), "output")
  if not node.tested or not node.whole then return after end
  return with(after, { frame = with(after.frame, { set = frame.set | ITEM, commas = frame.commas }) })
end

function outputs:output(node, state)
  local where = place(self.source, node.at)
  prepare_output(self, node)
  self:check_place(node, state)
  if state.mode == "string" then return output_in_string(self, node, state) end
  if state.mode == "item" and state.frame.kind == "object" then return output_key(self, node, state, where) end
  return output_value(self, node, state, where)
end

return outputs
