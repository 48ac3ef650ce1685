-- The formats of schemas, by name: each a function that says whether a text is one.

local regex = require "jaunt.native.regex"

local find, gsub, match = string.find, string.gsub, string.match

local MONTHS = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 }

-- RFC 3339, section 5.6.
local function is_date(text)
  local year, month, day = match(text, "^(%d%d%d%d)%-(%d%d)%-(%d%d)$")
  year, month, day = tonumber(year), tonumber(month), tonumber(day)
  if not year or month < 1 or month > 12 or day < 1 then return false end
  local leap = year % 4 == 0 and (year % 100 ~= 0 or year % 400 == 0)
  return day <= MONTHS[month] + (leap and month == 2 and 1 or 0)
end

-- The minutes of "Z" or "+01:30"; nil for anything else.
local function offset_of(text)
  if text == "Z" or text == "z" then return 0 end
  local sign, hours, minutes = match(text, "^([+-])(%d%d):(%d%d)$")
  hours, minutes = tonumber(hours), tonumber(minutes)
  if not hours or hours > 23 or minutes > 59 then return nil end
  return (sign == "+" and 1 or -1) * (hours * 60 + minutes)
end

-- The second 60 is there at 23:59 UTC alone.
local function is_time(text)
  local hours, minutes, seconds, rest = match(text, "^(%d%d):(%d%d):(%d%d)(.*)$")
  hours, minutes, seconds = tonumber(hours), tonumber(minutes), tonumber(seconds)
  if not hours or hours > 23 or minutes > 59 or seconds > 60 then return false end
  local offset = offset_of((gsub(rest, "^%.%d+", "")))
  return offset ~= nil and (seconds < 60 or (hours * 60 + minutes - offset) % 1440 == 1439)
end

local function is_date_time(text)
  local date, time = match(text, "^(.-)[Tt](.*)$")
  return date ~= nil and is_date(date) and is_time(time)
end

-- RFC 1123: labels of letters, digits and hyphens.
local function is_hostname(text)
  if text == "" or #text > 253 then return false end
  for label in string.gmatch(text .. ".", "([^.]*)%.") do
    if #label > 63 or not find(label, "^%w[%w-]*$") or find(label, "%-$") then return false end
  end
  return true
end

local function is_ipv4(text)
  local parts = { match(text, "^(%d+)%.(%d+)%.(%d+)%.(%d+)$") }
  for _, part in ipairs(parts) do
    if #part > 3 or tonumber(part) > 255 or find(part, "^0%d") then return false end
  end
  return #parts == 4
end

-- How many groups of 16 bits stand there, or nil; an IPv4 address may be the last two.
local function groups_of(text, last)
  local count = 0
  if text == "" then return 0 end
  for part, at in string.gmatch(text .. ":", "([^:]*):()") do
    if find(part, "^%x%x?%x?%x?$") then count = count + 1
    elseif last and at == #text + 2 and is_ipv4(part) then count = count + 2
    else return nil end
  end
  return count
end

local function is_ipv6(text)
  local head, tail = match(text, "^(.-)::(.*)$")
  if not head then return groups_of(text, true) == 8 end
  local before, behind = groups_of(head, false), groups_of(tail, true)
  return before ~= nil and behind ~= nil and before + behind < 8
end

-- RFC 5321's mailbox without quoted parts, or their international form.
local function is_email(text)
  local name, host = match(text, "^([^%s@\"(),:;<>%[%]\\]+)@([^%s@]+)$")
  if not name or find(name, "^%.") or find(name, "%.$") or find(name, "..", 1, true) then return false end
  return #name <= 64 and (is_hostname(gsub(host, "[\x80-\xFF]", "x")) and true or false)
end

local function is_reference(text)
  return not find(text, "[%s<>\"{}|\\^`\x80-\xFF\0-\31\127]") and not find(gsub(text, "%%%x%x", ""), "%", 1, true)
end

local function is_uri(text)
  return find(text, "^%a[%w+.-]*:") ~= nil and is_reference(text)
end

local function is_uuid(text)
  return match(text, "^%x+%-%x+%-%x+%-%x+%-%x+$") ~= nil and #text == 36
    and match(text, "^........%-....%-....%-....%-............$") ~= nil
end

return {
  ["date-time"] = is_date_time, date = is_date, time = is_time, email = is_email, hostname = is_hostname,
  ipv4 = is_ipv4, ipv6 = is_ipv6, uri = is_uri, ["uri-reference"] = is_reference, uuid = is_uuid,
  regex = function(text) return regex.compile(text) ~= nil end,
}
