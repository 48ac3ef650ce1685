-- jaunt preview: what a payload, or an element of a journey, would send to whom. What only some previews need is
-- loaded where they need it.

local engine = require "jaunt.native.engine"
local fs = require "jaunt.native.fs"
local mistakes = require "jaunt.base.mistakes"
local payloads = require "jaunt.project.payloads"
local project = require "jaunt.project"
local subjects = require "jaunt.preview.subjects"
local target = require "jaunt.preview.target"
local term = require "jaunt.base.term"

local SETTLE_MS = 40 -- editors write in several steps

---------------------------------------------------------------------------------------------- what is rendered

-- Everything that is asked for: { sources =, previews = (see jaunt.preview.rendering), bare = (previews of calls
-- without a payload), said = (sentences to be told at the end), mistake = (in the payloads, in words: there are no
-- previews then) }.
local function gather(found, args, flags)
  local rendering = require "jaunt.preview.rendering"
  local sources = payloads.gather(found)
  local meant = target.of(found, sources, args)
  local all = { sources = sources, previews = {}, bare = {}, said = {}, mistake = target.mistake(meant, sources) }
  if all.mistake then return all end
  local renderer = rendering.new(found, sources, true)
  local described, bare
  local describe = meant.payload and subjects.of_payload or subjects.of_element
  described, all.said, bare = describe(found, sources, meant, flags, renderer)
  all.bare = bare or {}
  for i, one in ipairs(described) do all.previews[i] = renderer.preview(one.name, one.subjects, one.fields) end
  return all
end

local function has_bad(results)
  for _, result in ipairs(results) do
    if result.outcome == "failed" or result.invalid then return true end
  end
  return false
end

local function has_misspelt(findings)
  for _, finding in ipairs(findings) do
    if finding.misspelt then return true end
  end
  return false
end

-- The exit code for what was rendered.
local function code_of(all)
  if all.mistake or has_bad(all.bare) or #all.previews == 0 and #all.bare == 0 then return 1 end
  for _, preview in ipairs(all.previews) do
    if has_bad(preview.results) or has_misspelt(preview.findings) then return 1 end
  end
  return 0
end

---------------------------------------------------------------------------------------------- what is done with it

