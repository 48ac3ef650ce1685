-- `jaunt preview`: what a payload or an element would send, what is wrong with it, and for whom.

local helper = require "helper"
local journeys = require "journeys"
local json = require "json"
local running = require "running"

local SHOP = [[
return journey "shop" {
  starts_on = "cart_updated",
  flow = function(person, event)
    wait "1h"
    local copy = split "copy" { plain = 50, funny = 50 }
    local told = call_api "reminder" {
      via = "crm", POST = "/messages", payload = "cart_" .. copy, vars = { cart = event }, on_failure = "continue",
    }
    if told.failed then call_api "letter" { via = "post", POST = "/letters", form = { To = person.email, Body = "a & b" } } end
    local order = wait_for("order_placed", { within = "1d" })
    if order then call_api "thanks" { via = "crm", POST = "/thanks", payload = "thanks", vars = { order = order } } end
  end,
}]]

local CONNECTIONS = [[return {
  crm = {
    base_url = env("CRM_URL", "https://crm.example.com/v2"), auth = { bearer = secret "CRM_TOKEN" },
    headers = { ["X-Team"] = "growth" },
  },
  post = { base_url = env("POST_URL", "https://post.example.com"), auth = { query = { key = secret "POST_KEY" } } },
}]]

local SAMPLES = {
  { id = "ada", first_name = "Ada", email = "ada@example.com", phone = "+447700900123",
    event = { cart_id = "C-1", items = { { sku = "A", price = 2 } } } },
  { id = "bob", first_name = "Bob", email = "bob@example.com", phone = "+447700900124",
    event = { cart_id = "C-2", items = json.array {} } },
  { id = "nobody", email = "nobody@example.com", event = { cart_id = "C-3" } },
}

local ORDER = '{"person":"ada","name":"order_placed","time":"+3h","data":{"order_id":"O-9"}}\n'

-- A project with these payloads ({ ["hello.json"] = text }) and, unless `files` says otherwise, the people and journey above.
local function project(payloads, files)
  local all = {
    ["connections.lua"] = CONNECTIONS, ["people/samples.ndjson"] = journeys.people(SAMPLES), ["journeys/shop.lua"] = SHOP,
    ["payloads/cart_plain.json"] = '{"to": "{{ person.phone }}", "cart": "{{ cart.cart_id }}"}',
    ["payloads/cart_funny.json"] = '{"to": "{{ person.phone }}", "fun": "{{ cart.cart_id }}"}',
    ["payloads/thanks.json"] = '{"order": "{{ order.order_id }}"}',
  }
  for name, text in pairs(payloads) do all["payloads/" .. name] = text end
  for name, text in pairs(files or {}) do all[name] = text end
  return journeys.project(all)
end

-- The shell words of jaunt preview in a folder. `environment` may be left out.
local function words(folder, environment, ...)
  if type(environment) ~= "table" then return words(folder, {}, environment, ...) end
  environment.HOME = environment.HOME or folder
  return ("env -C %s -u XDG_CONFIG_HOME %s"):format(helper.quote(folder), helper.jaunt_words(environment, "preview", ...))
end

local function preview(folder, ...)
  return helper.sh(words(folder, ...))
end

local function facts(folder, ...)
  local done = preview(folder, ...)
  assert(done.out:find("^{"), done.out .. done.err)
  return json.decode(done.out), done.code
end

local function contains(text, piece)
  assert(text:find(piece, 1, true), ("%s\nis not in\n%s"):format(piece, text))
end

local function lacks(text, piece)
  assert(not text:find(piece, 1, true), ("%s\nis in\n%s"):format(piece, text))
end

