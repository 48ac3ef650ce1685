-- Payloads that are changed while a journey runs: taken for the calls that are not rendered yet, if nothing is wrong with them.

local control = require "jaunt.native.control"
local json = require "json"
local keys = require "jaunt.base.keys"
local mistakes = require "jaunt.base.mistakes"
local payloads = require "jaunt.project.payloads"

local reload = {}

local LOOK_MS = 500

-- The names of payloads that are not as they were, with their hashes: "hello@3f9a…".
local function changes(before, now)
  local names = {}
  for _, name in ipairs(keys.sorted(now)) do
    local hash = now[name].hash
    if hash and not (before[name] and before[name].hash == hash) then names[#names + 1] = name .. "@" .. hash end
  end
  for _, name in ipairs(keys.sorted(before)) do
    if not now[name] then names[#names + 1] = name .. " (gone)" end
  end
  return names
end

-- Everything about the files that may change, as one text; or what is wrong with the folder.
local function gather(found)
  local ok, sources = pcall(payloads.gather, found)
  if not ok then return nil, "wrong: " .. mistakes.message(sources) end
  return sources, json.encode(sources)
end

-- Watches the payloads of the project `found`. Returns a function to be called now and then: it looks at the files every half
-- second, and when they have changed and are at rest again, `take` gets all of them as JSON; `say` is told what was taken, or
-- what is wrong, in which case those from before stay in use. `text`: those that are in use, as JSON.
function reload.watcher(found, take, say, text)
  local in_use, told, last, due = json.decode(text), text, text, 0

  local function consider(sources, text)
    told = text
    local ok, why = true, text
    if sources then ok, why = pcall(payloads.check, sources) end
    if not sources or not ok then
      local wrong = sources and mistakes.message(why) or text:gsub("^wrong: ", "")
      say("payloads not taken, those from before stay in use: " .. wrong)
      return
    end
    local names = changes(in_use, sources)
    in_use = sources
    take(text)
    say(#names > 0 and "payloads taken for calls that are not rendered yet: " .. table.concat(names, ", ")
      or "payloads are again those in use")
  end

  return function()
    local now = control.now_mono()
    if now < due then return end
    due = now + LOOK_MS
    local sources, text = gather(found)
    if text == last and text ~= told then consider(sources, text) end
    last = text
  end
end

return reload
