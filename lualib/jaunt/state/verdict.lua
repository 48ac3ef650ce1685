-- What is to be known of runs before their stories are read: the sentences at the top of `jaunt why`.

local figures = require "jaunt.base.figures"
local story = require "jaunt.state.story"
local times = require "jaunt.base.times"

local verdict = {}

-- "in 2d 3h", "5m ago".
local function from_now(ms, now)
  if ms >= now then return "in " .. figures.duration(ms - now) end
  return figures.duration(now - ms) .. " ago"
end

local function list_of(names, most)
  if #names == 1 then return names[1] end
  if #names > most then
    return ("%s and %s"):format(table.concat(names, ", ", 1, most), figures.of(#names - most, "other"))
  end
  return table.concat(names, ", ", 1, #names - 1) .. " and " .. names[#names]
end

---------------------------------------------------------------------------------------------- one run

local function at(run)
  return run.element and (" at \"%s\""):format(run.element) or ""
end

local function last_of(entries, what)
  for i = #entries, 1, -1 do
    if entries[i].what == what then return entries[i] end
  end
end

local function waits(run, entries, about)
  local next_run = (run.paused_ms and "jaunt resume " .. run.journey) or (not about.in_use and "the next jaunt run")
  if run.due_at_once then
    return "waited; an event has come for it" .. (next_run and (": %s lets it go on"):format(next_run) or "")
  end
  local wait = last_of(entries, "wait")
  local for_event = wait and not wait.over_ms and wait.event
  local text = for_event and "waits for " .. for_event or "waits"
  if not run.due_ms then return text end
  if run.due_ms <= about.now and next_run then
    return ("its wait is over since %s: %s lets it go on"):format(times.short(run.due_ms), next_run)
  end
  return ("%s%s until %s (%s)"):format(text, for_event and "," or "", times.short(run.due_ms), from_now(run.due_ms, about.now))
end

local function is_sent_on(entries)
  return entries[#entries] and entries[#entries].what == "redrive"
end

local function under_way(run, entries, about)
  if is_sent_on(entries) and not about.in_use then
    return ("sent on by an operator%s: the next jaunt run takes it up"):format(at(run))
  end
  local call = last_of(entries, "call")
  local doing = call and not call.result and (call.recalled and "with a call that had not left"
    or #call.attempts > 0 and "between two attempts of a call" or call.request and "with a call out" or "with a call in line")
  if about.in_use then return ("under way%s, since %s"):format(at(run), times.short(run.since_ms)) end
  return ("was under way%s when its process ended%s: the next jaunt run takes it up there"):format(at(run),
    doing and ", " .. doing or "")
end

local SENTENCES = {
  completed = function(run)
    return ("completed %s, %s after it entered"):format(times.short(run.since_ms),
      figures.duration(run.since_ms - run.entered_ms))
  end,
  dropped = function(run) return ("dropped%s: %s"):format(at(run), story.reason_words(run.reason or "?", run.detail)) end,
  held = function(run)
    if run.reason == "moved" then
      return ("held%s by another version (%s), and moved to this one: jaunt redrive lets it go on"):format(at(run),
        run.detail or "?")
    end
    return ("held%s: %s"):format(at(run), story.reason_words(run.reason or "?", run.detail))
  end,
  exited = function(run)
    if run.reason == "goal" then return "exited by its goal: " .. (run.detail or "?") end
    if run.reason == "exit_on" then return ("exited by the event %s (exit_on)"):format(run.detail or "?") end
    if run.reason == "operator" then return "ended by an operator" .. at(run) end
    return ("exited by its script%s"):format(run.detail and run.detail ~= "" and ": " .. run.detail or "")
  end,
  waiting = waits,
  queued = function(run, entries, about)
    if not about.in_use then return under_way(run, entries, about) end
    return ("in line for its turn%s, since %s"):format(at(run), times.short(run.since_ms))
  end,
  running = under_way,
}

local LIVING = { running = true, queued = true, waiting = true, held = true }

-- Where a run is, or how it ended, in a sentence. `run` is as jaunt.native.state gives it, with the names of its journey and
-- version, and paused_ms (since when the journey is paused, or nil). `about` has now (milliseconds) and in_use.
function verdict.state(run, entries, about)
  local sentence = SENTENCES[run.state](run, entries, about)
  local redrive = last_of(entries, "redrive")
  if redrive and not is_sent_on(entries) then
    sentence = sentence .. "; sent on by an operator" .. (redrive.number > 1 and (" %d times"):format(redrive.number) or "")
  end
  if run.converted_ms and run.reason ~= "goal" then
    sentence = ("%s; reached its goal %s, and counts as converted"):format(sentence, times.short(run.converted_ms))
  end
  if run.paused_ms and LIVING[run.state] then
    sentence = ("%s; the journey is paused since %s"):format(sentence, times.short(run.paused_ms))
  end
  if run.control then sentence = sentence .. "; of the control group: only watched" end
  return sentence
end

-- Of a call that took more than one attempt, or whose fate is unknown: a sentence; nil for others.
function verdict.call(call)
  local parts = {}
  for i, attempt in ipairs(call.attempts) do parts[i] = ("attempt %d %s"):format(i, story.attempt_words(attempt)) end
  if #parts > 3 then parts = { parts[1], ("%d more"):format(#parts - 2), parts[#parts] } end
  if call.result == "unknown" then
    parts[#parts + 1] = "whether it was done is unknown, and it is not sent again"
  elseif call.unclear then
    parts[#parts + 1] = "whether it was done is not known"
  end
  if #parts < 2 and not call.unclear then return nil end
  return ("\"%s\": %s"):format(call.name, table.concat(parts, "; "))
end

---------------------------------------------------------------------------------------------- several runs

local function was_sent(call)
  return call.request and (call.result == nil or call.result == "ok" or call.result == "unknown")
end

-- Elements whose call went out several times: { { journey =, name =, runs = { { run =, count = }, … }, count = }, … }.
local function sent_twice(told)
  local found, order = {}, {}
  for _, one in ipairs(told) do
    for _, entry in ipairs(one.story) do
      if entry.what == "call" and was_sent(entry) then
        local key = one.run.journey .. "\0" .. entry.name
        if not found[key] then
          found[key] = { name = entry.name, runs = {}, count = 0 }
          order[#order + 1] = found[key]
        end
        local of = found[key]
        local last = of.runs[#of.runs]
        if not last or last.run ~= one.run then
          last = { run = one.run, count = 0 }
          of.runs[#of.runs + 1] = last
        end
        last.count, of.count = last.count + 1, of.count + 1
      end
    end
  end
  local twice = {}
  for _, of in ipairs(order) do
    if of.count > 1 then twice[#twice + 1] = of end
  end
  return twice
end

local function people_of(runs)
  local names, seen = {}, {}
  for i = #runs, 1, -1 do -- the first run first
    local name = runs[i].run.person
    if not seen[name] then seen[name], names[#names + 1] = true, name end
  end
  return names
end

-- Why one call went out several times, a sentence for each such element. `told` is a list of { run =, story = }, newest first;
-- `shared` says what the people of different ids have in common ("this address"), or is nil.
function verdict.several(told, shared)
  local sentences = {}
  for _, of in ipairs(sent_twice(told)) do
    local people, why = people_of(of.runs), nil
    if #people > 1 then
      why = ("runs of %s share %s"):format(list_of(people, 3), shared or "it")
    elseif #of.runs > 1 then
      why = ("%s went through %s %d times"):format(people[1], of.runs[1].run.journey, #of.runs)
    else
      why = ("the script of %s's run came by it %d times"):format(people[1], of.count)
    end
    sentences[#sentences + 1] = ("%d × \"%s\": %s"):format(of.count, of.name, why)
  end
  return sentences
end

return verdict
