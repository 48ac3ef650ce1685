-- For specs of `jaunt run`: small projects, runs in them, and vendors to run against.

local control = require "jaunt.native.control"
local helper = require "helper"
local json = require "json"

local running = {}

local DEADLINE = 120000 -- milliseconds that a condition may take; only a failure takes as long

-- Waits until condition() gives something, and returns it; fails after a long while, with what it was waited for.
function running.wait_for(what, condition)
  local until_then = control.now_mono() + DEADLINE
  repeat
    local value = condition()
    if value then return value end
    control.sleep(5)
  until control.now_mono() > until_then
  error("waited in vain for " .. what, 2)
end

-- A fresh folder with these files: { ["journeys/x.lua"] = text }. connections.lua knows one vendor, whose address is
-- in VENDOR_URL.
function running.project(files)
  local folder = helper.temp_folder()
  helper.write_file(folder .. "/connections.lua",
    [[return { vendor = { base_url = env("VENDOR_URL", "https://vendor.example.com"), private_network = true } }]])
  for name, text in pairs(files) do helper.write_file(folder .. "/" .. name, text) end
  return folder
end

-- The shell words of `jaunt run …` in `folder`. `options` may be left out: env = { NAME = value }, input = what standard
-- input is read from (a path).
function running.words(folder, options, ...)
  local words = { "env", "-C", helper.quote(folder) }
  for name, value in pairs(options.env or {}) do words[#words + 1] = helper.quote(name .. "=" .. value) end
  words[#words + 1] = helper.jaunt_words("run", ...)
  if options.input then words[#words + 1] = "<" .. helper.quote(options.input) end
  return table.concat(words, " ")
end

-- Takes what was printed apart: report is the JSON object of --json.
local function with_report(result)
  if result.out:find("^%s*{") then result.report = json.decode(result.out) end
  return result
end

-- Runs it to its end. Returns { code =, out =, err =, report = }.
function running.run(folder, options, ...)
  if type(options) ~= "table" then return running.run(folder, {}, options, ...) end
  return with_report(helper.sh(running.words(folder, options, ...)))
end

-- Starts it; see helper.start. finish() waits for its end and returns the same as run; signal(NAME) sends one.
function running.start(folder, options, ...)
  local process = helper.start(running.words(folder, options, ...))
  function process.signal(name) assert(os.execute(("kill -%s %d"):format(name, process.pid))) end
  function process.finish()
    running.wait_for("the end of jaunt run", function() return not running.lives(process.pid) end)
    local code = process.stop("0")
    return with_report { code = code, out = helper.read_file(process.out), err = helper.read_file(process.err) }
  end
  return process
end

-- True while a process is there and has not ended (one that nobody has asked about yet counts as ended).
function running.lives(pid)
  local file = io.open(("/proc/%d/stat"):format(pid))
  if not file then return false end
  local text = file:read("a")
  file:close()
  return text ~= nil and not text:find("^%d+ %b() [ZX]")
end

local STATES = { "running", "queued", "waiting", "held", "completed", "dropped", "exited" }

-- The sum of the ledger's right side, to be compared with `entered`.
function running.ledger(report)
  local sum = 0
  for _, state in ipairs(STATES) do sum = sum + report[state] end
  return sum
end

-- The element of that name in a report.
function running.element(report, name)
  for _, element in ipairs(report.elements) do
    if element.name == name then return element end
  end
  error("there is no element " .. name .. " in the report", 2)
end

local GET = [[
local file, offset = ...
call_api { via = "vendor", GET = "/_received", save_to = file, timeout = "60s",
  query = offset and { items = "1", limit = "5000", offset = offset } or nil }]]

-- Starts `jaunt vendor` with these arguments. Returns { url =, received =, items =, stop = }: received() gives what its page
-- /_received tells, items() all that it got, page after page.
function running.vendor(...)
  local process = helper.start(helper.jaunt_words("vendor", "--quiet", ...))
  local vendor = { stop = process.stop, pid = process.pid }
  vendor.url = running.wait_for("the vendor's address", function()
    return helper.read_file(process.out):match("listening on (%S+)\n")
  end)
  local folder = running.project { ["get.lua"] = GET }

  local function get(...)
    local got = running.run(folder, { env = { VENDOR_URL = vendor.url } }, "get.lua", "got", ...)
    assert(got.code == 0, got.err)
    return json.decode(helper.read_file(folder .. "/got"))
  end

  function vendor.received() return get() end

  function vendor.items()
    local items, offset = {}, 0
    repeat
      local page = get(tostring(offset))
      table.move(page.items, 1, #page.items, #items + 1, items)
      offset = page.next_offset
    until offset == json.null
    return items
  end

  return vendor
end

return running
