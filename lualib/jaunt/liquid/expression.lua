-- Reads the expressions of Liquid: values, filters and conditions, as nodes.
--
-- Called by jaunt.liquid.parser with the bytes between {{ and }}, or those after a tag's name. The grammar is that of
-- Shopify's strict parser: what it refuses is refused here. A node has `at` and `stop`, its bytes in the source:
--   { kind = "literal", value = }                 nil, true, false, a number or a text
--   { kind = "blank" }, { kind = "empty" }
--   { kind = "path", head = name or node, keys = { text or node, … }, text = as written }
--   { kind = "range", from =, to = }
--   { kind = "filtered", value =, filters = { FILTER, … } }
--     FILTER: { name =, arguments = { node, … }, named = { { name =, value = node }, … }, at =, stop = }
--   { kind = "compare", operator =, left =, right = }, { kind = "and" | "or", left =, right = }
-- Braze's ${x} is person.x, custom_attribute.${x} too, event_properties.${x} is event.x; {{ }} around a value in a tag
-- means the value.

local fault = require "jaunt.liquid.fault"
local filters = require "jaunt.liquid.filters"
local keys = require "jaunt.base.keys"
local lexer = require "jaunt.liquid.lexer"

local concat, find, format, sub = table.concat, string.find, string.format, string.sub

local expression = {}

local DEEPEST = 40 -- brackets in brackets, keys in a row, changes between and and or: Lua's own parser has an end

local reader = {}
reader.__index = reader

-- An output that is not closed reaches to the end of the next one.
local function refuse_open(source, at)
  fault.raise(source, at, "this {{ is not closed before the next one begins", "}} is missing")
end

local function output_tokens(source, from, to, at)
  local ok, tokens = pcall(lexer.expression, source, from, to)
  if ok then return tokens end
  if fault.is(tokens) and find(sub(source.text, from, to), "{{", 1, true) then refuse_open(source, at) end
  error(tokens, 0)
end

