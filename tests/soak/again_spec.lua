-- Tests of faults whose moment is chance: again and again, as often as SOAK_TIMES says (`make soak` sets 5; without it
-- they are only looked for, since `make test` runs each of them once). Those of the store go on with other dice each
-- time.

local fs = require "jaunt.native.fs"
local helper = require "helper"

local SPECS = { "names", "changed_payload", "durable", "disk" }
local PROGRAMS = { "store_crash", "store_calls", "store_power", "store_failing", "store_full", "store_sweep" }

local times = tonumber(os.getenv "SOAK_TIMES" or "0")

for _, name in ipairs(SPECS) do
  local spec = assert(loadfile(("tests/faults/%s_spec.lua"):format(name), "t", _ENV))
  for i = 1, times do describe(("%s, time %d:"):format(name, i), spec) end
end

for _, name in ipairs(PROGRAMS) do
  it(("unit/%s, %d times as long"):format(name, times), function()
    local program = os.getenv "JAUNT_BUILD" .. "/tests/unit_" .. name
    assert.equal("file", fs.kind("tests/unit/" .. name .. ".c"))
    if times == 0 then return pending "SOAK_TIMES is not set" end
    local result = helper.sh(("SOAK_TIMES=%d %s"):format(times, helper.quote(program)))
    print(result.out)
    assert.equal(0, result.code, result.err)
  end)
end
