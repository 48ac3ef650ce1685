-- Calls that were sent and of which nobody knows whether they were done: they are made anew by no mistake. Vendors come
-- and go at one address, and tell what they were sent.

local fault = require "fault"
local helper = require "helper"
local json = require "json"
local repairing = require "repairing"
local running = require "running"

local STATE = repairing.STATE

local server -- for an address at which nobody else can be

setup(function() server = fault.start() end)
teardown(function() server.stop() end)

local function words(project, text)
  helper.write_file(project.folder .. "/payloads/words.lua",
    ("return function(person) return { id = person.id, words = %q } end"):format(text))
end

-- A project that makes one call for each of `count` people, and an address to make it to. `fields` are more of the call's.
local function one_call(fields, count, others)
  local project = repairing.project(([[
    local r = call_api "hello" { via = "vendor", POST = "/hello", payload = "words", retry = { attempts = 1 }, %s }
    if r.unknown then call_api "asked" { via = "vendor", POST = "/asked", json = { id = person.id } } end
  ]]):format(fields or ""), { count = count, fields = others })
  words(project, "old")
  local self = { project = project, env = { VENDOR_URL = server.url("/vendor", "refused") } }

  -- A vendor at the address, until it is stopped.
  function self.vendor(...) return running.vendor("--port", server.refused, ...) end

  function self.run(...)
    local result = project.run_live(self.env, ...)
    assert(result.report, result.err)
    assert.equal(result.report.entered, running.ledger(result.report))
    return result.report, result
  end

  function self.redrive(...) return project.command("redrive", "trip", "--state", STATE, "--yes", ...) end

  -- Runs until the vendor has a call of everybody, and is killed, or ended as `signal` says.
  function self.run_until_called(vendor, signal)
    local process = project.live(self.env)
    running.wait_for("the calls", function() return vendor.received().requests >= (count or 8) end)
    process.signal(signal or "KILL")
    return process.finish()
  end
  return self
end

-- What a vendor got at a path: { PERSON = { key =, body =, words =, accepted = how often } }. Fails where somebody's calls differ.
local function got(vendor, path)
  local found = {}
  for _, item in ipairs(vendor.items()) do
    if item.path:find(path, 1, true) then
      local body = json.decode(item.body)
      local before = found[body.id]
      assert(not before or (before.key == item.key and before.body == item.body), "one person's calls differ")
      local accepted = item.accepted + (before and before.accepted or 0)
      found[body.id] = { key = item.key, body = item.body, words = body.words, accepted = accepted }
    end
  end
  return found
end

-- Everybody is dropped by a call that was cut off after it was sent. Returns what the vendor got.
local function all_cut_off(trial)
  local vendor = trial.vendor("--reset", "100%")
  local report = trial.run()
  assert.equal(8, report.dropped)
  local sent = got(vendor, "/hello")
  vendor.stop()
  return sent
end

local NOT_KNOWN = "whether its call was done is not known: --unknown sends it again, the same bytes under the same key"

