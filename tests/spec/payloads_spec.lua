-- Payloads as templates in journeys: what their rendering does to a call and its person, equal splits by folder, what the
-- journal tells of what was sent, and files that are changed while a journey runs.

local engine = require "jaunt.native.engine"
local helper = require "helper"
local json = require "json"
local running = require "running"
local states = require "states"
local testing = require "jaunt.testing"

local function journey(fields)
  return ([[
return journey "letters" { flow = function(person)
  local answer = call_api "letter" {
    via = "crm", POST = "/letters", payload = "letter", vars = { cart = { total = 12.5 }, names = person.names }, %s
  }
  log(("skipped %%s, %%s"):format(answer.skipped, answer.error))
  call_api "after" { via = "crm", POST = "/after" }
end }]]):format(fields or "")
end

-- Rehearses "letters" with these files over people. Returns the state.
local function rehearse(files, people, options)
  options = options or {}
  options.files = files
  return states.make("letters", journey(options.fields), people, options)
end

-- The body of the last letter's request, and the letter's entry, as `jaunt why` tells them.
local function letter_to(state, person)
  local letter
  for _, entry in ipairs(json.decode(state.look("why", person, "--json")).runs[1].story) do
    if entry.what == "call" and entry.name == "letter" then letter = entry end
  end
  return letter.request and letter.request.body, letter
end

local ADA = { id = "ada", first_name = 'Ada "the" O\'Neil\n', names = { "a", "b" }, age = 36 }

