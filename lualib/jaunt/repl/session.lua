-- What is typed runs here: an engine of its own, on whose worker each chunk is a run (see jaunt.repl.body). In rehearsal: pretend
-- vendors, and a clock that goes on by itself when a chunk waits. It is started with the first chunk, so that a prompt
-- is there at once.
--
--   local s = session.new { found = (a project, or nil), live =, private_network =, secrets = (a file), say = function(kind, text),
--                           answer = function(what), came = function(value) }   the last two: see jaunt.repl.stepping
--   s:run { chunk =, name =, … }   see below; suspends the command
--   s:interrupt()                  from a signal's callback: ends what runs
--   s:close()

local bundle = require "jaunt.project.bundle"
local connections = require "jaunt.project.connections"
local json = require "json"
local launch = require "jaunt.run.launch"
local native = require "jaunt.native.engine"
local now_mono = require "jaunt.native.control".now_mono
local payloads = require "jaunt.project.payloads"

local session = {}
session.__index = session

local WAIT_MS, SLICE, MEMORY = 80, "1h", "512MiB" -- who loops can be interrupted, and sees it
local NOBODY = { id = "you", profile = '{"id":"you"}', event_text = "{}" }

-- `say(kind, text)` is told what scripts say while they run: "output" or "warning".
function session.new(parts)
  return setmetatable({ found = parts.found, live = parts.live, parts = parts, say = parts.say, person = NOBODY, names = {},
    person_is_new = true }, session)
end

---------------------------------------------------------------------------------------------- the engine

local function rehearse(self, list)
  self.vendors = require("jaunt.testing.pretence").start(self.found, list, 1)
  return self.vendors:url()
end

-- Whether payloads have changed since the engine took them; it takes those of now.
local function take_payloads(self)
  local sources = payloads.gather(self.found)
  local text = json.encode(sources)
  if text == self.payload_text then return end
  payloads.check(sources)
  self.payload_text = text
  if self.engine then self.engine:payloads(text) end
end

local function start(self)
  local list = connections.read(self.found)
  local reroute = not self.live and rehearse(self, list) or nil
  take_payloads(self)
  local prompt = {
    kind = "prompt", name = "prompt", version = "1", secrets = {},
    text = json.encode { kind = "prompt", body = "jaunt.repl.body", payloads = json.decode(self.payload_text), check = 1 },
  }
  self.engine = launch.engine(prompt, self.found, {
    start_ms = self.parts.start_ms or native.now_ms() // 1000 * 1000, reentry_ms = 0, connections = list,
    secrets = launch.secrets(prompt, self.found, reroute, self.parts.secrets), private_network = self.parts.private_network,
    reroute = reroute, events = true, limits = { slice_time = SLICE, run_memory = MEMORY },
  })
  self.engine:admission_over()
  self.engine:events_over()
end

-- To be called now and then while nothing runs: payloads that were saved are taken, and `say(text)` told so.
function session:look_again(say)
  if not self.found or not self.engine then return end
  self.watcher = self.watcher or require("jaunt.run.reload").watcher(self.found, function(text)
    self.payload_text = text
    self.engine:payloads(text)
  end, say, self.payload_text)
  self.watcher()
end

-- Starts the engine where it was not.
function session:start()
  if not self.engine then start(self) end
end

-- The journeys' time, in milliseconds.
function session:now_ms()
  return self.engine and self.engine:look().logical_ms or self.parts.start_ms or native.now_ms()
end

---------------------------------------------------------------------------------------------- people

-- Who `person` is from the next chunk on: { id =, profile =, event_text = (JSON texts) }.
function session:take_person(person)
  self.person, self.person_is_new = person, true
end

---------------------------------------------------------------------------------------------- chunks

-- A question of a journey that is stepped through, and its answer.
local function answer(self, told)
  self.running = false
  local given = self.parts.answer(told.ask)
  self.running = true
  self.engine:event(self.engine:look().logical_ms, self.person.id, "prompt " .. told.number, json.encode(given))
end

-- Takes what was said. Returns what the chunk told of itself, if it did by now, and whether it was asked something.
local function listen(self)
  local told, was_asked
  for kind, text in self.engine.message, self.engine do
    local heard = kind == "trace" and json.decode(text).told
    if heard and heard.ask then
      answer(self, heard)
      was_asked = true
    elseif heard and heard.note then
      self.say("warning", heard.note)
    elseif heard and heard.came then
      self.parts.came(heard.came)
    elseif heard then
      told = heard
    elseif kind == "output" or not self.interrupted then
      if kind == "warning" then self.warned = true end
      self.say(kind, text)
    end
  end
  return told, was_asked
end

-- Waits until nothing will happen any more. `look(milliseconds so far)` is called now and then.
local function settle(self, look)
  local began, told, over = now_mono(), nil, false
  repeat
    over = self.engine:finished()
    local heard, was_asked = listen(self)
    told = heard or told
    over = over and not was_asked
    if not over then self.engine:wait(WAIT_MS) end
    if look and not was_asked then look(now_mono() - began) end
  until over
  return told, now_mono() - began
end

-- It waits for an event, and none comes.
local function end_waiting(self)
  self.engine:interrupt()
  repeat self.engine:wait(WAIT_MS) until self.engine:look().waiting == 0
  listen(self)
end

-- The order to the body: see jaunt.repl.body.
local function order_of(self, chunk)
  local modules = {}
  if chunk.chunk then bundle.add_modules(self.found, chunk.chunk, chunk.name, modules) end
  local order = {
    chunk = chunk.chunk, name = chunk.name, line = chunk.line, names = chunk.names, step = chunk.step,
    past = chunk.past, state = chunk.state,
    arguments = chunk.arguments and json.array(chunk.arguments) or nil, modules = chunk.modules or modules,
  }
  if self.person_is_new then order.profile, order.event = self.person.profile, self.person.event_text end
  return json.encode(order)
end

-- How a chunk that told nothing has ended.
local function ending_of(self, before)
  local now = self.engine:look()
  if self.interrupted then return "interrupted" end
  for _, state in ipairs { "dropped", "held", "exited" } do
    if now[state] > before[state] then return state end
  end
  return "exited"
end

-- Runs a chunk: { chunk = its text, name = what messages call it, line =, names =, arguments =, or step =, modules =, past = and
-- state = of a journey } (see jaunt.repl.body), `look` as above. Returns { ms =, and one of values =, failed =, over =
-- (how a journey that was stepped through has ended, in words), ended = "dropped", "held", "exited", "interrupted" or
-- "waiting" (for an event that does not come) }; warned = true where something was said about how it ended.
function session:run(chunk, look)
  if self.found then take_payloads(self) end
  local order = order_of(self, chunk)
  self:start()
  self.interrupted, self.warned, self.running = false, false, true
  local before = self.engine:look()
  self.engine:admit(self.person.id, "{}", order)
  local told, ms = settle(self, look)
  self.person_is_new = false
  local waits = self.engine:look().waiting > 0
  if waits then end_waiting(self) end
  self.running = false
  local is_over = told and self.engine:look().held == before.held -- else something was wrong after its last line
  told = is_over and told or { ended = waits and "waiting" or ending_of(self, before) }
  told.ms, told.warned = ms, self.warned
  if told.names then self.names = told.names end
  return told
end

-- From a signal's callback.
function session:interrupt()
  self.interrupted = true
  self.engine:interrupt()
end

---------------------------------------------------------------------------------------------- end

function session:close()
  if self.engine then
    self.engine:stop(0)
    self.engine:close()
    self.engine = nil
  end
  if self.vendors then self.vendors:stop() end
  self.vendors = nil
end

return session
