-- What is done with trees of templates (see jaunt.liquid.parser) wherever they come from.

local trees = {}

-- A copy that can be changed; partials are shared by all who render them.
function trees.copy(tree)
  local made = {}
  for key, part in pairs(tree) do
    made[key] = type(part) == "table" and key ~= "partial" and trees.copy(part) or part
  end
  return made
end

return trees
