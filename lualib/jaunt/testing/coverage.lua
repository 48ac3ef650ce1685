-- Which elements of the journeys that specs let people into no test came to, and which branches of splits.

local elements = require "jaunt.lua.elements"
local selection = require "jaunt.state.selection"

local coverage = {}
coverage.__index = coverage

function coverage.new()
  return setmetatable({ journeys = {} }, coverage)
end

-- Adds what one test has done: see jaunt.testing.world's close().
function coverage:add(journey, gathered, reader)
  local known = self.journeys[journey]
  if not known then
    known = { path = gathered.sources[1].path, elements = elements.of(gathered.sources[1]), seen = {} }
    self.journeys[journey] = known
  end
  for row in selection.pages(reader, { most = 500 }) do
    for _, visit in ipairs(reader:visits(row.run)) do
      if visit.element then known.seen[visit.element] = true end
      if visit.kind == "split" then known.seen[visit.element .. "\n" .. tostring(visit.verdict)] = true end
    end
  end
end

-- What was not come to, by journey: a list of { journey =, path =, elements = how many, missed = { { line =, what = (in
-- words) }, … } }.
function coverage:told()
  local list = {}
  for journey, known in pairs(self.journeys) do
    local missed = {}
    for _, element in ipairs(known.elements) do
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
    list[#list + 1] = { journey = journey, path = known.path, elements = #known.elements, missed = missed }
  end
  table.sort(list, function(a, b) return a.journey < b.journey end)
  return list
end

return coverage
