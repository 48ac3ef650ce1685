-- Scripts and journeys, run by the binary as people would run them, for specs. What they call is on loopback, which
-- --private-network allows.

local helper = require "helper"
local json = require "json"

local scripts = {}

-- Makes a folder of files: { ["connections.lua"] = text, … }. Returns its path.
function scripts.folder(files)
  local folder = helper.temp_folder()
  for name, text in pairs(files) do helper.write_file(folder .. "/" .. name, text) end
  return folder
end

-- Runs a plain script. `options`: files (that stand beside it), env, flags (a list). Returns helper.jaunt's result, with the
-- folder.
function scripts.run(text, options)
  options = options or {}
  local folder = scripts.folder(options.files or {})
  local path = helper.write_file(folder .. "/script.lua", text)
  local words = { options.env or {}, "run", "--private-network" }
  table.move(options.flags or {}, 1, #(options.flags or {}), #words + 1, words)
  words[#words + 1] = path
  local result = helper.jaunt(table.unpack(words))
  result.folder = folder
  return result
end

-- The same for a script that has to end well; returns what it printed, without the last newline.
function scripts.output(text, options)
  local result = scripts.run(text, options)
  if result.code ~= 0 or result.err ~= "" then
    error(("the script ended with %d: %s%s"):format(result.code, result.err, result.out), 2)
  end
  return (result.out:gsub("\n$", ""))
end

-- Runs a script that gives a value (`return …` at its end is what it prints as JSON); returns that value.
function scripts.value(text, options)
  return json.decode(scripts.output(("print(json.encode((function() %s\nend)()))"):format(text), options))
end

-- Runs a journey whose flow is `flow` over people (a list of ids, or of tables). `options`: files, env, flags, fields (of the
-- journey, as text). Returns helper.jaunt's result; with --json among the flags also `report`.
function scripts.journey(flow, people, options)
  options = options or {}
  local folder = scripts.folder(options.files or {})
  if not (options.files or {})["connections.lua"] then helper.write_file(folder .. "/connections.lua", "return {}") end
  local path = helper.write_file(folder .. "/journeys/trial.lua",
    ("return journey \"trial\" { starts_on = \"begin\", %s flow = function(person, event)\n%s\nend }\n"):format(
      options.fields or "", flow))
  local lines = {}
  for i, person in ipairs(people) do
    lines[i] = json.encode(type(person) == "table" and person or { id = tostring(person) })
  end
  local audience = helper.write_file(folder .. "/people.ndjson", table.concat(lines, "\n") .. "\n")
  local result = helper.jaunt(options.env or {}, "run", path, "--people", audience, "--private-network", table.unpack(options.flags or {}))
  result.folder = folder
  local ok, report = pcall(json.decode, result.out:match("[^\n]*\n?$"))
  result.report = ok and report or nil
  return result
end

-- An element of a report by its name.
function scripts.element(report, name)
  for _, element in ipairs(report.elements) do
    if element.name == name then return element end
  end
end

return scripts
