-- Writes for, break and continue as Lua.
--
-- Called by jaunt.liquid.nodes.blocks; returns what writes each kind of node, (self, node).

local blocks = require "jaunt.liquid.nodes.blocks"
local quote = require("jaunt.liquid.code").quote
local turns = require "jaunt.liquid.nodes.turns"
local value = require("jaunt.liquid.terms").value

local format = string.format

local writers = {}

writers["break"] = function(self, node) self.code:add(blocks.jump(self, self.loop, "break"), node.at) end
writers.continue = function(self, node) self.code:add(blocks.jump(self, self.loop, "continue"), node.at) end

-- Writes what a loop goes over into locals; returns Lua for the item of a turn.
local function write_items(self, node, loop)
  local writer = self.code
  local list, over = writer:own("l" .. self.depth), value(self, node.over)
  local label = self.home.continued[node.label]
  local index, before = loop.index, ""
  if node.limit or node.offset or label then
    before = writer:own("e" .. self.depth) .. " + "
    local limit = node.limit and value(self, node.limit) or "nil"
    local offset = node.offset == "continue" and writer:library "from_last" or node.offset and value(self, node.offset)
    local slice = writer:library "slice"
    writer:add(format("%s, e%d, %s = %s(c, %s, %s, %s, %s)", list, self.depth, loop.length, slice, over, limit,
      offset or "nil", label and quote(label) or "nil"), node.at)
  else
    writer:add(format("%s = %s(%s)", list, self.code:library "list", over), node.at)
    writer:add(format("%s = #%s", loop.length, list))
  end
  if node.reversed then index = format("%s + 1 - %s", loop.length, index) end
  return format("%s[%s%s]", list, before, index)
end

writers["for"] = function(self, node)
  local loop = turns.new(self, node.label)
  local items = write_items(self, node, loop)
  turns.write(self, loop, items, function()
    blocks.write_within(self, node.body, { names = { [node.name] = loop.item, forloop = loop }, outer = self.scope })
  end)
  if node.otherwise and #node.otherwise > 0 then
    self.code:add(format("if %s == 0 then", loop.length))
    blocks.write(self, node.otherwise)
    self.code:add "end"
  end
end

return writers
