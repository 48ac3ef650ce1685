-- Commands of the prompt: the command line's own with a dot before them, and those that only a prompt needs.
--
-- A command here is { summary =, usage =, run = function(at, words, rest) }: `at` is the prompt (see
-- jaunt.commands.repl), `words` the words behind the name, `rest` the same as one text. What is wrong is raised with
-- mistakes.fail.

local arguments = require "jaunt.cli.arguments"
local cli = require "jaunt.cli"
local existing = require "jaunt.base.existing"
local fs = require "jaunt.native.fs"
local help = require "jaunt.cli.help"
local keys = require "jaunt.base.keys"
local mistakes = require "jaunt.base.mistakes"
local nearest = require "jaunt.base.nearest"
local project = require "jaunt.project"
local shell = require "jaunt.base.shell"
local term = require "jaunt.base.term"

local dots = {}

local SETTLE_MS = 40 -- editors write in several steps

-- Commands of the command line that make no sense here.
local NOT_HERE = { repl = true, help = true, new = true, vendor = true, completion = true }
-- Those that look at a state, or change one: at a prompt that of what has run there.
local OF_A_STATE = {}
for name in ("why runs report redrive move end pause resume backup"):gmatch("%a+") do OF_A_STATE[name] = true end

local own = {}
dots.own = own -- those that only a prompt needs

---------------------------------------------------------------------------------------------- words

