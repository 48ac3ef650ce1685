-- Writes the Lua of one template: lines that know their place in the source, and functions within functions.
--
-- Called by jaunt.liquid.compiler, which knows what is to be written. A frame is a function's body in the making: its
-- lines, and the locals that stand at its top. Lua has 200 locals for a function, which is why names of short life are
-- shared: l3 is the list of whatever loop is third in depth.

local byte, concat, find, format, gsub = string.byte, table.concat, string.find, string.format, string.gsub

local code = {}
code.__index = code

function code.new()
  return setmetatable({ uses = {}, used = {}, functions = {}, serial = 0, frame = nil, at = 1, source = nil }, code)
end

local function escaped(char)
  return format("\\%03d", byte(char))
end

-- A text as Lua reads it, on one line.
function code.quote(text)
  return '"' .. gsub(text, '[%c"\\\127-\255]', escaped) .. '"'
end

local function number(value)
  if math.type(value) == "integer" then
    return value == math.mininteger and "(-9223372036854775807 - 1)" or format("%d", value)
  end
  if value == math.huge then return "1e999" end
  if value == -math.huge then return "-1e999" end
  local digits = format("%.17g", value)
  return find(digits, "[.e]") and digits or digits .. ".0"
end

-- nil, a boolean, a number or a text as Lua reads it.
function code.literal(value)
  if type(value) == "string" then return code.quote(value) end
  if type(value) == "number" then return number(value) end
  return tostring(value)
end

-- A name that nothing else has.
function code:fresh(letter)
  self.serial = self.serial + 1
  return letter .. self.serial
end

-- Writes one line, which stands for the byte `at` of the source at hand, or for the place last named. Returns it: what
-- is at [1] may still grow.
function code:add(text, at)
  if at then self.at = at end
  local lines, line = self.frame.lines, { text, self.at, self.source }
  lines[#lines + 1] = line
  return line
end

-- A line at the top of a frame, after its locals.
function code:add_first(frame, text)
  frame.first[#frame.first + 1] = { text, self.at, self.source }
end

-- The name of a local of the chunk that holds what an expression over its arguments gives.
local function hold(self, name, expression)
  if not self.used[name] then
    self.used[name] = true
    self.uses[#self.uses + 1] = { format("local %s = %s", name, expression) }
  end
  return name
end

-- The locals that hold a function of jaunt.liquid.runtime, a filter, an emitter.
function code:library(name) return hold(self, name, "L." .. name) end
function code:filter(name) return hold(self, "f_" .. name, format("F.%s.run", name)) end
function code:emitter(name) return hold(self, "E_" .. gsub(name, "%W", "_"), format("E[%s]", code.quote(name))) end

-- A local of the frame at hand, declared at its top.
function code:own(name)
  local frame = self.frame
  if not frame.declared[name] then
    frame.declared[name] = true
    frame.names[#frame.names + 1] = name
  end
  return name
end

function code:open(depth)
  self.frame = { lines = {}, first = {}, names = {}, declared = {}, jumps = {}, outer = self.frame, depth = depth }
  return self.frame
end

local function append(into, lines)
  return table.move(lines, 1, #lines, #into + 1, into)
end

-- Ends the frame at hand: its lines, between `head` and `tail`.
function code:close(head, tail)
  local frame = self.frame
  self.frame = frame.outer
  local lines = { { head } }
  if #frame.names > 0 then lines[2] = { "local " .. concat(frame.names, ", ") } end
  append(lines, frame.first)
  append(lines, frame.lines)
  lines[#lines + 1] = { tail }
  return lines, frame
end

-- Writes the lines of a function that was closed into the frame at hand.
function code:insert(lines)
  append(self.frame.lines, lines)
end

local places = {}
places.__index = places

-- The offset and the source that a line of the chunk stands for; nil for none.
function places:of(line)
  if line and self.sources[line] then return self.at[line], self.sources[line] end
end

-- The whole: the chunk's text, and its places.
function code:finish(main)
  local lines = { { "local L, F, E = ..." }, { "local P = {}" } }
  append(lines, self.uses)
  for _, each in ipairs(self.functions) do append(lines, each) end
  append(lines, main)
  local texts, at, sources = {}, {}, {}
  for i, line in ipairs(lines) do
    texts[i], at[i], sources[i] = line[1], line[2] or false, line[3] or false
  end
  return concat(texts, "\n"), setmetatable({ at = at, sources = sources }, places)
end

return code