describe("a template", function()
  it("is sent with what the person, the event and vars hold, escaped for its kind", function()
    local kinds = {
      json = { '{"name": "{{ first_name }}", "age": {{ person.age }}, "total": {{ cart.total }}, "names": {{ names }}}',
        '{"name": "Ada \\"the\\" O\'Neil\\n", "age": 36, "total": 12.5, "names": ["a","b"]}', "application/json" },
      form = { "name={{ first_name }}&total={{ cart.total }}", "name=Ada+%22the%22+O%27Neil%0A&total=12.5",
        "application/x-www-form-urlencoded" },
      html = { "<p>{{ first_name }}</p>", "<p>Ada &quot;the&quot; O&#39;Neil\n</p>", "text/html; charset=utf-8" },
      txt = { "Hello {{ first_name }}!", 'Hello Ada "the" O\'Neil\n!', "text/plain; charset=utf-8" },
    }
    for kind, case in pairs(kinds) do
      local state = rehearse({ ["payloads/letter." .. kind] = case[1] }, { ADA })
      local body, entry = letter_to(state, "ada")
      assert.equal(case[2], body, kind)
      assert.equal(case[3], entry.request.type)
      assert.equal(1, state.report.completed)
    end
  end)

  it("renders other payloads of the folder", function()
    local state = rehearse({ ["payloads/letter.txt"] = "{% render 'greeting', name: first_name %} Bye.",
      ["payloads/greeting.txt"] = "Hello {{ name }}." }, { { id = "ada", first_name = "Ada" } })
    assert.equal("Hello Ada. Bye.", (letter_to(state, "ada")))
  end)

  it("is another one when a payload that it renders has changed, in which another may be included", function()
    local files = { ["payloads/letter.txt"] = "Don't wait. {% render 'greeting' %}", ["payloads/other.txt"] = "x",
      ["payloads/greeting.txt"] = '{% liquid\n  include "foot" %}',
      ["payloads/foot.txt"] = "Bye.{% if nobody %}{% render 'greeting' %}{% endif %}" }
    local function hash_with(file, text)
      files["payloads/" .. file] = text
      local state = rehearse(files, { { id = "ada" } })
      local hash = select(2, letter_to(state, "ada")).request.template
      assert.same({ "ada" }, state.persons("--sent", "letter@" .. hash:sub(1, 6)))
      return hash
    end
    local before = hash_with("other.txt", "x")
    assert.equal(before, hash_with("other.txt", "y"))
    local after = hash_with("foot.txt", "Ciao.")
    assert.not_equal(before, after)
    assert.not_equal(after, hash_with("letter.txt", "Do wait. {% render 'greeting' %}"))
    assert.equal(engine.hash("Ciao."):sub(1, 12), hash_with("letter.txt", "Ciao."))
  end)

  it("warns, once, of values that had to be made safe, and of whose they are", function()
    local state = rehearse({ ["payloads/letter.html"] = "<p>{{ name }}</p>" },
      { { id = "ada", name = "Ada" }, { id = "bob", name = "B\1o\2b" }, { id = "eve", name = "\1" } },
      { flags = { "--workers", "1" } })
    assert.matches("bob: payload letter: 2 parts of what was put in", state.said, 1, true)
    assert.not_matches("eve: payload", state.said, 1, true)
    assert.equal(3, state.report.completed)
  end)

  it("skips its call by abort_message, and the person goes on", function()
    local state = rehearse({ ["payloads/letter.json"] = "{% unless first_name %}{% abort_message('no name') %}{% endunless %}{}" },
      { { id = "nobody" } }, { flags = { "--strict" } })
    assert.equal(1, state.report.completed)
    local body, entry = letter_to(state, "nobody")
    assert.is_nil(body)
    assert.same({ "skipped", "aborted", "no name" }, { entry.result, entry.reason, entry.detail })
  end)

  it("drops its person by drop_message and by required, whatever on_failure says", function()
    for _, template in ipairs { "{% unless first_name %}{% drop_message 'no name' %}{% endunless %}{}",
      '{"name": {{ first_name | required: "no name" }}}' } do
      local state = rehearse({ ["payloads/letter.json"] = template }, { { id = "nobody" }, ADA },
        { fields = 'on_failure = "continue"' })
      assert.same({ 1, 1 }, { state.report.completed, state.report.dropped })
      local run = state.runs("letters", "--outcome", "dropped")[1]
      assert.same({ "nobody", "letter", "payload", "no name" }, { run.person, run.element, run.reason, run.detail })
    end
  end)

  it("skips and drops alike wherever the process ends", function()
    for _, template in ipairs { "{% drop_message 'no' %}{}", "{% abort_message 'no' %}{}" } do
      local folder = running.project {
        ["connections.lua"] = 'return { crm = { base_url = "https://crm.example.com" } }',
        ["journeys/letters.lua"] = journey('on_failure = "continue"'), ["payloads/letter.json"] = template,
      }
      assert.is_true(testing.crash_everywhere("letters", { id = "ada" }, { project = folder }) >= 2)
    end
  end)

  it("holds its person by hold_if_nil, who goes on when it is mended", function()
    local files = { ["payloads/letter.json"] = '{"name": {{ first_name | hold_if_nil: "no name yet" }}}' }
    local state = rehearse(files, { { id = "nobody" } })
    local run = state.runs("letters", "--outcome", "held")[1]
    assert.same({ "nobody", "letter", "payload", "no name yet" }, { run.person, run.element, run.reason, run.detail })
    helper.write_file(state.folder .. "/payloads/letter.json", '{"name": {{ first_name | default: "you" }}}')
    assert.equal(0, state.ask("redrive", "letters", "--outcome", "held", "--yes", "--state", "sqlite:state.db").code)
    states.make("letters", journey(), {}, { folder = state.folder })
    assert.equal('{"name": "you"}', (letter_to(state, "nobody")))
  end)

  it("holds its person when rendering fails, and tells file, line and column", function()
    local state = rehearse({ ["payloads/letter.txt"] = "Hello\n{{ first_name | divided_by: 0 }}" }, { ADA })
    local run = state.runs("letters", "--outcome", "held")[1]
    assert.equal("payload", run.reason)
    assert.matches("payloads/letter.txt:2:", run.detail, 1, true)
  end)

  it("that can't be compiled starts nothing, and is told with its line", function()
    local state = rehearse({ ["payloads/letter.txt"] = "Hello" }, {})
    helper.write_file(state.folder .. "/payloads/letter.txt", "Hello\n{{ first_name | upcse }}")
    local result = state.ask("run", "letters", "--people", "people.ndjson")
    assert.equal(2, result.code)
    assert.matches("payloads/letter.txt:2:17: ", result.err, 1, true)
    assert.matches("did you mean upcase?", result.err, 1, true)
    assert.matches("{{ first_name | upcse }}", result.err, 1, true)
  end)

  it("that is not UTF-8 starts nothing, whatever its kind", function()
    local state = rehearse({ ["payloads/letter.txt"] = "Hello" }, {})
    helper.write_file(state.folder .. "/payloads/letter.txt", "Hall\xf6chen")
    local result = state.ask("run", "letters", "--people", "people.ndjson")
    assert.equal(2, result.code)
    assert.matches("payloads/letter.txt:1:5: this is not UTF-8; save the file as UTF-8", result.err, 1, true)
    assert.not_matches("mistake in jaunt", result.err, 1, true)
    for _, text in ipairs { "\xFF\xFEH\0a\0", "\xFE\xFF\0H\0a", "H\0a\0", "\0H\0a" } do
      helper.write_file(state.folder .. "/payloads/letter.txt", text)
      assert.matches("payloads/letter.txt is UTF-16, as some editors call Unicode: save the file as UTF-8",
        state.ask("run", "letters", "--people", "people.ndjson").err, 1, true)
    end
  end)

  it("sees no view that could be written to, nor a mistake of its own: profiles in vars are plain", function()
    local state = rehearse({
      ["payloads/letter.json"] = '{"all": {% if names.size == 2 %}{{ names | join: "-" }}{% else %}0{% endif %}}',
    }, { ADA })
    assert.equal('{"all": "a-b"}', (letter_to(state, "ada")))
  end)
end)

