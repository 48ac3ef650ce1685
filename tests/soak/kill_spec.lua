-- The long form of tests/faults/kill_spec.lua: as many kills as SOAK_KILLS says (10 by default, `make soak` sets 200).

local killing = require "killing"

it("kill -9 at random moments, again and again, loses nobody and calls nobody twice", function()
  local kills = tonumber(os.getenv "SOAK_KILLS" or "10")
  assert.is_true(killing.check(kills, 50 * kills) >= kills // 2)
end)
