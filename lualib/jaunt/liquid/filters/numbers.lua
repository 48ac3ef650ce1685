-- Filters that reckon, by jaunt.liquid.arithmetic.

local arithmetic = require "jaunt.liquid.arithmetic"
local values = require "jaunt.liquid.values"

local gsub, match, sub = string.gsub, string.match, string.sub

-- Commas between the thousands of the part before the point.
local function number_with_delimiter(value)
  local text = values.string(value)
  local sign, digits, rest = match(text, "^(-?)(%d+)(.*)$")
  if not digits then return text end
  local head = #digits % 3
  local grouped = gsub(sub(digits, head + 1), "%d%d%d", ",%0")
  if head == 0 then grouped = sub(grouped, 2) end
  return sign .. sub(digits, 1, head) .. grouped .. rest
end

---------------------------------------------------------------------------------------------- the table

return {
  { name = "abs", run = arithmetic.abs,
    about = "The number without its sign.", example = "-4.5 | abs", result = "4.5" },
  { name = "at_least", run = arithmetic.at_least, least = 1, most = 1, arguments = "number",
    about = "The number, or this one where it is less.", example = "3 | at_least: 5", result = "5" },
  { name = "at_most", run = arithmetic.at_most, least = 1, most = 1, arguments = "number",
    about = "The number, or this one where it is more.", example = "8 | at_most: 5", result = "5" },
  { name = "ceil", run = arithmetic.ceil,
    about = "The next integer above.", example = "4.1 | ceil", result = "5" },
  { name = "divided_by", run = arithmetic.divided_by, least = 1, most = 1, arguments = "number",
    about = "Divided; by an integer the result of an integer is rounded down to one.", example = "7 | divided_by: 2",
    result = "3" },
  { name = "floor", run = arithmetic.floor,
    about = "The next integer below.", example = "4.9 | floor", result = "4" },
  { name = "minus", run = arithmetic.minus, least = 1, most = 1, arguments = "number",
    about = "Less a number.", example = "10.1 | minus: 2.2", result = "7.9" },
  { name = "modulo", run = arithmetic.modulo, least = 1, most = 1, arguments = "number",
    about = "What a division leaves.", example = "7 | modulo: 3", result = "1" },
  { name = "number_with_delimiter", run = number_with_delimiter,
    about = "With commas between the thousands.", example = "1234567.5 | number_with_delimiter",
    result = "1,234,567.5" },
  { name = "plus", run = arithmetic.plus, least = 1, most = 1, arguments = "number",
    about = "With a number added.", example = "10.1 | plus: 2.2", result = "12.3" },
  { name = "round", run = arithmetic.round, most = 1, arguments = "places = 0",
    about = "Rounded to so many places; half goes away from zero.", example = "2.675 | round: 2", result = "2.68" },
  { name = "times", run = arithmetic.times, least = 1, most = 1, arguments = "number",
    about = "Multiplied.", example = "19.99 | times: 3", result = "59.97" },
}
