-- The command line: finds the command, and runs it with its arguments and flags.
--
-- A command is a module lualib/jaunt/commands/NAME.lua that returns
--
--   { name = "run", group = "run",          -- write, run, look or repair; without one, help does not list it
--     summary = "Sends people through a journey.",
--     about = "…",                          -- optional: more, shown by --help
--     usage = "JOURNEY --people FILE",      -- optional: made from the next two without it
--     arguments = { { name = "journey", help = "…", optional = true, many = true } },  -- many: the last one only
--     flags = { { name = "in-flight", value = "N", kind = "integer", default = 1000, min = 1, help = "…" } },
--     examples = { "jaunt run welcome", { "jaunt run welcome --live", "the real thing" } },
--     exit = { [0] = "all went on", [2] = "could not run" },
--     run = function(args, flags) … return code end }   -- in a coroutine: native functions may wait
--
-- args has the arguments by name (a list where `many`); flags by name, with "_" for "-": flags.in_flight.
-- A flag that is not given has its default, or nil (false where it takes no value). Given twice, the last counts.
-- Kinds of values: string (default where there is a `value`), integer, number, percent ("2%" gives 0.02),
-- duration ("250ms", "10s", "5m", "2h", "7d", "1h30m"; gives milliseconds) and flag (takes none). `min` and
-- `max` bound numbers, `choices` lists the texts that are taken, also by an argument.
--
-- Completion (jaunt.cli.completion) knows by an argument's name, or by a flag's value, what may stand there. Where these do not
-- say it, `holds` does ("call", { "journey", "file" }); `suggests` lists texts that may stand there among others, and
-- `list` says that several do, with commas.
--
-- A mistake of the person's is raised with mistakes.fail: "jaunt: message" on standard error, exit code 2.

local arguments = require "jaunt.cli.arguments"
local fs = require "jaunt.native.fs"
local help = require "jaunt.cli.help"
local host = require "jaunt.native.host"
local keys = require "jaunt.base.keys"
local mistakes = require "jaunt.base.mistakes"
local nearest = require "jaunt.base.nearest"
local term = require "jaunt.base.term"

local cli = {}

-- The names of all commands, sorted.
function cli.commands()
  return keys.sorted(host.modules("jaunt.commands"))
end

-- The command of that name; fails with the nearest right name where there is none.
function cli.command(name)
  local names = cli.commands()
  for _, known in ipairs(names) do
    if known == name then return require("jaunt.commands." .. name) end
  end
  local hint = nearest.hint(name, names)
  mistakes.fail("no such command: %s%s", name, hint ~= "" and hint or "; jaunt help lists them")
end

-- What may stand in the place of a command.
local SPELLINGS = { ["--help"] = "help", ["-h"] = "help", ["--version"] = "version" }

local function command_name(word)
  if SPELLINGS[word] then return SPELLINGS[word] end
  if not word:find("^%-") then return word end
  local hint = nearest.hint(word, { "--help", "--version" })
  mistakes.fail("%s stands where a command is expected%s", word, hint ~= "" and hint or "; jaunt help lists them")
end

-- Whether a word in the place of a command is a script, as it is behind `#!/usr/bin/env jaunt`; or means one, be it not there.
local function is_script(word)
  return word:find("[/.]") and not word:find("^%-") and (fs.kind(word) == "file" or word:find("%.lua$") ~= nil)
end

-- The command line in full: nothing is the prompt for who sits at a terminal, a script is run, -e CODE is evaluated.
local function spelt_out(words)
  local word = words[1]
  if not word then return { term.isatty(0) and "repl" or "help" } end
  if word == "-e" then return table.move(words, 2, #words, 3, { "repl", "--eval" }) end
  if is_script(word) then return table.move(words, 2, #words, 4, { "run", word, "--" }) end
  return words
end

-- Runs the command line `words` (a list, without the program's name). Returns the exit code.
function cli.main(words)
  words = spelt_out(words)
  local command = cli.command(command_name(words[1]))
  local args, flags = arguments.parse(command, table.move(words, 2, #words, 1, {}))
  if not args then
    help.print(command)
    return 0
  end
  return command.run(args, flags) or 0
end

return cli
