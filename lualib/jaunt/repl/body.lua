-- What a worker does with the chunks that somebody types: each is a run of its own, and all of them have one environment.
--
-- A chunk comes as the event that lets the run in: { chunk = its text, name = what its lines are called in messages,
-- line = where it begins, modules = { NAME = SOURCE } (those that it requires), profile =, event = (JSON texts: another
-- person from here on), names = true (tells of names, too), or step = the script of a journey, past =, state = (see
-- jaunt.repl.stepping) }. What comes of it is told as a trace:
--   { values = { { text = }, { response = … } or { body = (of a payload) }, … } }
--                                                        it came to its end; names = what the environment has by now
--   { ask = { … }, number = }                            what is to become of an element; the answer is an event "prompt NUMBER"
--   { came = … }                                         a value on its way there
--   { note = "…" }                                       something to be said on its way there
--   { over = "completed" }                               how a journey that was stepped through has ended
--   { failed = { message =, at = { "FILE:LINE", … } } }  it raised an error; `compiled` is false where it is no Lua
-- A chunk that ends its run (drop, exit, a limit) tells nothing.

local chunk = require "jaunt.worker.chunk"
local json = require "json"
local sandbox = require "jaunt.worker.sandbox"
local show = require "jaunt.repl.show"
local vocabulary = require "jaunt.native.vocabulary"

local BODY_MOST = 1 << 20 -- bytes of an answer that are handed over to be shown
local AS_VALUE = "local at_the_prompt <close> = nil return " -- with something to close it is no tail call: its line stays known
local FIELDS_MOST, NAMES_MOST = 200, 2000

---------------------------------------------------------------------------------------------- what is told

local function options()
  return { plain = vocabulary.plain, null = json.null }
end

-- A call's response, or nil for any other value: its type's metatable says so, which scripts can't see.
local function response_of(value)
  local meta = type(value) == "userdata" and debug.getmetatable(value)
  if not meta or meta.__name ~= "response" then return nil end
  local body = value.body
  return {
    ok = value.ok, failed = value.failed, unknown = value.unknown, skipped = value.skipped, status = value.status, ms = value.ms,
    attempts = value.attempts, error = value.error, truncated = value.truncated, bytes = #body,
    type = value.headers["content-type"], body = show.valid(body:sub(1, BODY_MOST)),
  }
end

-- `rendered` is what `payload` has just given: it is shown as it would be sent.
local function told_value(value, rendered)
  local response = response_of(value)
  if response then return { response = response } end
  if rendered and value == rendered then
    local text = type(value) == "table" and json.encode(value) or value
    return { body = show.valid(text:sub(1, BODY_MOST)) }
  end
  return { text = show.literal(value, options()) }
end

local function told_values(values, rendered)
  local list = json.array {}
  for i = 1, values.n do list[i] = told_value(values[i], rendered) end
  return list
end

-- The names inside a value that can be looked into with a dot: { NAME = true or a table of the same }.
local function fields_of(value, depth)
  if response_of(value) then
    local fields, is_json = {}, pcall(function() return value.json end)
    for _, name in ipairs(sandbox.RESPONSE_FIELDS) do fields[name] = 1 end
    if is_json then fields.json = fields_of(value.json, depth) end
    return fields
  end
  local plain = type(value) == "userdata" and vocabulary.plain(value) or value
  if type(plain) ~= "table" or depth == 0 then return 1 end
  local fields, count = {}, 0
  for key, inner in next, plain do
    if type(key) == "string" and key:find("^[%a_][%w_]*$") then
      count = count + 1
      if count > FIELDS_MOST then break end
      fields[key] = fields_of(inner, depth - 1)
    end
  end
  return next(fields) and fields or 1
end

local function names_of(environment)
  local names, count = {}, 0
  for name, value in next, environment do
    if type(name) == "string" and name ~= "_G" then
      count = count + 1
      if count > NAMES_MOST then break end
      names[name] = fields_of(value, 2)
    end
  end
  return names
end

---------------------------------------------------------------------------------------------- mistakes

local function is_ours(source)
  return source:find("lualib/jaunt/", 1, true) or source:sub(1, 1) ~= "@"
end

