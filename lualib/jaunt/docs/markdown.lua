-- A page (see jaunt.docs.page) as Markdown, with its diagram in a file beside it.

local escapes = require "jaunt.docs.escapes"

local markdown = {}

local inline

-- A text among others: the blanks at its edges are the author's, and stay.
local function among(piece, begins)
  if type(piece) ~= "string" then return inline(piece) end
  local text = escapes.markdown(piece:match("^%s*(.-)%s*$"), begins)
  return (piece:find("^%s") and " " or "") .. text .. (piece:find("%S%s+$") and " " or "")
end

-- Pieces of a page; `begins`: they begin a line.
inline = function(pieces, begins)
  if type(pieces) ~= "table" then return escapes.markdown(pieces, begins) end
  if pieces.code then return escapes.markdown_code(pieces.code) end
  if pieces.strong then return "**" .. escapes.markdown(pieces.strong) .. "**" end
  local parts = {}
  for i, piece in ipairs(pieces) do parts[i] = among(piece, begins and i == 1) end
  return table.concat(parts)
end

local function line_of(cells)
  local parts = {}
  for i, cell in ipairs(cells) do parts[i] = inline(cell) end
  return "| " .. table.concat(parts, " | ") .. " |"
end

local WRITE = {
  heading = function(block) return ("#"):rep(block[2]) .. " " .. escapes.markdown(block[3]) end,
  paragraph = function(block) return inline(block[2], true) end,
  note = function(block) return "> " .. inline(block[2], true) end,
  code = function(block) return escapes.markdown_block(block[2], block[3]) end,
  table = function(block)
    local lines = { line_of(block[2]), "|" .. ("---|"):rep(#block[2]) }
    for _, row in ipairs(block[3]) do lines[#lines + 1] = line_of(row) end
    return table.concat(lines, "\n")
  end,
}

-- The page as a text; `picture` is the name of the diagram's file.
function markdown.text(blocks, picture)
  local parts = {}
  for _, block in ipairs(blocks) do
    if block[1] == "diagram" then
      local address = picture:gsub("[^%w._-]", function(byte) return ("%%%02X"):format(byte:byte()) end)
      parts[#parts + 1] = ("![The diagram](%s)"):format(address)
    else
      parts[#parts + 1] = WRITE[block[1]](block)
    end
  end
  return table.concat(parts, "\n\n") .. "\n"
end

return markdown
