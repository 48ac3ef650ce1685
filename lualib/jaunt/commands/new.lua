-- jaunt new: a project that runs and passes its tests at once, or one more journey or payload in it.

local files = require "jaunt.new.files"
local fs = require "jaunt.native.fs"
local mistakes = require "jaunt.base.mistakes"
local project = require "jaunt.project"
local shell = require "jaunt.base.shell"
local writing = require "jaunt.base.writing"

local function check_name(name, what)
  if not name:find("^[%l_][%l%d_]*$") then
    mistakes.fail("%s is no name for a %s: small letters, digits and _, such as cart_reminder", name, what)
  end
end

local function write(path, text)
  writing.file(path, text)
  print("  " .. path)
end

-- The texts with the project's or the journey's name in them.
local function filled(text, name)
  return (text:gsub("NAME", function() return name end)) -- it may have a % in it
end

-- A path as a shell's word that no command takes for a flag.
local function as_word(path)
  if path:find("^%-") then path = "./" .. path end
  return path:find("^[%w%._/%-]+$") and path or shell.quote(path)
end

local function new_project(folder)
  if folder == "" then mistakes.fail("new wants a FOLDER: where is the project to be?") end
  local kind = fs.kind(folder)
  if kind and kind ~= "dir" then mistakes.fail("%s is a file, where a folder would be made", folder) end
  if kind and #(fs.list(folder) or {}) > 0 then mistakes.fail("%s is there already, and not empty", folder) end
  writing.folder(folder)
  local above, name = fs.absolute(folder):match("^(.*)/([^/]+)$")
  name = name or "journeys"
  print(("a new project in %s:"):format(folder))
  for _, file in ipairs(files.project) do write(project.join(folder, file[1]), filled(file[2], name)) end
  print(([[

Next:
  cd %s
  jaunt run hello --people people/samples.ndjson    # a rehearsal: nothing is sent
  jaunt preview hello --person ada                  # what Ada would be sent
  jaunt check                                       # is everything right?
  jaunt test                                        # does it do what it should?]]):format(as_word(folder)))
  local around = above and above ~= "" and project.find(above)
  if around then print(("\nIt lies within the project %s. One more journey there: jaunt new journey NAME"):format(around.root)) end
end

-- What stands beside `path`, or there, under the same name, whatever its ending: two of them could not be told apart.
local function namesake(path)
  local folder, name = path:match("^(.*)/([^/.]+)[^/]*$")
  for _, entry in ipairs(fs.list(folder) or {}) do
    if entry:match("^[^.]+") == name then return project.join(folder, entry) end
  end
end

-- `next_step` is what to type then, with NAME in it.
local function new_in_project(list, name, what, next_step)
  check_name(name, what)
  local found = project.need()
  for _, file in ipairs(list) do
    local there = namesake(project.path(found, filled(file[1], name)))
    if there then mistakes.fail("%s is there already: nothing was written", there) end
  end
  print(("a new %s:"):format(what))
  for _, file in ipairs(list) do write(project.path(found, filled(file[1], name)), filled(file[2], name)) end
  print("\nNext: " .. filled(next_step, name))
end

local PARTS = {
  journey = function(name)
    new_in_project(files.journey, name, "journey", "write what it does, then jaunt check and jaunt test")
  end,
  payload = function(name)
    new_in_project(files.payload, name, "payload", "jaunt preview NAME shows what people would be sent")
  end,
}

local function run(args)
  local part = PARTS[args.what]
  if part and not args.name then mistakes.fail("new %s wants a NAME: what is it called?", args.what) end
  if part then part(args.name) return 0 end
  if args.name then mistakes.fail("new makes a journey, a payload, or a project in a FOLDER, not %s %s", args.what, args.name) end
  new_project(args.what)
  return 0
end

return {
  name = "new",
  group = "write",
  summary = "Makes a project, or one more journey or payload in it.",
  about = "The project runs and passes its tests at once: one journey, one payload, people, a test, connections, and a "
    .. "README of one screen.",
  usage = "FOLDER | journey NAME | payload NAME",
  arguments = {
    { name = "what", help = "the folder of the new project; or journey, or payload", holds = "folder",
      suggests = { "journey", "payload" } },
    { name = "name", help = "what the journey or the payload is called", optional = true },
  },
  examples = { { "jaunt new shop", "a project in shop/" }, { "jaunt new journey cart_reminder", "in the project around" } },
  exit = { [0] = "it is made", [2] = "it was not" },
  run = run,
}
