-- The prompt: what is typed at a terminal (tests/support/pty_main.c), what comes from a file or pipe, and scripts that are run by their
-- name.

local helper = require "helper"
local scripts = require "scripts"

local build = assert(os.getenv("JAUNT_BUILD"), "JAUNT_BUILD has to name the build folder")
local JAUNT = assert(os.getenv("JAUNT"))

local FILES = {
  ["connections.lua"] = [[return { crm = { base_url = "https://crm.example.com/v2", auth = { bearer = secret "CRM_TOKEN" }, retry = 1 } }]],
  ["vendor.lua"] = [[
    return { crm = {
      ["GET /hangs"] = function() return 200, { late = true }, nil, "60s" end,
      ["GET /takes"] = function() return 200, { late = true }, nil, "400ms" end,
      ["GET /large"] = function() return 200, ("x"):rep(1 << 20) end,
      ["GET /no"] = function() return 422, { why = "no" } end,
      ["POST /contacts"] = function(request) return 201, { id = 7, name = request.json.name } end,
    } }]],
  ["payloads/hello.json"] = [[{ "to": {{ person.email | json }} }]],
  ["journeys/greet.lua"] = [[return journey "greet" { flow = function(person)
    call_api "hello" { via = "crm", POST = "/contacts", json = { name = person.name } }
    wait "2h"
  end }]],
  ["people/samples.ndjson"] = '{"id":"ada","name":"Ada","email":"ada@example.com"}\n{"id":"grace","name":"Grace","email":"grace@example.com"}\n',
  ["lib/words.lua"] = [[return { shout = function(text) return text:upper() .. "!" end }]],
}

local folder

