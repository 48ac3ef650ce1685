-- What protects people from a run that was not meant, and what a terminal shows while it goes on. The terminal is a
-- pseudo-terminal of script (bsdutils); where there is none, those tests are skipped by name.

local helper = require "helper"
local running = require "running"

local SECRET_CONNECTIONS = [[
return {
  vendor = { base_url = env("VENDOR_URL", "https://vendor.example.com"), private_network = true },
  crm = { base_url = "https://crm.example.com/v2", auth = { bearer = secret "CRM_TOKEN" } },
}]]

local folder = running.project {
  ["connections.lua"] = SECRET_CONNECTIONS,
  ["journeys/letter.lua"] = [[
    return journey "letter" { starts_on = "came", flow = function(person)
      call_api "letter" { via = "vendor", POST = "/letter", json = { id = person.id } }
    end }]],
}
local rows = {}
for i = 1, 60 do rows[i] = "p" .. i end
helper.write_file(folder .. "/people.csv", "id\n" .. table.concat(rows, "\n") .. "\n")

local vendor = running.vendor()
local ENV = { VENDOR_URL = vendor.url .. "/vendor", TERM = "xterm", NO_COLOR = "" }
local HOST = vendor.url:match("//(.+)$")

-- How many requests came since this was asked last.
local before = 0
local function sent()
  local now = vendor.received().requests
  local new = now - before
  before = now
  return new
end

---------------------------------------------------------------------------------------------- a terminal

local has_terminal = helper.sh("command -v script").code == 0

-- Runs it on a terminal of `columns` columns, with `typed` as what is typed. Returns { code =, screen_bytes = }.
local function on_terminal(columns, typed, env, ...)
  local words = "stty cols " .. columns .. " rows 24; exec " .. running.words(folder, { env = env }, ...)
  local input = helper.write_file(folder .. "/typed", typed)
  local result = helper.sh(("SHELL=/bin/sh script -qec %s /dev/null <%s"):format(helper.quote(words), input))
  return { code = result.code, bytes = result.out }
end

-- What stands on the screen in the end: a terminal that knows what progress needs, and refuses all else.
local function screen(bytes)
  local lines, row, column, at = { {} }, 1, 1, 1
  while at <= #bytes do
    local c = bytes:sub(at, at)
    local params, final = bytes:match("^\27%[([%d;]*)(%a)", at)
    if final then
      if final == "K" then for i = column, #lines[row] do lines[row][i] = nil end
      elseif final == "A" then row = math.max(1, row - 1)
      elseif final ~= "m" then error("an escape sequence that is not expected: " .. params .. final) end
      at = at + 3 + #params
    else
      local character = utf8.len(bytes, at, at) and c or bytes:match("^[\xC2-\xF4][\x80-\xBF]+", at) or c
      if c == "\r" then column = 1
      elseif c == "\n" then
        row = row + 1
        lines[row] = lines[row] or {}
      elseif c:find("%c") then error(("a control character: %q"):format(c))
      else
        for i = #lines[row] + 1, column - 1 do lines[row][i] = " " end
        lines[row][column] = character
        column = column + 1
      end
      at = at + #character
    end
  end
  for i, line in ipairs(lines) do lines[i] = table.concat(line) end
  return table.concat(lines, "\n")
end

local function terminal_test(name, test)
  it(name, function()
    if not has_terminal then return pending("needs script, of bsdutils") end
    return test()
  end)
end

----------------------------------------------------------------------------------------------- asking

