-- What a signal does in mid-run: nobody else comes in, calls under way get the grace, those that are cut are told as
-- unfinished and never as dropped, and all is told at the end. A second one ends it at once.

local control = require "jaunt.native.control"
local fault = require "fault"
local fs = require "jaunt.native.fs"
local helper = require "helper"
local running = require "running"

local folder = running.project {
  ["journeys/slow.lua"] = [[
    return journey "slow" { starts_on = "came", flow = function(person)
      call_api "question" { via = "vendor", POST = "/ask", json = { id = person.id } }
      call_api "second question" { via = "vendor", POST = "/ask", json = { id = person.id, again = true } }
    end }]],
  ["journeys/eager.lua"] = [[
    return journey "eager" { starts_on = "came", flow = function(person)
      call_api "question" { via = "vendor", POST = "/ask", json = { id = person.id }, retry = { attempts = 4, base = "1ms", cap = "1ms" } }
    end }]],
  ["journeys/sleepy.lua"] = [[
    return journey "sleepy" { starts_on = "came", flow = function(person)
      print("met " .. person.id)
      wait "3d"
      call_api "question" { via = "vendor", POST = "/ask", json = { id = person.id } }
    end }]],
}

local people = {}
for i = 1, 500 do people[i] = "p" .. i end
local PEOPLE = helper.write_file(folder .. "/people.csv", "id\n" .. table.concat(people, "\n") .. "\n")

local IN_FLIGHT = 20

-- A run of a journey against a vendor at `url`, once `requests` says that calls of all whom the window lets in have come there.
local function held_up_at(journey, url, requests, ...)
  local process = running.start(folder, { env = { VENDOR_URL = url } }, journey, "--people", PEOPLE, "--state", "memory:", "--live",
    "--yes", "--json", "--in-flight", tostring(IN_FLIGHT), "--workers", "2", ...)
  running.wait_for("the calls", function() return requests() >= IN_FLIGHT end)
  return process
end

-- The same against a vendor that does not answer in time.
local function held_up(...)
  local vendor = running.vendor("--latency", "10m")
  return held_up_at("slow", vendor.url .. "/vendor", function() return vendor.received().requests end, ...), vendor
end

-- Whatever happens: all are somewhere, nobody was dropped for it, and what was sent is what the vendor got.
local function adds_up(result, vendor)
  local report = result.report
  assert.is_table(report, result.err)
  assert.equal(0, result.code)
  assert.is_true(report.interrupted)
  assert.equal(IN_FLIGHT, report.entered)
  assert.equal(report.entered, running.ledger(report))
  assert.equal(0, report.dropped)
  assert.equal(0, report.held)
  for _, element in ipairs(report.elements) do
    assert.equal(0, element.dropped)
    assert.same({}, element.reasons)
  end
  vendor.stop()
  return report
end

-- What a process has had of the processors' time, in hundredths of a second.
local function processor_ticks(pid)
  local user, system = helper.read_file(("/proc/%d/stat"):format(pid)):match("^%d+ %b() %S" .. (" %S+"):rep(10) .. " (%d+) (%d+)")
  return tonumber(user) + tonumber(system)
end

-- Whether all threads of a process sleep: none has anything before it that it knows of.
local function sleeps(pid)
  for _, thread in ipairs(fs.list(("/proc/%d/task"):format(pid))) do
    if helper.read_file(("/proc/%d/task/%s/stat"):format(pid, thread)):match("^%d+ %b() (%a)") ~= "S" then return false end
  end
  return true
end

-- Interrupts a process, and waits until its workers know: the word about the grace is told before they are.
local function begin_grace(process)
  process.signal("INT")
  running.wait_for("the word about the grace", function()
    return helper.read_file(process.err):find("Ctrl-C again", 1, true) and sleeps(process.pid) and sleeps(process.pid)
  end)
end

