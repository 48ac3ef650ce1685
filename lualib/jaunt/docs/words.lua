-- What a script's conditions and values say, in words: `not told.failed` is `"hello" did not fail`.
--
-- Names stand for what they were given where that is plain: the answer of a call, a split, an event that was waited
-- for, a number. What can't be said is quoted as it is written.

local scope = require "jaunt.lua.scope"

local words = {}
words.__index = words

local LONGEST = 120 -- of what is quoted
local DEEPEST = 12   -- of values within values, and of names that stand for names

-- The words of the vocabulary that give something a name, or end a run.
local VOCABULARY = {
  call_api = true, split = true, wait = true, wait_until = true, wait_for = true, drop = true, exit = true,
  restart_with = true,
}

---------------------------------------------------------------------------------------------- what names stand for

-- Notes what each local is given once and for all: { variable = node }.
local function given_values(tree)
  local given = {}
  scope.walk(tree, function(node)
    if node.kind == "local" then
      for i, name in ipairs(node.names) do
        local value = node.values[i]
        if value and #name.variable.writes == 0 then given[name.variable] = value end
      end
    elseif node.kind == "localfunction" then
      given[node.name.variable] = node.body
    elseif node.kind == "assign" then
      for i, target in ipairs(node.targets) do
        local variable = target.kind == "name" and target.variable
        local is_only = variable and #variable.writes == 1 and not given[variable]
        if is_only and node.values[i] then given[variable] = node.values[i] end
      end
    end
  end)
  return given
end

-- The words for one script: `text`, and its tree with names resolved. `results` is for calls of functions that give
-- back what a call of the vocabulary gives: { node = that call }.
function words.new(text, tree)
  local self = setmetatable({ text = text, roots = {}, calls = {}, results = {}, open = {}, depth = 0 }, words)
  self.given = given_values(tree)
  for _, call in ipairs(scope.calls(tree, VOCABULARY)) do self.calls[call.node] = call end
  return self
end

-- The same words where these variables are given something besides: { variable = node }.
function words:bound(given)
  return setmetatable({
    text = self.text, roots = self.roots, calls = self.calls, open = {}, depth = 0,
    given = setmetatable(given, { __index = self.given }), results = setmetatable({}, { __index = self.results }),
  }, words)
end

-- Says what the parameters of a function stand for: a list of "person", "event", "its" or "answer".
function words:name_parameters(lambda, roots)
  for i, parameter in ipairs(lambda.parameters) do
    if parameter.variable then self.roots[parameter.variable] = roots[i] end
  end
end

local IS_TRUE = { ["nil"] = false, ["false"] = false, ["true"] = true, string = true, number = true, table = true, lambda = true }

-- The side of `and` or `or` that decides, where the left one is plain; nil where it is not.
local function decided(self, node)
  if self.open[node] then return nil end
  self.open[node] = true
  local left = self:meant(node.left)
  self.open[node] = nil
  local is_true = IS_TRUE[left.kind]
  if is_true == nil then return nil end
  return is_true == (node.operator == "or") and left or node.right
end

-- What a node stands for at last: the node itself, or the value of the local that it names.
function words:meant(node)
  for _ = 1, DEEPEST do
    local next_one
    if node.kind == "paren" then next_one = node.value
    elseif node.kind == "name" and node.variable and not self.roots[node.variable] then next_one = self.given[node.variable]
    elseif node.kind == "binary" and (node.operator == "and" or node.operator == "or") then next_one = decided(self, node) end
    if not next_one then return node end
    node = next_one
  end
  return node
end

-- The root that a name stands for: "person", "event", …; nil for another.
function words:root(node)
  node = self:meant(node)
  if node.kind ~= "name" then return nil end
  if node.variable and self.roots[node.variable] then return self.roots[node.variable] end
  return (node.name == "person" or node.name == "event") and node.name or nil
end

-- The call of the vocabulary that a node stands for; nil for another.
function words:call(node)
  local meant = self:meant(node)
  return self.calls[meant] or self.results[meant]
end

-- A node as it is written, on one line.
function words:quoted(node)
  local text = self.text:sub(node.at, node.stop):gsub("%s+", " ")
  return require("jaunt.base.term").cut(text, LONGEST)
end

