-- HTML and XML: how each output of a template is escaped where it stands, and where none may stand.
--
-- Called by jaunt.liquid.escapes; jaunt.liquid.markup_place knows where one is. A value may stand
--   between tags, in attributes in quotes, in HTML's comments: & < > " and ' become entities, so that it ends nothing;
--     what Outlook reads in <!--[if mso]> … <![endif]--> is no comment
--   in a URL (href, src and their like), in HTML: at its start only as http, https, mailto, tel, sms, or without a
--     scheme; of another one it becomes nothing, and is counted. Behind ? or # it is percent-encoded
--   in style="…" and <style>, in HTML: as a part of a word or text of CSS, or of a URL in url(…)
--   in <script>: in quotes as text, elsewhere only by | json
-- and nowhere else: in a tag outside of quotes, in onclick="…" and its like, in a URL that is a script. | raw as the
-- last filter takes the escaping away, and the refusal with it.
--
-- What {% capture %} gathers is markup: its outputs are escaped there, and {{ its_name }} alone, behind the capture and
-- between tags, is put out as it is. | newline_to_br as the last filter works on the escaped text.
--
-- Partials are looked at by themselves, from text to text, and may be rendered where text may stand; in an attribute,
-- if its quote is not in them.

local fault = require "jaunt.liquid.fault"
local place = require "jaunt.liquid.markup_place"
local trees = require "jaunt.liquid.trees"

local find, ipairs, setmetatable = string.find, ipairs, setmetatable

local markup = {}
markup.__index = markup

---------------------------------------------------------------------------------------------- outputs

-- Filters that escape already, by what they then are as the last one.
local TEXT_DONE = { escape = "markup", escape_once = "markup_once", newline_to_br = "markup_br" }
local ELSEWHERE_DONE = { escape = true, escape_once = true }
local JSON_DONE = { json = true, to_json = true }
local ENCODED = { url_encode = true, url_escape = true, url_param_escape = true }

local function refuse(self, node, what, hint)
  fault.raise(self.source, node.at, "a value stands " .. what, hint)
end

local function in_text(_, node)
  local done = TEXT_DONE[trees.last_filter(node)]
  if done then trees.strip(node) end
  return done or "markup"
end

local URL = { [place.START] = "markup_url", [place.OPEN] = "markup_url_rest", [place.QUERY] = "url_query" }

local function in_url(self, node, here)
  if here.part == place.PATH then return in_text(self, node) end
  local filter = trees.last_filter(node)
  if ELSEWHERE_DONE[filter] or here.part == place.QUERY and ENCODED[filter] then trees.strip(node) end
  return URL[here.part]
end

local function in_css(prefix)
  return function(_, node, here)
    if ELSEWHERE_DONE[trees.last_filter(node)] then trees.strip(node) end
    return here.mode == "css" and "css" or prefix .. "css_" .. here.mode
  end
end

local function in_script(self, node, here)
  local filter = trees.last_filter(node)
  if here.mode == '"' or here.mode == "'" then
    if filter == "json_escape" or ELSEWHERE_DONE[filter] then trees.strip(node) end
    return "script_text"
  elseif here.mode ~= "code" then
    refuse(self, node, "within <script> here, where no escape is safe",
      'put it into a variable at the beginning of the script: let name = {{ name | json }}')
  elseif not JSON_DONE[filter] then
    refuse(self, node, "within <script> here, and is no text in quotes", "write | json as its last filter")
  end
  trees.strip(node)
  return "script_json"
end

local function never(what, hint)
  return function(self, node) refuse(self, node, what, hint) end
end

-- What gives the emitter, by the kind of an attribute.
local ATTRIBUTES = {
  text = in_text, url = in_url, style = in_css("markup_"),
  script = never('within a script here (on…="…", or javascript:), where no escape is safe',
    'put it into another attribute, such as data-name="{{ name }}"'),
  document = never('within a document in an attribute here (srcdoc="…"), where no escape is safe',
    "send the document by itself"),
  uncertain = never("within an attribute here whose name is not certain",
    'write name and quotes together, as in title="{{ title }}"'),
}

-- And by where it stands.
local PLACES = {
  text = in_text, script = in_script, style = in_css(""),
  attribute = function(self, node, here) return ATTRIBUTES[here.kind](self, node, here) end,
  tag = never("within a tag here, outside of quotes", 'put quotes around it, as in width="{{ width }}"'),
  cdata = never("within <![CDATA[ here", "take <![CDATA[ and ]]> away: values are escaped without them"),
  comment = function(self, node)
    if not self.is_xml then return in_text(self, node) end
    refuse(self, node, "within a comment here, which must not hold --", "write {% comment %} … {% endcomment %}")
  end,
}

local function in_xml_style(self, node)
  refuse(self, node, "within <style> here, where no escape is safe",
    'put it into a quoted attribute, such as data-name="{{ name }}"')
end

local function is_captured(self, node)
  local value = node.value
  return value and value.kind == "path" and #value.keys == 0 and self.captured[value.head]
end

