-- What was typed before, in a file of the person's own: one chunk a line, so that a block comes back whole.
--
-- It is $XDG_STATE_HOME/jaunt/history, or ~/.local/state/jaunt/history, which only its owner can read. What looks like
-- a secret, what holds the value of one, and what begins with a blank does not get into it.

local fs = require "jaunt.native.fs"
local shell = require "jaunt.base.shell"

local history = {}

local CHUNKS_MOST, BYTES_MOST, SECRET_LEAST = 2000, 64 * 1024, 6

-- Where it is; nil where nobody has a home.
function history.path()
  local base, home = os.getenv("XDG_STATE_HOME"), os.getenv("HOME")
  if not base or base == "" then base = home and home ~= "" and home .. "/.local/state" end
  return base and base .. "/jaunt/history"
end

---------------------------------------------------------------------------------------------- secrets

local NAMED = {
  "secret", "token", "passw", "passphrase", "%f[%a]pass%f[%A]", "pwd", "api[_%-]?key", "access[_%-]?key",
  "private[_%-]?key", "authorization", "bearer", "credential", "cookie",
}

-- What may stand between such a name and the text that it names: token = "…", ["X-Api-Key"] = '…', f("password", "…"), ?token=….
local BETWEEN = { "[%w_%-]*[\"']?%s*%]?%s*=%s*[\"'][^\"']", "[%w_%-]*[\"']?%s*%]?%s*=%s*%[=*%[", "[%w_%-]*[\"'],%s*[\"'][^\"']" }

-- A text that stands behind a name which says what it is.
local function is_named(text)
  local lower = text:lower()
  for _, name in ipairs(NAMED) do
    for _, between in ipairs(BETWEEN) do
      if lower:find(name .. between) then return true end
    end
    if lower:find("[?&][%w_%-]*" .. name .. "[%w_%-]*=[^&%s\"']") then return true end
  end
  return lower:find("%f[%a]basic%s*=%s*{") ~= nil
end

local function holds_value(text, values)
  for _, value in ipairs(values) do
    if #value >= SECRET_LEAST and text:find(value, 1, true) then return true end
  end
  return false
end

-- Whether a chunk may hold a secret; `values` are those that are known.
function history.holds_secret(text, values)
  local found = false
  require("jaunt.check.secrets").check({ text = text, path = "" }, { add = function() found = true end })
  return found or is_named(text) or holds_value(text, values)
end

-- The values of secrets that this process could know: those of a secrets file, and of the environment by these names.
function history.known_secrets(file, names)
  local values = {}
  for line in ((file and fs.kind(file) == "file" and fs.read(file) or "") .. "\n"):gmatch("(.-)\n") do
    local value = line:match("^%s*[%w_]+=(.+)$")
    if value then values[#values + 1] = value end
  end
  for _, name in ipairs(names) do values[#values + 1] = os.getenv(name) end
  return values
end

---------------------------------------------------------------------------------------------- the file

local function to_line(text)
  return (text:gsub("\\", "\\\\"):gsub("\n", "\\n"))
end

local function from_line(line)
  return (line:gsub("\\(.)", { n = "\n", ["\\"] = "\\" }))
end

local function read_chunks(path)
  local chunks = {}
  for line in ((fs.kind(path) == "file" and fs.read(path) or "") .. "\n"):gmatch("(.-)\n") do
    if line ~= "" then chunks[#chunks + 1] = from_line(line) end
  end
  return chunks
end

-- Makes the file where there is none, readable by its owner alone.
local function make(path)
  if fs.kind(path) then return end
  local folder = path:match("^(.*)/")
  os.execute(("umask 077; mkdir -p -- %s && : >> %s"):format(shell.quote(folder), shell.quote(path)))
end

local function write(path, chunks)
  local file = io.open(path, "w")
  if not file then return end
  for _, text in ipairs(chunks) do file:write(to_line(text), "\n") end
  file:close()
end

-- Opens it: `remember(text)` is called with what it holds, the oldest first. Returns a function that adds a chunk, and
-- returns whether it was taken. `values` as above. A file that can't be read or written is as good as none.
function history.open(remember, values)
  local path = history.path()
  local chunks = path and read_chunks(path) or {}
  if #chunks > CHUNKS_MOST then
    chunks = table.move(chunks, #chunks - CHUNKS_MOST // 2, #chunks, 1, {})
    write(path, chunks)
  end
  for _, text in ipairs(chunks) do remember(text) end
  local last = chunks[#chunks]

  return function(text)
    if text:find("^%s") or #text > BYTES_MOST or history.holds_secret(text, values) then return false end
    if text == last then return true end
    last = text
    remember(text)
    if path then make(path) end
    local file = path and io.open(path, "a")
    if file then
      file:write(to_line(text), "\n")
      file:close()
    end
    return true
  end
end

return history
