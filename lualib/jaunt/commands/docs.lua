-- jaunt docs: writes a journey's documentation, for those who send, those who receive, and those who decide.

local diagram = require "jaunt.docs.diagram"
local facts = require "jaunt.docs.facts"
local html = require "jaunt.docs.html"
local keys = require "jaunt.base.keys"
local markdown = require "jaunt.docs.markdown"
local mistakes = require "jaunt.base.mistakes"
local now_mono = require "jaunt.native.control".now_mono
local page = require "jaunt.docs.page"
local project = require "jaunt.project"
local selection = require "jaunt.state.selection"
local term = require "jaunt.base.term"
local times = require "jaunt.base.times"
local writing = require "jaunt.base.writing"

local TOLD_AFTER = 1000 -- milliseconds: then a person who waits is told what for

local function write(path, text)
  writing.file(path, text)
  print(path)
end

-- The journeys that are meant: a list of { path =, found = (its project), name = (of its file) }.
local function journeys(name)
  local list = {}
  if name then
    local path, found = project.script(name)
    if not found then mistakes.fail("%s is in no project: there is no connections.lua around it", path) end
    return { { path = path, found = found, name = path:match("([^/]+)%.lua$") } }
  end
  local found = project.need()
  local files = project.files(found, "journeys", { lua = true })
  for i, one in ipairs(keys.sorted(files)) do list[i] = { path = files[one].path, found = found, name = one } end
  if #list == 0 then mistakes.fail("%s has no journeys yet", project.path(found, "journeys")) end
  return list
end

-- Says on a terminal which walk of the samples is under way: a function of its number. The line is taken away when the other
-- result is closed.
local function walks_teller(name)
  local began = now_mono()
  local is_told = term.redraws(2)
  local function tell(number)
    if not is_told or now_mono() - began < TOLD_AFTER then return end
    io.stderr:write(("\r\27[K%s: the samples walk, try %d"):format(term.one_line(name), number))
    io.stderr:flush()
  end
  return tell, setmetatable({}, { __close = function()
    if is_told then io.stderr:write("\r\27[K") end
  end })
end

-- What is to be told of the journey.
local function facts_of(one, flags)
  local tell, line = walks_teller(one.name)
  local _ <close> = line
  return facts.gather(one.found, one.path, flags, tell)
end

local function document(one, flags)
  local made = facts_of(one, flags)
  local stamp = ("Written at %s %s."):format(times.short(os.time() * 1000), times.zone())
  local blocks = page.of(made, flags.stamp and stamp or nil)
  local folder = flags.out or project.path(one.found, "docs")
  local base = project.join(folder, one.name)
  local has_diagram = made.read.steps ~= nil
  if flags.format ~= "markdown" then
    write(base .. ".html", html.text(blocks, has_diagram and diagram.of(made, { links = true }) or nil))
  end
  if flags.format ~= "html" then
    write(base .. ".md", markdown.text(blocks, one.name .. ".svg"))
    if has_diagram then write(base .. ".svg", diagram.of(made, { alone = true }).text) end
  end
end

local function run(args, flags)
  if flags.state and not flags.report then mistakes.fail("--state is for --report: the numbers of a state") end
  for _, one in ipairs(journeys(args.journey)) do document(one, flags) end
  return 0
end

return {
  name = "docs",
  group = "write",
  summary = "Writes a journey's documentation: its diagram, each call's contract and a sample payload.",
  about = "It is found by reading the script and by walking the project's sample people through it in a rehearsal: nothing "
    .. "is sent. Secrets are shown as ‹secret NAME›. NAME.html is one file that needs nothing else; NAME.md has its diagram "
    .. "beside it, in NAME.svg. The same project gives the same files, so that they can be kept in version control.",
  arguments = {
    { name = "journey", optional = true,
      help = "a journey's name, or the path of its script; without it all of the project" },
  },
  flags = {
    { name = "out", value = "FOLDER", default_text = "docs/ in the project", help = "where the files go" },
    { name = "format", value = "FORMAT", choices = { "html", "markdown" }, default_text = "both",
      help = "html or markdown alone" },
    { name = "person", value = "ID", default_text = "the first sample", help = "whose data the sample payloads have" },
    { name = "people", value = "FILE", default_text = "the samples in people/", help = "people who walk through it: the first 20" },
    { name = "id", value = "COLUMN", default_text = "id", help = "the column of --people that holds the id" },
    { name = "report", help = "puts the numbers of a state in: how many came where, and why they left" },
    selection.STATE_FLAG,
    { name = "stamp", help = "says when it was written" },
  },
  examples = {
    { "jaunt docs", "all journeys of the project" },
    { "jaunt docs welcome --format html --out /tmp", "one page to be handed on" },
    { "jaunt docs welcome --report", "with the numbers so far" },
  },
  exit = { [0] = "it was written", [2] = "it could not be written" },
  run = run,
}