describe("jaunt preview of a payload", function()
  it("shows what each sample would be sent, indented, with blanks and defaults marked in words", function()
    local folder = project { ["hello.json"] = '{"to":"{{ person.phone }}","name":"{{ person.first_name | default: "you" }}",'
      .. '"n":[1,{{ event.cart_id }}]}' }
    local done = preview(folder, "hello")
    assert.equal(0, done.code, done.err)
    lacks(done.out, "\27")
    contains(done.out, [[
ada  hello@]])
    contains(done.out, [[
  {
    "to": "+447700900123",
    "name": "Ada",
    "n": [
      1,
      "C-1"
    ]
  }
]])
    contains(done.out, [[
    "to": "",  ← blank: person.phone
    "name": "you",  ← default: person.first_name
]])
    contains(done.out, "  ← blank    this person has no value there\n")
    contains(done.out, 'hello.json:1: "person.phone" is blank for 1 of 3 (nobody)\n')
    contains(done.out, 'hello.json:1: "person.first_name" is blank for 1 of 3 (nobody), and the default is sent\n')
    contains(done.out, "hello for 3 people: 3 would be sent\n")
  end)

  it("tells a misspelt field with its line, for how many it is blank, and the nearest right one", function()
    local people = {}
    for i = 1, 25 do people[i] = { id = "p" .. i, first_name = "N" .. i } end
    local folder = project({ ["cart_plain.json"] = '{\n\n\n\n\n\n  "text": "Hello {{ person.frist_name }}"\n}\n' },
      { ["list.ndjson"] = journeys.people(people) })
    local done = preview(folder, "cart_plain", "--people", "list.ndjson", "--limit", "20")
    assert.equal(1, done.code)
    contains(done.out, '\ncart_plain.json:7: "person.frist_name" is blank for 20 of 20; did you mean first_name?\n')
    contains(done.out, '"text": "Hello "  ← missing: person.frist_name; did you mean first_name?')
  end)

  it("takes people from a pipe", function()
    local folder = project { ["hello.json"] = '{"a": "{{ first_name }}"}' }
    local done = helper.sh("(sleep 0.05; echo '{\"id\":\"eve\",\"first_name\":\"Eve\"}') | " .. words(folder, "hello",
      "--people", "-"))
    assert.equal(0, done.code, done.err)
    contains(done.out, '"a": "Eve"')
    assert.equal(2, preview(folder, "hello", "--people", "-", "--watch").code)
  end)

  it("finds misspelt names in defaults, conditions, loops, bare names and other payloads", function()
    local folder = project {
      ["hello.txt"] = "{{ person.frist_name | default: 'you' }}\n{% if person.phnoe %}x{% endif %}\n"
        .. "{% for item in event.items %}{{ item.prise }}{% endfor %}\n{{ first_nam }}\n{% render 'part' %}\n"
        .. "{% assign e = event %}{{ e.cart_ix }}\n{% assign greeting = 'hi' %}{{ greting }}",
      ["part.txt"] = "{{ person.emial }}",
    }
    local done = preview(folder, "hello")
    assert.equal(1, done.code)
    contains(done.out, 'hello.txt:1: "person.frist_name" is blank for 3 of 3, and the default is sent; did you mean first_name?')
    contains(done.out, 'hello.txt:2: "person.phnoe" is blank for 3 of 3; did you mean phone?')
    contains(done.out, 'hello.txt:3: "item.prise" is blank for 1 of 3; did you mean price?')
    contains(done.out, 'hello.txt:4: "first_nam" is blank for 3 of 3; did you mean first_name?')
    contains(done.out, 'part.txt:1: "person.emial" is blank for 3 of 3; did you mean email?')
    contains(done.out, 'hello.txt:6: "e.cart_ix" is blank for 3 of 3; did you mean cart_id?')
    contains(done.out, 'hello.txt:7: "greting" is blank for 3 of 3; did you mean greeting?')
  end)

  it("says what is left out", function()
    local done = preview(project { ["hello.json"] = '{\n"a": "{{ phone | omit_if_nil }}", "b": 1}' }, "hello")
    assert.equal(0, done.code, done.err)
    contains(done.out, '  {\n    "b": 1\n  }\n  ← left out: phone (line 2)\n')
    contains(done.out, 'hello.json:2: "phone" is blank for 1 of 3 (nobody), and left out\n')
  end)

  it("takes names of the template's own, and asking for what nobody has, for no mistake", function()
    local folder = project { ["hello.txt"] = "{% assign greeting = 'hi' %}{{ greeting }}"
      .. "{% for i in (1..2) %}{{ i }}{{ forloop.index }}{% endfor %}{% capture x %}{{ now | date: '%Y' }}{% endcapture %}{{ x }}"
      .. "{% if person.vip %}!{% endif %}{{ person.middle | default: '-' }}" }
    local done = preview(folder, "hello", "--now", "2026-11-25 09:00")
    assert.equal(0, done.code, done.out)
    contains(done.out, "  hi11222026-  ← missing: person.middle\n")
  end)

  it("names what a transform asks for in vain, with its line", function()
    local folder = project { ["hello.lua"] = 'return function(person, event, vars)\n  local n = #event.items\n'
      .. '  return { to = person.phone,\n'
      .. '    name = person.frist_name, n = n, first = event.items[1] and event.items[1].price }\nend' }
    local done = preview(folder, "hello", "--person", "bob")
    assert.equal(1, done.code)
    contains(done.out, '"n": 0')
    contains(done.out, "  ← missing: person.frist_name; did you mean first_name? (line 4)\n")
    contains(done.out, 'hello.lua:4: "person.frist_name" is blank for 1 of 1; did you mean first_name?')
    assert.equal(0, preview(folder, "thanks", "--vars", '{"order":{"order_id":"O-1"}}').code)
  end)

  it("shows whom a payload skips, drops, holds or fails for, and why", function()
    local folder = project { ["hello.json"] = '{% if id == "ada" %}{% abort_message("not now") %}{% endif %}'
      .. '{"n": "{{ first_name | required: "no name" }}", ' .. '"x": {{ email | int }}}' }
    local done = preview(folder, "hello")
    assert.equal(1, done.code)
    contains(done.out, "skipped: not now\n")
    contains(done.out, "dropped: no name\n")
    assert.matches("\n  fails: payloads/hello.json:1:%d+: ", done.out)
    contains(done.out, "hello for 3 people: 0 would be sent, 1 skipped, 1 dropped, 1 failed\n")
  end)

  it("shows each variant of a split", function()
    local folder = project {}
    helper.write_file(folder .. "/payloads/duo/a.json", '{"a": "{{ first_name }}"}')
    helper.write_file(folder .. "/payloads/duo/b.txt", "b {{ first_name }}")
    local done = preview(folder, "duo", "--person", "ada")
    assert.equal(0, done.code, done.err)
    assert.matches('duo/a@%x+\n  {\n    "a": "Ada"\n  }\n\nada  duo/b@%x+\n  b Ada\n', done.out)
    assert.equal(0, preview(folder, "duo/b", "--person", "ada").code)
  end)

  it("refuses a payload that can't be compiled, once, with line and caret", function()
    local folder = project { ["hello.json"] = '{\n  "n": "{{ first_name | upcse }}"\n}' }
    for _, extra in ipairs { {}, { "--diff" }, { "--hostile" } } do
      local done = preview(folder, "hello", table.unpack(extra))
      assert.equal(1, done.code)
      assert.equal('payloads/hello.json:2:25: there is no filter "upcse"; did you mean upcase?\n'
        .. '  2 |   "n": "{{ first_name | upcse }}"\n' .. "    |                         ^\n", done.err)
    end
    local told, code = facts(folder, "hello", "--json")
    assert.equal(1, code)
    assert.matches("^payloads/hello.json:2:25: there is no filter", told.mistake)
  end)

  it("tells how much of what people hold had to be made safe", function()
    local folder = project { ["hello.html"] = "<p>{{ person.x }}</p>" }
    helper.write_file(folder .. "/people.ndjson", '{"id":"odd","x":"a\\u0001b\\u0002"}\n{"id":"even","x":"ab"}\n')
    contains(preview(folder, "hello", "--people", "people.ndjson").out,
      "2 parts of values made safe: not UTF-8, control characters, or URLs")
    local people = facts(folder, "hello", "--people", "people.ndjson", "--json").previews[1].people
    assert.same({ 2, 0 }, { people[1].repaired, people[2].repaired })
  end)

  it("marks where a URL that may run a script was not put out", function()
    local folder = project { ["hello.html"] = '<a href="{{ person.x }}">\n<a href="{{ person.x }}x">\n{{ person.x }}' }
    helper.write_file(folder .. "/people.ndjson", '{"id":"odd","x":"javascript:f()"}\n{"id":"even","x":"https://a"}\n')
    local done = preview(folder, "hello", "--people", "people.ndjson")
    contains(done.out, '  <a href="">  ← emptied: person.x\n  <a href="x">  ← emptied: person.x\n  javascript:f()\n  2 parts of')
    contains(done.out, '  <a href="https://a">\n')
    contains(done.out, "← emptied  it is no URL of https, mailto, tel or sms, and may run a script")
  end)

  it("has the nearest right name for what is not there", function()
    local folder = project { ["hello.json"] = "{}", ["bye.jsn"] = "{}", ["good.bye.json"] = "{}" }
    for _, case in ipairs {
      { "payloads/bye.jsn is no payload: its ending is none of form, html, json, lua, txt, xml", "bye" },
      { "payloads/bye.jsn is no payload: its ending is none of form, html, json, lua, txt, xml", "payloads/bye.jsn" },
      { "payloads/good.bye.json is no payload: a payload's name holds no dot", "good.bye" },
      { "no such payload: helo; did you mean hello?", "helo" },
      { "there is no adda in people/samples.ndjson; did you mean ada?", "hello", "--person", "adda" },
      { "shop has no element \"remindr\"; did you mean reminder?", "shop", "remindr" },
      { "no such journey: shap; did you mean shop?", "shap", "reminder" },
      { 'shop is a journey: name one of its elements, too: "reminder", "letter", "thanks"', "shop" },
      { "--vars takes a JSON object, such as '{\"code\":\"X-1\"}'", "hello", "--vars", "[1]" },
      { "--send-to and --watch exclude each other", "hello", "--send-to", "me", "--watch" },
    } do
      local done = preview(folder, table.unpack(case, 2))
      assert.equal(2, done.code)
      assert.equal("jaunt: " .. case[1] .. "\n", done.err)
    end
    assert.equal(0, preview(folder, "payloads/hello.json", "--person", "ada").code)
    local done = helper.sh(words(helper.temp_folder(), "hello"))
    contains(done.err, "jaunt: there is no project here")
  end)

  it("keeps what people's data say from the terminal", function()
    local folder = project({ ["hello.json"] = '{"n": "{{ first_name }}"}', ["plain.txt"] = "{{ first_name }}" },
      { ["people/samples.ndjson"] = journeys.people { { id = "e\27[2Jvil", first_name = "\27[31m\u{9b}x\127\u{202e}" } } })
    for _, name in ipairs { "hello", "plain" } do
      local done = preview(folder, name)
      assert.is_nil(done.out:find("[\27\127]"), done.out)
      lacks(done.out, "\u{9b}")
      lacks(done.out, "\u{202e}")
    end
  end)
end)

