-- A journey element by element, in a worker: before each call, wait and split somebody is asked what becomes of it.
--
-- stepping(parts) returns a function of (main, person, event, past, state): the journey's script as a source, who goes
-- through it, the answers that are known beforehand, and what restart_with was given. parts: environment = a function
-- that makes one, compile, render (a payload), ask(what) = tells what is there and gives the answer, note(words) =
-- says something, came(value) = shows what came of it, over(words) = tells how it has ended.
--
-- what = { kind = "call", "wait" or "split", element =, detail =, body = (of a call), branches = }; an answer = { how
-- = "go", "skip", "feign" (with status and body of a call, data of an event, branch of a split) or "quit" }; one from
-- the past has kind and element, too, and how = "recorded" with a call's response.

local json = require "json"
local show = require "jaunt.repl.show"
local vocabulary = require "jaunt.native.vocabulary"

local VERBS = { "GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS" }

local function copy(fields)
  local own = {}
  for key, value in next, fields do own[key] = value end
  return own
end

---------------------------------------------------------------------------------------------- calls

-- Method and path as they stand in the script.
local function address(fields)
  for _, verb in ipairs(VERBS) do
    if fields[verb] then return verb, fields[verb] end
  end
  return fields.method or "GET", fields.url or "?"
end

-- What would be sent, as text; nil where there is no body, or nil and why it can't be had.
local function body_of(fields, rendered)
  local value = fields.json or fields.form or fields.body
  if type(fields.payload) == "table" then value = fields.payload end
  if type(fields.payload) == "string" then
    local ok, sent, how, why = pcall(rendered, fields.payload, fields.vars)
    if not ok then return nil, tostring(sent) end
    if sent == nil then return nil, ("the payload ends the call (%s): %s"):format(how, why) end
    value = sent
  end
  if type(value) ~= "table" and type(value) ~= "userdata" then return value and tostring(value) end
  local ok, text = pcall(json.encode, vocabulary.plain(value))
  return ok and text or nil, not ok and text or nil
end

-- Headers are found in any letters.
local HEADERS = {
  __index = function(headers, name) return type(name) == "string" and rawget(headers, name:lower()) or nil end,
}

local function response(fields)
  local made = {
    ok = false, failed = false, unknown = false, skipped = false, headers = {}, attempts = 0, ms = 0, truncated = false,
  }
  for key, value in pairs(fields) do made[key] = value end
  setmetatable(made.headers, HEADERS)
  return made
end

local function feigned(answer, fields)
  local decoded, value = pcall(json.decode, answer.body or "")
  local made = response { status = answer.status, body = answer.body, json = decoded and value or nil, attempts = 1 }
  made.ok = answer.status // 100 == 2
  if type(fields.success) == "function" then made.ok = not not fields.success(made) end
  made.failed = not made.ok
  if made.failed then made.error = ("status: %d, feigned"):format(answer.status) end
  return made
end

-- As call_api would, after a failure that was feigned.
local function follow(made, fields, element)
  local policy = fields.on_failure or "drop"
  if not made.failed or policy == "continue" then return made end
  if policy == "drop" then vocabulary.drop(("%q failed: %s"):format(element, made.error)) end
  error(("%q would be held here: %s"):format(element, made.error), 0)
end

local function stepping_call(parts)
  local function call(name, fields)
    local method, path = address(fields)
    local element = name or method .. " " .. path
    local body, why = body_of(fields, parts.rendered)
    local answer = parts.ask {
      kind = "call", element = element, body = body and show.valid(body), wrong = why and show.valid(why),
      detail = ("%s %s%s%s"):format(method, path, fields.via and " via " .. fields.via or "",
        type(fields.payload) == "string" and ", payload " .. fields.payload or ""),
    }
    if answer.how == "skip" then return response { skipped = true } end
    if answer.how == "recorded" then return follow(response(answer.response), fields, element) end
    if answer.how == "feign" then return follow(feigned(answer, fields), fields, element) end
    local made = name and vocabulary.call_api(name)(fields) or vocabulary.call_api(fields)
    parts.came(made)
    return made
  end
  return function(named)
    if type(named) == "table" then return call(nil, copy(named)) end
    return function(fields) return call(named, copy(fields)) end
  end
end

---------------------------------------------------------------------------------------------- the rest

local function waiting(parts, word)
  return function(what, options)
    local first = type(what) == "table" and what[1] or what
    local answer = parts.ask { kind = "wait", element = ("%s %s"):format(word, tostring(first)),
      event = word == "wait_for" or nil }
    if answer.how == "feign" and word == "wait_for" then
      local event = answer.data
      event.meta = event.meta or { id = "feigned", name = tostring(first), time = vocabulary.now() }
      return event
    end
    if answer.how == "skip" then return nil end
    return vocabulary[word](what, options)
  end
end

local function stepping_split(parts)
  return function(name)
    return function(branches)
      local names = json.array {}
      for branch in next, branches do names[#names + 1] = branch end
      table.sort(names)
      local usual = vocabulary.split(name)(branches)
      local answer = parts.ask { kind = "split", element = name, branches = names, usual = usual }
      return answer.branch and branches[answer.branch] and answer.branch or usual
    end
  end
end

-- Whether an answer of the past is one to this element. Waits are called otherwise in journals than in scripts.
local function belongs(answer, what)
  return answer.kind == what.kind and (what.kind == "wait" or answer.element == what.element)
end

return function(parts)
  local past, at

  local function ask(what)
    at = at + 1
    if past[at] and belongs(past[at], what) then return past[at] end
    if past[at] then
      parts.note(("the script goes another way here: the run came to %s"):format(past[at].element or "a wait"))
      past = {}
    end
    local answer = parts.ask(what)
    if answer.how == "quit" then
      parts.over "left"
      vocabulary.exit "left by .step"
    end
    return answer
  end

  return function(main, person, event, known, state)
    past, at = known, 0
    local environment = parts.environment()
    local own = { ask = ask, came = parts.came, rendered = function(name, vars)
      return parts.render({ name, vars or {} }, person, event, math.floor(vocabulary.now() * 1000))
    end }
    environment.call_api, environment.split = stepping_call(own), stepping_split(own)
    for _, word in ipairs { "wait", "wait_until", "wait_for" } do environment[word] = waiting(own, word) end
    environment.exit = function(reason, ...)
      parts.over(reason and "exited: " .. tostring(reason) or "exited")
      return vocabulary.exit(reason, ...)
    end
    environment.journey = function() return function(definition) return definition end end
    parts.compile(main)(environment).flow(person, event, state)
    parts.over "completed"
  end
end
