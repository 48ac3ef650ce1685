-- What the words of `jaunt preview` mean: a payload, or an element of a journey.

local keys = require "jaunt.base.keys"
local mistakes = require "jaunt.base.mistakes"
local nearest = require "jaunt.base.nearest"
local payloads = require "jaunt.project.payloads"
local project = require "jaunt.project"

local target = {}

-- The payload's name that a word means: a name, or the path of a file; nil where there is none.
local function payload_named(word, sources)
  local name = word:match("^.*payloads/(.+)%.%w+$") or word:match("^([^/.]+)%.%w+$") or word
  return sources[name] and name or nil
end

local function no_such_payload(found, word, sources)
  local refusal = payloads.refusal(found, word:match("[^/]*$"))
  if refusal then mistakes.fail("%s", refusal) end
  local known = keys.sorted(sources)
  local hint = nearest.hint(word, known)
  if hint == "" and #known > 0 then hint = "; there are " .. table.concat(known, ", ") end
  if hint == "" then hint = ("; %s is empty"):format(project.path(found, "payloads")) end
  mistakes.fail("no such payload: %s%s", word, hint)
end

local function wants_an_element(name, path)
  local elements = {}
  for element in project.read(path):gmatch("call_api%s*%(?%s*(\"[^\"\n]+\")") do elements[#elements + 1] = element end
  mistakes.fail("%s is a journey: name one of its elements, too%s", name,
    #elements > 0 and ": " .. table.concat(elements, ", ") or "")
end

-- Understands the arguments. Returns { payload = NAME } or { journey = NAME, path =, element = }; fails with the
-- nearest right name.
function target.of(found, sources, args)
  local journeys = project.files(found, "journeys", { lua = true })
  local journey = journeys[args.payload]
  if args.element then
    local hint = nearest.hint(args.payload, keys.sorted(journeys))
    if not journey then mistakes.fail("no such journey: %s%s", args.payload, hint) end
    return { journey = args.payload, path = journey.path, element = args.element }
  end
  local name = payload_named(args.payload, sources)
  if name then return { payload = name } end
  if journey then wants_an_element(args.payload, journey.path) end
  no_such_payload(found, args.payload, sources)
end

-- The names under which a payload is rendered: of a split, each variant's.
function target.variants(source)
  if not source.variants then return { source.name } end
  local list = {}
  for i, variant in ipairs(source.variants) do list[i] = source.name .. "/" .. variant end
  return list
end

-- The first mistake in the payloads that are looked at (a journey runs with all of them), in words; or nil.
function target.mistake(meant, sources)
  for _, name in ipairs(meant.payload and target.variants(sources[meant.payload]) or keys.sorted(sources)) do
    local mistake = payloads.mistake(sources[name], sources)
    if mistake then return mistake end
  end
end

return target
