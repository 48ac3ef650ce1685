-- How templates reckon. Integers are exact, and an error where 64 bits don't hold the result. With a float on either
-- side it is reckoned in decimals, as people do it (10.1 + 2.2 is 12.3), and the result is a float; only where the
-- digits of both are too many for 64 bits it is done in binary.
--
-- What is no number is 0, see values.number; `number`, `int`, `bool` and `string` in checks.lua are the strict ones.

local values = require "jaunt.liquid.values"

local ceil, floor, huge, tointeger, math_type = math.ceil, math.floor, math.huge, math.tointeger, math.type
local format, tonumber = string.format, tonumber
local to_number, fail, show = values.number, values.fail, values.show

local EXACT = 1 << 53 -- floats below have all integers

local NEAR = 1e-6 -- more than a float below 1e9 is away from its digits
local SHORT = { 10, 100, 1000, 10000 } -- powers of ten with few places

local arithmetic = {}

local POWERS = { [0] = 1 }
for i = 1, 18 do POWERS[i] = POWERS[i - 1] * 10 end

---------------------------------------------------------------------------------------------- decimals

-- A number as mantissa × 10^exponent, exactly as it is written in decimal. Nothing where 64 bits don't hold the
-- mantissa, or for what is no finite number.
local function decimal(v)
  if math_type(v) == "integer" then return v, 0 end
  for places = 0, 4 do -- prices and such: their digits are few enough to be told by a division
    local mantissa = floor(v * POWERS[places] + 0.5)
    local is_short = mantissa < 1e15 and mantissa > -1e15
    if is_short and mantissa / POWERS[places] == v then return tointeger(mantissa), -places end
  end
  if v ~= v or v == huge or v == -huge then return nil end
  local sign, digits, exponent = values.digits(values.text(v))
  return tointeger(tonumber(sign .. digits)), exponent - #digits
end

-- The float nearest to mantissa × 10^exponent.
local function float_of(mantissa, exponent)
  local places = -exponent
  if places >= 0 and places <= 18 and mantissa < EXACT and mantissa > -EXACT then return mantissa / POWERS[places] end
  return tonumber(format("%de%d", mantissa, exponent)) + 0.0
end

-- The mantissa made bigger for an exponent that is smaller by `places`; nothing where 64 bits don't hold it.
local function scaled(mantissa, places)
  if places == 0 then return mantissa end
  if mantissa == 0 then return 0 end
  local power = POWERS[places]
  local made = power and mantissa * power
  return made and made // power == mantissa and made or nil
end

-- Both numbers as mantissas with one exponent; nothing where that does not go.
local function aligned(a, b)
  local x, e = decimal(a)
  local y, f = decimal(b)
  if not x or not y then return nil end
  local exponent = e < f and e or f
  x, y = scaled(x, e - exponent), scaled(y, f - exponent)
  if x and y then return x, y, exponent end
end

---------------------------------------------------------------------------------------------- integers

local function overflow(a, sign, b)
  fail("%s %s %s is more than 64 bits hold", show(a), sign, show(b))
end

local function add_integers(a, b)
  local sum = a + b
  if ((a ~ sum) & (b ~ sum)) < 0 then overflow(a, "+", b) end
  return sum
end

local function subtract_integers(a, b)
  local difference = a - b
  if ((a ~ b) & (a ~ difference)) < 0 then overflow(a, "-", b) end
  return difference
end

