-- jaunt runs: who is where. One line a run, newest first; nothing is kept of what was printed.

local csv = require "jaunt.base.csv"
local figures = require "jaunt.base.figures"
local json = require "json"
local mistakes = require "jaunt.base.mistakes"
local nearest = require "jaunt.base.nearest"
local selection = require "jaunt.state.selection"
local term = require "jaunt.base.term"
local times = require "jaunt.base.times"

local WIDTHS_FROM = 500 -- lines that are looked at before the first is printed
local NARROWEST = { 12, 7 } -- a column that has to give way keeps so much; if that is not enough, so much
local EPIPE = 32

---------------------------------------------------------------------------------------------- columns

local function reason_of(run)
  if not run.reason then return nil end
  if not run.detail or run.detail == "" then return run.reason end
  return run.reason == "status" and "status " .. run.detail or ("%s: %s"):format(run.reason, run.detail)
end

-- What can be shown of a run: its value for people and for CSV; `exact` is the one for JSON, where that is another. `whole`: it
-- is never cut, as half of it would be wrong; `brief`: so many columns will do, so that it gives way first.
local COLUMNS = {
  person = { get = function(run) return run.person end },
  journey = { get = function(run) return run.journey end },
  version = { brief = 7, get = function(run) return run.version end },
  run = { get = function(run) return run.id end },
  entry = { whole = true, get = function(run) return run.entry end },
  per = { get = function(run) return run.per end },
  state = { whole = true, get = function(run) return run.state end },
  element = { get = function(run) return run.element end },
  reason = { get = reason_of, exact = function(run) return run.reason end },
  detail = { get = function(run) return run.detail ~= "" and run.detail or nil end },
  control = { whole = true, get = function(run) return run.control end },
  entered = { whole = true, get = function(run) return times.local_time(run.entered_ms) end,
    exact = function(run) return times.rfc3339(run.entered_ms) end },
  since = { whole = true, get = function(run) return times.local_time(run.since_ms) end,
    exact = function(run) return times.rfc3339(run.since_ms) end },
  converted = { whole = true, get = function(run) return run.converted_ms and times.local_time(run.converted_ms) end,
    exact = function(run) return times.rfc3339(run.converted_ms) end },
  due = { whole = true, get = function(run) return run.due_ms and times.local_time(run.due_ms) end,
    exact = function(run) return times.rfc3339(run.due_ms) end },
}
local USUAL = { "person", "journey", "version", "state", "element", "reason", "since" }
local ALL = { "person", "journey", "version", "run", "entry", "per", "state", "element", "reason", "detail", "control",
  "entered", "since", "due", "converted" }

local function value_text(value)
  if value == nil or value == json.null then return nil end
  return type(value) == "table" and json.encode(value) or value
end

-- person.NAME or event.NAME: it has to look into the journal.
local function looked_up(of, name)
  return {
    get = function(_, person, event) return value_text((of == "person" and person or event)[name]) end,
    exact = function(_, person, event) return (of == "person" and person or event)[name] end,
    looks = true,
  }
end

