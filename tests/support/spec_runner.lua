-- Runs busted on the files it is given, within the host.
--
-- JAUNT_SPEC_GC=1 makes the collector work without a pause, to find what was not anchored.

local runner = {}

local ALL_SKIPPED = 77 -- what ctest takes for "skipped"

-- Runs the spec files; returns the exit code.
function runner.main(files)
  if os.getenv("JAUNT_SPEC_GC") == "1" then collectgarbage("setpause", 0) end
  local helper = require "helper" -- loaded here, for what a spec file loads is its own: it would not be cleaned up
  local busted_run = require "jaunt.testing.busted"
  local busted = require "busted.core"()
  require "busted"(busted)
  local counts = busted_run.count(busted)
  busted_run.run(busted, files, { handler = "plainTerminal", verbose = true })
  helper.clean_up()
  if counts.failure + counts.error > 0 then return 1 end
  if counts.success == 0 then
    if counts.pending > 0 then return ALL_SKIPPED end
    print("There is no test in these files.")
    return 1
  end
  return 0
end

return runner
