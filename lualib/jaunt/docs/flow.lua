-- A journey's flow as steps, read from its script's syntax tree.
--
-- A step has `kind`, `line` and, as the case may be,
--   call       name, call (see jaunt.lua.scope's calls)
--   wait       name, call, text (in words)          also for wait_until and wait_for
--   split      name, call, branches = { { name =, share = } … }
--   ending     what ("drop", "exit", "restart_with", "return", "error", "break", "goto", "back"),
--              reason (in words, or nil), literal (the reason as it is written, where it is a text)
--   choice     test (a node), yes, no (lists of steps)
--   switch     title (nil: it follows its split at once), cases = { { label =, value =, steps = } … }
--   loop       form ("while", "repeat", "each", "ever"), test (of the first two) or text, body
-- Calls, waits and splits have `element` (the word), and every step `way`: what has to have happened on the way
-- there, in words.

local parser = require "jaunt.lua.parser"
local scope = require "jaunt.lua.scope"
local words = require "jaunt.docs.words"

local flow = {}

local DEEPEST = 12 -- of functions that are read where they are called

local reader = {}
reader.__index = reader

local read_block -- of a block, into a list

---------------------------------------------------------------------------------------------- elements

local function branches_of(self, call)
  local branches, sum = {}, 0
  for _, field in ipairs(call.fields and call.fields.fields or {}) do
    local name, share = field.key and self.words:literal(field.key), self.words:literal(field.value)
    if name then
      branches[#branches + 1] = { name = tostring(name), share = tonumber(share) }
      sum = sum + (tonumber(share) or 0)
    end
  end
  for _, branch in ipairs(branches) do branch.share = branch.share and sum > 0 and branch.share / sum or nil end
  return branches
end

local function wait_text(self, call)
  local say = self.words
  if call.word == "wait_for" then
    local within = say:within(call)
    return ("wait for %s%s"):format(say:event(call), within and (", %s at most"):format(within) or "")
  end
  local given = say:element(call):gsub("^%S+ ", "")
  if call.word == "wait" then return "wait " .. given .. (tonumber(given) and " s" or "") end
  local options = call.arguments[1]
  local zone = options and options.kind == "table" and scope.field(options, "zone")
  return ("wait until %s, %s"):format(given, zone and "in " .. say:pattern(zone) or "where the person lives")
end

-- A call of the vocabulary as a step.
local function step_of(self, call)
  local say = self.words
  local step = { line = call.line, call = call, words = say, element = call.word, name = say:element(call) }
  if call.word == "call_api" then step.kind = "call"
  elseif call.word == "split" then
    step.kind, step.branches = "split", branches_of(self, call)
  elseif call.word:find("^wait") then
    step.kind, step.text = "wait", wait_text(self, call)
  else
    step.kind, step.what, step.element, step.name = "ending", call.word, nil, nil
    local reason = call.word ~= "restart_with" and call.arguments[1]
    step.reason = reason and say:pattern(reason) or nil
    step.literal = reason and say:literal(reason) or nil
  end
  return step
end

local read_expression, has_substance

local function read_expressions(self, list, into)
  for _, node in ipairs(list) do read_expression(self, node, into) end
end

-- What a function does where it is called; nothing for one that only computes, or is being read already.
local function read_function(self, lambda, into)
  if self.open[lambda] or self.depth > DEEPEST then return end
  self.open[lambda], self.depth = true, self.depth + 1
  local inner = {}
  read_block(self, lambda.body, inner, true)
  local last = inner[#inner]
  if last and last.kind == "ending" and last.what == "back" then inner[#inner] = nil end
  if has_substance(inner) then table.move(inner, 1, #inner, #into + 1, into) end
  self.open[lambda], self.depth = nil, self.depth - 1
end

-- One side of `and` or `or` that is only come to at times.
local function read_either(self, node, into)
  read_expression(self, node.left, into)
  local right = {}
  read_expression(self, node.right, right)
  if #right == 0 then return end
  local is_and = node.operator == "and"
  into[#into + 1] = { kind = "choice", line = node.line, words = self.words, test = node.left,
    yes = is_and and right or {}, no = is_and and {} or right }
end

-- The steps within an expression, in the order in which they are taken.
read_expression = function(self, node, into)
  scope.walk(node, function(inner, parent)
    local call = self.words.calls[inner]
    if call then
      into[#into + 1] = step_of(self, call)
      return false
    elseif inner.kind == "binary" and (inner.operator == "and" or inner.operator == "or") then
      read_either(self, inner, into)
      return false
    elseif inner.kind == "lambda" then
      local is_called = parent and (parent.kind == "invoke" or parent.kind == "method")
      if is_called then read_function(self, inner, into) end
      return false
    elseif inner.kind == "invoke" then
      read_expressions(self, inner.arguments, into)
      local lambda, other = self:function_of(inner.callee)
      if lambda then read_function(other or self, lambda, into) else read_expression(self, inner.callee, into) end
      return false
    end
  end)
end

-- The function that is called by a node, and the reader of the module where it stands.
function reader:function_of(callee)
  local lambda = self.words:lambda(callee)
  if lambda then return lambda end
  if callee.kind ~= "index" or callee.key.kind ~= "string" then return nil end
  local object = self.words:meant(callee.object)
  local is_module = object.kind == "invoke" and object.callee.kind == "name" and object.callee.name == "require"
  local other = is_module and self:module(self.words:literal(object.arguments[1]))
  if other then return other.functions[callee.key.value], other end
  return self.functions[callee.key.value]
end

---------------------------------------------------------------------------------------------- statements

local function ending(self, node, what, reason)
  return { kind = "ending", line = node.line, words = self.words, what = what, reason = reason }
end

-- The split or other value that all tests of an `if` compare with texts: its node, and the texts; nil where it isn't
-- so.
local function compared_with(self, node)
  local subject, values = nil, {}
  for i, branch in ipairs(node.branches) do
    local test = self.words:meant(branch.test)
    if test.kind ~= "binary" or test.operator ~= "==" or test.left.kind ~= "name" then return nil end
    local value = self.words:literal(test.right)
    if type(value) ~= "string" then return nil end
    subject = subject or test.left
    if subject.variable ~= test.left.variable or subject.name ~= test.left.name then return nil end
    values[i] = value
  end
  local call = self.words:call(subject)
  local is_split = call and call.word == "split"
  if not is_split and #node.branches < 2 then return nil end
  return subject, values, is_split and call or nil
end

local function share_text(branch)
  return branch.share and ("%s %.4g %%"):format(branch.name, branch.share * 100) or branch.name
end

-- The branches of a split that none of the values names, as one case or several.
local function other_branches(self, split, values, steps, cases)
  local named, rest = {}, {}
  for _, value in ipairs(values) do named[value] = true end
  for _, branch in ipairs(branches_of(self, split)) do
    if not named[branch.name] then rest[#rest + 1] = share_text(branch) end
  end
  if #rest > 0 or #steps > 0 then
    cases[#cases + 1] = { label = #rest > 0 and table.concat(rest, ", ") or "else", steps = steps, is_else = true }
  end
end

local function read_switch(self, node, into, subject, values, split)
  local step = { kind = "switch", line = node.line, words = self.words, subject = subject, split = split, cases = {} }
  local shares = {}
  for _, branch in ipairs(split and branches_of(self, split) or {}) do shares[branch.name] = share_text(branch) end
  for i, branch in ipairs(node.branches) do
    local steps = {}
    read_block(self, branch.body, steps)
    step.cases[i] = { label = shares[values[i]] or values[i], value = values[i], steps = steps }
  end
  local otherwise = {}
  if node.otherwise then read_block(self, node.otherwise, otherwise) end
  if split then other_branches(self, split, values, otherwise, step.cases)
  else step.cases[#step.cases + 1] = { label = "else", steps = otherwise, is_else = true } end
  local before = into[#into]
  if not (split and before and before.call == split) then step.title = self.words:value(subject) end
  into[#into + 1] = step
end

local function read_if(self, node, into, from)
  if from == 1 then
    local subject, values, split = compared_with(self, node)
    if subject then return read_switch(self, node, into, subject, values, split) end
  end
  local branch = node.branches[from]
  read_expression(self, branch.test, into)
  local step = { kind = "choice", line = node.line, words = self.words, test = branch.test, yes = {}, no = {} }
  read_block(self, branch.body, step.yes)
  if node.branches[from + 1] then read_if(self, node, step.no, from + 1)
  elseif node.otherwise then read_block(self, node.otherwise, step.no) end
  into[#into + 1] = step
end

local function read_loop(self, node, into, fields)
  local step = { kind = "loop", line = node.line, words = self.words, body = {} }
  for name, value in pairs(fields) do step[name] = value end
  if fields.form == "while" then read_expression(self, node.test, step.body) end
  read_block(self, node.body, step.body)
  if fields.form == "repeat" then read_expression(self, node.test, step.body) end
  into[#into + 1] = step
end

local STATEMENTS = {
  ["local"] = function(self, node, into) read_expressions(self, node.values, into) end,
  assign = function(self, node, into) read_expressions(self, node.values, into) end,
  call = function(self, node, into)
    read_expression(self, node.call, into)
    local call = node.call
    local callee = call.kind == "invoke" and call.callee.kind == "name" and call.callee
    if callee and callee.name == "error" and callee.refers == "global" then
      into[#into + 1] = ending(self, node, "error", call.arguments[1] and self.words:pattern(call.arguments[1]))
    end
  end,
  ["do"] = function(self, node, into) read_block(self, node.body, into) end,
  ["if"] = function(self, node, into) read_if(self, node, into, 1) end,
  ["while"] = function(self, node, into)
    local test = self.words:meant(node.test)
    local ever = test.kind == "true" or test.kind == "number" or test.kind == "string"
    read_loop(self, node, into, ever and { form = "ever" } or { form = "while", test = node.test })
  end,
  ["repeat"] = function(self, node, into)
    local test = self.words:meant(node.test)
    local ever = test.kind == "false" or test.kind == "nil"
    read_loop(self, node, into, ever and { form = "ever" } or { form = "repeat", test = node.test })
  end,
  fornum = function(self, node, into)
    read_expressions(self, { node.from, node.to, node.step }, into)
    local from, to = self.words:literal(node.from), self.words:literal(node.to)
    local text = from == 1 and not node.step and type(to) == "number" and ("%s times"):format(to)
      or ("%s from %s to %s"):format(node.name.name, self.words:value(node.from), self.words:value(node.to))
    read_loop(self, node, into, { form = "each", text = text })
  end,
  forin = function(self, node, into)
    read_expressions(self, node.values, into)
    local names = {}
    for i, name in ipairs(node.names) do names[i] = name.name end
    local list = node.values[1]
    local over = list.kind == "invoke" and list.arguments[1] or list
    local text = ("for each %s of %s"):format(table.concat(names, ", "), self.words:value(over))
    read_loop(self, node, into, { form = "each", text = text })
  end,
  ["return"] = function(self, node, into)
    read_expressions(self, node.values, into)
    into[#into + 1] = ending(self, node, self.depth > 0 and "back" or "return")
  end,
  ["break"] = function(self, node, into) into[#into + 1] = ending(self, node, "break") end,
  ["goto"] = function(self, node, into) into[#into + 1] = ending(self, node, "goto", node.name) end,
}

read_block = function(self, block, into)
  for _, statement in ipairs(block.body) do
    local read = STATEMENTS[statement.kind]
    if read then read(self, statement, into) end
  end
end

---------------------------------------------------------------------------------------------- what is told

-- Whether there is anything in the steps besides what only concerns a loop.
has_substance = function(steps)
  for _, step in ipairs(steps) do
    local inner = step.kind == "ending" and step.what ~= "break" and step.what ~= "goto" and step.what ~= "back"
    if inner or step.element then return true end
    for _, list in ipairs(flow.lists(step)) do
      if has_substance(list) then return true end
    end
  end
  return false
end

-- The lists of steps within a step.
function flow.lists(step)
  if step.kind == "choice" then return { step.yes, step.no } end
  if step.kind == "loop" then return { step.body } end
  local lists = {}
  for i, case in ipairs(step.cases or {}) do lists[i] = case.steps end
  return lists
end

-- Takes out choices and loops in which nothing happens that is told; and what comes after an end.
local function prune(steps)
  local kept = {}
  for _, step in ipairs(steps) do
    local lists, some = flow.lists(step), step.kind ~= "choice" and step.kind ~= "switch" and step.kind ~= "loop"
    if step.kind == "loop" then some = has_substance(step.body) end
    for _, list in ipairs(lists) do
      prune(list)
      some = some or step.kind ~= "loop" and #list > 0
    end
    if some then kept[#kept + 1] = step end
    if not flow.goes_on(step) then break end
  end
  for i = 1, math.max(#steps, #kept) do steps[i] = kept[i] end
end

local function has_break(steps)
  for _, step in ipairs(steps) do
    if step.kind == "ending" and (step.what == "break" or step.what == "goto") then return true end
    for _, list in ipairs(step.kind ~= "loop" and flow.lists(step) or {}) do
      if has_break(list) then return true end
    end
  end
  return false
end

-- Whether somebody may come to what stands behind the step.
function flow.goes_on(step)
  if step.kind == "ending" then return false end
  if step.kind == "loop" then return step.form ~= "ever" or has_break(step.body) end
  local lists = flow.lists(step)
  if #lists == 0 then return true end
  for _, list in ipairs(lists) do
    if flow.falls(list) then return true end
  end
  return false
end

-- Whether somebody may come to what stands behind the steps.
function flow.falls(steps)
  return #steps == 0 or flow.goes_on(steps[#steps])
end

---------------------------------------------------------------------------------------------- the way there

local function with(way, ...)
  local longer = table.move(way, 1, #way, 1, {})
  for _, text in ipairs { ... } do longer[#longer + 1] = text end
  return longer
end

local function loop_words(step)
  if step.form == "each" then return "in each round: " .. step.text end
  if step.form == "ever" then return "in each round of a loop" end
  if step.form == "while" then return "as long as " .. step.words:holds(step.test, true) end
  return "in each round, until " .. step.words:holds(step.test, true)
end

local add_ways

local function way_behind_choice(step, way)
  local yes, no = step.words:holds(step.test, true), step.words:holds(step.test, false)
  add_ways(step.yes, with(way, "if " .. yes))
  add_ways(step.no, with(way, "if " .. no))
  local yes_falls, no_falls = flow.falls(step.yes), flow.falls(step.no)
  if yes_falls == no_falls then return way end
  return with(way, "if " .. (yes_falls and yes or no))
end

local function way_behind_switch(step, way)
  local what = step.words:value(step.subject)
  local values = {}
  for _, case in ipairs(step.cases) do
    if case.value then values[#values + 1] = ("\"%s\""):format(case.value) end
    local said = case.value and ("if %s is \"%s\""):format(what, case.value)
      or ("if %s is not %s"):format(what, table.concat(values, " or "))
    add_ways(case.steps, with(way, said))
  end
  return way
end

local function way_behind_loop(step, way)
  add_ways(step.body, with(way, loop_words(step)))
  if step.form == "while" then return with(way, "once " .. step.words:holds(step.test, false)) end
  if step.form == "repeat" then return with(way, "once " .. step.words:holds(step.test, true)) end
  return way
end

-- How a call is told of on the way of what comes behind it; nil where that comes in any case.
local function call_on_the_way(step)
  local policy = step.call.fields and scope.field(step.call.fields, "on_failure")
  if policy and step.words:literal(policy) == "continue" then return nil end
  local may_go_on = policy and step.words:literal(policy) == nil
  return ("after “%s” went well%s"):format(step.name, may_go_on and ", or was to go on" or "")
end

local BEHIND = {
  choice = way_behind_choice, switch = way_behind_switch, loop = way_behind_loop,
  call = function(step, way)
    local said = call_on_the_way(step)
    return said and with(way, said) or way
  end,
  wait = function(step, way) return with(way, "after the " .. step.text) end,
}

add_ways = function(steps, way)
  for _, step in ipairs(steps) do
    step.way = way
    local behind = BEHIND[step.kind]
    if behind then way = behind(step, way) end
  end
end

---------------------------------------------------------------------------------------------- all of it

-- The functions that a script keeps in tables: { NAME = lambda }, as `function M.NAME() … end` or in a table.
local function functions_in(tree)
  local functions = {}
  scope.walk(tree, function(node)
    if node.kind == "function" and node.target.kind == "index" and node.target.key.kind == "string" then
      functions[node.target.key.value] = node.body
    elseif node.kind == "table" then
      for _, field in ipairs(node.fields) do
        local name = field.key and field.key.kind == "string" and field.key.value
        if name and field.value.kind == "lambda" then functions[name] = field.value end
      end
    end
  end)
  return functions
end

local function new_reader(source, modules, shared)
  local tree = parser.parse(source.text)
  if not tree then return nil end
  scope.resolve(tree)
  return setmetatable({
    source = source, tree = tree, words = words.new(source.text, tree), functions = functions_in(tree),
    modules = modules, open = shared.open, depth = 0, shared = shared,
  }, reader)
end

-- The reader of a module of the project; nil where there is none of that name.
function reader:module(name)
  local source = name and self.modules[name]
  if not source then return nil end
  local known = self.shared.readers[name]
  if known == nil then
    known = new_reader(source, self.modules, self.shared) or false
    self.shared.readers[name] = known
  end
  if known then known.depth = self.depth end
  return known or nil
end

-- Reads the flow of a journey's script. `sources` are main and modules of jaunt.project.bundle's gather. Returns
-- { steps =, words =, tree =, fields = (the table of journey's fields), readers = (of all scripts: { words, tree,
-- source }) }; `steps` is nil where the flow can't be found in the text.
function flow.read(sources)
  local main, modules = sources[1], sources[2]
  local shared = { open = {}, readers = {} }
  local self = assert(new_reader(main, modules, shared))
  local declared = scope.calls(self.tree, { journey = true })[1]
  local fields = declared and declared.fields
  local node = fields and scope.field(fields, "flow")
  local lambda = node and self.words:lambda(node)
  local steps
  if lambda then
    self.words:name_parameters(lambda, { "person", "event", "state" })
    steps = {}
    self.open[lambda] = true
    read_block(self, lambda.body, steps)
    local last = steps[#steps]
    if last and last.kind == "ending" and last.what == "return" then steps[#steps] = nil end
    prune(steps)
    add_ways(steps, {})
  end
  for name in pairs(modules) do self:module(name) end
  local readers = { self }
  for _, name in ipairs(require("jaunt.base.keys").sorted(shared.readers)) do
    if shared.readers[name] then readers[#readers + 1] = shared.readers[name] end
  end
  return { steps = steps, words = self.words, tree = self.tree, fields = fields, readers = readers }
end

-- Whether an element has in the script the name that it has in the funnel. Otherwise its line tells which it is.
function flow.is_named(step)
  return not step.name:find("‹", 1, true) and (step.kind ~= "wait" or not step.name:find("^wait [%d.]+$"))
end

-- Calls visit(step) for every step, in the order of the script.
function flow.each(steps, visit)
  for _, step in ipairs(steps) do
    visit(step)
    for _, list in ipairs(flow.lists(step)) do flow.each(list, visit) end
  end
end

return flow
