-- Which attributes of people and which fields of events a journey reads and writes, and where.

local keys = require "jaunt.base.keys"
local names = require "jaunt.preview.names"
local parser = require "jaunt.lua.parser"
local scope = require "jaunt.lua.scope"

local attributes = {}

local function note(into, root, name, how, where)
  local list = into[root]
  list[name] = list[name] or { read = {}, written = {} }
  list[name][how][where] = true
end

---------------------------------------------------------------------------------------------- scripts

local OWN = { its = "event", event = "event", person = "person" } -- `its` is an event that has come

-- What is read and written in a script's tree, whose names have been resolved. `root_of(node)` says what a name
-- stands for.
local function look_at_script(tree, root_of, where, into)
  local written = {}
  local function root_and_name(node)
    if node.kind ~= "index" or node.key.kind ~= "string" then return nil end
    local root = OWN[root_of(node.object) or ""]
    if root == "event" and node.key.value == "meta" then return nil end
    return root, node.key.value
  end
  scope.walk(tree, function(node)
    if node.kind == "assign" then
      for _, target in ipairs(node.targets) do
        local root, name = root_and_name(target)
        if root then
          written[target] = true
          note(into, root, name, "written", where(target))
        end
      end
    end
    local root, name = root_and_name(node)
    if root and not written[node] then note(into, root, name, "read", where(node)) end
  end)
end

local function by_name(node)
  return node.kind == "name" and (node.name == "person" or node.name == "event") and node.name or nil
end

---------------------------------------------------------------------------------------------- payloads

-- A transform: function(person, event, vars), whatever it calls them.
local function look_at_transform(source, into)
  local tree = parser.parse(source.text)
  if not tree then return end
  scope.resolve(tree)
  local roots = {}
  for _, statement in ipairs(tree.body) do
    local lambda = statement.kind == "return" and statement.values[1]
    if lambda and lambda.kind == "lambda" then
      for i, root in ipairs { "person", "event" } do
        local parameter = lambda.parameters[i]
        if parameter and parameter.variable then roots[parameter.variable] = root end
      end
    end
  end
  local function root_of(node)
    return node.kind == "name" and node.variable and roots[node.variable] or by_name(node)
  end
  look_at_script(tree, root_of, function() return source.path end, into)
end

-- A template, or another text with values in it. `vars`: the names that its vars have (a set). A bare name that is
-- neither there nor an attribute of any sample is left out where vars are not known.
local function look_at_template(source, sources, vars, fields, into)
  for _, name in ipairs(names.of_template(source, sources)) do
    local root, first = name.root, name.steps[1]
    if root == "bare" and first and not vars[first] and (fields.person[first] or not vars["?"]) then root = "person" end
    if (root == "person" or root == "event") and type(first) == "string" and first ~= "meta" then
      note(into, root, first, "read", name.file)
    end
  end
end

-- What a payload reads, of the sources of jaunt.project.payloads.
function attributes.of_payload(name, sources, vars, fields, into)
  local source = sources[name]
  if not source then return end
  for _, variant in ipairs(source.variants or {}) do
    attributes.of_payload(name .. "/" .. variant, sources, vars, fields, into)
  end
  if source.variants then return end
  if source.kind == "lua" then return look_at_transform(source, into) end
  look_at_template(source, sources, vars, fields, into)
end

---------------------------------------------------------------------------------------------- all

-- What a journey reads and writes: { person = { NAME = { read = { WHERE = true }, written = { … } } }, event = { … }
-- }. `read` is jaunt.docs.flow's; `calls` a list of { payloads = { NAME … }, vars = (a set; "?" in it: not all are
-- known), texts = (URL and headers) }; `fields` what samples have (see jaunt.project.people).
function attributes.of_journey(read, calls, sources, fields)
  local into = { person = {}, event = {} }
  for _, script in ipairs(read.scripts) do
    local function root_of(node) return script.words:root(node) end
    local function where(node) return ("%s:%d"):format(script.source.path, node.line) end
    look_at_script(script.tree, root_of, where, into)
  end
  for _, call in ipairs(calls) do
    for _, payload in ipairs(call.payloads) do attributes.of_payload(payload, sources, call.vars, fields, into) end
    for _, text in ipairs(call.texts) do
      look_at_template({ text = text, path = call.where, kind = "url" }, {}, call.vars, fields, into)
    end
  end
  return into
end

-- The places of a set, sorted; lines of one file together: "a.lua:3, 12", "b.json".
function attributes.places(set)
  local list, files, lines = {}, {}, {}
  for _, place in ipairs(keys.sorted(set)) do
    local file, line = place:match("^(.*):(%d+)$")
    file = file or place
    if not lines[file] then files[#files + 1], lines[file] = file, {} end
    if line then table.insert(lines[file], math.tointeger(tonumber(line))) end
  end
  for i, file in ipairs(files) do
    table.sort(lines[file])
    list[i] = #lines[file] > 0 and ("%s:%s"):format(file, table.concat(lines[file], ", ")) or file
  end
  return table.concat(list, "; ")
end

return attributes