describe("a signal in mid-run", function()
  for _, signal in ipairs { "INT", "TERM", "HUP" } do
    it("cuts calls when their grace is over, and tells them as unfinished: SIG" .. signal, function()
      local process, vendor = held_up("--grace", "200ms")
      process.signal(signal)
      local report = adds_up(process.finish(), vendor)
      assert.equal(IN_FLIGHT, report.unfinished)
      assert.equal(IN_FLIGHT, report.running + report.queued)
      assert.equal(0, report.completed)
      assert.matches(signal == "INT" and "interrupted: no more people" or "told to stop: no more people",
        helper.read_file(process.err))
    end)
  end

  -- All calls of a journey are answered with this status once the grace has begun. Returns the report.
  local function answered_within_the_grace(journey, status)
    local server, path = fault.start(), "/held/" .. status
    local function requests() return server.count(path .. "/ask") end
    local process = held_up_at(journey, server.url(path), requests, "--grace", "10m")
    begin_grace(process)
    server.ask "/let-go"
    local result = process.finish()
    assert.equal(IN_FLIGHT, requests())
    return adds_up(result, server)
  end

  it("lets calls end that do so within the grace, and begins none after them", function()
    local report = answered_within_the_grace("slow", 200)
    assert.equal(0, report.unfinished)
    assert.equal(IN_FLIGHT, report.calls)
    assert.equal(IN_FLIGHT, running.element(report, "question").went_on)
    assert.equal(0, report.completed)
  end)

  it("tries no call again within the grace, nor waits for that", function()
    local report = answered_within_the_grace("eager", 503)
    assert.equal(IN_FLIGHT, report.unfinished)
    assert.equal(IN_FLIGHT, report.attempts)
  end)

  it("rests while it waits for their answers", function()
    local process, vendor = held_up("--grace", "10m")
    begin_grace(process)
    local before = processor_ticks(process.pid)
    control.sleep(2000)
    assert.is_true(processor_ticks(process.pid) - before < 20) -- of a hundred a second, for each worker
    process.signal("INT")
    adds_up(process.finish(), vendor)
  end)

  it("ends at once when it comes twice, with the ledger", function()
    local process, vendor = held_up("--grace", "10m")
    begin_grace(process)
    process.signal("INT")
    local report = adds_up(process.finish(), vendor)
    assert.equal(IN_FLIGHT, report.unfinished)
  end)

  -- A worker whose thread stands still: TLS reads its certificates from a pipe that is open for writing, and nothing comes.
  local function stuck(...)
    local vendor = running.vendor()
    local project = running.project {
      ["connections.lua"] = ([[return { vendor = { base_url = "https://%s", private_network = true, ca_file = "pipe" } }]])
        :format(vendor.url:match("//(.*)")),
      ["journeys/stuck.lua"] = [[return journey "stuck" { flow = function(person)
        print("met " .. person.id)
        call_api "question" { via = "vendor", GET = "/ask" }
      end }]],
      ["script.lua"] = [[print "begun" call_api "question" { via = "vendor", GET = "/ask" }]],
      ["people.csv"] = "id\nada\nbob\n",
    }
    assert(os.execute("mkfifo " .. project .. "/pipe"))
    local process = running.start(project, {}, ...)
    local writer = helper.start(("sh -c %s"):format(helper.quote(("exec 3>%s/pipe; echo open; exec sleep 600"):format(project))))
    running.wait_for("the worker at the pipe", function() return helper.read_file(writer.out) == "open\n" end)
    return process, vendor
  end

  local function interrupt(process, told)
    process.signal("INT")
    running.wait_for(told, function() return helper.read_file(process.err):find(told, 1, true) end)
  end

  local STUCK = { "stuck", "--people", "people.csv", "--state", "memory:", "--live", "--yes", "--json", "--workers",
    "1", "--grace", "10m" }

  it("ends when it comes twice although a worker stands still, with what is known", function()
    local process, vendor = stuck(table.unpack(STUCK))
    interrupt(process, "Ctrl-C again: none")
    interrupt(process, "asked again")
    local result = process.finish()
    vendor.stop()
    assert.equal(0, result.code, result.err)
    assert.equal(2, result.report.entered)
    assert.equal(2, running.ledger(result.report))
    assert.equal(2, result.report.running)
    assert.matches("a worker does not come to its end", result.err)
  end)

  it("ends a plain script whose worker stands still, and speaks of no people", function()
    local process, vendor = stuck("--grace", "10m", "script.lua")
    interrupt(process, "Ctrl-C again: none")
    interrupt(process, "asked again")
    local result = process.finish()
    vendor.stop()
    assert.equal(130, result.code, result.err)
    assert.matches("interrupted: calls under way get 10m", result.err)
    assert.not_matches("people;", result.err)
  end)

  it("ends without a word when it comes a third time", function()
    local process, vendor = stuck(table.unpack(STUCK))
    interrupt(process, "Ctrl-C again: none")
    interrupt(process, "asked again")
    process.signal("INT")
    local result = process.finish()
    vendor.stop()
    assert.equal(130, result.code, result.err)
    assert.equal("", result.out)
  end)

  it("prints the funnel and the ledger for people, too", function()
    local vendor = running.vendor("--latency", "10m")
    local process = running.start(folder, { env = { VENDOR_URL = vendor.url .. "/vendor" } }, "slow", "--people",
      PEOPLE, "--state", "memory:", "--live", "--yes", "--grace", "10ms", "--in-flight", "20", "--workers", "1")
    running.wait_for("the calls", function() return vendor.received().requests >= 20 end)
    process.signal("INT")
    local result = process.finish()
    vendor.stop()
    assert.equal(0, result.code)
    assert.matches("question +20 +0 +0 +0\n", result.out)
    assert.matches("ledger    20 entered = %d+ running %+ %d+ queued %+ 0 waiting %+ 0 held %+ 0 completed %+ 0 dropped %+ 0 exited\n",
      result.out)
    assert.matches("20 unfinished", result.out)
  end)

  it("leaves those who wait where they are", function()
    local process = running.start(folder, { env = { VENDOR_URL = "http://127.0.0.1:9" } }, "sleepy", "--people", PEOPLE,
      "--state", "memory:", "--live", "--yes", "--json", "--workers", "2")
    running.wait_for("the last person", function() return helper.read_file(process.err):find("met p500\n", 1, true) end)
    process.signal("INT")
    local report = process.finish().report
    assert.equal(500, report.entered)
    assert.equal(500, running.ledger(report))
    assert.equal(500, report.waiting + report.running)
    assert.equal(0, report.calls)
  end)

  it("leaves no process behind", function()
    local process, vendor = held_up("--grace", "10ms")
    process.signal("TERM")
    adds_up(process.finish(), vendor)
    for _, pid in ipairs(require "jaunt.native.fs".list("/proc")) do
      local file = pid:find("^%d+$") and io.open("/proc/" .. pid .. "/cmdline")
      local words = file and file:read("a") or ""
      if file then file:close() end
      assert.is_nil(words:find(folder, 1, true), words)
    end
  end)

  it("stops a run when a condition that was asked for becomes true", function()
    local result = running.run(folder, {}, "slow", "--people", PEOPLE, "--stop-if", "completed > 3", "--in-flight", "5",
      "--workers", "1", "--json", "--vendor-latency", "50ms")
    assert.equal(0, result.code)
    assert.is_true(result.report.interrupted)
    assert.is_true(result.report.completed > 3)
    assert.is_true(result.report.entered < 500)
    assert.equal(result.report.entered, running.ledger(result.report))
    assert.matches("stopped, because completed > 3", result.err)
  end)
end)
