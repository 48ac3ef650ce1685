-- win_back over all customers of the data, live, against a vendor with bad days: the ledger adds up, the vendor was sent
-- exactly what the funnel claims, and the same seed gives the same funnel.

local helper = require "helper"
local purchases = require "purchases"
local running = require "running"

local source = assert(os.getenv("JAUNT_SOURCE"), "JAUNT_SOURCE has to name the repository's folder")

local SECRETS = "CRM_TOKEN=t\nWA_TOKEN=t\nSMS_TOKEN=t\nEMAIL_KEY=k\nSHOP_KEY=k\n"
local PATHS = {
  ["coupon from the shop"] = "POST /shop/coupons", ["we miss you"] = "POST /email/mail/send",
  ["coupon by WhatsApp"] = "POST /whatsapp/messages", ["note in the CRM"] = "POST /crm/notes",
}

local function environment(url)
  local env = {}
  for _, name in ipairs { "crm", "whatsapp", "sms", "email", "shop" } do env[name:upper() .. "_URL"] = url .. "/" .. name end
  return env
end

-- What is the same in each run with one seed: all but the times.
local function without_times(report)
  local copy = {}
  for name, value in pairs(report) do copy[name] = value end
  copy.seconds, copy.median_ms, copy.p99_ms = nil, nil, nil
  return copy
end

describe("win_back over real customers", function()
  local file, why = helper.data("people/CDNOW_master.txt")
  if not file then
    it("is run live, twice", function() pending(why) end)
    return
  end

  local folder = helper.temp_folder()
  local people = folder .. "/people.csv"
  local count = purchases.convert(file, people)
  local sanitized = helper.is_sanitized()
  local secrets = helper.write_file(folder .. "/secrets.env", SECRETS)
  helper.sh("chmod 600 " .. secrets)

  -- Few enough at a time that no call waits longer for the vendor than the shop's five seconds, on any machine.
  local in_flight = sanitized and "20" or "200"

  local function run_once(...)
    local vendor = running.vendor("--latency", "2ms", "--fail", "2%", "--reset", "0.5%", "--seed", "7", "--behaviour",
      source .. "/scripts/vendor.lua")
    local result = running.run(source, { env = environment(vendor.url) }, "win_back", "--people", people, "--live", "--yes", "--state", "sqlite:" .. helper.temp_folder() .. "/state.db",
      "--seed", "7", "--json", "--rejects", folder .. "/rejects", "--secrets", secrets, "--private-network",
      "--in-flight", in_flight, ...)
    assert.equal(0, result.code, result.err)
    local received = vendor.received()
    vendor.stop()
    return result.report, received
  end

  local limit = sanitized and 2000 or count
  local first, received = run_once("--limit", tostring(limit), "--workers", "2")

  it("lets everybody in, and the ledger adds up", function()
    assert.equal(23570, count)
    assert.equal(limit, first.entered)
    assert.equal(0, first.rejected)
    assert.equal(first.entered, running.ledger(first))
    assert.equal(0, first.running + first.queued + first.waiting + first.held + first.unfinished)
    assert.equal(first.entered, first.completed + first.dropped + first.exited)
    assert.equal(first.exited, first.exits["exit"])
  end)

  it("has each element reached by those whom the one before let go on", function()
    local coupon = running.element(first, "coupon from the shop")
    local mail = running.element(first, "we miss you")
    local whatsapp = running.element(first, "coupon by WhatsApp")
    local note = running.element(first, "note in the CRM")
    assert.equal(first.entered - first.exited, coupon.reached)
    assert.equal(coupon.went_on, mail.reached)
    assert.equal(mail.reached, mail.went_on)
    assert.equal(mail.reached, note.reached + whatsapp.dropped)
    assert.equal(first.completed, note.went_on)
    assert.equal(first.dropped, coupon.dropped + whatsapp.dropped)
    for _, element in ipairs(first.elements) do
      if PATHS[element.name] then assert.equal(element.reached, element.went_on + element.dropped + element.held) end
    end
    assert.is_true(whatsapp.reached > 0)
  end)

  -- Calls of an element that ended by a fault that was drawn; with four attempts at these shares there are few, or none.
  local function given_up(element)
    local n = 0
    for _, detail in ipairs(element.details) do
      if detail.detail == "503" or detail.reason == "reset" then n = n + detail.count end
    end
    return n
  end

  it("sends the vendor exactly what the funnel claims", function()
    local reached = 0
    assert.equal(first.attempts, received.requests)
    for name, path in pairs(PATHS) do
      local element, at = running.element(first, name), received.by_path[path]
      local cut_before = at.reset - at.lost
      reached = reached + element.reached
      assert.equal(0, at.refused + at.two_bodies + at.errors + at.doubles, path)
      assert.equal(at.requests, at.accepted + at.failed + at.repeats + cut_before, path)
      if name == "coupon by WhatsApp" then
        -- it knows no keys: a refusal may be sent again, but what was cut off never is
        assert.equal(element.reached + at.failed - given_up(element), at.requests)
        assert.equal(0, at.repeats)
        assert.equal(element.reached - given_up(element) - cut_before, at.accepted)
      else
        -- each fault costs one more attempt, unless it was the last; what was accepted and lost is told again
        assert.equal(0, given_up(element), "choose another seed: the sums below are for calls that got through")
        assert.equal(element.reached + at.failed + at.reset, at.requests, path)
        assert.equal(element.reached, at.accepted, path)
        assert.equal(at.lost, at.repeats, path)
      end
    end
    assert.equal(reached, first.calls)
    for _, count in ipairs { "requests", "accepted", "failed", "reset", "lost", "repeats" } do
      local sum = 0
      for _, path in pairs(PATHS) do sum = sum + received.by_path[path][count] end
      assert.equal(sum, received[count], count)
    end
    assert.is_true(received.failed > 0 and received.reset > received.lost and received.lost > 0)
  end)

  it("gives the same funnel with the same seed, whatever the workers", function()
    local second, again = run_once("--limit", tostring(limit), "--workers", "4")
    assert.same(without_times(first), without_times(second))
    assert.same(received, again)
  end)
end)
