-- jaunt pause: nobody is let into a journey, and none of its parked runs is woken, until jaunt resume.

local json = require "json"
local repair = require "jaunt.state.repair"
local selection = require "jaunt.state.selection"
local times = require "jaunt.base.times"

local function run(args, flags)
  local changed, since, pid = repair.pause("pause", args.journey, flags)
  if flags.json then
    print(json.encode { journey = args.journey, paused = true, changed = changed, since = times.rfc3339(since),
      live = pid or json.null })
  elseif changed then
    print(("%s is paused%s: nobody is let in or woken until jaunt resume %s"):format(args.journey,
      pid and (", in process %d"):format(pid) or "", args.journey))
  else
    print(("%s is paused already, since %s"):format(args.journey, times.short(since)))
  end
  return 0
end

return {
  name = "pause",
  group = "repair",
  summary = "Pauses a journey: nobody is let in, and who waits is not woken, until jaunt resume.",
  about = "Who is under way goes on to the next wait. Events that come meanwhile are kept for those they concern. A wait that ends "
    .. "while the journey is paused ends when it is resumed.\n\n"
    .. "It works while a runtime has the state, and without one; it lasts until jaunt resume, whatever processes come and "
    .. "go. It is noted in FILE.audit, beside the state.",
  usage = "JOURNEY [--FLAGS]",
  arguments = { { name = "journey", help = "the journey" } },
  flags = { selection.STATE_FLAG, { name = "json", help = "prints one JSON object" } },
  examples = { "jaunt pause welcome" },
  exit = { [0] = "it is paused", [2] = "it could not be done" },
  run = run,
}
