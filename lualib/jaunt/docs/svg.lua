-- The drawing of a diagram as SVG: shapes, lines and texts, in the order in which they are given. Everything that is
-- a text is escaped here; colours are classes, for light and dark.

local escapes = require "jaunt.docs.escapes"
local measure = require "jaunt.docs.measure"

local svg = {}
svg.__index = svg

-- Sizes of letters by class (titles, details, notes), and the height of a line, in pixels. Bold ones are as wide as
-- larger ones.
svg.SIZES = { t = 13 * 1.13, d = 11.5, n = 11.5 * 1.13 }
svg.DETAIL, svg.LINE = svg.SIZES.d, 16

-- Colours of what may stand in a diagram: light, and dark.
local COLOURS = {
  { "call", "#e8f0fe", "#2f6fde", "#1b2a44", "#7aa7f7" }, { "wait", "#fdf3dc", "#c98a04", "#3a2f16", "#e5b64a" },
  { "split", "#f1e9fd", "#8148d8", "#2f2147", "#b78df5" }, { "test", "#f3f4f6", "#8a919c", "#2a2d33", "#8a919c" },
  { "start", "#e6f6ec", "#2b8a4b", "#19331f", "#63c282" }, { "completed", "#e6f6ec", "#2b8a4b", "#19331f", "#63c282" },
  { "dropped", "#fdeaea", "#c93a3a", "#411f1f", "#f08585" }, { "exited", "#e2f5f6", "#17808a", "#15353a", "#5fc3cd" },
  { "held", "#fdeee0", "#c76a12", "#40291a", "#eda35f" }, { "again", "#f3f4f6", "#8a919c", "#2a2d33", "#8a919c" },
}

local FIXED = [[
.jd text{unicode-bidi:plaintext;font-family:system-ui,-apple-system,"Segoe UI",Helvetica,Arial,sans-serif;fill:var(--jd-ink)}
.jd .t{font-size:13px;font-weight:600}
.jd .d{font-size:11.5px;fill:var(--jd-soft)}
.jd .n{font-size:11.5px;font-weight:600;fill:var(--jd-soft)}
.jd .l{fill:none;stroke:var(--jd-line);stroke-width:1.5;stroke-linejoin:round;stroke-linecap:round}
.jd .a{fill:var(--jd-line)}
.jd .x{fill:var(--jd-back)}
.jd .s{stroke-width:1.4}
.jd .un{stroke-dasharray:5 4}
.jd a{text-decoration:none}
.jd a:hover .t{text-decoration:underline}
]]

