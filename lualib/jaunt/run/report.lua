-- What is told at the end of a run: the funnel, the ledger, the calls, the forecast; or all of it as one JSON object.

local engine = require "jaunt.native.engine"
local figures = require "jaunt.figures"
local json = require "json"
local term = require "jaunt.term"

local report = {}

local TOP_REASONS = 3

-- A text of the script's as one line that a terminal only shows: it may hold people's data.
local function one_line(text)
  return (term.harmless(text):gsub("[\n\t]", " "))
end

-- "status 422 × 12": a reason with its detail where that is short enough to group by.
local function reason_name(reason)
  if reason.detail == "" then return reason.reason end
  if reason.reason == "status" then return "status " .. reason.detail end
  return ("%s (%s)"):format(reason.reason, one_line(reason.detail))
end

local function top_reasons(reasons, width)
  local shown, parts = 0, {}
  for i, reason in ipairs(reasons) do
    if i > TOP_REASONS then break end
    local count = figures.count(reason.count) .. "× "
    local name = reason_name(reason)
    if term.columns(name) > width then name = name:sub(1, (utf8.offset(name, width) or width + 1) - 1) .. "…" end
    parts[#parts + 1] = count .. name
    shown = shown + 1
  end
  if #reasons > shown then parts[#parts + 1] = ("%d more"):format(#reasons - shown) end
  return table.concat(parts, " · ")
end

local COLUMNS = { "reached", "went_on", "dropped", "held" }
local TITLES = { reached = "reached", went_on = "went on", dropped = "dropped", held = "held" }

local function column_width(elements, column)
  local width = #TITLES[column]
  for _, element in ipairs(elements) do width = math.max(width, #figures.count(element[column])) end
  return width
end

-- The funnel as lines: one an element, in script order.
local function funnel_lines(elements, paint, width)
  if #elements == 0 then return {} end
  local name_width, widths = #"element", {}
  for _, element in ipairs(elements) do name_width = math.max(name_width, term.columns(one_line(element.name))) end
  name_width = math.min(name_width, 40)
  local used = name_width + 2
  for _, column in ipairs(COLUMNS) do
    widths[column] = column_width(elements, column)
    used = used + widths[column] + 2
  end
  local title = term.pad("element", name_width)
  for _, column in ipairs(COLUMNS) do title = title .. "  " .. (" "):rep(widths[column] - #TITLES[column]) .. TITLES[column] end
  local lines = { paint.bold(title) }
  for _, element in ipairs(elements) do
    local name = one_line(element.name)
    if term.columns(name) > name_width then name = name:sub(1, utf8.offset(name, name_width) - 1) .. "…" end
    local line = term.pad(name, name_width)
    for _, column in ipairs(COLUMNS) do
      local text = figures.count(element[column])
      local cell = (" "):rep(widths[column] - #text) .. text
      if column == "dropped" and element.dropped > 0 then cell = paint.yellow(cell) end
      if column == "held" and element.held > 0 then cell = paint.red(cell) end
      line = line .. "  " .. cell
    end
    if #element.reasons > 0 then
      local room = math.max(20, (width - used - 2) // math.min(#element.reasons, TOP_REASONS) - 8)
      line = line .. "  " .. paint.dim(top_reasons(element.reasons, room))
    end
    lines[#lines + 1] = line
  end
  return lines
end

local STATES = { "running", "queued", "waiting", "held", "completed", "dropped", "exited" }

local function ledger_line(found)
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

local function exits_line(exits)
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

-- Prints everything. `run` has: name, version, live, found (engine:report()), look (engine:look()), connections, seconds,
-- start_ms, rejected, rejects_file, left_out, lost_events, interrupted.
function report.print(run)
  local paint = term.paint()
  local width = term.isatty() and term.width() or 160
  print()
  for _, line in ipairs(funnel_lines(run.found.elements, paint, width)) do print(line) end
  print()
  print(ledger_line(run.found))
  if not report.adds_up(run.found) then print(paint.red("the ledger does not add up: this is a mistake in jaunt")) end
  local exits = exits_line(run.found.exits)
  if exits then print(exits) end
  print(calls_line(run.look, run.seconds))
  if run.rejected > 0 then
    print(("rejected  %s%s"):format(figures.of(run.rejected, "row"),
      run.rejects_file and (", kept in " .. run.rejects_file) or ""))
  end
  if run.left_out > 0 then print(("left out  %s by --where"):format(figures.of(run.left_out, "person", "people"))) end
  if run.look.lost_events > 0 then
    print(("events    %s for nobody who was there"):format(figures.count(run.look.lost_events)))
  end
  if not run.live and not run.interrupted then print(forecast_line(run.look, run.connections, run.start_ms)) end
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

-- Escapes those controls which JSON does not ask to be escaped, and a terminal may obey.
local function escape_controls(text)
  return (text:gsub("\127", "\\u007f"):gsub("\xC2([\x80-\x9F])", function(c) return ("\\u%04x"):format(c:byte()) end))
end

-- The same as one JSON object, on one line.
function report.json(run)
  local elements = {}
  for i, element in ipairs(run.found.elements) do
    local reasons, details = reasons_object(element.reasons)
    elements[i] = {
      name = element.name, kind = element.kind, line = element.line, reached = element.reached,
      went_on = element.went_on, dropped = element.dropped, held = element.held, reasons = reasons, details = details,
    }
  end
  local object = {
    journey = run.name, version = run.version, live = run.live, control = run.found.control, entered = run.found.entered,
    rejected = run.rejected, left_out = run.left_out, calls = run.look.calls, attempts = run.look.attempts,
    unfinished = run.look.unfinished, lost_events = run.look.lost_events, seconds = math.floor(run.seconds * 1000 + 0.5) / 1000,
    median_ms = run.look.median_ms, p99_ms = run.look.p99_ms, exits = reasons_object(run.found.exits),
    interrupted = run.interrupted, elements = json.array(elements),
  }
  for _, state in ipairs(STATES) do object[state] = run.found[state] end
  if not run.live then
    object.forecast = { ms = run.look.logical_ms - run.start_ms, last_call = run.look.last_call_ms > 0 and
      engine.rfc3339(run.look.last_call_ms) or nil }
  end
  return escape_controls(json.encode(object))
end

return report
