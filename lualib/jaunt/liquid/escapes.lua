-- The kind of a payload decides how values are escaped: which emitter each output of a template gets.
--
-- Called by jaunt.liquid on a parsed tree, before it is compiled; the emitters are jaunt.liquid.emitters'.
--
--   json        see jaunt.liquid.json_shape
--   html, xml   see jaunt.liquid.markup
--   form        application/x-www-form-urlencoded (WHATWG URL, 5.2): a value is percent-encoded, a space is +. So is
--               the literal text, but for & = + and %XX; line breaks in it and the blanks around them are left out, so
--               that each pair may have a line of its own
--   url         RFC 3986: all but unreserved characters are percent-encoded, in the path and in the query. A value in
--               the path must not be nil, empty, "." or "..", which would make another path of it
--   header      RFC 9110, 5.5: line ends, NUL and other controls become blanks, as that asks of who receives them; so
--               nothing ends a header early
--   txt         as it is, made UTF-8
--   text        as it is: what a capture gathers in all kinds but html and xml
-- url_encode, url_escape and url_param_escape (form, url) as the last filter are what happens anyway, and not done
-- twice.

local emitters = require "jaunt.liquid.emitters"
local json_shape = require "jaunt.liquid.json_shape"
local markup = require "jaunt.liquid.markup"
local trees = require "jaunt.liquid.trees"

local byte, find, format, gsub, match = string.byte, string.find, string.format, string.gsub, string.match
local ipairs = ipairs
local last_filter, strip, walk = trees.last_filter, trees.strip, trees.walk

local escapes = {}

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

---------------------------------------------------------------------------------------------- the whole

local function prepare_with(name)
  return function(block)
    local visit = emitting(name)
    if name == "text" then visit.capture = function(node) walk(node.body, visit) end end
    walk(block, visit)
    return block
  end
end

local function prepare_markup(is_xml)
  return function(block, source, is_partial) return markup.prepare(block, source, is_partial, is_xml) end
end

local KINDS = {
  json = json_shape.of, form = prepare_form, url = prepare_url,
  html = prepare_markup(false), xml = prepare_markup(true),
  header = prepare_with "header", txt = prepare_with "txt", text = prepare_with "text",
}

-- A text partial within a JSON string: prepared as its kind wants it, then all of it escaped.
local function prepare_in_json(block, kind, source)
  block = escapes.prepare(block, { kind = kind, source = source, is_partial = true })
  walk(block, {
    text = function(node) node.text = emitters.by_name.json_string(node.text) end,
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
