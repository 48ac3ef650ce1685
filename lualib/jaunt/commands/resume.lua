-- jaunt resume: a journey that was paused goes on.

local json = require "json"
local repair = require "jaunt.state.repair"
local selection = require "jaunt.state.selection"

local function run(args, flags)
  local changed, _, pid = repair.pause("resume", args.journey, flags)
  if flags.json then
    print(json.encode { journey = args.journey, paused = false, changed = changed, live = pid or json.null })
  elseif changed then
    print(("%s goes on%s"):format(args.journey, pid and (", in process %d"):format(pid) or " with the next jaunt run"))
  else
    print(("%s is not paused"):format(args.journey))
  end
  return 0
end

return {
  name = "resume",
  group = "repair",
  summary = "Lets a journey that was paused go on.",
  about = "Whoever was to be woken meanwhile is woken now. A runtime that has stopped letting people in because 20 runs were "
    .. "held by script errors lets them in again.",
  usage = "JOURNEY [--FLAGS]",
  arguments = { { name = "journey", help = "the journey" } },
  flags = { selection.STATE_FLAG, { name = "json", help = "prints one JSON object" } },
  examples = { "jaunt resume welcome" },
  exit = { [0] = "it goes on", [2] = "it could not be done" },
  run = run,
}
