-- `jaunt render --cases`: a case a line in, an answer a line out.

local helper = require "helper"
local json = require "json"

-- The answers to these lines (tables are cases), and the exit code.
local function render(lines, ...)
  local texts = {}
  for i, line in ipairs(lines) do texts[i] = type(line) == "table" and json.encode(line) or line end
  local path = helper.write_file(helper.temp_folder() .. "/cases.ndjson", table.concat(texts, "\n") .. "\n")
  local done = helper.jaunt("render", "--cases", path, ...)
  local answers = {}
  for line in done.out:gmatch("[^\n]+") do answers[#answers + 1] = json.decode(line) end
  return answers, done.code, done.err
end

describe("jaunt render", function()
  it("gives one result a line, escaped as the kind asks", function()
    local value = { x = '<&" \n' }
    local answers, code = render {
      { template = "{{ x }}", data = value }, { template = "{{ x }}", data = value, kind = "html" },
      { template = "a={{ x }}", data = value, kind = "form" },
      { template = '{"a": "{{ x }}", "b": {{ y }}}', data = value, kind = "json" },
      { template = "<a>{{ x }}</a>", data = value, kind = "xml" },
    }
    assert.equal(0, code)
    assert.equal('<&" \n', answers[1].result)
    assert.is_nil(answers[2].result:find('[<"]'))
    assert.is_nil(answers[3].result:find("[<&\n ]", 3))
    assert.same({ a = '<&" \n', b = json.null }, json.decode(answers[4].result))
    assert.is_nil(answers[5].result:find("<&", 1, true))
  end)

  it("gives errors with line and column, and the nearest right name", function()
    local answers, code = render {
      { template = "a\n {{ x | upcse }}" }, { template = "{% if x %}" }, { template = '{"a": {{ x }}{{ y }}}', kind = "json" },
      { template = "{{ x | divided_by: 0 }}", data = { x = 1 } }, { template = '{% abort_message("no") %}' },
    }
    assert.equal(0, code)
    assert.same({ error = 'there is no filter "upcse"; did you mean upcase?', line = 2, column = 9 }, answers[1])
    for i = 2, 4 do
      assert.is_string(answers[i].error)
      assert.equal(1, answers[i].line)
      assert.is_true(answers[i].column >= 1)
    end
    assert.same({ "no", "skip" }, { answers[5].error, answers[5].outcome })
  end)

  it("has data's fields as names, person and event as in a payload, and partials", function()
    local answers = render {
      { template = "{{ code }} {{ person.first_name }} {{ first_name }} {{ event.id }}",
        data = { code = 9007199254740993, person = { first_name = "Ada" }, event = { id = "e" } } },
      { template = "{% render 'foot', x: 1 %}", partials = { foot = "foot {{ x }}" } },
      { template = "{{ gone }}|{{ none }}", data = { none = json.null } },
    }
    assert.equal("9007199254740993 Ada Ada e", answers[1].result)
    assert.equal("foot 1", answers[2].result)
    assert.equal("|", answers[3].result)
  end)

  it("goes by the clock that it is given", function()
    local cases = { { template = "{{ now | date: '%Y-%m-%d %H:%M' }} {{ 'now' | date: '%s' }}" } }
    local answers = render(cases, "--now", "2026-11-25T09:30:00Z")
    assert.equal("2026-11-25 09:30 1795599000", answers[1].result)
    local _, code, err = render(cases, "--now", "yesterdayish")
    assert.equal(2, code)
    assert.matches("^jaunt: %-%-now: ", err)
  end)

  it("answers a line that is no case with its number, and goes on", function()
    local answers, code = render {
      "nonsense", "[1]", { template = 1 }, { template = "x", kind = "yaml" }, { template = "x", data = { 1 } }, "",
      { template = "ok" },
    }
    assert.equal(1, code)
    assert.matches("^line 1 is no case: column 1: ", answers[1].error)
    assert.equal("line 2 is no case: a case is a JSON object", answers[2].error)
    assert.equal("line 3 is no case: its template is no text", answers[3].error)
    assert.equal("line 4 is no case: its kind is none of txt, json, form, html and xml", answers[4].error)
    assert.equal("line 5 is no case: its data are no object", answers[5].error)
    assert.equal("ok", answers[6].result)
  end)

  it("reads standard input, and says what it needs", function()
    local done = helper.sh("echo '{\"template\":\"{{ 1 | plus: 1 }}\"}' | " .. helper.jaunt_words("render", "--cases", "-"))
    assert.equal('{"result":"2"}\n', done.out)
    assert.equal("jaunt: render needs cases: --cases FILE (or - for standard input)\n", helper.jaunt("render").err)
    assert.equal(2, helper.jaunt("render", "--cases", "/nowhere/x").code)
  end)
end)

describe("the golden cases, through jaunt render,", function()
  -- what they give is the business of tests/conformance
  it("are answered one by one, those that are none with line and column", function()
    local path, why = helper.data("liquid/golden-payload-subset.json")
    if not path then return pending(why) end
    local tests, lines = json.decode(helper.read_file(path)).tests, {}
    for i, test in ipairs(tests) do lines[i] = { template = test.template, data = test.data } end
    local answers, code = render(lines, "--now", "2026-11-25T09:00:00Z")
    assert.equal(0, code)
    assert.equal(#tests, #answers)
    for i, test in ipairs(tests) do
      assert(not test.invalid or answers[i].error and answers[i].line and answers[i].column, test.name)
    end
  end)
end)
