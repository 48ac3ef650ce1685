-- jaunt help: the commands in their four groups; jaunt help COMMAND: one of them; jaunt help --man: the manual page.

local cli = require "jaunt.cli"
local help = require "jaunt.cli.help"
local term = require "jaunt.base.term"

local GROUPS = {
  { "write", "Write journeys" }, { "run", "Run them" }, { "look", "Look at what happened" },
  { "repair", "Repair what went wrong" }, { false, "Besides" },
}

-- All commands, by group: { { title =, commands = { … } }, … }.
local function grouped()
  local groups, by_name = {}, {}
  for i, group in ipairs(GROUPS) do
    groups[i] = { title = group[2], commands = {} }
    by_name[group[1]] = groups[i]
  end
  for _, name in ipairs(cli.commands()) do
    local command = cli.command(name)
    table.insert(by_name[command.group or false].commands, command)
  end
  return groups
end

local function print_overview()
  local paint = term.paint()
  print("jaunt runs customer journeys written in Lua, once for every person.\n")
  print("Usage: jaunt COMMAND [ARGUMENTS] [--FLAGS]\n")
  for _, group in ipairs(grouped()) do
    local rows = {}
    for i, command in ipairs(group.commands) do rows[i] = { command.name, command.summary } end
    print(paint.bold(group.title))
    term.rows(rows)
    print()
  end
  print("jaunt COMMAND --help says more about a command.")
end

local function run(args, flags)
  if flags.man then
    io.stdout:write(require("jaunt.cli.manual").page(grouped()))
  elseif args.command then
    help.print(cli.command(args.command))
  else
    print_overview()
  end
end

return {
  name = "help",
  summary = "Shows the commands, or one of them.",
  arguments = { { name = "command", help = "the command to show", optional = true } },
  flags = { { name = "man", help = "prints the manual page of all commands, as man reads it" } },
  examples = { "jaunt help run", { "jaunt help --man >jaunt.1 && man ./jaunt.1", "reads it" } },
  run = run,
}
