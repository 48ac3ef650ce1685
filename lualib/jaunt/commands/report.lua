-- jaunt report: a journey's funnel and ledger from its state; by version, over a period, by groups.

local csv = require "jaunt.base.csv"
local figures = require "jaunt.base.figures"
local json = require "json"
local mistakes = require "jaunt.base.mistakes"
local report = require "jaunt.run.report"
local retrospect = require "jaunt.state.retrospect"
local selection = require "jaunt.state.selection"
local statistics = require "jaunt.base.statistics"
local term = require "jaunt.base.term"
local times = require "jaunt.base.times"

local TIMES_FROM = 100000 -- runs whose journals are read for times; the counters tell the rest

---------------------------------------------------------------------------------------------- looking

local function check_by(looked_at, versions, by)
  if by == "payload" or by == "control" then return by end
  local splits = {}
  for _, element in ipairs(looked_at:elements()) do
    if element.family == versions[1].family and element.kind == "split" then splits[#splits + 1] = element.name end
    if element.family == versions[1].family and element.name == by then
      if element.kind ~= "split" then mistakes.fail("--by takes a split, and \"%s\" is a %s", by, element.kind) end
      return by
    end
  end
  local names = table.move({ "payload", "control" }, 1, 2, #splits + 1, splits)
  local hint = require("jaunt.base.nearest").hint(by, names)
  mistakes.fail("--by: nobody has come to a split \"%s\"%s", by, hint ~= "" and hint or "; there are " .. table.concat(names, ", "))
end

-- What is told: the counters where they can tell it, what the journals say otherwise; and the groups.
local function look(looked_at, versions, version, flags)
  local which = { family = versions[1].family, version = version and version.number }
  which.entered_ms = flags.since and selection.time("since", flags.since) or nil
  which.until_ms = flags["until"] and selection.time("until", flags["until"]) or nil
  local period = which.entered_ms or which.until_ms
  local by = flags.by and check_by(looked_at, versions, flags.by)
  local looked = retrospect.look(looked_at, which, { by = by, most = not period and not by and TIMES_FROM or nil })
  if period then return looked, looked end
  local found = looked_at:report((version or versions[1]).number, version ~= nil)
  retrospect.add_times(found, looked)
  return found, looked
end

local function versions_table(looked_at, versions)
  local rows = {}
  for i, version in ipairs(versions) do
    local found = looked_at:report(version.number, true)
    rows[i] = { version = version.version, found = found }
  end
  return rows
end

---------------------------------------------------------------------------------------------- for people

local function print_rows(rows, paint, lefts)
  local widths = {}
  for _, row in ipairs(rows) do
    for i, text in ipairs(row) do widths[i] = math.max(widths[i] or 0, term.columns(text)) end
  end
  for n, row in ipairs(rows) do
    local cells = {}
    for i, text in ipairs(row) do
      cells[i] = lefts[i] and term.pad(text, widths[i]) or (" "):rep(widths[i] - term.columns(text)) .. text
    end
    local line = (table.concat(cells, "  "):gsub("%s+$", ""))
    print(n == 1 and paint.bold(line) or line)
  end
end

-- With a second decimal where the first would be all there is.
local function digits(share)
  return (share > 0 and share < 0.01 and "%.2f" or "%.1f"):format(100 * share)
end

local function percent(share)
  return digits(share) .. " %"
end

local function print_groups(groups, by, paint)
  local rows = { { by, "people", "converted", "rate", "95 % interval", "" } }
  local living, converted = 0, 0
  for _, group in ipairs(groups) do
    local low, high = statistics.interval(group.converted, group.people)
    converted = converted + group.converted
    rows[#rows + 1] = { term.one_line(group.name), figures.count(group.people), figures.count(group.converted),
      percent(group.converted / group.people), ("%s to %s"):format(digits(low), percent(high)),
      group.living > 0 and figures.count(group.living) .. " living" or "" }
    living = living + group.living
  end
  if #groups == 0 then
    print(("nobody has come to %s yet"):format(by))
    return
  end
  print_rows(rows, paint, { true, [6] = true })
  print()
  print(paint.bold(term.one_line((retrospect.difference(groups)))))
  if converted == 0 then print("nobody has converted: to convert is to reach the journey's goal") end
  if living > 0 then print(("%s living: they may convert yet"):format(figures.of(living, "run is", "runs are"))) end
end

local function print_versions(rows, paint)
  local lines = { { "version", "entered", "living", "completed", "dropped", "exited", "converted" } }
  for _, row in ipairs(rows) do
    local found = row.found
    local living = found.running + found.queued + found.waiting + found.held
    lines[#lines + 1] = { row.version, figures.count(found.entered), figures.count(living), figures.count(found.completed),
      figures.count(found.dropped), figures.count(found.exited), figures.count(found.converted) }
  end
  print_rows(lines, paint, { true })
end

local function head(name, version, versions, path, which, in_use)
  local what = version and "version " .. version.version
    or #versions == 1 and "version " .. versions[1].version or ("%d versions"):format(#versions)
  local period = ""
  if which.since then period = period .. ", entered since " .. times.short(selection.time("since", which.since)) end
  if which["until"] then period = period .. ", entered before " .. times.short(selection.time("until", which["until"])) end
  local paused_ms = versions[1].paused_ms
  local paused = paused_ms
    and ("; paused since %s, until jaunt resume %s"):format(times.short(paused_ms), term.one_line(name)) or ""
  return ("%s, %s%s (%s%s)%s"):format(term.one_line(name), what, period, path, in_use and ", in use by a runtime" or "", paused)
end

local function print_report(told, flags)
  local paint = term.paint()
  local width = term.isatty() and term.width() or 160
  local found = told.found
  term.say(told.head, 2)
  print()
  if flags.by then
    print_groups(told.looked.groups, flags.by, paint)
    return
  end
  for _, line in ipairs(report.funnel_lines(found.elements, paint, width)) do print(line) end
  print()
  report.tell(report.ledger_line(found))
  local exits = report.exits_line(found.exits)
  if exits then report.tell(exits) end
  local converted = report.converted_line(found)
  if converted then report.tell(converted) end
  if not told.looked.complete then
    print(("times     of the newest %s"):format(figures.of(TIMES_FROM, "run")))
  end
  if told.versions then
    print()
    print_versions(told.versions, paint)
  end
end

---------------------------------------------------------------------------------------------- for programs

local function groups_array(groups)
  local array = {}
  for i, group in ipairs(groups) do
    local low, high = statistics.interval(group.converted, group.people)
    array[i] = { name = group.name, people = group.people, converted = group.converted, living = group.living,
      rate = group.converted / group.people, low = low, high = high }
  end
  return json.array(array)
end

local function states_of(found)
  local object = { entered = found.entered, control = found.control, converted = found.converted }
  for _, state in ipairs(selection.STATES) do object[state] = found[state] end
  return object
end

local function print_json(told, flags, name, version)
  local object = states_of(told.found)
  object.journey, object.version = name, version and version.version or nil
  object.paused = times.rfc3339(told.paused_ms)
  object.elements = report.elements_array(told.found.elements)
  object.exits = report.exits_object(told.found.exits)
  object.times_complete = told.looked.complete
  if told.versions then
    object.versions = {}
    for i, row in ipairs(told.versions) do
      object.versions[i] = states_of(row.found)
      object.versions[i].version = row.version
    end
    json.array(object.versions)
  end
  if flags.by then
    local sentence, better = retrospect.difference(told.looked.groups)
    object.by, object.groups, object.difference, object.better = flags.by, groups_array(told.looked.groups), sentence, better
  end
  print(term.escaped(json.encode(object)))
end

local function print_csv(told, flags)
  local function put(...) io.write(csv.line({ ... }, select("#", ...))) end
  if flags.by then
    put(flags.by, "people", "converted", "rate", "low", "high", "living")
    for _, group in ipairs(groups_array(told.looked.groups)) do
      put(group.name, group.people, group.converted, group.rate, group.low, group.high, group.living)
    end
    return
  end
  put("element", "kind", "reached", "went_on", "dropped", "held", "median_ms", "p90_ms")
  for _, element in ipairs(told.found.elements) do
    put(element.name, element.kind, element.reached, element.went_on, element.dropped, element.held, element.median_ms,
      element.p90_ms)
  end
end

---------------------------------------------------------------------------------------------- the command

local function run(args, flags)
  if flags.json and flags.csv then mistakes.fail("--json and --csv exclude each other") end
  local looked_at, path = selection.open_state(flags)
  local state_guard <close> = looked_at
  local versions, version = selection.journey(looked_at, path, args.journey, flags.version)
  local found, looked = look(looked_at, versions, version, flags)
  local told = { found = found, looked = looked, paused_ms = versions[1].paused_ms,
    head = head(args.journey, version, versions, path, flags, looked_at:in_use()),
    versions = #versions > 1 and not version and not flags.by and versions_table(looked_at, versions) or nil }
  if flags.json then print_json(told, flags, args.journey, version)
  elseif flags.csv then print_csv(told, flags)
  else print_report(told, flags) end
  if flags.by or flags.since or flags["until"] then
    selection.tell_removed(looked_at, args.journey, flags.since and selection.time("since", flags.since))
  end
  return 0
end

return {
  name = "report",
  group = "look",
  summary = "Shows a journey's funnel and ledger from its state: how far people came, why they left, how long it took.",
  about = "median and 90 % are the times that people spend at an element. --by compares groups by how many of them reached the "
    .. "journey's goal (converted), also after their run had ended, with the 95 % interval of the rate (Wilson), and says "
    .. "whether they differ (two proportions at 95 %; with more than two groups the best against the others, so much the "
    .. "stricter).\n\n"
    .. "Over a period it counts those who entered in it.",
  arguments = { { name = "journey", help = "a journey that people have entered" } },
  flags = {
    { name = "version", value = "VERSION", help = "only this version; its first letters will do" },
    { name = "since", value = "TIME", help = "who entered since then: 7d (ago), \"2026-11-25 09:00\"" },
    { name = "until", value = "TIME", help = "who entered before" },
    { name = "by", value = "WHAT", help = "compares groups: a split's name, payload, or control",
      holds = "split", suggests = { "payload", "control" } },
    { name = "csv", help = "prints CSV: the funnel, or the groups" },
    { name = "json", help = "prints one JSON object" },
    selection.STATE_FLAG,
  },
  examples = {
    { "jaunt report welcome", "everybody who ever entered" },
    { "jaunt report welcome --since 7d", "who entered in the last week" },
    { "jaunt report abandoned_cart --by \"reminder copy\"", "which copy works" },
    { "jaunt report abandoned_cart --by control", "whether it works at all" },
  },
  exit = { [0] = "it was told", [2] = "it could not look" },
  run = run,
}