local function show_all(_, all)
  local show, used = require "jaunt.preview.show", {}
  show.results({ results = all.bare, findings = {} }, used)
  for _, preview in ipairs(all.previews) do show.results(preview, used) end
  show.legend(used)
  for _, preview in ipairs(all.previews) do
    show.findings(preview.findings, #preview.results == 1)
    show.summary(preview)
  end
  return code_of(all)
end

local function print_json(_, all)
  print(require("jaunt.preview.facts").json(all))
  return code_of(all)
end

-- --diff: the same subjects with the payloads of the last commit.
local function show_difference(found, all)
  local show = require "jaunt.preview.show"
  local sources, since = require("jaunt.preview.committed").payloads(found)
  local renderer = require("jaunt.preview.rendering").new(found, sources, false)
  for _, preview in ipairs(all.previews) do
    local pairs_of = {}
    for i, result in ipairs(preview.results) do
      local old = sources[preview.name] and renderer.one(preview.name, result.subject)
      pairs_of[i] = { id = result.id, old = old, new = result }
    end
    if not sources[preview.name] then print(("%s is not in the last commit: all of it is new"):format(preview.name)) end
    show.differences(pairs_of, since)
    show.findings(preview.findings)
  end
  return code_of(all)
end

-- --hostile: each payload with people who break software.
local function show_hostile(found, all, flags)
  local renderer, bad = require("jaunt.preview.rendering").new(found, all.sources, false), false
  for _, preview in ipairs(all.previews) do
    bad = require("jaunt.preview.trial").run(renderer, preview, flags.strings, flags.json) or bad
  end
  return bad and 1 or 0
end

-- The call that is made for --send-to: the person with an address of one's own, walked to the element, or to a call
-- with the payload.
local function walk_one(found, meant, changed, file, now_ms)
  local walked
  if meant.payload then
    walked = require("jaunt.preview.usage").walk(found, meant.payload, { changed },
      { start_ms = now_ms, events = require("jaunt.project.people").events_file(file) })
    if not walked then
      mistakes.fail("no journey of this project sends %s to %s: name the journey and its element", meant.payload, changed.id)
    end
  else
    walked = subjects.walk(found, meant, { changed }, file, now_ms)
  end
  local there = walked.calls[changed.id]
  if not there then mistakes.fail("%s", table.concat(subjects.missing({ changed }, walked, meant), "\n")) end
  if not there.call.url then mistakes.fail("the payload fails for %s: jaunt preview shows how", changed.id) end
  return there.call
end

-- --send-to: one live call, for the first person.
local function send_one(found, args, flags)
  local send = require "jaunt.preview.send"
  local sources = payloads.gather(found)
  local meant = target.of(found, sources, args)
  local mistake = target.mistake(meant, sources)
  if mistake then mistakes.fail("%s", mistake) end
  local list, _, file = subjects.people(found, flags)
  local one, address = list[1], require("jaunt.project.settings").address(found, flags.send_to)
  local call = walk_one(found, meant, send.with_address(one, address), file, flags.now_ms)
  send.check_address(call, one, address, flags.send_to)
  send.confirm(call, meant.payload or meant.element, one.id, address, flags.yes)
  local answer = send.live(found, call, flags)
  print(("%s: %s"):format(answer.ok and "sent" or "not accepted",
    answer.status and ("status %d"):format(answer.status) or term.one_line(answer.error or "")))
  if answer.body and answer.body ~= "" then print(term.harmless(answer.body)) end
  return answer.ok and 0 or 1
end

local function once(args, flags)
  local found = project.need()
  if flags.send_to then return send_one(found, args, flags) end
  local all = gather(found, args, flags)
  if all.mistake and not flags.json then
    io.stderr:write(term.paint(2).red(all.mistake), "\n")
    return code_of(all)
  end
  local act = flags.hostile and show_hostile or flags.json and print_json or flags.diff and show_difference or show_all
  local code = act(found, all, flags)
  if not flags.json then
    for _, text in ipairs(all.said) do print(text) end
  end
  return code
end

---------------------------------------------------------------------------------------------- --watch

-- The folders in which something may change that a preview hangs on.
local function folders_of(found, flags)
  local list = { found.root }
  local function add(folder)
    if fs.kind(folder) == "dir" then list[#list + 1] = folder end
  end
  local below = project.path(found, "payloads")
  for _, name in ipairs { "payloads", "journeys", "people" } do add(project.path(found, name)) end
  for _, name in ipairs(fs.list(below) or {}) do add(project.join(below, name)) end
  if flags.people then add(flags.people:match("^(.*)/[^/]*$") or ".") end
  return list
end

-- Renders again whenever something is saved, until Ctrl-C.
local function watch(args, flags)
  local control = require "jaunt.native.control"
  local found = project.need()
  local watcher <close>, why = require("jaunt.native.watch").open(folders_of(found, flags))
  if not watcher then mistakes.fail("%s", why) end
  local over = false
  for _, name in ipairs { "SIGINT", "SIGTERM", "SIGHUP" } do
    control.on_signal(name, function()
      over = true
      watcher:wake()
    end)
  end
  while not over do
    if term.isatty() then io.stdout:write("\27[H\27[2J"):flush() end
    local ok, raised = pcall(once, args, flags)
    if not ok then print(term.paint().red(term.harmless(mistakes.message(raised)))) end
    print(term.paint().dim(("%s, again when something is saved; Ctrl-C ends it"):format(os.date("%H:%M:%S"))))
    io.stdout:flush()
    watcher:wait()
    if not over then control.sleep(SETTLE_MS) end
    watcher:forget()
  end
  return 0
end

---------------------------------------------------------------------------------------------- the command

local EXCLUDING = {
  { "send_to", "watch" }, { "send_to", "diff" }, { "send_to", "hostile" }, { "send_to", "json" },
  { "diff", "hostile" }, { "diff", "json" },
}

local function run(args, flags)
  if flags.watch and flags.people == "-" then
    mistakes.fail("--watch reads people again and again, and standard input comes once")
  end
  for _, both in ipairs(EXCLUDING) do
    if flags[both[1]] and flags[both[2]] then
      mistakes.fail("--%s and --%s exclude each other", (both[1]:gsub("_", "-")), both[2])
    end
  end
  if flags.now then
    local at, why = engine.moment(flags.now)
    flags.now_ms = at or mistakes.fail("--now: %s", why)
  end
  return (flags.watch and watch or once)(args, flags)
end

return {
  name = "preview",
  group = "write",
  summary = "Shows what a payload, or an element of a journey, would send to whom.",
  about = "PAYLOAD is a name in payloads/. With an ELEMENT it is a journey: each person is walked there in a rehearsal, "
    .. "so that person, event and vars are what they would be; where things have to be pretended for that (a split's "
    .. "branch, a vendor that fails), it says so. A payload that needs vars gets those of the journey that sends it, "
    .. "unless --vars gives them.\n\n"
    .. "What is blank, what a default filled in, and what nobody has is marked and summed up. A person is a sample of "
    .. "the project, unless --people names a file.",
  arguments = {
    { name = "payload", help = "a payload of the project; or a journey, with an element", holds = { "payload", "journey" } },
    { name = "element", help = "the name of one of the journey's calls", optional = true, holds = "call" },
  },
  flags = {
    { name = "person", value = "ID", help = "one person" },
    { name = "people", value = "FILE", default_text = "the project's samples",
      help = "people from this file; - is standard input" },
    { name = "id", value = "COLUMN", default_text = "id", help = "the column that holds the id" },
    { name = "where", value = "EXPR", help = "only people for whom this Lua expression is true" },
    { name = "limit", value = "N", kind = "integer", min = 1, default_text = tostring(subjects.PEOPLE_MOST),
      help = "at most so many people" },
    { name = "vars", value = "JSON", help = "vars of the payload, as an object" },
    { name = "now", value = "TIME", default_text = "now", help = "the time that it is rendered at: \"2026-11-25 09:00\"" },
    { name = "diff", help = "shows only what changes for whom since the last commit" },
    { name = "watch", help = "shows it again whenever something is saved, until Ctrl-C" },
    { name = "hostile", help = "tries people whose data break software, and tells whether it stays valid" },
    { name = "strings", value = "FILE", default_text = "people/blns.json below JAUNT_DATA, where that is",
      help = "with --hostile: more texts, a JSON list" },
    { name = "send-to", value = "NAME",
      help = "makes one live call, with the address of that name in the settings in place of the person's" },
    { name = "yes", help = "with --send-to: does not ask" },
    { name = "secrets", value = "FILE", default_text = "secrets.env in the project",
      help = "with --send-to: NAME=VALUE lines" },
    { name = "private-network", help = "with --send-to: lets the call into private networks and to this machine" },
    { name = "json", help = "prints one JSON object instead" },
  },
  examples = {
    { "jaunt preview welcome_email --person ada", "one sample" },
    { "jaunt preview abandoned_cart \"whatsapp reminder\" --person ada", "as the journey sends it" },
    { "jaunt preview cart_plain --people scripts/people/newcomers.csv --limit 20 --diff", "what a change does to whom" },
    { "jaunt preview cart_plain --watch", "beside the editor" },
  },
  exit = { [0] = "all is well", [1] = "something is invalid or fails, or a field is misspelt", [2] = "it could not be shown" },
  run = run,
}
