-- Large journeys of unusual but legal style, in which nothing is wrong: metatables, closures, goto, coroutines,
-- varargs, modules with globals, words of jaunt as locals. jaunt check finds nothing, and they run.

local helper = require "helper"

local FILES = {
  ["connections.lua"] = [[
return {
  crm = { base_url = "https://crm.example.com", auth = { bearer = secret "CRM" } },
  sms = { base_url = "https://sms.example.com" },
}
]],
  ["payloads/note.json"] = '{ "name": "{{ first_name }}", "n": {{ n | default: 0 }} }\n',
  ["people/samples.csv"] = "id,first_name,city,age\na,Ada,London,36\nb,Ben,Bern,7\n",
  ["lib/util.lua"] = [========[
-- a module with globals of its own
local M = {}
function clamp(n, low, high) return math.max(low, math.min(high, n)) end
LIMIT = 3
M.each = function(list, f, ...)
  for i = 1, select("#", ...) do f((select(i, ...))) end
  for _, v in ipairs(list) do f(v) end
end
M.class = setmetatable({}, { __call = function(self, t) return setmetatable(t, { __index = self }) end })
function M.class:name() return self.n end
return M
]========],
  ["journeys/one.lua"] = [========[
#!/usr/bin/env jaunt
local util <const> = require "lib.util"
local json = require "json"
local Stack = {}
Stack.__index = Stack
function Stack.new(...) return setmetatable({ n = select("#", ...), ... }, Stack) end
function Stack:push(v, ...) self.n = self.n + 1; self[self.n] = v; if ... then return self:push(...) end return self end
function Stack:pop() local v; v, self[self.n], self.n = self[self.n], nil, self.n - 1 return v end
Stack.__len = function(s) return s.n end
Stack.__close = function(s) while s.n > 0 do s:pop() end end
local text = [==[
call_api "not a call" { vai = "nothing" }
if x != y then ]] end
]==]
local fib; fib = function(n) return n < 2 and n or fib(n - 1) + fib(n - 2) end
local function send(name, fields)
  fields.via = fields.via or "crm"
  return call_api(name)(fields)
end
local verbs = { "POST", "PUT" }
local function request(verb, path, more)
  local fields = { [verb] = path, via = "sms" }
  for k, v in pairs(more or {}) do fields[k] = v end
  return call_api(fields)
end
local state = { count = 0 }
local definition <const> = {
  starts_on = { "signed_up", where = function(event) return event.plan ~= "none" end },
  goal = { "paid", where = function(event, own) return event.cart == own.cart end, within = "7d" },
  exit_on = { "unsubscribed", { "deleted", where = function() return true end } },
  reentry = "1d", control = "10%",
}
function definition.flow(person, event, carried)
  local stack <close> = Stack.new(1, 2, 3):push(4, 5)
  local a, b, c = 1, (function(...) return ... end)(2, 3)
  a, b = b, a
  local half, rest = a // 2, a % 2 ~ 3 & 0xFF | 1 << 2 >> 1
  if #stack > LIMIT then clamp(half, 0, rest) end
  state.count = state.count + 1
  for i = 10, 1, -1 do
    if i % 2 == 0 then goto continue end
    do local _ = i; if i == 3 then break end end
    ::continue::
  end
  local gen = coroutine.wrap(function(first) local x = first; while true do x = coroutine.yield(x * 2) or 0 end end)
  person.seen = (person.seen or 0) + 1
  gen(1); gen(2)
  local contact = send("contact", { POST = "/contacts", payload = "note", vars = { n = fib(5) } })
  local ok, res = pcall(request, verbs[1], "/x/" .. person.id, { json = { a = 1, text = text } })
  local r = call_api "raw" { via = "crm", method = "DELETE", url = "/x", success = { 200, "404" }, retry = { attempts = 3, base = "1s" }, timeout = { connect = "1s", total = 5 } }
  if r.ok and r.json and r.headers["x-y"] or r.truncated then log(r.status, { ms = r.ms }) end
  local late = wait_for { "order_placed", within = "2h", where = function(e) return e.id == person.id end }
  if not late then
    local how = split "copy" { plain = 1, funny = 0, ["very funny"] = 2.5 }
    local texts = { plain = "a", funny = "b", ["very funny"] = "c" }
    local _ = texts[how]; wait_until { "09:00", zone = person.zone or "Europe/Berlin" }
    wait_until(now() + 3600) wait(90) wait "1h30m"
  elseif late.total and late.total // 1 > 5 then return exit "rich"
  else
    ;(function() wait "1s" end)()
  end
  repeat local done = util.class { n = 1 }:name() == 1; wait "1m" until done
  while true do
    local more <const> = wait_for("more", { within = "1d" })
    if more == nil then break end
    if more.stop then drop(more.reason or "stopped") end
  end
  local r2
  r2 = call_api "later" { via = "crm", GET = ("/contacts/%s"):format(person.id), query = { a = { 1, 2 }, [1 .. ""] = "x" }, on_failure = "continue" }
  r2 = r2.ok and r2 or { ok = false }
  if not r2.ok then return restart_with { round = (carried and carried.round or 0) + 1, json = json.null } end
  util.each({ "x" }, function(v) log(v or "-") end, "y", nil, "z")
  print(#json.encode { list = json.array {}, [true and "k" or "l"] = 1 } > 0 and "é" or 'ü', "\u{1F600}\z
    joined", 0x.8p1, 1e-3, 3 // 2.0, ~5, -2 ^ 2, not not nil, "a" .. 1 .. 2)
  do return end
end
return journey "one" (definition)
]========],
  ["journeys/two.lua"] = [========[
-- a table-driven journey
local steps = {
  { "hello", function(p) return { via = "crm", POST = "/hello", json = { to = p.first_name } } end },
  { "again", function(p) return { via = "sms", POST = "/again", form = { to = p.city }, only_if = function(person) return person.city ~= nil end } end, wait = "1d" },
}
local handlers = setmetatable({}, { __index = function(t, k) local f = function(...) return k, ... end; rawset(t, k, f); return f end })
local memo, hits = {}, 0
local function remember(key, make)
  local known = memo[key]
  if known == nil then known = make(key); memo[key] = known end
  return known
end
local age_of = function(person) return math.tointeger(tonumber(person.age)) or 0 end
return journey "two" {
  per = "order_id",
  flow = function(person, event)
    local total, _ENV_copy = 0, nil
    for i, step in ipairs(steps) do
      local name, make = step[1], step[2]; local r = call_api(name)(make(person)); if r.failed then exit(r.error) end; if step.wait then wait(step.wait) end; total = total + (r.attempts or 0)
      handlers[name](i)
    end
    local adult = age_of(person) >= 18
    local kind = adult and "adult" or "child"
    if kind == "adult" then
      call_api { via = "crm", PUT = "/adults/{{ person.id }}", json = { id = person.id, kind = kind }, idempotent = false, save_to = "a/b.txt", keep_body = "1MB", redirects = 3, within = 60 }
    else
      call_api { via = "crm", PATCH = "https://crm.example.com/children", body = [[raw]], headers = { ["X-K"] = 5, Authorization = secret "OTHER" }, success = function(response) return response.status < 500 end }
    end
    local last = remember(kind, function(k) return k:upper() .. k:rep(2, "-") end)
    local ok, err = xpcall(function() error({ code = 5 }) end, function(e) return type(e) == "table" and e.code or e end)
    local copy = table.move({ 1, 2, 3 }, 1, 3, 2, {})
    table.sort(copy, function(x, y) return (x or 0) > (y or 0) end)
    if os.time() - now() > 1e9 or utf8.len(last) ~= #last then drop "impossible" end
    for k, v in next, { a = 1 } do person[k] = v end
    for w in ("a b"):gmatch "%a" do log(w) end
    local n <const>, m <const> = select("#", ok, err, table.unpack(copy)), _G.LIMIT
    if (n or m) then end
    return total
  end,
}
]========],
  ["journeys/three.lua"] = [========[
local M = { VERSION = "1.2.3" }
local function curry(f, ...) local bound, n = { ... }, select("#", ...); return function(...) local all = table.pack(table.unpack(bound, 1, n)); for i = 1, select("#", ...) do all[n + i] = (select(i, ...)) end; return f(table.unpack(all, 1, n + select("#", ...))) end end
local post = function(path) return function(json) return call_api("post " .. path) { via = "crm", POST = path, json = json } end end
local wait, call = wait, call_api        -- localised words
local person                             -- a local that has a word's name
local function loop(n)
  ::top::
  if n > 0 then
    n = n - 1
    wait "1h"
    goto top
  end
end
local function forever(person)
  while true do
    if person.done then return "done" end
    loop(1)
    person.done = true
  end
end
local function never_called() while true do coroutine.yield() end end
M.flow = function(p, event, ...)
  person = p
  local extra = ...
  local split = function(text, by) local out = {}; for w in text:gmatch("[^" .. by .. "]+") do out[#out + 1] = w end return out end
  for _, w in ipairs(split("a,b", ",")) do post("/" .. w) { w = w } end
  local res = call("named") { via = "sms", GET = "/x?q=1&r=2", retry = false }
  local res2 = call "other" { via = "sms", OPTIONS = "/" }
  if res.status == 204 and res2.failed then exit() end
  local t = { f = function(self, x) return x end, [1] = 1, ["end"] = 2; 3 }
  t:f(t["end"]); t.f(t, t[1]);
  (t.f)(t)
  forever(p)
  if event.meta and event.meta.name == "x" then drop() end
  local yes = curry(function(a, b) return a and b end, true)
  if yes(false) then error("can't be") end
  if 1 == 1 then return end
  never_called()
end
return journey("three")(M.flow and { flow = M.flow })
]========],
}

describe("journeys of unusual style", function()
  local folder
  setup(function()
    folder = helper.temp_folder()
    for name, text in pairs(FILES) do helper.write_file(folder .. "/" .. name, text) end
  end)

  it("have no findings", function()
    local result = helper.sh(("cd %s && %s"):format(helper.quote(folder), helper.jaunt_words("check")))
    assert.equal("nothing found\n", result.out .. result.err)
  end)

  for _, journey in ipairs { "one", "two", "three" } do
    it("run: " .. journey, function()
      local result = helper.sh(("cd %s && %s"):format(helper.quote(folder), helper.jaunt_words("run", journey,
        "--people", "people/samples.csv")))
      assert.equal(0, result.code, result.err)
      assert.matches("2 entered = 0 running + 0 queued + 0 waiting + 0 held", result.out, 1, true)
    end)
  end
end)
