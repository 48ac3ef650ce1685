-- What differs between two payloads, line by line.

local difference = {}

local LINES_MOST = 2000

-- The length of the longest common rows from (i, j) on, for all i and j.
local function common_lengths(old, new)
  local lengths = {}
  for i = #old + 1, 1, -1 do
    local row, below = {}, lengths[i + 1]
    for j = #new + 1, 1, -1 do
      if i > #old or j > #new then row[j] = 0
      elseif old[i] == new[j] then row[j] = below[j + 1] + 1
      else row[j] = math.max(below[j], row[j + 1]) end
    end
    lengths[i] = row
  end
  return lengths
end

local function in_word(byte) return byte ~= nil and (byte >= 0x80 or string.char(byte):find("%w") ~= nil) end

-- How many bytes two lines have in common at their beginnings, and at their ends; whole words.
local function common(old, new)
  local first, last = 0, 0
  local most = math.min(#old, #new)
  while first < most and old:byte(first + 1) == new:byte(first + 1) do first = first + 1 end
  while last < most - first and old:byte(-last - 1) == new:byte(-last - 1) do last = last + 1 end
  local function cuts_word(text, at) return in_word(text:byte(at)) and in_word(text:byte(at + 1)) end
  while first > 0 and (cuts_word(old, first) or cuts_word(new, first)) do first = first - 1 end
  while last > 0 and (cuts_word(old, #old - last) or cuts_word(new, #new - last)) do last = last - 1 end
  return first, last
end

-- Where as many lines came as went, each behind the one whose place it takes, with what is other in it.
local function paired(list)
  local made, at = {}, 1
  while at <= #list do
    local went, came = at, at
    local hunk = list[at].hunk
    while list[came] and list[came].hunk == hunk and list[came].sign == "-" do came = came + 1 end
    local stop = came
    while list[stop] and list[stop].hunk == hunk and list[stop].sign == "+" do stop = stop + 1 end
    local count = came - went
    local alike = count == stop - came
    for i = 0, alike and count - 1 or -1 do
      local before, after = list[went + i], list[came + i]
      local first, last = common(before.text, after.text)
      before.first, before.last = first + 1, #before.text - last
      after.first, after.last = first + 1, #after.text - last
      made[#made + 1], made[#made + 2] = before, after
    end
    if not alike then table.move(list, went, stop - 1, #made + 1, made) end
    at = stop
  end
  return made
end

-- The lines that went and came, in order: a list of { sign = "-" or "+", text =, first =, last = (the bytes of it
-- that are other than in the line that stood there before, where one did) }; empty where nothing differs.
function difference.lines(old, new)
  local list, i, j, hunk = {}, 1, 1, 1 -- hunk: changes with nothing that stays between them
  if #old > LINES_MOST or #new > LINES_MOST then
    local same = table.concat(old, "\n") == table.concat(new, "\n")
    return same and {} or { { sign = "+", text = "(too long to be compared line by line)" } }
  end
  local lengths = common_lengths(old, new)
  while i <= #old or j <= #new do
    if i <= #old and j <= #new and old[i] == new[j] then
      i, j, hunk = i + 1, j + 1, hunk + 1
    elseif i <= #old and (j > #new or lengths[i + 1][j] >= lengths[i][j + 1]) then
      list[#list + 1] = { sign = "-", text = old[i], hunk = hunk }
      i = i + 1
    else
      list[#list + 1] = { sign = "+", text = new[j], hunk = hunk }
      j = j + 1
    end
  end
  return paired(list)
end

return difference
