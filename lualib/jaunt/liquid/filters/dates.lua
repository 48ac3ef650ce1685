-- Filters of dates. "now" is the render's, by the logical clock; what has no offset of its own is meant and shown in
-- the render's zone, which is UTC unless it is told.

local calendar = require "jaunt.native.calendar"
local date = require "jaunt.liquid.date"
local reading = require "jaunt.liquid.date_reading"
local values = require "jaunt.liquid.values"

-- Milliseconds and zone of anything that is a date; nil for what is none.
local function moment_of(context, value)
  if values.is_date(value) then return values.moment(value) end
  return reading.read(value, context.zone, context.now)
end

-- What is no date stays as it is, as in Liquid.
local function format_date(context, value, format)
  local text = values.string(format)
  if text == "" then return value end
  local ms, zone = moment_of(context, value)
  if not ms then return value end
  return date.strftime(text, ms, zone)
end

local function time_zone(context, value, zone)
  local name = values.string(zone)
  local ms = moment_of(context, value)
  if not ms then return value end
  local known, why = calendar.zone(name)
  if not known then values.fail("%s", why) end
  return values.date(ms, name)
end

return {
  { name = "date", run = format_date, context = true, least = 1, most = 1, arguments = "format",
    about = "A date by strftime's directives, as Ruby has them.", example = "'March 14, 2016' | date: '%-d %b %y'",
    result = "14 Mar 16" },
  { name = "time_zone", run = time_zone, context = true, least = 1, most = 1, arguments = "zone",
    about = "The date as the clocks of that zone show it.",
    example = "'2016-07-14T12:00:00Z' | time_zone: 'Europe/Berlin' | date: '%H:%M %Z'", result = "14:00 CEST" },
}
