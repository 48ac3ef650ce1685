-- One run from the first person to the last: lets people and events in, tells what is said meanwhile, and stops when all
-- is over or somebody says so.

local figures = require "jaunt.base.figures"
local native = require "jaunt.native.control"
local term = require "jaunt.base.term"

local session = {}

local FEED_AT_ONCE = 500      -- people let in before the loop is looked at again
local MESSAGES_AT_ONCE = 5000 -- told before the loop is looked at again
local WAIT_MS = 100
local COMPLAINTS_TOLD = 20    -- rejected rows, and warnings, that are told one by one
local ALIKE_TOLD = 3          -- of those that are for the same reason

-- Tells of things one by one, at first: tell(text, reason), where `reason` (or nil) is what it has in common with others;
-- finish() counts the rest.
function session.teller(display, what)
  local told, count, alike = 0, 0, {}
  return {
    tell = function(text, reason)
      count = count + 1
      if told == COMPLAINTS_TOLD or (reason and alike[reason] == ALIKE_TOLD) then return end
      if reason then alike[reason] = (alike[reason] or 0) + 1 end
      told = told + 1
      display.say(text)
    end,
    finish = function()
      if count > told then display.say(("… and %s"):format(figures.of(count - told, "more " .. what))) end
    end,
  }
end

local course = {}
course.__index = course

-- A session over `parts`: engine, display, and optionally
--   people         a native audience; place: a function that names a line of it; where, limit: who of them, and how many more
--   exact_total    how many there are, where that is known
--   events         see jaunt.project.events
--   stop_if        a function of (a function that gives the figures) that says why to stop, or nil
--   output         a function of a script's line; exact: it goes out as it is, control characters too
--   trace          a function of a call's description
--   warning        what stands before a warning
--   control        what operators ask (see jaunt.state.control); journey: its name, where they can ask for something
--   look_again     called now and then: see jaunt.run.reload
--   outages        whether those of vendors are told: see jaunt.run.outages
-- Its fields say how it went: left_out, rejected, interrupted.
function session.new(parts)
  local self = setmetatable({ left_out = 0, rejected = 0, interrupted = false }, course)
  self.parts, self.engine, self.display = parts, parts.engine, parts.display
  self.before = parts.engine:found() -- how it stood when it was opened
  self.admitted = 0
  self.asked = 0 -- how often the end was asked for
  self.out = {}  -- vendors that are out, in words
  self.look_due = 0
  self.rows = session.teller(parts.display, "rejected row")
  self.warnings = session.teller(parts.display, "warning")
  self.look_at_outages = parts.outages and require("jaunt.run.outages").teller(function(text)
    parts.display.say(self:as_warning(text))
  end, parts.display.say)
  return self
end

---------------------------------------------------------------------------------------------- who comes in

-- The figures; `admitted` are those of this session: let in, or found to be in.
function course:look()
  local now = self.engine:look()
  now.admitted = now.entered - self.before.entered + now.already_in
  now.out = self.out
  return now
end

-- How many more may come now; nil: the limit is reached. Who was in already does not count; of those on their way that is not
-- known.
function course:room()
  local limit = self.parts.limit
  if not limit then return FEED_AT_ONCE end
  local now = self.engine:look()
  if now.entered - self.before.entered >= limit then return nil end
  return math.min(FEED_AT_ONCE, limit - (self.admitted - now.already_in))
end

-- Lets people in while there is room. Returns true when nobody else will come.
function course:feed()
  local most = self:room()
  if not most or most == 0 then return not most end
  local admitted, left_out, state = self.engine:feed(self.parts.people, most, self.parts.where)
  self.admitted = self.admitted + admitted
  self.left_out = self.left_out + left_out
  self:tell_rejected()
  if state == "more" or state == "later" then self.more = true end -- "later" has waited already
  return state == "end"
end

function course:feed_events()
  local parts = self.parts
  while parts.events and self.engine:wants_event() do
    local event = parts.events.next()
    if event then
      self.engine:event(event.at, event.person, event.name, event.json)
    else
      self.engine:events_over()
      parts.events = nil
    end
  end
end

-- How many will have been looked at in the end, and whether that is certain: by the part of the file that was read. Nil where
-- nobody knows.
function course:total()
  local parts = self.parts
  local most = parts.limit and parts.limit + self.engine:look().already_in or math.huge
  if parts.exact_total then return math.min(most, parts.exact_total), true end
  local counts = parts.people and parts.people:counts()
  if not counts or counts.bytes_total == 0 or counts.bytes_read == 0 then return parts.limit and most end
  local guess = math.floor(counts.people * counts.bytes_total / counts.bytes_read + 0.5)
  return math.min(most, guess), counts.bytes_read >= counts.bytes_total
