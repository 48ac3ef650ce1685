-- Payload templates: Liquid, compiled to a Lua function.
--
--   local template, fault = liquid.compile(text, { path =, kind =, partial =, probe = })
--   local result, facts = template:render { person =, event =, vars =, now =, zone =, limits = }
--
-- Called by whoever renders payloads: workers, commands, tests. The language is Shopify's Liquid in its strict mode,
-- with some of Braze's (jaunt.liquid.parser, jaunt.liquid.filters); the kind of the file says how values are escaped
-- (jaunt.liquid.escapes). Rendering reads no file and changes no data: what a template needs is handed in. A template
-- keeps nothing between two renders, so that all runs of a worker share one.

local compiler = require "jaunt.liquid.compiler"
local emitters = require "jaunt.liquid.emitters"
local escapes = require "jaunt.liquid.escapes"
local fault = require "jaunt.liquid.fault"
local filters = require "jaunt.liquid.filters"
local parser = require "jaunt.liquid.parser"
local runtime = require "jaunt.liquid.runtime"

local native = require "jaunt.native.text"

local key_twice, mend = native.key_twice, native.mend

local find, getinfo, gsub = string.find, debug.getinfo, string.gsub
local setmetatable, type, xpcall = setmetatable, type, xpcall

local liquid = {}

local template = {}
template.__index = template

local CHUNK = "=a payload's template" -- of all templates: a frame of it is where a mistake is looked for

-- What Lua's own parser says of a template that is beyond its limits.
local TOO_LARGE = { "limit", "too many", "too long", "too large", "overflow", "not enough memory" }

local function load_chunk(text, source)
  local chunk, why = load(text, CHUNK, "t", {})
  if chunk then return chunk end
  for _, sign in ipairs(TOO_LARGE) do
    if find(why, sign, 1, true) then
      local said = "this template is too long, or nested too deeply, to be compiled"
      error(fault.new(source, 1, said, { what = "limit" }), 0)
    end
  end
  error("a mistake in jaunt: " .. why .. "\n" .. text, 0)
end

local function make(text, options)
  local source = { text = text, path = options.path or "template" }
  local kind = options.kind or "txt"
  local block = parser.parse(source, { partial = options.partial, deepest = options.nesting })
  block = escapes.prepare(block, { kind = kind, source = source })
  local code, places, probes = compiler.compile(block, {
    source = source, kind = kind, prepare = escapes.prepare, probing = options.probe,
  })
  return setmetatable({
    source = source, places = places, probes = options.probe and probes, key_of_value = block.key_of_value,
    run = load_chunk(code, source)(runtime, filters, emitters.by_name),
  }, template)
end

-- Compiles a template. `options`:
--   path      the file's name, for messages
--   kind      "json", "form", "xml", "html", "txt" (which it is without), "url" or "header"
--   partial   function(name) -> { text =, path =, kind = }, or nil and a hint: the payloads that render and include
--   find
--   probe     true for a template that tells what it put out where (facts.probes)
--   nesting   how many blocks may stand in each other, 100 unless said otherwise
-- Returns the template; or nil and a fault (see jaunt.liquid.fault).
function liquid.compile(text, options)
  local ok, made = pcall(make, gsub(text, "^\u{FEFF}", ""), options or {})
  if ok then return made end
  if fault.is(made) then return nil, made end
  error(made, 0)
end

-- Notes in a mistake of rendering which line of the Lua it comes from.
local function find_place(raised)
  if type(raised) ~= "table" or not raised.liquid_text then return raised end
  local level = 2
  local info = getinfo(level, "Sl")
  while info and info.source ~= CHUNK do
    level = level + 1
    info = getinfo(level, "Sl")
  end
  raised.line = info and info.currentline
  return raised
end

-- What was raised as a fault. What is none of ours goes on.
local function fault_of(self, raised)
  if type(raised) ~= "table" or not raised.liquid_text then error(raised, 0) end
  local at, source = self.places:of(raised.line)
  return fault.new(source or self.source, at or 1, raised.liquid_text, {
    what = raised.what or "render", reason = raised.reason and mend(raised.reason), hint = raised.hint,
  })
end

local function work(self, c)
  local out = c.out
  local n = self.run(c, out)
  c.count = n
  return runtime.join(c, out, n)
end

-- The probes of a render, with the bytes of the result that each stands for.
local function probes_of(self, c)
  local ends, bytes = {}, 0
  for i = 1, c.count do
    bytes = bytes + #c.out[i]
    ends[i] = bytes
  end
  local list = {}
  for _, noted in ipairs { c.probes, c.omitted } do
    for _, each in ipairs(noted) do list[#list + 1] = each end
  end
  for _, probe in ipairs(list) do
    local about = self.probes[probe.id]
    probe.path, probe.filters, probe.at = about.path, about.filters, about.at
    probe.file, probe.line = about.source.path, fault.new(about.source, about.at, "").line
    if probe.n then probe.first, probe.last = (ends[probe.n - 1] or 0) + 1, ends[probe.n] end
    probe.n, probe.id = nil, nil
  end
  return list
end

-- The fault where values gave a key that is twice in one object of the result; nil where none is. Whoever reads such
-- JSON takes one of the two, or none.
local function fault_of_keys(self, result)
  local key, where = key_twice(result), self.key_of_value
  if not key then return nil end
  return fault.new(where.source, where.at, string.format('the key "%s" stands twice in one object', fault.show(key)), {
    what = "render", hint = "keys that values say have to differ",
  })
end

-- Renders. `context`:
--   person, event, vars   tables as JSON is decoded to (vars may be nil)
--   now       milliseconds since 1970; zone: the name of a zone, or nil for UTC
--   limits    { output = bytes, loops = turns, depth = payloads in payloads, time = ms }, each as in
--             jaunt.liquid.runtime unless said otherwise
-- Returns the text and facts = { repaired = how many parts of values were made safe, probes = { … } where the template
-- has them }; or nil and a fault, of whose `what` "skip", "drop" and "hold" are the template's own will.
-- A probe: { at =, file =, line =, path = as written or nil, filters = { names }, first =, last = (bytes of the
-- result), value = kind of value before the filters, defaulted = true where the filter default fired, omitted = true
-- where omit_if_nil took it out }
function template:render(context)
  local c = runtime.record(context, self.probes)
  emitters.repaired()
  local ok, result = xpcall(work, find_place, self, c)
  if not ok then return nil, fault_of(self, result) end
  local wrong = self.key_of_value and fault_of_keys(self, result)
  if wrong then return nil, wrong end
  return result, { repaired = emitters.repaired(), probes = self.probes and probes_of(self, c) or nil }
end

return liquid
