-- Runs busted on the files it is given, within the host: busted's own core, loaders and output, without its command
-- line, which would end the process.
--
-- JAUNT_SPEC_GC=1 makes the collector work without a pause, to find what was not anchored.

local runner = {}

local ALL_SKIPPED = 77 -- what ctest takes for "skipped"

local function count_results(busted)
  local counts = { success = 0, pending = 0, failure = 0, error = 0 }
  busted.subscribe({ "test", "end" }, function(_, _, status)
    counts[status] = counts[status] + 1
    return nil, true
  end)
  -- what fails outside a test (a file that does not load, a setup) ends no test
  for _, event in ipairs { "error", "failure" } do
    busted.subscribe({ event }, function(element)
      if element.descriptor ~= "it" then counts.error = counts.error + 1 end
      return nil, true
    end)
  end
  return counts
end

local function load_and_run(busted, files)
  local load_output = require "busted.modules.output_handler_loader"()
  load_output(busted, "plainTerminal", {
    defaultOutput = "plainTerminal", verbose = true, language = "en", suppressPending = false,
    deferPrint = false, arguments = {},
  })
  local load_files = require "busted.modules.test_file_loader"(busted, { "lua" })
  load_files(files, {}, { excludes = {}, recursive = false })
  require "busted.execute"(busted)(1, {})
  busted.publish({ "exit" })
end

-- Runs the spec files; returns the exit code.
function runner.main(files)
  if os.getenv("JAUNT_SPEC_GC") == "1" then collectgarbage("setpause", 0) end
  local helper = require "helper" -- loaded here, for what a spec file loads is its own: it would not be cleaned up
  local busted = require "busted.core"()
  require "busted"(busted)
  local counts = count_results(busted)
  load_and_run(busted, files)
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
