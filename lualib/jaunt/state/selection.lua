-- Selections: which runs a command means, said in the same way to every command that looks at runs or changes them:
--
--   [JOURNEY] --outcome --at ELEMENT --reason --version --sent PAYLOAD --since --where EXPR, in the state of --state
--
-- A command puts selection.flags() among its flags, and gets from selection.choose(journey, flags) what is meant.

local durations = require "jaunt.base.durations"
local engine = require "jaunt.native.engine"
local existing = require "jaunt.base.existing"
local figures = require "jaunt.base.figures"
local fs = require "jaunt.native.fs"
local json = require "json"
local keys = require "jaunt.base.keys"
local mistakes = require "jaunt.base.mistakes"
local native = require "jaunt.native.state"
local nearest = require "jaunt.base.nearest"
local project = require "jaunt.project"
local state = require "jaunt.state"
local term = require "jaunt.base.term"
local times = require "jaunt.base.times"

local selection = {}

-- States of runs; the number is the bit that stands for it.
local STATES = { running = 1, queued = 2, waiting = 3, held = 4, completed = 5, dropped = 6, exited = 7 }
selection.STATES = { "running", "queued", "waiting", "held", "completed", "dropped", "exited" }
local GROUPS = { living = { "running", "queued", "waiting", "held" }, ended = { "completed", "dropped", "exited" } }
local OUTCOMES = table.move(selection.STATES, 1, #selection.STATES, 3, { "living", "ended" })

selection.STATE_FLAG = { name = "state", value = "WHERE", default_text = "sqlite:jaunt.db in the project",
  help = "the state that is looked at: sqlite:FILE" }

-- The flags of a selection, for a command's list; `more` are its own, which stand behind them.
function selection.flags(more)
  local flags = {
    { name = "outcome", value = "LIST", list = true, suggests = OUTCOMES,
      help = "of runs that are, or ended, so: " .. table.concat(selection.STATES, ", ")
      .. "; also living, ended" },
    { name = "at", value = "ELEMENT", help = "that are, or ended, at this element" },
    { name = "reason", value = "REASON", help = "that were dropped, held or have exited for it: status, "
      .. "\"status 422\", goal; unknown: with a call whose fate is unknown" },
    { name = "version", value = "VERSION", help = "of this version of the journey; its first letters will do" },
    { name = "sent", value = "PAYLOAD", help = "that were sent this payload; hello@3f9a: as its text was then" },
    { name = "since", value = "TIME", help = "that came to where they are since then: 2h (ago), \"2026-11-25 09:00\"" },
    { name = "where", value = "EXPR",
      help = "for whose person this Lua expression is true: 'country == \"DE\"'; event.NAME is what let them in" },
    selection.STATE_FLAG,
  }
  return table.move(more or {}, 1, #(more or {}), #flags + 1, flags)
end

---------------------------------------------------------------------------------------------- the state

-- The path of the state that --state means. Fails with what to do where there is none.
function selection.state_path(flags)
  local path = state.file(flags.state, true, project.find())
  if not path then mistakes.fail("what is kept in memory: ends with its process; --state sqlite:FILE names a file") end
  if fs.kind(path) then return existing.file(path, "state file") end
  if flags.state then existing.file(path, "state file") end -- it fails, with the nearest name
  mistakes.fail("there is no state %s yet: jaunt run JOURNEY --people FILE --live keeps it there; "
    .. "--state sqlite:FILE names another", path)
end

-- Opens it: a jaunt.native.state, and its path.
function selection.open_state(flags)
  local path = selection.state_path(flags)
  return native.open(path), path
end

-- Says on standard error that old runs were taken out (--keep), where some of the journey (nil: of any) ended at `since_ms` or
-- later (nil: whenever): what is shown is not all that was.
function selection.tell_removed(looked_at, journey, since_ms)
  for _, version in ipairs(looked_at:versions()) do
    local concerns = version.removed and version.number == version.family and (not journey or version.name == journey)
      and (not since_ms or version.removed_to_ms >= since_ms)
    if concerns then
      io.stderr:write(("%s of %s, the last of them ended %s, were taken out: see --keep of jaunt run\n"):format(
        figures.of(version.removed, "older run", "older runs"), term.harmless(version.name), times.short(version.removed_to_ms)))
    end
  end
end

---------------------------------------------------------------------------------------------- names

-- Names from other people's data, as a part of a sentence.
local function listed(names, most)
  local shown = table.move(names, 1, math.min(#names, most or 12), 1, {})
  if #names > #shown then shown[#shown + 1] = "…" end
  return term.harmless(table.concat(shown, ", "))
end

-- Fails for a name that is none of `names`.
local function unknown(what, name, names, where)
  local hint = nearest.hint(name, names)
  if hint == "" and #names > 0 then hint = ("; there are %s"):format(listed(names)) end
  mistakes.fail("%s \"%s\"%s%s", what, term.harmless(name), where or "", term.harmless(hint))
end

-- The versions of the journey `name`, in the order in which they came; of all journeys without one.
local function versions_of(all, name, path)
  local names, found = {}, {}
  for _, version in ipairs(all) do
    names[version.name] = true
    if not name or version.name == name then found[#found + 1] = version end
  end
  if name and #found == 0 then
    if next(names) == nil then mistakes.fail("nobody has entered a journey in %s yet", path) end
    unknown("nobody has entered a journey", name, keys.sorted(names), " in " .. path)
  end
  return found
end

-- The versions whose text begins with `text`: exactly one, or it fails.
local function version_named(versions, text)
  local found, names = {}, {}
  for _, version in ipairs(versions) do
    names[#names + 1] = version.version
    if version.version:sub(1, #text) == text then found[#found + 1] = version end
  end
  if #found == 1 then return found[1] end
  if #found == 0 then unknown("there is no version", text, names) end
  mistakes.fail("several versions begin with %s: %s", text, listed(names))
end

local function family_of(versions)
  return versions[1] and versions[1].family
end

-- Fails unless a journey of `versions` has the element.
local function check_element(elements, versions, name)
  local families, names = {}, {}
  for _, version in ipairs(versions) do families[version.family] = true end
  for _, element in ipairs(elements) do
    if families[element.family] then
      if element.name == name then return name end
      names[#names + 1] = element.name
    end
  end
  unknown("nobody has come to an element", name, names)
end

local function states_of(text)
  local bits = 0
  for word in text:gmatch("[^%s,]+") do
    local meant = GROUPS[word] or { word }
    for _, name in ipairs(meant) do
      if not STATES[name] then
        unknown("--outcome: there is no", word, OUTCOMES)
      end
      bits = bits | 1 << STATES[name]
    end
  end
  return bits
end

-- Reasons that no call gives.
local OTHER_REASONS = { "drop", "exit", "goal", "exit_on", "operator", "limit", "diverged", "moved", "redriven", "unknown" }

-- Whether there is such a reason, be it that nobody has met it.
local function is_reason(name)
  for _, names in ipairs { native.reasons(), OTHER_REASONS } do
    for _, one in ipairs(names) do
      if one == name then return true end
    end
  end
  return false
end

-- A reason, and what stands beside it: "status 422". Fails for one that there is not.
local function reason_of(looked_at, versions, text)
  local reason, detail = text:match("^([%w_]+) *(.-)$")
  if reason and is_reason(reason) then return reason, detail ~= "" and detail or nil end
  local known, seen = {}, {}
  for _, version in ipairs(versions) do
    if not seen[version.family] then
      seen[version.family] = true
      local report = looked_at:report(version.number)
      for _, reason in ipairs(report.exits) do known[reason.reason] = true end
      for _, element in ipairs(report.elements) do
        for _, reason in ipairs(element.reasons) do known[reason.reason] = true end
      end
    end
  end
  unknown("nobody was dropped, held or has exited for", reason or text, keys.sorted(known))
end

---------------------------------------------------------------------------------------------- times

-- The time that --since or --until names, in milliseconds since 1970: a duration ago, or a moment. Times of the day and
-- weekdays are the last ones, not the next ones.
function selection.time(flag, text)
  local now = engine.now_ms()
  local ago = durations.read(text)
  if ago then return now - ago end
  local at, why = engine.moment(text)
  if not at then mistakes.fail("--%s takes a time such as 2h (ago), 7d, \"09:00\" or \"2026-11-25 09:00\": %s", flag, why) end
  if at > now and text:find("^%d%d?:%d%d") then at = at - 86400000 end
  if at > now and text:find("^%a") then at = at - 7 * 86400000 end
  return at
end

---------------------------------------------------------------------------------------------- people

local function decoded(text)
  local ok, value = pcall(json.decode, text or "{}")
  return ok and type(value) == "table" and value or {}
end

-- The person of a run as a table, with what scripts have written since, and the event that let them in.
function selection.person(looked_at, run)
  local profile, event = looked_at:entry(run.run)
  local person = decoded(profile)
  for name, text in pairs(looked_at:attributes(run.person)) do
    local ok, value = pcall(json.decode, text)
    if ok then person[name] = value end
  end
  person.id = run.person
  return person, decoded(event)
end

-- A call whose fate is unknown ends no run: it is found in the journal.
local function unknown_filter(looked_at)
  return function(run)
    for _, visit in ipairs(looked_at:visits(run.run)) do
      if visit.result == "unknown" then return true end
    end
    return false
  end
end

local function where_filter(looked_at, text)
  local where = require "jaunt.base.where"
  local check, missed = where.expression(text)
  local function filter(run)
    local person, event = selection.person(looked_at, run)
    local ok, value = check(person, { event = event })
    if ok then return value end
    mistakes.fail("--where fails for %s: %s", term.harmless(run.person), where.complaint(value))
  end
  return filter, function()
    for _, name in ipairs(missed()) do
      io.stderr:write(("--where: none of these people has an attribute %s; a text stands in quotes: \"%s\"\n"):format(name, name))
    end
  end
end

-- Tells of a payload that nobody was sent what may have been meant.
local function complain_of_payload(name, text, sent)
  if sent[name] then
    local hashes = keys.sorted(sent[name])
    io.stderr:write(("jaunt: nobody was sent %s, but %s@%s\n"):format(term.harmless(text), term.harmless(name),
      table.concat(hashes, ", @", 1, math.min(#hashes, 12))))
    return
  end
  local names = require("jaunt.project.payloads").gather(project.find())
  if names[name] then return end
  for other in pairs(sent) do names[other] = true end
  local hint = nearest.hint(name, keys.sorted(names))
  io.stderr:write(("jaunt: nobody was sent %s%s\n"):format(term.harmless(name), term.harmless(hint)))
end

-- PAYLOAD is a name, the name of a split's folder, or a name with the beginning of its text's hash: hello@3f9a. Gives the filter,
-- and what tells why it has found nobody.
local function sent_filter(looked_at, payload)
  local wanted, hash = payload:match("^(.*)@(%x*)$")
  wanted, hash = wanted or payload, hash or ""
  local sent, found = {}, false -- by name: hashes
  local function note(name, template)
    sent[name] = sent[name] or {}
    sent[name][template] = true
  end
  local function filter(run)
    for _, visit in ipairs(looked_at:visits(run.run)) do
      local name, template = visit.payload, visit.template or ""
      local folder = name and name:match("^(.*)/")
      if (name == wanted or folder == wanted) and template:sub(1, #hash) == hash then
        found = true
        return true
      end
      if name then note(name, template) end
      if folder then note(folder, template) end
    end
    return false
  end
  return filter, function()
    if not found then complain_of_payload(wanted, payload, sent) end
  end
end

---------------------------------------------------------------------------------------------- choosing

-- The runs of a native selection, page by page: an iterator. Bounded memory, however many there are.
function selection.pages(looked_at, which)
  local page, at, before = {}, 0, nil
  local over = false
  return function()
    at = at + 1
    while at > #page do
      if over then return nil end
      which.before = before
      page, before = looked_at:runs(which)
      at, over = 1, before == nil
    end
    return page[at]
  end
end

-- What is meant by JOURNEY (nil: all journeys) and the flags of a selection. Returns a table with
--   state, path       the jaunt.native.state, to be closed by whoever asked, and where it is
--   versions          of journeys that are meant: { number =, family =, name =, version = }
--   each()            an iterator over the runs, newest first: see jaunt.native.state, with the fields `journey` and
--                     `version` as names
function selection.choose(journey, flags)
  local looked_at, path = selection.open_state(flags)
  local versions = versions_of(looked_at:versions(), journey, path)
  local by_number, which, filters, tells = {}, {}, {}, {}
  for _, version in ipairs(looked_at:versions()) do by_number[version.number] = version end
  if journey then which.family = family_of(versions) end
  if flags.version then which.version = version_named(versions, flags.version).number end
  if flags.outcome then which.states = states_of(flags.outcome) end
  if flags.at then which.element = check_element(looked_at:elements(), versions, flags.at) end
  if flags.reason then which.reason, which.detail = reason_of(looked_at, versions, flags.reason) end
  if which.reason == "unknown" then
    which.reason, which.detail = nil, nil
    filters[#filters + 1] = unknown_filter(looked_at)
  end
  if flags.since then which.since_ms = selection.time("since", flags.since) end
  local chosen = { state = looked_at, path = path, versions = versions }
  if flags.sent then filters[#filters + 1], tells[#tells + 1] = sent_filter(looked_at, flags.sent) end
  if flags.where then filters[#filters + 1], tells[#tells + 1] = where_filter(looked_at, flags.where) end

  local function is_meant(run)
    for _, filter in ipairs(filters) do
      if not filter(run) then return false end
    end
    return true
  end

  function chosen.each()
    local next_run = selection.pages(looked_at, which)
    return function()
      for run in next_run do
        if is_meant(run) then
          local version = by_number[run.journey] or { name = "?", version = "?" }
          run.journey, run.version = version.name, version.version
          return run
        end
      end
      for _, tell in ipairs(tells) do tell() end
      tells = {} -- once
    end
  end

  return chosen
end

-- The versions of one journey in a state, and the one that `flag` names, or nil. Fails where there is none.
function selection.journey(looked_at, path, name, flag)
  local versions = versions_of(looked_at:versions(), name, path)
  return versions, flag and version_named(versions, flag)
end

return selection
