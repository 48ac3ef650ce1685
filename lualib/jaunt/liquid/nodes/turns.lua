-- Writes a loop's turns as Lua: a for's, and those of a render for each item of a list.

local blocks = require "jaunt.liquid.nodes.blocks"

local format = string.format

local turns = {}

-- A loop that is about to be written, as jaunt.liquid.names knows it.
function turns.new(self, label)
  local loop = blocks.new_jump(self)
  loop.repeated, loop.label, loop.outer = 0, label, self.forloop
  loop.index, loop.item, loop.length = "i" .. loop.serial, "x" .. loop.serial, self.code:own("k" .. self.depth)
  return loop
end

-- Writes a loop over `items` (Lua for the item of a turn); `write` writes its body.
function turns.write(self, loop, items, write)
  local writer, item = self.code, loop.item
  local outer, forloop = self.loop, self.forloop
  self.loop, self.forloop = loop, loop
  writer:add(format("for %s = 1, %s do", loop.index, loop.length))
  local look = writer:library "look"
  writer:add(format("local left = c.left - 1; c.left = left; if left < 0 then %s(c, out, n) end", look))
  local null = writer:library "null"
  loop.head = writer:add(format("local %s = %s; if %s == %s then %s = nil end", item, items, item, null, item))
  self.items[item] = loop
  write()
  if loop.next then writer:add(format("::next%d::", loop.serial)) end
  writer:add "end"
  if loop.done then writer:add(format("::done%d::", loop.serial)) end
  self.loop, self.forloop = outer, forloop
end

return turns
