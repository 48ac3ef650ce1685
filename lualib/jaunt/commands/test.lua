-- jaunt test: the project's specs, in this process, by busted; with pretend vendors and a clock that specs move.

local assertions = require "jaunt.testing.assertions"
local busted_run = require "jaunt.testing.busted"
local coverage = require "jaunt.testing.coverage"
local existing = require "jaunt.base.existing"
local figures = require "jaunt.base.figures"
local fs = require "jaunt.native.fs"
local mistakes = require "jaunt.base.mistakes"
local project = require "jaunt.project"
local term = require "jaunt.base.term"
local words = require "jaunt.testing.words"

local function load_busted()
  local ok, core = pcall(require, "busted.core")
  if not ok then mistakes.fail("jaunt test needs busted, which is not installed: apt-get install lua-busted") end
  return core()
end

local SPEC = "_spec%.lua$"

local function specs_of(found, named)
  if #named == 0 then
    local folder = project.path(found, "spec")
    local list = project.files_below(folder, SPEC, {})
    if #list == 0 then mistakes.fail("there are no specs: write %s", project.join(folder, "NAME_spec.lua")) end
    return list
  end
  local list = {}
  for _, path in ipairs(named) do
    if fs.kind(path) == "dir" then project.files_below(path, SPEC, list) else list[#list + 1] = existing.file(path, "spec") end
  end
  return list
end

local function run_specs(busted, files, flags)
  local handler = term.isatty(1) and not os.getenv("NO_COLOR") and "utfTerminal" or "plainTerminal"
  busted_run.run(busted, files, { handler = handler, verbose = flags.verbose, filter = flags.filter })
end

local function print_coverage(told)
  local paint = term.paint()
  for _, one in ipairs(told) do
    local reached = one.elements
    local missing = {}
    for _, miss in ipairs(one.missed) do
      if miss.what:sub(1, 1) == '"' then reached = reached - 1 end
      missing[#missing + 1] = ("  %s:%d: %s"):format(one.path, miss.line, miss.what)
    end
    print(("%s: %d of %s reached%s"):format(one.journey, reached, figures.of(one.elements, "element", "elements"),
      #missing > 0 and ", no test came to" or ""))
    for _, line in ipairs(missing) do print(paint.yellow(line)) end
  end
end

local function run(args, flags)
  local busted = load_busted()
  local found = project.need(flags.project)
  local files = specs_of(found, args.specs)
  require "busted"(busted)
  local settings = { folder = project.path(found, "spec"), update = flags.update, taken = 0 }
  local covered = coverage.new()
  local world, finish = words.install(_G, flags.project)
  local counts = busted_run.count(busted, function()
    finish(function(journey, gathered, reader) covered:add(journey, gathered, reader) end)
  end)
  assertions.install(world, settings)
  run_specs(busted, files, flags)
  finish()
  if settings.taken > 0 then
    print(figures.of(settings.taken, "snapshot") .. " taken: look at them, they are what the next run expects")
  end
  if not flags.no_coverage then print_coverage(covered:told()) end
  if counts.failure + counts.error > 0 then return 1 end
  if counts.success == 0 and counts.pending == 0 then
    mistakes.fail(flags.filter and "no test's name holds %q" or "there is no test in these specs", flags.filter)
  end
end

return {
  name = "test",
  group = "write",
  summary = "Runs the project's specs, with pretend vendors and a clock of their own.",
  about = "Specs are busted's, in spec/NAME_spec.lua. Besides what busted has they know enter, happens, clock, vendor, sent, "
    .. "starts_at and crash_everywhere, and assert.went_through, dropped_at, held_at, completed, exited, is_waiting_at, "
    .. "waits_until, received and matches_snapshot. Each test has a world of its own; a journey of thirty days takes milliseconds.\n\n"
    .. "At the end stands which elements of the journeys, and which branches of their splits, no test came to.",
  usage = "[SPECS] [--FLAGS]",
  arguments = { { name = "specs", help = "files or folders; the project's spec/ without", optional = true, many = true } },
  flags = {
    { name = "filter", value = "TEXT", help = "only tests whose name holds this text" },
    { name = "update", help = "takes snapshots as they are now" },
    { name = "no-coverage", help = "does not tell what no test came to" },
    { name = "project", value = "FOLDER", default_text = "around where one stands", help = "the project" },
    { name = "verbose", help = "with tracebacks of what failed" },
  },
  examples = { "jaunt test", { "jaunt test scripts/spec/welcome_spec.lua --filter e-mail", "some of them" } },
  exit = { [0] = "all passed", [1] = "something failed", [2] = "it could not run" },
  run = run,
}
