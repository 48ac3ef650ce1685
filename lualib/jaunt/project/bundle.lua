-- A bundle: all the scripts that one journey (or one plain script) runs with, as JSON for jaunt.worker.
--
--   { kind = "journey" or "script" (or "prompt", with body = a module's name: see jaunt.worker), name = (a journey's),
--     main = SOURCE, modules = { NAME = SOURCE }, payloads = { NAME = SOURCE }, arguments = { … },
--     check = (the share of rendered payloads that is looked at) }
--
-- where a SOURCE is { path =, text = }, and payloads' are those of jaunt.project.payloads. `jaunt preview` adds
-- pretends = { SPLIT = BRANCH }: see jaunt.preview.walk.
--
-- The version of a journey is the hash of main and modules; payloads don't count, so that a changed word reaches
-- everybody.

local chunk = require "jaunt.worker.chunk"
local engine = require "jaunt.native.engine"
local fs = require "jaunt.native.fs"
local journey = require "jaunt.worker.journey"
local json = require "json"
local mistakes = require "jaunt.base.mistakes"
local payloads = require "jaunt.project.payloads"
local project = require "jaunt.project"
local sandbox = require "jaunt.worker.sandbox"

local bundle = {}

local function source_of(path)
  local source = { path = path, text = payloads.read(path) }
  local make, why = chunk.compile(source.text, path)
  if not make then mistakes.fail("%s", why) end
  return source
end

-- The text without comments and long strings' insides, as far as finding `require` and `journey` needs it.
local function code_only(text)
  return (text:gsub("%-%-%[(=*)%[.-%]%1%]", ""):gsub("%-%-[^\n]*", ""))
end

local function module_path(found, name)
  local path = project.path(found, (name:gsub("%.", "/")) .. ".lua")
  return fs.kind(path) == "file" and path or nil
end

-- Adds the modules that the text names, and those that they name, to `modules`: { NAME = SOURCE }. Fails where there is none of a
-- name; `path` is whose text it is.
function bundle.add_modules(found, text, path, modules)
  local code = code_only(text)
  for name in code:gmatch("%f[%w_]require%s*%(?%s*[\"']([^\"']+)[\"']") do
    local own = name == "json" or name == "cjson"
    if not own and not modules[name] then
      local file = found and module_path(found, name)
      if not file then
        mistakes.fail("%s: there is no module \"%s\"%s", path, name,
          found and (": it would be " .. project.path(found, name:gsub("%.", "/") .. ".lua")) or " outside of a project")
      end
      modules[name] = source_of(file)
      bundle.add_modules(found, modules[name].text, file, modules)
    end
  end
end

-- The names that the scripts and payloads ask for by secret "NAME", sorted.
local function secret_names(...)
  local names, seen = {}, {}
  for _, sources in ipairs { ... } do
    for _, source in pairs(sources) do
      for name in code_only(source.text or ""):gmatch("%f[%w_]secret%s*%(?%s*[\"']([^\"']+)[\"']") do
        if not seen[name] then names[#names + 1] = name end
        seen[name] = true
      end
    end
  end
  table.sort(names)
  return names
end

-- True when the script declares a journey; otherwise it is a plain script.
function bundle.is_journey(text)
  return code_only(text):find("%f[%w_]journey%s*%(?%s*[\"'%[]") ~= nil
end

-- The vocabulary of a script that is only looked at: everything refuses to work.
function bundle.refusing()
  local vocabulary = setmetatable({}, {
    __index = function(_, name)
      return function()
        error(("%s works in a journey's flow, not while the script is loaded"):format(name), 2)
      end
    end,
  })
  rawset(vocabulary, "coroutine", coroutine)
  rawset(vocabulary, "env", function(name, default) return os.getenv(name) or default end)
  rawset(vocabulary, "secret", function(name) return { secret = name } end)
  return vocabulary
end

-- Runs a journey's script once, without anybody in it, and checks what it declares.
local function look_at(main, modules)
  local base = sandbox.base(bundle.refusing(), json)
  base.journey = journey.declare
  local loaded, environment = {}, nil
  local function require_module(name)
    if name == "json" or name == "cjson" then return base.json end
    if loaded[name] == nil then loaded[name] = chunk.compile(modules[name].text, modules[name].path)(environment, name) or true end
    return loaded[name]
  end
  environment = sandbox.environment(sandbox.meta(base), require_module)
  local ok, definition = pcall(chunk.compile(main.text, main.path), environment)
  if not ok then mistakes.fail("%s", tostring(definition)) end
  local checked, why = pcall(journey.check, definition)
  if not checked then mistakes.fail("%s: %s", main.path, why) end
  return why
end

-- Gathers the scripts of the journey or plain script at `path`. Returns { text = (the JSON), version =, kind =,
-- name =, declared = (what jaunt.worker.journey.check found, for a journey), sources = main and modules,
-- secrets = (names that they ask for), payloads = (see jaunt.project.payloads) }.
function bundle.gather(path, found, arguments, check)
  local main, modules, sources = source_of(path), {}, payloads.gather(found)
  bundle.add_modules(found, main.text, path, modules)
  payloads.check(sources)
  local kind = bundle.is_journey(main.text) and "journey" or "script"
  local declared = kind == "journey" and look_at(main, modules) or nil
  return {
    kind = kind, declared = declared, sources = { main, modules }, secrets = secret_names({ main }, modules, sources),
    name = declared and declared.name or path:match("([^/]+)%.lua$") or path:match("[^/]+$"),
    payloads = sources,
    again = function() return bundle.gather(path, found, arguments, check) end,
    version = engine.hash(json.encode { main.text, modules }):sub(1, 12),
    text = json.encode { kind = kind, name = declared and declared.name, main = main, modules = modules, payloads = sources,
      arguments = json.array(arguments or {}), check = check },
  }
end

return bundle
