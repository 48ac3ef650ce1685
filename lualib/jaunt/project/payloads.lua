-- The payloads of a project: the files of its payloads/ folder, by name.
--
--   payloads/hello.json             the payload "hello", a template: json, form, xml, html or txt
--   payloads/hello.lua              the same as a transform: return function(person, event, vars) … return table end
--   payloads/hello/a.json, b.json   an equal split of the payload "hello": "hello/a" and "hello/b"
--   payloads/hello.schema.json      a JSON Schema that what "hello" renders has to keep to; a split's stands
--                                   beside its folder
--
-- A SOURCE is { name =, path =, text =, kind = (its ending), hash = (twelve hex digits: of its text, and of the texts of
-- all that a template renders and includes), schema = { path =, text = } or nil }; a split's is { name =, path = (the
-- folder), variants = { "a", "b" } }.

local engine = require "jaunt.native.engine"
local fault = require "jaunt.liquid.fault"
local fs = require "jaunt.native.fs"
local keys = require "jaunt.base.keys"
local mistakes = require "jaunt.base.mistakes"
local project = require "jaunt.project"
local renderers = require "jaunt.worker.renderers"
local sandbox = require "jaunt.worker.sandbox"

local payloads = {}

local PARTIAL_TAGS = { render = true, include = true }
local KINDS = { lua = true, json = true, form = true, xml = true, html = true, txt = true }

local AS_UTF8 = "save the file as UTF-8"

-- The text of a file that goes into the workers, as JSON.
function payloads.read(path)
  local text = project.read(path)
  if text:find("^\xFF\xFE") or text:find("^\xFE\xFF") or text:find("^.?%z") then
    mistakes.fail("%s is UTF-16, as some editors call Unicode: %s", path, AS_UTF8)
  end
  local good, at = utf8.len(text)
  if not good then
    mistakes.fail("%s", tostring(fault.new({ text = text, path = path }, at, "this is not UTF-8", { hint = AS_UTF8 })))
  end
  return text
end

-- A payload's name may not hold a dot, so that hello.schema.json is none.
local function is_payload(name) return not name:find(".", 1, true) end

local function schema_beside(found, folder, name)
  local path = project.path(found, project.join(folder, name .. ".schema.json"))
  return fs.kind(path) == "file" and { path = path, text = payloads.read(path) } or nil
end

-- Refuses what has the name of another source.
local function refuse_twice(other, what)
  if not other then return end
  mistakes.fail("%s and %s are both the payload %s: take one away", other.path, what, other.name)
end

-- The sources of one folder into `sources`, their names after `prefix`. Returns the names without it, sorted.
local function gather_folder(found, folder, prefix, sources, schema)
  local names, dir = {}, project.path(found, folder)
  for _, entry in ipairs(fs.list(dir) or {}) do
    local short, kind = entry:match("^(.+)%.(%w+)$")
    if short and KINDS[kind] and is_payload(short) then
      local path, name = project.join(dir, entry), prefix .. short
      refuse_twice(sources[name], path)
      sources[name] = { name = name, path = path, text = payloads.read(path), kind = kind,
        schema = schema_beside(found, folder, short) or schema }
      names[#names + 1] = short
    end
  end
  return names
end

-- Adds the text of a template, and those of the templates that it names by render and include, in the order in which they are
-- first named.
local function add_texts(texts, source, sources, seen)
  local text = source.text
  seen[source] = true
  texts[#texts + 1] = ("s8"):pack(text)
  if not text:find("render", 1, true) and not text:find("include", 1, true) then return end
  for tag, at in text:gmatch("%f[%w_](%a+)%s*()[\"']") do
    local name = PARTIAL_TAGS[tag] and text:match("^[\"']([^\"']+)[\"']", at)
    local part = name and renderers.partial(sources, name)
    if part and not seen[part] then add_texts(texts, part, sources, seen) end
  end
end

-- What a payload is, in twelve digits. One that renders nothing else is its text.
local function hash_of(source, sources)
  local texts = {}
  if source.kind ~= "lua" then add_texts(texts, source, sources, {}) end
  return engine.hash(#texts > 1 and table.concat(texts) or source.text):sub(1, 12)
end

-- All payloads of the project `found`: { NAME = SOURCE }; empty outside of one. Fails where a file can't be read, or two have
-- the same name.
function payloads.gather(found)
  local sources = {}
  if not found then return sources end
  gather_folder(found, "payloads", "", sources)
  local root = project.path(found, "payloads")
  for _, name in ipairs(fs.list(root) or {}) do
    local folder = project.join(root, name)
    if is_payload(name) and fs.kind(folder) == "dir" then
      refuse_twice(sources[name], "the folder " .. folder)
      local variants = gather_folder(found, project.join("payloads", name), name .. "/", sources,
        schema_beside(found, "payloads", name))
      if #variants > 0 then sources[name] = { name = name, path = folder, variants = variants } end
    end
  end
  for _, source in pairs(sources) do
    if not source.variants then source.hash = hash_of(source, sources) end
  end
  return sources
end

-- Why a file in payloads/ that is called `word`, with its ending or without, is no payload: in words; nil where there is
-- no such file.
function payloads.refusal(found, word)
  local dir = project.path(found, "payloads")
  for _, entry in ipairs(fs.list(dir) or {}) do
    local short, kind = entry:match("^(.+)%.([^.]+)$")
    if entry == word or short == word then
      local why = not KINDS[kind] and "its ending is none of " .. table.concat(keys.sorted(KINDS), ", ")
        or "a payload's name holds no dot"
      return ("%s is no payload: %s"):format(project.join(dir, entry), why)
    end
  end
end

-- What is wrong with a source as it stands: a text, or nil. `sources` are its partials.
function payloads.mistake(source, sources)
  if source.variants then return nil end
  local ok, why = pcall(renderers.schema_of, source)
  if not ok then return why end
  if source.kind == "lua" then return select(2, require("jaunt.worker.chunk").compile(source.text, source.path)) end
  local template, why = renderers.compile(source, sources)
  return not template and tostring(why) or nil
end

-- Fails with the first mistake.
function payloads.check(sources)
  for _, name in ipairs(keys.sorted(sources)) do
    local mistake = payloads.mistake(sources[name], sources)
    if mistake then mistakes.fail("%s", mistake) end
  end
end

-- jaunt.worker.renderers over the sources, in a command: transforms see the sandbox, in which nothing can be done.
-- options: as there, but environment; `vocabulary` is jaunt.project.bundle's that refuses, `require` gives the project's modules.
function payloads.renderers(sources, options)
  local function environment()
    return sandbox.environment(sandbox.meta(sandbox.base(options.vocabulary, require "json")), options.require)
  end
  options.environment = function() return environment end
  return renderers.new(sources, options)
end

return payloads
