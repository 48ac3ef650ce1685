-- The blocks that a diagram is put together of: below one another, side by side, around. No line crosses another one,
-- as each block keeps its lines within itself: it is entered and left on its spine.
--
-- A block is { w =, h =, spine = (where it is entered, from its left), falls = (it is left at its bottom, on the
-- spine), draw = function(out, x, y) }; out is a jaunt.docs.svg. It may have is_bare (it begins with a line, so that
-- the one that leads to it has no arrow's head), is_pill (it is nothing but an end, and may stand beside a test), and
-- node_w (the width of its node, where that is all there is).

local escapes = require "jaunt.docs.escapes"
local measure = require "jaunt.docs.measure"
local svg = require "jaunt.docs.svg"

local blocks = {}

local GAP, LEAD, SIDE, BESIDE = 26, 40, 22, 26 -- between blocks; before a branch; around loops; between branches
local TEXT_WIDTH, LINES_MOST = 240, 4
local WIDEST = 900 -- of branches side by side; more stand below one another
local PAD_X, PAD_Y = 14, 9
local ALMOST = 24 -- a line that would have to step aside by less is straight

---------------------------------------------------------------------------------------------- nodes

-- Adds a text to a node's lines, broken where it is too wide. `class`: see jaunt.docs.svg.
function blocks.add_lines(lines, text, class, width)
  local size = svg.SIZES[class]
  for _, line in ipairs(measure.wrap(escapes.clean(text), size, width or TEXT_WIDTH, LINES_MOST)) do
    lines[#lines + 1] = { text = line, class = class }
  end
end

local function size_of(lines, least, shape)
  local w, sides = least or 90, 2 * PAD_X + (shape == "hexagon" and 8 or 0)
  for _, line in ipairs(lines) do
    w = math.max(w, measure.width(line.text, svg.SIZES[line.class]) + sides)
  end
  return w, #lines * svg.LINE + 2 * PAD_Y
end

-- A node of such lines, no narrower than `least`. options: see jaunt.docs.svg's node.
function blocks.node(lines, options, least)
  local w, h = size_of(lines, least, options.shape)
  return { w = w, h = h, spine = w / 2, falls = true, node_w = w,
    draw = function(out, x, y) out:node(x, y, w, h, lines, options) end }
end

-- A block in which nothing is.
function blocks.nothing()
  return { w = 0, h = 0, spine = 0, falls = true, is_bare = true, draw = function() end }
end

-- A block with others at its right side, to which short lines lead: where people leave. `is_first`: no line comes
-- from above.
function blocks.with_leaves(block, leaves, is_first)
  if #leaves == 0 then return block end
  local height, width = 0, 0
  for i, leaf in ipairs(leaves) do height, width = height + leaf.h + (i > 1 and 8 or 0), math.max(width, leaf.w) end
  local h = math.max(block.h, height)
  local top = (h - block.h) / 2
  local made = { w = block.w + BESIDE + width, h = h, spine = block.spine, falls = block.falls, is_bare = top > 0 }
  function made.draw(out, x, y)
    block.draw(out, x, y + top)
    if top > 0 then
      if not is_first then out:path({ x + block.spine, y, x + block.spine, y + top }, true) end
      out:path { x + block.spine, y + top + block.h, x + block.spine, y + h }
    end
    local at, middle, fork = y + (h - height) / 2, y + h / 2, x + block.node_w + BESIDE / 2 - 3
    for _, leaf in ipairs(leaves) do
      local line = at + leaf.h / 2
      out:path({ x + block.node_w, middle, fork, middle, fork, line, x + block.node_w + BESIDE, line }, true)
      leaf.draw(out, x + block.node_w + BESIDE, at)
      at = at + leaf.h + 8
    end
  end
  return made
end

-- An end: nobody goes on from it.
function blocks.pill(text, class, unreached)
  local lines = {}
  blocks.add_lines(lines, text, "d", 185)
  local w, h = size_of(lines, 60)
  h = h - 6
  return { w = w, h = h, spine = w / 2, falls = false, is_pill = true,
    draw = function(out, x, y)
      out:node(x, y, w, h, lines, { class = class, shape = "pill", unreached = unreached })
    end }
end

---------------------------------------------------------------------------------------------- one after another

-- Blocks below one another, on one spine.
function blocks.stack(list)
  local spine, right, h = 0, 0, 0
  for i, block in ipairs(list) do
    spine = math.max(spine, block.spine)
    right = math.max(right, block.w - block.spine)
    h = h + block.h + (i > 1 and GAP or 0)
  end
  local last = list[#list]
  return { w = spine + right, h = h, spine = spine, falls = not last or last.falls, draw = function(out, x, y)
    for i, block in ipairs(list) do
      block.draw(out, x + spine - block.spine, y)
      y = y + block.h
      if list[i + 1] then out:path({ x + spine, y, x + spine, y + GAP }, not list[i + 1].is_bare) end
      y = y + GAP
    end
  end }
end

---------------------------------------------------------------------------------------------- branches

-- Where the head of branches stands: between the first and the last, straight above one that is almost there.
local function middle_of(spines)
  local middle = (spines[1] + spines[#spines]) / 2
  for _, spine in ipairs(spines) do
    if math.abs(spine - middle) < ALMOST then return spine end
  end
  return middle
end

-- Branches side by side below `head`, joined again at the bottom: each { label =, block = (nil: nothing happens
-- there) }.
local function fork(head, branches)
  local w, h, falls, spines, lefts = 0, 0, 0, {}, {}
  for i, branch in ipairs(branches) do
    local label = measure.width(branch.label, svg.DETAIL) + 16
    local block = branch.block or blocks.nothing()
    local spine = math.max(block.spine, label / 2)
    lefts[i], spines[i] = w + spine - block.spine, w + spine
    w = w + spine + math.max(block.w - block.spine, label / 2) + (branches[i + 1] and BESIDE or 0)
    h, branch.inner = math.max(h, block.h), block
    if block.falls then falls = falls + 1 end
  end
  local middle = middle_of(spines)
  local shift = math.max(0, head.spine - middle)
  middle = middle + shift
  local joined = falls > 0 and GAP or 0
  local made = { w = math.max(w + shift, middle + head.w - head.spine), h = head.h + 14 + LEAD + h + joined,
    spine = middle, falls = falls > 0 }
  function made.draw(out, x, y)
    head.draw(out, x + middle - head.spine, y)
    local line, top, bottom = x + middle, y + head.h, y + made.h
    local below = top + 14 + LEAD
    for i, branch in ipairs(branches) do
      local at, inner = x + shift + spines[i], branch.inner
      out:path({ line, top, line, top + 14, at, top + 14, at, below }, not inner.is_bare)
      inner.draw(out, x + shift + lefts[i], below)
      if inner.falls then out:path { at, below + inner.h, at, bottom - 10, line, bottom - 10, line, bottom } end
      out:label(at, top + 14 + LEAD / 2 - 2, branch.label)
    end
  end
  return made
end

-- The same for many or wide branches: below one another, each on a line of its own, between a way in on the left and
-- a way out on the right.
local function ladder(head, branches)
  local width, h = 0, 0
  for _, branch in ipairs(branches) do
    branch.inner = branch.block or blocks.nothing()
    width = math.max(width, branch.inner.w)
    branch.lead = 34 + branch.inner.h + GAP
    h = h + branch.lead
  end
  local in_x = SIDE / 2
  local block_x = in_x + SIDE
  local spine, falls = math.max(head.spine, in_x), false
  for _, branch in ipairs(branches) do falls = falls or branch.inner.falls end
  local out_x = math.max(block_x + width + SIDE, spine + head.w - head.spine + 4)
  local made = { w = out_x + 4, h = head.h + h + (falls and GAP or 0), spine = spine, falls = falls }
  function made.draw(out, x, y)
    head.draw(out, x + spine - head.spine, y)
    local line, way_in, way_out, top, bottom = x + spine, x + in_x, x + out_x, y + head.h, y + made.h
    local at = top
    for _, branch in ipairs(branches) do
      local inner = branch.inner
      local entry, below = x + block_x + inner.spine, at + 34 + inner.h
      out:path({ line, top, line, top + 8, way_in, top + 8, way_in, at + 18, entry, at + 18, entry, at + 34 },
        not inner.is_bare)
      out:label(way_in + 6, at + 18, branch.label, true)
      inner.draw(out, x + block_x, at + 34)
      if inner.falls then
        local leave = below + GAP / 2
        out:path { entry, below, entry, leave, way_out, leave, way_out, bottom - 8, line, bottom - 8, line, bottom }
      end
      at = at + branch.lead
    end
  end
  return made
end

-- Branches (see fork) below `head`, as there is room for them.
function blocks.branched(head, branches)
  local side_by_side = fork(head, branches)
  if side_by_side.w > WIDEST and #branches > 2 then return ladder(head, branches) end
  return side_by_side
end

-- A test whose one side ends beside it, while the other goes on below.
function blocks.aside(head, side, side_label, main, main_label)
  local label_w = measure.width(side_label, svg.DETAIL) + 22
  local is_small = side.is_pill
  local main_block = main or blocks.nothing()
  local spine = math.max(head.spine, main_block.spine)
  local head_right = spine + head.w - head.spine
  local from = is_small and head_right or math.max(head_right, spine + main_block.w - main_block.spine)
  local side_x = from + label_w + 6
  local row_h = is_small and math.max(head.h, side.h) or head.h
  local lead = main and LEAD or GAP
  local side_top = is_small and (row_h - side.h) / 2 or row_h / 2 + 18
  local made = { w = math.max(side_x + side.w, spine + main_block.w - main_block.spine), spine = spine,
    h = math.max(row_h + lead + main_block.h, side_top + side.h), falls = main_block.falls }
  function made.draw(out, x, y)
    local line, middle, right, beside = x + spine, y + row_h / 2, x + head_right, x + side_x
    head.draw(out, line - head.spine, middle - head.h / 2)
    if row_h > head.h then
      out:path { line, y, line, middle - head.h / 2 }
      out:path { line, middle + head.h / 2, line, y + row_h }
    end
    local to_side = is_small and { right, middle, beside, middle }
      or { right, middle, beside + side.spine, middle, beside + side.spine, y + side_top }
    out:path(to_side, not side.is_bare)
    out:label(right + 5, middle, side_label, true)
    side.draw(out, beside, y + side_top)
    local below = y + row_h + lead
    out:path({ line, y + row_h, line, below }, not main_block.is_bare)
    out:label(line, y + row_h + lead / 2 - 2, main_label)
    main_block.draw(out, line - main_block.spine, below)
    local main_end = below + main_block.h
    if main_block.falls and main_end < y + made.h then out:path { line, main_end, line, y + made.h } end
  end
  return made
end

-- How far to the right a line has to go to lead past `inner`, from the right of `head`, where `label` is.
local function right_of(head, inner, spine, label)
  local labelled = spine + head.w - head.spine + measure.width(label, svg.DETAIL) + 12
  return math.max(labelled, spine + inner.w - inner.spine) + SIDE / 2
end

-- Such a line: from the right of a head whose middle is at `middle` to the spine at `line`, down at `bottom`.
local function draw_past(out, from, middle, right, line, bottom, label)
  out:path { from, middle, right, middle, right, bottom - 10, line, bottom - 10, line, bottom }
  out:label(from + 4, middle, label, true)
end

-- A test whose one side is stepped into below, while a line leads past it.
function blocks.bypass(head, inner, inner_label, past_label)
  local spine = math.max(head.spine, inner.spine)
  local right = right_of(head, inner, spine, past_label)
  local h = head.h + LEAD + inner.h + GAP
  return { w = right + 4, h = h, spine = spine, falls = true, draw = function(out, x, y)
    head.draw(out, x + spine - head.spine, y)
    local top, bottom = y + head.h, y + h
    out:path({ x + spine, top, x + spine, top + LEAD }, not inner.is_bare)
    out:label(x + spine, top + LEAD / 2 - 2, inner_label)
    inner.draw(out, x + spine - inner.spine, top + LEAD)
    if inner.falls then out:path { x + spine, top + LEAD + inner.h, x + spine, bottom } end
    draw_past(out, x + spine + head.w - head.spine, y + head.h / 2, x + right, x + spine, bottom, past_label)
  end }
end

-- Two blocks below one another, without a line from the first to the second.
function blocks.unlinked(first, second)
  local spine = math.max(first.spine, second.spine)
  local w = spine + math.max(first.w - first.spine, second.w - second.spine)
  local made = { w = w, h = first.h + second.h, spine = spine, falls = true, is_bare = first.is_bare }
  function made.draw(out, x, y)
    first.draw(out, x + spine - first.spine, y)
    second.draw(out, x + spine - second.spine, y + first.h)
  end
  return made
end

-- A question, from which branches lead.
function blocks.test(text)
  local lines = {}
  blocks.add_lines(lines, text, "d", 230)
  return blocks.node(lines, { class = "test", shape = "hexagon" }, 80)
end

---------------------------------------------------------------------------------------------- loops

-- A way back on the left from below `inner` to above it; `tail` is a test at its end, if there is one.
function blocks.looped(inner, back_label, tail, tail_label)
  local inner_spine = math.max(inner.spine, tail and tail.spine or 0)
  local spine = SIDE + inner_spine
  local right = math.max(inner.w - inner.spine, tail and tail.w - tail.spine or 0)
  local lead = 16
  local h = lead + inner.h + (tail and GAP + tail.h or GAP)
  local left_room = 0 -- for the label of the way back
  if tail then
    left_room = math.max(0, measure.width(back_label, svg.DETAIL) + 30 - (SIDE + inner_spine - tail.spine))
  end
  spine = spine + left_room
  local made = { w = spine + right, h = h + (tail and 6 or 0), spine = spine, falls = tail ~= nil, is_bare = true }
  function made.draw(out, x, y)
    local line = x + 5
    out:path({ x + spine, y, x + spine, y + lead }, not inner.is_bare)
    inner.draw(out, x + spine - inner.spine, y + lead)
    local below = y + lead + inner.h
    if tail then
      if inner.falls then out:path({ x + spine, below, x + spine, below + GAP }, true) end
      tail.draw(out, x + spine - tail.spine, below + GAP)
      local middle = below + GAP + tail.h / 2
      out:path({ x + spine - tail.spine, middle, line, middle, line, y + 4, x + spine, y + 4 }, true)
      out:label(x + spine - tail.spine - 6 - measure.width(back_label, svg.DETAIL) - 4, middle, back_label, true)
      out:path { x + spine, below + GAP + tail.h, x + spine, y + h + 6 }
      out:label(x + spine + 6, below + GAP + tail.h + 10, tail_label, true)
    elseif inner.falls then
      local turn = below + GAP / 2
      out:path({ x + spine, below, x + spine, turn, line, turn, line, y + 4, x + spine, y + 4 }, true)
    end
  end
  return made
end

-- A loop with its test at its head: the way back comes in above it, the way on leads past the body.
function blocks.headed_loop(head, inner, in_label, past_label)
  local spine = SIDE + math.max(head.spine, inner.spine)
  local right, lead = right_of(head, inner, spine, past_label), 16
  local h = lead + head.h + LEAD + inner.h + GAP + 12
  return { w = right + 4, h = h, spine = spine, falls = true, is_bare = true, draw = function(out, x, y)
    local top = y + lead
    out:path({ x + spine, y, x + spine, top }, true)
    head.draw(out, x + spine - head.spine, top)
    out:path({ x + spine, top + head.h, x + spine, top + head.h + LEAD }, not inner.is_bare)
    out:label(x + spine, top + head.h + LEAD / 2 - 2, in_label)
    inner.draw(out, x + spine - inner.spine, top + head.h + LEAD)
    local below = top + head.h + LEAD + inner.h
    if inner.falls then
      out:path({ x + spine, below, x + spine, below + 10, x + 5, below + 10, x + 5, y + 4, x + spine, y + 4 }, true)
    end
    draw_past(out, x + spine + head.w - head.spine, top + head.h / 2, x + right, x + spine, y + h, past_label)
  end }
end

return blocks
