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

-- What other languages call nothing.
local NOTHING = { null = "nil", NULL = "nil", None = "nil", undefined = "nil" }

local function check_globals(resolved, names, source, found)
  for _, name in ipairs(keys.sorted(resolved.globals)) do
    local global = resolved.globals[name]
    for _, node in ipairs(global.writes) do
      found:add(source, { code = "global", at = node.at, text = ("this makes a global of %s"):format(name),
        why = "it is the run's alone, but any function may change it; most often a `local` was forgotten" })
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
        hint = nearest.find(node.key.value, keys.sorted(library)), why = "scripts see the safe parts of Lua's libraries alone: this is nil" })
    end
  end)
end

---------------------------------------------------------------------------------------------- the way through

local function ends_here(statement)
  if statement.kind == "return" or statement.kind == "break" or statement.kind == "goto" then return true end
  local call = statement.kind == "call" and statement.call
  return call and call.kind == "invoke" and call.callee.kind == "name" and call.callee.refers == "global" and ENDS[call.callee.name] or false
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
          found:add(source, { code = "unreachable", at = after.at, text = "nothing comes here", why = ("line %d ends it before"):format(statement.line) })
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

-- person.NAME or event.NAME as "person" and "NAME".
local function attribute_of(node, parameters)
  if node.kind ~= "index" or not node.dotted or node.object.kind ~= "name" then return nil end
  local root = parameters[node.object.name]
  return root, node.key.value
end

-- person.age > 18, where people files have the age as a text: CSV knows no numbers.
local function check_comparisons(tree, about, source, found)
  local parameters = { person = "person", event = "event" }
  scope.walk(tree, function(node)
    if node.kind ~= "binary" or not ORDERS[node.operator] then return end
    for _, pair in ipairs { { node.left, node.right }, { node.right, node.left } } do
      local root, name = attribute_of(pair[1], parameters)
      local file = root and pair[2].kind == "number" and about.texts[root][name]
      if file then
        found:add(source, { code = "text", at = pair[1].at, text = ("%s.%s is compared with a number, and is a text in %s"):format(root, name, file),
          why = node.operator:find("[<>]") and "Lua refuses to compare the two: the run would be held here" or "the two are never equal",
          hint = ("tonumber(%s.%s)"):format(root, name) })
      end
    end
  end)
end

-- A local of the file that the flow changes: each run has its own.
local function check_shared(resolved, source, found)
  for _, variable in ipairs(resolved.locals) do
    if variable.depth == 0 then
      for _, node in ipairs(variable.writes) do
        if node.refers == "upvalue" then
          found:add(source, { code = "shared", at = node.at, text = ("%s, of line %d, is changed here for this run alone"):format(variable.name, variable.node.line),
            why = "every run has its own: nothing is counted or kept across people. What is to stay belongs into person" })
        end
      end
    end
  end
end

---------------------------------------------------------------------------------------------- all

-- Checks one script. `about`: connections (a set of names; nil: nobody knows) and payloads (the same), texts = { person = { NAME = file },
-- event = { … } } (attributes that are texts of digits there).
function scripts.check(source, about, found)
  local tree, mistake = parser.parse(source.text)
  if not tree then
    local at, text, hint = slips.explain(source.text, mistake)
    found:add(source, { code = "syntax", at = at, text = text, hint = hint, hint_is_sentence = hint ~= nil, why = "the script can't be loaded" })
    return
  end
  about.names = about.names or sandbox.names()
  local resolved = scope.resolve(tree)
  check_globals(resolved, about.names, source, found)
  check_libraries(tree, about.names, source, found)
  calls.check(tree, about, source, found)
  check_way(tree, source, found)
  check_comparisons(tree, about, source, found)
  check_shared(resolved, source, found)
end

return scripts
