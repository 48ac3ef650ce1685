-- Filters over arrays. What they go over: an array with the arrays in it unfolded, a range's numbers, an object as
-- the only item, any other value as the only item, nothing for nil. A new array is given back; nil in it is
-- json.null.
--
-- Where a property is asked for, an item gives what Ruby's [] gives: an object its member, a text the part itself if
-- it is in it, an integer one of its bits or, for a text, an error. nil, booleans and floats have no [], and with one
-- of them among the items the result of a search is nil.

local add = require "jaunt.liquid.arithmetic".plus
local values = require "jaunt.liquid.values"

local concat, select, sort_table = table.concat, select, table.sort
local find, lower = string.find, string.lower
local math_type, type = math.type, type
local fail, to_text = values.fail, values.string
local null, array = values.null, values.array
local is_list, equal, check_count = values.is_list, values.equal, values.check_count

local DEPTH_MOST = values.DEPTH_MOST

---------------------------------------------------------------------------------------------- what is gone over

local function add_flat(out, count, list, depth)
  if depth > DEPTH_MOST then fail("an array is nested more than %d deep: does it contain itself?", DEPTH_MOST) end
  local length = #list
  check_count(count + length)
  for i = 1, length do
    local item = list[i]
    if is_list(item) then
      count = add_flat(out, count, values.list(item), depth + 1)
    else
      count = count + 1
      out[count] = item
    end
  end
  return count
end

local function holds_lists(list)
  for i = 1, #list do
    local item = list[i]
    local kind = type(item)
    if (kind == "table" or kind == "userdata") and is_list(item) then return true end
  end
  return false
end

