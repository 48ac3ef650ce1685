-- jaunt repl: the prompt. See jaunt.repl.session for what runs, jaunt.repl.dots for commands with a dot.

local control = require "jaunt.native.control"
local fs = require "jaunt.native.fs"
local mistakes = require "jaunt.base.mistakes"
local project = require "jaunt.project"
local term = require "jaunt.base.term"

local SAVED_MOST = 10000 -- chunks that .save writes
local HINTED_LEAST = 3 -- letters of a name: shorter ones are near to everything
local LEAVES_AFTER = 3 -- times of Ctrl-C during one chunk: then the process is left as it is

---------------------------------------------------------------------------------------------- live

-- Shows what it means that calls are real, and wants a word typed. `ask` reads a line, shown the text. Returns whether it was
-- given.
local function confirm(found, ask, yes)
  local paint = term.paint(2)
  io.stderr:write(paint.bold(paint.red("LIVE")), "  what is typed is sent to the real vendors, and waits pass in earnest\n")
  for _, connection in ipairs((require("jaunt.project.connections").read(found))) do
    if connection.base_url then
      io.stderr:write(("  %s  %s\n"):format(term.pad(connection.name, 12), connection.base_url:match("^https?://([^/]+)")))
    end
  end
  if yes then return true end
  return ask("Type live to go on: ") == "live"
end

---------------------------------------------------------------------------------------------- a prompt

local prompt = {}
prompt.__index = prompt

local function new_session(self, live)
  return require("jaunt.repl.session").new {
    found = self.found, live = live, private_network = self.flags.private_network, secrets = self.flags.secrets,
    say = function(kind, text) self:said(kind, text) end,
    answer = function(what)
      self.clear()
      if self.asks then return self.asks(what) end
      return require("jaunt.repl.steps").answer(self, what)
    end,
    came = function(value)
      self.clear()
      print(require("jaunt.repl.out").values({ value }, self.paint))
    end,
  }
end

-- What scripts say goes out as it is where no terminal obeys it.
function prompt:said(kind, text)
  self.clear()
  if kind == "output" then
    io.stdout:write(self.shows and term.harmless(text) or text, "\n")
    io.stdout:flush()
  else
    io.stderr:write(self.paint_err.yellow(term.harmless(text)), "\n")
  end
end

local ENDED = {
  interrupted = "cancelled", exited = "the chunk has ended itself, by exit()",
  waiting = "it waits for an event that does not come: nothing else will happen in a rehearsal", dropped = "dropped", held = "held",
}

-- Shows what has come of a chunk. Returns whether it went well.
function prompt:show(told)
  if told.values then
    local text = require("jaunt.repl.out").values(told.values, self.paint)
    if text ~= "" then io.stdout:write(text, "\n") end
    io.stdout:flush()
    return true
  end
  if told.over and not (self.asks and told.over == "left") then print(self.paint.dim(term.one_line(told.over))) end
  io.stdout:flush()
  if told.over then return true end
  if told.failed then
    io.stderr:write(require("jaunt.repl.out").failed(told.failed, self.paint_err), "\n")
    local unknown = told.failed.message:match("%(global '([%w_]+)'%)")
    if unknown then self:hint(unknown) end
  elseif not (told.warned and (told.ended == "dropped" or told.ended == "held")) then
    local after = told.ended == "interrupted" and (" after %s"):format(require("jaunt.base.figures").duration(told.ms)) or ""
    for _, line in ipairs(term.wrap(ENDED[told.ended] .. after, term.width() - 1)) do
    io.stderr:write(self.paint_err.dim(line), "\n")
  end
  end
  return false
end

-- Runs a chunk and shows what comes of it: { chunk =, name =, line = }. Returns whether it went well; false, too, where it could
-- not run at all.
function prompt:run(chunk)
  self.interrupts = 0
  local spin, clear = require("jaunt.repl.out").spinner(self.shows and term.redraws(2), "Ctrl-C cancels")
  self.clear = clear
  chunk.names = self.shows
  local ok, told = pcall(self.session.run, self.session, chunk, spin)
  clear()
  if ok then
    self.gave_nil = told.values and #told.values == 1 and told.values[1].text == "nil"
    return self:show(told)
  end
  io.stderr:write(self.paint_err.red(term.harmless(mistakes.message(told))), "\n")
  return false
