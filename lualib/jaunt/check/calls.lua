-- What is wrong with the words of jaunt as a script uses them: fields that are not there, values that can't be meant, one
-- request with two methods. Only what stands in the text is judged: a value that is computed is right until it runs.

local engine = require "jaunt.native.engine"
local keys = require "jaunt.base.keys"
local nearest = require "jaunt.base.nearest"
local sandbox = require "jaunt.worker.sandbox"
local scope = require "jaunt.lua.scope"

local calls = {}

local HELD = "the run would be held here"
local NOTHING_CALLED = 'nothing is called: call_api "NAME" { via = …, POST = … }'
local NOW_MS = 1795597200000 -- for times of day: any moment will do

local function set_of(list)
  local set = {}
  for _, name in ipairs(list) do set[name] = true end
  return set
end

local VERBS = { "GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS" }
local IS_VERB = set_of(VERBS)
local BODIES = { "payload", "json", "form", "body" }
local ELEMENTS = { call_api = true, split = true }
local ON_FAILURE = { "drop", "continue", "hold" }

local function text_of(node) return node and node.kind == "string" and node.value or nil end

-- Whether a node is a call of that word of scripts.
local function is_call_of(node, word)
  local callee = node.kind == "invoke" and node.callee
  return callee and callee.kind == "name" and callee.refers == "global" and callee.name == word
end

-- A checker is { source =, found = (findings), about = (see jaunt.check.scripts), call_fields = (a list) }.
local checker = {}
checker.__index = checker

-- Adds a finding at a node. Without `why` the run would be held there.
function checker:add(code, node, text, why, hint)
  self.found:add(self.source, { code = code, at = node.at, text = text, why = why or HELD, hint = hint })
end

---------------------------------------------------------------------------------------------- values

-- What a literal is called.
local KINDS = {
  string = "a text", number = "a number", table = "a table", lambda = "a function", ["true"] = "true", ["false"] = "false",
}

-- What each field takes, by the kinds of literals; those that are not here take anything.
local TAKES = {}
for fields, kinds in pairs {
  ["via GET POST PUT PATCH DELETE HEAD OPTIONS method url body save_to on_failure"] = { "string" },
  ["query headers vars form"] = { "table" }, payload = { "string", "table" }, timeout = { "string", "number", "table" },
  ["within keep_body"] = { "string", "number" }, retry = { "number", "table", "false" }, only_if = { "lambda" },
  success = { "string", "number", "table", "lambda" }, idempotent = { "string", "true", "false" },
  redirects = { "number" },
} do
  for field in fields:gmatch("%S+") do TAKES[field] = kinds end
end

-- Complains of a literal that is of none of the kinds.
function checker:kind(node, what, kinds)
  if not KINDS[node.kind] or set_of(kinds)[node.kind] then return end
  local names = {}
  for i, kind in ipairs(kinds) do names[i] = KINDS[kind] end
  self:add("value", node, ("%s is %s, not %s"):format(what, table.concat(names, " or "), KINDS[node.kind]))
end

function checker:duration(node, what)
  if not text_of(node) then return end
  local ms, why = engine.duration(node.value)
  if not ms then self:add("value", node, ("%s: %s"):format(what, why)) end
end

-- A time for wait_until, and the zone that it is in.
function checker:moment(node, zone)
  local known, why = engine.moment("09:00", text_of(zone) or "UTC", NOW_MS)
  if not known then self:add("value", zone, "wait_until: " .. why) end
  if not text_of(node) then return end
  known, why = engine.moment(node.value, "UTC", NOW_MS)
  if not known then self:add("value", node, "wait_until: " .. why) end
end

-- Complains of the fields of a table that are not among `known` (a list).
function checker:names(fields, what, known)
  local set = set_of(known)
  for _, field in ipairs(fields.fields) do
    local name = text_of(field.key)
    if name and not set[name] then
      self:add("field", field.key, ("%s has no field %s"):format(what, name), nil, nearest.find(name, known))
    end
  end
