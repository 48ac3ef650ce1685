-- The names that a payload asks data for, and which of them nobody has.
--
-- A name is { text = (as written), root = "person", "event" or "bare", steps = { "cart", "total" } (a number or
-- false: an item of a list), file =, line =, own = (the names that the template makes itself: a set) }; bare ones are
-- fields of vars, or attributes of the person. A template's own names are none, unless they stand for data: `item` in
-- {% for item in event.items %} is an item of event.items.

local keys = require "jaunt.base.keys"
local nearest = require "jaunt.base.nearest"
local parser = require "jaunt.liquid.parser"
local places = require "jaunt.schema.places"
local renderers = require "jaunt.worker.renderers"

local names = {}

local RESERVED = { person = true, event = true }
local NOT_DATA = { now = true, forloop = true, tablerowloop = true }
local OF_LISTS = { first = true, last = true, size = true }

---------------------------------------------------------------------------------------------- templates

-- Calls f with every node of a tree, but for the trees of partials.
local function each_node(node, f)
  if node.kind then f(node) end
  for key, inner in pairs(node) do
    if type(inner) == "table" and key ~= "partial" and key ~= "source" then each_node(inner, f) end
  end
end

-- The steps behind a path's head: names; a number or false for what is only known when it is rendered.
local function steps_of(path)
  local steps = {}
  for i, key in ipairs(path.keys) do
    if type(key) == "string" then steps[i] = key
    else steps[i] = key.kind == "literal" and math.type(key.value) == "integer" and key.value or false end
  end
  return steps
end

