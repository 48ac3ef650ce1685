-- What runs did, added up from their rows and journals: for what the counters do not tell, such as a period, times spent, or
-- groups of people.

local selection = require "jaunt.state.selection"
local statistics = require "jaunt.base.statistics"

local retrospect = {}

---------------------------------------------------------------------------------------------- the funnel

local function add_reason(reasons, index, reason, detail, held)
  detail = detail or ""
  local key = ("%s\0%s\0%s"):format(reason, detail, held)
  local found = index[key]
  if not found then
    found = { reason = reason, detail = detail, count = 0, held = held }
    index[key], reasons[#reasons + 1] = found, found
  end
  found.count = found.count + 1
end

local function sort_reasons(reasons)
  table.sort(reasons, function(a, b)
    if a.count ~= b.count then return a.count > b.count end
    if a.reason ~= b.reason then return a.reason < b.reason end
    return a.detail < b.detail
  end)
end

-- Rows for the elements of a journey (a family of versions), in script order.
local function rows_of(looked_at, family)
  local rows, by_name = {}, {}
  for _, element in ipairs(looked_at:elements()) do
    if element.family == family then
      local row = { name = element.name, kind = element.kind, line = element.line, reached = 0, went_on = 0, dropped = 0,
        held = 0, reasons = {}, index = {}, spread = statistics.spread() }
      rows[#rows + 1], by_name[element.name] = row, row
    end
  end
  table.sort(rows, function(a, b)
    if a.line ~= b.line then return a.line < b.line end
    return a.name < b.name
  end)
  return rows, by_name
end

local function add_visit(row, visit)
  if visit.kind == "redrive" then
    add_reason(row.reasons, row.index, visit.reason or "?", visit.detail, false)
    return
  end
  if visit.kind ~= "start" then row.reached = row.reached + 1 end
  if visit.went_on then row.went_on = row.went_on + 1 end
  if visit.left_ms and visit.kind ~= "start" then row.spread.add(visit.left_ms - visit.at_ms) end
  local ended = visit.ended
  if ended == "dropped" or ended == "held" then
    row[ended] = row[ended] + 1
    add_reason(row.reasons, row.index, visit.reason or "?", visit.detail, ended == "held")
  elseif visit.result == "unknown" then
    add_reason(row.reasons, row.index, "unknown", visit.detail, false)
  end
end

local function finish(found)
  for _, row in ipairs(found.elements) do
    sort_reasons(row.reasons)
    row.median_ms, row.p90_ms = row.spread.percentile(0.5), row.spread.percentile(0.9)
    row.spread, row.index = nil, nil
  end
  sort_reasons(found.exits)
  found.exit_index = nil
  return found
end

---------------------------------------------------------------------------------------------- groups

local function group_of(groups, name)
  local group = groups.by_name[name]
  if not group then
    group = { name = name, people = 0, converted = 0, living = 0 }
    groups.by_name[name] = group
    groups[#groups + 1] = group
  end
  return group
end

-- Gives the names of the groups to which a run belongs: function(run, visits).
local GROUPS = {
  control = function(run) return { run.control and "control" or "journey" } end,
  payload = function(_, visits)
    local names, seen = {}, {}
    for _, visit in ipairs(visits) do
      if visit.payload and not seen[visit.payload] then seen[visit.payload], names[#names + 1] = true, visit.payload end
    end
    return names
  end,
}

local function by_element(element)
  return function(_, visits)
    for _, visit in ipairs(visits) do -- the first time counts: a branch is the same for the same person
      if visit.element == element and visit.verdict then return { visit.verdict } end
    end
    return {}
  end
end

local function add_to_groups(groups, names, run)
  for _, name in ipairs(names) do
    local group = group_of(groups, name)
    group.people = group.people + 1
    if run.converted_ms then group.converted = group.converted + 1 end
    if run.state ~= "completed" and run.state ~= "dropped" and run.state ~= "exited" then group.living = group.living + 1 end
  end
end

---------------------------------------------------------------------------------------------- all of it

-- Adds up the runs that `which` means (see jaunt.native.state; it has to have `family`). `options`: most (the newest so many
-- runs), by ("control", "payload" or an element's name). Returns what jaunt.native.state's report() gives, its elements with
-- median_ms and p90_ms; and with `groups`, { name =, people =, converted =, living = }, by name, and `complete` (there were no
-- more runs than `most`).
function retrospect.look(looked_at, which, options)
  local elements, by_name = rows_of(looked_at, which.family)
  local found = { entered = 0, control = 0, converted = 0, elements = elements, exits = {}, exit_index = {}, complete = true,
    groups = { by_name = {} } }
  for _, state in ipairs(selection.STATES) do found[state] = 0 end
  local groups_of = options.by and (GROUPS[options.by] or by_element(options.by))
  for run in selection.pages(looked_at, which) do
    if options.most and found.entered == options.most then
      found.complete = false
      break
    end
    local visits = looked_at:visits(run.run)
    found.entered = found.entered + 1
    found[run.state] = found[run.state] + 1
    if run.control then found.control = found.control + 1 end
    if run.converted_ms then found.converted = found.converted + 1 end
    if run.state == "exited" then add_reason(found.exits, found.exit_index, run.reason or "?", run.detail, false) end
    for _, visit in ipairs(visits) do
      local row = by_name[visit.element]
      if row then add_visit(row, visit) end
    end
    if groups_of then add_to_groups(found.groups, groups_of(run, visits), run) end
  end
  found.groups.by_name = nil
  table.sort(found.groups, function(a, b) return a.name < b.name end)
  return finish(found)
end

-- What can be said of how groups differ in their rates, as a sentence: the best against each other one, the more of them the
-- stricter. And the best one's name, where it is better than another.
function retrospect.difference(groups)
  if #groups < 2 then return "there is one group: nothing to compare" end
  local sorted = table.move(groups, 1, #groups, 1, {})
  local function rate(group) return group.people > 0 and group.converted / group.people or 0 end
  table.sort(sorted, function(a, b)
    if rate(a) ~= rate(b) then return rate(a) > rate(b) end
    return a.name < b.name
  end)
  local best, better, few = sorted[1], {}, false
  for i = 2, #sorted do
    local p = statistics.difference(best.converted, best.people, sorted[i].converted, sorted[i].people)
    few = few or p == nil
    if p and p * (#sorted - 1) < 0.05 then better[#better + 1] = sorted[i].name end
  end
  if #better > 0 then return ("%s converts better than %s (95 %%)"):format(best.name, table.concat(better, ", ")), best.name end
  return few and "no difference yet: too few people or conversions to tell" or "no difference yet (95 %)"
end

-- Puts the times that were found (what look gave) beside the counters of a report.
function retrospect.add_times(report, looked)
  local by_name = {}
  for _, element in ipairs(looked.elements) do by_name[element.name] = element end
  for _, element in ipairs(report.elements) do
    local times_of = by_name[element.name] or {}
    element.median_ms, element.p90_ms = times_of.median_ms, times_of.p90_ms
  end
end

return retrospect