function markup:output(node)
  local here = self.here
  node.written = node.written or node.value -- a loop's body may be looked at twice
  node.value = node.written
  if trees.last_filter(node) == "raw" then
    trees.strip(node)
    node.emit = "txt"
  elseif here.at == "text" and is_captured(self, node) then
    node.emit = "txt"
  elseif here.at == "style" and self.is_xml then
    in_xml_style(self, node)
  else
    node.emit = PLACES[here.at](self, node, here)
  end
  self.here = place.behind_value(here)
end

---------------------------------------------------------------------------------------------- the walk

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
    for _, body in ipairs(trees.bodies(node)) do captured_names(body, names) end
  end
  return names
end

-- The place behind a body that begins at `here` and may be left out: it has to end where it began, with what it
-- captured forgotten.
function markup:body(body, node, here)
  local captured = self.captured
  self.captured = setmetatable({}, { __index = captured })
  self.here = here
  self:block(body)
  self.captured = captured
  if not place.join(here, self.here) then
    fault.raise(self.source, node.at, "a tag or a quote is opened in here and closed elsewhere",
      "open and close it in the same branch")
  end
  return self.here
end

-- An if, of which at most one body is rendered; or a case, of which one may follow another.
function markup:branches(node)
  local outer, met = self.here, nil
  local is_whole = node.otherwise ~= nil
  for _, part in ipairs(node.branches or node.clauses) do
    local behind = self:body(part.body, part, node.clauses and met and place.join(outer, met) or outer)
    met = met and place.join(met, behind) or behind
    is_whole = is_whole or node.clauses ~= nil and part.values == nil
  end
  if node.otherwise then met = place.join(met, self:body(node.otherwise, node, outer)) end
  self.here = is_whole and met or met and place.join(outer, met) or outer
end

-- A for's body, which is rendered at `here`, where it also has to end.
function markup:turn(node, here)
  self.left = here
  local behind = place.join(here, self:body(node.body, node, here))
  return place.join(behind, self.left)
end

-- A for, whose body may be rendered again behind itself.
function markup:loop(node)
  local outer, left = self.here, self.left
  local again = self:turn(node, outer)
  if again ~= outer then again = self:turn(node, again) end
  self.left = left
  self.here = node.otherwise and place.join(again, self:body(node.otherwise, node, outer)) or again
end

-- A break or continue: behind it a loop, or a payload, goes on where it began.
function markup:leave(node)
  self.left = place.join(self.left, self.here)
  if self.left then return end
  fault.raise(self.source, node.at, "a tag or a quote that is opened before this is closed behind it",
    "write {% " .. node.kind .. " %} before it is opened")
end

function markup:capture(node)
  local here = self.here
  self:body(node.body, node, place.TEXT)
  self.here = here
  self.captured[node.name] = self.names[1] ~= false and self.names[node.name] or nil
end

-- Whether literal text of a block, or of the partials in it, holds a quote. `seen` has the blocks that were looked at.
local function holds(quote, block, seen)
  seen[block] = true
  for _, node in ipairs(block) do
    local inner = node.partial and node.partial.block
    if node.kind == "text" and find(node.text, quote, 1, true) then return true end
    if inner and not seen[inner] and holds(quote, inner, seen) then return true end
    for _, body in ipairs(trees.bodies(node)) do
      if holds(quote, body, seen) then return true end
    end
  end
  return false
end

function markup:render(node)
  local here = self.here
  local is_text = here.at == "text" or here.at == "comment" and not self.is_xml
    or here.at == "attribute" and here.kind == "text"
  if not is_text then
    fault.raise(self.source, node.at, "another payload is rendered here, where no text may stand",
      "render it between tags, or write here what is in it")
  elseif here.at == "attribute" and holds(here.quote, node.partial.block, {}) then
    fault.raise(self.source, node.at, "another payload is rendered in an attribute here, and has its quote " ..
      here.quote .. " in it", "render it between tags, or write here what is in it")
  end
end

function markup:text(node)
  self.here = place.behind(node.text, self.here, self.is_xml)
  if self.here.scheme_of_value then
    fault.raise(self.source, node.at, "the scheme of this URL would be what a value says",
      'write it, as in href="https://{{ host }}/"')
  end
end

function markup:block(block)
  for _, node in ipairs(block) do
    if node.kind == "text" or node.kind == "capture" or node.kind == "render" then
      self[node.kind](self, node)
    elseif trees.is_output(node) then
      self:output(node)
    elseif node.kind == "for" then
      self:loop(node)
    elseif node.kind == "break" or node.kind == "continue" then
      self:leave(node)
    elseif node.branches or node.clauses then
      self:branches(node)
    end
  end
end

-- Prepares the tree of a template (see jaunt.liquid.escapes).
function markup.prepare(block, source, is_partial, is_xml)
  local self = setmetatable({
    source = source, is_xml = is_xml, here = place.TEXT, left = place.TEXT, captured = {},
    names = captured_names(block, {}),
  }, markup)
  self:block(block)
  if is_partial and self.here.at ~= "text" then
    fault.raise(source, #source.text + 1, "this payload, which others render, ends within a tag, a comment or a script",
      "close what is opened in the same payload")
  end
  return block
end

return markup
