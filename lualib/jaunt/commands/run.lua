-- jaunt run: a journey over an audience, in rehearsal or live; or a plain script. What only some runs need is loaded where
-- they need it.

local bundle = require "jaunt.project.bundle"
local connections = require "jaunt.project.connections"
local durations = require "jaunt.base.durations"
local existing = require "jaunt.base.existing"
local figures = require "jaunt.base.figures"
local fs = require "jaunt.native.fs"
local json = require "json"
local launch = require "jaunt.run.launch"
local mistakes = require "jaunt.base.mistakes"
local native = require "jaunt.native.engine"
local now_mono = require "jaunt.native.control".now_mono
local open_people = require "jaunt.native.audience".open
local progress = require "jaunt.run.progress"
local project = require "jaunt.project"
local session = require "jaunt.run.session"
local state = require "jaunt.state"
local term = require "jaunt.base.term"

local DRY_RUN_PEOPLE = 3
local LIVE_CHECKS = 0.01 -- of the rendered payloads, unless --check-payloads says another share

---------------------------------------------------------------------------------------------- before

-- FILE.rejects.EXT beside where one stands.
local function rejects_path(people)
  if people == "-" then return "rejects.txt" end
  local stem, ending = people:match("([^/]-)(%.[%w]+)$")
  return (stem or people:match("[^/]+$")) .. ".rejects" .. (ending or "")
end

local function count_people(flags)
  if flags.people == "-" or fs.kind(flags.people) ~= "file" then return nil end
  local people <close> = open_people { path = flags.people, id = flags.id }
  return people:skip()
end

local function host_of(url)
  return url:match("^https?://([^/]+)")
end

-- Shows what --live means, and wants the journey's name typed.
local function confirm_live(gathered, list, flags, count, state_file)
  local paint = term.paint(2)
  local hosts = {}
  for _, connection in ipairs(list) do
    if connection.base_url then
      hosts[#hosts + 1] = ("  %s  %s%s"):format(term.pad(connection.name, 12), host_of(connection.base_url),
        (connection.private_network or flags.private_network) and "  (private networks, too)" or "")
    end
  end
  if flags.limit and count then count = math.min(count, flags.limit) end
  io.stderr:write(paint.bold(paint.red("LIVE")), ("  %s, version %s\n"):format(gathered.name, gathered.version))
  io.stderr:write(("people from %s: %s\n"):format(flags.people, count and figures.count(count) or "not known yet"))
  io.stderr:write("connections:\n", table.concat(hosts, "\n"), "\n")
  io.stderr:write(state_file and ("The state is kept in %s: run it again after a stop, and it goes on.\n"):format(state_file)
    or "The state is kept in memory: after a stop nobody knows who was where.\n")
  if flags.yes then return end
  if not term.isatty(0) then mistakes.fail("--live wants the journey's name typed on a terminal; scripts give --yes") end
  io.stderr:write(("Type %s to begin: "):format(gathered.name))
  io.stderr:flush()
  if io.read("l") ~= gathered.name then mistakes.fail("not begun: that was not \"%s\"", gathered.name) end
end

local function warn_of_secrets(secrets, needed)
  for _, name in ipairs(needed) do
    if not secrets:has(name) then
      io.stderr:write(("warning: there is no secret %s: calls that need it will hold their people\n"):format(name))
    end
  end
end

local function moment_of(flag, text)
  local at, why = native.moment(text)
  return at or mistakes.fail("--%s: %s", flag, why)
end

local function start_of(flags)
  if flags.start then return moment_of("start", flags.start) end
  return flags.events and require("jaunt.project.events").first_time(flags.events) or native.now_ms() // 1000 * 1000
end

-- Milliseconds; nil: for ever.
local function keep_of(flags)
  if flags.keep == "forever" then return nil end
  return durations.read(flags.keep) or mistakes.fail("--keep takes a duration, such as 30d, or forever; not \"%s\"", flags.keep)
end

---------------------------------------------------------------------------------------------- a journey

local function limits_of(flags)
  return flags.limits and require("jaunt.run.conditions").limits(flags.limits) or nil
end

local function start_engine(gathered, found, flags, parts)
  return launch.engine(gathered, found, {
    workers = flags.workers or native.cores(), in_flight = flags.in_flight, seed = flags.seed, limits = limits_of(flags),
    state = parts.state, sync = flags.sync, keep_ms = parts.keep_ms, control = gathered.declared.control,
    start_ms = parts.start_ms, until_ms = flags["until"] and moment_of("until", flags["until"]),
    connections = parts.list, secrets = parts.secrets, private_network = flags.private_network, reroute = parts.reroute,
    save_below = not found and "saved" or nil, traces = flags.dry_run or flags.trace ~= nil, events = flags.events ~= nil,
  })
