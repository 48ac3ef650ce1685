-- The fields of what is sent, with their types: from the bodies that samples sent, and from the payload's schema.

local json = require "json"
local keys = require "jaunt.base.keys"
local trips = require "jaunt.docs.trips"

local fields = {}

local ROWS_MOST = 200
local DEEPEST = 16

local function type_of(value)
  if value == json.null then return "nothing" end
  if type(value) == "table" then return json.is_array(value) and "list" or "object" end
  if type(value) == "string" then return "text" end
  if type(value) == "boolean" then return "true or false" end
  return math.type(value) == "integer" and "whole number" or "number"
end

local function row_of(rows, path)
  local row = rows.by_path[path]
  if not row then
    row = { path = path, types = {}, bodies = 0 }
    rows.by_path[path], rows[#rows + 1] = row, row
  end
  return row
end

-- Adds a value and what is in it. `counted` has the rows that this body was counted for.
local function add_value(rows, path, value, counted, depth)
  if depth > DEEPEST or #rows > ROWS_MOST then return end
  local kind = type_of(value)
  if path ~= "" then
    local row = row_of(rows, path)
    row.types[kind] = true
    if not counted[row] then counted[row], row.bodies = true, row.bodies + 1 end
  end
  if kind == "list" then
    for _, item in ipairs(value) do add_value(rows, path .. "[]", item, counted, depth + 1) end
  elseif kind == "object" then
    for _, name in ipairs(keys.sorted(value)) do
      add_value(rows, path == "" and name or path .. "." .. name, value[name], counted, depth + 1)
    end
  end
end

local function add_texts(row, schema)
  for _, name in ipairs { "format", "pattern", "minLength", "maxLength", "minimum", "maximum" } do
    if schema[name] ~= nil then row.rules[#row.rules + 1] = ("%s %s"):format(name, tostring(schema[name])) end
  end
  if type(schema.enum) == "table" then
    local values = {}
    for i, value in ipairs(schema.enum) do values[i] = json.encode(value) end
    row.rules[#row.rules + 1] = "one of " .. table.concat(values, ", ")
  end
  if type(schema.description) == "string" then row.rules[#row.rules + 1] = schema.description end
end

local SCHEMA_TYPES = {
  string = "text", integer = "whole number", number = "number", boolean = "true or false", array = "list",
  object = "object", null = "nothing",
}

-- Adds what a schema says of the fields, also of those that no sample has.
local function add_schema(rows, path, schema, required, depth)
  if type(schema) ~= "table" or depth > DEEPEST or #rows > ROWS_MOST then return end
  if path ~= "" then
    local row = row_of(rows, path)
    row.rules = row.rules or {}
    row.required = required
    local kinds = type(schema.type) == "table" and schema.type or { schema.type }
    for _, kind in ipairs(kinds) do
      local is_told = kind == "number" and row.types["whole number"]
      if SCHEMA_TYPES[kind] and not is_told then row.types[SCHEMA_TYPES[kind]] = true end
    end
    add_texts(row, schema)
  end
  local needed = {}
  for _, name in ipairs(type(schema.required) == "table" and schema.required or {}) do needed[name] = true end
  local properties = type(schema.properties) == "table" and schema.properties or {}
  for _, name in ipairs(keys.sorted(properties)) do
    add_schema(rows, path == "" and name or path .. "." .. name, properties[name], needed[name] or false, depth + 1)
  end
  if type(schema.items) == "table" then add_schema(rows, path .. "[]", schema.items, false, depth + 1) end
end

-- Whether there is something else below a path, whose rows tell more than it.
local function is_parent(rows, path)
  for _, row in ipairs(rows) do
    local after = row.path:sub(1, #path) == path and row.path:sub(#path + 1, #path + 1)
    if after == "." or after == "[" then return true end
  end
  return false
end

-- The fields of bodies: a list of { path = "to.email", type = "text", always = (in all bodies), required = (by the
-- schema; nil: there is none), rules = { words … } or nil }, sorted by path. Objects whose fields are told are left
-- out themselves. `schema`: a source of jaunt.project.payloads, or nil.
function fields.of(bodies, headers, schema)
  local rows, count = { by_path = {} }, 0
  for _, body in ipairs(bodies) do
    local value = trips.decoded(body, headers)
    if type(value) == "table" then
      count = count + 1
      add_value(rows, "", value, {}, 0)
    end
  end
  local ok, described = pcall(json.decode, schema and schema.text or "")
  if ok and type(described) == "table" then add_schema(rows, "", described, false, 0) end
  local list = {}
  for _, row in ipairs(rows) do
    row.always = count > 0 and row.bodies == count
    row.type = table.concat(keys.sorted(row.types), " or ")
    local only_groups = (row.type == "object" or row.type == "list") and not row.rules
    if not (only_groups and is_parent(rows, row.path)) then list[#list + 1] = row end
  end
  table.sort(list, function(a, b) return a.path < b.path end)
  return list
end

return fields
