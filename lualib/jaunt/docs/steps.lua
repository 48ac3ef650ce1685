-- What can be said of a journey's steps (see jaunt.docs.flow) by their shape alone: what lies within them, whether
-- anybody comes past them, and what of them need not be told.

local steps = {}

local WITHIN = { ["break"] = true, ["goto"] = true, back = true, next = true } -- endings that concern a loop or a function alone

-- The lists of steps within a step.
function steps.lists(step)
  if step.kind == "choice" then return { step.yes, step.no } end
  if step.kind == "loop" then return { step.body } end
  local lists = {}
  for i, case in ipairs(step.cases or {}) do lists[i] = case.steps end
  return lists
end

-- Calls visit(step) for every step, in the order of the script.
function steps.each(list, visit)
  for _, step in ipairs(list) do
    visit(step)
    for _, inner in ipairs(steps.lists(step)) do steps.each(inner, visit) end
  end
end

-- Whether an element has in the script the name that it has in the funnel. Otherwise its line tells which it is.
function steps.is_named(step)
  return not step.name:find("‹", 1, true) and (step.kind ~= "wait" or not step.name:find("^wait [%d.]+$"))
end

-- Whether there is anything in the steps besides what only concerns a loop or a function.
function steps.has_substance(list)
  for _, step in ipairs(list) do
    if step.element or step.kind == "ending" and not WITHIN[step.what] then return true end
    for _, inner in ipairs(steps.lists(step)) do
      if steps.has_substance(inner) then return true end
    end
  end
  return false
end

---------------------------------------------------------------------------------------------- who comes past

local function has_break(list)
  for _, step in ipairs(list) do
    if step.kind == "ending" and (step.what == "break" or step.what == "goto") then return true end
    for _, inner in ipairs(step.kind ~= "loop" and steps.lists(step) or {}) do
      if has_break(inner) then return true end
    end
  end
  return false
end

-- Whether somebody may come to what stands behind the step.
function steps.goes_on(step)
  if step.kind == "ending" then return false end
  if step.kind == "loop" then return step.form ~= "ever" or has_break(step.body) end
  local lists = steps.lists(step)
  if #lists == 0 then return true end
  for _, list in ipairs(lists) do
    if steps.falls(list) then return true end
  end
  return false
end

-- Whether somebody may come to what stands behind the steps.
function steps.falls(list)
  for _, step in ipairs(list) do
    if not steps.goes_on(step) then return false end
  end
  return true
end

---------------------------------------------------------------------------------------------- what need not be told

local function ends_with(list, what)
  local last = list[#list]
  return last ~= nil and last.kind == "ending" and last.what == what
end

-- Moves what stands behind the step at `i` into the one list of it that goes on; away, where none does.
local function move_into(list, i, falling)
  for k = i + 1, #list do
    if falling then falling[#falling + 1] = list[k] end
    list[k] = nil
  end
end

-- Where one side of a choice ends early ("back" from a function, to the "next" round of a loop) and another goes on,
-- what comes behind belongs to that one: then both go on in the end, and nobody has to be told of the early end.
function steps.fold(list, what)
  if ends_with(list, what) then list[#list] = nil end
  for i, step in ipairs(list) do
    local ends, goes_on = false, {}
    local inner = step.kind ~= "loop" and steps.lists(step) or {}
    for _, one in ipairs(inner) do
      if ends_with(one, what) then ends = true
      elseif steps.falls(one) then goes_on[#goes_on + 1] = one end
    end
    if i == #list or ends and #goes_on <= 1 then
      move_into(list, i, goes_on[1])
      for _, one in ipairs(inner) do steps.fold(one, what) end
      return
    end
  end
end

-- Takes out choices and loops in which nothing happens that is told; and what comes after an end.
function steps.prune(list)
  local kept = {}
  for _, step in ipairs(list) do
    local inner = steps.lists(step)
    local some = #inner == 0 and step.kind ~= "switch" or step.kind == "loop" and steps.has_substance(step.body)
    for _, one in ipairs(inner) do
      steps.prune(one)
      some = some or step.kind ~= "loop" and #one > 0
    end
    if some then kept[#kept + 1] = step end
    if not steps.goes_on(step) then break end
  end
  for i = 1, math.max(#list, #kept) do list[i] = kept[i] end
end

return steps
