-- The kind of a payload decides how values are escaped: which emitter each output of a template gets, and the emitters.
--
-- Called by jaunt.liquid: escapes.prepare on a parsed tree, before it is compiled; the compiled code calls the
-- emitters, and escapes.repaired says how much had to be made safe. The work on bytes is jaunt.native.text's.
--
--   json        see jaunt.liquid.json_shape
--   html, xml   & < > " and ' become entities, so that a value ends neither an element nor an attribute in quotes;
--               what no document may hold (controls) becomes U+FFFD. A value may stand in text and in quoted
--               attributes only: in a tag elsewhere, in script, in style and in onclick and its like it is refused. So
--               is a partial that ends within a tag, a comment or a script. What {% capture %} gathers
--               is markup: its outputs are escaped there, and {{ its_name }} alone, behind the capture, is put out as
--               it is. | newline_to_br as the last filter works on the escaped text; | raw takes the escaping away,
--               and the refusal with it
--   form        application/x-www-form-urlencoded (WHATWG URL, 5.2): a value is percent-encoded, a space is +. So is
--               the literal text, but for & = + and %XX; line breaks in it and the blanks around them are left out, so
--               that each pair may have a line of its own
--   url         RFC 3986: all but unreserved characters are percent-encoded, in the path and in the query. A value in
--               the path must not be nil, empty, "." or "..", which would make another path of it
--   header      RFC 9110, 5.5: line ends, NUL and other controls become blanks, as that asks of who receives them; so
--               nothing ends a header early
--   txt         as it is, made UTF-8
--   text        as it is: what a capture gathers in all kinds but html and xml
-- escape, escape_once (html, xml), url_encode, url_escape and url_param_escape (form, url) as the last filter are what
-- happens anyway, and not done twice.

local fault = require "jaunt.liquid.fault"
local json = require "json"
local json_shape = require "jaunt.liquid.json_shape"
local native = require "jaunt.native.text"
local values = require "jaunt.liquid.values"

local byte, find, format, gsub, lower, match, sub =
  string.byte, string.find, string.format, string.gsub, string.lower, string.match, string.sub
local ipairs, next, pcall, type = ipairs, next, pcall, type

local escapes = {}

---------------------------------------------------------------------------------------------- values as JSON

-- What json.encode can hold: texts made UTF-8, dates and ranges as their text, other things of the engine's own as
-- nothing.
local function encodable(value, depth)
  if type(value) == "string" then return (native.mend(value)) end
  if type(value) ~= "table" then return value end
  if depth > 200 then values.fail("a value is nested more than 200 deep: does a table contain itself?") end
  if not values.is_list(value) and not values.is_object(value) then return (native.mend(values.text(value))) end
  local made = values.is_list(value) and json.array() or {}
  for key, part in next, value do
    made[type(key) == "string" and native.mend(key) or key] = encodable(part, depth + 1)
  end
  return made
end

-- A value as JSON text; what is not UTF-8 in it is made safe, and counted. What JSON can't hold is a render's mistake.
function escapes.json(value)
  local ok, text = pcall(json.encode, value)
  if ok then return text end
  ok, text = pcall(json.encode, encodable(value, 1))
  if ok then return text end
  text = gsub(gsub(text, "^.-json%.encode: ", ""), "; json%.null .*$", "")
  values.fail("%s", (gsub(text, "^value ", "the value ")))
end

local function json_of_other(value)
  if type(value) == "number" then
    values.fail("this number is %s, which JSON cannot hold", value ~= value and "NaN" or "infinite")
  end
  return escapes.json(value)
end

---------------------------------------------------------------------------------------------- emitters
-- Each is a function(value) that gives the text to put out. The second arguments are asked for what is not a text, an
-- integer, a boolean or nil.

local function is_table(value)
  local kind = values.kind(value)
  return kind == "list" or kind == "object"
end

local function text_in_quotes(value)
  if not is_table(value) then return values.text(value) end
  values.fail("%s stands within quotes; take the quotes away, or use | join: \", \" or | json", values.word(value))
end

