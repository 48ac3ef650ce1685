-- Settings of the person at the keyboard: settings.lua in the project, beside connections.lua, or in ~/.config/jaunt/
-- ($XDG_CONFIG_HOME/jaunt/). What stands in the project's goes before the other's. Neither belongs into version
-- control.
--
--   return {
--     send_to = { me = { email = "you@example.com", phone = "+15550100" } },   -- for jaunt preview --send-to me
--   }

local chunk = require "jaunt.worker.chunk"
local fs = require "jaunt.native.fs"
local mistakes = require "jaunt.base.mistakes"
local nearest = require "jaunt.base.nearest"
local project = require "jaunt.project"

local settings = {}

local FIELDS = { "send_to" }

-- Where they may stand, the first that counts first.
local function paths(found)
  local home, config = os.getenv("HOME"), os.getenv("XDG_CONFIG_HOME")
  if not config or config == "" then config = home and home .. "/.config" end
  local list = {}
  if found then list[1] = project.path(found, "settings.lua") end
  if config then list[#list + 1] = config .. "/jaunt/settings.lua" end
  return list
end

local function check(path, declared)
  if type(declared) ~= "table" then mistakes.fail("%s returns no table: return { send_to = { me = { email = … } } }", path) end
  for field in pairs(declared) do
    if field ~= "send_to" then
      mistakes.fail("%s: there is no setting %s%s", path, tostring(field), nearest.hint(tostring(field), FIELDS))
    end
  end
  local send_to = declared.send_to or {}
  if type(send_to) ~= "table" then mistakes.fail("%s: send_to is a table of names: { me = { email = … } }", path) end
  for name, address in pairs(send_to) do
    if type(address) ~= "table" or next(address) == nil then
      mistakes.fail("%s: send_to.%s is a table of attributes: { email = \"you@example.com\", phone = \"+15550100\" }", path,
        tostring(name))
    end
  end
  return declared
end

local function read(path)
  local make, why = chunk.compile(project.read(path), path)
  if not make then mistakes.fail("%s", why) end
  local ok, declared = pcall(make, { env = function(name, default) return os.getenv(name) or default end })
  if not ok then mistakes.fail("%s", tostring(declared)) end
  return check(path, declared)
end

-- The address that stands in the settings under send_to: { email =, phone =, … }. Fails with where to put it, where
-- there is none.
function settings.address(found, name)
  local list, known = paths(found), {}
  for _, path in ipairs(list) do
    local send_to = fs.kind(path) == "file" and read(path).send_to or {}
    if send_to[name] then return send_to[name] end
    for other in pairs(send_to) do known[#known + 1] = tostring(other) end
  end
  local key = name:find("^[%a_][%w_]*$") and name or ("[%q]"):format(name)
  mistakes.fail("there is no %s in the settings%s; it would stand in %s: "
    .. "return { send_to = { %s = { email = \"…\", phone = \"…\" } } }", name, nearest.hint(name, known),
    table.concat(list, " or "), key)
end

return settings
