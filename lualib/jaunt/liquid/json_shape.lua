-- What a JSON template puts out is JSON, whatever people are like: an automaton over the literal text between the tags.
--
-- Called by jaunt.liquid.escapes before a template of the kind "json" is compiled. It walks the tree, knows at each
-- place whether it is in a string, before a value, between two members and so on, names the emitter of each output, and
-- refuses a template that could put out anything but JSON. Two payloads of one template differ in their values, in what
-- `if` and `for` leave out or repeat within an array or an object, and in nothing else.
--
-- What an output becomes: see jaunt.liquid.json_output.
--
-- Refused: two outputs, or an output and literal text, side by side outside of quotes; a quote, bracket or brace that
-- is opened in one branch and closed elsewhere; a literal that is not JSON; the same literal key twice in an object; a
-- payload that ends too early, or goes on behind its end; a break outside of loops, which would cut it off.
--
-- Commas. One behind which an item follows on every way is put out where it stands. All others are put out before the
-- item that follows (and the blanks before it), if one does: so those that control flow leaves over vanish. None is
-- made up: an item before which a comma may be missing is a mistake. Of an array or object it is known which of these
-- is possible at a place: nothing was written yet (START), an item was (ITEM), or an item and a comma (COMMA). Where an
-- item may come first, or behind a comma that is not put out yet, the compiled code keeps in a local whether an item
-- was written. forloop.first and its like are understood: the body of a loop is looked at as its first, last, only and
-- other turns.
--
-- Partials are looked at where they are rendered: a .json one goes on with its caller's JSON, any other kind is a text,
-- which has to stand within quotes, and is escaped there. A .json one cannot render itself.

local decide = require "jaunt.liquid.json_turns"
local finished = require "jaunt.liquid.json_code"
local json_state = require "jaunt.liquid.json_state"
local outputs = require "jaunt.liquid.json_output"
local reader = require "jaunt.liquid.json_text"
local trees = require "jaunt.liquid.trees"

local find, format, insert = string.find, string.format, table.insert
local ipairs, pairs, setmetatable, type = ipairs, pairs, setmetatable, type

local START, NONE = json_state.START, json_state.NONE
local place, on_line, fail, words, alike, join, same =
  json_state.place, json_state.on_line, json_state.fail, json_state.words, json_state.alike,
  json_state.join, json_state.same

local NODES_MOST = 20000 -- of all partials, each counted as often as it is rendered
local CASES_MOST = 6     -- nested cases of which several branches may be rendered: each is looked at as often

local shape = setmetatable({}, outputs)
shape.__index = shape

---------------------------------------------------------------------------------------------- ways

local function mend_for(a, b)
  if a.mode == "string" or b.mode == "string" then return "open and close quotes in the same branch" end
  if a.mode == "done" or b.mode == "done" then
    return "a payload is one value on every way: write an else, or [ and ] around a loop"
  elseif a.mode == "value" or b.mode == "value" then
    return "write a value in each branch, null where there is none, or put the key into the branch as well"
  end
  if a.mode == "colon" or b.mode == "colon" then return "write key, colon and value in the same branch" end
  return "open and close braces and brackets in the same branch"
end

-- The state after two ways, or a mistake at `where` that tells of both: `said` is a text with two places for where they
-- end, or a function that gives one.
local function meet(self, a, b, where, said)
  if not a or not b or alike(a, b) then return join(a, b) end
  if type(said) == "function" then said = said() end
  fail(where, format(said, words(a, self.source), words(b, self.source)), mend_for(a, b))
end

-- An ending in words: its label, or where its branch begins.
local function label_of(self, ending)
  if not ending.at then return ending.label end
  return format("the branch %s%s", on_line(place(self.source, ending.at), self.source), ending.label or "")
end

-- Joins the ends of branches: a list of { label = text, at = where the branch begins, state }.
local function meet_all(self, node, tag, ends)
  local first, state
  for _, ending in ipairs(ends) do
    if ending.state then
      first = first or ending
      local function said()
        return format("the branches of this %s do not leave the JSON at the same place: %s ends %%s, %s ends %%s", tag,
          label_of(self, first), label_of(self, ending))
      end
      state = meet(self, state, ending.state, place(self.source, node.at), said)
    end
  end
  return state
end

local NO_LOOP = {}