end

-- All names that scripts see by now: { NAME = true, or a table of what is in it }.
function prompt:names()
  local names = require("jaunt.worker.sandbox").names()
  for _, name in ipairs { "payload", "help", "person", "event", "_" } do names[name] = true end
  if self.session.person.profile then names.person = require("json").decode(self.session.person.profile) end
  for name, inner in pairs(self.session.names) do names[name] = inner end
  return names
end

-- Says which name was meant by one that nobody knows.
function prompt:hint(unknown)
  if #unknown < HINTED_LEAST then return end
  local hint = require("jaunt.base.nearest").find(unknown, require("jaunt.base.keys").sorted(self:names()))
  if hint and hint ~= unknown then io.stderr:write(self.paint_err.dim(("did you mean %s?"):format(hint)), "\n") end
end

-- Shows the help for a word. Returns whether there is some.
function prompt:tell_help(name)
  local text, why = require("jaunt.repl.help").text(name, self.paint)
  if text then print(text) else io.stderr:write(self.paint_err.red(why), "\n") end
  io.stdout:flush()
  return text ~= nil
end

-- Calls f while the terminal is as other programs want it, and signals theirs. It may do so itself.
function prompt:with_terminal(f)
  if self.is_lent then return f() end
  self.is_lent = true
  local guard <close> = setmetatable({}, { __close = function()
    self.is_lent = false
    if self.input then self.input:quiet(true) end
    self:listen()
  end })
  if self.input then self.input:quiet(false) end
  return f()
end

-- Takes a person (see jaunt.project.people) of the file `path`.
function prompt:choose(person, path)
  self.chosen = { id = person.id, events = require("jaunt.project.people").events_file(path) }
  self.session:take_person(person)
end

-- Another session in place of this one, with the same person.
function prompt:change_session(live)
  local person = self.session.person
  self.session:close()
  self.session = new_session(self, live)
  self.session:take_person(person)
end

function prompt:go_live()
  if self.session.live then return true end
  if self.attached then
    mistakes.fail("a prompt attached to a runtime stays a rehearsal: calls are real at one without --attach")
  end
  local function ask(text) return self.input:read(text) end
  if not self.shows then mistakes.fail("it asks on a terminal: jaunt repl --live --yes begins so") end
  if not confirm(self.found, ask, false) then
    print("not begun")
    return false
  end
  self:change_session(true)
  return true
end

-- From the signal's callback.
function prompt:interrupt()
  if not self.session.running then
    if self.input then self.input:interrupt() end
    return
  end
  self.interrupts = self.interrupts + 1
  if self.interrupts >= LEAVES_AFTER then
    if self.input then self.input:quiet(false) end
    control.leave(130)
  end
  self.session:interrupt()
end

function prompt:listen()
  control.on_signal("SIGINT", function() self:interrupt() end)
  for _, name in ipairs { "SIGTERM", "SIGHUP" } do
    control.on_signal(name, function()
      self.leaves = true
      if self.session.running then self.session:interrupt() end
      if self.input then self.input:finish() end
    end)
  end
end

---------------------------------------------------------------------------------------------- what is not typed

-- Chunks of a file or pipe, one after the other, to the first mistake.
local function read_through(self)
  local reading = require "jaunt.repl.reading"
  local text, first, number = nil, 1, 0
  while not self.leaves do
    local line = self.input:read()
    number = number + 1
    if not text and line and number == 1 and line:find("^#") then line = "" end
    if not text then first = number end
    local whole = line and (text and text .. "\n" .. line or line) or text
    if not whole then break end
    if line and not reading.is_command(whole) and reading.is_open(whole) then
      text = whole
    else
      text = nil
      if whole:find("%S") and not self:take(whole, "stdin", first) then return 1 end
    end
    if self.leaves or line == nil then break end
  end
  return 0
end

local HELP = { "^%s*%?%s*(%.?[%a_][%w_.]*)%s*$", "^%s*help%s*%(?%s*[\"']?([%a_][%w_.]*)[\"']?%s*%)?%s*$" }

