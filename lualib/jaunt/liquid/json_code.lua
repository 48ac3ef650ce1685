-- The tree of a JSON template as it is compiled: its literal text cut where something has to be done between.
--
-- Called by jaunt.liquid.json_shape at its end, with what it has noted in the nodes (see jaunt.liquid.json_text). Puts
-- in nodes of two kinds, which the compiler knows: { kind = "lua", code = statements }, and { kind = "omit", value =,
-- slot =, body = }: if the value is nil, the local `slot` (if there is one) becomes true; otherwise the body is
-- rendered, in which the value is v. The locals of the container D deep: jD (whether an item was written in it), jmD
-- (how much was put out when the item at hand began), jsD (jD then), joD (whether that item is to be taken out).

local quote = require("jaunt.liquid.code").quote
local reader = require "jaunt.liquid.json_text"
local states = require "jaunt.liquid.json_state"

local find, format, sub = string.find, string.format, string.sub
local concat, insert, sort = table.concat, table.insert, table.sort
local ipairs, next, pairs = ipairs, next, pairs

local COMMA, NONE = states.COMMA, states.NONE

local writer = {}
writer.__index = writer

-- Adds a node of Lua statements.
function writer:code(format_text, ...)
  insert(self.block, { kind = "lua", at = self.at, stop = self.at, code = format(format_text, ...) })
end

-- Puts out the text that was gathered, before it a comma if one is due ("maybe": if j says so).
function writer:flush_text()
  local text = concat(self.buffer)
  self.buffer = {}
  if self.maybe then
    local j = "j" .. self.maybe
    self.maybe = nil
    if text == "" then
      self:code('if %s then n = n + 1; out[n] = "," end', j)
    else
      self:code("n = n + 1; out[n] = %s and %s or %s", j, quote("," .. text), quote(text))
    end
  elseif text ~= "" then
    insert(self.block, { kind = "text", text = text, at = self.at, stop = self.at })
  end
end

-- Writes down what is noted of the containers: of one depth, or of all.
function writer:flush_state(depth)
  self:flush_text()
  for noted, value in pairs(self.noted) do
    if not depth or noted == depth then
      self:code("j%d = %s", noted, value)
      self.noted[noted] = nil
    end
  end
end

local WRITE = {}

function WRITE.comma(self, event)
  if not event.loose then insert(self.buffer, ",") end
end

-- Takes the blanks at the end of the text that was gathered.
function writer:take_blanks()
  local text = concat(self.buffer)
  local last = #text
  while last > 0 and find(text, "^[ \t\r\n]", last) do last = last - 1 end
  self.buffer = { sub(text, 1, last) }
  return sub(text, last + 1)
end

function WRITE.start(self, event)
  local d, comma = event.depth, next(event.commas)
  local loose, blanks = comma and comma.loose, ""
  if event.mark then
    blanks = self:take_blanks()
    self:flush_state(d)
    self:code("jm%d = n%s", d, self.needed[d] and format("; js%d = j%d", d, d) or "")
  elseif loose then
    blanks = self:take_blanks()
  end
  if loose and (event.set == COMMA or self.noted[d]) then
    insert(self.buffer, ",")
  elseif loose and self.noted[d] == nil then
    self:flush_text()
    self.maybe = d
  end
  insert(self.buffer, blanks)
  if self.needed[d] then self.noted[d] = true end
end

function WRITE.open(self, event)
  if self.needed[event.depth] then self.noted[event.depth] = false end
end

function WRITE.finish(self, event)
  local d = event.depth
  self:flush_state(d)
  self:code("if jo%d then n = jm%d; jo%d = nil%s end", d, d, d, self.needed[d] and format("; j%d = js%d", d, d) or "")
end

local RANKS = { finish = 1, comma = 2, start = 3, open = 4 }

local function in_order(a, b)
  if a.at ~= b.at then return a.at < b.at end
  return RANKS[a.kind] < RANKS[b.kind]
end

local function new_writer(needed, block, node)
  return setmetatable({ needed = needed, block = block, at = node.at, buffer = {}, noted = {} }, writer)
