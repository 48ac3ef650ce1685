-- busted within this process: its core, loaders and output, without its command line, which would end the process.

local busted_run = {}

-- Counts how tests end, and what fails outside of a test: a file that can't be loaded, a setup. `finish` is called behind each
-- test. Returns { success =, pending =, failure =, error = }, which grows.
function busted_run.count(busted, finish)
  local counts = { success = 0, pending = 0, failure = 0, error = 0 }
  busted.subscribe({ "test", "end" }, function(_, _, status)
    counts[status] = counts[status] + 1
    if finish then finish() end
    return nil, true
  end)
  for _, event in ipairs { "error", "failure" } do
    busted.subscribe({ event }, function(element)
      if element.descriptor ~= "it" then counts.error = counts.error + 1 end
      return nil, true
    end)
  end
  return counts
end

-- Runs spec files. options: handler (busted's name of an output), verbose, filter (a text that names of tests hold).
function busted_run.run(busted, files, options)
  require "busted.modules.output_handler_loader"()(busted, options.handler, {
    defaultOutput = options.handler, verbose = options.verbose, language = "en", suppressPending = false, deferPrint = false,
    arguments = {},
  })
  if options.filter then
    require "busted.modules.filter_loader"()(busted, {
      filter = { (options.filter:gsub("%p", "%%%0")) }, filterOut = {}, tags = {}, excludeTags = {}, name = {}, excludeNames = {},
    })
  end
  require "busted.modules.test_file_loader"(busted, { "lua" })(files, {}, { excludes = {}, recursive = false })
  require "busted.execute"(busted)(1, {})
  busted.publish({ "exit" })
end

return busted_run
