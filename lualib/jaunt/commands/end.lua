-- jaunt end: ends runs; they exit, for the reason "operator".

local repair = require "jaunt.state.repair"
local selection = require "jaunt.state.selection"

local ENDED = { completed = true, dropped = true, exited = true }

local WHAT = {
  command = "end", title = "End", doing = "ending", past = "ended", outcome = "living", usual = "running, queued, waiting or held",
  refuses = function(_, run)
    if ENDED[run.state] then return "it has ended" end
  end,
  next = function() return "" end,
}

return {
  name = "end",
  group = "repair",
  summary = "Ends runs: they go no further, and count as exited, for the reason \"operator\".",
  about = "Calls that are waiting for their turn are cancelled. One that is on the wire gets its answer, which is recorded; "
    .. "then the run ends.\n\n"
    .. "It works while a runtime has the state, and without one. What is done is noted in FILE.audit, beside the state.",
  usage = "[JOURNEY] [SELECTION] [--FLAGS]",
  arguments = { { name = "journey", help = "only runs of this journey", optional = true } },
  flags = selection.flags(repair.FLAGS),
  examples = {
    { "jaunt end welcome --where 'country == \"DE\"' --dry-run", "what would happen" },
    { "jaunt end welcome --outcome waiting --at \"wait 7d\" --yes" },
  },
  exit = { [0] = "all of them have ended", [1] = "there are none, or some were refused", [2] = "it could not be done" },
  run = function(args, flags) return repair.run(WHAT, args.journey, flags) end,
}
