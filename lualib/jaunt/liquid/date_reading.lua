-- Dates as people and programs write them: what Liquid's `date` filter takes, which is what Ruby's Time.parse takes.
--
-- ISO 8601 and RFC 3339 ("2016-03-14", "2016-03-14T12:00:00+01:00", "20160314T120000Z", "2016-W11-1"), RFC 2822
-- ("Mon, 14 Mar 2016 12:00:00 GMT"), "March 14, 2016", "14 March 2016", "14-Mar-2016", "2016/03/14", "14/03/2016" and
-- "14.3.2016" (day before month), "10:30 pm". What is not said of the date is today's, and of the time 0. Digits
-- alone are seconds since 1970. A text without an offset is meant in the zone that is handed in. Where Ruby takes a
-- part for something else or gives up ("14th of March 2016", "12:30 March 14 2016", weeks), this reads what was
-- meant.

local calendar = require "jaunt.native.calendar"

local find, gsub, lower, match, sub = string.find, string.gsub, string.lower, string.match, string.sub
local tonumber, type, math_type = tonumber, type, math.type

local LENGTH_MOST = 128 -- of a text that is read, as in Ruby
local SECONDS_MOST = 100000000000000 -- from 1970, either way

local reading = {}

---------------------------------------------------------------------------------------------- words

local MONTHS = {
  jan = 1, feb = 2, mar = 3, apr = 4, may = 5, jun = 6, jul = 7, aug = 8, sep = 9, oct = 10, nov = 11, dec = 12,
}
local WEEKDAYS = { sun = true, mon = true, tue = true, wed = true, thu = true, fri = true, sat = true }

-- Hours ahead of UTC.
local ZONES = {
  utc = 0, ut = 0, gmt = 0, z = 0,
  wet = 0, west = 1, bst = 1, cet = 1, cest = 2, met = 1, mest = 2, eet = 2, eest = 3, msk = 3,
  ist = 5.5, sgt = 8, jst = 9, kst = 9, nzst = 12, nzdt = 13,
  brt = -3, nst = -3.5, ndt = -2.5, ast = -4, adt = -3, est = -5, edt = -4, cst = -6, cdt = -5, mst = -7, mdt = -6,
  pst = -8, pdt = -7, akst = -9, akdt = -8, hst = -10,
}

-- Finds the first of those words that a word begins with, by its first three letters, where `rest` (a pattern) follows.
-- Returns where it begins and ends, the word's first three letters, and the captures.
local function find_word(text, words, rest, init)
  local from = init or 1
  while true do
    local first, last, word, a, b, c = find(text, "%f[%a](%a%a%a)" .. rest, from)
    if not first then return nil end
    if words[word] then return first, last, word, a, b, c end
    from = first + 1
  end
end

local function cut(text, first, last)
  return sub(text, 1, first - 1) .. " " .. sub(text, last + 1)
end

local function without_weekday(text)
  local first, last = find_word(text, WEEKDAYS, "[^%-/%d%s]*")
  return first and cut(text, first, last) or text
end

---------------------------------------------------------------------------------------------- offsets

-- "+0100", "-05:30", "+1", "+01:00:30" as seconds; nil for none.
local function offset_of(text)
  local sign, digits, minutes, seconds = match(text, "^([+-])(%d+)[,.:]?(%d*):?(%d*)$")
  if not sign then return nil end
  if minutes == "" and #digits > 2 then
    digits, minutes, seconds = match(digits, "^(%d?%d)(%d%d)(%d*)$")
    if not digits then return nil end
  end
  local hour, minute, second = tonumber(digits), tonumber(minutes) or 0, tonumber(seconds) or 0
  if hour > 23 or minute > 59 or second > 59 then return nil end
  local offset = hour * 3600 + minute * 60 + second
  return sign == "-" and -offset or offset
end

-- A zone's word as seconds ahead of UTC; nil where it is none.
local function zone_of(word)
  local named = ZONES[word]
  if named then return math.tointeger(named * 3600) end
  local name, offset = match(word, "^(%a*)([+-].*)$")
  if offset and (name == "" or name == "gmt" or name == "utc" or name == "ut") then return offset_of(offset) end
