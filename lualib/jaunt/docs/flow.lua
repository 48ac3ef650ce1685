-- A journey's flow as steps, read from its script's syntax tree.
--
-- A step has `kind`, `line` and, as the case may be,
--   call       name, call (see jaunt.lua.scope's calls)
--   wait       name, call, text (in words)          also for wait_until and wait_for
--   split      name, call, branches = { { name =, share = } … }
--   ending     what ("drop", "exit", "restart_with", "return", "error", "break", "goto", "back" from a function, "next" round
--              of a loop), reason (in words, or nil), literal (the reason as it is written, where it is a text)
--   choice     test (a node), yes, no (lists of steps)
--   switch     title (nil: it follows its split at once), cases = { { label =, value =, steps = } … }
--   loop       form ("while", "repeat", "each", "ever"), test (of the first two) or text, body
-- Calls, waits and splits have `element` (the word) and `source` (the script where they stand); every step has `words`
-- (that it is read with) and `way` (see jaunt.docs.ways).

local scope = require "jaunt.lua.scope"
local scripts = require "jaunt.docs.scripts"
local steps = require "jaunt.docs.steps"
local ways = require "jaunt.docs.ways"

local flow = {}

local DEEPEST = 12 -- of functions that are read where they are called

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

-- A call with the table that it is given by a name.
local function with_fields(say, call)
  local given = not call.fields and call.node.arguments[1]
  local meant = given and say:meant(given)
  return meant and meant.kind == "table" and setmetatable({ fields = meant }, { __index = call }) or call
end

-- A call of the vocabulary as a step.
local function step_of(self, call)
  local say = self.words
  call = with_fields(say, call)
  local step = {
    line = call.line, call = call, words = say, source = self.script.source, element = call.word, name = say:element(call),
  }
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

local read_expression

local function read_expressions(self, list, into)
  for _, node in ipairs(list) do read_expression(self, node, into) end
end

-- What a function does where it is called, read with `say`; nothing for one that only computes, or is being read
-- already.
local function read_function(self, lambda, owner, say, into)
  if self.open[lambda] or self.depth > DEEPEST then return end
  local from, outside, next_label = self.script, self.words, self.next_label
  self.open[lambda], self.depth, self.script, self.words, self.next_label = true, self.depth + 1, owner, say, nil
  local inner = {}
  read_block(self, lambda.body, inner)
  steps.fold(inner, "back")
  if steps.has_substance(inner) then table.move(inner, 1, #inner, #into + 1, into) end
  self.open[lambda], self.depth, self.script, self.words, self.next_label = nil, self.depth - 1, from, outside, next_label
end

-- What a call of a function does. Where it gives back what a call of the vocabulary gives, it stands for that.
local function read_call(self, node, callee, arguments, into)
  local lambda, owner, own = self.script:resolve(callee, self.words)
  if lambda.kind ~= "lambda" then return false end
  local say = scripts.within(lambda, owner, own, arguments, self.script, self.words)
  read_function(self, lambda, owner, say, into)
  local value = scripts.returned(lambda, true)
  local call = value and say:call(value)
  if call and (call.word == "call_api" or call.word == "split") then
    self.words.results[node] = setmetatable({ name = say:element(call) }, { __index = call })
  end
  return true
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

-- The same for object:name(…), which gives the object, too.
local function read_method(self, node, into)
  local name = { kind = "string", value = node.name }
  local callee = { kind = "index", object = node.object, key = name, at = node.at, stop = node.stop }
  read_expressions(self, node.arguments, into)
  if read_call(self, node, callee, { node.object, table.unpack(node.arguments) }, into) then return end
  read_expression(self, node.object, into)
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
      if is_called then read_function(self, inner, self.script, self.words, into) end
      return false
    elseif inner.kind == "invoke" then
      read_expressions(self, inner.arguments, into)
      if not read_call(self, inner, inner.callee, inner.arguments, into) then read_expression(self, inner.callee, into) end
      return false
    elseif inner.kind == "method" then
      read_method(self, inner, into)
      return false
    end
  end)
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

-- The label at a loop's end, to which `goto` goes on with the next round; nil without one.
local function next_label(body)
  local last = body[#body]
  return last and last.kind == "label" and last.name or nil
end

local function read_loop(self, node, into, fields)
  local step = { kind = "loop", line = node.line, words = self.words, body = {} }
  for name, value in pairs(fields) do step[name] = value end
  if fields.form == "while" then read_expression(self, node.test, step.body) end
  local outer = self.next_label
  self.next_label = next_label(node.body.body)
  read_block(self, node.body, step.body)
  self.next_label = outer
  steps.fold(step.body, "next")
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
  ["goto"] = function(self, node, into)
    local what = node.name == self.next_label and "next" or "goto"
    into[#into + 1] = ending(self, node, what, what == "goto" and node.name or nil)
  end,
}

read_block = function(self, block, into)
  for _, statement in ipairs(block.body) do
    local read = STATEMENTS[statement.kind]
    if read then read(self, statement, into) end
  end
end

---------------------------------------------------------------------------------------------- all of it

-- Reads the flow of a journey's script, wherever in `sources` it stands, which are main and modules of
-- jaunt.project.bundle's gather. Returns { steps =, words =, fields = (the table of journey's fields, to be read with
-- these words), scripts = (all: see jaunt.docs.scripts) }; `steps` is nil where the flow can't be found in the texts.
function flow.read(sources)
  local main, all = scripts.of(sources)
  local made = { words = main.words, scripts = all }
  local declared = scope.calls(main.tree, { journey = true })[1]
  local given = declared and (declared.fields or declared.node.arguments[1])
  if not given then return made end
  local fields, owner, say = main:resolve(given)
  if fields.kind ~= "table" then return made end
  made.fields, made.words = fields, say
  local node = scope.field(fields, "flow")
  if not node then return made end
  local lambda, flow_owner, flow_words = owner:resolve(node, say)
  if lambda.kind ~= "lambda" then return made end
  flow_words:name_parameters(lambda, { "person", "event", "state" })
  local self = { script = flow_owner, words = flow_words, open = { [lambda] = true }, depth = 0 }
  made.steps = {}
  read_block(self, lambda.body, made.steps)
  local last = made.steps[#made.steps]
  if last and last.kind == "ending" and last.what == "return" then made.steps[#made.steps] = nil end
  steps.prune(made.steps)
  ways.add(made.steps)
  return made
end

return flow