describe("a URL and a header", function()
  local function sent(fields, person)
    local script = ('return journey "letters" { flow = function(person) call_api "letter" { via = "crm", %s, json = {} } '
      .. "end }"):format(fields)
    local state = states.make("letters", script, { person or ADA }, { flags = { "--trace", "trace" } })
    local text = helper.read_file(state.folder .. "/trace")
    return text ~= "" and json.decode(text:match("[^\n]+")) or nil, state
  end

  it("take values in, escaped for where they stand", function()
    local traced = sent([[POST = "/people/{{ person.slash }}/x?name={{ slash }}&age={{ age | plus: 1 }}",
      headers = { ["X-Name"] = "it is {{ slash }}" }]],
      { id = "ada", slash = "a/b c&d", age = 36 })
    assert.matches("/people/a%2Fb%20c%26d/x?name=a%2Fb%20c%26d&age=37", traced.url, 1, true)
    assert.equal("it is a/b c&d", traced.headers["X-Name"])
  end)

  it("hold no line break of a value's: a header ends where the template says", function()
    assert.equal('Ada "the" O\'Neil ', sent([[POST = "/x", headers = { a = "{{ first_name }}" }]]).headers.a)
  end)

  it("hold the person where the template is wrong, or says so", function()
    for fields, why in pairs {
      [ [[POST = "/{{ first_name | upcse }}"]] ] = "did you mean upcase?",
      [ [[POST = "/{{ nobody | required: 'no name' }}"]] ] = "no name",
    } do
      local traced, state = sent(fields)
      assert.is_nil(traced)
      local run = state.runs("letters", "--outcome", "held")[1]
      assert.equal("payload", run.reason)
      assert.matches(why, run.detail, 1, true)
    end
  end)
end)

describe("a payload's schema", function()
  local SCHEMA = '{"type":"object","required":["to"],"properties":{"to":{"type":"string","minLength":3}}}'

  it("holds whoever's payload does not keep to it: all in a rehearsal, as many as are asked for otherwise", function()
    local files = { ["payloads/letter.json"] = '{"to": "{{ first_name }}"}', ["payloads/letter.schema.json"] = SCHEMA }
    local people = { { id = "a", first_name = "Al" }, { id = "b", first_name = "Ada" } }
    local state = rehearse(files, people)
    assert.same({ 1, 1 }, { state.report.completed, state.report.held })
    local run = state.runs("letters", "--outcome", "held")[1]
    assert.same({ "a", "payload" }, { run.person, run.reason })
    assert.matches("payloads/letter.json does not keep to payloads/letter.schema.json: $.to", run.detail, 1, true)
    assert.equal(2, rehearse(files, people, { flags = { "--check-payloads", "0%" } }).report.completed)
    for i = 1, 100 do people[i] = { id = "p" .. i, first_name = "Al" } end
    assert.equal(10, rehearse(files, people, { flags = { "--check-payloads", "10%", "--workers", "1" } }).report.held)
  end)

  it("is for transforms, too", function()
    local state = rehearse({ ["payloads/letter.lua"] = "return function(person) return { to = person.first_name } end",
      ["payloads/letter.schema.json"] = SCHEMA }, { { id = "a" }, ADA })
    assert.same({ 1, 1 }, { state.report.completed, state.report.held })
  end)

  it("that makes no sense starts nothing", function()
    local state = rehearse({ ["payloads/letter.json"] = "{}" }, {})
    helper.write_file(state.folder .. "/payloads/letter.schema.json", '{"tpye": "object"}')
    local result = state.ask("run", "letters", "--people", "people.ndjson")
    assert.equal(2, result.code)
    assert.matches("payloads/letter.schema.json", result.err, 1, true)
    assert.matches("did you mean type", result.err, 1, true)
  end)
end)