describe("a live run", function()
  it("is refused where nobody can be asked", function()
    local result = running.run(folder, { env = ENV }, "letter", "--people", "people.csv", "--state", "memory:", "--live")
    assert.equal(2, result.code)
    assert.matches("%-%-live wants the journey's name typed on a terminal; scripts give %-%-yes\n$", result.err)
    assert.equal("", result.out)
    assert.equal(0, sent())
  end)

  it("shows hosts, head-count and missing secrets, and begins with --yes", function()
    local result = running.run(folder, { env = ENV }, "letter", "--people", "people.csv", "--state", "memory:", "--live", "--yes")
    assert.equal(0, result.code)
    assert.matches("LIVE  letter, version %x+\n", result.err)
    assert.matches("people from people%.csv: 60\n", result.err)
    assert.matches("\n  crm +crm%.example%.com\n", result.err)
    assert.is_truthy(result.err:find("  vendor        " .. HOST .. "  (private networks, too)\n", 1, true))
    assert.matches("warning: there is no secret CRM_TOKEN: calls that need it will hold their people\n", result.err)
    assert.equal(60, sent())
  end)

  it("counts no more than --limit lets in, and warns of no secret that is there", function()
    local env = { CRM_TOKEN = "t" }
    for name, value in pairs(ENV) do env[name] = value end
    local result = running.run(folder, { env = env }, "letter", "--people", "people.csv", "--state", "memory:",
      "--live", "--yes", "--limit", "7")
    assert.matches("people from people%.csv: 7\n", result.err)
    assert.is_nil(result.err:find("warning", 1, true))
    assert.equal(7, sent())
  end)

  terminal_test("begins nothing when another name is typed", function()
    for _, typed in ipairs { "leter\n", "\n", "yes\n", "" } do
      local result = on_terminal(80, typed, ENV, "letter", "--people", "people.csv", "--state", "memory:", "--live")
      assert.equal(2, result.code, typed)
      assert.matches("Type letter to begin: ", result.bytes)
      assert.matches('not begun: that was not "letter"', result.bytes)
      assert.equal(0, sent())
    end
  end)

  terminal_test("begins when its name is typed", function()
    local result = on_terminal(80, "letter\n", ENV, "letter", "--people", "people.csv", "--state", "memory:", "--live")
    assert.equal(0, result.code)
    assert.matches("60 entered", result.bytes)
    assert.equal(60, sent())
  end)
end)

-------------------------------------------------------------------------------------------- what is shown

describe("on a terminal", function()
  local function rehearse(columns, env)
    return on_terminal(columns, "", env, "letter", "--people", "people.csv", "--in-flight", "8", "--vendor-latency", "100ms")
  end

  terminal_test("progress is at most ten times a second, and leaves a clean screen", function()
    for _, columns in ipairs { 40, 80, 250 } do
      local result = rehearse(columns, ENV)
      assert.equal(0, result.code)
      local _, times = result.bytes:gsub(" admitted", "")
      local took, unit = result.bytes:match("took +([%d.]+) (m?s)")
      local seconds = tonumber(took) / (unit == "ms" and 1000 or 1)
      assert.is_true(times >= 2, "it was shown " .. times .. " times")
      assert.is_true(times <= seconds * 10 + 2, ("%d times in %.1f s"):format(times, seconds))
      local left = screen(result.bytes)
      assert.is_nil(left:find("admitted", 1, true), left)
      assert.is_nil(left:find("calls/s", 1, true), left)
      local head = left:match("^(.-)\n\nelement"):gsub("\n  ", " ") -- one line, folded where the terminal is narrow
      assert.matches("^letter, version %x+ %(rehearsal[^\n]*$", head)
      assert.matches("\nledger    60 entered", left)
    end
  end)

  terminal_test("there are colours, unless NO_COLOR or a dumb terminal says otherwise", function()
    assert.matches("\27%[1m", rehearse(80, ENV).bytes)
    assert.is_nil(rehearse(80, { TERM = "xterm", NO_COLOR = "1" }).bytes:find("\27%[[%d;]*m"))
    assert.is_nil(rehearse(80, { TERM = "dumb", NO_COLOR = "" }).bytes:find("\27"))
  end)
end)

describe("elsewhere than on a terminal", function()
  it("there are neither colours nor lines that are written over", function()
    local result = running.run(folder, { env = ENV }, "letter", "--people", "people.csv")
    assert.is_nil((result.out .. result.err):find("[\27\r]"))
  end)
end)
