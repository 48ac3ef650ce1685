-- For specs of states, and of what operators do: a project with one journey, "trip", whose state is state.db, and the
-- commands on it.

local helper = require "helper"
local json = require "json"
local running = require "running"
local socket = require "jaunt.native.socket"

local repairing = {}

repairing.STATE = "sqlite:state.db"
repairing.FIRST, repairing.LATER = "2026-11-25T09:00:00Z", "2026-11-26T09:00:00Z" -- of the runs that rehearse it

function repairing.people(count)
  local lines = { "id" }
  for i = 1, count do lines[#lines + 1] = "p" .. i end
  return table.concat(lines, "\n") .. "\n"
end

function repairing.journey(flow, fields)
  return ("return journey \"trip\" { %s flow = function(person, event)\n%s\nend }\n"):format(fields or "", flow)
end

local function rehearse(folder, ...)
  local result = running.run(folder, "trip", "--people", "people.csv", "--state", repairing.STATE, "--json", "--seed", "7", ...)
  assert(result.report, result.err)
  assert(result.report.entered == running.ledger(result.report), "the ledger does not add up")
  return result.report, result
end

-- Rehearses it on the state. A run that begins later goes on with a later `start`. Returns the report, and the result.
function repairing.go(folder, start, ...)
  return rehearse(folder, "--start", start, ...)
end

-- Everybody enters, waits, and the process ends while they do: the virtual clock of the first run never gets there.
function repairing.stop_while_waiting(folder, ...)
  return repairing.go(folder, repairing.FIRST, "--until", "2026-11-25T10:00:00Z", ...)
end

-- A vendor.lua (or a behaviour file) that answers these people's calls at a path with a status: { ["POST /x"] = { p1 = 422 } }.
function repairing.behaviour(refusals)
  local lines = {}
  for route, people in pairs(refusals) do
    lines[#lines + 1] = ("[%q] = function(r) local s = (%s)[r.json.id] if s then return s, {} end end"):format(route,
      repairing.literal(people))
  end
  return ("return { vendor = { %s } }\n"):format(table.concat(lines, ",\n"))
end

function repairing.literal(people)
  local parts = {}
  for id, status in pairs(people) do parts[#parts + 1] = ("[%q] = %d"):format(id, status) end
  return "{ " .. table.concat(parts, ", ") .. " }"
end

-- Until the runtime answers: the file alone may be one that a killed process has left.
function repairing.wait_for_answer(path, process)
  running.wait_for("the runtime's answer", function()
    assert(running.lives(process.pid), helper.read_file(process.err))
    local link <close> = socket.connect(path)
    if not link then return nil end
    link:send '{"command":"hello"}'
    return link:receive()
  end)
end

-- A project; `refusals` as above. In it, methods:
--   run(...)          rehearses on the state; its report
--   jaunt(...)        any command on the state: { code =, out =, err = }
--   command(...)      the same with --json: the object, and the whole result
--   refuse(refusals)  the vendor's new mind
function repairing.project(flow, options)
  options = options or {}
  local self = { folder = running.project {
    ["journeys/trip.lua"] = repairing.journey(flow, options.fields),
    ["people.csv"] = repairing.people(options.count or 8),
    ["vendor.lua"] = repairing.behaviour(options.refusals or {}),
  } }

  function self.run(...) return rehearse(self.folder, ...) end

  function self.jaunt(...)
    return helper.sh("env -C " .. helper.quote(self.folder) .. " " .. helper.jaunt_words(...))
  end

  function self.command(...)
    local words = { ... }
    words[#words + 1] = "--json"
    local result = self.jaunt(table.unpack(words))
    return result.out ~= "" and json.decode(result.out) or nil, result
  end

  function self.refuse(refusals) helper.write_file(self.folder .. "/vendor.lua", repairing.behaviour(refusals)) end

  -- What --trace has written: by element, by person, a list of calls.
  function self.calls(name)
    local found = {}
    for line in helper.read_file(self.folder .. "/" .. name):gmatch("[^\n]+") do
      local call = json.decode(line)
      found[call.element] = found[call.element] or {}
      found[call.element][call.person] = found[call.element][call.person] or {}
      table.insert(found[call.element][call.person], call)
    end
    return found
  end

  -- A live run on the state, until `reached(report of jaunt runs --json, by person)` is true; see running.start.
  function self.live(env, reached, ...)
    local process = running.start(self.folder, { env = env or {} }, "trip", "--people", "people.csv", "--state", repairing.STATE,
      "--live", "--yes", "--json", ...)
    repairing.wait_for_answer(self.folder .. "/state.db.sock", process)
    if reached then self.wait_for(reached) end
    return process
  end

  -- A live run on the state, to its end; see running.run.
  function self.run_live(env, ...)
    return running.run(self.folder, { env = env or {} }, "trip", "--people", "people.csv", "--state", repairing.STATE,
      "--live", "--yes", "--json", ...)
  end

  -- Where everybody is: { PERSON = { state =, element =, reason = } }; and how many are in each state.
  function self.where()
    local found, counts = {}, {}
    for line in self.jaunt("runs", "trip", "--state", repairing.STATE, "--json").out:gmatch("[^\n]+") do
      local run = json.decode(line)
      if not found[run.person] then found[run.person] = run end
      counts[run.state] = (counts[run.state] or 0) + 1
    end
    return found, counts
  end

  function self.wait_for(reached)
    return running.wait_for("the runs to get there", function() return reached(self.where()) end)
  end

  return self
end

return repairing
