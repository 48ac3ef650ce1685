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

-- Tells of things one by one, at first; finish() counts the rest. tell(text, reason): what it has in common with others; nil.
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

-- A session over `parts`: engine, display, and optionally people (a native audience), place (a function of a line of it),
-- where, limit, events (see jaunt.project.events), stop_if (a function of the figures that says why to stop, or nil), output (a function of a
-- script's line), trace (a function of a call's description), warning (what stands before a warning), exact_total,
-- exact (a script's output goes out as it is, control characters too), control (what operators ask: see jaunt.state.control), journey
-- (its name, where operators can ask for something),
-- look_again (called now and then: see jaunt.run.reload), outages (whether those of vendors are told: see jaunt.run.outages).
function session.new(parts)
  local engine, display = parts.engine, parts.display
  local self = { left_out = 0, rejected = 0, admitted = 0, interrupted = false, warnings = 0 }
  local stop_reason
  local asked = 0 -- how often the end was asked for
  local rows = session.teller(display, "rejected row")
  local warnings = session.teller(display, "warning")

  -- At most so many of them: scripts may say more while they are told. Returns whether there may be others.
  local function tell_messages(most)
    local count = 0
    for kind, text in engine.message, engine do
      if kind == "output" then parts.output(parts.exact and text or term.harmless(text))
      elseif kind == "trace" then parts.trace(text)
      else
        self.warnings = self.warnings + 1
        warnings.tell((parts.warning or "warning: ") .. term.harmless(text), text:match(" is held.*"))
      end
      count = count + 1
      if count == most then return true end
    end
    return false
  end

  local function warn(text) display.say((parts.warning or "warning: ") .. text) end
  local look_at_outages = parts.outages and require("jaunt.run.outages").teller(warn, display.say)

  -- Returns what the progress line shows of them.
  local function tell_outages()
    return look_at_outages and look_at_outages(engine:outages(), native.now_mono()) or {}
  end

  local function tell_rejected()
    for line, why in parts.people.complaint, parts.people do
      rows.tell(("%s: %s"):format(parts.place(line), why))
    end
  end

  -- `admitted` are those of this session: let in, or found to be in.
  local before, out = engine:found(), {}
  local function look()
    local now = engine:look()
    now.admitted = now.entered - before.entered + now.already_in
    now.out = out
    return now
  end

  -- How many more may come now; nil: the limit is reached. Who was in already does not count; of those on their way that is not known.
  local function room()
    if not parts.limit then return FEED_AT_ONCE end
    local now = engine:look()
    if now.entered - before.entered >= parts.limit then return nil end
    return math.min(FEED_AT_ONCE, parts.limit - (self.admitted - now.already_in))
  end

  -- Lets people in while there is room. Returns true when nobody else will come.
  local function feed()
    local most = room()
    if not most or most == 0 then return not most end
    local admitted, left_out, state = engine:feed(parts.people, most, parts.where)
    self.admitted = self.admitted + admitted
    self.left_out = self.left_out + left_out
    tell_rejected()
    if state == "more" or state == "later" then self.more = true end -- "later" has waited already
    return state == "end"
  end

  local function feed_events()
    while engine:wants_event() do
      local event = parts.events.next()
      if not event then
        engine:events_over()
        parts.events = nil
        return
      end
      engine:event(event.at, event.person, event.name, event.json)
    end
  end

  -- How many will have been looked at in the end, and whether that is certain: by the part of the file that was read. Nil where nobody knows.
  local function total()
    local most = parts.limit and parts.limit + engine:look().already_in or math.huge
    if parts.exact_total then return math.min(most, parts.exact_total), true end
    local counts = parts.people and parts.people:counts()
    if not counts or counts.bytes_total == 0 or counts.bytes_read == 0 then return parts.limit and most end
    local guess = math.floor(counts.people * counts.bytes_total / counts.bytes_read + 0.5)
    return math.min(most, guess), counts.bytes_read >= counts.bytes_total
  end

  -- Asks for the end: `why` is told. A second time it hurries, a third time the process is left as it is.
  function self.stop(why)
    asked = asked + 1
    if asked == 1 then
      self.interrupted, stop_reason = true, why
    elseif asked == 2 then
      display.say("asked again: calls under way are cut (Ctrl-C again: nothing is told either)")
      engine:hurry()
    else
      native.leave(130)
    end
  end

  -- Tells when nobody else is let in for script errors, where that may last.
  local stopped_admitting, look_due = false, 0
  local function tell_of_admission()
    local at = native.now_mono()
    if not parts.journey or at < look_due then return end
    look_due = at + WAIT_MS
    local paused = engine:look().paused
    if paused and not stopped_admitting then
      local name = parts.journey
      display.say(("nobody else is let in: 20 people are held by script errors; mend the script, then: jaunt move %s, "
        .. "jaunt redrive %s, jaunt resume %s"):format(name, name, name))
    end
    stopped_admitting = paused
  end

  local function tell_of_stop(grace)
    display.say(("%s: %scalls under way get %s (Ctrl-C again: none)"):format(stop_reason,
      parts.people and "no more people; " or "", figures.duration(grace)))
  end

  local function step(admitting)
    self.more = false
    if admitting and feed() then
      engine:admission_over()
      admitting = false
    end
    if parts.events then feed_events() end
    if tell_messages(MESSAGES_AT_ONCE) then self.more = true end
    tell_of_admission()
    if parts.stop_if then
      local why = parts.stop_if(look)
      if why then self.stop(why) end
    end
    out = tell_outages()
    display.show(look, total())
    return admitting
  end

  -- Runs to the end, or until stop(). Calls under way get `grace` milliseconds then.
  function self.run(grace)
    local admitting = parts.people ~= nil
    if not admitting then engine:admission_over() end
    local asked_for = false -- what an operator asks is under way
    while not self.interrupted and (asked_for or not engine:finished()) do
      admitting = step(admitting)
      if parts.look_again then parts.look_again() end
      if parts.control then asked_for = parts.control.serve() end
      if asked_for or not engine:finished() then engine:wait(self.more and 0 or WAIT_MS) end
    end
    if self.interrupted then tell_of_stop(grace) end
    engine:stop(self.interrupted and grace or 0)
    if parts.control then parts.control.over() end
    if engine:left_behind() then
      display.say("a worker does not come to its end, and is left behind: what is told of its people is what was known")
    end
    tell_messages(math.huge)
    tell_outages()
    if parts.people then tell_rejected() end
    rows.finish()
    warnings.finish()
    display.done()
    self.rejected = parts.people and parts.people:counts().rejected or 0
  end

  function self.on_signals()
    for _, name in ipairs { "SIGINT", "SIGTERM", "SIGHUP" } do
      native.on_signal(name, function() self.stop(name == "SIGINT" and "interrupted" or "told to stop") end)
    end
  end

  return self
end

return session
