-- .step: what the prompt asks while a journey goes through its elements (the worker's side is jaunt.repl.stepping).
-- For runs that are held at a runtime see jaunt.repl.held.

local bundle = require "jaunt.project.bundle"
local json = require "json"
local mistakes = require "jaunt.base.mistakes"
local project = require "jaunt.project"
local term = require "jaunt.base.term"

local steps = {}

---------------------------------------------------------------------------------------------- answers

local QUESTIONS = {
  call = "Enter sends it, s skips it, f STATUS [BODY] feigns an answer", wait = "Enter waits, s goes on without",
  event = "Enter waits, s goes on as if none came, f {\"json\"} feigns the event",
  split = "Enter takes %s, another name takes that",
}

-- A line as an answer; nil and what is wrong. `acts`: a set of further words, which leave.
local function understood(line, what, acts)
  local word, rest = line:match("^%s*(%S*)%s*(.-)%s*$")
  if word == "" then return { how = "go" } end
  if word == "q" then return { how = "quit" } end
  for _, branch in ipairs(what.branches or {}) do
    if branch == word then return { how = "go", branch = branch } end
  end
  if acts[word] then return { how = "quit", act = word } end
  if what.kind == "split" then return nil, "there are " .. table.concat(what.branches, ", ") end
  if word == "s" then return { how = "skip" } end
  if word == "f" and what.kind == "call" then
    local status, body = rest:match("^(%d%d%d)%s*(.*)$")
    if not status then return nil, "f takes a status: f 201 {\"id\": 7}" end
    return { how = "feign", status = math.tointeger(tonumber(status)), body = body ~= "" and body or nil }
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

-- Shows an element (see jaunt.repl.stepping) and asks what is to become of it. Returns the answer; at the end of the
-- input, and when it is interrupted, that it is to be left. `acts`, if given, is { words = (a set), help = (what they
-- do) }: such an answer has the word as `act`.
function steps.answer(at, what, acts)
  show(at, what)
  local question = QUESTIONS[what.event and "event" or what.kind]:format(what.usual)
  if acts then
    for _, line in ipairs(term.wrap(question .. "; " .. acts.help, term.width() - 1)) do print(at.paint.dim(line)) end
  end
  while true do
    local line = at.input:read(acts and "? " or question .. ", q leaves: ")
    if not line then return { how = "quit" } end
    local answer, why = understood(line, what, acts and acts.words or {})
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

return steps
