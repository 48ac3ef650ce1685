-- The prompt: what is typed at a terminal (tests/support/pty_main.c), what comes from a file or pipe, and scripts that
-- are run by their name.

local fault = require "fault"
local helper = require "helper"
local running = require "running"
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
      ["GET /key"] = function(request) return 200, { key = request.key } end,
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
  local environment = { "HOME=" .. helper.quote(folder .. "/home"), "TERM=xterm", "LC_ALL=C.UTF-8", "NO_COLOR=",
    "INPUTRC=/dev/null" }
  for name, value in pairs(options.env or {}) do environment[#environment + 1] = name .. "=" .. helper.quote(value) end
  local result = helper.sh(("cd %s && env -u XDG_STATE_HOME -u VISUAL %s %s %s %s %s"):format(helper.quote(folder),
    table.concat(environment, " "),
    build .. "/tests/pty", helper.quote(file), helper.quote(JAUNT), options.words or ""))
  assert.not_equal(99, result.code, result.err)
  return { code = result.code, shown = result.out }
end

-- Runs jaunt with these words and `input` on standard input. `environment`: "NAME=VALUE", or nil.
local function piped(words, input, environment)
  local file = helper.write_file(folder .. "/input", input or "")
  return helper.sh(("cd %s && { env -u VISUAL %s %s %s < %s; }"):format(helper.quote(folder), environment or "",
    helper.quote(JAUNT), words, helper.quote(file)))
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
      [[send call_api { via = "crm", GET = "/no" }\r]], "expect failed", "expect status 422", [[expect "why"]],
      [[send .quit\r]], "end" }
  end)

  it("no two calls have the same key", function()
    local result = piped("repl", ('call_api { via = "crm", GET = "/key" }\n'):rep(3)
      .. 'a = call_api { via = "crm", GET = "/key" }; b = call_api { via = "crm", GET = "/key" }\n'
      .. "print(a.json.key, b.json.key)\n")
    local seen, count = {}, 0
    for key in result.out:gmatch("%f[%x](" .. ("%x"):rep(32) .. ")%f[%X]") do
      assert.is_nil(seen[key])
      seen[key], count = true, count + 1
    end
    assert.equal(5, count)
  end)

  it("what is typed while a call is in flight is the next line", function()
    typed { "expect pretend>", [[send call_api { via = "crm", GET = "/takes" }\r]], [[send 6 * 7\r]], "expect late",
      "expect pretend>", "expect 6 * 7", "expect \\n42", [[send \x04]], "end" }
  end)

  it("Ctrl-C cancels a call", function()
    typed { "expect pretend>", [[send call_api { via = "crm", GET = "/hangs" }\r]], "expect Ctrl-C cancels",
      [[send \x03]], "expect cancelled after",
      "expect pretend>", [[send 1 + 2\r]], "expect \\n3", [[send \x04]], "end" }
  end)

  it("Ctrl-C ends a loop", function()
    typed { "expect pretend>", [[send x = 5\r]], "expect pretend>", [[send while true do end\r]],
      "expect Ctrl-C cancels", [[send \x03]],
      "expect cancelled after", "expect pretend>", [[send pcall(function() while true do end end)\r]],
      "expect Ctrl-C cancels", [[send \x03]],
      "expect cancelled after", "expect pretend>", [[send x\r]], "expect \\n5", [[send \x04]], "end" }
  end)

  it("Ctrl-C at an empty prompt, and in the middle of a line or block, gives another one", function()
    typed { "expect pretend>", [[send \x03]], "expect ^C", "expect pretend>", "send half a li", [[expect half a li]],
      [[send \x03]], "expect ^C",
      "expect pretend>", [[send for i = 1, 2 do\r]], "expect >>", [[send \x03]], "expect ^C", "expect pretend>",
      [[send 1 + 1\r]], "expect \\n2", [[send \x04]], "end" }
  end)

  it("an open block asks for more, and comes back whole from the history, in the next session too", function()
    local lines = { "expect pretend>", [[send for i = 1, 2 do\r]], "expect >>", [[send   print("n" .. i)\r]],
      "expect >>", [[send end\r]], "expect n1",
      "expect n2", "expect pretend>", [[send \e[A\r]], "expect n1", "expect n2", [[send \x04]], "end" }
    typed(lines)
    local result = typed { "expect pretend>", [[send \e[A]], "expect for i = 1, 2 do", "expect print", "expect end",
      [[send \r]], "expect n1", "expect n2", [[send \x04]], "end" }
    assert.is_nil(result.shown:find("^J", 1, true), "its lines stand on one")
  end)

  it("a quote that is open where its line ends is a mistake, and asks for nothing more", function()
    typed { "expect pretend>", [[send x = "half\r]], "expect unfinished string", "expect pretend>",
      [[send x = [[long\r]], "expect >>", "send ]]\\r", "expect pretend>",
      [[send x\r]], [[expect "long\\n"]], [[send \x04]], "end" }
  end)

  it("secrets do not get into the history", function()
    helper.write_file(folder .. "/secrets.env", "CRM_TOKEN=corncrake\n")
    typed { "expect pretend>", [[send a = "corncrake"\r]], "expect not kept", "expect pretend>",
      [[send token = "swordfish"\r]], "expect not kept", "expect pretend>",
      [[send  silent = 1\r]], "expect pretend>", [[send kept = 1\r]], "expect pretend>", [[send \x04]], "end" }
    local path = folder .. "/home/.local/state/jaunt/history"
    assert.equal("kept = 1\n", helper.read_file(path))
    assert.equal("600\n", helper.sh("stat -c %a " .. helper.quote(path)).out)
  end)

  it("what looks like a secret is known by its name, its form, or its value", function()
    local history = require "jaunt.repl.history"
    for _, text in ipairs {
      'headers = { Authorization = "Bearer abcdef1234567890" }', 'headers = { ["X-Api-Key"] = "abc" }',
      'pass = "hunter2"', "pwd = 'hunter2'", 'auth = { bearer = "abc123" }',
      'auth = { basic = { "user", "pw" } }', "client_secret = [[abc]]", 'f("password", "hunter2")',
      'GET = "/x?api_key=abcdef"', 'my_private_key = "abc"', 'token\n  = "abc"',
      'x = "https://user:word@example.com/"', 'x = "corncrake, the value"',
    } do assert.is_true(history.holds_secret(text, { "corncrake" }), text) end
    for _, text in ipairs {
      'token = secret "CRM"', 'x = "token"', 'wait_for("password_reset", { within = "1d" })', "person.token_count = 5",
      'call_api { via = "crm", GET = "/x?page=2" }', 'passed = "yes" and 1',
    } do assert.is_false(history.holds_secret(text, { "corncrake" }), text) end
  end)

  it("a paste of 200 lines is taken line by line, or as one where the terminal says that it is a paste", function()
    local lines = {}
    for i = 1, 200 do lines[i] = ("n%d = %d"):format(i, i) end
    helper.write_file(folder .. "/paste", table.concat(lines, "\r") .. "\r")
    helper.write_file(folder .. "/one", "\27[200~" .. table.concat(lines, "\n"):gsub("n(%d)", "m%1") .. "\27[201~\r")
    typed { "expect pretend>", "paste " .. folder .. "/paste", "expect n200 = 200", "expect pretend>",
      [[send n1 + n100 + n200\r]], "expect \\n301",
      "expect pretend>", "paste " .. folder .. "/one", "expect m200 = 200", "expect pretend>",
      [[send m1 + m100 + m200\r]], "expect \\n301", [[send \x04]], "end" }
  end)

  it("a window may change its size while a line is typed", function()
    typed { "expect pretend>", [[send "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa]], "expect aaaaaaaaaaaa",
      "resize 30 10", [[send " .. "z"\r]],
      [[expect aaaaz"]], "expect pretend>", [[send 1\r]], "expect \\n1", [[send \x04]], "end" }
    local result = typed { "expect pretend>", "resize 30 10", "expect pretend>", "send " .. ("b"):rep(60),
      "expect " .. ("b"):rep(20), "resize 100 10", "expect pretend>", [[send \x03]], "expect ^C", [[send \x04]], "end" }
    local count = 0
    for between in result.shown:gmatch("b([^b]-)pretend>") do
      assert.truthy(between:find("[\r\n]"), "what stood there in the old width was not taken away")
      count = count + 1
    end
    assert.is_true(count > 0)
  end)

  it("texts of all tongues can be typed and are shown", function()
    typed { "expect pretend>", [[send name = "Wanjirũ 李"\r]], "expect pretend>", [[send name, #name\r]],
      [[expect "Wanjirũ 李"]], "expect \\n12", [[send \x04]], "end" }
  end)

  it("an answer of 1 MB is cut, and the prompt is there again", function()
    local result = typed { "expect pretend>", [[send call_api { via = "crm", GET = "/large" }\r]], "expect status 200",
      "expect pretend>", [[send \x04]], "end" }
    assert.is_true(#result.shown < 20000)
  end)

  it("NO_COLOR and TERM=dumb have no colours, and a dumb terminal plain lines", function()
    for _, env in ipairs { { NO_COLOR = "1" }, { TERM = "dumb" } } do
      local result = typed({ "expect pretend>", [[send { "a" }\r]], [[expect { "a" }]], "expect pretend>",
        [[send \x04]], "end" }, { env = env })
      assert.is_nil(result.shown:find("\27%[[%d;]*m"))
      if env.TERM then assert.is_nil(result.shown:find("\27", 1, true)) end
    end
    local result = typed { "expect pretend>", [[send { "a" }\r]], "expect pretend>", [[send \x04]], "end" }
    assert.truthy(result.shown:find("\27[32m\"a\"\27[0m", 1, true))
  end)

  it("a word is completed: names, fields, call_api's fields, connections, payloads, people, commands", function()
    for _, case in ipairs {
      { "spl\\t", "split" }, { "string.forma\\t", "string.format" }, { 'call_api { vi\\t', "via = " },
      { 'call_api { via = "c\\t', 'via = "crm"' },
      { 'payload "he\\t', 'payload "hello"' }, { ".person gr\\t", ".person grace" }, { ".ru\\t", ".run" },
      { ".run gr\\t", ".run greet" },
      { ".why ada --jo\\t", "--journey" }, { ".vendor c\\tPO\\t", ".vendor crm POST" },
      { ".edit gr\\t", ".edit greet" }, { ".help wait_f\\t", ".help wait_for" },
    } do
      typed { "expect pretend>", "send " .. case[1], "expect " .. case[2], [[send \x03]], "expect pretend>", [[send \x04]], "end" }
    end
    typed { "expect pretend>", [[send call_api { via = "crm", GET = "/no" }\r]], "expect failed", "expect pretend>",
      [[send _.json.w\t]], "expect _.json.why", [[send \r]], [[expect "no"]], [[send \x04]], "end" }
    typed { "expect pretend>", [[send shop = { address = 1 }\r]], "expect pretend>", [[send shop.ad\t]],
      "expect shop.address", [[send \r]], "expect \\n1", [[send \x04]], "end" }
  end)

  it("a name among 10,000 people is completed", function()
    local people = {}
    for i = 1, 10000 do people[i] = ('{"id":"p%05d"}'):format(i) end
    helper.write_file(folder .. "/people/samples.ndjson", table.concat(people, "\n") .. "\n")
    local result = typed { "expect pretend>", [[send .person p0777\t\t]], "expect p07770", "expect p07779",
      [[send 7\r]], "expect person is p07777",
      [[send .person p\t\t]], "expect more", "expect pretend>", [[send \x03]], "expect pretend>", [[send \x04]], "end" }
    assert.is_true(#result.shown < 20000)
  end)

end)

describe("commands with a dot", function()
  it("are those of the command line, on what has run at the prompt", function()
    local result = piped("repl", ".why ada\n")
    assert.equal(1, result.code)
    assert.truthy(result.err:find("nothing has run at this prompt yet: .run JOURNEY", 1, true))
    result = piped("repl", ".person grace\n.run greet\n.why grace\n.runs greet\n.report greet\n.check\n.preview hello\n")
    assert.equal(0, result.code, result.err)
    for _, text in ipairs { "1 entered", "greet: completed", '{"name":"Grace"}', "1 run: 1 completed", "nothing found",
      "grace@example.com" } do
      assert.truthy(result.out:find(text, 1, true), text .. " in\n" .. result.out)
    end
    assert.is_nil(result.out:find("ada@example.com", 1, true))
    assert.is_nil(require("jaunt.native.fs").kind(folder .. "/jaunt.db"))
  end)

  it("that are mistyped get the nearest right one, as words do that help is asked for", function()
    for line, said in pairs {
      [".runns"] = "there is no command .runns; did you mean .runs?", [".zzzz"] = "there is no command .zzzz; .help lists them",
      ["?cal_api"] = "there is no help for cal_api; did you mean call_api?", ["cal_api { }"] = "did you mean call_api?",
      [".person adda"] = "did you mean ada?",
    } do
      local result = piped("repl", line .. "\n")
      assert.equal(1, result.code)
      assert.truthy(result.err:find(said, 1, true), result.err)
    end
  end)

  it("show the help for a word, with its fields and an example", function()
    for _, line in ipairs { "?call_api", "help(call_api)", ".help call_api", "help 'call_api'" } do
      local result = piped("repl", line .. "\n")
      for _, text in ipairs { "on_failure", "Sends a request", "example", "call_api \"contact\"" } do
        assert.truthy(result.out:find(text, 1, true), line .. ": " .. result.out)
      end
    end
  end)

  it("show the help for a command, too", function()
    for line, said in pairs { [".help run"] = "--people", ["?.step"] = "element by element", ["help 'why'"] = "jaunt why" } do
      local result = piped("repl", line .. "\n")
      assert.equal(0, result.code, result.err)
      assert.truthy(result.out:find(said, 1, true), line .. ": " .. result.out)
    end
    for line, said in pairs { [".new x"] = "jaunt new is for the command line alone", ["??"] = "? stands before a word",
      [".edit zzz"] = "there are greet, hello" } do
      assert.truthy(piped("repl", line .. "\n").err:find(said, 1, true), line)
    end
  end)

  it("help knows every word and field of scripts", function()
    local help, paint = require "jaunt.repl.help", setmetatable({},
      { __index = function() return function(text) return text end end })
    for _, field in ipairs(require("jaunt.native.engine").call_fields()) do
      assert.truthy(help.text("call_api", paint):find("\n  " .. field .. " ", 1, true), field)
    end
    local libraries = { string = true, table = true, math = true, utf8 = true, coroutine = true, os = true, json = true }
    local lua = { require = true, _G = true }
    for name in pairs(require("jaunt.worker.sandbox").names()) do
      if not (libraries[name] or lua[name] or _G[name]) then assert.truthy(help.text(name, paint), name) end
    end
  end)

  it("that only a prompt has stand in the README", function()
    local readme = helper.read_file(os.getenv("JAUNT_SOURCE") .. "/README.md")
    local part = readme:match("\n## The prompt\n(.-)\n## ")
    for name in pairs(require("jaunt.repl.dots").own) do assert.truthy(part:find("`." .. name, 1, true), name) end
  end)

  it("take a person, move the clock, load and save what was typed", function()
    helper.write_file(folder .. "/twice.lua", "#!/usr/bin/env jaunt\nfunction twice(x) return 2 * x end\n")
    local result = piped("repl", ".person ada\nperson.email\npayload \"hello\"\nperson.plan = 'pro'\nperson.plan\nbefore = now()\n.clock +2h\n"
      .. "now() - before\n.load twice.lua\ntwice(21)\n.save kept.lua\n")
    assert.equal(0, result.code, result.err)
    for _, text in ipairs { '"ada@example.com"', '"to": "ada@example.com"', '"pro"', "\n7200", "\n42\n" } do
      assert.truthy(result.out:find(text, 1, true), text .. " in\n" .. result.out)
    end
    assert.truthy(helper.read_file(folder .. "/kept.lua"):find("person.plan = 'pro'\nperson.plan\nbefore = now()\n", 1, true))
    assert.equal(0, piped("repl < kept.lua").code)
  end)

  it("make the pretend vendor fail, and mend it", function()
    local call = 'call_api { via = "crm", POST = "/contacts", json = { name = "Ada" } }\n'
    local result = piped("repl", ".vendor crm POST /contacts 503\n" .. call .. ".vendor off\n" .. call
      .. ".vendor crm POST /contacts reset\n" .. call)
    assert.equal(0, result.code, result.err)
    assert.truthy(result.out:find("failed · status 503.*ok · status 201.*failed.*reset"), result.out)
  end)

  it("forget what .vendor was told wrongly", function()
    typed { "expect pretend>", [[send .vendor crm POST /contacts 999\r]], "expect 999 is no status from 200 to 599",
      "expect pretend>",
      [[send .vendor\r]], "expect the pretend vendors answer as usual", "expect pretend>", [[send \x04]], "end" }
  end)

  it("let .run meet what .vendor was told", function()
    local result = piped("repl", ".vendor\n.vendor crm POST /contacts 422\n.run greet\n.vendor off\n.run greet\n")
    assert.equal(0, result.code, result.err)
    assert.truthy(result.out:find("^the pretend vendors answer as usual\n"), result.out)
    assert.truthy(result.out:find("2× status 422.*2 completed"), result.out)
    assert.truthy(piped("repl", ".clock 2h\n").err:find("it is .clock +2h", 1, true))
  end)

  it("step through a journey: send, skip, feign, leave", function()
    typed { "expect pretend>", [[send .step greet\r]], "expect ada goes through greet", "expect POST /contacts via crm",
      [[expect "name": "Ada"]], "expect Enter sends it",
      [[send \r]], "expect status 201", "expect wait 2h", [[send s\r]], "expect completed", "expect pretend>",
      [[send .step greet\r]], "expect Enter sends it", [[send f 500 {"why":"tired"}\r]], "expect status: 500, feigned",
      "expect pretend>",
      [[send .step greet\r]], "expect Enter sends it", [[send q\r]], "expect left", "expect pretend>",
      [[send .step greet\r]], "expect Enter sends it", [[send \x03]], "expect pretend>", [[send \x04]], "end" }
  end)

  it("open the editor, and show what a payload sends then", function()
    helper.write_file(folder .. "/editor", "#!/bin/sh\nsed -i 's/\"to\"/\"mail\"/' \"$1\"\n")
    os.execute("chmod +x " .. helper.quote(folder .. "/editor"))
    typed({ "expect pretend>", [[send .person grace\r]], "expect person is grace", [[send .edit hello\r]],
      [[expect "mail": "grace@example.com"]], "expect pretend>", [[send \x04]], "end" },
      { env = { EDITOR = "./editor" } })
  end)

  it("show a payload again with each save while the editor is open, unless it has taken the screen", function()
    helper.write_file(folder .. "/editor", "#!/bin/sh\nsed -i 's/\"to\"/\"first\"/' \"$1\"\nread line\nsed -i 's/\"first\"/\"second\"/' \"$1\"\nread line\n")
    helper.write_file(folder .. "/screen", "#!/bin/sh\nstty -icanon\nsed -i 's/\"second\"/\"third\"/' \"$1\"\nsleep 0.4\nsed -i 's/\"third\"/\"fourth\"/' \"$1\"\nstty icanon\n")
    os.execute("chmod +x " .. helper.quote(folder .. "/editor") .. " " .. helper.quote(folder .. "/screen"))
    typed({ "expect pretend>", [[send .person grace\r]], "expect person is grace", [[send .edit hello\r]],
      [[expect "first": "grace@example.com"]],
      [[send \r]], [[expect "second": "grace@example.com"]], [[send \r]], "expect pretend>", [[send \x04]], "end" },
        { env = { EDITOR = "./editor" } })
    local result = typed({ "expect pretend>", [[send .person grace\r]], "expect person is grace", [[send .edit hello\r]],
      [[expect "fourth": "grace@example.com"]], "expect pretend>", [[send \x04]], "end" }, { env = { EDITOR = "./screen" } })
    assert.is_nil(result.shown:find('"third"', 1, true))
  end)

  it("give the editor nothing that is open here but input and outputs", function()
    helper.write_file(folder .. "/editor", "#!/bin/sh\nls -l /proc/self/fd >opened\n")
    os.execute("chmod +x " .. helper.quote(folder .. "/editor"))
    local result = piped("repl", 'call_api { via = "crm", GET = "/key" }\n.edit hello\n', "EDITOR=./editor")
    assert.equal(0, result.code, result.err)
    assert.is_nil(helper.read_file(folder .. "/opened"):find("socket:", 1, true))
  end)

  it("edit the payload of a name that a journey has, too, and say so", function()
    helper.write_file(folder .. "/payloads/greet.json", '{ "name": "{{ name }}" }')
    helper.write_file(folder .. "/editor", "#!/bin/sh\nsed -i 's/\"name\":/\"called\":/' \"$1\"\n")
    os.execute("chmod +x " .. helper.quote(folder .. "/editor"))
    typed({ "expect pretend>", [[send .person ada\r]], "expect person is ada", [[send .edit greet\r]],
      "expect greet is a journey, too: .edit journeys/greet.lua",
      [[expect "called": "Ada"]], "expect pretend>", [[send .edit journeys/greet.lua\r]], "expect unchanged",
      [[send \x04]], "end" }, { env = { EDITOR = "./editor" } })
  end)

  it("tell of payloads that are saved while a line is typed", function()
    typed { "expect pretend>", [[send .person ada\r]], "expect person is ada", [[send payload "hello"\r]],
      [[expect "to"]], "expect pretend>",
      "send 1 + ", "expect 1 +", [[do echo '{ "other": 1 }' >payloads/hello.json]], "expect payloads taken",
      "expect 1 +", [[send 1\r]], "expect \\n2", [[send payload "hello"\r]], [[expect "other"]], [[send \x04]], "end" }
  end)

  it("go live only after asking; the calls are real then", function()
    local server = fault.start()
    helper.write_file(folder .. "/connections.lua", ([[return { crm = { base_url = "http://127.0.0.1:%d", private_network = true } }]]):format(server.http))
    local result = typed { "expect pretend>", [[send .live\r]], "expect LIVE", "expect 127.0.0.1",
      "expect Type live to go on", [[send no\r]], "expect not begun", "expect pretend>",
      [[send .live\r]], "expect Type live to go on", [[send live\r]], "expect live>",
      [[send call_api { via = "crm", GET = "/ok" }\r]], "expect status 200", "expect live>",
      [[send .pretend\r]], "expect pretend>", [[send \x04]], "end" }
    assert.truthy(result.shown:find("\27[1;31mlive>", 1, true), "it is not red")
    server.stop()
  end)
end)

describe("a prompt attached to a runtime", function()
  it("looks at its runs, and does what is noted in its audit log", function()
    helper.write_file(folder .. "/journeys/long.lua", [[return journey "long" { flow = function(person)
      if person.id == "grace" then error "no" end
      wait "9d"
    end }]])
    helper.write_file(folder .. "/three.csv", "id\nada\ngrace\nkim\n")
    local refused = piped("repl --attach")
    assert.equal(2, refused.code)
    local process = helper.start(("sh -c 'cd \"$0\" && exec \"$@\"' %s %s run long --people three.csv --live --yes"):format(helper.quote(folder), helper.quote(JAUNT)))
    running.wait_for("three runs", function()
      local runs = helper.sh(("cd %s && %s runs long"):format(helper.quote(folder), helper.quote(JAUNT)))
      return runs.out:find("2 waiting, 1 held", 1, true)
    end)
    typed({ "expect attached to process", "expect attached>", [[send .live\r]], "expect stays a rehearsal",
      "expect attached>", [[send .runs\r]], "expect 2 waiting, 1 held", "expect attached>",
      [[send .end long --where 'id == "ada"' --yes\r]], "expect 1 run of long ended", "expect attached>",
      [[send .step\r]], "expect grace", "expect script", [[send e\r]], "expect 1 run of long ended", "expect attached>",
      [[send \x04]], "end" }, { words = "repl --attach" })
    process.stop("INT")
    local audit = helper.read_file(folder .. "/jaunt.db.audit")
    assert.equal(2, select(2, audit:gsub('"command":"end"', "")))
  end)
end)

describe(".step at the prompt of a runtime", function()
  it("walks a held run to where it is, with what its journal has recorded, pretends from there, and redrives it", function()
    local server = fault.start()
    helper.write_file(folder .. "/connections.lua", ([[return { crm = { base_url = "http://127.0.0.1:%d", private_network = true } }]]):format(server.http))
    helper.write_file(folder .. "/payloads/hello.json",
      '{ "how": "{{ how }}", "seen": {{ seen }}, "nick": "{{ nick | hold_if_nil: \'no nick\' }}" }')
    helper.write_file(folder .. "/journeys/long.lua", [[return journey "long" { flow = function(person)
      if person.id == "kim" then wait "9d" end
      local first = call_api "first" { via = "crm", GET = "/ok" }
      local how = split "how" { only = 1 }
      wait "1ms"
      call_api "second" { via = "crm", POST = "/ok", payload = "hello", vars = { how = how, seen = first.status } }
      call_api "third" { via = "crm", GET = "/ok" }
    end }]])
    helper.write_file(folder .. "/two.csv", "id\nada\nkim\n")
    local process = helper.start(("sh -c 'cd \"$0\" && exec \"$@\" >said 2>&1' %s %s run long --people two.csv --live --yes"):format(helper.quote(folder), helper.quote(JAUNT)))
    local function runs() return helper.sh(("cd %s && %s runs long"):format(helper.quote(folder), helper.quote(JAUNT))).out end
    running.wait_for("a held run", function() return runs():find("1 waiting, 1 held", 1, true) end)
    typed({ "expect attached>", [[send .step long\r]], 'expect held at "second" (payload: no nick)',
      'expect "first": ok (200)', 'expect split "how": only',
      "expect From here on it is a rehearsal", "expect POST /ok via crm", "expect no nick", "expect e ends it",
      [[send q\r]], "expect attached>",
      [[do sed -i "s/hold_if_nil: 'no nick'/default: '-'/" payloads/hello.json; until grep -q 'payloads taken' said; do sleep 0.05; done]], [[send .step\r]], [[expect "how": "only"]], [[expect "seen": 200]], "expect ?",
      [[send s\r]], "expect third", "expect ?", [[send f 500\r]], "expect status: 500, feigned", "expect e ends it",
      [[send w\r]], "expect wait 1ms", "expect ?",
      [[send r\r]], "expect 1 run of long redriven", "expect ada is", "expect attached>", [[send \x04]], "end" },
        { words = "repl --attach" })
    running.wait_for("its end", function() return runs():find("1 waiting, 1 completed", 1, true) end)
    process.stop("INT")
    server.stop()
    local audit = helper.read_file(folder .. "/jaunt.db.audit")
    assert.equal(1, select(2, audit:gsub("\n", "")))
    assert.truthy(audit:find('"command":"redrive"', 1, true))
  end)
end)

describe("lines of a file or pipe", function()
  it("are run one after the other, and show their values", function()
    local result = piped("repl", "x = 20\nfor i = 1, 2 do\n  x = x + i\nend\nx\n'a', nil, { 1 }\n")
    assert.equal(0, result.code, result.err)
    assert.equal("23\n\"a\"\nnil\n{ 1 }\n", result.out)
  end)

  it("end at the first mistake, which is told with its line", function()
    local result = piped("repl", "x = 1\n\nlocal function f()\n  error('no')\nend f()\nprint 'never'\n")
    assert.equal(1, result.code)
    assert.equal("stdin:4: no\n  at stdin:4\n  at stdin:5\n", result.err)
    assert.equal("", result.out)
    assert.matches("^stdin:1: retry", piped("repl", 'call_api { via = "crm", GET = "/x", retry = 0 }\n').err)
    assert.equal("stdin:2: 'end' expected (to close 'if' at line 1) near <eof>\n", piped("repl", "if x then\n y()").err)
  end)

  it("may require the project's modules", function()
    assert.equal('"HO!"\n', piped("repl", 'require("lib.words").shout "ho"\n').out)
  end)

  it("reach every word of scripts, and what ends a run ends only its chunk", function()
    local result = piped("repl", [[
wait "2d"
wait_until "mon 09:00"
wait_for("order_placed", { within = "1d" })
#split "copy" { a = 1 }
type(now()), type(random()), #uuid()
log("said", { a = 1 })
json.encode { a = json.null }
secret "CRM_TOKEN"
]])
    assert.equal(0, result.code, result.err)
    assert.equal('nil\n1\n"number"\n"number"\n36\nyou: said {"a":1}\n"{\\"a\\":null}"\nsecret "CRM_TOKEN"\n', result.out)
    for chunk, said in pairs { ['drop "no"'] = "no", ['exit "done"'] = "exit()", ['wait_for "never"'] = "does not come",
      ['call_api "x"'] = "without its braces" } do
      local ended = piped("repl", chunk .. "\n")
      assert.equal(1, ended.code)
      assert.truthy(ended.err:find(said, 1, true), ended.err)
    end
  end)
end)

describe("what is shown", function()
  local function shown(chunk) return piped("repl", chunk .. "\n").out end

  it("is Lua that gives the same value again", function()
    for _, text in ipairs { '{ 1, 2, { a = "x" } }', '{ ["end"] = 1, ["a b"] = 2, [3] = 3, [false] = 4 }', '"a\\n\\t\\"\\0001\\127"', "-0.1", "1e+100", "9007199254740993", "{}", '"\\xFF"' } do
      local first = shown(text)
      assert.equal(first, shown(first:gsub("\n$", "")), text)
    end
  end)

  it("is sorted, cut when it is long, and marks cycles", function()
    assert.equal("{ 5, a = 1, b = 2 }\n", shown("{ b = 2, a = 1, 5 }"))
    assert.truthy(shown("t = { 1 }; t.me = t\nt"):find("me = nil, --[[ the whole again ]]", 1, true))
    assert.truthy(#shown("t = {}; for i = 1, 100000 do t[i] = i end\nt") < 4000)
    assert.truthy(#shown("('x'):rep(1000000)") < 5000)
    assert.truthy(shown("print, function() end"):find("a function, stdin:1", 1, true))
  end)

  it("holds nothing that a terminal would obey", function()
    typed { "expect pretend>", [[send "\\27[31m\\u{9b}", { "\\27" }, print("\\27[31mx")\r]], [[expect ?[31mx]],
      [[expect "\\027[31m\\u{9b}"]], "expect pretend>", [[send \x04]], "end" }
  end)
end)

describe("jaunt -e", function()
  it("runs its text as the prompt would, and its exit code says how it went", function()
    local result = piped("-e '1 + 1, ...' a b")
    assert.equal(0, result.code, result.err)
    assert.equal('2\n"a"\n"b"\n', result.out)
    result = piped("-e 'local function f() error(\"no\") end f()'")
    assert.equal(1, result.code)
    assert.equal("-e:1: no\n  at -e:1\n  at -e:1\n", result.err)
  end)

  it("is in rehearsal", function()
    local result = piped([[-e 'call_api { via = "crm", POST = "/contacts", json = { name = "Ada" } }']])
    assert.truthy(result.out:find("^ok · status 201"), result.out)
  end)
end)

describe("a script that is named", function()
  it("and is not there is missed as a file, with the nearest right name", function()
    helper.write_file(folder .. "/tidy.lua", "")
    local result = piped("tdy.lua")
    assert.equal(2, result.code)
    assert.equal("jaunt: no such script: tdy.lua; did you mean tidy.lua?\n", result.err)
  end)

  it("is run, with its arguments as they stand; its lines alone are in the traceback", function()
    local path = helper.write_file(folder .. "/greet", "#!/usr/bin/env jaunt\nprint(...)\nlocal function inner(x)\n  return x.y.z\nend\ninner {}\n")
    helper.write_file(folder .. "/bin/jaunt", "#!/bin/sh\nexec " .. helper.quote(JAUNT) .. ' "$@"\n')
    os.execute(("chmod +x %s %s"):format(helper.quote(path), helper.quote(folder .. "/bin/jaunt")))
    for _, command in ipairs { "./greet", "jaunt ./greet" } do
      local result = helper.sh(("cd %s && PATH=%s/bin:$PATH %s --live 'a b'"):format(helper.quote(folder),
        helper.quote(folder), command))
      assert.equal(1, result.code)
      assert.equal("--live\ta b\n", result.out)
      assert.equal("jaunt: ./greet:4: attempt to index a nil value (field 'y')\n  at ./greet:4\n  at ./greet:6\n", result.err)
    end
  end)
end)