describe("the schema beside a payload", function()
  local SCHEMA = '{\n  "required": ["to", "sender"],\n  "properties": {\n    "to": { "pattern": "^\\\\+[1-9]" }\n  }\n}'

  it("is held against every preview, on the line of the fault and with the schema's", function()
    local folder = project { ["hello.json"] = '{"to": "{{ phone }}"}', ["hello.schema.json"] = SCHEMA }
    local done = preview(folder, "hello")
    assert.equal(1, done.code)
    contains(done.out, [[    "to": ""  ← blank: phone  ← schema: it has to match ^\+[1-9] (hello.schema.json:4)]])
    contains(done.out, "  ← schema: $.sender is missing: it is required (hello.schema.json:2)\n")
    contains(done.out, 'hello.schema.json:4: $.to is "": it has to match ^\\+[1-9], for 1 of 3 (nobody)\n')
    contains(done.out, "hello for 3 people: 3 would be sent, 3 invalid\n")
  end)

  it("is held against transforms, too, and its own mistakes are told", function()
    local transform = "return function(person) return { to = person.phone } end"
    local folder = project { ["hello.lua"] = transform, ["hello.schema.json"] = SCHEMA }
    contains(preview(folder, "hello", "--person", "ada").out, "$.sender is missing")
    helper.write_file(folder .. "/payloads/hello.schema.json", '{"requird": []}')
    local done = preview(folder, "hello")
    assert.equal(1, done.code)
    assert.equal("payloads/hello.schema.json#/requird: there is no keyword requird; did you mean required?\n", done.err)
  end)
end)

