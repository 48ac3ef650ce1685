-- jaunt new: what it makes runs, passes jaunt check and jaunt test at once, and takes nobody's file away.

local engine = require "jaunt.native.engine"
local fs = require "jaunt.native.fs"
local helper = require "helper"
local json = require "json"
local parser = require "jaunt.lua.parser"
local sandbox = require "jaunt.worker.sandbox"

local source = assert(os.getenv("JAUNT_SOURCE"), "JAUNT_SOURCE has to name the repository's folder")

-- Runs jaunt in a folder, without busted's surroundings.
local function jaunt_in(folder, ...)
  return helper.sh(("cd %s && %s"):format(helper.quote(folder), helper.jaunt_words(...)))
end

local function expect_well(folder, ...)
  local r = jaunt_in(folder, ...)
  assert.equal(0, r.code, table.concat({ ... }, " ") .. ": " .. r.err .. r.out)
  return r.out
end

-- A fresh project, and what was said as it was made.
local function new_project()
  local above = helper.temp_folder()
  return above .. "/shop", expect_well(above, "new", "shop")
end

-- All files below a folder: { path = text }.
local function files_below(folder, list, prefix)
  list, prefix = list or {}, prefix or ""
  for _, name in ipairs(fs.list(folder)) do
    local path = folder .. "/" .. name
    if fs.kind(path) == "dir" then files_below(path, list,
      prefix .. name .. "/") else list[prefix .. name] = helper.read_file(path) end
  end
  return list
end

