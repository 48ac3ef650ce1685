-- Expressions of a template as Lua.
--
-- Called by jaunt.liquid.compiler; `self` is its state. All but filters becomes a Lua expression that can be written
-- twice; filters become statements, one a line, so that what fails in one is told with its place.

local code = require "jaunt.liquid.code"
local filters = require "jaunt.liquid.filters"
local keys = require "jaunt.base.keys"
local names = require "jaunt.liquid.names"

local concat, find, format = table.concat, string.find, string.format
local quote = code.quote

local terms = {}

local CHECK_STEPS = 64 -- after how many outputs and filters without a loop the limits are looked at

local KINDS = {}

-- An expression without filters, as Lua.
function terms.value(self, node)
  return KINDS[node.kind](self, node)
end

local value = terms.value

local COMPUTED = { size = true, first = true, last = true } -- what is no field, where a table has none of that name

-- What lies under a key in what is written `lua`. `maybe_null` says that json.null will do for nil.
local function part_of(self, lua, key, maybe_null)
  local plain = type(key) == "string" and not COMPUTED[key]
  local members = plain and maybe_null and names.members(self, lua)
  if members then return format("%s[%s]", members, quote(key)) end
  return format("%s(%s, %s)", self.code:library(plain and "field" or "get"), lua,
    type(key) == "string" and quote(key) or value(self, key))
end

local function loop_field(loop, field)
  local i, k = loop.index, loop.length
  if field == "index" then return i end
  if field == "index0" then return format("(%s - 1)", i) end
  if field == "rindex" then return format("(%s - %s + 1)", k, i) end
  if field == "rindex0" then return format("(%s - %s)", k, i) end
  if field == "first" then return format("(%s == 1)", i) end
  if field == "last" then return format("(%s == %s)", i, k) end
  if field == "length" then return k end
  if field == "name" then return quote(loop.label) end
  return "nil"
end

local function loop_value(self, loop)
  if not loop then return "nil" end
  return format("%s(%s, %s, %s, %s)", self.code:library("forloop"), quote(loop.label), loop.index, loop.length,
    loop_value(self, loop.outer))
end

-- A path that begins with `forloop`: the Lua of as many keys as are known now, and how many they are.
local function loop_path(self, loop, path)
  local taken = 0
  while path[taken + 1] == "parentloop" do
    taken = taken + 1
    loop = loop and loop.outer
  end
  local field = path[taken + 1]
  if not loop then return "nil", #path end
  if type(field) == "string" then return loop_field(loop, field), taken + 1 end
  return loop_value(self, loop), taken
end

