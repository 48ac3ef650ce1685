-- Files and folders that a person names: whether they are there, and which may have been meant.

local fs = require "jaunt.native.fs"
local mistakes = require "jaunt.base.mistakes"
local nearest = require "jaunt.base.nearest"

local existing = {}

local function join(dir, name)
  if dir == "" then return name end
  return dir:sub(-1) == "/" and dir .. name or dir .. "/" .. name
end

-- The names in a folder that are of the wanted kind ("file" or "dir").
local function names_of_kind(dir, kind)
  local names = {}
  for _, name in ipairs(fs.list(dir == "" and "." or dir) or {}) do
    if fs.kind(join(dir, name)) == kind then names[#names + 1] = name end
  end
  return names
end

-- Walks the path from its beginning and takes the nearest right name wherever one is wrong. Returns what is most likely
-- meant, and whether only the last name was wrong; nil where nothing is near.
local function mend_path(path, kind)
  local mended = path:sub(1, 1) == "/" and "/" or ""
  local wrong_folder = false
  for name, slash in path:gmatch("([^/]+)(/*)") do
    local wanted = slash == "" and kind or "dir"
    local right = fs.kind(join(mended, name)) == wanted and name
      or nearest.find(name, names_of_kind(mended, wanted))
    if not right then return nil end
    wrong_folder = wrong_folder or (slash ~= "" and right ~= name)
    mended = join(mended, right)
  end
  return mended, not wrong_folder
end

local function missing(path, what, kind)
  local mended, last_only = mend_path(path, kind)
  local hint = ""
  if mended then
    hint = ("; did you mean %s?"):format(last_only and mended:match("[^/]+$") or mended)
  end
  mistakes.fail("no such %s: %s%s", what, path, hint)
end

-- Returns `path` if it is a file that can be opened (a pipe or a device will do); otherwise fails, with the nearest right
-- name where there is one. `what` names the thing in the message ("file" by default).
function existing.file(path, what)
  local kind = fs.kind(path)
  if not kind then missing(path, what or "file", "file") end
  if kind == "dir" then mistakes.fail("%s is a folder, where a %s is needed", path, what or "file") end
  if kind == "file" then
    local file, why = io.open(path, "rb")
    if not file then mistakes.fail("can't open the %s %s", what or "file", why) end
    file:close()
  end
  return path
end

-- The same for a folder.
function existing.folder(path, what)
  local kind = fs.kind(path)
  if not kind then missing(path, what or "folder", "dir") end
  if kind ~= "dir" then mistakes.fail("%s is a file, where a %s is needed", path, what or "folder") end
  return path
end

return existing
