-- What call_api sends for what a script says: method, URL, query, headers and body, byte by byte, as the other side gets
-- them; and what it refuses to send, in words that name the field.

local fault = require "fault"
local scripts = require "scripts"

local outside = require "outside"

local payloads = {
  ["connections.lua"] = "return {}",
  ["payloads/lead.lua"] = [[return function(person, event, vars)
    return { id = person.id, given = vars.given, none = vars.none == nil, event = event.none == nil } end]],
  ["payloads/fixed.json"] = '{ "b": 1, "a": [1.50, 12345678901234567890] }\n',
  ["payloads/text.lua"] = "return function() return 'no table' end",
  ["payloads/wrong.lua"] = "return { not_a = 'function' }",
  ["payloads/fails.lua"] = "return function(person)\n  return { x = person.name.first }\nend",
  ["payloads/calls.lua"] = "return function(person) call_api { GET = 'http://127.0.0.1:1/' } return {} end",
}

describe("call_api sends", function()
  local server, vendor

  setup(function()
    server = fault.start()
    vendor = outside.start()
  end)
  teardown(function()
    server.stop()
    vendor.stop()
  end)

  -- What the fault server was sent for these fields (text): { line =, length =, sum =, NAME = a header's value }.
  local function wire(fields, options)
    local head = scripts.output(("local base = %q\nprint((call_api { %s }.body:gsub('\\r', '')))"):format(server.url(""), fields), options)
    local sent = { line = head:match("^[^\n]*") }
    for name, value in head:gmatch("\n([%w%-]+): ?([^\n]*)") do
      sent[name:lower()] = sent[name:lower()] and sent[name:lower()] .. " | " .. value or value
    end
    sent.length, sent.sum = head:match("(%d+) (%x+)$")
    return sent
  end

  local function line(fields)
    return wire(fields).line
  end

  -- What the vendor was sent, taken apart.
  local function sent(fields, options)
    return scripts.value(("local base = %q\nreturn call_api { %s }.json"):format(vendor.url("/any"), fields), options)
  end

  describe("as the request line", function()
    it("each verb with its path", function()
      assert.equal("GET POST PUT PATCH DELETE OPTIONS", scripts.output(([[
        local seen = {}
        for i, verb in ipairs { "GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS" } do
          seen[i] = call_api { [verb] = %q }.body:match("^(%%u+) /echo/x HTTP/1.1")
        end
        print(table.concat(seen, " "))]]):format(server.url("/echo/x"))))
      assert.equal("1", scripts.output(([[
        local r = call_api { HEAD = %q }
        print(r.ok and r.body == "" and #r.headers["content-length"] > 0 and 1)]]):format(server.url("/echo/x"))))
    end)

    it("method and url, and GET where only a url is given", function()
      assert.equal("PUT /echo/a HTTP/1.1", line("method = 'PUT', url = base .. '/echo/a'"))
      assert.equal("GET /echo/a HTTP/1.1", line("url = base .. '/echo/a'"))
    end)

    it("a connection's base and the path behind it", function()
      local files = { ["connections.lua"] = ("return { x = { base_url = %q } }"):format(server.url("/echo/v2/")) }
      assert.equal("POST /echo/v2/leads?a=1 HTTP/1.1", wire("via = 'x', POST = '/leads', query = { a = 1 }", { files = files }).line)
      assert.equal("GET /echo/v2 HTTP/1.1", wire("via = 'x', GET = ''", { files = files }).line)
      assert.equal("GET /echo/y HTTP/1.1", wire("via = 'x', GET = base .. '/echo/y'", { files = files }).line)
    end)

    it("a path with what a URL can't hold encoded, and what is encoded left as it is", function()
      assert.equal("GET /echo/%C3%A4%20b%22%3C%3E/%2F%41%25zz;a=1,2 HTTP/1.1",
        line("GET = base .. '/echo/ä b\"<>/%2F%41%zz;a=1,2'"))
    end)

    it("a query in the order of its names, each byte that means something encoded", function()
      assert.equal("GET /echo?a=x%20y%2Bz%26%3D%23%25%2F%3F&b=%C3%BC%E2%82%AC%F0%9F%99%82&c=&d%20%26=-._~%21%2A%27%28%29 HTTP/1.1",
        line([[GET = base .. '/echo', query = { c = "", a = "x y+z&=#%/?", b = "ü€🙂", ["d &"] = "-._~!*'()" }]]))
    end)

    it("lists as repeated names, and booleans", function()
      assert.equal("GET /echo?f=false&list=1&list=b%20c&list=true&t=true HTTP/1.1",
        line("GET = base .. '/echo', query = { list = { 1, 'b c', true }, none = {}, t = true, f = false }"))
    end)

    it("numbers exactly, whatever their size", function()
      assert.equal("GET /echo?a=9007199254740993&b=1e%2B21&c=-0.0&d=0.30000000000000004&e=1234567890123456.0&f=-9223372036854775808 HTTP/1.1",
        (line([[GET = base .. '/echo', query = { a = 9007199254740993, b = 1e21, c = -0.0, d = 0.1 + 0.2,
          e = 1234567890123456.0, f = math.mininteger }]]):gsub("1e21", "1e%%2B21")))
    end)

    it("a query behind the one that the path has", function()
      assert.equal("GET /echo?x=1&y=2 HTTP/1.1", line("GET = base .. '/echo?x=1', query = { y = 2 }"))
      assert.equal("GET /echo?y=2 HTTP/1.1", line("GET = base .. '/echo?', query = { y = 2 }"))
      assert.equal("GET /echo?x HTTP/1.1", line("GET = base .. '/echo?x', query = {}"))
    end)

    it("no line of a path's own making", function()
      assert.equal("GET /echo/a%0D%0AX-Evil:%201 HTTP/1.1", line("GET = base .. '/echo/a\\r\\nX-Evil: 1'"))
    end)
  end)

  describe("as headers", function()
    it("texts, numbers exactly, empty ones and secrets", function()
      local head = wire([[GET = base .. '/echo', headers = { ["X-Text"] = "Grüße", ["X-Int"] = 9007199254740993,
        ["X-Float"] = 1234567890123456.0, ["X-Empty"] = "", ["X-Secret"] = secret "A_SECRET" }]],
        { env = { A_SECRET = "s3cr3t value" } })
      assert.same({ "Grüße", "9007199254740993", "1234567890123456.0", "", "s3cr3t value" },
        { head["x-text"], head["x-int"], head["x-float"], head["x-empty"], head["x-secret"] })
    end)

    it("what a body's kind says, unless a header says otherwise", function()
      assert.equal("application/json", wire("POST = base .. '/echo', json = {}")["content-type"])
      assert.equal("application/x-www-form-urlencoded", wire("POST = base .. '/echo', form = {}")["content-type"])
      assert.is_nil(wire("POST = base .. '/echo', body = 'x'")["content-type"])
      assert.equal("application/vnd.api+json",
        wire("POST = base .. '/echo', json = {}, headers = { ['content-type'] = 'application/vnd.api+json' }")["content-type"])
    end)

    it("each once, when the script names what jaunt would set", function()
      local head = wire("GET = base .. '/echo', headers = { ['idempotency-KEY'] = 'mine', ['user-agent'] = 'me', accept = 'a/b' }")
      assert.same({ "mine", "me", "a/b" }, { head["idempotency-key"], head["user-agent"], head.accept })
    end)
  end)

  describe("as the body", function()
    it("json, exactly: integers, empty lists and objects, null", function()
      local got = sent([[POST = base .. '/echo', json = { id = 12345678901234567, list = json.array {}, object = {}, f = 2.0,
        none = json.null, text = "a\"ü" }]])
      assert.equal('{"f":2.0,"id":12345678901234567,"list":[],"none":null,"object":{},"text":"a\\"ü"}', got.body)
    end)

    it("json of a single value", function()
      assert.equal("42", sent("POST = base .. '/echo', json = 42").body)
      assert.equal("false", sent("POST = base .. '/echo', json = false").body)
    end)

    it("a form, encoded as browsers do", function()
      local got = sent([[POST = base .. '/echo', form = { To = "+49 151", Body = "a&b=c ü~*-._", n = { 1, 2 }, f = 0.1 + 0.2 }]])
      assert.equal("Body=a%26b%3Dc+%C3%BC%7E*-._&To=%2B49+151&f=0.30000000000000004&n=1&n=2", got.body)
      assert.equal("+49 151", got.form.To)
    end)

    it("bytes as they are, NUL and all, and none where none are given", function()
      local head = wire([[POST = base .. '/echo', body = "raw\0\r\n\xff"]])
      assert.same({ "7", "7" }, { head.length, head["content-length"] })
      assert.same({ "0", "0" }, { wire("POST = base .. '/echo', body = ''")["content-length"], wire("POST = base .. '/echo'").length })
      assert.is_nil(wire("GET = base .. '/echo'")["content-length"])
      assert.equal("5", wire("DELETE = base .. '/echo', body = 'abcde'").length)
    end)

    it("a payload: a transform of Lua with its vars, or a file of JSON byte by byte", function()
      local got = sent("POST = base .. '/echo', payload = 'lead', vars = { given = { 1, 'x' } }", { files = payloads })
      assert.equal('{"event":true,"given":[1,"x"],"none":true}', got.body)
      assert.equal("application/json", got.headers["content-type"])
      got = sent("POST = base .. '/echo', payload = 'fixed'", { files = payloads })
      assert.equal('{ "b": 1, "a": [1.50, 12345678901234567890] }\n', got.body)
      assert.equal("application/json", got.headers["content-type"])
    end)

    it("a payload that is a table as json", function()
      local got = sent("POST = base .. '/echo', payload = { n = 1 }")
      assert.same({ '{"n":1}', "application/json" }, { got.body, got.headers["content-type"] })
    end)

    it("nothing for a payload that fails, and tells the line of the transform", function()
      local result = scripts.journey(([[
        call_api(person.id) { POST = %q, payload = person.id, on_failure = "continue" }]]):format(vendor.url("/any/echo")),
        { "fails", "calls", "wrong" }, { files = payloads, flags = { "--live", "--yes", "--json" } })
      assert.matches('fails is held at "fails": payload: [^\n]*payloads/fails.lua:2: attempt to index a nil value %(field \'name\'%)',
        result.err)
      assert.matches('calls is held at "calls": payload: [^\n]*payloads/calls.lua:1: call_api can\'t be used in a predicate or a payload',
        result.err)
      assert.matches('wrong is held at "wrong": payload: [^\n]*payloads/wrong.lua returns a table, where return function', result.err)
      assert.equal(3, result.report.held)
    end)
  end)

  describe("nothing", function()
    -- The messages of mistakes that a script can catch: what pcall(call_api, { FIELDS }) gives for each of a list.
    local function mistakes(list)
      local lines = { ("local base, said = %q, {}"):format(vendor.url("/any/echo")) }
      for _, fields in ipairs(list) do
        lines[#lines + 1] = ("said[#said + 1] = tostring(select(2, pcall(call_api, { %s })))"):format(fields)
      end
      return scripts.value(table.concat(lines, "\n") .. "\nreturn said")
    end

    -- `cases` maps fields to their message, or, ending in "…", to how it begins.
    local function check_mistakes(cases)
      local list = {}
      vendor.forget()
      for fields in pairs(cases) do list[#list + 1] = fields end
      for i, said in ipairs(mistakes(list)) do
        local wanted = cases[list[i]]
        local start = wanted:match("^(.*)…$")
        assert.equal(start or wanted, start and said:sub(1, #start) or said, list[i])
      end
      assert.same({}, vendor.told())
    end

    -- A live journey with one person for each of the cases { FIELDS = how the warning goes on }: all are held.
    local function check_holds(cases, options)
      local list, people, branches = {}, {}, {}
      for fields in pairs(cases) do
        list[#list + 1] = fields
        people[#people + 1] = "p" .. #list
        branches[#branches + 1] = ("if person.id == 'p%d' then call_api 'c%d' { on_failure = 'continue', %s } end"):format(
          #list, #list, fields)
      end
      options = options or {}
      options.flags = { "--live", "--yes", "--json" }
      vendor.forget()
      local result = scripts.journey(("local base = %q\n"):format(vendor.url("/any/echo")) .. table.concat(branches, "\n"), people, options)
      for i, fields in ipairs(list) do
        assert.matches(('p%d is held at "c%d": %s'):format(i, i, cases[fields]), result.err, 1, true)
        assert.equal(1, scripts.element(result.report, "c" .. i).held, fields)
      end
      assert.same({ #list, 0 }, { result.report.held, result.report.dropped })
      assert.same({}, vendor.told())
    end

    it("where fields contradict each other", function()
      check_mistakes {
        ["POST = base, form = {}, json = {}"] = "call_api has both json and form: a request has one body",
        ["POST = base, payload = 'x', body = ''"] = "call_api has both payload and body: a request has one body",
        ["GET = base, POST = base"] = "call_api has both GET and POST: one request has one method",
        ["GET = base, method = 'GET'"] = "call_api has both GET and method: take one",
        ["GET = base, url = base"] = "call_api has both GET and url: take one",
        ["GET = base, vars = {}"] = "call_api: vars go to a payload, and there is none here",
        ["via = 'x'"] = "call_api needs a verb with its path …",
      }
    end)

    it("for an unknown field, and names the nearest right one", function()
      check_mistakes {
        ["GET = base, timout = 1"] = 'call_api has no field "timout"; did you mean timeout?',
        ["GET = base, payloads = 1"] = 'call_api has no field "payloads"; did you mean payload?',
        ["Post = base"] = 'call_api has no field "Post"; did you mean POST?',
        ["method = 'post', url = base"] = 'call_api: "post" is no method that can be sent; did you mean POST?',
        ["method = 'query', url = base"] = 'call_api: "query" is no method that can be sent',
        ["GET = base, retry = { atempts = 2 }"] = 'retry has no field "atempts": it has attempts, base and cap; did you mean attempts?',
        ["GET = base, timeout = { conect = 2 }"] = 'timeout has no field "conect": it has connect and total; did you mean connect?',
        ["base"] = "call_api takes fields by name…",
      }
    end)

    it("for a field that is to come, and says that it is", function()
      local cases = {}
      for _, field in ipairs { "quiet", "cap", "consent", "rate", "circuit" } do
        cases[("GET = base, %s = 1"):format(field)] =
          ('call_api: "%s" is not there yet: this version of jaunt would ignore it, so leave it out'):format(field)
      end
      check_mistakes(cases)
    end)

    it("for a value of the wrong kind", function()
      check_mistakes {
        ["GET = 1"] = "call_api: GET is a text, not a number",
        ["GET = base, via = {}"] = "call_api: via is a text, not a table",
        ["GET = base, via = 'a\\0b'"] = "call_api: via holds a NUL byte",
        ["GET = base, query = 'a=b'"] = "query is a table of names and values, not a string",
        ["GET = base, query = { 'a' }"] = "query: its fields have names, name = value",
        ["GET = base, query = { a = print }"] = "query.a is a function: a text, a number, true, false or a list of these can be sent",
        ["GET = base, query = { a = { {} } }"] = "query.a is a table: a text, a number, true, false or a list of these can be sent",
        ["GET = base, query = { a = 1/0 }"] = "query.a is infinite, which can't be sent",
        ["GET = base, query = { a = 0/0 }"] = "query.a is not a number, which can't be sent",
        ["GET = base, form = { a = secret 'PATH' }"] = "form.a is a secret: a text, a number, true, false or a list of these can be sent",
        ["GET = base, headers = 'a: b'"] = "headers is a table of names and values, not a string",
        ["GET = base, headers = { a = true }"] = "call_api: the header a is a text, a number or a secret, not a boolean",
        ["GET = base, headers = { ['a\\0b'] = 'x' }"] = 'call_api: the name of the header "a" holds a NUL byte',
        ["GET = base, headers = { a = 0/0 }"] = "the header a is not a number, which can't be sent",
        ["GET = base, body = 1"] = "call_api: body is a text, not a number",
        ["GET = base, payload = 1"] = "call_api: payload is a text, not a number",
        ["GET = base, payload = 'x', vars = 1"] = "call_api: vars is a table { name = value }",
        ["GET = base, timeout = 'soon'"] = "timeout: …",
        ["GET = base, timeout = 0"] = "timeout has to be longer than nothing",
        ["GET = base, timeout = { connect = '0s' }"] = "timeout.connect has to be longer than nothing",
        ["GET = base, timeout = { total = {} }"] = "timeout.total is a duration such as \"2h\", not a table",
        ["GET = base, within = -1"] = "within: …",
        ["GET = base, retry = 0"] = "retry: attempts is a number from 1 to 100, the first attempt counted",
        ["GET = base, retry = 'yes'"] = "retry is { attempts = 4, base = \"1s\", cap = \"1m\" }, a number of attempts, or false",
        ["GET = base, success = '3x'"] = "success is a status such as 202, \"2xx\", \"200-204\", or a list of these",
        ["GET = base, success = {}"] = "success is a status such as 202, \"2xx\", \"200-204\", or a list of these",
        ["GET = base, success = 99"] = "success is a status such as 202, \"2xx\", \"200-204\", or a list of these",
        ["GET = base, on_failure = 'ignore'"] = "call_api: on_failure is \"drop\", \"continue\" or \"hold\", not \"ignore\"",
        ["GET = base, only_if = true"] = "call_api: only_if is a function(person, event) that says whether to send",
        ["GET = base, idempotent = 3"] = "call_api: idempotent is a text, not a number",
        ["GET = base, save_to = true"] = "call_api: save_to is a text, not a boolean",
        ["GET = base, redirects = true"] = "call_api: redirects says how many are followed, 0 to 30",
        ["GET = base, redirects = 31"] = "call_api: redirects says how many are followed, 0 to 30",
        ["GET = base, keep_body = 'much'"] = "keep_body is a size such as 65536, \"64KiB\" or \"1MB\"",
      }
    end)

    it("for a header that would break the request: the run is held, and is told which", function()
      check_holds {
        ["GET = base, headers = { a = 'x\\r\\nX-Evil: 1' }"] = 'payload: the value of the header "a" holds a line break: take it out',
        ["GET = base, headers = { a = 'x\\ny' }"] = 'payload: the value of the header "a" holds a line break: take it out',
        ["GET = base, headers = { a = 'x\\0y' }"] = 'payload: the value of the header "a" holds a NUL byte: take it out',
        ["GET = base, headers = { ['a b'] = 'x' }"] = 'config: "a b" is no header\'s name: it is made of letters, digits and -',
        ["GET = base, headers = { ['a\\r\\nb'] = 'x' }"] = 'config: "" is no header\'s name: it is made of letters, digits and -',
        ["GET = base, headers = { Host = 'evil.example' }"] = 'config: the header "Host" is set by jaunt itself: leave it out',
        ["GET = base, headers = { ['content-length'] = 3 }"] = 'config: the header "content-length" is set by jaunt itself: leave it out',
        ["GET = base, headers = { ['Transfer-Encoding'] = 'chunked' }"] =
          'config: the header "Transfer-Encoding" is set by jaunt itself: leave it out',
        ["GET = base, idempotent = 'a b'"] = 'config: "a b" is no header\'s name: it is made of letters, digits and -',
      }
    end)

    it("without a connection or a URL that can be called: the run is held, never dropped", function()
      check_holds({
        ["via = 'crn', GET = '/x'"] = 'config: connections.lua has no connection "crn"; did you mean crm?',
        ["via = 'crm', GET = '/x'"] = 'config: the connection "crm" has no base_url, so the call needs a whole URL',
        ["GET = '/x'"] = "config: /x is only a path: name a connection with `via`, or give a whole URL",
        ["via = 'shop', GET = 'x'"] = 'config: the path "x" has to begin with /',
        ["via = 'shop', GET = '/x#y'"] = 'config: "/x#y" holds a #',
        ["GET = 'http://u:p@127.0.0.1/'"] = "config: a URL must not carry a user or password: use the connection's `auth`",
        ["GET = 'http://127.0.0.1:99999/'"] = 'config: "99999" is not a port',
        ["via = 'shop', GET = '/a\\0b'"] = "config: the path holds a NUL byte",
      }, { files = { ["connections.lua"] = "return { crm = {}, shop = { base_url = 'http://127.0.0.1:9' } }" } })
    end)

    it("for a payload that fails, or a value that JSON can't hold: the run is held, and is told why and where", function()
      check_holds({
        ["POST = base, payload = 'text'"] = "payload: payload text gives a string: a transform returns a table",
        ["POST = base, payload = 'led'"] = 'payload: there is no payload "led"; did you mean lead?',
        ["POST = base, json = { a = { 1, 0/0 } }"] = "payload: json.a[2] is NaN",
        ["POST = base, payload = { a = print }"] = "payload: payload.a is a function",
      }, { files = payloads })
    end)
  end)
end)
