-- Which journeys send a payload, and what they send it with.

local keys = require "jaunt.base.keys"
local mistakes = require "jaunt.base.mistakes"
local project = require "jaunt.project"
local walk = require "jaunt.preview.walk"

local usage = {}

-- How likely a script sends the payload: 1 where it names it, 2 where it puts its name together from parts, nil
-- otherwise.
local function likelihood(text, name)
  if text:find('"' .. name .. '"', 1, true) or text:find("'" .. name .. "'", 1, true) then return 1 end
  for start in text:gmatch("payload%s*=%s*[\"']([^\"']*)[\"']%s*%.%.") do
    if name:sub(1, #start) == start then return 2 end
  end
  return text:find("payload%s*=%s*[%a_]") and 3 or nil
end

-- The paths of the journeys that may send the payload, the likeliest first.
local function candidates(found, name)
  local list, files = {}, project.files(found, "journeys", { lua = true })
  for _, journey in ipairs(keys.sorted(files)) do
    local rank = likelihood(project.read(files[journey].path), name)
    if rank then list[#list + 1] = { path = files[journey].path, rank = rank, journey = journey } end
  end
  table.sort(list, function(a, b)
    if a.rank ~= b.rank then return a.rank < b.rank end
    return a.journey < b.journey
  end)
  return list
end

-- Walks people through the journeys until one of them sends the payload to somebody: see jaunt.preview.walk, whose
-- result it returns; nil where none does, and what stood in the way of walking, in words, if anything did.
function usage.walk(found, name, people, options)
  local base, trouble = name:match("^([^/]+)/") or name, nil
  for _, one in ipairs(candidates(found, base)) do
    local ok, walked = pcall(walk.to, found, one.path, people, function(call)
      return call.told ~= nil and (call.told.payload == base or call.told.payload == name)
    end, options)
    if ok and next(walked.calls) then return walked end
    if not ok then trouble = mistakes.message(walked):match("^[^\n]*") end
  end
  return nil, trouble
end

return usage