-- What a path of the tree stands for: root and steps; nil for what the template makes itself. `own` has what its
-- names stand for: { NAME = { root, steps } or false }.
local function resolve(path, own)
  if type(path.head) ~= "string" or NOT_DATA[path.head] then return nil end
  local steps = steps_of(path)
  local known = own[path.head]
  if known == false then return nil end
  if known then
    local all = table.move(known.steps, 1, #known.steps, 1, {})
    return known.root, table.move(steps, 1, #steps, #all + 1, all)
  end
  if RESERVED[path.head] then return path.head, steps end
  return "bare", table.move(steps, 1, #steps, 2, { path.head })
end

-- What the names stand for that a template sets, counts or goes over.
local function own_names(block)
  local own = {}
  local function set(name, path, inner)
    local root, steps
    if path and path.kind == "path" and own[name] == nil then root, steps = resolve(path, own) end
    if root and inner then steps[#steps + 1] = false end
    own[name] = root and { root = root, steps = steps } or false
  end
  local function look(node)
    if node.kind == "assign" then set(node.name, node.value)
    elseif node.kind == "for" then set(node.name, node.over, true)
    elseif node.kind == "capture" or node.kind == "increment" or node.kind == "decrement" then own[node.name] = false end
  end
  each_node(block, look)
  return own
end

-- Names of a block of `source`, and of the partials that it renders; `own` has the partial's arguments.
local function gather(block, source, own, found, seen)
  for name, meaning in pairs(own_names(block)) do own[name] = meaning end
  each_node(block, function(node)
    local root, steps
    if node.kind == "path" then root, steps = resolve(node, own) end
    if root then
      found[#found + 1] = { text = node.text, root = root, steps = steps, file = source.path, at = node.at,
        line = places.line(source.text, node.at), own = own }
    end
    local partial = node.kind == "render" and node.partial
    if partial and partial.block and not seen[partial] then
      seen[partial] = true
      local given = { [node.as or node.name] = false }
      for _, argument in ipairs(node.arguments or {}) do given[argument.name] = false end
      gather(partial.block, partial.source, given, found, seen)
    end
  end)
end

-- The names of a template (a source of jaunt.project.payloads, with the others as partials), in the order of the text; empty
-- for one that can't be read.
function names.of_template(source, sources)
  local ok, block = pcall(parser.parse, { text = source.text, path = source.path }, {
    partial = function(name) return renderers.partial(sources, name) end,
  })
  if not ok then return {} end
  local found = {}
  gather(block, source, {}, found, {})
  table.sort(found, function(a, b)
    if a.file ~= b.file then return a.file == source.path end
    return a.at < b.at
  end)
  return found
end

-- The names that a payload's text tells of; a transform's are known only when it has run (of_transform).
function names.of(source, sources)
  return source.kind ~= "lua" and names.of_template(source, sources) or {}
end

---------------------------------------------------------------------------------------------- transforms

-- A table that shows another one, and notes what is asked of it and is not there.
local function watched(value, name, note)
  local function step(key)
    if math.type(key) == "integer" then return false end
    return type(key) == "string" and key or nil
  end
  return setmetatable({}, {
    __index = function(_, key)
      local inner, at = value[key], step(key)
      if at == nil then return inner end
      local steps = table.move(name.steps, 1, #name.steps, 1, {})
      steps[#steps + 1] = at
      local longer = { root = name.root, steps = steps, text = at and name.text .. "." .. at or name.text .. "[]" }
      if inner == nil and at then note(longer) end
      return type(inner) == "table" and watched(inner, longer, note) or inner
    end,
    __len = function() return #value end,
    __pairs = function() return pairs(value) end,
  })
end

-- The line of the file that is running.
local function line_in(path)
  for level = 3, 12 do
    local info = debug.getinfo(level, "Sl")
    if not info then return 1 end
    if info.source == "@" .. path then return info.currentline end
  end
  return 1
end

-- The names that a transform asks for in vain, as it renders once: render(person, event, vars) is called with tables
-- that take note. What it raises counts nothing.
function names.of_transform(path, render, person, event, vars)
  local found, seen = {}, {}
  local function note(name)
    name.file, name.line = path, line_in(path)
    local key = name.line .. name.text
    if not seen[key] then found[#found + 1] = name end
    seen[key] = true
  end
  pcall(render, watched(person, { root = "person", steps = {}, text = "person" }, note),
    watched(event, { root = "event", steps = {}, text = "event" }, note),
    watched(vars, { root = "vars", steps = {}, text = "vars" }, note))
  return found
end

-- The fields of vars that a transform's text names.
function names.vars_of_transform(text)
  local found = {}
  for name in text:gmatch("%f[%w_]vars%.([%a_][%w_]*)") do found[name] = true end
  return keys.sorted(found)
end

---------------------------------------------------------------------------------------------- what is known

-- Whether a tree of fields has what the steps lead to. Where the data can't tell, yes. If not: the step that leads
-- nowhere, and the fields that are there instead.
local function leads_somewhere(tree, steps)
  for _, step in ipairs(steps) do
    if next(tree) == nil then return true end
    if step and tree[step] then tree = tree[step]
    elseif step == "size" then return true
    elseif step and not OF_LISTS[step] and math.type(step) ~= "integer" then return false, step, tree end
  end
  return true
end

-- What may stand at the beginning of a bare name: vars, attributes, the template's own names, person and event.
function names.likely(name, fields)
  local set = { person = true, event = true }
  for _, known in ipairs { fields.vars or {}, fields.person, name.own or {} } do
    for one in pairs(known) do set[one] = true end
  end
  return keys.sorted(set)
end

-- Whether anybody has what a name asks for. `fields`: { person = tree, event = tree, vars = tree } (see
-- jaunt.project.people). If not: "; did you mean first_name?", or nothing, and whether the name would have to be in
-- vars.
function names.known(name, fields)
  local steps = name.steps
  if name.root ~= "bare" then
    local ok, step, tree = leads_somewhere(fields[name.root], steps)
    return ok, not ok and nearest.hint(step, keys.sorted(tree)) or nil, name.root == "vars"
  end
  local head = steps[1]
  if fields.vars[head] then
    local ok, step, tree = leads_somewhere(fields.vars, steps)
    return ok, not ok and nearest.hint(step, keys.sorted(tree)) or nil
  end
  if fields.person[head] then
    local ok, step, tree = leads_somewhere(fields.person, steps)
    return ok, not ok and nearest.hint(step, keys.sorted(tree)) or nil
  end
  return false, nearest.hint(head, names.likely(name, fields)), true
end

return names
