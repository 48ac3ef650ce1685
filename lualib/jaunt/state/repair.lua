-- What redrive, move and end have in common: who is meant, what would become of them, whether that is wanted, and the
-- doing; and what pause and resume have in common.

local control = require "jaunt.state.control"
local figures = require "jaunt.base.figures"
local json = require "json"
local keys = require "jaunt.base.keys"
local mistakes = require "jaunt.base.mistakes"
local selection = require "jaunt.state.selection"
local shell = require "jaunt.base.shell"
local term = require "jaunt.base.term"
local times = require "jaunt.base.times"

local repair = {}

local HANDFUL = 5  -- so many people are not asked about
local SAMPLES = 3
local PROGRESS_MS = 200

-- The flags that such a command has beside those of a selection.
repair.FLAGS = {
  { name = "dry-run", help = "says what would happen, with counts and three samples; does nothing" },
  { name = "yes", help = "does not ask" },
  { name = "json", help = "prints one JSON object" },
}

---------------------------------------------------------------------------------------------- whom

-- Fails unless something says who is meant.
local function refuse_everybody(command, journey, flags)
  if journey then return end
  for _, flag in ipairs(selection.flags()) do
    if flag.name ~= "state" and flags[(flag.name:gsub("-", "_"))] then return end
  end
  mistakes.fail("%s needs to know whom: a journey, or a selection such as --reason \"status 503\"; jaunt runs shows whom it means",
    command)
end

