-- jaunt why: one person's whole story, a verdict first.

local engine = require "jaunt.native.engine"
local figures = require "jaunt.base.figures"
local json = require "json"
local keys = require "jaunt.base.keys"
local selection = require "jaunt.state.selection"
local story = require "jaunt.state.story"
local term = require "jaunt.base.term"
local times = require "jaunt.base.times"
local verdict = require "jaunt.state.verdict"

local BODY_LINES = 8  -- of a request or an answer, without --full
local QUEUED_MS = 100 -- shorter times in a line are not told
local RUNS_TOLD = 10
local LOOKED_AT = 100 -- of more runs than that nobody asks why they are like each other

---------------------------------------------------------------------------------------------- finding

-- The longest part of a text that is the same in every spelling of JSON: what is looked for in journals before they are
-- understood.
local function plain_part(text)
  local best = ""
  for part in text:gmatch("[%w@._+%-:# ]+") do
    if #part > #best then best = part end
  end
  return best ~= "" and best or text
end

-- The name under which the value `text` stands in a table, or nil; inner tables are looked at, too.
local function name_of_value(object, text)
  for name, value in pairs(object) do
    if type(value) == "table" then
      local inner = name_of_value(value, text)
      if inner then return ("%s.%s"):format(name, inner) end
    elseif value ~= json.null and tostring(value) == text then
      return tostring(name)
    end
  end
end

local WRITTEN = "what a script wrote"

