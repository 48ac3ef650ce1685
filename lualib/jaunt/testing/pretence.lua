-- How the pretend vendors answer in specs: as the project's vendor.lua says, unless a spec says otherwise.
--
-- The vendor reads a behaviour file that is written here. It stands in for the project's own and looks, with each
-- request, at a file of rules, which a spec may change at any time.

local engine = require "jaunt.native.engine"
local fs = require "jaunt.native.fs"
local json = require "json"
local keys = require "jaunt.base.keys"
local mistake = require("jaunt.testing.mistake").raise
local nearest = require "jaunt.base.nearest"
local project = require "jaunt.project"
local vendor = require "jaunt.native.vendor"

local pretence = {}

local BEHAVIOUR = [[
local rules_path, own_path, bases = %q, %q, json.decode(%q)
local own = own_path ~= "" and dofile(own_path) or {}
local read, rules, used = nil, {}, {}

local function look_again()
  local file = io.open(rules_path, "rb")
  local text = file and file:read("a") or "[]"
  if file then file:close() end
  if text ~= read then read, rules = text, json.decode(text) end
end

local function path_of(name, request)
  local base = bases[name] or ""
  return request.path:sub(1, #base) == base and request.path:sub(#base + 1) or request.path
end

-- The answer that the newest rule for this request has next; nil where none has.
local function ruled(name, request)
  look_again()
  for i = #rules, 1, -1 do
    local rule = rules[i]
    if rule.connection == name and (rule.method == "ANY" or rule.method == request.method)
      and path_of(name, request):find(rule.pattern) then
      used[rule.number] = (used[rule.number] or 0) + 1
      local answer = rule.answers[math.min(used[rule.number], #rule.answers)]
      if answer and not answer.as_usual then return answer end
    end
  end
end

local function wrapped(name, usual)
  return function(request)
    local answer = ruled(name, request)
    if not answer then return usual(request) end
    if answer.reset then return "reset" end
    local body = answer.body
    if body == json.null then body = nil end
    return answer.status, body, answer.headers, answer.takes
  end
end

local behaviour = {}
for name in pairs(bases) do behaviour[name] = {} end
for name, look in pairs(own) do
  behaviour[name] = behaviour[name] or {}
  for key, value in pairs(look) do behaviour[name][key] = type(value) == "function" and wrapped(name, value) or value end
end
for name, look in pairs(behaviour) do
  look["ANY /*"] = look["ANY /*"] or wrapped(name, function() end)
  look["ANY /"] = look["ANY /"] or wrapped(name, function() end)
end
return behaviour
]]

---------------------------------------------------------------------------------------------- rules

local rule = {}
rule.__index = rule

local function add(self, answer)
  if getmetatable(self) ~= rule then mistake('it is called with a colon: vendor "email":on "POST /send":reply(400)') end
  table.insert(self.rule.answers, answer)
  self.pretence:write()
  return self
end

-- The next request is answered so; the last answer of a rule stays. `takes` is a duration, such as "50ms".
function rule:reply(status, body, headers, takes)
  if math.type(status) ~= "integer" or status < 200 or status > 599 then
    mistake("reply takes a status from 200 to 599 and, if need be, a body, headers and how long it takes: reply(201, { id = 7 })")
  end
  if headers ~= nil and type(headers) ~= "table" then mistake("reply: headers are a table { [\"Retry-After\"] = \"2\" }") end
  local ms, why = engine.duration(takes or "0s")
  if not ms then mistake("reply: %s", why) end
  return add(self, { status = status, body = body == nil and json.null or body, headers = headers, takes = takes })
end

-- The next request's connection is cut off instead.
function rule:reset()
  return add(self, { reset = true })
end

-- 429 to so many requests, with Retry-After in seconds; then as usual.
function rule:storm(times, seconds)
  if math.type(times) ~= "integer" then
    mistake("storm takes how many requests are refused and, if need be, the seconds to wait: storm(3, 1)")
  end
  for _ = 1, times do self:reply(429, nil, { ["Retry-After"] = tostring(seconds or 1) }) end
  return self:as_usual()
end

-- The next request is answered as without the rule.
function rule:as_usual()
  return add(self, { as_usual = true })
end

local connection = {}
connection.__index = connection

-- "/people/:id/*" as a Lua pattern.
local function pattern_of(path)
  local pattern = path:gsub("[%^%$%(%)%%%.%[%]%+%-%?]", "%%%0"):gsub(":[%w_]+", "[^/]+"):gsub("%*", ".*")
  return "^" .. pattern .. "$"
end

-- What is to be said of the requests with this method and path, such as "POST /messages" (":id" is one segment, "*" the rest, "ANY"
-- any method). Returns the rule, for reply and the others above.
function connection:on(what)
  if getmetatable(self) ~= connection then mistake('on is called with a colon: vendor "email":on "POST /send"') end
  local method, path = tostring(what):match("^(%u+) (/%S*)$")
  if not method then mistake("on takes a method and a path, such as \"POST /messages\", not %q", tostring(what)) end
  local made = { number = self.pretence.count + 1, connection = self.name, what = what, method = method,
    pattern = pattern_of(path), answers = json.array {} }
  self.pretence.count = made.number
  table.insert(self.pretence.rules, made)
  return setmetatable({ pretence = self.pretence, rule = made }, rule)
end

---------------------------------------------------------------------------------------------- vendors

local methods = {}
methods.__index = methods

-- Puts the rules where the vendor looks for them, at once or not at all.
function methods:write()
  local path = self.folder .. ".rules"
  local file = assert(io.open(path .. ".new", "wb"))
  file:write(json.encode(self.rules))
  file:close()
  assert(os.rename(path .. ".new", path))
end

-- The pretend vendor of a connection.
function methods:connection(name)
  if not self.bases[name] then
    local known = keys.sorted(self.bases)
    mistake("connections.lua has no connection %q%s", tostring(name), nearest.hint(tostring(name), known))
  end
  return setmetatable({ pretence = self, name = name }, connection)
end

-- Takes all rules back: from now on they answer as without.
function methods:clear()
  self.rules = json.array {}
  self:write()
end

-- The rules as lines for a person to read.
function methods:described()
  local lines = {}
  for i, one in ipairs(self.rules) do
    local answers = {}
    for n, answer in ipairs(one.answers) do
      answers[n] = answer.reset and "reset" or answer.as_usual and "as usual" or tostring(answer.status)
    end
    lines[i] = ("%s %s: %s"):format(one.connection, one.what, table.concat(answers, ", "))
  end
  return lines
end

-- What came, in order: { connection =, method =, path = (behind the connection's base_url), body =, json = (where it is
-- JSON), accepted =, attempts = … }.
function methods:received()
  local items = json.decode(self.vendor:received(true)).items
  for _, item in ipairs(items) do
    local name, rest = item.path:match("^/([^/?]+)(.*)$")
    local base = self.bases[name] or ""
    if rest:sub(1, #base) == base then rest = rest:sub(#base + 1) end
    item.connection, item.path = name, rest
    local ok, value = pcall(json.decode, item.body or "")
    item.json = ok and value or nil
  end
  return items
end

function methods:url() return self.vendor:url() end

-- The file that makes another pretend vendor answer the same; nil while there is no rule.
function methods:behaviour() return #self.rules > 0 and self.folder or nil end

function methods:stop()
  self.vendor:stop()
  for _, ending in ipairs { "", ".rules", ".rules.new" } do os.remove(self.folder .. ending) end
end

-- Starts the pretend vendors of the project `found` (nil: of none); `list` are its connections. stop() ends them.
function pretence.start(found, list, seed)
  local self = setmetatable({ rules = json.array {}, count = 0, bases = {}, folder = os.tmpname() }, methods)
  for _, one in ipairs(list) do self.bases[one.name] = (one.base_url or ""):match("^%a+://[^/]*(/.-)/?$") or "" end
  local own = project.vendor_file(found)
  local file = assert(io.open(self.folder, "wb"))
  file:write(BEHAVIOUR:format(self.folder .. ".rules", own and fs.absolute(own) or "", json.encode(self.bases)))
  file:close()
  self:write()
  self.vendor = vendor.start { port = 0, seed = seed, behaviour = self.folder }
  return self
end

return pretence
