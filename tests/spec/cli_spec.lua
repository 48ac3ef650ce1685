local arguments = require "jaunt.cli.arguments"
local durations = require "jaunt.base.durations"
local existing = require "jaunt.base.existing"
local helper = require "helper"

local COMMAND = {
  name = "greet",
  group = "run",
  summary = "Greets people.",
  arguments = { { name = "who", help = "whom to greet" }, { name = "others", many = true, optional = true } },
  flags = {
    { name = "people", value = "FILE", help = "where they come from" },
    { name = "in-flight", value = "N", kind = "integer", default = 1000, min = 1, max = 5000, help = "at once" },
    { name = "fail", value = "SHARE", kind = "percent" },
    { name = "latency", value = "TIME", kind = "duration" },
    { name = "speed", value = "X", kind = "number" },
    { name = "format", value = "NAME", choices = { "text", "json" } },
    { name = "live", help = "the real thing" },
  },
  examples = { "jaunt greet ada", { "jaunt greet ada --live", "aloud" } },
  exit = { [0] = "greeted", [2] = "could not" },
  run = function() end,
}

-- The message of the mistake that parsing these words is.
local function mistake(...)
  local words = { ... }
  local ok, err = pcall(arguments.parse, COMMAND, words)
  assert.is_false(ok)
  return tostring(err)
end

describe("a command's words", function()
  it("become arguments and flags by name", function()
    local args, flags = arguments.parse(COMMAND, { "ada", "--people", "p.csv", "--live", "--in-flight=7", "bob", "eve" })
    assert.equal("ada", args.who)
    assert.same({ "bob", "eve" }, args.others)
    assert.equal("p.csv", flags.people)
    assert.equal(7, flags.in_flight)
    assert.is_true(flags.live)
  end)

  it("have defaults where nothing is given", function()
    local args, flags = arguments.parse(COMMAND, { "ada" })
    assert.same({}, args.others)
    assert.equal(1000, flags.in_flight)
    assert.is_false(flags.live)
    assert.is_nil(flags.people)
  end)

  it("are turned into the flag's kind", function()
    local _, flags = arguments.parse(COMMAND, { "ada", "--fail", "0.5%", "--latency", "1m30s", "--speed", "1.5" })
    assert.equal(0.005, flags.fail)
    assert.equal(90000, flags.latency)
    assert.equal(1.5, flags.speed)
  end)

  it("are arguments behind -- and a lone -", function()
    local args = arguments.parse(COMMAND, { "-", "--", "--live", "-x" })
    assert.equal("-", args.who)
    assert.same({ "--live", "-x" }, args.others)
  end)

  it("take a value that begins with one dash", function()
    local _, flags = arguments.parse(COMMAND, { "ada", "--speed", "-2", "--people", "-" })
    assert.equal(-2, flags.speed)
    assert.equal("-", flags.people)
  end)

  it("ask for help with --help or -h anywhere", function()
    assert.is_nil((arguments.parse(COMMAND, { "--help" })))
    assert.is_nil((arguments.parse(COMMAND, { "ada", "-h" })))
  end)

  it("that are wrong get the nearest right flag", function()
    assert.equal("greet has no flag --peple; did you mean --people?", mistake("ada", "--peple", "x"))
    assert.equal("greet has no flag --peple; did you mean --people?", mistake("ada", "--peple=x"))
    assert.equal("greet has no flag -people; did you mean --people?", mistake("ada", "-people"))
    assert.equal("greet has no flag --zzzz; jaunt greet --help lists its flags", mistake("ada", "--zzzz"))
    assert.equal("greet has no flag --; jaunt greet --help lists its flags", mistake("ada", "--=x"))
  end)

  it("say what a flag takes", function()
    assert.equal("--people needs a value: --people FILE", mistake("ada", "--people"))
    assert.equal("--people needs a value: --people FILE", mistake("ada", "--people", "--live"))
    assert.equal("--live takes no value", mistake("ada", "--live=yes"))
    assert.equal('--in-flight takes a whole number, not "7.5"', mistake("ada", "--in-flight", "7.5"))
    assert.equal("--in-flight is at least 1, not 0", mistake("ada", "--in-flight", "0"))
    assert.equal("--in-flight is at most 5000, not 5001", mistake("ada", "--in-flight", "5001"))
    assert.equal('--fail takes a share from 0% to 100%, such as 2%, not "2"', mistake("ada", "--fail", "2"))
    assert.equal('--latency takes a duration, such as 20ms, 10s, 5m, 2h or 7d, not "fast"',
      mistake("ada", "--latency", "fast"))
    assert.equal("--format is one of text, json, not jsno; did you mean json?", mistake("ada", "--format", "jsno"))
  end)

  it("say what is missing or too much", function()
    local single = { name = "one", arguments = { { name = "thing" } } }
    assert.equal("greet needs WHO; jaunt greet --help says more", mistake())
    local _, err = pcall(arguments.parse, single, { "a", "b" })
    assert.equal('one does not know what to do with "b"; jaunt one --help says what it takes', tostring(err))
  end)
end)

