-- For specs that kill jaunt while it takes old runs out of a state (--keep), again and again: nothing that lives is
-- lost, counters stay, nobody enters again, and in the end all old runs are gone and their room is given back.

local assert = require "luassert"
local dice = require "dice"
local faulty = require "faulty"
local oracles = require "oracle"
local running = require "running"
local states = require "jaunt.native.state"

local sweeping = {}

local START, LATER, MUCH_LATER = "2026-01-01T09:00:00Z", "2026-03-01T09:00:00Z", "2027-03-01T09:00:00Z"
local ONE_LIVES = 10 -- one in so many
local KEPT_FREE = 256 * 8192 -- bytes that stay in the file for what comes next
local TEXT = ("x"):rep(2000)

-- Who is to live waits for most of a year; the others have ended on the first day.
local JOURNEY = [[
return journey "trip" { flow = function(person)
  split "way" { a = 50, b = 50 }
  if person.lives == "yes" then wait "300d" end
end }]]

local function audience(count)
  local lines = { "id,lives,text" }
  for i = 1, count do lines[i + 1] = ("p%d,%s,%s"):format(i, i % ONE_LIVES == 0 and "yes" or "no", TEXT) end
  return table.concat(lines, "\n") .. "\n"
end

local function size_of(path)
  local file <close> = assert(io.open(path, "rb"))
  return file:seek("end")
end

-- How many runs are in the state in each state, and how many were taken out.
local function count_runs(path)
  local looked_at <close> = states.open(path)
  local counts, before = { waiting = 0, completed = 0 }, nil
  repeat
    local runs
    runs, before = looked_at:runs { before = before }
    for _, run in ipairs(runs) do counts[run.state] = counts[run.state] + 1 end
  until not before
  return counts, looked_at:versions()[1].removed or 0
end

-- So many people; it is killed at a write, `least` to `most` of them after its start, until it comes to its end.
-- Returns how often it was.
function sweeping.check(people, least, most)
  local system, oracle = faulty.new(), oracles.new()
  local folder = running.project {
    ["journeys/trip.lua"] = JOURNEY, ["people.csv"] = audience(people), ["nobody.csv"] = "id\n",
  }
  local path, living = folder .. "/state.db", people // ONE_LIVES
  local ended = people - living

  local function words_for(audience_file, start, keep)
    return { "trip", "--people", audience_file, "--state", "sqlite:state.db", "--json", "--start", start,
      "--until", (start:gsub("T09", "T10")), "--keep", keep }
  end

  local function run(...)
    local result = running.run(folder, ...)
    assert(result.report, result.err)
    return result.report
  end

  run(table.unpack(words_for("people.csv", START, "forever")))
  local size, draw, kills, removed = size_of(path), dice(people), 0, 0
  local words, result = words_for("nobody.csv", LATER, "1d"), nil
  repeat
    system.set("dies_at", least - 1 + draw(most - least))
    result = running.run(folder, { env = system.env() }, table.unpack(words))
    if not result.report then
      kills = kills + 1
      oracle.fault()
    end
    local counts, gone = count_runs(path)
    oracle.want(counts.waiting == living, "%d of %d who live are left", counts.waiting, living)
    oracle.want(counts.completed + gone == ended, "%d ended, %d are left, %d went", ended, counts.completed, gone)
    oracle.want(gone >= removed, "%d went, and before that %d", gone, removed)
    removed = gone
  until removed == ended and result.report
  system.set("dies_at", 0)
  local report = run(table.unpack(words)) -- the room of the last
  oracle.want(report.entered == people and report.completed == ended, "the counters are not what they were")
  oracle.passed(report, "way", people)
  local left = size_of(path)
  oracle.want(left <= 2 * size // ONE_LIVES + KEPT_FREE, "the file had %d bytes, and has %d", size, left)
  report = run(table.unpack(words_for("people.csv", MUCH_LATER, "forever")))
  oracle.want(report.already_in == people, "%d of %d are known to have been in", report.already_in, people)
  oracle.ended(report, people)
  assert.equal(people, report.completed)
  oracle.journals(path)
  oracle.tell "kill -9 while old runs are taken out"
  return kills
end

return sweeping
