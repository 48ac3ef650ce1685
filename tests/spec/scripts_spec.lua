-- Plain scripts, which have no journey in them and are run once; and what scripts say by print and log.

local helper = require "helper"
local journeys = require "journeys"
local json = require "json"
local running = require "running"

-- Runs a script with these words behind it, in a folder of its own.
local function script(text, ...)
  local path = helper.write_file(helper.temp_folder() .. "/s.lua", text)
  local done = helper.jaunt("run", path, ...)
  done.path = path
  return done
end

describe("a plain script", function()
  it("is run once, with its words in ...", function()
    local done = script("print(select('#', ...), ...)", "one", "two words", "", "--", "--people", "ünïcode")
    assert.same({ 0, "5\tone\ttwo words\t\t--people\tünïcode\n", "" }, { done.code, done.out, done.err })
  end)

  it("prints nothing of its own", function()
    local done = script("")
    assert.same({ 0, "", "" }, { done.code, done.out, done.err })
  end)

  it("may begin with #! and a byte order mark, and its lines stay where they are", function()
    local done = script("\u{FEFF}#!/usr/bin/env jaunt\nerror 'here'")
    assert.equal(1, done.code)
    assert.matches("s.lua:2: here", done.err, 1, true)
  end)

  it("waits in real time, and lets calls and coroutines through", function()
    local vendor <close> = setmetatable(running.vendor(), { __close = function(self) self.stop() end })
    local done = script([[
      local before = now()
      wait "30ms"
      assert((now() - before) * 1000 + 0.5 >= 30)
      local got = call_api { GET = (...) .. "/hello", on_failure = "continue" }
      print(got.status, coroutine.wrap(function(url) return call_api { GET = url }.ok end)(...))
      print(os.time() > 1700000000, person.id, json.encode { 1 })
    ]], "--private-network", vendor.url)
    assert.equal(1, done.code)
    assert.matches("person", done.err, 1, true) -- there is none
    assert.equal("200\ttrue\n", done.out)
  end)

  it("fails with its own lines, from the inside out, and none of ours", function()
    local done = script("local function inner()\n error 'oh dear'\nend\nlocal function outer()\n inner()\nend\nouter()\n")
    assert.equal(1, done.code)
    assert.equal("", done.out)
    local path = done.path:gsub("%W", "%%%0")
    assert.matches(("^jaunt: %s:2: oh dear\n  at %s:2\n  at %s:5\n  at %s:7\n$"):format(path, path, path, path), done.err)
  end)

  it("fails after a wait with its own lines, too", function()
    local done = script("wait '1ms'\nlocal x = nil + 1")
    assert.equal(1, done.code)
    assert.matches("s.lua:2: attempt to perform arithmetic on a nil value", done.err, 1, true)
  end)

  it("ends with 0 after exit(), and with 1 after drop()", function()
    assert.equal(0, script("exit 'enough' print 'never'").code)
    assert.equal("", script("exit 'enough' print 'never'").out)
    assert.equal(1, script("drop 'enough'").code)
  end)

  it("ends with 1 and its reason when a call fails", function()
    local vendor <close> = setmetatable(running.vendor("--fail", "100%"), { __close = function(self) self.stop() end })
    local done = script("call_api 'ask' { GET = (...), retry = false } print 'never'", "--private-network", vendor.url)
    assert.equal(1, done.code)
    assert.equal("", done.out)
    assert.matches("ask", done.err, 1, true)
    assert.matches("503", done.err, 1, true)
  end)

  it("ends with 2 when it can't be read", function()
    local done = script("print('never'")
    assert.equal(2, done.code)
    assert.equal("", done.out)
    assert.matches("s.lua:1: ", done.err, 1, true)
    assert.equal(2, helper.jaunt("run", "no/such/script.lua").code)
  end)

  it("is told of a call_api without braces", function()
    local done = script("call_api 'ask'")
    assert.equal(1, done.code)
    assert.matches("call_api \"ask\" stands without its braces: call_api \"ask\" { ... }", done.err, 1, true)
  end)

  it("ends with 130 after Ctrl-C", function()
    local path = helper.write_file(helper.temp_folder() .. "/s.lua", "print 'waiting' wait '1h' print 'never'")
    local process = running.start(".", {}, "--grace", "0s", path)
    running.wait_for("the first line", function() return helper.read_file(process.out) == "waiting\n" end)
    process.signal "INT"
    local done = process.finish()
    assert.same({ 130, "waiting\n" }, { done.code, done.out })
  end)

  it("finds the modules of its project, and json", function()
    local project = journeys.project {
      ["lib/greet.lua"] = "local names = require 'lib.names'\nreturn function() return 'hello ' .. names[1] end",
      ["lib/names.lua"] = "return { 'ada' }",
      ["tool.lua"] = "print(require('lib.greet')(), require('lib.names') == require('lib.names'), require('json').encode { 1 })",
    }
    local done = helper.jaunt("run", project .. "/tool.lua")
    assert.same({ 0, "hello ada\ttrue\t[1]\n", "" }, { done.code, done.out, done.err })
  end)

  it("is told which module is missing, and where it would be", function()
    local project = journeys.project { ["tool.lua"] = "require 'lib.nothing'" }
    local done = helper.jaunt("run", project .. "/tool.lua")
    assert.equal(2, done.code)
    assert.matches('tool.lua: there is no module "lib.nothing": it would be ', done.err, 1, true)
    assert.matches("/lib/nothing.lua", done.err, 1, true)
    assert.matches('there is no module "x" outside of a project', script("require 'x'").err, 1, true)
  end)

  it("tells a module's error with the module's line", function()
    local project = journeys.project { ["lib/bad.lua"] = "local x\nerror 'oh dear'", ["tool.lua"] = "require 'lib.bad'" }
    local done = helper.jaunt("run", project .. "/tool.lua")
    assert.equal(1, done.code)
    assert.matches("/lib/bad.lua:2: oh dear\n", done.err, 1, true)
    assert.matches("at [^\n]*tool.lua:1\n", done.err)
  end)

  it("has no way out of its sandbox", function()
    local done = script("print(io, os.execute, os.exit, os.remove, load, loadfile, dofile, debug, package, collectgarbage, string.dump)")
    assert.equal(("nil\t"):rep(10) .. "nil\n", done.out)
  end)
end)

