-- .step: what the prompt asks while a journey goes through its elements (the worker's side is jaunt.repl.stepping), and what is to
-- become of runs that are held, at a runtime's prompt.

local bundle = require "jaunt.project.bundle"
local json = require "json"
local mistakes = require "jaunt.base.mistakes"
local project = require "jaunt.project"
local term = require "jaunt.base.term"

local steps = {}

---------------------------------------------------------------------------------------------- answers

local QUESTIONS = {
  call = "Enter sends it, s skips it, f STATUS [BODY] feigns an answer, q leaves: ",
  wait = "Enter waits, s goes on without, q leaves: ",
  event = "Enter waits, s goes on as if none came, f {\"json\"} feigns the event, q leaves: ",
  split = "Enter takes %s, another name takes that, q leaves: ",
}

-- A line as an answer; nil and what is wrong.
local function understood(line, what)
  local word, rest = line:match("^%s*(%S*)%s*(.-)%s*$")
  if word == "" then return { how = "go" } end
  if word == "q" then return { how = "quit" } end
  if what.kind == "split" then
    for _, branch in ipairs(what.branches) do
      if branch == word then return { how = "go", branch = branch } end
    end
    return nil, "there are " .. table.concat(what.branches, ", ")
  end
  if word == "s" then return { how = "skip" } end
  if word == "f" and what.kind == "call" then
    local status, body = rest:match("^(%d%d%d)%s*(.*)$")
    if status then return { how = "feign", status = math.tointeger(tonumber(status)), body = body ~= "" and body or nil } end
    return nil, "f takes a status: f 201 {\"id\": 7}"
  end
  if word == "f" and what.event then
    local ok, data = pcall(json.decode, rest == "" and "{}" or rest)
    if ok and type(data) == "table" then return { how = "feign", data = data } end
    return nil, "f takes the event's data as a JSON object"
  end
  return nil, ("%s is no answer"):format(term.one_line(word))
end

local function show(at, what)
  print(at.paint.bold(term.one_line(what.element)) .. (what.detail and "  " .. term.one_line(what.detail) or ""))
  if what.body then print(require("jaunt.repl.out").values({ { body = what.body } }, at.paint)) end
  if what.wrong then print(at.paint.red(term.harmless(what.wrong))) end
end

-- Shows an element (see jaunt.repl.stepping) and asks what is to become of it. Returns the answer; at the end of the input, and when it
-- is interrupted, that it is to be left.
function steps.answer(at, what)
  show(at, what)
  local question = QUESTIONS[what.event and "event" or what.kind]:format(what.usual)
  while true do
    local line = at.input:read(question)
    if not line then return { how = "quit" } end
    local answer, why = understood(line, what)
    if answer then return answer end
    print(at.paint.red(why))
  end
end

-- Steps through a journey with the person at hand, or the first sample. Returns whether it went well.
function steps.through(at, name)
  local path, found = project.script(name)
  local gathered = bundle.gather(path, found)
  if gathered.kind ~= "journey" then mistakes.fail("%s holds no journey", path) end
  if not at.chosen then
    local samples = require "jaunt.project.people"
    local file = samples.files(found)[1]
    if not file then mistakes.fail("there are no sample people here") end
    at:choose(samples.read(file, 1)[1], file)
  end
  print(("%s goes through %s"):format(term.one_line(at.chosen.id), gathered.name))
  local main, modules = table.unpack(gathered.sources)
  return at:run { step = main, modules = modules, name = path }
end

---------------------------------------------------------------------------------------------- held runs

local HELD_MOST = 1000

-- The runs that are held, newest first.
local function held_runs(state, journey)
  local chosen = require("jaunt.state.selection").choose(journey, { state = "sqlite:" .. state, outcome = "held" })
  local looked_at <close> = chosen.state
  local rows = {}
  for run in chosen.each() do
    rows[#rows + 1] = run
    if #rows == HELD_MOST then break end
  end
  return rows
end

-- Goes through the held runs of the state that the prompt is attached to (of `journey`, or of all), and asks what is to become of each;
-- `run(command, words)` does it as that command. Returns true.
function steps.held(at, journey, run)
  local rows = held_runs(at.attached, journey)
  if #rows == 0 then print("nobody is held") end
  for _, row in ipairs(rows) do
    print(at.paint.bold(term.one_line(row.person)) .. ("  %s, at %s: %s: %s"):format(row.journey, row.element or "its beginning", row.reason or "?",
      term.one_line(row.detail or "")))
    local line = at.input:read("r redrives it, e ends it, w tells its story, Enter leaves it, q leaves all: ")
    if not line or line == "q" then return true end
    local selection = { row.journey, "--outcome", "held", "--where", ("id == %q"):format(row.person), "--yes" }
    if line == "r" then run("redrive", selection)
    elseif line == "e" then run("end", selection)
    elseif line == "w" then run("why", { row.person }) end
  end
  return true
end

return steps
