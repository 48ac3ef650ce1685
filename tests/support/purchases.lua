-- Turns purchases into people: for each customer how long ago they last bought, how often, and for how much.
--
-- The input has a line a purchase, its columns apart by white space: customer, date (YYYYMMDD), CDs, dollars
-- (as in CDNOW_master.txt; a first line with the columns' names is passed over). "Ago" is measured from the last
-- date in the file, so that the same file always gives the same people. Addresses and numbers are made up.

local purchases = {}

-- Days since 1970-01-01 of a date in the Gregorian calendar (Fliegel and Van Flandern, CACM 11:10, 1968).
local function day_number(date)
  local year, month, day = date:match("^(%d%d%d%d)(%d%d)(%d%d)$")
  if not year then return nil end
  year, month, day = tonumber(year), tonumber(month), tonumber(day)
  local before = month <= 2 and 1 or 0
  local y, m = year + 4800 - before, month + 12 * before - 3
  return day + (153 * m + 2) // 5 + 365 * y + y // 4 - y // 100 + y // 400 - 32045 - 2440588
end

local function add_purchase(customers, order, id, date, dollars)
  local customer = customers[id]
  if not customer then
    customer = { id = id, first = date, last = date, frequency = 0, cents = 0 }
    customers[id] = customer
    order[#order + 1] = customer
  end
  if date < customer.first then customer.first = date end
  if date > customer.last then customer.last = date end
  customer.frequency = customer.frequency + 1
  customer.cents = customer.cents + math.floor(dollars * 100 + 0.5)
end

-- Returns the customers in the order of their first lines, and the last date of all.
local function read_purchases(path)
  local customers, order, latest, number = {}, {}, "", 0
  for line in io.lines(path) do
    number = number + 1
    local id, date, _, dollars = line:match("^%s*(%S+)%s+(%d+)%s+(%S+)%s+([%d.]+)%s*$")
    if id and day_number(date) then
      add_purchase(customers, order, id, date, tonumber(dollars))
      if date > latest then latest = date end
    elseif line:find("%S") and number > 1 then
      error(("%s:%d: not a purchase: %s"):format(path, number, line), 0)
    end
  end
  return order, latest
end

local function dashed(date)
  return (date:gsub("^(%d%d%d%d)(%d%d)(%d%d)$", "%1-%2-%3"))
end

local COLUMNS = "id,recency_days,frequency,total,first_purchase,last_purchase,email,phone"

-- Reads the purchases in `input_path` and writes people as CSV to `output_path`. Returns how many there are; raises an
-- error for a file that cannot be opened or a line that is no purchase.
function purchases.convert(input_path, output_path)
  local order, latest = read_purchases(input_path)
  local out <close> = assert(io.open(output_path, "wb"))
  local today = day_number(latest)
  assert(out:write(COLUMNS, "\n"))
  for n, c in ipairs(order) do
    assert(out:write(("%s,%d,%d,%d.%02d,%s,%s,customer%s@example.com,+1555%07d\n"):format(c.id,
      today - day_number(c.last), c.frequency, c.cents // 100, c.cents % 100, dashed(c.first), dashed(c.last), c.id, n)))
  end
  return #order
end

return purchases
