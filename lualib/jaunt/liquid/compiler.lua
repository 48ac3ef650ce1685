-- Makes Lua of a template's tree.
--
-- Called by jaunt.liquid with the tree as jaunt.liquid.escapes has prepared it. What comes out is the source of one
-- chunk, a function of jaunt.liquid.runtime, of the filters and of the emitters; it returns run(c, out), which puts the
-- pieces of the result into `out` and returns how many there are. The Lua is what one would write by hand: names become
-- locals, a loop a numeric for, a literal a literal; nothing from outside is looked up twice.
--
-- Each statement stands on a line of its own, and the places that jaunt.liquid.code keeps say which byte of which
-- source a line comes from: where something fails, the line tells the place, and nothing is paid for that while all
-- goes well.
--
-- Names in the Lua: c (the render's record), n and out (the result so far), t (a value on its way), q (its kind, for
-- probes); lD, eD, kD (what the loop in depth D goes over, from where, how often), iN and xN (its index and item), sD
-- and hD (a case's subject, and whether a clause fitted), rN (a name from outside), aN (a name that is set), gN (a
-- table of such, where they are many), f_NAME (a filter), E_NAME (an emitter), P (the partials' functions). v, j*, m*,
-- o* and p* are jaunt.liquid.json_shape's; yN (the members of an rN or an xN).
--
-- Lua has its limits: 200 locals and 255 upvalues to a function, 200 blocks within each other. What is long or deep
-- becomes functions within the function (frames).

local code = require "jaunt.liquid.code"
local keys = require "jaunt.base.keys"
local names = require "jaunt.liquid.names"
local terms = require "jaunt.liquid.terms"
local trees = require "jaunt.liquid.trees"

local concat, format = table.concat, string.format
local quote, value = code.quote, terms.value

local compiler = {}

local FRAME_NODES = 400 -- how many nodes a frame takes
local FRAME_DEPTH = 10 -- how deep its blocks are

local NODES = {} -- what writes each kind of node: (self, node)

---------------------------------------------------------------------------------------------- functions and blocks

local weight_of

-- How much of a frame a node fills: how many nodes there are in it, as far as they do not get frames of their own.
local function node_weight(self, node)
  local weight = 1
  for _, inner in ipairs(names.inner_blocks(node)) do
    weight = weight + math.min(weight_of(self, inner), FRAME_NODES)
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

local jump

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
    writer:add(format("if t == %d then %s end", signal, jump(self, to.loop, to.how)))
  end
end

local function write_nodes(self, block, from, to)
  for i = from, to do NODES[block[i].kind](self, block[i]) end
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

local function write_block(self, block)
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
local function write_within(self, block, scope, source)
  local outer_scope, outer_source = self.scope, self.code.source
  self.scope, self.code.source = scope, source or outer_source
  write_block(self, block)
  self.scope, self.code.source = outer_scope, outer_source
end

-- Runs `write` within a template of its own: `known` are the names that stand for something in it.
local function write_template(self, block, known, write)
  local scope, home, loop, forloop = self.scope, self.home, self.loop, self.forloop
  self.loop, self.forloop = nil, known.forloop
  self.home = names.open(self, block, known)
  self.scope = self.home
  write()
  self.scope, self.home, self.loop, self.forloop = scope, home, loop, forloop
end

-- A whole function of a template; `head` is its first line.
local function function_of(self, head, block, known, source)
  local writer = self.code
  local unit, depth, outer_source, at = self.unit, self.depth, writer.source, writer.at
  self.depth, writer.source, writer.at = 0, source, 1
  self.unit = {
    outside = {}, outside_count = 0, from_outside = {}, members = {}, members_count = 0, frame = writer:open(0),
  }
  for _, name in ipairs(block.locals or {}) do writer:own(name) end
  write_template(self, block, known, function() write_block(self, block) end)
  if self.unit.finish then writer:add "::finish::" end
  writer:add "return n"
  local lines = writer:close(head, "end")
  self.unit, self.depth, writer.source, writer.at = unit, depth, outer_source, at
  return lines
end

---------------------------------------------------------------------------------------------- output

local function put(self, lua)
  self.code:add(format("n = n + 1; out[n] = %s", lua))
  terms.step(self)
end

function NODES.text(self, node)
  self.code.at = node.at
  put(self, quote(node.text))
end

-- Notes an output for probes; returns its number.
local function new_probe(self, node, expression)
  local value_node = expression.kind == "filtered" and expression.value or expression
  if value_node.kind == "lua" then value_node = self.omitting or value_node end
  local probe = { at = node.at, source = self.code.source, path = value_node.text, filters = {} }
  for i, filter in ipairs(expression.filters or {}) do probe.filters[i] = filter.name end
  self.probes[#self.probes + 1] = probe
  return #self.probes
end

-- Writes the output of a value that is Lua. A name that may hold JSON does so once it was assigned: until then it is a
-- value like others, of which nothing is taken for JSON.
local function put_value(self, node, lua)
  local holds_json = node.may_hold_json and names.holds_json(self, node.value.head)
  local emitted = format("%s(%s)", self.code:emitter(node.emit or "text"), lua)
  put(self, holds_json and format("%s and %s or %s", holds_json, lua, emitted) or emitted)
end

local function put_probed(self, node)
  local writer = self.code
  local q, t = writer:own "q", writer:own "t"
  if node.value.kind == "literal" then return put_value(self, node, value(self, node.value)) end
  writer:add "c.defaulted = nil"
  local lua = terms.worked_out(self, node.value)
  if node.value.kind ~= "filtered" then
    writer:add(format("%s = %s", t, lua))
    writer:add(format("%s = %s(t)", q, self.code:library "kind"))
  end
  writer.at = node.at
  put_value(self, node, t)
  writer:add(format("%s(c, out, n, %d, q)", self.code:library "probe", new_probe(self, node, node.value)))
end

function NODES.output(self, node)
  self.code.at = node.at
  if self.probing then return put_probed(self, node) end
  local lua = terms.put_out(self, node.value)
  self.code.at = node.at
  put_value(self, node, lua)
end

function NODES.cycle(self, node)
  local t = self.code:own "t"
  local group = node.group and value(self, node.group) or "nil"
  local label = node.group and "nil" or quote(node.label)
  self.code:add(format("%s = %s(c, %s, %s, %d)", t, self.code:library "cycle", group, label, #node.values), node.at)
  local choices = {}
  for i, each in ipairs(node.values) do choices[i] = format("if t == %d then t = %s", i, value(self, each)) end
  self.code:add(concat(choices, " else") .. " else t = nil end")
  put_value(self, node, t)
end

function NODES.increment(self, node)
  local counter = self.home.counted[node.name]
  self.code:add(format("%s = (%s or 0) + 1", counter, counter), node.at)
  put_value(self, node, counter .. " - 1")
end

function NODES.decrement(self, node)
  local counter = self.home.counted[node.name]
  self.code:add(format("%s = (%s or 0) - 1", counter, counter), node.at)
  put_value(self, node, counter)
end

---------------------------------------------------------------------------------------------- names that are set

-- A name was set: to JSON, or not.
local function note_json(self, name, is_json)
  local holds_json = self.home.holds_json[name]
  if holds_json then self.code:add(format("%s = %s", holds_json, is_json)) end
end

function NODES.assign(self, node)
  local lua = terms.worked_out(self, node.value)
  self.code:add(format("%s = %s", self.home.assigned[node.name], lua), node.at)
  local filters = node.value.filters
  local last = filters and filters[#filters].name
  note_json(self, node.name, last == "json" or last == "to_json")
end

function NODES.capture(self, node)
  self.code:add("do local out, n = {}, 0", node.at)
  write_block(self, node.body)
  self.code:add(format("%s = %s(c, out, n)", self.home.assigned[node.name], self.code:library "join"), node.at)
  note_json(self, node.name, false)
  self.code:add "end"
end

---------------------------------------------------------------------------------------------- branches

NODES["if"] = function(self, node)
  for i, branch in ipairs(node.branches) do
    self.code:add(format("%s %s then", i == 1 and "if" or "elseif", value(self, branch.test)), branch.at)
    write_block(self, branch.body)
  end
  if node.otherwise then
    self.code:add "else"
    write_block(self, node.otherwise)
  end
  self.code:add "end"
end

-- Whether at most one clause can fit: the values are texts, each another one, and an else is the last.
local function is_exclusive(node)
  local seen = {}
  for i, clause in ipairs(node.clauses) do
    if not clause.values and i < #node.clauses then return false end
    for _, each in ipairs(clause.values or {}) do
      if not terms.is_plain(each) or type(each.value) ~= "string" or seen[each.value] then return false end
      seen[each.value] = true
    end
  end
  return true
end

local function write_exclusive(self, node, subject)
  for i, clause in ipairs(node.clauses) do
    local tests = {}
    for j, each in ipairs(clause.values or {}) do tests[j] = format("%s == %s", subject, value(self, each)) end
    local word = i == 1 and (clause.values and "if %s then" or "do") or clause.values and "elseif %s then" or "else"
    self.code:add(format(word, concat(tests, " or ")), clause.at)
    write_block(self, clause.body)
  end
  if #node.clauses > 0 then self.code:add "end" end
end

-- A clause is rendered as often as its values fit.
local function write_clause(self, node, clause, subject, fitted)
  local tests = {}
  for i, each in ipairs(clause.values) do
    tests[i] = terms.equal(self, node.subject, each, subject, value(self, each))
  end
  if #tests == 1 then
    self.code:add(format("if %s then", tests[1]), clause.at)
  else
    for i, test in ipairs(tests) do tests[i] = format("(%s and 1 or 0)", test) end
    self.code:add(format("for _ = 1, %s do", concat(tests, " + ")), clause.at)
    if self.loop then self.loop.repeated = self.loop.repeated + 1 end
  end
  self.code:add(fitted .. " = true")
  write_block(self, clause.body)
  self.code:add "end"
  if #tests > 1 and self.loop then self.loop.repeated = self.loop.repeated - 1 end
end

function NODES.case(self, node)
  local subject = self.code:own("s" .. self.depth)
  self.code:add(format("%s = %s", subject, value(self, node.subject)), node.at)
  if is_exclusive(node) then return write_exclusive(self, node, subject) end
  local fitted = self.code:own("h" .. self.depth)
  self.code:add(fitted .. " = false")
  for _, clause in ipairs(node.clauses) do
    if clause.values then
      write_clause(self, node, clause, subject, fitted)
    else
      self.code:add(format("if not %s then", fitted), clause.at)
      write_block(self, clause.body)
      self.code:add "end"
    end
  end
end

---------------------------------------------------------------------------------------------- loops

-- How to get to the end of a loop's turn, or out of it, or of the template where there is none: Lua.
function jump(self, loop, how)
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

NODES["break"] = function(self, node) self.code:add(jump(self, self.loop, "break"), node.at) end
NODES.continue = function(self, node) self.code:add(jump(self, self.loop, "continue"), node.at) end

-- Where a break or a continue goes to: out of, or to the end of what follows.
local function new_jump(self)
  self.code.serial = self.code.serial + 1
  return { serial = self.code.serial, frame = self.code.frame, repeated = 1 }
end

local function write_labels(self, ends)
  if ends.next then self.code:add(format("::next%d::", ends.serial)) end
  if ends.done then self.code:add(format("::done%d::", ends.serial)) end
end

local function new_loop(self, label)
  local loop = new_jump(self)
  loop.repeated, loop.label, loop.outer = 0, label, self.forloop
  loop.index, loop.item, loop.length = "i" .. loop.serial, "x" .. loop.serial, self.code:own("k" .. self.depth)
  return loop
end

-- Writes a loop over `items` (Lua for the item of a turn); `write` writes its body.
local function write_loop(self, loop, items, write)
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

NODES["for"] = function(self, node)
  local loop = new_loop(self, node.label)
  local items = write_items(self, node, loop)
  write_loop(self, loop, items, function()
    write_within(self, node.body, { names = { [node.name] = loop.item, forloop = loop }, outer = self.scope })
  end)
  if node.otherwise and #node.otherwise > 0 then
    self.code:add(format("if %s == 0 then", loop.length))
    write_block(self, node.otherwise)
    self.code:add "end"
  end
end

---------------------------------------------------------------------------------------------- other payloads

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
  writer.functions[number] = function_of(self, head, block, known, partial.source)
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
    write_within(self, block, { names = known, outer = self.scope }, source)
  else
    local ends = new_jump(self)
    write_template(self, block, known, function()
      self.loop = ends
      write_within(self, block, self.scope, source)
    end)
    write_labels(self, ends)
  end
  writer:add "end"
  self.kind = outer_kind
end

function NODES.render(self, node)
  local write = (node.body or node.shares_scope) and write_inline or write_call
  self.code.at = node.at
  if not node.each then return write(self, node) end
  local writer = self.code
  local loop = new_loop(self, node.as .. "-" .. node.name)
  local list = writer:own("l" .. self.depth)
  writer:add(format("%s, %s = %s(%s)", list, loop.length, writer:library "each", value(self, node.each)), node.at)
  write_loop(self, loop, format("%s[%s]", list, loop.index), function() write(self, node, loop) end)
end

---------------------------------------------------------------------------------------------- what is left

function NODES.end_call(self, node)
  local reason = node.reason and value(self, node.reason) or "nil"
  self.code:add(format("%s(%s, %s)", self.code:library "stop", quote(node.how), reason), node.at)
end

-- JSON's own: statements, and what is left out if it is nil (see jaunt.liquid.json_shape).

function NODES.lua(self, node)
  self.code:add(node.code, node.at)
  if self.probing then self.code:add(self.code:library "unprobe" .. "(c, n)") end
end

function NODES.omit(self, node)
  local writer = self.code
  local lua = terms.worked_out(self, node.value)
  local outer = self.omitting
  self.omitting = node.value
  writer:add(format("do local v = %s", lua), node.at)
  local note = node.slot and node.slot .. " = true" or ""
  writer:add(format("if v == nil or v == %s then %s", writer:library "null", note))
  if self.probing then
    writer:add(format("%s(c, %d)", writer:library "probe_omitted", new_probe(self, node, node.value)))
  end
  writer:add "else"
  write_block(self, node.body)
  writer:add "end end"
  self.omitting = outer
end

---------------------------------------------------------------------------------------------- the whole

-- The Lua of a template: its text, its places (see code.finish), and what its probes stand for.
--   block      of jaunt.liquid.parser, prepared
--   options    source = { text =, path = }, kind, prepare(block, { kind =, source =, is_partial = }) -> the block,
--   probing
function compiler.compile(block, options)
  local self = {
    code = code.new(), prepare = options.prepare, kind = options.kind, probing = options.probing, probes = {},
    made = {}, weights = {}, items = {}, steps = 0, depth = 0,
  }
  local main = function_of(self, "return function(c, out) local n = 0", block, {}, options.source)
  local text, places = self.code:finish(main)
  return text, places, self.probes
end

return compiler
