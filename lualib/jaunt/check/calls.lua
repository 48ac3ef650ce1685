-- What is wrong with the words of jaunt as a script uses them: fields that are not there, values that can't be meant, one request
-- with two methods. Only what stands in the text is judged: a value that is computed is right until it runs.

local engine = require "jaunt.native.engine"
local keys = require "jaunt.base.keys"
local nearest = require "jaunt.base.nearest"
local sandbox = require "jaunt.worker.sandbox"
local scope = require "jaunt.lua.scope"

local calls = {}

local HELD = "the run would be held here"
local NOW_MS = 1795597200000 -- for times of day: any moment will do

local function set_of(list)
  local set = {}
  for _, name in ipairs(list) do set[name] = true end
  return set
end

local VERBS = { "GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS" }
local BODIES = { "payload", "json", "form", "body" }
local ELEMENTS = { call_api = true, split = true }
local WORDS = set_of { "call_api", "split", "wait", "wait_until", "wait_for" }
local ON_FAILURE = { "drop", "continue", "hold" }

local function text_of(node) return node and node.kind == "string" and node.value or nil end

---------------------------------------------------------------------------------------------- values

-- What a literal is called.
local KINDS = { string = "a text", number = "a number", ["true"] = "true", ["false"] = "false", table = "a table", lambda = "a function" }

-- What each field takes, by the kinds of literals; those that are not here take anything.
local TAKES = {}
for fields, kinds in pairs {
  ["via GET POST PUT PATCH DELETE HEAD OPTIONS method url body save_to on_failure"] = { "string" }, ["query headers vars form"] = { "table" },
  payload = { "string", "table" }, timeout = { "string", "number", "table" }, ["within keep_body"] = { "string", "number" },
  retry = { "number", "table", "false" }, success = { "string", "number", "table", "lambda" }, only_if = { "lambda" },
  idempotent = { "string", "true", "false" }, redirects = { "number" },
} do
  for field in fields:gmatch("%S+") do TAKES[field] = kinds end
end

-- Complains of a literal that is of none of the kinds.
local function check_kind(node, what, kinds, source, found)
  if not KINDS[node.kind] or set_of(kinds)[node.kind] then return end
  local names = {}
  for i, kind in ipairs(kinds) do names[i] = KINDS[kind] end
  found:add(source, { code = "value", at = node.at, text = ("%s is %s, not %s"):format(what, table.concat(names, " or "), KINDS[node.kind]), why = HELD })
end

local function check_duration(node, what, source, found)
  local text = text_of(node)
  if not text then return end
  local ms, why = engine.duration(text)
  if not ms then found:add(source, { code = "value", at = node.at, text = ("%s: %s"):format(what, why), why = HELD }) end
end

-- A time for wait_until, and the zone that it is in.
local function check_moment(node, zone, source, found)
  local known, why = engine.moment("09:00", text_of(zone) or "UTC", NOW_MS)
  if not known then found:add(source, { code = "value", at = zone.at, text = "wait_until: " .. why, why = HELD }) end
  local ms
  if text_of(node) then ms, why = engine.moment(node.value, "UTC", NOW_MS) end
  if text_of(node) and not ms then found:add(source, { code = "value", at = node.at, text = "wait_until: " .. why, why = HELD }) end
end

-- Complains of the fields of a table that are not among `known` (a list).
local function check_names(fields, what, known, source, found)
  local set = set_of(known)
  for _, field in ipairs(fields.fields) do
    local name = text_of(field.key)
    if name and not set[name] then
      found:add(source, { code = "field", at = field.key.at, text = ("%s has no field %s"):format(what, name), hint = nearest.find(name, known), why = HELD })
    end
  end
end

-- What stands in a table without a name, the first `but` of it left out.
local function nameless(fields, but)
  for _, field in ipairs(fields.fields) do
    if not field.key then
      but = but - 1
      if but < 0 then return field.value end
    end
  end
end

---------------------------------------------------------------------------------------------- call_api

