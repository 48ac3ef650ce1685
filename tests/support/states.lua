-- State files for specs: a small project is rehearsed over people, and what it left is looked at.

local helper = require "helper"
local json = require "json"

local states = {}

local CONNECTIONS = [[return {
  crm = { base_url = "https://crm.example.com/v2", auth = { bearer = secret "CRM_TOKEN" } },
  mail = { base_url = "https://mail.example.com", idempotent = false },
}]]

-- Answers by what the request says: { status = 422 } gives that status; else 201, with the request's key.
local VENDOR = [[
local function answer(request)
  local body = request.json or {}
  if body.fails_first and request.attempt <= body.fails_first then return 503, { error = "busy" } end
  return body.status or 201, { got = request.key, errors = body.status and { "no" } or json.array {} }
end
return { crm = { ["ANY /v2/*"] = answer, ["ANY /*"] = answer }, mail = { ["ANY /*"] = answer } }
]]

-- Rehearses the journey `name`, whose text is `script`, over `people` (a list of tables) into DIR/state.db, and returns a table
-- with folder, path, and run(…): what `jaunt run` gave. `options`: files, flags (a list), start.
function states.make(name, script, people, options)
  options = options or {}
  local folder = options.folder or helper.temp_folder()
  helper.write_file(folder .. "/connections.lua", CONNECTIONS)
  helper.write_file(folder .. "/vendor.lua", options.vendor or VENDOR)
  helper.write_file(("%s/journeys/%s.lua"):format(folder, name), script)
  for file, text in pairs(options.files or {}) do helper.write_file(folder .. "/" .. file, text) end
  local lines = {}
  for i, person in ipairs(people) do lines[i] = json.encode(person) .. "\n" end
  helper.write_file(folder .. "/people.ndjson", table.concat(lines))
  local state = { folder = folder, path = folder .. "/state.db" }

  -- Runs `jaunt COMMAND …` in the project, in a zone of its own, looking at the state.
  function state.ask(...)
    return helper.sh(("cd %s && TZ=UTC %s"):format(helper.quote(folder), helper.jaunt_words({ COLUMNS = "100" }, ...)))
  end

  -- The same, with --state; fails unless it ends with `code` (0). Returns what was printed.
  function state.look(...)
    local words = { ... }
    words[#words + 1], words[#words + 2] = "--state", "sqlite:state.db"
    local result = state.ask(table.unpack(words))
    if result.code ~= 0 then error(("ended with %d: %s%s"):format(result.code, result.err, result.out), 2) end
    return result.out
  end

  -- What it complains of, where it has to.
  function state.complaint(...)
    local words = { ... }
    words[#words + 1], words[#words + 2] = "--state", "sqlite:state.db"
    local result = state.ask(table.unpack(words))
    if result.code ~= 2 or result.out ~= "" then error(("ended with %d: %s%s"):format(result.code, result.err, result.out), 2) end
    return result.err
  end

  -- The rows of `jaunt runs … --json`.
  function state.runs(...)
    local rows = {}
    for line in state.ask("runs", "--state", "sqlite:state.db", "--json", ...).out:gmatch("[^\n]+") do
      rows[#rows + 1] = json.decode(line)
    end
    return rows
  end

  -- The persons of the same, in the order of their names.
  function state.persons(...)
    local names = {}
    for i, row in ipairs(state.runs(...)) do names[i] = row.person end
    table.sort(names)
    return names
  end

  local words = { "run", name, "--people", "people.ndjson", "--state", "sqlite:state.db", "--start",
    options.start or "2026-11-25 09:00", "--json" }
  table.move(options.flags or {}, 1, #(options.flags or {}), #words + 1, words)
  local done = state.ask(table.unpack(words))
  if done.code ~= 0 then error(("the rehearsal ended with %d: %s%s"):format(done.code, done.err, done.out), 2) end
  state.report, state.said = json.decode(done.out:match("[^\n]*\n?$")), done.err
  return state
end

-- A state in which a process was killed: a run waits for a day, one is between two attempts.
states.CRASH = [[
return journey "stopped" { flow = function(person)
  if person.waits then wait "1d" end
  call_api "note" { via = "crm", POST = "/notes", json = { status = 503 }, retry = { attempts = 100 }, within = "30d" }
end }]]

return states
