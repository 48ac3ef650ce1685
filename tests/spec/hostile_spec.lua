-- Strings that break software, as names, as ids and as header values: every person ends somewhere, what the vendor gets
-- is JSON that holds the string unharmed, and no line of output has a control character that a terminal would obey.

local helper = require "helper"
local json = require "json"
local running = require "running"

local file, why = helper.data("people/blns.json")

local JOURNEY = [[
return journey "hostile" {
  starts_on = "came",
  flow = function(person, event)
    print("met " .. tostring(person.name))
    log("met", { name = person.name })
    call_api "body" { via = "vendor", POST = "/body", json = { id = person.id, name = person.name, ["event"] = event.name } }
    call_api "path" { via = "vendor", GET = "/path", query = { q = person.name }, on_failure = "continue" }
    call_api "header" { via = "vendor", POST = "/header", headers = { ["X-Name"] = person.name }, json = { id = person.id } }
    drop(person.name)
  end,
}]]

-- The first place in a text that a terminal would obey: a C0 control (but line ends and tabs), DEL, or a C1 control.
local function obeyed(text)
  local at = text:find("[\0-\8\11-\31\127]") or text:find("\xC2[\x80-\x9F]")
  return at and ("%q"):format(text:sub(math.max(1, at - 40), at + 10)) or nil
end

local function trimmed(text) return text:match("^[ \t]*(.-)[ \t]*$") end

-- As a CSV cell.
local function cell(text) return '"' .. text:gsub('"', '""') .. '"' end

describe("strings that break software", function()
  if not file then
    it("harm nobody", function() pending(why) end)
    return
  end

  local folder = running.project { ["journeys/hostile.lua"] = JOURNEY }
  local strings = json.decode(helper.read_file(file))
  local vendor = running.vendor()
  local ENV = { VENDOR_URL = vendor.url .. "/vendor" }

  -- People with the strings as names (ids n1…), and with the strings as ids.
  local people, name_of = {}, {}
  for i, text in ipairs(strings) do
    people[#people + 1] = { id = "n" .. i, name = text }
    people[#people + 1] = { id = text, name = "id " .. i }
  end
  for _, person in ipairs(people) do name_of[person.id] = name_of[person.id] or person.name end

  local function run(path, ...)
    return running.run(folder, { env = ENV }, "hostile", "--people", path, "--live", "--yes", "--workers", "2", ...)
  end

  local items = {}
  local result

  setup(function()
    local lines = {}
    for i, person in ipairs(people) do
      lines[i] = json.encode { id = person.id, name = person.name, event = { name = person.name } }
    end
    helper.write_file(folder .. "/people.ndjson", table.concat(lines, "\n") .. "\n")
    result = run("people.ndjson", "--json", "--seed", "1")
    for _, item in ipairs(vendor.items()) do
      local name = item.path:match("([^/]+)$")
      items[name] = items[name] or {}
      table.insert(items[name], item)
    end
  end)

  it("lose nobody: each ends somewhere, or their row is rejected", function()
    local report = result.report
    assert.equal(0, result.code, result.err)
    assert.equal(#people, report.entered + report.rejected)
    assert.equal(report.entered, running.ledger(report))
    assert.equal(report.entered, report.dropped + report.held)
    assert.is_true(report.rejected < 20, report.rejected .. " rows were rejected")
    assert.is_true(report.dropped > 2 * #strings - 60, report.dropped .. " came to the end")
    local told = 0
    for line in result.err:gmatch("[^\n]+") do told = told + (line:find("^people%.ndjson:%d+: ") and 1 or 0) end
    assert.equal(math.min(20, report.rejected), told)
  end)

  it("come to the vendor unharmed, in JSON", function()
    assert.equal(result.report.entered, #items.body)
    local seen = {}
    for _, item in ipairs(items.body) do
      local body = json.decode(item.body)
      assert.equal(name_of[body.id], body.name)
      assert.equal(body.name, body.event)
      assert.is_nil(seen[body.id])
      seen[body.id] = true
    end
  end)

  it("come to the vendor unharmed, in a query", function()
    assert.is_true(#items.path > 2 * #strings - 30)
    local names = {}
    for _, name in pairs(name_of) do names[name] = true end
    for _, item in ipairs(items.path) do
      local q = item.query and item.query.q or ""
      assert.is_true(names[q], ("%q"):format(q))
    end
  end)

  it("come to the vendor unharmed in a header, or hold their person with a reason", function()
    local header = running.element(result.report, "header")
    assert.equal(result.report.held, header.held)
    assert.equal(header.reached - header.held, #items.header)
    for _, item in ipairs(items.header) do
      local name = name_of[json.decode(item.body).id]
      -- white space around a header's value is no part of it
      local got = item.headers and item.headers["x-name"] or ""
      if type(got) == "string" then assert.equal(trimmed(name), trimmed(got)) end
    end
    local reasons = 0
    for _, n in pairs(header.reasons) do reasons = reasons + n end
    assert.equal(header.held, reasons)
  end)

  it("put no control character on anybody's terminal", function()
    assert.is_nil(obeyed(result.err))
    assert.is_nil(obeyed(result.out))
    local text = run("people.ndjson")
    assert.is_nil(obeyed(text.out))
    assert.is_nil(obeyed(text.err))
    local dry = running.run(folder, {}, "hostile", "--people", "people.ndjson", "--dry-run", "--where",
      [[name:find("[%c\x7f]") or id:find("[%c\x7f]")]])
    assert.equal(0, dry.code, dry.err)
    assert.is_nil(obeyed(dry.out))
    assert.is_nil(obeyed(dry.err))
    local failing = running.run(folder, {}, "hostile", "--people", "people.ndjson", "--where", [[not id:find("\27") or id + 1]])
    assert.equal(2, failing.code)
    assert.is_nil(obeyed(failing.err))
  end)

  it("come as CSV as well as they do as NDJSON", function()
    local lines = { "id,name,event.name" }
    for _, person in ipairs(people) do
      lines[#lines + 1] = table.concat({ cell(person.id), cell(person.name), cell(person.name) }, ",")
    end
    helper.write_file(folder .. "/people.csv", table.concat(lines, "\n") .. "\n")
    local csv = run("people.csv", "--json", "--seed", "1")
    assert.equal(0, csv.code, csv.err)
    assert.equal(result.report.entered, csv.report.entered)
    assert.equal(result.report.rejected, csv.report.rejected)
    assert.equal(csv.report.entered, running.ledger(csv.report))
  end)
end)
