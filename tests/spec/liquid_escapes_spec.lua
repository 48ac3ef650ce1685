-- The kind of a payload decides how its values are escaped: nothing of a value gets out of its place, and nothing is
-- escaped twice.

local liquid = require "jaunt.liquid"

local function compile(kind, text, partials)
  return liquid.compile(text, {
    path = "x." .. kind, kind = kind,
    partial = function(name)
      if partials and partials[name] then return { text = partials[name], path = name .. "." .. kind, kind = kind } end
    end,
  })
end

local function rendered(kind, text, vars, partials)
  local template, why = compile(kind, text, partials)
  if not template then error(tostring(why), 2) end
  local result, facts = template:render { person = {}, event = {}, vars = vars or {}, now = 0 }
  if not result then error(tostring(facts), 2) end
  return result, facts.repaired
end

local function failure(kind, text, vars)
  local result, why = assert(compile(kind, text)):render { person = {}, event = {}, vars = vars or {}, now = 0 }
  if result then error("it was rendered: " .. result, 2) end
  return why.text
end

local function refused(kind, text, partials)
  local template, why = compile(kind, text, partials)
  if template then error("it was accepted: " .. text, 2) end
  return tostring(why)
end

describe("HTML and XML", function()
  it("values are text, in elements and in quoted attributes", function()
    for _, kind in ipairs { "html", "xml" } do
      local escaped = "&lt;b c=&quot;d&quot; e=&#39;f&#39;&gt;&amp;"
      assert.equal('<p a="' .. escaped .. '">' .. escaped .. "</p>",
        (rendered(kind, '<p a="{{ x }}">{{ x }}</p>', { x = [[<b c="d" e='f'>&]] })))
    end
  end)

  it("what no document may hold is replaced and counted", function()
    local text, repaired = rendered("html", "{{ x }}", { x = "a\0b\xff" })
    assert.equal("a\u{FFFD}b\u{FFFD}", text)
    assert.equal(2, repaired)
  end)

  it("escape, escape_once and newline_to_br are not done twice", function()
    local vars = { x = "<a>\n", y = "&lt;<" }
    assert.equal("&lt;a&gt;\n", (rendered("html", "{{ x | escape }}", vars)))
    assert.equal("&lt;&lt;", (rendered("html", "{{ y | escape_once }}", vars)))
    assert.equal("&lt;a&gt;<br />\n", (rendered("html", "{{ x | newline_to_br }}", vars)))
    assert.equal("&amp;lt;a&amp;gt;\n!", (rendered("html", "{{ x | escape | append: '!' }}", vars)))
  end)

  it("a capture is markup, whose outputs were escaped in it", function()
    assert.equal("<b>&lt;</b><b>&lt;</b>", (rendered("html",
      "{% capture t %}<b>{{ x }}</b>{% endcapture %}{{ t }}{% if t %}{{ t }}{% endif %}", { x = "<" })))
  end)

  it("a name that may not be the capture's is a value like others", function()
    local vars = { x = true, t = "<i>" }
    assert.equal("&lt;i&gt;", (rendered("html", "{% if y %}{% capture t %}<b>{% endcapture %}{% endif %}{{ t }}",
      vars)))
    assert.equal("&lt;i&gt;", (rendered("html", "{{ t }}{% capture t %}<b>{% endcapture %}", vars)))
    assert.equal("&lt;b&gt;", (rendered("html", "{% capture t %}<b>{% endcapture %}{% assign t = '<b>' %}{{ t }}",
      vars)))
    assert.equal("&lt;i&gt;", (rendered("html",
      "{% capture u %}<b>{% endcapture %}{% for u in l %}{{ u }}{% endfor %}", { l = { "<i>" } })))
    assert.equal("&lt;b&gt;", (rendered("html", '{% capture t %}<b>{% endcapture %}<p a="{{ t }}">',
      vars):match 'a="(.-)"'))
  end)

  it("a value is refused where no escape is safe", function()
    local why = refused("html", "<p>\n<td width={{ w }}></td>")
    assert.truthy(why:find("x.html:2:11: a value stands within a tag here, outside of quotes", 1, true))
    assert.truthy(why:find('put quotes around it', 1, true))
    for _, text in ipairs { "<{{ x }}>", "</{{ x }}>", "<a {{ x }}>", '<a b="c" {{ x }}>', "<a b='{{ x }}'{{ x }}>",
      "<!DOCTYPE {{ x }}>" } do
      assert.truthy(refused("html", text):find("within a tag", 1, true))
    end
    assert.truthy(refused("xml", "<STYLE a='b'>{{ x }}"):find("a value stands within <style> here", 1, true))
    assert.truthy(refused("html", '<iframe srcdoc="{{ x }}">'):find("within a document in an attribute", 1, true))
    assert.truthy(refused("xml", "<a><![CDATA[{{ x }}]]></a>"):find("take <![CDATA[ and ]]> away", 1, true))
    assert.truthy(refused("xml", "<!-- {{ x }} -->"):find("within a comment here, which must not hold --", 1, true))
    assert.truthy(refused("html", '<a {% if x %}b="{% endif %}c">'):find("opened in here and closed elsewhere", 1,
      true))
  end)

  it("a value is refused in attributes that are scripts", function()
    for _, text in ipairs {
      "<a onclick=\"f('{{ x }}')\">", "<a b='c' ONLOAD = '{{ x }}'>", "<svg/onload=\"{{ x }}\">",
      '<a onclick={% if x %}"{{ x }}"{% endif %}>', '<a href=" JavaScript:f({{ x }})">',
    } do
      assert.truthy(refused("html", text):find("a value stands within a script here", 1, true), text)
    end
    assert.equal('<a data-on="y" on="y" onclick="f()" title="y" once="y">', (rendered("html",
      '<a data-on="{{ x }}" on="{{ x }}" onclick="f()" title="{{ x }}" once="{{ x }}">', { x = "y" })))
    assert.truthy(refused("html", '<a {% if x %}onclick={% else %}title={% endif %}"{{ x }}">'):find(
      "within an attribute here whose name is not certain", 1, true))
  end)

  local function url(x, template)
    return (rendered("html", template or '<a href="{{ x }}">', { x = x }):match '="(.-)">')
  end

  it("a value begins a URL with a harmless scheme, or without one, or it is nothing and counted", function()
    for _, x in ipairs { "https://a/b", "HTTP://a", "mailto:a@b", "tel:+49", "sms:1", "/a:b", "a/b:c", "?a:b", "#a:b", "" } do
      assert.equal(x, url(x))
    end
    for _, x in ipairs { "javascript:f()", " JaVa\tScRiPt:f()", "java\nscript\n:f()", "\1javascript:f()", "data:text/html,x",
      "vbscript:x", "other:x", ":x" } do
      local text, repaired = rendered("html", '<a href="{{ x }}">', { x = x })
      assert.equal('<a href="">', text)
      assert.equal(1, repaired)
    end
    assert.equal(" ht\ttps://a", url(" ht\ttps://a"))
    assert.equal("a?b=1&amp;c=2", url("a?b=1&c=2"))
    for template, wanted in pairs { -- whether a scheme is there on every way
      ['<a href="{% if x %}https://h/{% else %}/{% endif %}{{ x }}">'] = "https://h/a:b",
      ['<a href="{% case x %}{% when 1 %}{% else %}https://h/{% endcase %}{{ x }}">'] = "https://h/",
      ['<a href="{% if x %}https://h/{% endif %}{{ x }}">'] = "https://h/",
      ['<a href="{% for i in (1..2) %}h/{% endfor %}{{ x }}">'] = "h/h/",
    } do
      assert.equal(wanted, url("a:b", template))
    end
    assert.equal("other:f()", url("f()", '<a href="other:{{ x }}">'))
    assert.equal("javascript:f()", url("javascript:f()", '<a title="{{ x }}">'))
    assert.equal('<a href="javascript:f()"/>', (rendered("xml", '<a href="{{ x }}"/>', { x = "javascript:f()" })))
  end)

  it("no two values make a scheme together", function()
    assert.equal("java" .. "script%3Af()", (rendered("html", '<a href="{{ a }}{{ b }}">', { a = "java",
      b = "script:f()" }):match '"(.-)"'))
    assert.equal("javascript", (rendered("html", '<a href="{% for x in l %}{{ x }}{% endfor %}">', {
      l = { "java", "script", ":f()" } }):match '"(.-)"'))
    for _, text in ipairs { '<a href="{{ x }}:f()">', '<a href="{{ x }}{{ x }}:f()">', '<a href="{{ x }}{% if x %}:{% endif %}">',
      '<a href="{% for x in l %}{{ x }}:{% endfor %}">' } do
      assert.truthy(refused("html", text):find("the scheme of this URL would be what a value says", 1, true), text)
    end
    assert.equal("https://h/a:b", url("a:b", '<a href="{% if x %}https://h{% else %}http://h{% endif %}/{{ x }}">'))
  end)

  it("a script in a URL is one, however its author wrote its scheme", function()
    for _, start in ipairs { "javascript:f({a:1,b:'", "java\1script:'", "&#106;avascript:'", "&#x6A;avascript:'",
      "javascript&colon;'", "java&Tab;script:'", "javascript&#58;'", "VBScript:'" } do
      local why = refused("html", '<a href="' .. start .. "{{ x }}')\">")
      assert.truthy(why:find("a value stands within a script here", 1, true), start)
    end
  end)

  it("a name that may be another's is not certain, and quotes within a value are none", function()
    for _, text in ipairs {
      '<a {% if x %}onclick{% else %}title{% endif %}="{{ x }}">', '<a {% if x %}href {% endif %}="{{ x }}">',
      '<a {% if x %}on{% endif %}click="{{ x }}">', '<a href=https://h/?a="{{ x }}">', '<a title=b"{{ x }}">',
      '<td width:"{{ x }}">', '<a title= b="{{ x }}">', '<a title=b{% if x %}{% endif %}"{{ x }}">',
    } do
      assert.truthy(refused("html", text):find("within an attribute here whose name is not certain", 1, true), text)
    end
    for _, text in ipairs {
      '<td {% if x %}class="a"{% endif %} width="{{ x }}">', '<td {% if x %}class="a" {% endif %}width="{{ x }}">',
      '<td{% if x %} nowrap{% else %} class="a"{% endif %} width="{{ x }}">', '<td nowrap=nowrap width="{{ x }}">',
      '<td a={{ x | raw }} width="{{ x }}">', '<td {% for i in (1..2) %}a{{ "=" | raw }}"1" {% endfor %}width = "{{ x }}">',
    } do
      assert.truthy(rendered("html", text, { x = "<" }):find('width = "&lt;"', 1, true)
        or rendered("html", text, { x = "<" }):find('width="&lt;"', 1, true), text)
    end
  end)

  it("a loop that is left goes on where it began", function()
    for _, text in ipairs { '<a {% break %}href="">', '<a href="{% continue %}">', "<script>{% break %}</script>" } do
      for _, around in ipairs { "{% for i in l %}{% if i %}", "{% for i in l %}{% case i %}{% when 1 %}" } do
        local close = around:find "case" and "{% endcase %}" or "{% endif %}"
        local why = refused("html", around .. text .. close .. "{% endfor %}{{ x }}")
        assert.truthy(why:find("a tag or a quote that is opened before this is closed behind it", 1, true), why)
      end
    end
    assert.truthy(refused("html", "{% render 'p' %}{{ x }}", { p = "<a {% break %}>" }):find("p.html:1:4: a tag", 1, true))
    assert.equal('<a href="h"><p title="1">&lt;</p>', (rendered("html", '<a href="{% for i in l %}{% if x %}h{% break %}'
      .. '{% endif %}{% endfor %}{{ y }}">{% for i in l %}{% if i == 2 %}{% continue %}{% endif %}<p title="{{ i }}">'
      .. "{% endfor %}{{ x }}</p>", { l = { 1, 2 }, x = "<", y = ":1" })))
  end)

  it("a partial in an attribute does not end it", function()
    local text = "<a title=\"{% render 'p' %}\">"
    assert.truthy(refused("html", text, { p = '<b class="{{ x }}">' }):find('has its quote " in it', 1, true))
    assert.truthy(refused("html", text, { p = "{% if x %}{% render 'q' %}{% endif %}", q = "{% render 'p' %}\"" }):find(
      'has its quote " in it', 1, true))
    assert.equal("<a title=\"it's a\">", (rendered("html", text, {}, { p = "it's {{ y | default: \"a\" }}" })))
  end)

  it("what stands in Outlook's conditional comments is HTML", function()
    assert.equal('<!--[if mso | IE]><v:rect href="https://h/?a=%2B" style="width:1\\3b px"><![endif]-->%2B', (rendered("html",
      '<!--[if mso | IE]><v:rect href="https://h/?a={{ x }}" style="width:{{ y }}px"><![endif]-->{{ x | url_encode }}',
      { x = "+", y = "1;" })))
    assert.equal("<!--[if !mso]><!--><b>&lt;</b><!--<![endif]-->&lt;<!-- [if mso]><a &lt;> -->", (rendered("html",
      "<!--[if !mso]><!--><b>{{ x }}</b><!--<![endif]-->{{ x }}<!-- [if mso]><a {{ x }}> -->", { x = "<" })))
    assert.truthy(refused("html", "<!--[if mso]><td width={{ x }}><![endif]-->"):find("outside of quotes", 1, true))
  end)

  it("behind a whole URL that a value is, & begins another value of its query", function()
    for _, sign in ipairs { "&", "&amp;" } do
      assert.equal("https://h/?a=1" .. sign .. "b=c%2Bd%26e", (rendered("html", '<a href="{{ u }}' .. sign
        .. 'b={{ x }}">', { u = "https://h/?a=1", x = "c+d&e" }):match '"(.-)"'))
    end
    assert.equal("https://h/a&b/c/d", (rendered("html", '<a href="https://h/a&b/{{ x }}">', { x = "c/d" }):match '"(.-)"'))
    assert.equal("https://h/a&#47;c/d", (rendered("html", '<a href="https://h/a&#47;{{ x }}">', { x = "c/d" }):match '"(.-)"'))
    assert.equal("mailto:a:b@c", url "mailto:a:b@c")
  end)

  it("in a URL's query a value is percent-encoded, once", function()
    for _, filter in ipairs { "", "| url_encode", "| url_param_escape", "| escape" } do
      assert.equal("https://h/?a=b%20%26c%3D%C3%A9#%22", url("b &c=é", '<a href="https://h/?a={{ x' .. filter
        .. ' }}#{{ \'"\' }}">'))
    end
  end)

  it("in CSS a value is part of a word or a text, whatever it holds", function()
    assert.equal("color:#fff;width:10.5px;a:rgb(1, 2,3)", (rendered("html",
      '<a style="color:{{ a }};width:{{ b }}px;a:{{ c }}">', { a = "#fff", b = 10.5, c = "rgb(1, 2,3)" }):match '"(.-)"'))
    local escaped = "red\\3b b\\3a url\\28 \\22 \\3c \\5c \\a "
    for _, text in ipairs { '<a style="color:{{ x }}">', "<style>a{color:{{ x }}", "<STYLE>a{b:url(c);color:{{ x }}" } do
      assert.equal(escaped, (rendered("html", text, { x = 'red;b:url("<\\\n' }):match "color:([^>]*[^\">])"))
    end
  end)

  it("in CSS's url behind a scheme it is a part of it", function()
    for _, text in ipairs { '<a style="b:url({{ u }}?t={{ x }})">', "<style>b:url('https://h/?t={{ x }}')" } do
      assert.equal("https://h/?t=a:%20b%29", (rendered("html", text, { u = "https://h/", x = "a: b)" }):match "(https.-)'?%)"))
    end
  end)

  it("in CSS's url it is a URL", function()
    assert.equal('<a style="b:url()">', (rendered("html", '<a style="b:url({% if no %}https://h/{% endif %}{{ x }})">',
      { x = "javascript:f()" })))
    for _, text in ipairs { '<a style="b:url({{ x }})">', "<style>b:URL( '{{ x }}')" } do
      local is_attribute = text:find "<a"
      assert.equal("https://h/a%20%29?b&" .. (is_attribute and "amp;" or "") .. "c", (rendered("html", text,
        { x = "https://h/a )?b&c" }):match "%( ?'?(.-)'?%)"))
      assert.equal("", (rendered("html", text, { x = "javascript:f()" }):match "%( ?'?(.-)'?%)"))
    end
  end)

  it("in a script a value is text within quotes, and JSON elsewhere", function()
    local x = "</script>'\"\\\n\u{2028}`${"
    local escaped = "\\u003c/script\\u003e\\u0027\\u0022\\u005c\\u000a\\u2028\\u0060\\u0024{"
    assert.equal('<script>a = "' .. escaped .. "\", b = '" .. escaped .. "' // '</script>&lt;", (rendered("html",
      '<script>a = "{{ x }}", b = \'{{ x | escape }}\' // \'</script>{{ y }}', { x = x, y = "<" })))
    assert.equal([[<script>a = {"b":["\u003c/script\u003e'\"\\\n\u2028`${",1,null]}, c = null</script>]], (rendered("html",
      "<script>a = {{ a | json }}, c = {{ c | to_json }}</script>", { a = { b = { x, 1, require("json").null } } })))
    assert.truthy(refused("html", "<script>a = {{ x }}"):find("write | json as its last filter", 1, true))
    for _, text in ipairs { "// {{ x }}", "/* {{ x | json }}", "a = `{{ x }}`", "a = /'/, b = '{{ x }}'", "a = '\\{{ x }}'",
      "`${ '{{ x }}' }`", "<!-- ' {{ x | json }}", "{% if x %}/* {% endif %}{{ x | json }}",
      "{% for i in l %}{{ i | json }} / 2{% endfor %}" } do
      assert.truthy(refused("html", "<script>" .. text):find("within <script> here, where no escape is safe", 1, true), text)
    end
    assert.equal("<script>a//'\n\"/*\\\"\"/*'*/'{{'</script>", (rendered("html",
      "<script>a//'\n\"/*\\\"\"/*'*/'{% raw %}{{{% endraw %}{{ x }}'</script>")))
  end)

  it("another payload is rendered where text may stand", function()
    for _, text in ipairs { "<a href=\"{% render 'p' %}\">", "<script>{% render 'p' %}", "<a {% render 'p' %}>" } do
      assert.truthy(refused("html", text, { p = "x" }):find("another payload is rendered here, where no text may stand", 1,
        true), text)
    end
    assert.equal('<a title="x">x', (rendered("html", "<a title=\"{% render 'p' %}\">{% render 'p' %}", {}, { p = "x" })))
  end)

  it("no partial leaves its caller within a tag, a comment or a script", function()
    for _, text in ipairs { "<a ", "<!-- ", "<script>", "<a href='" } do
      for _, tag in ipairs { "render", "include" } do
        local why = refused("html", "{% " .. tag .. " 'p' %}{{ x }}>", { p = text })
        assert.truthy(why:find("p.html:1:" .. #text + 1 .. ": this payload, which others render, ends within", 1, true), why)
      end
    end
  end)

  it("script and style are whole names", function()
    assert.equal("<script-a>&lt;</script-a><style-guide>&lt;</style-guide>", (rendered("html",
      "<script-a>{{ x }}</script-a><style-guide>{{ x }}</style-guide>", { x = "<" })))
    assert.equal("<script>a('</scripts>\\u003c')</script\n>&lt;", (rendered("html",
      "<script>a('</scripts>{{ x }}')</script\n>{{ x }}", { x = "<" })))
  end)

  it("is looked at once, however many scripts it has", function()
    local text = ("<script>a</script>"):rep(30000)
    assert.equal(#text, #rendered("html", text))
  end)

  it("raw takes the escaping away, and the refusal", function()
    assert.equal("<b>\u{FFFD}<i c>", (rendered("html", "{{ x | raw }}<i {{ y | raw }}>", { x = "<b>\xff", y = "c" })))
  end)

  it("and is taken behind all of these", function()
    assert.equal("<script>a</script><style>b</style><!-- ' --><a b='\"' c>x</a> 1 < 2 x",
      (rendered("html", "<script>a</script><style>b</style><!-- ' --><a b='\"' c>{{ x }}</a> 1 < 2 {{ x }}", {
        x = "x" })))
  end)

  it("partials are of their caller's kind", function()
    assert.equal("<p>&lt;</p>", (rendered("html", "{% render 'p', x: x %}", { x = "<" }, { p = "<p>{{ x }}</p>" })))
  end)
end)

describe("a form", function()
  it("values are percent-encoded, a space is a plus", function()
    assert.equal("a=b+c%26d%3De%25%2B&f=%C3%A9", (rendered("form", "a={{ x }}&f={{ y }}", { x = "b c&d=e%+",
      y = "é" })))
  end)

  it("literal text may be as one writes it, and have lines", function()
    assert.equal("a=Hallo+Ada%2C+sch%C3%B6n%21&b=1+2%20%25&c=", (rendered("form",
      "a=Hallo {{ x }}, schön!\n  &b=1+2%20%\r\n&c=\n", { x = "Ada" })))
  end)

  it("may be nothing but blanks, and many of them", function()
    assert.equal("a=" .. ("+"):rep(300000), rendered("form", "a=" .. (" "):rep(300000)))
  end)

  it("url_encode and its like are not done twice", function()
    assert.equal("a=b+c&d=b+c&e=B+C", (rendered("form",
      "a={{ x | url_encode }}&d={{ x | url_param_escape }}&e={{ x | upcase }}", { x = "b c" })))
  end)
end)

describe("a URL", function()
  it("values are percent-encoded, in path and query", function()
    assert.equal("/a%2Fb%3Fc%20d?q=e%26f%3D%2B#g%23", (rendered("url", "/{{ x }}?q={{ y }}#{{ z }}", { x = "a/b?c d",
      y = "e&f=+", z = "g#" })))
    assert.equal("/a%20b?q=", (rendered("url", "/{{ x | url_encode }}?q={{ no }}", { x = "a b" })))
  end)

  it("a value that makes another path is a mistake", function()
    for _, x in ipairs { "", ".", ".." } do
      assert.truthy(failure("url", "/leads/{{ x }}", { x = x }):find("can't be a part of a URL's path", 1, true))
    end
    assert.truthy(failure("url", "/leads/{{ x }}", {}):find("nil can't be a part of a URL's path", 1, true))
    assert.equal("/leads/...?a=..", (rendered("url", "/leads/{{ x }}?a={{ y }}", { x = "...", y = ".." })))
  end)
end)

describe("a header", function()
  it("nothing ends it early", function()
    local text, repaired = rendered("header", "x {{ x }}", { x = "a\r\nSet-Cookie: b\0" })
    assert.equal("x a  Set-Cookie: b ", text)
    assert.equal(3, repaired)
  end)
end)

describe("plain text", function()
  it("is as it is, made UTF-8", function()
    local text, repaired = rendered("txt", "<{{ x }}> {{ y }}", { x = [["&'<>]], y = "a\xE2\x80b" })
    assert.equal([[<"&'<>> a]] .. "\u{FFFD}b", text)
    assert.equal(1, repaired)
  end)
end)

describe("in all kinds but JSON", function()
  it("omit_if_nil is refused", function()
    for _, kind in ipairs { "html", "xml", "form", "url", "header", "txt" } do
      local why = refused(kind, "{{ x | omit_if_nil }}")
      assert.truthy(why:find("omit_if_nil works only where a value is put out into JSON", 1, true))
    end
  end)

  it("numbers and tables are printed as Liquid does it", function()
    assert.equal("9007199254740993 1.0 ab", (rendered("txt", "{{ a }} {{ b }} {{ c }}", { a = 9007199254740993,
      b = 1.0, c = { "a", "b" } })))
    assert.equal("9007199254740993+1.0+ab", (rendered("form", "{{ a }} {{ b }} {{ c }}", { a = 9007199254740993,
      b = 1.0, c = { "a", "b" } })))
  end)
end)
