-- jaunt redrive: sends held or dropped runs on.

local repair = require "jaunt.state.repair"
local selection = require "jaunt.state.selection"

-- Why it would be refused, as far as that is seen from outside; the words are those of runtime/engine/run_repair.c.
local function has_entered_again(state, run, family)
  for other in selection.pages(state, { family = family, person = run.person }) do
    if other.run <= run.run then return false end
    if other.per == run.per then return true end
  end
  return false
end

-- Reasons of the script's own, which no call has ended.
local BY_SCRIPT = { script = true, limit = true, config = true }

-- Whether a call has ended the run of which nobody knows whether it was done. `last` is the run's last visit.
local function may_have_been_done(run, last)
  local reason = run.reason == "moved" and run.detail or run.reason
  return last and last.result == "failed" and last.unclear and not BY_SCRIPT[reason]
end

local function refuses(state, run, family, resends)
  if run.state ~= "held" and run.state ~= "dropped" then return "it is neither held nor dropped" end
  if run.reason == "drop" then return "its script says drop(), and would again" end
  if run.reason == "diverged" then
    return "its replay asks for something else than was recorded, and would again: move it to a mended version first"
  end
  local visits = state:visits(run.run)
  local last = visits[#visits]
  if run.reason == "script" and not (last and last.result == "mistake") then
    return "its script has failed, and would again: move it to a mended version first"
  end
  if has_entered_again(state, run, family) then return "the person has entered again since" end
  if may_have_been_done(run, last) and not resends then
    return "whether its call was done is not known: --unknown sends it again, the same bytes under the same key"
  end
end

-- See repair.run.
local function what(resends)
  return {
    command = "redrive", title = "Redrive", doing = "redriving", past = "redriven",
    outcome = "held,dropped", usual = "held or dropped",
    act = resends and "redrive --unknown" or nil,
    refuses = function(state, run, family) return refuses(state, run, family, resends) end,
    next = function(pid)
      return pid and ("; they go on now, in process %d"):format(pid) or "; they go on with the next jaunt run"
    end,
  }
end

local FLAGS = { table.unpack(repair.FLAGS) }
table.insert(FLAGS, 1, { name = "unknown",
  help = "also where nobody knows whether the call was done: it is sent again as it was" })

return {
  name = "redrive",
  group = "repair",
  summary = "Sends held and dropped runs on, once what was wrong is mended.",
  about = "A held run goes on where it is held. A dropped one is taken back to the call that dropped it: the payload is "
    .. "rendered anew, and the call is made again under another key. Calls that went well before it are not made again.\n\n"
    .. "A call may have been sent and got no answer: a timeout, a connection that was cut off. Nobody knows whether the vendor "
    .. "has done it; made anew, it might be done twice. Such runs are refused, and counted. With --unknown the call is sent "
    .. "again, the same bytes under the same key: a vendor that honours the key does it once. One that does not may do it a "
    .. "second time; whoever gives the flag accepts that. A call with idempotent = false carries no key, and is never sent "
    .. "again, not with --unknown either: its result was unknown, and its run has gone on.\n\n"
    .. "A run keeps the version of the script that it began with, so that a mended script does not reach it: who is held by an "
    .. "error in a script has to be moved to the mended version first (jaunt move), and who was dropped by its drop() is "
    .. "refused. Mended connections, secrets, payloads and limits reach everybody. Refused is also an older run of somebody "
    .. "who has entered again since.\n\n"
    .. "It works while a runtime has the state: they go on there at once. Otherwise they go on with the next jaunt run. What is "
    .. "done is noted in FILE.audit, beside the state.",
  usage = "[JOURNEY] [SELECTION] [--FLAGS]",
  arguments = { { name = "journey", help = "only runs of this journey", optional = true } },
  flags = selection.flags(FLAGS),
  examples = {
    { "jaunt redrive welcome --reason \"status 503\" --dry-run", "what would happen" },
    { "jaunt redrive welcome --reason \"status 503\" --since 2h --yes", "after the vendor was down" },
    { "jaunt redrive --outcome held --reason config", "once the secret is there" },
    { "jaunt redrive welcome --reason timeout --unknown --yes", "the same requests again, under the same keys" },
  },
  exit = { [0] = "all of them go on", [1] = "there are none, or some were refused", [2] = "it could not be done" },
  run = function(args, flags) return repair.run(what(flags.unknown), args.journey, flags) end,
}
