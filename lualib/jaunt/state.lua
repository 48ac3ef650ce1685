-- Where the state of runs is kept: what --state says, and what goes without saying.

local fs = require "jaunt.native.fs"
local mistakes = require "jaunt.base.mistakes"
local project = require "jaunt.project"

local state = {}

local FILE = "jaunt.db"

-- The file that --state means; nil where the state is in memory. `live`: without the flag it is a file in the project, or
-- where one stands when there is no project.
function state.file(flag, live, found)
  if not flag then return live and (found and project.path(found, FILE) or FILE) or nil end
  if flag == "memory:" then return nil end
  local path = flag:match("^sqlite:(.+)$")
  if not path then mistakes.fail("--state is memory: or sqlite:FILE, not %s", flag) end
  local folder = path:match("^(.*)/[^/]*$") or "."
  if folder ~= "" and fs.kind(folder) ~= "dir" then mistakes.fail("--state: there is no folder %s", folder) end
  return path
end

return state
