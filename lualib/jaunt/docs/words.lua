-- What a script's conditions and values say, in words: `not told.failed` is `"hello" did not fail`.
--
-- Names stand for what they were given where that is plain: the answer of a call, a split, an event that was waited for, a
-- number. What can't be said is quoted as it is written.

local scope = require "jaunt.lua.scope"

local words = {}
words.__index = words

local LONGEST = 120 -- of what is quoted
local DEEPEST = 8    -- of names that stand for names

-- The words of the vocabulary that give something a name, or end a run.
words.VOCABULARY = {
  call_api = true, split = true, wait = true, wait_until = true, wait_for = true, drop = true, exit = true, restart_with = true,
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
        if variable and #variable.writes == 1 and not given[variable] and node.values[i] then given[variable] = node.values[i] end
      end
    end
  end)
  return given
end

-- The words for one script: `text`, and its tree with names resolved.
function words.new(text, tree)
  local self = setmetatable({ text = text, roots = {}, calls = {}, depth = 0 }, words)
  self.given = given_values(tree)
  for _, call in ipairs(scope.calls(tree, words.VOCABULARY)) do self.calls[call.node] = call end
  return self
end

-- Says what the parameters of a function stand for: a list of "person", "event", "its" or "answer".
function words:name_parameters(lambda, roots)
  for i, parameter in ipairs(lambda.parameters) do
    if parameter.variable then self.roots[parameter.variable] = roots[i] end
  end
end

-- What a node stands for at last: the node itself, or the value of the local that it names.
function words:meant(node)
  for _ = 1, DEEPEST do
    if node.kind == "paren" then node = node.value
    elseif node.kind == "name" and node.variable and not self.roots[node.variable] and self.given[node.variable] then
      node = self.given[node.variable]
    else
      return node
    end
  end
  return node
end

-- The root that a name stands for: "person", "event", …; nil for another.
function words:root(node)
  if node.kind ~= "name" then return nil end
  if node.variable and self.roots[node.variable] then return self.roots[node.variable] end
  return (node.name == "person" or node.name == "event") and not (node.variable and self.given[node.variable]) and node.name or nil
end

-- The call of the vocabulary that a node stands for; nil for another.
function words:call(node) return self.calls[self:meant(node)] end

-- A node as it is written, on one line.
function words:quoted(node)
  local text = self.text:sub(node.at, node.stop):gsub("%s+", " ")
  return require("jaunt.term").cut(text, LONGEST)
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
  return ("%s %s"):format(call.word, given or first and self:value(first) or "?")
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
  if meant.kind == "binary" and meant.operator == ".." then return self:pattern(meant.left) .. self:pattern(meant.right) end
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

function words:indexed(node)
  local object, steps = steps_of(node)
  if #steps == 0 then return self:quoted(node) end
  local root = self:root(object)
  if root == "answer" then return of_answer(nil, steps) end
  if root then return (root == "its" and "its " or root .. ".") .. table.concat(steps, ".") end
  local call = self:call(object)
  if call and call.word == "call_api" then return of_answer(self:element(call), steps) end
  if call and call.word == "wait_for" then return ("%s of %s"):format(table.concat(steps, "."), self:event(call)) end
  return self:quoted(node)
end

-- The event that a wait_for waits for.
function words:event(call)
  local first = call.arguments[1]
  if first and first.kind == "table" then first = (first.fields[1] or {}).value end
  return first and self:pattern(first) or "an event"
end

local CONVERSIONS = { tonumber = true, tostring = true }
local MATHS = { ["+"] = true, ["-"] = true, ["*"] = true, ["/"] = true, ["%"] = true, ["//"] = true }

local function is_conversion(node)
  return node.kind == "invoke" and node.callee.kind == "name" and node.callee.refers == "global" and CONVERSIONS[node.callee.name]
    and node.arguments[1] ~= nil
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
    return node.operator == "not" and self:holds(node, true) or self:quoted(node)
  end,
  binary = function(self, node)
    local left, right = node.left, node.right
    if node.operator == "or" and left.kind == "binary" and left.operator == "and" then -- c and a or b
      return ("%s if %s, else %s"):format(self:value(left.right), self:holds(left.left, true), self:value(right))
    end
    if node.operator == "or" then return ("%s (or %s)"):format(self:value(left), self:value(right)) end
    if node.operator == ".." then return ("\"%s\""):format(self:pattern(node)) end
    if MATHS[node.operator] then return ("%s %s %s"):format(self:value(left), node.operator, self:value(right)) end
    return self:holds(node, true)
  end,
}

