-- What is told at the end of a run: the funnel, the ledger, the calls, the forecast; or all of it as one JSON object.

local engine = require "jaunt.native.engine"
local figures = require "jaunt.base.figures"
local json = require "json"
local term = require "jaunt.base.term"

local report = {}

local TOP_REASONS = 3
local LEAST_REASON = 8   -- columns to which the name of a reason is cut
local BESIDE = 60        -- columns beside the funnel that are enough for reasons; with fewer, long ones stand below
local NAME_LEAST, NAME_MOST = 16, 40
local LABEL = 10         -- columns

local one_line = term.one_line

-- A reason with its detail: "status 422", "connect (connection refused)".
local function reason_name(reason)
  if reason.detail == "" then return reason.reason end
  if reason.reason == "status" then return "status " .. reason.detail end
  return ("%s (%s)"):format(reason.reason, one_line(reason.detail))
end

-- Reasons whose names are the same once they are cut to `width` columns, added up: { { name =, count = }, … }, the frequent
-- ones first.
local function alike(reasons, width)
  local rows, by_name = {}, {}
  for i, reason in ipairs(reasons) do
    local name = term.cut(reason_name(reason), width)
    local row = by_name[name]
    if not row then
      row = { name = name, count = 0, at = i }
      by_name[name], rows[#rows + 1] = row, row
    end
    row.count = row.count + reason.count
  end
  table.sort(rows, function(x, y)
    if x.count ~= y.count then return x.count > y.count end
    return x.at < y.at
  end)
  return rows
end

-- The most frequent of them, each name cut to `width` columns.
local function top_reasons(reasons, width)
  local rows, parts = alike(reasons, width), {}
  for i = 1, math.min(#rows, TOP_REASONS) do parts[i] = figures.count(rows[i].count) .. "× " .. rows[i].name end
  if #rows > #parts then parts[#parts + 1] = ("%d more"):format(#rows - #parts) end
  return table.concat(parts, " · ")
end

-- The same within `room` columns.
local function reasons_within(reasons, room)
  local each = room
  while each > LEAST_REASON and term.columns(top_reasons(reasons, each)) > room do each = each - 1 end
  return term.cut(top_reasons(reasons, each), room)
end

-- The funnel's columns; the last two where times were looked at.
local COLUMNS = {
  { key = "reached", title = "reached" }, { key = "went_on", title = "went on" },
  { key = "dropped", title = "dropped", paint = "yellow" }, { key = "held", title = "held", paint = "red" },
  { key = "median_ms", title = "median", time = true }, { key = "p90_ms", title = "90 %", time = true },
}

local function cell_text(element, column)
  local value = element[column.key]
  if not column.time then return figures.count(value) end
  return value and figures.duration(value) or "-"
end

local function columns_of(elements)
  local shown = {}
  for _, column in ipairs(COLUMNS) do
    local width, some = #column.title, not column.time
    for _, element in ipairs(elements) do
      some = some or element[column.key] ~= nil
      width = math.max(width, #cell_text(element, column))
    end
    if some then shown[#shown + 1] = { column = column, width = width } end
  end
  return shown
end

local function row_of(element, name_width, columns, paint)
  local line = term.pad(term.cut(one_line(element.name), name_width), name_width)
  for _, shown in ipairs(columns) do
    local text = cell_text(element, shown.column)
    local cell = (" "):rep(shown.width - #text) .. text
    local colour = shown.column.paint
    if colour and element[shown.column.key] > 0 then cell = paint[colour](cell) end
    line = line .. "  " .. cell
  end
  return line
end

-- The funnel as lines of `width` columns: one an element, in script order, with its reasons beside it, or below where there is no
-- room. Elements with median_ms and p90_ms show them.
function report.funnel_lines(elements, paint, width)
  if #elements == 0 then return {} end
  local columns, figures_width, name_width = columns_of(elements), 0, #"element"
  for _, element in ipairs(elements) do name_width = math.max(name_width, term.columns(one_line(element.name))) end
  for _, shown in ipairs(columns) do figures_width = figures_width + shown.width + 2 end
  name_width = math.min(name_width, math.max(NAME_LEAST, math.min(NAME_MOST, width - figures_width)))
  local title = term.pad("element", name_width)
  for _, shown in ipairs(columns) do
    title = title .. "  " .. (" "):rep(shown.width - #shown.column.title) .. shown.column.title
  end
  local lines, room = { paint.bold(title) }, width - name_width - figures_width - 2
  for _, element in ipairs(elements) do
    local line, reasons = row_of(element, name_width, columns, paint), element.reasons
    local fits = #reasons > 0 and (room >= BESIDE or term.columns(top_reasons(reasons, NAME_MOST)) <= room)
    lines[#lines + 1] = fits and line .. "  " .. paint.dim(reasons_within(reasons, room)) or line
    if #reasons > 0 and not fits then lines[#lines + 1] = paint.dim("  " .. reasons_within(reasons, width - 2)) end
  end
  return lines
end

-- Prints one of the lines below the funnel, which begin with what they are about. Figures stay with their words.
function report.tell(line)
  local label, text = line:sub(1, LABEL):gsub(" ", "\u{A0}"), line:sub(LABEL + 1)
  term.say(label .. text:gsub("(%d) (%a)", "%1\u{A0}%2"):gsub("([+=]) ", "%1\u{A0}"), LABEL)
end

local STATES = { "running", "queued", "waiting", "held", "completed", "dropped", "exited" }

-- The ledger as a line: entered, and the sum of all states.
function report.ledger_line(found)
  local parts = {}
  for _, state in ipairs(STATES) do parts[#parts + 1] = figures.count(found[state]) .. " " .. state end
  local control = found.control > 0 and (" (%s only watched)"):format(figures.count(found.control)) or ""
  return ("ledger    %s entered%s = %s"):format(figures.count(found.entered), control, table.concat(parts, " + "))
end

-- True when every person is accounted for.
function report.adds_up(found)
  local sum = 0
  for _, state in ipairs(STATES) do sum = sum + found[state] end
  return sum == found.entered
end

local function calls_line(look, seconds)
  if look.attempts == 0 then return "calls     none" end
  local attempts = look.attempts ~= look.calls and (" in %s attempts"):format(figures.count(look.attempts)) or ""
  local unfinished = look.unfinished > 0 and (", %s unfinished"):format(figures.count(look.unfinished)) or ""
  return ("calls     %s%s%s, %s/s, median %s, 99th percentile %s"):format(figures.count(look.calls), attempts, unfinished,
    figures.count(math.floor(look.attempts / math.max(seconds, 0.001) + 0.5)), figures.latency(look.median_ms),
    figures.latency(look.p99_ms))
end

-- How many have reached the goal, as a line; nil where nobody has.
function report.converted_line(found)
  if found.converted == 0 then return nil end
  return ("converted %s of %s (%.1f %%)"):format(figures.count(found.converted), figures.count(found.entered),
    100 * found.converted / found.entered)
end

-- Why runs have exited, as a line; nil where none has.
function report.exits_line(exits)
  if #exits == 0 then return nil end
  return "exits     " .. top_reasons(exits, 40)
end

-- How it would go in earnest: from the virtual clock and the connections' queues.
local function forecast_line(look, queues, start_ms)
  local longest
  for _, connection in ipairs(queues) do
    if connection.longest_queue > 0 and (not longest or connection.longest_queue > longest.longest_queue) then
      longest = connection
    end
  end
  local parts = { ("all would be over after %s"):format(figures.duration(look.logical_ms - start_ms)) }
  if look.last_call_ms > 0 then
    parts[#parts + 1] = "the last call would go out at " .. engine.rfc3339(look.last_call_ms // 1000 * 1000)
  end
  parts[#parts + 1] = longest and ("the longest queue: %s at %s"):format(figures.count(longest.longest_queue), longest.name)
    or "no call would queue"
  return "forecast  " .. table.concat(parts, "; ")
end

-- What to do for those who are held; nil where nothing can be done, as nobody knows of them when this is over.
local function held_line(run)
  if not run.state or run.found.held == 0 then return nil end
  local where = run.state_flag and " --state " .. run.state_flag or ""
  local by_script = false
  for _, element in ipairs(run.found.elements) do
    for _, reason in ipairs(element.reasons) do by_script = by_script or reason.reason == "script" end
  end
  return ("held      mend what is wrong, then: jaunt redrive %s --outcome held%s%s"):format(run.name, where,
    by_script and ("; after a script's error, before that: jaunt move %s%s"):format(run.name, where) or "")
end

-- Prints everything. `run` has: name, version, live, found (engine:report()), look (engine:look()), connections, seconds,
-- start_ms, state (a file, or nil), state_flag (what --state says, or nil), rejected, rejected_events, rejects_file,
-- left_out, interrupted.
function report.print(run)
  local paint = term.paint()
  local width = term.isatty() and term.width() or 160
  print()
  for _, line in ipairs(report.funnel_lines(run.found.elements, paint, width)) do print(line) end
  print()
  report.tell(report.ledger_line(run.found))
  if not report.adds_up(run.found) then print(paint.red("the ledger does not add up: this is a mistake in jaunt")) end
  local held = held_line(run)
  if held then report.tell(held) end
  local exits = report.exits_line(run.found.exits)
  if exits then report.tell(exits) end
  local converted = report.converted_line(run.found)
  if converted then report.tell(converted) end
  report.tell(calls_line(run.look, run.seconds))
  if run.rejected > 0 then
    print(("rejected  %s%s"):format(figures.of(run.rejected, "row"),
      run.rejects_file and (", kept in " .. run.rejects_file) or ""))
  end
  if run.rejected_events > 0 then print("rejected  " .. figures.of(run.rejected_events, "event")) end
  if run.left_out > 0 then print(("left out  %s by --where"):format(figures.of(run.left_out, "person", "people"))) end
  if run.look.already_in > 0 then
    report.tell(("been here %s: in the journey already, or not to enter again"):format(figures.of(run.look.already_in, "person",
      "people")))
  end
  if run.look.lost_events > 0 then
    print(("events    %s for nobody who was there"):format(figures.count(run.look.lost_events)))
  end
  if run.look.crowded_out > 0 then
    print(("events    %s gave way in full inboxes (limit inbox)"):format(figures.count(run.look.crowded_out)))
  end
  if not run.live and not run.interrupted then report.tell(forecast_line(run.look, run.connections, run.start_ms)) end
  print(("took      %s"):format(figures.duration(run.seconds * 1000)))
end

local function reasons_object(reasons)
  local object, details = {}, {}
  for _, reason in ipairs(reasons) do
    object[reason.reason] = (object[reason.reason] or 0) + reason.count
    details[#details + 1] = { reason = reason.reason, detail = reason.detail, count = reason.count }
  end
  return object, json.array(details)
end

-- The funnel as a JSON array.
function report.elements_array(elements)
  local array = {}
  for i, element in ipairs(elements) do
    local reasons, details = reasons_object(element.reasons)
    array[i] = {
      name = element.name, kind = element.kind, line = element.line, reached = element.reached,
      went_on = element.went_on, dropped = element.dropped, held = element.held, reasons = reasons, details = details,
      median_ms = element.median_ms, p90_ms = element.p90_ms,
    }
  end
  return json.array(array)
end

-- Why runs have exited: { REASON = count }.
function report.exits_object(exits)
  return (reasons_object(exits))
end

-- What report.print prints as one JSON object, on one line.
function report.json(run)
  local object = {
    journey = run.name, version = run.version, live = run.live, interrupted = run.interrupted,
    entered = run.found.entered, control = run.found.control, converted = run.found.converted,
    already_in = run.look.already_in, rejected = run.rejected, left_out = run.left_out,
    rejected_events = run.rejected_events, lost_events = run.look.lost_events, crowded_out = run.look.crowded_out,
    exits = report.exits_object(run.found.exits), elements = report.elements_array(run.found.elements),
    calls = run.look.calls, attempts = run.look.attempts, unfinished = run.look.unfinished,
    seconds = math.floor(run.seconds * 1000 + 0.5) / 1000, median_ms = run.look.median_ms, p99_ms = run.look.p99_ms,
  }
  for _, state in ipairs(STATES) do object[state] = run.found[state] end
  if not run.live then
    object.forecast = { ms = run.look.logical_ms - run.start_ms, last_call = run.look.last_call_ms > 0 and
      engine.rfc3339(run.look.last_call_ms) or nil }
  end
  return term.escaped(json.encode(object))
end

return report
