-- Writes render and include as Lua: as calls of a partial's function, or where they stand.
--
-- Called by jaunt.liquid.nodes.blocks; returns what writes each kind of node, (self, node).

local blocks = require "jaunt.liquid.nodes.blocks"
local trees = require "jaunt.liquid.trees"
local turns = require "jaunt.liquid.nodes.turns"
local value = require("jaunt.liquid.terms").value

local concat, format, ipairs = table.concat, string.format, ipairs

local writers = {}

-- What a render hands over: its names in order, and the expression of each; that of the loop's item is missing.
local function arguments_of(node)
  local order, expressions = {}, {}
  for _, argument in ipairs(node.arguments) do
    if not expressions[argument.name] then order[#order + 1] = argument.name end
    expressions[argument.name] = argument.value
  end
  if node.as then
    if not expressions[node.as] then order[#order + 1] = node.as end
    expressions[node.as] = node.with
  end
  return order, expressions
end

-- The Lua of each argument, in order.
local function argument_values(self, node, loop)
  local order, expressions = arguments_of(node)
  local list = {}
  for i, name in ipairs(order) do
    list[i] = expressions[name] and value(self, expressions[name]) or loop.item
  end
  return order, list
end

local function prepared(self, partial, kind)
  return self.prepare(trees.copy(partial.block), { kind = kind, source = partial.source, is_partial = true })
end

-- The function of a partial that is rendered with these arguments, as a number in P; written once for a kind.
local function partial_function(self, node, order, kind)
  local partial, writer = node.partial, self.code
  local key = kind .. (node.each and "*" or "=") .. concat(order, ",")
  local made = self.made[partial] or {}
  self.made[partial] = made
  if made[key] then return made[key] end
  local number = #writer.functions + 1
  writer.functions[number], made[key] = {}, number
  local known, parameters = {}, { "c", "out", "n" }
  for _, name in ipairs(order) do
    known[name] = writer:fresh "x"
    parameters[#parameters + 1] = known[name]
  end
  if node.each then
    known.forloop = { index = writer:fresh "i", length = writer:fresh "k", label = node.as .. "-" .. node.name }
    parameters[#parameters + 1], parameters[#parameters + 2] = known.forloop.index, known.forloop.length
  end
  local outer_kind = self.kind
  self.kind = kind
  local block = prepared(self, partial, kind)
  local head = format("P[%d] = function(%s)", number, concat(parameters, ", "))
  writer.functions[number] = blocks.function_of(self, head, block, known, partial.source)
  self.kind = outer_kind
  return number
end

-- The kind that a partial is rendered as: its caller's; where JSON has no body of its own for it, it is text.
local function kind_of(self, node)
  if node.body then return self.kind end
  return node.as_kind or self.kind == "json" and "text" or self.kind
end

local function write_call(self, node, loop)
  local order, list = argument_values(self, node, loop)
  if loop then list[#list + 1], list[#list + 2] = loop.index, loop.length end
  local kind = kind_of(self, node)
  local arguments = #list > 0 and ", " .. concat(list, ", ") or ""
  self.code:add(self.code:library "enter" .. "(c, out, n)", node.at)
  self.code:add(format("n = P[%d](c, out, n%s)", partial_function(self, node, order, kind), arguments))
  self.code:add "c.depth = c.depth - 1"
end

-- Writes a partial where it stands: an include's, and JSON's, which its surroundings have shaped.
local function write_inline(self, node, loop)
  local writer, source = self.code, node.partial.source
  local outer_kind = self.kind
  self.kind = kind_of(self, node)
  local block = node.body or prepared(self, node.partial, self.kind)
  local order, list = argument_values(self, node, loop)
  local known = { forloop = loop }
  block.json_names = node.json_names
  writer:add("do", node.at)
  for i, name in ipairs(order) do
    known[name] = writer:fresh "x"
    writer:add(format("local %s = %s", known[name], list[i]))
  end
  if node.shares_scope then
    blocks.write_within(self, block, { names = known, outer = self.scope }, source)
  else
    local ends = blocks.new_jump(self)
    blocks.write_template(self, block, known, function()
      self.loop = ends
      blocks.write_within(self, block, self.scope, source)
    end)
    blocks.write_labels(self, ends)
  end
  writer:add "end"
  self.kind = outer_kind
end

function writers.render(self, node)
  local write = (node.body or node.shares_scope) and write_inline or write_call
  self.code.at = node.at
  if not node.each then return write(self, node) end
  local writer = self.code
  local loop = turns.new(self, node.as .. "-" .. node.name)
  local list = writer:own("l" .. self.depth)
  writer:add(format("%s, %s = %s(%s)", list, loop.length, writer:library "each", value(self, node.each)), node.at)
  turns.write(self, loop, format("%s[%s]", list, loop.index), function() write(self, node, loop) end)
end

return writers
