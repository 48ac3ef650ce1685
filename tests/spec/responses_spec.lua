-- What a script sees of an answer: the response's fields, what it says of JSON that is none, what is kept on failure.

local outside = require "outside"
local scripts = require "scripts"
local helper = require "helper"

describe("a response", function()
  local vendor

  setup(function() vendor = outside.start() end)
  teardown(function() vendor.stop() end)

  -- Runs a script that knows `base` (…/any/say, which answers what its query says), `each` and `status`.
  local function output(text)
    return scripts.output(("local base, each, status = %q, %q, %q\n%s"):format(vendor.url("/any/say"), vendor.url("/any/each/"),
      vendor.url("/any/status/"), text))
  end

  it("tells how it went: ok, status, attempts, ms, no error", function()
    assert.equal("true false false false 201 1 true nil false", output [[
      local r = call_api { POST = status .. 201 }
      print(r.ok, r.failed, r.unknown, r.skipped, r.status, r.attempts, r.ms > 0 and r.ms < 60000, r.error, r.truncated)
    ]]:gsub("\t", " "))
  end)

  it("keeps status, headers and body on failure, and says what was wrong", function()
    assert.equal("false true 422 status: 422 Unprocessable Content phone is wrong text/plain yes", output [[
      local r = call_api { POST = base, query = { status = 422, body = "phone is wrong", type = "text/plain", ["X-Seen"] = "yes" },
        on_failure = "continue" }
      print(r.ok, r.failed, r.status, r.error, r.body, r.headers["content-type"], r.headers["x-seen"])
    ]]:gsub("\t", " "))
  end)

  it("keeps the last answer when a later attempt gets none", function()
    assert.equal("503 3 status: 503 Service Unavailable attempt 3", output [[
      local r = call_api { POST = each .. "503", retry = { attempts = 3, base = 0.001 }, on_failure = "continue" }
      print(r.status, r.attempts, r.error, r.body)
    ]]:gsub("\t", " "))
  end)

  it("without an answer has no status, no headers and an empty body", function()
    assert.equal("nil true 0 connect 2", output [[
      local r = call_api { GET = "http://127.0.0.1:1/", retry = { attempts = 2, base = 0.001 }, on_failure = "continue" }
      print(r.status, next(r.headers) == nil, #r.body, r.error:match("^%a+"), r.attempts)
    ]]:gsub("\t", " "))
  end)

  it("has its headers by lower-case names, and those that come twice joined", function()
    local said = output [[
      local r = call_api { GET = base, query = { ["X-Some"] = "x: y", ["Set-Thing"] = "a=1", ["set-thing"] = "b=2" } }
      print(r.headers["x-some"] .. "|" .. r.headers["set-thing"])
    ]]
    assert.is_true(said == "x: y|a=1, b=2" or said == "x: y|b=2, a=1", said)
  end)

  it("decodes its JSON once: the same table each time", function()
    assert.equal("true 12345678901234567 true", output [[
      local r = call_api { GET = base, query = { type = "application/json", body = '{"id":12345678901234567,"list":[]}' } }
      print(rawequal(r.json, r.json), r.json.id, json.encode(r.json.list) == "[]")
    ]]:gsub("\t", " "))
  end)

  it("decodes JSON of whatever type it is called, null and false too", function()
    assert.equal("1 true false", output [[
      local function body(text) return call_api { GET = base, query = { body = text, type = "text/plain" } } end
      print(body("[1]").json[1], body("null").json == json.null, body("false").json)
    ]]:gsub("\t", " "))
  end)

  -- What r.json raises, without the place.
  local function json_error(query, name)
    return (output(([[
      local r = call_api %s { GET = base, on_failure = "continue", query = %s }
      print(select(2, pcall(function() return r.json end)))
    ]]):format(name or "'note in Salesforce'", query)):gsub("^.-: \"", '"'))
  end

  it("says of an HTML page that it is none, and how it begins", function()
    assert.equal('"note in Salesforce" answered text/html, not JSON: <h1>502 Bad Gateway</h1>',
      json_error '{ status = 502, type = "text/html; charset=utf-8", body = "<h1>502 Bad Gateway</h1>" }')
    assert.equal('"note in Salesforce" answered text/html, not JSON: <html> <head> <title>' .. ("x"):rep(26) .. "…",
      (json_error('{ type = "text/html", body = "<html>\\r\\n<head>\\n<title>" .. ("x"):rep(100) }'):gsub("  ", " ")))
  end)

  it("cuts what it shows between characters", function()
    local said = json_error '{ type = "text/plain", body = ("ü"):rep(100) .. "x" }'
    assert.is_truthy(utf8.len(said))
    assert.matches("not JSON: üü.*ü…$", said)
    assert.is_truthy(utf8.len(json_error '{ type = "text/plain", body = "x" .. ("ü"):rep(100) }'))
    assert.is_truthy(utf8.len(json_error '{ type = "text/plain", body = "x" .. ("🙂"):rep(100) }'))
  end)

  it("says of broken JSON where it broke, and of an empty body that there is none", function()
    assert.matches('^"note in Salesforce" answered broken JSON: line 1, column 8', json_error '{ type = "application/json", body = [[{"a":1,]] .. "}" }')
    assert.equal('"note in Salesforce" answered without a body, so there is no JSON in it', json_error "{}")
  end)

  it("cuts its body to keep_body and says so", function()
    assert.equal("10 true 0123456789", output [[
      local r = call_api { GET = base, query = { body = ("0123456789"):rep(20) }, keep_body = 10 }
      print(#r.body, r.truncated, r.body)
    ]]:gsub("\t", " "))
    assert.equal("65536 true", output(([[
      local r = call_api { POST = %q, json = { a = ("x"):rep(70000) } }
      print(#r.body, r.truncated)
    ]]):format(vendor.url("/any/echo"))):gsub("\t", " "))
    assert.matches("answered more than keep_body lets through: its JSON is cut", output [[
      local r = call_api { GET = base, query = { body = "[1,2,3]", type = "application/json" }, keep_body = "3B" }
      print(select(2, pcall(function() return r.json end)))
    ]])
    assert.equal("100000 false", output(([[
      local r = call_api { POST = %q, json = { a = ("x"):rep(100000) }, keep_body = "1MiB" }
      print(#r.json.json.a, r.truncated)
    ]]):format(vendor.url("/any/echo"))):gsub("\t", " "))
  end)

  it("is read-only, and knows its fields", function()
    local said = output [[
      local r = call_api { GET = base }
      print(select(2, pcall(function() r.ok = false end)))
      print(select(2, pcall(function() return r.code end)))
      print(pcall(getmetatable, r))
      print(select(2, pcall(function() return r[1] end)))
    ]]
    assert.matches("a response is read%-only", said)
    assert.matches('a response has no field "code": it has ok, failed', said)
    assert.matches("\ntrue\tfalse\n", said)
    assert.matches('a response has no field "1"', said)
  end)

  it("shows itself in a line", function()
    assert.equal('response of "note": failed, status 404, 1 attempt, status: 404 Not Found\nresponse of "note": skipped, only_if: only_if said no',
      output [[
        print(call_api "note" { GET = status .. 404, on_failure = "continue" })
        print(call_api "note" { GET = status .. 404, only_if = function() return false end })
      ]])
  end)

  it("streams its body into a file with save_to, and none where the answer is a failure", function()
    local script = ([[
      local r = call_api { GET = %q, query = { body = ("abc"):rep(1000) }, save_to = "saved" }
      local failed = call_api { GET = %q, save_to = "failed", on_failure = "continue" }
      local none = call_api { GET = %q, save_to = "script.lua/x", on_failure = "continue" }
      print(#r.body, r.ok, failed.failed, failed.body, none.error:match("^%%a+"))
    ]]):format(vendor.url("/any/say"), vendor.url("/any/status/404"), vendor.url("/any/say"))
    local folder = scripts.folder { ["script.lua"] = script }
    local r = helper.sh("cd " .. folder .. " && " .. helper.jaunt_words("run", "--private-network", "script.lua"))
    assert.equal("0 true true status 404 file\n", r.out:gsub("\t", " "), r.err)
    assert.equal(("abc"):rep(1000), helper.read_file(folder .. "/saved"))
    assert.is_nil(io.open(folder .. "/failed"))
  end)

  it("that was skipped is neither ok nor failed, and was never sent", function()
    vendor.forget()
    assert.equal("false false true nil 0 only_if: only_if said no", output [[
      local r = call_api { GET = base, only_if = function() return false end }
      print(r.ok, r.failed, r.skipped, r.status, r.attempts, r.error)
    ]]:gsub("\t", " "))
    assert.same({}, vendor.told())
  end)
end)