-- A value in words.
function words:value(node)
  local root = self:root(node)
  if root then return root == "its" and "it" or "the " .. root end
  local meant = self:meant(node)
  local call = self.calls[meant]
  if call and call.word == "split" then return in_quotes(self:element(call)) end
  if call and call.word == "call_api" then return ("the answer of %s"):format(in_quotes(self:element(call))) end
  if call and call.word == "wait_for" then return self:event(call) end
  if is_conversion(meant) then return self:value(meant.arguments[1]) end
  local say = SAY[meant.kind]
  if not say or self.depth > DEEPEST then return self:quoted(node) end
  self.depth = self.depth + 1
  local said = say(self, meant)
  self.depth = self.depth - 1
  return said
end

---------------------------------------------------------------------------------------------- conditions

-- How a comparison is said when it is true, and when it is not.
local COMPARED = {
  ["=="] = { "is", "is not" }, ["~="] = { "is not", "is" }, ["<"] = { "is less than", "is at least" },
  [">"] = { "is more than", "is at most" }, ["<="] = { "is at most", "is more than" }, [">="] = { "is at least", "is less than" },
}

-- The fields of an answer that say how a call ended.
local RESULTS = {
  ok = { "went well", "did not go well" }, failed = { "failed", "did not fail" }, skipped = { "was skipped", "was not skipped" },
  unknown = { "has an unknown result", "has a known result" },
}

local function either(pair, positive) return pair[positive and 1 or 2] end

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
  return positive and ("%s came%s"):format(self:event(call), within) or ("no %s came%s"):format(self:event(call), within)
end

-- How long a wait_for waits, in words; nil for ever.
function words:within(call)
  for i = 1, 2 do
    local options = call.arguments[i]
    local within = options and options.kind == "table" and scope.field(options, "within")
    if within then return self:pattern(within) end
  end
end

function words:joined(node, positive)
  local word = (node.operator == "and") == positive and "and" or "or"
  local parts = {}
  for i, side in ipairs { node.left, node.right } do
    local bare = self:meant(side)
    parts[i] = self:holds(side, positive)
    local mixed = bare.kind == "binary" and (bare.operator == "and" or bare.operator == "or") and bare.operator ~= node.operator
    if mixed then parts[i] = "(" .. parts[i] .. ")" end
  end
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

-- A condition in words, as it is true, or (not `positive`) as it is not.
function words:holds(node, positive)
  local meant = self:meant(node)
  local call = self.calls[meant]
  self.depth = self.depth + 1
  local said
  if self.depth > DEEPEST * 2 then said = self:quoted(node)
  elseif meant.kind == "unary" and meant.operator == "not" then said = self:holds(meant.value, not positive)
  elseif meant.kind == "binary" and (meant.operator == "and" or meant.operator == "or") then said = self:joined(meant, positive)
  elseif meant.kind == "binary" and COMPARED[meant.operator] then said = self:compared(meant, positive)
  elseif call and call.word == "wait_for" then said = self:came(call, positive)
  elseif meant.kind == "index" then said = self:is_set(meant, positive)
  elseif meant.kind == "true" or meant.kind == "false" then said = (meant.kind == "true") == positive and "always" or "never"
  elseif is_conversion(meant) and meant.callee.name == "tonumber" then
    said = self:value(meant.arguments[1]) .. (positive and " is a number" or " is no number")
  else
    said = self:quoted(node) .. (positive and " is true" or " is not true")
  end
  self.depth = self.depth - 1
  return said
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

-- The same test without its leading `not`s, and whether there was an odd number of them.
function words:bare(node)
  local turned = false
  local meant = self:meant(node)
  while meant.kind == "unary" and meant.operator == "not" do
    turned, node = not turned, meant.value
    meant = self:meant(node)
  end
  if meant.kind == "binary" and meant.operator == "~=" and meant.right.kind ~= "nil" then -- "is" is easier to ask than "is not"
    return { kind = "binary", operator = "==", left = meant.left, right = meant.right, at = meant.at, stop = meant.stop }, not turned
  end
  return node, turned
end

return words
