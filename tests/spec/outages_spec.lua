-- Vendors that are out, as `jaunt run --live` tells of them: when that begins, once a minute while it lasts, and when it is over.

local helper = require "helper"
local outages = require "jaunt.run.outages"
local running = require "running"
local scripts = require "scripts"

-- A teller whose lines are kept; tell(failed, now, more) is a look at a vendor of which so many attempts have failed in a row.
local function teller()
  local lines = {}
  local look = outages.teller(function(text) lines[#lines + 1] = text end, function(text) lines[#lines + 1] = "OVER " .. text end)
  local function tell(failed, now, more)
    local outage = { name = "crm", reason = "connect", detail = "connection refused", failed = failed, waiting = 1340,
      next_ms = 11200 }
    for name, value in pairs(more or {}) do outage[name] = value end
    return look(failed > 0 and { outage } or {}, now)
  end
  return tell, lines
end

local BEGINS = "crm: 20 attempts in a row failed (connect: connection refused); 1,340 people wait; the next try 12 s from now"

describe("an outage", function()
  it("is told when twenty attempts in a row have failed", function()
    local tell, lines = teller()
    assert.same({}, tell(19, 0))
    assert.same({}, lines)
    assert.same({ "crm is out: 20 failed" }, tell(20, 100))
    assert.same({ BEGINS }, lines)
  end)

  it("is told when five have over half a minute", function()
    local tell, lines = teller()
    tell(1, 0)
    tell(4, 60000)
    assert.same({}, lines)
    tell(5, 60100)
    assert.equal(1, #lines)
  end)

  it("is told again once a minute at most, while more of them fail", function()
    local tell, lines = teller()
    for second = 0, 150 do tell(20 + second, second * 1000) end
    assert.equal(3, #lines)
    for second = 151, 500 do tell(170, second * 1000) end
    assert.equal(4, #lines)
    assert.matches("^crm: 170 attempts", lines[4])
  end)

  it("that is over is told once, with how long it was and how many had failed", function()
    local tell, lines = teller()
    tell(3, 0)
    tell(340, 1000)
    assert.same({}, tell(0, 720000))
    tell(0, 720100)
    assert.same({ lines[1], "OVER crm answers again, after 12m; 340 attempts in a row had failed" }, lines)
  end)

  it("is over, too, where the vendor has answered between two looks", function()
    local tell, lines = teller()
    tell(30, 0)
    tell(2, 1000)
    assert.equal(2, #lines)
    assert.matches("^OVER", lines[2])
  end)

  it("that comes again and again is told once a minute at most", function()
    local tell, lines = teller()
    for second = 0, 59 do tell(second % 2 == 0 and 25 or 0, second * 1000) end
    assert.same({ "crm: 25", "OVER crm" }, { lines[1]:sub(1, 7), lines[2]:sub(1, 8) })
    assert.equal(2, #lines)
    tell(25, 60000)
    assert.equal(3, #lines)
  end)

  it("that was not told is not told to be over", function()
    local tell, lines = teller()
    tell(19, 0)
    tell(0, 100)
    assert.same({}, lines)
  end)

  it("says what the vendor answered, who waits and for how long, in words", function()
    local function line_of(more)
      local tell, lines = teller()
      tell(21, 0, more)
      return lines[1]
    end
    assert.equal("calls without via: 21 attempts in a row failed (503 Service Unavailable); 1 person waits; the next try now",
      line_of { name = "", reason = "status", detail = "503 Service Unavailable", waiting = 1, next_ms = 0 })
    assert.equal("sms: 21 attempts in a row failed (timeout); nobody waits",
      line_of { name = "sms", reason = "timeout", detail = "", waiting = 0, next_ms = false })
    local mail = line_of { name = "mail", reason = "dns", detail = "a\27[31mb", next_ms = 3600000 }
    assert.matches("the next try 1h from now$", mail)
    assert.is_nil(mail:find("\27", 1, true))
  end)
end)

local PEOPLE = 25

-- Refuses everybody until /mend comes.
local BEHAVIOUR = [[
local mended = false
return { vendor = {
  ["POST /mend"] = function() mended = true return 200 end,
  ["ANY /*"] = function()
    if mended then return 201 end
    return 503, {}, { ["Retry-After"] = "1" }
  end,
} }]]

describe("jaunt run --live", function()
  it("tells on standard error that a vendor is out, and when it answers again; no secret is in it", function()
    local ids = {}
    for i = 1, PEOPLE do ids[i] = "p" .. i end
    local folder = running.project {
      ["connections.lua"] = [[return { vendor = { base_url = env "VENDOR_URL", private_network = true,
        auth = { query = { token = secret "TOKEN" } } } }]],
      ["journeys/j.lua"] = [[return journey "j" { flow = function(person)
        call_api "hello" { via = "vendor", POST = "/hello", json = { id = person.id }, retry = { attempts = 100 } }
      end }]],
      ["people.csv"] = "id\n" .. table.concat(ids, "\n") .. "\n",
    }
    local vendor = running.vendor("--behaviour", helper.write_file(folder .. "/refusing.lua", BEHAVIOUR))
    local env = { VENDOR_URL = vendor.url .. "/vendor", TOKEN = "hush-hush" }
    local process = running.start(folder, { env = env }, "j", "--people", "people.csv", "--live", "--yes", "--json")
    running.wait_for("the line", function()
      return helper.read_file(process.err):find("warning: vendor: %d+ attempts in a row failed %(503 Service Unavailable%); "
        .. "%d+ people wait; the next try ")
    end)
    scripts.output(("call_api { POST = %q, json = {} }"):format(vendor.url .. "/vendor/mend"))
    local result = process.finish()
    assert.equal(PEOPLE, result.report.completed)
    assert.matches("\nvendor answers again, after [^;]+; %d+ attempts in a row had failed\n", result.err)
    assert.is_nil(result.err:find("hush", 1, true))
    vendor.stop()
  end)

  it("says nothing of pretend vendors that are told to fail", function()
    local folder = running.project {
      ["journeys/j.lua"] = [[return journey "j" { flow = function(person)
        call_api "hello" { via = "vendor", POST = "/hello", json = {}, retry = { attempts = 40 } }
      end }]],
      ["people.csv"] = "id\nada\n",
    }
    local result = running.run(folder, "j", "--people", "people.csv", "--vendor-fail", "100%", "--json")
    assert.equal(1, result.report.dropped)
    assert.is_nil(result.err:find("in a row", 1, true))
  end)
end)
