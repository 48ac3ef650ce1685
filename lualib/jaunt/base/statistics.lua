-- Shares and whether they differ; times, and how they are spread.

local statistics = {}

local Z = 1.959963984540054 -- 95 % of a normal distribution lie within so many deviations
local DISTINCT = 4096       -- values that a spread keeps apart; with more it keeps three digits of each

-- The 95 % interval of a share, `hits` of `n`, by Wilson's score: low, high (from 0 to 1); nil without any.
function statistics.interval(hits, n)
  if n == 0 then return nil end
  local share, square = hits / n, Z * Z
  local middle = (share + square / (2 * n)) / (1 + square / n)
  local half = Z / (1 + square / n) * math.sqrt(share * (1 - share) / n + square / (4 * n * n))
  return hits == 0 and 0.0 or middle - half, hits == n and 1.0 or middle + half -- exact, where rounding would miss it
end

-- The probability that a normal variable lies further from 0 than z. Abramowitz and Stegun, 7.1.26: within 2e-7.
local function tails(z)
  local x = math.abs(z) / math.sqrt(2)
  local t = 1 / (1 + 0.3275911 * x)
  local sum = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))))
  return sum * math.exp(-x * x)
end

-- How likely two shares as different as these come from the same cause (two-sided test of two proportions, pooled): p; or nil
-- where there are too few for it: fewer than 5 are to be expected of one kind.
function statistics.difference(hits_a, n_a, hits_b, n_b)
  local n = n_a + n_b
  if n_a == 0 or n_b == 0 then return nil end
  local pooled = (hits_a + hits_b) / n
  if math.min(n_a, n_b) * math.min(pooled, 1 - pooled) < 5 then return nil end
  return tails((hits_a / n_a - hits_b / n_b) / math.sqrt(pooled * (1 - pooled) * (1 / n_a + 1 / n_b)))
end

---------------------------------------------------------------------------------------------- spreads

-- A value with its three leading digits.
local function coarse(value)
  local unit = 1
  while value // unit >= 1000 do unit = unit * 10 end
  return (value + unit // 2) // unit * unit
end

-- Whole numbers, counted in bounded memory: add(value), and percentile(share) gives the smallest value that at least that
-- share of them does not exceed; nil without any.
function statistics.spread()
  local counts, distinct, total, is_coarse = {}, 0, 0, false
  local self = {}

  local function count(value, n)
    if not counts[value] then counts[value], distinct = 0, distinct + 1 end
    counts[value] = counts[value] + n
  end

  function self.add(value)
    total = total + 1
    count(is_coarse and coarse(value) or value, 1)
    if is_coarse or distinct <= DISTINCT then return end
    local exact = counts
    counts, distinct, is_coarse = {}, 0, true
    for old, n in pairs(exact) do count(coarse(old), n) end
  end

  function self.percentile(share)
    if total == 0 then return nil end
    local values, sum = {}, 0
    for value in pairs(counts) do values[#values + 1] = value end
    table.sort(values)
    for _, value in ipairs(values) do
      sum = sum + counts[value]
      if sum >= share * total then return value end
    end
  end

  return self
end

return statistics
