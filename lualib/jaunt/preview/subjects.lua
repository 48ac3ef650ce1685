-- Whom a payload is rendered for, and with what: samples as they are, or as a journey brings them to an element.
--
-- A subject is { id =, person =, event =, vars =, now = (milliseconds), note = (where that comes from, in words),
-- request = (of an element's call: "POST https://…") }.

local engine = require "jaunt.native.engine"
local existing = require "jaunt.base.existing"
local json = require "json"
local keys = require "jaunt.base.keys"
local mistakes = require "jaunt.base.mistakes"
local names = require "jaunt.preview.names"
local nearest = require "jaunt.base.nearest"
local people = require "jaunt.project.people"
local project = require "jaunt.project"
local target = require "jaunt.preview.target"
local term = require "jaunt.base.term"

local subjects = {}

local PEOPLE_MOST = 20 -- unless --limit says otherwise

subjects.PEOPLE_MOST = PEOPLE_MOST

---------------------------------------------------------------------------------------------- who

-- The people that the flags mean, the fields of all people of their file, and that file.
function subjects.people(found, flags)
  local named = flags.people and flags.people ~= "-" and existing.file(flags.people, "people file") or flags.people
  local files = named and { named } or people.files(found)
  if flags.person then return people.named(flags.person, files, { id = flags.id }) end
  if not files[1] then
    mistakes.fail("there are no samples in %s: put some there, or give --people FILE", project.path(found, "people"))
  end
  local where = flags.where and require("jaunt.base.where").people(flags.where)
  local list, fields = people.read(files[1], flags.limit or PEOPLE_MOST, { id = flags.id, where = where })
  if #list == 0 then mistakes.fail("there is nobody in %s%s", files[1], where and " for whom --where is true" or "") end
  return list, fields, files[1]
end

---------------------------------------------------------------------------------------------- of a payload

-- The vars that a payload needs: names that stand for nothing else, nor look like anything else; sorted.
local function needed_vars(source, asked, fields)
  if source.kind == "lua" then return names.vars_of_transform(source.text) end
  local needed = {}
  for _, one in ipairs(asked) do
    local head = one.root == "bare" and one.steps[1]
    if head and not fields.person[head] and not nearest.find(head, names.likely(one, fields)) then needed[head] = true end
  end
  return keys.sorted(needed)
end

-- --vars as a table; nil without it.
local function vars_of(flags)
  if not flags.vars then return nil end
  local ok, vars = pcall(json.decode, flags.vars)
  if not ok or type(vars) ~= "table" or json.is_array(vars) then
    mistakes.fail("--vars takes a JSON object, such as '{\"code\":\"X-1\"}'%s",
      ok and "" or ": " .. tostring(vars):gsub("^.-: ", "", 1))
  end
  return vars
end

-- A sample as it is, let in by an event of its own.
local function as_is(one, vars, now)
  local event = { meta = { id = "preview", name = "preview", time = now / 1000 } }
  for name, value in pairs(one.event) do event[name] = value end
  return { id = one.id, person = one.person, event = event, vars = vars, now = now }
end

local function table_or_empty(value)
  return type(value) == "table" and value or {}
end

-- A subject of a call that a walk has come to.
local function as_walked(one, call)
  local told = call.told
  return { id = one.id, person = table_or_empty(told.person), event = table_or_empty(told.event),
    vars = table_or_empty(told.vars), now = told.now }
end

-- The first of the people who came to the payload.
local function first_who_came(list, walked)
  for _, one in ipairs(list) do
    if walked.calls[one.id] then return one.id end
  end
end

-- Subjects with the vars that a journey gives; whoever does not come to the payload borrows somebody else's.
local function with_vars_of_walk(list, walked, now)
  local made, lender = {}, first_who_came(list, walked)
  for i, one in ipairs(list) do
    local there = walked.calls[one.id]
    if there then
      made[i] = as_walked(one, there.call)
      made[i].note = ("vars as %s has them at \"%s\"%s"):format(walked.journey, there.call.element,
        there.pretended and ", if " .. there.pretended or "")
    else
      made[i] = as_is(one, table_or_empty(walked.calls[lender].call.told.vars), now)
      made[i].note = ("vars are those of %s: %s does not come to this payload in %s"):format(lender, one.id,
        walked.journey)
    end
  end
  return made
end

local function advice(name, needed, trouble)
  return ("%s asks for %s: %s; give %s with --vars '{\"%s\":…}'"):format(name, table.concat(needed, ", "),
    trouble and "its journey can't be walked: " .. trouble or "no journey of this project sends it to these people",
    #needed == 1 and "it" or "them", needed[1])
end

-- The people as subjects for one payload, and a sentence where it wants vars that nobody gives.
local function for_payload(found, source, asked, list, fields, file, flags)
  local vars, now = vars_of(flags), flags.now_ms or engine.now_ms()
  local needed, made, wanting = vars and {} or needed_vars(source, asked, fields), {}, nil
  if #needed > 0 then
    local walked, trouble = require("jaunt.preview.usage").walk(found, source.name, list,
      { start_ms = flags.now_ms, events = people.events_file(file) })
    if walked then return with_vars_of_walk(list, walked, now) end
    wanting = advice(source.name, needed, trouble)
  end
  for i, one in ipairs(list) do made[i] = as_is(one, vars or {}, now) end
  return made, wanting
end

-- What a payload is rendered with: a list of { name = (of the payload, or its variant), subjects =, fields = (that
-- people have) }, and sentences to be told.
function subjects.of_payload(found, sources, meant, flags)
  local list, fields, file = subjects.people(found, flags)
  local all, said = {}, {}
  for _, name in ipairs(target.variants(sources[meant.payload])) do
    local asked = names.of(sources[name], sources)
    local made, wanting = for_payload(found, sources[name], asked, list, fields, file, flags)
    all[#all + 1] = { name = name, subjects = made, fields = fields }
    said[#said + 1] = wanting
  end
  return all, said
end

---------------------------------------------------------------------------------------------- of an element

local function is_among(name, list)
  for _, one in ipairs(list) do
    if one == name then return true end
  end
  return false
end

-- Walks people to the element: see jaunt.preview.walk. Fails with the nearest right name where it has none of that
-- name.
function subjects.walk(found, meant, list, file, now_ms)
  local function wanted(call) return call.element == meant.element end
  local events, place = people.events_file(file)
  local walked = require("jaunt.preview.walk").to(found, meant.path, list, wanted, { start_ms = now_ms, events = events })
  walked.events_place = not events and place or nil
  if not next(walked.calls) and not is_among(meant.element, walked.elements) then
    local hint = nearest.hint(meant.element, walked.elements)
    if hint == "" then hint = "; it has " .. table.concat(walked.elements, ", ") end
    mistakes.fail("%s has no element \"%s\"%s", meant.journey, meant.element, hint)
  end
  return walked
end

-- Sentences about those who do not come to the element, and what scripts complained of.
function subjects.missing(list, walked, meant)
  local said = {}
  for _, one in ipairs(list) do
    if not walked.calls[one.id] then
      local came = table.concat(walked.came[one.id] or {}, ", ")
      said[#said + 1] = ("%s does not come to \"%s\", whatever is pretended: %s"):format(term.one_line(one.id),
        meant.element, came ~= "" and "only to " .. came or "the journey ends before any call")
    end
  end
  if #said > 0 and walked.waits and walked.events_place then
    said[#said + 1] = ("it waits for events, and these people have none: they would stand in %s"):format(walked.events_place)
  end
  for _, text in ipairs(walked.warnings) do said[#said + 1] = "warning: " .. term.harmless(text) end
  return said
end

-- The payload that a call has rendered: of a split, the variant whose bytes were sent.
local function rendered_name(call, sources, renderer, subject)
  local source = sources[call.told.payload]
  if not source or not source.variants then return call.told.payload end
  local all = target.variants(source)
  for _, name in ipairs(all) do
    if renderer.one(name, subject).body == call.body then return name end
  end
  return all[1]
end

-- What a call without a payload sends, as a preview of it (see jaunt.preview.rendering).
local function bare_result(one, call)
  local type_ = ""
  for name, value in pairs(call.headers) do
    if name:lower() == "content-type" then type_ = value end
  end
  local kind = type_:find("json", 1, true) and "json" or type_:find("form", 1, true) and "form" or "txt"
  return { id = one.id, outcome = "sent", body = call.body, kind = kind, blanks = {}, spans = {}, emptied = {},
    schema_faults = {} }
end

-- The same for a call whose payload is not there.
local function lost_result(one, name, sources)
  local fault = ("there is no payload %q%s"):format(name, nearest.hint(name, keys.sorted(sources)))
  return { id = one.id, outcome = "failed", fault = fault, blanks = {}, spans = {}, emptied = {},
    schema_faults = {} }
end

-- What an element's payloads are rendered with, as of_payload gives it, and sentences; and previews of the calls that
-- have none. `renderer` is jaunt.preview.rendering's.
function subjects.of_element(found, sources, meant, flags, renderer)
  local list, fields, file = subjects.people(found, flags)
  local walked = subjects.walk(found, meant, list, file, flags.now_ms)
  local by_name, bare, all = {}, {}, {}
  for _, one in ipairs(list) do
    local there = walked.calls[one.id] or {}
    local call, made = there.call, nil
    if call and call.told and sources[call.told.payload] then
      made = as_walked(one, call)
      local name = rendered_name(call, sources, renderer, made)
      by_name[name] = by_name[name] or { name = name, subjects = {}, fields = fields }
      table.insert(by_name[name].subjects, made)
    elseif call then
      made = call.told and lost_result(one, call.told.payload, sources) or bare_result(one, call)
      bare[#bare + 1] = made
    end
    if made then
      made.note = there.pretended and "if " .. there.pretended
      made.request = call.url and ("%s %s"):format(call.method, call.url)
    end
  end
  for i, name in ipairs(keys.sorted(by_name)) do all[i] = by_name[name] end
  return all, subjects.missing(list, walked, meant), bare
end

return subjects