-- The literal text of a node, or of the local that it names; nil for another.
function words:literal(node)
  if not node then return nil end
  local meant = self:meant(node)
  if meant.kind == "string" or meant.kind == "number" or meant.kind == "true" or meant.kind == "false" then
    if meant.kind == "true" or meant.kind == "false" then return meant.kind == "true" end
    return meant.value
  end
end

-- What `say` makes of what a node stands for; the node as it is written where that is being said already, or too deep.
function words:once(node, meant, say)
  if self.open[meant] or self.depth == DEEPEST then return self:quoted(node) end
  self.open[meant], self.depth = true, self.depth + 1
  local said = say(self, meant)
  self.open[meant], self.depth = nil, self.depth - 1
  return said
end

---------------------------------------------------------------------------------------------- values

local function in_quotes(text) return "“" .. text .. "”" end

-- The name that a call has in the funnel, as far as it can be told from the script.
function words:element(call)
  if call.word == "call_api" then
    if call.name then return call.name end
    local first = call.arguments[1]
    return first and first.kind ~= "table" and self:pattern(first) or self:route(call.fields)
  end
  if call.word == "split" then return call.name or call.arguments[1] and self:pattern(call.arguments[1]) or "split" end
  local first = call.arguments[1]
  local given = first and (self:literal(first) or first.kind == "table" and self:literal((first.fields[1] or {}).value))
  return ("%s %s"):format(call.word, given or first and "‹" .. self:value(first) .. "›" or "?")
end

local VERBS = { "GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS" }

-- Method and path of a call, as its fields have them: "POST /leads". And the two apart.
function words:route(fields)
  if not fields then return "call_api" end
  for _, verb in ipairs(VERBS) do
    local path = scope.field(fields, verb)
    if path then return verb .. " " .. self:pattern(path), verb, self:pattern(path) end
  end
  local method, url = scope.field(fields, "method"), scope.field(fields, "url")
  method = method and self:pattern(method) or "GET"
  return ("%s %s"):format(method, url and self:pattern(url) or ""), method, url and self:pattern(url) or ""
end

-- A text that is put together, with ‹…› for what is put in.
function words:pattern(node)
  local meant = self:meant(node)
  if meant.kind == "string" then return meant.value end
  if meant.kind == "number" then return tostring(meant.value) end
  if meant.kind == "binary" and meant.operator == ".." then
    return self:once(node, meant, function() return self:pattern(meant.left) .. self:pattern(meant.right) end)
  end
  if meant.kind == "invoke" and meant.callee.kind == "name" and meant.callee.name == "secret" then
    return ("‹secret %s›"):format(meant.arguments[1] and self:pattern(meant.arguments[1]) or "?")
  end
  return "‹" .. self:value(node) .. "›"
end

-- "a.b.c" behind the node where an index begins; and that node.
local function steps_of(node)
  local steps = {}
  while node.kind == "index" and node.key.kind == "string" do
    table.insert(steps, 1, node.key.value)
    node = node.object
  end
  return node, steps
end

local function of_answer(call_name, steps)
  local whose = call_name and " of " .. in_quotes(call_name) or ""
  if steps[1] == "json" and #steps > 1 then
    return ("%s in the answer%s"):format(table.concat(steps, ".", 2), whose)
  elseif steps[1] == "json" or steps[1] == "body" then
    return "the answer" .. whose
  end
  return ("the %s%s"):format(table.concat(steps, "."), whose)
end

-- What an index leads to, in words: person.plan; the status of “hello”.
function words:indexed(node)
  local object, steps = steps_of(node)
  if #steps == 0 then return self:quoted(node) end
  local root = self:root(object)
  if root == "answer" then return of_answer(nil, steps) end
  if root then return (root == "its" and "its " or root .. ".") .. table.concat(steps, ".") end
  local call = self:call(object)
  if call and call.word == "call_api" then return of_answer(self:element(call), steps) end
  if call and call.word == "wait_for" then return self:event(call) .. "." .. table.concat(steps, ".") end
  return self:quoted(node)
end

-- The event that a wait_for waits for.
function words:event(call)
  local first = call.arguments[1]
  if first and first.kind == "table" then first = (first.fields[1] or {}).value end
  return first and self:pattern(first) or "an event"
end

