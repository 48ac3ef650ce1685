-- The audience as a person meets it in `jaunt run`: formats, rejected rows, who is let in, pipes and memory. How the
-- formats are taken apart is tested in C.

local helper = require "helper"
local json = require "json"
local running = require "running"

-- A journey that says whom it met.
local TELL = [[
return journey "tell" {
  starts_on = "came",
  flow = function(person, event)
    print(json.encode { id = person.id, name = person.name, note = person.note, cart = event.cart, total = event.total })
  end,
}]]

local SEND = [[
return journey "send" {
  starts_on = "came",
  flow = function(person)
    call_api "greeting" { via = "vendor", POST = "/greet", json = { to = person.id, name = person.name } }
  end,
}]]

local folder = running.project { ["journeys/tell.lua"] = TELL, ["journeys/send.lua"] = SEND,
  ["journeys/leave.lua"] = [[return journey "leave" { starts_on = "came", flow = function(person)
    if person.id == "last" then print "the last one" end
    exit "at once"
  end }]] }

local function write(name, text) return helper.write_file(folder .. "/" .. name, text) end

-- Runs "tell" over a text; returns the result with `met`: what the journey said, as a table by id.
local function met(name, text, ...)
  local path = write(name, text)
  local result = running.run(folder, "tell", "--people", path, "--json", ...)
  result.met, result.count = {}, 0
  for line in result.err:gmatch("({[^\n]*})\n") do
    local person = json.decode(line)
    result.met[person.id], person.id = person, nil
    result.count = result.count + 1
  end
  return result
end

