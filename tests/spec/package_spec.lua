-- What is installed: the manual page, what the shells complete with, and the Debian package with all of it.

local cli = require "jaunt.cli"
local fs = require "jaunt.native.fs"
local help = require "jaunt.cli.help"
local helper = require "helper"

local source = assert(os.getenv("JAUNT_SOURCE"), "JAUNT_SOURCE has to name the repository's folder")
local build = assert(os.getenv("JAUNT_BUILD"), "JAUNT_BUILD has to name the folder of the build")

local function has(program) return helper.sh("command -v " .. program).code == 0 end

-- Whether a text has the word, at a boundary of words.
local function names(text, word)
  return text:find("%f[%w-]" .. word:gsub("%p", "%%%0") .. "%f[^%w-]") ~= nil
end

describe("jaunt help", function()
  it("shows all commands, in four groups and what is besides", function()
    local out, group = helper.jaunt("help").out, nil
    local groups = {}
    for line in out:gmatch("[^\n]+") do
      group = line:match("^%u[%w ]+$") or group
      local name = line:match("^  (%l[%w-]*) ")
      if name then groups[name] = group end
    end
    local titles = { write = "Write journeys", run = "Run them", look = "Look at what happened", repair = "Repair what went wrong" }
    for _, name in ipairs(cli.commands()) do
      assert.equal(titles[cli.command(name).group] or "Besides", groups[name], name)
      groups[name] = nil
    end
    assert.is_nil(next(groups))
  end)
end)

describe("the manual page", function()
  local page = helper.jaunt("help", "--man").out
  local path = helper.write_file(helper.temp_folder() .. "/jaunt.1", page)

  it("tells of every command and each of its flags, arguments, examples and exit codes", function()
    local plain = page:gsub("\\f[BIR]", ""):gsub("\\%-", "-"):gsub("\\%(aq", "'"):gsub("\\%(dq", '"'):gsub("\\%(ti",
      "~"):gsub("\\e", "\\")
    for _, name in ipairs(cli.commands()) do
      local command = cli.command(name)
      local part = assert(plain:match("\n%.SS \"jaunt " .. name .. "[ \"].-\n%.S[SH] "), name .. " is missing")
      local told = help.description(command)
      for _, list in ipairs { told.arguments, told.flags, told.exit } do
        for _, row in ipairs(list) do assert(part:find("\n.TP\n" .. row[1] .. "\n", 1, true), name .. " " .. row[1]) end
      end
      for _, example in ipairs(told.examples) do assert(part:find("\n" .. example[1] .. "\n", 1, true), example[1]) end
    end
  end)

  it("has nothing that mandoc or groff complains of", function()
    if not has("mandoc") then return pending("needs mandoc") end
    local r = helper.sh("mandoc -Tlint -W warning " .. path)
    assert.same({ 0, "" }, { r.code, r.out })
    if has("groff") then
      r = helper.sh("groff -man -ww -Kutf8 -Tutf8 -Z " .. path .. " >/dev/null")
      assert.same({ 0, "" }, { r.code, r.err })
    end
  end)

  it("is of the day that SOURCE_DATE_EPOCH says", function()
    assert.matches('^%.TH JAUNT 1 "2001%-09%-09" "jaunt %d+%.%d+%.%d+"',
      helper.jaunt({ SOURCE_DATE_EPOCH = "1000000000" }, "help", "--man").out)
  end)
end)

-- The environment of somebody who has no sources of jaunt.
local PLAIN = "env -u JAUNT_LUALIB -u JAUNT_SOURCE -u JAUNT_BUILD "

local function need_installed_files()
  assert(fs.kind(build .. "/jaunt.1.gz"), "build the target jaunt_installed first")
end

describe("make install", function()
  it("puts the binary, the manual page and the completions where they are looked for", function()
    need_installed_files()
    local root = helper.temp_folder()
    local r = helper.sh(("DESTDIR=%s cmake --install %s --prefix /usr/local"):format(root, helper.quote(build)))
    assert.equal(0, r.code, r.err)
    local at = root .. "/usr/local/"
    assert.equal(helper.jaunt("completion", "bash").out, helper.read_file(at .. "share/bash-completion/completions/jaunt"))
    assert.equal(helper.jaunt("completion", "zsh").out, helper.read_file(at .. "share/zsh/site-functions/_jaunt"))
    local page = helper.sh("gzip -dc " .. at .. "share/man/man1/jaunt.1.gz").out
    assert.matches("^%.TH JAUNT 1 ", page)
    assert.equal(0, helper.sh(PLAIN .. at .. "bin/jaunt --version").code)
    assert.matches("The jaunt authors", helper.read_file(at .. "share/doc/jaunt/copyright"))
  end)
end)

