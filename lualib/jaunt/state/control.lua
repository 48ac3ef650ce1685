-- What operators ask of a state: through the control socket of the runtime that has it, or with an engine of one's own that
-- wakes nobody.
--
-- The socket is PATH.sock. A request is a JSON object on a line, and so is its answer:
--
--   { command = "hello" }                                            { pid =, journey =, version =, live =, paused_ms = }
--   { command = "redrive", journey =, selection =, of =, runs = { { number, person }, … } }  { refused = { { number, why }, … } }
--   { command = "redrive --unknown", … the same … }                  whether a call was done that is sent again is not known
--   { command = "end", … the same … }                                what was done is durable
--   { command = "move", … the same … }, { command = "try", … }       to the version that is on the disk; a third field of a
--                                                                    refusal has it in other words
--   { command = "pause", journey = }, { command = "resume", journey = }                { changed =, paused_ms = }
--
-- An answer with `error` says why nothing was done. Whatever changes something is noted in PATH.audit before it is done.

local engines = require "jaunt.native.engine"
local figures = require "jaunt.base.figures"
local json = require "json"
local mistakes = require "jaunt.base.mistakes"
local native = require "jaunt.native.control"
local socket = require "jaunt.native.socket"
local term = require "jaunt.base.term"

local control = {}

control.BATCH = 200         -- runs of one request, at most
control.BATCH_BYTES = 60000 -- of their people's names
local WORDS_MOST = 1000     -- bytes of a selection that are noted
local WORDS_TOLD = 200      -- columns of it that are shown
local WAIT_MS = 200
local LOOK_MS, LOOKS = 50, 200 -- how often it is looked whether another command has done with a state, and how many times

---------------------------------------------------------------------------------------------- what is noted

-- Notes in PATH.audit what is about to be done. Returns true, or nil and why it can't be.
local function note(path, who, request, count)
  if request.command == "try" then return true end -- it changes nothing
  local uid, pid = who.uid, who.pid
  local selection = request.selection and term.utf8(request.selection:sub(1, WORDS_MOST)) -- the cut may be within a letter
  local line = json.encode {
    time = engines.rfc3339(engines.now_ms()), uid = uid, user = socket.user(uid) or json.null, pid = pid,
    command = request.command, journey = request.journey, selection = selection or json.null, count = count or json.null,
  }
  local done, why = socket.append(path .. ".audit", line .. "\n")
  if done then return true end
  return nil, ("%s.audit can't be written (%s): nothing was done"):format(path, why)
end

---------------------------------------------------------------------------------------------- acting

local ACTS = { redrive = true, ["redrive --unknown"] = true, ["end"] = true, move = true, try = true }
local MOVES = { move = true, try = true }
local PAUSES = { pause = true, resume = true }

-- What is wrong with a request for acts, in words; nil: nothing.
local function mistake_in(runs)
  if type(runs) ~= "table" or #runs == 0 then return "runs is a list of [number, person]" end
  if #runs > control.BATCH then return ("at most %d runs at a time"):format(control.BATCH) end
  for _, one in ipairs(runs) do
    local fits = type(one) == "table" and math.type(one[1]) == "integer" and one[1] > 0 and type(one[2]) == "string"
      and not one[2]:find("\0", 1, true)
    if not fits then return "runs is a list of [number, person]" end
  end
end