-- Runs jaunt at a terminal: `steps` as tests/support/pty_main.c has them. Returns { code =, shown = }.
local function typed(steps, options)
  options = options or {}
  local file = helper.write_file(folder .. "/steps", table.concat(steps, "\n") .. "\n")
  local environment = { "HOME=" .. helper.quote(folder .. "/home"), "TERM=xterm", "LC_ALL=C.UTF-8", "NO_COLOR=", "INPUTRC=/dev/null" }
  for name, value in pairs(options.env or {}) do environment[#environment + 1] = name .. "=" .. helper.quote(value) end
  local result = helper.sh(("cd %s && env -u XDG_STATE_HOME %s %s %s %s %s"):format(helper.quote(folder), table.concat(environment, " "),
    build .. "/tests/pty", helper.quote(file), helper.quote(JAUNT), options.words or ""))
  assert.not_equal(99, result.code, result.err)
  return { code = result.code, shown = result.out }
end

-- Without colours, and what else only moves a cursor.
local function plain(text)
  return (text:gsub("\27%[[%d;?]*[%a]", ""):gsub("\27[78]", ""):gsub("\r", ""))
end

-- Runs jaunt with these words and `input` on standard input.
local function piped(words, input)
  local file = helper.write_file(folder .. "/input", input or "")
  return helper.sh(("cd %s && { %s %s < %s; }"):format(helper.quote(folder), helper.quote(JAUNT), words, helper.quote(file)))
end

before_each(function() folder = scripts.folder(FILES) end)

describe("at the prompt", function()
  it("an expression shows its value, as Lua to paste back, and _ is the last one", function()
    local result = typed { "expect pretend>", [[send 20 + 22\r]], "expect \\n42", [[send { b = { 1, "x\\n" }, a = _ }\r]],
      [[expect { a = 42, b = { 1, "x\\n" } }]], "expect pretend>", [[send \x04]], "end" }
    assert.equal(0, result.code)
  end)

  it("a call shows how it ended, and its body", function()
    typed { "expect pretend>", [[send call_api { via = "crm", POST = "/contacts", json = { name = "Ada" } }\r]],
      "expect ok", "expect status 201", "expect 1 attempt", [[expect "id"]], "expect 7", "expect pretend>",
      [[send _.json.name\r]], [[expect "Ada"]],
      [[send call_api { via = "crm", GET = "/no" }\r]], "expect failed", "expect status 422", [[expect "why"]], [[send .quit\r]], "end" }
  end)

  it("what is typed while a call is in flight is the next line", function()
    typed { "expect pretend>", [[send call_api { via = "crm", GET = "/takes" }\r]], [[send 6 * 7\r]], "expect late", "expect pretend>",
      "expect 6 * 7", "expect \\n42", [[send \x04]], "end" }
  end)

  it("Ctrl-C cancels a call, and what was typed meanwhile is kept", function()
    typed { "expect pretend>", [[send call_api { via = "crm", GET = "/hangs" }\r]], "expect Ctrl-C cancels", [[send \x03]], "expect cancelled after",
      "expect pretend>", [[send 1 + 2\r]], "expect \\n3", [[send \x04]], "end" }
  end)

  it("Ctrl-C ends a loop", function()
    typed { "expect pretend>", [[send x = 5\r]], "expect pretend>", [[send while true do end\r]], "expect Ctrl-C cancels", [[send \x03]],
      "expect cancelled after", "expect pretend>", [[send pcall(function() while true do end end)\r]], "expect Ctrl-C cancels", [[send \x03]],
      "expect cancelled after", "expect pretend>", [[send x\r]], "expect \\n5", [[send \x04]], "end" }
  end)

  it("Ctrl-C at an empty prompt, and in the middle of a line or block, gives another one", function()
    typed { "expect pretend>", [[send \x03]], "expect ^C", "expect pretend>", "send half a li", [[expect half a li]], [[send \x03]], "expect ^C",
      "expect pretend>", [[send for i = 1, 2 do\r]], "expect >>", [[send \x03]], "expect ^C", "expect pretend>", [[send 1 + 1\r]], "expect \\n2",
      [[send \x04]], "end" }
  end)

  it("an open block asks for more, and comes back whole from the history, in the next session too", function()
    local lines = { "expect pretend>", [[send for i = 1, 2 do\r]], "expect >>", [[send   print("n" .. i)\r]], "expect >>", [[send end\r]], "expect n1",
      "expect n2", "expect pretend>", [[send \e[A\r]], "expect n1", "expect n2", [[send \x04]], "end" }
    typed(lines)
    typed { "expect pretend>", [[send \e[A]], "expect for i = 1, 2 do", "expect print", "expect end", [[send \r]], "expect n1", "expect n2", [[send \x04]], "end" }
  end)

  it("secrets do not get into the history", function()
    helper.write_file(folder .. "/secrets.env", "CRM_TOKEN=corncrake\n")
    typed { "expect pretend>", [[send a = "corncrake"\r]], "expect not kept", "expect pretend>", [[send token = "swordfish"\r]], "expect not kept", "expect pretend>",
      [[send  silent = 1\r]], "expect pretend>", [[send kept = 1\r]], "expect pretend>", [[send \x04]], "end" }
    local path = folder .. "/home/.local/state/jaunt/history"
    assert.equal("kept = 1\n", helper.read_file(path))
    assert.equal("600\n", helper.sh("stat -c %a " .. helper.quote(path)).out)
  end)

  it("a paste of 200 lines is taken line by line, or as one where the terminal says that it is a paste", function()
    local lines = {}
    for i = 1, 200 do lines[i] = ("n%d = %d"):format(i, i) end
    helper.write_file(folder .. "/paste", table.concat(lines, "\r") .. "\r")
    helper.write_file(folder .. "/one", "\27[200~" .. table.concat(lines, "\n"):gsub("n(%d)", "m%1") .. "\27[201~\r")
    typed { "expect pretend>", "paste " .. folder .. "/paste", "expect n200 = 200", "expect pretend>", [[send n1 + n100 + n200\r]], "expect \\n301",
      "expect pretend>", "paste " .. folder .. "/one", "expect m200 = 200", "expect pretend>", [[send m1 + m100 + m200\r]], "expect \\n301", [[send \x04]], "end" }
  end)

  it("a window may change its size while a line is typed", function()
    typed { "expect pretend>", [[send "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa]], "expect aaaaaaaaaaaa", "resize 30 10", [[send " .. "z"\r]],
      [[expect aaaaz"]], "expect pretend>", [[send 1\r]], "expect \\n1", [[send \x04]], "end" }
  end)

  it("texts of all tongues can be typed and are shown", function()
    typed { "expect pretend>", [[send name = "Wanjirũ 李"\r]], "expect pretend>", [[send name, #name\r]], [[expect "Wanjirũ 李"]], "expect \\n12",
      [[send \x04]], "end" }
  end)

  it("an answer of 1 MB is cut, and the prompt is there again", function()
    local result = typed { "expect pretend>", [[send call_api { via = "crm", GET = "/large" }\r]], "expect status 200", "expect pretend>", [[send \x04]], "end" }
    assert.is_true(#result.shown < 20000)
  end)

  it("NO_COLOR and TERM=dumb have no colours, and a dumb terminal plain lines", function()
    for _, env in ipairs { { NO_COLOR = "1" }, { TERM = "dumb" } } do
      local result = typed({ "expect pretend>", [[send { "a" }\r]], [[expect { "a" }]], "expect pretend>", [[send \x04]], "end" }, { env = env })
      assert.is_nil(result.shown:find("\27%[[%d;]*m"))
      if env.TERM then assert.is_nil(result.shown:find("\27", 1, true)) end
    end
    local result = typed { "expect pretend>", [[send { "a" }\r]], "expect pretend>", [[send \x04]], "end" }
    assert.truthy(result.shown:find("\27[32m\"a\"\27[0m", 1, true))
  end)

  it("a word is completed: names, fields, call_api's fields, connections, payloads, people, commands", function()
    for _, case in ipairs {
      { "spl\\t", "split" }, { "string.forma\\t", "string.format" }, { 'call_api { vi\\t', "via = " }, { 'call_api { via = "c\\t', 'via = "crm"' },
      { 'payload "he\\t', 'payload "hello"' }, { ".person gr\\t", ".person grace" }, { ".ru\\t", ".run" }, { ".run gr\\t", ".run greet" },
      { ".why ada --jo\\t", "--journey" },
    } do
      typed { "expect pretend>", "send " .. case[1], "expect " .. case[2], [[send \x03]], "expect pretend>", [[send \x04]], "end" }
    end
    typed { "expect pretend>", [[send shop = { address = 1 }\r]], "expect pretend>", [[send shop.ad\t]], "expect shop.address", [[send \r]], "expect \\n1", [[send \x04]], "end" }
  end)

  it("a name among 10,000 people is completed", function()
    local people = {}
    for i = 1, 10000 do people[i] = ('{"id":"p%05d"}'):format(i) end
    helper.write_file(folder .. "/people/samples.ndjson", table.concat(people, "\n") .. "\n")
    local result = typed { "expect pretend>", [[send .person p0777\t\t]], "expect p07770", "expect p07779", [[send 7\r]], "expect person is p07777",
      [[send .person p\t\t]], "expect more", "expect pretend>", [[send \x03]], "expect pretend>", [[send \x04]], "end" }
    assert.is_true(#plain(result.shown) < 8000)
  end)

end)
