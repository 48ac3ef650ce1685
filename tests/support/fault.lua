-- The fault server, for specs: see tests/support/fault_server.h for what its paths do.

local control = require "jaunt.native.control"
local helper = require "helper"
local scripts = require "scripts"

local fault = {}

-- Starts it. Returns its ports by their names, ca (a file's path), url(path [, port name]), ask(path), which gives the
-- body, count(path), how many requests for it came so far, and stop().
function fault.start()
  local build = assert(os.getenv("JAUNT_BUILD"), "JAUNT_BUILD has to name the build folder")
  local process = helper.start(helper.quote(build .. "/tests/fault_server"))
  local server = { stop = process.stop }
  for _ = 1, 6000 do
    if helper.read_file(process.out):find("ready\n$") then break end
    control.sleep(5)
  end
  for line in io.lines(process.out) do
    local name, value = line:match("^(%S+) (.+)$")
    if name then server[name] = tonumber(value) or value end
  end
  assert(server.ca, "the fault server did not start: " .. helper.read_file(process.err))

  function server.url(path, port)
    return ("%s://127.0.0.1:%d%s"):format((port or "http"):find("^http_?t?o?o?$") and "http"
      or port == "refused" and "http" or "https", server[port or "http"], path)
  end

  function server.ask(path)
    return scripts.output(("print(call_api { GET = %q }.body)"):format(server.url(path)))
  end

  function server.count(path)
    for line in server.ask("/counts"):gmatch("[^\n]+") do
      local found, count = line:match("^(%S+) (%d+)$")
      if found == path then return tonumber(count) end
    end
    return 0
  end

  return server
end

return fault