describe("a duration", function()
  it("is a number and a unit, once or more", function()
    assert.equal(20, durations.read("20ms"))
    assert.equal(1500, durations.read("1.5s"))
    assert.equal(7 * 24 * 3600 * 1000, durations.read("7d"))
    assert.equal(14 * 24 * 3600 * 1000, durations.read("2w"))
    assert.equal(5400000, durations.read("1h30m"))
  end)

  it("is nothing else", function()
    for _, text in ipairs { "", "5", "s", "5x", "-5s", "5s ", "5s3" } do assert.is_nil(durations.read(text)) end
  end)
end)

describe("a file that is named", function()
  local folder = helper.temp_folder()
  helper.write_file(folder .. "/people/samples.csv", "id\n1\n")
  helper.write_file(folder .. "/people/newcomers.csv", "id\n1\n")

  local function missing(path)
    local ok, err = pcall(existing.file, path)
    assert.is_false(ok)
    return tostring(err)
  end

  it("is itself when it is there", function()
    local path = folder .. "/people/samples.csv"
    assert.equal(path, existing.file(path))
    assert.equal(folder, existing.folder(folder))
  end)

  it("gets the nearest right name when it is mistyped", function()
    local path = folder .. "/people/sampels.csv"
    assert.equal(("no such file: %s; did you mean samples.csv?"):format(path), missing(path))
  end)

  it("gets the whole path when a folder in it is mistyped", function()
    local path = folder .. "/poeple/sampels.csv"
    assert.equal(("no such file: %s; did you mean %s/people/samples.csv?"):format(path, folder), missing(path))
  end)

  it("gets the file that begins so when its end was left out", function()
    local path = folder .. "/people/new"
    assert.equal(("no such file: %s; did you mean newcomers.csv?"):format(path), missing(path))
  end)

  it("gets no advice when nothing is near", function()
    local path = folder .. "/people/zzzzzz"
    assert.equal("no such file: " .. path, missing(path))
  end)

  it("is not a folder", function()
    assert.equal(folder .. " is a folder, where a file is needed", missing(folder))
  end)
end)

