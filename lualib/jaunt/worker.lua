-- The Lua side of a worker: what the engine calls for every run, and for every payload.
--
-- require "jaunt.worker" (bundle) takes the scripts of one journey as JSON (see jaunt.project.bundle) and returns
--   body(profile, event, control, state)
--                                     the beginning of a run: JSON texts, whether the person is only watched, and what
--                                     restart_with was given, if it was
--   render(what, person, event, now)  a payload's bytes, or a table to be written as JSON, its content type, and what is
--                                     sent: "hello@3f9a…" (its name and the hash of its text); or nil, how it ends the call,
--                                     and a reason; what = { name, vars }, now in milliseconds
--   load(bundle)                      the body of another version of the journey; its payloads are the newest
--   text(kind, template, person, event, vars, now)
--                                     a URL ("url") or a header's value ("header") with the values put in; nil and what is wrong
--   payloads(sources)                 takes other payloads, as JSON, from now on

local chunk = require "jaunt.worker.chunk"
local journey = require "jaunt.worker.journey"
local json = require "json"
local renderers = require "jaunt.worker.renderers"
local sandbox = require "jaunt.worker.sandbox"
local vocabulary = require "jaunt.native.vocabulary"

local meta -- of every run's environment

local function compile(source)
  local make, why = chunk.compile(source.text, source.path)
  if not make then error(why, 0) end
  return make
end

-- Whether a script can tell that its environment has no `require` and no _G of its own: most never name them.
local function names_environment(source)
  return source.text:find("require", 1, true) or source.text:find("_G", 1, true) or source.text:find("_ENV", 1, true)
end

local function bare_environment()
  return setmetatable({}, meta)
end

-- The environment of one run, or of one rendering of a payload. Its `require` knows the project's modules: each is
-- instantiated in it when it is first asked for.
local function full_environment(modules)
  local made, loaded
  made = sandbox.environment(meta, function(name)
    if name == "json" or name == "cjson" then return made.json end
    loaded = loaded or {}
    if loaded[name] == nil then
      local make = modules[name]
      if not make then error(("there is no module %q in this project"):format(tostring(name)), 2) end
      local value = make(made, name)
      loaded[name] = value == nil and true or value
    end
    return loaded[name]
  end)
  return made
end

-- Warns of what had to be made safe in a payload: once for each.
local function warning_of_repairs()
  local warned = {}
  return function(name, facts)
    if facts.repaired == 0 or warned[name] then return end
    warned[name] = true
    vocabulary.warn(("payload %s: %d parts of what was put in can't stand in it (not UTF-8, control characters, or URLs "
      .. "that may run a script) and were made safe; this is told once"):format(name, facts.repaired))
  end
end

-- What the engine calls for a payload: see jaunt.worker.renderers. A template that ends the call itself gives nil, how ("skip",
-- "drop" or "hold") and the reason; what went wrong is an error.
local function payload_renderer(payloads, modules, check)
  local options = {
    environment = function(source)
      local environment = names_environment(source) and full_environment or bare_environment
      return function() return environment(modules) end
    end,
    choose = vocabulary.choose, plain = vocabulary.plain, check = check,
  }
  local render, context, warn = renderers.new(payloads, options), {}, warning_of_repairs()
  local function render_payload(what, person, event, now)
    context.now = now
    local sent, about = render(what[1], person, event, what[2], context)
    if sent then
      if about.facts then warn(about.name, about.facts) end
      return sent, about.type, about.sent
    end
    if about.reason then return nil, about.what, about.reason end
    error(tostring(about):match("^[^\n]*"), 0) -- without the line itself and its caret
  end
  return render_payload, function(text) render = renderers.new(json.decode(text), options) end
end

-- The same for `jaunt preview`: tells what each payload is rendered from, as a trace. What can't be told as JSON is left out.
local function telling(render_payload)
  local function told(value)
    local ok, text = pcall(json.encode, vocabulary.plain(value or {}))
    return ok and text or "null"
  end
  return function(what, person, event, now)
    vocabulary.tell(('{"payload":%s,"now":%d,"person":%s,"event":%s,"vars":%s}'):format(json.encode(what[1]), now, told(person),
      told(event), told(what[2])))
    return render_payload(what, person, event, now)
  end