local function check_path(name, value, source, found)
  local path = text_of(value)
  if path and not path:find("^/") and not path:find("://", 1, true) and not path:find("^{[{%%]") then
    found:add(source, { code = "value", at = value.at, text = ("the path %q does not begin with /"):format(path),
      why = "it is put behind the connection's base_url" })
  elseif path and name and path:find("^https?://%S+%s") then
    found:add(source, { code = "value", at = value.at, text = ("there is a blank in the URL %q"):format(path), why = HELD })
  end
end

-- One request has one method and at most one body. A key that is computed, or mistyped, may be any of `known` (a set).
local function check_one_of_each(call, known, source, found)
  local given, is_all = {}, true
  for _, field in ipairs(call.fields.fields) do
    if not known[text_of(field.key)] then is_all = false end
    if text_of(field.key) then given[field.key.value] = field.key end
  end
  local function only_one(names, what)
    local first
    for _, name in ipairs(names) do
      if given[name] and first then
        found:add(source, { code = "call", at = math.max(given[name].at, given[first].at), text = ("there are both %s and %s: %s"):format(first, name, what),
          why = HELD })
      end
      first = first or given[name] and name
    end
    return first
  end
  local verb = only_one(VERBS, "one request has one method")
  only_one(BODIES, "a request has one body")
  if is_all and not verb and not given.url then
    found:add(source, { code = "call", at = call.at, text = "the call says no method with its path", why = HELD .. ": POST = \"/contacts\" belongs into it" })
  end
  if given.vars and is_all and not given.payload then
    found:add(source, { code = "call", at = given.vars.at, text = "vars go to a payload, and there is none", why = HELD })
  end
end

local function check_reference(value, what, known, where, code, source, found)
  local name = text_of(value)
  if not name or not known or known[name] then return end
  found:add(source, { code = code, at = value.at, text = ("there is no %s %q"):format(what, name), hint = nearest.find(name, keys.sorted(known)),
    why = where })
end

local function check_fields(call, about, source, found)
  check_names(call.fields, "call_api", about.call_fields, source, found)
  for _, field in ipairs(call.fields.fields) do
    local name = text_of(field.key)
    if name and TAKES[name] then check_kind(field.value, name, TAKES[name], source, found) end
    if name and set_of(VERBS)[name] then check_path(name, field.value, source, found) end
  end
  local loose = nameless(call.fields, 0)
  if loose then
    found:add(source, { code = "call", at = loose.at, text = "this stands in the call without a name", why = HELD .. ": via = …, POST = …" })
  end
end

local function check_call(call, about, source, found)
  if #call.arguments > 1 and call.fields == nil and call.arguments[2].kind == "table" then
    found:add(source, { code = "call", at = call.arguments[2].at, text = "the fields come in braces of their own behind the name",
      why = "nothing is called: call_api \"NAME\" { via = …, POST = … }" })
  end
  if call.name and not call.fields and call.node.kind == "invoke" and #call.arguments == 1 and call.node.callee.kind == "name" then
    found:add(source, { code = "call", at = call.at, text = ("call_api %q stands without its braces"):format(call.name),
      why = "nothing is called: call_api \"NAME\" { via = …, POST = … }" })
  end
  if not call.fields then return end
  check_fields(call, about, source, found)
  check_one_of_each(call, set_of(about.call_fields), source, found)
  check_reference(scope.field(call.fields, "via"), "connection", about.connections, "connections.lua does not have it: everybody would be held here",
    "connection", source, found)
  check_reference(scope.field(call.fields, "payload"), "payload", about.payloads, "payloads/ does not have it: everybody would be held here", "payload",
    source, found)
  for _, name in ipairs { "within", "timeout" } do check_duration(scope.field(call.fields, name), name, source, found) end
  local policy = scope.field(call.fields, "on_failure")
  if text_of(policy) and not set_of(ON_FAILURE)[policy.value] then
    found:add(source, { code = "value", at = policy.at, text = ("on_failure is \"drop\", \"continue\" or \"hold\", not %q"):format(policy.value),
      hint = nearest.find(policy.value, ON_FAILURE), why = HELD })
  end
end

---------------------------------------------------------------------------------------------- the other words

local CHECKS = { call_api = check_call }

function CHECKS.wait(call, _, source, found)
  check_duration(call.arguments[1], "wait", source, found)
end