-- The lines of the script's own at which it is, the innermost first.
local function lines_of_script(level)
  local lines = json.array {}
  for at = level, level + 200 do
    local about = debug.getinfo(at, "Sl")
    if not about then break end
    if about.currentline > 0 and not is_ours(about.source) then
      lines[#lines + 1] = ("%s:%d"):format(about.short_src, about.currentline)
    end
  end
  return lines
end

local function words_of(raised)
  if type(raised) == "string" then return show.valid(raised) end
  local meta = debug.getmetatable(raised)
  local ok, text = pcall(tostring, raised)
  if meta and rawget(meta, "__tostring") and ok and type(text) == "string" then return show.valid(text) end
  return "an error was raised with a " .. type(raised) .. " instead of a text: " .. show.literal(raised, options())
end

-- What is raised within our own lines happened at the script's.
local function mistake(raised)
  local at, message = lines_of_script(3), words_of(raised)
  local rest = message:match("^%S*lualib/jaunt/[^:]+:%d+: (.*)$")
  if rest then message = at[1] and at[1] .. ": " .. rest or rest end
  return { message = message, at = at }
end

---------------------------------------------------------------------------------------------- the environment

-- `call_api` at a prompt: who calls there wants to see what came back, whatever it is.
local function looking(call_api)
  local function with_default(fields)
    if type(fields) ~= "table" or fields.on_failure ~= nil then return fields end
    local own = setmetatable({}, getmetatable(fields))
    for key, value in next, fields do own[key] = value end
    own.on_failure = "continue"
    return own
  end
  return function(named, ...)
    if type(named) == "table" then return call_api(with_default(named), ...) end
    local call = call_api(named, ...)
    return function(fields, ...) return call(with_default(fields), ...) end
  end
end

-- payload "NAME", or payload("NAME", vars): what it renders to for the person at hand.
local function rendering(render, person_and_event, note)
  return function(name, vars)
    if type(name) ~= "string" then error("payload takes the name of a payload: payload \"hello\"", 2) end
    local person, event = person_and_event()
    local sent, kind, why = render({ name, vars or {} }, person, event, math.floor(vocabulary.now() * 1000))
    if sent == nil then error(("payload %q ends the call (%s): %s"):format(name, kind, why), 2) end
    note(sent)
    return sent
  end
end

---------------------------------------------------------------------------------------------- the body

-- parts: base (the names that all scripts see), environment = a function that makes one, modules (compiled, by name; more are
-- put in), compile = a function of a source, render. Returns the body of the runs.
return function(parts)
  local environment, person, event, rendered
  local profile_text, event_text = nil, "{}"
  parts.base.call_api = looking(parts.base.call_api)
  parts.base.payload = rendering(parts.render, function() return person, event end,
    function(sent) rendered = sent end)

  local function compiled(order)
    local text = ("\n"):rep((order.line or 1) - 1) .. order.chunk
    local make = chunk.compile(AS_VALUE .. text, order.name)
    if make then return make end
    return chunk.compile(text, order.name)
  end

  local function tell(told)
    vocabulary.tell(json.encode(told))
  end

  -- Who the person is by now is what the next chunk begins with, however this one ends.
  local function keep_person()
    local ok, text = pcall(json.encode, vocabulary.plain(person))
    if ok then profile_text = text end
  end

  -- Asks who sits at the prompt; `asked` counts, so that no answer is like another.
  local asked = 0
  local function ask(what)
    asked = asked + 1
    tell { ask = what, number = asked }
    return vocabulary.wait_for("prompt " .. asked)
  end

  local step = require "jaunt.repl.stepping" {
    environment = parts.environment, compile = parts.compile, render = parts.render, ask = ask,
    note = function(words) tell { note = show.valid(words) } end,
    came = function(value) tell { came = told_value(value) } end, over = function(words) tell { over = show.valid(words) } end,
  }

  local function code_of(order)
    if not order.step then return compiled(order) end
    return function() return step(order.step, person, event, order.past or {}, order.state) end
  end

  return function(_, order_text)
    local order = json.decode(order_text)
    if order.profile then profile_text, event_text = order.profile, order.event end
    for name, source in pairs(order.modules or {}) do parts.modules[name] = parts.modules[name] or parts.compile(source) end
    environment = environment or parts.environment()
    person, event = vocabulary.enter(profile_text, event_text)
    environment.person, environment.event = person, event
    local kept <close> = setmetatable({}, { __close = keep_person })
    local run, why = code_of(order)
    if not run then
      tell { failed = { message = why, at = json.array {}, compiled = false } }
      return
    end
    rendered = nil
    local values = table.pack(xpcall(run, mistake, environment, table.unpack(order.arguments or {})))
    if not values[1] then
      tell { failed = values[2] }
      return
    end
    if order.step then return end
    local results = table.pack(table.unpack(values, 2, values.n))
    if results.n > 0 then environment._ = results[1] end
    tell { values = told_values(results, rendered), names = order.names and names_of(environment) or nil }
  end
end
