-- The manual page jaunt(1), in the man macros of groff and mandoc, from what commands declare of themselves: jaunt help
-- --man.

local help = require "jaunt.cli.help"
local host = require "jaunt.native.host"

local manual = {}

local ABOUT = {
  "jaunt runs customer journeys written as Lua scripts, once for every person, thousands at a time. A journey calls "
    .. "outside systems, and the answers decide who goes on and who is dropped. Unless told otherwise a run is a "
    .. "rehearsal: pretend vendors on this machine, and waits that take no time.",
  "jaunt new FOLDER makes a project to begin with.",
}

local FILES = {
  { "connections.lua", "the outside systems; the folder that it is in is a project" },
  { "journeys/, payloads/, people/, spec/", "of a project: scripts, templates, samples, tests" },
  { "secrets.env", "of a project: NAME=VALUE lines, readable by you alone" },
  { "jaunt.db", "of a project: the state of its live runs" },
  { "settings.lua", "of a project, or in ~/.config/jaunt/: settings of whoever types" },
}

local ENVIRONMENT = {
  { "NO_COLOR", "set to anything: no colours" },
  { "VISUAL, EDITOR", "what .edit at the prompt opens" },
  { "XDG_CONFIG_HOME", "where jaunt/settings.lua is, instead of ~/.config" },
  { "XDG_STATE_HOME", "where the prompt's history is, instead of ~/.local/state" },
  { "JAUNT_TRACE", "1: shows where an error inside jaunt came from" },
  { "JAUNT_LUALIB", "a folder whose Lua modules stand before those within jaunt" },
}

-- How characters are written that roff would make something else of: typed text is to be copied from the page.
local WRITTEN = { ["\\"] = "\\e", ["-"] = "\\-", ["'"] = "\\(aq", ["`"] = "\\(ga", ["^"] = "\\(ha", ["~"] = "\\(ti" }

-- A text of one line as it is shown; not every terminal has an ellipsis.
local function plain(text)
  return (text:gsub("[\\%-'`^~]", WRITTEN):gsub("…", "..."):gsub("^%.", "\\&."))
end

local function bold(text) return "\\fB" .. plain(text) .. "\\fR" end

-- Adds the lines of a heading: .SH or .SS.
local function heading(page, macro, title)
  page[#page + 1] = ('%s "%s"'):format(macro, plain(title):gsub('"', "\\(dq"))
end

local function paragraphs(page, list)
  for i, text in ipairs(list) do
    if i > 1 then page[#page + 1] = ".PP" end
    page[#page + 1] = plain(text)
  end
end

-- Rows of { name, text }, each name above its text.
local function rows(page, list)
  for _, row in ipairs(list) do
    page[#page + 1] = ".TP"
    page[#page + 1] = bold(row[1])
    page[#page + 1] = plain(row[2] or "")
  end
end

local function titled_rows(page, title, list)
  if #list == 0 then return end
  page[#page + 1] = ".PP"
  page[#page + 1] = plain(title)
  rows(page, list)
end

local function examples(page, list)
  if #list == 0 then return end
  page[#page + 1] = ".PP"
  page[#page + 1] = "Examples:"
  for _, example in ipairs(list) do
    page[#page + 1] = ".PP"
    page[#page + 1] = ".nf"
    page[#page + 1] = ".RS"
    if example[2] then page[#page + 1] = plain("# " .. example[2]) end
    page[#page + 1] = bold(example[1])
    page[#page + 1] = ".RE"
    page[#page + 1] = ".fi"
  end
end

local function add_command(page, command)
  local told = help.description(command)
  heading(page, ".SS", told.usage)
  paragraphs(page, told.paragraphs)
  titled_rows(page, "Arguments:", told.arguments)
  titled_rows(page, "Flags:", told.flags)
  titled_rows(page, "Exit codes:", told.exit)
  examples(page, told.examples)
end

-- The day that the page is of: today, or what builds that are to be the same twice say.
local function day()
  return os.date("!%Y-%m-%d", math.tointeger(tonumber(os.getenv("SOURCE_DATE_EPOCH") or "")))
end

-- The page, as one text. `groups`: { { title =, commands = { … } }, … }.
function manual.page(groups)
  local page = { ('.TH JAUNT 1 "%s" "jaunt %s" "User commands"'):format(day(), host.versions().jaunt), ".ad l" }
  heading(page, ".SH", "NAME")
  page[#page + 1] = "jaunt \\- runs customer journeys written in Lua"
  heading(page, ".SH", "SYNOPSIS")
  page[#page + 1] = "\\fBjaunt\\fR \\fICOMMAND\\fR [\\fIARGUMENTS\\fR] [\\fB\\-\\-FLAGS\\fR]"
  heading(page, ".SH", "DESCRIPTION")
  paragraphs(page, ABOUT)
  for _, group in ipairs(groups) do
    heading(page, ".SH", group.title:upper())
    for _, command in ipairs(group.commands) do add_command(page, command) end
  end
  heading(page, ".SH", "FILES")
  rows(page, FILES)
  heading(page, ".SH", "ENVIRONMENT")
  rows(page, ENVIRONMENT)
  return table.concat(page, "\n") .. "\n"
end

return manual
