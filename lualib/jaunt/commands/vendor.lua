-- jaunt vendor: a pretend vendor on loopback, until Ctrl-C.

local existing = require "jaunt.base.existing"
local native = require "jaunt.native.control"
local vendor = require "jaunt.native.vendor"

local LOOK_EVERY, TELL_EVERY = 100, 5000 -- milliseconds

-- What is told of the counts, in this order; those that are nothing are left out, but for the first two.
local TOLD = {
  { "requests", "received" }, { "accepted", "accepted" }, { "refused", "refused" },
  { "failed", "failed as asked for" }, { "reset", "reset as asked for" },
  { "lost", "of these after they were processed" }, { "repeats", "repeats of an accepted key" },
  { "doubles", "accepted again for want of a key" }, { "two_bodies", "of a key that came with another body" },
  { "errors", "errors in the behaviour" },
}

local function describe(counts)
  local parts = {}
  for i, told in ipairs(TOLD) do
    local n = counts[told[1]]
    if i <= 2 or n > 0 then parts[#parts + 1] = ("%s: %d"):format(told[2], n) end
  end
  return table.concat(parts, ", ")
end

local function say(text)
  print(text)
  io.stdout:flush()
end

-- Says where it listens, once a signal ends it in its own way, and waits for one; tells the counts now and then, when there is
-- something new, unless it is to be quiet.
local function listen(running, quiet)
  local stopped, told, waited = false, 0, 0
  local function stop() stopped = true end
  for _, name in ipairs { "SIGINT", "SIGTERM", "SIGHUP" } do native.on_signal(name, stop) end
  say("vendor listening on " .. running:url())
  while not stopped do
    native.sleep(LOOK_EVERY)
    waited = waited + LOOK_EVERY
    if not quiet and waited >= TELL_EVERY then
      local counts = running:counts()
      if counts.requests ~= told then say(describe(counts)) end
      told, waited = counts.requests, 0
    end
  end
end

local function run(_, flags)
  if flags.behaviour then existing.file(flags.behaviour, "behaviour file") end
  local running <close> = vendor.start {
    port = flags.port, latency = flags.latency, fail = flags.fail, reset = flags.reset, seed = flags.seed,
    behaviour = flags.behaviour,
  }
  listen(running, flags.quiet)
  say(describe(running:counts()))
  return 0
end

return {
  name = "vendor",
  group = "run",
  summary = "Runs a pretend vendor that answers every path, fails when told to, and remembers what it was sent.",
  about = "It listens on 127.0.0.1 until Ctrl-C, and then tells what came. The first segment of a path is a "
    .. "connection's name: CRM_URL=http://127.0.0.1:PORT/crm sends the connection crm there.\n\n"
    .. "GET /_received tells the counts, with ?items=1 also the requests, with ?key=K what came under that idempotency "
    .. "key; POST /_reset forgets all. Faults are drawn from seed, idempotency key and attempt: the same seed gives the "
    .. "same ones in any order. Half of the resets come before a request is processed, half after.",
  flags = {
    { name = "port", value = "N", kind = "integer", default = 0, default_text = "a free one", min = 0, max = 65535,
      help = "where to listen" },
    { name = "latency", value = "DURATION", kind = "duration", default = 0, default_text = "none",
      help = "how long each answer takes" },
    { name = "fail", value = "SHARE", kind = "percent", default = 0, default_text = "none",
      help = "how many attempts are answered with 503" },
    { name = "reset", value = "SHARE", kind = "percent", default = 0, default_text = "none",
      help = "how many attempts get their connection reset instead of an answer" },
    { name = "seed", value = "N", kind = "integer", default = 1, help = "what the faults are drawn from" },
    { name = "behaviour", value = "FILE", help = "a Lua file that says how paths answer, such as scripts/vendor.lua" },
    { name = "quiet", help = "tells nothing between the first line and the last" },
  },
  examples = {
    "jaunt vendor --port 8080 --behaviour scripts/vendor.lua",
    { "jaunt vendor --latency 20ms --fail 2% --reset 0.5% --seed 7", "a vendor with bad days" },
    { "curl 'http://127.0.0.1:8080/_received?items=1'", "what it was sent" },
  },
  exit = { [0] = "it was ended", [2] = "it could not start" },
  run = run,
}