-- All names that are known where it is written, for a name that is known only when it is rendered.
local function names_here(self)
  local known, list, scope = {}, {}, self.scope
  while scope do
    for _, set in ipairs { scope.names, scope.assigned or {}, scope.counted or {} } do
      for name in pairs(set) do known[name] = true end
    end
    scope = scope.outer
  end
  for _, name in ipairs(keys.sorted(known)) do
    local lua = names.bound(self, name)
    if type(lua) == "table" then lua = loop_value(self, lua) end
    list[#list + 1] = format("[%s] = %s", quote(name), lua)
  end
  return "{ " .. concat(list, ", ") .. " }"
end

-- A path's beginning in Lua, and how many of its keys are in it.
local function head_of(self, node)
  local name, first = node.head, node.keys[1]
  if type(name) ~= "string" then
    return format("%s(c, %s, %s)", self.code:library("named"), value(self, name), names_here(self)), 0
  end
  local known = names.bound(self, name)
  if type(known) == "table" then return loop_path(self, known, node.keys) end
  if known then return known, 0 end
  local root = names.root(self, name)
  if (name == "person" or name == "event") and type(first) == "string" then
    return names.outside(self, part_of(self, root, first)), 1
  end
  return names.outside(self, root), 0
end

local function path(self, node, maybe_null)
  local lua, taken = head_of(self, node)
  local count = #node.keys
  for i = taken + 1, count do
    lua = part_of(self, lua, node.keys[i], maybe_null and i == count)
  end
  return lua
end

function KINDS.path(self, node)
  return path(self, node, false)
end

function KINDS.literal(_, node) return code.literal(node.value) end
function KINDS.blank(self) return self.code:library("blank") end
function KINDS.empty(self) return self.code:library("empty") end
function KINDS.lua(_, node) return node.code end

function KINDS.range(self, node)
  return format("%s(%s, %s)", self.code:library("range"), value(self, node.from), value(self, node.to))
end

local function call_filter(self, before, filter)
  local known = filters[filter.name]
  local arguments = { before }
  if known.context then table.insert(arguments, 1, "c") end
  for _, argument in ipairs(filter.arguments) do arguments[#arguments + 1] = value(self, argument) end
  if #filter.named > 0 then
    for _ = #filter.arguments + 1, known.most do arguments[#arguments + 1] = "nil" end
    local named = {}
    for i, argument in ipairs(filter.named) do
      named[i] = format("[%s] = %s", quote(argument.name), value(self, argument.value))
    end
    arguments[#arguments + 1] = "{ " .. concat(named, ", ") .. " }"
  end
  local name = self.code:filter(filter.name)
  return format("%s(%s)", name, concat(arguments, ", "))
end

-- Another output or filter was written.
function terms.step(self)
  self.steps = self.steps + 1
  if self.steps < CHECK_STEPS then return end
  self.steps = 0
  self.code:add(self.code:library "check" .. "(c, out, n)")
end

-- Writes what filters are given into the local t.
local function write_given(self, node, t)
  local is_path = node.value.kind == "path"
  local lua = is_path and path(self, node.value, true) or value(self, node.value)
  self.code:add(format("%s = %s", t, lua), node.at)
  if is_path then self.code:add(format("if %s == %s then %s = nil end", t, self.code:library "null", t)) end
end

-- Writes what has to be done before a value is known: its filters, one a line. Returns the value.
function terms.worked_out(self, node)
  if node.kind ~= "filtered" then return value(self, node) end
  local t = self.code:own "t"
  write_given(self, node, t)
  if self.probing then self.code:add(format("%s = %s(t)", self.code:own "q", self.code:library("kind"))) end
  for _, filter in ipairs(node.filters) do
    local call = call_filter(self, t, filter)
    if self.probing and filter.name == "default" then
      call = format("%s(c, t, %s)", self.code:library("defaulted"), call)
    end
    self.code:add(format("%s = %s", t, call), filter.at)
    terms.step(self)
  end
  return t
end

-- The same for an emitter, to which json.null is nil.
function terms.put_out(self, node)
  if node.kind == "path" then return path(self, node, true) end
  return terms.worked_out(self, node)
end

-- A literal that is equal to nothing but itself: no blank and no empty.
function terms.is_plain(node)
  if node.kind ~= "literal" then return false end
  local kind = type(node.value)
  return kind == "number" or node.value == true or kind == "string" and find(node.value, "%S") ~= nil
end

-- Lua for whether two terms are equal; `a` and `b` are the Lua of their values.
function terms.equal(self, left, right, a, b)
  if terms.is_plain(left) or terms.is_plain(right) then return format("%s == %s", a, b) end
  return format("%s(%s, %s)", self.code:library("equal"), a, b)
end

local COMPARE = {
  ["<"] = "less", ["<="] = "less_equal", [">"] = "greater", [">="] = "greater_equal", contains = "contains",
}

function KINDS.compare(self, node)
  local a, b = value(self, node.left), value(self, node.right)
  local name = COMPARE[node.operator]
  if name then return format("%s(%s, %s)", self.code:library(name), a, b) end
  local same = terms.equal(self, node.left, node.right, a, b)
  return node.operator == "==" and same or format("not (%s)", same)
end

-- `not` binds closer than what compares and joins, not than calls and names.
KINDS["not"] = function(self, node)
  return format(node.value.kind == "path" and "not %s" or "not (%s)", value(self, node.value))
end

-- A chain of one word needs no brackets, and Lua's parser no depth for it.
local function joined(self, node)
  local parts, word = {}, node.kind
  while node.kind == word do
    parts[#parts + 1] = value(self, node.left)
    node = node.right
  end
  local last = value(self, node)
  parts[#parts + 1] = (node.kind == "and" or node.kind == "or") and "(" .. last .. ")" or last
  return concat(parts, " " .. word .. " ")
end

KINDS["and"], KINDS["or"] = joined, joined

return terms