-- The product, or nothing where 64 bits don't hold it.
local function product(a, b)
  local made = a * b
  if a < 0x7fffffff and a > -0x7fffffff and b < 0x7fffffff and b > -0x7fffffff then return made end
  if a == 0 or (made // a == b and made % a == 0 and not (a == -1 and b == math.mininteger)) then return made end
end

---------------------------------------------------------------------------------------------- the four operations

local function both_integers(a, b)
  return math_type(a) == "integer" and math_type(b) == "integer"
end

function arithmetic.plus(value, other)
  local a, b = to_number(value), to_number(other)
  if both_integers(a, b) then return add_integers(a, b) end
  local x, y, exponent = aligned(a, b)
  local sum = x and x + y
  if not x or ((x ~ sum) & (y ~ sum)) < 0 then return a + b end
  return float_of(sum, exponent)
end

function arithmetic.minus(value, other)
  local a, b = to_number(value), to_number(other)
  if both_integers(a, b) then return subtract_integers(a, b) end
  local x, y, exponent = aligned(a, b)
  local difference = x and x - y
  if not x or ((x ~ y) & (x ~ difference)) < 0 then return a - b end
  return float_of(difference, exponent)
end

function arithmetic.times(value, other)
  local a, b = to_number(value), to_number(other)
  if both_integers(a, b) then return product(a, b) or overflow(a, "*", b) end
  local x, e = decimal(a)
  local y, f = decimal(b)
  local made = x and y and product(x, y)
  if not made then return a * b + 0.0 end
  return float_of(made, e + f)
end

function arithmetic.divided_by(value, other)
  local a, b = to_number(value), to_number(other)
  if b == 0 then fail("%s is divided by 0", show(a)) end
  if both_integers(a, b) then
    if b == -1 then return subtract_integers(0, a) end
    return a // b
  end
  local x, y = aligned(a, b)
  if x and x < EXACT and x > -EXACT and y < EXACT and y > -EXACT then return x / y end
  return a / b
end

function arithmetic.modulo(value, other)
  local a, b = to_number(value), to_number(other)
  if b == 0 then fail("%s is divided by 0", show(a)) end
  if both_integers(a, b) then return b == -1 and 0 or a % b end
  local x, y, exponent = aligned(a, b)
  if not x then return a % b + 0.0 end
  return float_of(y == -1 and 0 or x % y, exponent)
end

---------------------------------------------------------------------------------------------- signs and bounds

function arithmetic.abs(value)
  local number = to_number(value)
  if number == math.mininteger and math_type(number) == "integer" then return subtract_integers(0, number) end
  return number < 0 and -number or number
end

function arithmetic.at_least(value, least)
  local number, bound = to_number(value), to_number(least)
  return number < bound and bound or number
end

function arithmetic.at_most(value, most)
  local number, bound = to_number(value), to_number(most)
  return number > bound and bound or number
end

---------------------------------------------------------------------------------------------- rounding

local function whole(number, v)
  return tointeger(number) or fail("%s has more digits than 64 bits hold", show(v))
end

-- Half goes away from zero.
local function half_up(mantissa, power)
  local below, rest = mantissa // power, mantissa % power
  local up = mantissa < 0 and rest * 2 > power or mantissa >= 0 and rest * 2 >= power
  return up and below + 1 or below
end

-- An integer to tens, hundreds and so on.
local function round_integer(number, places)
  if places >= 0 then return number end
  if places < -18 then return 0 end
  local power = POWERS[-places]
  return product(half_up(number, power), power) or overflow(number, "rounded by", power)
end

-- A float's digits to that many places.
local function round_decimal(number, places)
  local mantissa, exponent = decimal(number)
  if not mantissa then return nil end
  if exponent >= -places then return mantissa, exponent end
  if -places - exponent > 18 then return 0, 0 end
  return half_up(mantissa, POWERS[-places - exponent]), -places
end

-- A float to so few places (10^places is handed in) that its digits need not be looked at; nothing where it is too big,
-- or too near to a half.
local function round_short(number, power)
  local scaled = number * power
  if not (scaled < 1e9 and scaled > -1e9) then return nil end
  local mantissa = floor(scaled + 0.5)
  local above = scaled + 0.5 - mantissa
  if above > NEAR and above < 1 - NEAR then return mantissa / power end
end

function arithmetic.round(value, wanted)
  local power = math_type(value) == "float" and SHORT[wanted]
  local short = power and round_short(value, power)
  if short then return short end
  local number, places = to_number(value), to_number(wanted)
  places = tointeger(places < 0 and ceil(places) or floor(places)) or (places < 0 and -400 or 400)
  if math_type(number) == "integer" then return round_integer(number, places) end
  local mantissa, exponent = round_decimal(number, places)
  if not mantissa then return whole(number, number) end
  if places > 0 then return float_of(mantissa, exponent) end
  return exponent == 0 and mantissa or whole(float_of(mantissa, exponent), number)
end

function arithmetic.ceil(value)
  local number = to_number(value)
  return whole(ceil(number), number)
end

function arithmetic.floor(value)
  local number = to_number(value)
  return whole(floor(number), number)
end

return arithmetic
