-- A project: the folder with connections.lua, and what stands in it: journeys/, payloads/, people/, vendor.lua.
--
-- Its fields are root (the folder, as a path from here) and name; paths in messages are relative to where the person is.

local existing = require "jaunt.base.existing"
local fs = require "jaunt.native.fs"
local keys = require "jaunt.base.keys"
local mistakes = require "jaunt.base.mistakes"
local nearest = require "jaunt.base.nearest"

local project = {}

local function join(folder, name)
  return folder == "." and name or folder:gsub("/$", "") .. "/" .. name
end
project.join = join

local function is_project(folder)
  return fs.kind(join(folder, "connections.lua")) == "file"
end

-- The folder above, as a path; nil at the top.
local function parent(folder)
  local up = folder == "." and ".." or folder:match("^[%./]*$") and folder .. "/.." or folder:match("^(.*)/[^/]+$")
  if not up then return "." end
  if up == "" then up = "/" end
  return fs.absolute(up) ~= fs.absolute(folder) and up or nil
end

-- The project around `folder` (where the person is, by default): the nearest connections.lua upward, or the scripts/
-- beside one's feet. Returns nil where there is none.
function project.find(folder)
  local at = folder or "."
  if not folder and is_project("scripts") and not is_project(".") then return { root = "scripts" } end
  while at do
    if is_project(at) then return { root = at } end
    at = parent(at)
  end
end

-- The same, or fails with what to do.
function project.need(folder)
  local found = project.find(folder)
  if found then return found end
  mistakes.fail("there is no project here: go to a folder with connections.lua (or above its scripts/), or name a file")
end

-- The path of what stands in the project as `name`, be it there or not.
function project.path(found, name)
  return join(found.root, name)
end

-- The files of a folder of the project with one of the endings, by their names without it:
-- { NAME = { path =, kind = ending } }.
function project.files(found, folder, endings)
  local files = {}
  local dir = join(found.root, folder)
  for _, entry in ipairs(fs.list(dir) or {}) do
    local name, ending = entry:match("^(.+)%.(%w+)$")
    if name and endings[ending] then files[name] = { path = join(dir, entry), kind = ending } end
  end
  return files
end

-- Adds the files of a folder, and of those below it, whose names match a pattern to `list`, in the order of the names. Returns it.
function project.files_below(folder, pattern, list)
  for _, name in ipairs(fs.list(folder) or {}) do
    local path = join(folder, name)
    if fs.kind(path) == "dir" then project.files_below(path, pattern, list)
    elseif name:find(pattern) then list[#list + 1] = path end
  end
  return list
end

-- The file that says how the project's pretend vendors answer; nil without one, and outside of a project.
function project.vendor_file(found)
  local path = found and project.path(found, "vendor.lua")
  return path and fs.kind(path) == "file" and path or nil
end

-- The file of the journey or script that a person named: a name in journeys/, or a path. Returns its path and the
-- project it belongs to (nil for a script outside of any). Names are those of the project `within`, or of the one around.
function project.script(name, within)
  if name:find("%.lua$") or name:find("/") and fs.kind(name) == "file" then
    local path = existing.file(name, "script")
    return path, project.find(path:match("^(.*)/[^/]*$") or ".")
  end
  local found = within or project.need()
  local journeys = project.files(found, "journeys", { lua = true })
  if journeys[name] then return journeys[name].path, found end
  local hint = nearest.hint(name, keys.sorted(journeys))
  if hint == "" then
    local known = table.concat(keys.sorted(journeys), ", ")
    hint = known ~= "" and ("; there are " .. known) or ("; %s has none yet"):format(join(found.root, "journeys"))
  end
  mistakes.fail("no such journey: %s%s", name, hint)
end

-- Everything in a file; fails where it cannot be read.
function project.read(path)
  local text, why = fs.read(path)
  if not text then mistakes.fail("can't read %s", why) end
  return text
end

return project
