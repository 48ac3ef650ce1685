-- A run's journal as a story: what happened to it, in order, and in a few sentences why it is where it is.
--
-- story.of(state, run) gives a list of entries. Each has `what`, `at_ms`, and
--   enter    profile and event (JSON texts)
--   call     name, and as far as it has come: request = { method, url, connection, type, payload, template (the hash of
--            its text), key, body },
--            queued_ms, attempts = { { at_ms, reason, status, ms }, … }, result, reason, detail, answer = { status, headers,
--            body, truncated, ms }, over_ms, recalled (it had not left when the runtime ended), again (it is one from before
--            a redrive, which goes on), unclear (nobody knows whether it was done)
--   wait     name, kind (wait, wait_until, wait_for), until_ms, event (of wait_for), over_ms, by ("time" or "event"), data
--   split    name, verdict
--   write    name, value (JSON text)
--   newer    value (JSON text): what the script reads of its person from here on, as that has changed; null where it is gone
--   restart  value (JSON text)
--   redrive  from_step (nil: nothing is done again), as_it_was (the call is sent again, the same bytes), number (1 for the
--            run's first redrive)
--   end      outcome, reason, detail, element; also where a run was held and went on later

local story = {}

local FOREVER = 1 << 62 -- a wait_for without `within`

local TRUNCATED, UNCLEAR = 1, 2 -- bits of a result's fourth number: record_result_bits of runtime/store/store.h
local RECALLED = 1              -- an attempt's third number: record_attempt_notes there

local WAITS = { wait = true, wait_until = true, wait_for = true }

local function step_entry(record)
  local kind = record.extra
  if not record.name then return nil end -- env, and what else has no element
  if kind == "call_api" then return { what = "call", name = record.name, attempts = {} } end
  if WAITS[kind] then
    local until_ms = record.numbers[1]
    return { what = "wait", name = record.name, kind = kind, until_ms = until_ms < FOREVER and until_ms or nil,
      event = kind == "wait_for" and record.name:gsub("^wait_for ", "") or nil }
  end
  if kind == "split" then return { what = "split", name = record.name, verdict = record.data } end
  return nil -- drop and exit: the end says it
end

local function add_intent(call, record)
  call.request = { method = record.method, url = record.more, connection = record.connection, type = record.type,
    payload = record.payload, template = record.template, key = record.name, body = record.data }
  call.queued_ms = call.queued_ms or record.at_ms - call.at_ms
  call.recalled = nil
end

local function add_attempt(call, record)
  if record.numbers[3] ~= 0 then
    call.recalled = record.numbers[3] == RECALLED or nil
    return
  end
  call.attempts[#call.attempts + 1] = { at_ms = record.at_ms, reason = record.name, status = record.numbers[1],
    ms = record.numbers[2] / 1000 }
end

local function add_result(call, record)
  local status, attempts, ms = record.numbers[1], record.numbers[2], record.numbers[3] / 1000
  call.result, call.over_ms = record.name, record.at_ms
  call.reason, call.detail = (record.extra or ""):match("^([^\n]*)\n?(.*)$")
  if call.reason == "" then call.reason, call.detail = nil, nil end
  if call.result == "ok" and attempts > 0 then
    call.attempts[#call.attempts + 1] = { at_ms = record.at_ms, status = status, ms = ms }
  end
  if status > 0 then
    call.answer = { status = status, headers = record.more, body = record.data,
      truncated = record.numbers[4] & TRUNCATED ~= 0, ms = ms }
  end
  call.unclear = record.numbers[4] & UNCLEAR ~= 0 or nil
end

-- Records that add to the entry that is open, by their kind: function(open, record).
local ADD = {
  intent = function(open, record) if open.what == "call" then add_intent(open, record) end end,
  attempt = function(open, record) if open.what == "call" then add_attempt(open, record) end end,
  result = function(open, record) if open.what == "call" then add_result(open, record) end end,
  woke = function(open, record) open.over_ms, open.by = record.at_ms, "time" end,
  taken = function(open, record)
    open.over_ms, open.by, open.data, open.event = record.at_ms, "event", record.data, record.name
  end,
}

-- Records that are entries of their own.
local ENTRY = {
  enter = function(record) return { what = "enter", profile = record.data, event = record.more } end,
  step = step_entry,
  write = function(record) return { what = "write", name = record.name, value = record.data } end,
  restart = function(record) return { what = "restart", value = record.data } end,
  redrive = function(record)
    local from = record.numbers[1]
    return { what = "redrive", from_step = from > 0 and from or nil, as_it_was = record.numbers[3] ~= 0 or nil,
      number = record.numbers[2] }
  end,
  ["end"] = function(record)
    return { what = "end", outcome = record.to, reason = record.reason, detail = record.detail, element = record.element }
  end,
}

-- What goes on behind a redrive, of what was open before it: the same call, when it is sent again or had no result yet; nil.
local function left_open(open, redrive)
  if not open or open.what ~= "call" or not open.request then return nil end
  if not redrive.as_it_was and (redrive.from_step or open.result) then return nil end
  return { what = "call", name = open.name, request = open.request, attempts = {}, queued_ms = 0, again = true }
end

-- See the top. Returns the entries, and whether the journal could be read to its end.
function story.of(state, run)
  local records, whole = state:journal(run.run)
  local entries, open, again = {}, nil, nil -- again: a call that goes on, once something comes of it
  for _, record in ipairs(records) do
    local make, add = ENTRY[record.kind], ADD[record.kind]
    local entry = make and make(record)
    if add and not entry and again then
      entry, open, again = again, again, nil
      add(open, record)
    elseif add and not entry and open then
      add(open, record)
    end
    if entry then
      entry.at_ms = record.at_ms
      entries[#entries + 1] = entry
      if record.kind == "step" then open, again = entry, nil end
      if record.kind == "redrive" then open, again = nil, left_open(open or again, entry) end
    end
    if record.newer then entries[#entries + 1] = { what = "newer", at_ms = record.at_ms, value = record.newer } end
  end
  return entries, whole
end

---------------------------------------------------------------------------------------------- in words

local ATTEMPT = {
  timeout = "timed out after sending", reset = "was cut off before its answer was whole", connect = "could not connect",
  dns = "found no address", tls = "got no secure connection", protocol = "was answered with something that is not HTTP",
  too_large = "was answered with too much", redirect = "was sent elsewhere too often", egress = "was not let out",
}

-- How an attempt went: "was accepted", "was answered 503".
function story.attempt_words(attempt)
  if not attempt.reason then return attempt.status > 0 and "was accepted" or "went well" end
  if attempt.reason == "status" then return ("was answered %d"):format(attempt.status) end
  if attempt.reason == "predicate" then return ("was answered %d, which success refused"):format(attempt.status) end
  return ATTEMPT[attempt.reason] or ("failed (%s)"):format(attempt.reason)
end

-- A reason with its detail: "status 422", "payload: …".
function story.reason_words(reason, detail)
  if not detail or detail == "" then return reason end
  if reason == "status" and detail:find("^%d+$") then return "status " .. detail end
  if reason == "status" or reason == "drop" or reason == "exit" or detail:find(reason, 1, true) == 1 then return detail end
  return ("%s: %s"):format(reason, detail)
end

-- The run of that number, of this person, as it is by now: its row (see jaunt.native.state's runs()) with its story; nil
-- where it is gone.
function story.look(state, number, person)
  for _, row in ipairs((state:runs { person = person, most = 100 })) do
    if row.run == number then
      row.story = story.of(state, row)
      return row
    end
  end
end

return story
