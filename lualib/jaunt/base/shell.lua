-- Other programs, for commands: what the shell is told, and what it says.

local shell = {}

-- A word as the shell takes it literally.
function shell.quote(word)
  return "'" .. word:gsub("'", [['\'']]) .. "'"
end

-- What a command prints, without the line ends behind it, and whether it went well. Its complaints are dropped.
function shell.output(command)
  local pipe = assert(io.popen(command .. " 2>/dev/null"))
  local text = pipe:read("a")
  return (text:gsub("\n+$", "")), pipe:close() == true
end

-- A fresh folder { path = }, which is removed when it is closed.
function shell.temp_folder()
  local path, made = shell.output("mktemp -d")
  if not made then require("jaunt.base.mistakes").fail("can't make a folder in %s", os.getenv("TMPDIR") or "/tmp") end
  return setmetatable({ path = path }, { __close = function() os.execute("rm -rf -- " .. shell.quote(path)) end })
end

return shell