end

---------------------------------------------------------------------------------------------- times of the day

-- The clock's part that begins first: "10:30", "10:30:15.5", "10h 30m", "10pm". Returns where it begins and ends, and
-- hour, minute, second and the second's fraction as texts.
local function find_clock(text)
  local first, last, hour, minute = find(text, "(%d+)%s*:%s*(%d+)")
  local second, fraction
  if first then
    local _, stop, digits, more = find(text, "^%s*:%s*(%d+)[,.]?(%d*)", last + 1)
    if stop then last, second, fraction = stop, digits, more end
  end
  local h_first, h_last, h_hour = find(text, "(%d+)%s*h%f[^%a]")
  if h_first and (not first or h_first < first) then
    first, last, hour, minute, second, fraction = h_first, h_last, h_hour, nil, nil, nil
    local _, stop, digits = find(text, "^%s*(%d+)m?", last + 1)
    if stop then last, minute = stop, digits end
  end
  local p_first, p_last, p_hour = find(text, "(%d+)%s*[ap]%.?m%f[^%a]")
  if p_first and (not first or p_first < first) then
    first, last, hour, minute, second, fraction = p_first, p_last - 2, p_hour, nil, nil, nil
    if sub(text, p_last - 1, p_last - 1) == "." then last = last - 1 end
  end
  return first, last, hour, minute, second, fraction
end

-- Takes the time of the day out of the text into `t`, with what follows it: am or pm, and a zone.
local function take_clock(text, t)
  local first, last, hour, minute, second, fraction = find_clock(text)
  if not first then return text end
  t.hour, t.minute, t.second = tonumber(hour), tonumber(minute), tonumber(second)
  if fraction and fraction ~= "" then t.ms = tonumber(sub(fraction .. "00", 1, 3)) end
  local _, half_last, half = find(text, "^%s*([ap])%.?m%f[^%a]%.?", last + 1)
  if half then
    t.hour, last = t.hour % 12 + (half == "p" and 12 or 0), half_last
  end
  local _, zone_last, word = find(text, "^%s*([gu]?[mt]?[tc]?[+-]%d+[,.:]?%d*:?%d*)", last + 1)
  if not word then _, zone_last, word = find(text, "^%s*(%a+)%f[^%w]", last + 1) end
  if word then
    t.offset, t.in_utc = zone_of(word), word == "utc" or word == "z" or word == "gmt" or word == "ut"
    t.wrong = not t.offset and find(word, "[+-]") ~= nil
    if t.offset then last = zone_last end
  end
  return cut(text, first, last)
end

---------------------------------------------------------------------------------------------- dates

