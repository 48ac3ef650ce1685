-- Which elements of the journeys that specs let people into no test came to, and which branches of splits.

local parser = require "jaunt.lua.parser"
local scope = require "jaunt.lua.scope"

local coverage = {}
coverage.__index = coverage

local WORDS = { call_api = true, split = true, wait = true, wait_until = true, wait_for = true }

function coverage.new()
  return setmetatable({ journeys = {} }, coverage)
end

-- The name that an element has in the funnel; nil where it is only known when the script runs.
local function element_name(call)
  if call.word == "call_api" or call.word == "split" then return call.name end
  return call.name and ("%s %s"):format(call.word, call.name)
end

-- The elements that a script names: { { name =, word = (what makes it: "call_api"), line =, branches = { "a", "b" } or nil }, … }; and whether these are all.
function coverage.elements_of(source)
  local tree = parser.parse(source.text)
  if not tree then return {}, false end
  scope.resolve(tree)
  local elements, all = {}, true
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
      elements[#elements + 1] = { name = name, word = call.word, line = call.line, branches = branches }
    end
  end
  return elements, all
end

-- Adds what one test has done: see jaunt.testing.world's close().
function coverage:add(journey, gathered, reader)
  local known = self.journeys[journey]
  if not known then
    known = { path = gathered.sources[1].path, elements = coverage.elements_of(gathered.sources[1]), seen = {} }
    self.journeys[journey] = known
  end
  local before
  repeat
    local page, next_before = reader:runs { most = 500, before = before }
    for _, row in ipairs(page) do
      for _, visit in ipairs(reader:visits(row.run)) do
        if visit.element then known.seen[visit.element] = true end
        if visit.kind == "split" then known.seen[visit.element .. "\n" .. tostring(visit.verdict)] = true end
      end
    end
    before = next_before
  until not before
end

-- What was not come to, by journey: a list of { journey =, path =, elements = how many, missed = { { line =, what = (in words) }, … } }.
function coverage:told()
  local list = {}
  for journey, known in pairs(self.journeys) do
    local missed, count = {}, 0
    for _, element in ipairs(known.elements) do
      count = count + 1
      if not known.seen[element.name] then
        missed[#missed + 1] = { line = element.line, what = ("%q"):format(element.name) }
      else
        for _, branch in ipairs(element.branches or {}) do
          if not known.seen[element.name .. "\n" .. branch] then
            missed[#missed + 1] = { line = element.line, what = ("split %q: %s"):format(element.name, branch) }
          end
        end
      end
    end
    list[#list + 1] = { journey = journey, path = known.path, elements = count, missed = missed }
  end
  table.sort(list, function(a, b) return a.journey < b.journey end)
  return list
end

return coverage
