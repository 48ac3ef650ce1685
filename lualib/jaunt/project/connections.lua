-- connections.lua: the outside systems, read and checked.

local chunk = require "jaunt.worker.chunk"
local existing = require "jaunt.base.existing"
local fs = require "jaunt.native.fs"
local keys = require "jaunt.base.keys"
local mistakes = require "jaunt.base.mistakes"
local native = require "jaunt.native.connections"
local nearest = require "jaunt.base.nearest"
local project = require "jaunt.project"

local connections = {}

local FIELDS = {
  "base_url", "headers", "auth", "timeout", "retry", "success", "idempotent", "max_in_flight", "private_network",
  "ca_file", "max_body",
}

-- What will come; taken silently it would be a promise that nobody keeps.
local LATER = {
  rate = "calls are not paced yet (max_in_flight bounds them)", circuit = "there is no circuit breaker yet",
  quiet = "there are no quiet hours yet", cap = "there are no frequency caps yet",
  consent = "consent is not looked up yet (only_if can ask)", oauth2 = "OAuth2 is not there yet (bearer is)",
  redact = "nothing is kept that could be redacted yet",
}

-- A pattern for `name =` or `["name"] =`.
local function assigned(name)
  return "%f[%w_]" .. tostring(name):gsub("%W", "%%%0") .. "%f[^%w_][%]\"'%s]*=%f[^=]"
end

-- Where a connection's field stands in the file, as far as that can be seen: "connections.lua:12"; where it can't be, where
-- the connection begins.
local function place_of(source, name, field)
  local number, begins = 0, nil
  for line in (source.text .. "\n"):gmatch("(.-)\n") do
    number = number + 1
    local code = line:gsub("%-%-.*", "")
    if not begins and code:find(assigned(name) .. "%s*{") then begins = number end
    if begins and field and code:find(assigned(field)) then return ("%s:%d"):format(source.path, number) end
  end
  return begins and ("%s:%d"):format(source.path, begins) or source.path
end

local function fail(source, name, field, message, ...)
  mistakes.fail("%s: connection \"%s\": %s", place_of(source, name, field), name, message:format(...))
end

local function is_secret(value)
  return type(value) == "table" and type(value.secret) == "string"
end

local function text_or_secret(source, name, field, value)
  if type(value) == "string" or is_secret(value) then return value end
  fail(source, name, field, "%s is a text or secret \"NAME\", not a %s", field, type(value))
end

-- auth = { bearer = V } | { basic = { USER, V } } | { header = { NAME = V } } | { query = { NAME = V } }
local AUTH = {
  bearer = function(value) return { value = value } end,
  basic = function(value)
    return type(value) == "table" and type(value[1]) == "string" and { name = value[1], value = value[2] }
  end,
}
function AUTH.header(value)
  if type(value) ~= "table" then return nil end
  local name, hidden = next(value)
  return type(name) == "string" and next(value, name) == nil and { name = name, value = hidden } or nil
end
AUTH.query = AUTH.header

local AUTH_FORM = "auth is { bearer = secret \"T\" }, { basic = { \"user\", secret \"T\" } }, "
  .. "{ header = { [\"X-Key\"] = secret \"T\" } } or { query = { key = secret \"T\" } }"

local function read_auth(source, name, auth)
  local kind, value = next(type(auth) == "table" and auth or {})
  if LATER[kind] then fail(source, name, kind, "%s", LATER[kind]) end
  local read = AUTH[kind] and next(auth, kind) == nil and AUTH[kind](value)
  if not read then
    fail(source, name, "auth", "%s%s", AUTH_FORM, nearest.hint(tostring(kind), { "bearer", "basic", "header", "query" }))
  end
  read.kind = kind
  text_or_secret(source, name, "auth", read.value)
  return read
end

local function check_names(source, name, fields)
  for field in pairs(fields) do
    if LATER[field] then fail(source, name, field, "%s can't be used: %s", field, LATER[field]) end
    local known = false
    for _, right in ipairs(FIELDS) do known = known or right == field end
    if not known then
      fail(source, name, field, "there is no field %s%s", tostring(field), nearest.hint(tostring(field), FIELDS))
    end
  end
end

local function check_type(source, name, fields, field, wanted, example)
  local value = fields[field]
  if value ~= nil and type(value) ~= wanted then
    fail(source, name, field, "%s is %s, not a %s", field, example, type(value))
  end
  return value
end

local function read_base_url(source, name, fields)
  local url = check_type(source, name, fields, "base_url", "string", "a URL such as \"https://api.example.com/v2\"")
  if url and not url:find("^https?://[^/?#]+[^?#]*$") then
    fail(source, name, "base_url", "base_url is an http or https URL without a query, not \"%s\"",
      url:find("@", 1, true) and "…" or url:gsub("[?#].*", "?…"))
  end
  if url and url:match("^https?://([^/]*)"):find("@", 1, true) then
    fail(source, name, "base_url", "base_url carries a user or a password: they belong into auth = { basic = … }")
  end
  return url and url:gsub("/+$", "")
end

local function read_max_in_flight(source, name, fields)
  local most = fields.max_in_flight
  if most ~= nil and (math.type(most) ~= "integer" or most < 1) then
    fail(source, name, "max_in_flight", "max_in_flight is a whole number from 1 on, not %s", tostring(most))
  end
  return most
end

