-- Payloads of random templates and hostile people: an accepted JSON template gives JSON of the shape that it has, or an
-- error; and no value gets out of the place that a template has for it, in any kind of payload.
--
-- LIQUID_SEED gives other templates and other people: soak/liquid goes through many.

local dice = require "dice"
local json = require "json"
local liquid = require "jaunt.liquid"
local native = require "jaunt.native.text"
local plans = require "liquid_plans"

local SEED = tonumber(os.getenv "LIQUID_SEED" or "1")

-- How many of `count` cases are tried: few where the collector is made to work without a pause.
local IS_SLOW = os.getenv "JAUNT_SPEC_GC" == "1"
local function times(count) return IS_SLOW and count // 200 or count end

local PARTS = { part = '{"p": {{ a }}}' }

local function compile(text, kind)
  return liquid.compile(text, {
    path = "random", kind = kind, partial = function(name) return PARTS[name] and { text = PARTS[name], path = name,
      kind = "json" } end,
  })
end

local function render(template, vars)
  return template:render { person = {}, event = {}, vars = vars, now = 0 }
end

local function fail(...) error(string.format(...), 2) end

describe("a random JSON template", function()
  it("gives for hostile people what it is meant to give, each text and number as it was, or an error", function()
    local draw = dice(SEED * 3)
    local given, failed = 0, 0
    for _ = 1, times(4000) do
      local plan = plans.template(draw)
      local template, why = compile(plan.text, "json")
      if not template then fail("refused: %s\n%s", plan.text, why) end
      for _ = 1, 3 do
        local person = plans.people(draw)
        local wanted, value = pcall(plan.value, person)
        local text, fault = render(template, person)
        if wanted ~= (text ~= nil) then fail("%s\n%s\n%s", plan.text, text or fault, wanted or value) end
        if text then
          local ok, decoded = pcall(json.decode, text)
          if not ok then fail("broken: %s\n%s\n%s", plan.text, text, decoded) end
          if not plans.same(decoded, value) then fail("%s\n%s\nis not %s", plan.text, text, json.encode(value)) end
          given = given + 1
        else
          assert.equal("render", fault.what)
          failed = failed + 1
        end
      end
    end
    assert.is_true(IS_SLOW or given > failed and failed > given / 50)
  end)
end)

-- What was accepted by chance has to give JSON, too. Returns how many were.
local function try_texts(draw, count, make)
  local accepted = 0
  for _ = 1, count do
    local text = make()
    local template, fault = compile(text, "json")
    if not template then
      if fault.what ~= "syntax" or not fault.line then fail("%s\n%s", text, fault) end
    else
      accepted = accepted + 1
      for _ = 1, 3 do
        local result, why = render(template, plans.people(draw))
        local ok, broken = true, nil
        if result then ok, broken = pcall(json.decode, result) end
        if not ok then fail("broken: %s\n%s\n%s", text, result, broken) end
        if not result and why.what == "syntax" then fail("%s\n%s", text, why) end
      end
    end
  end
  return accepted
end

describe("a text that may be a JSON template", function()
  it("of random fragments is refused, or gives JSON or an error", function()
    local draw = dice(SEED * 5)
    local accepted = try_texts(draw, times(15000), function() return plans.soup(draw) end)
    assert.is_true(IS_SLOW or accepted > times(15000) / 100)
  end)

  it("with slips of the finger is refused, or gives JSON or an error", function()
    local draw = dice(SEED * 7)
    local accepted = try_texts(draw, times(5000), function()
      local text = plans.template(draw).text
      for _ = 1, draw(3) do text = plans.spoiled(draw, text) end
      return text
    end)
    assert.is_true(IS_SLOW or accepted > times(5000) / 20)
  end)
end)

-- Calls check(text, person) with what a template gives for hostile people.
local function hostile(kind, text, check)
  local draw = dice(SEED * 11)
  local template = assert(compile(text, kind))
  for _ = 1, times(1000) do
    local person = plans.people(draw)
    local result, fault = render(template, person)
    if result then check(result, person) else assert.equal("render", fault.what) end
  end