function CHECKS.wait_until(call, _, source, found)
  local first = call.arguments[1]
  if not first then return end
  if first.kind ~= "table" then return check_moment(first, nil, source, found) end
  check_names(first, "wait_until", { "zone" }, source, found)
  check_moment(nameless(first, 0), scope.field(first, "zone"), source, found)
end

function CHECKS.wait_for(call, _, source, found)
  local options = call.arguments[2] or call.fields
  if not options then return end
  check_kind(options, "wait_for's second argument", { "table" }, source, found)
  if options.kind ~= "table" then return end
  check_names(options, "wait_for", { "where", "within" }, source, found)
  check_duration(scope.field(options, "within"), "within", source, found)
end

function CHECKS.split(call, _, source, found)
  if not call.fields then return end
  local loose, shares = nameless(call.fields, 0), 0
  for _, field in ipairs(call.fields.fields) do
    check_kind(field.value, "a share", { "number" }, source, found)
    shares = shares + (field.value.kind == "number" and field.value.value or 1)
  end
  if loose then
    found:add(source, { code = "value", at = loose.at, text = "this share has no name", why = HELD .. ": split \"NAME\" { a = 50, b = 50 }" })
  elseif shares <= 0 then
    found:add(source, { code = "value", at = call.fields.at, text = "no branch has a share above 0", why = HELD })
  end
end

---------------------------------------------------------------------------------------------- what comes of a call

-- The locals that hold a call's response and nothing else, as a set of variables.
local function responses(tree)
  local held = {}
  local function is_call(node)
    while node.kind == "invoke" and node.callee.kind == "invoke" do node = node.callee end
    return node.kind == "invoke" and node.callee.kind == "name" and node.callee.refers == "global" and node.callee.name == "call_api"
  end
  scope.walk(tree, function(node)
    if node.kind ~= "local" then return end
    for i, name in ipairs(node.names) do
      local value = node.values[i]
      local named = value and value.kind == "invoke" and (value.callee.kind == "invoke" or value.arguments[1] and value.arguments[1].kind == "table")
      if named and is_call(value) and #name.variable.writes == 0 then held[name.variable] = true end
    end
  end)
  return held
end

local function check_responses(tree, source, found)
  local held, known = responses(tree), set_of(sandbox.RESPONSE_FIELDS)
  scope.walk(tree, function(node)
    if node.kind ~= "index" or not node.dotted or node.object.kind ~= "name" or not held[node.object.variable] or known[node.key.value] then return end
    found:add(source, { code = "field", at = node.key.at, text = ("a response has no field %s"):format(node.key.value),
      hint = nearest.find(node.key.value, sandbox.RESPONSE_FIELDS), why = HELD })
  end)
end

-- "Bearer " .. secret "X": a secret is no text.
local function check_secrets(tree, source, found)
  local function is_secret(node) return node.kind == "invoke" and node.callee.kind == "name" and node.callee.refers == "global" and node.callee.name == "secret" end
  scope.walk(tree, function(node)
    if node.kind ~= "binary" or node.operator ~= ".." then return end
    for _, side in ipairs { node.left, node.right } do
      if is_secret(side) then
        found:add(source, { code = "value", at = side.at, text = "a secret can't be put together with a text",
          why = HELD .. ": a connection's auth does it, as { bearer = secret \"NAME\" }" })
      end
    end
  end)
end

---------------------------------------------------------------------------------------------- all

-- Checks what a script does with jaunt's words. Its tree's names have been resolved. `about`: see jaunt.check.scripts.
function calls.check(tree, about, source, found)
  about.call_fields = about.call_fields or engine.call_fields()
  local seen = {}
  for _, call in ipairs(scope.calls(tree, WORDS)) do
    CHECKS[call.word](call, about, source, found)
    if ELEMENTS[call.word] and call.name then
      if seen[call.name] then
        found:add(source, { code = "twice", at = call.at, text = ("the element %q is in line %d, too"):format(call.name, seen[call.name]),
          why = "the funnel counts both as one, and a redrive can't tell them apart" })
      end
      seen[call.name] = seen[call.name] or call.line
    end
  end
  check_responses(tree, source, found)
  check_secrets(tree, source, found)
end

return calls