local function read_success(source, name, fields)
  if type(fields.success) == "function" then
    fail(source, name, "success", "success is a status or a list of them here; a predicate belongs into call_api")
  end
  return fields.success
end

local function read_headers(source, name, fields)
  local headers = check_type(source, name, fields, "headers", "table", "a table { NAME = value }")
  for header, value in pairs(headers or {}) do text_or_secret(source, name, tostring(header), value) end
  return headers
end

local function read_idempotent(source, name, fields)
  local header = fields.idempotent
  if header ~= nil and type(header) ~= "boolean" and (type(header) ~= "string" or not header:find("^[%w_-]+$")) then
    fail(source, name, "idempotent", "idempotent is the name of the header that carries the key, or false, not %s",
      type(header) == "string" and ("\"%s\""):format(header) or "a " .. type(header))
  end
  return header
end

-- What only the host can read: durations, sizes, statuses. It says what is wrong with "FIELD …" or "FIELD: …".
local function check_values(source, name, connection)
  local ok, why = pcall(native.new, { connection }, native.secrets(true))
  if ok then return end
  fail(source, name, tostring(why):match("^[%w_]+"), "%s", why)
end

local function read_connection(source, name, fields)
  if name == "" then mistakes.fail("%s: a connection has a name", source.path) end
  if type(fields) ~= "table" then
    mistakes.fail("%s: connection \"%s\" is a table { base_url = … }, not a %s", source.path, name, type(fields))
  end
  check_names(source, name, fields)
  local connection = {
    name = name, base_url = read_base_url(source, name, fields),
    headers = read_headers(source, name, fields),
    auth = fields.auth ~= nil and read_auth(source, name, fields.auth) or nil,
    timeout = fields.timeout, retry = fields.retry, success = read_success(source, name, fields),
    idempotent = read_idempotent(source, name, fields),
    max_in_flight = read_max_in_flight(source, name, fields),
    private_network = check_type(source, name, fields, "private_network", "boolean", "true or false"),
    ca_file = check_type(source, name, fields, "ca_file", "string", "the path of a PEM file"),
    max_body = fields.max_body,
  }
  check_values(source, name, connection)
  return connection
end

-- The environment of connections.lua: little more than env and secret.
local function environment(needed, told, variable)
  local base = { tostring = tostring, tonumber = tonumber, ipairs = ipairs, pairs = pairs, string = string, table = table,
    math = math, assert = assert, error = error, type = type }
  base.env = function(name, default)
    if type(name) ~= "string" then error("env wants a name: env(\"CRM_URL\", \"https://…\")", 2) end
    told[#told + 1] = name
    return variable(name, default) or default
  end
  base.secret = function(name)
    if type(name) ~= "string" then error("secret wants a name: secret \"CRM_TOKEN\"", 2) end
    needed[name] = true
    return { secret = name }
  end
  return setmetatable({}, { __index = base })
end

-- Reads the project's connections. Returns a list, sorted by name, of what jaunt.native.connections takes, and the names
-- of the secrets they need. Without a project there are none. `variable(name, default)` gives a variable of the environment
-- (os.getenv, by default).
function connections.read(found, variable)
  if not found then return {}, {} end
  local path = project.path(found, "connections.lua")
  local source = { path = path, text = project.read(path) }
  local make, why = chunk.compile(source.text, path)
  if not make then mistakes.fail("%s", why) end
  local needed, told = {}, {}
  local ok, declared = pcall(make, environment(needed, told, variable or os.getenv))
  if not ok then mistakes.fail("%s", tostring(declared)) end
  for _, name in ipairs(told) do
    if needed[name] then mistakes.fail("%s: env(\"%s\") is a secret: write secret \"%s\"", path, name, name) end
  end
  if type(declared) ~= "table" then mistakes.fail("%s returns no table: return { crm = { base_url = … } }", path) end
  local list = {}
  for name, fields in pairs(declared) do list[#list + 1] = read_connection(source, tostring(name), fields) end
  table.sort(list, function(a, b) return a.name < b.name end)
  return list, keys.sorted(needed)
end

-- Where a rehearsal sends what is meant for a connection: below the vendor's URL, by the connection's name. Those that are
-- rerouted already stay so.
function connections.reroute(list, vendor_url)
  for _, connection in ipairs(list) do
    if connection.base_url and not connection.reroute then
      local path = connection.base_url:match("^https?://[^/]+(.*)$")
      connection.reroute = ("%s/%s%s"):format(vendor_url, connection.name, path)
    end
  end
end

-- The secrets of this process: made up for a rehearsal, otherwise from the environment and the secrets file: the one
-- that is named, or secrets.env in the project where there is one.
function connections.secrets(pretend, found, file)
  local secrets = native.secrets(pretend)
  if pretend then return secrets end
  local path = file or found and project.path(found, "secrets.env")
  if file then existing.file(file, "secrets file") end
  if path and fs.kind(path) then secrets:read(path) end
  return secrets
end

-- The native list: with the nameless connection that calls without `via` use. `private_network` lets them all reach
-- private networks, whatever they say themselves.
function connections.make(list, secrets, private_network)
  local all = table.move(list, 1, #list, 1, {})
  all[#all + 1] = { name = "" }
  if private_network then
    for _, connection in ipairs(all) do connection.private_network = true end
  end
  return native.new(all, secrets)
end

return connections
