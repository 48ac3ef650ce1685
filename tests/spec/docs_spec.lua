-- jaunt docs: a journey's documentation says what the script says, shows no secret, lets no text out of its place, is
-- drawn without a line that crosses another, and is the same wherever it is written.

local flow = require "jaunt.docs.flow"
local fs = require "jaunt.native.fs"
local helper = require "helper"
local json = require "json"
local project = require "jaunt.project"
local walk = require "jaunt.preview.walk"

local source = assert(os.getenv("JAUNT_SOURCE"))
local SHIPPED = { "abandoned_cart", "order_update", "welcome", "win_back" }

local CONNECTIONS = [[
return {
  crm = { base_url = env("CRM_URL", "https://crm.example.com/v2"), auth = { bearer = secret "CRM_TOKEN" }, retry = { attempts = 6 } },
  mail = { base_url = "https://mail.example.com", auth = { header = { ["X-Api-Key"] = "plain-key-1" } }, success = { 200, 202 },
    headers = { ["X-Team"] = "growth", ["X-Session-Token"] = "plain-token-2" }, timeout = "7s" },
  chat = { base_url = "https://chat.example.com", auth = { query = { k = "plain-key-3" } }, idempotent = false, max_in_flight = 20 },
}
]]

-- A project of some files; returns its folder.
local function project_of(files)
  local folder = helper.temp_folder()
  helper.write_file(folder .. "/connections.lua", CONNECTIONS)
  for name, text in pairs(files) do helper.write_file(folder .. "/" .. name, text) end
  return folder
end

local function docs_in(folder, ...)
  local words = { ... }
  if type(words[1]) ~= "table" then table.insert(words, 1, {}) end
  table.insert(words, 2, "docs")
  return helper.sh(("cd %s && %s"):format(helper.quote(folder), helper.jaunt_words(table.unpack(words))))
end

local function document(folder, name, ...)
  local result = docs_in(folder, name, ...)
  assert.equal(0, result.code, result.err)
  local function read(ending) return helper.read_file(("%s/docs/%s.%s"):format(folder, name, ending)) end
  return { md = read "md", html = read "html", svg = read "svg" }
end

-- A journey "j" with this flow, and what is written of it.
local function of_flow(lines, files, ...)
  local all = { ["journeys/j.lua"] = ("return journey \"j\" { flow = function(person, event)\n%s\nend }\n"):format(lines),
    ["people/samples.ndjson"] = '{"id":"ada","plan":"pro","visits":3,"event":{"order":"O-1"}}\n{"id":"bob"}\n' }
  for name, text in pairs(files or {}) do all[name] = text end
  return document(project_of(all), "j", ...)
end

local function has(text, ...)
  for _, wanted in ipairs { ... } do
    if not text:find(wanted, 1, true) then error(("%s\nis not in\n%s"):format(wanted, text), 2) end
  end
end

local function lacks(text, ...)
  for _, unwanted in ipairs { ... } do
    if text:find(unwanted, 1, true) then error(unwanted .. " is there", 2) end
  end
end

-- The part of a Markdown page below the heading of a call.
local function call_of(md, name)
  local _, from = md:find("### " .. name, 1, true)
  assert(from, "there is no call " .. name)
  return md:sub(from + 1, (md:find("\n##", from + 1, true)))
end

---------------------------------------------------------------------------------------------- drawings