local function variables(dark)
  local parts = dark and { "--jd-ink:#e8eaed;--jd-soft:#a9b0ba;--jd-line:#7f8792;--jd-back:#16181c" }
    or { "--jd-ink:#1d2127;--jd-soft:#59616d;--jd-line:#828a96;--jd-back:#ffffff" }
  for _, colour in ipairs(COLOURS) do
    local inner, edge = colour[dark and 4 or 2], colour[dark and 5 or 3]
    parts[#parts + 1] = ("--jd-%s:%s;--jd-%s-edge:%s"):format(colour[1], inner, colour[1], edge)
  end
  return table.concat(parts, ";")
end

-- The style sheet of diagrams; light on paper, whatever the screen is.
function svg.style()
  local parts = { FIXED, ".jd{", variables(false), "}\n" }
  parts[#parts + 1] = "@media screen and (prefers-color-scheme:dark){.jd{" .. variables(true) .. "}}\n"
  for _, colour in ipairs(COLOURS) do
    parts[#parts + 1] = (".jd .NAME{fill:var(--jd-NAME);stroke:var(--jd-NAME-edge)}\n"):gsub("NAME", colour[1])
  end
  return table.concat(parts)
end

-- An empty drawing.
function svg.new()
  return setmetatable({ parts = {}, lines = {}, spans = {} }, svg)
end

local TEXT = '<text class="%s" x="%.1f" y="%.1f" text-anchor="middle">%s</text>'

local function put(self, ...) self.parts[#self.parts + 1] = string.format(...) end

-- A line through points { x, y, x, y, … }; with an arrow's head at its end where `head`.
function svg:path(points, head)
  local text = {}
  for i = 1, #points, 2 do text[#text + 1] = ("%s%.1f %.1f"):format(i == 1 and "M" or "L", points[i], points[i + 1]) end
  self.lines[#self.lines + 1] = ('<path class="l" d="%s"/>'):format(table.concat(text))
  if not head then return end
  local x, y = points[#points - 1], points[#points]
  local dx, dy = x - points[#points - 3], y - points[#points - 2]
  local length = math.max(1, math.sqrt(dx * dx + dy * dy))
  dx, dy = dx / length, dy / length
  local head_form = '<path class="a" d="M%.1f %.1fL%.1f %.1fL%.1f %.1fZ"/>'
  self.lines[#self.lines + 1] = head_form:format(x, y, x - 7 * dx - 4 * dy,
    y - 7 * dy + 4 * dx, x - 7 * dx + 4 * dy, y - 7 * dy - 4 * dx)
end

local HEAD = '<svg xmlns="http://www.w3.org/2000/svg" class="jd" role="img" width="%.0f" height="%.0f" '
  .. 'viewBox="0 0 %.0f %.0f"><title>%s</title>'
local RECT = '<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" rx="%.1f"'
local HEXAGON = '<path d="M%.1f %.1fL%.1f %.1fL%.1f %.1fL%.1f %.1fL%.1f %.1fL%.1f %.1fZ"'

local SHAPES = {
  box = function(x, y, w, h) return RECT:format(x, y, w, h, 7) end,
  pill = function(x, y, w, h) return RECT:format(x, y, w, h, math.min(h / 2, 14)) end,
  hexagon = function(x, y, w, h)
    local cut = math.min(12, h / 2)
    local left, right, middle = x + cut, x + w - cut, y + h / 2
    return HEXAGON:format(left, y, right, y, x + w, middle, right, y + h, left, y + h, x, middle)
  end,
}

-- A shape with lines of text in its middle: lines are { text =, class = "t", "d" or "n" }. options: class (of
-- colours), shape, title (shown when pointed at), link (an anchor of this page), unreached.
function svg:node(x, y, w, h, lines, options)
  self.spans[#self.spans + 1] = { y, y + h }
  put(self, '<g>%s%s', options.title and ("<title>%s</title>"):format(escapes.html(options.title)) or "",
    options.link and ('<a href="#%s">'):format(escapes.html(options.link)) or "")
  local shape = SHAPES[options.shape or "box"](x, y, w, h)
  put(self, '%s class="s %s%s"/>', shape, options.class, options.unreached and " un" or "")
  local top = y + (h - #lines * svg.LINE) / 2
  for i, line in ipairs(lines) do
    put(self, TEXT, line.class, x + w / 2, top + i * svg.LINE - 4, escapes.html(line.text))
  end
  put(self, options.link and "</a></g>" or "</g>")
end

-- A short text on a line, with the background behind it; x, y is its middle, or its left end where `left`.
function svg:label(x, y, text, left)
  local width = measure.width(text, svg.DETAIL) + 8
  local from = left and x or x - width / 2
  self.spans[#self.spans + 1] = { y - 8, y + 8 }
  put(self, '<rect class="x" x="%.1f" y="%.1f" width="%.1f" height="16"/>', from, y - 8, width)
  put(self, TEXT, "d", from + width / 2, y + 4, escapes.html(text))
end

-- The whole as an element <svg>. options: title, alone (it is a file of its own, with its style).
function svg:text(w, h, options)
  local alone = "<style>" .. svg.style() .. '</style><rect class="x" width="100%" height="100%"/>'
  return table.concat({
    HEAD:format(w, h, w, h, escapes.html(options.title)) .. (options.alone and alone or ""), '<g id="drawing" class="jd">',
    table.concat(self.lines, "\n"), table.concat(self.parts, "\n"), "</g></svg>\n",
  }, "\n")
end

local MARGIN = 3 -- pixels between a cut and a node

local function is_free(self, y)
  for _, span in ipairs(self.spans) do
    if y > span[1] - MARGIN and y < span[2] + MARGIN then return false end
  end
  return true
end

-- Where the drawing, `h` high, is cut into pieces for paper: the first no higher than `first`, the others than `most`,
-- and through lines alone where that is possible. A list of heights: 0, …, h.
function svg:cuts(h, first, most)
  local cuts, room = { 0 }, first
  while h - cuts[#cuts] > room do
    local from = cuts[#cuts]
    local y = from + room
    while y > from + room / 2 and not is_free(self, y) do y = y - 1 end
    cuts[#cuts + 1] = is_free(self, y) and y or from + room
    room = most
  end
  cuts[#cuts + 1] = h
  return cuts
end

-- The part of a drawing that stands on the same page (see text) between two heights, for paper.
function svg.piece(w, from, to)
  local piece = '<svg class="jd" width="%.0f" height="%.0f" viewBox="0 %.0f %.0f %.0f"><use href="#drawing"/></svg>'
  return piece:format(w, to - from, from, w, to - from)
end

return svg
