-- For specs of journeys: what happens to a person when the process ends at any moment.
--
-- testing.crash_everywhere(journey, person, options) sends one person through a journey against the project's pretend vendor,
-- on a virtual clock, once undisturbed, and then once for each record of the journal: as if the process ended right after
-- it, and was started again on the same state. Every time the story has to be the same: the same calls under the same keys
-- with the same bodies, the same elements, the same end. Raises an error that tells the first difference and after which
-- record it came; returns how many moments were tried.
--
--   journey    a journey's name in the project, or the path of its script
--   person     a table with an id
--   options    project = its folder (where one stands, by default), event = { … } of the entry, events = a list of
--              { name =, after = "2h", data = { … } }, also = a list of events that let the person in once more, at the same
--              time, all optional

local bundle = require "jaunt.project.bundle"
local engine = require "jaunt.native.engine"
local json = require "json"
local launch = require "jaunt.run.launch"
local project = require "jaunt.project"

local testing = {}

local START_MS = 1764061200000 -- 2025-11-25T09:00:00Z, a Tuesday
local WAIT_MS = 100
local SEED = 1
local COUNT_ALL = 1 << 60 -- records: more than there are, so that it never dies

local function start_engine(trial, state, start_ms, die_after)
  return launch.engine(trial.gathered, trial.found, {
    in_flight = 10, seed = SEED, state = state, sync = "normal", start_ms = start_ms, reentry_ms = -1,
    reroute = trial.vendor:url(), events = true, die_after = die_after,
  })
end

-- Goes on until all is over, or until it dies. Returns the report, how many records were made, and the clock.
local function go(trial, state, start_ms, die_after)
  local running <close> = start_engine(trial, state, start_ms, die_after)
  for _, event in ipairs(trial.entries) do running:admit(trial.id, trial.profile, event) end
  running:admission_over()
  for _, event in ipairs(trial.events) do
    if event.at >= start_ms then running:event(event.at, trial.id, event.name, event.json) end
  end
  running:events_over()
  while not running:finished() do running:wait(WAIT_MS) end
  local clock = running:look().logical_ms
  running:stop(0)
  return running:report(), clock, running:look().records
end

local STATES = { "running", "queued", "waiting", "held", "completed", "dropped", "exited" }

-- What has to be the same, as lines of text.
local function story_of(trial, report)
  local lines, calls = {}, {}
  for _, item in ipairs(json.decode(trial.vendor:received(true)).items) do
    local key = item.key and item.key ~= json.null and "under " .. item.key
      or ("without a key, accepted %d times"):format(item.accepted)
    calls[#calls + 1] = ("%s %s %s: %s"):format(item.method, item.path, key, item.body)
  end
  table.sort(calls)
  for _, call in ipairs(calls) do lines[#lines + 1] = call end
  for _, element in ipairs(report.elements) do
    local line = ("%s: reached %d, went on %d, dropped %d, held %d"):format(element.name, element.reached, element.went_on,
      element.dropped, element.held)
    for _, reason in ipairs(element.reasons) do line = ("%s, %s (%s)"):format(line, reason.reason, reason.detail) end
    lines[#lines + 1] = line
  end
  if report.converted > 0 then lines[#lines + 1] = ("%d converted"):format(report.converted) end
  for _, name in ipairs(STATES) do
    if report[name] > 0 then lines[#lines + 1] = ("%d %s"):format(report[name], name) end
  end
  return lines
end

local function difference(expected, found)
  for i = 1, math.max(#expected, #found) do
    if expected[i] ~= found[i] then
      return ("without it: %s\n     with it: %s"):format(expected[i] or "(nothing more)", found[i] or "(nothing more)")
    end
  end
end

-- A call whose vendor knows no key may have been under way: then nobody knows, and the journey may go another way from there.
-- All the same nothing may have been accepted twice, and the run has to have come to its end.
local function broken_promise(trial, report)
  local accepted = {}
  for _, item in ipairs(json.decode(trial.vendor:received(true)).items) do
    local call = ("%s %s: %s"):format(item.method, item.path, item.body)
    accepted[call] = (accepted[call] or 0) + item.accepted
    if accepted[call] > 1 then return "it was accepted twice: " .. call end
  end
  for _, state in ipairs { "running", "queued", "waiting" } do
    if report[state] > 0 then return "the run did not come to its end: it is " .. state end
  end
end

local function has_unknown(report)
  for _, element in ipairs(report.elements) do
    for _, reason in ipairs(element.reasons) do
      if reason.reason == "unknown" and reason.detail == "cut" then return true end
    end
  end
  return false
end

-- Runs it once, dying after `die_after` records. Returns what is wrong with it beside the expected story (nil: nothing), its
-- own story, and how many records there were.
local function tell(trial, die_after, expected)
  local state = os.tmpname()
  os.remove(state)
  local vendor <close> = launch.vendor(trial.found, { seed = SEED })
  trial.vendor = vendor
  local report, clock, records = go(trial, state, START_MS, die_after)
  if die_after < COUNT_ALL then report = go(trial, state, clock, COUNT_ALL) end
  for _, ending in ipairs { "", "-wal", "-shm", ".lock" } do os.remove(state .. ending) end
  local story = story_of(trial, report)
  if has_unknown(report) then return broken_promise(trial, report), story, records end
  return expected and difference(expected, story), story, records
end

local function events_of(list)
  local events = {}
  for i, event in ipairs(list or {}) do
    if type(event.name) ~= "string" or type(event.after) ~= "string" then
      error(("event %d: it is { name = \"order_placed\", after = \"2h\", data = { … } }"):format(i), 3)
    end
    local ms, why = engine.duration(event.after)
    if not ms then error(("event %d: after: %s"):format(i, why), 3) end
    local data = {}
    for key, value in pairs(event.data or {}) do data[key] = value end
    data.meta = { id = "e" .. i, name = event.name, time = (START_MS + ms) / 1000 }
    events[i] = { at = START_MS + ms, name = event.name, json = json.encode(data) }
  end
  return events
end

function testing.crash_everywhere(journey, person, options)
  options = options or {}
  local found = project.need(options.project)
  local path = project.script(journey, found)
  local trial = {
    found = found, gathered = bundle.gather(path, found), id = tostring(person.id), profile = json.encode(person),
    entries = { json.encode(options.event or {}) }, events = events_of(options.events),
  }
  for i, event in ipairs(options.also or {}) do trial.entries[i + 1] = json.encode(event) end
  local _, expected, records = tell(trial, COUNT_ALL)
  for after = 1, records - 1 do
    local what = tell(trial, after, expected)
    if what then
      error(("journey %s: the process ended after record %d of %d, and the story is another one:\n  %s"):format(journey, after,
        records, what), 2)
    end
  end
  return records - 1
end

return testing