end

describe("a hostile value does not get out of", function()
  it("text and attributes in HTML and XML", function()
    for _, kind in ipairs { "html", "xml" } do
      local document = [[<p a="{{ a }}" b='{{ b }}'>{{ e }}{% for x in l %}<i>{{ x }}</i>{% endfor %}</p>]]
        .. (kind == "html" and "<!-- {{ f }} -->" or "<!-- f -->")
      hostile(kind, document, function(text, person)
        local _, elements = text:gsub("<", "")
        local _, double = text:gsub('"', "")
        local _, single = text:gsub("'", "")
        assert.equal(3 + 2 * #(person.l or {}), elements)
        assert.equal(2, double)
        assert.equal(2, single)
        assert.is_truthy(utf8.len(text))
        assert.is_nil(text:find "[%z\1-\8\11\12\14-\31]")
        assert.is_nil(text:gsub("&amp;", ""):gsub("&lt;", ""):gsub("&gt;", ""):gsub("&quot;", ""):gsub("&#39;",
          ""):find "&")
      end)
    end
  end)

  it("a script, CSS and a URL in HTML", function()
    local document = [[<script>x = [{{ a | json }}, "{{ key }}", '{{ key }}']</script>]]
      .. [[<style>b{c:"{{ key }}"}</style><i style="c:{{ key }};d:url({{ key }})"><a href="{{ key }}{{ key }}?q={{ key }}">]]
    hostile("html", document, function(text, person)
      local script, css, style, in_url, before, query = text:match('^<script>x = ([^<]*)</script><style>b{c:"([^"\n{};:()<]*)"}'
        .. '</style><i style="c:([^"\n{};:()<]*);d:url%(([^"\n{}()<]*)%)"><a href="([^"<]*)%?q=([%w._~%%-]*)">$')
      if not script then fail("%s", text) end
      local key = native.mend(person.key)
      local value = json.decode((script:gsub("'([^']*)']$", '"%1"]')))
      assert.same({ key, key }, { value[2], value[3] })
      assert.equal(css, style)
      assert.is_nil(in_url:gsub("&amp;", "&"):find ";")
      for _, url in ipairs { in_url, before } do
        if url:find "^[^/?#]*:" and not url:find "^https?:" then fail("%s", text) end
      end
      assert.equal(key, (query:gsub("%%(%x%x)", function(digits) return string.char(tonumber(digits, 16)) end)))
    end)
  end)

  it("a form's value", function()
    hostile("form", "a={{ a }}\n&b=x{{ b }}&c={{ e }}", function(text)
      local names = {}
      for pair in text:gmatch "[^&]+" do
        names[#names + 1] = pair:match "^([^=]*)=[^=]*$"
        assert.is_nil(pair:find "[^%w*._+%%=-]")
      end
      assert.same({ "a", "b", "c" }, names)
    end)
  end)

  it("a segment of a URL's path, and a value of its query", function()
    hostile("url", "/x/{{ a }}/y/{{ key }}?q={{ b }}&r={{ e }}", function(text, person)
      local first, second, q, r = text:match "^/x/([^/?&=#]+)/y/([^/?&=#]+)%?q=([^/?&=#]*)&r=([^/?&=#]*)$"
      if not first then fail("%s", text) end
      assert.is_true(second ~= "." and second ~= ".." and first ~= ".." and q ~= nil and r ~= nil)
      assert.equal(native.mend(person.key), (second:gsub("%%(%x%x)",
        function(digits) return string.char(tonumber(digits, 16)) end)))
    end)
  end)

  it("a header", function()
    hostile("header", "x {{ a }}{{ b }}", function(text)
      assert.is_nil(text:find "[%z\1-\8\10-\31\127]")
    end)
  end)
end)
