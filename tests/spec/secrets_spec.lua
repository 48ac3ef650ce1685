-- Secrets: where they come from, that nothing ever shows one, and that a rehearsal has none.

local fault = require "fault"
local helper = require "helper"
local outside = require "outside"
local scripts = require "scripts"

local HIDDEN = "H1dden-V4lue"

local vendor, server

setup(function()
  vendor = outside.start()
  server = fault.start()
end)
teardown(function()
  vendor.stop()
  server.stop()
end)

local function write_private(path, text, mode)
  helper.write_file(path, text)
  assert(helper.sh(("chmod %s %s"):format(mode or "600", helper.quote(path))).code == 0)
  return path
end

-- Runs `text` in a folder with this secrets.env; returns helper.jaunt's result.
local function run_with(text, secrets, mode, env)
  local folder = scripts.folder { ["connections.lua"] = "return {}", ["script.lua"] = text }
  write_private(folder .. "/secrets.env", secrets, mode)
  return helper.jaunt(env or {}, "run", "--private-network", folder .. "/script.lua"), folder
end

describe("a secret", function()
  local function show(name)
    return ("print(call_api { GET = %q, headers = { ['X-Shown'] = secret %q } }.json.headers['x-shown'])"):format(
      vendor.url("/any/echo"), name)
  end

  it("comes from the environment", function()
    assert.equal("from outside", scripts.output(show "A_SECRET", { env = { A_SECRET = "from outside" } }))
  end)

  it("comes from secrets.env in the project, which stands above the environment", function()
    local file = "# a comment\n\n  A_SECRET = from = the file  \r\nB=2\n"
    assert.equal("from = the file  \n", run_with(show "A_SECRET", file, "600", { A_SECRET = "outside" }).out)
    assert.equal("2\n", run_with(show "B", file).out)
    assert.equal("outside\n", run_with(show "C", file, "400", { C = "outside" }).out)
  end)

  it("comes from the file that --secrets names", function()
    local path = write_private(helper.temp_folder() .. "/own", "A_SECRET=own")
    local result = scripts.journey(("print('GOT ' .. call_api { GET = %q, headers = { a = secret 'A_SECRET' } }.json.headers.a)"):format(
      vendor.url("/any/echo")), { "ada" }, { flags = { "--live", "--yes", "--secrets", path } })
    assert.matches("GOT own", result.out)
    result = scripts.journey("", { "ada" }, { flags = { "--live", "--yes", "--secrets", path .. "x" } })
    assert.equal(2, result.code)
    assert.matches("secrets file", result.err)
  end)

  it("in a file that others can read is refused, and nothing runs", function()
    for _, mode in ipairs { "644", "640", "604", "620" } do
      local result, folder = run_with("print 'ran'", "A_SECRET=" .. HIDDEN, mode)
      assert.equal(2, result.code)
      assert.equal("", result.out)
      assert.matches(("%s/secrets.env: others can read these secrets: type chmod 600 %s/secrets.env"):format(folder, folder),
        result.err, 1, true)
    end
  end)

  it("in a line that can't be read is told by its number, never by its text", function()
    local result = run_with("print 'ran'", "A=1\n" .. HIDDEN .. "\n")
    assert.equal(2, result.code)
    assert.matches("secrets.env:2: a line reads NAME=VALUE", result.err, 1, true)
    assert.is_nil(result.err:find(HIDDEN, 1, true))
  end)

  it("that nobody has holds the run, in a script as in a connection, and is told before a live run", function()
    local files = { ["connections.lua"] = ("return { x = { base_url = %q, auth = { bearer = secret 'NO_SUCH' } } }"):format(
      vendor.url("/any")) }
    vendor.forget()
    local result = scripts.journey([[
      if person.id == "ada" then call_api "note" { via = "x", POST = "/echo", on_failure = "continue" } end
      call_api "own" { POST = "http://127.0.0.1:9/", headers = { a = secret "NOR_THIS" }, on_failure = "continue" }]], { "ada", "bob" },
      { files = files, flags = { "--live", "--yes", "--json" } })
    assert.matches("warning: there is no secret NO_SUCH: calls that need it will hold their people", result.err)
    assert.matches('ada is held at "note": config: connection "x": the secret "NO_SUCH" has no value', result.err)
    assert.matches("bob is held[^\n]*: config: there is no secret NOR_THIS: set it in the environment or in the secrets file", result.err)
    assert.equal(2, result.report.held)
    assert.same({}, vendor.told())
  end)

  it("that holds a line break is never sent, and not shown", function()
    local result = scripts.run(show "A_SECRET", { env = { A_SECRET = HIDDEN .. "\nX-Evil: 1" } })
    assert.equal(1, result.code)
    assert.matches('the secret "A_SECRET" holds a line break, which no header can carry', result.err)
    assert.is_nil((result.out .. result.err):find(HIDDEN, 1, true))
  end)
end)

