-- The payloads of a project as they were committed last, by git.

local mistakes = require "jaunt.base.mistakes"
local payloads = require "jaunt.project.payloads"
local project = require "jaunt.project"
local shell = require "jaunt.base.shell"

local committed = {}

local output, quote = shell.output, shell.quote

local function refuse_without_git(root)
  if not select(2, output("command -v git")) then mistakes.fail("--diff needs git, which is not here") end
  if not select(2, output("git -C " .. quote(root) .. " rev-parse --is-inside-work-tree")) then
    mistakes.fail("--diff compares with the last commit, and %s is in no git repository: git init, then git commit", root)
  end
  if not select(2, output("git -C " .. quote(root) .. " rev-parse --verify HEAD")) then
    mistakes.fail("--diff compares with the last commit, and nothing is committed yet: git add, then git commit")
  end
end

-- Lets messages name the files as they are called here.
local function rename(sources, from, to)
  for _, source in pairs(sources) do
    source.path = to .. source.path:sub(#from + 1)
    if source.schema then source.schema.path = to .. source.schema.path:sub(#from + 1) end
  end
end

-- The payloads of the last commit as jaunt.project.payloads gathers them, and what that is called: "3f9a01c of 2026-11-25".
-- Fails, in words, where there is no git or no commit.
function committed.payloads(found)
  refuse_without_git(found.root)
  local folder <close> = shell.temp_folder()
  local at = output("git -C " .. quote(found.root) .. " log -1 --format='%h of %cs'")
  output(("git -C %s archive HEAD payloads | tar -x -C %s"):format(quote(found.root), quote(folder.path)))
  local sources = payloads.gather { root = folder.path }
  rename(sources, folder.path, project.path(found, ""):gsub("/$", ""))
  return sources, at
end

return committed
