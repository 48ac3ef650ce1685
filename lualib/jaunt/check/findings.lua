-- What `jaunt check` has found: a list of
--   { code =, file =, line =, column =, text =, why =, excerpt = (the line), hint = or nil }
-- in the order in which it was found. A line that ends with a comment "meant: CODE" says that it is meant, and is not told of.

local lexer = require "jaunt.lua.lexer"

local findings = {}
findings.__index = findings

function findings.new()
  return setmetatable({ list = {}, meant = 0, sources = {} }, findings)
end

-- What is known of a source ({ path =, text = }): its lines, and where offsets are.
local function known(self, source)
  local about = self.sources[source.path]
  if about and about.text == source.text then return about end
  about = { text = source.text, place = lexer.places(source.text), lines = {} }
  for line in (source.text .. "\n"):gmatch("([^\n]*)\n") do about.lines[#about.lines + 1] = line end
  self.sources[source.path] = about
  return about
end

local function is_meant(line, code)
  local told = line and line:match("meant:%s*([%w_, -]+)")
  if not told then return false end
  for word in told:gmatch("[%w_]+") do
    if word == code then return true end
  end
  return false
end

-- Adds a finding. `found`: code, text, why, hint, and where it is: `at` (an offset) or `line` and `column`.
function findings:add(source, found)
  local about = known(self, source)
  local line, column = found.line, found.column or 1
  if found.at then line, column = about.place(found.at) end
  line = line or 1
  if is_meant(about.lines[line], found.code) then
    self.meant = self.meant + 1
    return
  end
  self.list[#self.list + 1] = { code = found.code, file = source.path, line = line, column = column, text = found.text,
    why = found.why, hint = found.hint, hint_is_sentence = found.hint_is_sentence, excerpt = about.lines[line] or "" }
end

-- All of them, by file and line; those of one place in the order in which they were found.
function findings:sorted()
  local list = table.move(self.list, 1, #self.list, 1, {})
  for i, one in ipairs(list) do one.number = i end
  table.sort(list, function(a, b)
    if a.file ~= b.file then return a.file < b.file end
    if a.line ~= b.line then return a.line < b.line end
    if a.column ~= b.column then return a.column < b.column end
    return a.number < b.number
  end)
  return list
end

return findings
