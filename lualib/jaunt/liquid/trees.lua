-- What is done with trees of templates (see jaunt.liquid.parser) wherever they come from.

local ipairs, move, pairs, type = ipairs, table.move, pairs, type

local trees = {}

-- A copy that can be changed; partials are shared by all who render them.
function trees.copy(tree)
  local made = {}
  for key, part in pairs(tree) do
    made[key] = type(part) == "table" and key ~= "partial" and trees.copy(part) or part
  end
  return made
end

-- Whether a node puts a value out.
function trees.is_output(node)
  local kind = node.kind
  return kind == "output" or kind == "cycle" or kind == "increment" or kind == "decrement"
end

local NONE = {}

-- The blocks within a node: a list, in the order of the source.
function trees.bodies(node)
  local parts = node.branches or node.clauses or NONE
  if not node.body and parts == NONE then return NONE end
  local list = {}
  for i, part in ipairs(parts) do list[i] = part.body end
  if node.body then list[#list + 1] = node.body end
  if node.otherwise then list[#list + 1] = node.otherwise end
  return list
end

-- A value with the filters from number `first` to `last` of a list.
function trees.filtered(value, filters, first, last)
  if last < first then return value end
  return { kind = "filtered", value = value, filters = move(filters, first, last, 1, {}), at = value.at,
    stop = value.stop }
end

-- The name of the last filter of an output's value, or nil.
function trees.last_filter(node)
  local filters = node.value and node.value.kind == "filtered" and node.value.filters
  return filters and filters[#filters].name
end

-- Takes the last filter off.
function trees.strip(node)
  local old = node.value
  node.value = trees.filtered(old.value, old.filters, 1, #old.filters - 1)
end

-- Calls visit.text, visit.output, visit.capture (the first and the last may be nil) with the nodes of a block, in the
-- order of the source.
function trees.walk(block, visit)
  for _, node in ipairs(block) do
    if node.kind == "text" then
      if visit.text then visit.text(node) end
    elseif trees.is_output(node) then
      visit.output(node)
    elseif node.kind == "capture" and visit.capture then
      visit.capture(node)
    else
      for _, body in ipairs(trees.bodies(node)) do trees.walk(body, visit) end
    end
  end
end

return trees
