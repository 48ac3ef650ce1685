-- jaunt backup: a copy of a state, also while a runtime has it.

local existing = require "jaunt.base.existing"
local figures = require "jaunt.base.figures"
local fs = require "jaunt.native.fs"
local mistakes = require "jaunt.base.mistakes"
local native = require "jaunt.native.control"
local project = require "jaunt.project"
local state = require "jaunt.state"
local states = require "jaunt.native.state"
local term = require "jaunt.base.term"

local LOOK_MS = 50

local function show(done, total)
  io.stderr:write(("\r%3d %% of %s"):format(done * 100 // math.max(total, 1), figures.of(total, "page", "pages")))
  io.stderr:flush()
end

local function run(args, flags)
  local from = state.file(flags.state, true, project.find())
  if not from then mistakes.fail("a state in memory can't be copied: --state sqlite:FILE") end
  existing.file(from, "state")
  if fs.kind(args.file) == "dir" then mistakes.fail("%s is a folder, where a file is needed", args.file) end
  existing.folder(args.file:match("^(.*)/[^/]*$") or ".", "folder for the copy")
  local shows, stopped = term.isatty(2), false
  for _, name in ipairs { "SIGINT", "SIGTERM", "SIGHUP" } do native.on_signal(name, function() stopped = true end) end
  local copy <close> = states.backup(from, args.file, flags.force)
  local looked = native.now_mono()
  for done, total in copy.step, copy do
    if native.now_mono() - looked >= LOOK_MS then
      if shows then show(done, total) end
      native.sleep(1) -- for signals to come
      looked = native.now_mono()
    end
    if stopped then
      io.stderr:write(shows and "\r\27[K" or "", "interrupted: no copy was made\n")
      return 130
    end
  end
  if shows then io.stderr:write("\r\27[K") end
  print(("%s is a copy of %s"):format(args.file, from))
end

return {
  name = "backup",
  group = "repair",
  summary = "Copies a state, also while a runtime has it.",
  about = "The copy is what was durable when it was begun; it was looked through for damage, and is on the disk. To go on "
    .. "from it, end what has the state, and give the copy as --state. Calls that were made since then are made again, with "
    .. "the same keys.",
  arguments = { { name = "file", help = "the copy; it must not be there" } },
  flags = {
    { name = "state", value = "WHERE", default_text = "sqlite:jaunt.db in the project", help = "the state: sqlite:FILE" },
    { name = "force", help = "replaces the file" },
  },
  examples = { "jaunt backup jaunt-backup.db", "jaunt backup trip-backup.db --state sqlite:trip.db" },
  exit = { [0] = "the copy is whole", [2] = "it could not be made", [130] = "it was interrupted" },
  run = run,
}
