-- Reads a template into a tree.
--
-- Called by jaunt.liquid; jaunt.liquid.json_shape and jaunt.liquid.compiler walk over what it gives. It knows what each
-- tag looks like, and nothing about what a tag does. A block is a list of nodes; each has `at` and `stop`, its bytes in
-- the source:
--   { kind = "text", text =, raw = true where it comes from a raw }
--   { kind = "output", value = EXPR }                        also from echo
--   { kind = "assign", name =, value = EXPR }, { kind = "capture", name =, body = BLOCK }
--   { kind = "if", branches = { { test = EXPR, body =, at =, stop = }, … }, otherwise = BLOCK or nil }
--                                                            unless: the first test is { kind = "not", value = EXPR }
--   { kind = "case", subject = EXPR, clauses = { { values = { EXPR, … } or nil, body =, at =, stop = }, … } }
--                                                            without values it is an else; in the order of the source,
--                                                            since every clause that fits is rendered
--   { kind = "for", name =, over = EXPR, label =, limit =, offset = EXPR or "continue", reversed =, body =,
--     otherwise = BLOCK or nil }
--   { kind = "break" }, { kind = "continue" }, { kind = "increment" | "decrement", name = }
--   { kind = "cycle", group = EXPR or nil, label =, values = { EXPR, … } }
--   { kind = "render", name =, partial = PARTIAL, with = EXPR, each = EXPR (its `for`), as =,
--     arguments = { { name =, value = EXPR }, … }, shares_scope = true for an include }
--   { kind = "end_call", how = "skip" | "drop", reason = EXPR or nil }
-- EXPR: see jaunt.liquid.expression. PARTIAL: { name =, source = { text =, path = }, kind = or nil, block = BLOCK },
-- the same for all renders of one name; an include has one of its own.
-- Comments leave nothing; whitespace control is applied; the blanks of blocks that show nothing are taken away, as
-- Shopify does it.

local expression = require "jaunt.liquid.expression"
local fault = require "jaunt.liquid.fault"
local keys = require "jaunt.base.keys"
local lexer = require "jaunt.liquid.lexer"

local find, format, match, sub = string.find, string.format, string.match, string.sub

local parser = {}
parser.__index = parser

parser.DEEPEST = 100 -- blocks in blocks
parser.LARGEST = 1 << 20 -- bytes of a template and all that it renders and includes
local INCLUDES = 20 -- includes in includes

-- Each tag's reader: (self, token) -> a node, a list of nodes, or nothing.
local TAGS = {}

-- Which tags stand in the midst of a block or end it, by the block's tag.
local ENDS = {
  ["if"] = { "elsif", "else", "endif" }, unless = { "elsif", "else", "endunless" },
  case = { "when", "else", "endcase" }, ["for"] = { "else", "endfor" }, capture = { "endcapture" },
}

local INNER = { endcomment = "comment", endraw = "raw" }
for _, tag in ipairs { "if", "unless", "case", "for", "capture" } do
  for _, name in ipairs(ENDS[tag]) do INNER[name] = INNER[name] or tag end
end

-- Tags of other places, and why there are none such here.
local FOREIGN = {
  connected_content = "rendering calls nobody: use call_api in the journey",
  catalog_items = "rendering asks nobody: let the event or vars carry it",
  promotion = "rendering asks nobody: let the event or vars carry it",
  content_blocks = "use render", section = "use render", sections = "use render",
  message_extras = "make it a field of the payload",
  tablerow = "use for", set = "use assign",
}
for _, name in ipairs { "form", "javascript", "layout", "paginate", "schema", "style", "stylesheet" } do
  FOREIGN[name] = "it is of Shopify's themes"
end

local function limit(source, at, text, name)
  error(fault.new(source, at, format("%s (limits.%s)", text, name), { what = "limit" }), 0)
end

local function contains(list, name)
  for _, each in ipairs(list) do
    if each == name then return true end
  end
  return false
end

local function reader(self, token)
  return expression.reader(self.source, token.from, token.to)
end

local function is_blank_text(node)
  return node.kind == "text" and not node.raw and not find(node.text, "%S")
end

-- Whether a block shows nothing, whatever happens in it.
local function is_blank(block)
  for _, node in ipairs(block) do
    if not (node.blank or is_blank_text(node)) then return false end
  end
  return true
end