local function text_or_json(value)
  return is_table(value) and escapes.json(value) or values.text(value)
end

local function key_text(value)
  if is_table(value) then values.fail("%s can't be a key", values.word(value)) end
  local text = values.text(value)
  if text == "" then
    local what = value == "" and "empty" or values.word(value)
    values.fail("a key is %s here; use | default: \"…\", or | omit_if_nil", what)
  end
  return text
end

local function path_text(value)
  local text = values.text(value)
  if text == "" or text == "." or text == ".." then
    values.fail("%s can't be a part of a URL's path: it would be another path", values.show(value))
  end
  return text
end

local emitters = {
  text = values.text,
  txt = native.emitter("text", values.text),
  json_string = native.emitter("json_string", text_in_quotes),
  json_string_any = native.emitter("json_string", text_or_json),
  json_value = native.emitter("json_value", json_of_other),
  json_key = native.emitter("json_key", key_text),
  json_key_part = native.emitter("json_key_part", key_text),
  markup = native.emitter("markup", values.text),
  form = native.emitter("form", values.text),
  url_path = native.emitter("url_path", path_text),
  url_query = native.emitter("url_query", values.text),
  header = native.emitter("header", values.text),
}

function emitters.markup_once(value)
  return (gsub(emitters.markup(value), "&amp;(#?%w+;)", "&%1"))
end

function emitters.markup_br(value)
  return (gsub(emitters.markup(value), "\r?\n", "<br />\n"))
end

-- By name, as prepare has put them into `node.emit`; in_json_NAME is NAME's text within a JSON string.
escapes.emitters = setmetatable(emitters, {
  __index = function(known, name)
    local inner = known[match(name, "^in_json_(.+)$") or error("there is no emitter " .. name)]
    local function emit(value) return known.json_string(inner(value)) end
    known[name] = emit
    return emit
  end,
})

-- How many parts of values were made safe since it was last called, by all emitters of this Lua state.
escapes.repaired = native.repaired

---------------------------------------------------------------------------------------------- trees

