-- The control socket of a runtime that has a state: who may talk to it, what it answers, what is noted, and that nobody who talks
-- nonsense does any harm.

local control = require "jaunt.native.control"
local fs = require "jaunt.native.fs"
local helper = require "helper"
local json = require "json"
local repairing = require "repairing"
local running = require "running"
local socket = require "jaunt.native.socket"

local STATE = repairing.STATE

local function mode_of(path)
  return helper.sh("stat -c %a " .. helper.quote(path)).out:match("%d+")
end

local function sleepers()
  local project = repairing.project [[ wait "2d" ]]
  local process = project.live({}, function(_, counts) return counts.waiting == 8 end)
  return project, process, project.folder .. "/state.db.sock"
end

local function stop(process)
  process.signal "INT"
  return process.finish()
end

-- Sends a line, and gives the answer; nil where there is none.
local function ask(link, request)
  link:send(type(request) == "table" and json.encode(request) or request)
  local line = link:receive()
  return line and json.decode(line)
end

local function hello(path)
  local link <close> = assert(socket.connect(path))
  return ask(link, { command = "hello" })
end

describe("the control socket", function()
  it("is there while the runtime is, for its owner alone, and says who that is", function()
    local _, process, path = sleepers()
    assert.equal("600", mode_of(path))
    local about = hello(path)
    assert.equal("trip", about.journey)
    assert.is_true(about.live)
    assert.equal(12, #about.version)
    assert.is_true(running.lives(about.pid))
    assert.equal(json.null, about.paused_ms)
    stop(process)
    assert.is_nil(fs.kind(path))
    assert.is_nil(socket.connect(path))
  end)

  it("that a killed runtime has left is replaced", function()
    local project, process, path = sleepers()
    process.signal "KILL"
    process.finish()
    assert.is_truthy(fs.kind(path))
    assert.is_nil(socket.connect(path))
    process = project.live()
    assert.equal("trip", hello(path).journey)
    stop(process)
  end)

  it("is not made where something else stands, which is left alone, and the run goes on without", function()
    local project = repairing.project [[ wait "2h" ]]
    helper.write_file(project.folder .. "/state.db.sock", "precious")
    local report, result = project.run()
    assert.equal(8, report.completed)
    assert.is_truthy(result.err:find("warning: state.db.sock stands where the control socket is to be: jaunt redrive",
      1, true), result.err)
    assert.equal("precious", helper.read_file(project.folder .. "/state.db.sock"))
  end)

  it("is not there where the state is in memory", function()
    local project = repairing.project [[ wait "2d" ]]
    local process = running.start(project.folder, {}, "trip", "--people", "people.csv", "--live", "--yes", "--state", "memory:")
    running.wait_for("the first line", function() return helper.read_file(process.out):find("\n", 1, true) end)
    assert.same("", helper.sh("find " .. helper.quote(project.folder) .. " -type s").out)
    stop(process)
  end)

  it("works where its path is longer than the system's addresses", function()
    local project = repairing.project [[ wait "2d" ]]
    local deep = project.folder .. ("/" .. ("d"):rep(60)):rep(3)
    os.execute("mkdir -p " .. deep)
    local state = "sqlite:" .. deep .. "/state.db"
    local process = running.start(project.folder, {}, "trip", "--people", "people.csv", "--live", "--yes", "--state", state)
    repairing.wait_for_answer(deep .. "/state.db.sock", process)
    running.wait_for("the people", function()
      return select(2, project.jaunt("runs", "--state", state, "--csv").out:gsub("waiting", "")) == 8
    end)
    local told = project.command("end", "trip", "--state", state, "--yes")
    assert.equal(8, told.done)
    assert.equal(0, process.finish().code)
  end)
end)

describe("a request", function()
  it("that is none is answered in words, and the next one is heard", function()
    local _, process, path = sleepers()
    local link <close> = socket.connect(path)
    for _, case in ipairs {
      { "nonsense", "JSON object" }, { "", "JSON object" }, { "[1,2]", "no such command" }, { "12", "JSON object" },
      { ("["):rep(100000), "JSON object" }, { "\0\1\255", "JSON object" },
      { { command = "delete" }, "no such command" }, { { command = "redrive" }, "runs trip alone" },
      { { command = "redrive", journey = "other", runs = { { 1, "p1" } } }, "runs trip alone" },
      { { command = "redrive", journey = "trip" }, "list of [number, person]" },
      { { command = "redrive", journey = "trip", runs = {} }, "list of [number, person]" },
      { { command = "redrive", journey = "trip", runs = { { "1", "p1" } } }, "list of [number, person]" },
      { { command = "redrive", journey = "trip", runs = { { 1, 2 } } }, "list of [number, person]" },
      { { command = "redrive", journey = "trip", runs = { { -1, "p" } } }, "list of [number, person]" },
      { { command = "redrive", journey = "trip", runs = { { 1, "p\0q" } } }, "list of [number, person]" },
      { { command = "pause", journey = json.null }, "runs trip alone" },
    } do
      local answer = ask(link, case[1])
      assert.is_truthy(answer and answer.error and answer.error:find(case[2], 1, true), json.encode(answer or "none"))
    end
    local many = {}
    for i = 1, 201 do many[i] = { i, "p" } end
    assert.is_truthy(ask(link, { command = "end", journey = "trip", runs = many }).error:find("at most 200", 1, true))
    assert.equal("trip", ask(link, { command = "hello" }).journey)
    assert.is_nil(fs.kind((path:gsub("sock$", "audit"))))
    stop(process)
  end)

  it("for runs that are not there, or another person's, is refused for each", function()
    local _, process, path = sleepers()
    local link <close> = socket.connect(path)
    local answer = ask(link, { command = "end", journey = "trip", selection = "by hand",
      runs = { { 1000, "p1" }, { 1000, "p1" }, { 1, "p1" } } })
    assert.equal(2, #answer.refused + 1)
    assert.same({ 1000, "there is no such run" }, answer.refused[1])
    stop(process)
  end)

  it("whose selection is long is noted by its beginning, wherever in a letter that ends", function()
    local _, process, path = sleepers()
    local link <close> = socket.connect(path)
    local request = { command = "end", journey = "trip", selection = "x" .. ("ö"):rep(600), runs = { { 1000, "p1" } } }
    local answer = ask(link, request)
    assert.equal("there is no such run", answer and answer.refused[1][2])
    local note = json.decode(helper.read_file((path:gsub("sock$", "audit"))):match("[^\n]+"))
    assert.equal("x" .. ("ö"):rep(499), (note.selection:gsub("\u{FFFD}", "")))
    stop(process)
  end)

  it("may come in pieces, and several at once", function()
    local _, process, path = sleepers()
    local link <close> = socket.connect(path)
    link:send('{"command":"hello"}\n{"command":"hello"}\n{"command":"hello"}')
    for _ = 1, 3 do assert.equal("trip", json.decode(link:receive()).journey) end
    stop(process)
  end)

  it("that is too long ends the talk, and hurts nobody", function()
    local _, process, path = sleepers()
    local link <close> = socket.connect(path)
    link:send(("x"):rep(1 << 20))
    local line = link:receive()
    assert.is_truthy(line == nil or line:find("longer than 256 KiB", 1, true))
    assert.equal("trip", hello(path).journey)
    stop(process)
  end)

  it("of a client that is gone before the answer hurts nobody", function()
    local project, process, path = sleepers()
    local runs = {}
    for i = 1, 200 do runs[i] = { 1000 + i, "p" .. i } end
    for _ = 1, 15 do
      local link = assert(socket.connect(path))
      link:send(json.encode { command = "end", journey = "trip", runs = runs })
      link:close()
    end
    assert.equal("trip", hello(path).journey)
    assert.is_truthy(project.where().p1)
    stop(process)
  end)

  it("has to wait where too many talk already", function()
    local _, process, path = sleepers()
    local links = {}
    for i = 1, 16 do
      links[i] = assert(socket.connect(path))
      assert.equal("trip", ask(links[i], { command = "hello" }).journey)
    end
    local one_more <close> = socket.connect(path)
    assert.is_truthy(one_more:receive():find("too many", 1, true))
    assert.is_nil(one_more:receive())
    for _, link in ipairs(links) do link:close() end
    running.wait_for("room", function()
      local link <close> = socket.connect(path)
      return link and (ask(link, { command = "hello" }) or {}).journey
    end)
    stop(process)
  end)

  it("whose answers nobody reads is cut off in the end", function()
    local _, process, path = sleepers()
    local link <close> = socket.connect(path)
    local many = ('{"command":"hello"}\n'):rep(2000)
    for _ = 1, 100 do link:send(many) end
    assert.equal("trip", hello(path).journey)
    stop(process)
  end)
end)

describe("what changes something", function()
  it("is noted, with who asked for it, in a file that its owner alone can read", function()
    local project, process = sleepers()
    project.jaunt("end", "trip", "--state", STATE, "--where", "id == 'p1'")
    project.jaunt("pause", "trip", "--state", STATE)
    stop(process)
    project.jaunt("resume", "trip", "--state", STATE)
    project.jaunt("end", "trip", "--state", STATE, "--where", "id == 'p2'")
    local path = project.folder .. "/state.db.audit"
    assert.equal("600", mode_of(path))
    local notes = {}
    for line in helper.read_file(path):gmatch("[^\n]+") do notes[#notes + 1] = json.decode(line) end
    assert.equal(4, #notes)
    local uid = socket.me()
    for i, command in ipairs { "end", "pause", "resume", "end" } do
      assert.equal(command, notes[i].command)
      assert.equal("trip", notes[i].journey)
      assert.equal(uid, notes[i].uid)
      assert.equal(socket.user(uid), notes[i].user)
      assert.is_truthy(notes[i].time:find("^20%d%d%-%d%d%-%d%dT"))
    end
    assert.equal(1, notes[1].count)
    assert.equal([[trip --where 'id == '\''p1'\''']], notes[1].selection)
  end)

  it("is not done where it can't be noted", function()
    local project, process = sleepers()
    os.execute("mkdir " .. project.folder .. "/state.db.audit")
    for _ = 1, 2 do
      for _, command in ipairs { "end", "pause" } do
        local result = project.jaunt(command, "trip", "--state", STATE, command == "end" and "--yes" or "--json")
        assert.equal(2, result.code)
        assert.is_truthy(result.err:find("state.db.audit can't be written (Is a directory): nothing was done", 1, true), result.err)
      end
      if process then stop(process) end
      process = nil
    end
    assert.equal(8, select(2, project.where()).waiting)
  end)

  it("is told by the runtime to who looks at it", function()
    local project, process = sleepers()
    project.jaunt("end", "trip", "--state", STATE, "--where", "id == 'p1'")
    local result = stop(process)
    assert.is_truthy(result.err:find("ends 1 run of trip (trip --where 'id == ", 1, true), result.err)
  end)
end)

describe("a command", function()
  it("waits for another one that changes the same state at that moment", function()
    local project, process = sleepers()
    stop(process)
    local started = {}
    for i = 1, 3 do
      started[i] = helper.start("env -C " .. helper.quote(project.folder) .. " "
        .. helper.jaunt_words("end", "trip", "--state", STATE, "--where", ("id == 'p%d'"):format(i)))
    end
    for i = 1, 3 do
      local code = started[i].stop "0" -- waits for it
      assert.same({ 0, "1 run of trip ended\n", "" }, { code, helper.read_file(started[i].out), helper.read_file(started[i].err) })
    end
  end)

  it("for a journey that the runtime does not run says so", function()
    local project, process = sleepers()
    stop(process)
    helper.write_file(project.folder .. "/journeys/other.lua", (repairing.journey([[ wait "2d" ]]):gsub('"trip"', '"other"')))
    process = running.start(project.folder, {}, "other", "--people", "people.csv", "--state", STATE, "--live", "--yes")
    repairing.wait_for_answer(project.folder .. "/state.db.sock", process)
    local told, result = project.command("end", "trip", "--state", STATE, "--yes")
    assert.equal(1, result.code)
    assert.equal(8, told.refused[1].count)
    assert.is_truthy(told.refused[1].why:find("^process %d+ has the state, and runs other: it has to end first$"))
    result = project.jaunt("pause", "trip", "--state", STATE)
    assert.equal(2, result.code)
    assert.is_truthy(result.err:find("runs other: it has to end before trip can be paused", 1, true), result.err)
    stop(process)
  end)

  it("waits for no runtime that ends meanwhile, and says so", function()
    local project, process, path = sleepers()
    process.signal "STOP"
    local asking = helper.start("env -C " .. helper.quote(project.folder) .. " "
      .. helper.jaunt_words("pause", "trip", "--state", STATE))
    control.sleep(50) -- it waits for the answer by now, or finds the socket dead: both are right
    process.signal "KILL"
    process.finish()
    running.wait_for("its end", function() return not running.lives(asking.pid) end)
    local code = asking.stop("0")
    assert.is_true(code == 2 or code == 0)
    assert.is_truthy(fs.kind(path))
  end)
end)