local function without_blanks(block)
  local rest = {}
  for _, node in ipairs(block) do
    if not is_blank_text(node) then rest[#rest + 1] = node end
  end
  return rest
end

-- Takes the blanks out of the bodies in `list` (records with `body`, and `otherwise`) where none of them shows a thing.
local function trim_blank(node, list, dropped)
  node.blank = dropped and is_blank(node.otherwise or {})
  for _, each in ipairs(list) do node.blank = node.blank and is_blank(each.body) end
  if not node.blank then return node end
  for _, each in ipairs(list) do each.body = without_blanks(each.body) end
  node.otherwise = node.otherwise and without_blanks(node.otherwise)
  return node
end

local function unknown_tag(self, token, open)
  local name = token.name
  if INNER[name] then
    if open then
      local line = fault.new(self.source, open.at, "").line
      fault.raise(self.source, token.name_at, format("%s does not belong to the %s of line %d, which is still open",
        name, open.name, line), format("it ends with %s", ENDS[open.name][#ENDS[open.name]]))
    end
    fault.raise(self.source, token.name_at, format("%s closes nothing: there is no open %s", name, INNER[name]))
  end
  local hint = FOREIGN[name]
  if name == "end" and open then hint = format("the %s ends with %s", open.name, ENDS[open.name][#ENDS[open.name]]) end
  if not hint then
    local names = keys.sorted(TAGS)
    for inner in pairs(INNER) do names[#names + 1] = inner end
    hint = fault.did_you_mean(name, names)
    if not hint and not find(sub(self.source.text, token.from, token.to), "%S") then
      hint = format("a value is put out by {{ %s }}", fault.show(name))
    end
  end
  fault.raise(self.source, token.name_at, format('there is no tag "%s"', fault.show(name)), hint)
end

local function add(block, made)
  if made and made.kind then
    block[#block + 1] = made
  elseif made then
    table.move(made, 1, #made, #block + 1, block)
  end
end

local function read_tag(self, token, open)
  local read = TAGS[token.name]
  if not read then unknown_tag(self, token, open) end
  local made = read(self, token)
  if made and made.kind then
    made.at = token.at
    made.stop = self.tokens[self.here - 1].stop
  end
  return made
end

local function read_output(self, token)
  local value = expression.filtered(expression.reader(self.source, token.from, token.to, token.at))
  return { kind = "output", value = value, at = token.at, stop = token.stop }
end

-- The nodes of the whole, or up to one of the tags that `open` (a token) has in its block: that token is returned, too.
local function read_nodes(self, open)
  local block, ends = {}, open and ENDS[open.name] or {}
  while true do
    local token = self.tokens[self.here]
    if not token then
      if not open then return block end
      fault.raise(self.source, open.at, format("this %s is never closed", open.name),
        format(open.line and "it ends with %s" or "it ends with {%% %s %%}", ends[#ends]))
    end
    self.here = self.here + 1
    if token.kind == "tag" then
      if contains(ends, token.name) then return block, token end
      add(block, read_tag(self, token, open))
    elseif token.kind == "output" then
      add(block, read_output(self, token))
    elseif token.text ~= "" then
      local raw = token.kind == "raw" or nil
      add(block, { kind = "text", text = token.text, raw = raw, at = token.at, stop = token.stop })
    end
  end
end

-- The block of a tag; of a liquid tag, all that its lines hold.
local function read_block(self, token)
  self.depth = self.depth + 1
  if self.depth > self.deepest then
    limit(self.source, token.at, format("this is nested more than %d deep", self.deepest), "nesting")
  end
  local block, last = read_nodes(self, ENDS[token.name] and token)
  self.depth = self.depth - 1
  return block, last
end

-- Output and names

TAGS["echo"] = function(self, token)
  return { kind = "output", value = expression.filtered(reader(self, token)) }
end

-- A name that can be assigned to: digits too, as Shopify has it (nobody can read them back).
local function read_target(r)
  local token = r:look()
  local text = r:written(token)
  if not find(text, "^[%w_][%w_%-]*$") then r:fail "a name" end
  r.here = r.here + 1
  return text
end

function TAGS.assign(self, token)
  local r = reader(self, token)
  local name = read_target(r)
  r:expect("=", "=")
  if r:at_end() then r:fail "a value" end
  return { kind = "assign", name = name, value = expression.filtered(r), blank = true }
end

function TAGS.capture(self, token)
  local r = reader(self, token)
  local quoted = r:accept "string"
  local name = quoted and quoted.value or read_target(r)
  r:finish()
  return { kind = "capture", name = name, body = read_block(self, token), blank = true }
end

local function counter(self, token)
  local r = reader(self, token)
  local name = read_target(r)
  r:finish()
  return { kind = token.name, name = name }
end

TAGS.increment, TAGS.decrement = counter, counter

-- Branches

local function branch(token, test, body, last)
  return { test = test, body = body, at = token.at, stop = last.at - 1 }
end

-- Shopify takes {% else if … %} for an else, which nobody means.
local function refuse_else_if(self, token)
  if find(self.source.text, "^%s*if%s", token.from) then
    fault.raise(self.source, token.name_at, "an else has no condition", "did you mean elsif?")
  end
end

-- if and unless. What else stands after the word else is not looked at; further branches after an else are read, and
-- never rendered: so has Shopify it.
local function conditional(self, token)
  local node = { kind = "if", branches = {} }
  local test = expression.condition(reader(self, token))
  if token.name == "unless" then test = { kind = "not", value = test, at = test.at, stop = test.stop } end
  local shows_nothing = true
  local head, last = token, "if"
  repeat
    local is_else = head.name == "else"
    local body, following = read_block(self, token)
    if node.otherwise then
      shows_nothing = shows_nothing and is_blank(body)
    elseif is_else then
      node.otherwise = body
    else
      node.branches[#node.branches + 1] = branch(head, test, body, following)
    end
    head, last = following, following.name
    if last == "elsif" then test = expression.condition(reader(self, following)) end
    if last == "else" then refuse_else_if(self, following) end
  until last ~= "elsif" and last ~= "else"
  return trim_blank(node, node.branches, shows_nothing)
end

TAGS["if"], TAGS.unless = conditional, conditional

local function read_values(r)
  local values = {}
  repeat values[#values + 1] = expression.value(r) until not (r:accept "," or r:accept("name", "or"))
  r:finish "values stand with a comma or an or between them"
  return values
end

-- What stands before the first when is never shown.
function TAGS.case(self, token)
  local r = reader(self, token)
  local node = { kind = "case", subject = expression.value(r), clauses = {} }
  r:finish()
  local _, head = read_block(self, token)
  while head.name ~= "endcase" do
    local clause = { at = head.at }
    if head.name == "when" then clause.values = read_values(reader(self, head)) end
    clause.body, head = read_block(self, token)
    clause.stop = head.at - 1
    node.clauses[#node.clauses + 1] = clause
  end
  return trim_blank(node, node.clauses, true)
end

-- Loops

local FOR_WORDS = { "limit", "offset", "reversed" }

local function read_for_option(r, node)
  local token = r:expect("name", "limit, offset or reversed")
  local word = token.value
  if word == "reversed" then
    node.reversed = true
  elseif word == "limit" or word == "offset" then
    r:expect(":", ":", format("as in %s: 2", word))
    local from_last = word == "offset" and r:accept("name", "continue")
    node[word] = from_last and "continue" or expression.value(r)
  else
    fault.raise(r.source, token.at, format("a for has no %s", fault.show(word)), fault.did_you_mean(word, FOR_WORDS))
  end
end

TAGS["for"] = function(self, token)
  local r = reader(self, token)
  local node = { kind = "for", name = r:name "the name of the loop's variable" }
  if not r:accept("name", "in") then r:fail("in", "as in for item in items") end
  local first = r.here
  node.over = expression.value(r)
  node.label = node.name .. "-" .. r:text_since(first)
  while not r:at_end() do
    if not r:accept "," or not r:at_end() then read_for_option(r, node) end
  end
  local last
  node.body, last = read_block(self, token)
  while last.name == "else" do
    local body
    body, last = read_block(self, token)
    node.otherwise = node.otherwise or body
  end
  return trim_blank(node, { node }, true)
end

local function jump(self, token)
  reader(self, token):finish()
  return { kind = token.name }
end

TAGS["break"], TAGS.continue = jump, jump

function TAGS.cycle(self, token)
  local r = reader(self, token)
  local node = { kind = "cycle", values = {} }
  local first = r.here
  local value = expression.value(r)
  if r:accept ":" then
    node.group = value
    first = r.here
    value = expression.value(r)
  end
  node.values[1] = value
  while r:accept "," do
    if not r:at_end() then node.values[#node.values + 1] = expression.value(r) end
  end
  r:finish()
  node.label = r:text_since(first)
  return node
end

-- Text that is not rendered, and tags in lines

function TAGS.comment(self, token)
  local open = 1
  while open > 0 do
    local inner = self.tokens[self.here]
    if not inner then
      fault.raise(self.source, token.at, "this comment is never closed", "it ends with {% endcomment %}")
    end
    self.here = self.here + 1
    if inner.name == "comment" then open = open + 1 end
    if inner.name == "endcomment" then open = open - 1 end
  end
end

TAGS["#"] = function(self, token)
  local text = sub(self.source.text, token.from, token.to)
  local at = find(text, "\n[ \t\r]*[^#%s]")
  if at then
    at = find(text, "%S", at)
    fault.raise(self.source, token.from + at - 1, "each line of this comment begins with #")
  end
end

-- Never called: the lexer takes a raw with its end for one token; it is the name that must be known.
function TAGS.raw(self, token)
  fault.raise(self.source, token.name_at, "raw has no place in a liquid tag")
end

function TAGS.liquid(self, token)
  local tokens, here = self.tokens, self.here
  self.tokens, self.here = lexer.lines(self.source, token.from, token.to), 1
  local block = read_block(self, token)
  self.tokens, self.here = tokens, here
  return block
end

-- Other payloads

local function read_partial(self, found, name, includes)
  local source = { text = found.text, path = found.path or name }
  local partial = { name = name, source = source, kind = found.kind }
  if includes == self.includes then self.partials[name] = partial end
  partial.block = parser.parse(source, {
    partial = self.partial, partials = self.partials, includes = includes, deepest = self.deepest, read = self.read,
    depth = includes ~= self.includes and self.depth or 0,
  })
  return partial
end

local function find_partial(self, token, at, name)
  local found, hint
  if self.partial then found, hint = self.partial(name) end
  if not found then
    fault.raise(self.source, at, format('there is no payload "%s" to %s', fault.show(name), token.name), hint)
  end
  return found
end

local function partial_of(self, token, at, name)
  if token.name == "render" then
    return self.partials[name] or read_partial(self, find_partial(self, token, at, name), name, self.includes)
  end
  if self.includes == INCLUDES then
    limit(self.source, at, format("payloads include each other more than %d deep", INCLUDES), "depth")
  end
  return read_partial(self, find_partial(self, token, at, name), name, self.includes + 1)
end

local function read_render_argument(r, node)
  local first = r.here
  local name = r:name "the name of an argument"
  r:expect(":", ":", "arguments have names, as in name: person.first_name")
  node.arguments[#node.arguments + 1] = r:close({ name = name, value = expression.value(r) }, first)
end

local function read_partial_tag(self, token)
  local r = reader(self, token)
  local quoted = r:expect("string", "a payload's name in quotes")
  local node = { kind = "render", name = quoted.value, arguments = {}, shares_scope = token.name == "include" or nil }
  local comma = r:accept ","
  if not comma and r:look(1).kind ~= ":" then
    if r:accept("name", "with") then
      node.with = expression.value(r)
    elseif r:accept("name", "for") then
      node.each = expression.value(r)
    end
    node.as = r:accept("name", "as") and r:name "a name" or match(node.name, "[^/]*$")
    if not node.with and not node.each then node.as = nil end
  end
  while not r:at_end() do
    if not r:accept "," or not r:at_end() then read_render_argument(r, node) end
  end
  node.partial = partial_of(self, token, quoted.at, node.name)
  return node
end

TAGS.render, TAGS.include = read_partial_tag, read_partial_tag

-- Ends of the call itself, from Braze: {% abort_message('reason') %}, {% drop_message 'reason' %}.

local function read_end(self, token)
  local r = reader(self, token)
  local node = { kind = "end_call", how = token.name == "abort_message" and "skip" or "drop" }
  if r:accept "(" then
    if r:look().kind ~= ")" then node.reason = expression.value(r) end
    r:expect(")", ")")
  elseif not r:at_end() then
    node.reason = expression.value(r)
  end
  r:finish()
  return node
end

TAGS.abort_message, TAGS.drop_message = read_end, read_end

-- The block of a source { text =, path = }; raises a fault. `options` may hold
--   partial    (name) -> { text =, path =, kind = } or nil, hint: the payloads that render and include find
--   deepest    how many blocks may stand in each other
function parser.parse(source, options)
  local read = options.read or { bytes = 0 }
  read.bytes = read.bytes + #source.text
  if read.bytes > parser.LARGEST then
    local what = options.read and "a template and what it renders are" or "this template is"
    limit(source, 1, format("%s longer than %d bytes", what, parser.LARGEST), "source")
  end
  local self = setmetatable({
    source = source, tokens = lexer.template(source), here = 1, read = read,
    partial = options.partial, partials = options.partials or {}, includes = options.includes or 0,
    deepest = options.deepest or parser.DEEPEST, depth = options.depth or 0,
  }, parser)
  return read_nodes(self)
end

return parser
