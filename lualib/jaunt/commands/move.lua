-- jaunt move: lets runs go on with the script as it is now.

local bundle = require "jaunt.project.bundle"
local mistakes = require "jaunt.base.mistakes"
local project = require "jaunt.project"
local repair = require "jaunt.state.repair"
local selection = require "jaunt.state.selection"

local ENDED = { completed = true, dropped = true, exited = true }

local FLAGS = { { name = "to", value = "VERSION", choices = { "new" }, default_text = "new",
  help = "new: the version on the disk, the only one that runs can be moved to" }, table.unpack(repair.FLAGS) }

local gathered = {} -- by journey: what is on the disk is read once

local function gather(journey)
  if not gathered[journey] then
    local path, found = project.script(journey)
    gathered[journey] = bundle.gather(path, found)
    if gathered[journey].name ~= journey then
      mistakes.fail("%s declares the journey %s, not %s", path, gathered[journey].name, journey)
    end
  end
  return gathered[journey]
end

local WHAT = {
  command = "move", try = "try", title = "Move", doing = "moving", past = "moved", outcome = "waiting,held", gather = gather,
  refuses = function(_, run)
    if ENDED[run.state] then return "it has ended" end
    if gather(run.journey).version == run.version then return "it has that version" end
  end,
  next = function(_, groups)
    for _, group in ipairs(groups) do
      if group.run.state == "held" then return " to the version on the disk; who is held goes on after jaunt redrive" end
    end
    return " to the version on the disk"
  end,
}

return {
  name = "move",
  group = "repair",
  summary = "Moves waiting and held runs to the script as it is now.",
  about = "A run keeps the version of the script that it began with. This replays each run against the version on the disk, "
    .. "without sending anything: whoever comes to where they are goes on with that version from there; whoever would "
    .. "have gone another way stays with their own, and it is told where the ways part. --dry-run only tells.\n\n"
    .. "It works while a runtime has the state, and without one. What is done is noted in FILE.audit, beside the state.",
  usage = "[JOURNEY] [SELECTION] [--FLAGS]",
  arguments = { { name = "journey", help = "only runs of this journey", optional = true } },
  flags = selection.flags(FLAGS),
  examples = {
    { "jaunt move welcome --to new --dry-run", "who could go on with the mended script" },
    { "jaunt move welcome --reason script --yes" },
  },
  exit = { [0] = "all of them were moved", [1] = "there are none, or some were refused", [2] = "it could not be done" },
  run = function(args, flags) return repair.run(WHAT, args.journey, flags) end,
}
