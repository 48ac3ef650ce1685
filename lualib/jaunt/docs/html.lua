-- A page (see jaunt.docs.page) as one HTML file that needs nothing else: no script, no font, no picture from elsewhere.

local escapes = require "jaunt.docs.escapes"
local svg = require "jaunt.docs.svg"

local html = {}

local STYLE = [[
:root{color-scheme:light dark;--ink:#1d2127;--soft:#59616d;--back:#fff;--panel:#f6f7f9;--edge:#dfe3e8;
  --accent:#2f6fde}
@media screen and (prefers-color-scheme:dark){
:root{--ink:#e8eaed;--soft:#a9b0ba;--back:#16181c;--panel:#1f2227;--edge:#363b43;--accent:#7aa7f7}
}
*{box-sizing:border-box}
body{margin:0 auto;padding:2.5rem 1.5rem 4rem;max-width:60rem;
  font:15px/1.55 system-ui,-apple-system,"Segoe UI",Helvetica,Arial,sans-serif;color:var(--ink);
  background:var(--back);overflow-wrap:anywhere}
h1{font-size:2rem;line-height:1.2;margin:0 0 .75rem}
h2{font-size:1.3rem;margin:2.75rem 0 .75rem;padding-bottom:.3rem;border-bottom:1px solid var(--edge)}
h3{font-size:1.08rem;margin:2.25rem 0 .5rem}
p{margin:.6rem 0}
a{color:var(--accent)}
code,pre{font:.875em/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace}
code{background:var(--panel);padding:.1em .35em;border-radius:4px}
pre{background:var(--panel);border:1px solid var(--edge);border-radius:8px;padding:.8rem 1rem;white-space:pre-wrap;
  margin:.6rem 0}
pre code{background:none;padding:0;font-size:1em}
table{border-collapse:collapse;width:100%;margin:.75rem 0;font-size:.93em}
th,td{text-align:left;vertical-align:top;padding:.38rem .7rem .38rem 0;border-bottom:1px solid var(--edge)}
th{font-weight:600;color:var(--soft)}
table.facts td:first-child{width:8.5rem;color:var(--soft);white-space:nowrap;overflow-wrap:normal}
td.n{text-align:right;font-variant-numeric:tabular-nums}
th.n{text-align:right}
td.n,th.n{padding-right:1.6rem}
.note{border-left:3px solid #c98a04;padding:.3rem .9rem;background:var(--panel);border-radius:0 6px 6px 0}
nav{margin:1.25rem 0;font-size:.93em;color:var(--soft)}
nav a{margin-right:1rem;white-space:nowrap}
figure{--room:max(100%,min(var(--wide) + 2.2rem,100vw - 3rem));width:var(--room);margin:1rem calc(50% - var(--room)/2);
  padding:1rem;border:1px solid var(--edge);border-radius:10px;text-align:center;overflow-x:auto}
figure svg{max-width:100%;min-width:calc(var(--wide)*.75);height:auto}
.sheets{display:none}
:target{scroll-margin-top:1rem}
@media print{
body{max-width:none;padding:0;font-size:10.5pt}
figure{width:auto;margin:1rem 0;border:none;padding:0;break-inside:avoid}
figure svg{min-width:0}
figure.tall{display:none}
.sheets{display:block}
.sheets svg{display:block;margin:0 auto;max-width:100%;height:auto;break-inside:avoid}
h2,h3{break-after:avoid}
tr,pre{break-inside:avoid}
nav{display:none}
a{color:inherit;text-decoration:none}
}
]]

-- A picture may be wider than the text, and is never so small that it can't be read: it is moved sideways then.
local WIDE = "figure{--wide:%.0fpx}\n"

-- A sheet of paper, in pixels: what is higher than the rest of the first one goes over several.
local PAPER_WIDE, PAPER_FIRST, PAPER_HIGH = 720, 480, 920

local function inline(pieces)
  if type(pieces) ~= "table" then return escapes.html(pieces) end
  if pieces.code then return "<code>" .. escapes.html(pieces.code) .. "</code>" end
  if pieces.strong then return "<strong>" .. escapes.html(pieces.strong) .. "</strong>" end
  local parts = {}
  for i, piece in ipairs(pieces) do parts[i] = inline(piece) end
  return table.concat(parts)
end

local function is_figure(cell) return type(cell) == "string" and cell:find("^[%d,]+$") ~= nil end

-- The columns that hold nothing but figures.
local function figure_columns(block)
  local columns = {}
  for i in ipairs(block[2]) do
    columns[i] = #block[3] > 0
    for _, row in ipairs(block[3]) do columns[i] = columns[i] and is_figure(row[i]) end
  end
  return columns
end

local function write_table(block)
  local has_titles, columns, parts = block[2][1] ~= "", figure_columns(block), {}
  local function write_row(cells, tag)
    local row = {}
    for i, cell in ipairs(cells) do
      row[i] = ("<%s%s>%s</%s>"):format(tag, columns[i] and ' class="n"' or "", inline(cell), tag)
    end
    return "<tr>" .. table.concat(row) .. "</tr>"
  end
  parts[1] = has_titles and "<table>" or '<table class="facts">'
  if has_titles then parts[2] = "<thead>" .. write_row(block[2], "th") .. "</thead>" end
  parts[#parts + 1] = "<tbody>"
  for _, row in ipairs(block[3]) do parts[#parts + 1] = write_row(row, "td") end
  parts[#parts + 1] = "</tbody></table>"
  return table.concat(parts, "\n")
end

local WRITE = {
  heading = function(block)
    local id = block[4] and (' id="%s"'):format(escapes.html(block[4])) or ""
    return ("<h%d%s>%s</h%d>"):format(block[2], id, escapes.html(block[3]), block[2])
  end,
  paragraph = function(block) return "<p>" .. inline(block[2]) .. "</p>" end,
  note = function(block) return '<p class="note">' .. inline(block[2]) .. "</p>" end,
  code = function(block) return "<pre><code>" .. escapes.html(block[2]) .. "</code></pre>" end,
  table = write_table,
}

local function navigation(blocks)
  local links = {}
  for _, block in ipairs(blocks) do
    if block[1] == "heading" and block[2] == 2 then
      links[#links + 1] = ('<a href="#%s">%s</a>'):format(escapes.html(block[4]), escapes.html(block[3]))
    end
  end
  return "<nav>" .. table.concat(links, " ") .. "</nav>"
end

-- The diagram: on the screen, and where it is high in pieces for paper.
local function figure(picture)
  local scale = math.max(1, picture.w / PAPER_WIDE)
  local cuts = picture.drawing:cuts(picture.h, PAPER_FIRST * scale, PAPER_HIGH * scale)
  if #cuts == 2 then return "<figure>" .. picture.text .. "</figure>" end
  local sheets = {}
  for i = 1, #cuts - 1 do sheets[i] = svg.piece(picture.w, cuts[i], cuts[i + 1]) end
  return ('<figure class="tall">%s</figure>\n<div class="sheets">%s</div>'):format(picture.text, table.concat(sheets, "\n"))
end

-- The page as a text, with its diagram (see jaunt.docs.diagram; nil: there is none) in it.
function html.text(blocks, picture)
  local title = blocks[1][3]
  local parts = {
    "<!DOCTYPE html>", '<html lang="en"><head><meta charset="utf-8">',
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">",
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    ("<title>%s</title>"):format(escapes.html(title)),
    "<style>", STYLE .. (picture and WIDE:format(picture.w) or "") .. svg.style() .. "</style></head><body>", "<main>",
  }
  local navigated = false
  for _, block in ipairs(blocks) do
    if block[1] == "heading" and block[2] == 2 and not navigated then
      navigated = true
      parts[#parts + 1] = navigation(blocks)
    end
    parts[#parts + 1] = block[1] == "diagram" and figure(picture) or WRITE[block[1]](block)
  end
  parts[#parts + 1] = "</main></body></html>\n"
  return table.concat(parts, "\n")
end

return html
