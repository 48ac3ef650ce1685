-- The Lua side of a worker: what the engine calls for every run, and for every payload.
--
-- require "jaunt.worker" (bundle) takes the scripts of one journey as JSON (see jaunt.bundle) and returns
--   body(profile, event, control, state)
--                                     the beginning of a run: JSON texts, whether the person is only watched, and what
--                                     restart_with was given, if it was
--   render(what, person, event)       a payload's bytes, or a table to be written as JSON, and its content type;
--                                     what = { name, vars }
--   load(bundle)                      the body of another version of the journey; its payloads are the newest

local chunk = require "jaunt.chunk"
local journey = require "jaunt.journey"
local json = require "json"
local nearest = require "jaunt.nearest"
local sandbox = require "jaunt.sandbox"
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

local CONTENT_TYPES = {
  json = "application/json", form = "application/x-www-form-urlencoded", xml = "application/xml",
  html = "text/html; charset=utf-8", txt = "text/plain; charset=utf-8",
}

-- Each payload as a function of (vars, person, event) that gives bytes or a table, and the type.
local function payload_renderer(name, source, modules)
  if source.kind ~= "lua" then
    return function() return source.text, CONTENT_TYPES[source.kind] end
  end
  local make, environment = compile(source), names_environment(source) and full_environment or bare_environment
  return function(vars, person, event)
    local transform = make(environment(modules))
    if type(transform) ~= "function" then
      error(("%s returns a %s, where return function(person, event, vars) … end is needed"):format(source.path,
        type(transform)), 0)
    end
    local value = transform(person, event, vars or {})
    if type(value) ~= "table" then
      error(("payload %s gives a %s: a transform returns a table"):format(name, type(value)), 0)
    end
    return value, CONTENT_TYPES.json -- the engine writes it
  end
end

local function payload_renderers(payloads, modules)
  local renderers, names = {}, {}
  for name, source in pairs(payloads) do
    renderers[name] = payload_renderer(name, source, modules)
    names[#names + 1] = name
  end
  return function(what, person, event)
    local name = what[1]
    local render = renderers[name]
    if not render then error(("there is no payload %q%s"):format(name, nearest.hint(name, names)), 0) end
    return render(what[2], person, event)
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

return function(bundle_text)
  local bundle = json.decode(bundle_text)
  local base = sandbox.base(vocabulary, json)
  base.journey = declare
  sandbox.lock_strings(vocabulary)
  meta = sandbox.meta(base)
  local body, modules = body_of(bundle)
  return body, payload_renderers(bundle.payloads, modules), function(text) return (body_of(json.decode(text))) end
end
