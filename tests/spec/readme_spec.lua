-- The README tells the truth: what can be typed is typed, in a copy of the project and in the order in which it stands there;
-- what can be compiled is compiled; tables list what the source knows, no more and no less.
--
-- A ```lua block that begins with "-- PATH.lua" is put there first. What stands in a ```text block is in the output of the
-- command before it. `jaunt vendor` goes on in the background, at a port of its own.

local audience = require "jaunt.native.audience"
local cli = require "jaunt.cli"
local control = require "jaunt.native.control"
local helper = require "helper"
local json = require "json"
local renderers = require "jaunt.worker.renderers"
local vendor = require "jaunt.native.vendor"

local source = assert(os.getenv("JAUNT_SOURCE"), "JAUNT_SOURCE has to name the repository's folder")
local readme = helper.read_file(source .. "/README.md")

-- What is not typed here, because the tests are a part of it or because it would change this machine.
local NOT_TYPED = {
  ["make run"] = true, ["make test"] = true, ["make tsan"] = true, ["make fuzz"] = true, ["make soak"] = true,
  ["make bench"] = true, ["make lint"] = true, ["make format"] = true, ["make install"] = true, ["make package"] = true,
}

local function file(path) return helper.read_file(source .. "/" .. path) end

-- The fenced blocks: { language =, text =, line = }.
local function fenced_blocks()
  local found, open, number = {}, nil, 0
  for line in (readme .. "\n"):gmatch("(.-)\n") do
    number = number + 1
    local language = line:match("^```(.*)$")
    if language and open then
      open.text = table.concat(open, "\n") .. "\n"
      found[#found + 1], open = open, nil
    elseif language then
      open = { language = language, line = number }
    elseif open then
      open[#open + 1] = line
    end
  end
  assert(not open, "a block of the README is not closed")
  return found
end

---------------------------------------------------------------------------------------------- what is typed

local scratch, environment, last

local function wait_for_vendor(process)
  for _ = 1, 6000 do
    local url = helper.read_file(process.out):match("listening on (http://[%d.:]+)\n")
    if url then return url end
    control.sleep(5)
  end
  error("the pretend vendor said nothing but: " .. helper.read_file(process.err))
end

local function start_vendor(command)
  local jaunt = helper.quote(assert(os.getenv("JAUNT")))
  return wait_for_vendor(helper.start(("sh -c 'cd \"$0\" && exec \"$@\"' %s %s %s"):format(scratch, jaunt, command)))
end

local function type_in(command)
  local jaunt = helper.quote(assert(os.getenv("JAUNT")))
  -- the vendors are on this machine here, and not where the README's are
  local run = "[ \"$1\" != run ] || { shift; set -- run --private-network \"$@\"; }"
  return helper.sh(("cd %s && jaunt() { %s; %s %s \"$@\"; } && %s"):format(scratch, run, environment, jaunt, command))
end

-- curl, as far as it is used here.
local FETCH = [[
local url, body = ...
local answer = call_api { method = body and "POST" or "GET", url = url, body = body }
print(answer.body)
]]

local function fetch(command)
  local url, body = command:match("(http://[^%s']+)"), command:match("%-d '([^']*)'")
  helper.write_file(scratch .. "/fetch.lua", FETCH)
  return type_in(("jaunt run fetch.lua %s %s"):format(helper.quote(url), body and helper.quote(body) or ""))
end

local function is_not_typed(command)
  local target = command:match("^make %S+")
  if not target then return false end
  assert(NOT_TYPED[target], target .. " is not known here")
  assert(file("Makefile"):find("\n" .. target:sub(6) .. ":", 1, true), "the Makefile has no " .. target)
  return true
end

local running_at -- the port of the vendor that a command started

local function run_line(line, number)
  local command = line:gsub("%s+#.*$", "")
  if is_not_typed(command) then return end
  if command:find("^jaunt vendor ") then
    running_at = start_vendor(command:gsub("^jaunt ", ""):gsub("%-%-port %d+", "--port 0"))
    return
  end
  local result
  if command:find("^curl ") then result = fetch((command:gsub("http://127%.0%.0%.1:8080", running_at)))
  else result = type_in(command) end
  assert(result.code == 0, ("README.md:%d: %s\nended with %d: %s"):format(number, command, result.code, result.err))
  last = result.out
end

local function run_sh(block)
  for i, line in ipairs(block) do
    if line:find("%S") then run_line(line, block.line + i) end
  end
end

---------------------------------------------------------------------------------------------- what is compiled

local function check_lua(block)
  local path = block[1]:match("^%-%- (%S+%.lua)$")
  assert(load(block.text, ("=README.md:%d"):format(block.line)))
  assert(path, ("README.md:%d: a block of Lua begins with where it stands: -- PATH.lua"):format(block.line))
  helper.write_file(scratch .. "/" .. path, block.text)
  if block.text:find("return journey") then
    local result = type_in(("jaunt run %s --people scripts/people/samples.ndjson --json"):format(path))
    assert.equal(0, result.code, result.err)
    assert.equal(0, json.decode(result.out).held)
  elseif path:find("vendor") then
    vendor.start { behaviour = scratch .. "/" .. path }:stop()
  end
end

-- The names in an object, and in the first objects within it.
local function shape_of(value)
  if type(value) ~= "table" then return true end
  if json.is_array(value) then return { shape_of(value[1]) } end
  local shape = {}
  for name, inner in pairs(value) do
    -- reasons and exits have whatever names came up
    shape[name] = (name == "reasons" or name == "exits") and true or shape_of(inner)
  end
  return shape
end

-- A template begins with where it stands; it has to give JSON for everybody among the samples.
local function check_liquid(block)
  local path = block[1]:match("^{%%%- # (%S+) %-%%}$")
  assert(path, ("README.md:%d: a template begins with where it stands: {%%- # PATH -%%}"):format(block.line))
  helper.write_file(scratch .. "/" .. path, block.text)
  local template = assert(renderers.compile({ text = block.text, path = path, kind = path:match("%w+$") }, {}))
  for line in io.lines(scratch .. "/scripts/people/samples.ndjson") do
    local person = json.decode(line)
    local text, fault = template:render { person = person, event = person.event, vars = { code = "1" }, now = 0 }
    assert(text and json.decode(text) or fault.reason, tostring(fault))
  end
end

local function check_json(block)
  if block[1] ~= "{" then
    for _, line in ipairs(block) do assert.is_table(json.decode(line)) end
    return
  end
  assert.same(shape_of(json.decode(last)), shape_of(json.decode(block.text)))
end

local function check_csv(block)
  local people <close> = audience.open { path = helper.write_file(scratch .. "/block.csv", block.text) }
  while people:next() do end
  assert.equal(0, people:counts().rejected)
  assert.equal(#block - 1, people:counts().people)
end

local function check_text(block)
  for _, line in ipairs(block) do
    assert(("\n" .. last .. "\n"):find("\n" .. line .. "\n", 1, true), ("%s\nis not in\n%s"):format(line, last))
  end
end

local CHECKS = { sh = run_sh, lua = check_lua, json = check_json, csv = check_csv, text = check_text, liquid = check_liquid }

---------------------------------------------------------------------------------------------- what is listed

-- The part below a heading.
local function section(title)
  local plain = title:gsub("%p", "%%%0")
  return assert(readme:match("\n## " .. plain .. "\n(.-)\n## "), "there is no section " .. title)
end

-- The names in backticks in the first column of a section's table: the first word of each.
local function listed(title)
  local names = {}
  for line in section(title):gmatch("[^\n]+") do
    local cell = line:match("^| (`.-) |")
    for name in (cell or ""):gmatch("`([%a_]+)") do names[name] = true end
  end
  return names
end

-- The words in quotes that stand in a part of a source file.
local function quoted(path, from, to)
  local part = assert(file(path):match(from .. "(.-)" .. to), path .. " looks different now")
  local names = {}
  for name in part:gmatch('"([%a_]+)"') do names[name] = true end
  return names
end

local function flags_of(...)
  local names = { help = true, version = true }
  for _, command in ipairs { ... } do
    for _, flag in ipairs(cli.command(command).flags or {}) do names[flag.name] = true end
  end
  return names
end

describe("ARCHITECTURE.md and the ways through its rooms", function()
  local fs = require "jaunt.native.fs"
  local page = file("ARCHITECTURE.md")
  local text = page .. file("runtime/README.md") .. file("lualib/README.md")

  it("names files and folders that are there", function()
    local count = 0
    for path in text:gmatch("`([%w_./]+/[%w_.]*)`") do
      local found = path == "payloads/"
      for _, folder in ipairs { "", "/runtime" } do found = found or fs.kind(source .. folder .. "/" .. path) ~= nil end
      assert(found, path .. " is not there")
      count = count + 1
    end
    assert.is_true(count > 100)
    -- a file that stands without its folder is in one of those of the runtime, or in a room of Lua modules
    local rooms = {}
    for _, folder in ipairs { "runtime", "lualib/jaunt" } do
      for _, name in ipairs(fs.list(source .. "/" .. folder)) do rooms[#rooms + 1] = ("%s/%s/%s/"):format(source, folder, name) end
    end
    for name in text:gmatch("`([%l%d_]+%.[chl][ua]*)`") do
      local found = false
      for _, room in ipairs(rooms) do found = found or fs.kind(room .. name) end
      assert(found, name .. " is nowhere")
    end
  end)

  it("shows all rooms", function()
    for _, entry in ipairs(fs.list(source .. "/runtime")) do
      assert(entry == "README.md" or page:find(entry, 1, true), ("runtime/%s is not shown"):format(entry))
    end
    for _, entry in ipairs(fs.list(source .. "/lualib/jaunt")) do
      local is_room = fs.kind(source .. "/lualib/jaunt/" .. entry) == "dir"
      assert(not is_room or page:find(entry .. "/", 1, true), ("lualib/jaunt/%s/ is not shown"):format(entry))
    end
  end)

  it("is a page", function()
    local _, lines = page:gsub("\n", "")
    assert.is_true(lines <= 110)
  end)

  it("names functions and tables that are there", function()
    for _, place in ipairs {
      { "runtime/engine/run.h", "run_step" }, { "runtime/engine/run.c", "void run_enter" },
      { "runtime/engine/run_ending.c", "void run_finish" }, { "runtime/engine/run_call.c", "void run_call" },
      { "runtime/engine/run_call.c", "static void intend" }, { "runtime/store/lane.c", "void store_flush" },
      { "runtime/engine/engine.c", "void engine_admit" }, { "runtime/engine/worker.h", "engine_shared" },
      { "runtime/engine/run_kept.c", "void run_settle" },
      { "runtime/engine/run_kept.c", "run *run_wake" }, { "runtime/engine/run_replay.c", "bool run_recorded" },
      { "runtime/bind/call_spec.c", "call_field_names" }, { "lualib/jaunt/project/payloads.lua", "KINDS" },
      { "lualib/jaunt/worker.lua", "payload_renderer" },
    } do
      assert(file(place[1]):find(place[2], 1, true), ("%s has no %s"):format(place[1], place[2]))
      assert(text:find(place[2]:match("[%w_]+$"), 1, true), place[2] .. " is not named")
    end
  end)
end)

describe("the README", function()
  setup(function()
    scratch = helper.temp_folder()
    assert.equal(0, helper.sh(("cp -R %s/scripts %s/examples %s"):format(source, source, scratch)).code)
    local url = start_vendor("vendor --port 0 --behaviour scripts/vendor.lua --quiet")
    environment = ("env CRM_URL=%s/crm WHATSAPP_URL=%s/whatsapp SMS_URL=%s/sms EMAIL_URL=%s/email SHOP_URL=%s/shop")
      :gsub("%%s", url)
  end)

  it("can be typed, compiled and read from its beginning to its end", function()
    for _, block in ipairs(fenced_blocks()) do
      local check = CHECKS[block.language]
      assert(check, ("README.md:%d: a block says what it is: sh, lua, liquid, json, csv or text"):format(block.line))
      check(block)
    end
  end)

  it("shows what it is, the two commands and a journey on its first screen", function()
    local screen = {}
    for line in readme:gmatch("(.-)\n") do
      screen[#screen + 1] = line
      if #screen == 45 then break end
    end
    screen = table.concat(screen, "\n")
    assert.matches("\nmake run ", screen)
    assert.matches("\nmake test ", screen)
    assert.matches("\nreturn journey .*\nledger ", screen)
  end)

  it("knows all flags, and no others", function()
    local known, told = flags_of(table.unpack(cli.commands())), {}
    for name in readme:gmatch("%-%-([%a][%a-]+)") do
      assert(known[name], ("there is no flag --%s"):format(name))
      told[name] = true
    end
    for name in pairs(known) do assert(told[name] or name == "quiet", ("--%s is not told of"):format(name)) end
  end)

  it("lists the fields of call_api", function()
    assert.same(quoted("runtime/bind/call_spec.c", "call_field_names%[FIELDS %+ 1%] = {", "}"), listed "call_api")
  end)

  it("lists the fields of a response", function()
    assert.same(quoted("runtime/bind/response.c", "} fields%[%] = {", "};"), listed "The response")
  end)

  it("lists the reasons of failures", function()
    local names = quoted("runtime/calls/reason.c", "reasons%[CALL_REASONS%] = {", "};")
    assert.same(names, listed "Failure reasons")
  end)

  it("lists the fields of connections, and those that come later", function()
    assert.same(quoted("lualib/jaunt/project/connections.lua", "local FIELDS = {", "}"), listed "connections.lua")
    local later = assert(file("lualib/jaunt/project/connections.lua"):match("local LATER = {(.-)\n}"))
    local told = assert(section("connections.lua"):match("The fields (.-) come later"))
    local names, told_names = {}, {}
    for name in later:gmatch("(%w+) = \"") do names[name] = true end
    for name in told:gmatch("`(%w+)`") do told_names[name] = true end
    assert.same(names, told_names)
  end)

  it("lists the fields of a journey", function()
    local names = quoted("lualib/jaunt/worker/journey.lua", "local FIELDS = {", "}")
    for name in pairs(names) do
      assert(section("Write a journey"):find("\n| [^|]*`" .. name .. "`"), name .. " is not told of")
    end
  end)

  it("lists the vocabulary", function()
    local told = section("The vocabulary")
    for name in pairs(quoted("lualib/jaunt/worker/sandbox.lua", "local VOCABULARY = {", "}")) do
      assert(told:find("\n| [^\n|]*`" .. name .. "%f[^%w_]"), name .. " is not told of")
    end
  end)

  it("names each example, and each of its links leads somewhere", function()
    local fs = require "jaunt.native.fs"
    for _, entry in ipairs(fs.list(source .. "/examples")) do
      local name = entry:match("^(.+)%.lua$")
      if name and name ~= "connections" and name ~= "vendor" then
        assert(readme:find(("](examples/%s.lua)"):format(name), 1, true), entry .. " is not named")
      end
    end
    for link in readme:gmatch("%]%(([^)#]+)%)") do assert(fs.kind(source .. "/" .. link), link .. " is not there") end
    for anchor in readme:gmatch("%]%(#([^)]+)%)") do
      local found = false
      for title in readme:gmatch("\n## ([^\n]+)") do
        local made = title:lower():gsub("[^%w%s_-]", ""):gsub("%s", "-")
        found = found or made == anchor
      end
      assert(found, "#" .. anchor .. " leads nowhere")
    end
  end)
end)