describe("the Debian package", function()
  local package, root

  -- Makes and unpacks it; false, and why, where that can't be done here.
  local function unpacked()
    if root then return true end
    for _, program in ipairs { "dpkg-deb", "dpkg-shlibdeps" } do
      if not has(program) then return false, "needs " .. program .. ", of the Debian package dpkg-dev" end
    end
    if helper.is_sanitized() then return false, "a build with sanitizers is not for packages" end
    need_installed_files()
    local folder = helper.temp_folder()
    local r = helper.sh(("cd %s && cpack --config %s/CPackConfig.cmake -B %s"):format(folder, helper.quote(build), folder))
    assert.equal(0, r.code, r.err .. r.out)
    package = helper.sh("ls " .. folder .. "/*.deb").out:match("^[^\n]+")
    root = folder .. "/root"
    assert.equal(0, helper.sh(("dpkg-deb -x %s %s"):format(package, root)).code)
    return true
  end

  local function in_package(text, test)
    it(text, function()
      local ok, why = unpacked()
      if not ok then return pending(why) end
      test()
    end)
  end

  in_package("is called after version and architecture, and needs what is linked and what is loaded later", function()
    local version = helper.jaunt("--version").out:match("^jaunt (%S+)")
    local architecture = helper.sh("dpkg --print-architecture").out:match("%S+")
    assert.equal(("jaunt_%s_%s.deb"):format(version, architecture), package:match("[^/]+$"))
    local fields = helper.sh("dpkg-deb -f " .. package).out
    local needed, wished = "\n" .. fields:match("\nDepends: ([^\n]+)"), fields:match("\nRecommends: ([^\n]+)")
    for _, name in ipairs { "libc6", "libuv1", "libcsv3", "ca-certificates" } do assert(names(needed, name), name) end
    local count = 0
    for path in helper.sh("grep -rl shared_library " .. helper.quote(source) .. "/runtime --include=*.c").out:gmatch("[^\n]+") do
      for name in helper.read_file(path):gmatch('\nSHARED_LIBRARY%([^"]+"[^"]+",%s*"([^"]+)"') do
        assert(names(name == "libreadline8" and wished or needed, name), name)
        count = count + 1
      end
    end
    assert.is_true(count >= 5)
    assert(names(wished, "lua-busted"))
  end)

  in_package("holds the binary, the manual page, the completions, the copyright and the examples, all of them root's", function()
    for _, path in ipairs { "bin/jaunt", "share/man/man1/jaunt.1.gz", "share/bash-completion/completions/jaunt",
      "share/zsh/vendor-completions/_jaunt", "share/doc/jaunt/copyright", "share/doc/jaunt/changelog.gz" } do
      assert.equal("file", fs.kind(root .. "/usr/" .. path), path)
    end
    local examples = helper.sh(("cd %s/examples && git ls-files . 2>/dev/null || find . -type f"):format(helper.quote(source))).out
    for path in examples:gmatch("[^\n]+") do
      assert.equal("file", fs.kind(root .. "/usr/share/doc/jaunt/examples/" .. path), path)
    end
    local listing = helper.sh("dpkg-deb -c " .. package).out
    assert.is_nil(listing:match("[^\n]*secrets[^\n]*env"))
    for line in listing:gmatch("[^\n]+") do assert.matches("^[d-]rw[x-]r%-[x-]r%-[x-] root/root ", line) end
  end)

  in_package("has a binary that names its version, and makes a project that passes its tests", function()
    local jaunt = PLAIN .. root .. "/usr/bin/jaunt "
    assert.equal(helper.jaunt("--version").out, helper.sh(jaunt .. "--version").out)
    local r = helper.sh(("cd %s && %s new shop && cd shop && %s check && %s test"):format(helper.temp_folder(), jaunt,
      jaunt, jaunt))
    assert.equal(0, r.code, r.err .. r.out)
    assert.matches("4 successes / 0 failures", r.out, 1, true)
  end)

  in_package("has the licences of what is linked into it", function()
    local text = helper.read_file(root .. "/usr/share/doc/jaunt/copyright")
    for _, name in ipairs { "The jaunt authors", "Lua.org", "uthash", "zlib" } do assert.matches(name, text, 1, true) end
  end)

  in_package("has nothing that lintian calls an error", function()
    if not has("lintian") then return pending("needs lintian") end
    local r = helper.sh("lintian --allow-root " .. package)
    assert(not ("\n" .. r.out):find("\nE: "), r.out)
  end)
end)
