-- jaunt check: finds mistakes in a project before anyone is called.

local bundle = require "jaunt.project.bundle"
local checks = require "jaunt.check.payloads"
local connections = require "jaunt.project.connections"
local figures = require "jaunt.base.figures"
local findings = require "jaunt.check.findings"
local json = require "json"
local fs = require "jaunt.native.fs"
local keys = require "jaunt.base.keys"
local mistakes = require "jaunt.base.mistakes"
local parser = require "jaunt.lua.parser"
local payloads = require "jaunt.project.payloads"
local people = require "jaunt.project.people"
local project = require "jaunt.project"
local scope = require "jaunt.lua.scope"
local scripts = require "jaunt.check.scripts"
local secrets = require "jaunt.check.secrets"
local term = require "jaunt.base.term"

local LOOKED_AT = 1000 -- people of each file
local COMPLAINTS_MOST = 20 -- of each file

-- The attributes that are texts of digits in files of people: { person = { NAME = file }, event = { NAME = file } }.
local function texts_of(files)
  local texts = { person = {}, event = {} }
  for _, path in ipairs(files) do
    for _, one in ipairs((people.read(path, LOOKED_AT))) do
      for root, into in pairs(texts) do
        for name, value in pairs(one[root]) do
          if type(value) == "string" and tonumber(value) then into[name] = into[name] or path end
        end
      end
    end
  end
  return texts
end

local function names_in(list)
  local names = {}
  for _, one in ipairs(list) do names[one.name] = true end
  return names
end

local function source_of(path) return { path = path, text = project.read(path) } end

-- Where in a script its journey, or what it requires, is what was complained of without a line: an offset, or nil.
local function place_of(words, text)
  local tree = parser.parse(text)
  if not tree then return nil end
  scope.resolve(tree)
  for _, call in ipairs(scope.calls(tree, { require = true })) do
    if call.name and words:find(("%q"):format(call.name), 1, true) then return call.at end
  end
  local defined = scope.calls(tree, { journey = true })[1]
  for word in (defined and defined.fields and words or ""):gmatch("[%a_]+") do
    local _, key = scope.field(defined.fields, word)
    if key then return key.at end
  end
  return defined and defined.at
end

-- Adds what was raised when a file was loaded: "FILE:LINE: …", or "FILE: …".
local function add_raised(path, raised, code, why, into)
  local words = mistakes.message(raised):match("^[^\n]*")
  local file, line, text = words:match("^(%S+%.lua):(%d+):%d*:? ?(.*)")
  if not file then file, text = words:match("^(%S+%.lua): (.*)") end
  local source = source_of(file and fs.kind(file) == "file" and file or path)
  into:add(source, {
    code = code, line = tonumber(line), at = not line and place_of(text or words, source.text) or nil, text = text or words,
    why = why,
  })
end

-- What is only seen when a journey's script is loaded: its definition.
local function check_definition(path, found, into)
  local ok, why = pcall(bundle.gather, path, found)
  if not ok then add_raised(path, why, "journey", "the journey can't be loaded", into) end
end

