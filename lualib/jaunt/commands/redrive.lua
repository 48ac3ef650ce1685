-- jaunt redrive: sends held or dropped runs on.

local repair = require "jaunt.repair"
local selection = require "jaunt.selection"

-- Why it would be refused, as far as that is seen from outside; the words are those of runtime/engine/run_repair.c.
local function has_entered_again(state, run, family)
  for other in selection.pages(state, { family = family, person = run.person }) do
    if other.run <= run.run then return false end
    if other.per == run.per then return true end
  end
  return false
end

local function refuses(state, run, family)
  if run.state ~= "held" and run.state ~= "dropped" then return "it is neither held nor dropped" end
  if run.reason == "drop" then return "its script says drop(), and would again" end
  if run.reason == "diverged" then return "its replay asks for something else than was recorded, and would again: move it to a mended version first" end
  if run.reason == "script" then
    local visits = state:visits(run.run)
    if not visits[#visits] or visits[#visits].result ~= "mistake" then
      return "its script has failed, and would again: move it to a mended version first"
    end
  end
  if has_entered_again(state, run, family) then return "the person has entered again since" end
end

local WHAT = {
  command = "redrive", title = "Redrive", doing = "redriving", past = "redriven", outcome = "held,dropped", usual = "held or dropped",
  refuses = refuses,
  next = function(pid)
    return pid and ("; they go on now, in process %d"):format(pid) or "; they go on with the next jaunt run"
  end,
}

return {
  name = "redrive",
  group = "repair",
  summary = "Sends held and dropped runs on, once what was wrong is mended.",
  about = "A held run goes on where it is held. A dropped one is taken back to the call that dropped it: the payload is rendered anew, "
    .. "and the call is made again under another key. Calls that went well before it are not made again.\n\n"
    .. "A run keeps the version of the script that it began with, so that a mended script does not reach it: who is held by an error "
    .. "in a script has to be moved to the mended version first (jaunt move), and who was dropped by its drop() is refused. Mended "
    .. "connections, secrets, payloads and limits reach everybody. Refused is also an older run of somebody who has entered again "
    .. "since.\n\n"
    .. "It works while a runtime has the state: they go on there at once. Otherwise they go on with the next jaunt run. What is done is "
    .. "noted in FILE.audit, beside the state.",
  usage = "[JOURNEY] [SELECTION] [--FLAGS]",
  arguments = { { name = "journey", help = "only runs of this journey", optional = true } },
  flags = selection.flags(repair.FLAGS),
  examples = {
    { "jaunt redrive welcome --reason \"status 503\" --dry-run", "what would happen" },
    { "jaunt redrive welcome --reason \"status 503\" --since 2h --yes", "after the vendor was down" },
    { "jaunt redrive --outcome held --reason config", "once the secret is there" },
  },
  exit = { [0] = "all of them go on", [1] = "there are none, or some were refused", [2] = "it could not be done" },
  run = function(args, flags) return repair.run(WHAT, args.journey, flags) end,
}
