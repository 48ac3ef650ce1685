-- jaunt end: runs go no further, and count as exited, for the reason "operator".

local fault = require "fault"
local repairing = require "repairing"
local helper = require "helper"
local running = require "running"

local STATE = repairing.STATE

local function end_runs(project, ...)
  return project.command("end", "trip", "--state", STATE, "--yes", ...)
end

describe("jaunt end, without a runtime,", function()
  it("ends waiting runs: they exit, and are not woken", function()
    local project = repairing.project [[
      wait "2h"
      call_api "hello" { via = "vendor", POST = "/hello", json = { id = person.id } }
    ]]
    local first = { "--start", "2026-11-25T09:00:00Z", "--until", "2026-11-25T10:00:00Z" }
    assert.equal(8, project.run(table.unpack(first)).waiting)
    local told, result = end_runs(project, "--where", "id <= 'p3'")
    assert.equal(0, result.code, result.err)
    assert.equal(3, told.done)
    local report = project.run("--start", "2026-11-26T09:00:00Z")
    assert.equal(3, report.exited)
    assert.equal(3, report.exits.operator)
    assert.equal(5, report.completed)
    assert.equal(5, report.calls)
  end)

  it("ends held runs", function()
    local project = repairing.project [[ error "broken" ]]
    assert.equal(8, project.run().held)
    assert.equal(8, end_runs(project, "--outcome", "held").done)
    local report = project.run()
    assert.equal(0, report.held)
    assert.equal(8, report.exited)
  end)

  it("ends runs that a killed runtime has left in the middle", function()
    local vendor = running.vendor("--latency", "1h")
    local project = repairing.project [[ call_api "slow" { via = "vendor", POST = "/slow", json = { id = person.id } } ]]
    local process = project.live({ VENDOR_URL = vendor.url .. "/vendor" })
    running.wait_for("the calls", function() return vendor.received().requests == 8 end)
    process.signal "KILL"
    process.finish()
    assert.equal(8, end_runs(project).done)
    local report = project.run_live().report
    assert.equal(8, report.exited)
    assert.equal(0, report.calls)
    vendor.stop()
  end)

  it("refuses what has ended, by count and reason, and does nothing in a dry run", function()
    local project = repairing.project [[ if person.id == "p1" then error "broken" end ]]
    project.run()
    local told, result = end_runs(project, "--outcome", "held,completed", "--dry-run")
    assert.equal(0, result.code)
    assert.equal(1, told.done)
    assert.equal(1, #told.refused)
    assert.equal("it has ended", told.refused[1].why)
    assert.equal(7, told.refused[1].count)
    assert.equal(3, #told.refused[1].people)
    assert.equal(1, select(2, project.where()).held)
    told, result = end_runs(project, "--outcome", "held,completed")
    assert.equal(1, result.code)
    assert.equal(1, told.done)
    assert.equal(7, told.refused[1].count)
  end)

  it("ends for good: an ended run is not redriven", function()
    local project = repairing.project [[ error "broken" ]]
    project.run()
    end_runs(project)
    local told, result = project.command("redrive", "trip", "--outcome", "exited", "--state", STATE, "--yes")
    assert.equal(1, result.code)
    assert.equal(8, told.refused[1].count)
    assert.equal(0, told.done)
  end)
end)

describe("jaunt end, while a runtime has the state,", function()
  it("cancels calls that are in line, and lets those on the wire have their answer", function()
    local server = fault.start()
    local project = repairing.project [[
      call_api "slow" { via = "vendor", POST = "/held/200", json = { id = person.id } }
      call_api "next" { via = "vendor", POST = "/ok", json = { id = person.id } }
    ]]
    helper.write_file(project.folder .. "/connections.lua",
      [[return { vendor = { base_url = env("VENDOR_URL"), private_network = true, max_in_flight = 2 } }]])
    local process = project.live({ VENDOR_URL = server.url "" }, function(_, counts)
      local count = 0
      for _, each in pairs(counts) do count = count + each end
      return count == 8
    end)
    running.wait_for("the calls", function() return server.count "/held/200" == 2 end)
    local told, result = end_runs(project)
    assert.equal(0, result.code, result.err .. result.out)
    assert.equal(8, told.done)
    server.ask "/let-go"
    local report = process.finish().report
    assert.equal(8, report.exited)
    assert.equal(8, report.exits.operator)
    assert.equal(report.entered, running.ledger(report))
    assert.equal(2, report.calls)
    assert.equal(2, server.count "/held/200")
    assert.equal(0, server.count "/ok")
    server.stop()
  end)

  it("is kept when the runtime is killed right after it, and no call is made again", function()
    local project = repairing.project [[
      call_api "slow" { via = "vendor", POST = "/held/200", json = { id = person.id } }
      call_api "next" { via = "vendor", POST = "/ok", json = { id = person.id } }
    ]]
    local server = fault.start()
    local env = { VENDOR_URL = server.url "" }
    local process = project.live(env)
    running.wait_for("the calls", function() return server.count "/held/200" == 8 end)
    local told, result = end_runs(project)
    assert.equal(0, result.code, result.err .. result.out)
    assert.equal(8, told.done)
    process.signal "KILL"
    process.finish()
    server.ask "/let-go"
    local report = project.run_live(env).report
    assert.equal(8, report.exits.operator)
    assert.equal(report.entered, running.ledger(report))
    assert.equal(8, server.count "/held/200")
    assert.equal(0, server.count "/ok")
    server.stop()
  end)

  it("ends those who wait in memory, and those who don't", function()
    local project = repairing.project [[ wait(person.id < "p5" and "2d" or "4900ms") wait "2d" ]]
    local process = project.live({}, function(_, counts) return counts.waiting == 8 end)
    assert.equal(8, end_runs(project).done)
    local report = process.finish().report
    assert.equal(8, report.exits.operator)
    assert.equal(8, report.exited)
  end)
end)