-- The parts of `c and a or b`: c in words, and the nodes a and b; nil for another node.
function words:alternatives(node)
  local meant = self:meant(node)
  local left = meant.kind == "binary" and meant.operator == "or" and self:meant(meant.left)
  if not left or left.kind ~= "binary" or left.operator ~= "and" then return nil end
  return self:holds(left.left, true), left.right, meant.right
end

local CONVERSIONS = { tonumber = true, tostring = true }
local MATHS = { ["+"] = true, ["-"] = true, ["*"] = true, ["/"] = true, ["%"] = true, ["//"] = true }

local function is_conversion(node)
  local callee = node.kind == "invoke" and node.callee.kind == "name" and node.callee.refers == "global" and node.callee
  return callee and CONVERSIONS[callee.name] and node.arguments[1] ~= nil
end

-- One side of a sum: in brackets where it is a sentence of its own.
local function term_of(self, node)
  local meant = self:meant(node)
  local said = self:value(node)
  return meant.kind == "binary" and not MATHS[meant.operator] and "(" .. said .. ")" or said
end

local SAY = {
  string = function(_, node) return ("\"%s\""):format(node.value) end,
  number = function(_, node) return tostring(node.value) end,
  ["true"] = function() return "true" end,
  ["false"] = function() return "false" end,
  ["nil"] = function() return "nothing" end,
  index = function(self, node) return self:indexed(node) end,
  unary = function(self, node)
    if node.operator == "#" then return "the length of " .. self:value(node.value) end
    return node.operator == "not" and self:said(node, true) or self:quoted(node)
  end,
  binary = function(self, node)
    local left, right = node.left, node.right
    local condition, first, second = self:alternatives(node)
    if condition then return ("%s if %s, else %s"):format(self:value(first), condition, self:value(second)) end
    if node.operator == "or" then return ("%s (or %s)"):format(self:value(left), self:value(right)) end
    if node.operator == ".." then return ("\"%s%s\""):format(self:pattern(left), self:pattern(right)) end
    if MATHS[node.operator] then return ("%s %s %s"):format(term_of(self, left), node.operator, term_of(self, right)) end
    return self:said(node, true)
  end,
}

-- A value in words.
function words:value(node)
  local root = self:root(node)
  if root then return root == "its" and "it" or "the " .. root end
  local meant = self:meant(node)
  local call = self:call(meant)
  if call and call.word == "split" then return in_quotes(self:element(call)) end
  if call and call.word == "call_api" then return ("the answer of %s"):format(in_quotes(self:element(call))) end
  if call and call.word == "wait_for" then return self:event(call) end
  if is_conversion(meant) then return self:value(meant.arguments[1]) end
  return SAY[meant.kind] and self:once(node, meant, SAY[meant.kind]) or self:quoted(node)
end

---------------------------------------------------------------------------------------------- conditions

-- How a comparison is said when it is true, and when it is not.
local COMPARED = {
  ["=="] = { "is", "is not" }, ["~="] = { "is not", "is" }, ["<"] = { "is less than", "is at least" },
  [">"] = { "is more than", "is at most" }, ["<="] = { "is at most", "is more than" },
  [">="] = { "is at least", "is less than" },
}

-- The fields of an answer that say how a call ended.
local RESULTS = {
  ok = { "went well", "did not go well" }, failed = { "failed", "did not fail" },
  skipped = { "was skipped", "was not skipped" },
  unknown = { "has an unknown result", "has a known result" },
}

local function either(pair, positive) return pair[positive and 1 or 2] end

-- A comparison in words; not `positive`: its contrary.
function words:compared(node, positive)
  local left, right = node.left, node.right
  local pair = COMPARED[node.operator]
  if right.kind == "nil" then
    local is_there = (node.operator == "~=") == positive
    local call = self:call(left)
    if call and call.word == "wait_for" then return self:came(call, is_there) end
    return self:value(left) .. (is_there and " is there" or " is missing")
  end
  return ("%s %s %s"):format(self:value(left), either(pair, positive), self:value(right))
end

-- Whether the event of a wait_for came.
function words:came(call, positive)
  local within = self:within(call)
  within = within and " within " .. within or ""
  return (positive and "%s came%s" or "no %s came%s"):format(self:event(call), within)
end

