-- What can go wrong on the wire, as a script sees it: each fault has its own reason, ends within its timeout, and is sent
-- again only where that is right.

local fault = require "fault"
local scripts = require "scripts"

local server

setup(function() server = fault.start() end)
teardown(function() server.stop() end)

-- Runs a script that knows `at` (the URL of each port by its name).
local function output(text)
  local ports = {}
  for _, name in ipairs { "http", "http_too", "https", "expired", "wrong_name", "self_signed", "refused", "full", "mute" } do
    ports[#ports + 1] = ("%s = %q"):format(name, server.url("", name))
  end
  return (scripts.output(("local at = { %s }\n%s"):format(table.concat(ports, ", "), text)):gsub("\t", " "))
end

describe("a fault of the wire", function()
  local reasons = {
    { "refused", "refused", "/", "connect" }, { "a name that does not resolve", nil,
      "http://" .. ("a"):rep(64) .. ".invalid/", "dns" },
    { "never connected", "full", "/", "connect" }, { "reset before the answer", "http", "/reset-early", "reset" },
    { "closed before the answer", "http", "/close-early", "reset" }, { "reset within the answer", "http",
      "/reset-middle", "reset" },
    { "closed within the body", "http", "/short", "reset" }, { "closed within the headers", "http", "/short-headers", "reset" },
    { "never answered", "http", "/never", "timeout" }, { "one byte a second", "http", "/slow", "timeout" },
    { "one byte of the body a second", "http", "/slow-body", "timeout" }, { "a header of 1 MB", "http", "/big-header",
      "too_large" },
    { "headers of 1 MB", "http", "/many-headers", "too_large" }, { "a body over the cap", "http", "/big-known", "too_large" },
    { "a body over the cap, in chunks", "http", "/big-unknown", "too_large" }, { "a bomb", "http", "/bomb", "too_large" },
    { "chunked garbage", "http", "/bad-chunk", "protocol" }, { "garbage called gzip", "http", "/bad-gzip", "protocol" },
    { "no HTTP", "http", "/garbage", "protocol" }, { "an expired certificate", "expired", "/ok", "tls" },
    { "a wrong certificate", "wrong_name", "/ok", "tls" }, { "a self-signed certificate", "self_signed", "/ok", "tls" },
    { "an unknown authority", "https", "/ok", "tls" },
  }

  it("ends with its own reason, and words that say what happened", function()
    local lines = { "local function try(url, timeout)",
      "local r = call_api { POST = url, json = {}, retry = false, timeout = timeout, on_failure = 'continue' }",
      "assert(r.failed and not r.ok and r.ms < 30000, url)",
      "print((r.error:gsub('[\\r\\n]', ' '))) end" }
    for _, case in ipairs(reasons) do
      -- little time only where time is what ends it: the others end by themselves, however slow the machine
      local connect, total = case[2] == "full" and 0.4 or 20, case[4] == "timeout" and 0.8 or 29
      lines[#lines + 1] = ("try(%s, { connect = %s, total = %s })"):format(
        case[2] and ("at.%s .. %q"):format(case[2], case[3]) or ("%q"):format(case[3]), connect, total)
    end
    local at = 0
    for line in output(table.concat(lines, "\n")):gmatch("[^\n]+") do
      at = at + 1
      local reason, words = line:match("^([%a_]+): (.+)$")
      assert.equal(reasons[at][4], reason, reasons[at][1] .. ": " .. line)
      assert.is_true(#words > 5, line)
    end
    assert.equal(#reasons, at)
  end)

  it("keeps the status of an answer whose body broke", function()
    assert.equal("200 reset", output [[
      local r = call_api { GET = at.http .. "/short", retry = false, on_failure = "continue" }
      print(r.status, r.error:match("^%a+"))]])
  end)
end)

describe("a call that was broken off", function()
  -- How often the server was asked for a path, after a script.
  local function after(text, path)
    local said = output(text .. "\nprint(call_api { GET = at.http .. '/counts' }.body)")
    return said:match("^[^\n]*"), tonumber(said:match("\n" .. path:gsub("%p", "%%%0") .. " (%d+)"))
  end

  it("is sent again with a key", function()
    local said, count = after([[
      local r = call_api { POST = at.http .. "/close-early/key", json = {}, retry = { attempts = 3, base = 0.001 }, on_failure = "continue" }
      print(r.failed, r.unknown, r.attempts, r.error:match("^%a+"))]], "/close-early/key")
    assert.same({ "true false 3 reset", 3 }, { said, count })
  end)

  it("without a key is never sent again: its result is unknown, and the run goes on", function()
    for _, path in ipairs { "/close-early", "/reset-early", "/short-headers" } do
      local said, count = after(([[
        local r = call_api { POST = at.http .. "%s/none", json = {}, idempotent = false, retry = { attempts = 3, base = 0.001 } }
        print(r.ok, r.failed, r.unknown, r.attempts, r.error:match("^%%a+"))]]):format(path), path .. "/none")
      assert.same({ "false false true 1 reset", 1 }, { said, count })
    end
    local said, count = after([[
      local r = call_api { POST = at.http .. "/never/none", json = {}, idempotent = false, timeout = 2, retry = 3, on_failure = "drop" }
      print(r.unknown, r.attempts, r.error:match("^%a+"))]], "/never/none")
    assert.same({ "true 1 timeout", 1 }, { said, count })
  end)

  it("without a key, whose time is over on the wire, is unknown too", function()
    assert.equal("true within", output [[
      local r = call_api { POST = at.http .. "/never", json = {}, idempotent = false, within = 2 }
      print(r.unknown, r.error:match("^%a+"))]])
  end)

  it("without a key, but before anything of it was sent, has failed and is tried again", function()
    assert.equal("false true 3 connect", output [[
      local r = call_api { POST = at.refused, json = {}, idempotent = false, retry = { attempts = 3, base = 0.001 }, on_failure = "continue" }
      print(r.unknown, r.failed, r.attempts, r.error:match("^%a+"))]])
  end)

  it("on a connection that was used before: sent again with a key, never without", function()
    local said, count = after([[
      for i = 1, 2 do call_api { GET = at.http .. "/ok" } end
      local url = at.http .. "/close-reused/key"
      print(call_api { POST = url, json = {} }.ok, call_api { POST = url, json = {}, retry = { base = 0.001 } }.ok)]], "/close-reused/key")
    assert.equal("true true", said)
    assert.is_true(count >= 3)
    local url = "/close-reused/none"
    said, count = after(([[
      local unknown, ok = 0, 0
      for i = 1, 3 do
        local r = call_api { POST = at.http .. %q, json = { i }, idempotent = false, retry = { attempts = 3, base = 0.001 } }
        ok, unknown = ok + (r.ok and 1 or 0), unknown + (r.unknown and 1 or 0)
      end
      print(ok + unknown, unknown <= 2)]]):format(url), url)
    assert.same({ "3 true", 3 }, { said, count })
  end)
end)