describe("what a script prints", function()
  it("comes in order and whole, however much it is", function()
    local done = script("for i = 1, 60000 do print(i) end print(('é'):rep(100000)) print 'end'")
    assert.equal(0, done.code)
    local expected = 1
    for line in done.out:gmatch("(%d+)\n") do
      if tonumber(line) ~= expected then break end
      expected = expected + 1
    end
    assert.equal(60001, expected)
    assert.equal("\n" .. ("é"):rep(100000) .. "\nend\n", done.out:sub(-(200000 + 6)))
  end)

  it("comes before the script's end, line by line", function()
    local path = helper.write_file(helper.temp_folder() .. "/s.lua", "print 'first' wait '1h'")
    local process = running.start(".", {}, path)
    running.wait_for("the first line", function() return helper.read_file(process.out) == "first\n" end)
    assert.is_true(running.lives(process.pid))
    process.stop "KILL"
  end)

  it("may be any value", function()
    local done = script("print(nil, true, 1, 1.0, 2^63, 'x', '') print() log('text', { b = 1, a = { 2 } }) log 'more'")
    assert.equal("nil\ttrue\t1\t1.0\t9.2233720368548e+18\tx\t\n\ns: text {\"a\":[2],\"b\":1}\ns: more\n", done.out)
  end)

  it("by log has fields that JSON can hold", function()
    assert.matches("fields.f is a function", script("log('x', { f = print })").err, 1, true)
    assert.matches("bad argument #1 to 'log'", script("log()").err, 1, true)
  end)

  it("comes on standard output in a journey, and under --json on standard error", function()
    local project = journeys.project {
      ["journeys/t.lua"] = [[return journey "t" { flow = function(person) print("one", 2, nil) log("three", { four = 4 }) end }]],
      ["people.csv"] = "id\nada\n",
    }
    local words = { "run", project .. "/journeys/t.lua", "--people", project .. "/people.csv" }
    local plain = helper.jaunt(table.unpack(words))
    assert.matches("\none\t2\tnil\nada: three {\"four\":4}\n", plain.out, 1, true)
    assert.is_nil(plain.err:find("three", 1, true))
    words[#words + 1] = "--json"
    local as_json = helper.jaunt(table.unpack(words))
    assert.matches("one\t2\tnil\nada: three {\"four\":4}\n", as_json.err, 1, true)
    assert.equal(1, json.decode(as_json.out).completed)
  end)

  it("by 30,000 people in a journey is all there", function()
    assert.equal(30000, #journeys.run({ flow = "say(person.id)", people = 30000 }).said)
  end)
end)
