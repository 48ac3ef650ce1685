-- What is wrong, or likely to be, with journeys and other scripts, from their text alone.

local calls = require "jaunt.check.calls"
local keys = require "jaunt.base.keys"
local nearest = require "jaunt.base.nearest"
local parser = require "jaunt.lua.parser"
local sandbox = require "jaunt.worker.sandbox"
local scope = require "jaunt.lua.scope"
local slips = require "jaunt.check.slips"

local scripts = {}

local ENDS = { drop = true, exit = true, restart_with = true, error = true }
local PAUSES = { call_api = true, wait = true, wait_until = true, wait_for = true }

---------------------------------------------------------------------------------------------- names

-- The function around each name (a lambda), and where the statement ends that assigns to it.
local function surroundings(tree)
  local home, over = {}, {}
  scope.walk(tree, function(node)
    if node.kind == "lambda" then
      scope.walk(node.body, function(inner)
        if inner.kind == "name" then home[inner] = node end
      end)
    elseif node.kind == "assign" then
      for _, target in ipairs(node.targets) do over[target] = node.stop end
    end
  end)
  return home, over
end

-- What other languages call nothing.
local NOTHING = { null = "nil", NULL = "nil", None = "nil", undefined = "nil" }

-- `is_module`: what it sets outside of its functions is what it gives.
local function check_globals(tree, resolved, names, is_module, source, found)
  local home = is_module and surroundings(tree)
  for _, name in ipairs(keys.sorted(resolved.globals)) do
    local global = resolved.globals[name]
    for _, node in ipairs(global.writes) do
      if not is_module or home[node] then
        found:add(source, { code = "global", at = node.at, text = ("this makes a global of %s"):format(name),
          why = "it is the run's alone, but any function may change it; most often a `local` was forgotten" })
      end
    end
    for _, node in ipairs(#global.writes == 0 and not names[name] and global.reads or {}) do
      found:add(source, { code = "name", at = node.at, text = ("nothing here is called %s"):format(name),
        hint = NOTHING[name] or nearest.find(name, keys.sorted(names)),
        why = "scripts see Lua's safe parts and jaunt's words alone: this is nil" })
    end
  end
end

-- string.fnd: a field that a library does not have.
local function check_libraries(tree, names, source, found)
  scope.walk(tree, function(node)
    if node.kind ~= "index" or not node.dotted or node.object.kind ~= "name" or node.object.refers ~= "global" then return end
    local library = names[node.object.name]
    if type(library) == "table" and not library[node.key.value] then
      found:add(source, { code = "name", at = node.key.at, text = ("%s has no %s"):format(node.object.name, node.key.value),
        hint = nearest.find(node.key.value, keys.sorted(library)),
        why = "scripts see the safe parts of Lua's libraries alone: this is nil" })
    end
  end)
end

---------------------------------------------------------------------------------------------- the way through

local function ends_here(statement)
  if statement.kind == "return" or statement.kind == "break" or statement.kind == "goto" then return true end
  local call = statement.kind == "call" and statement.call
  return call and call.kind == "invoke" and call.callee.kind == "name" and call.callee.refers == "global"
    and ENDS[call.callee.name] or false
end

local function is_always(node) return node.kind == "true" or node.kind == "number" or node.kind == "string" end
local function is_never(node) return node.kind == "false" or node.kind == "nil" end

-- Whether something in the node pauses, leaves the loop, or calls what might.
local function may_leave(node)
  local leaves = false
  scope.walk(node, function(inner)
    if inner.kind == "lambda" then return false end
    if inner.kind == "break" or inner.kind == "return" or inner.kind == "goto" then leaves = true end
    if inner.kind == "method" then leaves = true end
    if inner.kind == "invoke" then
      local callee = inner.callee
      while callee.kind == "invoke" do callee = callee.callee end
      if callee.kind ~= "name" or callee.refers ~= "global" or PAUSES[callee.name] or ENDS[callee.name] then leaves = true end
    end
    return not leaves
  end)
  return leaves
end

local function check_way(tree, source, found)
  scope.walk(tree, function(node)
    if node.kind == "block" then
      for i, statement in ipairs(node.body) do
        local after = node.body[i + 1]
        if ends_here(statement) and after and after.kind ~= "label" then
          found:add(source, { code = "unreachable", at = after.at, text = "nothing comes here",
            why = ("line %d ends it before"):format(statement.line) })
          break
        end
      end
    end
    local endless = (node.kind == "while" and is_always(node.test)) or (node.kind == "repeat" and is_never(node.test))
    if endless and not may_leave(node.body) then
      found:add(source, { code = "loop", at = node.at, text = "this loop neither pauses nor ends",
        why = "every run would be stopped here by the limit slice_time, and held" })
    end
  end)
end

---------------------------------------------------------------------------------------------- values

local ORDERS = { ["<"] = true, [">"] = true, ["<="] = true, [">="] = true, ["=="] = true, ["~="] = true }

local ROOTS = { person = true, event = true }

-- person.NAME or event.NAME, of a function's parameter, as "person" and "NAME".
local function attribute_of(node)
  local root = node.kind == "index" and node.dotted and node.object.kind == "name" and node.object
  if not root or not ROOTS[root.name] or not root.variable or not root.variable.is_parameter then return nil end
  return root.name, node.key.value
end

-- The attributes that a script makes something else of, or whose type it asks for.
local function attributes_cared_for(tree)
  local cared = {}
  local function note(node)
    local root, name = attribute_of(node)
    if root then cared[root .. "." .. name] = true end
  end
  scope.walk(tree, function(node)
    if node.kind == "assign" then for _, target in ipairs(node.targets) do note(target) end end
    local callee = node.kind == "invoke" and node.callee
    if callee and (callee.name == "type" or callee.kind == "index" and callee.key.value == "type") then
      for _, argument in ipairs(node.arguments) do note(argument) end
    end
  end)
  return cared
end

-- person.age > 18, where people files have the age as a text: CSV knows no numbers.
local function check_comparisons(tree, about, source, found)
  local cared = attributes_cared_for(tree)
  scope.walk(tree, function(node)
    if node.kind ~= "binary" or not ORDERS[node.operator] then return end
    for _, pair in ipairs { { node.left, node.right }, { node.right, node.left } } do
      local root, name = attribute_of(pair[1])
      local file = root and not cared[root .. "." .. name] and pair[2].kind == "number" and about.texts[root][name]
      if file then
        found:add(source, { code = "text", at = pair[1].at,
          text = ("%s.%s is compared with a number, and is a text in %s"):format(root, name, file),
          why = node.operator:find("[<>]") and "Lua refuses to compare the two: the run would be held here"
            or "the two are never equal",
          hint = ("tonumber(%s.%s)"):format(root, name) })
      end
    end
  end)
end

-- A local of the file that a function changes after what it was: each run has its own. One that is only set anew is
-- nobody's memory.
local function check_shared(tree, resolved, source, found)
  local home, over = surroundings(tree)
  local function was_asked(variable, write)
    for _, read in ipairs(variable.reads) do
      if home[read] == home[write] and read.at <= (over[write] or write.at) then return true end
    end
  end
  for _, variable in ipairs(resolved.locals) do
    if variable.depth == 0 then
      for _, node in ipairs(variable.writes) do
        if node.refers == "upvalue" and was_asked(variable, node) then
          found:add(source, { code = "shared", at = node.at,
            text = ("%s, of line %d, is changed here for this run alone"):format(variable.name, variable.node.line),
            why = "every run has its own: nothing is counted or kept across people. What is to stay belongs into person" })
        end
      end
    end
  end
end

---------------------------------------------------------------------------------------------- all

-- Whether a file is Lua at all. Returns its tree; nil where it is not, which is added, with why that matters.
function scripts.check_syntax(source, why, found)
  local tree, mistake = parser.parse(source.text)
  if tree then return tree end
  local at, text, hint = slips.explain(source.text, mistake)
  found:add(source, { code = "syntax", at = at, text = text, hint = hint, hint_is_sentence = hint ~= nil, why = why })
end

-- Checks one script. `about`: connections (a set of names; nil: nobody knows) and payloads (the same), texts = { person
-- = { NAME = file }, event = { … } } (attributes that are texts of digits there), globals = a set of those that modules
-- make. `source`: path, text, and is_module = true where others require it.
function scripts.check(source, about, found)
  local tree = scripts.check_syntax(source, "the script can't be loaded", found)
  if not tree then return end
  local names = sandbox.names()
  for name in pairs(about.globals or {}) do names[name] = names[name] or true end
  local resolved = scope.resolve(tree)
  check_globals(tree, resolved, names, source.is_module, source, found)
  check_libraries(tree, names, source, found)
  calls.check(tree, about, source, found)
  check_way(tree, source, found)
  check_comparisons(tree, about, source, found)
  check_shared(tree, resolved, source, found)
end

-- Adds the globals that a script makes to a set of names.
function scripts.add_globals(text, set)
  local tree = parser.parse(text)
  for name, global in pairs(tree and scope.resolve(tree).globals or {}) do
    if #global.writes > 0 then set[name] = true end
  end
end

return scripts