end

-- What a file holds of this journey already, in words: `before` is how it stood when it was opened.
local function goes_on(path, before)
  if before.entered == 0 then return ", state in " .. path end
  local under_way = before.running + before.queued + before.waiting
  return (", goes on from %s: %s entered, %s under way, %s held"):format(path, figures.of(before.entered, "person", "people"),
    figures.count(under_way), figures.count(before.held))
end

local function print_head(gathered, flags, parts, before, paused_ms)
  if flags.json then return end
  local what = flags.live and "live" or flags.dry_run and "dry run: answers come from the pretend vendor, nothing is sent"
    or "rehearsal: pretend vendors, virtual time from " .. native.rfc3339(parts.start_ms)
  local paused = paused_ms and ("; paused since %s: nobody is let in or woken until jaunt resume %s"):format(
    require("jaunt.base.times").short(paused_ms), gathered.name) or ""
  term.say(("%s, version %s (%s)%s%s"):format(gathered.name, gathered.version, what,
    parts.state and goes_on(parts.state, before) or "", paused), 2)
  io.stdout:flush()
end

local function refuse_unready(flags)
  if not flags.people then mistakes.fail("a journey needs people: --people FILE (or - for standard input)") end
  if flags.people ~= "-" then existing.file(flags.people, "people file") end
  if flags.dry_run and flags.live then mistakes.fail("--dry-run and --live exclude each other") end
  if flags.events then existing.file(flags.events, "events file") end
end

-- The events for this run, or nil; and what ends the telling of those that could not be used.
local function open_events(flags, start_ms, display)
  if not flags.events then return nil, function() end end
  local told = session.teller(display, "rejected event")
  local reader = require("jaunt.project.events").open(flags.events, start_ms, function(line, why)
    told.tell(("%s:%d: %s"):format(flags.events, line, why))
  end)
  return reader, told.finish
end

local function exit_code(flags, found)
  return flags.strict and (found.dropped > 0 or found.held > 0) and 1 or 0
end

-- Names a line of the people file.
local function place_in(path)
  return function(line)
    return path == "-" and ("standard input, line %d"):format(line) or ("%s:%d"):format(path, line)
  end
end

-- What is done with the description of each call: shown in a dry run, written to the --trace file otherwise.
local function tracer(flags, display, said)
  if flags.dry_run then
    local paint, dry = term.paint(), require "jaunt.run.dry"
    return function(text) display.say(dry.describe(text, paint), said) end
  end
  if not flags.trace then return function() end end
  local file, why = io.open(flags.trace, "wb")
  if not file then mistakes.fail("can't write the trace %s", why) end
  return function(text)
    if not file:write(text, "\n") then mistakes.fail("can't write the trace %s: is the disk full?", flags.trace) end
  end, file
end

-- What operators ask of this process while it has a state; nil without one.
local function operators(engine, display, gathered, flags, parts)
  if not parts.state then return nil end
  local about = { journey = gathered.name, version = gathered.version, live = flags.live, gather = gathered.again }
  local server, why = require("jaunt.state.control").server(parts.state, engine, about, display.say)
  if not server then
    display.say(("warning: %s: jaunt redrive, move, end, pause and resume have to wait until this process ends"):format(why))
  end
  return server
end