function shape:conditional(node, state)
  local ends, open = {}, true
  local tag = node.branches[1].test.kind == "not" and "unless" or "if"
  for _, branch in ipairs(node.branches) do
    local known = decide(branch.test, self.loop or NO_LOOP)
    if known ~= false then ends[#ends + 1] = { at = branch.at, state = self:walk(branch.body, state) } end
    open = known ~= true
    if not open then break end
  end
  if open and node.otherwise then
    ends[#ends + 1] = { label = "its else", state = self:walk(node.otherwise, state) }
  elseif open then
    ends[#ends + 1] = { label = "and where no branch is taken (there is no else), it", state = state }
  end
  return meet_all(self, node, tag, ends)
end

-- Whether at most one value of a case can fit: all are literals, each is there once, and one at most is equal to
-- `blank`.
local function is_exclusive(node)
  local seen, blank = {}, false
  for _, clause in ipairs(node.clauses) do
    for _, literal in ipairs(clause.values or {}) do
      local value = literal.value
      if literal.kind ~= "literal" or value == nil or seen[value] then return false end
      local is_blank = value == false or type(value) == "string" and not find(value, "%S")
      if is_blank and blank then return false end
      seen[value], blank = true, blank or is_blank
    end
  end
  return true
end

-- Every clause that fits is rendered, as often as its values fit, and an else where none before it did.
function shape:case(node, state)
  local exclusive, none, ends, any = is_exclusive(node), state, {}, nil
  self.cases = self.cases + (exclusive and 0 or 1)
  if self.cases > CASES_MOST then
    fail(place(self.source, node.at),
      format("cases whose branches may fit together are nested more than %d deep here", CASES_MOST))
  end
  for _, clause in ipairs(node.clauses) do
    if clause.values then
      ends[#ends + 1] = { at = clause.at, state = self:walk(clause.body, none) }
      for i = 1, exclusive and 0 or #clause.values do
        local before = meet_all(self, node, "case", ends)
        if before and (any or i > 1) then
          if not alike(before, none or before) then
            fail(place(self.source, clause.at),
              "this branch of the case may be rendered behind another one that fits, too",
              "give each when another text or number, or use if and elsif")
          end
          ends[#ends + 1] = { at = clause.at, label = " after another one that fits, too,",
            state = self:walk(clause.body, before) }
        end
      end
      any = meet_all(self, node, "case", ends)
    else
      none = self:walk(clause.body, none)
    end
  end
  self.cases = self.cases - (exclusive and 0 or 1)
  insert(ends, 1, { label = "where none fits it", state = none })
  return meet_all(self, node, "case", ends)
end

---------------------------------------------------------------------------------------------- loops

-- Whether the word forloop is written in a loop, or in what it renders for each item.
local function mentions_forloop(self, node)
  if node.kind == "render" then return find(node.partial.source.text, "forloop", 1, true) ~= nil end
  local at = find(self.source.text, "forloop", node.at, true)
  return at ~= nil and at < node.stop
end

-- One turn of a loop from `state` on: the state behind it. Where it is left by break is added to `left.state`.
local function turn(self, node, state, loop, left)
  if not state then return nil end
  local outer_loop, outer_jumps = self.loop, self.jumps
  self.loop, self.jumps = loop, { where = place(self.source, node.at) }
  local after = self:walk_body(node, state)
  local said = "a turn of this loop that goes on by continue ends %s, one that comes to its end %s"
  after = meet(self, self.jumps.continues, after, self.jumps.where, said)
  local breaks = self.jumps.breaks
  self.loop, self.jumps = outer_loop, outer_jumps
  left.state = meet(self, left.state, breaks, place(self.source, node.at),
    "break leaves this loop %s, and another one %s")
  return after
end

local AGAIN = "this loop's turns do not fit each other: a turn ends %s, but the next one has to begin %s"

-- Turns one after the other for as often as it makes a difference, each from where the one before has ended.
local function turns(self, node, state, after, loop, left)
  local where = place(self.source, node.at)
  local entry = meet(self, after, state, where, AGAIN)
  local last
  repeat
    local before = entry
    last = turn(self, node, before, loop, left)
    entry = meet(self, last, before, where, AGAIN)
    if last and entry.frame ~= before.frame then entry = join(before, last) end
  until not entry or entry.frame == before.frame
  return entry, last
end

-- The loop's turns, all alike.
local function walk_alike(self, node, state, left)
  local loop = {}
  local first = turn(self, node, state, loop, left)
  if not first then return nil end
  if alike(first, state) then turn(self, node, first, loop, left) end -- a second turn must be possible, too
  local _, last = turns(self, node, state, first, loop, left)
  return meet(self, first, last, place(self.source, node.at), AGAIN)
end

-- The loop's turns, the first and the last one for themselves.
local function walk_split(self, node, state, left)
  local function kind(first, last) return { first = first, last = last } end
  local only = turn(self, node, state, kind(true, true), left)
  local first = turn(self, node, state, kind(true, false), left)
  local last = nil
  if first then
    local entry = turns(self, node, first, nil, kind(false, false), left)
    last = turn(self, node, entry, kind(false, true), left)
  end
  return meet(self, only, last, place(self.source, node.at),
    "this loop ends %s after a single turn, and %s after several")
end

-- The state behind a loop that turns at least once. It is kept, since loops in loops would be walked over and over.
local function walk_turns(self, node, state)
  local known = self.walked[node] or {}
  self.walked[node] = known
  for _, walked in ipairs(known) do
    if same(walked.state, state) then return walked.after end
  end
  if node.uses_forloop == nil then node.uses_forloop = mentions_forloop(self, node) end
  local left = {}
  local after = (node.uses_forloop and walk_split or walk_alike)(self, node, state, left)
  after = meet(self, after, left.state, place(self.source, node.at), "this loop ends %s, but is left by a break %s")
  insert(known, { state = state, after = after })
  return after
end

-- A for, or a render of each item of a list.
function shape:loop_over(node, state)
  local where = place(self.source, node.at)
  local after, empty = walk_turns(self, node, state), state
  if node.otherwise then empty = self:walk(node.otherwise, state) end
  return meet(self, after, empty, where, node.otherwise and "this loop ends %s, its else %s"
    or "this loop ends %s, but where it has nothing to go over, the JSON goes on %s")
end

function shape:walk_body(node, state)
  if node.kind == "render" then return self:walk_partial(node, state) end
  return self:walk(node.body, state)
end

---------------------------------------------------------------------------------------------- jumps

local function jump(kind)
  return function(self, node, state)
    local jumps, where = self.jumps, place(self.source, node.at)
    if jumps.top and state.mode ~= "done" then
      local said = "%s stands outside of a loop and ends the payload here, %s"
      fail(where, format(said, node.kind, words(state, self.source)), "abort_message skips the call")
    end
    jumps[kind] = meet(self, jumps[kind], state, where, "this " .. node.kind .. " is reached %s, another one %s")
    return nil
  end
end

-- What is text, such as a capture's body, may hold the break of a loop around it.
local function jumps_within(self, block, state)
  for _, node in ipairs(block) do
    if node.kind == "break" or node.kind == "continue" then self:step(node, state) end
    if node.body and node.kind ~= "for" then jumps_within(self, node.body, state) end
    if node.shares_scope then jumps_within(self, node.partial.block, state) end
    if node.otherwise then jumps_within(self, node.otherwise, state) end
    for _, branch in ipairs(node.branches or node.clauses or {}) do jumps_within(self, branch.body, state) end
  end
end

---------------------------------------------------------------------------------------------- partials

local function count_nodes(tree)
  local count = 0
  for key, part in pairs(tree) do
    if type(part) == "table" and key ~= "partial" then count = count + 1 + count_nodes(part) end
  end
  return count
end

-- The names that a block assigns, and whether only by `| json`.
local function names_of(block, names)
  for _, node in ipairs(block) do
    if node.kind == "assign" then
      local _, escape = outputs.without_escape(node.value)
      names[node.name] = names[node.name] ~= false and (escape == "json" or escape == "to_json")
    elseif (node.kind == "capture" or node.kind == "for") and node.name then
      names[node.name] = false
    end
    for _, body in ipairs(trees.bodies(node)) do names_of(body, names) end
  end
  return names
end

-- What is between a partial's begin and end, in the state of its caller.
function shape:walk_partial(node, state)
  local source, names, jumps, loop = self.source, self.json_names, self.jumps, self.loop
  local partial = node.partial
  node.json_names = node.json_names or node.shares_scope and names or names_of(node.body, {})
  self.source, self.json_names = partial.source, node.json_names
  if not node.shares_scope then self.jumps = { where = place(partial.source, 1) } end
  if not node.each and not node.shares_scope then self.loop = nil end
  self.rendering[partial.name] = true
  local after = self:walk(node.body, state)
  self.rendering[partial.name] = nil
  if not node.shares_scope then
    local jumped = meet(self, self.jumps.breaks, self.jumps.continues, self.jumps.where,
      "break leaves this payload %s, continue %s")
    after = meet(self, after, jumped, self.jumps.where, "this payload ends %s, but is left by a break %s")
  end
  self.source, self.json_names, self.jumps, self.loop = source, names, jumps, loop
  return after
end

local function text_partial(self, node, state)
  local where = place(self.source, node.at)
  if state.mode ~= "string" or state.role ~= "value" then
    fail(where, format('"%s" is a .%s payload, a text: it can stand only within the quotes of a value',
      node.partial.name, node.partial.kind),
      format('write "{%% render \'%s\' %%}", quotes included', node.partial.name))
  end
  node.as_kind = "in_json:" .. node.partial.kind
  if node.shares_scope then jumps_within(self, node.partial.block, state) end
  return state
end

function shape:render(node, state)
  local partial, where = node.partial, place(self.source, node.at)
  if partial.kind and partial.kind ~= "json" then return text_partial(self, node, state) end
  if self.rendering[partial.name] then
    fail(where, format('"%s" renders itself, which a .json payload can not', partial.name),
      "build what is nested in Lua, and put it out with | json")
  end
  if not node.body then
    node.body = trees.copy(partial.block)
    self.nodes = self.nodes + count_nodes(node.body)
    if self.nodes > NODES_MOST then
      fail(where, format("the payloads that are rendered here have more than %d parts in all", NODES_MOST),
        "put the inner ones together in Lua")
    end
  end
  if node.each then return self:loop_over(node, state) end
  return self:walk_partial(node, state)
end

---------------------------------------------------------------------------------------------- the walk

-- Refuses omit_if_nil where there is no item to take out, anywhere in a tree.
local function refuse_omit(source, tree)
  if tree.kind == "filtered" then
    for _, filter in ipairs(tree.filters) do
      if filter.name == "omit_if_nil" then
        fail(place(source, filter.at), "omit_if_nil works only where a value is put out into JSON",
          "it takes out the member or item that it stands in")
      end
    end
  end
  for key, part in pairs(tree) do
    if type(part) == "table" and key ~= "partial" then refuse_omit(source, part) end
  end
end
shape.refuse_omit = refuse_omit

local STEPS = {
  text = shape.text, output = shape.output, cycle = shape.output, increment = shape.output, decrement = shape.output,
  ["if"] = shape.conditional, case = shape.case, ["for"] = shape.loop_over, render = shape.render,
  ["break"] = jump "breaks", continue = jump "continues", end_call = function() return nil end,
  assign = function(self, node, state)
    refuse_omit(self.source, node.value)
    return state
  end,
  capture = function(self, node, state)
    refuse_omit(self.source, node.body)
    jumps_within(self, node.body, state)
    return state
  end,
}

function shape:step(node, state)
  node.visited = true
  return STEPS[node.kind](self, node, state)
end

-- The state behind a block, or nil where its end is never reached.
function shape:walk(block, state)
  for _, node in ipairs(block) do
    if not state then return nil end
    state = self:step(node, state)
  end
  return state
end

---------------------------------------------------------------------------------------------- the whole

local function check_end(self, state)
  if not state or state.mode == "done" then return end
  local source, frame = self.source, state.frame
  if state.mode == "string" then
    fail(state.opened, "the payload ends within this text", 'its closing " is missing')
  elseif frame.kind == "document" then
    fail(place(source, #source.text + 1), "the payload ends without any JSON in it", 'the smallest ones are {} and ""')
  end
  local around = frame.depth > 1 and format(", and so are the %d around it", frame.depth - 1) or ""
  fail(frame.opened, format("the payload ends, but this %s is still open%s", frame.kind, around),
    format("%s is missing at its end", reader.CLOSERS[frame.kind]))
end

local function check_utf8(source)
  local good, at = utf8.len(source.text)
  if not good then
    fail(place(source, at), "this byte is not UTF-8, which JSON is written in", "save the file as UTF-8")
  end
end

-- The tree of a JSON template (of jaunt.liquid.parser; it is changed) as it has to be compiled; the names of locals
-- that the code needs are in its field `locals`, those that are only assigned by `| json` in `json_names`; in
-- `key_of_value` is the place of the first key that a value says. Raises a fault where it could put out what is not
-- JSON.
function shape.of(block, source)
  check_utf8(source)
  local self = setmetatable({
    source = source, jumps = { top = true }, rendering = {}, nodes = 0, seen = {}, walked = {}, cases = 0,
    starts = {}, json_names = names_of(block, {}),
  }, shape)
  local document = {
    kind = "document", depth = 0, set = START, starts = NONE, omits = false, key = false, commas = NONE, behind = false,
    opened = place(source, 1),
  }
  check_end(self, self:walk(block, { mode = "value", frame = document }))
  local made = finished(block, self.starts)
  made.json_names, made.key_of_value = self.json_names, self.key_of_value
  return made
end

return shape
