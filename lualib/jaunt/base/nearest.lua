-- The nearest right name for one that was mistyped.
--
-- Distances are those of Damerau and Levenshtein (the restricted kind, "optimal string alignment"): a letter
-- inserted, left out, taken for another, or two neighbours swapped, count one each. Case counts nothing.

local nearest = {}

-- The characters of a text as a list; bytes where it is not UTF-8.
local function characters(text)
  local list = {}
  if utf8.len(text) then
    for _, code in utf8.codes(text) do list[#list + 1] = code end
  else
    for i = 1, #text do list[i] = text:byte(i) end
  end
  return list
end

-- How many slips of the finger lie between two words.
function nearest.distance(a, b)
  local x, y = characters(a), characters(b)
  local before, last, row = {}, {}, {}
  for j = 0, #y do last[j] = j end
  for i = 1, #x do
    row = { [0] = i }
    for j = 1, #y do
      local cost = x[i] == y[j] and 0 or 1
      local best = math.min(last[j] + 1, row[j - 1] + 1, last[j - 1] + cost)
      if i > 1 and j > 1 and x[i] == y[j - 1] and x[i - 1] == y[j] then
        best = math.min(best, before[j - 2] + 1)
      end
      row[j] = best
    end
    before, last = last, row
  end
  return last[#y]
end

-- A third of the letters may be wrong, and one in a word of two or more.
local function tolerance(word)
  local length = #characters(word)
  if length < 2 then return 0 end
  return math.max(1, length // 3)
end

local function begins_with(name, start)
  return start ~= "" and name:sub(1, #start) == start
end

-- The one of `names` (a list) that `word` most likely means, or nil: the nearest by distance, if it is near
-- enough; otherwise the only one that begins with the word. Of several equally near ones the first by alphabet.
function nearest.find(word, names)
  local wanted = word:lower()
  local best, best_distance
  local beginning, beginnings = nil, 0
  for _, name in ipairs(names) do
    local lower = name:lower()
    local distance = nearest.distance(wanted, lower)
    if begins_with(lower, wanted) then beginning, beginnings = name, beginnings + 1 end
    if not best or distance < best_distance or (distance == best_distance and name < best) then
      best, best_distance = name, distance
    end
  end
  if best and best_distance <= tolerance(word) then return best end
  if beginnings == 1 then return beginning end
end

-- "; did you mean NAME?", or nothing; `before` is put before the name ("--").
function nearest.hint(word, names, before)
  local name = nearest.find(word, names)
  return name and ("; did you mean %s%s?"):format(before or "", name) or ""
end

return nearest
