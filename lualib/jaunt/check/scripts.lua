-- What is wrong, or likely to be, with journeys and other scripts, from their text alone.

local engine = require "jaunt.native.engine"
local keys = require "jaunt.base.keys"
local nearest = require "jaunt.base.nearest"
local parser = require "jaunt.lua.parser"
local sandbox = require "jaunt.worker.sandbox"
local scope = require "jaunt.lua.scope"

local scripts = {}

local VERBS = { GET = true, POST = true, PUT = true, PATCH = true, DELETE = true, HEAD = true, OPTIONS = true }
local ENDS = { drop = true, exit = true, restart_with = true, error = true }
local PAUSES = { call_api = true, wait = true, wait_until = true, wait_for = true }
local ELEMENTS = { call_api = true, split = true }
local CALLED = { call_api = true, split = true, wait = true, wait_for = true, drop = true, exit = true }
local ON_FAILURE = { "drop", "continue", "hold" }

local function text_of(node) return node and node.kind == "string" and node.value or nil end

local function set_of(list)
  local set = {}
  for _, name in ipairs(list) do set[name] = true end
  return set
end

---------------------------------------------------------------------------------------------- names

local function check_globals(resolved, names, source, found)
  for _, name in ipairs(keys.sorted(resolved.globals)) do
    local global = resolved.globals[name]
    for _, node in ipairs(global.writes) do
      found:add(source, { code = "global", at = node.at, text = ("this makes a global of %s"):format(name),
        why = "it is the run's alone, but any function may change it; most often a `local` was forgotten" })
    end
    for _, node in ipairs(#global.writes == 0 and not names[name] and global.reads or {}) do
      found:add(source, { code = "name", at = node.at, text = ("nothing here is called %s"):format(name), hint = nearest.find(name, keys.sorted(names)),
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

---------------------------------------------------------------------------------------------- calls

local function check_duration(node, what, source, found)
  local text = text_of(node)
  local ms, why = nil, nil
  if text then ms, why = engine.duration(text) end
  if text and not ms then found:add(source, { code = "value", at = node.at, text = ("%s: %s"):format(what, why), why = "the run would be held here" }) end
end

local function check_fields(call, known, source, found)
  local fields = keys.sorted(known)
  for _, field in ipairs(call.fields.fields) do
    local name = text_of(field.key)
    if name and not known[name] then
      found:add(source, { code = "field", at = field.key.at, text = ("call_api has no field %s"):format(name), hint = nearest.find(name, fields),
        why = "the run would be held here" })
    end
  end
end

local function check_verb(call, source, found)
  for _, field in ipairs(call.fields.fields) do
    local name, path = text_of(field.key), text_of(field.value)
    if name and VERBS[name] and path and not path:find("^/") and not path:find("://", 1, true) and not path:find("^{[{%%]") then
      found:add(source, { code = "value", at = field.value.at, text = ("the path %q does not begin with /"):format(path),
        why = "it is put behind the connection's base_url" })
    end
  end
end

local function check_reference(value, what, known, where, code, source, found)
  local name = text_of(value)
  if not name or not known or known[name] then return end
  found:add(source, { code = code, at = value.at, text = ("there is no %s %q"):format(what, name), hint = nearest.find(name, keys.sorted(known)),
    why = where })
end

local function check_call(call, about, source, found)
  if not call.fields then return end
  check_fields(call, about.call_fields, source, found)
  check_verb(call, source, found)
  check_reference(scope.field(call.fields, "via"), "connection", about.connections, "connections.lua does not have it: everybody would be held here",
    "connection", source, found)
  check_reference(scope.field(call.fields, "payload"), "payload", about.payloads, "payloads/ does not have it: everybody would be held here", "payload",
    source, found)
  for _, name in ipairs { "within", "timeout" } do check_duration(scope.field(call.fields, name), name, source, found) end
  local policy = scope.field(call.fields, "on_failure")
  if text_of(policy) and not set_of(ON_FAILURE)[policy.value] then
    found:add(source, { code = "value", at = policy.at, text = ("on_failure is \"drop\", \"continue\" or \"hold\", not %q"):format(policy.value),
      hint = nearest.find(policy.value, ON_FAILURE), why = "the run would be held here" })
  end
end

local function check_calls(tree, about, source, found)
  local seen = {}
  for _, call in ipairs(scope.calls(tree, CALLED)) do
    if call.word == "call_api" then check_call(call, about, source, found) end
    if call.word == "wait" then check_duration(call.arguments[1], "wait", source, found) end
    if call.word == "wait_for" and call.arguments[2] and call.arguments[2].kind == "table" then
      check_duration(scope.field(call.arguments[2], "within"), "within", source, found)
    end
    if call.word == "call_api" and call.name and not call.fields and call.node.kind == "invoke" and #call.arguments == 1 and call.node.callee.kind == "name" then
      found:add(source, { code = "call", at = call.at, text = ("call_api %q stands without its braces"):format(call.name),
        why = "nothing is called: call_api \"NAME\" { via = …, POST = … }" })
    end
    if ELEMENTS[call.word] and call.name then
      if seen[call.name] then
        found:add(source, { code = "twice", at = call.at, text = ("the element %q is in line %d, too"):format(call.name, seen[call.name]),
          why = "the funnel counts both as one, and a redrive can't tell them apart" })
      end
      seen[call.name] = seen[call.name] or call.line
    end
  end
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

-- Checks one script. `about`: connections (a set of names; nil: nobody knows) and payloads (the same), texts = { person = { NAME = file }, event = { … } } (attributes that
-- are texts of digits there), libraries = true where it is a module, which may do as it likes with its own globals.
function scripts.check(source, about, found)
  local tree, mistake = parser.parse(source.text)
  if not tree then
    found:add(source, { code = "syntax", at = mistake.at, text = mistake.text, why = "the script can't be loaded" })
    return
  end
  about.names = about.names or sandbox.names()
  about.call_fields = about.call_fields or set_of(engine.call_fields())
  local resolved = scope.resolve(tree)
  check_globals(resolved, about.names, source, found)
  check_libraries(tree, about.names, source, found)
  check_calls(tree, about, source, found)
  check_way(tree, source, found)
  check_comparisons(tree, about, source, found)
  check_shared(resolved, source, found)
end

return scripts
