-- The egress guard, through the binary: where no call may go is told, holds the run, and drops nobody.

local fault = require "fault"
local helper = require "helper"
local json = require "json"
local running = require "running"
local scripts = require "scripts"

local server

setup(function() server = fault.start() end)
teardown(function() server.stop() end)

-- A live run of a journey in which everybody makes one call: `people` have what the call's table is made of. The
-- helper of other specs gives --private-network; here it is a flag like any other.
local function live(flow, people, connections, ...)
  local folder = scripts.folder {
    ["connections.lua"] = connections or "return {}",
    ["journeys/trial.lua"] = ("return journey 'trial' { flow = function(person) %s end }"):format(flow),
  }
  local lines = {}
  for i, person in ipairs(people) do lines[i] = json.encode(person) end
  local audience = helper.write_file(folder .. "/people.ndjson", table.concat(lines, "\n") .. "\n")
  local result = helper.jaunt("run", folder .. "/journeys/trial.lua", "--people", audience, "--live", "--yes", "--json",
    "--workers", "1", ...)
  assert.equal(0, result.code, result.err)
  result.report = json.decode(result.out)
  return result
end

-- Everybody at one of these URLs is held, and the line that tells of it has these words; nothing comes to the server.
local function all_are_held(cases, connections, ...)
  local people = {}
  for i, case in ipairs(cases) do people[i] = { id = "case-" .. i, url = case[1] } end
  local before = server.count "/ok"
  local result = live([[call_api "ask" { GET = person.url, redirects = 3, on_failure = "continue" }]], people, connections, ...)
  assert.equal(#cases, result.report.held, result.err)
  assert.equal(#cases, result.report.elements[1].held)
  for i, case in ipairs(cases) do
    local line = assert(result.err:match(("case%%-%d is held[^\n]*"):format(i)), result.err)
    assert.matches(case[2], line, 1, true)
  end
  assert.equal(before, server.count "/ok")
  return result
end

local NOBODY = "; no call goes there"
local METADATA = " is the address of a cloud's metadata service" .. NOBODY

describe("a live call", function()
  local function here(host, path) return ("http://%s:%d%s"):format(host, server.http, path or "/ok") end

  it("goes to no private address, however it is written", function()
    all_are_held {
      { here "127.0.0.1", "egress: 127.0.0.1 is a loopback address: give --private-network, or a connection with private_network = true" },
      { here "localhost", 'egress: "localhost" is at ' },
      { here "[::1]", "egress: ::1 is a loopback address" },
      { here "[::ffff:127.0.0.1]", "egress: ::ffff:127.0.0.1 (127.0.0.1 within) is a loopback address" },
      { here "[::ffff:7f00:1]", "egress: ::ffff:127.0.0.1 (127.0.0.1 within) is a loopback address" },
      { here "[64:ff9b::7f00:1]", "egress: 64:ff9b::7f00:1 (127.0.0.1 within) is a loopback address" },
      { here "2130706433", 'egress: "2130706433" is at 127.0.0.1, a loopback address' },
      { here "0177.0.0.1", 'egress: "0177.0.0.1" is at 127.0.0.1, a loopback address' },
      { here "0x7f.1", 'egress: "0x7f.1" is at 127.0.0.1, a loopback address' },
      { here "127.1", 'egress: "127.1" is at 127.0.0.1, a loopback address' },
      { "http://10.0.0.7/", "egress: 10.0.0.7 is a private address" },
      { "http://192.168.1.1:8080/admin", "egress: 192.168.1.1 is a private address" },
      { "https://172.16.0.1/", "egress: 172.16.0.1 is a private address" },
      { "http://100.64.0.1/", "egress: 100.64.0.1 is a provider's shared address" },
      { "http://[fd12::1]/", "egress: fd12::1 is a private address" },
      { "http://0.0.0.0/", "egress: 0.0.0.0 is an address of no host" .. NOBODY },
      { "http://169.254.169.254/latest/meta-data", "egress: 169.254.169.254" .. METADATA },
      { "http://[fd00:ec2::254]/latest", "egress: fd00:ec2::254" .. METADATA },
    }
  end)

  it("carries no user before its host", function()
    all_are_held {
      { "http://api.example.com@127.0.0.1/", "config: a URL must not carry a user or password" },
      { "http://api.example.com:80@127.0.0.1/", "config: a URL must not carry a user or password" },
      { "http://api.example.com\\@127.0.0.1/", "config: a URL must not carry a user or password" },
      { "http://api.example.com#@127.0.0.1/", "config: " },
      { "http://127.0.0.1%2eapi.example.com/", "config: the host" },
      { "http://127.0.0.1\r\n/", "config: the host" },
    }
  end)

  it("is not tried again where it may not go, and is told of its connection", function()
    local result = live([[call_api "ask" { via = "crm", GET = "/ok" }]], { { id = "ada" } },
      ("return { crm = { base_url = %q, retry = { attempts = 5, base = '1h' } } }"):format(server.url("")))
    assert.equal(1, result.report.held)
    assert.equal(0, result.report.dropped)
    assert.equal(1, result.report.attempts)
    assert.same({ egress = 1 }, result.report.elements[1].reasons)
    assert.matches('127.0.0.1 is a loopback address: set private_network = true on the connection "crm" if that is meant',
      result.err, 1, true)
  end)

  it("goes into a private network where its connection says so, or the flag does", function()
    local function base(fields) return ("return { crm = { base_url = %q, %s } }"):format(server.url(""), fields) end
    local flow, people = [[call_api "ask" { via = "crm", GET = "/ok" }]], { { id = "ada" } }
    assert.equal(1, live(flow, people, base "private_network = true").report.completed)
    assert.equal(1, live(flow, people, base "", "--private-network").report.completed)
    assert.equal(1, live(flow, people, base "private_network = false", "--private-network").report.completed)
    assert.equal(1, live(flow, people, base "").report.held)
    flow = ("call_api 'ask' { GET = %q }"):format(server.url("/ok"))
    assert.equal(1, live(flow, people, nil, "--private-network").report.completed)
  end)

  it("goes to no metadata service even from there, by no redirect either", function()
    local function to(url) return server.url("/redirect/302?" .. url) end
    all_are_held({
      { "http://169.254.169.254/latest", "egress: 169.254.169.254" .. METADATA },
      { "http://2852039166/latest", 'egress: "2852039166" is at 169.254.169.254, the address of' },
      { to "http://169.254.169.254/latest", "egress: after a redirect: 169.254.169.254" .. METADATA },
      { to "http://0xa9fea9fe/latest", "egress: after a redirect: " },
    }, nil, "--private-network")
  end)
end)

describe("a value in a path", function()
  -- Each value behind the base URL's path: said is "CAME ID STATUS HOST", the host as the server was told it, or - where
  -- it has no such path. Nobody else would answer.
  local function asked_with(values)
    local people = {}
    for i, value in ipairs(values) do people[i] = { id = "case-" .. i, value = value } end
    return live([[
      local r = call_api "ask" { via = "crm", GET = "/echo/" .. person.value, on_failure = "continue" }
      print("CAME " .. person.id .. " " .. r.status .. " " .. (r.body:match("[Hh]ost: (%S+)") or "-"))]],
      people, ("return { crm = { base_url = %q, private_network = true, success = { '2xx', 404 } } }"):format(server.url("")))
  end

  it("changes neither host nor port", function()
    local values = { "//evil.example/", "@evil.example", ":8080/", "/../../evil.example", "/..", "\\evil.example",
      "\r\nHost: evil.example",
      "\t", " ", "%2f..%2f@evil.example", "%0d%0aHost:evil", "?x=http://evil.example", "?@evil.example",
      "/http://evil.example/", ";@evil.example" }
    local result = asked_with(values)
    assert.equal(#values, result.report.completed, result.err)
    local count = 0
    for status, host in result.err:gmatch("CAME case%-%d+ (%d+) (%S+)") do
      count = count + 1
      assert.equal(status == "200" and "127.0.0.1:" .. server.http or "-", host)
    end
    assert.equal(#values, count, result.err)
    assert.matches("CAME case%-1 200", result.err) -- most of them are a path of the server's
  end)

  it("that is all of it has to be a path, or a URL at the connection's own place", function()
    local people = {}
    local cases = {
      { "@evil.example/", 'config: the path "@evil.example/" has to begin with /' },
      { ":8080/", 'config: the path ":8080/" has to begin with /' },
      { ".evil.example/", "config: the path" },
      { "\\\\evil.example/", "config: the path" },
      { "//evil.example\0/", "config: the path holds a NUL byte" },
      { "http://evil.example/", 'config: connection "crm": http://evil.example is not where base_url leads' },
      { ("http://127.0.0.1:%d/ok"):format(server.http_too), 'config: connection "crm": http://127.0.0.1:' .. server.http_too },
      { ("https://127.0.0.1:%d/ok"):format(server.http), 'config: connection "crm": https://127.0.0.1:' .. server.http },
      { "HTTP://EVIL.example/", 'config: connection "crm": http://EVIL.example is not where base_url leads' },
    }
    for i, case in ipairs(cases) do people[i] = { id = "case-" .. i, value = case[1] } end
    people[#people + 1] = { id = "home", value = server.url("/ok") }
    local result = live([[call_api "ask" { via = "crm", GET = person.value }]], people,
      ("return { crm = { base_url = %q, private_network = true, auth = { bearer = 'hush' } } }"):format(server.url("")))
    assert.equal(1, result.report.completed, result.err)
    assert.equal(#cases, result.report.held, result.err)
    for i, case in ipairs(cases) do
      local line = assert(result.err:match(("case%%-%d is held[^\n]*"):format(i)), result.err)
      assert.matches(case[2], line, 1, true)
    end
  end)
end)

describe("a plain script", function()
  local function script(text, ...)
    local folder = scripts.folder { ["ask.lua"] = text }
    local words = { "run", ... }
    words[#words + 1] = folder .. "/ask.lua"
    return helper.jaunt(table.unpack(words))
  end

  it("calls this machine with --private-network alone", function()
    local text = ("print(call_api { GET = %q, on_failure = 'continue' }.body)"):format(server.url("/ok"))
    local result = script(text)
    assert.equal(1, result.code)
    assert.equal("", result.out)
    assert.matches("127.0.0.1 is a loopback address: give --private-network", result.err, 1, true)
    result = script(text, "--private-network")
    assert.equal("ok\n", result.out)
    assert.equal(0, result.code)
  end)
end)

describe("a proxy", function()
  it("that the environment names gets nothing to see: calls go where their URL says", function()
    local proxy = running.vendor()
    local folder = scripts.folder {
      ["connections.lua"] = ([[return { x = { base_url = "https://localhost:%d", private_network = true, ca_file = %q } }]]):format(
        server.https, server.ca),
      ["ask.lua"] = ([[
        print(call_api { GET = %q, on_failure = "continue" }.ok)
        print(call_api { via = "x", GET = "/ok", on_failure = "continue" }.ok)
      ]]):format(server.url "/ok"),
    }
    local env = {}
    for _, name in ipairs { "http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY" } do env[name] = proxy.url end
    local result = helper.jaunt(env, "run", "--private-network", folder .. "/ask.lua")
    assert.equal("true\ntrue\n", result.out, result.err)
    assert.equal(0, proxy.received().requests)
    proxy.stop()
  end)
end)