local function is_long(digits)
  return digits and (sub(digits, 1, 1) == "'" or #digits > 2)
end

-- Year, month and day of three texts, wherever the year stands: its digits are more than two, or it has an apostrophe.
local function put_date(t, year, month, day)
  if year and month and not day then year, month, day = day, year, month end
  if not year and is_long(day) then year, day = day, year end
  local digits, more = match(year or "", "^[^%d]*(%d+)(.*)$")
  if more and more ~= "" then year, day = day, digits end
  if is_long(month) then year, month, day = month, day, year end
  if is_long(day) then year, day = day, year end
  local sign, of_year = match(year or "", "([+-]?)(%d+)")
  if of_year then
    t.year = tonumber(of_year)
    if sign == "" and #of_year <= 2 then t.year = t.year + (t.year >= 69 and 1900 or 2000) end
    if sign == "-" then t.year = -t.year end
  end
  t.month = tonumber(match(month or "", "%d+"))
  t.day = tonumber(match(day or "", "%d+"))
end

-- "14 March 2016", "14th of march"
local function take_day_month(text, t)
  local from = 1
  while true do
    local first, last, day, word = find(text, "('?%d+)[^%-%d%s]*%s*%f[%a](%a%a%a)[^%-%d%s']*", from)
    if not first then return false end
    if MONTHS[word] then
      local year = match(text, "^%s*('?%-?%d+)", last + 1)
      put_date(t, year, tostring(MONTHS[word]), day)
      return true
    end
    from = first + 1
  end
end

-- "March 14, 2016"
local function take_month_day(text, t)
  local first, last, word, day = find_word(text, MONTHS, "[^%-%d%s']*%s*('?%d+)[^%-%d%s']*")
  if not first then return false end
  local year = match(text, "^%s*,?%s*('?%-?%d+)", last + 1)
  put_date(t, year, tostring(MONTHS[word]), day)
  return true
end

local function take_dashes(text, t)
  local year, month, day = match(text, "('?[+-]?%d+)%-(%d+)%-('?%-?%d+)")
  if not year then return false end
  put_date(t, year, month, day)
  return true
end

-- "14-mar-2016", "mar-14-2016"
local function take_month_dashes(text, t)
  local first, last, word = find_word(text, MONTHS, "[^%-/.]*%-")
  if not first then return false end
  local before = match(sub(text, 1, first - 1), "('?%-?%d+)%-$")
  local one, two = match(text, "^('?%-?%d+)%-?('?%-?%d*)", last + 1)
  if not one then return false end
  if before then
    put_date(t, one, tostring(MONTHS[word]), before)
  else
    put_date(t, two ~= "" and two or nil, tostring(MONTHS[word]), one)
  end
  return true
end

local function take_slashes(text, t)
  local first, last, year, month = find(text, "('?%-?%d+)/%s*('?%d+)")
  if not first then return false end
  put_date(t, year, month, (match(text, "^%D%s*('?%-?%d+)", last + 1)))
  return true
end

local function take_dots(text, t)
  local year, month, day = match(text, "('?%-?%d+)%.%s*('?%d+)%.%s*('?%-?%d+)")
  if not year then return false end
  put_date(t, year, month, day)
  return true
end

local function full_year(digits)
  local year = tonumber(digits)
  return #digits == 2 and year + (year >= 69 and 1900 or 2000) or year
end

-- "2016-w11-1", and "2016-074", the day of the year
local function take_iso_others(text, t)
  local year, week, day = match(text, "%f[%w](%d%d%d%d)%-?w(%d%d)%-?(%d?)%f[^%w]")
  if year then
    t.year, t.week, t.weekday = tonumber(year), tonumber(week), tonumber(day) or 1
    return true
  end
  year, day = match(text, "%f[%w](%d%d%d%d)%-(%d%d%d)%f[^%w]")
  if not year then return false end
  t.year, t.day_of_year = tonumber(year), tonumber(day)
  return true
end

-- "2016-03"
local function take_year_month(text, t)
  local year, month = match(text, "%f[%d](%d%d%d%d)%-(%d%d)%f[^%d%-]")
  if not year then return false end
  t.year, t.month = tonumber(year), tonumber(month)
  return true
end

local function take_month(text, t)
  local first, _, word = find_word(text, MONTHS, "%S*")
  if not first then return false end
  t.month = MONTHS[word]
  return true
end

local function take_ordinal(text, t)
  local day = match(text, "(%d+)st%f[^%w]") or match(text, "(%d+)nd%f[^%w]") or match(text, "(%d+)rd%f[^%w]")
    or match(text, "(%d+)th%f[^%w]")
  t.day = tonumber(day)
  return day ~= nil
end

-- Digits without anything between: 14 is a day, 0314 a month and a day, 160314 and 20160314 a date, and a time may
-- follow.
local function take_digits(text, t)
  local digits, rest = match(text, "(%d%d+)(.*)$")
  if not digits or #digits > 14 then return false end
  local clock, zone = match(rest, "^%s*t?%s*(%d%d%d?%d?%d?%d?)[,.]?%d*([%a+-]?%d*:?%d*)")
  if #digits == 2 then
    t.day = tonumber(digits)
  elseif #digits == 3 then
    t.day_of_year = tonumber(digits)
  elseif #digits == 4 then
    t.month, t.day = tonumber(sub(digits, 1, 2)), tonumber(sub(digits, 3))
  elseif #digits == 5 or #digits == 7 then
    t.year, t.day_of_year = full_year(sub(digits, 1, -4)), tonumber(sub(digits, -3))
  elseif #digits == 6 then
    t.year, t.month, t.day = full_year(sub(digits, 1, 2)), tonumber(sub(digits, 3, 4)), tonumber(sub(digits, 5))
  else
    t.year, t.month, t.day = tonumber(sub(digits, 1, 4)), tonumber(sub(digits, 5, 6)), tonumber(sub(digits, 7, 8))
    if #digits > 8 then clock, zone = sub(digits, 9), match(rest, "^(z?[+-]?%d*:?%d*)") end
  end
  if clock and not t.hour then
    t.hour, t.minute, t.second = tonumber(sub(clock, 1, 2)), tonumber(sub(clock, 3, 4)), tonumber(sub(clock, 5, 6))
    if zone and zone ~= "" then t.offset, t.in_utc = zone_of(zone), zone == "z" end
  end
  return true
end

local FORMS = {
  take_day_month, take_month_day, take_dashes, take_month_dashes, take_slashes, take_dots, take_iso_others,
    take_year_month,
  take_month, take_ordinal, take_digits,
}

---------------------------------------------------------------------------------------------- together

-- What the text says, as a table of parts; nil where it says nothing of a date or a time.
local function parts_of(text)
  local t = {}
  text = gsub(text, "[^%-+',./:@%w%[%]\128-\255]+", " ")
  text = take_clock(without_weekday(gsub(text, "%f[%a]of%f[%A]", "")), t)
  for i = 1, #FORMS do
    if FORMS[i](text, t) then break end
  end
  local lone = tonumber(match(text, "^%s*(%d%d?)%s*$"))
  if lone and t.hour and not t.day then t.day = lone end
  if t.wrong or not (t.year or t.month or t.day or t.day_of_year or t.hour) then return nil end
  return t
end

-- Fills in what is not said: today's, down to the first part that is.
local function complete(t, zone, now)
  local year, month, day = calendar.local_time(now, zone)
  if not t.year then
    t.year = year
    if not t.month and not t.day_of_year then
      t.month = month
      if not t.day then t.day = day end
    end
  end
end

local RANGES = {
  year = { -9999, 99999 }, month = { 1, 12 }, day = { 1, 31 }, hour = { 0, 24 }, minute = { 0, 59 }, second = { 0, 60 },
  day_of_year = { 1, 366 }, week = { 1, 53 }, weekday = { 1, 7 },
}

-- The moment that the parts make; nil where no calendar and no clock shows them.
local function moment_of(t, zone)
  for part, range in next, RANGES do
    local v = t[part]
    if v and (v < range[1] or v > range[2]) then return nil end
  end
  if t.hour == 24 and ((t.minute or 0) > 0 or (t.second or 0) > 0) then return nil end
  local month, day = t.month or 1, t.day or t.day_of_year or 1
  if t.week then
    local fourth = calendar.days(t.year, 1, 4)
    day = 4 - (fourth + 3) % 7 + (t.week - 1) * 7 + t.weekday - 1
  end
  return calendar.instant(zone, t.year, month, day, t.hour or 0, t.minute or 0, t.second or 0) + (t.ms or 0)
end

-- What a text of a date means, as milliseconds since 1970, and the zone that it is shown in: the one handed in (a
-- name, or nil for UTC), or the offset that the text has. nil where it is no date. `now` is the moment of "now" and
-- "today".
local function read_text(text, zone, now)
  if #text > LENGTH_MOST then return nil end
  local ms, shown = calendar.read(text, zone) -- what programs write, and most dates are
  if ms then return ms, shown end
  text = lower(text)
  if text == "now" or text == "today" then return now, zone end
  if find(text, "^%d+$") then return reading.read(tonumber(text), zone, now) end
  local t = parts_of(text)
  if not t then return nil end
  if t.offset then zone = not t.in_utc and t.offset or nil end
  complete(t, zone, now)
  return moment_of(t, zone), zone
end

-- The same of an integer, which is seconds since 1970, or a text.
function reading.read(value, zone, now)
  if type(value) == "string" then return read_text(value, zone, now) end
  if math_type(value) ~= "integer" or value > SECONDS_MOST or value < -SECONDS_MOST then return nil end
  return value * 1000, zone
end

return reading
