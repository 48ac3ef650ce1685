-- A system that misbehaves, for specs: what tests/support/faulty_preload.c does to the jaunt that is started with
-- `env`.
--
--   local system = faulty.new()
--   running.start(folder, { env = system.env { VENDOR_URL = … } }, …)
--   system.set("calendar_ms", 3600000)      the fields are those of the file, in words
--   system.get("syncs")
--
-- Names that end in .faulty.test are this machine's.

local helper = require "helper"

local faulty = {}

local FIELDS = {
  calendar_ms = 0, names_fail = 1, syncs_wait = 2, dies_at = 3, look_ups = 4, syncs = 5, syncs_waited = 6,
  reads_fail = 7, reads_failed = 8, reads_pass = 9,
}
local WORD, WORDS = "=i8", 10

-- A system without faults, for as many processes as are started with its environment.
function faulty.new()
  local build = assert(os.getenv("JAUNT_BUILD"), "JAUNT_BUILD has to name the build folder")
  local path = helper.write_file(helper.temp_folder() .. "/faults", string.rep(string.pack(WORD, 0), WORDS))
  local file = assert(io.open(path, "r+b"))
  file:setvbuf("no")
  local self = {}

  -- An environment for jaunt: `more`, and what preloads the faults.
  function self.env(more)
    local env = { LD_PRELOAD = build .. "/tests/faulty_preload.so", FAULTY_SYSTEM = path }
    local asan = os.getenv("ASAN_OPTIONS")
    env.ASAN_OPTIONS = (asan and asan .. ":" or "") .. "verify_asan_link_order=0" -- what is preloaded comes before it
    for name, value in pairs(more or {}) do env[name] = value end
    return env
  end

  function self.set(field, value)
    file:seek("set", FIELDS[field] * string.packsize(WORD))
    file:write(string.pack(WORD, value))
  end

  function self.get(field)
    file:seek("set", FIELDS[field] * string.packsize(WORD))
    return (string.unpack(WORD, file:read(string.packsize(WORD))))
  end

  return self
end

return faulty
