-- Where in an HTML or XML document one is, behind some literal text: between tags, in a tag, in an attribute's URL, in
-- a script.
--
-- Called by jaunt.liquid.markup, which decides what may be put out there. A place is never changed:
--   at       "text", "tag", "attribute", "comment", "cdata" (XML's <![CDATA[), "script" or "style" (elements)
--   element  in a tag and its attributes: "script" or "style", if that is the element that begins
--   name     in a tag: what stands at its end so far, where that may be an attribute's name, with UNKNOWN for what is
--            not known of it; false where a value without quotes may have begun
--   quote    in an attribute: ' or ", and
--   kind     what it is: "text", "url", "style", "script" (onclick="…"), "document" (srcdoc="…"), or "uncertain"
--   part     of a URL: START, where its scheme is still to come, OPEN, PATH or QUERY
--   valued   of a URL: whether a value was put out in it
--   mode     of CSS: "css", "url" (in url(…)) or "path" (there, behind its scheme); of a script: "code", "'", '"', "`",
--            "line" and "block" (comments), or "lost", where it is not known
-- The rules are HTML's (WHATWG, 13.2.5) where they differ. In XML a tag's attributes mean nothing to us, but for those
-- that are scripts: XHTML and SVG have them.

local char, find, gsub, lower, match, sub =
  string.char, string.find, string.gsub, string.lower, string.match, string.sub
local ipairs, min, max, next, pairs, tonumber = ipairs, math.min, math.max, next, pairs, tonumber

local place = {}

local START, OPEN, PATH, QUERY = 1, 2, 3, 4
place.START, place.OPEN, place.PATH, place.QUERY = START, OPEN, PATH, QUERY

local TEXT, COMMENT, CDATA = { at = "text" }, { at = "comment" }, { at = "cdata" }
place.TEXT = TEXT

local NAME_MOST = 80 -- bytes of a tag in which an attribute's name is looked for

local URLS = {}
for name in ("href src action formaction data background poster cite longdesc"):gmatch "%S+" do URLS[name] = "url" end

-- A place that differs in `changes`; the same one where it doesn't.
local function with(here, changes)
  local made, key, value = {}, next(changes)
  while key and here[key] == value do key, value = next(changes, key) end
  if key == nil then return here end
  for field, held in pairs(here) do made[field] = held end
  for key, value in pairs(changes) do made[key] = value end
  return made
end

-- Attributes of vendors that only look like scripts.
local WORDS = { once = true, one = true, ongoing = true, online = true, only = true, onset = true, onsite = true }

---------------------------------------------------------------------------------------------- tags

local function tag(element, name)
  return { at = "tag", element = element, name = name }
end

local UNKNOWN = "\0" -- a character that no name has

local function kind_of(self, name)
  if name == false or find(name, UNKNOWN, 1, true) then return "uncertain" end
  if not find(name, "=%s*$") then return self.is_xml and "text" or "uncertain" end -- XML's <!DOCTYPE
  name = lower(match(name, "([^%s\"'<>/=]+)%s*=%s*$") or "")
  if find(name, "^on%a+$") and not WORDS[name] then return "script" end
  if self.is_xml then return "text" end
  return name == "style" and "style" or name == "srcdoc" and "document" or URLS[match(name, "[^:]*$")] or "text"
end

local function attribute(self, before, quote, name)
  local kind = kind_of(self, name)
  return { at = "attribute", element = before.element, quote = quote, kind = kind,
    part = kind == "url" and START or nil, mode = kind == "style" and "css" or nil }
end

-- What follows a tag's end.
local function behind_tag(element)
  if element == "script" then return { at = "script", mode = "code" } end
  if element == "style" then return { at = "style", mode = "css" } end
  return TEXT
end

---------------------------------------------------------------------------------------------- what attributes hold

local SCRIPTS = { javascript = true, vbscript = true }

local ENTITIES = { amp = "&", colon = ":", Tab = "", NewLine = "" }

-- The text of a URL as it is where its entities are read, as far as its parts depend on it.
local function decoded(chunk)
  if not find(chunk, "&", 1, true) then return chunk end
  chunk = gsub(chunk, "&#([xX]?)(%x+);?", function(is_hex, digits)
    local code = tonumber(digits, is_hex == "" and 10 or 16)
    return code and code < 128 and char(code) or "."
  end)
  return (gsub(chunk, "&(%a+);", ENTITIES))
end

-- A URL behind some more of its literal text. Where a value might have said its scheme, `place.scheme_of_value`. Behind
-- a value that begins it, as in "{{ url }}&a=", & says that the value had its ? already.
local function url_behind(at, chunk)
  local part, kind = at.part, at.kind
  chunk = decoded(chunk)
  local scheme = part <= OPEN and match(chunk, "^([^/?#:]*):")
  if scheme and at.valued then return { at = "attribute", scheme_of_value = true } end
  if scheme and SCRIPTS[lower(gsub(scheme, "[%c%s]", ""))] then kind = "script" end
  if find(chunk, at.valued and "[?#&]" or "[?#]") then
    part = QUERY
  elseif part < PATH and find(chunk, "[:/]") then
    part = PATH
  elseif part == START and find(chunk, "%S") then
    part = OPEN
  end
  return with(at, { kind = kind, part = part })
end

-- The mode of CSS behind some more of it.
local function css_mode(chunk, mode)
  local i = 1
  while true do
    local is_css = mode == "css"
    local _, stop = find(chunk, is_css and "[uU][rR][lL]%(" or ")", i, not is_css)
    if not stop then break end
    mode, i = is_css and "url" or "css", stop + 1
  end
  return mode == "url" and find(chunk, "[/?#]", i) and "path" or mode
end

-- The mode of a script behind some more of it, and how far it was read. A slash may begin a regular expression, which
-- may hold quotes: from there on one is lost.
local SCRIPT = {
  code = function(text, i)
    local at = find(text, "[\"'`/<-]", i)
    local c = at and sub(text, at, at)
    if not at then return "code", #text + 1 end
    if c == "/" then
      local next = sub(text, at + 1, at + 1)
      return next == "/" and "line" or next == "*" and "block" or "lost", at + 2
    elseif c == "<" or c == "-" then
      if sub(text, at, at + 3) == "<!--" then return "line", at + 4 end
      return sub(text, at, at + 2) == "-->" and "lost" or "code", at + 1
    end
    return c, at + 1
  end,
  line = function(text, i)
    local at = find(text, "[\r\n]", i)
    return at and "code" or "line", (at or #text) + 1
  end,
  block = function(text, i)
    local _, stop = find(text, "*/", i, true)
    return stop and "code" or "block", (stop or #text) + 1
  end,
  lost = function(text) return "lost", #text + 1 end,
}

for _, quote in ipairs { "'", '"', "`" } do
  SCRIPT[quote] = function(text, i)
    local at = find(text, "[\\\n" .. quote .. (quote == "`" and "$" or "") .. "]", i)
    local c = at and sub(text, at, at)
    if not at then return quote, #text + 1 end
    if c == "\\" then return at == #text and "lost" or quote, at + 2 end
    if c == "$" then return "lost", at + 1 end
    return (c == "\n" and quote == "`") and quote or "code", at + 1
  end
end

local function script_mode(chunk, mode)
  local i = 1
  while i <= #chunk do mode, i = SCRIPT[mode](chunk, i) end
  return mode
end

---------------------------------------------------------------------------------------------- literal text

-- Each reads on from byte `i` of a text at a place: the place behind what it has read, and the next byte.
local READ = {}

function READ.text(self, text, i)
  local at = find(text, "<[!/%a?]", i)
  if not at then
    return find(text, "</?$", i) and tag(nil, "") or TEXT, #text + 1
  elseif sub(text, at, at + 3) == "<!--" then
    local _, stop = find(self.small, "^<!%-%-%[if[^%]>]*%]>", at)
    if stop and not self.is_xml then return TEXT, stop + 1 end -- Outlook reads what is in it as HTML
    return COMMENT, at + 2 -- <!--> is one
  elseif self.is_xml and sub(text, at, at + 8) == "<![CDATA[" then
    return CDATA, at + 9
  end
  local name = lower(match(text, "^<([^%s/>]*)", at))
  return tag((name == "script" or name == "style") and name or nil, ""), at + 1
end

function READ.tag(self, text, i, here)
  local at = find(text, "[>\"']", i)
  local last = (at or #text + 1) - 1
  local name = here.name and here.name .. sub(text, max(i, last - NAME_MOST), last)
  -- Behind a = that no quote follows, quotes are part of the value.
  if name then name = find(name, "=%s*[^%s>]+$") and UNKNOWN or match(name, "[^%s\"'<>/]*%s*=?%s*$") end
  if not at then return tag(here.element, name), #text + 1 end
  if sub(text, at, at) ~= ">" then return attribute(self, here, sub(text, at, at), name), at + 1 end
  local is_closed = self.is_xml and sub(text, at - 1, at - 1) == "/"
  return behind_tag(not is_closed and here.element), at + 1
end

function READ.attribute(_, text, i, here)
  local at = find(text, here.quote, i, true)
  local chunk = sub(text, i, (at or #text + 1) - 1)
  local behind = here
  if here.kind == "url" then behind = url_behind(here, chunk) end
  if behind.scheme_of_value then return behind, #text + 1 end
  if at then return tag(here.element, ""), at + 1 end
  if here.kind == "style" then behind = with(here, { mode = css_mode(chunk, here.mode) }) end
  return behind, #text + 1
end

local function ended_by(pattern, behind)
  return function(_, text, i, here)
    local _, stop = find(text, pattern, i)
    return stop and behind or here, (stop or #text) + 1
  end
end

READ.comment = ended_by("%-%-!?>", TEXT)
READ.cdata = ended_by("%]%]>", TEXT)

local function in_element(mode_of)
  return function(self, text, i, here)
    local at, stop = find(self.small, "</" .. here.at .. "%f[%s/>\0]", i)
    if at then return tag(nil, ""), stop + 1 end
    return { at = here.at, mode = mode_of(sub(text, i), here.mode) }, #text + 1
  end
end

READ.script, READ.style = in_element(script_mode), in_element(css_mode)

-- The place behind a text that begins at `here`, in HTML or XML.
function place.behind(text, here, is_xml)
  local reading = { is_xml = is_xml, small = lower(text) }
  local i = 1
  while i <= #text do here, i = READ[here.at](reading, text, i, here) end
  return here
end

---------------------------------------------------------------------------------------------- places

local function join_names(a, b)
  if a == b then return a end
  if not a or not b or find(a .. b, "=", 1, true) then return false end
  local is_open = find(a, "%S$") or find(b, "%S$")
  return is_open and UNKNOWN or UNKNOWN .. " "
end

local function join_modes(a, b)
  if a.at == "script" then return "lost" end
  return (a.mode == "css" or b.mode == "css") and "css" or "url"
end

-- The place where two ways meet, or nil where they can't. Where they are not quite the same, it is the one that asks
-- for more.
function place.join(a, b)
  if a == b then return a end
  for _, field in ipairs { "at", "element", "quote", "kind" } do
    if a[field] ~= b[field] then return nil end
  end
  if a.mode ~= b.mode then return with(a, { mode = join_modes(a, b) }) end
  if a.at == "tag" then return with(a, { name = join_names(a.name, b.name) }) end
  if a.part == nil then return a end
  return with(a, { part = min(a.part, b.part), valued = a.valued or b.valued })
end

-- The place behind a value that is put out.
function place.behind_value(here)
  if here.at == "tag" then return tag(here.element, UNKNOWN) end
  if here.part == nil or here.part > OPEN then return here end
  return with(here, { part = OPEN, valued = true })
end

return place
