-- The fault server, for specs: see tests/support/fault_server.h for what its paths do.

local control = require "jaunt.native.control"
local helper = require "helper"

local fault = {}

-- Starts it. Returns its ports by their names, ca (a file's path), url(path [, port name]), count(path) and stop().
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

  return server
end

return fault
