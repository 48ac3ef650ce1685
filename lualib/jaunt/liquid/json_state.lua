-- Where in its JSON a template is: what jaunt.liquid.json_shape knows of a place, and how two ways to it are joined.
--
-- A state is { mode =, frame =, … } and never changed; so are frames, one for each open container, the innermost first:
--   mode   "value"   a value has to follow: at the start of the document (frame "document") or behind a colon
--          "item"    in a container, between items: an item, a comma or the end may follow
--          "colon"   behind a key
--          "string"  within quotes; role = "value" or "key", opened = where, began_in and began_at = the text node with
--                    the quote, and its place there
--          "done"    behind the document
--   frame  { kind = "object", "array" or "document", depth =, parent =, opened = where,
--            set = which of START, ITEM and COMMA may be (in the mode "item": now; otherwise: before the item at hand),
--            keys = literal keys (a list by `next`), key = that of the item at hand, behind = that of the item before,
--            starts = { event = true } of the item at hand, omits = whether it may be taken out,
--            commas = { event = true } since the last item }
--   last   { what =, at =, source = } the item before, for messages: at = the offset behind it
--   where  { source =, at = }
-- Events are what happens in a node: see jaunt.liquid.json_text.

local fault = require "jaunt.liquid.fault"

local format, gsub, sub = string.format, string.gsub, string.sub
local pairs = pairs

local state = {}

-- What may have been written of a container: nothing yet, an item, an item and a comma.
local START, ITEM, COMMA = 1, 2, 4
state.START, state.ITEM, state.COMMA = START, ITEM, COMMA

local COMMAS_MOST = 8 -- that may stand before an item, and are looked at one by one

state.NONE = {} -- no events

-- A copy of a state or of a frame, with some fields changed. The fields are written down since tables that grow one by
-- one would cost more than all else here.
local function with(record, changes)
  local copy = record.mode and {
    mode = record.mode, frame = record.frame, role = record.role, opened = record.opened, began_in = record.began_in,
    began_at = record.began_at, last = record.last,
  } or {
    kind = record.kind, depth = record.depth, parent = record.parent, opened = record.opened, set = record.set,
    keys = record.keys, key = record.key, behind = record.behind, starts = record.starts, omits = record.omits,
    commas = record.commas,
  }
  for key, value in pairs(changes) do copy[key] = value end
  return copy
end

local function line_of(where)
  local _, newlines = gsub(sub(where.source.text, 1, where.at - 1), "\n", "")
  return newlines + 1
end

local function fail(where, text, hint)
  fault.raise(where.source, where.at, text, hint)
end

local function place(source, at)
  return { source = source, at = at }
end

-- "on line 3", with the file where it is another one.
local function on_line(where, source)
  local file = where.source ~= source and where.source.path or nil
  return format("on line %d%s", line_of(where), file and " of " .. file or "")
end

local function value_of(frame)
  if frame.kind == "document" then return "the value that the payload is" end
  return frame.key and format('the value of "%s"', frame.key) or "a member's value"
end

-- Where the state is, in words that go behind "ends".
local function words(at, source)
  local frame = at.mode ~= "done" and at.frame or nil
  if at.mode == "string" then
    return format("inside the text that begins %s", on_line(at.opened, source))
  elseif at.mode == "colon" then
    return "behind a key, before its colon"
  elseif at.mode == "value" then
    return "before " .. value_of(frame)
  elseif at.mode == "done" then
    return "behind the end of the JSON"
  end
  if frame.behind then return format('behind the value of "%s"', frame.behind) end
  return format("inside the %s that is opened %s", frame.kind, on_line(frame.opened, source))
end

-- Whether both are at the same kind of place: what may differ is what control flow may leave open.
local function alike(a, b)
  if a.mode ~= b.mode or a.role ~= b.role or a.frame.depth ~= b.frame.depth then return false end
  local x, y = a.frame, b.frame
  while x ~= y and x do
    if x.kind ~= y.kind then return false end
    x, y = x.parent, y.parent
  end
  return true
end

-- The keys that both lists end with: those that are there on both ways.
local function common(a, b)
  while a ~= b do
    local longer = a and (not b or a.count >= b.count)
    if longer then a = a.next else b = b.next end
  end
  return a
end

local function union(a, b)
  if a == b then return a end
  local both, more = {}, false
  for event in pairs(a) do both[event] = true end
  for event in pairs(b) do
    more = more or not both[event]
    both[event] = true
  end
  return more and both or a
end

local function make_loose(commas)
  for comma in pairs(commas) do comma.loose = true end
end

local MANY = { [{ loose = true }] = true } -- stands for more commas than are looked at one by one

-- The commas of both ways; where they are many, all of them are put out where the items begin.
local function join_commas(a, b)
  local both, count = union(a, b), 0
  if both == a then return a end
  for _ in pairs(both) do count = count + 1 end
  if count <= COMMAS_MOST and a ~= MANY and b ~= MANY then return both end
  make_loose(both)
  return MANY
end

local function join_frames(a, b)
  if a == b or not a then return a end
  local merged = {
    kind = a.kind, depth = a.depth, opened = a.opened, parent = join_frames(a.parent, b.parent), set = a.set | b.set,
    keys = common(a.keys, b.keys), starts = union(a.starts, b.starts), omits = a.omits or b.omits,
    commas = join_commas(a.commas, b.commas), key = a.key == b.key and a.key,
    behind = a.behind == b.behind and a.behind,
  }
  for field, value in pairs(merged) do
    if a[field] ~= value then return merged end
  end
  if a.keys ~= merged.keys or a.key ~= merged.key then return merged end
  return a -- so that a loop's second look sees that nothing has changed
end

-- The state where two ways meet that are alike; nil is a way that is never gone.
local function join(a, b)
  if not a or not b then return a or b end
  local frame = join_frames(a.frame, b.frame)
  if frame == a.frame then return a end
  return with(a, { frame = frame })
end

-- Whether nothing that comes behind can tell the two states from each other.
local function same(a, b)
  return alike(a, b) and a.began_in == b.began_in and a.began_at == b.began_at
    and join_frames(a.frame, b.frame) == a.frame and join_frames(b.frame, a.frame) == b.frame
end

state.with = with
state.place = place
state.line_of = line_of
state.on_line = on_line
state.fail = fail
state.value_of = value_of
state.words = words
state.alike = alike
state.join_commas = join_commas
state.join = join
state.same = same
state.make_loose = make_loose

return state