describe("a folder of payloads", function()
  it("is an equal split, the same for the same person for ever, and the report tells them apart", function()
    local people = {}
    for i = 1, 400 do people[i] = { id = "p" .. i } end
    local files = { ["payloads/letter/a.json"] = '{"copy": "a"}', ["payloads/letter/b.json"] = '{"copy": "b"}' }
    local state = rehearse(files, people, { flags = { "--seed", "3" } })
    local told, counts = json.decode(state.look("report", "letters", "--by", "payload", "--json")), {}
    for _, group in ipairs(told.groups) do counts[group.name] = group.people end
    assert.equal(400, counts["letter/a"] + counts["letter/b"])
    assert.is_true(counts["letter/a"] > 150 and counts["letter/b"] > 150)
    local again = rehearse(files, people, { flags = { "--seed", "3", "--workers", "3" } })
    assert.same(state.persons("--sent", "letter/a"), again.persons("--sent", "letter/a"))
    assert.equal(counts["letter/a"], #state.persons("--sent", "letter/a"))
    assert.equal(400, #state.persons("--sent", "letter"))
    assert.equal(#state.persons("--sent", "letter/a"), #state.persons("--sent",
      "letter/a@" .. engine.hash('{"copy": "a"}'):sub(1, 6)))
    assert.equal(0, #state.persons("--sent", "letter/a@" .. engine.hash('{"copy": "b"}'):sub(1, 6)))
  end)

  it("and a file of the same name are refused", function()
    local state = rehearse({ ["payloads/letter.json"] = "{}" }, {})
    helper.write_file(state.folder .. "/payloads/letter/a.json", "{}")
    local result = state.ask("run", "letters", "--people", "people.ndjson")
    assert.equal(2, result.code)
    assert.matches("are both the payload letter", result.err, 1, true)
    os.remove(state.folder .. "/payloads/letter/a.json")
    helper.write_file(state.folder .. "/payloads/letter.txt", "x")
    assert.matches("payloads/letter.json and payloads/letter.txt are both the payload letter",
      state.ask("run", "letters", "--people", "people.ndjson").err, 1, true)
  end)
end)

describe("a running journey", function()
  local vendor, process, people, folder

  setup(function()
    vendor = running.vendor()
    folder = running.project {
      ["journeys/letters.lua"] = 'return journey "letters" { flow = function() '
        .. 'call_api "letter" { via = "vendor", POST = "/letters", payload = "letter" } end }',
      ["payloads/letter.txt"] = "first {{ person.id }}",
    }
    assert(os.execute("mkfifo " .. helper.quote(folder .. "/people.csv")))
    process = running.start(folder, { env = { VENDOR_URL = vendor.url }, input = folder .. "/people.csv" },
      "letters", "--live", "--yes", "--people", "-")
    people = assert(io.open(folder .. "/people.csv", "w"))
    people:write("id\n")
  end)
  teardown(function()
    if people then people:close() end
    if process then process.finish() end
    vendor.stop()
  end)

  -- What the vendor was sent for the next person.
  local function letter_for(id)
    people:write(id, "\n")
    people:flush()
    return running.wait_for("the letter for " .. id, function()
      for _, item in ipairs(vendor.items()) do
        if item.body and item.body:find(id, 1, true) then return item.body end
      end
    end)
  end

  local function wait_for_words(words)
    running.wait_for(words, function() return helper.read_file(process.err):find(words, 1, true) end)
  end

  it("takes a changed template for the calls that come, and keeps the last good one when the new one is broken", function()
    assert.equal("first ada", letter_for("ada"))
    helper.write_file(folder .. "/payloads/letter.txt", "second {{ person.id }}")
    wait_for_words("payloads taken for calls that are not rendered yet: letter@"
      .. engine.hash("second {{ person.id }}"):sub(1, 12))
    assert.equal("second grace", letter_for("grace"))
    helper.write_file(folder .. "/payloads/letter.txt", "third {{ person.id | upcse }}")
    wait_for_words("payloads not taken, those from before stay in use: ")
    assert.equal("second yuki", letter_for("yuki"))
    helper.write_file(folder .. "/payloads/letter.txt", "third \xf6 {{ person.id }}")
    wait_for_words("payloads/letter.txt:1:7: this is not UTF-8")
    assert.equal("second amina", letter_for("amina"))
    helper.write_file(folder .. "/payloads/letter.txt", "third {{ person.id }}")
    wait_for_words("letter@" .. engine.hash("third {{ person.id }}"):sub(1, 12))
    assert.equal("third mwangi", letter_for("mwangi"))
    helper.write_file(folder .. "/payloads/foot.txt", "fourth")
    helper.write_file(folder .. "/payloads/letter.txt", "{% render 'foot' %} {{ person.id }}")
    wait_for_words("foot@" .. engine.hash("fourth"):sub(1, 12) .. ", letter@")
    assert.equal("fourth linus", letter_for("linus"))
    helper.write_file(folder .. "/payloads/foot.txt", "fifth")
    wait_for_words("foot@" .. engine.hash("fifth"):sub(1, 12) .. ", letter@")
    assert.equal("fifth ken", letter_for("ken"))
  end)
end)
