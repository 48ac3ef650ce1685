local control = require "jaunt.native.control"
local fs = require "jaunt.native.fs"
local helper = require "helper"
local running = require "running"

describe("sleeping", function()
  it("lets the command wait, and never too short", function()
    local before = control.now_mono()
    control.sleep(20)
    assert.is_true(control.now_mono() - before >= 20)
  end)

  it("works through pcall and closes what is to be closed afterwards", function()
    local order = {}
    local ok = pcall(function()
      local _ <close> = setmetatable({}, { __close = function() control.sleep(0); order[#order + 1] = "closed" end })
      control.sleep(1)
      order[#order + 1] = "slept"
      error("enough")
    end)
    assert.is_false(ok)
    assert.same({ "slept", "closed" }, order)
  end)

  it("is refused, in words, where the command cannot wait", function()
    local inner = coroutine.wrap(function() return pcall(control.sleep, 1) end)
    local _, why = inner()
    assert.matches("only the command's own coroutine", why)
    _, why = pcall(table.sort, { 2, 1 }, function() control.sleep(1) end)
    assert.matches("cannot be done inside a C function's callback", why)
    assert.has_error(function() control.sleep(-1) end)
  end)
end)

describe("a signal", function()
  it("calls its listener on the loop", function()
    local heard
    control.on_signal("SIGHUP", function(name) heard = name end)
    local pid = helper.read_file("/proc/self/stat"):match("^%d+")
    os.execute("kill -HUP " .. pid)
    running.wait_for("the signal", function() return heard end)
    control.on_signal("SIGHUP", nil)
    assert.equal("SIGHUP", heard)
  end)

  it("that cannot be listened to is refused", function()
    assert.has_error(function() control.on_signal("SIGKILL", print) end,
      "SIGKILL is no signal that can be listened to")
  end)

  -- A command that says it is ready, then sleeps until a signal's listener lets it go.
  local lualib = helper.temp_folder()
  helper.write_file(lualib .. "/jaunt/commands/linger.lua", [[
    local control = require "jaunt.native.control"
    return { name = "linger", summary = "Lingers.", arguments = { { name = "how" } }, run = function(args)
      local ended = false
      local _ <close> = setmetatable({}, { __close = function() io.stderr:write("closed\n") end })
      control.on_signal("SIGTERM", function()
        if args.how == "fail" then error("no listener for this") end
        ended = true
      end)
      io.stdout:write("ready\n"):flush()
      while not ended do control.sleep(5) end
      return 3
    end }]])

  local function linger(how)
    local process = helper.start(helper.jaunt_words({ JAUNT_LUALIB = lualib }, "linger", how))
    running.wait_for("the command", function() return helper.read_file(process.out) ~= "" end)
    return process.stop("TERM"), helper.read_file(process.err)
  end

  it("lets a command end in its own way", function()
    assert.equal(3, (linger("well")))
  end)

  it("whose listener fails ends the command, which still closes what it holds", function()
    local code, err
    helper.with_a_mistake(function() code, err = linger("fail") end)
    assert.equal(2, code)
    assert.matches("closed\n", err)
    assert.matches("jaunt: .*no listener for this", err)
  end)
end)

describe("the file system", function()
  local folder = helper.temp_folder()
  helper.write_file(folder .. "/b", "two\0bytes")
  helper.write_file(folder .. "/a", "")
  helper.write_file(folder .. "/.hidden/x", "")

  it("lists a folder in order", function()
    assert.same({ ".hidden", "a", "b" }, fs.list(folder))
  end)

  it("tells kinds, permissions and ages", function()
    assert.equal("file", fs.kind(folder .. "/a"))
    assert.equal("dir", fs.kind(folder))
    assert.equal("other", fs.kind("/dev/null"))
    assert.is_nil((fs.kind(folder .. "/none")))
    os.execute("chmod 640 " .. folder .. "/a")
    local mode, ours = fs.mode(folder .. "/a")
    assert.equal(tonumber("640", 8), mode)
    assert.is_true(ours)
    os.execute("touch -d @1000000000.5 " .. folder .. "/a")
    assert.equal(1000000000.5, fs.mtime(folder .. "/a"))
  end)

  it("reads all bytes and finds the absolute path", function()
    assert.equal("two\0bytes", fs.read(folder .. "/b"))
    assert.equal(fs.absolute(folder) .. "/b", fs.absolute(folder .. "/.hidden/../b"))
  end)

  it("says what is wrong with which path", function()
    for _, call in ipairs { fs.list, fs.kind, fs.mode, fs.mtime, fs.absolute, fs.read } do
      local value, why = call(folder .. "/none")
      assert.is_nil(value)
      assert.equal(folder .. "/none: No such file or directory", why)
    end
    assert.matches("Is a directory", select(2, fs.read(folder)))
  end)
end)