local function run_session(engine, people, gathered, flags, parts)
  local display = progress.new(flags.dry_run)
  local said = flags.json and io.stderr or io.stdout
  local trace, trace_file = tracer(flags, display, said)
  local trace_guard <close> = trace_file
  local incoming, finish_events = open_events(flags, parts.start_ms, display)
  local control <close> = operators(engine, display, gathered, flags, parts)
  local look_again = flags.live and parts.found and require("jaunt.run.reload").watcher(parts.found, function(payloads)
    engine:payloads(payloads)
  end, display.say, json.encode(gathered.payloads))
  local course = session.new {
    engine = engine, display = display, people = people, place = place_in(flags.people),
    control = control, journey = control and gathered.name,
    where = parts.where, exact_total = parts.count,
    limit = flags.dry_run and math.min(flags.limit or DRY_RUN_PEOPLE, DRY_RUN_PEOPLE) or flags.limit,
    events = incoming,
    stop_if = parts.stop_if, look_again = look_again, outages = flags.live,
    output = function(text) display.say(text, said) end,
    trace = trace,
  }
  local started = now_mono()
  course:on_signals()
  print_head(gathered, flags, parts, engine:found(), engine:look().paused_ms)
  course:run(flags.grace)
  finish_events()
  return {
    name = gathered.name, version = gathered.version, live = flags.live, state = parts.state, state_flag = flags.state,
    found = engine:report(), look = engine:look(), connections = engine:connections(),
    seconds = (now_mono() - started) / 1000, start_ms = parts.start_ms,
    rejected = course.rejected, rejects_file = course.rejected > 0 and parts.rejects or nil, left_out = course.left_out,
    interrupted = course.interrupted, rejected_events = incoming and incoming.rejected or 0,
  }
end

local function run_journey(gathered, found, flags)
  refuse_unready(flags)
  local parts = { start_ms = start_of(flags), rejects = flags.rejects or rejects_path(flags.people), found = found,
    where = flags.where and require("jaunt.base.where").people(flags.where),
    stop_if = flags.stop_if and require("jaunt.run.conditions").stop_if(flags.stop_if) }
  parts.state = state.file(flags.state, flags.live, found)
  parts.keep_ms = keep_of(flags)
  local list, needed = connections.read(found)
  local pretend
  if flags.live then
    parts.count = count_people(flags)
    confirm_live(gathered, list, flags, parts.count, parts.state)
  else
    pretend = launch.vendor(found, {
      seed = flags.seed, latency = flags.vendor_latency, fail = flags.vendor_fail, reset = flags.vendor_reset,
      behaviour = flags.vendor_behaviour, -- from the prompt alone: what its .vendor was told
    })
    parts.reroute = pretend:url()
  end
  local vendor_guard <close> = pretend
  parts.list, parts.secrets = list, launch.secrets(gathered, found, parts.reroute, flags.secrets)
  if flags.live then warn_of_secrets(parts.secrets, needed) end
  local people <close> = open_people { path = flags.people, id = flags.id, rejects = parts.rejects }
  local engine <close> = start_engine(gathered, found, flags, parts)
  local outcome = run_session(engine, people, gathered, flags, parts)
  local report = require "jaunt.run.report"
  if flags.json then print(report.json(outcome)) else report.print(outcome) end
  if outcome.look.paused then
    io.stderr:write("admission was paused: 20 people are held by script errors; mend the script and run it again\n")
  end
  return exit_code(flags, outcome.found)
end

---------------------------------------------------------------------------------------------- a plain script

local function run_script(gathered, found, flags)
  local engine <close> = launch.engine(gathered, found, {
    in_flight = flags.in_flight, seed = flags.seed, limits = limits_of(flags), start_ms = native.now_ms(),
    secrets = launch.secrets(gathered, found, nil, flags.secrets), private_network = flags.private_network, save_below = ".",
  })
  local display = progress.new(true)
  local course = session.new {
    engine = engine, display = display,
    output = function(text) print(text) io.stdout:flush() end, exact = true,
    trace = function() end,
    warning = "jaunt: ", outages = true,
  }
  course:on_signals()
  engine:admit(gathered.name, "{}", "{}")
  course:run(flags.grace)
  local ended = engine:report()
  return (ended.held > 0 or ended.dropped > 0) and 1 or course.interrupted and 130 or 0
end

---------------------------------------------------------------------------------------------- the command

local function run(args, flags)
  local path, found = project.script(args.journey)
  local gathered = bundle.gather(path, found, args.arguments, flags.check_payloads or (flags.live and LIVE_CHECKS or 1))
  if gathered.kind == "script" then return run_script(gathered, found, flags) end
  if #args.arguments > 0 then mistakes.fail("a journey takes no arguments: %s", args.arguments[1]) end
  return run_journey(gathered, found, flags)
end

