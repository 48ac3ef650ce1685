-- The world of one test: its time, its pretend vendors, and the journeys that people were let into.
--
-- Each journey has an engine of its own, on a virtual clock and with a state that is gone at the end. Time stands still but for
-- world:clock: what is due by then happens.

local bundle = require "jaunt.project.bundle"
local connections = require "jaunt.project.connections"
local elements = require "jaunt.lua.elements"
local engine = require "jaunt.native.engine"
local json = require "json"
local launch = require "jaunt.run.launch"
local mistake = require("jaunt.testing.mistake").raise
local nearest = require "jaunt.base.nearest"
local pretence = require "jaunt.testing.pretence"
local project = require "jaunt.project"
local samples = require "jaunt.project.people"
local states = require "jaunt.native.state"
local story = require "jaunt.state.story"

local world = {}
world.__index = world

local START_MS = 1795597200000 -- 2026-11-25T09:00:00Z, a Wednesday
local WAIT_MS = 100
local SEED = 1
local ENDINGS = { "", "-wal", "-shm", ".lock", ".audit" }

-- A world of the project in `folder` (where one stands, by default).
function world.new(folder)
  local self = setmetatable({ found = project.need(folder), stages = {}, people = {}, now_ms = START_MS, told = 0 }, world)
  self.list = connections.read(self.found)
  self.vendors = pretence.start(self.found, self.list, SEED)
  return self
end

---------------------------------------------------------------------------------------------- journeys

local function start(self, gathered, state)
  return launch.engine(gathered, self.found, {
    seed = SEED, state = state, sync = "normal", start_ms = self.now_ms, until_ms = self.now_ms, connections = self.list,
    reroute = self.vendors:url(), events = true,
  })
end

-- Lets everything happen that is due by `to_ms`.
local function settle(stage, to_ms)
  stage.engine:advance(to_ms)
  while not stage.engine:finished() do stage.engine:wait(WAIT_MS) end
end

-- The engine of a journey, started at need: { engine =, state = path, gathered = }.
function world:stage(journey)
  local known = self.stages[journey]
  if known then return known end
  local path = project.script(journey, self.found)
  local gathered = bundle.gather(path, self.found, nil, 1)
  if not gathered.declared then error(("%s holds no journey"):format(path), 0) end
  local state = os.tmpname()
  os.remove(state)
  local made = { state = state, gathered = gathered, engine = start(self, gathered, state) }
  made.engine:admission_over()
  made.engine:events_over()
  self.stages[journey] = made
  return made
end

---------------------------------------------------------------------------------------------- people

-- A person's id and attributes: a table with an id, or the id of a sample.
function world:person(who)
  if who == nil then error("there is no person: it takes a table with an id, or the id of a sample", 0) end
  if type(who) == "table" then
    if who.id == nil then error("a person is a table with an id, or the id of a sample", 0) end
    return { id = tostring(who.id), person = who, event = {} }
  end
  self.samples = self.samples or samples.files(self.found)
  return (samples.named(tostring(who), self.samples, {}))[1]
end

-- The person's newest run: a row of jaunt.native.state's runs(), with its story; nil where there is none.
local function newest_run(stage, id)
  local reader <close> = states.open(stage.state)
  local row = reader:runs({ person = id, most = 1 })[1]
  if row then row.story = story.of(reader, row) end
  return row
end

-- What stands in the state of a run by now: its row with the story.
function world:look(run)
  if type(run) ~= "table" or not run.journey then
    mistake("a run is what enter gives (nil where nobody was let in), not %s", type(run) == "string"
      and ("%q"):format(run) or "a " .. type(run))
  end
  local stage = self:stage(run.journey)
  local reader <close> = states.open(stage.state)
  return story.look(reader, run.number, run.person) or error(("the state has no run %s any more"):format(run.number), 0)
end

-- Complains of an element that the run's journey does not have: what is said of it would be true of any run.
function world:need_element(run, name)
  if type(name) ~= "string" then mistake("an element's name is a text, not a %s", type(name)) end
  local source = self:stage(run.journey).gathered.sources[1]
  local list, all = elements.of(source)
  local names = {}
  for i, element in ipairs(list) do
    if element.name == name then return end
    names[i] = element.name
  end
  if all then mistake("%s has no element %q%s", source.path, name, nearest.hint(name, names)) end
end

local function merged(first, second)
  local all = {}
  for key, value in pairs(first) do all[key] = value end
  for key, value in pairs(second) do all[key] = value end
  return all
end

-- Lets a person into a journey, with the data of the event that does it (over those of the sample, if it is one). Returns the run:
-- { journey =, person = (the id), attributes =, number = }; nil where the person may not enter.
function world:enter(journey, who, event)
  local stage, person = self:stage(journey), self:person(who)
  local before = newest_run(stage, person.id)
  stage.engine:admit(person.id, json.encode(person.person), json.encode(merged(person.event, event or {})))
  settle(stage, self.now_ms)
  local row = newest_run(stage, person.id)
  if not row or (before and before.run == row.run) then return nil end
  return { journey = journey, person = person.id, attributes = person.person, number = row.run }
end

-- An event comes for a person, in all journeys.
function world:happens(name, who, data)
  local id = type(who) == "table" and (who.person or who.id) or who
  self.told = self.told + 1
  local event = merged(data or {}, { meta = { id = "event-" .. self.told, name = name, time = self.now_ms / 1000 } })
  for _, stage in pairs(self.stages) do
    stage.engine:event(self.now_ms, tostring(id), name, json.encode(event))
    settle(stage, self.now_ms)
  end
end

---------------------------------------------------------------------------------------------- time

-- Goes on by a duration ("+2h"), or to a time ("2026-11-30 09:00", "mon 09:00"; in UTC): what is due by then happens.
-- Returns the time, in milliseconds.
function world:clock(text)
  local ms, why
  if text:find("^%+") then
    ms, why = engine.duration(text:sub(2))
    ms = ms and self.now_ms + ms
  else
    ms, why = engine.moment(text, "UTC", self.now_ms)
    if not ms and engine.duration(text) then why = ("to go on by so long, it is clock \"+%s\""):format(text) end
  end
  if not ms then error(("clock: %s"):format(why), 0) end
  if ms < self.now_ms then error(("clock: %s has passed: it is %s"):format(text, engine.rfc3339(self.now_ms)), 0) end
  self.now_ms = ms
  for _, stage in pairs(self.stages) do settle(stage, ms) end
  return ms
end

-- Sets the time before anybody is let in.
function world:starts_at(text)
  if next(self.stages) then error("starts_at comes before the first person is let in; clock moves the time later", 0) end
  local ms, why = engine.moment(text, "UTC", self.now_ms)
  if not ms then error(("starts_at: %s"):format(why), 0) end
  self.now_ms = ms
end

---------------------------------------------------------------------------------------------- end

-- Calls visit(journey, gathered, reader) with what each journey has left, and ends the world.
function world:close(visit)
  for journey, stage in pairs(self.stages) do
    stage.engine:stop(0)
    if visit then
      local reader <close> = states.open(stage.state)
      visit(journey, stage.gathered, reader)
    end
    for _, ending in ipairs(ENDINGS) do os.remove(stage.state .. ending) end
  end
  self.vendors:stop()
  self.stages = {}
end

return world
