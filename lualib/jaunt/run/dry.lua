-- --dry-run: what would be sent, shown request by request.

local json = require "json"
local keys = require "jaunt.base.keys"
local term = require "jaunt.base.term"

local dry = {}

local function body_lines(body, headers)
  local kind = headers["Content-Type"] or ""
  if kind:find("json", 1, true) then
    local ok, value = pcall(json.decode, body)
    if ok then body = json.encode(value, { indent = 2 }) end
  end
  local lines = {}
  for line in (term.harmless(body) .. "\n"):gmatch("(.-)\n") do lines[#lines + 1] = "    " .. line end
  return lines
end

-- The text of one trace (the JSON that describes a call).
function dry.describe(trace, paint)
  local call = json.decode(trace)
  local lines = { ("%s  %s"):format(paint.bold(term.harmless(call.person)), paint.cyan(term.harmless(call.element))) }
  lines[#lines + 1] = ("  %s %s"):format(call.method, term.harmless(call.url))
  for _, name in ipairs(keys.sorted(call.headers)) do
    lines[#lines + 1] = ("  %s: %s"):format(name, term.harmless(call.headers[name]))
  end
  for _, line in ipairs(call.body and body_lines(call.body, call.headers) or {}) do lines[#lines + 1] = line end
  return table.concat(lines, "\n") .. "\n"
end

return dry