-- The people who have this value in a profile, an event or what a script wrote: { ID = attribute's name }.
local function people_with(looked_at, text)
  local found = {}
  local function add(person, name) found[person] = found[person] or name end
  for _, written in ipairs { json.encode(text), tonumber(text) and text or nil } do
    for _, person in ipairs(looked_at:people_with(written)) do add(person, WRITTEN) end
  end
  for run in selection.pages(looked_at, { mention = plain_part(text) }) do
    if not found[run.person] then
      local person, event = selection.person(looked_at, run)
      local name = run.per == text and "per" or name_of_value(person, text)
      if not name then
        name = name_of_value(event, text)
        name = name and "event." .. name
      end
      if name then add(run.person, name) end
    end
  end
  return found
end

local function runs_of(looked_at, person, versions, journey)
  local runs = {}
  for run in selection.pages(looked_at, { person = person }) do
    local version = versions[run.journey] or { name = "?", version = "?" }
    run.journey, run.version, run.paused_ms = version.name, version.version, version.paused_ms
    if not journey or run.journey == journey then runs[#runs + 1] = run end
  end
  return runs
end

-- What people of different ids have in common, as words: "this address".
local function shared_words(text, found)
  if text:find("@", 1, true) then return "this address" end
  local _, name = next(found)
  return name == WRITTEN and "this value" or "this " .. name:gsub("^event%.", "")
end

-- The runs that `text` means, newest first; what is shared by their people, where it is no id.
local function find(looked_at, text, journey)
  local versions = {}
  for _, version in ipairs(looked_at:versions()) do versions[version.number] = version end
  local runs = runs_of(looked_at, text, versions, journey)
  if #runs > 0 then return runs end
  local found = people_with(looked_at, text)
  for person in pairs(found) do
    for _, run in ipairs(runs_of(looked_at, person, versions, journey)) do runs[#runs + 1] = run end
  end
  table.sort(runs, function(a, b) return a.run > b.run end)
  return runs, next(found) and shared_words(text, found)
end

---------------------------------------------------------------------------------------------- bodies

-- JSON with a line for each member of the outermost object or array.
local function outer_lines(value)
  local lines, is_list = {}, json.is_array(value)
  local names = is_list and {} or keys.sorted(value)
  if is_list then
    for i in ipairs(value) do names[i] = i end
  end
  lines[1] = is_list and "[" or "{"
  for i, name in ipairs(names) do
    local before = is_list and "" or json.encode(name) .. ": "
    lines[#lines + 1] = "  " .. before .. json.encode(value[name]) .. (i < #names and "," or "")
  end
  lines[#lines + 1] = is_list and "]" or "}"
  return table.concat(lines, "\n")
end

-- A form as a line for each of its fields.
local function form_lines(body)
  local text = body:gsub("&", "\n"):gsub("=", " = "):gsub("%+", " ")
  return (text:gsub("%%(%x%x)", function(hex) return string.char(tonumber(hex, 16)) end))
end

-- A body as lines that fit: JSON indented where it does not fit into one; cut unless `full`.
local function body_lines(body, width, full, kind)
  if not body or body == "" then return {} end
  local lines = {}
  local ok, value
  if body:find("^%s*[%[{]") then ok, value = pcall(json.decode, body) end
  if ok then
    local compact = json.encode(value)
    if term.columns(compact) <= width then return { term.one_line(compact) } end
    body = full and json.encode(value, { indent = 2 }) or outer_lines(value)
  end
  if kind == "application/x-www-form-urlencoded" then body = form_lines(body) end
  for line in (body:gsub("\r", "") .. "\n"):gmatch("(.-)\n") do
    line = term.one_line(line)
    lines[#lines + 1] = full and line or term.cut(line, width)
  end
  while lines[#lines] == "" do lines[#lines] = nil end
  if full or #lines <= BODY_LINES then return lines end
  local more = #lines - BODY_LINES + 1
  lines = table.move(lines, 1, BODY_LINES - 1, 1, {})
  lines[#lines + 1] = ("… %s (--full)"):format(figures.of(more, "more line", "more lines"))
  return lines
end

---------------------------------------------------------------------------------------------- the timeline

local INDENT = (" "):rep(19)

-- Prints entries, with the date wherever it is another one.
local function timeline(paint, flags, width)
  local date
  local self = {}

  -- A line: its time, what it is, its name, and what is to be said of it.
  function self.line(at_ms, what, name, text)
    if times.date(at_ms) ~= date then
      date = times.date(at_ms)
      print("  " .. paint.dim(date))
    end
    local head = ("  %s  %s  "):format(times.clock(at_ms), term.pad(what, 5))
    local line = paint.dim(head) .. paint.bold(term.one_line(name or ""))
    if text and text ~= "" then line = line .. (name and name ~= "" and " " or "") .. text end
    print((line:gsub(" +$", "")))
  end

  function self.more(text, painter)
    print(INDENT .. (painter or paint.dim)(text))
  end

  -- The same, broken at blanks, but for U+00A0, where it is too long for a terminal.
  function self.told(text)
    local lines = term.isatty() and term.wrap(text, math.max(20, width - #INDENT)) or { text }
    for _, line in ipairs(lines) do self.more((line:gsub("\u{A0}", " "))) end
  end

  function self.body(body, kind)
    for _, line in ipairs(body_lines(body, math.max(20, width - #INDENT), flags.full, kind)) do self.more(line) end
  end

  return self
end

local function print_request(line, call)
  local request = call.request
  if not request then return end
  local about = {}
  if request.connection then about[#about + 1] = "via " .. request.connection end
  if request.payload then
    about[#about + 1] = "payload " .. request.payload .. (request.template and "@" .. request.template or "")
  end
  line.more(term.one_line(("%s %s"):format(request.method or "", request.url or "")), function(text) return text end)
  about[#about + 1] = "key\u{A0}" .. request.key
  line.told(term.one_line(table.concat(about, ", ")))
  line.body(request.body, request.type)
  if call.queued_ms >= QUEUED_MS then
    local where = request.connection and " at " .. request.connection or ""
    line.more(("in line%s for %s"):format(where, figures.duration(call.queued_ms)))
  end
end

-- "201 in 12 ms", "503".
local function answer_words(attempt)
  local took = attempt.ms and attempt.ms > 0 and " in " .. figures.latency(attempt.ms) or ""
  return ("%s%s"):format(attempt.status > 0 and attempt.status or "no answer", took)
end

local function call_words(call, paint)
  local reason = call.reason and ": " .. term.one_line(story.reason_words(call.reason, call.detail)) or ""
  if call.result == "ok" then return paint.green("ok") .. ", " .. answer_words(call.answer or { status = 0 }) end
  if call.result == "skipped" then return paint.dim("skipped" .. reason) end
  if call.result then return paint.yellow(call.result .. reason) end
  return paint.dim(call.request and "no answer yet" or "in line")
end

local function print_call(line, call, paint)
  line.line(call.at_ms, "call", call.name,  " " .. call_words(call, paint))
  print_request(line, call)
  if #call.attempts > 1 or (#call.attempts == 1 and not call.answer and call.result ~= "ok") then
    for i, attempt in ipairs(call.attempts) do
      local took = attempt.ms > 0 and ", after " .. figures.latency(attempt.ms) or ""
      line.told(("attempt %d %s%s"):format(i, story.attempt_words(attempt), took))
    end
  end
  local answer = call.answer
  if not answer then return end
  local kind = (answer.headers or ""):match("\n?[Cc][Oo][Nn][Tt][Ee][Nn][Tt]%-[Tt][Yy][Pp][Ee]: *([^\n;]*)")
  line.more(("answer %d%s%s"):format(answer.status, kind and ", " .. term.one_line(kind) or "",
    answer.truncated and ", cut where keep_body says" or ""))
  line.body(answer.body)
end

local function print_wait(line, wait)
  local text = wait.until_ms and " until " .. times.local_time(wait.until_ms) or ""
  line.line(wait.at_ms, "wait", wait.name, text)
  if not wait.over_ms then return end
  local after = figures.duration(wait.over_ms - wait.at_ms)
  if wait.by == "event" then
    line.line(wait.over_ms, "event", wait.event, " came after " .. after)
    line.body(wait.data)
  else
    line.line(wait.over_ms, "", nil, ("over after %s: its time had come"):format(after))
  end
end

local PRINT = {
  enter = function(line, entry, _, full)
    line.line(entry.at_ms, "enter", nil, entry.event ~= "{}" and "with the event" or nil)
    line.body(entry.event ~= "{}" and entry.event)
    if not full then return end
    line.more("as this person:")
    line.body(entry.profile)
  end,
  call = print_call,
  wait = print_wait,
  split = function(line, entry) line.line(entry.at_ms, "split", entry.name, "→ " .. term.one_line(entry.verdict or "?")) end,
  write = function(line, entry)
    line.line(entry.at_ms, "write", "person." .. entry.name, term.one_line("= " .. (entry.value or "null")))
  end,
  newer = function(line, entry) line.line(entry.at_ms, "reads", nil, "person: " .. term.one_line(entry.value)) end,
  redrive = function(line, entry)
    local again = entry.as_it_was and ": the last call is sent again, the same bytes under the same key"
      or entry.from_step and ": the last call is made again" or ""
    line.line(entry.at_ms, "again", nil, "an operator sent it on" .. again)
  end,
  restart = function(line, entry) line.line(entry.at_ms, "again", nil, "begins anew, with its state") line.body(entry.value) end,
}

local PAINT = { dropped = "yellow", held = "red", completed = "green", exited = "cyan" }

local function print_end(line, entry, paint)
  local why = entry.reason and ": " .. term.one_line(story.reason_words(entry.reason, entry.detail)) or ""
  line.line(entry.at_ms, "end", nil, paint[PAINT[entry.outcome] or "bold"](entry.outcome) .. why)
end

local function print_story(one, paint, flags, width)
  local line = timeline(paint, flags, width)
  for _, entry in ipairs(one.story) do
    if entry.what == "end" then print_end(line, entry, paint) else PRINT[entry.what](line, entry, paint, flags.full) end
  end
  for _, event in ipairs(one.inbox) do
    line.line(event.at_ms, "event", event.name, " came, and was not taken")
    line.body(event.json)
  end
  if not one.whole then print(INDENT .. paint.red("the rest of its journal can't be read: it is damaged")) end
end

local function title_of(run)
  local per = run.per and (" (%s)"):format(run.per) or ""
  local entry = run.entry > 1 and (", entry %d"):format(run.entry) or ""
  return term.one_line(("%s  %s%s, version %s%s"):format(run.person, run.journey, per, run.version, entry))
end

---------------------------------------------------------------------------------------------- all of it

local function sentences_of(one, about)
  local list, sent_on = { verdict.state(one.run, one.story, about) }, 0
  for i, entry in ipairs(one.story) do
    if entry.what == "redrive" then sent_on = i end
  end
  for i, entry in ipairs(one.story) do
    local said = entry.what == "call" and verdict.call(entry)
    local before = i < sent_on and entry.result == "failed" and "; that was before an operator sent it on" or ""
    if said then list[#list + 1] = said .. before end
  end
  return list
end

-- A sentence of the verdict, behind what it is about.
local function print_sentence(before, sentence, paint)
  term.say(paint.bold(before) .. term.one_line(sentence), 4)
end

-- `total` are the runs that were found; those of them that were looked at are `told`.
local function print_all(told, several, flags, text, total)
  local paint = term.paint()
  local width = term.isatty() and term.width() or 120
  local most = flags.full and total or math.min(total, RUNS_TOLD)
  for _, sentence in ipairs(several) do print_sentence("", sentence, paint) end
  for i = 1, most do
    local one = told[i]
    local name = one.run.person ~= text and term.one_line(one.run.person) .. ", " or ""
    for n, sentence in ipairs(one.sentences) do
      print_sentence(n == 1 and ("%s%s: "):format(name, term.one_line(one.run.journey)) or "  ", sentence, paint)
    end
  end
  local more = total > most and ("… and %s (--full)"):format(figures.of(total - most, "older run"))
  if more then print(more) end
  for i = 1, most do
    local one = told[i]
    print("\n" .. paint.bold(title_of(one.run)))
    print(paint.dim(("run %s, times in %s"):format(one.run.id, times.zone())))
    print_story(one, paint, flags, width)
  end
  if more then print("\n" .. more) end
end

-- The story with times in RFC 3339, and what was JSON as values.
local function exact(entry)
  local out = {}
  for name, value in pairs(entry) do
    if name:find("_ms$") and math.type(value) == "integer" and name ~= "queued_ms" then
      out[(name:gsub("_ms$", ""))] = times.rfc3339(value)
    elseif type(value) == "table" then
      out[name] = #value > 0 and json.array {} or {}
      for key, inner in pairs(value) do out[name][key] = type(inner) == "table" and exact(inner) or inner end
    else
      out[name] = value
    end
  end
  return out
end

local function utf8_only(value)
  if type(value) == "string" then
    return utf8.len(value) and value or (value:gsub("[\128-\255]", "?"))
  end
  if type(value) ~= "table" then return value end
  for key, inner in pairs(value) do value[key] = utf8_only(inner) end
  return value
end

local function print_json(told, several, text)
  local runs = {}
  for i, one in ipairs(told) do
    local run, entries, inbox = one.run, {}, {}
    for n, entry in ipairs(one.story) do entries[n] = exact(entry) end
    for n, event in ipairs(one.inbox) do inbox[n] = exact(event) end
    runs[i] = {
      person = run.person, journey = run.journey, version = run.version, run = run.id, entry = run.entry, per = run.per,
      state = run.state, element = run.element, reason = run.reason, detail = run.detail, control = run.control,
      entered = times.rfc3339(run.entered_ms), since = times.rfc3339(run.since_ms), due = times.rfc3339(run.due_ms),
      converted = times.rfc3339(run.converted_ms),
      verdict = json.array(one.sentences), story = json.array(entries), inbox = json.array(inbox),
    }
  end
  print(term.escaped(json.encode(utf8_only { query = text, verdict = json.array(several), runs = json.array(runs) })))
end

local function run(args, flags)
  local looked_at, path = selection.open_state(flags)
  local state_guard <close> = looked_at
  if flags.journey then selection.journey(looked_at, path, flags.journey) end
  local runs, shared = find(looked_at, args.person, flags.journey)
  selection.tell_removed(looked_at, flags.journey)
  if #runs == 0 then
    io.stderr:write(("jaunt: nobody in %s has the id \"%s\", or an attribute with that value\n"):format(path,
      term.harmless(args.person)))
    return 1
  end
  local about = { now = engine.now_ms(), in_use = looked_at:in_use() }
  local all = flags.json or flags.full or #runs <= LOOKED_AT
  local told = {}
  for i = 1, all and #runs or RUNS_TOLD do
    local entries, whole = story.of(looked_at, runs[i])
    told[i] = { run = runs[i], story = entries, whole = whole, inbox = looked_at:events(runs[i].run) }
    told[i].sentences = sentences_of(told[i], about)
  end
  local several = all and verdict.several(told, shared) or {}
  if flags.json then print_json(told, several, args.person) else print_all(told, several, flags, args.person, #runs) end
  return 0
end

return {
  name = "why",
  group = "look",
  summary = "Tells one person's whole story: what happened, what was sent and answered, and why they are where they are.",
  about = "PERSON is an id, or the value of any attribute such as an e-mail address, an order's number or what a script has "
    .. "written to the person; all who have it are told of. The verdict stands first, then each run as a timeline, the newest "
    .. "run first. Requests are shown as they were sent, with secrets hidden. It works while a runtime has the state.",
  usage = "PERSON [--FLAGS]",
  arguments = { { name = "person", help = "an id, or an attribute's value" } },
  flags = {
    { name = "journey", value = "JOURNEY", help = "only runs of this journey" },
    { name = "full", help = "whole bodies, and all runs" },
    { name = "json", help = "prints one JSON object, with times in RFC 3339" },
    selection.STATE_FLAG,
  },
  examples = {
    { "jaunt why ada", "by id" },
    { "jaunt why ada@example.com --full", "by an attribute, with whole bodies" },
    { "jaunt why O-7001 --journey order_update --json" },
  },
  exit = { [0] = "it was told", [1] = "nobody of that name or value is in the state", [2] = "it could not look" },
  run = run,
}
