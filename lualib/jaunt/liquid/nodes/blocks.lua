-- Writes blocks as Lua: as long as they are short and not deep, within the function at hand; otherwise as functions in
-- it (frames), which breaks and continues have to leave by a signal.
--
-- Called by the other files of this folder; `self` is the compiler's state, as jaunt.liquid.compiler tells.

local keys = require "jaunt.base.keys"
local names = require "jaunt.liquid.names"

local format, ipairs, min = string.format, ipairs, math.min

local blocks = {}

local FRAME_NODES = 400 -- how many nodes a frame takes
local FRAME_DEPTH = 10 -- how deep its blocks are

-- What writes each kind of node, (self, node): filled by jaunt.liquid.compiler.
blocks.WRITERS = {}

---------------------------------------------------------------------------------------------- jumps

-- How to get to the end of a loop's turn, or out of it, or of the template where there is none: Lua.
function blocks.jump(self, loop, how)
  local frame = loop and loop.frame or self.unit.frame
  if frame ~= self.code.frame then
    local signal = loop and loop.serial * 2 + (how == "break" and 0 or 1) or 0
    self.code.frame.jumps[signal] = { loop = loop, how = how }
    return format("do return %d end", signal)
  end
  if not loop then
    self.unit.finish = true
    return "goto finish"
  end
  if how == "break" and loop.repeated == 0 then return "break" end
  local label = how == "break" and "done" or "next"
  loop[label] = true
  return format("goto %s%d", label, loop.serial)
end

-- Where a break or a continue goes to: out of, or to the end of what follows.
function blocks.new_jump(self)
  self.code.serial = self.code.serial + 1
  return { serial = self.code.serial, frame = self.code.frame, repeated = 1 }
end

-- Writes the labels of such a place that were asked for, at its end.
function blocks.write_labels(self, ends)
  if ends.next then self.code:add(format("::next%d::", ends.serial)) end
  if ends.done then self.code:add(format("::done%d::", ends.serial)) end
end

---------------------------------------------------------------------------------------------- frames

local weight_of

-- How much of a frame a node fills: how many nodes there are in it, as far as they do not get frames of their own.
local function node_weight(self, node)
  local weight = 1
  for _, inner in ipairs(names.inner_blocks(node)) do
    weight = weight + min(weight_of(self, inner), FRAME_NODES)
  end
  return weight
end

function weight_of(self, block)
  local weight = self.weights[block]
  if weight then return weight end
  weight = 0
  for _, node in ipairs(block) do weight = weight + node_weight(self, node) end
  self.weights[block] = weight
  return weight
end

-- Writes a function within the function, and its call: what `write` writes, where it is too long or too deep.
local function write_frame(self, write)
  local writer = self.code
  writer:own "t"
  writer:open(self.depth)
  write()
  local lines, frame = writer:close("t = function()", "end")
  writer:insert(lines)
  writer:add("t = t()")
  for _, signal in ipairs(keys.sorted(frame.jumps)) do
    local to = frame.jumps[signal]
    writer:add(format("if t == %d then %s end", signal, blocks.jump(self, to.loop, to.how)))
  end
end

local function write_nodes(self, block, from, to)
  for i = from, to do blocks.WRITERS[block[i].kind](self, block[i]) end
end

-- Writes a block in pieces of about FRAME_NODES.
local function write_pieces(self, block)
  local from, weight = 1, 0
  for i, node in ipairs(block) do
    weight = weight + node_weight(self, node)
    if weight > FRAME_NODES or i == #block then
      write_frame(self, function() write_nodes(self, block, from, i) end)
      from, weight = i + 1, 0
    end
  end
end

-- Writes a block: in its function, or in frames.
function blocks.write(self, block)
  self.depth = self.depth + 1
  if weight_of(self, block) > FRAME_NODES then
    write_pieces(self, block)
  elseif self.depth - self.code.frame.depth > FRAME_DEPTH then
    write_frame(self, function() write_nodes(self, block, 1, #block) end)
  else
    write_nodes(self, block, 1, #block)
  end
  self.depth = self.depth - 1
end

-- Writes a block within another scope, or for another source.
function blocks.write_within(self, block, scope, source)
  local outer_scope, outer_source = self.scope, self.code.source
  self.scope, self.code.source = scope, source or outer_source
  blocks.write(self, block)
  self.scope, self.code.source = outer_scope, outer_source
end

-- Runs `write` within a template of its own: `known` are the names that stand for something in it.
function blocks.write_template(self, block, known, write)
  local scope, home, loop, forloop = self.scope, self.home, self.loop, self.forloop
  self.loop, self.forloop = nil, known.forloop
  self.home = names.open(self, block, known)
  self.scope = self.home
  write()
  self.scope, self.home, self.loop, self.forloop = scope, home, loop, forloop
end

-- A whole function of a template; `head` is its first line.
function blocks.function_of(self, head, block, known, source)
  local writer = self.code
  local unit, depth, outer_source, at = self.unit, self.depth, writer.source, writer.at
  self.depth, writer.source, writer.at = 0, source, 1
  self.unit = {
    outside = {}, outside_count = 0, from_outside = {}, members = {}, members_count = 0, frame = writer:open(0),
  }
  for _, name in ipairs(block.locals or {}) do writer:own(name) end
  blocks.write_template(self, block, known, function() blocks.write(self, block) end)
  if self.unit.finish then writer:add "::finish::" end
  writer:add "return n"
  local lines = writer:close(head, "end")
  self.unit, self.depth, writer.source, writer.at = unit, depth, outer_source, at
  return lines
end

return blocks