describe("a project made by jaunt new", function()
  it("runs, and passes jaunt check and jaunt test at once", function()
    local folder = new_project()
    local report = json.decode(expect_well(folder, "run", "hello", "--people", "people/samples.ndjson", "--json"))
    assert.same({ 4, 3, 1, 0 }, { report.entered, report.completed, report.dropped, report.held })
    assert.equal("nothing found\n", expect_well(folder, "check"))
    local said = expect_well(folder, "test")
    assert.matches("4 successes / 0 failures / 0 errors / 0 pending", said, 1, true)
    assert.matches("hello: 3 of 3 elements reached\n", said, 1, true)
  end)

  it("can be typed as it is told, and as its README says", function()
    local folder, told = new_project()
    local readme = helper.read_file(folder .. "/README.md")
    local count = 0
    for _, text in ipairs { told:match("Next:(.*)"), readme } do
      for command in text:gmatch("\n +jaunt ([^\n]+)") do
        local words = {}
        for word in command:gsub("%s+#.*", ""):gmatch("%S+") do words[#words + 1] = word end
        expect_well(folder, table.unpack(words))
        count = count + 1
      end
    end
    assert.equal(10, count)
  end)

  it("has a README of one screen that names its project and every file", function()
    local folder, told = new_project()
    local readme = helper.read_file(folder .. "/README.md")
    assert.matches("^# shop\n", readme)
    assert.is_true(select(2, readme:gsub("\n", "")) <= 30)
    for path, text in pairs(files_below(folder)) do
      assert(told:find("  shop/" .. path .. "\n", 1, true), path .. " is not told")
      local top = path:match("^[^/]+/") or path
      assert(top:find("^%.") or top == "README.md" or readme:find("`" .. top .. "`", 1, true), top .. " is not in the README")
      assert(not text:find("NAME", 1, true) or path == "README.md" or path:find("^types/"), path .. " has a NAME in it")
      for line in text:gmatch("[^\n]+") do assert(utf8.len(line) <= 150 and not line:find("%s$"), path .. ": " .. line) end
    end
  end)

  it("keeps secrets, settings and states out of version control", function()
    if helper.sh("command -v git").code ~= 0 then return pending("needs git") end
    local folder = new_project()
    assert.equal(0, helper.sh("GIT_CONFIG_GLOBAL=/dev/null git init -q " .. helper.quote(folder)).code)
    local function is_ignored(name)
      helper.write_file(folder .. "/" .. name, "")
      return helper.sh(("GIT_CONFIG_GLOBAL=/dev/null git -C %s check-ignore -q %s"):format(helper.quote(folder), name)).code == 0
    end
    for _, name in ipairs { "secrets.env", "settings.lua", "jaunt.db", "jaunt.db-wal", "jaunt.db.audit", "saved/a",
      "x.rejects.csv" } do
      assert(is_ignored(name), name)
    end
    for _, name in ipairs { "connections.lua", "journeys/x.lua", "people/x.csv" } do assert(not is_ignored(name), name) end
  end)

  it("may be called anything, and be made where one stands", function()
    local above = helper.temp_folder()
    local name = "50% & \"more\""
    expect_well(above, "new", name .. "/")
    assert.equal("# " .. name, helper.read_file(above .. "/" .. name .. "/README.md"):match("^[^\n]*"))
    local here = helper.temp_folder()
    expect_well(here, "new", ".")
    assert.equal("# " .. here:match("[^/]+$"), helper.read_file(here .. "/README.md"):match("^[^\n]*"))
    for _, odd in ipairs { name .. " $HOME 'x'", "-x", "ünï cödé", "shop.2" } do
      local going = assert(expect_well(above, "new", "--", odd):match("\n  (cd [^\n]+)"))
      assert.equal(above .. "/" .. odd .. "\n", helper.sh(("cd %s && %s && pwd"):format(helper.quote(above), going)).out)
    end
    expect_well(above, "new", "deep/er/shop")
    assert.equal("nothing found\n", expect_well(above .. "/deep/er/shop", "check"))
  end)
end)

describe("a project within a project", function()
  it("is made, and told from a journey of the one around", function()
    local folder = new_project()
    local said = expect_well(folder, "new", "reminder")
    assert.matches("It lies within the project " .. folder, said, 1, true)
    assert.equal("nothing found\n", expect_well(folder .. "/reminder", "check"))
    assert.is_nil((expect_well(helper.temp_folder(), "new", "shop"):find("within")))
  end)
end)

describe("jaunt new journey and jaunt new payload", function()
  it("add to the project around, and it still passes everything", function()
    local folder = new_project()
    local said = expect_well(folder .. "/payloads", "new", "journey", "cart_reminder")
    assert.matches("  ../journeys/cart_reminder.lua\n", said, 1, true)
    assert.matches("  ../spec/cart_reminder_spec.lua\n", said, 1, true)
    expect_well(folder, "new", "payload", "cart_mail")
    assert.equal("nothing found\n", expect_well(folder, "check"))
    assert.matches("5 successes / 0 failures", expect_well(folder, "test"), 1, true)
    assert.matches('"text": "Hello Ada!"', expect_well(folder, "preview", "cart_mail", "--person", "ada"), 1, true)
    expect_well(folder, "run", "cart_reminder", "--people", "people/samples.ndjson")
  end)

  it("want a project and a name", function()
    local function refused(folder, words, text)
      local r = jaunt_in(folder, "new", table.unpack(words))
      assert.same({ 2, "" }, { r.code, r.out })
      assert.equal("jaunt: " .. text .. "\n", r.err)
    end
    local folder = new_project()
    refused(folder, { "" }, "new wants a FOLDER: where is the project to be?")
    refused(folder, { "journey" }, "new journey wants a NAME: what is it called?")
    for _, name in ipairs { "Cart", "1st", "cart-mail", "../x", "a/b", "", "naïve", "x.lua" } do
      refused(folder, { "payload", name }, name .. " is no name for a payload: small letters, digits and _, such as cart_reminder")
    end
    refused(folder, { "jorney", "x" }, "new makes a journey, a payload, or a project in a FOLDER, not jorney x")
    refused(folder, {}, "new needs WHAT; jaunt new --help says more")
    refused(helper.temp_folder(), { "journey", "x" },
      "there is no project here: go to a folder with connections.lua (or above its scripts/), or name a file")
  end)
end)

describe("nothing is overwritten", function()
  -- What is refused leaves all files as they were.
  local function refused(folder, below, words, text)
    local before = files_below(below)
    local r = jaunt_in(folder, "new", table.unpack(words))
    assert.same({ 2, "jaunt: " .. text .. "\n", "" }, { r.code, r.err, r.out })
    assert.same(before, files_below(below))
  end

  it("by a project", function()
    local folder = new_project()
    local above = folder:match("^(.*)/")
    refused(above, above, { "shop" }, "shop is there already, and not empty")
    refused(above, above, { "shop/README.md" }, "shop/README.md is a file, where a folder would be made")
    refused(folder, above, { "." }, ". is there already, and not empty")
    local r = jaunt_in(above, "new", "shop/README.md/x")
    assert.equal(2, r.code)
    assert.matches("^jaunt: can't make the folder shop/README.md", r.err)
  end)

  it("by a journey or a payload, whatever the ending of what is there", function()
    local folder = new_project()
    refused(folder, folder, { "journey", "hello" }, "journeys/hello.lua is there already: nothing was written")
    refused(folder, folder, { "payload", "hello" }, "payloads/hello.json is there already: nothing was written")
    helper.write_file(folder .. "/payloads/letter.html", "x")
    helper.write_file(folder .. "/payloads/both/a.json", "{}")
    helper.write_file(folder .. "/spec/lonely_spec.lua", "-- mine")
    refused(folder, folder, { "payload", "letter" }, "payloads/letter.html is there already: nothing was written")
    refused(folder, folder, { "payload", "both" }, "payloads/both is there already: nothing was written")
    refused(folder, folder, { "journey", "lonely" }, "spec/lonely_spec.lua is there already: nothing was written")
  end)
end)

describe("the annotations for editors", function()
  local types = require "jaunt.new.types"

  -- The names of a class's fields.
  local function fields_of(class)
    local names, body = {}, assert(types.scripts:match("%-%-%-@class " .. class .. "\n(.-)\n\n"))
    for name in body:gmatch("%-%-%-@field ([%w_]+)") do names[name] = true end
    return names
  end

  local function set_of(list)
    local set = {}
    for _, name in ipairs(list) do set[name] = true end
    return set
  end

  -- What a file defines: { NAME = function or table }.
  local function defined(text)
    local names = {}
    assert(load(text, "=types", "t", names))()
    return names
  end

  it("are valid Lua", function()
    for _, text in pairs(types) do assert(parser.parse(text)) end
  end)

  it("have every field of call_api, of a response and of a journey, and no other", function()
    assert.same(set_of(engine.call_fields()), fields_of "Call")
    local function quoted(path, from, to)
      local names = {}
      for name in assert(helper.read_file(source .. "/" .. path):match(from .. "(.-)" .. to)):gmatch('"([%a_]+)"') do names[name] = true end
      return names
    end
    assert.same(quoted("runtime/bind/response.c", "} fields%[%] = {", "};"), fields_of "Response")
    assert.same(quoted("lualib/jaunt/worker/journey.lua", "local FIELDS = {", "}"), fields_of "Journey")
  end)

  it("have every word of scripts that is not Lua's own", function()
    local known, words = defined(types.scripts), sandbox.names()
    for name, inner in pairs(words) do
      local is_luas = _G[name] ~= nil and name ~= "print" and name ~= "json"
      assert(is_luas or name == "require" or known[name] ~= nil, name .. " has no annotation")
      if name == "json" then
        local values = fields_of "json"
        for field in pairs(inner) do assert(known.json[field] or values[field], "json." .. field .. " has no annotation") end
      end
    end
    for name in pairs(known) do assert(words[name], name .. " is no word of scripts") end
  end)

  it("have every word of specs", function()
    local known, made = defined(types.specs), {}
    require("jaunt.testing.words").install(made)
    for name in pairs(made) do assert(known[name], name .. " has no annotation") end
    for name in pairs(made) do known[name] = nil end
    for _, name in ipairs { "describe", "it", "before_each", "after_each", "pending", "assert" } do known[name] = nil end
    assert.same({}, known)
  end)
end)