-- A reader of the expression in the bytes `from` to `to` of `source`; where it stands in an output, `output` is the
-- offset of its {{.
function expression.reader(source, from, to, output)
  local tokens = output and output_tokens(source, from, to, output) or lexer.expression(source, from, to)
  return setmetatable({ source = source, tokens = tokens, here = 1, depth = 0, output = output }, reader)
end

-- The token at hand, or one further on.
function reader:look(ahead)
  return self.tokens[self.here + (ahead or 0)] or self.tokens[#self.tokens]
end

-- The token at hand if it is of that kind (and has that value); it is taken then.
function reader:accept(kind, value)
  local token = self:look()
  if token.kind == kind and (value == nil or token.value == value) then
    self.here = self.here + 1
    return token
  end
end

-- A token as it was written; for messages, as it can be shown.
function reader:written(token)
  if token.kind == "end" then return "the end" end
  return sub(self.source.text, token.at, token.stop)
end

function reader:shown(token)
  return fault.show(self:written(token))
end

function reader:fail(what, hint)
  local token = self:look()
  fault.raise(self.source, token.at, format("%s is expected here, not %s", what, self:shown(token)), hint)
end

function reader:expect(kind, what, hint)
  return self:accept(kind) or self:fail(what, hint)
end

-- A name, as a for's variable or after an `as`.
function reader:name(what)
  return self:expect("name", what).value
end

function reader:at_end()
  return self:look().kind == "end"
end

-- Refuses whatever is left.
function reader:finish(hint)
  if self:at_end() then return end
  local token = self:look()
  fault.raise(self.source, token.at, format("%s is not expected here", self:shown(token)), hint)
end

-- The tokens from number `first` up to the one at hand, without the blanks between them.
function reader:text_since(first)
  local pieces = {}
  for i = first, self.here - 1 do pieces[#pieces + 1] = self:written(self.tokens[i]) end
  return concat(pieces)
end

function reader:deeper()
  self.depth = self.depth + 1
  if self.depth > DEEPEST then
    fault.raise(self.source, self:look().at, format("this is nested more than %d deep", DEEPEST))
  end
end

-- Sets `at` and `stop` of a node that began with token number `first`.
function reader:close(node, first)
  node.at = self.tokens[first].at
  node.stop = self.tokens[self.here - 1].stop
  return node
end

local CONSTANTS = {
  ["nil"] = { kind = "literal" }, null = { kind = "literal" }, ["true"] = { kind = "literal", value = true },
  ["false"] = { kind = "literal", value = false }, blank = { kind = "blank" }, empty = { kind = "empty" },
}

-- What Braze calls the things that hold attributes.
local BRAZE = { custom_attribute = "person", event_properties = "event" }

local function read_index(self)
  self:deeper()
  local key = expression.value(self)
  self:expect("]", "]")
  self.depth = self.depth - 1
  if key.kind == "literal" and type(key.value) == "string" then return key.value end
  return key
end

-- The keys after a path's head: .name, .${name}, [value].
local function read_keys(self, node)
  while true do
    if self:accept "." then
      local attribute = self:accept "attribute"
      if attribute and #node.keys == 0 then node.head = BRAZE[node.head] or node.head end
      node.keys[#node.keys + 1] = attribute and attribute.value or self:name "the name of a field"
    elseif self:accept "[" then
      node.keys[#node.keys + 1] = read_index(self)
    else
      return
    end
    if #node.keys > DEEPEST then
      fault.raise(self.source, self:look().at, format("this path has more than %d keys", DEEPEST))
    end
  end
end

local function read_path(self)
  local first = self.here
  local node = { kind = "path", keys = {} }
  if self:accept "[" then
    node.head = read_index(self)
  elseif self:look().kind == "attribute" then
    node.head, node.keys[1] = "person", self:accept("attribute").value
  else
    node.head = self:name "a value"
  end
  read_keys(self, node)
  node.text = self:text_since(first)
  return self:close(node, first)
end

local function read_range(self)
  local first = self.here
  self:accept "("
  self:deeper()
  local from = expression.value(self)
  self:expect("..", "..", "brackets make a range, (1..5): Liquid has none for conditions")
  local to = expression.value(self)
  self:expect(")", ")")
  self.depth = self.depth - 1
  return self:close({ kind = "range", from = from, to = to }, first)
end

local function read_constant(self)
  local token = self:look()
  local following = self:look(1).kind
  local constant = token.kind == "name" and following ~= "." and following ~= "[" and CONSTANTS[token.value]
  if not constant then return nil end
  self.here = self.here + 1
  return { kind = constant.kind, value = constant.value, at = token.at, stop = token.stop }
end

-- {{ value }} in a tag, as Braze has it.
local function read_braces(self)
  if self.output then refuse_open(self.source, self.output) end
  self:accept "{{"
  local node = expression.value(self)
  self:expect("}}", "}}")
  return node
end

-- A value without filters: a literal, a path, a range.
function expression.value(self)
  local token = self:look()
  if token.kind == "string" or token.kind == "number" then
    self.here = self.here + 1
    return { kind = "literal", value = token.value, at = token.at, stop = token.stop }
  elseif token.kind == "(" then
    return read_range(self)
  elseif token.kind == "{{" then
    return read_braces(self)
  elseif token.kind == "name" or token.kind == "[" or token.kind == "attribute" then
    return read_constant(self) or read_path(self)
  end
  return self:fail "a value"
end

local function plural(count, word)
  return format("%s %s%s", count == 0 and "no" or count, word, count == 1 and "" or "s")
end

local function takes(known)
  if known.least == known.most then return plural(known.least, "argument") end
  if known.most == 1 then return "at most 1 argument" end
  return format("%d to %s", known.least, plural(known.most, "argument"))
end

local function check_named(self, known, filter)
  local names = known.names or {}
  for _, argument in ipairs(filter.named) do
    local found = false
    for _, name in ipairs(names) do found = found or name == argument.name end
    if not found then
      local text = format("%s has no argument named %s", filter.name, fault.show(argument.name))
      fault.raise(self.source, argument.at, text, fault.did_you_mean(argument.name, names))
    end
  end
end

-- Filters of other places, and what does their work here.
local FOREIGN_FILTERS = {
  length = "did you mean size?", title = "did you mean capitalize?", upper = "did you mean upcase?",
  lower = "did you mean downcase?", trim = "did you mean strip?", tojson = "did you mean json?",
  money = "use round: 2, and write the currency", currency = "use round: 2, and write the currency",
  format_number = "use round", number_with_delimiter = "use round", t = "write the words themselves",
}

-- Refuses a filter that does not exist, and arguments that it does not take.
local function check_filter(self, filter)
  local known = filters[filter.name]
  if not known then
    fault.raise(self.source, filter.at, format('there is no filter "%s"', fault.show(filter.name)),
      FOREIGN_FILTERS[filter.name] or fault.did_you_mean(filter.name, keys.sorted(filters)))
  end
  local count = #filter.arguments
  if count < known.least or count > known.most then
    fault.raise(self.source, filter.at, format("%s takes %s, not %d", filter.name, takes(known), count))
  end
  check_named(self, known, filter)
end

local function read_argument(self, filter)
  local first = self.here
  if self:look().kind == "name" and self:look(1).kind == ":" then
    local name = self:name()
    self:accept ":"
    local argument = { name = name, value = expression.value(self) }
    filter.named[#filter.named + 1] = self:close(argument, first)
  else
    filter.arguments[#filter.arguments + 1] = expression.value(self)
  end
end

local function read_filter(self)
  local first = self.here
  local filter = { name = self:name "the name of a filter", arguments = {}, named = {} }
  if self:accept ":" then
    repeat read_argument(self, filter) until not self:accept ","
  end
  self:close(filter, first)
  check_filter(self, filter)
  return filter
end

-- What may be meant by a token that stands behind a value and its filters.
local function misplaced(self)
  local token, before = self:look(), self.tokens[self.here - 1]
  if token.kind == "compare" then return "a comparison stands in if or unless" end
  if token.kind == "(" then
    return "nothing is called here: filters stand behind the value, as in {{ name | upcase }}"
  end
  if token.value == "or" then return 'for what is not there: | default: "…"' end
  if token.value == "if" then return "use {% if … %} and {% endif %}" end
  if before.kind == "name" and filters[before.value] and filters[before.value].most > 0 then
    return format("what a filter takes stands behind a colon, as in %s: 1", before.value)
  end
end

-- A value with its filters, up to the end; nothing is nil.
function expression.filtered(self)
  local first = self.here
  if self:at_end() then
    local at = self:look().at
    return { kind = "literal", at = at, stop = at - 1 }
  end
  local value = expression.value(self)
  local list = {}
  while self:accept "|" do list[#list + 1] = read_filter(self) end
  if self.output and self:look().kind == "{{" then refuse_open(self.source, self.output) end
  if not self:at_end() then self:finish(misplaced(self)) end
  if #list == 0 then return value end
  return self:close({ kind = "filtered", value = value, filters = list }, first)
end

-- What other languages compare with, and what is said of it.
local OPERATORS = { "and", "or", "contains" }
local FOREIGN = {
  ["="] = "to compare is ==", ["is"] = "to compare is ==", ["not"] = "use unless, or == false",
  ["in"] = "the words are the other way round: LIST contains VALUE",
  ["|"] = "a condition takes no filters: assign the value first",
}

local function read_comparison(self)
  local first = self.here
  local left = expression.value(self)
  local sign = self:accept "compare" or self:accept("name", "contains")
  if not sign then return left end
  local right = expression.value(self)
  return self:close({ kind = "compare", operator = sign.value, left = left, right = right }, first)
end

local function refuse_operator(self)
  local token = self:look()
  local written = self:written(token)
  local before = self.tokens[self.here - 1]
  local hint = FOREIGN[written] or FOREIGN[self:written(before)]
  if not hint and token.kind == "name" then
    hint = fault.did_you_mean(written, OPERATORS) or "operators are ==, !=, <, >, <=, >=, contains, and, or"
  end
  self:finish(hint)
end

-- A condition up to the end. As Liquid has it, and/or bind to the right, and neither comes before the other.
function expression.condition(self)
  local parts, words = { read_comparison(self) }, {}
  local changes = 0
  while true do
    local word = self:accept("name", "and") or self:accept("name", "or")
    if not word then break end
    if #words > 0 and words[#words] ~= word.value then changes = changes + 1 end
    if changes > DEEPEST then
      fault.raise(self.source, word.at, format("and and or change places more than %d times", DEEPEST))
    end
    words[#words + 1] = word.value
    parts[#parts + 1] = read_comparison(self)
  end
  refuse_operator(self)
  local node = parts[#parts]
  for i = #words, 1, -1 do
    node = { kind = words[i], left = parts[i], right = node, at = parts[i].at, stop = node.stop }
  end
  return node
end

return expression
