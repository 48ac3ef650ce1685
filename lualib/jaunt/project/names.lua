-- The names that there are in a project, for whoever completes what is typed: its journeys and their elements, payloads,
-- connections, people. Lists; empty where `found` (see jaunt.project) is nil. What can't be read raises.

local elements = require "jaunt.lua.elements"
local fs = require "jaunt.native.fs"
local keys = require "jaunt.base.keys"
local project = require "jaunt.project"

local names = {}

local PEOPLE_MOST = 200000

-- Of journeys, sorted.
function names.journeys(found)
  return found and keys.sorted(project.files(found, "journeys", { lua = true })) or {}
end

-- Of payloads, sorted; those that only others render (_NAME) are none.
function names.payloads(found)
  local list = {}
  for _, name in ipairs(keys.sorted(require("jaunt.project.payloads").gather(found))) do
    if not name:find("^_") then list[#list + 1] = name end
  end
  return list
end

-- Of connections, sorted.
function names.connections(found)
  local list = {}
  for i, connection in ipairs((require("jaunt.project.connections").read(found))) do list[i] = connection.name end
  return list
end

-- Of the elements that the script of `journey` (nil: of any journey) has as words such as call_api, in the order of the text.
-- `word`: only those of that one.
function names.elements(found, journey, word)
  local list, seen = {}, {}
  local journeys = found and project.files(found, "journeys", { lua = true }) or {}
  local meant = journey and { journey } or keys.sorted(journeys)
  for _, one in ipairs(meant) do
    local file = journeys[one]
    for _, element in ipairs(file and elements.of { text = project.read(file.path) } or {}) do
      if not seen[element.name] and (not word or element.word == word) then list[#list + 1] = element.name end
      seen[element.name] = true
    end
  end
  return list
end

local ids, ids_of -- those that were read last, and of which files as they were then

-- The ids of the samples, in the order of their files; read once for as long as these stay as they are.
function names.people(found)
  local files, mark = found and require("jaunt.project.people").files(found) or {}, {}
  for i, path in ipairs(files) do mark[i] = path .. tostring(fs.mtime(path)) end
  mark = table.concat(mark, "\n")
  if ids_of == mark then return ids end
  ids, ids_of = {}, mark
  for _, path in ipairs(files) do
    local file <close> = require("jaunt.native.audience").open { path = path }
    local id = file:next()
    while id and #ids < PEOPLE_MOST do
      ids[#ids + 1] = id
      id = file:next()
    end
  end
  return ids
end

return names
