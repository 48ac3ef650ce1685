-- Starts what a run needs: the engine with its connections and secrets, and the pretend vendor of a rehearsal. Whoever
-- runs scripts begins here: jaunt run, specs, previews and the prompt.

local connections = require "jaunt.project.connections"
local native = require "jaunt.native.engine"
local project = require "jaunt.project"

local launch = {}

-- Starts the pretend vendor, which answers as the vendor.lua of the project `found` says (nil: as without one), or as
-- another file does. options: behaviour = that file, seed (1), latency, fail, reset: see jaunt.native.vendor. stop()
-- ends it.
function launch.vendor(found, options)
  return require("jaunt.native.vendor").start {
    port = 0, behaviour = options.behaviour or project.vendor_file(found), seed = options.seed or 1,
    latency = options.latency, fail = options.fail, reset = options.reset,
  }
end

-- The secrets of a run: made up where calls go to pretend vendors (at the URL `reroute`), otherwise those of the
-- environment and of `file` (see jaunt.project.connections). What the scripts ask for is noted before they run, so that
-- env() never tells it.
function launch.secrets(gathered, found, reroute, file)
  local secrets = connections.secrets(reroute ~= nil, found, file)
  for _, name in ipairs(gathered.secrets) do secrets:need(name) end
  return secrets
end

-- Starts an engine for what jaunt.project.bundle gathered: kind, name, version, text, secrets, and for a journey
-- declared. `found` is its project, or nil. options are those of jaunt.native.engine's start, passed on as they are;
-- what they leave open is as the journey declares it, or as a rehearsal has it: one worker, a virtual clock, no control
-- group, files in the project's saved/. Some have a meaning here:
--   reroute          the URL of the pretend vendor where calls go, but for connections that are rerouted already; without it
--                    they are real, and so are clock and secrets
--   connections      a list from jaunt.project.connections.read; without it the project's are read
--   secrets          from launch.secrets; without it they are made
--   private_network  lets all connections reach private networks
-- Returns the engine, to be closed.
function launch.engine(gathered, found, options)
  local declared = gathered.declared or {}
  local all = {
    journey = gathered.name, version = gathered.version, bundle = gathered.text, plain = gathered.kind ~= "journey",
    workers = 1, virtual = options.reroute ~= nil, reentry_ms = declared.reentry_ms, per = declared.per, control = 0,
    save_below = found and project.path(found, "saved") or ".",
  }
  for name, value in pairs(options) do all[name] = value end
  local list = all.connections or connections.read(found)
  if all.reroute then connections.reroute(list, all.reroute) end
  all.secrets = all.secrets or launch.secrets(gathered, found, all.reroute)
  all.connections = connections.make(list, all.secrets, options.private_network)
  return native.start(all)
end

return launch
