-- How a call goes: what is retried, when, and with what key; what counts as a success; what a failure does to the run.

local json = require "json"
local outside = require "outside"
local scripts = require "scripts"

local LIVE = { "--live", "--yes", "--json", "--workers", "1" }
local QUICK = "retry = { attempts = 3, base = 0.001 }"

local vendor

-- A plain script that knows `base` and ends well; returns what it printed, tabs as spaces.
local function output(text, options)
  return (scripts.output(("local base = %q\n%s"):format(vendor.url("/any"), text), options):gsub("\t", " "))
end

-- A journey that calls the vendor in earnest; returns the result of scripts.journey.
local function live(flow, people, files)
  vendor.forget()
  return scripts.journey(("local base = %q\n%s"):format(vendor.url("/any"), flow), people or { "ada" },
    { files = files, flags = LIVE })
end

-- A rehearsal against the same outside system, in virtual time; returns what the flow printed.
local function rehearse(flow, ...)
  local result = scripts.journey(flow, { "ada" }, { flags = { "--seed", "1", ... }, files = {
    ["connections.lua"] = "return { any = { base_url = 'https://any.example' } }", ["vendor.lua"] = outside.behaviour } })
  assert.equal(0, result.code, result.err)
  return result.out, result
end

setup(function() vendor = outside.start() end)
teardown(function() vendor.stop() end)