describe("jaunt", function()
  -- A folder of commands beside the embedded ones.
  local lualib = helper.temp_folder()
  local function command(name, text) helper.write_file(lualib .. "/jaunt/commands/" .. name .. ".lua", text) end
  local function jaunt(...) return helper.jaunt({ JAUNT_LUALIB = lualib, COLUMNS = "80" }, ...) end

  command("greet", [[
    return { name = "greet", group = "run", summary = "Greets people.",
      arguments = { { name = "who", help = "whom to greet" } },
      flags = {
        { name = "in-flight", value = "N", kind = "integer", default = 1000, help = "how many are greeted at once, while the "
          .. "others wait for their turn in the order in which they came" },
        { name = "live", help = "the real thing" } },
      examples = { { "jaunt greet ada --live", "aloud" } }, exit = { [0] = "greeted", [2] = "could not" },
      run = function(args, flags) print("hello " .. args.who .. " " .. flags.in_flight) return 7 end }]])
  command("break", [[return { name = "break", summary = "Breaks.", run = function() local x = nil; return x.y end }]])
  command("refuse", [[
    return { name = "refuse", summary = "Refuses.", run = function() require "jaunt.base.mistakes".fail("not today") end }]])
  command("wander", [[return { name = "wander", summary = "Wanders.", run = function() coroutine.yield() end }]])

  it("names the versions of what it is made of", function()
    local r = helper.jaunt("--version")
    assert.equal(0, r.code)
    assert.equal("", r.err)
    for _, library in ipairs { "jaunt", "Lua", "libcurl", "libuv", "lua%-cjson", "libmicrohttpd" } do
      assert.matches("%f[%w]" .. library .. " %d+%.%d+%.%d+%f[^%d]", r.out)
    end
  end)

  it("has its Lua side within it", function()
    local r = helper.sh("cd / && env -u JAUNT_LUALIB " .. helper.jaunt_words("--version"))
    assert.equal(0, r.code)
    assert.matches("^jaunt %d", r.out)
  end)

  it("lists its commands by group, and at the end those that have none", function()
    local r = jaunt("help")
    assert.equal(0, r.code)
    assert.matches("Run them\n  greet %s*Greets people%.\n", r.out)
    assert.matches("Besides\n.*Refuses", r.out)
    assert.equal(r.out, jaunt("--help").out)
    assert.equal(r.out, jaunt().out)
  end)

  it("shows a command's help, made from what the command says of itself", function()
    local r = jaunt("greet", "--help")
    assert.equal(0, r.code)
    assert.equal([[
Usage: jaunt greet WHO [--FLAGS]

Greets people.

Arguments
  WHO  whom to greet

Flags
  --in-flight N  how many are greeted at once, while the others wait for their
                 turn in the order in which they came (default: 1000)
  --live         the real thing
  --help         shows this

Examples
  # aloud
  jaunt greet ada --live

Exit codes
  0  greeted
  2  could not
]], r.out)
    assert.equal(r.out, jaunt("help", "greet").out)
  end)

  it("ends with what the command returns", function()
    local r = jaunt("greet", "ada", "--in-flight=3")
    assert.equal("hello ada 3\n", r.out)
    assert.equal(7, r.code)
  end)

  it("passes words on as they are", function()
    assert.equal("hello a 'b' \"c\"\n* 1000\n", jaunt("greet", "a 'b' \"c\"\n*").out)
  end)

  it("gives the nearest right command", function()
    local r = jaunt("gret")
    assert.equal(2, r.code)
    assert.equal("jaunt: no such command: gret; did you mean greet?\n", r.err)
    assert.equal("jaunt: no such command: ../help; jaunt help lists them\n", jaunt("../help").err)
    assert.equal("jaunt: --verison stands where a command is expected; did you mean --version?\n",
      jaunt("--verison").err)
  end)

  it("tells a person's mistake in one line", function()
    local r = jaunt("refuse")
    assert.equal(2, r.code)
    assert.equal("jaunt: not today\n", r.err)
  end)

  it("tells its own mistake in one line, and where, if asked to", function()
    local r, traced
    helper.with_a_mistake(function()
      r = jaunt("break")
      traced = helper.jaunt({ JAUNT_LUALIB = lualib, JAUNT_TRACE = "1" }, "break")
    end)
    assert.equal(2, r.code)
    assert.matches("^jaunt: .*break%.lua:1: attempt to index a nil value[^\n]*JAUNT_TRACE=1 shows where%)\n$", r.err)
    assert.matches("stack traceback:.*break%.lua:1:", traced.err)
  end)

  it("does not wait for ever for a command that yields to nobody", function()
    local r = jaunt("wander")
    assert.equal(2, r.code)
    assert.matches("^jaunt: coroutine%.yield was called", r.err)
  end)

  it("says when the folder for its Lua side is none", function()
    local r = helper.jaunt({ JAUNT_LUALIB = lualib .. "/none" }, "help")
    assert.equal(2, r.code)
    assert.matches("^jaunt: JAUNT_LUALIB names .*/none, which is no folder\n$", r.err)
  end)

  it("does not take a full disk for success", function()
    local r = helper.sh(helper.jaunt_words("--version") .. " >/dev/full")
    assert.equal(2, r.code)
    assert.matches("^jaunt: can't write the output: ", r.err)
  end)

  it("minds no reader that goes away", function()
    local r = helper.sh("{ sleep 0.1; " .. helper.jaunt_words("--version") .. "; echo $? >&2; } | true")
    assert.equal("0\n", r.err)
  end)

  it("writes colours on a terminal only", function()
    assert.not_matches("\27", jaunt("help").out)
  end)
end)
