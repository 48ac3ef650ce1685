-- What is told of a journey (see jaunt.docs.facts) as a page: a list of blocks that jaunt.docs.html and
-- jaunt.docs.markdown write.
--
--   { "heading", level, text, id }       { "paragraph", PIECES }        { "list", { PIECES … } }
--   { "table", { title … }, { { PIECES … } … } }   { "code", text, language }   { "diagram" }   { "note", PIECES }
--
-- PIECES is a text, or a list of texts and { code = text } or { strong = text }.

local attributes = require "jaunt.docs.attributes"
local figures = require "jaunt.base.figures"
local json = require "json"
local keys = require "jaunt.base.keys"
local report = require "jaunt.run.report"
local steps = require "jaunt.docs.steps"
local trips = require "jaunt.docs.trips"
local ways = require "jaunt.docs.ways"

local page = {}

local SAMPLE_MOST = 8000 -- bytes of a sample payload that are shown

local function code(text) return { code = text } end

local function add(blocks, ...)
  for _, block in ipairs { ... } do blocks[#blocks + 1] = block end
end

-- Texts and pieces of code, with something between them.
local function joined(list, between)
  local pieces = {}
  for i, one in ipairs(list) do
    if i > 1 then pieces[#pieces + 1] = between end
    pieces[#pieces + 1] = one
  end
  return pieces
end

---------------------------------------------------------------------------------------------- the head

local REENTRY = { never = "nobody enters twice", always = "people may enter again at any time" }

local function event_pieces(event)
  local pieces = { code(event.name) }
  if event.where then pieces[#pieces + 1] = ", where " .. event.where end
  if event.within then pieces[#pieces + 1] = ", within " .. event.within end
  return pieces
end

local function row(name, ...) return { name, { ... } } end

local function declared_table(made)
  local declared, rows = made.declared, {}
  rows[1] = { "People enter by", declared.starts_on and event_pieces(declared.starts_on) or "whoever the audience has" }
  local per = declared.per and { "; one living run per person and ", code(declared.per) } or {}
  local again = REENTRY[declared.reentry] or "people may enter again " .. declared.reentry
  rows[2] = { "Again", { again, table.unpack(per) } }
  if declared.goal then
    local pieces = event_pieces(declared.goal)
    pieces[#pieces + 1] = ": the run ends as exited, and counts as converted"
    rows[#rows + 1] = { "Goal", pieces }
  end
  for _, event in ipairs(declared.exit_on) do
    local pieces = event_pieces(event)
    pieces[#pieces + 1] = ": the run ends as exited"
    rows[#rows + 1] = { "Ends by", pieces }
  end
  if declared.control > 0 then
    local text = "%g %% of the people are only watched: they meet no element"
    rows[#rows + 1] = { "Control", text:format(declared.control * 100) }
  end
  rows[#rows + 1] = row("Script", code(made.path), ", version ", code(made.version))
  return { "table", { "", "" }, rows }
end

---------------------------------------------------------------------------------------------- the diagram

local function unreached_names(made)
  local names, seen = {}, {}
  steps.each(made.steps, function(step)
    if made.trip:reached(step) == false then
      local name = step.name or ("%s %s"):format(step.what, step.reason or "")
      if not seen[name] then names[#names + 1] = code(name) end
      seen[name] = true
    end
  end)
  return names
end

local function add_diagram(made, blocks)
  add(blocks, { "heading", 2, "The way through", "way" })
  if not made.read.steps then
    add(blocks, { "note", "The flow can't be read from the script: there is no diagram." })
    return
  end
  add(blocks, { "diagram" })
  if #made.people == 0 then
    add(blocks, { "note", "There are no sample people: nobody has walked this way, and there are no sample payloads." })
    return
  end
  local missed = unreached_names(made)
  local pieces = { figures.of(#made.people, "sample person", "sample people") .. " of ", code(made.people_file),
    " walked this way in a rehearsal" }
  if #missed == 0 then
    pieces[#pieces + 1] = ", and came to everything in it."
    add(blocks, { "paragraph", pieces })
  else
    pieces[#pieces + 1] = ". Nobody came to what is dashed: "
    table.move(joined(missed, ", "), 1, 2 * #missed - 1, #pieces + 1, pieces)
    pieces[#pieces + 1] = "."
    if #made.waits > 0 and made.events_place then
      table.move({ " The samples have no events: they would stand in ", code(made.events_place), "." }, 1, 3, #pieces + 1, pieces)
    end
    add(blocks, { "note", pieces })
  end
  if made.trip.complete == false then
    add(blocks, { "note", "Not everything was tried that can be pretended: more may be within reach." })
  end
end

---------------------------------------------------------------------------------------------- calls

local function way_pieces(way)
  if #way == 0 then return { "for everybody who enters" } end
  return { table.concat(ways.shortened(way), "; ") }
end

local function pairs_pieces(list)
  local pieces = {}
  for i, pair in ipairs(list) do pieces[i] = code(("%s: %s"):format(pair[1], pair[2])) end
  return joined(pieces, ", ")
end

local function body_pieces(one)
  local pieces = {}
  if #one.payloads > 0 then
    local names = {}
    for i, name in ipairs(one.payloads) do names[i] = code(name) end
    pieces = joined(names, " or ")
    table.insert(pieces, 1, #one.payloads > 1 and "one of the payloads " or "the payload ")
  elseif one.body_field == "payload" then
    pieces = { one.body_node and one.step.words:meant(one.body_node).kind == "table" and "JSON, made in the script"
      or ("the payload that the script names: " .. one.step.words:value(one.body_node)) }
  elseif one.body_field then
    pieces = { ({ json = "JSON", form = "a form", body = "a text" })[one.body_field] .. ", made in the script" }
  else
    pieces = { "none" }
  end
  if one.content_type then
    pieces[#pieces + 1] = ": "
    pieces[#pieces + 1] = code(one.content_type)
  end
  return pieces
end

local function contract_rows(made, one)
  local rows = {}
  local via = { one.via and code(one.via) or "none: the script gives the whole URL" }
  if one.connection and one.connection.max_in_flight then
    via[#via + 1] = (", at most %s calls at once"):format(figures.count(one.connection.max_in_flight))
  end
  rows[1] = { "Connection", via }
  rows[2] = { "Request", { code(one.method .. " " .. one.url) } }
  if #one.query > 0 then rows[#rows + 1] = { "Query", pairs_pieces(one.query) } end
  if #one.headers > 0 then rows[#rows + 1] = { "Headers", pairs_pieces(one.headers) } end
  rows[#rows + 1] = { "Body", body_pieces(one) }
  for i, way in ipairs(one.ways) do rows[#rows + 1] = { i == 1 and "Sent" or "or", way_pieces(way) } end
  if one.only_if then
    rows[#rows + 1] = { "Only if", one.only_if .. "; asked before each attempt, and skipped otherwise" }
  end
  rows[#rows + 1] = { "Success", one.success }
  rows[#rows + 1] = { "Otherwise", one.failure }
  for _, sentence in ipairs(one.payload_ends) do rows[#rows + 1] = { "The payload", sentence } end
  rows[#rows + 1] = { "Attempts", one.retry }
  rows[#rows + 1] = { "Time", ("one attempt: %s; all of it: %s"):format(one.timeout, one.within) }
  rows[#rows + 1] = { "Idempotency", one.idempotency }
  if one.save_to then rows[#rows + 1] = { "Saved", { "the answer goes to ", code(one.save_to) } } end
  local numbers = made.numbers and made.numbers.of(one.step)
  if numbers then
    rows[#rows + 1] = { "So far", ("%s came, %s went on, %s dropped, %s held"):format(figures.count(numbers.reached),
      figures.count(numbers.went_on), figures.count(numbers.dropped), figures.count(numbers.held)) }
  end
  return rows
end

local function field_rows(list)
  local rows, has_rules, has_always = {}, false, false
  for _, field in ipairs(list) do
    has_rules, has_always = has_rules or field.rules ~= nil, has_always or field.bodies ~= nil
  end
  for i, field in ipairs(list) do
    local need = field.always and "always" or (field.bodies or 0) > 0 and "sometimes" or "in no sample"
    if field.required then need = need == "always" and "required" or "required, " .. need end
    rows[i] = { code(field.path), field.type }
    if has_always then table.insert(rows[i], need) end
    if has_rules then table.insert(rows[i], table.concat(field.rules or {}, "; ")) end
  end
  local titles = { "Field", "Type" }
  if has_always then titles[#titles + 1] = "There" end
  if has_rules then titles[#titles + 1] = "Is" end
  return titles, rows
end

-- A sample's body: as it is sent, where that is readable.
local function sample_text(body, kind)
  local text, language = body, kind
  if kind == "json" and not body:find("\n.") then
    local ok, value = pcall(json.decode, body)
    if ok then text = json.encode(value, { indent = 2 }) end
  elseif kind == "form" then
    local lines = {}
    for pair in body:gmatch("[^&]+") do lines[#lines + 1] = pair end
    text, language = table.concat(lines, "\n&"), "text"
  end
  if #text > SAMPLE_MOST then text = text:sub(1, SAMPLE_MOST) .. "\n…" end
  return text, language
end

local function add_sample(made, one, blocks)
  if not one.sent then
    local nothing = "Nothing was sent for any sample person who came here: there is no sample of it."
    add(blocks, { "note", made.trip:reached(one.step) and nothing
      or "No sample person comes here: there is no sample of what is sent." })
    return
  end
  local call = one.sent.call
  local pieces = { "For ", code(call.person), one.sent.pretended and (", if " .. one.sent.pretended) or "", ":" }
  if not one.sample_url then
    pieces[#pieces] = ": the payload can't be rendered, and the person is held"
    add(blocks, { "note", pieces })
    return
  end
  pieces[#pieces + 1] = " "
  pieces[#pieces + 1] = code(("%s %s"):format(call.method, one.sample_url))
  add(blocks, { "paragraph", pieces })
  if call.body and call.body ~= "" then
    local _, kind = trips.decoded(call.body, call.headers)
    local text, language = sample_text(call.body, kind)
    add(blocks, { "code", text, language })
  end
end

local function add_calls(made, blocks)
  if #made.contracts == 0 then return end
  add(blocks, { "heading", 2, "The calls", "calls" })
  for _, one in ipairs(made.contracts) do
    add(blocks, { "heading", 3, one.name, one.id }, { "table", { "", "" }, contract_rows(made, one) })
    if #one.fields > 0 then
      local titles, rows = field_rows(one.fields)
      add(blocks, { "table", titles, rows })
    end
    add_sample(made, one, blocks)
  end
end

---------------------------------------------------------------------------------------------- events and attributes

local FIELDS = { starts_on = "lets people in", goal = "the goal", exit_on = "ends the run" }

local function waited_where(made, event)
  return ("waited for, %s%d"):format(event.path == made.path and "line " or event.path .. ":", event.line)
end

local function add_events(made, blocks)
  local rows = {}
  local function add_event(event)
    local does = FIELDS[event.field] or waited_where(made, event)
    local within = event.within or (event.field == "waits" and "for ever" or "")
    rows[#rows + 1] = { code(event.name), does, event.where or "any", within }
  end
  if made.declared.starts_on then add_event(made.declared.starts_on) end
  if made.declared.goal then add_event(made.declared.goal) end
  for _, event in ipairs(made.declared.exit_on) do add_event(event) end
  for _, event in ipairs(made.waits) do add_event(event) end
  if #rows == 0 then return end
  add(blocks, { "heading", 2, "Events", "events" }, { "table", { "Event", "Does", "Where", "Within" }, rows })
end

local function type_of(value)
  if type(value) == "string" then return "text" end
  if type(value) == "number" then return "number" end
  if type(value) == "boolean" then return "true or false" end
  if value == json.null then return "nothing" end
  return json.is_array(value) and "list" or "object"
end

-- What samples have under a name: "text, in 5 of 6".
local function in_samples(made, root, name)
  if #made.people == 0 then return "" end
  local count, kinds = 0, {}
  for _, one in ipairs(made.people) do
    local value = one[root][name]
    if value ~= nil then count, kinds[type_of(value)] = count + 1, true end
  end
  if count == 0 then return "in none" end
  return ("%s, in %d of %d"):format(table.concat(keys.sorted(kinds), " or "), count, #made.people)
end

local TITLES = {
  { "person", "Attributes of people", "attributes", "Attribute" },
  { "event", "Fields of events", "event-fields", "Field" },
}

local function add_attributes(made, blocks)
  for _, title in ipairs(TITLES) do
    local root, rows = title[1], {}
    for _, name in ipairs(keys.sorted(made.attributes[root])) do
      local found = made.attributes[root][name]
      rows[#rows + 1] = { code(name), attributes.places(found.read), attributes.places(found.written),
        in_samples(made, root, name) }
    end
    if #rows > 0 then
      local titles = { title[4], "Read by", "Written by", "In samples" }
      if root == "event" then
        table.remove(titles, 3)
        for _, one in ipairs(rows) do table.remove(one, 3) end
      end
      add(blocks, { "heading", 2, title[2], title[3] }, { "table", titles, rows })
    end
  end
end

---------------------------------------------------------------------------------------------- numbers

local function reasons_of(row)
  local parts = {}
  for i, reason in ipairs(row.reasons) do
    if i > 3 then break end
    local detail = reason.detail and reason.detail ~= "" and " " .. reason.detail or ""
    parts[i] = ("%s × %s%s"):format(figures.count(reason.count), reason.reason, detail)
  end
  return table.concat(parts, "; ")
end

local function add_numbers(made, blocks)
  local numbers = made.numbers
  if not numbers then return end
  local rows = {}
  for i, element in ipairs(numbers.found.elements) do
    rows[i] = { { strong = element.name } }
    for _, name in ipairs { "reached", "went_on", "dropped", "held" } do
      table.insert(rows[i], figures.count(element[name]))
    end
    rows[i][6] = element.median_ms and figures.duration(element.median_ms) or "-"
    rows[i][7] = reasons_of(element)
  end
  add(blocks, { "heading", 2, "What happened so far", "numbers" },
    { "table", { "Element", "Reached", "Went on", "Dropped", "Held", "Median", "Why" }, rows },
    { "paragraph", (report.ledger_line(numbers.found):gsub("^ledger%s+", "")) })
  local converted = report.converted_line(numbers.found)
  if converted then add(blocks, { "paragraph", converted }) end
  local exits = report.exits_line(numbers.found.exits)
  if exits then add(blocks, { "paragraph", (exits:gsub("^exits%s+", "exited: ")) }) end
end

---------------------------------------------------------------------------------------------- all of it

-- The page of a journey. `stamp`: a text that says when it was made; nil: it does not.
function page.of(made, stamp)
  local blocks = { { "heading", 1, made.name } }
  for _, paragraph in ipairs(made.introduction) do add(blocks, { "paragraph", paragraph }) end
  add(blocks, declared_table(made))
  add_diagram(made, blocks)
  add_numbers(made, blocks)
  add_calls(made, blocks)
  add_events(made, blocks)
  add_attributes(made, blocks)
  if stamp then add(blocks, { "paragraph", stamp }) end
  return blocks
end

return page
