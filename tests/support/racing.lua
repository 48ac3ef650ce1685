-- For specs of an event and the time when it is too late for it, at the same moment, with crashes between: one of the
-- two wins, and the run knows the same winner whenever it comes back.
--
-- An engine in the spec's own process dies after some number of records, as if the process had ended, and another goes
-- on with the state; again and again, until all have ended.

local bundle = require "jaunt.project.bundle"
local dice = require "dice"
local engine = require "jaunt.native.engine"
local json = require "json"
local launch = require "jaunt.run.launch"
local oracles = require "oracle"
local project = require "jaunt.project"
local running = require "running"

local racing = {}

local START_MS = 1764061200000 -- 2025-11-25T09:00:00Z, of a virtual clock
local WAIT_MS = 100
local OFF_MS = { -1, 0, 1 }    -- how long after the deadline the event comes, on a virtual clock

local JOURNEY = [[
return journey "race" { flow = function(person)
  local paid = wait_for("paid", { within = person.within })
  local winner = paid and "event" or "time"
  call_api "won" { via = "vendor", POST = "/won", json = { id = person.id, winner = winner } }
  wait(person.later)
  call_api "again" { via = "vendor", POST = "/again", json = { id = person.id, winner = paid and "event" or "time" } }
end }]]

local function start_engine(race, start_ms, die_after)
  return launch.engine(race.gathered, race.found, {
    workers = 2, in_flight = #race.people + 1, seed = 1, state = race.state, virtual = race.virtual or false, start_ms = start_ms,
    reroute = race.vendor.url, events = true, die_after = die_after,
  })
end

-- One life. Returns whether it died, its clock, and its report.
local function live(race, start_ms, die_after)
  local alive <close> = start_engine(race, start_ms, die_after)
  for _, person in ipairs(race.people) do alive:admit(person.id, json.encode(person), "{}") end
  alive:admission_over()
  local next_event = 1
  local function feed()
    while race.events[next_event] and alive:wants_event() do
      local event = race.events[next_event]
      if not race.virtual or event.at >= start_ms then alive:event(event.at, event.id, "paid", event.json) end
      next_event = next_event + 1
    end
    if not race.events[next_event] and not alive:finished() then alive:events_over() end
  end
  repeat
    if next_event <= #race.events then feed() end
    alive:wait(WAIT_MS)
  until alive:finished()
  local seen = alive:look()
  alive:stop(0)
  return seen.records > die_after, seen.logical_ms, alive:report()
end

-- Everybody's own deadline, in an order that has nothing to do with that of their entry.
local function make_people(race, count, begin_ms, first_ms, later)
  for i = 1, count do
    local after_ms = first_ms + i * 7919 % count // 4
    local id = "p" .. i
    local off = race.virtual and OFF_MS[i % #OFF_MS + 1] or 0
    local at = begin_ms + after_ms + off
    race.people[i] = { id = id, within = after_ms / 1000, later = later }
    race.expected[id] = race.virtual and (off < 0 and "event" or "time") or nil
    local data = { n = i, meta = { id = "e" .. i, name = "paid", time = at / 1000 } }
    race.events[i] = { at = at, id = id, json = json.encode(data) }
  end
  table.sort(race.events, function(a, b) return a.at < b.at or (a.at == b.at and a.id < b.id) end)
end

-- Who won, by person, as one of the two calls told; each person has made it once, under one key.
local function winners(race, oracle, path)
  local found = {}
  for _, item in ipairs(oracle.items) do
    if item.path == path then
      local told = json.decode(item.body)
      oracle.want(not found[told.id], "%s: %s was called twice", path, told.id)
      found[told.id] = told.winner
    end
  end
  for _, person in ipairs(race.people) do
    oracle.want(found[person.id], "%s: %s was not called", path, person.id)
  end
  return found
end

local function check_winners(race, oracle)
  local won, again = winners(race, oracle, "/vendor/won"), winners(race, oracle, "/vendor/again")
  local events = 0
  for id, winner in pairs(won) do
    if winner == "event" then events = events + 1 end
    oracle.want(again[id] == winner, "%s: %s won, and later %s", id, winner, again[id])
    local expected = race.expected[id] or winner
    oracle.want(expected == winner, "%s: %s won instead of %s", id, winner, expected)
  end
  return events
end

-- `count` races on one state. On a virtual clock it is known who wins, crash or no crash; on the real one it is a race.
-- Returns how many events won.
local function run_batch(oracle, draw, count, virtual)
  local folder = running.project { ["journeys/race.lua"] = JOURNEY }
  local found = project.need(folder)
  local vendor = running.vendor()
  local race = {
    found = found, gathered = bundle.gather(folder .. "/journeys/race.lua", found), vendor = vendor, virtual = virtual,
    state = folder .. "/state.db", people = {}, events = {}, expected = {},
  }
  local clock = virtual and START_MS or engine.now_ms()
  make_people(race, count, clock, virtual and 3600000 or 1500, virtual and "1h" or "50ms")
  local died, report
  repeat
    died, clock, report = live(race, clock, draw(count))
    if died then oracle.fault() end
  until not died
  oracle.vendor(vendor)
  oracle.ended(report, count)
  oracle.journals(race.state)
  local events = check_winners(race, oracle)
  vendor.stop()
  return events
end

-- Runs so many races, a batch on one state at a time, whole ones. Returns how many of them the event has won.
function racing.check(what, races, batch, virtual)
  local oracle, events, draw = oracles.new(), 0, dice(races + batch)
  races = races // batch * batch
  for _ = 1, races // batch do events = events + run_batch(oracle, draw, batch, virtual) end
  print(("%s: %d races, %d won by the event, %d by the time"):format(what, races, events, races - events))
  oracle.tell(what)
  return events
end

return racing
