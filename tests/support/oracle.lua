-- What must hold after every fault, for specs: what the vendor was sent, the ledger and the journals are held against
-- each other.
--
--   local oracle = require "oracle".new()
--   oracle.fault()                                 one more was injected
--   oracle.ended(report, people)                   all of them have ended, once, and the ledger adds up
--   oracle.passed(report, "note", people)          … and went through that element, once
--   oracle.vendor(vendor)                          no key came with two bodies; keeps what came for what follows
--   oracle.once("/crm/first", people)              each of them was called there under one key
--   oracle.at_most_once("/sms/note")               nobody's call there was accepted twice
--   oracle.journals(path)                          each key that came is an intent there; no wait ended before its time, and
--                                                  each by one thing
--   oracle.want(holds, "%s: …", person)            what else must hold; the text, as string.format has it, where it does not
--   oracle.tell("kill -9")                         prints the counts; fails where something was violated

local json = require "json"
local running = require "running"
local states = require "jaunt.native.state"

local oracle = {}

local TOLD_MOST = 10
local NEVER = math.maxinteger -- when a wait is over that has no end

local function by_person(items, path)
  local found, persons = {}, 0
  for _, item in ipairs(items) do
    if item.path == path then
      local id = json.decode(item.body).id
      if not found[id] then persons = persons + 1 end
      found[id] = found[id] or {}
      table.insert(found[id], item)
    end
  end
  return found, persons
end

-- Calls f(run, its records) for every run in the state.
local function each_run(path, f)
  local looked_at <close> = states.open(path)
  local runs, before
  repeat
    runs, before = looked_at:runs { before = before }
    for _, run in ipairs(runs) do f(run, looked_at:journal(run.run)) end
  until not before
end

function oracle.new()
  local self = { items = {} }
  local faults, people_checked, waits, violations = 0, 0, 0, {}

  local function want(holds, text, ...)
    if not holds then violations[#violations + 1] = text:format(...) end
  end
  self.want = want

  function self.fault(count) faults = faults + (count or 1) end

  function self.ended(report, people)
    people_checked = people_checked + people
    want(report.entered == people, "%d entered instead of %d", report.entered, people)
    want(running.ledger(report) == people, "the ledger adds up to %d instead of %d", running.ledger(report), people)
    local ended = report.completed + report.dropped + report.exited
    want(ended == people, "%d have ended instead of %d", ended, people)
  end

  function self.passed(report, name, people)
    local element = running.element(report, name)
    want(element.reached == people, "%d reached %s instead of %d", element.reached, name, people)
    want(element.went_on == people, "%d went on from %s instead of %d", element.went_on, name, people)
  end

  function self.vendor(vendor)
    self.items = vendor.items()
    local count = vendor.received().two_bodies
    want(count == 0, "%d requests came under a key that had another body", count)
  end

  function self.once(path, people)
    local found, persons = by_person(self.items, path)
    want(persons == people, "%d were called at %s instead of %d", persons, path, people)
    for id, theirs in pairs(found) do want(#theirs == 1, "%s: %s was called under %d keys", path, id, #theirs) end
  end

  function self.at_most_once(path)
    for id, theirs in pairs((by_person(self.items, path))) do
      local accepted = 0
      for _, item in ipairs(theirs) do accepted = accepted + item.accepted end
      want(accepted <= 1, "%s: %s's call was accepted %d times", path, id, accepted)
    end
  end

  -- A wait is a step with the time when it is over; what ended it comes next, beside what is no step of the script.
  local function check_waits(run, records)
    local wait
    for _, record in ipairs(records) do
      local is_end = record.kind == "woke" or record.kind == "taken"
      if record.kind == "step" then
        wait = (record.extra == "wait" or record.extra == "wait_until" or record.extra == "wait_for") and record or nil
      elseif is_end then
        want(wait, "%s: a wait ended that had not begun, or had ended before (step %d)", run.person, record.step)
        local over = wait and wait.numbers[1] or 0
        local in_time = record.kind == "taken" or (over ~= NEVER and record.at_ms >= over)
        want(in_time, "%s: %s ended %d ms before its time", run.person, wait and wait.name or "", over - record.at_ms)
        waits, wait = waits + 1, nil
      end
    end
  end

  function self.journals(path)
    local intents = {}
    each_run(path, function(run, records)
      for _, record in ipairs(records) do
        if record.kind == "intent" then intents[record.name] = true end
      end
      check_waits(run, records)
    end)
    for _, item in ipairs(self.items) do
      want(item.keyless or intents[item.key], "a call left that is not in the journal: %s %s", item.path, item.key)
    end
  end

  function self.tell(what)
    print(("%s: %d faults injected, %d people checked, %d waits, %d violations"):format(what, faults, people_checked,
      waits, #violations))
    if #violations > 0 then
      local some = table.concat(violations, "\n  ", 1, math.min(#violations, TOLD_MOST))
      error(("%d violations, such as:\n  %s"):format(#violations, some), 2)
    end
  end

  return self
end

return oracle
