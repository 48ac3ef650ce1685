-- Previews as a person reads them on a terminal. What colours say is said in words, too.

local difference = require "jaunt.preview.difference"
local figures = require "jaunt.base.figures"
local layout = require "jaunt.preview.layout"
local places = require "jaunt.schema.places"
local term = require "jaunt.base.term"

local show = {}

local NAMED = 6

-- What a mark says, and its legend, in the order in which the legend tells them.
local MARKS = {
  { "missing", "nobody here has such a field" },
  { "blank", "this person has no value there" },
  { "default", "this person has no value there, and what `default` says is sent" },
  { "left out", "this person has no value there, and the member or item is left out" },
  { "emptied", "it is no URL of https, mailto, tel or sms, and may run a script" },
  { "schema", "it is not as its schema wants it" },
}

local MADE_SAFE = "%s of values made safe: not UTF-8, control characters, or URLs that may run a script"

local function paint_of(paint, kind)
  if kind == "missing" or kind == "schema" or kind == "emptied" then return paint.red end
  return kind == "blank" and paint.yellow or paint.cyan
end

-- The number of the line on which a member of the payload stands, by its path; nil where it is not there.
local function line_of_path(lines, body, path)
  local ok, tokens = pcall(places.tokens, body)
  for _, token in ipairs(ok and tokens or {}) do
    if token.path == path then return layout.line_at(lines, token.first) end
  end
end