end

-- The first thing in a table that stands there without a name; nil where there is none.
local function nameless(fields)
  for _, field in ipairs(fields.fields) do
    if not field.key then return field.value end
  end
end

---------------------------------------------------------------------------------------------- call_api

function checker:path(value)
  local path = text_of(value)
  if path and not path:find("^/") and not path:find("://", 1, true) and not path:find("^{[{%%]") then
    self:add("value", value, ("the path %q does not begin with /"):format(path),
      "it is put behind the connection's base_url")
  end
end

-- Complains where a call has two of the names. `given` has the keys of its fields, by name.
function checker:only_one(given, names, what)
  local first
  for _, name in ipairs(names) do
    if given[name] and first then
      local later = given[name].at > given[first].at and given[name] or given[first]
      self:add("call", later, ("there are both %s and %s: %s"):format(first, name, what))
    end
    first = first or given[name] and name
  end
end

-- Whether a value is there whenever the script comes by; one of another kind may be nil.
local function is_certain(value)
  return KINDS[value.kind] or value.kind == "binary" and value.operator == ".."
end

local function has_any(set, names)
  for _, name in ipairs(names) do
    if set[name] then return true end
  end
  return false
end

-- One request has one method and at most one body. A key that is computed, or mistyped, may stand for any of them.
function checker:one_of_each(call)
  local known, given, certain, is_all = set_of(self.call_fields), {}, {}, true
  for _, field in ipairs(call.fields.fields) do
    local name = text_of(field.key)
    if not known[name] then is_all = false end
    if name then
      given[name] = field.key
      certain[name] = is_certain(field.value) and field.key or nil
    end
  end
  self:only_one(certain, VERBS, "one request has one method")
  self:only_one(certain, BODIES, "a request has one body")
  if is_all and not has_any(given, VERBS) and not given.url then
    self:add("call", call, "the call says no method with its path", HELD .. ': POST = "/contacts" belongs into it')
  end
  if is_all and certain.vars and not given.payload then
    self:add("call", given.vars, "vars go to a payload, and there is none")
  end
end

-- Complains of a name that the project does not have; `known` is a set, nil where nobody knows.
function checker:reference(value, what, known, where)
  local name = text_of(value)
  if not name or not known or known[name] then return end
  self:add(what, value, ("there is no %s %q"):format(what, name),
    where .. " does not have it: everybody would be held here", nearest.find(name, keys.sorted(known)))
end

function checker:fields(call)
  self:names(call.fields, "call_api", self.call_fields)
  for _, field in ipairs(call.fields.fields) do
    local name = text_of(field.key)
    if TAKES[name] then self:kind(field.value, name, TAKES[name]) end
    if IS_VERB[name] then self:path(field.value) end
  end
  local loose = nameless(call.fields)
  if loose then self:add("call", loose, "this stands in the call without a name", HELD .. ": via = …, POST = …") end
end

function checker:policy(node)
  if not text_of(node) or set_of(ON_FAILURE)[node.value] then return end
  self:add("value", node, ('on_failure is "drop", "continue" or "hold", not %q'):format(node.value), nil,
    nearest.find(node.value, ON_FAILURE))
end

-- A call that is none: its fields are missing, or do not stand where they are looked for.
function checker:missing_fields(call)
  local second = call.arguments[2]
  if second and second.kind == "table" then
    self:add("call", second, "the fields come in braces of their own behind the name", NOTHING_CALLED)
  elseif call.name and #call.arguments == 1 and is_call_of(call.node, "call_api") then
    self:add("call", call, ("call_api %q stands without its braces"):format(call.name), NOTHING_CALLED)
  end
end

function checker:call_api(call)
  if not call.fields then return self:missing_fields(call) end
  self:fields(call)
  self:one_of_each(call)
  self:reference(scope.field(call.fields, "via"), "connection", self.about.connections, "connections.lua")
  self:reference(scope.field(call.fields, "payload"), "payload", self.about.payloads, "payloads/")
  for _, name in ipairs { "within", "timeout" } do self:duration(scope.field(call.fields, name), name) end
  self:policy(scope.field(call.fields, "on_failure"))
