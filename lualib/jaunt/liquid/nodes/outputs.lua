-- Writes what is put out, and names that are set, as Lua.
--
-- Called by jaunt.liquid.nodes.blocks; returns what writes each kind of node, (self, node).

local blocks = require "jaunt.liquid.nodes.blocks"
local names = require "jaunt.liquid.names"
local quote = require("jaunt.liquid.code").quote
local terms = require "jaunt.liquid.terms"
local trees = require "jaunt.liquid.trees"

local concat, format, ipairs, value = table.concat, string.format, ipairs, terms.value

local writers = {}

local function put(self, lua)
  self.code:add(format("n = n + 1; out[n] = %s", lua))
  terms.step(self)
end

function writers.text(self, node)
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

function writers.output(self, node)
  self.code.at = node.at
  if self.probing then return put_probed(self, node) end
  local lua = terms.put_out(self, node.value)
  self.code.at = node.at
  put_value(self, node, lua)
end

function writers.cycle(self, node)
  local t = self.code:own "t"
  local group = node.group and value(self, node.group) or "nil"
  local label = node.group and "nil" or quote(node.label)
  self.code:add(format("%s = %s(c, %s, %s, %d)", t, self.code:library "cycle", group, label, #node.values), node.at)
  local choices = {}
  for i, each in ipairs(node.values) do choices[i] = format("if t == %d then t = %s", i, value(self, each)) end
  self.code:add(concat(choices, " else") .. " else t = nil end")
  put_value(self, node, t)
end

function writers.increment(self, node)
  local counter = self.home.counted[node.name]
  self.code:add(format("%s = (%s or 0) + 1", counter, counter), node.at)
  put_value(self, node, counter .. " - 1")
end

function writers.decrement(self, node)
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

function writers.assign(self, node)
  local lua = terms.worked_out(self, node.value)
  self.code:add(format("%s = %s", self.home.assigned[node.name], lua), node.at)
  local last = trees.last_filter(node)
  note_json(self, node.name, last == "json" or last == "to_json")
end

function writers.capture(self, node)
  self.code:add("do local out, n = {}, 0", node.at)
  blocks.write(self, node.body)
  self.code:add(format("%s = %s(c, out, n)", self.home.assigned[node.name], self.code:library "join"), node.at)
  note_json(self, node.name, false)
  self.code:add "end"
end

---------------------------------------------------------------------------------------------- what is left

function writers.end_call(self, node)
  local reason = node.reason and value(self, node.reason) or "nil"
  self.code:add(format("%s(%s, %s)", self.code:library "stop", quote(node.how), reason), node.at)
end

-- JSON's own: statements, and what is left out if it is nil (see jaunt.liquid.json_shape).

function writers.lua(self, node)
  self.code:add(node.code, node.at)
  if self.probing then self.code:add(self.code:library "unprobe" .. "(c, n)") end
end

function writers.omit(self, node)
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
  blocks.write(self, node.body)
  writer:add "end end"
  self.omitting = outer
end

return writers