-- Acts that are under way. step() takes what is known by now, and returns the answer when all is.
-- `version` is the number of the one to move to.
local function begin_acts(engine, request, version)
  local left, refused = {}, {}
  local count = 0
  for _, one in ipairs(request.runs) do
    if not left[one[1]] then
      left[one[1]], count = true, count + 1
      engine:act(request.command, one[1], one[2], version)
    end
  end
  return function()
    for run, why, words in engine.outcome, engine do
      if left[run] then
        left[run], count = nil, count - 1
        if why then refused[#refused + 1] = { run, why, words } end
      end
    end
    return count == 0 and { refused = refused } or nil
  end
end

-- The same for pausing: known when the mark is durable.
local function begin_pause(engine, request)
  local look, wanted = engine:look(), request.command == "pause"
  local is = look.paused_ms ~= nil
  local changes = is ~= wanted or (look.paused and not wanted) -- `paused`: nobody is let in for script errors
  if changes then engine:pause(wanted) end
  return function()
    if not engine:pause_kept() then return nil end
    return { changed = changes, paused_ms = engine:look().paused_ms or json.null }
  end
end

---------------------------------------------------------------------------------------------- the runtime's side

local DOES = { redrive = "redrives", ["redrive --unknown"] = "redrives (--unknown)", ["end"] = "ends", move = "moves",
  try = "tries to move", pause = "pauses", resume = "resumes" }

local function said(request, who)
  local user = socket.user(who.uid) or ("user %d"):format(who.uid)
  local count = request.runs and (math.type(request.of) == "integer" and request.of or #request.runs)
  local whom = count and figures.of(count, "run") .. " of " or ""
  local by = request.selection and (" (%s)"):format(term.cut(request.selection, WORDS_TOLD)) or ""
  return term.one_line(("%s %s %s%s%s"):format(user, DOES[request.command], whom, request.journey, by))
end

-- What is wrong with a request, in words; nil: it may be begun.
local function mistake_of(request, about)
  if type(request) ~= "table" then return "a request is a JSON object on one line" end
  if not ACTS[request.command] and not PAUSES[request.command] then return "there is no such command here" end
  if request.journey ~= about.journey then return ("this runtime runs %s alone"):format(about.journey) end
  return ACTS[request.command] and mistake_in(request.runs) or nil
end

-- What a runtime says of itself.
local function greeting(engine, about)
  local _, pid = socket.me()
  return { pid = pid, journey = about.journey, version = about.version, live = about.live,
    paused_ms = engine:look().paused_ms or json.null }
end

-- Tells people here of requests, and of what comes in batches once.
local function teller(say)
  local told
  return function(request, who)
    local text = said(request, who)
    local key = ("%d %s"):format(who.client, text)
    if key ~= told then say(text) end
    told = key
  end
end

-- Begins what a request of `who` asks of the state at `path`. Returns the answer, or a function that gives it later.
local function begin(path, engine, about, request, who, tell)
  if type(request) == "table" and request.command == "hello" then return greeting(engine, about) end
  local mistake = mistake_of(request, about)
  if mistake then return { error = mistake } end
  if type(request.selection) ~= "string" then request.selection = nil end
  if PAUSES[request.command] then request.runs = nil end
  local version
  if MOVES[request.command] then
    local ok, found = pcall(about.gather)
    if not ok then return { error = mistakes.message(found) } end
    version = engine:version(found.version, found.text)
  end
  local noted, trouble = note(path, who, request, request.runs and #request.runs)
  if not noted then return { error = trouble } end
  tell(request, who)
  return (request.runs and begin_acts or begin_pause)(engine, request, version)
end

-- Serves requests over a running engine. `about` has what hello tells: journey, version, live; and gather(), which reads the
-- version to move to. `say(text)` tells people here what is done. Returns an object, to be closed before the engine is; nil and
-- why where there can be no socket.
--   serve()    to be called between other things: takes what came; true while something is under way
--   over()     the engine has come to its end: says so to whoever still waits
function control.server(path, engine, about, say)
  local listener, why = socket.listen(path .. ".sock")
  if not listener then return nil, why end
  local self, current, tell = {}, nil, teller(say)
  listener:on_request(function() engine:poke() end)

  local function answer(client, object) listener:answer(client, json.encode(object), true) end

  local function take()
    local client, line, uid, pid = listener:next()
    if not client then return false end
    local ok, request = pcall(json.decode, line)
    local who = { uid = uid, pid = pid, client = client }
    local begun = begin(path, engine, about, ok and request or nil, who, tell)
    if type(begun) == "function" then
      current = { client = client, step = begun }
    else
      answer(client, begun)
    end
    return true
  end

  function self.serve()
    repeat
      if current then
        local done = current.step()
        if not done then return true end
        answer(current.client, done)
        current = nil
      end
    until not take()
    return false
  end

  function self.over()
    if current then answer(current.client, { error = "the runtime ends: ask again" }) end
    current = nil
    local client = listener:next()
    while client do
      answer(client, { error = "the runtime ends: ask again" })
      client = listener:next()
    end
  end

  return setmetatable(self, { __close = function() listener:close() end })
end

---------------------------------------------------------------------------------------------- the command's side

local function ask(link, request)
  link:send(json.encode(request))
  local line = link:receive()
  if not line then mistakes.fail("the runtime ended before it answered: ask again") end
  local ok, answer = pcall(json.decode, line)
  if not ok or type(answer) ~= "table" then mistakes.fail("the runtime's answer can't be understood") end
  return answer
end

local function null_to_nil(value)
  return value ~= json.null and value or nil
end

local function hello(link)
  local about = ask(link, { command = "hello" })
  if about.error then mistakes.fail("%s", term.harmless(about.error)) end
  return about
end

-- Talks to the runtime that has the state.
local function through_socket(link, path)
  local about = hello(link)
  local self = { pid = about.pid, lives = true, journey = about.journey, path = path }

  local function asked(request)
    local answer = ask(link, request)
    if answer.error then mistakes.fail("%s", term.harmless(answer.error)) end
    return answer
  end

  -- Acts on the runs, a batch `of` so many; a list of { number, why } of those that were refused.
  function self.act(command, words, runs, of)
    return asked({ command = command, journey = about.journey, selection = words, runs = runs, of = of }).refused
  end

  -- Pauses the journey, or lets it go on: whether that changed something, and since when it is paused.
  function self.pause(command)
    local answer = asked { command = command, journey = about.journey }
    return answer.changed, null_to_nil(answer.paused_ms)
  end

  function self.close() link:close() end

  return setmetatable(self, { __close = self.close })
end

-- What the runtime says that has the state at `path`: { pid =, journey =, version =, live =, paused_ms = }; nil where none has.
function control.about(path)
  local link, why = socket.connect(path .. ".sock")
  if why then mistakes.fail("%s", why) end
  if not link then return nil end
  local about = hello(link)
  link:close()
  return about
end

local function tell_messages(engine)
  for _, text in engine.message, engine do io.stderr:write("warning: ", term.harmless(text), "\n") end
end

-- The newest version of a journey.
local function newest(looked_at, journey)
  local found
  for _, version in ipairs(looked_at:versions()) do
    if version.name == journey then found = version end
  end
  return found
end

-- Opens the state with an engine that wakes nobody.
local function start_engine(path, looked_at, journey)
  local version = newest(looked_at, journey)
  local natives = require "jaunt.native.connections"
  local secrets = natives.secrets(true) -- nothing is sent
  return engines.start {
    journey = journey, version = version.version, bundle = looked_at:bundle(version.number), workers = 1, state = path,
    asleep = true, connections = natives.new({}, secrets), secrets = secrets,
  }
end

-- Acts with such an engine. `gathered`: the version to move to; nil.
local function with_an_engine(engine, path, journey, gathered)
  engine:admission_over()
  local to = gathered and engine:version(gathered.version, gathered.text)
  local self = { journey = journey, path = path }
  local uid, pid = socket.me()

  local function run_through(begin, request, count)
    local noted, why = note(path, { uid = uid, pid = pid }, request, count)
    if not noted then mistakes.fail("%s", why) end
    local step = begin(engine, request, to)
    local answer = step()
    while not answer do
      engine:wait(WAIT_MS)
      tell_messages(engine)
      answer = step()
    end
    return answer
  end

  function self.act(command, words, runs)
    local request = { command = command, journey = journey, selection = words, runs = runs }
    return run_through(begin_acts, request, #runs).refused
  end

  function self.pause(command)
    local answer = run_through(begin_pause, { command = command, journey = journey })
    return answer.changed, null_to_nil(answer.paused_ms)
  end

  -- Gives the state back.
  function self.close()
    engine:stop(0)
    tell_messages(engine)
    engine:close()
  end

  return setmetatable(self, { __close = function() engine:close() end })
end

-- A link to the runtime that has the state; or nil and an engine on it, where none has. Another command that changes something
-- has it for a moment only, and is waited for.
local function reach(path, looked_at, journey)
  local tried = false
  for _ = 1, LOOKS do
    local link, why = socket.connect(path .. ".sock")
    if why then mistakes.fail("%s", why) end
    if link then return link end
    if not looked_at:in_use() then
      local ok, engine = pcall(start_engine, path, looked_at, journey)
      if ok then return nil, engine end
      if tried and not looked_at:in_use() then error(engine, 0) end -- it is not for another's having it
      tried = true
    end
    native.sleep(LOOK_MS)
  end
  return nil, start_engine(path, looked_at, journey) -- it fails, and says who has it
end

-- Who acts on the state at `path` (`looked_at` is open on it) for this journey: an object with act() and pause(), to be closed.
-- With `lives` it is a runtime, process `pid`. nil and why where a runtime has the state that doesn't run this journey. `gathered`
-- is the version (see jaunt.project.bundle) that runs are moved to; a runtime reads it itself.
function control.open(path, looked_at, journey, gathered)
  local link, engine = reach(path, looked_at, journey)
  if engine then return with_an_engine(engine, path, journey, gathered) end
  local actor = through_socket(link, path)
  if actor.journey == journey then return actor end
  link:close()
  return nil, ("process %d has the state, and runs %s"):format(actor.pid, actor.journey)
end

return control
