-- Names of a template as Lua: what is set in it, what its loops and arguments are called, what comes from outside.
--
-- Called by jaunt.liquid.terms and jaunt.liquid.compiler; `self` is the compiler's state. A scope is
--   { names = { NAME = Lua, or the loop where it is forloop }, outer = the scope around it or nil }
-- and the outermost one, a template's home, has in `assigned` and `counted` the names that are set and counted, each
-- with its Lua name, in `holds_json` what says whether a name was assigned by `| json` (of those that are assigned by
-- nothing else), and in `continued` the labels of loops that another goes on with, each with a name of its own.
-- Names come in Liquid's order: loops and arguments, names that were set, counters, what comes from outside.

local code = require "jaunt.liquid.code"
local keys = require "jaunt.base.keys"
local trees = require "jaunt.liquid.trees"

local format = string.format
local quote = code.quote

local names = {}

local LOCALS = 40 -- how many names from outside, and how many that are set, are locals of a function
local MEMBERS = 20 -- of how many names from outside the members are

-- The blocks in a node that are rendered in its scope.
function names.inner_blocks(node)
  if node.kind ~= "render" then return trees.bodies(node) end
  return { node.shares_scope and (node.body or node.partial.block) or nil }
end

-- What a block sets, counts and goes on with (offset: continue), into three sets; what it includes does, too, what it
-- renders does not.
local function gather_names(block, assigned, counted, continued)
  for _, node in ipairs(block) do
    if node.offset == "continue" then continued[node.label] = true end
    if node.kind == "assign" or node.kind == "capture" then assigned[node.name] = true end
    if node.kind == "increment" or node.kind == "decrement" then counted[node.name] = true end
    for _, inner in ipairs(names.inner_blocks(node)) do gather_names(inner, assigned, counted, continued) end
  end
end

-- A value from outside as a local at the top of the function; as it is where there are too many.
function names.outside(self, lua)
  local unit = self.unit
  local known = unit.outside[lua]
  if known then return known end
  if unit.outside_count == LOCALS then return lua end
  known = self.code:fresh "r"
  unit.outside_count = unit.outside_count + 1
  unit.outside[lua], unit.from_outside[known] = known, true
  self.code:add_first(unit.frame, format("local %s = %s", known, lua))
  return known
end

-- A local that is what the local `lua` is, if that is a table, and else an empty one: so that members can be looked up
-- without a question. nil where there is none: `lua` has to be a name from outside, or a loop's item.
function names.members(self, lua)
  local unit, loop = self.unit, self.items[lua]
  local known = unit.members[lua] or loop and loop.members
  if known then return known end
  if not loop and not (unit.from_outside[lua] and unit.members_count < MEMBERS) then return nil end
  known = self.code:fresh "y"
  local declared = format("local %s = %s(%s)", known, self.code:library "members", lua)
  if loop then
    loop.members, loop.head[1] = known, loop.head[1] .. "; " .. declared
  else
    unit.members[lua], unit.members_count = known, unit.members_count + 1
    self.code:add_first(unit.frame, declared)
  end
  return known
end

-- Lua for what a name is that the template does not set: the person, the event, a variable.
function names.root(self, name)
  if name == "forloop" then return "nil" end
  if name == "person" or name == "event" then return "c." .. name end
  if name == "now" then return self.code:library "now" .. "(c)" end
  return format("%s(c, %s)", self.code:library "root", quote(name))
end

-- Declares the names that a template sets, and returns its home, where the names `known` stand for something besides.
-- Until it is set, a name is what it was before.
function names.open(self, block, known)
  local assigned, counted, continued = {}, {}, {}
  gather_names(block, assigned, counted, continued)
  local scope = { names = known, assigned = {}, counted = {}, holds_json = {}, continued = {} }
  for label in pairs(continued) do scope.continued[label] = self.code:fresh(label .. " ") end
  local many = #keys.sorted(assigned) + #keys.sorted(counted) > LOCALS
  local set = many and self.code:fresh "g"
  if many then self.code:add(format("local %s = {}", set)) end
  local function declare(initial)
    local lua = self.code:fresh(many and set .. ".a" or "a")
    if not many or initial ~= "nil" then self.code:add(format("%s%s = %s", many and "" or "local ", lua, initial)) end
    return lua
  end
  for _, name in ipairs(keys.sorted(counted)) do scope.counted[name] = declare "nil" end
  for _, name in ipairs(keys.sorted(assigned)) do
    local before = type(known[name]) == "string" and known[name] or names.root(self, name)
    scope.assigned[name] = declare(counted[name] and "nil" or before)
    if block.json_names and block.json_names[name] then scope.holds_json[name] = declare "nil" end
  end
  return scope
end

-- What a name stands for within the template where it is written: Lua, or the loop that `forloop` is; nil if it comes
-- from outside.
function names.bound(self, name)
  local scope = self.scope
  while scope.outer do
    if scope.names[name] then return scope.names[name] end
    scope = scope.outer
  end
  local assigned, counted = scope.assigned[name], scope.counted[name]
  if not counted then return assigned or scope.names[name] end
  local otherwise = scope.names[name] or names.outside(self, names.root(self, name))
  return format("%s(%s, %s, %s)", self.code:library "either", assigned or "nil", counted, otherwise)
end

-- The local that says whether a name holds JSON now; nil for one that never does.
function names.holds_json(self, name)
  return names.bound(self, name) == self.home.assigned[name] and self.home.holds_json[name] or nil
end

return names
