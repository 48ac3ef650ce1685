-- A journey's flow as a diagram: steps become blocks (see jaunt.docs.blocks).

local blocks = require "jaunt.docs.blocks"
local escapes = require "jaunt.docs.escapes"
local figures = require "jaunt.base.figures"
local measure = require "jaunt.docs.measure"
local steps = require "jaunt.docs.steps"
local svg = require "jaunt.docs.svg"

local diagram = {}

local sequence -- of steps, as one block

---------------------------------------------------------------------------------------------- elements

local function counted(self, step) return self.numbers and self.numbers.of(step) end

local function add_notes(self, step, lines)
  local row = counted(self, step)
  if row then
    lines[#lines + 1] = { class = "n", text = row.reached == row.went_on and figures.count(row.reached) .. " came"
      or ("%s came, %s went on"):format(figures.count(row.reached), figures.count(row.went_on)) }
  elseif self.numbers then
    lines[#lines + 1] = { class = "n", text = "nobody came" }
  end
  local reached = self.trip:reached(step)
  if reached == false then lines[#lines + 1] = { class = "n", text = "no sample comes here" } end
  return reached == false
end

local LEAVES = { drop = { "dropped", "if it fails" }, hold = { "held", "if it fails" } }

local function call_leaves(self, step)
  local made, row = step.contract, counted(self, step)
  local leaves = {}
  local policy = made.policy
  local known = policy and LEAVES[policy]
  if known or not policy then
    local text = known and ("%s %s"):format(known[1], known[2]) or "if it fails: " .. made.failure
    if row and row.dropped > 0 then text = figures.count(row.dropped) .. " dropped" end
    leaves[1] = blocks.pill(text, known and known[1] or "dropped")
  end
  if row and row.held > 0 then leaves[#leaves + 1] = blocks.pill(("%s held"):format(figures.count(row.held)), "held") end
  return leaves
end

local BLOCKS = {}

function BLOCKS.call(self, step)
  local made, lines = step.contract, {}
  blocks.add_lines(lines, step.name, "t")
  local route = step.words:route(step.call.fields)
  if step.name ~= route then blocks.add_lines(lines, (made.via and made.via .. " · " or "") .. route, "d") end
  if made.only_if then blocks.add_lines(lines, "only if " .. made.only_if, "d") end
  local unreached = add_notes(self, step, lines)
  local options = { class = "call", unreached = unreached, link = self.links and made.id or nil, title = step.name }
  return blocks.with_leaves(blocks.node(lines, options, 150), call_leaves(self, step))
end

function BLOCKS.wait(self, step)
  local lines = {}
  blocks.add_lines(lines, step.text, "t")
  local unreached = add_notes(self, step, lines)
  return blocks.node(lines, { class = "wait", shape = "pill", unreached = unreached, title = step.name })
end

function BLOCKS.split(self, step, next_step)
  local lines = {}
  blocks.add_lines(lines, step.name, "t")
  local follows = next_step and next_step.kind == "switch" and not next_step.title
  if not follows then
    for _, branch in ipairs(step.branches) do
      blocks.add_lines(lines, branch.share and ("%s %.4g %%"):format(branch.name, branch.share * 100) or branch.name, "d")
    end
  end
  local unreached = add_notes(self, step, lines)
  return blocks.node(lines, { class = "split", shape = "hexagon", unreached = unreached, title = step.name }, 110)
end

local ENDINGS = {
  drop = { "dropped", "dropped" }, exit = { "exited", "exits" }, restart_with = { "again", "begins anew" },
  ["return"] = { "completed", "completed" }, error = { "held", "held: script error" },
  ["break"] = { "again", "leaves the loop" }, ["goto"] = { "again", "goes on at" },
  back = { "again", "leaves the function" }, next = { "again", "on to the next round" },
}

function BLOCKS.ending(self, step)
  local kind = ENDINGS[step.what]
  local text = kind[2]
  if step.reason and step.reason ~= "" then text = ("%s: %s"):format(text, step.reason) end
  local leavers = self.numbers and step.literal and self.numbers.leavers[("%s %s"):format(step.what, step.literal)]
  if leavers then text = ("%s %s"):format(figures.count(leavers), text) end
  return blocks.pill(text, kind[1], self.trip:reached(step) == false)
end

---------------------------------------------------------------------------------------------- branches and loops

local function question(step)
  local test, turned = step.words:bare(step.test)
  return step.words:holds(test, true) .. "?", turned
end

function BLOCKS.choice(self, step)
  local text, turned = question(step)
  local head = blocks.test(text)
  local first, second = step.yes, step.no
  if turned then first, second = second, first end
  local yes = #first > 0 and sequence(self, first) or nil
  local no = #second > 0 and sequence(self, second) or nil
  local yes_falls, no_falls = not yes or yes.falls, not no or no.falls
  if not yes_falls and no_falls then return blocks.aside(head, yes, "yes", no, "no") end
  if not no_falls and yes_falls then return blocks.aside(head, no, "no", yes, "yes") end
  if yes and not no then return blocks.bypass(head, yes, "yes", "no") end
  if no and not yes then return blocks.bypass(head, no, "no", "yes") end
  return blocks.branched(head, { { label = "yes", block = yes }, { label = "no", block = no } })
end

function BLOCKS.switch(self, step)
  local branches = {}
  for i, case in ipairs(step.cases) do
    branches[i] = { label = table.concat(measure.wrap(escapes.clean(case.label), svg.DETAIL, 150, 1)),
      block = #case.steps > 0 and sequence(self, case.steps) or nil }
  end
  local head = step.title and blocks.test(step.title .. "?") or blocks.nothing()
  local made = blocks.branched(head, branches)
  made.is_bare = step.title == nil
  return made
end

function BLOCKS.loop(self, step)
  local inner = sequence(self, step.body)
  if step.form == "ever" then
    local made = blocks.looped(inner)
    if not steps.goes_on(step) then return made end
    local outside = blocks.pill("after the loop", "again") -- where those go on who leave it
    outside.falls = true
    return blocks.unlinked(made, outside)
  end
  if step.form == "each" then return blocks.headed_loop(blocks.test(step.text), inner, "each", "done") end
  local text, turned = question(step)
  local yes, no = "yes", "no"
  if turned then yes, no = no, yes end
  if step.form == "while" then return blocks.headed_loop(blocks.test(text), inner, yes, no) end
  return blocks.looped(inner, no, blocks.test(text), yes)
end

---------------------------------------------------------------------------------------------- all of it

sequence = function(self, list)
  local parts = {}
  for i, step in ipairs(list) do parts[i] = BLOCKS[step.kind](self, step, list[i + 1]) end
  local made = blocks.stack(parts)
  made.is_bare = parts[1] ~= nil and parts[1].is_bare
  made.is_pill = #parts == 1 and parts[1].is_pill
  return made
end

local function start_block(self)
  local declared, lines = self.declared, {}
  blocks.add_lines(lines, declared.starts_on and declared.starts_on.name or "a person enters", "t")
  if self.numbers then
    lines[#lines + 1] = { class = "n", text = figures.count(self.numbers.found.entered) .. " entered" }
  end
  local leaves = {}
  if declared.control > 0 then leaves[1] = blocks.pill(("%g %% are only watched"):format(declared.control * 100), "again") end
  local goal = declared.goal
  if goal then
    local within = goal.within and ", within " .. goal.within or ""
    leaves[#leaves + 1] = blocks.pill(("at any time: %s, the goal%s"):format(goal.name, within), "exited")
  end
  for _, event in ipairs(declared.exit_on) do leaves[#leaves + 1] = blocks.pill("at any time: " .. event.name, "exited") end
  return blocks.with_leaves(blocks.node(lines, { class = "start", shape = "pill" }, 100), leaves, true)
end

local function end_block(self)
  local found = self.numbers and self.numbers.found
  return blocks.pill(found and ("%s completed"):format(figures.count(found.completed)) or "completed", "completed")
end

-- The diagram of a journey (see jaunt.docs.facts): { text = (an element <svg>), w =, h =, drawing = (a jaunt.docs.svg)
-- }. options: alone (a file of its own), links (to the calls' contracts in the same page).
function diagram.of(made, options)
  local self = { declared = made.declared, trip = made.trip, numbers = made.numbers, links = options.links }
  local parts = { start_block(self) }
  if #made.steps > 0 then parts[2] = sequence(self, made.steps) end
  if steps.falls(made.steps) then parts[#parts + 1] = end_block(self) end
  local whole = blocks.stack(parts)
  local out = svg.new()
  whole.draw(out, 12, 12)
  local w, h = whole.w + 24, whole.h + 24
  return { text = out:text(w, h, { title = "The flow of " .. made.name, alone = options.alone }), w = w, h = h, drawing = out }
end

return diagram