end

-- `split` for `jaunt preview`: tells which branches there are, and takes those that are wanted: { SPLIT = BRANCH }.
local function pretending_split(wanted)
  return function(name)
    local split = vocabulary.split(name)
    return function(branches)
      vocabulary.tell(json.encode { split = name, branches = branches })
      local branch = wanted[name]
      return branch and branches[branch] and branch or split(branches)
    end
  end
end

local TEXTS_KEPT = 1000 -- compiled; a script that makes its URLs from values has more of them than that

-- Values in URLs and headers: see `text` above.
local function text_renderer()
  local compiled, count, context = {}, 0, {}

  local function template_of(kind, text)
    local known = compiled[kind .. text]
    if known then return known end
    local template, fault = require("jaunt.liquid").compile(text, { path = "this " .. kind, kind = kind })
    if not template then return nil, fault end
    if count == TEXTS_KEPT then compiled, count = {}, 0 end
    compiled[kind .. text], count = template, count + 1
    return template
  end

  return function(kind, text, person, event, vars, now)
    local template, fault = template_of(kind, text)
    if not template then return nil, tostring(fault) end
    context.person, context.event = vocabulary.plain(person), vocabulary.plain(event)
    context.vars, context.now = vocabulary.plain(vars or {}), now
    local done, why = template:render(context)
    if not done then return nil, why.reason or tostring(why) end
    return done
  end
end

-- A person of the control group is only watched: for as long as the goal may take.
local function only_watch(goal, exit_on)
  vocabulary.watch(goal, exit_on)
  vocabulary.only_watch(goal and goal.within)
end

local function journey_body(main, modules, environment, name)
  return function(profile, event_text, control, state)
    local person, event = vocabulary.enter(profile, event_text)
    local definition = main(environment(modules))
    event.meta.name = type(definition.starts_on) == "table" and definition.starts_on[1] or definition.starts_on
    if control or definition.goal or definition.exit_on then
      local goal, exit_on = journey.events_of(definition, name)
      if control then return only_watch(goal, exit_on) end
      vocabulary.watch(goal, exit_on)
    end
    definition.flow(person, event, state and json.decode(state))
  end
end

local function script_body(main, modules, arguments)
  return function(profile, event_text)
    vocabulary.enter(profile, event_text)
    main(full_environment(modules), table.unpack(arguments))
  end
end

-- journey "NAME" { … }: it was checked when it was gathered, so that here it only gives the definition.
local function definition_of(definition) return definition end
local function declare() return definition_of end

local function body_of(bundle)
  local modules = {}
  for name, source in pairs(bundle.modules) do modules[name] = compile(source) end
  local main = compile(bundle.main)
  local environment = names_environment(bundle.main) and full_environment or bare_environment
  local body = bundle.kind == "script" and script_body(main, modules, bundle.arguments)
    or journey_body(main, modules, environment, bundle.name)
  return body, modules
end

-- The same for chunks that somebody types: the module that bundle.body names knows what becomes of them (see jaunt.repl.body).
local function prompt_parts(bundle, base)
  local modules = {}
  local render, take_payloads = payload_renderer(bundle.payloads, modules, bundle.check)
  local body = require(bundle.body) {
    base = base, modules = modules, compile = compile, render = render,
    environment = function() return full_environment(modules) end,
  }
  return body, render, function() error("what is typed has one version", 0) end, take_payloads, text_renderer()
end

return function(bundle_text)
  local bundle = json.decode(bundle_text)
  local base = sandbox.base(vocabulary, json)
  base.journey = declare
  if bundle.pretends then base.split = pretending_split(bundle.pretends) end
  sandbox.lock_strings(vocabulary)
  meta = sandbox.meta(base)
  if bundle.kind == "prompt" then return prompt_parts(bundle, base) end
  local body, modules = body_of(bundle)
  local render, take_payloads = payload_renderer(bundle.payloads, modules, bundle.check)
  if bundle.pretends then render = telling(render) end
  return body, render, function(text) return (body_of(json.decode(text))) end, take_payloads, text_renderer()
end
