-- What is loaded when: libcurl and libmicrohttpd bring forty libraries along, so who needs neither does not load them, and
-- who finds none is told which package to install. And jaunt's own Lua modules, which are compiled when jaunt is built.

local helper = require "helper"
local scripts = require "scripts"

local folder = scripts.folder {
  ["empty.lua"] = "",
  ["call.lua"] = [[local answer = call_api { url = "http://127.0.0.1:9", retry = false, on_failure = "continue" }
    print(answer.error)]],
  ["connections.lua"] = "return {}",
  ["journeys/j.lua"] = [[return journey "j" { flow = function() end }]],
  ["people.csv"] = "id\nada\n",
}

-- The libraries that the dynamic loader looked for, as one text.
local function loaded(...)
  return helper.sh("cd " .. helper.quote(folder) .. " && LD_DEBUG=libs " .. helper.jaunt_words(...)).err
end

-- Runs with a file in the place of `library` that is none.
local function without(library, ...)
  local broken = scripts.folder { [library] = "no library" }
  return helper.sh(("cd %s && LD_LIBRARY_PATH=%s %s"):format(helper.quote(folder), helper.quote(broken),
    helper.jaunt_words(...)))
end

describe("libcurl and libmicrohttpd", function()
  it("are not loaded for what calls nobody", function()
    for _, words in ipairs { { "--version" }, { "help" }, { "run", "--help" }, { "run", "empty.lua" } } do
      local text = loaded(table.unpack(words))
      assert.matches("find library=libuv", text)
      assert.not_matches("find library=libcurl", text)
      assert.not_matches("find library=libmicrohttpd", text)
    end
  end)

  it("are loaded for the first call, and for the pretend vendor", function()
    local text = loaded("run", "--private-network", "call.lua")
    assert.matches("find library=libcurl", text)
    assert.not_matches("find library=libmicrohttpd", text)
    assert.matches("find library=libmicrohttpd", loaded("run", "j", "--people", "people.csv"))
  end)

  it("are named with the version that was found, by version --verbose", function()
    local r = helper.jaunt("--version", "--verbose")
    assert.equal(0, r.code)
    assert.matches("\nlibcurl %d+%.%d+%.%d+\n", r.out)
    assert.matches("\nlibmicrohttpd %d+%.%d+%.%d+\n", r.out)
    assert.matches("\nlibcurl %d+%.%d+%.%d+ %(built with%)\n", helper.jaunt("--version").out)
  end)

  it("have their package named where they are missing", function()
    local r = without("libmicrohttpd.so.12", "run", "j", "--people", "people.csv")
    assert.equal(2, r.code)
    assert.matches("^jaunt: [^\n]*libmicrohttpd%.so%.12: [^\n]*Debian package libmicrohttpd12\n$", r.err)
    r = without("libcurl.so.4", "run", "j", "--people", "people.csv", "--live", "--yes")
    assert.equal(2, r.code)
    assert.matches("\njaunt: [^\n]*libcurl%.so%.4: [^\n]*Debian package libcurl4\n$", r.err)
  end)

  it("are a failure of the first call where they are missing and a plain script calls", function()
    assert.equal(0, without("libcurl.so.4", "run", "empty.lua").code)
    local r = without("libcurl.so.4", "run", "call.lua")
    assert.equal(1, r.code)
    assert.matches("Debian package libcurl4", r.err)
  end)
end)

describe("the Lua modules within the binary", function()
  local embed = assert(os.getenv("JAUNT_BUILD"), "JAUNT_BUILD has to name the folder of the build") .. "/jaunt-embed"

  -- Runs what the build writes them with, over a folder of these files. Returns its result, and whether there is an output.
  local function embedded(files, ...)
    local lualib = scripts.folder(files)
    local output = helper.temp_folder() .. "/lualib.c"
    local r = helper.sh(("%s %s %s %s"):format(helper.quote(embed), output, lualib, table.concat({ ... }, " ")))
    return r, require("jaunt.native.fs").kind(output) ~= nil
  end

  it("fail the build where one has a syntax error or is not there, with its line, and leave no output", function()
    local files = { ["jaunt/good.lua"] = "return {}\n", ["jaunt/bad.lua"] = "local a = 1\nreturn a +\n" }
    local r, written = embedded(files, "jaunt/good.lua")
    assert.same({ 0, "", true }, { r.code, r.err, written })
    r, written = embedded(files, "jaunt/good.lua", "jaunt/bad.lua")
    assert.same({ 1, false }, { r.code, written })
    assert.matches("^lualib/jaunt/bad%.lua:3: unexpected symbol near <eof>\n$", r.err)
    r, written = embedded(files, "jaunt/none.lua")
    assert.same({ 1, false }, { r.code, written })
    assert.matches("jaunt/none%.lua: No such file or directory\n$", r.err)
  end)

  it("name their files and lines in a traceback", function()
    local r = helper.sh("env -u JAUNT_LUALIB JAUNT_TRACE=1 " .. helper.jaunt_words("zork"))
    assert.equal(2, r.code)
    assert.matches("\n\tlualib/jaunt/cli%.lua:%d+: in function 'jaunt%.cli%.main'\n", r.err)
  end)

  it("give way to those in JAUNT_LUALIB, which are text", function()
    local lualib = scripts.folder { ["jaunt/cli.lua"] = "return { main = function() print(\"mine\") end }" }
    assert.equal("mine\n", helper.jaunt({ JAUNT_LUALIB = lualib }, "help").out)
    local compiled = scripts.folder { ["jaunt/cli.lua"] = string.dump(function() end) }
    helper.with_a_mistake(function()
      local r = helper.jaunt({ JAUNT_LUALIB = compiled }, "help")
      assert.equal(2, r.code)
      assert.matches("attempt to load a binary chunk", r.err, 1, true)
    end)
  end)
end)
