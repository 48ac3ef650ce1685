-- What compiled templates call while they render, beside filters and emitters.
--
-- Each function is there because a line of Lua would not do. `c` is the record of one render (runtime.record); filters
-- that want to know it get it, too. It has
--   person, event, vars, now, zone   as they were given; attributes: the person's, or none
--   limits, depth, started, looked   what may be used, how deep payloads are, when it began and was looked at
--   turns, look, left                turns of loops so far; how many pass then until the limits are looked at, how
--                                    many still
--   out, count                       the pieces of the result, and in the end how many
--   seen, seen_count, bytes          how far pieces were measured
--   cycles, offsets                  what cycle and offset: continue remember
--   probes, omitted, defaulted       for probes

local values = require "jaunt.liquid.values"

local format = string.format
local join = require("jaunt.native.text").join
local mono = require("jaunt.native.clock").mono
local null = values.null
local rawequal, setmetatable, type = rawequal, setmetatable, type

local runtime = {
  null = null, blank = values.blank, empty = values.empty,
  get = values.get, list = values.list, range = values.range,
  equal = values.equal, less = values.less, less_equal = values.less_equal, greater = values.greater,
  greater_equal = values.greater_equal, contains = values.contains,
}

local NOTHING = setmetatable({}, { __newindex = function() error("nobody writes here", 2) end })

-- Limits

local LOOK_FIRST, LOOK_MOST = 16, 256 -- how many turns pass before somebody looks at the limits
local SLOW = 20 -- milliseconds between two looks, after which the next one is to come at once

-- What a render may use, unless said otherwise.
runtime.LIMITS = {
  output = 1 << 20, -- bytes of the result, and of each capture
  loops = 100000,   -- turns of loops in all, and payloads rendered by render
  depth = 20,       -- payloads in payloads
  time = 1000,      -- milliseconds
}

local function over(name, text, ...)
  error({ liquid_text = format(text, ...) .. format(" (limits.%s)", name), what = "limit" }, 0)
end

-- The record, and the table of the pieces of the result: one of each for a Lua state, since no render begins within
-- another one; new ones would have to grow each time. What is left in them is overwritten, or not looked at.
local record, pieces = {}, {}
local PIECES_KEPT = 1000 -- a table that has become larger than that is not kept

-- Sets up the record of one render, of what jaunt.liquid was given; returns it. record.out takes the pieces.
function runtime.record(context, probing)
  local c, person, limits = record, context.person, context.limits
  limits = limits and setmetatable(limits, { __index = runtime.LIMITS }) or runtime.LIMITS
  if #pieces > PIECES_KEPT then pieces = {} end
  c.person, c.event, c.vars, c.now, c.zone = person, context.event, context.vars or NOTHING, context.now, context.zone
  c.attributes = type(person) == "table" and person or NOTHING
  c.out, c.probes, c.omitted, c.defaulted = pieces, probing and {}, probing and {}, nil
  c.limits, c.depth, c.turns = limits, 0, 0
  c.look = limits.loops < LOOK_FIRST and limits.loops or LOOK_FIRST
  c.left, c.started = c.look, mono()
  c.looked = c.started
  c.seen, c.seen_count, c.bytes = nil, 0, 0
  c.cycles, c.offsets = nil, nil
  return c
end

local function too_long(most)
  over("output", "the result is longer than %d bytes", most)
end

-- The bytes of the first `n` pieces; those that were counted before are not counted again.
local function measure(c, out, n)
  local from, bytes = 1, 0
  if c.seen == out and n >= c.seen_count then from, bytes = c.seen_count + 1, c.bytes end
  for i = from, n do bytes = bytes + #out[i] end
  c.seen, c.seen_count, c.bytes = out, n, bytes
  if bytes > c.limits.output then too_long(c.limits.output) end
  return bytes
end

-- Returns whether the render took its time since it was looked at before.
local function check_time(c)
  local now = mono()
  if now - c.started > c.limits.time then over("time", "rendering takes longer than %d ms", c.limits.time) end
  local slow = now - c.looked > SLOW
  c.looked = now
  return slow
end

values.look_at_time_by(function()
  if record.started then check_time(record) end
end)

-- Called when c.left turns are over: looks at all limits, and says when to look again; sooner, where the result grows
-- fast or turns are slow.
function runtime.look(c, out, n)
  local limits = c.limits
  c.turns = c.turns + c.look
  local before = c.bytes
  local bytes = measure(c, out, n)
  local slow = check_time(c)
  if c.turns >= limits.loops then over("loops", "loops turn more than %d times", limits.loops) end
  local fast = (bytes - before) * 4 > limits.output - bytes
  c.look = (fast or slow) and 1 or math.min(c.look * 2, LOOK_MOST, limits.loops - c.turns)
  c.left = c.look - 1
end

-- The pieces as one text.
function runtime.join(c, out, n)
  local most = c.limits.output
  return join(out, n, most) or too_long(most)
