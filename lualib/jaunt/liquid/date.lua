-- Dates of payload templates: how one is printed, and the words that a format is made of.
--
-- A format is Ruby's for Time#strftime, which Liquid's `date` filter takes: %Y-%m-%d and so on, with the flags - 0 ^
-- _ # and :, and widths. What Ruby does not know stays as it stands. A format is read once and kept.

local calendar = require "jaunt.native.calendar"
local values = require "jaunt.liquid.values"

local find, format, gsub = string.find, string.format, string.gsub
local lower, match = string.lower, string.match
local rep, sub, upper = string.rep, string.sub, string.upper
local abs, concat = math.abs, table.concat

local date = {}

local WIDTH_MOST = 1000
local FORMATS_KEPT = 200
local FORMAT_MOST = 1000 -- bytes of one: it may be a value, and is kept

---------------------------------------------------------------------------------------------- what a clock shows

local DAYS = { [0] = "Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday" }
local MONTHS = {
  "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
  "December",
}
local DAYS_BEFORE = { 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334 }

local function is_leap(year)
  return year % 4 == 0 and (year % 100 ~= 0 or year % 400 == 0)
end

-- Days of the year before that one.
local function day_of_year(t)
  local day = DAYS_BEFORE[t.month] + t.day - 1
  return t.month > 2 and is_leap(t.year) and day + 1 or day
end

-- The week that a day belongs to, and that week's year (ISO 8601: weeks begin on Mondays, and the first one has
-- January 4).
local function iso_week(t)
  local thursday = day_of_year(t) - (t.weekday + 6) % 7 + 3
  local length = is_leap(t.year) and 366 or 365
  if thursday < 0 then
    return (thursday + (is_leap(t.year - 1) and 366 or 365)) // 7 + 1, t.year - 1
  end
  if thursday >= length then return 1, t.year + 1 end
  return thursday // 7 + 1, t.year
end

local function twelve(hour)
  return (hour + 11) % 12 + 1
end

---------------------------------------------------------------------------------------------- directives

