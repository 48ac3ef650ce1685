-- Walks people through a journey, pretending, to see what an element sends: a rehearsal without a word, in which the
-- worker tells what payloads are rendered from (jaunt.worker, with `pretends`).
--
-- Where somebody does not come to the element as things are, more is pretended, little by little: another branch of a
-- split, a vendor that fails, no events, other dice of the vendors.

local bundle = require "jaunt.project.bundle"
local connections = require "jaunt.project.connections"
local engine = require "jaunt.native.engine"
local json = require "json"
local keys = require "jaunt.base.keys"
local launch = require "jaunt.run.launch"
local mistakes = require "jaunt.base.mistakes"
local now_mono = require "jaunt.native.control".now_mono
local shell = require "jaunt.base.shell"

local walk = {}

local WALKS_MOST = 60
local TIME_MOST = 5000             -- milliseconds of real time for all walks of a journey
local DAY = 24 * 3600000           -- milliseconds
local LONGEST = 400 * DAY          -- of a journey's time, one walk
local STAGES = { DAY // 24, DAY // 2, 6 * DAY, 60 * DAY, LONGEST } -- the same, of a journey that may go on for ever
local STEPS_ENOUGH = 500           -- of all people in one walk: then it is not begun again with the next stage
local STEPS_MOST = 30000           -- of all people in all walks of such a journey
local WAIT_MS = 50
local SEEDS = 12                   -- how many kinds of luck with the vendors are tried

---------------------------------------------------------------------------------------------- one walk

-- The project's connections; what is meant for some of them goes to another vendor.
local function connections_of(trip, failing, failing_url)
  local list, unwell = connections.read(trip.found, trip.variable), {}
  for _, connection in ipairs(list) do
    if failing[connection.name] then unwell[#unwell + 1] = connection end
  end
  if failing_url then connections.reroute(unwell, failing_url) end
  return list
end

local function start_engine(trip, pretended, longest, url, failing_url)
  local described = json.decode(trip.gathered.text)
  described.pretends = next(pretended.branches) and pretended.branches or json.decode("{}")
  return launch.engine(trip.gathered, trip.found, {
    bundle = json.encode(described), in_flight = 100000, seed = pretended.seed, start_ms = trip.start_ms,
    until_ms = trip.start_ms + longest, reentry_ms = -1, connections = connections_of(trip, pretended.failing, failing_url),
    reroute = url, traces = true, events = pretended.events, save_below = trip.saved and trip.saved.path or ".",
  })
end

-- What is told while people walk: calls, what their payloads were rendered from, splits, complaints.
local function listener()
  local heard = { calls = {}, rendered = {}, splits = {}, via = {}, warnings = {} }

  local function tell(trace)
    local person, told = trace.person, trace.told
    if told and told.split then
      heard.splits[told.split] = keys.sorted(told.branches)
    elseif told then
      heard.rendered[person] = trace
    else
      local rendered = heard.rendered[person]
      heard.rendered[person] = nil
      if rendered and rendered.element == trace.element then trace.told = rendered.told end
      if trace.via then heard.via[trace.via] = true end
      heard.calls[person] = heard.calls[person] or {}
      table.insert(heard.calls[person], trace)
    end
  end

  function heard.listen(running)
    for kind, text in running.message, running do
      if kind == "trace" then tell(json.decode(text))
      elseif kind == "warning" then heard.warnings[#heard.warnings + 1] = text end
    end
  end

  -- Who has no call after what was rendered was held by it.
  function heard.finish()
    for person, trace in pairs(heard.rendered) do
      heard.calls[person] = heard.calls[person] or {}
      table.insert(heard.calls[person], trace)
    end
  end
  return heard
end

local function feed_events(running, file, start_ms)
  local reader = require("jaunt.project.events").open(file, start_ms, function() end)
  local event = reader.next()
  while event do
    running:event(event.at, event.person, event.name, event.json)
    event = reader.next()
  end
end

-- Whether each of them has come to a call that is wanted.
local function have_all_come(people, heard, wanted)
  for _, one in ipairs(people) do
    local came = false
    for _, call in ipairs(heard.calls[one.id] or {}) do came = came or wanted(call) end
    if not came then return false end
  end
  return true
end

-- One walk of some people, as far as is wanted, and for `longest` milliseconds of the journey's time. Returns what was
-- heard, and the engine's report.
local function go(trip, people, pretended, longest, wanted)
  local vendor <close> = launch.vendor(trip.found, { seed = pretended.seed })
  local failing <close> = next(pretended.failing) and launch.vendor(trip.found, { seed = pretended.seed, fail = 1 }) or nil
  local running <close> = start_engine(trip, pretended, longest, vendor:url(), failing and failing:url())
  for _, one in ipairs(people) do running:admit(one.id, one.profile, one.event_text) end
  running:admission_over()
  if pretended.events then
    feed_events(running, trip.events, trip.start_ms)
    running:events_over()
  end
  local heard = listener()
  repeat
    running:wait(WAIT_MS)
    heard.listen(running)
  until running:finished() or have_all_come(people, heard, wanted) or now_mono() > trip.until_then
  running:stop(0)
  heard.listen(running)
  heard.finish()
  return heard, running:report()
end

---------------------------------------------------------------------------------------------- what else to pretend

local function copy(set)
  local made = {}
  for key, value in pairs(set) do made[key] = value end
  return made
end

-- A pretence as words: `"reminder copy" takes plain`, `whatsapp fails`; nil where nothing but a rehearsal is pretended.
local function in_words(pretended, trip)
  local words = {}
  for _, split in ipairs(keys.sorted(pretended.branches)) do
    words[#words + 1] = ("\"%s\" takes %s"):format(split, pretended.branches[split])
  end
  for _, name in ipairs(keys.sorted(pretended.failing)) do words[#words + 1] = name .. " fails" end
  if trip.events and not pretended.events then words[#words + 1] = "no events come" end
  if pretended.seed > 1 then words[#words + 1] = ("the vendors answer as with --seed %d"):format(pretended.seed) end
  return #words > 0 and table.concat(words, ", ") or nil
end

-- What may be pretended after a walk, beside what was: a list, the likeliest first.
local function further(pretended, heard)
  local list = {}
  local function with(change)
    local more = copy(pretended)
    more.branches, more.failing = copy(pretended.branches), copy(pretended.failing)
    change(more)
    list[#list + 1] = more
  end
  for _, split in ipairs(keys.sorted(heard.splits)) do
    if not pretended.branches[split] then
      for _, branch in ipairs(heard.splits[split]) do with(function(more) more.branches[split] = branch end) end
    end
  end
  for _, name in ipairs(keys.sorted(heard.via)) do
    if not pretended.failing[name] then with(function(more) more.failing[name] = true end) end
  end
  if pretended.events then with(function(more) more.events = false end) end
  return list
end

-- The same as the first pretence, with other dice of the vendors'.
local function other_luck(pretended)
  local lucky = {}
  for seed = 2, SEEDS do lucky[seed - 1] = { branches = {}, failing = {}, events = pretended.events, seed = seed } end
  return lucky
end

local function signature(pretended)
  return json.encode { pretended.branches, keys.sorted(pretended.failing), pretended.events, pretended.seed }
end

---------------------------------------------------------------------------------------------- all walks

-- The elements that a journey's report and its script name, sorted.
local function element_names(trip, reports)
  local names = {}
  for _, report in ipairs(reports) do
    for _, element in ipairs(report.elements) do names[element.name] = true end
  end
  local main, modules = table.unpack(trip.gathered.sources)
  local texts = { main.text }
  for _, module in pairs(modules) do texts[#texts + 1] = module.text end
  for name in table.concat(texts, "\n"):gmatch("call_api%s*%(?%s*\"([^\"\n]+)\"") do names[name] = true end
  return keys.sorted(names)
end

-- A search for calls: one walk after another, with the likeliest pretence first.
local search = {}
search.__index = search

-- Notes what else may be pretended, where that was not thought of before.
function search:plan(list)
  for _, pretended in ipairs(list) do
    local key = signature(pretended)
    if not self.seen[key] then self.queue[#self.queue + 1] = pretended end
    self.seen[key] = true
  end
end

-- Takes from a walk the calls that were searched for, and who is still missing. The first walk tells how far people come.
function search:look(heard, pretended)
  local still = {}
  for _, one in ipairs(self.missing) do
    local came = {}
    for i, call in ipairs(heard.calls[one.id] or {}) do
      came[i] = call.element
      if not self.calls[one.id] and self.wanted(call) then
        self.calls[one.id] = { call = call, pretended = in_words(pretended, self.trip) }
      end
    end
    self.came[one.id] = self.came[one.id] or came
    if not self.calls[one.id] then still[#still + 1] = one end
  end
  self.missing = still
end

-- One walk. Returns whether there may be another.
function search:step()
  local pretended = table.remove(self.queue, 1)
  if not pretended then return false end
  local heard, report = go(self.trip, self.missing, pretended, LONGEST, self.wanted)
  self:look(heard, pretended)
  self:plan(further(pretended, heard))
  self.reports[#self.reports + 1] = report
  if #self.reports == 1 then
    self.warnings = heard.warnings
    self:plan(other_luck(pretended))
  end
  return #self.missing > 0 and #self.reports < WALKS_MOST and now_mono() < self.trip.until_then
end

-- What all walks of one journey have in common; its folder `saved`, if it has one, is closed by whoever asked.
local function new_trip(found, path, options)
  local gathered = bundle.gather(path, found)
  if gathered.kind ~= "journey" then mistakes.fail("%s is no journey", path) end
  return {
    found = found, gathered = gathered, events = options.events, variable = options.variable,
    saved = gathered.text:find("save_to", 1, true) and shell.temp_folder() or nil,
    until_then = now_mono() + (options.time_most or TIME_MOST),
    start_ms = options.start_ms or options.events and require("jaunt.project.events").first_time(options.events)
      or engine.now_ms() // 1000 * 1000,
  }
end

local function first_pretence(options)
  return { branches = {}, failing = {}, events = options.events ~= nil, seed = 1 }
end

-- Walks `people` (see jaunt.project.people) through the journey whose script is at `path`, until each has come to a
-- call that `wanted(call)` says yes to. A call is what a trace describes: person, element, via, method, url, headers,
-- body; and told = { payload =, now =, person =, event =, vars = } where it has a payload (url and body are missing
-- where that could not be rendered).
-- options: start_ms (now, by default), events = a file of events, time_most (milliseconds of real time for all walks),
-- variable (see jaunt.project.connections.read).
-- Returns { calls = { ID = { call =, pretended = (words, or nil) } }, came = { ID = { element, … } } (with nothing more
-- pretended), elements = (all that are known, sorted), warnings = (of the scripts), journey = name, waits = (whether its
-- scripts wait for events) }.
function walk.to(found, path, people, wanted, options)
  local trip = new_trip(found, path, options)
  local _ <close> = trip.saved
  local self = setmetatable({
    trip = trip, missing = people, wanted = wanted, queue = {}, seen = {}, calls = {}, came = {}, reports = {},
  }, search)
  self:plan { first_pretence(options) }
  while self:step() do end
  return {
    calls = self.calls, came = self.came, elements = element_names(trip, self.reports), warnings = self.warnings,
    journey = trip.gathered.name, waits = trip.gathered.text:find("wait_for", 1, true) ~= nil,
  }
end

local function never() return false end

local function is_over(report) return report.running + report.queued + report.waiting == 0 end

local function steps_of(report)
  local count = 0
  for _, element in ipairs(report.elements) do count = count + element.reached end
  return count
end

-- One walk to the end. That of a journey that may go on for ever is begun again for a longer and longer time of the journey's,
-- until everybody has come to an end, or they have taken enough steps: so it is as long on a slow machine as on a fast one.
-- Returns what was heard, the engine's report, and how many steps that took.
local function go_to_the_end(trip, people, pretended, is_endless)
  local taken = 0
  for _, longest in ipairs(is_endless and STAGES or { LONGEST }) do
    local heard, report = go(trip, people, pretended, longest, never)
    local steps = steps_of(report)
    taken = taken + steps
    if is_over(report) or longest == LONGEST or steps >= STEPS_ENOUGH or now_mono() > trip.until_then then
      return heard, report, taken
    end
  end
end

-- Walks all `people` to the end, again and again, each time with something else pretended, until `enough` says so or nothing
-- else is left to pretend. enough(calls, report, pretended) is asked after each walk: { ID = { call, … } } as above, the
-- engine's report, and the pretence in words (nil: nothing but a rehearsal). options: as above; endless = true of a journey
-- that is known to go on for ever, which the first walk shows, too: of it no more is walked than is good; look_on(number),
-- called before each walk.
-- Returns whether all was tried that was needed.
function walk.all(found, path, people, enough, options)
  local trip = new_trip(found, path, options)
  local _ <close> = trip.saved
  local self = setmetatable({ trip = trip, queue = {}, seen = {} }, search)
  self:plan { first_pretence(options) }
  local endless, steps = options.endless, 0
  for walked = 1, WALKS_MOST do
    local pretended = table.remove(self.queue, 1)
    if not pretended then return true end
    if options.look_on then options.look_on(walked) end
    local heard, report, taken = go_to_the_end(trip, people, pretended, endless or walked == 1)
    if enough(heard.calls, report, in_words(pretended, trip)) then return true end
    self:plan(further(pretended, heard))
    if walked == 1 then self:plan(other_luck(pretended)) end
    endless, steps = endless or not is_over(report), steps + taken
    if endless and steps > STEPS_MOST or now_mono() > trip.until_then then break end
  end
  return #self.queue == 0
end

return walk
