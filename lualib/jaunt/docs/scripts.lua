-- The scripts that a journey's flow is read from: its own, and the modules that it requires; and what a node in one of
-- them stands for, in whichever it stands.

local parser = require "jaunt.lua.parser"
local scope = require "jaunt.lua.scope"
local words = require "jaunt.docs.words"

local scripts = {}

local DEEPEST = 12 -- of names that stand for names, here and in other scripts

local script = {}
script.__index = script

---------------------------------------------------------------------------------------------- one script

-- The functions that a script keeps in tables, or as globals: { NAME = lambda }.
local function functions_in(tree)
  local functions = {}
  local function keep(target, value)
    local name = target.kind == "index" and target.key.kind == "string" and target.key.value
      or target.kind == "name" and target.refers == "global" and target.name
    if name and value and value.kind == "lambda" then functions[name] = value end
  end
  scope.walk(tree, function(node)
    if node.kind == "function" then keep(node.target, node.body) end
    if node.kind == "assign" then
      for i, target in ipairs(node.targets) do keep(target, node.values[i]) end
    end
  end)
  return functions
end

-- What a module gives to whoever requires it; nil where that is not plain.
local function exported_by(tree)
  local last = tree.body[#tree.body]
  return last and last.kind == "return" and last.values[1] or nil
end

local function new_script(source, all)
  local tree = parser.parse(source.text)
  if not tree then return nil end
  scope.resolve(tree)
  return setmetatable({
    source = source, tree = tree, words = words.new(source.text, tree), functions = functions_in(tree),
    exported = exported_by(tree), all = all,
  }, script)
end

-- The module of that name; nil where there is none, or it can't be read.
function script:module(name)
  local all = self.all
  local source = all.modules[name]
  if source and all.known[name] == nil then all.known[name] = new_script(source, all) or false end
  return source and all.known[name] or nil
end

-- The scripts of `sources`, which are main and modules of jaunt.project.bundle's gather: the journey's own, and a list
-- of all. Each has source, tree (its names resolved) and words.
function scripts.of(sources)
  local all = { modules = sources[2], known = {} }
  local main = assert(new_script(sources[1], all))
  local list = { main }
  for _, name in ipairs(require("jaunt.base.keys").sorted(all.modules)) do list[#list + 1] = main:module(name) end
  return main, list
end

---------------------------------------------------------------------------------------------- what a node stands for

-- The value that a function gives back in the end; with `alone`, only where that is its only return. nil for none.
function scripts.returned(lambda, alone)
  local body = lambda.body.body
  local last = body[#body]
  if not last or last.kind ~= "return" or #last.values ~= 1 then return nil end
  local count = 0
  scope.walk(lambda.body, function(node)
    if node.kind == "return" then count = count + 1 end
    return node.kind ~= "lambda"
  end)
  return (not alone or count == 1) and last.values[1] or nil
end

local OPEN_ENDED = { invoke = true, method = true, vararg = true } -- the last argument may be several

-- What a function's parameters are given in a call: { variable = node }. In another script than the call's the
-- constants alone, as all else says something only where it is written.
local function given_to(lambda, arguments, say, is_same)
  local given = {}
  local last = arguments[#arguments]
  for i, parameter in ipairs(lambda.parameters) do
    local argument = arguments[i]
    if not argument and not (last and OPEN_ENDED[last.kind]) then argument = { kind = "nil", at = 1, stop = 0 } end
    local is_told = argument and (is_same or say:literal(argument) ~= nil or argument.kind == "nil")
    if is_told and #parameter.variable.writes == 0 then
      given[parameter.variable] = is_same and argument or say:meant(argument)
    end
  end
  return given
end

-- The words within a function that is called: `at` and `say` are the script and the words of the call, `owner` and
-- `own` those of the function.
function scripts.within(lambda, owner, own, arguments, at, say)
  local is_same = owner == at and own == owner.words
  return (is_same and say or own):bound(given_to(lambda, arguments, say, is_same))
end

local resolve

local function member(owner, object, name)
  local value = object.kind == "table" and scope.field(object, name)
  local may_be_own = object.kind == "table" or object.kind == "name" and object.refers == "global" and not owner.words:root(object)
  return value or may_be_own and owner.functions[name] or nil
end

-- What a node leads to, if it leads to another one: its script, that one's words, and the node.
local LEADS = {
  name = function(at, say, node)
    local lambda = node.refers == "global" and at.functions[node.name]
    if lambda then return at, say, lambda end
  end,
  index = function(at, say, node, depth)
    if node.key.kind ~= "string" then return nil end
    local object, owner, own = resolve(at, say, node.object, depth)
    local value = member(owner, object, node.key.value)
    if value then return owner, own, value end
  end,
  invoke = function(at, say, node, depth)
    local callee = node.callee
    if callee.kind == "name" and callee.name == "require" and callee.refers == "global" then
      local module = node.arguments[1] and at:module(say:literal(node.arguments[1]))
      if module and module.exported then return module, module.words, module.exported end
      return nil
    end
    local lambda, owner, own = resolve(at, say, callee, depth)
    local value = lambda.kind == "lambda" and scripts.returned(lambda)
    if value then return owner, scripts.within(lambda, owner, own, node.arguments, at, say), value end
  end,
}

resolve = function(at, say, node, depth)
  node = say:meant(node)
  local leads = depth < DEEPEST and LEADS[node.kind]
  local owner, own, value
  if leads then owner, own, value = leads(at, say, node, depth + 1) end
  if not owner then return node, at, say end
  return resolve(owner, own, value, depth + 1)
end

-- What a node of this script stands for in the end, read with `say` (its words, by default): the node, its script, and
-- the words it is to be read with.
function script:resolve(node, say) return resolve(self, say or self.words, node, 0) end

return scripts