return {
  name = "run",
  group = "run",
  summary = "Sends people through a journey, in rehearsal unless told --live; or runs a plain script.",
  about = "A rehearsal sends every call to pretend vendors on loopback, and its waits take no time. At the end stand the "
    .. "funnel, the ledger, and a forecast of how it would go in earnest.\n\n"
    .. "People come as CSV, TSV, NDJSON or a JSON array. A row that cannot be used is told with its line and kept in a "
    .. "rejects file. A script without a journey in it is run once, and its calls are real.",
  usage = "JOURNEY --people FILE [--FLAGS] | SCRIPT.lua [ARGUMENTS]",
  arguments = {
    { name = "journey", help = "a journey of the project, or the path of a script", holds = { "journey", "file" } },
    { name = "arguments", help = "what a plain script gets as ...", optional = true, many = true, holds = "file" },
  },
  flags = {
    { name = "people", value = "FILE", help = "the audience; - is standard input" },
    { name = "id", value = "COLUMN", default_text = "id", help = "the column that holds the id" },
    { name = "events", value = "FILE", help = "events for these people: NDJSON in the order of their times" },
    { name = "live", help = "the real thing: real vendors, real waits" },
    { name = "yes", help = "with --live: does not ask" },
    { name = "dry-run", help = "prints what would be sent for three people; sends nothing" },
    { name = "limit", value = "N", kind = "integer", min = 1, help = "lets N more people in" },
    { name = "where", value = "EXPR", help = "only people for whom this Lua expression is true: 'country == \"DE\"'" },
    { name = "stop-if", value = "COND", help = "stops when it becomes true: 'dropped > 5%', 'held > 10'" },
    { name = "in-flight", value = "N", kind = "integer", min = 1, default = 1000,
      help = "admission waits while so many runs are not waiting" },
    { name = "workers", value = "N", kind = "integer", min = 1, max = 256, default_text = "cores", help = "threads" },
    { name = "seed", value = "N", kind = "integer", help = "fixes names, keys and the pretend vendors' faults" },
    { name = "start", value = "TIME", default_text = "now", help = "when a rehearsal begins: \"2026-11-25 09:00\"" },
    { name = "state", value = "WHERE", default_text = "memory:; with --live sqlite:jaunt.db in the project",
      help = "where the state is kept: memory: or sqlite:FILE, which goes on where it was", suggests = { "memory:" } },
    { name = "sync", value = "MODE", choices = { "full", "normal" }, default_text = "full",
      help = "of a state file: normal is faster, and power loss may lose the last moment" },
    { name = "keep", value = "DURATION", default = "30d",
      help = "ended runs older than that are taken out of a state file; forever keeps them", suggests = { "forever" } },
    { name = "until", value = "TIME", help = "a rehearsal's clock goes no further: who waits longer waits" },
    { name = "rejects", value = "FILE", default_text = "beside you", help = "where rows that cannot be used go" },
    { name = "check-payloads", value = "SHARE", kind = "percent", default_text = "100% in a rehearsal, 1% live",
      help = "how many of the payloads are looked at after rendering: whether they are JSON, and keep to their schema" },
    { name = "private-network", help = "lets all calls into private networks and to this machine, not only those of "
      .. "connections that say so" },
    { name = "secrets", value = "FILE", default_text = "secrets.env in the project",
      help = "NAME=VALUE lines, readable by you alone" },
    { name = "grace", value = "DURATION", kind = "duration", default = 10000, default_text = "10s",
      help = "for calls under way when it is stopped" },
    { name = "vendor-latency", value = "DURATION", kind = "duration", default = 0, default_text = "none",
      help = "how long the pretend vendors take" },
    { name = "vendor-fail", value = "SHARE", kind = "percent", default = 0, default_text = "none",
      help = "how many attempts they answer with 503" },
    { name = "vendor-reset", value = "SHARE", kind = "percent", default = 0, default_text = "none",
      help = "how many attempts they cut off" },
    { name = "trace", value = "FILE", help = "writes each request there, one JSON object a line; secrets hidden" },
    { name = "limits", value = "LIST", default_text = "run_memory=16MiB slice_time=250ms …",
      help = "what a script may use: run_memory, worker_memory, text, slice_time, pattern_steps, coroutines, elements, inbox" },
    { name = "strict", help = "exits with 1 when somebody was dropped or held" },
    { name = "json", help = "prints one JSON object at the end instead" },
  },
  examples = {
    { "jaunt run welcome --people scripts/people/newcomers.csv", "rehearses" },
    { "jaunt run welcome --people new.csv --dry-run", "shows what three people would be sent" },
    { "jaunt run win_back --people - --live --limit 100", "the real thing, for a hundred people" },
    { "jaunt run examples/plain_script.lua", "an asynchronous program" },
  },
  exit = { [0] = "it ran", [1] = "somebody was dropped or held (--strict), or a plain script failed",
    [2] = "it could not run" },
  run = run,
}
