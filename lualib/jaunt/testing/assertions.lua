-- What specs say of runs and of what vendors were sent; see README, "Test a journey". Each is an assertion of luassert, so that
-- assert.is_not.… works, too.

local difference = require "jaunt.preview.difference"
local engine = require "jaunt.native.engine"
local figures = require "jaunt.base.figures"
local fs = require "jaunt.native.fs"
local json = require "json"
local layout = require "jaunt.preview.layout"
local mistake = require("jaunt.testing.mistake").raise
local nearest = require "jaunt.base.nearest"
local telling = require "jaunt.testing.telling"

local assertions = {}

-- What luassert tells when it is not as it was to be, or is as it was not to be.
local function result(state, right, text)
  state.failure_message = text
  return right
end

local ELEMENTS = { call = true, wait = true, split = true } -- entries of a story

-- The last time that a run was at the element of that name, as its story tells.
local function entry_of(row, name)
  for i = #row.story, 1, -1 do
    local entry = row.story[i]
    if entry.name == name and ELEMENTS[entry.what] then return entry end
  end
end

local function names_of(row)
  local names = {}
  for _, entry in ipairs(row.story) do names[#names + 1] = entry.name end
  return names
end

local function went_through(entry)
  if entry.what == "call" then return entry.result ~= nil and entry.result ~= "mistake" and entry.result ~= "dropped" end
  return entry.what == "split" or entry.over_ms ~= nil
end

-- What is to be said of a run that did not do as it was expected to.
local function instead(state, row, what, name)
  local hint = name and not entry_of(row, name) and nearest.hint(name, names_of(row)) or ""
  return ("%s is %sto %s%s, and is %s:\n%s"):format(row.person, state.mod and "" or "not ", what, hint,
    telling.place(row), telling.story(row))
end

---------------------------------------------------------------------------------------------- runs

local function outcome_is(wanted)
  return function(world)
    return function(state, arguments)
      local row, element, reason = world():look(arguments[1]), arguments[2], arguments[3]
      if element ~= nil then world():need_element(arguments[1], element) end
      local right = row.state == wanted and (element == nil or row.element == element)
        and (reason == nil or row.reason == reason or row.detail == reason)
      local at, why = element and (" at %q"):format(element) or "", reason and " for " .. reason or ""
      return result(state, right, instead(state, row, "be " .. wanted .. at .. why, element))
    end
  end
end

local RUNS = {
  went_through = function(world)
    return function(state, arguments)
      local row, name = world():look(arguments[1]), arguments[2]
      world():need_element(arguments[1], name)
      local entry = entry_of(row, name)
      local dropped_there = row.element == name and row.state ~= "waiting" and row.state ~= "completed" and row.state ~= "exited"
      local right = entry and went_through(entry) and not dropped_there
      return result(state, right, instead(state, row, ("go through %q"):format(name), name))
    end
  end,
  waits_until = function(world)
    return function(state, arguments)
      local row, text = world():look(arguments[1]), arguments[2]
      if type(text) ~= "string" then
        mistake("waits_until takes a run and a time: assert.waits_until(run, \"2026-11-30 09:00\")")
      end
      local zone = arguments[3] or arguments[1].attributes.zone or "UTC"
      local wanted, why = engine.moment(text, zone, world().now_ms)
      if not wanted then mistake("waits_until: %s", why) end
      local entry = row.story[#row.story]
      local due = row.state == "waiting" and entry.what == "wait" and entry.until_ms
      return result(state, due == wanted, instead(state, row, ("wait until %s (%s)"):format(text, engine.rfc3339(wanted))))
    end
  end,
  dropped_at = outcome_is "dropped", held_at = outcome_is "held", is_waiting_at = outcome_is "waiting",
  completed = outcome_is "completed", exited = outcome_is "exited",
}

---------------------------------------------------------------------------------------------- what was sent

-- Whether all that is in `wanted` is in `found`, too: objects may have more, lists may not.
local function holds(found, wanted)
  if type(wanted) ~= "table" then return found == wanted end
  if type(found) ~= "table" then return false end
  if json.is_array(wanted) and #wanted ~= #found then return false end
  for key, value in pairs(wanted) do
    if not holds(found[key], value) then return false end
  end
  return true
end

local function matching(items, connection, method, path, wanted)
  local found, others = {}, {}
  for _, item in ipairs(items) do
    if item.connection == connection and item.method == method and item.path:match("^[^?]*") == path then
      local list = (wanted == nil or holds(item.json or item.body, wanted)) and found or others
      list[#list + 1] = item
    end
  end
  return found, others
end

local function shown(items)
  local lines = {}
  for i, item in ipairs(items) do
    lines[i] = ("  %s %s%s %s"):format(item.method, item.connection, item.path, item.json and json.encode(item.json) or item.body)
  end
  return #lines > 0 and table.concat(lines, "\n") or "  nothing"
end

-- assert.received("email", "POST /mail/send", { to = … }, times): all that is optional but the first two; a body may
-- have more fields.
local function received(world)
  return function(state, arguments)
    local connection, what, wanted, times = arguments[1], arguments[2], arguments[3], arguments[4]
    world().vendors:connection(connection) -- else it would be true of any that it was sent nothing
    local method, path = (type(what) == "string" and what or ""):match("^(%u+) (/%S*)$")
    if not method then
      mistake("received takes a connection, a method and a path: assert.received(\"email\", \"POST /mail/send\")")
    end
    local items = world().vendors:received()
    local found, others = matching(items, connection, method, path, wanted)
    local right = times and #found == times or not times and #found > 0
    local with = wanted ~= nil and " with " .. json.encode(wanted) or ""
    return result(state, right, ("%s is %sto be sent %s%s%s; it was %s, of\n%s"):format(connection, state.mod and ""
      or "not ", what, with,
      times and (" %s"):format(figures.of(times, "time", "times")) or "", figures.of(#found, "time", "times"),
      shown(#others > 0 and others or items)))
  end
end

---------------------------------------------------------------------------------------------- snapshots

-- A value as lines: JSON a member a line, other text as it stands.
local function lines_of(value)
  local text = type(value) == "string" and value or json.encode(value)
  return layout.plain(layout.lines(text, "json"))
end

local function differing(before, now)
  local lines = {}
  for i, line in ipairs(difference.lines(before, now)) do lines[i] = ("  %s %s"):format(line.sign, line.text) end
  return table.concat(lines, "\n")
end

local function split_lines(text)
  local lines = {}
  for line in text:gmatch("([^\n]*)\n") do lines[#lines + 1] = line end
  return lines
end

-- assert.matches_snapshot("NAME", value): the value is what it was when the snapshot was taken:
-- spec/snapshots/NAME.txt. It is taken when there is none, and anew with jaunt test --update.
local function snapshot(world, settings)
  return function(state, arguments)
    local name, value = arguments[1], arguments[2]
    if type(name) ~= "string" or not name:find("^[%w_%-]+$") then
      mistake("a snapshot's name is made of letters, digits, - and _")
    end
    if value == nil then mistake("there is nothing to compare with the snapshot %s: its value is nil", name) end
    local lines = lines_of(value)
    local text = table.concat(lines, "\n") .. "\n"
    local folder = settings.folder .. "/snapshots"
    local path = ("%s/%s.txt"):format(folder, name)
    local before = fs.read(path)
    if before == text then return true end
    if before and not settings.update then
      return result(state, false, ("%s is not as it was (jaunt test --update takes it as it is):\n%s"):format(path,
        differing(split_lines(before), lines)))
    end
    fs.make_folder(folder)
    local file = assert(io.open(path, "wb"))
    file:write(text)
    file:close()
    settings.taken = settings.taken + 1
    return true
  end
end

---------------------------------------------------------------------------------------------- all

-- Makes luassert know them. `world` gives the world of the test that runs; `settings` has folder (the specs'), update
-- and taken (how many snapshots were).
function assertions.install(world, settings)
  local assert = require "luassert"
  local function register(name, made) assert:register("assertion", name, made) end
  for name, make in pairs(RUNS) do register(name, make(world)) end
  register("received", received(world))
  register("matches_snapshot", snapshot(world, settings))
end

return assertions
