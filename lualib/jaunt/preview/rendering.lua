-- Renders payloads for people as a call would, and sees what came of it: what was blank, what a default filled in,
-- whether the result can be sent.
--
-- What a subject is, jaunt.preview.subjects says.

local bundle = require "jaunt.project.bundle"
local chunk = require "jaunt.worker.chunk"
local findings = require "jaunt.preview.findings"
local fs = require "jaunt.native.fs"
local json = require "json"
local names = require "jaunt.preview.names"
local payloads = require "jaunt.project.payloads"
local people = require "jaunt.project.people"
local places = require "jaunt.schema.places"
local project = require "jaunt.project"
local renderers = require "jaunt.worker.renderers"
local sandbox = require "jaunt.worker.sandbox"

local rendering = {}

local OUTCOMES = { skip = "skipped", drop = "dropped", hold = "held" }

-- The project's modules for transforms.
local function requirer(found)
  local loaded = {}
  local function require_module(name)
    if name == "json" or name == "cjson" then return json end
    if loaded[name] == nil then
      local path = project.path(found, name:gsub("%.", "/") .. ".lua")
      if fs.kind(path) ~= "file" then error(("there is no module %q in this project"):format(name), 2) end
      local make, why = chunk.compile(project.read(path), path)
      if not make then error(why, 0) end
      local environment = sandbox.environment(sandbox.meta(sandbox.base(bundle.refusing(), json)), require_module)
      local value = make(environment, name)
      loaded[name] = value == nil and true or value
    end
    return loaded[name]
  end
  return require_module
end

-- What was asked for and is not there, from a template's probes: a list of { text =, line =, file =, at =, first =,
-- last =, defaulted =, omitted = }; what was there: { first, last } each; and texts of which nothing was put out (URLs
-- that may run a script): { text =, first = } each.
local function from_probes(probes)
  local blanks, spans, emptied = {}, {}, {}
  for _, probe in ipairs(probes) do
    local is_empty = probe.first and probe.first > probe.last
    if probe.path and (probe.value == "nil" or probe.value == "empty" or probe.defaulted) then
      blanks[#blanks + 1] = { text = probe.path, file = probe.file, line = probe.line, at = probe.at, first = probe.first,
        last = probe.last, defaulted = probe.defaulted, omitted = probe.omitted }
    elseif probe.path and probe.value == "string" and #probe.filters == 0 and is_empty then
      emptied[#emptied + 1] = { text = probe.path, first = probe.first }
    elseif probe.path and probe.first and not is_empty then
      spans[#spans + 1] = { probe.first, probe.last }
    end
  end
  table.sort(spans, function(a, b) return a[1] < b[1] end)
  return blanks, spans, emptied
end

-- What people have, and what the subjects have besides: what scripts wrote, and vars.
local function all_fields(fields, subjects)
  local all = { person = fields.person, event = fields.event, vars = {} }
  for _, subject in ipairs(subjects) do
    for name, tree in pairs(all) do people.add_fields(tree, subject[name]) end
  end
  return all
end

-- A renderer over the payloads `sources` of the project `found`. With `probe` it takes note of blanks.
function rendering.new(found, sources, probe)
  local render = payloads.renderers(sources,
    { probe = probe, vocabulary = bundle.refusing(), require = requirer(found) })
  local schemas = {}
  local self = {}

  local function call(name, subject)
    return render(name, subject.person, subject.event, subject.vars, { now = subject.now })
  end

  -- What the schema beside a payload says to its bytes: a list of { text =, path =, place =, file =, line = }.
  local function schema_faults(source, body)
    if not source.schema then return {} end
    if schemas[source.name] == nil then schemas[source.name] = renderers.schema_of(source) end
    local ok, value = pcall(json.decode, body)
    local faults = ok and schemas[source.name](value) or {}
    for _, fault in ipairs(faults) do
      fault.file, fault.line = source.schema.path, places.line_of(source.schema.text, fault.place)
    end
    return faults
  end

  local function look_at(result, source, body)
    result.body = body
    local is_json = source.kind == "json" or source.kind == "lua"
    local ok, why = true, nil
    if is_json then ok, why = pcall(json.decode, body) end
    if not ok then result.invalid = "it is no JSON: " .. tostring(why) end
    result.schema_faults = schema_faults(source, body)
    if #result.schema_faults > 0 then result.invalid = result.invalid or "it does not keep to its schema" end
  end

  -- One payload, by its name, for one subject. Returns { id =, name =, source =, outcome = "sent", "skipped",
  -- "dropped", "held" or "failed", and, where they apply, body, reason, fault (all of it in words), invalid (words),
  -- schema_faults, blanks, spans and emptied (see from_probes) }.
  function self.one(name, subject)
    local source = sources[name]
    local result = { id = subject.id, name = name, source = source, kind = source.kind, subject = subject,
      blanks = {}, spans = {}, emptied = {}, schema_faults = {} }
    local ok, sent, about = pcall(call, name, subject)
    if not ok then
      result.outcome, result.fault = "failed", tostring(sent)
    elseif not sent then
      result.outcome = OUTCOMES[about.what] or "failed"
      result.reason, result.fault = about.reason, tostring(about)
      result.line, result.column = about.line, about.column
    else
      result.outcome = "sent"
      if type(sent) == "table" then
        ok, sent = pcall(json.encode, sent)
        if not ok then
          result.outcome, result.fault = "failed", ("%s: %s"):format(source.path, tostring(sent))
          return result
        end
      end
      look_at(result, source, sent)
      if about.facts then
        result.repaired = about.facts.repaired
        if about.facts.probes then
          result.blanks, result.spans, result.emptied = from_probes(about.facts.probes)
        end
      elseif probe then
        result.blanks = names.of_transform(source.path, function(person, event, vars)
          render(name, person, event, vars, { now = subject.now })
        end, subject.person, subject.event, subject.vars)
      end
    end
    return result
  end

  -- One payload for several subjects: { name =, source =, results = (see one), findings = (see
  -- jaunt.preview.findings) }. `fields`: what people have (see jaunt.project.people).
  function self.preview(name, subjects, fields)
    local results = {}
    for i, subject in ipairs(subjects) do
      results[i] = self.one(name, subject)
      results[i].note, results[i].request = subject.note, subject.request
    end
    local found_out = findings.of(results, names.of(sources[name], sources), all_fields(fields, subjects))
    return { name = name, source = sources[name], results = results, findings = found_out }
  end
  return self
end

return rendering