-- The marks of one preview, by line; and those of no line. `missing` says of a blank whether nobody has it, and what
-- is near.
local function marks_of(result, lines, missing)
  local by_line, others = {}, {}
  local function add(line, kind, text)
    local list = others
    if line then
      by_line[line] = by_line[line] or {}
      list = by_line[line]
    end
    for _, mark in ipairs(list) do
      if mark.kind == kind and mark.text == text then return end
    end
    list[#list + 1] = { kind = kind, text = text }
  end
  for _, blank in ipairs(result.blanks) do
    local unknown, hint = missing(blank)
    local kind = unknown and "missing" or blank.omitted and "left out" or blank.defaulted and "default" or "blank"
    local line = not blank.omitted and blank.first and layout.line_at(lines, blank.first)
    add(line, kind, term.one_line(blank.text) .. (hint or "") .. (line and "" or (" (line %d)"):format(blank.line)))
  end
  for _, one in ipairs(result.emptied) do
    add(layout.line_at(lines, one.first), "emptied", term.one_line(one.text))
  end
  for _, fault in ipairs(result.schema_faults) do
    local line = line_of_path(lines, result.body, fault.path)
    local text = line and fault.text:gsub("^.-: ", "", 1) or fault.text
    add(line, "schema", ("%s (%s:%d)"):format(term.one_line(text), fault.file:match("[^/]+$"), fault.line))
  end
  return by_line, others
end

local function say_marks(list, paint, used)
  local pieces = {}
  for _, mark in ipairs(list) do
    used[mark.kind] = true
    pieces[#pieces + 1] = paint_of(paint, mark.kind)(("← %s: %s"):format(mark.kind, mark.text))
  end
  return table.concat(pieces, "  ")
end

local function indented(text, by)
  return (" "):rep(by) .. text:gsub("\n", "\n" .. (" "):rep(by))
end

local OUTCOMES = { skipped = "yellow", dropped = "yellow", held = "red", failed = "red" }

-- The lines of one preview. `used` takes the kinds of marks that were used.
local function body_lines(result, missing, paint, used)
  if not result.body and result.outcome == "sent" then return {} end -- a call without a body
  if not result.body then
    local what = result.outcome == "failed" and "fails" or result.outcome
    local text = result.outcome == "failed" and result.fault or result.reason or ""
    return { indented(paint[OUTCOMES[result.outcome]](what .. (text ~= "" and ": " or "")) .. term.harmless(text), 2) }
  end
  local lines = layout.lines(result.body, result.kind)
  local by_line, others = marks_of(result, lines, missing)
  local shown = {}
  for i, line in ipairs(lines) do
    local marks = by_line[i] and "  " .. say_marks(by_line[i], paint, used) or ""
    shown[i] = "  " .. layout.show(line, paint, result.spans) .. marks
  end
  if result.invalid and #result.schema_faults == 0 then
    shown[#shown + 1] = "  " .. paint.red(term.one_line(result.invalid))
  end
  if result.repaired and result.repaired > 0 then
    shown[#shown + 1] = "  " .. paint.yellow(MADE_SAFE:format(figures.of(result.repaired, "part", "parts")))
  end
  for _, mark in ipairs(others) do shown[#shown + 1] = "  " .. say_marks({ mark }, paint, used) end
  return shown
end

local function title(result, paint)
  local pieces = { paint.bold(term.one_line(result.id)) }
  if result.source then
    pieces[#pieces + 1] = paint.cyan(("%s@%s"):format(result.name, result.source.hash:sub(1, 4)))
  end
  if result.note then pieces[#pieces + 1] = paint.dim(result.note) end
  return table.concat(pieces, "  ")
end

-- A function of a blank: whether nobody has what it asks for, and "; did you mean …?".
local function judge_of(findings)
  local unknown = {}
  for _, finding in ipairs(findings) do
    if finding.unknown then unknown[("%s:%d:%s"):format(finding.file, finding.line, finding.name)] = finding end
  end
  return function(blank)
    local finding = unknown[("%s:%d:%s"):format(blank.file, blank.line, blank.text)]
    return finding ~= nil, finding and finding.hint
  end
end

-- Prints a preview's results one by one (see jaunt.preview.rendering). `used` takes the kinds of marks that were used.
function show.results(preview, used)
  local paint, missing = term.paint(), judge_of(preview.findings)
  for _, result in ipairs(preview.results) do
    print(title(result, paint))
    if result.request then print("  " .. term.one_line(result.request)) end
    for _, line in ipairs(body_lines(result, missing, paint, used)) do print(line) end
    print()
  end
end

-- Prints what the marks mean that were used.
function show.legend(used)
  local rows = {}
  for _, mark in ipairs(MARKS) do
    if used[mark[1]] then rows[#rows + 1] = { "← " .. mark[1], mark[2] } end
  end
  if #rows == 0 then return end
  if term.colours() then rows[#rows + 1] = { "bold", "comes from the person's data" } end
  term.rows(rows)
  print()
end

-- Prints what is wrong, or worth knowing of many people; of one, what was blank stands in the preview already (`one`).
function show.findings(list, one)
  local paint = term.paint()
  for _, finding in ipairs(list) do
    local mistake = finding.misspelt or finding.invalid
    local colour = mistake and paint.red or (finding.defaulted or finding.omitted) and paint.dim or paint.yellow
    if mistake or not one then print(colour(finding.text)) end
  end
end

-- One line: "hello for 6 people: 5 would be sent, 1 dropped".
function show.summary(preview)
  local results = preview.results
  local count, paint = {}, term.paint()
  local invalid = 0
  for _, result in ipairs(results) do
    count[result.outcome] = (count[result.outcome] or 0) + 1
    if result.invalid then invalid = invalid + 1 end
  end
  local parts = { ("%s would be sent"):format(figures.count(count.sent or 0)) }
  for _, outcome in ipairs { "skipped", "dropped", "held", "failed" } do
    if count[outcome] then parts[#parts + 1] = ("%s %s"):format(figures.count(count[outcome]), outcome) end
  end
  if invalid > 0 then parts[#parts + 1] = paint.red(("%s invalid"):format(figures.count(invalid))) end
  print(("%s for %s: %s"):format(preview.name, figures.of(#results, "person", "people"), table.concat(parts, ", ")))
end

---------------------------------------------------------------------------------------------- differences

local function changed_part(line, paint)
  local base = line.sign == "-" and paint.red or paint.green
  local function piece(first, last) return term.harmless(term.escaped(line.text:sub(first, last))) end
  if not line.first or line.first > line.last then return base(line.sign .. " " .. piece(1, -1)) end
  return base(line.sign .. " " .. piece(1, line.first - 1)) .. paint.bold(base(piece(line.first, line.last)))
    .. base(piece(line.last + 1, -1))
end

local function listed(ids)
  local list = {}
  for i = 1, math.min(#ids, NAMED) do list[i] = term.one_line(ids[i]) end
  if #ids > NAMED then list[#list + 1] = ("and %s more"):format(figures.count(#ids - NAMED)) end
  return table.concat(list, ", ")
end

-- What one preview would send, as plain lines; an outcome of another kind is one line that says so.
local function lines_of(result)
  if not result then return {} end
  if not result.body then
    return { ("(%s%s)"):format(result.outcome, result.reason and ": " .. result.reason or "") }
  end
  return layout.plain(layout.lines(result.body, result.kind))
end

-- What changes in lines, as one text: of those that changed in part, that part; and all of them whole.
local function words_of(lines)
  local words, texts = {}, {}
  for i, line in ipairs(lines) do
    words[i] = line.sign .. (line.first and line.text:sub(line.first, line.last) or line.text)
    texts[i] = line.text
  end
  return table.concat(words, "\n"), table.concat(texts, "\n")
end

-- Prints what differs between the previews of before and of now, who is concerned by the same change together.
-- `pairs_of`: a list of { id =, old =, new = }.
function show.differences(pairs_of, since)
  local paint, groups, same = term.paint(), {}, {}
  for _, pair in ipairs(pairs_of) do
    local lines = difference.lines(lines_of(pair.old), lines_of(pair.new))
    if #lines == 0 then
      same[#same + 1] = pair.id
    else
      local words, text = words_of(lines)
      if not groups[words] then
        groups[words] = { lines = lines, text = text, ids = {} }
        groups[#groups + 1] = groups[words]
      end
      local group = groups[words]
      group.ids[#group.ids + 1] = pair.id
      group.differ = group.differ or text ~= group.text
    end
  end
  for _, group in ipairs(groups) do
    local first = table.remove(group.ids, 1)
    local others = #group.ids > 0 and (group.differ and ", and in the same words for %s" or ", %s"):format(listed(group.ids)) or ""
    print(("for %s%s"):format(paint.bold(term.one_line(first)), others))
    for _, line in ipairs(group.lines) do print("  " .. changed_part(line, paint)) end
    print()
  end
  local all = figures.of(#pairs_of, "person", "people")
  if #same == #pairs_of then
    print(("since %s nothing changes for %s"):format(since, all))
  else
    print(("since %s it changes for %s of %s%s"):format(since, figures.count(#pairs_of - #same), all,
      #same > 0 and (", not for %s"):format(listed(same)) or ""))
  end
end

return show