-- The names in a list that commas and blanks part; attributes may have blanks in their names, so that commas alone part these.
local function names_in(text)
  local names = {}
  for part in text:gmatch("[^,]+") do
    part = part:match("^%s*(.-)%s*$")
    if part:find("^person%.") or part:find("^event%.") then
      names[#names + 1] = part
    else
      for name in part:gmatch("%S+") do names[#names + 1] = name end
    end
  end
  return names
end

local function columns_of(text)
  local columns, names = {}, names_in(text)
  for i, name in ipairs(names) do
    local of, attribute = name:match("^(%l+)%.(.+)$")
    local column = COLUMNS[name]
    if not column and (of == "person" or of == "event") then column = looked_up(of, attribute) end
    if not column then
      mistakes.fail("--columns: there is no %s%s; there are %s, person.NAME and event.NAME", name, nearest.hint(name, ALL),
        table.concat(ALL, ", "))
    end
    columns[i] = column
  end
  if #names == 0 then mistakes.fail("--columns takes a list such as person,reason,person.email") end
  return columns, names
end

local function looks(columns)
  for _, column in ipairs(columns) do
    if column.looks then return true end
  end
  return false
end

-- A function that gives the values of a run's columns; `which` is "get" or "exact".
local function reader(chosen, columns, which)
  local has_to_look = looks(columns)
  return function(run)
    local person, event
    if has_to_look then person, event = selection.person(chosen.state, run) end
    local values = {}
    for i, column in ipairs(columns) do values[i] = (column[which] or column.get)(run, person, event) end
    return values
  end
end

---------------------------------------------------------------------------------------------- what is printed

local unread = false -- nobody reads on: head has what it wanted

local function put(text)
  local ok, why, code = io.write(text)
  if ok then return end
  unread = true
  if code ~= EPIPE then mistakes.fail("can't write: %s", why) end
end

local function json_printer(chosen, columns, names)
  local values_of = reader(chosen, columns, "exact")
  return function(run)
    local values, object = values_of(run), {}
    for i, name in ipairs(names) do object[name] = values[i] == nil and json.null or values[i] end
    put(term.escaped(json.encode(object)) .. "\n")
  end
end

local function csv_printer(chosen, columns, names)
  local values_of = reader(chosen, columns, "get")
  local shown = term.isatty() and term.harmless or function(text) return text end
  put(csv.line(names))
  return function(run) put(shown(csv.line(values_of(run), #columns))) end
end

local PAINT = { dropped = "yellow", held = "red", completed = "green", exited = "cyan" }

-- The widest column that may be cut, where it is wider than `least`; nil.
local function widest_above(least, columns, widths)
  local widest
  for i, width in ipairs(widths) do
    if not columns[i].whole and width > (widest and widths[widest] or least) then widest = i end
  end
  return widest
end

-- Makes columns narrower until all of them fit a terminal, as far as that can be.
local function fit(columns, widths)
  local over = 2 * (#widths - 1) - term.width()
  for _, width in ipairs(widths) do over = over + width end
  for i, column in ipairs(columns) do
    local less = math.max(0, math.min(over, widths[i] - (column.brief or widths[i])))
    widths[i], over = widths[i] - less, over - less
  end
  for _, least in ipairs(NARROWEST) do
    local widest = widest_above(least, columns, widths)
    while over > 0 and widest do
      widths[widest], over = widths[widest] - 1, over - 1
      widest = widest_above(least, columns, widths)
    end
  end
end

local function widths_of(columns, names, rows)
  local widths = {}
  for i, name in ipairs(names) do widths[i] = term.columns(name) end
  for _, row in ipairs(rows) do
    for i, text in ipairs(row) do widths[i] = math.max(widths[i], term.columns(text)) end
  end
  if term.isatty() then fit(columns, widths) end
  return widths
end

-- A table whose widths are those of its first lines: what comes later and is wider stands out.
local function table_printer(chosen, columns, names)
  local paint = term.paint()
  local values_of = reader(chosen, columns, "get")
  local rows, widths = {}, nil

  local function print_row(row, painter)
    local cells = {}
    for i, text in ipairs(row) do
      if term.isatty() then text = term.cut(text, widths[i]) end
      cells[i] = i == #row and text or term.pad(text, widths[i])
      if painter then cells[i] = painter(i, cells[i]) end
    end
    put(table.concat(cells, "  ") .. "\n")
  end

  local function paint_cell(i, text)
    local colour = names[i] == "state" and PAINT[text:match("^%l+")]
    return colour and paint[colour](text) or text
  end

  local function flush()
    if widths then return end
    widths = widths_of(columns, names, rows)
    if #rows == 0 then return end
    print_row(names, function(_, text) return paint.bold(text) end)
    for _, row in ipairs(rows) do print_row(row, paint_cell) end
    rows = nil
  end

  return function(run)
    local values, row = values_of(run), {}
    for i = 1, #columns do
      row[i] = values[i] == nil and "-" or term.one_line(tostring(values[i]))
    end
    if widths then
      print_row(row, paint_cell)
    else
      rows[#rows + 1] = row
      if #rows == WIDTHS_FROM then flush() end
    end
  end, flush
end

local function total_line(counts, total, more)
  local parts = {}
  for _, state in ipairs(selection.STATES) do
    if counts[state] then parts[#parts + 1] = ("%s %s"):format(figures.count(counts[state]), state) end
  end
  return ("%s: %s%s"):format(figures.of(total, "run"), table.concat(parts, ", "),
    more and "; there are more, which --limit keeps back" or "")
end

---------------------------------------------------------------------------------------------- the command

local function printer(chosen, flags)
  local columns, names = columns_of(flags.columns or table.concat(flags.json and ALL or USUAL, ","))
  if flags.json then return json_printer(chosen, columns, names) end
  if flags.csv then return csv_printer(chosen, columns, names) end
  return table_printer(chosen, columns, names)
end

local function run(args, flags)
  if flags.json and flags.csv then mistakes.fail("--json and --csv exclude each other") end
  local chosen = selection.choose(args.journey, flags)
  local state_guard <close> = chosen.state
  local show, flush = printer(chosen, flags)
  local counts, total, more = {}, 0, false
  for found in chosen.each() do
    if flags.limit and total == flags.limit then
      more = true
      break
    end
    show(found)
    if unread then return 0 end
    total = total + 1
    counts[found.state] = (counts[found.state] or 0) + 1
  end
  if flush then
    flush()
    if total > 0 then print("\n" .. total_line(counts, total, more)) else print("no runs") end
  end
  selection.tell_removed(chosen.state, args.journey, flags.since and selection.time("since", flags.since))
  return total > 0 and 0 or 1
end

return {
  name = "runs",
  group = "look",
  summary = "Lists runs: who is where, and how it ended for whom.",
  about = "Newest first. Without flags it is all runs of the journey, or of all journeys. It works while a runtime has the "
    .. "state, and shows what is durable.\n\n"
    .. "Columns: " .. table.concat(ALL, ", ") .. "; person.NAME and event.NAME are attributes.",
  usage = "[JOURNEY] [--FLAGS]",
  arguments = { { name = "journey", help = "only runs of this journey", optional = true } },
  flags = selection.flags {
    { name = "columns", value = "LIST", list = true, suggests = ALL, default_text = table.concat(USUAL, ","),
      help = "what is shown of each" },
    { name = "limit", value = "N", kind = "integer", min = 1, help = "the newest N of them" },
    { name = "csv", help = "prints CSV: times as this machine's clocks show them" },
    { name = "json", help = "prints one JSON object a line, with times in RFC 3339" },
  },
  examples = {
    { "jaunt runs welcome --outcome dropped", "who was dropped, and why" },
    { "jaunt runs welcome --reason \"status 422\" --csv --columns person,person.email,element", "for somebody who mends them" },
    { "jaunt runs --outcome held --since 1d", "what to look at this morning" },
    { "jaunt runs abandoned_cart --at \"email reminder\" --where 'country == \"DE\"' --json" },
  },
  exit = { [0] = "there are such runs", [1] = "there are none", [2] = "it could not look" },
  run = run,
}