-- Rows of people's files that no run would take, and files that have no others. Returns the files that people can be read from.
local function check_people(found, into)
  local readable = {}
  for _, path in ipairs(people.files(found)) do
    local source = source_of(path)
    local ok, complaints = pcall(people.complaints, path, LOOKED_AT, COMPLAINTS_MOST)
    for _, one in ipairs(ok and complaints or {}) do
      into:add(source, { code = "people", line = one.line, text = one.why, why = "nobody is let in by this row" })
    end
    if not ok then
      local line, text = mistakes.message(complaints):match(":(%d+): (.*)$")
      into:add(source, { code = "people", line = tonumber(line), text = text or mistakes.message(complaints),
        why = "nobody is let in by this file" })
    elseif pcall(people.read, path, 1) then
      readable[#readable + 1] = path
    end
  end
  return readable
end

-- How the pretend vendors behave: a file of plain Lua, which only has to be some.
local function check_vendor(found, into)
  local path = project.vendor_file(found)
  if path then scripts.check_syntax(source_of(path), "no rehearsal can be run", into) end
end

-- The connections as a set of names; nil where they can't be read.
local function check_connections(found, into)
  local path = project.path(found, "connections.lua")
  secrets.check(source_of(path), into)
  local ok, list = pcall(connections.read, found)
  if ok then return names_in(list) end
  add_raised(path, list, "connections", "no journey can be run", into)
end

-- The sources of what the journeys require, in the order of their paths. What can't be read is told of where the journey is loaded.
local function modules_of(found, journeys)
  local by_path, list = {}, {}
  for _, journey in ipairs(journeys) do
    local modules = {}
    pcall(bundle.add_modules, found, journey.text, journey.path, modules)
    for _, module in pairs(modules) do by_path[module.path] = { path = module.path, text = module.text, is_module = true } end
  end
  for i, path in ipairs(keys.sorted(by_path)) do list[i] = by_path[path] end
  return list
end

local function check_all(found)
  local into = findings.new()
  local connected = check_connections(found, into)
  check_vendor(found, into)
  local readable = check_people(found, into)
  local sources = payloads.gather(found)
  local journeys = {}
  for i, path in ipairs(project.files_below(project.path(found, "journeys"), "%.lua$", {})) do journeys[i] = source_of(path) end
  local modules = modules_of(found, journeys)
  local about = { connections = connected, payloads = sources, texts = texts_of(readable), globals = {} }
  for _, module in ipairs(modules) do scripts.add_globals(module.text, about.globals) end
  local well, all_well = checks.check(sources, into)
  for _, module in ipairs(modules) do
    secrets.check(module, into)
    scripts.check(module, about, into)
  end
  for _, source in ipairs(journeys) do
    local before = #into.list
    secrets.check(source, into)
    scripts.check(source, about, into)
    if connected and all_well and #into.list == before then check_definition(source.path, found, into) end
  end
  for _, name in ipairs(keys.sorted(sources)) do
    local source = sources[name]
    if source.text then secrets.check(source, into) end
    if source.kind == "lua" then scripts.check(source, about, into) end
  end
  local has_samples = readable[1] and readable[1] == people.files(found)[1] -- what payloads are rendered for
  if connected and has_samples then checks.check_rendered(found, sources, well, into) end
  return into
end

local BEFORE, AROUND = 60, 120 -- columns of a long line that are shown: those before the place, and in all

-- The line of a finding as a terminal shows it, and the column of the place in it.
local function excerpt(one)
  local line = term.one_line((one.excerpt:gsub("\r$", "")))
  local column = term.columns(line:sub(1, one.column - 1)) + 1
  if term.columns(line) <= AROUND or not utf8.len(line) then return line, column end
  local from = math.max(1, column - BEFORE)
  local shown = term.cut(line:sub(utf8.offset(line, from)), AROUND)
  return from > 1 and "…" .. shown or shown, column - from + (from > 1 and 2 or 1)
end

local function print_finding(one, paint)
  local hint = one.hint and one.hint ~= "" and ("; did you mean %s?"):format(one.hint) or ""
  if one.hint_is_sentence then hint = "; " .. one.hint end
  print(("%s:%d:%d: %s%s %s"):format(one.file, one.line, one.column, paint.bold(term.harmless(one.text)), hint,
    paint.dim("[" .. one.code .. "]")))
  local line, column = excerpt(one)
  print("  " .. line)
  print(("  %s%s %s"):format((" "):rep(column - 1), paint.red("^"), paint.dim(one.why)))
end

-- What nobody means, or can't say so.
local NEVER_MEANT = { people = true, syntax = true, journey = true, connections = true, template = true }

local function print_all(into)
  local paint = term.paint()
  local list, example = into:sorted(), nil
  for _, one in ipairs(list) do
    print_finding(one, paint)
    example = example or not NEVER_MEANT[one.code] and one.code or nil
  end
  if #list > 0 then
    print(("\n%s%s%s"):format(figures.of(#list, "finding"), into.meant > 0 and (", %d more meant"):format(into.meant) or "",
      example and (". What is meant so is told by a comment in its line: meant: %s"):format(example) or ""))
  else
    local meant = into.meant > 0 and (", %d %s meant"):format(into.meant, into.meant == 1 and "is" or "are") or ""
    print("nothing found" .. meant)
  end
end

local function run(_, flags)
  local into = check_all(project.need(flags.project))
  if flags.json then
    local list = json.array {}
    for i, one in ipairs(into:sorted()) do
      list[i] = { code = one.code, file = one.file, line = one.line, column = one.column, text = one.text, why = one.why,
        hint = one.hint }
    end
    print(json.encode { findings = list, meant = into.meant })
  else
    print_all(into)
  end
  return #into.list > 0 and 1 or 0
end

return {
  name = "check",
  group = "write",
  summary = "Finds mistakes in the project before anyone is called.",
  about = "Looks at journeys, connections and payloads: what can't be loaded, unknown fields and names, connections and "
    .. "payloads that are not there, elements that have the same name or are never reached, loops that never pause, "
    .. "secrets in files, globals, numbers compared with texts, and payloads as they are rendered for the project's samples: "
    .. "what is blank for everybody, and what a schema forbids.\n\n"
    .. "Each finding has its file, line and column, says why, and is silenced by a comment in its line: meant: CODE.",
  usage = "[--FLAGS]",
  flags = {
    { name = "project", value = "FOLDER", default_text = "around where one stands", help = "the project" },
    { name = "json", help = "prints one JSON object" },
  },
  examples = { "jaunt check" },
  exit = { [0] = "nothing found", [1] = "there are findings", [2] = "it could not run" },
  run = run,
}
