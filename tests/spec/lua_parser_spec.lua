-- jaunt.lua: scripts as tokens and trees, and what their names refer to.

local fs = require "jaunt.native.fs"
local helper = require "helper"
local lexer = require "jaunt.lua.lexer"
local parser = require "jaunt.lua.parser"
local scope = require "jaunt.lua.scope"

local source = os.getenv("JAUNT_SOURCE")

-- Every Lua file below a folder.
local function lua_files(folder, found)
  for _, name in ipairs(fs.list(folder)) do
    local path = folder .. "/" .. name
    if fs.kind(path) == "dir" then lua_files(path, found) elseif name:find("%.lua$") then found[#found + 1] = path end
  end
  return found
end

local function all_sources()
  local found = {}
  for _, folder in ipairs { "lualib", "scripts", "examples", "tests" } do lua_files(source .. "/" .. folder, found) end
  return found
end

describe("the parser", function()
  it("takes every script of this project, and each node lies within its parent", function()
    local files = all_sources()
    assert.is_true(#files > 100)
    for _, path in ipairs(files) do
      local tree, mistake = parser.parse(helper.read_file(path))
      assert(tree, mistake and ("%s:%d:%d: %s"):format(path, mistake.line, mistake.column, mistake.text))
      scope.walk(tree, function(node, parent)
        if parent and not node.implied then
          assert(parent.at <= node.at and node.stop <= parent.stop, ("%s: a %s lies outside its %s"):format(path, node.kind, parent.kind))
        end
      end)
    end
  end)

  it("says of a broken script what Lua says: that it is one, and whether only more of it is missing", function()
    local random = 12345
    local function dice(n)
      random = (random * 1103515245 + 12345) % 0x80000000
      return random // 65536 % n + 1
    end
    local pieces = { "end", "then", "(", ")", "local x <const> = 1", "=", "'", "[[", "...", "break", "goto x", "::x::", "0x", "\\", "~", "and", "}", "return", "" }
    local tried, broken, incomplete = 0, 0, 0
    for _, path in ipairs(all_sources()) do
      local text = helper.read_file(path):sub(1, 3000)
      for _ = 1, 12 do
        local at, length = dice(#text), dice(6) - 1
        local changed = text:sub(1, at) .. pieces[dice(#pieces)] .. text:sub(at + 1 + length)
        local made, why = load(changed:gsub("^#[^\n]*", ""), "=", "t", {})
        local tree, mistake = parser.parse(changed)
        assert(made and tree or not made and mistake, ("%s, at %d: Lua says %s, we %s"):format(path, at, why or "it is well", mistake and mistake.text or "it is well"))
        tried = tried + 1
        if not made then broken = broken + 1 end
        if not made and why:find("<eof>", 1, true) and mistake.incomplete then incomplete = incomplete + 1 end
      end
    end
    assert.is_true(tried > 1000 and broken > tried // 3 and incomplete > 10)
  end)

  it("tells what is wrong in words, with line and column", function()
    for text, told in pairs {
      ["x = = 1"] = "1:5: an expression is expected, not '='", ["f()\nif x then"] = "2:10: 'end' is expected (to close 'if' in line 2), not the end",
      ["local 1"] = "1:7: a name is expected, not '1'", ["x"] = "1:2: a statement is expected: this is only a value, before the end",
      ["f() = 1"] = "1:5: nothing can be assigned to that, before '='", ["x = 'a"] = "1:5: unfinished string",
      ["x = 08x"] = "1:5: malformed number", ["goto nowhere"] = "1:1: no visible label 'nowhere' for <goto> at line 1",
      ["local x <const> = 1\nx = 2"] = "2:1: attempt to assign to const variable 'x'", ["end"] = "1:1: the end is expected, not 'end'",
    } do
      local tree, mistake = parser.parse(text)
      assert.is_nil(tree)
      assert.equal(told, ("%d:%d: %s"):format(mistake.line, mistake.column, mistake.text))
    end
  end)

  it("knows a text that only ends too early from one that is wrong", function()
    for _, text in ipairs { "if x then", "f(", "x = {", "x = [[a", "x = ", "local function f()", "--[[ a", "repeat", "call_api {", "x = 'a\\z" } do
      assert.is_true(select(2, parser.parse(text)).incomplete, text)
    end
    for _, text in ipairs { "x = = ", "f(]", "x = 'a\n'", "end", ")" } do assert.is_falsy(select(2, parser.parse(text)).incomplete, text) end
  end)

  it("goes on behind what is wrong where that is wanted", function()
    local tree, mistakes = parser.parse("local a = 1\nx = = 2\nlocal b = 3\nend\nif a then b( end\nlocal c", true)
    local names = {}
    scope.walk(tree, function(node)
      if node.kind == "local" then names[#names + 1] = node.names[1].name end
    end)
    assert.same({ "a", "b", "c" }, names)
    assert.same({ 2, 4, 5 }, { mistakes[1].line, mistakes[2].line, mistakes[3].line })
  end)

  it("reads texts and numbers as Lua does", function()
    local text = [==["a\n\x41\65\u{20AC}\z
      b", 'it''s', [[
long]], [=[a]]b]=], 0x10, 1e3, 3., .5, 0x.8p1, 9223372036854775807, 9223372036854775808]==]
    local expected = table.pack(load("return " .. text:gsub("'it''s'", "'its'"))())
    local tree = assert(parser.parse("return " .. text:gsub("'it''s'", "'its'")))
    for i, node in ipairs(tree.body[1].values) do
      assert.equal(expected[i], node.value)
      assert.equal(math.type(expected[i]), math.type(node.value))
    end
  end)

  it("gives up on what is nested too deeply, as Lua does", function()
    local _, mistake = parser.parse("x = " .. ("("):rep(300) .. "1" .. (")"):rep(300))
    assert.matches("nested too deeply", mistake.text)
  end)
end)

describe("tokens", function()
  it("cover the text without its spaces, comments and broken ends included", function()
    for _, text in ipairs { "local x = 1 -- note\n--[[ long\n]] f'x'", "x = 'open", "@ $ x", "#!/usr/bin/env jaunt\nprint(1)" } do
      local rest = text:gsub("^#[^\n]*", "")
      for _, token in ipairs(lexer.tokens(text)) do
        rest = rest:gsub("^%s*", "")
        local written = text:sub(token.at, token.stop)
        assert.equal(written, rest:sub(1, #written))
        rest = rest:sub(#written + 1)
      end
      assert.equal("", rest)
    end
  end)
end)

describe("scopes", function()
  local function resolved(text)
    local tree = assert(parser.parse(text))
    return tree, scope.resolve(tree)
  end

  it("tell globals from locals, and what an inner function uses", function()
    local _, found = resolved([[
      local a, b = 1, c
      local function f(x) a = x + b; d = x; return f end
      for i = 1, 3 do e(i) end
      for k, v in pairs(a) do b = k end
      repeat local z = 1 until z
      function g.h:m(y) self.y = y end]])
    local globals = {}
    for name, global in pairs(found.globals) do globals[name] = #global.reads .. "/" .. #global.writes end
    assert.same({ c = "1/0", d = "0/1", e = "1/0", pairs = "1/0", g = "1/0" }, globals)
    local captured = {}
    for _, variable in ipairs(found.locals) do
      if variable.captured then captured[#captured + 1] = variable.name end
    end
    assert.same({ "a", "b", "f" }, captured)
  end)

  it("see a local only behind its declaration, and not outside its block", function()
    local _, found = resolved("x = 1; local x = x; do local y = x end; y = 2")
    assert.same({ 1, 1 }, { #found.globals.x.writes, #found.globals.x.reads })
    assert.equal(1, #found.globals.y.writes)
  end)

  it("find the calls of the vocabulary, with names and fields", function()
    local tree = resolved([[
      local split = split
      call_api "first" { via = "crm", POST = "/x" }
      if call_api { GET = "/y" }.ok then wait "2h" end
      local r = split "copy" { a = 1 }
      wait_for("paid", { within = "1h" })]])
    local told = {}
    for i, call in ipairs(scope.calls(tree, { call_api = true, wait = true, wait_for = true, split = true })) do
      told[i] = ("%d %s %s %s"):format(call.line, call.word, call.name, call.fields and scope.field(call.fields, "GET") and "GET" or call.fields and "fields" or "none")
    end
    assert.same({ "2 call_api first fields", "3 call_api nil GET", "3 wait 2h none", "5 wait_for paid none" }, told)
  end)
end)