end

local function rebuild_text(needed, block, node)
  local self, from = new_writer(needed, block, node), 1
  local events = node.events or {}
  sort(events, in_order)
  for _, event in ipairs(events) do
    self.buffer[#self.buffer + 1] = sub(node.text, from, event.at - 1)
    self.at = node.at + from - 1
    from = event.kind == "comma" and event.at + 1 or event.at
    WRITE[event.kind](self, event)
  end
  local last, rest = events[#events], sub(node.text, from)
  local is_moved = last and last.kind == "comma" and last.loose and not find(rest, "[^ \t\r\n]")
  if not is_moved then insert(self.buffer, rest) end -- else: blanks behind a comma that is put out elsewhere
  self:flush_state()
end

-- An output: what the start of an item takes, itself or nothing, what its end takes.
local function rebuild_output(needed, block, node)
  local inner = node.tested and node.whole and {} or block
  local self = new_writer(needed, inner, node)
  local start, finish = node.events and node.events["0start"], node.events and node.events["0finish"]
  if start then
    WRITE.start(self, start)
    self:flush_state()
  end
  if not node.tested then
    insert(inner, node)
  elseif node.whole then
    insert(inner, node)
    insert(block, { kind = "omit", at = node.at, stop = node.stop, value = node.tested, body = inner })
  else
    insert(block, { kind = "omit", at = node.at, stop = node.stop, value = node.tested, slot = node.slot, body = {
      node } })
  end
  if finish then
    WRITE.finish(self, finish)
    self:flush_state()
  end
end

local rebuild

local REBUILD = {
  text = rebuild_text, output = rebuild_output, cycle = rebuild_output, increment = rebuild_output,
    decrement = rebuild_output,
}

local function rebuild_inner(needed, node)
  if node.kind == "capture" then return node end
  for _, list in ipairs { node.branches or {}, node.clauses or {}, { node } } do
    for _, part in ipairs(list) do
      if part.body then part.body = rebuild(needed, part.body) end
    end
  end
  if node.otherwise then node.otherwise = rebuild(needed, node.otherwise) end
  return node
end

-- The block with what has to be done between its texts; without what is never reached.
function rebuild(needed, block)
  local made = {}
  for _, node in ipairs(block) do
    if node.visited and REBUILD[node.kind] then
      REBUILD[node.kind](needed, made, node)
    elseif node.visited then
      insert(made, rebuild_inner(needed, node))
    end
  end
  return made
end

-- Which depths need a local for their commas, and which locals marks need.
local function locals_of(starts, needed, locals)
  for _, start in ipairs(starts) do
    local comma = next(start.commas)
    if comma and comma.loose and start.set ~= COMMA then needed[start.depth] = true end
    if start.mark then locals["jm" .. start.depth], locals["jo" .. start.depth] = true, true end
  end
end

-- Before an item that may be taken out, and before one that some ways reach by a loose comma, all commas are loose.
local function loosen(starts)
  repeat
    local changed = false
    for _, start in ipairs(starts) do
      local loose = start.mark and next(start.commas) ~= nil
      for comma in pairs(start.commas) do loose = loose or comma.loose end
      for comma in pairs(loose and start.commas or NONE) do
        changed = changed or not comma.loose
        comma.loose = true
      end
    end
  until not changed
end

local function list_locals(starts)
  local needed, set, names = {}, {}, {}
  loosen(starts)
  locals_of(starts, needed, set)
  for depth = 1, reader.DEPTH_MOST do
    if needed[depth] then names[#names + 1] = "j" .. depth end
    if set["jm" .. depth] then table.move({ "jm" .. depth, "jo" .. depth }, 1, 2, #names + 1, names) end
    if needed[depth] and set["jm" .. depth] then names[#names + 1] = "js" .. depth end
  end
  return needed, names
end

-- Makes the block ready for the compiler, which finds in its field `locals` the names of locals that the code needs.
-- `starts` are the events at which its items begin.
return function(block, starts)
  local needed, locals = list_locals(starts)
  local made = rebuild(needed, block)
  made.locals = locals
  return made
end