end

-- Called in long templates, where no loop turns.
function runtime.check(c, out, n)
  measure(c, out, n)
  check_time(c)
end

-- A payload within a payload begins; c.depth counts.
function runtime.enter(c, out, n)
  c.depth = c.depth + 1
  if c.depth > c.limits.depth then over("depth", "payloads render each other more than %d deep", c.limits.depth) end
  c.left = c.left - 1
  if c.left < 0 then runtime.look(c, out, n) end
end

-- Names

-- A name from outside: a field of vars, or an attribute of the person.
function runtime.root(c, name)
  local value = c.vars[name]
  if value == nil then value = c.attributes[name] end
  if value == null then return nil end
  return value
end

-- values.get for a key that is a text, and not size, first or last.
function runtime.field(v, key)
  if type(v) ~= "table" then return nil end
  local value = v[key]
  if value == null then return nil end
  return value
end

-- The value itself if it has members, or nothing that has.
function runtime.members(v)
  return type(v) == "table" and v or NOTHING
end

-- The moment of the render as a date, in the render's zone.
function runtime.now(c)
  return values.date(c.now, c.zone)
end

-- A name that is a value itself, {{ [name] }}: one of `known`, or one from outside.
function runtime.named(c, name, known)
  if type(name) ~= "string" then return nil end
  if known[name] ~= nil then return known[name] end
  if name == "person" or name == "event" then return c[name] end
  if name == "now" then return runtime.now(c) end
  return runtime.root(c, name)
end

-- The first that is not nil: of a name that is assigned and counted, too.
function runtime.either(a, b, d)
  if a ~= nil then return a end
  if b ~= nil then return b end
  return d
end

-- Loops

-- What stands for the `continue` of offset: continue.
runtime.from_last = {}

-- The part of a list that a for with limit or offset goes over: the list, how many items are before the part, how many
-- are in it. `label` is kept, for a later for with offset: continue, which goes on where this one ended. A text is one
-- item, whatever is asked for.
function runtime.slice(c, over_what, limit, offset, label)
  local items = values.list(over_what)
  if label and not c.offsets then c.offsets = {} end
  if offset == runtime.from_last then offset = c.offsets[label] end
  local from, last = offset == nil and 0 or values.integer(offset), #items
  if limit ~= nil and type(over_what) ~= "string" then last = math.min(last, from + values.integer(limit)) end
  local skipped = type(over_what) == "string" and 0 or math.max(0, from)
  local taken = math.max(0, last - skipped)
  if label then c.offsets[label] = from + taken end
  return items, skipped, taken
end

-- What render … for goes over: items, or the one value that is no list.
function runtime.each(v)
  local kind = type(v)
  if kind ~= "table" or values.is_date(v) then return { v }, 1 end
  local items = values.list(v)
  return items, #items
end

-- forloop as a value.
function runtime.forloop(name, index, length, parent)
  return {
    name = name, length = length, index = index, index0 = index - 1,
    rindex = length - index + 1, rindex0 = length - index,
    first = index == 1, last = index == length, parentloop = parent,
  }
end

local NIL = {}

-- Which of `count` values a cycle shows now: by its group's value, or by the text of its values.
function runtime.cycle(c, group, label, count)
  local cycles = c.cycles
  if not cycles then
    cycles = { named = {}, plain = {} }
    c.cycles = cycles
  end
  local turns, key = cycles.plain, label
  if not label then
    turns, key = cycles.named, group
    if key == nil or key ~= key then key = NIL end
  end
  local turn = (turns[key] or 0) + 1
  turns[key] = turn < count and turn or 0
  return turn
end

-- The template ends the call itself.
function runtime.stop(how, reason)
  local text = reason ~= nil and values.text(reason) or ""
  values.stop(how, text ~= "" and text or how == "skip" and "abort_message" or "drop_message")
end

-- Probes (see jaunt.liquid)

-- What kind of value a field holds, for people who look for blanks.
function runtime.kind(v)
  if v == "" then return "empty" end
  return values.kind(v)
end

-- Forgets what was noted of outputs that were taken back since.
function runtime.unprobe(c, n)
  local probes = c.probes
  while #probes > 0 and probes[#probes].n > n do probes[#probes] = nil end
end

-- Notes what output number `id` put out.
function runtime.probe(c, out, n, id, kind)
  if out ~= c.out then return end
  local probes = c.probes
  probes[#probes + 1] = { id = id, n = n, value = kind, defaulted = c.defaulted }
end

-- Notes that output number `id` was left out (omit_if_nil).
function runtime.probe_omitted(c, id)
  c.omitted[#c.omitted + 1] = { id = id, value = "nil", omitted = true }
end

-- The result of the filter `default`, and whether it fired.
function runtime.defaulted(c, before, after)
  if not rawequal(before, after) then c.defaulted = true end
  return after
end

return runtime