describe("a retry", function()
  it("is made for 408, 429, 500, 502, 503 and 504, and for no other status", function()
    assert.equal("408 429 500 502 503 504", output(([[
      local again = {}
      for _, status in ipairs { 300, 304, 400, 401, 403, 404, 408, 409, 410, 418, 422, 425, 429, 500, 501, 502, 503, 504, 505, 511 } do
        local r = call_api { POST = base .. "/each/" .. status .. ",200", %s, on_failure = "continue" }
        assert(r.attempts == (r.ok and 2 or 1), status)
        if r.ok then again[#again + 1] = status end
      end
      print(table.concat(again, " "))]]):format(QUICK)))
  end)

  it("is made up to four attempts, or as many as are asked for, the first one counted", function()
    assert.equal("4 1 1 2 3 5", output [[
      local function attempts(retry, via)
        return call_api { POST = base .. "/each/503", retry = retry, on_failure = "continue" }.attempts
      end
      print(attempts { base = 0.001 }, attempts(false), attempts(1), attempts { attempts = 2, base = 0.001 },
        attempts { attempts = 3, base = 0.001 }, attempts { attempts = 5, base = 0.001, cap = 0.002 })]])
  end)

  it("has the same key and the same bytes each time, and the next call another key", function()
    live(([[
      call_api "first" { POST = base .. "/each/503,500,200", json = { n = 1 }, %s }
      call_api "second" { POST = base .. "/each/200", json = { n = 1 } }
      call_api "second" { POST = base .. "/each/200", json = { n = 1 } }]]):format(QUICK))
    local told, keys = vendor.told(), {}
    assert.equal(5, #told)
    for i = 1, 5 do
      keys[i] = told[i].headers["idempotency-key"]
      assert.matches("^%x+$", keys[i])
      assert.equal('{"n":1}', told[i].body)
    end
    assert.is_true(keys[1] == keys[2] and keys[2] == keys[3])
    assert.is_true(keys[3] ~= keys[4] and keys[4] ~= keys[5] and keys[3] ~= keys[5])
  end)

  it("of a call without a key is made after a refusal only", function()
    vendor.forget()
    assert.equal("429 2|503 2|408 1|500 1|502 1|504 1", output [[
      local seen = {}
      for i, status in ipairs { 429, 503, 408, 500, 502, 504 } do
        local r = call_api { POST = base .. "/each/" .. status .. ",200", idempotent = false, on_failure = "continue",
          retry = { attempts = 3, base = 0.001 } }
        seen[i] = status .. " " .. r.attempts
      end
      print(table.concat(seen, "|"))]])
    for _, request in ipairs(vendor.told()) do assert.is_nil(request.headers["idempotency-key"]) end
  end)

  it("carries its key in the header that `idempotent` names", function()
    local files = { ["connections.lua"] = ([[return {
      own = { base_url = %q, idempotent = "X-Request-Id" }, none = { base_url = %q, idempotent = false } }]]):format(
      vendor.url("/crm"), vendor.url("/shop")) }
    live([[
      call_api { POST = base .. "/echo", idempotent = "X-Key" }
      call_api { via = "own", POST = "/echo" }
      call_api { via = "own", POST = "/echo", idempotent = true }
      call_api { via = "own", POST = "/echo", idempotent = false }
      call_api { via = "own", POST = "/echo", idempotent = "X-Key" }
      call_api { via = "none", POST = "/echo" }
      call_api { via = "none", POST = "/echo", idempotent = true }]], nil, files)
    local names = {}
    for i, request in ipairs(vendor.told()) do
      for _, name in ipairs { "idempotency-key", "x-key", "x-request-id" } do
        if request.headers[name] then names[i] = (names[i] or "") .. name end
      end
      names[i] = names[i] or "none"
    end
    assert.same({ "x-key", "x-request-id", "x-request-id", "none", "x-key", "none", "idempotency-key" }, names)
  end)

  it("is after a pause with full jitter that doubles up to its cap, in virtual time", function()
    local flow = [[
      local before = now()
      local r = call_api { via = "any", POST = "/each/503", retry = { attempts = 6, base = "1h", cap = "2h" }, on_failure = "continue" }
      print("PAUSED", now() - before, r.attempts)]]
    local paused, attempts = rehearse(flow):match("PAUSED\t(%S+)\t(%d)")
    assert.equal("6", attempts)
    assert.is_true(tonumber(paused) > 60 and tonumber(paused) <= 9 * 3600, paused)
    assert.equal(paused, rehearse(flow):match("PAUSED\t(%S+)"))
  end)

  it("honours Retry-After, in seconds and as a date", function()
    local out = rehearse [[
      for _, after in ipairs { "120", "date-120", "0", "date-0", "soon" } do
        local before = now()
        local r = call_api { via = "any", POST = "/later/" .. after, retry = { base = 0.001 } }
        print("PAUSED", after, now() - before, r.attempts, r.ok)
      end]]
    local paused = {}
    for after, seconds, how in out:gmatch("PAUSED\t(%S+)\t(%S+)\t(2\ttrue)") do
      assert.equal("2\ttrue", how)
      paused[after] = tonumber(seconds)
    end
    assert.is_true(paused["120"] >= 120 and paused["120"] < 121, paused["120"])
    assert.is_true(paused["date-120"] > 110 and paused["date-120"] <= 120.1, paused["date-120"]) -- a date has whole seconds
    assert.is_true(paused["0"] < 1 and paused["date-0"] < 1 and paused.soon < 1)
  end)

  it("that would come after `within` is not waited for", function()
    local out, result = rehearse([[
      local before = now()
      local r = call_api "nudge" { via = "any", POST = "/later/7200", within = "1h", on_failure = "continue" }
      print("ERROR", now() - before, r.error)
      call_api "nudge" { via = "any", POST = "/later/7200", within = "1h" }]])
    assert.matches("ERROR\t0%.?0?\tstatus: 429 Too Many Requests; it asks to be called again in 2h, which is after `within` %(1h%)", out)
    assert.matches("nudge .* 1× status 429", result.out)
  end)
end)

describe("the time `within`", function()
  it("ends a call between its attempts", function()
    local out = rehearse [[
      local before = now()
      local r = call_api { via = "any", POST = "/each/503", within = "10m", retry = { attempts = 100, base = "2m", cap = "2m" },
        on_failure = "continue" }
      print("ENDED", now() - before, r.attempts > 2 and r.attempts < 100, r.failed, r.error)]]
    assert.matches("ENDED\t600%.?0?\ttrue\ttrue\twithin: not done within 10m: %d+ attempts, the last ended with status 503", out)
  end)

  it("ends a call that waits for a place at its connection, and it was never sent", function()
    local files = { ["connections.lua"] = ("return { slow = { base_url = %q, max_in_flight = 1 } }"):format(vendor.url("/slow")) }
    local result = live([[
      local r = call_api(person.id) { via = "slow", POST = "/echo", within = person.id == "second" and 0.001 or "1m", on_failure = "continue" }
      log(person.id .. " " .. tostring(r.error) .. " " .. r.attempts)]], { "first", "second" }, files)
    assert.equal(2, result.report.completed, result.err)
    assert.matches("second within: not done within 0?%.?0?0?1m?s: no attempt, it waited for a place at its connection 0", result.out .. result.err)
    assert.matches("first nil 1", result.out .. result.err)
    assert.equal(1, #vendor.told())
  end)

  it("ends a call on the wire, which is not sent again", function()
    local said = scripts.output(([[
      local r = call_api { POST = %q, within = "2s", retry = { attempts = 3, base = 0.001 }, on_failure = "continue" }
      print(r.failed, r.attempts, r.error)]]):format(vendor.url("/stuck/echo")))
    assert.equal("true\t1\twithin: not done within 2s: 1 attempt, the last was still on the wire", said)
  end)
end)

describe("success", function()
  it("is 2xx, or a status, a range, a class, or a list of these", function()
    assert.equal("200 204 299|202|200 201 202|404|200 304 404", output [[
      local function good(success)
        local seen = {}
        for _, status in ipairs { 200, 201, 202, 204, 299, 304, 404 } do
          local r = call_api { POST = base .. "/status/" .. status, success = success, on_failure = "continue", retry = false }
          if r.ok then seen[#seen + 1] = status end
        end
        return table.concat(seen, " "):gsub("^200 201 202 204 299$", "200 204 299")
      end
      print((good()) .. "|" .. (good(202)) .. "|" .. (good "200-202") .. "|" .. (good "4xx") .. "|" .. (good { 200, 304, "400-499" }))]])
  end)

  it("can be asked of a predicate, which sees the response", function()
    assert.equal("true nil|false predicate: its success predicate said no to 200 OK|true nil", output [[
      local function try(path, success)
        local r = call_api { POST = base .. path, success = success, on_failure = "continue", retry = false, json = { id = 7 } }
        return tostring(r.ok) .. " " .. tostring(r.error)
      end
      print(try("/echo", function(r) return r.json.json.id == 7 and r.headers["content-type"] and r.status == 200 end) .. "|"
        .. try("/echo", function(r) return r.json.json.id == 8 end) .. "|" .. try("/status/404", function(r) return r.status == 404 end))]])
  end)

  it("shows a predicate what the status alone would say, on every attempt", function()
    assert.equal("503 false true status: 503 Service Unavailable|200 true false nil|true 2", output [[
      local seen = {}
      local r = call_api { POST = base .. "/each/503,200", retry = { attempts = 2, base = 0.001 }, on_failure = "continue",
        success = function(r)
          seen[#seen + 1] = table.concat({ r.status, tostring(r.ok), tostring(r.failed), tostring(r.error) }, " ")
          return r.ok
        end }
      print(seen[1] .. "|" .. seen[2] .. "|" .. tostring(r.ok) .. " " .. r.attempts)]])
  end)

  it("that a predicate fails to tell holds the run, with the script's line", function()
    local result = live([[
      call_api "note" { POST = base .. "/echo", on_failure = "continue",
        success = function(r) return r.json.no.such.thing end }
      log "went on"]])
    assert.matches('ada is held at "note": script: [^\n]*trial.lua:4: attempt to index a nil value %(field \'no\'%)', result.err)
    assert.equal(1, result.report.held)
    assert.equal("script", next(scripts.element(result.report, "note").reasons):match("^%a+"))
    assert.is_nil((result.out .. result.err):find("went on"))
  end)

  it("may not be found out by waiting or calling", function()
    local result = live([[call_api "note" { POST = base .. "/echo", success = function(r) wait "1s" return true end }]])
    assert.matches("wait can't be used in a predicate or a payload", result.err)
    assert.equal(1, result.report.held)
  end)
end)

describe("only_if", function()
  it("is asked before each send, with the person and the event", function()
    assert.equal(json.encode { "skipped", 1, 503, 2 }, (live([[
      local asked = 0
      person.wanted = true
      local r = call_api { POST = base .. "/each/503", retry = { attempts = 5, base = 0.001 },
        only_if = function(who, what)
          assert(who.id == "ada" and who.wanted and what.none == nil)
          asked = asked + 1
          return asked == 1
        end }
      log("ASKED" .. json.encode { r.skipped and "skipped" or "?", r.attempts, r.status, asked } .. "END")]]).err
        or ""):match("ASKED(.-)END") or "nothing")
    assert.equal(1, #vendor.told())
  end)

  it("that says no skips the call, and the run goes on", function()
    local result = live([[
      call_api "nudge" { POST = base .. "/status/500", only_if = function() return nil end }
      call_api "next" { POST = base .. "/echo" }]])
    assert.equal(1, result.report.completed)
    assert.equal(1, scripts.element(result.report, "nudge").went_on)
    assert.equal(1, #vendor.told())
  end)

  it("that raises an error holds the run, and nothing is sent", function()
    local result = live([[call_api "nudge" { POST = base .. "/echo", on_failure = "continue", only_if = function(who) return who.a.b end }]])
    assert.matches('ada is held at "nudge": script: [^\n]*trial.lua:3: attempt to index a nil value', result.err)
    assert.equal(1, result.report.held)
    assert.same({}, vendor.told())
  end)
end)

describe("a failure", function()
  it("drops the person there, unless said otherwise: a dropped person is not called again", function()
    local result = live(([[
      local ok = pcall(function()
        local close <close> = setmetatable({}, { __close = function() log("CLOSED") end })
        call_api "lead" { POST = base .. "/status/422" }
      end)
      log("WENT ON")
      call_api "next" { POST = base .. "/echo" }]]))
    local lead = scripts.element(result.report, "lead")
    assert.same({ 1, 1, 0, 0 }, { result.report.dropped, lead.dropped, lead.went_on, lead.held })
    assert.same({ status = 1 }, lead.reasons)
    assert.is_nil(scripts.element(result.report, "next"))
    assert.is_nil((result.out .. result.err):find("WENT ON"))
    assert.matches("CLOSED", result.out .. result.err)
    assert.equal(1, #vendor.told())
  end)

  it("drops only when the last retry is spent", function()
    local result = live(([[call_api "lead" { POST = base .. "/each/503", %s }]]):format(QUICK))
    assert.equal(1, result.report.dropped)
    assert.equal(3, #vendor.told())
  end)

  it("lets the run go on with on_failure = continue, and holds it with hold", function()
    local result = live([[
      call_api "note" { POST = base .. "/status/422", on_failure = "continue" }
      call_api "lead" { POST = base .. "/status/409", on_failure = "hold" }
      call_api "next" { POST = base .. "/echo" }]])
    local note, lead = scripts.element(result.report, "note"), scripts.element(result.report, "lead")
    assert.same({ 1, 0, 0, 1, 1 }, { note.went_on, note.dropped, lead.dropped, lead.held, result.report.held })
    assert.same({ status = 1 }, lead.reasons)
    assert.matches('ada is held at "lead": status: 409', result.err)
    assert.equal(2, #vendor.told())
  end)

  it("ends a plain script, which says why and exits with 1", function()
    local result = scripts.run(("call_api 'note' { POST = %q }\nprint 'went on'"):format(vendor.url("/any/status/404")))
    assert.equal(1, result.code)
    assert.equal("", result.out)
    assert.equal('jaunt: "note" failed: status: 404 Not Found\n', result.err)
  end)
end)

describe("a call", function()
  it("without a name is called after its method and path, without its query", function()
    local files = { ["connections.lua"] = ("return { x = { base_url = %q } }"):format(vendor.url("/any")) }
    local result = live([[call_api { via = "x", POST = "/echo?key=1" }]], nil, files)
    assert.equal("POST /echo", result.report.elements[1].name)
  end)

  it("without a name shows nothing of a user and a password that stand in its URL by mistake", function()
    local result = live([[call_api { GET = "http://me:hidden@127.0.0.1:9/x?key=hidden" }]])
    assert.equal("GET …@127.0.0.1:9/x", result.report.elements[1].name)
    assert.equal(1, result.report.held)
    assert.is_nil((result.out .. result.err):find("hidden", 1, true))
  end)

  it("takes what other words give within its braces", function()
    local result = live([[
      call_api "note" { POST = base .. "/echo", headers = { a = secret "A_SECRET", b = env("NO_SUCH_NAME", "b"), c = uuid(), d = random(5) },
        json = { at = now(), branch = split "half" { a = 50, b = 50 } } }]], nil, { ["secrets.env"] = nil })
    assert.matches("there is no secret A_SECRET", result.err)
    assert.equal(1, result.report.held)
    local told = scripts.value(([[
      return call_api "note" { POST = %q, headers = { a = secret "A_SECRET", b = env("NO_SUCH_NAME", "b"), c = uuid() },
        json = { branch = split "half" { a = 50, b = 50 } } }.json]]):format(vendor.url("/any/echo")), { env = { A_SECRET = "x" } })
    assert.same({ "x", "b", 36 }, { told.headers.a, told.headers.b, #told.headers.c })
    assert.matches("^[ab]$", told.json.branch)
  end)

  it("whose braces are missing is told at the next word", function()
    local result = live([[
      call_api "note"
      wait "1s"]])
    assert.matches('held: script: [^\n]*trial.lua:4: call_api "note" has no braces before this wait', result.err)
  end)

  it("in a place that can't pause is refused in words", function()
    local result = live([[table.sort({ 2, 1 }, function(a, b) call_api { GET = base .. "/echo" } return a < b end)]])
    assert.matches("call_api can't pause here: it is called from inside a function that can't be paused", result.err)
    assert.same({}, vendor.told())
  end)

  it("sends a person's answer to nobody else: each gets what was asked for them", function()
    local people = {}
    for i = 1, 40 do people[i] = ("p%02d"):format(i) end
    local result = live([[
      local r = call_api { POST = base .. "/echo", json = { who = person.id } }
      assert(r.json.json.who == person.id)]], people)
    assert.equal(40, result.report.completed, result.err)
    assert.equal(40, #vendor.told())
  end)
end)