describe("a payload that needs vars", function()
  it("gets those of the journey that sends it, and what was pretended for that is told", function()
    local done = preview(project {}, "cart_plain")
    assert.equal(0, done.code, done.err)
    contains(done.out, '"cart": "C-1"')
    contains(done.out, '"cart": "C-2"')
    assert.matches('\nbob  cart_plain@%x+  vars as shop has them at "reminder"', "\n" .. done.out)
    -- nobody's split goes both ways by itself
    contains(done.out .. preview(project {}, "cart_funny").out, ', if "copy" takes ')
  end)

  it("lends somebody else's where a walk does not come to it, and says so", function()
    local folder = project({}, { ["people/samples.events.ndjson"] = ORDER })
    local done = preview(folder, "thanks")
    contains(done.out, 'ada  thanks@')
    contains(done.out, '"order": "O-9"')
    contains(done.out, "vars are those of ada: bob does not come to this payload in shop")
  end)

  it("says which, and how to give them, where no journey sends it", function()
    local folder = project { ["hello.txt"] = "{{ code }} {{ vars.percent }}" }
    local done = preview(folder, "hello", "--person", "ada")
    assert.equal(1, done.code)
    contains(done.out, 'hello.txt:1: "code" is blank for 1 of 1; it is in no vars, and nobody here has it\n')
    contains(done.out, "hello asks for code")
    contains(done.out, [[with --vars '{"code":…}']])
    done = preview(folder, "hello", "--person", "ada", "--vars", '{"code":"X-1"}')
    contains(done.out, "  X-1 ")
  end)
end)

