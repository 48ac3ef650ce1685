-- Lines of somebody who types, put together to chunks: an open block asks for more.

local parser = require "jaunt.lua.parser"

local reading = {}

-- Whether a text is the beginning of a chunk and no whole one: a block, a bracket or a long text is open at its end. A
-- quote that is open where its line ends is a mistake.
function reading.is_open(text)
  text = text .. "\n"
  if parser.parse("return " .. text) then return false end
  local tree, mistake = parser.parse(text)
  if tree then return false end
  local _, as_value = parser.parse("return " .. text)
  return mistake.incomplete or as_value.incomplete and not mistake.incomplete and text:find("^%s*[%({%[\"']") ~= nil
end

-- Whether a text is a command of the prompt: ".why ada", "?call_api".
function reading.is_command(text)
  return text:find("^%s*%.%a") ~= nil or text:find("^%s*%?") ~= nil
end

-- The names that a chunk declares with `local` at its outermost level: they are gone with it.
function reading.locals(text)
  local tree = parser.parse(text)
  local names = {}
  for _, statement in ipairs(tree and tree.body or {}) do
    if statement.kind == "local" then
      for _, name in ipairs(statement.names) do names[#names + 1] = name.name end
    elseif statement.kind == "localfunction" then
      names[#names + 1] = statement.name.name
    end
  end
  return names, tree and #tree.body or 0
end

return reading
