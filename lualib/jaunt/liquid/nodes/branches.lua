-- Writes if, unless and case as Lua.
--
-- Called by jaunt.liquid.nodes.blocks; returns what writes each kind of node, (self, node).

local blocks = require "jaunt.liquid.nodes.blocks"
local terms = require "jaunt.liquid.terms"

local concat, format, ipairs, type, value = table.concat, string.format, ipairs, type, terms.value

local writers = {}

writers["if"] = function(self, node)
  for i, branch in ipairs(node.branches) do
    self.code:add(format("%s %s then", i == 1 and "if" or "elseif", value(self, branch.test)), branch.at)
    blocks.write(self, branch.body)
  end
  if node.otherwise then
    self.code:add "else"
    blocks.write(self, node.otherwise)
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
    blocks.write(self, clause.body)
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
  blocks.write(self, clause.body)
  self.code:add "end"
  if #tests > 1 and self.loop then self.loop.repeated = self.loop.repeated - 1 end
end

function writers.case(self, node)
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
      blocks.write(self, clause.body)
      self.code:add "end"
    end
  end
end

return writers