describe("jaunt preview JOURNEY ELEMENT", function()
  it("shows what the element would send, with its address, as the journey comes to it", function()
    local done = preview(project {}, "shop", "reminder", "--person", "ada")
    assert.equal(0, done.code, done.err)
    contains(done.out, "  POST https://crm.example.com/v2/messages\n")
    contains(done.out, '"C-1"')
  end)

  it("pretends what has to be pretended: a vendor that fails, no events, a split", function()
    local done = preview(project {}, "shop", "letter", "--person", "ada")
    assert.equal(0, done.code, done.err)
    contains(done.out, "ada  if crm fails\n  POST https://post.example.com/letters?key=‹secret POST_KEY›\n"
      .. "  Body = a & b\n  To = ada@example.com\n")
  end)

  it("tries its luck with the vendors, too", function()
    local folder = project({}, {
      ["vendor.lua"] = [[return { crm = { ["GET /luck"] = function(request)
        return 200, { lucky = tonumber(request.id:sub(1, 2), 16) % 4 == 0 }
      end } }]],
      ["journeys/luck.lua"] = [[return journey "luck" { flow = function(person)
        local drawn = call_api "draw" { via = "crm", GET = "/luck" }
        if drawn.json.lucky then call_api "won" { via = "crm", POST = "/x", json = { id = person.id } } end
      end }]],
    })
    local done = preview(folder, "luck", "won")
    assert.equal(0, done.code, done.out)
    contains(done.out, "if the vendors answer as with --seed ")
    for _, one in ipairs(SAMPLES) do contains(done.out, ('"id": "%s"'):format(one.id)) end
  end)

  it("tells who does not come to it, and how far they come", function()
    local folder = project({}, { ["people/samples.events.ndjson"] = ORDER })
    local done = preview(folder, "shop", "thanks")
    assert.equal(0, done.code)
    contains(done.out, '"order": "O-9"')
    contains(done.out, 'bob does not come to "thanks", whatever is pretended: only to reminder\n')
    assert.not_matches("they would stand in", done.out)
    assert.equal(1, preview(folder, "shop", "thanks", "--person", "bob").code)
    done = preview(project({}), "shop", "thanks")
    contains(done.out, "it waits for events, and these people have none: they would stand in people/samples.events.ndjson\n")
  end)

  it("says what is misspelt in the payload that the element sends", function()
    local text = '{"cart": "{{ cart.cart_ix }}"}'
    local folder = project { ["cart_plain.json"] = text, ["cart_funny.json"] = text }
    local done = preview(folder, "shop", "reminder", "--person", "ada")
    assert.equal(1, done.code)
    assert.matches('cart_%a+.json:1: "cart.cart_ix" is blank for 1 of 1; did you mean cart_id%?', done.out)
  end)

  it("tells a journey's own mistakes: a script error, a payload that is not there, a walk without end", function()
    local function journey(name, flow)
      return ('return journey "%s" { flow = function(person) %s end }'):format(name, flow)
    end
    local call = 'call_api "first" { via = "crm", POST = "/x", payload = "%s", vars = { cart = {} } }'
    local folder = project({}, {
      ["journeys/bad.lua"] = journey("bad", "local x = nil + 1 " .. call:format("cart_plain")),
      ["journeys/lost.lua"] = journey("lost", call:format("cart_plane")),
      ["journeys/endless.lua"] = journey("endless", call:format("cart_plain") .. ' while true do wait "1s" end'),
    })
    local done = preview(folder, "bad", "first", "--person", "ada")
    assert.equal(1, done.code)
    contains(done.out, 'ada does not come to "first", whatever is pretended: the journey ends before any call\n')
    contains(done.out, "warning: ada is held: script: journeys/bad.lua:1: attempt to perform arithmetic on a nil value")
    done = preview(folder, "lost", "first", "--person", "ada")
    assert.equal(1, done.code)
    contains(done.out, '  fails: there is no payload "cart_plane"; did you mean cart_plain?\n')
    assert.equal(0, preview(folder, "endless", "first", "--person", "ada").code)
  end)

  it("saves nothing and calls nobody", function()
    local folder = project({}, { ["journeys/keep.lua"] = [[return journey "keep" { flow = function(person)
      call_api "fetch" { url = "http://127.0.0.1:9/x", save_to = "kept.txt", on_failure = "continue" }
      call_api "tell" { via = "crm", POST = "/x", json = { id = person.id } } end }]] })
    contains(preview(folder, "keep", "tell", "--person", "ada").out, '"id": "ada"')
    assert.equal(0, helper.sh(("test -z \"$(find %s -name 'kept*' -o -name '*.db')\""):format(folder)).code)
  end)
end)

