-- .step at the prompt of a runtime: the runs that are held there, one after the other. Each is walked, in a rehearsal,
-- to where it is held, with what its journal has recorded; from there whoever types steps on, and may redrive or end
-- the run itself.

local bundle = require "jaunt.project.bundle"
local control = require "jaunt.native.control"
local json = require "json"
local mistakes = require "jaunt.base.mistakes"
local project = require "jaunt.project"
local selection = require "jaunt.state.selection"
local states = require "jaunt.native.state"
local steps = require "jaunt.repl.steps"
local story = require "jaunt.state.story"
local telling = require "jaunt.testing.telling"
local term = require "jaunt.base.term"

local held = {}

local HELD_MOST = 1000
local LOOK_MS, LOOKS_MOST = 100, 100 -- how a run that was redriven is followed: for ten seconds

local ACTS = {
  words = { r = true, e = true, w = true, n = true, q = true },
  help = "r redrives the run itself, e ends it, w tells its whole story, n takes the next one, q leaves",
}

---------------------------------------------------------------------------------------------- what is in the state

-- The runs that are held, newest first.
local function held_runs(state, journey)
  local chosen = selection.choose(journey, { state = "sqlite:" .. state, outcome = "held" })
  local looked_at <close> = chosen.state
  local rows = {}
  for run in chosen.each() do
    rows[#rows + 1] = run
    if #rows == HELD_MOST then break end
  end
  return rows
end

-- A run as it is by now: see jaunt.state.story; nil where it is gone.
local function look(state, number, person)
  local reader <close> = states.open(state)
  return story.look(reader, number, person)
end

---------------------------------------------------------------------------------------------- its past

local function response_of(entry)
  local answer = entry.answer or {}
  local decoded, value = pcall(json.decode, answer.body or "")
  local headers = {}
  for name, text in (answer.headers or ""):gmatch("([^:\r\n]+):[ \t]*([^\r\n]*)") do headers[name:lower()] = text end
  return {
    ok = entry.result == "ok", failed = entry.result == "failed", unknown = entry.result == "unknown",
    skipped = entry.result == "skipped", status = answer.status, headers = headers, body = answer.body,
    json = decoded and value or nil, attempts = #entry.attempts, ms = answer.ms or 0,
    truncated = answer.truncated or false,
    error = entry.reason and story.reason_words(entry.reason, entry.detail) or nil,
  }
end

-- What an entry of a story answers when the journey comes there again; nil where nothing has come of it.
local function answer_of(entry)
  if entry.what == "call" and entry.result and entry.result ~= "mistake" and entry.result ~= "dropped" then
    return { kind = "call", element = entry.name, how = "recorded", response = response_of(entry) }
  elseif entry.what == "wait" and entry.over_ms and entry.by == "event" then
    return { kind = "wait", how = "feign", data = json.decode(entry.data or "{}") }
  elseif entry.what == "wait" and entry.over_ms then
    return { kind = "wait", how = "skip" }
  elseif entry.what == "split" then
    return { kind = "split", element = entry.name, how = "go", branch = entry.verdict }
  end
end

local STEPS = { call = true, wait = true, split = true }

-- What the run has met since it entered, or began anew: a list of answers. Also the state that it began anew with, and
-- the entry.
local function past_of(entries)
  local past, state, enter = {}, nil, nil
  for _, entry in ipairs(entries) do
    if entry.what == "enter" then enter = entry end
    if entry.what == "restart" then past, state = {}, json.decode(entry.value) end
    if entry.what == "redrive" and entry.from_step then past[#past] = nil end
    if STEPS[entry.what] then past[#past + 1] = answer_of(entry) end
  end
  return past, state, enter
end

---------------------------------------------------------------------------------------------- one run

-- Walks the run to where it is held, and on from there as whoever types wants it. Returns what is to become of it: one
-- of ACTS' words; nil where the journey was left at its end, or can't be walked.
local function walk(at, row, run)
  local found = at.found or project.need()
  local path = project.script(row.journey, found)
  local gathered = bundle.gather(path, found)
  local past, state, enter = past_of(run.story)
  print(at.paint.dim("From here on it is a rehearsal" .. (gathered.version == row.version and ":"
    or (" of the script as it is now; the run itself has version %s until jaunt move:"):format(row.version))))
  local act
  local before = at.session.person
  at.asks = function(what)
    local answer = steps.answer(at, what, ACTS)
    act = answer.act or answer.how == "quit" and "q" or nil
    return answer
  end
  local guard <close> = setmetatable({}, { __close = function()
    at.asks = nil
    at.session:take_person(before)
  end })
  at.session:take_person { id = row.person, profile = enter.profile, event_text = enter.event }
  local main, modules = table.unpack(gathered.sources)
  at:run { step = main, modules = modules, name = path, past = past, state = state }
  return act
end

-- Tells how a run goes on that was redriven, until it comes to rest.
local function follow(at, row, before)
  local now
  for _ = 1, LOOKS_MOST do
    now = look(at.attached, row.run, row.person)
    if not now or now.state ~= "running" and now.state ~= "queued" then break end
    control.sleep(LOOK_MS)
  end
  if not now then return end
  local since = { story = table.move(now.story, #before.story + 1, #now.story, 1, {}) }
  local told = telling.story(since)
  if told ~= "" then print(told) end
  print(("%s is %s"):format(term.one_line(row.person), term.one_line(telling.place(now))))
end

-- Does what was chosen, by `run(command, words)`. Returns whether that run is done with.
local function act_on(at, row, run, act, before)
  local selection_words = { row.journey, "--outcome", "held", "--where", ("id == %q"):format(row.person), "--yes" }
  if act == "w" then
    run("why", { row.person })
    return false
  end
  if act == "r" and run("redrive", selection_words) then follow(at, row, before) end
  if act == "e" then run("end", selection_words) end
  return true
end

-- What is to become of a run that is not walked any further: one of ACTS' words.
local function ask(at)
  while true do
    for _, line in ipairs(term.wrap(ACTS.help, term.width() - 1)) do print(at.paint.dim(line)) end
    local line = at.input:read("? ")
    local act = line and line:match("^%s*(%a)%s*$")
    if not line then return "q" end
    if ACTS.words[act] then return act end
  end
end

-- One run, until it is done with. Returns what was chosen.
local function one(at, row, before, run)
  local ok, act = pcall(walk, at, row, before)
  if not ok then
    io.stderr:write(at.paint_err.red(term.harmless(mistakes.message(act))), "\n")
    act = nil
  end
  act = act or ask(at)
  while not act_on(at, row, run, act, before) do act = ask(at) end
  return act
end

-- Goes through the held runs of the state that the prompt is attached to (of `journey`, or of all). `run(command,
-- words)` does something as that command does, and returns whether it went well. Returns true.
function held.through(at, journey, run)
  local rows = held_runs(at.attached, journey)
  if #rows == 0 then print("nobody is held") end
  for _, row in ipairs(rows) do
    local before = look(at.attached, row.run, row.person)
    if before and before.state == "held" then
      print(("%s  %s, version %s: %s"):format(at.paint.bold(term.one_line(row.person)), row.journey, row.version,
        term.one_line(telling.place(before))))
      print(telling.story(before))
      if one(at, row, before, run) == "q" then return true end
    end
  end
  return true
end

return held