-- Numbers: what they are, how many digits they have, and what fills them up.
local NUMBERS = {
  C = { function(t) return t.year // 100 end, 2, "0" },
  d = { function(t) return t.day end, 2, "0" },
  e = { function(t) return t.day end, 2, " " },
  g = { function(t) local _, year = iso_week(t) return year % 100 end, 2, "0" },
  G = { function(t) local _, year = iso_week(t) return year end, 4, "0" },
  H = { function(t) return t.hour end, 2, "0" },
  I = { function(t) return twelve(t.hour) end, 2, "0" },
  j = { function(t) return day_of_year(t) + 1 end, 3, "0" },
  k = { function(t) return t.hour end, 2, " " },
  l = { function(t) return twelve(t.hour) end, 2, " " },
  m = { function(t) return t.month end, 2, "0" },
  M = { function(t) return t.minute end, 2, "0" },
  s = { function(t) return t.at // 1000 end, 1, "0" },
  S = { function(t) return t.second end, 2, "0" },
  u = { function(t) return t.weekday == 0 and 7 or t.weekday end, 1, "0" },
  U = { function(t) return (day_of_year(t) + 7 - t.weekday) // 7 end, 2, "0" },
  V = { function(t) return (iso_week(t)) end, 2, "0" },
  w = { function(t) return t.weekday end, 1, "0" },
  W = { function(t) return (day_of_year(t) + 7 - (t.weekday + 6) % 7) // 7 end, 2, "0" },
  y = { function(t) return t.year % 100 end, 2, "0" },
  Y = { function(t) return t.year end, 4, "0" },
}

local SHORT_DAYS, SHORT_MONTHS, TWO_DIGITS = {}, {}, {}
for i, name in pairs(DAYS) do SHORT_DAYS[i] = sub(name, 1, 3) end
for i, name in pairs(MONTHS) do SHORT_MONTHS[i] = sub(name, 1, 3) end
for i = 0, 99 do TWO_DIGITS[i] = format("%02d", i) end

local TEXTS = {
  a = function(t) return SHORT_DAYS[t.weekday] end,
  A = function(t) return DAYS[t.weekday] end,
  b = function(t) return SHORT_MONTHS[t.month] end,
  B = function(t) return MONTHS[t.month] end,
  h = function(t) return SHORT_MONTHS[t.month] end,
  n = function() return "\n" end,
  p = function(t) return t.hour < 12 and "AM" or "PM" end,
  P = function(t) return t.hour < 12 and "am" or "pm" end,
  t = function() return "\t" end,
  Z = function(t) return calendar.abbreviation(t.at, t.zone) end,
  ["%"] = function() return "%" end,
}

-- Formats that stand for others.
local TOGETHER = {
  c = "%a %b %e %H:%M:%S %Y", D = "%m/%d/%y", F = "%Y-%m-%d", r = "%I:%M:%S %p", R = "%H:%M", T = "%H:%M:%S",
  v = "%e-%^b-%4Y", x = "%m/%d/%y", X = "%H:%M:%S", ["+"] = "%a %b %e %H:%M:%S %Z %Y",
}

-- Before which directives the modifiers E and O may stand; they change nothing.
local MODIFIED = { E = "[cCxXyY]", O = "[deHIklmMSuUVwWy]" }

local function filled(text, width, with)
  return width > #text and rep(with, width - #text) .. text or text
end

local function number_piece(row, flags)
  local of, digits, fill = row[1], row[2], flags.fill or row[3]
  local width = flags.bare and 1 or flags.width or digits
  local years = digits == 4 and not flags.bare and not flags.width
  local two_digits = width == 2 and fill == "0" and TWO_DIGITS or {}
  return function(t)
    local number = of(t)
    if two_digits[number] then return two_digits[number] end
    local wanted = years and number < 0 and 5 or width
    local text = format("%d", abs(number))
    if fill == "0" then return number < 0 and "-" .. filled(text, wanted - 1, "0") or filled(text, wanted, "0") end
    return filled(number < 0 and "-" .. text or text, wanted, " ")
  end
end

-- Which case a text is put into: "#" gives capitals, and small letters to what has capitals.
local function case_of(directive, flags)
  if flags.swap and (directive == "p" or directive == "Z") then return lower end
  if flags.swap or flags.upper then return upper end
end

local function text_piece(directive, flags)
  local of, change = TEXTS[directive], case_of(directive, flags)
  local width, fill = flags.bare and 0 or flags.width or 0, flags.fill or " "
  return function(t)
    local text = of(t)
    if change then text = change(text) end
    return text == "" and text or filled(text, width, fill)
  end
end

-- %L and %N: as many digits of the second's fraction as wanted.
local function fraction_piece(digits, flags)
  digits = flags.width or digits
  return function(t)
    local text = format("%03d", t.ms)
    return digits <= 3 and sub(text, 1, digits) or text .. rep("0", digits - 3)
  end
end

-- +hhmm, +hh:mm, +hh:mm:ss, or as little of it as will do; a width and a filling are the hour's. The flag "-" makes
-- UTC's -0000, RFC 3339's sign for a time that is nowhere's.
local function offset_piece(flags)
  local colons, width = flags.colons or 0, flags.width or 0
  return function(t)
    local negative = t.offset < 0 or flags.bare and (t.zone == nil or t.zone == "UTC")
    local sign, offset = negative and "-" or "+", abs(t.offset)
    local minutes, seconds = offset // 60 % 60, offset % 60
    local rest = ""
    if colons < 3 or minutes > 0 or seconds > 0 then rest = format(colons > 0 and ":%02d" or "%02d", minutes) end
    if colons == 2 or colons == 3 and seconds > 0 then rest = rest .. format(":%02d", seconds) end
    local hour = format("%d", offset // 3600)
    local room = width - #rest - 1
    if room < 2 then room = 2 end
    if flags.fill == " " then return filled(sign .. hour, room + 1, " ") .. rest end
    return sign .. filled(hour, room, "0") .. rest
  end
end

local function together_piece(directive, flags)
  local print = date.reader(TOGETHER[directive])
  local width, fill = flags.width or 0, flags.fill or " "
  return function(t)
    local text = print(t)
    if flags.upper then text = upper(text) end
    return filled(text, width, fill)
  end
end

-- What a directive makes of a time; nil where there is no such directive.
local function piece_of(directive, flags)
  if flags.colons and directive ~= "z" then return nil end
  if NUMBERS[directive] then return number_piece(NUMBERS[directive], flags) end
  if TEXTS[directive] then return text_piece(directive, flags) end
  if TOGETHER[directive] then return together_piece(directive, flags) end
  if directive == "L" then return fraction_piece(3, flags) end
  if directive == "N" then return fraction_piece(9, flags) end
  if directive == "z" then return offset_piece(flags) end
end

---------------------------------------------------------------------------------------------- formats

local FLAGS = {
  ["-"] = function(flags) flags.bare, flags.fill, flags.width = true, nil, nil end,
  ["0"] = function(flags) flags.fill = "0" end,
  ["_"] = function(flags) flags.fill = " " end,
  ["^"] = function(flags) flags.upper = true end,
  ["#"] = function(flags) flags.swap = true end,
}

-- Reads flags, width and modifier that begin at `at`, behind a "%". Returns what they say and the directive's place.
local function read_flags(text, at)
  local flags = {}
  local flag = FLAGS[sub(text, at, at)]
  while flag do
    flag(flags)
    at = at + 1
    flag = FLAGS[sub(text, at, at)]
  end
  local width = match(text, "^%d+", at)
  if width then
    flags.width = math.tointeger(tonumber(width)) or math.maxinteger
    if flags.width > WIDTH_MOST then
      values.fail("the date format %s is wider than %d", values.show(text), WIDTH_MOST)
    end
    if flags.width == 0 then flags.width = nil end
    at = at + #width
  end
  local colons = match(text, "^:+", at)
  if colons then flags.colons, at = #colons, at + #colons end
  local modified = MODIFIED[sub(text, at, at)]
  if modified and find(text, "^" .. modified, at + 1) then at = at + 1 end
  return flags, at
end

-- The pieces of a format: texts, and functions that make one of a time.
local function pieces_of(text)
  local pieces, from = {}, 1
  local at = find(text, "%", 1, true)
  while at do
    if at > from then pieces[#pieces + 1] = sub(text, from, at - 1) end
    local flags, stop = read_flags(text, at + 1)
    local directive = sub(text, stop, stop)
    local piece = (flags.colons or 0) <= 3 and piece_of(directive, flags)
    pieces[#pieces + 1] = piece or sub(text, at, stop)
    from = stop + 1
    at = find(text, "%", from, true)
  end
  pieces[#pieces + 1] = sub(text, from)
  return pieces
end

-- A function that prints a time by this format.
local function make_reader(text)
  local pieces = pieces_of(text)
  local count, out = #pieces, {} -- all of it is written anew each time
  return function(t)
    local bytes = 0
    for i = 1, count do
      local piece = pieces[i]
      if type(piece) == "function" then piece = piece(t) end
      bytes = bytes + #piece
      out[i] = piece
    end
    values.check_length(bytes)
    return concat(out)
  end
end

local kept, kept_count = {}, 0
local is_plain = {} -- whether calendar.print knows all that is in a format that is kept

function date.reader(text)
  local reader = kept[text]
  if reader then return reader end
  if #text > FORMAT_MOST then values.fail("a date format has at most %d bytes, not %d", FORMAT_MOST, #text) end
  if kept_count == FORMATS_KEPT then kept, kept_count, is_plain = {}, 0, {} end
  reader = make_reader(text)
  kept[text], kept_count = reader, kept_count + 1
  is_plain[text] = not find(gsub(text, "%%[YmdHMS]", ""), "%", 1, true)
  return reader
end

---------------------------------------------------------------------------------------------- printing

local t = {} -- the time that is being printed

-- A moment (milliseconds since 1970), as the clocks of a zone (a name, seconds ahead of UTC, or nil for UTC) show it.
function date.strftime(text, ms, zone)
  local printed = is_plain[text] and calendar.print(text, ms, zone)
  if printed then return printed end
  t.at, t.zone = ms, zone
  t.year, t.month, t.day, t.hour, t.minute, t.second, t.ms, t.weekday, t.offset = calendar.local_time(ms, zone)
  return date.reader(text)(t)
end

-- How a date is printed without the filter: "2026-11-30 09:00:00 UTC", or with the zone's "+0100".
values.print_dates_by(function(v)
  local ms, zone = values.moment(v)
  return date.strftime((zone == nil or zone == "UTC") and "%F %T UTC" or "%F %T %z", ms, zone)
end)

return date