describe("jaunt preview --json", function()
  it("prints one object with bodies, blanks, findings and faults", function()
    local folder = project { ["hello.json"] = '{"to":"{{ person.phone }}","x":"{{ person.frist_name | default: "-" }}"}' }
    local told, code = facts(folder, "hello", "--person", "nobody", "--json")
    assert.equal(1, code)
    local one = told.previews[1]
    assert.equal("hello", one.payload)
    assert.equal("payloads/hello.json", one.path)
    assert.equal(12, #one.hash)
    assert.equal("sent", one.people[1].outcome)
    assert.equal('{"to":"","x":"-"}', one.people[1].body)
    assert.same({
      { name = "person.phone", line = 1, default = false, left_out = false },
      { name = "person.frist_name", line = 1, default = true, left_out = false },
    }, one.people[1].blanks)
    local first = one.findings[1]
    assert.same({ "person.frist_name", true, 1, 1 }, { first.name, first.misspelt, first.blank, first.of })
  end)
end)

describe("jaunt preview --diff", function()
  local function git(folder, command)
    local done = helper.sh(("cd %s && GIT_CONFIG_GLOBAL=/dev/null git -c user.email=a@example.com -c user.name=a %s"):format(
      folder, command))
    assert(done.code == 0, done.err)
  end

  local has_git = helper.sh("git --version").code == 0

  it("says in words what it can't compare with", function()
    local folder = project { ["hello.json"] = "{}" }
    local done = preview(folder, { PATH = "/nowhere" }, "hello", "--diff")
    assert.equal("jaunt: --diff needs git, which is not here\n", done.err)
    if not has_git then return pending "needs git" end
    assert.matches("is in no git repository: git init, then git commit\n$", preview(folder, "hello", "--diff").err)
    git(folder, "init -q")
    done = preview(folder, "hello", "--diff")
    assert.equal(2, done.code)
    assert.matches("nothing is committed yet: git add, then git commit\n$", done.err)
  end)

  it("shows only what changes, for whom, and who is sent the same", function()
    if not has_git then return pending "needs git" end
    local folder = project { ["hello.json"] = '{"a": "{{ first_name }}", "b": "{{ phone }}", "c": 1}' }
    git(folder, "init -q")
    git(folder, "add .")
    git(folder, "commit -qm one")
    contains(preview(folder, "hello", "--diff").out, "nothing changes for 3 people")
    helper.write_file(folder .. "/payloads/hello.json", '{"a": "{{ first_name }}", "b": "{{ phone | default: "none" }}", "c": 1}')
    local done = preview(folder, "hello", "--diff")
    assert.equal(0, done.code, done.err)
    contains(done.out, 'for nobody\n  -   "b": ""\n  +   "b": "none"\n\nsince ')
    contains(done.out, "it changes for 1 of 3 people, not for ada, bob\n")
    lacks(done.out, '"c"')
    helper.write_file(folder .. "/payloads/hello.json", '{"a": "{{ first_name }}", "b": "{{ phone }}", "c": 2}')
    contains(preview(folder, "hello", "--diff").out, 'for ada, bob, nobody\n  -   "c": 1\n  +   "c": 2\n')
    helper.write_file(folder .. "/payloads/hello.json", '{"a": "Dear {{ first_name }}", "b": "{{ phone }}", "c": 1}')
    contains(preview(folder, "hello", "--diff").out,
      'for ada, and in the same words for bob, nobody\n  -   "a": "Ada"\n  +   "a": "Dear Ada"\n')
    helper.write_file(folder .. "/payloads/new.json", '{"a": 1}')
    contains(preview(folder, "new", "--diff").out, "new is not in the last commit: all of it is new")
  end)

  it("tells of a broken schema and misspelt fields, too", function()
    if not has_git then return pending "needs git" end
    local folder = project { ["hello.json"] = '{"a": "{{ first_name }}"}', ["hello.schema.json"] = '{"required": ["b"]}' }
    git(folder, "init -q")
    git(folder, "add .")
    git(folder, "commit -qm one")
    helper.write_file(folder .. "/payloads/hello.json", '{"a": "{{ frist_name }}"}')
    local done = preview(folder, "hello", "--diff")
    assert.equal(1, done.code)
    contains(done.out, "hello.schema.json:1: $.b is missing: it is required, for 3 of 3\n")
    contains(done.out, 'hello.json:1: "frist_name" is blank for 3 of 3; did you mean first_name?\n')
  end)

  it("pairs lines that took each other's place", function()
    local difference = require "jaunt.preview.difference"
    local function signs(old, new)
      local list = {}
      for i, line in ipairs(difference.lines(old, new)) do list[i] = line.sign .. line.text end
      return table.concat(list, " ")
    end
    assert.equal("", signs({ "a", "b" }, { "a", "b" }))
    assert.equal("-b +x -c +y", signs({ "a", "b", "c", "d" }, { "a", "x", "y", "d" }))
    assert.equal("-a +x -c", signs({ "a", "b", "c" }, { "x", "b" }))
    assert.equal("-a -b +x", signs({ "a", "b" }, { "x" }))
    assert.equal("+a", signs({}, { "a" }))
    local line = difference.lines({ "Hé Ada!" }, { "Hè Ada!" })[1]
    assert.equal("Hé", line.text:sub(line.first, line.last))
  end)
end)

describe("jaunt preview --watch", function()
  local function watching(folder, ...)
    local process = helper.start(words(folder, ...))
    local function seen(piece, count)
      running.wait_for(piece, function()
        local _, found = helper.read_file(process.out):gsub(piece:gsub("%p", "%%%0"), "")
        return found >= count
      end)
    end
    return process, seen
  end

  it("shows it again when the file is written or replaced, says what is wrong meanwhile, and ends by Ctrl-C", function()
    local folder = project { ["hello.json"] = '{"a": 1}' }
    local path = folder .. "/payloads/hello.json"
    local process, seen = watching(folder, "hello", "--person", "ada", "--watch")
    seen("Ctrl-C ends it", 1)
    helper.write_file(path, '{"a": 2}')
    seen('"a": 2', 1)
    helper.write_file(folder .. "/payloads/hello.json.new", '{"a": 3}')
    os.rename(folder .. "/payloads/hello.json.new", path)
    seen('"a": 3', 1)
    helper.write_file(path, '{"a": {{ }')
    running.wait_for("the mistake", function() return helper.read_file(process.err):find("hello.json:1", 1, true) end)
    helper.write_file(path, '{"a": 4}')
    seen('"a": 4', 1)
    os.remove(path)
    seen("no such payload: hello", 1)
    helper.write_file(path, '{"a": 5}')
    seen('"a": 5', 1)
    assert.equal(0, process.stop("INT"))
  end)

  it("looks at people and journeys, too", function()
    local folder = project { ["hello.json"] = '{"a": "{{ first_name }}"}' }
    local process, seen = watching(folder, "hello", "--person", "ada", "--watch")
    seen('"a": "Ada"', 1)
    helper.write_file(folder .. "/people/samples.ndjson", '{"id":"ada","first_name":"Augusta"}\n')
    seen('"a": "Augusta"', 1)
    assert.equal(0, process.stop("TERM"))
  end)
end)

describe("jaunt preview --hostile", function()
  it("tries people who break software, and says that it stays valid", function()
    local folder = project {
      ["hello.json"] = '{"a": "{{ first_name }}", {% if phone %}"b": {{ phone }},{% endif %} '
        .. '"{{ id }}": [{% for i in event.items %}{{ i }},{% endfor %}]}',
      ["hi.form"] = "To={{ phone }}&Body=Hi {{ first_name }}", ["page.html"] = '<p class="{{ phone }}">{{ first_name }}</p>',
      ["page2.xml"] = "<a>{{ first_name }}</a>",
    }
    for _, name in ipairs { "hello", "hi", "page", "page2" } do
      local done = preview(folder, { JAUNT_DATA = "/nowhere" }, name, "--hostile")
      assert.equal(0, done.code, done.out)
      local well, all = done.out:match(name .. " stays valid for (%d+) of (%d+) hostile people")
      assert.equal(all, well)
      assert.is_true(tonumber(all) > 60)
      contains(done.out, "only with what is built in: --strings FILE")
    end
  end)

  it("takes the big list of naughty strings, or a list of one's own", function()
    local folder = project { ["hello.json"] = '{"a": "{{ first_name }}"}' }
    local few = json.decode(preview(folder, { JAUNT_DATA = "/nowhere" }, "hello", "--hostile", "--json").out)
    helper.write_file(folder .. "/mine.json", '["a","b\\u0000"]')
    local more = json.decode(preview(folder, "hello", "--hostile", "--strings", "mine.json", "--json").out)
    assert.equal(few.tried + 2, more.tried)
    assert.equal("mine.json", more.strings)
    if not helper.data("people/blns.json") then return pending "needs people/blns.json" end
    local big = json.decode(preview(folder, { JAUNT_DATA = os.getenv("JAUNT_DATA") }, "hello", "--hostile", "--json").out)
    assert.is_true(big.tried > few.tried + 400)
    assert.equal(0, big.invalid)
  end)

  it("names the data that are refused, and finds what is broken", function()
    local folder = project { ["hello.lua"] = "return function(person) return { n = person.first_name:upper() } end" }
    local done = preview(folder, "hello", "--hostile")
    assert.equal(0, done.code)
    assert.matches("huge numbers, refused %(%d+ and %d+ more%): payloads/hello.lua:1: ", done.out)

    local trial, lines = require "jaunt.preview.trial", {}
    local print_ = _G.print
    _G.print = function(text) lines[#lines + 1] = text end
    local subject = { id = "ada", person = { id = "ada", x = "y" }, event = {}, vars = {} }
    local function broken(kind, body_of)
      return trial.run({ one = function(_, one)
        return { outcome = "sent", kind = kind, body = body_of(one.person.x), schema_faults = {} }
      end }, { name = "p", source = { kind = kind }, results = { { body = body_of("y"), subject = subject } } })
    end
    local bad_form = broken("form", function(x) return "a=" .. tostring(x) end)
    local bad_html = broken("html", function(x) return "<p>" .. tostring(x) .. "</p>" end)
    local good = broken("txt", function(x) return tostring(x) end)
    _G.print = print_
    assert.is_true(bad_form)
    assert.is_true(bad_html)
    assert.is_false(good)
    contains(table.concat(lines, "\n"), "it has a field that nobody else's has: ")
    contains(table.concat(lines, "\n"), "it has an element that nobody else's has: \"script\"")
  end)
end)

describe("jaunt preview --send-to", function()
  local ME = 'return { send_to = { me = { email = "me@example.com", phone = "+15550100" } } }'
  local vendor

  setup(function() vendor = running.vendor("--port", "0") end)
  teardown(function() vendor.stop() end)

  local function send(folder, ...)
    local environment = { CRM_URL = vendor.url .. "/crm", POST_URL = vendor.url .. "/post", CRM_TOKEN = "t0ken", POST_KEY = "k3y" }
    return preview(folder, environment, ...)
  end

  it("makes one live call with the person's data and an address of one's own", function()
    local folder = project({}, { ["settings.lua"] = ME })
    local done = send(folder, "cart_plain", "--person", "ada", "--send-to", "me", "--yes", "--private-network")
    assert.equal(0, done.code, done.err)
    assert.matches("^sent: status 200\n", done.out)
    contains(done.err, "LIVE  one call, cart_plain with the data of ada, but email me@example.com, phone +15550100")
    local items = vendor.items()
    assert.equal(1, #items)
    assert.equal("/crm/messages", items[1].path)
    assert.equal('{"to": "+15550100", "cart": "C-1"}', items[1].body)
    lacks(done.out .. done.err, "t0ken")

    done = send(folder, "shop", "letter", "--person", "ada", "--send-to", "me", "--yes", "--private-network")
    assert.equal(0, done.code, done.err)
    items = vendor.items()
    assert.equal(2, #items)
    contains(items[2].body, "To=me%40example.com")
    contains(done.err, "key=‹secret POST_KEY›")
  end)

  it("asks first, and sends nothing where an address of the person's own would be reached", function()
    local folder = project({}, { ["settings.lua"] = 'return { send_to = { me = { email = "me@example.com" } } }' })
    local before = #vendor.items()
    local done = send(folder, "cart_plain", "--person", "ada", "--send-to", "me", "--yes", "--private-network")
    assert.equal(2, done.code)
    contains(done.err, "not sent: +447700900123, the phone of ada, still stands in what would be sent: "
      .. "give send_to.me a phone in the settings")
    helper.write_file(folder .. "/settings.lua", ME)
    done = send(folder, "cart_plain", "--person", "ada", "--send-to", "me", "--private-network")
    assert.equal(2, done.code)
    contains(done.err, "--send-to wants cart_plain typed on a terminal; scripts give --yes")
    done = send(folder, "cart_plain", "--person", "ada", "--send-to", "me", "--yes")
    assert.equal(1, done.code)
    contains(done.out, "not accepted: 127.0.0.1 is a loopback address")
    assert.equal(before, #vendor.items())
  end)

  it("finds the address in the project or in one's own folder, and says where it would stand", function()
    local folder = project {}
    local done = send(folder, "cart_plain", "--person", "ada", "--send-to", "me", "--yes")
    assert.equal(2, done.code)
    contains(done.err, "there is no me in the settings; it would stand in settings.lua or " .. folder
      .. "/.config/jaunt/settings.lua: return { send_to = ")
    helper.write_file(folder .. "/.config/jaunt/settings.lua", ME)
    local function complaint(name) return send(folder, "cart_plain", "--person", "ada", "--send-to", name).err end
    contains(complaint "mee", "there is no mee in the settings; did you mean me?")
    contains(complaint "me", "phone +15550100")
    helper.write_file(folder .. "/settings.lua", 'return { sendto = {} }')
    contains(complaint "me", "settings.lua: there is no setting sendto; did you mean send_to?")
    helper.write_file(folder .. "/settings.lua", 'return { send_to = "me@example.com" }')
    contains(complaint "me", "settings.lua: send_to is a table of names")
    helper.write_file(folder .. "/settings.lua", 'return { send_to = { me = "me@example.com" } }')
    contains(complaint "me", "send_to.me is a table of attributes")
  end)
end)
