-- The keys of tables that serve as sets or as records by name.

local keys = {}

-- The keys of a table, sorted: a list. They are all texts, or all numbers.
function keys.sorted(set)
  local list = {}
  for key in pairs(set) do list[#list + 1] = key end
  table.sort(list)
  return list
end

return keys