-- The lines of standard error that tell of a rejected row.
local function complaints(result)
  local lines = {}
  for line in result.err:gmatch("[^\n]+") do
    local place, why = line:match("^[^\n]-/?[^/\n]-:(%d+): (.*)$")
    if place then lines[#lines + 1] = place .. " " .. why end
  end
  return lines
end

local function exists(path) return require "jaunt.native.fs".kind(path) ~= nil end

local ADA = { name = "Ada", note = "one\ntwo, \"three\"", cart = "c1", total = "5" }
local JOSE = { name = "José", cart = "c2" }

describe("an audience", function()
  local function same_two(name, text)
    local result = met(name, text)
    assert.equal(0, result.code)
    assert.same({ ada = ADA, jose = JOSE }, result.met)
    assert.equal(2, result.report.entered)
    assert.equal(0, result.report.rejected)
  end

  local CSV = 'id,name,note,event.cart,event.total\nada,Ada,"one\ntwo, ""three""",c1,5\njose,José,,c2,\n'

  it("comes as CSV, with quoted line ends and event columns", function() same_two("a.csv", CSV) end)

  it("comes as CSV as Excel writes it: a mark, CRLF", function()
    local text = "\xEF\xBB\xBF" .. CSV:gsub("\n", "\r\n"):gsub("one\r\n", "one\n")
    same_two("b.csv", text)
  end)

  it("comes as TSV, and with semicolons", function()
    same_two("a.tsv", (CSV:gsub('two, ', 'two§ '):gsub(",", "\t"):gsub("§", ",")))
    same_two("c.csv", (CSV:gsub('two, ', 'two§ '):gsub(",", ";"):gsub("§", ",")))
  end)

  local ONE = [[{"id":"ada","name":"Ada","note":"one\ntwo, \"three\"","event":{"cart":"c1","total":"5"}}]]
  local TWO = [[{"id":"jose","name":"Jos\u00e9","event":{"cart":"c2"}}]]

  it("comes as NDJSON", function()
    same_two("a.ndjson", ONE .. "\n" .. TWO .. "\n")
    same_two("b.ndjson", "\xEF\xBB\xBF\r\n" .. ONE .. "\r\n\r\n" .. TWO)
  end)

  it("comes as a JSON array", function()
    same_two("a.json", "[" .. ONE .. "," .. TWO .. "]")
    same_two("b.json", "\xEF\xBB\xBF [\n  " .. ONE:gsub(",", ",\n ", 1) .. ",\n  " .. TWO .. "\n]\n")
  end)

  it("is told apart by content, not by the file's name", function()
    same_two("really.csv", ONE .. "\n" .. TWO .. "\n")
    same_two("really.json", CSV)
  end)

  it("may keep its ids in another column", function()
    local result = met("id.csv", "id,mail,name\n1,a@b,Ada\n", "--id", "mail")
    assert.same({ ["a@b"] = { name = "Ada" } }, result.met)
  end)

  it("without an id column is refused, with the columns that there are", function()
    local result = met("noid.csv", "mail,name\na@b,Ada\n")
    assert.equal(2, result.code)
    assert.equal(0, result.count)
    assert.matches('noid%.csv:1: there is no column "id" among those that the first line names: "mail", "name"', result.err)
    result = met("noid.csv", "mail,name\na@b,Ada\n", "--id", "mial")
    assert.equal(2, result.code)
    assert.matches('no column "mial".*mail', result.err)
  end)

  it("may be empty", function()
    for _, text in ipairs { "", "\n\n", "id,name\n", "[]", "\xEF\xBB\xBF" } do
      local result = met("empty", text)
      assert.equal(0, result.code)
      assert.equal(0, result.report.entered)
      assert.equal(0, result.report.rejected)
    end
  end)
end)

describe("a row that cannot be used", function()
  -- Each with its format, the line it is told on, what is said, and the row mended.
  local BAD = {
    { "csv", ",Zed", "no id", "z1,Zed" },
    { "csv", "one,Zed", 'the id "one" was there before, on line 2', "z2,Zed" },
    { "csv", 'z3,Z"ed', "broken quoting at character 5", "z3,Zed" },
    { "csv", "z4,Zed,more", "3 fields where the header has 2", "z4,Zed" },
    { "csv", "z5", "1 field where the header has 2", "z5,Zed" },
    { "csv", "z6,Z\xFFed", 'the column "name" is not valid UTF-8 here', "z6,Zed" },
    { "ndjson", [[{"name":"Zed"}]], "no id", [[{"id":"z1","name":"Zed"}]] },
    { "ndjson", [[{"id":"one"}]], 'the id "one" was there before, on line 1', [[{"id":"z2"}]] },
    { "ndjson", [[{"id":"z3"]], "not a JSON object", [[{"id":"z3"}]] },
    { "ndjson", [["z4"]], "not a JSON object", [[{"id":"z4"}]] },
    { "ndjson", "{\"id\":\"z\xFF\"}", "UTF-8", [[{"id":"z5"}]] },
    { "ndjson", [[{"id":1.5}]], "the id must be a text or a whole number", [[{"id":"z6"}]] },
    { "json", [[{"name":"Zed"}]], "no id", [[{"id":"z1"}]] },
    { "json", [[{"id":tru}]], "not a JSON object", [[{"id":"z2"}]] },
    { "json", [[17]], "not a JSON object", [[{"id":"z3"}]] },
  }

  -- A file of the format in which `row` is the second row; and the line on which it stands.
  local AROUND = {
    csv = { "id,name\none,Ada\n%s\ntwo,Bob\n", 3 },
    ndjson = { '{"id":"one","name":"Ada"}\n%s\n{"id":"two","name":"Bob"}\n', 2 },
    json = { '[{"id":"one","name":"Ada"},\n%s,\n{"id":"two","name":"Bob"}]\n', 2 },
  }

  for _, case in ipairs(BAD) do
    local kind, row, why, mended = table.unpack(case)
    it(("costs nobody else anything, is told with its line, and can be mended: %s, %s"):format(kind, why), function()
      local rejects = folder .. "/bad.rejects"
      os.remove(rejects)
      local result = met("bad." .. kind, AROUND[kind][1]:gsub("%%s", (row:gsub("%%", "%%%%"))), "--rejects", rejects)
      assert.equal(0, result.code)
      assert.same({ one = { name = "Ada" }, two = { name = "Bob" } }, result.met)
      assert.equal(2, result.report.entered)
      assert.equal(1, result.report.rejected)
      local told = complaints(result)
      assert.equal(1, #told)
      assert.matches("^" .. AROUND[kind][2] .. " ", told[1])
      assert.is_truthy(told[1]:find(why, 1, true))
      local kept = helper.read_file(rejects)
      assert.is_truthy(kept:find(row, 1, true))
      local at, behind = kept:find(row, 1, true)
      local again = met("again", kept:sub(1, at - 1) .. mended .. kept:sub(behind + 1))
      assert.equal(1, again.report.entered)
      assert.equal(0, again.report.rejected)
      assert.matches("^z%d$", (next(again.met)))
    end)
  end

  it("with a quote that is never closed costs its first line only", function()
    local result = met("open.csv", 'id,name\none,Ada\ntwo,"Bob\nthree,Cy\n')
    assert.same({ one = { name = "Ada" }, three = { name = "Cy" } }, result.met)
    assert.matches("^3 broken quoting: a quote is opened here and never closed", complaints(result)[1])
  end)

  it("is told on the right line behind rows of several lines", function()
    local result = met("lines.csv", 'id,name\none,"A\nd\na"\n\n,Zed\ntwo,"B\r\nob"\nthree\n')
    assert.same({ "6 no id", "9 1 field where the header has 2" }, complaints(result))
    assert.equal(2, result.report.rejected)
  end)

  it("is kept from others, in a file that was there before, too", function()
    helper.write_file(folder .. "/open.rejects.csv", "old\n")
    os.execute("chmod 644 " .. folder .. "/open.rejects.csv")
    met("open.csv", "id,name\n,Ada\n")
    assert.equal("id,name\n,Ada\n", helper.read_file(folder .. "/open.rejects.csv"))
    assert.equal("600\n", helper.sh("stat -c %a " .. folder .. "/open.rejects.csv").out)
  end)

  it("is one of many: some are told, the others counted, and all are kept", function()
    local rows = {}
    for i = 1, 100 do rows[i] = "," .. i end
    local result = met("many.csv", "id,name\n" .. table.concat(rows, "\n") .. "\nlast,Ada\n")
    assert.equal(1, result.report.entered)
    assert.equal(100, result.report.rejected)
    assert.matches("… and %d+ more rejected rows\n", result.err)
    local told = #complaints(result)
    assert.equal(100, told + tonumber(result.err:match("and (%d+) more")))
    assert.equal("id,name\n" .. table.concat(rows, "\n") .. "\n", helper.read_file(folder .. "/many.rejects.csv"))
  end)

  it("leaves no rejects file where there is none", function()
    met("good.csv", "id,name\none,Ada\n")
    assert.is_false(exists(folder .. "/good.rejects.csv"))
  end)

  it("is not written over the file it comes from", function()
    local path = write("self.csv", "id,name\n,Ada\n")
    local result = running.run(folder, "tell", "--people", path, "--rejects", path)
    assert.equal(2, result.code)
    assert.matches("cannot be both read and the rejects file", result.err)
    assert.equal("id,name\n,Ada\n", helper.read_file(path))
  end)
end)

describe("who is let in", function()
  local PEOPLE = "id,name,age\na,Ada,36\nb,Bob,x\nc,Cy,50\nd,Di,7\n"

  it("are at most --limit people", function()
    local result = met("some.csv", PEOPLE, "--limit", "2")
    assert.same({ "a", "b" }, { result.met.a and "a", result.met.b and "b" })
    assert.equal(2, result.report.entered)
    assert.equal(2, result.count)
    assert.equal(2, running.run(folder, "tell", "--people", "some.csv", "--limit", "0").code)
  end)

  it("are those for whom --where is true", function()
    local result = met("some.csv", PEOPLE, "--where", "tonumber(age) and tonumber(person.age) > 20")
    assert.equal(2, result.report.entered)
    assert.equal(2, result.report.left_out)
    assert.is_table(result.met.a)
    assert.is_table(result.met.c)
    result = met("some.csv", PEOPLE, "--where", "name ~= nil and nickname == nil", "--limit", "3")
    assert.equal(3, result.report.entered)
  end)

  it("are none, once --where fails: that is told with the line", function()
    local result = met("some.csv", PEOPLE, "--where", "age + 1 > 20")
    assert.equal(2, result.code)
    assert.matches("%-%-where fails for b in line 3: attempt to add [^\n]*\n$", result.err)
    result = met("some.csv", PEOPLE, "--where", "age >")
    assert.equal(2, result.code)
    assert.equal(0, result.count)
    assert.matches("^jaunt: %-%-where: .*near <eof>\n$", result.err)
  end)

  it("are nobody in a dry run, which shows three people's requests", function()
    local vendor = running.vendor()
    local path = write("dry.csv", PEOPLE)
    local result = running.run(folder, { env = { VENDOR_URL = vendor.url .. "/vendor" } }, "send", "--people", path, "--dry-run")
    assert.equal(0, result.code)
    assert.matches("a  greeting\n  POST " .. vendor.url:gsub("%p", "%%%0") .. "/vendor/greet\n", result.out)
    assert.matches('"name": "Cy"', result.out)
    assert.not_matches('"name": "Di"', result.out)
    assert.equal(0, vendor.received().requests)
    -- the same live: so it is no wonder of the address
    result = running.run(folder, { env = { VENDOR_URL = vendor.url .. "/vendor" } }, "send", "--people", path, "--live", "--yes")
    assert.equal(0, result.code)
    assert.equal(4, vendor.received().requests)
    vendor.stop()
  end)
end)

describe("a pipe", function()
  -- A child that writes a file into a pipe, in pieces of a few bytes, each only when the one before was taken or some
  -- time went by.
  local function slow_writer(path, pipe, size)
    helper.write_file(folder .. "/drip.sh", ([[
      exec >%s
      i=0
      total=$(wc -c <%s)
      while [ $i -lt $total ]; do
        tail -c +$((i + 1)) %s | head -c %d
        i=$((i + %d))
        sleep 0.0$(( (i %% 7) ))
      done]]):format(pipe, path, path, size, size))
    return helper.start("sh " .. folder .. "/drip.sh")
  end

  local function mkfifo(name)
    local path = folder .. "/" .. name
    os.remove(path)
    assert(os.execute("mkfifo " .. path))
    return path
  end

  local SLOW = {
    ["slow.csv"] = { 'id,name,note\nä,"Zoë\nZ",x\n,no,id\nb,"B ""o"" b",\n', 2 },
    ["slow.ndjson"] = { '{"id":"ä","name":"Zoë"}\n{"id":2\n{"id":"b"}', 2 },
    ["slow.json"] = { '[ {"id":"ä","name":"Zoë, }"} , {"no":1},\n{"id":"b"} ]\n', 2 },
  }

  for name, case in pairs(SLOW) do
    it("that is written slowly gives the same people as the file: " .. name, function()
      local file = met(name, case[1])
      assert.equal(case[2], file.count)
      local pipe = mkfifo("pipe")
      local writer = slow_writer(folder .. "/" .. name, pipe, 3)
      local process = running.start(folder, { input = pipe }, "tell", "--people", "-", "--json", "--rejects", "pipe.rejects")
      local result = process.finish()
      writer.stop()
      assert.equal(0, result.code)
      assert.equal(file.report.entered, result.report.entered)
      assert.equal(file.report.rejected, result.report.rejected)
      local said = {}
      for line in result.err:gmatch("({[^\n]*})\n") do said[json.decode(line).id] = true end
      for id in pairs(file.met) do assert.is_true(said[id]) end
      assert.equal(helper.read_file(folder .. "/" .. name:gsub("%.", ".rejects.")), helper.read_file(folder .. "/pipe.rejects"))
    end)
  end

  it("that sends nothing holds up neither a person's Ctrl-C nor the ledger", function()
    local pipe = mkfifo("silent")
    local writer = helper.start("sh -c " .. helper.quote("exec >" .. pipe .. "; printf 'id,name\\none,Ada\\ntwo,\"B'; exec sleep 1000"))
    local process = running.start(folder, {}, "tell", "--people", pipe, "--json")
    running.wait_for("the first person", function() return helper.read_file(process.err):find('"id":"one"', 1, true) end)
    process.signal("INT")
    local result = process.finish()
    writer.stop("KILL")
    assert.equal(0, result.code)
    assert.equal(1, result.report.entered)
    assert.equal(1, result.report.completed)
    assert.is_true(result.report.interrupted)
    assert.matches("interrupted", result.err)
  end)

  it("that nobody writes to yet is waited for, and can be given up", function()
    local pipe = mkfifo("nobody")
    local process = running.start(folder, {}, "tell", "--people", pipe)
    running.wait_for("the head line", function() return helper.read_file(process.out):find("rehearsal", 1, true) end)
    process.signal("INT")
    local result = process.finish()
    assert.equal(0, result.code)
    assert.matches("ledger    0 entered", result.out)
  end)

  it("tells of a missing id column, however late the header comes", function()
    local pipe = mkfifo("late")
    local process = running.start(folder, {}, "tell", "--people", pipe)
    running.wait_for("the head line", function() return helper.read_file(process.out):find("rehearsal", 1, true) end)
    helper.sh("printf 'mail,name\\na,b\\n' >" .. pipe)
    local result = process.finish()
    assert.equal(2, result.code)
    assert.matches('late:1: there is no column "id"[^\n]*"mail", "name"[^\n]*\n$', result.err)
  end)
end)

describe("memory", function()
  -- What is there once and not for each person may differ by this much between a short run and a long one: the buffers
  -- of the admission window, the collector's pace, the stacks and arenas of threads.
  local ONCE = 10 << 20

  local function status(pid, field)
    return tonumber(helper.read_file(("/proc/%d/status"):format(pid)):match(field .. ":%s*(%d+) kB")) << 10
  end

  -- The peak of the process's memory in bytes, when the last of `count` people, who come through a pipe and leave at once,
  -- has come; nil under sanitizers, which have a memory of their own.
  local function peak(count)
    local pipe, hold = folder .. "/many", folder .. "/hold"
    helper.sh(("rm -f %s %s; mkfifo %s %s"):format(pipe, hold, pipe, hold))
    local writer = helper.start("sh -c " .. helper.quote(([[exec >%s
      awk 'BEGIN { for (i = 1; i <= %d; i++) print "{\"id\":\"person-" i "\",\"name\":\"Ada\"}"; print "{\"id\":\"last\"}" }'
      read line <%s]]):format(pipe, count, hold)))
    local process = running.start(folder, {}, "leave", "--people", pipe, "--json", "--workers", "2")
    running.wait_for("the last person", function() return helper.read_file(process.err):find("the last one\n", 1, true) end)
    local sanitized = helper.read_file(("/proc/%d/maps"):format(process.pid)):find("lib[atu]b?san")
    local most = not sanitized and status(process.pid, "VmHWM") or nil
    helper.sh("echo over >" .. hold)
    local result = process.finish()
    writer.stop()
    assert.equal(count + 1, result.report.entered)
    assert.equal(count + 1, result.report.exited)
    return most
  end

  it("grows by at most 24 bytes a person, peak included", function()
    local few = peak(1000)
    if not few then return pending("memory says nothing under sanitizers") end
    local many = peak(1000000)
    assert.is_true(many - few <= 24 * 999000 + ONCE, ("%.1f bytes a person"):format((many - few) / 999000))
  end)
end)
