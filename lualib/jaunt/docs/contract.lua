-- What a call promises to the outside system, and what it wants of it: where it goes, when it is sent, what is in it,
-- what counts as success, and what becomes of the person otherwise.

local fields = require "jaunt.docs.fields"
local keys = require "jaunt.base.keys"
local scope = require "jaunt.lua.scope"

local contract = {}

local DEFAULT_RETRY = { attempts = 4, base = "1s", cap = "1m" }
local HIDDEN = { "authori[sz]ation", "cookie", "token", "secret", "password", "key$", "credential", "signature" }

---------------------------------------------------------------------------------------------- what connections say

local function is_secret(value) return type(value) == "table" and type(value.secret) == "string" end

-- A value that may be secret, as it may be shown.
local function shown(value, may_be_told)
  if is_secret(value) then return ("‹secret %s›"):format(value.secret) end
  return may_be_told and tostring(value) or "‹kept in connections.lua›"
end

local function is_telling(name)
  for _, pattern in ipairs(HIDDEN) do
    if name:lower():find(pattern) then return true end
  end
  return false
end

local AUTH = {
  bearer = function(auth) return "header", "Authorization", "Bearer " .. shown(auth.value) end,
  basic = function(auth) return "header", "Authorization", ("Basic %s:%s"):format(auth.name, shown(auth.value)) end,
  header = function(auth) return "header", auth.name, shown(auth.value) end,
  query = function(auth) return "query", auth.name, shown(auth.value) end,
}

