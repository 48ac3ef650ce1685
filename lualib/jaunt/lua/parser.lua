-- Lua's text as a syntax tree, for whatever looks at scripts: check, docs, completion.
--
-- The grammar is that of the Lua 5.4 reference manual, section 9. A node has `kind`, `at` and `stop` (its bytes), `line` and
-- `column`. Lists are arrays of nodes.
--
--   block        body = { statement … }
--   local        names = { name … (attribute = "const" or "close", if given) }, values
--   assign       targets, values
--   call         call = an invoke or a method, as a statement
--   do, while, repeat     body (a block), test
--   if           branches = { { test =, body = } … }, otherwise = a block or nil
--   fornum       name, from, to, step; body            forin     names, values; body
--   function     target = a name or index, is_method; body = the function        localfunction    name; body
--   return       values        break        goto, label      name (a text)
--   nil, true, false, vararg
--   number, string        value
--   lambda       parameters = { name … }, vararg = bool, body = a block (a function's value)
--   name         name (a text)
--   index        object, key; dotted = true for a.b
--   invoke       callee, arguments; bare = true for f"x" and f{…}
--   method       object, name (a text), arguments
--   table        fields = { { key = node or nil, value = } … }
--   binary       operator, left, right        unary    operator, value        paren    value

local lexer = require "jaunt.lua.lexer"

local parser = {}

local LEFT = { ["or"] = 1, ["and"] = 2, ["<"] = 3, [">"] = 3, ["<="] = 3, [">="] = 3, ["~="] = 3, ["=="] = 3, ["|"] = 4,
  ["~"] = 5, ["&"] = 6,
  ["<<"] = 7, [">>"] = 7, [".."] = 9, ["+"] = 10, ["-"] = 10, ["*"] = 11, ["/"] = 11, ["//"] = 11, ["%"] = 11, ["^"] = 14 }
local RIGHT = { [".."] = 8, ["^"] = 13 } -- of those that bind to the right; else the left one
local UNARY, UNARY_BINDS = { ["not"] = true, ["-"] = true, ["#"] = true, ["~"] = true }, 12
local ENDS = { ["end"] = true, ["else"] = true, ["elseif"] = true, ["until"] = true }
local DEEPEST = 190 -- of nested blocks and expressions; Lua itself gives up at 200

local reader = {}
reader.__index = reader

---------------------------------------------------------------------------------------------- tokens

function reader:is(value)
  local token = self.token
  return (token.kind == "symbol" or token.kind == "keyword") and token.value == value
end

function reader:next()
  local token = self.token
  self.here = self.here + 1
  self.token = self.tokens[self.here] or token
  self.last = token
  return token
end

function reader:accept(value)
  if self:is(value) then return self:next() end
end

-- Raises what is wrong at the token at hand.
function reader:fail(what)
  local token = self.token
  if token.kind == "error" then what = token.value end
  error({ mistake = what, at = token.at, incomplete = token.incomplete or token.kind == "end" }, 0)
end

function reader:written()
  return self.token.kind == "end" and "the end" or "'" .. self.text:sub(self.token.at, self.token.stop) .. "'"
end

function reader:expect(value, opened)
  local token = self:accept(value)
  if token then return token end
  local because = opened and (" (to close '%s' in line %d)"):format(opened.value, (self.place(opened.at))) or ""
  self:fail(("'%s' is expected%s, not %s"):format(value, because, self:written()))
end

function reader:name()
  if self.token.kind ~= "name" then self:fail("a name is expected, not " .. self:written()) end
  local token = self:next()
  return self:node("name", token, { name = token.value })
end

-- Finishes a node that began at `first` (a token or a node) and ends with the last token that was taken.
function reader:node(kind, first, node)
  node.kind, node.at, node.stop = kind, first.at, self.last.stop
  node.line, node.column = self.place(first.at)
  return node
end

function reader:deeper()
  self.depth = self.depth + 1
  if self.depth > DEEPEST then self:fail("this is nested too deeply") end
end

---------------------------------------------------------------------------------------------- expressions

local function list_of(self, read)
  local list = { read(self) }
  while self:accept(",") do list[#list + 1] = read(self) end
  return list
end

function reader:expressions() return list_of(self, self.expression) end

function reader:lambda(first, is_method)
  local parameters, vararg, open = {}, false, self:expect("(")
  if is_method then
    parameters[1] = { kind = "name", name = "self", at = first.at, stop = first.at, line = 0, column = 0, implied = true }
  end
  while not self:is(")") do
    if self:accept("...") then vararg = true break end
    parameters[#parameters + 1] = self:name()
    if not self:accept(",") then break end
    if self:is(")") then self:fail("a parameter is expected, not ')'") end
  end
  self:expect(")", open)
  local body = self:block()
  self:expect("end", first)
  return self:node("lambda", first, { parameters = parameters, vararg = vararg, body = body })
end

local function field(self)
  local open = self.token
  if self:accept("[") then
    local key = self:expression()
    self:expect("]", open)
    self:expect("=")
    return { key = key, value = self:expression() }
  end
  local after = self.tokens[self.here + 1]
  if self.token.kind == "name" and after.kind == "symbol" and after.value == "=" then
    local name = self:next()
    local key = self:node("string", name, { value = name.value })
    self:next()
    return { key = key, value = self:expression() }
  end
  return { value = self:expression() }
end

function reader:table()
  local open, fields = self:expect("{"), {}
  while not self:is("}") do
    fields[#fields + 1] = field(self)
    if not (self:accept(",") or self:accept(";")) then break end
  end
  self:expect("}", open)
  return self:node("table", open, { fields = fields })
end

-- The arguments of a call, and whether they stand without brackets; nil where no call follows.
function reader:arguments()
  local token = self.token
  if token.kind == "string" then
    self:next()
    return { self:node("string", token, { value = token.value }) }, true
  end
  if self:is("{") then return { self:table() }, true end
  if not self:accept("(") then return nil end
  local list = self:is(")") and {} or self:expressions()
  self:expect(")", token)
  return list, false
end

local function primary(self)
  local token = self.token
  if token.kind == "name" then return self:name() end
  if self:accept("(") then
    local value = self:expression()
    self:expect(")", token)
    return self:node("paren", token, { value = value })
  end
  self:fail("an expression is expected, not " .. self:written())
end

-- One more of .name, [key], :name(…) or a call behind `value`; nil where nothing follows.
local function suffix(self, value)
  local open = self.token
  if self:accept(".") then
    local name = self:name()
    local key = { kind = "string", value = name.name, at = name.at, stop = name.stop, line = name.line, column = name.column }
    return self:node("index", value, { object = value, key = key, dotted = true })
  elseif self:accept("[") then
    local key = self:expression()
    self:expect("]", open)
    return self:node("index", value, { object = value, key = key })
  elseif self:accept(":") then
    local name = self:name()
    local arguments = self:arguments()
    if not arguments then self:fail("the method's arguments are expected, not " .. self:written()) end
    return self:node("method", value, { object = value, name = name.name, arguments = arguments })
  end
  local arguments, bare = self:arguments()
  return arguments and self:node("invoke", value, { callee = value, arguments = arguments, bare = bare })
end

function reader:suffixed()
  local value = primary(self)
  while true do
    local more = suffix(self, value)
    if not more then return value end
    value = more
  end
end

local CONSTANTS = { ["nil"] = "nil", ["true"] = "true", ["false"] = "false", ["..."] = "vararg" }

local function simple(self)
  local token = self.token
  if token.kind == "number" or token.kind == "string" then
    self:next()
    return self:node(token.kind, token, { value = token.value })
  end
  local constant = (token.kind == "keyword" or token.kind == "symbol") and CONSTANTS[token.value]
  if constant then
    self:next()
    return self:node(constant, token, {})
  end
  if self:is("{") then return self:table() end
  if self:accept("function") then return self:lambda(token) end
  return self:suffixed()
end

local function operation(self, binds)
  self:deeper()
  local first, left = self.token, nil
  if (first.kind == "symbol" or first.kind == "keyword") and UNARY[first.value] then
    self:next()
    left = self:node("unary", first, { operator = first.value, value = operation(self, UNARY_BINDS) })
  else
    left = simple(self)
  end
  while true do
    local token = self.token
    local own = (token.kind == "symbol" or token.kind == "keyword") and LEFT[token.value]
    if not own or own <= binds then break end
    self:next()
    local right = operation(self, RIGHT[token.value] or own)
    left = self:node("binary", left, { operator = token.value, left = left, right = right })
  end
  self.depth = self.depth - 1
  return left
end

function reader:expression() return operation(self, 0) end

---------------------------------------------------------------------------------------------- statements

local statements = {}

statements["if"] = function(self, first)
  local branches, otherwise, open = {}, nil, first
  repeat
    local test = self:expression()
    self:expect("then", open)
    branches[#branches + 1] = { test = test, body = self:block() }
    open = self.token
  until not self:accept("elseif")
  if self:accept("else") then otherwise = self:block() end
  self:expect("end", first)
  return "if", { branches = branches, otherwise = otherwise }
end

statements["while"] = function(self, first)
  local test = self:expression()
  self:expect("do", first)
  local body = self:block()
  self:expect("end", first)
  return "while", { test = test, body = body }
end

statements["do"] = function(self, first)
  local body = self:block()
  self:expect("end", first)
  return "do", { body = body }
end

statements["repeat"] = function(self, first)
  local body = self:block()
  self:expect("until", first)
  return "repeat", { body = body, test = self:expression() }
end

statements["for"] = function(self, first)
  local names = list_of(self, self.name)
  local kind, node
  if #names == 1 and self:accept("=") then
    local from = self:expression()
    self:expect(",")
    kind, node = "fornum", { name = names[1], from = from, to = self:expression() }
    if self:accept(",") then node.step = self:expression() end
  else
    self:expect("in")
    kind, node = "forin", { names = names, values = self:expressions() }
  end
  self:expect("do", first)
  node.body = self:block()
  self:expect("end", first)
  return kind, node
end

statements["function"] = function(self, first)
  local target, is_method = self:name(), false
  while self:is(".") or self:is(":") do
    is_method = self:next().value == ":"
    local name = self:name()
    local key = { kind = "string", value = name.name, at = name.at, stop = name.stop, line = name.line, column = name.column }
    target = self:node("index", target, { object = target, key = key, dotted = true })
    if is_method then break end
  end
  return "function", { target = target, is_method = is_method, body = self:lambda(first, is_method) }
end

local function attributed(self)
  local name = self:name()
  if self:accept("<") then
    name.attribute = self:name().name
    self:expect(">")
  end
  return name
end

statements["local"] = function(self, first)
  if self:accept("function") then
    local name = self:name()
    return "localfunction", { name = name, body = self:lambda(first) }
  end
  local names = list_of(self, attributed)
  return "local", { names = names, values = self:accept("=") and self:expressions() or {} }
end

statements["return"] = function(self)
  local over = self.token.kind == "end" or self:is(";") or (self.token.kind == "keyword" and ENDS[self.token.value])
  local values = over and {} or self:expressions()
  self:accept(";")
  return "return", { values = values }
end

statements["break"] = function() return "break", {} end

statements["goto"] = function(self) return "goto", { name = self:name().name } end

statements["::"] = function(self)
  local name = self:name().name
  self:expect("::")
  return "label", { name = name }
end

local TARGETS = { name = true, index = true }

-- A call, or an assignment.
local function expression_statement(self)
  local value = self:suffixed()
  if not (self:is("=") or self:is(",")) then
    if value.kind ~= "invoke" and value.kind ~= "method" then
      self:fail("a statement is expected: this is only a value, before " .. self:written())
    end
    return "call", { call = value }
  end
  local targets = { value }
  while self:accept(",") do targets[#targets + 1] = self:suffixed() end
  for _, target in ipairs(targets) do
    if not TARGETS[target.kind] then self:fail("nothing can be assigned to that, before " .. self:written()) end
  end
  self:expect("=")
  return "assign", { targets = targets, values = self:expressions() }
end

local function statement(self)
  local first = self.token
  local read = (first.kind == "keyword" or first.kind == "symbol") and statements[first.value]
  self:deeper()
  local kind, node
  if read then
    self:next()
    kind, node = read(self, first)
  else
    kind, node = expression_statement(self)
  end
  self.depth = self.depth - 1
  return self:node(kind, first, node)
end

local function block_is_over(self)
  return self.token.kind == "end" or (self.token.kind == "keyword" and ENDS[self.token.value])
end

-- A statement that is wrong is left out, and what comes after it is looked at, where that is wanted.
local function tolerated(self)
  local depth, begun = self.depth, self.here
  local ok, found = pcall(statement, self)
  if ok then return found end
  if type(found) ~= "table" or not found.mistake then error(found, 0) end
  self.mistakes[#self.mistakes + 1] = found
  self.depth = depth
  if self.here == begun then self:next() end
  while not block_is_over(self) and not (self.token.kind == "keyword" and statements[self.token.value]) do self:next() end
end

function reader:block()
  local first, body = self.token, {}
  while not block_is_over(self) do
    if not self:accept(";") then
      local found
      if self.tolerant then found = tolerated(self) else found = statement(self) end
      body[#body + 1] = found
      if found and found.kind == "return" then break end
    end
  end
  return self:node("block", first, { body = body })
end

---------------------------------------------------------------------------------------------- all of it

local function whole(self)
  local tree = self:block()
  while self.tolerant and self.token.kind ~= "end" do -- an `end` too many
    self.mistakes[#self.mistakes + 1] = { mistake = "nothing that " .. self:written() .. " could close", at = self.token.at }
    self:next()
    local more = self:block().body
    table.move(more, 1, #more, #tree.body + 1, tree.body)
  end
  if self.token.kind ~= "end" then self:fail("the end is expected, not " .. self:written()) end
  return tree
end

local function told(place, found)
  local line, column = place(found.at)
  return { text = found.mistake, at = found.at, line = line, column = column, incomplete = found.incomplete }
end

-- What Lua itself refuses although the grammar allows it: a goto without its label, a constant that is assigned to, too many
-- locals. It tells the line alone.
local function refused_by_lua(text, place)
  local plain = text:gsub("^\u{FEFF}", ""):gsub("^#[^\n]*", "")
  local made, why = load(plain, "=", "t", {})
  if made then return nil end
  local line, what = why:match("^:(%d+): (.*)$")
  line = what and what:match(" at line (%d+)$") or line -- of a goto it tells the line where its block ends first
  local at = 1
  while line and place(at) < tonumber(line) and at <= #text do at = (text:find("\n", at, true) or #text) + 1 end
  return { text = what or why, at = at, line = tonumber(line) or 1, column = 1 }
end

-- Parses a chunk. Returns the tree; or nil and what is wrong: { text =, at =, line =, column =, incomplete = true where the text
-- only ends too early }. With `tolerant` it is always a tree, without the statements that are wrong, and a list of all mistakes.
function parser.parse(text, tolerant)
  local tokens = {}
  for _, token in ipairs(lexer.tokens(text)) do
    if token.kind ~= "comment" then tokens[#tokens + 1] = token end
  end
  local place = lexer.places(text)
  local self = setmetatable({ text = text, tokens = tokens, here = 1, token = tokens[1], last = { stop = 0 }, depth = 0,
    place = place, tolerant = tolerant, mistakes = {} }, reader)
  local ok, tree = pcall(whole, self)
  if not ok and not (type(tree) == "table" and tree.mistake) then error(tree, 0) end
  if not ok and tolerant then
    self.mistakes[#self.mistakes + 1], tree = tree, { kind = "block", body = {}, at = 1, stop = #text, line = 1, column = 1 }
  elseif not ok then
    return nil, told(place, tree)
  end
  if not tolerant then
    local refused = refused_by_lua(text, place)
    if refused then return nil, refused end
    return tree
  end
  for i, mistake in ipairs(self.mistakes) do self.mistakes[i] = told(place, mistake) end
  if #self.mistakes == 0 then self.mistakes[1] = refused_by_lua(text, place) end
  return tree, self.mistakes
end

return parser
