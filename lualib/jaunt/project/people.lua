-- People of files, for whoever looks at them before anybody is let in: samples of the project, people of a file, and what
-- fields they have.
--
-- A person here is { id =, person = (attributes, decoded), event =, profile = and event_text = (the same two as JSON)
-- }.

local control = require "jaunt.native.control"
local fs = require "jaunt.native.fs"
local json = require "json"
local mistakes = require "jaunt.base.mistakes"
local nearest = require "jaunt.base.nearest"
local open_people = require "jaunt.native.audience".open
local project = require "jaunt.project"
local term = require "jaunt.base.term"

local people = {}

local LOOKED_AT = 1000 -- people of a file whose fields are looked at
local PIPE_MS = 5      -- between two looks at a pipe
local NAMED = 8        -- people that a message names
local ENDINGS = { ndjson = 1, json = 2, csv = 3, tsv = 4 }

-- The files of people of a project, those called samples first.
function people.files(found)
  local list = {}
  local folder = project.path(found, "people")
  for _, name in ipairs(fs.list(folder) or {}) do
    local ending = name:match("%.(%w+)$")
    if ENDINGS[ending] and not name:find("%.events%.%w+$") then
      list[#list + 1] = { path = project.join(folder, name), rank = (name:find("^samples?%.") and "0" or "1") .. name }
    end
  end
  table.sort(list, function(a, b) return a.rank < b.rank end)
  local paths = {}
  for i, one in ipairs(list) do paths[i] = one.path end
  return paths
end

-- The events of a file of people, where it has some: NAME.events.ndjson beside NAME.ndjson. Returns that path or nil, and
-- where they would stand.
function people.events_file(path)
  local file = path:gsub("%.%w+$", "") .. ".events.ndjson"
  return fs.kind(file) == "file" and file or nil, file
end

-- Adds what a value has to the tree of all fields: { NAME = tree }; what lies in a list is taken together.
local function add_fields(tree, value)
  if type(value) ~= "table" then return end
  if json.is_array(value) then
    for _, item in ipairs(value) do add_fields(tree, item) end
    return
  end
  for name, inner in pairs(value) do
    tree[name] = tree[name] or {}
    add_fields(tree[name], inner)
  end
end
people.add_fields = add_fields

-- The next of an open file; waits where it is a pipe that has nothing yet.
local function next_person(file)
  local id, profile, event, line = file:next()
  while id == false do
    control.sleep(PIPE_MS)
    id, profile, event, line = file:next()
  end
  return id, profile, event, line
end

-- What is wrong with rows of a file, as far as its first `limit` people: a list of { line =, why = }, at most `most` of them.
function people.complaints(path, limit, most)
  local list = {}
  local file <close> = open_people { path = path }
  for _ = 1, limit do
    if not next_person(file) then break end
  end
  for line, why in file.complaint, file do
    if #list < most then list[#list + 1] = { line = line, why = why } end
  end
  return list
end

-- Reads a file. Returns the people of it that are meant, at most `limit`, and the fields that people of it have: {
-- person = tree, event = tree }. `options`: id = the column that holds it, named = the id that is meant, where = a
-- function of (person, line).
function people.read(path, limit, options)
  options = options or {}
  local list, fields, count = {}, { person = {}, event = {} }, 0
  local file <close> = open_people { path = path, id = options.id }
  local id, profile, event, line = next_person(file)
  while id and (#list < limit or count < LOOKED_AT) do
    count = count + 1
    local meant = #list < limit and (not options.named or options.named == id)
    if meant or count <= LOOKED_AT then
      local one = { id = id, profile = profile, event_text = event }
      one.person, one.event = json.decode(profile), json.decode(event)
      if count <= LOOKED_AT then
        add_fields(fields.person, one.person)
        add_fields(fields.event, one.event)
      end
      if meant and (not options.where or options.where(one.person, line)) then list[#list + 1] = one end
    end
    id, profile, event, line = next_person(file)
  end
  local wrong_line, why = file:complaint()
  if #list == 0 and wrong_line then mistakes.fail("%s:%d: %s", path, wrong_line, why) end
  return list, fields
end

local function no_such_person(name, files)
  local ids, shown = {}, {}
  for _, path in ipairs(files) do
    for _, one in ipairs((people.read(path, 1000))) do ids[#ids + 1] = one.id end
  end
  local hint = nearest.hint(name, ids)
  if hint == "" then
    for i = 1, math.min(#ids, NAMED) do shown[i] = term.one_line(ids[i]) end
    hint = #ids > 0 and ("; there are %s%s"):format(table.concat(shown, ", "), #ids > NAMED and ", …" or "") or ""
  end
  mistakes.fail("there is no %s in %s%s", name, #files > 0 and table.concat(files, " and ") or "people/", hint)
end

-- The person of that id in one of the files: a list of one, the fields of that file, and its path. Fails with the
-- nearest right id.
function people.named(name, files, options)
  for _, path in ipairs(files) do
    local list, fields = people.read(path, 1, { id = options.id, named = name })
    if list[1] then return list, fields, path end
  end
  no_such_person(name, files)
end

return people
