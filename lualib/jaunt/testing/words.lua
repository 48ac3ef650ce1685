-- The words of specs: the names that `jaunt test` adds to busted's. They speak of the world of the test that is running.

local mistake = require "jaunt.testing.mistake"
local mistakes = require "jaunt.base.mistakes"
local testing = require "jaunt.testing"
local worlds = require "jaunt.testing.world"

local words = {}

local function entry_of(row, name)
  for i = #row.story, 1, -1 do
    if row.story[i].name == name and row.story[i].what == "call" then return row.story[i] end
  end
end

-- Complains of what is no value of that kind: need(name, "string", 'clock takes …').
local function need(value, kind, words)
  if type(value) ~= kind then error(words, 0) end
end

local function need_data(word, data)
  if data ~= nil then need(data, "table", ("%s: an event's data are a table, not a %s"):format(word, type(data))) end
end

-- A word that complains where the spec has used it, not in here.
local function at_the_spec(word)
  return function(...)
    local results = table.pack(pcall(word, ...))
    if not results[1] then mistake.told(mistakes.message(results[2])) end
    return table.unpack(results, 2, results.n)
  end
end

-- Puts the words into `into`. Returns a function that gives the world of the test (made at need), and one that ends it:
-- finish(visit), see jaunt.testing.world's close().
function words.install(into, folder)
  local world
  local made = {}

  local function current()
    world = world or worlds.new(folder)
    return world
  end

  -- enter("JOURNEY", person, event): lets a person in: a table, or a sample's id. Returns the run; nil where nobody was let in.
  function made.enter(journey, who, event)
    need(journey, "string", 'enter takes a journey and a person: enter("welcome", "ada")')
    need_data("enter", event)
    return current():enter(journey, who, event)
  end

  -- happens("EVENT", person, data): an event comes for a person, given by a run, a table with an id, or the id.
  function made.happens(name, who, data)
    if type(name) ~= "string" or who == nil then
      error('happens takes an event and a person: happens("order_placed", "ada", { total = 9 })', 0)
    end
    need_data("happens", data)
    return current():happens(name, who, data)
  end

  -- clock "+2h", clock "2026-11-30 09:00": goes on; all that is due by then happens. clock() only tells the time, in milliseconds.
  function made.clock(text)
    if text == nil then return current().now_ms end
    need(text, "string", 'clock takes a duration or a time: clock "+2h", clock "mon 09:00"')
    return current():clock(text)
  end

  -- starts_at "2026-12-24 09:00": when the test begins, in UTC; 2026-11-25 09:00, a Wednesday, without it.
  function made.starts_at(text)
    need(text, "string", 'starts_at takes a time: starts_at "2026-12-24 09:00"')
    current():starts_at(text)
  end

  -- vendor "CONNECTION": its pretend vendor; :on "POST /messages" :reply(400): see jaunt.testing.pretence.
  function made.vendor(name) return current().vendors:connection(name) end

  -- sent(run, "ELEMENT"): the request that a call has made: { method =, url =, type =, payload =, body =, json = }; nil
  -- where it made none.
  function made.sent(run, element)
    local row = current():look(run)
    current():need_element(run, element)
    local entry = entry_of(row, element)
    local request = entry and entry.request
    if not request then return nil end
    local ok, value = pcall(require "json".decode, request.body or "")
    return { method = request.method, url = request.url, type = request.type, payload = request.payload, body = request.body,
      json = ok and value or nil }
  end

  -- crash_everywhere("JOURNEY", person, options): see jaunt.testing.
  function made.crash_everywhere(journey, who, options)
    options = options or {}
    options.project = options.project or folder
    return testing.crash_everywhere(journey, current():person(who).person, options)
  end

  for name, word in pairs(made) do into[name] = at_the_spec(word) end

  local function finish(visit)
    if world then world:close(visit) end
    world = nil
  end
  return current, finish
end

return words
