-- connections.lua: every field as the other side sees it, every wrong form with its place, and the bound on calls in flight.

local connections = require "jaunt.project.connections"
local fault = require "fault"
local outside = require "outside"
local scripts = require "scripts"

local vendor, server

setup(function()
  vendor = outside.start()
  server = fault.start()
end)
teardown(function()
  vendor.stop()
  server.stop()
end)

-- The headers, query and path that came for a call with these fields through a connection with those.
local function sent(connection, call, env)
  return scripts.value(("return call_api { via = 'x', %s }.json"):format(call or "POST = '/echo'"), { env = env, files = {
    ["connections.lua"] = ("local base = %q\nreturn { x = { %s } }"):format(vendor.url("/any"), connection) } })
end

describe("a connection", function()
  it("has a base URL, with or without a slash at its end, from the environment or not", function()
    assert.equal("/v2/echo", sent("base_url = base .. '/v2/'").path:gsub("^/any", ""))
    assert.equal("/echo", sent("base_url = env('X_URL', 'http://127.0.0.1:9')", nil, { X_URL = vendor.url("/any") }).path)
    assert.equal("/echo", sent("base_url = env('NO_SUCH_URL', base)").path)
  end)

  local auth = {
    bearer = { "auth = { bearer = secret 'T' }", "authorization", "Bearer t0k en" },
    basic = { "auth = { basic = { 'user:ü', secret 'T' } }", "authorization", "Basic dXNlcjrDvDp0MGsgZW4=" },
    header = { "auth = { header = { ['X-Api-Key'] = secret 'T' } }", "x-api-key", "t0k en" },
    text = { "auth = { bearer = 'plain' }", "authorization", "Bearer plain" },
  }
  for kind, case in pairs(auth) do
    it("authorizes by " .. kind, function()
      assert.equal(case[3], sent("base_url = base, " .. case[1], nil, { T = "t0k en" }).headers[case[2]])
    end)
  end

  it("authorizes by a query key, encoded, behind what the call asks for", function()
    local got = scripts.output("print(call_api { via = 'x', GET = '/echo?a=1', query = { b = 2 } }.body:match('^%C*'))",
      { env = { T = "k&y=+ü" },
      files = { ["connections.lua"] = ("return { x = { base_url = %q, auth = { query = { ['api key'] = secret 'T' } } } }"):format(
        server.url("")) } })
    assert.equal("GET /echo?a=1&b=2&api%20key=k%26y%3D%2B%C3%BC HTTP/1.1", got)
  end)

  it("has headers, which auth and a call of its own stand above, each sent once", function()
    local fields = "base_url = base, headers = { ['X-A'] = 'connection', ['x-b'] = 'connection', ['X-S'] = secret 'S', "
      .. "Authorization = 'connection', ['Content-Type'] = 'text/csv' }"
    local got = sent(fields, "POST = '/echo', body = 'x', headers = { ['x-a'] = 'call' }", { S = "hidden" })
    assert.same({ "call", "connection", "hidden", "connection", "text/csv" }, { got.headers["x-a"], got.headers["x-b"],
      got.headers["x-s"], got.headers.authorization, got.headers["content-type"] })
    got = sent(fields .. ", auth = { bearer = 'auth' }", "POST = '/echo', json = 1", { S = "x" })
    assert.same({ "Bearer auth", "text/csv" }, { got.headers.authorization, got.headers["content-type"] })
    got = sent(fields .. ", auth = { bearer = 'auth' }", "POST = '/echo', headers = { authorization = 'call' }", { S = "x" })
    assert.equal("call", got.headers.authorization)
  end)

  it("shows in a dry run the same headers as it sends, each once, with its secrets hidden", function()
    local result = scripts.journey("call_api 'note' { via = 'x', POST = '/echo', json = { n = 1 }, headers = { ['x-a'] = 'call' } }",
      { "ada" }, { env = { T = "t0ken" }, flags = { "--dry-run" }, files = { ["connections.lua"] = [[return { x = {
        base_url = "https://x.example", auth = { bearer = secret "T" },
        headers = { ["X-A"] = "connection", Authorization = "connection", ["content-type"] = "text/csv" } } }]] } })
    local lines = {}
    for line in result.out:gmatch("\n  ([%w%-]+: [^\n]*)") do lines[#lines + 1] = line:lower():gsub("key: %x+", "key: k") end
    table.sort(lines)
    assert.same({ "authorization: bearer ‹secret t›", "content-type: text/csv", "idempotency-key: k", "x-a: call" }, lines)
    assert.matches("  POST https://x.example/echo\n", result.out, 1, true)
    result = scripts.journey("call_api 'note' { via = 'x', GET = '/echo', headers = { authorization = 'call' } }", { "ada" },
      { env = { T = "t0ken" }, flags = { "--dry-run" }, files = { ["connections.lua"] = [[return { x = {
        base_url = "https://x.example", auth = { bearer = secret "T" } } }]] } })
    assert.matches("  authorization: call\n", result.out, 1, true)
    assert.is_nil(result.out:find("secret", 1, true))
  end)

  it("has timeout, retry and success, which a call may say otherwise", function()
    local said = scripts.output([[
      local function try(via, more)
        local fields = { via = via, POST = "/each/503", on_failure = "continue" }
        for name, value in pairs(more or {}) do fields[name] = value end
        local r = call_api(fields)
        return r.attempts .. " " .. tostring(r.ok)
      end
      local slow = call_api { via = "slow", POST = "/echo", on_failure = "continue" }
      print(try "once", try("once", { retry = { attempts = 2, base = 0.001 } }), try "twice", try "takes", slow.error:match("^%a+"),
        call_api { via = "slow", POST = "/echo", timeout = "30s" }.ok)]], { files = { ["connections.lua"] = ([[
      local base = %q
      return { once = { base_url = base .. "/any", retry = false }, twice = { base_url = base .. "/any", retry = { attempts = 2, base = 0.001 } },
        takes = { base_url = base .. "/any", success = { 503, "2xx" } },
        slow = { base_url = base .. "/slow", timeout = { connect = "5s", total = 0.05 }, retry = false } }]]):format(vendor.url()) } })
    assert.equal("1 false|2 false|2 false|1 true|timeout|true", (said:gsub("\t", "|")))
  end)

  it("bounds what it reads of an answer with max_body", function()
    local said = scripts.output("local r = call_api { via = 'x', GET = '/bytes/2000', on_failure = 'continue' } print(r.error:match('^[%a_]+'), r.attempts)",
      { files = { ["connections.lua"] = ("return { x = { base_url = %q, max_body = '1KiB' } }"):format(server.url("")) } })
    assert.equal("too_large\t1", said)
  end)

  it("trusts the authority in its ca_file, and nobody else", function()
    local files = { ["connections.lua"] = ([[
      local function https(port, ca) return { base_url = "https://localhost:" .. port, ca_file = ca, retry = false } end
      return { good = https(%d, %q), none = https(%d), expired = https(%d, %q), missing = https(%d, "/no/such/file.pem") }]]):format(
      server.https, server.ca, server.https, server.expired, server.ca, server.https) }
    assert.equal("true nil|false tls|false tls|false tls", (scripts.output([[
      local seen = {}
      for i, via in ipairs { "good", "none", "expired", "missing" } do
        local r = call_api { via = via, GET = "/ok", on_failure = "continue" }
        seen[i] = tostring(r.ok) .. " " .. tostring(r.error and r.error:match("^%a+"))
      end
      print(table.concat(seen, "|"))]], { files = files })))
  end)
end)

describe("max_in_flight", function()
  local BUSY = [[return { shop = { latency = "50ms", ["POST /order"] = function() return 200 end } }]]

  it("is never exceeded, whatever the number of workers", function()
    local vendor_native = require "jaunt.native.vendor"
    local helper = require "helper"
    local file = helper.write_file(helper.temp_folder() .. "/vendor.lua", BUSY)
    local running <close> = vendor_native.start { behaviour = file }
    local people = {}
    for i = 1, 40 do people[i] = "p" .. i end
    for _, workers in ipairs { "1", "4" } do
      local before = require("jaunt.native.control").now_mono()
      local result = scripts.journey("call_api 'order' { via = 'shop', POST = '/order', json = { id = person.id } }", people, {
        flags = { "--live", "--yes", "--json", "--workers", workers }, files = { ["connections.lua"] =
          ("return { shop = { base_url = %q, max_in_flight = 2 } }"):format(running:url() .. "/shop") } })
      assert.equal(40, result.report.completed, result.err)
      -- 40 calls of at least 50 ms each, two at a time, take at least 20 times 50 ms
      assert.is_true(require("jaunt.native.control").now_mono() - before >= 1000)
    end
  end)

  it("is told as the longest queue", function()
    local people = {}
    for i = 1, 20 do people[i] = "p" .. i end
    local result = scripts.journey("call_api 'order' { via = 'shop', POST = '/echo' }", people, { flags = { "--workers", "1" },
      files = { ["connections.lua"] = "return { shop = { base_url = 'https://shop.example', max_in_flight = 2 } }",
        ["vendor.lua"] = outside.behaviour } })
    assert.matches("longest queue[^\n]*18", result.out)
  end)
end)

describe("a mistake in connections.lua", function()
  -- What is said of a file with this text.
  local function said_of(text)
    local ok, why = pcall(connections.read, { root = scripts.folder { ["connections.lua"] = text } })
    assert.is_false(ok)
    return tostring(why)
  end

  -- The same where the text's fifth line is this.
  local function said(line)
    return said_of("-- x = { nothing = here }\nreturn {\n  other = { base_url = 'http://127.0.0.1' },\n  x = {\n    " .. line
      .. ",\n  },\n}\n")
  end

  it("keeps the command from running", function()
    local result = scripts.run("print 'ran'", { files = { ["connections.lua"] = "return {\n  x = { base_uri = 'x' },\n}" } })
    assert.equal(2, result.code)
    assert.equal("", result.out)
    assert.matches('^jaunt: [^\n]*connections.lua:2: connection "x": there is no field base_uri; did you mean base_url%?', result.err)
  end)

  local cases = {
    ["base_uri = 'x'"] = "there is no field base_uri; did you mean base_url?",
    ["'http://x'"] = "there is no field 1",
    ["base_url = 1"] = "base_url is a URL such as \"https://api.example.com/v2\", not a number",
    ["base_url = 'ftp://x'"] = "base_url is an http or https URL without a query, not \"ftp://x\"",
    ["base_url = 'https://x/?key=hidden'"] = "base_url is an http or https URL without a query, not \"https://x/?…\"",
    ["base_url = 'https://me:hidden@x/'"] = "base_url carries a user or a password: they belong into auth = { basic = … }",
    ["headers = 'a'"] = "headers is a table { NAME = value }, not a string",
    ["auth = 'x'"] = "auth is { bearer",
    ["auth = {}"] = "auth is { bearer",
    ["auth = { bearer = 'a', basic = { 'a', 'b' } }"] = "auth is { bearer",
    ["auth = { barer = 'a' }"] = "did you mean bearer?",
    ["auth = { basic = 'a' }"] = "auth is { bearer",
    ["auth = { header = { a = 'b', c = 'd' } }"] = "auth is { bearer",
    ["auth = { bearer = 1 }"] = "auth is a text or secret \"NAME\", not a number",
    ["auth = { basic = { 'user' } }"] = "auth is a text or secret \"NAME\", not a nil",
    ["timeout = 'soon'"] = "timeout: ",
    ["timeout = { conect = '1s' }"] = "timeout has no field \"conect\": it has connect and total; did you mean connect?",
    ["timeout = { connect = {} }"] = "timeout.connect is a duration such as \"2h\", not a table",
    ["retry = { attempts = 0 }"] = "retry: attempts is a number from 1 to 100, the first attempt counted",
    ["retry = 'x'"] = "retry is { attempts = 4",
    ["success = 'good'"] = "success is a status such as 202",
    ["success = function() end"] = "success is a status or a list of them here; a predicate belongs into call_api",
    ["idempotent = 3"] = "idempotent is the name of the header that carries the key, or false, not a number",
    ["idempotent = 'a b'"] = "idempotent is the name of the header that carries the key, or false, not \"a b\"",
    ["max_in_flight = 0"] = "max_in_flight is a whole number from 1 on, not 0",
    ["max_in_flight = '5'"] = "max_in_flight is a whole number from 1 on, not 5",
    ["private_network = 'yes'"] = "private_network is true or false, not a string",
    ["ca_file = true"] = "ca_file is the path of a PEM file, not a boolean",
    ["max_body = 'big'"] = "max_body is a size such as 65536",
    ["rate = '80/s'"] = "rate can't be used: calls are not paced yet",
    ["circuit = {}"] = "circuit can't be used: there is no circuit breaker yet",
    ["quiet = {}"] = "quiet can't be used: there are no quiet hours yet",
    ["cap = {}"] = "cap can't be used: there are no frequency caps yet",
    ["consent = {}"] = "consent can't be used: consent is not looked up yet",
    ["redact = {}"] = "redact can't be used: nothing is kept that could be redacted yet",
    ["auth = { oauth2 = {} }"] = "OAuth2 is not there yet (bearer is)",
  }
  for line, words in pairs(cases) do
    it("is told with its file and line: " .. line, function()
      local message = said(line)
      local at = line:find("^'") and 4 or 5
      assert.matches(('connections.lua:%d: connection "x": '):format(at), message, 1, true)
      assert.matches(words, message, 1, true)
      assert.is_nil(message:find("hidden"))
    end)
  end

  it("is told with the line of its header", function()
    assert.matches('connections.lua:5: connection "x": X-B is a text or secret "NAME", not a table',
      said_of "return {\n  x = {\n    headers = {\n      ['X-A'] = 'a',\n      ['X-B'] = {},\n    },\n  },\n}", 1, true)
  end)

  it("that is Lua's is told with its line", function()
    for text, words in pairs {
      ["return {\n  x = {"] = "connections.lua:2: unexpected symbol near <eof>",
      ["local a\nreturn { x = a.b }"] = "connections.lua:2: attempt to index a nil value (local 'a')",
      ["return {\n  x = { base_url = env() } }"] = "connections.lua:2: env wants a name",
      ["return {\n  x = { auth = { bearer = secret(nil) } } }"] = "connections.lua:2: secret wants a name",
      ["\nx = os.time()"] = "connections.lua:2: attempt to index a nil value (global 'os')",
      ["x = 1"] = "connections.lua returns no table: return { crm = { base_url = … } }",
      ["return { x = 'http://x' }"] = 'connection "x" is a table { base_url = … }, not a string',
    } do
      assert.matches(words, said_of(text), 1, true)
    end
  end)
end)
