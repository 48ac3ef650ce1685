-- Texts from anywhere, written into HTML, SVG and Markdown so that they stay texts.

local term = require "jaunt.base.term"

local escapes = {}

-- A text without what no document may hold: broken UTF-8, control characters, marks that turn the direction of
-- writing. Line ends and tabs stay.
function escapes.clean(text)
  return (term.harmless(term.utf8(tostring(text)):gsub("\r\n?", "\n")):gsub("\xEF\xBF[\xBE\xBF]", "?"))
end

local ENTITIES = { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ['"'] = "&quot;", ["'"] = "&#39;" }

-- For HTML and SVG: between tags, and in attributes that are quoted.
function escapes.html(text)
  return (escapes.clean(text):gsub("[&<>\"']", ENTITIES))
end

-- For Markdown, on one line: no mark-up, no HTML, no link, no cell's end. `begins`: the text begins a line.
function escapes.markdown(text, begins)
  local plain = escapes.clean(text):gsub("%s+", " ")
  plain = plain:gsub("[\\`*_%[%]~|$]", "\\%0"):gsub("[&<>]", ENTITIES)
  if begins then plain = plain:gsub("^%s*([-+#=:])", "\\%1"):gsub("^%s*(%d+)([.)])", "%1\\%2") end
  return (plain:gsub("@", "&#64;"):gsub("://", "&#58;//"):gsub("[Ww][Ww][Ww]%.", "www&#46;"))
end

local function longest_run(text, character)
  local longest = 0
  for run in text:gmatch(character .. "+") do longest = math.max(longest, #run) end
  return longest
end

-- A piece of code in Markdown, on one line; within a table, too.
function escapes.markdown_code(text)
  local plain = escapes.clean(text):gsub("%s+", " ")
  if plain:find("|", 1, true) or not plain:find("%S") then -- a cell ends at a bar, whatever stands around it
    return "<code>" .. escapes.markdown(plain) .. "</code>"
  end
  local fence = ("`"):rep(longest_run(plain, "`") + 1)
  local beside = (plain:find("^`") or plain:find("`$")) and " " or ""
  return fence .. beside .. plain .. beside .. fence
end

-- A block of code in Markdown.
function escapes.markdown_block(text, language)
  local plain = escapes.clean(text):gsub("\n+$", "")
  local fence = ("`"):rep(math.max(3, longest_run(plain, "`") + 1))
  return ("%s%s\n%s\n%s"):format(fence, language or "", plain, fence)
end

return escapes
