-- What is known of a condition in some turn of a loop: so that {% unless forloop.last %},{% endunless %} is understood.
--
-- Called by jaunt.liquid.json_shape, which looks at a loop's body as its first turn, its last and so on:
-- loop = { first =, last = }, each true, false, or nil where it may be either.

local HUGE = math.huge

-- The fields of a forloop that count, the turn in which each is at its beginning, and what it is there.
local COUNTERS = { index = { "first", 1 }, index0 = { "first", 0 }, rindex = { "last", 1 }, rindex0 = { "last", 0 } }

local function bounds(node, loop)
  if node.kind == "literal" and type(node.value) == "number" then return node.value, node.value end
  local counter = node.kind == "path" and node.head == "forloop" and #node.keys == 1 and COUNTERS[node.keys[1]]
  if not counter or loop[counter[1]] == nil then return nil end
  if loop[counter[1]] then return counter[2], counter[2] end
  return counter[2] + 1, HUGE
end

local COMPARE = {
  ["<"] = function(low, high, from, to) if high < from then return true elseif low >= to then return false end end,
  ["<="] = function(low, high, from, to) if high <= from then return true elseif low > to then return false end end,
  ["=="] = function(low, high, from, to)
    if low == high and from == to and low == from then return true elseif high < from or low > to then return false end
  end,
}

local function negate(known)
  if known == nil then return nil end
  return not known
end

local function compare(operator, a_low, a_high, b_low, b_high)
  if operator == "!=" or operator == "<>" then return negate(COMPARE["=="](a_low, a_high, b_low, b_high)) end
  if operator == ">" then return COMPARE["<"](b_low, b_high, a_low, a_high) end
  if operator == ">=" then return COMPARE["<="](b_low, b_high, a_low, a_high) end
  return COMPARE[operator] and COMPARE[operator](a_low, a_high, b_low, b_high)
end

local function is_length(node)
  return node.kind == "path" and node.head == "forloop" and #node.keys == 1 and node.keys[1] == "length"
end

-- forloop.index beside forloop.length: equal in the last turn, smaller before. index0 is always smaller.
local function against_length(operator, counter, loop)
  if counter == "index0" then return compare(operator, 0, 0, 1, HUGE) end
  if counter ~= "index" or loop.last == nil then return nil end
  if loop.last then return compare(operator, 0, 0, 0, 0) end
  return compare(operator, 0, 0, 1, HUGE)
end

local MIRRORED = { ["<"] = ">", [">"] = "<", ["<="] = ">=", [">="] = "<=" }

local function decide_compare(test, loop)
  local left, right, operator = test.left, test.right, test.operator
  if is_length(left) then left, right, operator = right, left, MIRRORED[operator] or operator end
  local path = left.kind == "path" and left.head == "forloop" and #left.keys == 1 and left.keys[1]
  if path and is_length(right) then return against_length(operator, path, loop) end
  if (path == "first" or path == "last") and right.kind == "literal" and type(right.value) == "boolean" then
    local same = loop[path] ~= nil and loop[path] == right.value
    if loop[path] == nil then return nil end
    if operator == "==" then return same end
    return (operator == "!=" or operator == "<>") and not same or nil
  end
  local a_low, a_high = bounds(left, loop)
  local b_low, b_high = bounds(right, loop)
  if a_low and b_low then return compare(operator, a_low, a_high, b_low, b_high) end
end

local decide

-- Whether a condition is known to be true or false in the turn of the loop that is looked at; nil if it isn't.
function decide(test, loop)
  local kind = test.kind
  if kind == "not" then return negate(decide(test.value, loop)) end
  if kind == "literal" then return test.value ~= nil and test.value ~= false end
  if kind == "path" and test.head == "forloop" and #test.keys == 1 then
    if test.keys[1] == "first" then return loop.first elseif test.keys[1] == "last" then return loop.last end
    return nil
  end
  if kind == "compare" then return decide_compare(test, loop) end
  if kind ~= "and" and kind ~= "or" then return nil end
  local left, right = decide(test.left, loop), decide(test.right, loop)
  local settles = kind == "or"
  if left == settles or right == settles then return settles end
  if left ~= nil and right ~= nil then return not settles end
  return nil
end

return decide