end

---------------------------------------------------------------------------------------------- what is told

function course:as_warning(text) return (self.parts.warning or "warning: ") .. text end

-- At most so many messages: scripts may say more while they are told. Returns whether there may be others.
function course:tell_messages(most)
  local parts, count = self.parts, 0
  for kind, text in self.engine.message, self.engine do
    if kind == "output" then parts.output(parts.exact and text or term.harmless(text))
    elseif kind == "trace" then parts.trace(text)
    else self.warnings.tell(self:as_warning(term.harmless(text)), text:match(" is held.*")) end
    count = count + 1
    if count == most then return true end
  end
  return false
end

function course:tell_rejected()
  for line, why in self.parts.people.complaint, self.parts.people do
    self.rows.tell(("%s: %s"):format(self.parts.place(line), why))
  end
end

-- Takes note of what the progress line shows of them, too.
function course:tell_outages()
  if self.look_at_outages then self.out = self.look_at_outages(self.engine:outages(), native.now_mono()) end
end

-- Tells when nobody else is let in for script errors, where that may last.
function course:tell_of_admission()
  local at, name = native.now_mono(), self.parts.journey
  if not name or at < self.look_due then return end
  self.look_due = at + WAIT_MS
  local paused = self.engine:look().paused
  if paused and not self.admission_paused then
    self.display.say(("nobody else is let in: 20 people are held by script errors; mend the script, then: jaunt move %s, "
      .. "jaunt redrive %s, jaunt resume %s"):format(name, name, name))
  end
  self.admission_paused = paused
end

function course:tell_of_stop(grace)
  self.display.say(("%s: %scalls under way get %s (Ctrl-C again: none)"):format(self.stop_reason,
    self.parts.people and "no more people; " or "", figures.duration(grace)))
end

-- What is left to be told when all is over.
function course:tell_the_rest()
  if self.engine:left_behind() then
    self.display.say("a worker does not come to its end, and is left behind: what is told of its people is what was known")
  end
  self:tell_messages(math.huge)
  self:tell_outages()
  if self.parts.people then self:tell_rejected() end
  self.rows.finish()
  self.warnings.finish()
  self.display.done()
end

---------------------------------------------------------------------------------------------- its course

-- One look at everything; `admitting`: people may still come. Returns whether they may.
function course:step(admitting)
  self.more = false
  if admitting and self:feed() then
    self.engine:admission_over()
    admitting = false
  end
  self:feed_events()
  if self:tell_messages(MESSAGES_AT_ONCE) then self.more = true end
  self:tell_of_admission()
  local function look() return self:look() end
  local why = self.parts.stop_if and self.parts.stop_if(look)
  if why then self:stop(why) end
  self:tell_outages()
  self.display.show(look, function() return self:total() end)
  return admitting
end

-- Runs to the end, or until stop(). Calls under way get `grace` milliseconds then.
function course:run(grace)
  local parts, engine = self.parts, self.engine
  local admitting = parts.people ~= nil
  if not admitting then engine:admission_over() end
  local asked_for = false -- what an operator asks is under way
  while not self.interrupted and (asked_for or not engine:finished()) do
    admitting = self:step(admitting)
    if parts.look_again then parts.look_again() end
    if parts.control then asked_for = parts.control.serve() end
    if asked_for or not engine:finished() then engine:wait(self.more and 0 or WAIT_MS) end
  end
  if self.interrupted then self:tell_of_stop(grace) end
  engine:stop(self.interrupted and grace or 0)
  if parts.control then parts.control.over() end
  self:tell_the_rest()
  self.rejected = parts.people and parts.people:counts().rejected or 0
end

-- Asks for the end: `why` is told. A second time it hurries, a third time the process is left as it is.
function course:stop(why)
  self.asked = self.asked + 1
  if self.asked == 1 then
    self.interrupted, self.stop_reason = true, why
  elseif self.asked == 2 then
    self.display.say("asked again: calls under way are cut (Ctrl-C again: nothing is told either)")
    self.engine:hurry()
  else
    native.leave(130)
  end
end

-- Lets signals ask for the end.
function course:on_signals()
  for _, name in ipairs { "SIGINT", "SIGTERM", "SIGHUP" } do
    native.on_signal(name, function() self:stop(name == "SIGINT" and "interrupted" or "told to stop") end)
  end
end

return session
