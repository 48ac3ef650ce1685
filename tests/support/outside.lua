-- An outside system for specs: a pretend vendor in the spec's own process, whose paths do what their names say.
--
--   /NAME/echo                what came: { method, path, query, headers, body, json, form, key, attempt }
--   /NAME/status/N            status N, with the body "status N"
--   /NAME/each/N,M,…          the statuses one after the other, for each key (or, without one, for the path); the last again
--   /NAME/later/AFTER         429 with Retry-After: AFTER (or "date-N": N seconds from now as a date), then 200
--   /NAME/say                 ?status=, ?type=, ?body=, and all else in the query as headers
--   /slow/echo                what came, after a second
--   /stuck/echo               likewise, after ten minutes
--   /_told                    of every request since /_forget: { method, path, query, headers, body, key }, in order

local helper = require "helper"
local json = require "json"
local scripts = require "scripts"
local vendor = require "jaunt.native.vendor"

local outside = {}

-- The vendor.lua of a project whose rehearsals have the same outside system; its connections' names are any, crm, shop,
-- slow and stuck.

outside.behaviour = [[
local NAMES = { "any", "crm", "shop" }
local told, seen = {}, {}

local function tell(request)
  told[#told + 1] = { method = request.method, path = request.path, query = request.query, headers = request.headers,
    body = request.body, key = request.key, json = request.json, form = request.form, attempt = request.attempt }
  return told[#told]
end

local behaviour = {}

local function answers(name)
  return {
    ["ANY /echo"] = function(request) return 200, tell(request) end,
    ["ANY /status/:n"] = function(request)
      tell(request)
      return tonumber(request.params.n), "status " .. request.params.n
    end,
    ["ANY /each/:list"] = function(request)
      tell(request)
      local who = request.key or name .. request.path
      seen[who] = (seen[who] or 0) + 1
      local list = {}
      for status in request.params.list:gmatch("%d+") do list[#list + 1] = tonumber(status) end
      return list[math.min(seen[who], #list)], "attempt " .. seen[who]
    end,
    ["ANY /later/:after"] = function(request)
      tell(request)
      if request.attempt > 1 then return 200 end
      local after = request.params.after
      local seconds = after:match("^date%-(%d+)$")
      if seconds then after = os.date("!%a, %d %b %Y %H:%M:%S GMT", os.time() + tonumber(seconds)) end
      return 429, nil, { ["Retry-After"] = after }
    end,
    ["ANY /say"] = function(request)
      tell(request)
      local headers = {}
      for field, value in pairs(request.query) do
        if field ~= "status" and field ~= "body" and field ~= "type" then headers[field] = value end
      end
      headers["Content-Type"] = request.query.type
      return tonumber(request.query.status or 200), request.query.body, headers
    end,
  }
end

for _, name in ipairs(NAMES) do behaviour[name] = answers(name) end
behaviour.told = {
  ["GET /all"] = function() return 200, json.array(told) end,
  ["POST /forget"] = function() told, seen = {}, {} end,
}
behaviour.slow = { latency = "1s", ["ANY /echo"] = behaviour.any["ANY /echo"] }
behaviour.stuck = { latency = "10m", ["ANY /echo"] = behaviour.any["ANY /echo"] }
return behaviour
]]

-- Starts it; `stop` ends it. url(path) is where a path is, told() what came, forget() begins anew.
function outside.start()
  local file = helper.write_file(helper.temp_folder() .. "/vendor.lua", outside.behaviour)
  local running = vendor.start { behaviour = file }
  local self = {}

  function self.url(path)
    return running:url() .. (path or "")
  end

  local function ask(method, path)
    return scripts.output(("print(call_api { %s = %q, idempotent = false }.body)"):format(method, self.url(path)))
  end

  function self.told()
    return json.decode(ask("GET", "/told/all"))
  end

  function self.forget()
    ask("POST", "/told/forget")
  end

  function self.stop()
    running:stop()
  end

  return self
end

return outside
