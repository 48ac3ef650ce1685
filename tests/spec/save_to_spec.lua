-- Where save_to may write: below saved/ of the project in a journey, below where one stands in a plain script; and
-- nowhere else, whatever a path or a symbolic link says.

local helper = require "helper"
local outside = require "outside"
local scripts = require "scripts"

local vendor

setup(function() vendor = outside.start() end)
teardown(function() vendor.stop() end)

-- What a call with this save_to (Lua text) does.
local function call_saving(path)
  return ("call_api { GET = %q, save_to = %s, retry = false }"):format(vendor.url("/any/say?body=whole"), path)
end

-- Runs a plain script in a folder of its own, which `prepare` (a shell text) fills.
local function run_script(path, prepare)
  local folder = scripts.folder { ["inner/script.lua"] = call_saving(path), ["secret.txt"] = "mine" }
  local r = helper.sh(("cd %s/inner && { %s; %s; }"):format(helper.quote(folder), prepare or ":",
    helper.jaunt_words("run", "--private-network", "script.lua")))
  r.folder = folder
  return r
end

-- The files in a folder and below it, sorted.
local function files_in(folder)
  return helper.sh(("cd %s && find . -type f | sort"):format(helper.quote(folder))).out
end

local OUT = {
  "'../secret.txt'", "'/tmp/jaunt-was-here'", "'a/../../secret.txt'", "'..'", "'.'", "''", "'a//b'", "'a/'", "'./a'",
}

describe("save_to in a plain script", function()
  it("writes below where one stands, and makes the folders on the way", function()
    local r = run_script("'2026/11/answer.txt'")
    assert.equal(0, r.code, r.err)
    assert.equal("whole", helper.read_file(r.folder .. "/inner/2026/11/answer.txt"))
    assert.matches("^%-rw%-%-%-%-%-%-%-", helper.sh("ls -l " .. r.folder .. "/inner/2026/11/answer.txt").out)
  end)

  for _, path in ipairs(OUT) do
    it("does not write to " .. path, function()
      vendor.forget()
      local r = run_script(path)
      assert.equal(1, r.code)
      assert.matches("save_to: a relative path without %. or %.%. is wanted", r.err)
      assert.equal("./inner/script.lua\n./secret.txt\n", files_in(r.folder))
      assert.same({}, vendor.told())
    end)
  end

  it("goes through no symbolic link, neither on the way nor at its end", function()
    for path, link in pairs { ["'way/secret.txt'"] = "ln -s .. way", ["'end'"] = "ln -s ../secret.txt end" } do
      local r = run_script(path, link)
      assert.equal(1, r.code)
      assert.matches("could not write the answer to ", r.err)
      assert.equal("mine", helper.read_file(r.folder .. "/secret.txt"))
      assert.equal("./inner/script.lua\n./secret.txt\n", files_in(r.folder))
    end
  end)

  it("writes into a pipe that stands there", function()
    local r = run_script("'pipe'", "mkfifo pipe; cat pipe >got & exec 3<>pipe")
    assert.equal(0, r.code, r.err)
    assert.equal("", r.err)
  end)
end)

describe("save_to in a journey", function()
  local function journey(path, id)
    return scripts.journey(call_saving(path), { id or "ada" }, { flags = { "--live", "--yes", "--json" } })
  end

  it("writes below saved/ of the project, wherever one stands", function()
    local r = journey "person.id .. '.txt'"
    assert.equal(1, r.report.completed, r.err)
    assert.equal("whole", helper.read_file(r.folder .. "/saved/ada.txt"))
  end)

  it("holds a person whose data leads out of it", function()
    local r = journey("person.id .. '.txt'", "../../ada")
    assert.equal(1, r.report.held, r.out)
    assert.matches("save_to: a relative path", r.out)
    assert.not_matches("ada%.txt", files_in(r.folder))
  end)
end)