end

---------------------------------------------------------------------------------------------- the other words

function checker:wait(call)
  self:duration(call.arguments[1], "wait")
end

function checker:wait_until(call)
  local first = call.arguments[1]
  if not first then return end
  if first.kind ~= "table" then return self:moment(first) end
  self:names(first, "wait_until", { "zone" })
  self:moment(nameless(first), scope.field(first, "zone"))
end

function checker:wait_for(call)
  local options = call.arguments[2] or call.fields
  if not options then return end
  self:kind(options, "wait_for's second argument", { "table" })
  if options.kind ~= "table" then return end
  self:names(options, "wait_for", { "where", "within" })
  self:duration(scope.field(options, "within"), "within")
end

function checker:split(call)
  if not call.fields then return end
  local loose, shares = nameless(call.fields), 0
  for _, field in ipairs(call.fields.fields) do
    self:kind(field.value, "a share", { "number" })
    shares = shares + (field.value.kind == "number" and field.value.value or 1)
  end
  if loose then
    self:add("value", loose, "this share has no name", HELD .. ': split "NAME" { a = 50, b = 50 }')
  elseif shares <= 0 then
    self:add("value", call.fields, "no branch has a share above 0")
  end
end

---------------------------------------------------------------------------------------------- what comes of a call

-- Whether a value is the response of a call_api "NAME" { … } or call_api { … }.
local function is_response(value)
  if value.kind ~= "invoke" then return false end
  if is_call_of(value, "call_api") then return value.arguments[1] and value.arguments[1].kind == "table" or false end
  return is_call_of(value.callee, "call_api") or false
end

-- The locals that hold a response and nothing else, as a set of variables.
local function responses(tree)
  local held = {}
  scope.walk(tree, function(node)
    for i, name in ipairs(node.kind == "local" and node.names or {}) do
      local value = node.values[i]
      if value and #name.variable.writes == 0 and is_response(value) then held[name.variable] = true end
    end
  end)
  return held
end

function checker:responses(tree)
  local held, known = responses(tree), set_of(sandbox.RESPONSE_FIELDS)
  scope.walk(tree, function(node)
    if node.kind ~= "index" or not node.dotted or not held[node.object.variable] or known[node.key.value] then return end
    self:add("field", node.key, ("a response has no field %s"):format(node.key.value), nil,
      nearest.find(node.key.value, sandbox.RESPONSE_FIELDS))
  end)
end

-- "Bearer " .. secret "X": a secret is no text.
function checker:secrets(tree)
  scope.walk(tree, function(node)
    if node.kind ~= "binary" or node.operator ~= ".." then return end
    for _, side in ipairs { node.left, node.right } do
      if is_call_of(side, "secret") then
        self:add("value", side, "a secret can't be put together with a text",
          HELD .. ': a connection\'s auth does it, as { bearer = secret "NAME" }')
      end
    end
  end)
end

---------------------------------------------------------------------------------------------- all

local WORDS = set_of { "call_api", "split", "wait", "wait_until", "wait_for" } -- each is checked by a method of its name

-- Checks what a script does with jaunt's words. Its tree's names have been resolved. `about`: see jaunt.check.scripts.
function calls.check(tree, about, source, found)
  local self = setmetatable({ source = source, found = found, about = about }, checker)
  self.call_fields = engine.call_fields()
  local seen = {}
  for _, call in ipairs(scope.calls(tree, WORDS)) do
    self[call.word](self, call)
    if ELEMENTS[call.word] and call.name then
      if seen[call.name] then
        self:add("twice", call, ("the element %q is in line %d, too"):format(call.name, seen[call.name]),
          "the funnel counts both as one, and a redrive can't tell them apart")
      end
      seen[call.name] = seen[call.name] or call.line
    end
  end
  self:responses(tree)
  self:secrets(tree)
end

return calls