-- How long a wait_for waits, in words; nil for ever.
function words:within(call)
  for i = 1, 2 do
    local options = call.arguments[i]
    local within = options and options.kind == "table" and scope.field(options, "within")
    if within then return self:pattern(within) end
  end
end

-- What a test is without its leading `not`s, and whether there was an odd number of them.
function words:without_not(node)
  local meant, turned = self:meant(node), false
  for _ = 1, DEEPEST do
    if meant.kind ~= "unary" or meant.operator ~= "not" then break end
    turned, node, meant = not turned, meant.value, self:meant(meant.value)
  end
  return node, meant, turned
end

-- "and" or "or", as a test is said; nil for another one.
function words:joint(node, positive)
  local _, meant, turned = self:without_not(node)
  positive = positive ~= turned
  local joins = meant.kind == "binary" and (meant.operator == "and" or meant.operator == "or")
  return joins and ((meant.operator == "and") == positive and "and" or "or") or nil
end

-- Two tests that `and` or `or` joins, in words; not `positive`: their contrary.
function words:joined(node, positive)
  local word, parts = self:joint(node, positive), {}
  for i, side in ipairs { node.left, node.right } do
    local inner = self:joint(side, positive)
    parts[i] = self:holds(side, positive)
    if inner and inner ~= word then parts[i] = "(" .. parts[i] .. ")" end
  end
  local subject = parts[1]:match("^“.-” ") -- whose name need not be said twice
  if subject and parts[2]:sub(1, #subject) == subject then parts[2] = parts[2]:sub(#subject + 1) end
  return ("%s %s %s"):format(parts[1], word, parts[2])
end

-- Whether what an index leads to is something.
function words:is_set(node, positive)
  local object, steps = steps_of(node)
  local result = #steps == 1 and RESULTS[steps[1]]
  if result and self:root(object) == "answer" then return "it " .. either(result, positive) end
  local call = result and self:call(object)
  if call and call.word == "call_api" then return in_quotes(self:element(call)) .. " " .. either(result, positive) end
  return self:indexed(node) .. (positive and " is set" or " is not set")
end

-- The condition that a node is, in words: see holds.
function words:said(node, positive)
  local call = self.calls[node]
  if node.kind == "unary" and node.operator == "not" then return self:holds(node.value, not positive) end
  if self:joint(node, positive) then return self:joined(node, positive) end
  if node.kind == "binary" and COMPARED[node.operator] then return self:compared(node, positive) end
  if call and call.word == "wait_for" then return self:came(call, positive) end
  if node.kind == "index" then return self:is_set(node, positive) end
  if self:root(node) then return self:value(node) .. (positive and " is there" or " is missing") end
  if node.kind == "true" or node.kind == "false" then
    return (node.kind == "true") == positive and "always" or "never"
  end
  if is_conversion(node) and node.callee.name == "tonumber" then
    return self:value(node.arguments[1]) .. (positive and " is a number" or " is no number")
  end
end

-- A condition in words, as it is true, or (not `positive`) as it is not.
function words:holds(node, positive)
  local said = self:once(node, self:meant(node), function(_, meant) return self:said(meant, positive) or "" end)
  if said ~= "" and said ~= self:quoted(node) then return said end
  return self:quoted(node) .. (positive and " is true" or " is not true")
end

-- The function that a node is, or names; nil for none.
function words:lambda(node)
  local meant = self:meant(node)
  return meant.kind == "lambda" and meant or nil
end

-- A predicate in words; `roots` are what its parameters stand for (see name_parameters).
function words:predicate(node, roots)
  local lambda = self:lambda(node)
  if not lambda then return self:quoted(node) end
  self:name_parameters(lambda, roots)
  local only = #lambda.body.body == 1 and lambda.body.body[1]
  if only and only.kind == "return" and #only.values == 1 then return self:holds(only.values[1], true) end
  return self:quoted(lambda)
end

-- The test as it is asked best, and whether the answer is the other one then.
function words:bare(node)
  local inner, meant, turned = self:without_not(node)
  if meant.kind ~= "binary" or meant.operator ~= "~=" or meant.right.kind == "nil" then return inner, turned end
  -- "is" is easier to ask than "is not"
  local asked = { kind = "binary", operator = "==", left = meant.left, right = meant.right }
  asked.at, asked.stop = meant.at, meant.stop
  return asked, not turned
end

return words
