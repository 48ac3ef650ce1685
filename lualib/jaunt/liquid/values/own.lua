-- Values of the engine's own: `blank`, `empty`, what `| omit_if_nil` gives, ranges and dates. Tables with a metatable
-- that nothing else has, which the other files of this folder know by it.

local math_type, rawget, setmetatable, getmetatable = math.type, rawget, setmetatable, getmetatable

local own = {}

local range_meta, date_meta, sentinel_meta = { name = "range" }, { name = "date" }, { name = "sentinel" }
local FROM, TO, MS, ZONE, NAME = {}, {}, {}, {}, {} -- keys that no template can name

own.range_meta, own.date_meta, own.sentinel_meta, own.NAME = range_meta, date_meta, sentinel_meta, NAME

own.blank = setmetatable({ [NAME] = "blank" }, sentinel_meta)
own.empty = setmetatable({ [NAME] = "empty" }, sentinel_meta)
-- What `| omit_if_nil` gives for nil: JSON's compiled code takes the member out that holds it.
own.omit = setmetatable({ [NAME] = "omit" }, sentinel_meta)

-- The length and the items of a range are worked out, not stored.
function range_meta.__len(range)
  local from, to = range[FROM], range[TO]
  if to < from then return 0 end
  local count = to - from + 1
  return count > 0 and count or math.maxinteger
end

function range_meta.__index(range, key)
  local from = rawget(range, FROM)
  if math_type(key) ~= "integer" or key < 1 or key - 1 > rawget(range, TO) - from then return nil end
  return from + key - 1
end

-- The numbers from one to another, both included.
function own.new_range(from, to)
  return setmetatable({ [FROM] = from, [TO] = to }, range_meta)
end

-- Its first and its last number.
function own.bounds(range)
  return range[FROM], range[TO]
end

-- Whether a value is a range.
function own.is_range(v)
  return getmetatable(v) == range_meta
end

-- A point in time, milliseconds since 1970, as the clocks of a zone show it (its name; nil is UTC).
function own.date(ms, zone)
  return setmetatable({ [MS] = ms, [ZONE] = zone }, date_meta)
end

-- Whether a value is a date.
function own.is_date(v)
  return getmetatable(v) == date_meta
end

-- Milliseconds and zone of a date.
function own.moment(date)
  return date[MS], date[ZONE]
end

-- How dates are printed; jaunt.liquid.date says it.
function own.print_dates_by(print_date)
  date_meta.print = print_date
end

return own
