-- Redirects: an answer like others unless a call asks to follow them; and a rehearsal, which leaves loopback by no way.

local fault = require "fault"
local outside = require "outside"
local scripts = require "scripts"

local server

setup(function() server = fault.start() end)
teardown(function() server.stop() end)

local function output(text)
  return (scripts.output(("local base, other = %q, %q\n%s"):format(server.url(""), server.url("", "http_too"), text)):gsub("\t", " "))
end

describe("a redirect", function()
  it("is an answer that fails, by default", function()
    assert.equal("302 true status: 302 Found /ok elsewhere 1", output [[
      local r = call_api { GET = base .. "/redirect/302?/ok", on_failure = "continue" }
      print(r.status, r.failed, r.error, r.headers.location, r.body, r.attempts)]])
    local r = output [[print(call_api { GET = base .. "/redirect/302?/ok", success = { "2xx", "3xx" } }.ok)]]
    assert.equal("true", r)
  end)

  it("is followed as often as is asked for", function()
    assert.equal("200 ok", output [[
      local r = call_api { GET = base .. "/redirect/302?/ok", redirects = 1 }
      print(r.status, r.body)]])
    assert.equal("redirect 302 true", output [[
      local r = call_api { GET = base .. "/loop", redirects = 3, retry = false, on_failure = "continue" }
      print(r.error:match("^%a+"), r.status, r.error:find("more than 3 redirects", 1, true) ~= nil)]])
  end)

  it("keeps method and body with 307 and 308, and becomes GET with 301, 302 and 303", function()
    assert.equal("301 GET 0|302 GET 0|303 GET 0|307 POST 5|308 POST 5", output [[
      local seen = {}
      for i, status in ipairs { 301, 302, 303, 307, 308 } do
        local r = call_api { POST = base .. "/redirect/" .. status .. "?/echo", body = "12345", redirects = 1 }
        seen[i] = status .. " " .. r.body:match("^%u+") .. " " .. r.body:match("(%d+) %x+$")
      end
      print(table.concat(seen, "|"))]])
  end)

  it("takes credentials along to the same host, and none to another port", function()
    assert.equal("yes yes|no no", output [[
      local function shown(url)
        local body = call_api { GET = base .. "/redirect/302?" .. url, redirects = 1, headers = { Authorization = "Bearer x", Cookie = "a=b" } }.body
        return (body:find("Bearer x", 1, true) and "yes" or "no") .. " " .. (body:find("a=b", 1, true) and "yes" or "no")
      end
      print(shown(base .. "/echo") .. "|" .. shown(other .. "/echo"))]])
  end)

  it("to what is no http is refused", function()
    assert.equal("redirect redirect", output [[
      local function try(url)
        return call_api { GET = base .. "/redirect/302?" .. url, redirects = 3, retry = false, on_failure = "continue" }.error:match("^%a+")
      end
      print(try "file:///etc/passwd", try "gopher://127.0.0.1/")]])
  end)
end)

describe("a rehearsal", function()
  local files = { ["connections.lua"] = "return { any = { base_url = 'https://any.example/v2' } }", ["vendor.lua"] = outside.behaviour }

  it("sends whole URLs and connections' bases alike to the pretend vendor", function()
    local result = scripts.journey(([[
      local seen = {}
      local function at(fields)
        fields.on_failure = "continue"
        local r = call_api(fields)
        seen[#seen + 1] = r.status .. (r.json.path or "")
      end
      at { via = "any", GET = "/echo" }
      at { via = "any", GET = "https://any.example/v2/echo" }
      at { GET = "https://elsewhere.example/echo" }
      at { GET = "http://192.0.2.1:81/echo" }
      at { GET = %q }
      print("SEEN " .. table.concat(seen, " "))]]):format(server.url("/status/500")), { "ada" }, { files = files, flags = { "--seed", "1" } })
    assert.matches("SEEN 200/v2/echo 200/v2/echo 200 200 200", result.out)
    assert.matches("1 completed", result.out)
  end)

  it("follows no redirect away from loopback", function()
    local hosts = { "192.0.2.1", "redirects.invalid", "127.0.0.1.example" }
    local result = scripts.journey([[
      if person.id ~= "near" then
        call_api { via = "any", GET = "/say", query = { status = 302, Location = "http://" .. person.id .. "/" }, redirects = 3, retry = false }
      end
      local r = call_api { via = "any", GET = "/say", query = { status = 302, Location = "/any/echo" }, redirects = 3, idempotent = false }
      print("NEAR " .. r.json.path)]], { "near", table.unpack(hosts) }, { files = files, flags = { "--seed", "1" } })
    for _, host in ipairs(hosts) do -- found out before a name is looked up
      assert.matches(("%s is held at \"GET /say\": egress: after a redirect: %s:80 is not on this machine"):format(host, host), result.err, 1, true)
    end
    assert.matches("1 completed", result.out)
    assert.matches("NEAR /echo", result.out)
  end)
end)