-- Elements of an SVG text: { name =, attributes = { … }, text = (behind the tag) }; fails where tags are not closed in
-- order.
local function elements_of(svg, allowed)
  local list, open = {}, {}
  for closing, name, attributes, empty, text in svg:gmatch("<(/?)([%w]+)([^<>]*)(/?)>([^<]*)") do
    assert(allowed[name], "there is an element " .. name)
    if attributes:sub(-1) == "/" then attributes, empty = attributes:sub(1, -2), "/" end
    if closing == "/" then
      assert.equal(table.remove(open), name)
    else
      local values = {}
      for key, value in attributes:gmatch("([%w-]+)=\"([^\"]*)\"") do values[key] = value end
      assert.equal("", (attributes:gsub("[%w-]+=\"[^\"]*\"", ""):gsub("%s", "")), "attributes: " .. attributes)
      list[#list + 1] = { name = name, attributes = values, text = text }
      if empty ~= "/" then open[#open + 1] = name end
    end
  end
  assert.equal(0, #open)
  local _, tags = svg:gsub("<", "")
  local _, whole = svg:gsub("<[^<>]*>", "")
  assert.equal(tags, whole)
  return list
end

local SVG = { svg = true, title = true, style = true, rect = true, path = true, g = true, text = true, a = true }

local function points_of(path)
  local points = {}
  for x, y in path:gmatch("[ML](%-?[%d.]+) (%-?[%d.]+)") do points[#points + 1] = { tonumber(x), tonumber(y) } end
  return points
end

-- The lines of a drawing as pieces { x1, y1, x2, y2 }, and its nodes as boxes { x1, y1, x2, y2 }.
local function drawing(svg)
  local pieces, boxes, upward = {}, {}, 0
  for _, element in ipairs(elements_of(svg, SVG)) do
    local class = element.attributes.class or ""
    if element.name == "path" and class == "l" then
      local points = points_of(element.attributes.d)
      for i = 2, #points do
        local a, b = points[i - 1], points[i]
        assert(a[1] == b[1] or a[2] == b[2], "a line is not straight")
        if b[2] < a[2] then upward = upward + 1 end
        pieces[#pieces + 1] = { math.min(a[1], b[1]), math.min(a[2], b[2]), math.max(a[1], b[1]), math.max(a[2], b[2]) }
      end
    elseif class:find("^s ") and element.name == "path" then
      local box = { math.huge, math.huge, -math.huge, -math.huge }
      for _, point in ipairs(points_of(element.attributes.d)) do
        box = { math.min(box[1], point[1]), math.min(box[2], point[2]), math.max(box[3], point[1]), math.max(box[4], point[2]) }
      end
      boxes[#boxes + 1] = box
    elseif class:find("^s ") then
      local x, y = tonumber(element.attributes.x), tonumber(element.attributes.y)
      boxes[#boxes + 1] = { x, y, x + tonumber(element.attributes.width), y + tonumber(element.attributes.height) }
    end
  end
  return pieces, boxes, upward, tonumber(svg:match("width=\"(%d+)\"")), tonumber(svg:match("height=\"(%d+)\""))
end

local NEAR = 1.5 -- pixels: what only touches

local function crosses(a, b)
  local a_lies, b_lies = a[2] == a[4], b[2] == b[4]
  if a_lies == b_lies then return false end
  local lying, standing = a, b
  if b_lies then lying, standing = b, a end
  return standing[1] > lying[1] + NEAR and standing[1] < lying[3] - NEAR and lying[2] > standing[2] + NEAR
    and lying[2] < standing[4] - NEAR
end

local function is_within(piece, box)
  return piece[3] > box[1] + NEAR and piece[1] < box[3] - NEAR and piece[4] > box[2] + NEAR and piece[2] < box[4] - NEAR
end

local function overlaps(a, b)
  return a[3] > b[1] + NEAR and a[1] < b[3] - NEAR and a[4] > b[2] + NEAR and a[2] < b[4] - NEAR
end

-- Fails where a line crosses another or a node, where nodes overlap, or where something is beyond the edge.
local function check_drawing(svg)
  local pieces, boxes, upward, width, height = drawing(svg)
  assert.is_true(#boxes > 1)
  for i, piece in ipairs(pieces) do
    for k = i + 1, #pieces do
      assert(not crosses(piece, pieces[k]), ("lines cross: %s and %s"):format(table.concat(piece, " "),
        table.concat(pieces[k], " ")))
    end
    for _, box in ipairs(boxes) do assert(not is_within(piece, box), "a line goes through a node: " .. table.concat(piece, " ")) end
  end
  for i, box in ipairs(boxes) do
    for k = i + 1, #boxes do assert(not overlaps(box, boxes[k]), "nodes overlap") end
    assert(box[1] >= 0 and box[2] >= 0 and box[3] <= width and box[4] <= height, "a node is beyond the edge")
  end
  return upward, width
end

---------------------------------------------------------------------------------------------- specs

describe("a journey's documentation", function()
  it("tells each call's contract", function()
    local made = of_flow([[
      call_api "first" { via = "crm", POST = "/leads", json = { who = person.id, count = 3, plan = person.plan, at = now() } }
      call_api "second" { via = "mail", PUT = "/people/" .. person.id, payload = "note", on_failure = "hold", timeout = "3s", within = "4h",
        query = { full = true }, headers = { ["X-Why"] = "because" }, success = function(answer) return answer.status == 200 end,
        only_if = function(p) return p.plan == "pro" end, retry = false }
      call_api "third" { via = "chat", GET = "/messages", on_failure = "continue" }
      call_api "fourth" { via = "mail", POST = "/send", form = { To = "a b", ["x&y"] = person.id } }
    ]], { ["payloads/note.json"] = '{ "name": "{{ first_name | required: \'no name\' }}", "plan": "{{ plan }}" }' })
    has(call_of(made.md, "first"), "| Connection | `crm` |", "| Request | `POST https://crm.example.com/v2/leads` |",
      "`Authorization: Bearer ‹secret CRM_TOKEN›`", "| Sent | for everybody who enters |", "| Success | status 2xx |",
      "the person is dropped here",
      "up to 6 attempts", "the header Idempotency-Key", "| `count` | whole number | always |", "| `who` | text | always |",
      "| `plan` | text | sometimes |", '"who": "ada"', '"at": 1795597200',
      "For `ada`: `POST https://crm.example.com/v2/leads`", "one attempt: 30s, of which 10s to connect; all of it: 24h")
    has(call_of(made.md, "second"), "`PUT https://mail.example.com/people/‹person.id›`", "`full: ‹true›`", "`X-Why: because`",
      "the payload `note`", "| Success | the status is 200 |", "the person is held here", "it is not repeated",
      "one attempt: 3s; all of it: 4h",
      "after “first” went well", "| Only if | person.plan is \"pro\"",
      "| The payload | drops the person where a value is missing: no name |")
    has(call_of(made.md, "third"), "`chat`, at most 20 calls at once", "| Body | none |", "the person goes on",
      "no key: this vendor knows none")
    has(call_of(made.md, "fourth"), "| Success | status 200, 202 |", "one attempt: 7s",
      "`application/x-www-form-urlencoded`", "| `To` | text | always |", "| `x&y` | text |")
    has(made.html, "POST https://crm.example.com/v2/leads", "the person is dropped here", "&quot;who&quot;: &quot;ada&quot;")
  end)

  it("says in words when a call is sent", function()
    local made = of_flow([[
      local AGE = 18
      local age = tonumber(person.age)
      if not age then drop "no age" end
      if age < AGE or person.plan ~= "pro" then exit "not for you" end
      local told = call_api "told" { via = "crm", POST = "/a", json = {}, on_failure = "continue" }
      if told.failed or told.skipped then
        call_api "again" { via = "crm", POST = "/b", json = {} }
      else
        wait "2d"
        call_api "thanks" { via = "crm", POST = "/c", json = {} }
      end
      local came = wait_for("paid", { within = "1h", where = function(e, event) return e.order == event.order end })
      while not came do
        call_api "nag" { via = "crm", POST = "/d", json = {}, on_failure = "continue" }
        came = wait_for("paid", { within = "1d" })
      end
      local way = split "way" { a = 1, b = 3 }
      if way == "a" then call_api "way a" { via = "crm", POST = "/e", json = {} } end
      if not (told.ok and person.a == 1) and told then call_api "mixed" { via = "crm", POST = "/g", json = {} } end
      if told.json.state == "lost" and not (person.x or event.y > 3) then call_api "last" { via = "crm", POST = "/f", json = {} } end
    ]])
    local before = "| Sent | if person.age is a number; if person.age is at least 18 and person.plan is \"pro\""
    has(call_of(made.md, "told"), before .. " |")
    has(call_of(made.md, "again"), before .. "; if “told” failed or was skipped |")
    has(call_of(made.md, "thanks"), before .. "; if “told” did not fail and was not skipped; after the wait 2d |")
    has(call_of(made.md, "nag"), "as long as ")
    has(call_of(made.md, "way a"), "if “way” is \"a\" |")
    has(call_of(made.md, "mixed"), "if (“told” did not go well or person.a is not 1) and ")
    has(call_of(made.md, "last"), "if state in the answer of “told” is \"lost\" and person.x is not set and event.y is at most 3 |")
    assert.matches("| `paid` | waited for, line %d+ | its order is event.order | 1h |", made.md)
    has(made.svg, "a 25 %", "dropped: no age", "exits: not for you")
  end)

  it("tells of events, the goal, who enters and what is read and written", function()
    local folder = project_of { ["people/samples.ndjson"] = '{"id":"ada","plan":"pro","event":{"cart":"C"}}\n',
      ["payloads/note.txt"] = "{{ first_name }} {{ code }} {{ event.cart }}",
      ["payloads/made.lua"] = "return function(p, e, v) return { plan = p.plan, total = e.total } end",
      ["journeys/j.lua"] = [[
-- The first line says what it is.
return journey "j" {
  starts_on = "begun", per = "cart", reentry = "7d", control = "10%", exit_on = { "left", { "gone", where = function(e) return e.n > 3 end } },
  goal = { "bought", where = function(e, event) return e.cart == event.cart end, within = "7d" },
  flow = function(person, event)
    call_api "a" { via = "crm", POST = "/a/{{ person.city }}", payload = "note", vars = { code = 1 } }
    call_api "b" { via = "crm", POST = "/b", payload = "made" }
    person.seen = event.cart
  end,
}]] }
    local made = document(folder, "j")
    has(made.md, "The first line says what it is.", "| People enter by | `begun` |",
      "people may enter again 7d after the last end; one living run per person and `cart`",
      "| Goal | `bought`, where its cart is event.cart, within 7d:", "10 % of the people are only watched",
      "| `gone` | ends the run | its n is more than 3 |  |",
      "| `plan` | payloads/made.lua |  | text, in 1 of 1 |", "| `city` | journeys/j.lua:6 |",
      "| `seen` |  | journeys/j.lua:8 | in none |",
      "| `first_name` | payloads/note.txt |", "| `total` | payloads/made.lua |",
      "| `cart` | journeys/j.lua:4, 8; payloads/note.txt | text, in 1 of 1 |")
    lacks(made.md, "| `code` |")
    has(made.svg, "10 % are only watched", "at any time: bought", "at any time: left")
  end)

  it("reads functions, modules and what is called within pcall where they are called", function()
    local made = of_flow([[
      local steps = require "lib.steps"
      local function worth(n) if n > 3 then return "gold" end return "none" end
      local function twice(name) call_api("say " .. name) { via = "crm", POST = "/" .. name, json = {} } end
      twice "x"
      twice "y"
      if worth(person.visits or 0) == "gold" then steps.far() end
      pcall(function() wait(3600) end)
    ]], { ["lib/steps.lua"] = "local M = {}\nfunction M.far() call_api \"far\" { via = \"mail\", POST = \"/far\", json = {} } end\nreturn M" })
    has(made.md, "### far", "| Request | `POST https://mail.example.com/far` |")
    has(call_of(made.md, "say x"), "| Sent | for everybody who enters |",
      "| Request | `POST https://crm.example.com/v2/x` |", "For `ada`")
    has(call_of(made.md, "say y"), "| Sent | after “say x” went well |", "| Request | `POST https://crm.example.com/v2/y` |")
    has(made.md, "Nobody came to what is dashed: `far`.")
    lacks(made.svg, "leaves the function")
  end)

  it("reads a flow wherever it stands", function()
    local FLOW = "function(someone, what) if what.big then call_api \"found\" { via = \"crm\", POST = \"/found\", json = {} } end someone.seen = 1 end"
    for script, module in pairs {
      [ [[return journey "j" { flow = require("lib.flows").welcome }]] ] = "return { welcome = " .. FLOW .. " }",
      [ [[local flows = require "lib.flows" return journey "j" { flow = flows.welcome }]] ] = "local M = {} M.welcome = " .. FLOW .. " return M",
      [ [[return journey "j" { flow = require "lib.flows" }]] ] = "local function f() end f = " .. FLOW .. " return " .. FLOW,
      [ [[return journey "j" (require "lib.flows")]] ] = "return { flow = " .. FLOW .. " }",
      [ [[return journey "j" { flow = require("lib.flows").make("found") }]] ] =
        "return { make = function(name) return " .. FLOW:gsub('"found"', "(name)") .. " end }",
      [ [[local flows = {} function flows:welcome() end flows.welcome = ]] .. FLOW
        .. [[ return journey "j" { flow = flows.welcome }]] ] = "return 1",
    } do
      local folder = project_of { ["journeys/j.lua"] = script, ["lib/flows.lua"] = module,
        ["people/samples.ndjson"] = '{"id":"ada","event":{"big":true}}\n' }
      local made = document(folder, "j")
      has(call_of(made.md, "found"), "| Sent | if event.big is set |", "For `ada`")
      has(made.md, "| `big` | ", "| `seen` | ")
      has(made.svg, "event.big is set?")
    end
  end)

  it("tells what a function sends as it is called, and what its answer is called", function()
    local made = of_flow([[
      local function say(name, how, options)
        options = options or {}
        return call_api(name) { via = "crm", POST = "/" .. name, json = {}, on_failure = how or "continue" }
      end
      local first = say("a")
      if first.ok then say("b", "hold") end
      for i = 1, 2 do say("c " .. i) end
      local function by_parts(it) return call_api "d" (it) end
      by_parts { via = "mail", POST = "/d", json = {} }
    ]])
    has(call_of(made.md, "a"), "| Otherwise | the person goes on |")
    has(call_of(made.md, "b"), "the person is held here", "| Sent | if “a” went well |")
    has(call_of(made.md, "c ‹i›"), "in each round: 2 times", "`POST https://crm.example.com/v2/c ‹i›`", "For `ada`")
    has(call_of(made.md, "d"), "`POST https://mail.example.com/d`")
    has(made.svg, "“a” went well?")
  end)

  it("lets those who leave a function early, or a round, go on behind it", function()
    local made = of_flow([[
      local function maybe()
        if not person.plan then return end
        call_api "a" { via = "crm", POST = "/a", json = {} }
        if person.plan == "x" then return 1 end
        call_api "b" { via = "crm", POST = "/b", json = {} }
      end
      maybe()
      for i = 1, 3 do
        if person.tired then goto continue end
        wait "1h"
        ::continue::
      end
      call_api "c" { via = "crm", POST = "/c", json = {} }
    ]])
    lacks(made.svg, "leaves the function", "next round", "goes on at")
    has(call_of(made.md, "b"), "| Sent | if person.plan is set; after “a” went well; if person.plan is not \"x\" |")
    assert.equal(1, (check_drawing(made.svg)))
    local endless = of_flow([[
      while true do
        if person.plan then goto continue end
        wait "1d"
        ::continue::
        end
    ]])
    lacks(endless.svg, "after the loop", ">completed<")
    assert.equal(1, (check_drawing(endless.svg)))
  end)

  it("says what no sample reached, and dashes it", function()
    local made = of_flow([[
      if person.plan == "none" then call_api "never" { via = "crm", POST = "/n", json = {} } drop "hopeless" end
      local s = split "s" { a = 1, b = 1000000 }
      if s == "a" then wait "1d" end
      local r = call_api "fails" { via = "crm", POST = "/f", json = {}, on_failure = "continue" }
      if r.failed then wait "2d" end
    ]])
    has(of_flow("if wait_for('paid', { within = '1d' }) then wait '2d' end").md,
      "dashed: `wait 2d`. The samples have no events: they would stand in `people/samples.events.ndjson`.")
    has(made.md,
      "2 sample people of `people/samples.ndjson` walked this way in a rehearsal. Nobody came to what is dashed: `never`, `drop hopeless`.",
      "No sample person comes here")
    local _, dashed = made.svg:gsub(' un"', "")
    assert.equal(2, dashed)
    local all = of_flow "call_api \"fails\" { via = \"crm\", POST = \"/f\", json = {} }"
    has(all.md, "and came to everything in it.")
  end)

  it("walks through a journey that never ends for as long as that takes few steps", function()
    local folder = project_of { ["journeys/j.lua"] = [[
      return journey "j" { flow = function(person)
        while true do
          call_api "tick" { via = "crm", POST = "/t", json = {}, on_failure = "continue" }
          wait "20m"
        end
      end }
    ]] }
    local path, found = project.script(folder .. "/journeys/j.lua")
    local steps = {}
    walk.all(found, path, { { id = "ada", profile = "{}", event_text = "{}" } }, function(_, report)
      local count = 0
      for _, element in ipairs(report.elements) do count = count + element.reached end
      steps[#steps + 1] = count
      return #steps == 2
    end, { start_ms = 1795597200000, time_most = 60000 })
    for _, count in ipairs(steps) do assert.is_true(count > 500 and count < 7000, count .. " steps") end
  end)

  it("says that not all was tried, where too much could be pretended", function()
    local lines = { "local s" }
    for i = 1, 5 do lines[i + 1] = ("s = split \"s%d\" { a = 1, b = 1, c = 1 }"):format(i) end
    lines[#lines + 1] = "if person.plan == 'none' then wait '1d' end"
    has(of_flow(table.concat(lines, "\n")).md, "Not everything was tried that can be pretended")
  end)

  it("says so where there are no samples, and where the flow is nowhere in the text", function()
    local folder = project_of { ["journeys/j.lua"] = "return journey \"j\" { flow = function(person) wait \"1d\" end }",
      ["journeys/k.lua"] = "local flows = { function() wait \"1d\" end }\nreturn journey \"k\" { flow = flows[#flows] }" }
    has(document(folder, "j").md, "There are no sample people")
    assert.equal(0, docs_in(folder, "k").code)
    has(helper.read_file(folder .. "/docs/k.md"), "The flow can't be read from the script")
    assert.is_nil(fs.kind(folder .. "/docs/k.svg"))
  end)

  it("tells what a schema says of the fields", function()
    local made = of_flow([[ call_api "a" { via = "crm", POST = "/a", payload = "note" } ]],
      { ["payloads/note.json"] = '{ "to": "{{ id }}", "n": 3, "list": [{ "x": 1.5 }] }',
      ["payloads/note.schema.json"] = [[{ "type": "object", "required": ["to"], "properties": { "to": { "type": "string", "minLength": 2, "description": "whom|" },
        "n": { "type": "integer", "enum": [1, 2, 3] }, "later": { "type": "boolean" } } }]] })
    has(made.md, "| Field | Type | There | Is |", "| `to` | text | required | minLength 2; whom\\| |",
      "| `n` | whole number | always | one of 1, 2, 3 |",
      "| `later` | true or false | in no sample |  |", "| `list[].x` | number | always |  |")
  end)

  it("shows no secret: neither by name nor those that stand in files", function()
    local made = of_flow([[
      call_api "a" { via = "mail", POST = "/a", json = {}, headers = { Authorization = "plain-key-4", ["X-Mine"] = secret "CRM_TOKEN" }, query = { api_key = "plain-key-5", q = "seen" } }
      call_api "b" { via = "chat", POST = "/b", json = {} }
    ]])
    for _, text in pairs(made) do lacks(text, "plain-key", "plain-token") end
    has(made.md, "`X-Api-Key: ‹kept in connections.lua›`", "`X-Session-Token: ‹kept in connections.lua›`",
      "`X-Team: growth`", "`Authorization: ‹kept in the script›`",
      "`X-Mine: ‹secret CRM_TOKEN›`", "`api_key: ‹kept in the script›`", "`q: seen`",
      "?api_key=‹kept in the script›&q=seen", "?k=‹kept in the script›")
  end)

  it("is the same whoever writes it, from wherever, and when", function()
    local folder = helper.temp_folder()
    assert.equal(0, helper.sh(("cp -R %s/scripts %s"):format(source, folder)).code)
    assert.equal(0, docs_in(folder .. "/scripts/payloads", { TZ = "Asia/Tokyo" }, "--out", folder .. "/first").code)
    assert.equal(0, docs_in(folder, { CRM_URL = "https://elsewhere.example.org", SHOP_KEY = "s3cret" }, "--out",
      folder .. "/second").code)
    local names = fs.list(folder .. "/first")
    assert.equal(3 * #SHIPPED, #names)
    for _, name in ipairs(names) do
      assert.equal(helper.read_file(folder .. "/first/" .. name), helper.read_file(folder .. "/second/" .. name), name)
    end
    has(helper.read_file(folder .. "/first/welcome.md"), "https://crm.example.com/v2/contacts")
    lacks(helper.read_file(folder .. "/first/welcome.md"), "Written at")
    assert.equal(0, docs_in(folder, "welcome", "--out", folder .. "/third", "--stamp", "--format", "markdown").code)
    assert.matches("Written at %d+%-%d+%-%d+", helper.read_file(folder .. "/third/welcome.md"))
  end)

  it("carries the numbers of a state", function()
    local folder = helper.temp_folder()
    assert.equal(0, helper.sh(("cp -R %s/scripts %s"):format(source, folder)).code)
    local function jaunt(...) return helper.sh(("cd %s && %s"):format(folder, helper.jaunt_words(...))) end
    assert.equal(0, jaunt("run", "win_back", "--people", "scripts/people/samples.ndjson", "--state", "sqlite:w.db",
      "--seed", "7").code)
    assert.equal(0, jaunt("docs", "win_back", "--report", "--state", "sqlite:w.db", "--out", "out").code)
    local told = json.decode(jaunt("report", "win_back", "--state", "sqlite:w.db", "--json").out)
    local md, svg = helper.read_file(folder .. "/out/win_back.md"), helper.read_file(folder .. "/out/win_back.svg")
    for _, element in ipairs(told.elements) do
      has(md, ("| **%s** | %d | %d | %d | %d |"):format(element.name, element.reached, element.went_on,
        element.dropped, element.held))
    end
    has(md, ("%d entered = "):format(told.entered))
    has(call_of(md, "note in the CRM"), "| So far | 4 came, 4 went on, 0 dropped, 0 held |")
    has(svg, "6 entered", ("%d completed"):format(told.completed), "1 exits: still buys", "1 dropped: recency unknown")
    check_drawing(svg)
  end)
end)

describe("the diagram", function()
  it("has no line that crosses another, none through a node, and nothing beyond its edge", function()
    local folder = helper.temp_folder()
    for _, name in ipairs(SHIPPED) do
      assert.equal(0, docs_in(source, name, "--out", folder, "--format", "markdown").code)
      check_drawing(helper.read_file(("%s/%s.svg"):format(folder, name)))
    end
  end)

  it("draws loops as loops", function()
    local function upward(lines) return (check_drawing(of_flow(lines).svg)) end
    assert.equal(0, upward "wait '1d'")
    assert.equal(1, upward "repeat local e = wait_for('x', { within = '1h' }) until not e")
    assert.equal(1, upward "while person.visits do wait '1d' if person.tired then break end end")
    assert.equal(1, upward "for i = 1, 3 do wait '1d' end")
    assert.equal(2,
      upward "while true do for _, x in ipairs(person.list) do wait '1d' end if event.done then break end end wait '2d'")
    assert.equal(1, upward "::again:: while true do wait '1d' if person.tired then drop 'tired' end end")
  end)

  it("goes over several sheets of paper, cut through nothing but lines", function()
    local function pieces_of(html)
      local sheets = html:match('<div class="sheets">(.-)</div>') or ""
      local at, cuts = 0, {}
      for height, from, high in sheets:gmatch('height="(%d+)" viewBox="0 (%d+) %d+ (%d+)"><use href="#drawing"/>') do
        assert.equal(high, height)
        assert.equal(at, tonumber(from))
        at = at + height
        cuts[#cuts + 1] = at
      end
      return cuts, at
    end
    assert.same({}, (pieces_of(of_flow("wait '1d'").html)))
    local lines = {}
    for i = 1, 60 do
      lines[i] = ("if not person.a%d then call_api \"e%d\" { via = \"crm\", POST = \"/e\", json = {} } end"):format(i, i)
    end
    local made = of_flow(table.concat(lines, "\n"))
    local _, boxes, _, _, height = drawing(made.svg)
    local cuts, whole = pieces_of(made.html)
    assert.equal(height, whole)
    assert.is_true(#cuts > 5)
    for i = 1, #cuts - 1 do
      for _, box in ipairs(boxes) do assert(cuts[i] <= box[2] or cuts[i] >= box[4], "a node is cut") end
    end
  end)

  it("fits and stays clear when it is wide, deep, and full of long names", function()
    local cases = {}
    for i = 1, 14 do
      cases[i] = ("%s way == \"w%d\" then call_api \"%s %d\" { via = \"crm\", POST = \"/%d\", json = {} } if event.x then wait \"%dd\" else drop \"d%d\" end"):format(
        i == 1 and "if" or "elseif", i, ("a name without an end "):rep(8), i, i, i, i)
    end
    local shares = {}
    for i = 1, 16 do shares[i] = ("w%d = 1"):format(i) end
    local svg = of_flow(("local way = split %q { %s }\n%s end\n%s wait \"3d\" %s"):format(("wideandlong"):rep(12),
      table.concat(shares, ", "), table.concat(cases, "\n"),
      ("if person.x then while person.y do "):rep(8), ("end call_api { via = \"crm\", GET = \"/x\" } end "):rep(8))).svg
    local _, width = check_drawing(svg)
    assert.is_true(width < 1600, width)
    local _, longest = 0, 0
    for text in svg:gmatch("<text[^>]*>([^<]*)</text>") do longest = math.max(longest, utf8.len(text)) end
    assert.is_true(longest < 60, longest)
  end)
end)

describe("what comes from elsewhere", function()
  local EVIL = "</title></svg></code></pre><script>alert(1)</script>\"'><img src=x onerror=alert(2)>|`]](javascript:alert(3))\n\n# h\n```\n<!-- ]]> \u{202E}&amp;"

  local HTML = { html = true, head = true, meta = true, title = true, style = true, body = true, main = true,
    h1 = true, h2 = true, h3 = true, p = true, nav = true, a = true,
    table = true, thead = true, tbody = true, tr = true, th = true, td = true, code = true, pre = true, strong = true,
    figure = true, svg = true, rect = true, path = true, g = true, text = true, div = true, use = true }

  local function evil_documents()
    local quoted = ("%q"):format(EVIL):gsub("\\\n", "\\n")
    local folder = project_of {
      ["journeys/evil.lua"] = ([[
-- %s
local bad = EVIL
return journey(EVIL) {
  starts_on = EVIL, exit_on = { EVIL, where = function(e) return e.x == EVIL end }, per = EVIL,
  flow = function(person, event)
    call_api(EVIL) { via = "crm", POST = "/x?y=<b>|`", json = { [EVIL] = person.evil, n = EVIL }, query = { [EVIL] = EVIL }, headers = { ["X-Evil"] = "<b>|`" } }
    call_api "text" { via = "chat", POST = "/x", body = EVIL }
    if person[EVIL] == EVIL then wait_for(EVIL) end
    local s = split(EVIL) { [EVIL] = 1, b = 1 }
    if s == EVIL then drop(EVIL) elseif s == "b" then exit(EVIL) end
    person.evil = bad
  end,
}]]):format(EVIL:gsub("\n", "\n-- ")):gsub("EVIL", (quoted:gsub("%%", "%%%%"))),
      ["people/samples.ndjson"] = json.encode { id = EVIL, evil = EVIL, event = { x = EVIL } } .. "\n",
    }
    return document(folder, "evil"), folder
  end

  it("breaks out of neither HTML nor SVG", function()
    local made = evil_documents()
    has(made.html, "&lt;script&gt;alert(1)&lt;/script&gt;", "Content-Security-Policy")
    lacks(made.html, "<script", "<img", "\u{202E}")
    lacks(made.svg, "<script", "<img", "\u{202E}")
    elements_of(made.svg, SVG)
    local body = made.html:gsub("<!DOCTYPE html>", ""):gsub("<style>.-</style>", ""):gsub("(<meta[^>]*)>", "%1/>")
    elements_of(body:gsub("=\"default%-src 'none'; style%-src 'unsafe%-inline'\"", "=\"\""), HTML)
    for attributes in made.html:gmatch("<%a+([^<>]*)>") do assert.is_nil(attributes:find("%son%a+=")) end
    for link in made.html:gmatch("href=\"([^\"]*)\"") do assert.matches("^#[%a-]+%d*$", link) end
  end)

  it("breaks out of neither Markdown's text, its tables nor its code", function()
    local md = evil_documents().md
    local fence, columns = nil, nil
    for line in md:gmatch("[^\n]*") do
      local mark, language = line:match("^(```+)(%a*)$")
      if fence then
        if mark == fence and language == "" then fence = nil end
      elseif mark then
        fence = mark
      else
        local bare = line:gsub("\\[\\`|]", ""):gsub("(`+)[^`].-[^`]%1%f[^`]", "")
        if not bare:find("^!%[The diagram%]%(evil%.svg%)$") then
          assert(not bare:gsub("<code>", ""):gsub("</code>", ""):gsub("^> ", ""):find("[<>]"), line)
          assert(not bare:find("[^\\]%]%("), line)
        end
        assert(not line:find("^# h") and not line:find("^#+ h$"), line)
        local _, bars = bare:gsub("|", "")
        columns = bars > 0 and (columns or bars) or nil
        assert(not columns or columns == bars, line)
      end
    end
    assert.is_nil(fence)
    has(md, "\n````text\n")
  end)

  it("is drawn all the same", function()
    check_drawing(evil_documents().svg)
  end)
end)

describe("jaunt docs", function()
  it("writes all journeys of the project into docs/, or what is asked for, elsewhere", function()
    local folder = project_of { ["journeys/a.lua"] = "return journey \"a\" { flow = function() wait \"1d\" end }",
      ["journeys/b.lua"] = "return journey \"b\" { flow = function() wait \"1d\" end }" }
    local result = docs_in(folder)
    assert.equal(0, result.code, result.err)
    assert.equal("docs/a.html\ndocs/a.md\ndocs/a.svg\ndocs/b.html\ndocs/b.md\ndocs/b.svg\n", result.out)
    assert.equal("x/y/a.html\n", docs_in(folder, "journeys/a.lua", "--format", "html", "--out", "x/y").out)
    assert.equal("x/a.md\nx/a.svg\n", docs_in(folder, "a", "--format", "markdown", "--out", "x").out)
  end)

  it("shows the data of the person that is asked for", function()
    local lines = "call_api \"a\" { via = \"crm\", POST = \"/a\", json = { who = person.id } }"
    has(of_flow(lines).md, "For `ada`", '"who": "ada"')
    has(of_flow(lines, {}, "--person", "bob").md, "For `bob`", '"who": "bob"')
    has(of_flow(lines, { ["other.csv"] = "key\neve\n" }, "--people", "other.csv", "--id", "key").md, "For `eve`",
      "1 sample person of `other.csv`")
  end)

  it("says what is wrong, and with the nearest right name", function()
    local folder = project_of { ["journeys/hello.lua"] = "return journey \"hello\" { flow = function() wait \"1d\" end }", ["plain.lua"] = "print(1)",
      ["people/samples.ndjson"] = '{"id":"ada"}\n' }
    for words, wanted in pairs {
      [{ "helo" }] = "did you mean hello?", [{ "plain.lua" }] = "plain.lua is no journey",
      [{ "hello", "--state", "sqlite:x.db" }] = "--report",
      [{ "hello", "--person", "adda" }] = "did you mean ada?", [{ "hello", "--format", "htm" }] = "did you mean html?",
      [{ "hello", "--report", "--state", "sqlite:none.db" }] = "none.db",
      [{ "hello", "--out", "plain.lua/x" }] = "can't make the folder",
    } do
      local result = docs_in(folder, table.unpack(words))
      assert.equal(2, result.code, table.concat(words, " "))
      has(result.err, wanted)
    end
  end)

  it("reads every script of the project without harm, also one that goes in circles", function()
    local function steps(text) return flow.read { { path = "x.lua", text = text }, {} }.steps end
    assert.equal(1, #steps "local function f() f() wait '1d' end return journey 'x' { flow = function() f() end }")
    local doubled = { "local a0" }
    for i = 1, 40 do doubled[i + 1] = ("local a%d = a%d .. a%d"):format(i, i - 1, i - 1) end
    local text = table.concat(doubled, "\n") .. "\nlocal x, y, z; x = x .. x; y = not z; z = not y\n"
      .. "return journey 'x' { flow = function() drop(a40) end }"
    assert.is_table(steps(text))
    text = text:gsub("drop%(a40%)", "if a40 == x and y or not z then wait(x) end while not y do wait(a40) end")
    assert.is_table(steps(text))
    assert.is_nil(steps "return 1")
    for _, circle in ipairs {
      "local function f() return f end return journey 'x' { flow = f() }",
      "local M = {} M.f = M.f return journey 'x' { flow = M.f }",
      "local x = x.y.z return journey 'x' { flow = x.y }",
      "local a a = a or a return journey 'x' { flow = function() drop(a) end }",
      "local function say(a, b) return say(b, a) end return journey 'x' { flow = function() say(1, 2) end }",
      "return journey 'x' (require 'x')", "return journey 'x' { flow = require() }",
    } do
      assert(pcall(flow.read, { { path = "x.lua", text = circle }, { x = { path = "y.lua", text = "return require 'x'" } } }))
    end
  end)
end)