-- What a line asks help for; nil where it does not.
local function helped_word(text)
  return text:match(HELP[1]) or text:match(HELP[2]) or text:find("^%s*help%s*%(?%)?%s*$") and "" or text:find("^%s*%?%s*$") and ""
end

-- Names that go with the chunk are a trap for who types line by line.
local function warn_of_locals(self, text)
  local names, statements = require("jaunt.repl.reading").locals(text)
  if #names == 0 or statements ~= 1 then return end
  print(self.paint.dim(("%s is gone with this line: without local it stays"):format(table.concat(names, ", "))))
end

-- A chunk or a command. Returns whether it went well.
function prompt:take(text, name, line)
  local reading = require "jaunt.repl.reading"
  local word = helped_word(text)
  if word or reading.is_command(text) then
    local ok, went_well = pcall(require("jaunt.repl.dots").run, self, word and ".help " .. word or text)
    if not ok then io.stderr:write(self.paint_err.red(term.harmless(mistakes.message(went_well))), "\n") end
    return ok and went_well
  end
  local went_well = self:run { chunk = text, name = name, line = line }
  if went_well and #self.done < SAVED_MOST then self.done[#self.done + 1] = text end
  if went_well and self.shows then
    warn_of_locals(self, text)
    local unknown = text:match("^%s*([%a_][%w_]*)%s*$")
    if unknown and self.gave_nil and not self:names()[unknown] then self:hint(unknown) end
  end
  return went_well
end

---------------------------------------------------------------------------------------------- what is typed

