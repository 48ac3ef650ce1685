-- kill -9 at random moments, over one audience: nobody is lost, nobody is called twice. The long form is in tests/soak/.

local killing = require "killing"

it("kill -9 at random moments loses nobody and calls nobody twice", function()
  assert.is_true(killing.check(15, 500) >= 10)
end)
