-- A state whose disk takes its time: events are read no faster than they are kept, so that a large file of them does not end
-- up in memory.

local control = require "jaunt.native.control"
local faulty = require "faulty"
local helper = require "helper"
local repairing = require "repairing"
local running = require "running"

local PEOPLE, EACH, BYTES = 50, 32, 60000

local function write_events(path)
  local file = assert(io.open(path, "wb"))
  local text = ("x"):rep(BYTES)
  for n = 1, EACH do
    for i = 1, PEOPLE do
      file:write(('{"person":"p%d","name":"noise","time":"+0s","id":%d,"data":{"text":"%s"}}\n'):format(i, n, text))
    end
  end
  for i = 1, PEOPLE do file:write(('{"person":"p%d","name":"paid","time":"+0s"}\n'):format(i)) end
  local size = file:seek("end")
  file:close()
  return size
end

-- How far a process has read a file.
local function position(pid, path)
  for fd in helper.sh(("ls /proc/%d/fd"):format(pid)).out:gmatch("%d+") do
    local link = helper.sh(("readlink /proc/%d/fd/%s"):format(pid, fd)).out
    if link == path .. "\n" then
      return function() return tonumber(helper.read_file(("/proc/%d/fdinfo/%s"):format(pid, fd)):match("pos:%s*(%d+)")) end
    end
  end
  error("the events file is not open")
end

it("events wait in their file while the state can't take them", function()
  local system = faulty.new()
  local folder = running.project { ["journeys/trip.lua"] = repairing.journey [[wait_for("paid", { within = "300d" })]] }
  local path = folder .. "/events.ndjson"
  local size = write_events(path)
  assert(os.execute("mkfifo " .. helper.quote(folder .. "/people.csv")))
  local process = running.start(folder, { env = system.env() }, "trip", "--people", "people.csv", "--state", repairing.STATE, "--events",
    "events.ndjson", "--live", "--yes", "--json", "--workers", "1")
  local people = assert(io.open(folder .. "/people.csv", "r+"))
  people:write(repairing.people(PEOPLE))
  people:flush()
  running.wait_for("people who wait", function()
    local runs = helper.sh("env -C " .. helper.quote(folder) .. " " .. helper.jaunt_words("runs", "trip", "--state", repairing.STATE,
      "--outcome", "waiting", "--json")).out
    return select(2, runs:gsub("\n", "")) == PEOPLE
  end)
  system.set("syncs_wait", 1)
  people:close() -- nobody else comes: the events do
  local read = position(process.pid, path)
  local last, since = -1, control.now_mono()
  running.wait_for("a standstill", function()
    local now = read()
    if now ~= last then last, since = now, control.now_mono() end
    return now > size // 10 and control.now_mono() - since > 1000
  end)
  assert.is_true(last < size * 2 // 3, ("%d of %d bytes were read"):format(last, size))
  system.set("syncs_wait", 0)
  local result = process.finish()
  assert.equal(PEOPLE, result.report.completed, result.err)
  assert.equal(0, result.report.lost_events)
end)
