-- All that is to be told of one journey, gathered: from its script, its project, walks of sample people, and a state.

local attributes = require "jaunt.docs.attributes"
local bundle = require "jaunt.project.bundle"
local connections = require "jaunt.project.connections"
local contract = require "jaunt.docs.contract"
local existing = require "jaunt.base.existing"
local flow = require "jaunt.docs.flow"
local json = require "json"
local mistakes = require "jaunt.base.mistakes"
local people = require "jaunt.project.people"
local retrospect = require "jaunt.state.retrospect"
local scope = require "jaunt.lua.scope"
local selection = require "jaunt.state.selection"
local steps = require "jaunt.docs.steps"
local trips = require "jaunt.docs.trips"

local facts = {}

local PEOPLE_MOST = 20

-- A path as it is from the project, wherever one stands.
local function within_project(found, path)
  local root = found.root == "." and "" or found.root:gsub("/$", "") .. "/"
  return path:sub(1, #root) == root and path:sub(#root + 1) or path
end

-- Documents are the same on every machine: what connections.lua says by default, not what somebody's environment says.
local function variable(name, default)
  if default == nil then return os.getenv(name) end
end

---------------------------------------------------------------------------------------------- who walks

-- The sample people: a list, the fields that they have, their file, and the id of the one who is shown.
local function samples(found, flags)
  local files = flags.people and { existing.file(flags.people, "people file") } or people.files(found)
  local empty = { person = {}, event = {} }
  if not files[1] then
    if flags.person then people.named(flags.person, files, {}) end
    return {}, empty, nil, nil
  end
  local list, fields = people.read(files[1], PEOPLE_MOST, { id = flags.id })
  local file, shown = files[1], list[1] and list[1].id
  if flags.person then
    local one, its_fields, its_file = people.named(flags.person, files, { id = flags.id })
    shown = one[1].id
    if its_file ~= file then list, fields, file = one, its_fields, its_file end
    local is_among = false
    for _, other in ipairs(list) do is_among = is_among or other.id == shown end
    if not is_among then table.insert(list, 1, one[1]) end
  end
  return list, fields, file, shown
end

---------------------------------------------------------------------------------------------- events

local function event_of(words, node, field)
  local event = { field = field }
  if not node then return nil end
  local meant = words:meant(node)
  if meant.kind ~= "table" then
    event.name = words:pattern(node)
    return event
  end
  local first = meant.fields[1]
  event.name = first and not first.key and words:pattern(first.value) or "?"
  local where, within = scope.field(meant, "where"), scope.field(meant, "within")
  event.where = where and words:predicate(where, { "its", "event" }) or nil
  event.within = within and words:pattern(within) or nil
  return event
end

-- One event or a list of them.
local function events_of(words, node, field)
  local meant = node and words:meant(node)
  if not meant then return {} end
  local has_names, count = false, 0
  for _, inner in ipairs(meant.kind == "table" and meant.fields or {}) do
    has_names, count = has_names or inner.key ~= nil, count + 1
  end
  if meant.kind ~= "table" or has_names then return { event_of(words, node, field) } end
  local list = {}
  for i, inner in ipairs(meant.fields) do list[i] = event_of(words, inner.value, field) end
  return list
end

local function waited_for(step)
  local options = step.call.arguments[2] or step.call.arguments[1]
  local is_table = options and options.kind == "table"
  local where = is_table and scope.field(options, "where")
  return { field = "waits", name = step.words:event(step.call), within = step.words:within(step.call),
    path = step.source.path, line = step.line, where = where and step.words:predicate(where, { "its", "event" }) or nil }
end

-- What a journey declares besides its flow, in words.
local function declared_words(read, declared)
  local words, fields = read.words, read.fields
  local function node(name) return fields and scope.field(fields, name) end
  local made = { starts_on = event_of(words, node("starts_on"), "starts_on") }
  made.goal = event_of(words, node("goal"), "goal")
  made.exit_on = events_of(words, node("exit_on"), "exit_on")
  made.control, made.per = declared.control, declared.per
  made.reentry = declared.reentry_ms < 0 and "never" or declared.reentry_ms == 0 and "always"
    or words:pattern(node("reentry")) .. " after the last end"
  return made
end

---------------------------------------------------------------------------------------------- calls

-- What tells contracts of one call apart, where its function is called in several ways.
local function signature(made)
  return json.encode { made.name, made.via or "", made.method, made.url, made.payloads, made.failure }
end

-- The contracts of all calls, in the order of the script; a call that several ways lead to is told once.
local function contracts_of(all, about)
  local list, by_node = {}, {}
  steps.each(all, function(step)
    if step.kind ~= "call" then return end
    local made, node = contract.of(step, about), step.call.node
    by_node[node] = by_node[node] or {}
    local known = by_node[node][signature(made)]
    if known then
      known.ways[#known.ways + 1] = step.way
    else
      known = made
      list[#list + 1], by_node[node][signature(made)] = made, made
      made.id = "call-" .. #list
    end
    step.contract = known
  end)
  return list
end

local function calls_for_attributes(contracts)
  local list = {}
  for i, one in ipairs(contracts) do
    local texts = { one.url }
    for _, header in ipairs(one.headers) do texts[#texts + 1] = header[2] end
    local where = ("%s:%d"):format(one.step.source.path, one.line)
    list[i] = { payloads = one.payloads, vars = one.vars, texts = texts, where = where }
  end
  return list
end

-- The first comment of the script: what its author says of it, as paragraphs.
local function introduction(text)
  local lines = {}
  for line in (text:gsub("^#[^\n]*\n", "") .. "\n"):gmatch("(.-)\n") do
    local comment = line:match("^%-%-%s?(.*)$")
    if not comment then break end
    lines[#lines + 1] = comment
  end
  if lines[1] and lines[1]:find("^%S+%.lua$") then table.remove(lines, 1) end
  local paragraphs = {}
  for paragraph in (table.concat(lines, "\n") .. "\n\n"):gmatch("(.-)\n%s*\n") do
    if paragraph:find("%S") then paragraphs[#paragraphs + 1] = (paragraph:gsub("%s+", " ")) end
  end
  return paragraphs
end

---------------------------------------------------------------------------------------------- numbers

local COUNTS = { "reached", "went_on", "dropped", "held" }

-- Adds a row of the funnel to those of the same line and kind.
local function add_to_line(by_line, element)
  local key = element.kind .. " " .. element.line
  local sum = by_line[key]
  if not sum then
    sum = { reached = 0, went_on = 0, dropped = 0, held = 0 }
    by_line[key] = sum
  end
  for _, name in ipairs(COUNTS) do sum[name] = sum[name] + element[name] end
end

-- How many left by the script's own will, by the reason: { ["drop still buys"] = 12 }.
local function count_leavers(found)
  local leavers = {}
  local function add(reasons)
    for _, reason in ipairs(reasons) do
      local key = reason.reason .. " " .. (reason.detail or "")
      leavers[key] = (leavers[key] or 0) + reason.count
    end
  end
  for _, element in ipairs(found.elements) do
    if element.kind == "drop" then add(element.reasons) end
  end
  add(found.exits)
  return leavers
end

-- What a state tells of the journey: { found = (jaunt.native.state's report, with the times that were spent), of =
-- function(step) (its row of the funnel, or nil), leavers = { … } }.
local function numbers_of(name, flags)
  local looked_at, path = selection.open_state(flags)
  local _ <close> = looked_at
  local versions = selection.journey(looked_at, path, name)
  local found = looked_at:report(versions[1].number, false)
  local looked = retrospect.look(looked_at, { family = versions[1].family }, {})
  local by_name, by_line = {}, {}
  for _, element in ipairs(found.elements) do
    by_name[element.name] = element
    add_to_line(by_line, element)
  end
  retrospect.add_times(found, looked)
  local function of(step)
    return by_name[step.name] or not steps.is_named(step) and by_line[step.element .. " " .. step.line] or nil
  end
  return { found = found, of = of, leavers = count_leavers(found) }
end

---------------------------------------------------------------------------------------------- all of it

local function connections_by_name(found)
  local by_name = {}
  for _, connection in ipairs((connections.read(found, variable))) do by_name[connection.name] = connection end
  return by_name
end

-- Gathers what is to be told of the journey whose script is at `path`. flags: person, people, id, report, state. look_on(n)
-- is called before the nth walk of the samples.
function facts.gather(found, path, flags, look_on)
  local gathered = bundle.gather(path, found)
  if gathered.kind ~= "journey" then mistakes.fail("%s is no journey", path) end
  local sources = gathered.payloads
  for _, source in pairs(sources) do source.path = within_project(found, source.path) end
  local read = flow.read(gathered.sources)
  for _, script in ipairs(read.scripts) do script.source.path = within_project(found, script.source.path) end
  local list, fields, file, shown = samples(found, flags)
  local all = read.steps or {}
  local events, place
  if file then events, place = people.events_file(file) end
  local trip = trips.walk(found, path, list, all, { shown = shown, events = events, variable = variable, look_on = look_on })
  local about = { connections = connections_by_name(found), sources = sources, trip = trip }
  local made = {
    name = gathered.name, path = within_project(found, path), version = gathered.version, read = read, steps = all,
    trip = trip, people = list, people_file = file and within_project(found, file),
    introduction = introduction(gathered.sources[1].text),
  }
  made.declared = declared_words(read, gathered.declared)
  made.events_place = not events and place and within_project(found, place) or nil
  made.contracts = contracts_of(all, about)
  made.waits = {}
  steps.each(all, function(step)
    if step.element == "wait_for" then made.waits[#made.waits + 1] = waited_for(step) end
  end)
  made.attributes = attributes.of_journey(read, calls_for_attributes(made.contracts), sources, fields)
  if flags.report then made.numbers = numbers_of(gathered.name, flags) end
  return made
end

return facts