describe("nothing shows a secret:", function()
  -- In any coding that it is sent in.
  local SHOWN = { HIDDEN, "dTpIMWRkZW4tVjRsdWU" --[[ base64 of u:HIDDEN, its last digits left out ]] }

  local function check_hidden(result)
    for _, text in ipairs { result.out, result.err } do
      for _, shown in ipairs(SHOWN) do assert.is_nil(text:find(shown, 1, true), text) end
    end
    return result
  end

  local ENV = { T = HIDDEN, no_proxy = "*" }

  it("no word of a script", function()
    local said = check_hidden(scripts.run([[
      local t = secret "T"
      print(t, tostring(t), type(t))
      log("a secret", { name = "T" })
      for _, try in ipairs {
        function() return "Bearer " .. t end, function() return #t end, function() return t.value end, function() t.value = 1 end,
        function() return json.encode { a = t } end, function() return ("%s"):format(t) end, function() error(t) end,
        function() error("with " .. tostring(t)) end, function() return getmetatable(t) end, function() log("x", { a = t }) end,
        function() person.token = t end, function() drop(t) end, function() return t == secret "T" end,
        function() call_api { GET = "http://127.0.0.1:1", query = { a = t } } end, function() call_api { GET = t } end,
        function() call_api { GET = "http://127.0.0.1:1", via = t } end, function() call_api(t) end,
        function() call_api { POST = "http://127.0.0.1:1", body = t } end, function() call_api { POST = "http://127.0.0.1:1", form = { t } } end,
      } do print(pcall(try)) end
      error(t)]], { env = ENV }))
    assert.matches("^‹secret T›\t‹secret T›\tuserdata\n", said.out)
    assert.matches("form", said.out)
    assert.equal(1, said.code)
  end)

  it("not env, whether a script, a connection or the file names it a secret", function()
    local env = { THE_KEY = HIDDEN }
    local WORDS = "env: THE_KEY is a secret, which no script may look at"
    local asks = { -- the project's files, and what a script does besides
      ["a script, later"] = { {}, "if false then secret 'THE_KEY' end" },
      ["a script, before"] = { {}, "local s = secret 'THE_KEY'" },
      ["a payload"] = { { ["payloads/p.lua"] = "return function() return { a = secret 'THE_KEY' } end" }, "" },
      ["a connection"] = {
        { ["connections.lua"] = "return { a = { base_url = 'https://a.example', auth = { bearer = secret 'THE_KEY' } } }" }, "" },
      ["the file"] = { { ["secrets.env"] = "THE_KEY=" .. HIDDEN }, "" },
    }
    for what, ask in pairs(asks) do
      local files = { ["connections.lua"] = "return {}", ["script.lua"] = "local key = env 'THE_KEY' print(key)\n" .. ask[2] }
      if what == "a script, before" then files["script.lua"] = ask[2] .. " print(env('THE_KEY'))" end
      for name, text in pairs(ask[1]) do files[name] = text end
      local folder = scripts.folder(files)
      os.execute("chmod 600 " .. folder .. "/*.env 2>/dev/null")
      local r = helper.jaunt(env, "run", folder .. "/script.lua")
      assert.equal(1, r.code, what)
      assert.matches(WORDS, r.err, what)
      assert.not_matches(HIDDEN, r.out .. r.err)
    end
    assert.equal(HIDDEN, scripts.output("print(env 'THE_KEY')", { env = env })) -- nobody calls it a secret
  end)

  it("not env in what specs test", function()
    local folder = scripts.folder {
      ["connections.lua"] = "return {}",
      ["journeys/asks.lua"] = [[return journey "asks" { flow = function()
        if pcall(env, "THE_KEY") then wait "1d" end
        return secret "THE_KEY"
      end }]],
      ["spec/asks_spec.lua"] = [[
        describe("asks", function()
          it("is told nothing", function() assert.completed(enter("asks", { id = "ada" })) end)
          it("is told nothing at any moment", function() assert.equal(1, crash_everywhere("asks", { id = "ada" })) end)
        end)]],
    }
    local r = helper.sh(("cd %s && THE_KEY=%s %s"):format(helper.quote(folder), HIDDEN, helper.jaunt_words("test")))
    assert.equal(0, r.code, r.out .. r.err)
    assert.not_matches(HIDDEN, r.out .. r.err)
  end)

  it("not env in connections.lua, where that also calls it a secret", function()
    local folder = scripts.folder { ["script.lua"] = "", ["connections.lua"] =
      "return { a = { base_url = env 'THE_KEY', auth = { bearer = secret 'THE_KEY' } } }" }
    local r = helper.jaunt({ THE_KEY = "https://" .. HIDDEN }, "run", folder .. "/script.lua")
    assert.equal(2, r.code)
    assert.matches('env%("THE_KEY"%) is a secret: write secret "THE_KEY"', r.err)
    assert.not_matches(HIDDEN, r.err)
  end)

  it("no body or payload that holds one: the run is held", function()
    for _, field in ipairs { "json = { a = secret 'T' }", "payload = { a = { secret 'T' } }",
      "payload = 'x', vars = { a = secret 'T' }" } do
      local result = check_hidden(scripts.journey(("call_api 'note' { POST = 'http://127.0.0.1:1/', %s }"):format(field), { "ada" }, { env = ENV,
        flags = { "--live", "--yes", "--json" }, files = { ["payloads/x.lua"] = "return function(p, e, vars) return vars end" } }))
      assert.equal(1, result.report.held, result.err)
      assert.matches("payload: ", result.err)
    end
  end)

  local AUTHS = {
    bearer = "bearer = secret 'T'", basic = "basic = { 'u', secret 'T' }", header = "header = { ['X-Key'] = secret 'T' }",
    query = "query = { key = secret 'T' }",
  }

  for kind, auth in pairs(AUTHS) do
    it("no failure of a call that is authorized by " .. kind, function()
      local result = check_hidden(scripts.run([[
        local function try(via, path, more)
          local fields = { via = via, GET = path, on_failure = "continue", retry = false }
          for name, value in pairs(more or {}) do fields[name] = value end
          local r = call_api(fields)
          print(via .. path, r.status, r.error, r)
          return r.error:match("^[%a_]+")
        end
        local ends = { try("http", "/status/404"), try("http", "/short"), try("http", "/never", { timeout = 0.3 }), try("http", "/garbage"),
          try("http", "/bad-chunk"), try("http", "/big-header"), try("http", "/loop", { redirects = 2 }),
          try("http", "/redirect/302?http://127.0.0.1:1/x", { redirects = 2 }),
          try("http", "/redirect/302?gopher://x/", { redirects = 2 }), try("http", "/status/200", { success = function() return false end }),
          try("http", "/status/503", { within = 0.02, retry = { attempts = 9, base = "1h", cap = "1h" } }),
          try("refused", "/x?a=1"), try("dns", "/x?a=1"), try("tls", "/x?a=1"), try("selfsigned", "/ok?a=1") }
        print(table.concat(ends, " "))]], { env = ENV, files = { ["connections.lua"] = ([[
        local function at(url) return { base_url = url, auth = { %s } } end
        return { http = at %q, refused = at %q, tls = at %q, selfsigned = at %q, dns = at("http://" .. ("a"):rep(64) .. ".invalid") }]]):format(
          auth, server.url(""), server.url("", "refused"), "https://127.0.0.1:" .. server.http, server.url("", "self_signed")) } }))
      assert.equal(0, result.code, result.err)
      local ends = result.out:match("([^\n]*)\n$")
      assert.matches("^status reset timeout protocol protocol too_large redirect connect redirect predicate within connect dns tls tls$", ends)
    end)

    it("no dry run, and no rehearsal, that is authorized by " .. kind, function()
      local files = { ["connections.lua"] = ("return { any = { base_url = 'https://any.example/v2', auth = { %s } } }"):format(auth),
        ["vendor.lua"] = outside.behaviour }
      local flow = [[
        local r = call_api "note" { via = "any", POST = "/echo", json = { n = 1 } }
        print("SENT " .. json.encode({ r.json.headers, r.json.query }))]]
      local dry = check_hidden(scripts.journey(flow, { "ada" }, { env = ENV, files = files, flags = { "--dry-run" } }))
      assert.matches("‹secret T›", dry.out)
      local rehearsal = check_hidden(scripts.journey(flow, { "ada" }, { env = ENV, files = files }))
      local pretended = kind == "basic" and "dTpwcmV0ZW5kLVQ=" or "pretend-T"
      assert.matches(pretended, rehearsal.out:match("SENT [^\n]*"), 1, true)
      check_hidden(scripts.journey(flow, { "ada" }, { env = ENV, files = files, flags = { "--json" } }))
    end)

    it("no held or dropped run that is authorized by " .. kind, function()
      local files = { ["connections.lua"] = ("return { any = { base_url = %q, auth = { %s } } }"):format(vendor.url("/any"), auth) }
      for _, fields in ipairs { "POST = '/status/422'", "POST = '/status/422', on_failure = 'hold'", "POST = 'x'", "POST = '/a#b'",
        "POST = '/echo', success = function(r) error(r) end", "POST = '/echo', headers = { a = 'x\\ny' }",
        "GET = 'http://a b/'" } do
        check_hidden(scripts.journey(("call_api 'note' { via = 'any', %s }"):format(fields), { "ada" },
          { env = ENV, files = files, flags = { "--live", "--yes", "--json" } }))
      end
    end)
  end

  it("no redirect to another host gets a header with one", function()
    local said = scripts.output(([[print(call_api { via = "x", GET = "/redirect/302?%s", redirects = 1,
      headers = { ["X-Own"] = secret "T", ["X-Plain"] = "plain" } }.body)]]):format(server.url("/echo", "http_too")), { env = ENV,
      files = { ["connections.lua"] = ("return { x = { base_url = %q, auth = { header = { ['X-Key'] = secret 'T' } } } }"):format(server.url("")) } })
    assert.matches("X-Plain: plain", said, 1, true)
    assert.is_nil(said:find(HIDDEN, 1, true))
  end)
end)
