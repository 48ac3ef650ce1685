-- The long form of tests/faults/kill_spec.lua: as many kills as SOAK_KILLS says (20 by default, `make soak` sets 200).

local killing = require "killing"

it("kill -9 at random moments, again and again, loses nobody and calls nobody twice", function()
  killing.check(tonumber(os.getenv("SOAK_KILLS") or "20"), 2000)
end)
