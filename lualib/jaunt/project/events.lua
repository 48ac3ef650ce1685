-- Events from a file: NDJSON, one event a line, in the order of their times.
--
--   {"person":"ada","name":"order_placed","time":"2026-11-25T10:00:00Z","id":"e1","data":{"cart_id":"c1"}}
--
-- time is an RFC 3339 time, a number of seconds since 1970, or "+2h": that long after the start. person is the id as the
-- audience has it. A script sees the fields of data, and meta = { id =, name =, time = }.

local engine = require "jaunt.native.engine"
local existing = require "jaunt.base.existing"
local json = require "json"
local mistakes = require "jaunt.base.mistakes"

local events = {}

local LAST_SECOND = 253402300799 -- of the year 9999

-- The milliseconds since 1970 that `time` means; nil and why not.
local function time_of(time, start_ms)
  if type(time) == "number" then
    if time >= 0 and time <= LAST_SECOND then return math.floor(time * 1000) end
    return nil, ("%s is no time in seconds since 1970"):format(time)
  end
  if type(time) ~= "string" then return nil, "it has no time" end
  local after = time:match("^%+(.+)$")
  if not after then return engine.moment(time, "UTC", start_ms) end
  local ms, why = engine.duration(after)
  if not ms then return nil, why end
  return start_ms + ms
end

-- The id of an event's person, as an audience has it: a text, or a whole number.
local function person_of(value)
  if math.type(value) == "integer" then return tostring(value) end
  if type(value) ~= "string" or value == "" then return nil, "it names no person" end
  if value:find("\0", 1, true) then return nil, "its person holds a NUL byte" end
  return value
end

local function read_line(line, start_ms)
  local ok, value = pcall(json.decode, line)
  if not ok then return nil, (tostring(value):gsub("^.-: line 1, ", "", 1)) end
  if type(value) ~= "table" or json.is_array(value) then return nil, "it is no JSON object" end
  local person, nobody = person_of(value.person)
  if not person then return nil, nobody end
  if type(value.name) ~= "string" or value.name == "" then return nil, "it has no name" end
  if value.name:find("\0", 1, true) then return nil, "its name holds a NUL byte" end
  local data = value.data
  if data == nil or data == json.null then data = {} end
  if type(data) ~= "table" or json.is_array(data) then return nil, "its data are no object" end
  local at, why = time_of(value.time, start_ms)
  if not at then return nil, why end
  data.meta = { id = value.id, name = value.name, time = at / 1000 }
  return { at = at, person = person, name = value.name, json = json.encode(data) }
end

-- Opens an events file. Returns a reader: reader.next() gives the next event { at =, person =, name =, json = } or
-- nil at the end; reader.rejected counts the lines that could not be used, each of which `complain(line, why)` is told.
function events.open(path, start_ms, complain)
  local file, why = io.open(existing.file(path, "events file"), "rb")
  if not file then mistakes.fail("can't open the events file %s", why) end
  local reader, number, last = { rejected = 0 }, 0, nil
  local function reject(reason)
    reader.rejected = reader.rejected + 1
    complain(number, reason)
  end
  function reader.next()
    for line in file:lines() do
      number = number + 1
      if number == 1 then line = line:gsub("^\u{FEFF}", "") end
      if line:find("%S") then
        local event, reason = read_line(line, start_ms)
        if not event then
          reject(reason)
        elseif last and event.at < last then
          reject("it is earlier than the event before it: events come in the order of their times")
        else
          last = event.at
          return event
        end
      end
    end
    file:close()
    reader.next = function() end
  end
  return reader
end

-- The time of the first event of a file that has an absolute one, or nil.
function events.first_time(path)
  local file = io.open(path, "rb")
  if not file then return nil end
  local event = read_line((file:read("l") or ""):gsub("^\u{FEFF}", ""), 0)
  file:close()
  return event and event.at > 366 * 24 * 3600 * 1000 and event.at or nil
end

return events