-- The headers and the query that a connection adds to its calls: two lists of { name, value }.
function contract.of_connection(connection)
  local lists = { header = {}, query = {} }
  if connection.auth then
    local where, name, value = AUTH[connection.auth.kind](connection.auth)
    lists[where][1] = { name, value }
  end
  for _, name in ipairs(keys.sorted(connection.headers or {})) do
    lists.header[#lists.header + 1] = { name, shown(connection.headers[name], not is_telling(name)) }
  end
  return lists.header, lists.query
end

---------------------------------------------------------------------------------------------- what fields say

-- A constant of the script as a value: texts, numbers, true, false, and tables of these; nil for another.
local function constant(say, node)
  if not node then return nil end
  local meant = say:meant(node)
  if meant.kind ~= "table" then return say:literal(node) end
  local value = {}
  for _, field in ipairs(meant.fields) do
    local inner = constant(say, field.value)
    if inner == nil then return nil end
    local key = field.key and constant(say, field.key) or not field.key and #value + 1
    if not key then return nil end
    value[key] = inner
  end
  return value
end

local function duration(value) return type(value) == "number" and ("%g s"):format(value) or tostring(value) end

local function timeout_words(value)
  if type(value) == "table" then
    local parts = {}
    if value.total then parts[#parts + 1] = duration(value.total) end
    if value.connect then parts[#parts + 1] = duration(value.connect) .. " to connect" end
    return table.concat(parts, ", of which ")
  end
  return value and duration(value) or "30s, of which 10s to connect"
end

local STATUSES = "408, 429, 500, 502, 503 and 504"

local function retry_words(value)
  if value == false then return "it is not repeated" end
  local retry = type(value) == "table" and value or { attempts = type(value) == "number" and value or nil }
  local attempts = retry.attempts or DEFAULT_RETRY.attempts
  if attempts == 1 then return "it is not repeated" end
  local base, cap = duration(retry.base or DEFAULT_RETRY.base), duration(retry.cap or DEFAULT_RETRY.cap)
  return ("up to %s attempts, after network errors and the statuses %s, with random pauses of up to %s, twice that, "
    .. "and so on up to %s; Retry-After is honoured"):format(attempts, STATUSES, base, cap)
end

local function success_words(value)
  if value == nil then return "status 2xx" end
  local list = type(value) == "table" and value or { value }
  local parts = {}
  for i, one in ipairs(list) do parts[i] = tostring(one) end
  return "status " .. table.concat(parts, ", ")
end

local function idempotency_words(value)
  if value == false then
    return "no key: this vendor knows none. A call whose fate is unclear is never sent again; its result is unknown, "
      .. "and the person goes on"
  end
  local header = type(value) == "string" and value or "Idempotency-Key"
  return ("the header %s has a key of this call's own, the same in all its attempts, always with the same bytes")
    :format(header)
end

local FAILS = {
  drop = "the person is dropped here, once the last attempt has failed",
  continue = "the person goes on",
  hold = "the person is held here, until an operator sends them on",
}

local SHORT = { drop = "dropped", continue = "goes on", hold = "held" }

-- What becomes of a person, in words, and the policy; where that is only known when the script runs, in few words
-- instead.
local function failure_words(say, node)
  if not node then return FAILS.drop, "drop" end
  local policy = say:literal(node)
  if policy then return FAILS[policy] or tostring(policy), policy end
  local condition, first, second = say:alternatives(node)
  local one, other = condition and SHORT[say:literal(first)], condition and SHORT[say:literal(second)]
  if one and other then return ("%s if %s, else %s"):format(one, condition, other), nil end
  return say:value(node), nil
end

-- What a field of the script says, with the connection's as the default; words for it, or the script's own where it
-- is no constant.
local function setting(say, node, default, in_words)
  if not node then return in_words(default) end
  local value = constant(say, node)
  if value ~= nil then return in_words(value) end
  return say:value(node)
end

---------------------------------------------------------------------------------------------- where it goes

local function whole_url(base, path)
  if path:find("^https?://") or not base then return path end
  return base .. path
end

local function pairs_of(say, node)
  local list = {}
  local meant = node and say:meant(node)
  if not meant then return list end
  if meant.kind ~= "table" then return { { "…", say:quoted(meant) } } end
  for _, field in ipairs(meant.fields) do
    list[#list + 1] = { field.key and say:pattern(field.key) or "…", say:pattern(field.value) }
  end
  table.sort(list, function(a, b) return a[1] < b[1] end)
  return list
end

local IN_SCRIPT = "‹kept in the script›"

-- Adds what a script gives to the headers or the query, without what looks like a secret that is none by name.
local function add_own(list, own)
  for _, pair in ipairs(own) do
    local hidden = is_telling(pair[1]) and not pair[2]:find("‹", 1, true)
    list[#list + 1] = { pair[1], hidden and IN_SCRIPT or pair[2] }
  end
end

-- The URL of a sample without such values.
local function shown_url(url, connection)
  local own = connection.auth and connection.auth.kind == "query" and connection.auth.name
  return (url:gsub("([?&])([^=&]*)=([^&]*)", function(before, name, value)
    if value:find("‹secret ", 1, true) or name ~= own and not is_telling(name) then return nil end
    return before .. name .. "=" .. IN_SCRIPT
  end))
end

---------------------------------------------------------------------------------------------- what is in it

-- The names that a payload's name may come to: one, or those of a split's branches.
local function payload_names(say, node, sources)
  local meant = node and say:meant(node)
  if not meant or meant.kind == "table" then return {} end
  local name = say:literal(node)
  if name then return { tostring(name) } end
  local pattern = "^" .. say:pattern(node):gsub("‹.-›", "\0"):gsub("%p", "%%%0"):gsub("\0", "[^/]*") .. "$"
  local list = {}
  for _, known in ipairs(keys.sorted(sources)) do
    if pattern ~= "^[^/]*$" and known:find(pattern) then list[#list + 1] = known end
  end
  return list
end

-- The names of the vars, as a set; "?" in it where not all are known.
local function vars_of(say, node)
  local set = {}
  local meant = node and say:meant(node)
  if meant and meant.kind ~= "table" then set["?"] = true end
  for _, field in ipairs(meant and meant.kind == "table" and meant.fields or {}) do
    local name = field.key and say:literal(field.key)
    set[name or "?"] = true
  end
  return set
end

-- A table of the script as rows, where no sample has sent it: { path =, type = "…" }.
local function written_fields(say, node)
  local list = {}
  for _, pair in ipairs(pairs_of(say, node)) do list[#list + 1] = { path = pair[1], type = "", rules = { pair[2] } } end
  return list
end

-- What a template may do with the person by itself: what is looked for, and how it is said.
local ENDS_IN_TEMPLATES = {
  { "required:%s*(['\"])(.-)%1", "drops the person where a value is missing: %s" },
  { "hold_if_nil:%s*(['\"])(.-)%1", "holds the person where a value is missing: %s" },
  { "drop_message%s*%(?%s*(['\"])(.-)%1", "may drop the person: %s" },
  { "abort_message%s*%(?%s*(['\"])(.-)%1", "may skip the call: %s" },
}

local function payload_ends(names, sources)
  local list, seen = {}, {}
  local function look(name)
    local source = sources[name] or {}
    for _, variant in ipairs(source.variants or {}) do look(name .. "/" .. variant) end
    for _, one in ipairs(source.kind ~= "lua" and source.text and ENDS_IN_TEMPLATES or {}) do
      for _, reason in source.text:gmatch(one[1]) do
        local said = one[2]:format(reason)
        if not seen[said] then list[#list + 1] = said end
        seen[said] = true
      end
    end
  end
  for _, name in ipairs(names) do look(name) end
  return list
end

local function content_type(sent)
  for name, value in pairs(sent and sent.call.headers or {}) do
    if name:lower() == "content-type" then return tostring(value) end
  end
end

local BODIES = { "payload", "json", "form", "body" }

local function add_body(made, say, given, about)
  local source
  for _, name in ipairs(BODIES) do
    local node = given(name)
    if node then
      made.body_field, made.body_node = name, node
      made.payloads = name == "payload" and payload_names(say, node, about.sources) or {}
    end
  end
  made.payloads = made.payloads or {}
  made.payload_ends, made.content_type = payload_ends(made.payloads, about.sources), content_type(made.sent)
  for _, name in ipairs(made.payloads) do source = source or about.sources[name] end
  local sent = made.sent
  made.fields = fields.of(sent and sent.bodies or {}, sent and sent.call.headers, source and source.schema)
  if #made.fields == 0 and not sent and made.body_node and #made.payloads == 0 and made.body_field ~= "body" then
    made.fields = written_fields(say, made.body_node)
  end
end

---------------------------------------------------------------------------------------------- all of it

-- The contract of a step of kind "call". `about`: connections = { NAME = … }, sources = (payloads), trip = (see
-- jaunt.docs.trips).
function contract.of(step, about)
  local say, call = step.words, step.call
  local function given(name) return call.fields and scope.field(call.fields, name) end
  local via = given("via")
  local made = { name = step.name, line = step.line, ways = { step.way }, sent = about.trip:calls_of(step), step = step,
    via = via and say:pattern(via) or nil }
  local connection = made.via and about.connections[made.via] or {}
  local _, method, path = say:route(call.fields)
  made.method, made.url = method or "GET", whole_url(connection.base_url, path or "")
  made.connection = connection.name and connection or nil
  made.headers, made.query = contract.of_connection(connection)
  add_own(made.headers, pairs_of(say, given("headers")))
  add_own(made.query, pairs_of(say, given("query")))
  made.sample_url = made.sent and made.sent.call.url and shown_url(made.sent.call.url, connection)
  add_body(made, say, given, about)
  made.vars = vars_of(say, given("vars"))
  made.only_if = given("only_if") and say:predicate(given("only_if"), { "person", "event" })
  local success = given("success")
  made.success = success and say:lambda(success) and say:predicate(success, { "answer" })
    or setting(say, success, connection.success, success_words)
  made.failure, made.policy = failure_words(say, given("on_failure"))
  made.retry = setting(say, given("retry"), connection.retry, retry_words)
  made.timeout = setting(say, given("timeout"), connection.timeout, timeout_words)
  made.within = given("within") and say:pattern(given("within")) or "24h"
  made.idempotency = setting(say, given("idempotent"), connection.idempotent, idempotency_words)
  made.save_to = given("save_to") and say:pattern(given("save_to")) or nil
  return made
end

return contract