local function prompt_text(self, more)
  local word = self.session.live and "live" or self.attached and "attached" or "pretend"
  if more then return (" "):rep(#word - 1) .. ">> " end
  if not self.coloured then return word .. "> " end
  return ("\1\27[%sm\2%s>\1\27[0m\2 "):format(self.session.live and "1;31" or self.attached and "1;33" or "1;36", word)
end

-- A chunk, over as many lines as it needs; nil at the end, false when it was interrupted.
local function read_chunk(self)
  local reading = require "jaunt.repl.reading"
  local text = self.input:read(prompt_text(self))
  while text and not reading.is_command(text) and reading.is_open(text) do
    self.open = text .. "\n"
    local line = self.input:read(prompt_text(self, true))
    if not line then
      self.open = ""
      return line
    end
    text = text .. "\n" .. line
  end
  self.open = ""
  return text
end

-- What was typed before; returns a function that adds to it.
local function open_history(self)
  local history = require "jaunt.repl.history"
  local ok, _, needed = pcall(require("jaunt.project.connections").read, self.found)
  local file = self.flags.secrets or self.found and project.path(self.found, "secrets.env")
  return history.open(function(text) self.input:remember(text) end, history.known_secrets(file, ok and needed or {}))
end

-- Says which runtime this prompt speaks to, where it does.
local function greet_attached(self)
  local about = self.runtime
  print(("attached to process %d: %s, version %s, %s, state %s."):format(about.pid, about.journey, about.version,
    about.live and "live" or "in rehearsal", self.attached))
  print(("Commands such as .runs, .why, .step and .redrive speak of it, and what they do is noted in %s.audit; "
    .. "calls that are typed still go to pretend vendors."):format(self.attached))
end

local function greet(self)
  if self.attached then return greet_attached(self) end
  local where = self.found and ("the project in %s"):format(fs.absolute(self.found.root)) or "no project here"
  local real = self.session.live and "Calls go to the real vendors, and waits pass in earnest"
    or "Calls go to pretend vendors, and waits take no time"
  local text = ("jaunt, %s. %s; .help says what there is."):format(where, real)
  for _, line in ipairs(term.wrap(text, term.width() - 1)) do print(line) end
  local edits, why = self.input:edits()
  if not edits and self.wants_editing then print(self.paint.dim(("Lines can't be edited: %s"):format(why))) end
end

local function converse(self)
  greet(self)
  local keep = open_history(self)
  while not self.leaves do
    local text = read_chunk(self)
    if text == nil then
      if not self.leaves then print() end
      break
    end
    if text and text:find("%S") then
      if not keep(text) and not text:find("^%s") then print(self.paint.dim("not kept in the history: it may hold a secret")) end
      self:take(text, "prompt")
    end
  end
  return 0
end

---------------------------------------------------------------------------------------------- the command

local function make(flags)
  local shows = term.isatty(0) and term.isatty(1)
  local self = setmetatable({ flags = flags, shows = shows, paint = term.paint(1), paint_err = term.paint(2), clear = function() end,
    done = {}, open = "",
    found = project.find(), coloured = term.colours(1), wants_editing = os.getenv("TERM") ~= "dumb" }, prompt)
  self.session = new_session(self, flags.live)
  return self
end

-- With --attach: the state whose runtime is spoken to.
local function attach(self)
  if not self.flags.attach then return end
  if self.flags.live then mistakes.fail("--attach and --live exclude each other") end
  local path = require("jaunt.state.selection").state_path(self.flags)
  self.runtime = require("jaunt.state.control").about(path)
  if not self.runtime then mistakes.fail("no runtime has %s: without --attach, jaunt runs, why and redrive work on it", path) end
  self.attached = path
end

local function refuse_live(self)
  local function ask(text)
    if not term.isatty(0) then mistakes.fail("--live asks on a terminal; scripts give --yes") end
    io.stderr:write(text)
    io.stderr:flush()
    return io.read("l")
  end
  if self.flags.live and not confirm(self.found, ask, self.flags.yes) then mistakes.fail("not begun: that was not \"live\"") end
end

local function evaluate(self)
  self:listen()
  return self:run { chunk = self.flags.eval, name = "-e", arguments = self.arguments } and 0 or self.interrupts > 0 and 130 or 1
end

local function run(args, flags)
  local self = make(flags)
  self.arguments = args.arguments
  attach(self)
  refuse_live(self)
  local session <close> = setmetatable({}, { __close = function() self.session:close() end })
  if flags.eval then return evaluate(self) end
  local scratch <close> = setmetatable({}, { __close = function()
    if self.scratch then getmetatable(self.scratch).__close(self.scratch) end
  end })
  local edits = self.shows and self.wants_editing
  local input <close> = require("jaunt.native.prompt").open {
    edit = edits, complete = edits and require("jaunt.repl.completion").new {
      found = self.found, names = function() return self:names() end, before = function() return self.open end,
      commands = function() return require("jaunt.repl.dots").commands() end,
    }, paint = edits and self.coloured and function(line, cursor)
      return require("jaunt.repl.out").paint_line(self.open, line, cursor, self.paint)
    end or nil,
    meanwhile = self.shows and function()
      self.session:look_again(function(text) self.input:say(self.paint.dim(term.one_line(text))) end)
    end or nil,
  }
  self.input = input
  self:listen()
  return (term.isatty(0) and converse or read_through)(self)
end

return {
  name = "repl",
  group = "run",
  summary = "The prompt: what is typed runs at once, in rehearsal unless told otherwise.",
  usage = "[--FLAGS]",
  arguments = { { name = "arguments", help = "with --eval: what it gets as ...", optional = true, many = true } },
  flags = {
    { name = "eval", value = "CODE", help = "runs this instead; jaunt -e CODE is short for it" },
    { name = "attach", help = "speaks to the runtime that has the state: .runs, .why, .step, .redrive" },
    { name = "state", value = "WHERE", default_text = "sqlite:jaunt.db in the project",
      help = "with --attach: the runtime's state" },
    { name = "live", help = "calls are real from the beginning" },
    { name = "yes", help = "with --live: does not ask" },
    { name = "private-network", help = "with --live: lets calls into private networks and to this machine" },
    { name = "secrets", value = "FILE", default_text = "secrets.env in the project",
      help = "with --live: NAME=VALUE lines, readable by you alone" },
  },
  examples = {
    { "jaunt", "the prompt" },
    { "jaunt repl --attach", "speaks to a runtime" },
    { "jaunt -e 'call_api { via = \"crm\", GET = \"/contacts\" }'", "one chunk" },
    { "jaunt repl < lines.lua", "from a file, to the first mistake" },
  },
  exit = { [0] = "all went well", [1] = "a chunk that was not typed failed", [2] = "it could not run" },
  run = run,
}