-- The selection as it was typed, for the notes.
local function words_of(journey, flags)
  local words = { journey }
  for _, flag in ipairs(selection.flags()) do
    local value = flag.name ~= "state" and flags[(flag.name:gsub("-", "_"))]
    if value then
      words[#words + 1] = "--" .. flag.name
      words[#words + 1] = value:find("^[%w_.,:-]+$") and value or shell.quote(value)
    end
  end
  return term.utf8(table.concat(words, " "))
end

local function reason_of(run)
  if not run.reason then return nil end
  if not run.detail or run.detail == "" then return run.reason end
  return run.reason == "status" and "status " .. run.detail or run.reason
end

-- What runs have in common that are told of together.
local function group_of(run)
  return table.concat({ run.journey, run.element or "", run.state, reason_of(run) or "" }, "\0")
end

-- Counts what is found, by a key.
local function counter(key_of)
  local rows, by_key = {}, {}
  return rows, function(run, ...)
    local key = key_of(run, ...)
    local row = by_key[key]
    if not row then
      row = { count = 0, people = {}, run = run, key = key }
      by_key[key], rows[#rows + 1] = row, row
    end
    row.count = row.count + 1
    if #row.people < SAMPLES then row.people[#row.people + 1] = run.person end
  end
end

local function by_count(rows)
  table.sort(rows, function(a, b)
    if a.count ~= b.count then return a.count > b.count end
    return a.key < b.key
  end)
  return rows
end

-- Takes note of what becomes of runs: take(run, why) with why one is refused, or nil; over() gives to (groups of those to whom it
-- is done), will (their number), samples (a few of them) and refused.
local function fates()
  local to, add = counter(group_of)
  local refused, refuse = counter(function(_, why) return why end)
  local samples, will = {}, 0
  return function(run, why)
    if why then return refuse(run, why) end
    will = will + 1
    add(run)
    if #samples < SAMPLES then samples[#samples + 1] = run end
  end, function()
    return { to = by_count(to), will = will, samples = samples, refused = by_count(refused) }
  end
end

-- Looks at everybody who is meant. `refuses(run)` says why one would be refused, or nil. Returns numbers (of the runs, newest
-- first), groups, journeys (counts by name), count, and fates as above.
local function survey(chosen, refuses)
  local numbers, journeys = {}, {}
  local groups, group = counter(group_of)
  local take, over = fates()
  for run in chosen.each() do
    numbers[#numbers + 1] = run.run
    journeys[run.journey] = (journeys[run.journey] or 0) + 1
    group(run)
    take(run, refuses(run))
  end
  return { numbers = numbers, groups = by_count(groups), journeys = journeys, count = #numbers, fates = over() }
end

---------------------------------------------------------------------------------------------- telling

local function where_of(run)
  local where = run.element and ("%s at \"%s\""):format(run.state, run.element) or run.state
  local reason = reason_of(run)
  return term.one_line(reason and ("%s: %s"):format(where, reason) or where)
end

local function people_of(row)
  local names = {}
  for _, name in ipairs(row.people) do names[#names + 1] = term.one_line(name) end
  if row.count > #names then names[#names + 1] = "…" end
  return table.concat(names, ", ")
end

local function print_groups(found, groups)
  local several = next(found.journeys, next(found.journeys)) ~= nil
  local rows = {}
  for _, row in ipairs(groups) do
    local where = where_of(row.run)
    rows[#rows + 1] = { figures.count(row.count), several and ("%s, %s"):format(row.run.journey, where) or where }
  end
  local width = 0
  for _, row in ipairs(rows) do width = math.max(width, #row[1]) end
  for _, row in ipairs(rows) do print(("  %s  %s"):format((" "):rep(width - #row[1]) .. row[1], row[2])) end
end

local function print_refused(refused, would)
  for _, row in ipairs(refused) do
    term.say(("%s %s refused: %s (%s)"):format(figures.count(row.count),
      would and "would be" or row.count == 1 and "was" or "were", row.key, people_of(row)), 2)
  end
end

local function print_samples(samples)
  if #samples == 0 then return end
  print "for example:"
  for _, run in ipairs(samples) do
    local detail = run.detail and run.detail ~= "" and run.reason ~= "status" and ": " .. term.one_line(run.detail) or ""
    print(("  %s  %s%s, since %s"):format(term.one_line(run.person), where_of(run), detail, times.short(run.since_ms)))
  end
end

local function journeys_in_words(found)
  return table.concat(keys.sorted(found.journeys), ", ")
end

-- The facts as JSON.
local function as_json(command, flags, found, fates_of, lives)
  local groups, samples, left = {}, {}, {}
  for i, row in ipairs(found.groups) do
    groups[i] = { journey = row.run.journey, element = row.run.element or json.null, state = row.run.state,
      reason = row.run.reason or json.null, count = row.count }
    if row.run.reason == "status" then groups[i].detail = row.run.detail end
  end
  for i, run in ipairs(fates_of.samples) do
    samples[i] = { person = run.person, run = run.id, journey = run.journey, version = run.version, state = run.state,
      element = run.element or json.null, reason = run.reason or json.null, detail = run.detail or json.null,
      since = times.rfc3339(run.since_ms) }
  end
  for i, row in ipairs(fates_of.refused) do left[i] = { why = row.key, count = row.count, people = json.array(row.people) } end
  return json.encode { command = command, dry_run = flags.dry_run, meant = found.count, done = fates_of.will, live = lives,
    groups = json.array(groups), samples = json.array(samples), refused = json.array(left) }
end

---------------------------------------------------------------------------------------------- asking

local function confirm(what, found, flags)
  if flags.yes or found.count <= HANDFUL then return end
  local whom = ("%s of %s"):format(figures.of(found.count, "run"), journeys_in_words(found))
  if not term.isatty(0) then
    mistakes.fail("%s %s meant: --yes says that they are to be %s, --dry-run shows them", whom, found.count == 1 and "is" or "are",
      what.past)
  end
  print_groups(found, found.groups)
  io.stderr:write(("%s %s? Type yes: "):format(what.title, whom))
  io.stderr:flush()
  if io.read("l") ~= "yes" then mistakes.fail("nothing was done") end
end

---------------------------------------------------------------------------------------------- doing

-- Shows on a terminal how far it is.
local function progress(what, total)
  if not term.redraws(2) or total <= control.BATCH then return function() end, function() end end
  local now = require("jaunt.native.control").now_mono
  local last = 0
  return function(done)
    if now() - last < PROGRESS_MS then return end
    last = now()
    io.stderr:write(("\r\27[K%s %s of %s"):format(what.doing, figures.count(done), figures.count(total)))
    io.stderr:flush()
  end, function()
    io.stderr:write("\r\27[K")
  end
end

-- The runs of a journey among those that were surveyed, again: an iterator. Both come newest first.
local function surveyed(chosen, found, journey)
  local at = 1
  local next_run = chosen.each()
  return function()
    for run in next_run do
      while found.numbers[at] and found.numbers[at] > run.run do at = at + 1 end
      if found.numbers[at] == run.run and run.journey == journey then return run end
    end
  end
end

-- Acts on those of one journey, `total` of them, in batches; `take(run, why)` is told what became of each.
local function act_on_journey(actor, what, words, runs, total, take, tell)
  local batch, of, bytes = {}, {}, 0
  local function flush()
    if #batch == 0 then return end
    local refused = {}
    for _, one in ipairs(actor.act(what.act or what.command, words, batch, total)) do
      refused[one[1]] = term.one_line(one[3] and ("%s: %s"):format(one[2], one[3]) or one[2])
    end
    for i, run in ipairs(of) do take(run, refused[batch[i][1]]) end
    tell(#batch)
    batch, of, bytes = {}, {}, 0
  end
  for run in runs do
    batch[#batch + 1], of[#of + 1] = { run.run, run.person }, run
    bytes = bytes + #run.person
    if #batch == control.BATCH or bytes > control.BATCH_BYTES then flush() end
  end
  flush()
end

-- Returns what became of them, and the process in which they go on at once, if one does.
local function act_on_all(chosen, found, what, words)
  local take, over = fates()
  local looked_at, lives = 0, nil
  local show, clear = progress(what, found.count)
  local function tell(count)
    looked_at = looked_at + count
    show(looked_at)
  end
  for _, journey in ipairs(keys.sorted(found.journeys)) do
    local actor <close>, why = control.open(chosen.path, chosen.state, journey, what.gather and what.gather(journey))
    if actor then
      lives = actor.lives and actor.pid or lives
      act_on_journey(actor, what, words, surveyed(chosen, found, journey), found.journeys[journey], take, tell)
      actor.close()
    else
      for run in surveyed(chosen, found, journey) do take(run, why .. ": it has to end first") end
    end
  end
  clear()
  return over(), lives
end

local function print_dry(what, found, fates_of)
  print(("%s of %s %s meant:"):format(figures.of(found.count, "run"), journeys_in_words(found), found.count == 1 and "is" or "are"))
  print_groups(found, found.groups)
  local apart = fates_of.will > 0 and fates_of.will < found.count and #found.groups > 1
  print(("%s would be %s%s"):format(figures.count(fates_of.will), what.past, apart and ":" or ""))
  if apart then print_groups(found, fates_of.to) end
  print_refused(fates_of.refused, true)
  print_samples(fates_of.samples)
end

local function print_done(what, found, fates_of, lives)
  if fates_of.will > 0 then
    print(("%s of %s %s%s"):format(figures.of(fates_of.will, "run"), journeys_in_words(found), what.past,
      what.next(lives, fates_of.to)))
  else
    print(("nobody was %s"):format(what.past))
  end
  print_refused(fates_of.refused)
end

local function nobody(what, journey, words)
  local of = journey and " of " .. journey or ""
  if words ~= (journey or "") then return ("no run%s is meant by this; jaunt runs shows who is where"):format(of) end
  return ("no run%s is %s"):format(of, what.usual)
end

-- The whole command. `what` has command, title ("Redrive"), doing, past, next(pid, groups) (what follows for those groups, to whom
-- it was done, in words), outcome (the states that are meant when --outcome is not given; `usual` in words), refuses(state, run,
-- family) (why one would be refused, or nil), act (what is asked for, where that is not the command); and for move gather(journey)
-- (the version to move to) and try (the act that tells whether one could be moved).
function repair.run(what, journey, flags)
  refuse_everybody(what.command, journey, flags)
  local words = words_of(journey, flags)
  flags.outcome = flags.outcome or what.outcome
  local chosen = selection.choose(journey, flags)
  local state_guard <close> = chosen.state
  local families = {}
  for _, version in ipairs(chosen.versions) do families[version.name] = version.family end
  local found = survey(chosen, function(run) -- who would be refused is only asked where it is told
    return flags.dry_run and what.refuses(chosen.state, run, families[run.journey]) or nil
  end)
  if found.count == 0 then
    if flags.json then print(as_json(what.command, flags, found, found.fates, json.null))
    else print(nobody(what, journey, words)) end
    return 1
  end
  if flags.dry_run then
    local fates_of = found.fates
    if what.try then fates_of = act_on_all(chosen, found, setmetatable({ act = what.try }, { __index = what }), words) end
    if flags.json then print(as_json(what.command, flags, found, fates_of, json.null))
    else print_dry(what, found, fates_of) end
    return fates_of.will > 0 and 0 or 1
  end
  confirm(what, found, flags)
  local fates_of, lives = act_on_all(chosen, found, what, words)
  if flags.json then print(as_json(what.command, flags, found, fates_of, lives or json.null))
  else print_done(what, found, fates_of, lives) end
  return fates_of.will == found.count and 0 or 1
end

---------------------------------------------------------------------------------------------- pausing

-- pause and resume. Returns whether it changed something, since when the journey is paused, and the process that heeds it.
function repair.pause(command, journey, flags)
  local looked_at, path = selection.open_state(flags)
  local state_guard <close> = looked_at
  selection.journey(looked_at, path, journey)
  local actor <close>, why = control.open(path, looked_at, journey)
  if not actor then mistakes.fail("%s: it has to end before %s can be %sd", why, journey, command) end
  local changed, since = actor.pause(command)
  local pid = actor.lives and actor.pid
  actor.close()
  return changed, since, pid
end

return repair