-- The items of a value, and how many; to be looked at only, for they may be the value itself. Items may be json.null.
local function items_of(value)
  if value == nil or value == null then return {}, 0 end
  if is_list(value) or values.is_range(value) then
    local list = values.list(value)
    check_count(#list)
    if not holds_lists(list) then return list, #list end
    local out = {}
    return out, add_flat(out, 0, list, 1)
  end
  return { value }, 1
end

local function copy(items, count)
  local out = {}
  for i = 1, count do out[i] = items[i] end
  return out
end

---------------------------------------------------------------------------------------------- properties

local function no_property(property)
  fail("cannot select the property '%s'", to_text(property))
end

local function bit_of(item, index)
  if math_type(index) ~= "integer" then no_property(index) end
  if index < 0 then return 0 end
  if index > 63 then return item < 0 and 1 or 0 end
  return item >> index & 1
end

-- Whether an item has [] at all.
local function selectable(item)
  local kind = type(item)
  return kind == "table" or kind == "string" or math_type(item) == "integer"
end

local function all_selectable(items, count)
  for i = 1, count do
    if not selectable(items[i]) then return false end
  end
  return true
end

-- item[property]; nil and true where the item is a text and there is nothing to look for.
local function property_of(item, property)
  if type(item) == "table" then return values.member(item, property) end
  if type(item) == "string" then
    if type(property) == "string" then return find(item, property, 1, true) and property or nil end
    if property == nil then return nil, true end
    return values.character(item, values.integer(property))
  end
  return bit_of(item, property)
end

-- What of an item is asked about: itself, or a property; true behind it where it has no properties.
local function asked_of(item, property)
  if property == nil then return item end
  if not selectable(item) then return nil, true end
  return (property_of(item, property))
end

-- The number of the first item from `from` on that a search is for; nil without one, and true where an item can't be
-- searched.
local function next_match(items, count, from, property, target)
  for i = from, count do
    local item = items[i]
    if not selectable(item) then return nil, true end
    local value, hopeless = property_of(item, property)
    if hopeless then return nil, true end
    if target == nil and (value ~= nil and value ~= false) or target ~= nil and equal(value, target) then return i end
  end
end

---------------------------------------------------------------------------------------------- searching

local function where(value, property, target)
  local items, count = items_of(value)
  local out, kept = {}, 0
  local at, broken = next_match(items, count, 1, property, target)
  while at do
    kept = kept + 1
    out[kept] = items[at]
    at, broken = next_match(items, count, at + 1, property, target)
  end
  if broken then return nil end
  return array(out)
end

local function reject(value, property, target)
  local items, count = items_of(value)
  local out, kept, from = {}, 0, 1
  repeat
    local at, broken = next_match(items, count, from, property, target)
    if broken then return nil end
    for i = from, at and at - 1 or count do
      kept = kept + 1
      out[kept] = items[i]
    end
    from = at and at + 1
  until not at
  return array(out)
end

local function has(value, property, target)
  local items, count = items_of(value)
  local at, broken = next_match(items, count, 1, property, target)
  if broken then return nil end
  return at ~= nil
end

local function find_item(value, property, target)
  local items, count = items_of(value)
  local at = next_match(items, count, 1, property, target)
  return at and items[at] or nil
end

local function find_index(value, property, target)
  local items, count = items_of(value)
  local at = next_match(items, count, 1, property, target)
  return at and at - 1 or nil
end

---------------------------------------------------------------------------------------------- one for each

local function map(value, property)
  local items, count = items_of(value)
  local out = {}
  for i = 1, count do
    local item = items[i]
    local made
    if selectable(item) then made = property_of(item, property) end
    if made == nil then made = null end
    out[i] = made
  end
  return array(out)
end

local function sum(value, property)
  local items, count = items_of(value)
  if property ~= nil then
    items, count = items_of(map(items, property))
  end
  local total = 0
  for i = 1, count do total = add(total, items[i]) end
  return total
end

-- The items of which `keeps` says so, asked about what `property` gives of each.
local function kept(items, count, property, keeps)
  local out, length = {}, 0
  for i = 1, count do
    local by, broken = asked_of(items[i], property)
    if broken then return nil end
    if keeps(by) then
      length = length + 1
      out[length] = items[i]
    end
  end
  return array(out)
end

local function is_there(v) return v ~= nil and v ~= null end

local function compact(value, property)
  local items, count = items_of(value)
  return kept(items, count, property, is_there)
end

-- What two items have in common that are the same to Ruby: 1 and 1.0 are not, two objects with equal members are.
local function identity(v)
  if v == nil then return null end
  if type(v) == "table" then return "t" .. values.inspect(v) end
  if math_type(v) == "float" then return "f" .. values.text(v) end
  return type(v) == "string" and "s" .. v or v
end

local function uniq(value, property)
  local items, count = items_of(value)
  if count < 2 then return array(copy(items, count)) end
  local seen = {}
  return kept(items, count, property, function(by)
    by = identity(by)
    local is_new = not seen[by]
    seen[by] = true
    return is_new
  end)
end

---------------------------------------------------------------------------------------------- order

local HAVE_ORDER = { number = true, string = true }

-- `sort` takes numbers with numbers, or texts with texts.
local function check_order(keys, count)
  local first
  for i = 1, count do
    local key = keys[i]
    if key ~= null then
      if not HAVE_ORDER[type(key)] or key ~= key then fail("%s has no order to sort by", values.show(key)) end
      first = first or key
      if type(first) ~= type(key) then
        fail("%s and %s can't be sorted together", values.show(first), values.show(key))
      end
    end
  end
end

-- The items in the order of their keys; those with equal keys stay as they are to each other, and nil comes last.
local function in_order(items, keys, count)
  local places = {}
  for i = 1, count do places[i] = i end
  sort_table(places, function(a, b)
    local x, y = keys[a], keys[b]
    if x == y then return a < b end
    if x == null or y == null then return y == null end
    return x < y
  end)
  local out = {}
  for i = 1, count do out[i] = items[places[i]] end
  return array(out)
end

-- The items in the order of keys that are made of what they are, or have there; nil where an item has no properties.
local function sorted(value, property, make_keys)
  local items, count = items_of(value)
  if property ~= nil and not all_selectable(items, count) then return nil end
  if count < 2 then return array(copy(items, count)) end
  local keys = {}
  for i = 1, count do
    local key = items[i]
    if property ~= nil then key = property_of(key, property) end
    keys[i] = key == nil and null or key
  end
  make_keys(keys, count)
  return in_order(items, keys, count)
end

local function sort(value, property)
  return sorted(value, property, check_order)
end

local function make_natural(keys, count)
  for i = 1, count do
    if keys[i] ~= null then keys[i] = lower(to_text(keys[i])) end
  end
end

local function sort_natural(value, property)
  return sorted(value, property, make_natural)
end

local function reversed(value)
  local items, count = items_of(value)
  local out = {}
  for i = 1, count do out[i] = items[count + 1 - i] end
  return array(out)
end

---------------------------------------------------------------------------------------------- together

local function concat_lists(value, other)
  if not is_list(other) then fail("concat wants an array, and not %s", values.word(other)) end
  local items, count = items_of(value)
  local more = values.list(other)
  check_count(count + #more)
  local out = copy(items, count)
  for i = 1, #more do out[count + i] = more[i] end
  return array(out)
end

local function join(value, ...)
  local items, count = items_of(value)
  local glue = select("#", ...) > 0 and to_text((...)) or " "
  local out, bytes = {}, #glue * (count > 0 and count - 1 or 0)
  for i = 1, count do
    local text = to_text(items[i])
    bytes = bytes + #text
    values.check_length(bytes)
    out[i] = text
  end
  return concat(out, glue)
end

---------------------------------------------------------------------------------------------- the table

return {
  { name = "compact", run = compact, most = 1, arguments = "property",
    about = "Without nil, or without the items whose property is nil.",
    example = "'a b' | split: ' ' | compact | join: '+'",
    result = "a+b" },
  { name = "concat", run = concat_lists, least = 1, most = 1, arguments = "array",
    about = "Another array behind.", example = "'a b' | split: ' ' | concat: more | join: '+'", result = "a+b+c+d",
    vars = { more = { "c", "d" } } },
  { name = "find", run = find_item, least = 1, most = 2, arguments = "property, value",
    about = "The first item whose property is that value, or is there.",
    example = "'red, blue' | split: ', ' | find: 'bl'",
    result = "blue" },
  { name = "find_index", run = find_index, least = 1, most = 2, arguments = "property, value",
    about = "The index of such an item, from 0.", example = "'red, blue' | split: ', ' | find_index: 'bl'",
    result = "1" },
  { name = "first", run = values.first,
    about = "The first item, or character.", example = "'red, blue' | split: ', ' | first", result = "red" },
  { name = "has", run = has, least = 1, most = 2, arguments = "property, value",
    about = "Whether there is an item whose property is that value, or is there.",
    example = "'red, blue' | split: ', ' | has: 'bl'", result = "true" },
  { name = "join", run = join, most = 1, arguments = "text = ' '",
    about = "One text of all items, with a text between them.", example = "'a b' | split: ' ' | join: ' and '",
    result = "a and b" },
  { name = "last", run = values.last,
    about = "The last item, or character.", example = "'red, blue' | split: ', ' | last", result = "blue" },
  { name = "map", run = map, least = 1, most = 1, arguments = "property",
    about = "The array of what all items have there.", example = "cart | map: 'name' | join: ', '",
    result = "hat, scarf",
    vars = { cart = { { name = "hat" }, { name = "scarf" } } } },
  { name = "reject", run = reject, least = 1, most = 2, arguments = "property, value",
    about = "Without the items whose property is that value, or is there.",
    example = "'red, blue' | split: ', ' | reject: 'bl'",
    result = "red" },
  { name = "reverse", run = reversed,
    about = "The last item first.", example = "'a b c' | split: ' ' | reverse | join", result = "c b a" },
  { name = "size", run = function(value) return values.size(value) or 0 end,
    about = "How many characters, items or members.", example = "'Grüße' | size", result = "5" },
  { name = "sort", run = sort, most = 1, arguments = "property",
    about = "Numbers or texts in their order, capitals before small letters; nil is last.",
    example = "'b C a' | split: ' ' | sort | join", result = "C a b" },
  { name = "sort_natural", run = sort_natural, most = 1, arguments = "property",
    about = "As texts, small letters like capitals; nil is last.",
    example = "'b C a' | split: ' ' | sort_natural | join",
    result = "a b C" },
  { name = "sum", run = sum, most = 1, arguments = "property",
    about = "All items added, or what they have there.", example = "cart | sum: 'price'", result = "30.3",
    vars = { cart = { { price = 10.1 }, { price = 20.2 } } } },
  { name = "uniq", run = uniq, most = 1, arguments = "property",
    about = "Each item once, or one for each value of a property.", example = "'a b a' | split: ' ' | uniq | join",
    result = "a b" },
  { name = "where", run = where, least = 1, most = 2, arguments = "property, value",
    about = "The items whose property is that value, or is there.",
    example = "cart | where: 'gift' | map: 'name' | first",
    result = "scarf", vars = { cart = { { name = "hat" }, { name = "scarf", gift = true } } } },
}