-- The words of a line: blanks part them, quotes keep together what they hold.
local function split(text)
  local words, at = {}, 1
  while true do
    at = text:find("%S", at)
    if not at then return words end
    local word = ""
    while at <= #text and not text:find("^%s", at) do
      local quote = text:match("^[\"']", at)
      local stop = quote and text:find(quote, at + 1, true)
      if quote and not stop then mistakes.fail("a %s is not closed", quote) end
      if quote then
        word, at = word .. text:sub(at + 1, stop - 1), stop + 1
      else
        local piece = text:match("^[^%s\"']+", at)
        word, at = word .. piece, at + #piece
      end
    end
    words[#words + 1] = word
  end
end

local function has_flag(words, name)
  for _, word in ipairs(words) do
    if word == "--" .. name or word:sub(1, #name + 3) == "--" .. name .. "=" then return true end
  end
  return false
end

-- The first word that is no flag and no flag's value.
local function first_argument(command, words)
  local ok, args = pcall(arguments.parse, command, words)
  local first = ok and args and command.arguments and command.arguments[1] and args[command.arguments[1].name]
  return type(first) == "string" and first or nil
end

---------------------------------------------------------------------------------------------- what runs here is kept

-- The folder of this prompt's states and files; gone at its end.
local function scratch(at)
  at.scratch = at.scratch or shell.temp_folder()
  return at.scratch.path
end

local function state_of(at, journey)
  return scratch(at) .. "/" .. journey:gsub("[^%w_.-]", "_") .. ".db"
end

-- The people of a rehearsal: the person at hand, else the project's samples. Returns a file and, where there are some,
-- that of events.
local function people_for(at)
  local samples = require "jaunt.project.people"
  local person = at.session.person
  if person.profile and at.chosen then
    local json = require "json"
    local row = json.decode(person.profile)
    if person.event_text ~= "{}" then row.event = json.decode(person.event_text) end
    local path = scratch(at) .. "/people.ndjson"
    local file = assert(io.open(path, "w"))
    file:write(json.encode(row), "\n")
    file:close()
    return path, at.chosen.events
  end
  local first = at.found and samples.files(at.found)[1]
  if not first then mistakes.fail("there are no sample people here: .run JOURNEY --people FILE") end
  return first, samples.events_file(first)
end

-- The words of `.run` as a rehearsal in a fresh state of this prompt's.
local function rehearsal_words(at, command, words)
  local journey = first_argument(command, words)
  if not journey or has_flag(words, "live") or has_flag(words, "state") or journey:find("%.lua$") then return words end
  local more = table.move(words, 1, #words, 1, {})
  local function add(...) for _, word in ipairs { ... } do more[#more + 1] = word end end
  local state = state_of(at, journey)
  for _, ending in ipairs { "", "-wal", "-shm", ".lock", ".audit" } do os.remove(state .. ending) end
  add("--state", "sqlite:" .. state)
  if not has_flag(words, "rejects") then add("--rejects", scratch(at) .. "/rejects") end
  if not has_flag(words, "people") then
    local people, events = people_for(at)
    add("--people", people)
    if events and not has_flag(words, "events") then add("--events", events) end
  end
  at.ran = state
  return more
end

-- The words of a command that looks at a state: that of the journey which ran here, or of the one that ran last.
local function state_words(at, command, words)
  if has_flag(words, "state") or at.session.live or has_flag(words, "help") then return words end
  local first = first_argument(command, words)
  local state = at.attached or first and fs.kind(state_of(at, first)) and state_of(at, first) or at.ran
  if not state then mistakes.fail("nothing has run at this prompt yet: .run JOURNEY; or --state sqlite:FILE") end
  local more = table.move(words, 1, #words, 1, {})
  table.insert(more, "--state")
  table.insert(more, "sqlite:" .. state)
  return more
end

local function with_person(at, words)
  if not at.chosen or has_flag(words, "person") or has_flag(words, "people") then return words end
  local more = table.move(words, 1, #words, 1, {})
  table.insert(more, "--person")
  table.insert(more, at.chosen.id)
  return more
end

-- A command of the command line, with what goes without saying here.
local function run_command(at, name, words)
  local command = cli.command(name)
  if name == "run" then words = rehearsal_words(at, command, words) end
  if name == "preview" then words = with_person(at, words) end
  if OF_A_STATE[name] then words = state_words(at, command, words) end
  local args, flags = arguments.parse(command, words)
  if not args then
    help.print(command)
    return true
  end
  if name == "run" and at.session.vendors then flags.vendor_behaviour = at.session.vendors:behaviour() end
  return at:with_terminal(function() return (command.run(args, flags) or 0) == 0 end)
end

---------------------------------------------------------------------------------------------- commands of the prompt

-- Shows the help for a command, with or without its dot; false where there is none of that name, or where a word of
-- scripts is called so, too.
local function tell_command(word)
  local name = word:match("^%.?(.*)$")
  local command = dots.commands()[name]
  if not command or word == name and require("jaunt.repl.help").text(name, term.paint()) then return false end
  if own[name] then
    term.rows { { "." .. name .. (command.usage and " " .. command.usage or ""), command.summary } }
  else
    help.print(command)
  end
  return true
end

own.help = {
  summary = "what there is; .help NAME tells of a word or command, ?NAME is short for it", usage = "[NAME]",
  run = function(at, words)
    if words[1] then return tell_command(words[1]) or at:tell_help(words[1]) end
    local function rows(list)
      local made = {}
      for _, name in ipairs(keys.sorted(list)) do
        made[#made + 1] = { "." .. name .. (list[name].usage and " " .. list[name].usage or ""), list[name].summary }
      end
      return made
    end
    print("What is typed is Lua, with the words of scripts: " .. table.concat(require("jaunt.repl.help").names(), ", ") .. ".")
    print(at.paint.bold("\nCommands of the prompt"))
    term.rows(rows(own))
    print(at.paint.bold("\nThose of the command line"))
    local others = {}
    for name, command in pairs(dots.commands()) do
      if not own[name] then others[name] = { summary = command.summary } end
    end
    term.rows(rows(others))
    return true
  end,
}

own.quit = { summary = "leaves; Ctrl-D does, too", run = function(at) at.leaves = true return true end }

own.person = {
  summary = "whom person, payload and .run speak of: a sample of the project", usage = "[ID]",
  run = function(at, words)
    if not words[1] then return at:run { chunk = "person", name = "prompt" } end
    local samples = require "jaunt.project.people"
    local found = at.found or project.need()
    local list, _, path = samples.named(words[1], samples.files(found), {})
    at:choose(list[1], path)
    print(("person is %s, of %s"):format(term.one_line(list[1].id), path))
    return true
  end,
}

own.step = {
  summary = "a journey element by element: shows what would be sent, and asks what is to become of it", usage = "JOURNEY",
  run = function(at, words)
    if at.attached then
      return require("jaunt.repl.held").through(at, words[1], function(name, more) return run_command(at, name, more) end)
    end
    if not words[1] then mistakes.fail(".step takes the name of a journey") end
    return require("jaunt.repl.steps").through(at, words[1])
  end,
}

own.clock = {
  summary = "the time of what is typed; moves it on: .clock +2h, .clock mon 09:00", usage = "[+DURATION | TIME]",
  run = function(at, _, rest)
    local native = require "jaunt.native.engine"
    if rest ~= "" then
      if at.session.live then mistakes.fail("the real clock can't be moved: .clock +2h works in a rehearsal") end
      if native.duration(rest) then mistakes.fail("to go on by so long, it is .clock +%s", rest) end
      local word = rest:find("^%+") and "wait" or "wait_until"
      if not at:run { chunk = ("%s(%q)"):format(word, (rest:gsub("^%+", ""))), name = "clock" } then return false end
    end
    print(native.rfc3339(at.session:now_ms()))
    return true
  end,
}

own.load = {
  summary = "runs a file here", usage = "FILE",
  run = function(at, words)
    if not words[1] then mistakes.fail(".load takes a file") end
    local path = existing.file(words[1])
    return at:run { chunk = project.read(path):gsub("^#[^\n]*", ""), name = path }
  end,
}

own.save = {
  summary = "writes what was typed, and went well, as a script", usage = "FILE",
  run = function(at, words)
    if not words[1] then mistakes.fail(".save takes a file") end
    if fs.kind(words[1]) then mistakes.fail("%s is there already", words[1]) end
    local file, why = io.open(words[1], "w")
    if not file then mistakes.fail("can't write %s", why) end
    file:write(table.concat(at.done, "\n"), #at.done > 0 and "\n" or "")
    file:close()
    print(("%s: %s"):format(words[1], require("jaunt.base.figures").of(#at.done, "chunk")))
    return true
  end,
}

own.vendor = {
  summary = "how the pretend vendors answer, in .run and .step, too: .vendor crm POST /contacts 503; "
    .. ".vendor crm POST /contacts reset; .vendor off",
  usage = "[CONNECTION METHOD /PATH STATUS|reset [BODY] | off]",
  run = function(at, words)
    if at.session.live then mistakes.fail("the vendors are real here") end
    at.session:start()
    local vendors = at.session.vendors
    if words[1] == "off" then
      vendors:clear()
      print("the pretend vendors answer as usual")
    elseif words[1] then
      if not words[4] then
        mistakes.fail(".vendor takes a connection, a method, a path and a status: .vendor crm POST /contacts 503")
      end
      local status = math.tointeger(tonumber(words[4]))
      if words[4] ~= "reset" and not (status and status >= 200 and status <= 599) then
        mistakes.fail("%s is no status from 200 to 599, nor reset", words[4])
      end
      local rule = vendors:connection(words[1]):on(words[2]:upper() .. " " .. words[3])
      if status then rule:reply(status, words[5]) else rule:reset() end
    end
    local described = vendors:described()
    for _, line in ipairs(described) do print("  " .. line) end
    if not words[1] and #described == 0 then print("the pretend vendors answer as usual") end
    return true
  end,
}

own.live = {
  summary = "shows what it means that calls are real, asks, and goes on so", run = function(at) return at:go_live() end,
}

own.pretend = {
  summary = "back to the rehearsal", run = function(at)
    at:change_session(false)
    return true
  end,
}

-- The file of a payload or journey by its name, or a path. Returns it; the name, where it is a payload's; and the path
-- of the journey of the same name, where there is one.
local function file_named(at, name)
  local found = at.found or fs.kind(name) ~= "file" and project.need()
  local sources = found and require("jaunt.project.payloads").gather(found) or {}
  if fs.kind(name) == "file" then
    for payload, source in pairs(sources) do
      if source.path and fs.absolute(source.path) == fs.absolute(name) then return name, payload end
    end
    return name
  end
  local all = project.files(found, "journeys", { lua = true })
  local journey = all[name]
  if sources[name] and not sources[name].variants then return sources[name].path, name, journey and journey.path end
  if journey then return journey.path end
  for other, source in pairs(sources) do all[other] = not source.variants or nil end
  local names = keys.sorted(all)
  local hint = nearest.hint(name, names)
  mistakes.fail("there is no payload or journey %s%s", name, hint ~= "" and hint or #names > 0
    and "; there are " .. table.concat(names, ", ") or "")
end

-- The person's editor: the first of these variables that says something.
local function editor()
  for _, name in ipairs { "VISUAL", "EDITOR" } do
    local command = os.getenv(name)
    if command and command ~= "" then return command end
  end
  return "vi"
end

-- Runs the editor on a file until it ends; saved(is_over) is called for each time that something was saved meanwhile, and
-- at the end. Fails where the editor does.
local function edit(command, path, saved)
  local control = require "jaunt.native.control"
  control.on_signal("SIGINT", function() end) -- that is the editor's
  local watcher <close>, why = require("jaunt.native.watch").open { path:match("^(.*)/") or "." }
  if not watcher then mistakes.fail("%s", why) end
  local code
  local child <close> = require("jaunt.native.process").start(command .. " " .. shell.quote(path), function(ended_with)
    code = ended_with
    watcher:wake()
  end)
  if not child then mistakes.fail("can't start %s", command) end
  local is_over
  repeat
    if not code then watcher:wait() end
    if not code then control.sleep(SETTLE_MS) end
    watcher:forget()
    is_over = code ~= nil
    saved(is_over) -- takes its time: the editor may have saved once more, and ended, meanwhile
  until is_over
  if code ~= 0 then mistakes.fail("%s ended with %d", command, code) end
end

own.edit = {
  summary = "opens a payload or journey in $EDITOR, and shows or checks it each time that it is saved", usage = "NAME",
  run = function(at, words)
    if not words[1] then mistakes.fail(".edit takes the name of a payload or a journey") end
    local path, payload, also = file_named(at, words[1])
    if also then print(("%s is a journey, too: .edit %s"):format(words[1], also)) end
    local shown, went_well, changed = fs.read(path), true, false
    -- An editor that has taken the screen keeps it: what it has saved is shown when it is over.
    local function saved(is_over)
      local text = fs.read(path)
      if text == shown or not is_over and term.gives_keys() then return end
      shown, changed = text, true
      local ok, result = pcall(run_command, at, payload and "preview" or "check", payload and { payload } or {})
      if not ok then io.stderr:write(at.paint_err.red(term.harmless(mistakes.message(result))), "\n") end
      went_well = ok and result
    end
    at:with_terminal(function() edit(editor(), path, saved) end)
    if not changed then print("unchanged") end
    return went_well
  end,
}

---------------------------------------------------------------------------------------------- all

-- All dot commands by their names.
function dots.commands()
  local all = {}
  for _, name in ipairs(cli.commands()) do
    if not NOT_HERE[name] then all[name] = cli.command(name) end
  end
  for name, command in pairs(own) do all[name] = command end
  return all
end

-- Runs a line such as ".why ada". Returns whether it went well; raises what is wrong.
function dots.run(at, line)
  local name, rest = line:match("^%s*%.([%w_%-]+)%s*(.-)%s*$")
  if not name then mistakes.fail("? stands before a word: ?call_api") end
  if own[name] then return own[name].run(at, split(rest), rest) end
  for _, known in ipairs(cli.commands()) do
    if known == name and not NOT_HERE[name] then return run_command(at, name, split(rest)) end
  end
  if NOT_HERE[name] then mistakes.fail("jaunt %s is for the command line alone", name) end
  local hint = nearest.hint(name, keys.sorted(dots.commands()), ".")
  mistakes.fail("there is no command .%s%s", name, hint ~= "" and hint or "; .help lists them")
end

return dots