describe("a run that was dropped by a call of which nobody knows whether it was done", function()
  it("is not redriven, which is counted and told", function()
    local trial = one_call()
    all_cut_off(trial)
    local told, result = trial.redrive("--dry-run")
    assert.equal(1, result.code)
    assert.equal(0, told.done)
    local done
    done, result = trial.redrive()
    assert.equal(1, result.code)
    assert.equal(0, done.done)
    for _, one in ipairs { told, done } do
      assert.equal(1, #one.refused)
      assert.equal(8, one.refused[1].count)
      assert.equal(NOT_KNOWN, one.refused[1].why)
    end
    local text = trial.project.jaunt("redrive", "trip", "--state", STATE, "--yes").out
    assert.is_truthy(text:find("8 were refused: " .. NOT_KNOWN, 1, true), text)
    assert.equal(8, select(2, trial.project.where()).dropped)
  end)

  it("is sent the same bytes under the same key with --unknown, whatever the payload says by now", function()
    local trial = one_call()
    local sent = all_cut_off(trial)
    words(trial.project, "new")
    local told = trial.redrive("--unknown", "--dry-run")
    assert.equal(8, told.done)
    assert.equal(8, trial.redrive("--unknown").done)
    local audit = helper.read_file(trial.project.folder .. "/state.db.audit")
    assert.is_truthy(audit:find('"command":"redrive --unknown"', 1, true), audit)
    local vendor = trial.vendor()
    local report = trial.run()
    assert.equal(8, report.completed)
    for id, item in pairs(got(vendor, "/hello")) do
      assert.equal(sent[id].key, item.key)
      assert.equal(sent[id].body, item.body)
      assert.equal("old", item.words)
    end
    local hello = running.element(report, "hello")
    assert.equal(16, hello.reached)
    assert.equal(8, hello.went_on)
    assert.equal(8, hello.dropped)
    assert.equal(8, hello.reasons.redriven)
    local later = trial.project.command("report", "trip", "--state", STATE, "--since", "1h")
    for _, name in ipairs { "reached", "went_on", "dropped" } do
      assert.equal(hello[name], running.element(later, "hello")[name], name)
    end
    vendor.stop()
  end)

  it("is sent them at once by a runtime that has the state", function()
    local trial = one_call(nil, 3)
    local journey = trial.project.folder .. "/journeys/trip.lua"
    helper.write_file(journey, (helper.read_file(journey):gsub("local r =", "if person.id == 'p3' then wait '2d' end\n%0")))
    local vendor = trial.vendor("--reset", "100%")
    local process = trial.project.live(trial.env, function(_, counts) return counts.dropped == 2 and counts.waiting == 1 end)
    assert.equal(0, trial.redrive().done)
    words(trial.project, "new")
    local told = trial.redrive("--unknown")
    assert.equal(2, told.done)
    assert.is_true(told.live > 0)
    running.wait_for("the calls", function() return vendor.received().requests == 4 end)
    trial.project.wait_for(function(_, counts) return counts.dropped == 2 end)
    process.signal "INT"
    process.finish()
    got(vendor, "/hello") -- which looks that they don't differ
    assert.equal(0, vendor.received().two_bodies)
    vendor.stop()
  end)

  it("is rendered anew, under another key, once the vendor has refused it", function()
    local trial = one_call()
    local sent = all_cut_off(trial)
    words(trial.project, "new")
    trial.redrive("--unknown")
    local refusing = helper.write_file(trial.project.folder .. "/no.lua", repairing.behaviour { ["POST /hello"] = { p1 = 422 } })
    local vendor = trial.vendor("--behaviour", refusing)
    assert.equal(7, trial.run().completed)
    vendor.stop()
    assert.equal(1, trial.redrive().done)
    vendor = trial.vendor()
    assert.equal(8, trial.run().completed)
    local item = got(vendor, "/hello").p1
    assert.not_equal(sent.p1.key, item.key)
    assert.equal("new", item.words)
    vendor.stop()
  end)

  it("stays so through a vendor's \"not now\", which says nothing of the attempt before", function()
    local trial = one_call("on_failure = 'hold'")
    local vendor = trial.vendor("--reset", "100%")
    assert.equal(8, trial.run().held)
    vendor.stop()
    assert.equal(8, trial.redrive("--unknown").done)
    vendor = trial.vendor("--fail", "100%") -- 503
    assert.equal(8, trial.run().held)
    vendor.stop()
    local told = trial.redrive()
    assert.equal(0, told.done)
    assert.equal(NOT_KNOWN, told.refused[1].why)
  end)

  it("is told of by why, before and after", function()
    local trial = one_call()
    local sent = all_cut_off(trial)
    local function why() return trial.project.jaunt("why", "p1", "--state", STATE).out end
    local verdict = '"hello": attempt 1 was cut off before its answer was whole; whether it was done is not known'
    assert.is_truthy(why():find(verdict, 1, true), why())
    trial.redrive("--unknown")
    assert.is_truthy(why():find("an operator sent it on: the last call is sent again, the same bytes under the same key", 1, true), why())
    local vendor = trial.vendor()
    trial.run()
    vendor.stop()
    local story = json.decode(trial.project.jaunt("why", "p1", "--state", STATE, "--json").out).runs[1].story
    local call = story[#story - 1]
    assert.equal("hello", call.name)
    assert.is_true(call.again)
    assert.equal("ok", call.result)
    assert.equal(sent.p1.key, call.request.key)
  end)
end)

describe("a call that was under way when the process was killed", function()
  it("goes on under its key when it is held by a mistake of ours and redriven", function()
    local trial = one_call(nil, 3)
    local connections = trial.project.folder .. "/connections.lua"
    local vendor = trial.vendor("--latency", "10m")
    trial.run_until_called(vendor)
    local sent = got(vendor, "/hello")
    vendor.stop()
    words(trial.project, "new")
    local well = helper.read_file(connections)
    for _, broken in ipairs {
      "return {}",
      [[return { vendor = { base_url = env("VENDOR_URL"), private_network = true, auth = { bearer = secret "NO_SUCH_SECRET" } } }]],
    } do
      helper.write_file(connections, broken)
      local report = trial.run()
      assert.equal(3, report.held)
      assert.equal(3, trial.redrive().done)
    end
    helper.write_file(connections, well)
    vendor = trial.vendor()
    assert.equal(3, trial.run().completed)
    for id, item in pairs(got(vendor, "/hello")) do
      assert.equal(sent[id].key, item.key)
      assert.equal(sent[id].body, item.body)
    end
    vendor.stop()
  end)

  it("is never sent again where it carried no key, also when the connection has one now", function()
    local trial = one_call(nil, 3)
    local connections = trial.project.folder .. "/connections.lua"
    local with_key = helper.read_file(connections)
    helper.write_file(connections, (with_key:gsub("private_network", "idempotent = false, private_network")))
    local vendor = trial.vendor("--latency", "10m")
    trial.run_until_called(vendor)
    vendor.stop()
    helper.write_file(connections, with_key)
    vendor = trial.vendor()
    local report = trial.run()
    assert.equal(3, report.completed)
    assert.same({}, got(vendor, "/hello"))
    assert.equal(3, running.element(report, "hello").reasons.unknown)
    vendor.stop()
  end)
end)

describe("a call without a key, when the runtime is told to stop", function()
  local NO_KEY = "idempotent = false"

  it("has not left while it waits for its connection: the next run sends it, once, as it was", function()
    local trial = one_call(NO_KEY, 3)
    -- nobody answers there: what is tried is refused, and tried again later
    helper.write_file(trial.project.folder .. "/connections.lua", [[return { vendor = { base_url = env("VENDOR_URL"),
      private_network = true, retry = { attempts = 100, base = "10m", cap = "20m" } } }]])
    local journey = trial.project.folder .. "/journeys/trip.lua"
    helper.write_file(journey, (helper.read_file(journey):gsub("retry = { attempts = 1 },", "")))
    local process = trial.project.live(trial.env)
    trial.project.wait_for(function(_, counts) return counts.queued == 3 end)
    process.signal "INT"
    local report = process.finish().report
    assert.equal(3, report.unfinished)
    local why = trial.project.jaunt("why", "p1", "--state", STATE).out
    assert.is_truthy(why:find('was under way at "hello" when its process ended, with a call that had not left', 1, true), why)
    words(trial.project, "new")
    local vendor = trial.vendor()
    report = trial.run()
    assert.equal(3, report.completed)
    local items = got(vendor, "/hello")
    for i = 1, 3 do
      assert.equal("old", items["p" .. i].words)
      assert.equal(1, items["p" .. i].accepted)
    end
    assert.is_nil(running.element(report, "hello").reasons.unknown)
    vendor.stop()
  end)

  it("and was killed after it was sent at last, it is not sent once more", function()
    local trial = one_call(NO_KEY, 3)
    local journey = trial.project.folder .. "/journeys/trip.lua"
    helper.write_file(journey, (helper.read_file(journey):gsub("attempts = 1 }", "attempts = 100, base = '10m', cap = '20m' }")))
    local process = trial.project.live(trial.env)
    trial.project.wait_for(function(_, counts) return counts.queued == 3 end)
    process.signal "INT"
    process.finish()
    local vendor = trial.vendor("--latency", "10m")
    trial.run_until_called(vendor)
    vendor.stop()
    vendor = trial.vendor()
    local report = trial.run()
    assert.equal(3, report.completed)
    assert.same({}, got(vendor, "/hello"))
    assert.equal(3, running.element(report, "hello").reasons.unknown)
    vendor.stop()
  end)

  it("is unknown where it was on the wire", function()
    local trial = one_call(NO_KEY, 3)
    local vendor = trial.vendor("--latency", "10m")
    local process = trial.project.live(trial.env, nil, "--grace", "0s")
    running.wait_for("the calls", function() return vendor.received().requests == 3 end)
    process.signal "INT"
    process.finish()
    vendor.stop()
    vendor = trial.vendor()
    local report = trial.run()
    assert.same({}, got(vendor, "/hello"))
    assert.equal(3, running.element(report, "hello").reasons.unknown)
    vendor.stop()
  end)
end)
