-- The largest body that can be sent goes out whole, and memory holds it about once beside the script's own text.

local fault = require "fault"
local helper = require "helper"
local scripts = require "scripts"

local LIMITS = "run_memory=400MiB worker_memory=1GiB text=200MiB slice_time=1m"

describe("a body of 100 MiB", function()
  local server

  setup(function() server = fault.start() end)
  teardown(function() server.stop() end)

  it("is sent whole, and held about once more than the script holds it", function()
    local folder = scripts.folder { ["big.lua"] = ([[
      local r = call_api { POST = %q, body = ("0123456789abcdef"):rep(100 * 65536), timeout = "5m" }
      print(r.body:match("(%%d+ %%x+)$"))]]):format(server.url("/echo")) }
    local timed = helper.sh(("%s >%s/out & pid=$!; most=0; while kill -0 $pid 2>/dev/null; do "
      .. "now=$(sed -n 's/^VmHWM:[^0-9]*\\([0-9]*\\) kB$/\\1/p' /proc/$pid/status 2>/dev/null); "
      .. "[ \"${now:-0}\" -gt $most ] && most=$now; sleep 0.02; done; wait $pid; echo $? $most"):format(
        helper.jaunt_words("run", "--private-network", "--limits", LIMITS, folder .. "/big.lua"), folder))
    local code, most = timed.out:match("(%d+) (%d+)")
    assert.equal("0", code, timed.err)
    assert.equal("104857600 4d60c050\n", helper.read_file(folder .. "/out"))
    local bound = (helper.is_sanitized() and 1200 or 400) * 1024 -- KiB; sanitizers have copies of their own
    assert.is_true(tonumber(most) < bound, most)
  end)

  it("is the most: one byte more holds the run, and nothing is sent", function()
    local result = scripts.run(([[call_api "note" { POST = %q, body = ("x"):rep((100 << 20) + 1) }]]):format(server.url("/echo/more")),
      { flags = { "--limits", LIMITS } })
    assert.equal(1, result.code)
    assert.equal('jaunt: "note": the body has 104857601 bytes; at most 104857600 can be sent\n', result.err)
    assert.equal(0, server.count "/echo/more")
  end)
end)
