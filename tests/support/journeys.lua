-- Journeys in a temporary project, run by the binary: what the specs about journeys share.
--
--   local run = journeys.run { flow = "wait '2h' say('later')", people = { { id = "ada" } } }
--   run.completed, run.elements[1].name …     the JSON object that `jaunt run --json` prints
--   run.said                                  what the flow said by say(…), a list in the order of the lines
--   run.err, run.code                         standard error, exit code
--
-- Every run is checked for its ledger: whoever was let in is in exactly one state.

local helper = require "helper"
local json = require "json"

local journeys = {}

local CONNECTIONS = [[return { crm = { base_url = "https://crm.example.com", retry = { attempts = 1 } } }]]
local STATES = { "running", "queued", "waiting", "held", "completed", "dropped", "exited" }

-- helper.write_file starts a process for each file's folder; here they are made together.
local function write(path, text)
  local file = assert(io.open(path, "wb"))
  file:write(text)
  file:close()
  return path
end

-- A project's folder with these files, { ["journeys/t.lua"] = text, … }; connections.lua is there in any case.
function journeys.project(files)
  local root = helper.temp_folder()
  local words = "mkdir"
  for _, folder in ipairs { "journeys", "payloads", "people", "lib" } do
    words = words .. " " .. helper.quote(root .. "/" .. folder)
  end
  os.execute(words)
  write(root .. "/connections.lua", CONNECTIONS)
  for name, text in pairs(files or {}) do write(root .. "/" .. name, text) end
  return root
end

-- The script of a journey "t": `parts` has flow (the function's body), fields (what else stands in the braces) and
-- head (what stands before). Scripts made here say things by say(person.id, …). The flow's first line is line 1.
function journeys.script(parts)
  return ([[local function say(...) print("said", ...) end %s return journey "t" { %s flow = function(person, event) %s
end }]]):format(parts.head or "", parts.fields or "", parts.flow or "")
end

-- People as NDJSON: a list of profiles (a text is an id), or how many: p1, p2, …
function journeys.people(people)
  local lines = {}
  if type(people) == "number" then
    for i = 1, people do lines[i] = ('{"id":"p%d"}'):format(i) end
  else
    for i, person in ipairs(people) do
      lines[i] = json.encode(type(person) == "table" and person or { id = person })
    end
  end
  return table.concat(lines, "\n") .. "\n"
end

-- A list of events as NDJSON; a text stands for itself.
local function event_lines(events)
  local lines = {}
  for i, event in ipairs(events) do lines[i] = type(event) == "table" and json.encode(event) or event end
  return table.concat(lines, "\n") .. "\n"
end

local function said_in(text)
  local said = {}
  for line in text:gmatch("[^\n]+") do
    local rest = line:match("^said\t(.*)$")
    if rest then said[#said + 1] = rest end
  end
  return said
end

-- Entered = running + queued + waiting + held + completed + dropped + exited.
function journeys.assert_adds_up(run)
  local sum = 0
  for _, state in ipairs(STATES) do sum = sum + run[state] end
  assert(run.entered == sum, ("the ledger does not add up: %d entered, %d are somewhere"):format(run.entered, sum))
end

local function words_of(project, options)
  local people = project .. "/people.ndjson"
  write(people, journeys.people(options.people or { "ada" }))
  local words = { "run", options.script or project .. "/journeys/t.lua", "--people", people, "--json",
    "--rejects", project .. "/rejects" }
  local function add(flag, value)
    if value ~= nil then words[#words + 1] = ("--%s=%s"):format(flag, value) end
  end
  if options.events then add("events", write(project .. "/events.ndjson", event_lines(options.events))) end
  add("seed", options.seed ~= false and (options.seed or 1) or nil)
  add("start", options.start or "2026-01-05T08:00:00Z") -- a Monday
  add("workers", options.workers or 2)
  for _, word in ipairs(options) do words[#words + 1] = word end
  return words
end

-- Runs the journey and returns exit code, standard output and error as they are. `options`: what journeys.script takes,
-- or project and script (a path); people, events, seed (1; false: none), start, workers (2), files (more of the project's),
-- env; what stands in the list part are more words for the command line.
function journeys.try(options)
  local files = { ["journeys/t.lua"] = options.text or journeys.script(options) }
  for name, text in pairs(options.files or {}) do files[name] = text end
  local project = options.project or journeys.project(files)
  local done = helper.jaunt(options.env or {}, table.unpack(words_of(project, options)))
  done.said = said_in(done.err)
  done.project = project
  return done
end

-- The same for a run that has to come to its end; see the top.
function journeys.run(options)
  local done = journeys.try(options)
  local ok, run = pcall(json.decode, done.out)
  assert(ok and type(run) == "table", "no JSON at the end of the run: " .. done.out .. done.err)
  run.code, run.err, run.said, run.project = done.code, done.err, done.said, done.project
  journeys.assert_adds_up(run)
  return run
end

-- Why the only person of this run is held; fails when it is not.
function journeys.held(options)
  local run = journeys.run(options)
  assert(run.held == 1, "nobody is held: " .. run.err)
  return run.err:match("[^\n]* is held[^\n]*") or run.err, run
end

local CASES_AT_ONCE = 18 -- 20 script errors would pause admission

-- Runs each of these flows for one person and returns, in the same order, why they are held; fails for one that is not.
-- They stand in one script, each on a line of its own, the first one on line 1.
function journeys.held_each(flows, options)
  local whys = {}
  for first = 1, #flows, CASES_AT_ONCE do
    local lines, people = {}, {}
    for i = first, math.min(first + CASES_AT_ONCE - 1, #flows) do
      lines[#lines + 1] = ("function(person, event) %s end,"):format(flows[i])
      local person = { id = "case " .. i, n = #lines }
      for name, value in pairs(options and options.person or {}) do person[name] = value end
      people[#people + 1] = person
    end
    local run = journeys.run {
      head = ("local cases = { %s }"):format(table.concat(lines, "\n")), flow = "cases[person.n](person, event)",
      people = people, files = options and options.files,
    }
    for line in run.err:gmatch("[^\n]+") do
      local number = line:match("case (%d+) is held")
      if number then whys[tonumber(number)] = line end
    end
  end
  for i, flow in ipairs(flows) do assert(whys[i], "it holds nobody: " .. flow) end
  return whys
end

-- The element of that name in the funnel; nil where there is none.
function journeys.element(run, name)
  for _, element in ipairs(run.elements) do
    if element.name == name then return element end
  end
end

-- What was said, in the order of the texts: lines of different people come in any order.
function journeys.sorted(said)
  local copy = table.move(said, 1, #said, 1, {})
  table.sort(copy)
  return copy
end

return journeys
