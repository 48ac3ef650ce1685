-- jaunt help: the commands in their four groups; jaunt help COMMAND: one of them.

local cli = require "jaunt.cli"
local term = require "jaunt.term"

local GROUPS = {
  { "write", "Write journeys" }, { "run", "Run them" }, { "look", "Look at what happened" },
  { "repair", "Repair what went wrong" },
}

local function by_group()
  local groups = {}
  for _, name in ipairs(cli.commands()) do
    local command = cli.command(name)
    local group = command.group
    if group then
      groups[group] = groups[group] or {}
      table.insert(groups[group], { command.name, command.summary })
    end
  end
  return groups
end

local function print_overview()
  local paint = term.paint()
  local groups = by_group()
  print("jaunt runs customer journeys written in Lua, once for every person.\n")
  print("Usage: jaunt COMMAND [ARGUMENTS] [--FLAGS]\n")
  for _, group in ipairs(GROUPS) do
    local rows = groups[group[1]]
    if rows then
      print(paint.bold(group[2]))
      cli.print_rows(rows)
      print()
    end
  end
  print("jaunt COMMAND --help says more about a command; jaunt --version names the versions.")
end

local function run(args)
  if not args.command then return print_overview() end
  cli.print_help(cli.command(args.command))
end

return {
  name = "help",
  summary = "Shows the commands, or one of them.",
  arguments = { { name = "command", help = "the command to show", optional = true } },
  examples = { "jaunt help run" },
  run = run,
}
