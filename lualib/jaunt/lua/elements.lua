-- The elements that a journey's script names: those that can be told without running it.

local parser = require "jaunt.lua.parser"
local scope = require "jaunt.lua.scope"

local elements = {}

local WORDS = { call_api = true, split = true, wait = true, wait_until = true, wait_for = true }

-- The name that an element has in the funnel; nil where it is only known when the script runs.
local function element_name(call)
  if call.word == "call_api" or call.word == "split" then return call.name end
  return call.name and ("%s %s"):format(call.word, call.name)
end

-- Of a script { text = }: { { name =, word = (what makes it: "call_api"), line =, branches = { "a", "b" } or nil }, … };
-- and whether these are all.
function elements.of(source)
  local tree = parser.parse(source.text)
  if not tree then return {}, false end
  scope.resolve(tree)
  local list, all = {}, true
  for _, call in ipairs(scope.calls(tree, WORDS)) do
    local name = element_name(call)
    if not name then
      all = false
    else
      local branches
      if call.word == "split" and call.fields then
        branches = {}
        for _, field in ipairs(call.fields.fields) do
          if field.key and field.key.kind == "string" then branches[#branches + 1] = field.key.value end
        end
      end
      list[#list + 1] = { name = name, word = call.word, line = call.line, branches = branches }
    end
  end
  return list, all
end

return elements
