-- What previews of many people have in common: which names were blank for how many, and which of them nobody has.

local names = require "jaunt.preview.names"
local term = require "jaunt.base.term"

local findings = {}

local NAMED = 5 -- people that a finding names

-- A file's name as findings tell it: below payloads/.
local function short(path)
  return path:match("payloads/(.+)$") or path:match("[^/]+$")
end

-- The people of a group in words: "yuki, nobody" or "yuki, nobody, …".
local function who(group)
  local list = {}
  for i = 1, math.min(#group.ids, NAMED) do list[i] = term.one_line(group.ids[i]) end
  if #group.ids > NAMED then list[#list + 1] = "…" end
  return table.concat(list, ", ")
end

local function words(group)
  local text = ("%s:%d: \"%s\" is blank for %d of %d"):format(short(group.file), group.line, term.one_line(group.text),
    group.blank, group.of)
  if not group.unknown and group.blank < group.of then text = ("%s (%s)"):format(text, who(group)) end
  if group.defaulted then text = text .. ", and the default is sent" end
  if group.omitted then text = text .. ", and left out" end
  if group.hint and group.hint ~= "" then return text .. group.hint end
  if not group.unknown then return text end
  return text .. (group.in_vars and "; it is in no vars, and nobody here has it" or "; nobody here has it")
end

local function place(one) return ("%s:%d:%s"):format(one.file, one.line, one.text) end

-- The groups of what was blank, by place.
local function grouped(results)
  local groups, order, of = {}, {}, 0
  for _, result in ipairs(results) do
    local counted = {}
    if result.outcome == "sent" then of = of + 1 end
    for _, blank in ipairs(result.blanks) do
      local key = place(blank)
      if not groups[key] then
        local of_transform = blank.root ~= nil -- there may be an `or` behind it
        groups[key] = { file = blank.file, line = blank.line, text = blank.text, blank = 0, ids = {},
          name = of_transform and blank or nil, guarded = of_transform }
        order[#order + 1] = key
      end
      local group = groups[key]
      group.defaulted, group.omitted = group.defaulted or blank.defaulted, group.omitted or blank.omitted
      if not counted[key] then
        group.blank = group.blank + 1
        group.ids[#group.ids + 1] = result.id
      end
      counted[key] = true
    end
  end
  return groups, order, of
end

-- What the schema says, by rule and place in the payload.
local function of_schema(results, of)
  local groups, order = {}, {}
  for _, result in ipairs(results) do
    for _, fault in ipairs(result.schema_faults) do
      local key = fault.place .. fault.path
      if not groups[key] then
        groups[key] = { file = fault.file, line = fault.line, name = fault.path, blank = 0, of = of, ids = {},
          fault = fault, invalid = true }
        order[#order + 1] = key
      end
      groups[key].blank = groups[key].blank + 1
      groups[key].ids[groups[key].blank] = result.id
    end
  end
  local list = {}
  for i, key in ipairs(order) do
    local group = groups[key]
    group.text = ("%s:%d: %s, for %d of %d%s"):format(short(group.file), group.line, term.one_line(group.fault.text),
      group.blank, of, group.blank < of and (" (%s)"):format(who(group)) or "")
    list[i] = group
  end
  return list
end

-- Sums up the previews of one payload (see jaunt.preview.rendering). `asked`: the names that it asks for (see
-- jaunt.preview.names); `fields`: what people have. Returns a list of { text = (in words), file =, line =, name =,
-- blank =, of =, hint =, ids =, misspelt = true where it is a mistake in the payload, invalid = true where it is what
-- a schema forbids }, mistakes first.
function findings.of(results, asked, fields)
  local groups, order, of = grouped(results)
  local by_place, by_text = {}, {}
  for _, name in ipairs(asked) do
    by_place[place(name)], by_text[name.text] = name, by_text[name.text] or name
  end

  local function judge(group, name)
    if not name then return end
    local known, hint, in_vars = names.known(name, fields)
    group.unknown, group.hint, group.in_vars = not known, hint, in_vars
  end

  for _, key in ipairs(order) do
    local group = groups[key]
    group.of = of
    judge(group, group.name or by_place[key] or by_text[group.text])
  end
  -- names in conditions and the like leave nothing that could be seen to be blank
  for _, name in ipairs(asked) do
    local key = place(name)
    if not groups[key] and of > 0 and not names.known(name, fields) then
      groups[key] = { file = name.file, line = name.line, text = name.text, blank = of, of = of, ids = {},
        guarded = true }
      judge(groups[key], name)
      order[#order + 1] = key
    end
  end
  local list = {}
  for at, key in ipairs(order) do
    local group = groups[key]
    local cared_for = group.defaulted or group.omitted or group.guarded
    group.misspelt = group.unknown and (group.hint ~= "" or not cared_for) or false
    group.text, group.name, group.at = words(group), group.text, at
    list[at] = group
  end
  table.sort(list, function(a, b)
    if a.misspelt ~= b.misspelt then return a.misspelt end
    if a.line ~= b.line then return a.line < b.line end
    return a.at < b.at
  end)
  local broken = of_schema(results, of)
  return table.move(list, 1, #list, #broken + 1, broken)
end

return findings
