-- Dates in payload templates: all directives of Ruby's strftime, all the ways in which dates come, zones, and the
-- clock of the journey in place of the machine's.

local json = require "json"
local liquid = require "jaunt.liquid"
local date = require "jaunt.liquid.date"
local reading = require "jaunt.liquid.date_reading"
local states = require "states"
local values = require "jaunt.liquid.values"

local NOW = 1795720830000 -- 2026-11-26T19:20:30Z
local has_zones = io.open "/usr/share/zoneinfo/Europe/Berlin" ~= nil

local function render(text, vars, zone)
  local template = assert(liquid.compile(text, { path = "t", kind = "txt" }))
  local result, fault = template:render { vars = vars or {}, now = NOW, zone = zone }
  return result or tostring(fault)
end

describe("a format", function()
  -- What Ruby gives for 2016-03-14 14:06:07.123 +01:00, and for 2026-01-03 00:05:09 UTC; for %+ it is its Date that does.
  local DIRECTIVES = {
    { "%Y", "2016", "2026" }, { "%C", "20", "20" }, { "%y", "16", "26" }, { "%m", "03", "01" },
    { "%B", "March", "January" },
    { "%^B", "MARCH", "JANUARY" }, { "%b", "Mar", "Jan" }, { "%^b", "MAR", "JAN" }, { "%h", "Mar", "Jan" },
    { "%d", "14", "03" }, { "%-d", "14", "3" }, { "%e", "14", " 3" }, { "%j", "074", "003" }, { "%-j", "74", "3" },
    { "%H", "14", "00" }, { "%k", "14", " 0" }, { "%I", "02", "12" }, { "%l", " 2", "12" }, { "%M", "06", "05" },
    { "%S", "07", "09" }, { "%L", "123", "000" }, { "%3N", "123", "000" }, { "%6N", "123000", "000000" },
    { "%N", "123000000", "000000000" }, { "%12N", "123000000000", "000000000000" }, { "%1L", "1", "0" },
    { "%z", "+0100", "+0000" }, { "%:z", "+01:00", "+00:00" }, { "%::z", "+01:00:00", "+00:00:00" },
    { "%:::z", "+01", "+00" },
    { "%-z", "+0100", "-0000" }, { "%_10:z", "     +1:00", "     +0:00" }, { "%010z", "+000000100", "+000000000" },
    { "%Z", "", "UTC" }, { "%#Z", "", "utc" }, { "%5Z", "", "  UTC" },
    { "%A", "Monday", "Saturday" }, { "%^A", "MONDAY", "SATURDAY" }, { "%a", "Mon", "Sat" }, { "%#a", "MON", "SAT" },
    { "%u", "1", "6" }, { "%w", "1", "6" }, { "%G", "2016", "2026" }, { "%g", "16", "26" }, { "%V", "11", "01" },
    { "%U", "11", "00" }, { "%W", "11", "00" }, { "%s", "1457960767", "1767398709" },
    { "%p", "PM", "AM" }, { "%P", "pm", "am" }, { "%#p", "pm", "am" }, { "%^P", "PM", "AM" },
    { "%n", "\n", "\n" }, { "%t", "\t", "\t" }, { "%%", "%", "%" }, { "%5%", "    %", "    %" },
    { "%c", "Mon Mar 14 14:06:07 2016", "Sat Jan  3 00:05:09 2026" },
    { "%^c", "MON MAR 14 14:06:07 2016", "SAT JAN  3 00:05:09 2026" },
    { "%D", "03/14/16", "01/03/26" }, { "%F", "2016-03-14", "2026-01-03" }, { "%12F", "  2016-03-14", "  2026-01-03" },
    { "%T", "14:06:07", "00:05:09" }, { "%R", "14:06", "00:05" }, { "%r", "02:06:07 PM", "12:05:09 AM" },
    { "%v", "14-MAR-2016", " 3-JAN-2026" }, { "%x", "03/14/16", "01/03/26" }, { "%X", "14:06:07", "00:05:09" },
    { "%10Y", "0000002016", "0000002026" }, { "%-m", "3", "1" }, { "%_m", " 3", " 1" }, { "%05d", "00014", "00003" },
    { "%_5d", "   14", "    3" }, { "%^10a", "       MON", "       SAT" }, { "%010A", "0000Monday", "00Saturday" },
    { "%-H", "14", "0" }, { "%_H", "14", " 0" }, { "%-I", "2", "12" }, { "%-S", "7", "9" }, { "%5S", "00007", "00009" },
    { "%Ey", "16", "26" }, { "%Od", "14", "03" }, { "%Ed", "%Ed", "%Ed" }, { "%Q", "%Q", "%Q" }, { "%E", "%E", "%E" },
    { "%!Y", "%!Y", "%!Y" }, { "%+3d", "Mon Mar 14 14:06:07  20163d", "Sat Jan  3 00:05:09 UTC 20263d" },
    { "%:Y", "%:Y", "%:Y" },
    { "%", "%", "%" }, { "a %-d%% b", "a 14% b", "a 3% b" }, { "“%e”", "“14”", "“ 3”" },
  }

  it("has all directives, flags and widths of Ruby's", function()
    for _, row in ipairs(DIRECTIVES) do
      assert.equal(row[2], date.strftime(row[1], 1457960767123, 3600), row[1])
      assert.equal(row[3], date.strftime(row[1], 1767398709000), row[1])
    end
  end)

  it("numbers weeks as ISO 8601 does at the turn of a year", function() -- 3.1.1.19 and its examples
    local function week(day) return date.strftime("%G-W%V-%u", (reading.read(day, nil, NOW))) end
    for day, expected in pairs { ["2005-01-01"] = "2004-W53-6", ["2005-12-31"] = "2005-W52-6",
      ["2007-01-01"] = "2007-W01-1",
      ["2008-12-29"] = "2009-W01-1", ["2010-01-03"] = "2009-W53-7", ["2024-12-30"] = "2025-W01-1",
      ["2020-12-31"] = "2020-W53-4" } do
      assert.equal(expected, week(day))
      assert.equal(day, date.strftime("%F", (reading.read(expected, nil, NOW))))
    end
  end)

  it("is refused where it is far too wide", function()
    assert.truthy(render("{{ 0 | date: '%99999d' }}"):find("wider than 1000", 1, true))
    assert.truthy(render("{{ 0 | date: '%999999999999999999999d' }}"):find("wider than 1000", 1, true))
    assert.equal(1000, #render("{{ 0 | date: '%1000d' }}"))
  end)

  it("is kept, but not as many as there may be", function()
    local reader = date.reader "%Y"
    assert.equal(reader, date.reader "%Y")
    for i = 1, 1000 do date.reader("%Y " .. i) end
    assert.not_equal(reader, date.reader "%Y")
  end)

  it("is refused where it is far too long: a value may be one", function()
    assert.matches("a date format has at most 1000 bytes, not 1200", render("{{ 'now' | date: x }}", { x = ("%H"):rep(600) }), 1, true)
    assert.equal(("19"):rep(500), render("{{ 'now' | date: x }}", { x = ("%H"):rep(500) }))
  end)

  it("of plain numbers is printed as any other", function()
    math.randomseed(7)
    for _ = 1, 2000 do
      local ms, zone = math.random(-70000000000000, 300000000000000), math.random(-86399, 86399)
      local plain = date.strftime("%Y-%m-%d %H:%M:%S, %Y.", ms, zone)
      assert.equal(date.strftime("%Y-%m-%d %H:%M:%S, %Y.%0%", ms, zone), plain .. "%")
    end
    assert.equal("10000-01-01", date.strftime("%Y-%m-%d", 253402300800000))
    assert.equal("%", date.strftime("%", 0))
  end)

  it("that is empty or nil changes nothing", function()
    assert.equal("March 14, 2016", render("{{ 'March 14, 2016' | date: nosuchthing }}"))
    assert.equal("5", render("{{ 5 | date: '' }}"))
  end)
end)

describe("a date", function()
  -- What is written, the moment that it means, and its offset if it has one. "" is no date.
  local WRITTEN = {
    { "2016-03-14", "2016-03-14 00:00:00" }, { "2016-03-14 12:00", "2016-03-14 12:00:00" },
    { "2016-03-14 12:00:07", "2016-03-14 12:00:07" }, { "2016-03-14T12:00:07", "2016-03-14 12:00:07" },
    { "2016-03-14T12:00:07Z", "2016-03-14 12:00:07" }, { "2016-03-14t12:00:07.25z", "2016-03-14 12:00:07" },
    { "2016-03-14T12:00:07+01:00", "2016-03-14 11:00:07", 3600 },
    { "2016-03-14 12:00:00 +0100", "2016-03-14 11:00:00", 3600 },
    { "2016-03-14 12:00:00 -05:30", "2016-03-14 17:30:00", -19800 },
    { "2016-03-14 12:00:00 UTC", "2016-03-14 12:00:00" },
    { "2016-03-14 12:00 EST", "2016-03-14 17:00:00", -18000 }, { "2016-03-14 12:00 CET", "2016-03-14 11:00:00", 3600 },
    { "20160314T120007Z", "2016-03-14 12:00:07" }, { "20160314T1200", "2016-03-14 12:00:00" },
    { "2016-074", "2016-03-14 00:00:00" }, { "2016-W11-1", "2016-03-14 00:00:00" },
    { "2016-W11", "2016-03-14 00:00:00" },
    { "2016-03", "2016-03-01 00:00:00" }, { "2016-02-30", "2016-03-01 00:00:00" },
    { "2016-03-14 24:00", "2016-03-15 00:00:00" },
    { "Mon, 14 Mar 2016 12:00:07 GMT", "2016-03-14 12:00:07" },
    { "Mon, 14 Mar 2016 12:00:07 -0500", "2016-03-14 17:00:07", -18000 },
    { "Mon Mar 14 12:00:07 2016", "2016-03-14 12:00:07" }, { "Mon Mar 14 12:00:07 UTC 2016", "2016-03-14 12:00:07" },
    { "March 14, 2016", "2016-03-14 00:00:00" }, { "Mar 14 2016 10:05 PM", "2016-03-14 22:05:00" },
    { "Mar. 14, 2016", "2016-03-14 00:00:00" }, { "14 March 2016", "2016-03-14 00:00:00" },
    { "14th of March 2016", "2016-03-14 00:00:00" },
    { "14-Mar-2016", "2016-03-14 00:00:00" }, { "14-mar-16", "2016-03-14 00:00:00" },
    { "Monday, March 14, 2016 at 5pm", "2016-03-14 17:00:00" },
    { "2016/03/14", "2016-03-14 00:00:00" }, { "14/03/2016", "2016-03-14 00:00:00" },
    { "14.3.2016", "2016-03-14 00:00:00" },
    { "16-03-14", "2016-03-14 00:00:00" }, { "69-03-14", "1969-03-14 00:00:00" },
    { "'16-03-14", "2016-03-14 00:00:00" },
    { "12:30 March 14 2016", "2016-03-14 12:30:00" }, { "12:30:15 2016-03-14", "2016-03-14 12:30:15" },
    { "160314 10:00", "2016-03-14 10:00:00" }, { "700314T1000", "1970-03-14 10:00:00" },
    { "2016-03-14 24:30", "" }, { "2016-03-14T12:00:00+99:00", "" }, { "2016-03-14 12:00 +2500", "" },
    { "March", "2026-03-01 00:00:00" }, { "March 14", "2026-03-14 00:00:00" }, { "14 Mar", "2026-03-14 00:00:00" },
    { "March 2016", "2016-03-01 00:00:00" }, { "10:05", "2026-11-26 10:05:00" }, { "10:05 pm", "2026-11-26 22:05:00" },
    { "12 am", "2026-11-26 00:00:00" }, { "noon", "" }, { "5pm", "2026-11-26 17:00:00" },
    { "the 5th", "2026-11-05 00:00:00" },
    { "now", "2026-11-26 19:20:30" }, { "Today", "2026-11-26 19:20:30" },
    { "1152098955", "2006-07-05 11:29:15" }, { "0", "1970-01-01 00:00:00" },
    { "-1152098955", "" }, { "", "" }, { "hello", "" }, { "monday", "" }, { "tomorrow", "" }, { "2016-13-01", "" },
    { "2016-03-32", "" },
    { "3/14/2016", "" }, { "2016-03-14 25:00", "" }, { "12:60", "" }, { "99999999999999999999", "" },
    { "9999999999999999", "" },
    { ("2016-03-14 "):rep(20), "" },
  }

  it("is read in all the ways in which Ruby reads it", function()
    for _, row in ipairs(WRITTEN) do
      local ms, zone = reading.read(row[1], nil, NOW)
      assert.equal(row[2], ms and date.strftime("%F %T", ms) or "", row[1])
      assert.equal(ms and row[3] or nil, zone, row[1])
    end
  end)

  it("is the same moment as RFC 3339 has it, and with a blank more", function()
    math.randomseed(8)
    local function digits(count, most) return ("%0" .. count .. "d"):format(math.random(0, most)) end
    for _ = 1, 2000 do
      local day = ("%04d-%02d-%02d"):format(math.random(1, 9999), math.random(1, 12), math.random(1, 28))
      local clock = digits(2, 23) .. ":" .. digits(2, 59) .. ":" .. digits(2, 59) .. (math.random(2) == 1 and "." .. digits(4, 9999) or "")
      local offset = ({ "", "Z", "+" .. digits(2, 23) .. ":" .. digits(2, 59), "-" .. digits(2, 23) .. digits(2, 59) })[math.random(4)]
      local ms, zone = reading.read(day .. "T" .. clock .. offset, "Europe/Berlin", NOW)
      local other, other_zone = reading.read(day .. "  " .. clock .. offset, "Europe/Berlin", NOW)
      assert.same({ other, other_zone }, { ms, zone }, day .. "T" .. clock .. offset)
      assert.is_truthy(ms)
    end
    for _, text in ipairs { "2026-11-30T", "2026-11-30 09:00:0", "2026-11-30T09:00:00+1", "2026-1-30", "2026-11-30\0" } do
      assert.is_nil(require("jaunt.native.calendar").read(text, nil), text)
    end
  end)

  it("keeps its offset, and its milliseconds", function()
    assert.equal("12:00:07.250 +0100", render("{{ '2016-03-14T12:00:07.25+01:00' | date: '%T.%L %z' }}"))
  end)

  it("is seconds since 1970 as an integer, and is no float", function()
    assert.equal("07/05/2006", render("{{ 1152098955 | date: '%m/%d/%Y' }}"))
    assert.equal("12/31/1969", render("{{ -1 | date: '%m/%d/%Y' }}"))
    assert.equal("1.5", render("{{ 1.5 | date: '%Y' }}"))
    assert.equal("9223372036854775807", render("{{ 9223372036854775807 | date: '%Y' }}"))
  end)

  it("that is none stays as it is", function()
    assert.equal("soon", render("{{ 'soon' | date: '%Y' }}"))
    assert.equal("", render("{{ nosuchthing | date: '%Y' }}"))
    assert.equal("true", render("{{ true | date: '%Y' }}"))
    assert.equal("ab", render("{{ x | date: '%Y' }}", { x = { "a", "b" } }))
    assert.equal("soon", render("{{ 'soon' | time_zone: 'UTC' }}"))
  end)

  it("of now is the journey's", function()
    assert.equal("2026-11-26 19:20:30", render("{{ 'now' | date: '%F %T' }}"))
    assert.equal("2026-11-26 19:20:30", render("{{ now | date: '%F %T' }}"))
    assert.equal("2026", render("{{ 'March 14' | date: '%Y' }}"))
  end)

  it("may be any bytes at all, and is a moment or none", function()
    local state = 7
    local function dice(most)
      state = (state * 6364136223846793005 + 1442695040888963407) & math.maxinteger
      return (state >> 33) % most + 1
    end
    local PARTS = { "2016", "-", "03", "14", "mar", "sep", ":", "12", "/", ".", " ", "t", "z", "+01", "w", "1",
      "999", "pm", "'", "th", "mon", ",",
      "é", "\0", "h", "gmt", "99999999", "[", "@", "0" }
    for _ = 1, 20000 do
      local text = {}
      for i = 1, dice(9) do text[i] = PARTS[dice(#PARTS)] end
      text = table.concat(text)
      local ms, zone = reading.read(text, nil, NOW)
      if ms then
        assert.equal("integer", math.type(ms), text)
        date.strftime("%c %z %Z %G-W%V", ms, zone)
      end
    end
  end)
end)

describe("a time zone", function()
  it("is the render's where nothing else is said", function()
    if not has_zones then return pending "no zone data" end
    assert.equal("20:20 CET", render("{{ 'now' | date: '%H:%M %Z' }}", nil, "Europe/Berlin"))
    assert.equal("1457910000", render("{{ 'March 14, 2016' | date: '%s' }}", nil, "Europe/Berlin"))
    assert.equal("1457913600", render("{{ 'March 14, 2016' | date: '%s' }}"))
    assert.equal("12:00 +0500", render("{{ '2016-03-14 12:00 +05:00' | date: '%H:%M %z' }}", nil, "Europe/Berlin"))
  end)

  it("can be told, with its summers and its short names", function()
    if not has_zones then return pending "no zone data" end
    local function at(text, zone)
      return render("{{ x | time_zone: z | date: '%F %T %z %Z' }}", { x = text, z = zone })
    end
    assert.equal("2026-03-29 01:59:59 +0100 CET", at("2026-03-29T00:59:59Z", "Europe/Berlin"))
    assert.equal("2026-03-29 03:00:00 +0200 CEST", at("2026-03-29T01:00:00Z", "Europe/Berlin"))
    assert.equal("2150-07-01 14:00:00 +0200 CEST", at("2150-07-01T12:00:00Z", "Europe/Berlin"))
    assert.equal("2016-01-01 17:30:00 +0530 IST", at("2016-01-01T12:00:00Z", "Asia/Kolkata"))
    assert.equal("2015-12-31 20:00:00 -0800 PST", at("2016-01-01T04:00:00Z", "America/Los_Angeles"))
    assert.equal("2016-01-01 04:00:00 +0000 UTC", at("2016-01-01T04:00:00Z", "UTC"))
  end)

  it("goes with the date to where it is printed", function()
    if not has_zones then return pending "no zone data" end
    assert.equal("2026-11-26 20:20:30 +0100", render("{{ now | time_zone: 'Europe/Berlin' }}"))
    assert.equal("2026-11-26 19:20:30 UTC", render("{{ now | time_zone: 'UTC' }}"))
    assert.equal("14:20",
      render("{{ now | time_zone: 'Europe/Berlin' | time_zone: 'America/New_York' | date: '%H:%M' }}"))
  end)

  it("that there is not is an error", function()
    assert.truthy(render("{{ now | time_zone: 'Europe/Berln' }}"):find('there is no time zone "Europe/Berln"', 1, true))
    assert.truthy(render("{{ now | time_zone: nosuchthing }}"):find("there is no time zone", 1, true))
  end)
end)

describe("in a journey", function()
  it("templates have the journey's time, the zones, and the digests", function()
    if not has_zones then return pending "no zone data" end
    local state = states.make("letters", [[
return journey "letters" { flow = function()
  call_api "first" { via = "crm", POST = "/letters", payload = "letter" }
  wait "3d"
  call_api "second" { via = "crm", POST = "/letters", payload = "letter" }
end }]], { { id = "ada" } }, { files = { ["payloads/letter.txt"] = "{{ 'é' | upcase }} {{ 'hey' | md5 | slice: 0, 4 }}"
      .. " {{ now | date: '%F %T' }} {{ 1753000000 | time_zone: 'Europe/Berlin' | date: '%H %Z' }}" } })
    local bodies = {}
    for _, entry in ipairs(json.decode(state.look("why", "ada", "--json")).runs[1].story) do
      bodies[#bodies + 1] = entry.request and entry.request.body
    end
    assert.same({ "É 6057 2026-11-25 09:00:00 10 CEST", "É 6057 2026-11-28 09:00:00 10 CEST" }, bodies)
  end)
end)

describe("dates among each other", function()
  it("are equal, and have an order", function()
    local early, late = values.date(NOW), values.date(NOW + 1, "Europe/Berlin")
    assert.truthy(values.equal(early, values.date(NOW, "Europe/Berlin")))
    assert.truthy(values.less(early, late))
    assert.falsy(values.greater_equal(early, late))
    assert.has_error(function() values.less(early, "2016") end)
  end)
end)