local function last_filter(node)
  local filters = node.value and node.value.kind == "filtered" and node.value.filters
  return filters and filters[#filters].name
end

-- Takes the last filter off.
local function strip(node)
  local old = node.value
  local filters = table.move(old.filters, 1, #old.filters - 1, 1, {})
  if #filters == 0 then
    node.value = old.value
  else
    node.value = { kind = "filtered", value = old.value, filters = filters, at = old.at, stop = old.stop }
  end
end

-- Calls visit.text, visit.output, visit.capture (the first and the last may be nil) with the nodes of a block, in the
-- order of the source.
local function walk(block, visit)
  for _, node in ipairs(block) do
    if node.kind == "text" then
      if visit.text then visit.text(node) end
    elseif node.kind == "output" or node.kind == "cycle" or node.kind == "increment" or node.kind == "decrement" then
      visit.output(node)
    elseif node.kind == "capture" and visit.capture then
      visit.capture(node)
    else
      for _, part in ipairs(node.branches or node.clauses or {}) do walk(part.body, visit) end
      if node.body then walk(node.body, visit) end
      if node.otherwise then walk(node.otherwise, visit) end
    end
  end
end

local function nothing() end

-- A visitor that gives every output one emitter; the filters in `done` (name = emitter) escape already when they come
-- last.
local function emitting(name, done)
  return {
    output = function(node)
      local filter = last_filter(node)
      node.emit = done and done[filter] or name
      if done and done[filter] then strip(node) end
    end,
    capture = nothing,
  }
end

---------------------------------------------------------------------------------------------- form and url

local URL_DONE = { "url_encode", "url_escape", "url_param_escape" }

local function done_as(name)
  local done = {}
  for _, filter in ipairs(URL_DONE) do done[filter] = name end
  return done
end

-- Literal text of a form: what its author need not know how to encode is encoded. What was encoded stays: %XX and +.
local function form_text(text)
  text = gsub(text, "%s+", function(blanks) return find(blanks, "[\r\n]") and "" or nil end)
  return (gsub(text, "()([^%w&=+*._-])", function(at, c)
    if c == " " then return "+" end
    if c == "%" and find(text, "^%x%x", at + 1) then return c end
    return format("%%%02X", byte(c))
  end))
end

local function prepare_form(block)
  local visit = emitting("form", done_as "form")
  visit.text = function(node) node.text = form_text(node.text) end
  walk(block, visit)
  return block
end

local function prepare_url(block)
  local path, query = emitting("url_path", done_as "url_path"), emitting("url_query", done_as "url_query")
  local output = path.output
  walk(block, {
    text = function(node)
      if find(node.text, "[?#]") then output = query.output end
    end,
    output = function(node) output(node) end,
    capture = nothing,
  })
  return block
end

---------------------------------------------------------------------------------------------- html and xml

local MARKUP_DONE = { escape = "markup", escape_once = "markup_once", newline_to_br = "markup_br", raw = "txt" }

-- Within a tag, a quoted attribute or the name of the tag's element is noted behind a blank: 'tag "', "tag script",
-- "tag script '". An attribute that is a script (onclick="…") has a "!" for the blank.
local function in_tag(text, context, i)
  local quote = match(context, "[\"']$")
  if quote then
    local at = find(text, quote, i, true)
    return at and sub(context, 1, -3) or context, at and at + 1 or #text + 1
  end
  local at = find(text, "[>\"']", i)
  if not at then return context, #text + 1 end
  local c = sub(text, at, at)
  if c == ">" then return match(context, "^tag (%a+)$") or "text", at + 1 end
  local is_script = find(lower(sub(text, i, at)), "%f[%w:_-]on%a+%s*=%s*[\"']$")
  return context .. (is_script and "!" or " ") .. c, at + 1
end

local function in_text(text, i)
  local at = find(text, "<[!/%a?]", i)
  if not at then return find(text, "</?$", i) and "tag" or "text", #text + 1 end
  if sub(text, at, at + 3) == "<!--" then return "comment", at + 4 end
  local name = lower(match(text, "^<(%a*)", at))
  return (name == "script" or name == "style") and "tag " .. name or "tag", at + 1
end

-- `small` is the text in small letters.
local function behind(small, ending, context, i)
  local at, stop = find(small, ending, i, true)
  if not at then return context, #small + 1 end
  return context == "comment" and "text" or "tag", stop + 1
end

-- Passes over literal text from a context on: "text", "tag" (see above), "comment", "script" or "style". Returns that
-- at its end.
local function markup_context(text, context)
  local i, small = 1, lower(text)
  while i <= #text do
    if context == "text" then
      context, i = in_text(text, i)
    elseif context == "comment" then
      context, i = behind(small, "-->", context, i)
    elseif context == "script" or context == "style" then
      context, i = behind(small, "</" .. context, context, i)
    else
      context, i = in_tag(text, context, i)
    end
  end
  return context
end

local function check_context(source, node, context)
  if find(context, "![\"']$") then
    fault.raise(source, node.at, "a value stands within a script here (on…=\"…\"), where no escape is safe",
      "put it into another attribute, such as data-name=\"{{ name }}\"")
  end
  if context == "text" or context == "comment" or find(context, "[\"']$") then return end
  if find(context, "^tag") then
    fault.raise(source, node.at, "a value stands within a tag here, outside of quotes",
      'put quotes around it, as in width="{{ width }}"')
  end
  fault.raise(source, node.at, format("a value stands within <%s> here, where no escape is safe", context),
    "put it into a quoted attribute, such as data-name=\"{{ name }}\"")
end

-- The names that are captured in a block and never set in another way, by name.
local function captured_names(block, names)
  for _, node in ipairs(block) do
    local name = node.name
    if node.kind == "capture" then
      names[name] = names[name] ~= false
    elseif name and node.kind ~= "render" then
      names[name] = false
    elseif node.shares_scope then
      names[1] = false -- who is included may set any
    end
    for _, part in ipairs(node.branches or node.clauses or {}) do captured_names(part.body, names) end
    if node.body then captured_names(node.body, names) end
    if node.otherwise then captured_names(node.otherwise, names) end
  end
  return names
end

local function is_captured(node, state)
  local value = node.value
  return value and value.kind == "path" and #value.keys == 0 and state.captured[value.head]
end

local markup_block

local function markup_output(state, node)
  local filter = last_filter(node)
  if filter ~= "raw" then check_context(state.source, node, state.context) end
  if is_captured(node, state) then
    node.emit = state.context == "text" and "txt" or "markup"
    return
  end
  node.emit = MARKUP_DONE[filter] or "markup"
  if MARKUP_DONE[filter] then strip(node) end
end

-- A body that may be left out or repeated: it has to end where it began, with what it captured forgotten.
local function markup_body(state, body, node)
  local outer, captured = state.context, state.captured
  state.captured = setmetatable({}, { __index = captured })
  markup_block(state, body)
  state.captured = captured
  if state.context ~= outer then
    fault.raise(state.source, node.at, "a tag or a quote is opened in here and closed elsewhere",
      "open and close it in the same branch")
  end
end

local function markup_capture(state, node)
  local context = state.context
  state.context = "text"
  markup_body(state, node.body, node)
  state.context = context
  state.captured[node.name] = state.names[1] ~= false and state.names[node.name] or nil
end

function markup_block(state, block)
  for _, node in ipairs(block) do
    if node.kind == "text" then
      state.context = markup_context(node.text, state.context)
    elseif node.kind == "output" or node.kind == "cycle" or node.kind == "increment" or node.kind == "decrement" then
      markup_output(state, node)
    elseif node.kind == "capture" then
      markup_capture(state, node)
    else
      if node.kind == "render" then check_context(state.source, node, state.context) end
      for _, part in ipairs(node.branches or node.clauses or {}) do markup_body(state, part.body, part) end
      if node.body then markup_body(state, node.body, node) end
      if node.otherwise then markup_body(state, node.otherwise, node) end
    end
  end
end

local function prepare_markup(block, source, is_partial)
  local state = { source = source, context = "text", captured = {}, names = captured_names(block, {}) }
  markup_block(state, block)
  if is_partial and state.context ~= "text" then
    fault.raise(source, #source.text + 1, "this payload, which others render, ends within a tag, a comment or a script",
      "close what is opened in the same payload")
  end
  return block
end

---------------------------------------------------------------------------------------------- the whole

local function prepare_with(name)
  return function(block)
    local visit = emitting(name)
    if name == "text" then visit.capture = function(node) walk(node.body, visit) end end
    walk(block, visit)
    return block
  end
end

local KINDS = {
  json = json_shape.of, form = prepare_form, url = prepare_url, html = prepare_markup, xml = prepare_markup,
  header = prepare_with "header", txt = prepare_with "txt", text = prepare_with "text",
}

-- A text partial within a JSON string: prepared as its kind wants it, then all of it escaped.
local function prepare_in_json(block, kind, source)
  block = escapes.prepare(block, { kind = kind, source = source, is_partial = true })
  walk(block, {
    text = function(node) node.text = emitters.json_string(node.text) end,
    output = function(node) node.emit = "in_json_" .. (node.emit or "text") end,
    capture = nothing,
  })
  return block
end

-- Prepares the tree (of jaunt.liquid.parser; it is changed) of a template for the compiler: each node that puts
-- something out gets `emit`, the name of its emitter. info = { kind = "json", "form", "html", "xml", "url", "header",
-- "txt" or "text", source = { text =, path = }, is_partial }; "in_json:KIND" is for a text partial within the quotes of
-- a JSON payload. Returns the tree; raises a fault.
function escapes.prepare(block, info)
  local inner = match(info.kind, "^in_json:(.+)$")
  if inner then return prepare_in_json(block, inner, info.source) end
  local prepare = KINDS[info.kind] or error("no kind of payload is called " .. info.kind)
  if info.kind ~= "json" then json_shape.refuse_omit(info.source, block) end
  return prepare(block, info.source, info.is_partial)
end

return escapes
