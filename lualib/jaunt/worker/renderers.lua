-- Payloads as functions: what a worker renders a call's body with, and what `jaunt preview` shows.
--
-- Templates (json, form, xml, html, txt) are jaunt.liquid's, which is loaded when there is one; a Lua file is a
-- transform, whose table is written as JSON by whoever asked. Nothing here is a command's or a worker's own: what
-- differs between them is handed in.

local chunk = require "jaunt.worker.chunk"
local json = require "json"
local nearest = require "jaunt.base.nearest"

local renderers = {}

renderers.CONTENT_TYPES = {
  json = "application/json", form = "application/x-www-form-urlencoded", xml = "application/xml",
  html = "text/html; charset=utf-8", txt = "text/plain; charset=utf-8", lua = "application/json",
}

local function transform_of(name, source, environment)
  local make, why = chunk.compile(source.text, source.path)
  if not make then error(why, 0) end
  return function(person, event, vars)
    local transform = make(environment())
    if type(transform) ~= "function" then
      error(("%s returns a %s, where return function(person, event, vars) … end is needed"):format(source.path,
        type(transform)), 0)
    end
    local value = transform(person, event, vars)
    if type(value) ~= "table" then
      error(("payload %s gives a %s: a transform returns a table"):format(name, type(value)), 0)
    end
    return value
  end
end

-- The source that render and include find by a name, or nil: a template.
function renderers.partial(sources, name)
  local part = sources[name]
  return part and part.kind ~= "lua" and not part.variants and part or nil
end

-- A name that renders nothing: the nearest one that does, or why it is none.
local function partial_hint(sources, name)
  if sources[name] then return sources[name].variants and "it is a split" or "it is a transform" end
  local names = {}
  for other in pairs(sources) do
    if renderers.partial(sources, other) then names[#names + 1] = other end
  end
  local found = nearest.find(name, names)
  return found and ("did you mean %s?"):format(found) or nil
end

-- The template of a source (see jaunt.project.payloads), with the other templates of `sources` as its partials; or nil and a fault
-- of jaunt.liquid.
function renderers.compile(source, sources, probe)
  return require("jaunt.liquid").compile(source.text, {
    path = source.path, kind = source.kind, probe = probe,
    partial = function(name)
      local part = renderers.partial(sources, name)
      return part, not part and partial_hint(sources, name) or nil
    end,
  })
end

local function template_of(source, sources, options)
  local template, fault = renderers.compile(source, sources, options.probe)
  if not template then error(tostring(fault), 0) end
  local plain = options.plain
  return function(person, event, vars, context)
    context.person, context.event, context.vars = plain(person), plain(event), plain(vars)
    return template:render(context)
  end
end

local function itself(value) return value end

---------------------------------------------------------------------------------------------- what was rendered

-- The JSON Schema of a source as a function of a value (see jaunt.schema), or nil without one. A schema that makes no sense is
-- an error.
function renderers.schema_of(source)
  if not source.schema then return nil end
  local check, why = require("jaunt.schema").compile(source.schema.text, source.schema.path)
  if not check then error(why, 0) end
  return check
end

-- What is wrong with what a source gave: it is no JSON, or not what its schema asks for. A function of it that returns a text,
-- or nil; nil where there is nothing to be checked.
local function checker_of(source)
  local schema = renderers.schema_of(source)
  if source.kind ~= "json" and not schema then return nil end
  return function(sent)
    local ok, value = true, sent
    if type(sent) == "string" then ok, value = pcall(json.decode, sent) end
    if not ok then return ("%s gives no JSON: %s"):format(source.path, value) end
    local broken = schema and schema(value)[1]
    return broken and ("%s does not keep to %s: %s"):format(source.path, source.schema.path, broken.text) or nil
  end
end

---------------------------------------------------------------------------------------------- all of them

-- Payloads as one function: render(name, person, event, vars, context) returns
--   what is sent   bytes, or a transform's table, still to be written as JSON
--   about          { name = "hello/a", hash =, sent = "hello/a@HASH", type = content type, facts = (a template's: see
--                  jaunt.liquid) }, until this payload is rendered again
-- or nil and a fault of jaunt.liquid. A transform's error, a template that can't be compiled and a name that is not there
-- are Lua errors. `context` has now (milliseconds) and what else jaunt.liquid takes; it is written into.
--
-- sources    { NAME = SOURCE } as jaunt.project.payloads gathers them
-- options    environment(source): a function that gives what a transform runs in, anew each time;
--            choose(name, variants, person): one of them;
--            plain(value): the value without read-only views (itself by default);
--            probe: see jaunt.liquid;
--            check: the share (0 to 1) of what is rendered that is looked at, whether it is JSON and keeps to its schema: an
--            error where it isn't
function renderers.new(sources, options)
  options.plain = options.plain or itself
  local made, share, seen, looked_at = {}, options.check or 0, 0, 0

  local function make(name, source)
    local render = source.kind == "lua" and transform_of(name, source, options.environment(source))
      or template_of(source, sources, options)
    made[name] = { render = render, check = checker_of(source), about = { name = name, hash = source.hash,
      sent = ("%s@%s"):format(name, source.hash), type = renderers.CONTENT_TYPES[source.kind] } }
    return made[name]
  end

  local function make_or_explain(name)
    if sources[name] then return make(name, sources[name]) end
    local names = {}
    for other in pairs(sources) do names[#names + 1] = other end
    error(("there is no payload %q%s"):format(name, nearest.hint(name, names)), 0)
  end

  for name, source in pairs(sources) do
    if not source.variants then pcall(make, name, source) end -- what is wrong with it is told when it is asked for
  end

  return function(name, person, event, vars, context)
    local source = sources[name]
    if source and source.variants then name = name .. "/" .. options.choose(name, source.variants, person) end
    local known = made[name] or make_or_explain(name)
    local sent, facts = known.render(person, event, vars or {}, context)
    if not sent then return nil, facts end
    if share > 0 and known.check then
      seen = seen + 1
      if math.ceil(seen * share - 1e-9) > looked_at then
        looked_at = looked_at + 1
        local mistake = known.check(sent)
        if mistake then error(mistake, 0) end
      end
    end
    local about = known.about
    about.facts = facts
    return sent, about
  end
end

return renderers
