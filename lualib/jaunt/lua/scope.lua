-- What the names of a script refer to: which are locals and whose, which are globals; and what is called by name.

local scope = {}

-- The lists of nodes within a node, and its single ones, in the order of the text.
local CHILDREN = {
  block = { "body" }, ["local"] = { "values", "names" }, assign = { "values", "targets" }, call = { "call" }, ["do"] = { "body" },
  ["while"] = { "test", "body" }, ["repeat"] = { "body", "test" }, ["return"] = { "values" }, ["function"] = { "target", "body" },
  localfunction = { "name", "body" }, fornum = { "from", "to", "step", "body" }, forin = { "values", "body" }, lambda = { "body" },
  index = { "object", "key" }, invoke = { "callee", "arguments" }, method = { "object", "arguments" }, binary = { "left", "right" },
  unary = { "value" }, paren = { "value" },
}

-- Calls visit(node, parent) for every node of a tree, a parent before what is in it; where it returns false, what is in
-- that node is passed by.
function scope.walk(node, visit, parent)
  if visit(node, parent) == false then return end
  if node.kind == "if" then
    for _, branch in ipairs(node.branches) do
      scope.walk(branch.test, visit, node)
      scope.walk(branch.body, visit, node)
    end
    if node.otherwise then scope.walk(node.otherwise, visit, node) end
  elseif node.kind == "table" then
    for _, field in ipairs(node.fields) do
      if field.key then scope.walk(field.key, visit, node) end
      scope.walk(field.value, visit, node)
    end
  end
  for _, name in ipairs(CHILDREN[node.kind] or {}) do
    local child = node[name]
    if type(child) == "table" and child.kind then
      scope.walk(child, visit, node)
    elseif type(child) == "table" then
      for _, one in ipairs(child) do scope.walk(one, visit, node) end
    end
  end
end

---------------------------------------------------------------------------------------------- names

local resolver = {}
resolver.__index = resolver

function resolver:open(is_function)
  self.scope = { names = {}, outer = self.scope, depth = (self.scope and self.scope.depth or 0) + (is_function and 1 or 0) }
end

function resolver:close() self.scope = self.scope.outer end

function resolver:declare(node)
  local variable = { node = node, name = node.name, depth = self.scope.depth, reads = {}, writes = {}, captured = false }
  node.variable = variable
  self.scope.names[node.name] = variable
  self.locals[#self.locals + 1] = variable
  return variable
end

function resolver:find(name)
  local at = self.scope
  while at do
    if at.names[name] then return at.names[name] end
    at = at.outer
  end
end

-- A name that is read, or written where `writes`.
function resolver:use(node, writes)
  local variable = self:find(node.name)
  local list
  if variable then
    node.variable = variable
    node.refers = variable.depth == self.scope.depth and "local" or "upvalue"
    if node.refers == "upvalue" then variable.captured = true end
    list = writes and variable.writes or variable.reads
  else
    node.refers = "global"
    self.globals[node.name] = self.globals[node.name] or { name = node.name, reads = {}, writes = {} }
    list = self.globals[node.name][writes and "writes" or "reads"]
  end
  list[#list + 1] = node
end

local resolve -- of a node

local function resolve_all(self, list)
  for _, node in ipairs(list) do resolve(self, node) end
end

local function resolve_block(self, block)
  self:open()
  resolve_all(self, block.body)
  self:close()
end

local function resolve_targets(self, targets)
  for _, target in ipairs(targets) do
    if target.kind == "name" then self:use(target, true) else resolve(self, target) end
  end
end

local SPECIAL = {
  block = resolve_block,
  name = function(self, node) self:use(node) end,
  ["local"] = function(self, node)
    resolve_all(self, node.values)
    for _, name in ipairs(node.names) do self:declare(name) end
  end,
  localfunction = function(self, node)
    self:declare(node.name)
    resolve(self, node.body)
  end,
  ["function"] = function(self, node)
    resolve_targets(self, { node.target })
    resolve(self, node.body)
  end,
  assign = function(self, node)
    resolve_all(self, node.values)
    resolve_targets(self, node.targets)
  end,
  lambda = function(self, node)
    self:open(true)
    for _, name in ipairs(node.parameters) do self:declare(name).is_parameter = true end
    resolve_all(self, node.body.body)
    self:close()
  end,
  fornum = function(self, node)
    resolve_all(self, { node.from, node.to, node.step })
    self:open()
    self:declare(node.name)
    resolve_all(self, node.body.body)
    self:close()
  end,
  forin = function(self, node)
    resolve_all(self, node.values)
    self:open()
    for _, name in ipairs(node.names) do self:declare(name) end
    resolve_all(self, node.body.body)
    self:close()
  end,
  ["repeat"] = function(self, node) -- its test sees the locals of its body
    self:open()
    resolve_all(self, node.body.body)
    resolve(self, node.test)
    self:close()
  end,
}

resolve = function(self, node)
  local special = SPECIAL[node.kind]
  if special then return special(self, node) end
  scope.walk(node, function(inner)
    if inner == node then return true end
    resolve(self, inner)
    return false
  end)
end

-- Resolves the names of a tree (see jaunt.lua.parser). Each node of kind "name" gets refers ("local", "upvalue" or "global") and,
-- where it is no global, variable: { node = where it is declared, name =, depth = of functions, reads, writes (lists of names),
-- captured = whether an inner function uses it, is_parameter = true of a function's }. Returns { globals = { NAME = {
-- name =, reads, writes } }, locals = variables in the order of their declarations }.
function scope.resolve(tree)
  local self = setmetatable({ globals = {}, locals = {} }, resolver)
  self:open()
  resolve(self, tree)
  self:close()
  return { globals = self.globals, locals = self.locals }
end

---------------------------------------------------------------------------------------------- calls

-- The word that is called in the end, and the calls around it: call_api "NAME" { … } is an invoke of an invoke of a name.
local function word_of(node)
  if node.kind ~= "invoke" then return nil end
  if node.callee.kind == "name" then return node.callee, node, nil end
  if node.callee.kind == "invoke" and node.callee.callee.kind == "name" then return node.callee.callee, node.callee, node end
end

local function literal(node) return node and node.kind == "string" and node.value or nil end

-- The calls of global functions with one of the names in `words` (a set), in the order of the text:
-- { word =, name = the first argument where it is a literal text, arguments =, fields = the table it is given (in the
-- same call or in the one behind it), node =, at =, line =, column = }. The tree's names have been resolved.
function scope.calls(tree, words)
  local found, within = {}, {}
  scope.walk(tree, function(node)
    local word, inner, outer = word_of(node)
    if not word or word.refers ~= "global" or not words[word.name] or within[node] then return end
    within[inner] = true
    local first = inner.arguments[1]
    local fields = outer and outer.arguments[1] or first
    found[#found + 1] = { word = word.name, name = literal(first), arguments = inner.arguments, node = node,
      at = node.at, line = node.line,
      column = node.column, fields = fields and fields.kind == "table" and fields or nil }
  end)
  return found
end

-- The value of a table node's field `name`, or nil.
function scope.field(node, name)
  for _, field in ipairs(node.fields) do
    if field.key and field.key.kind == "string" and field.key.value == name then return field.value, field.key end
  end
end

return scope
