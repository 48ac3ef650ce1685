-- How wide texts are in a diagram, without the font at hand: what a common sans serif needs, a little more rather
-- than less.

local measure = {}

local NARROW, WIDE = "[iljtfrI.,:;'!|()%[%] ]", "[mwMW@%%ABCDEFGHKNOQRUVXYZ&—]"

-- The width of a text in pixels at a font's size.
function measure.width(text, size)
  local ems = 0
  for _, code in utf8.codes(text) do
    local character = code < 128 and string.char(code)
    if not character then
      ems = ems + ((code >= 0x1100 and code ~= 0x2014 and not (code >= 0x2000 and code < 0x2E80)) and 1.02 or 0.64)
    elseif character:find(NARROW) then ems = ems + 0.34
    elseif character:find(WIDE) then ems = ems + 0.76
    else ems = ems + 0.575 end
  end
  return ems * size
end

-- Cuts a word that is too wide into pieces.
local function pieces_of(word, size, width)
  local pieces, piece = {}, ""
  for _, code in utf8.codes(word) do
    local longer = piece .. utf8.char(code)
    if piece ~= "" and measure.width(longer, size) > width then
      pieces[#pieces + 1], piece = piece, utf8.char(code)
    else
      piece = longer
    end
  end
  pieces[#pieces + 1] = piece
  return pieces
end

-- Breaks a text into lines no wider than `width`, at most `most` of them; what is left over becomes "…". Long words
-- are broken, too.
function measure.wrap(text, size, width, most)
  local lines, line = {}, ""
  for word in text:gmatch("%S+") do
    for i, piece in ipairs(pieces_of(word, size, width)) do
      local longer = line == "" and piece or line .. (i == 1 and " " or "") .. piece
      if line ~= "" and (i > 1 or measure.width(longer, size) > width) then
        lines[#lines + 1], line = line, piece
      else
        line = longer
      end
    end
  end
  if line ~= "" or #lines == 0 then lines[#lines + 1] = line end
  if #lines > most then
    lines[most] = lines[most] .. " …"
    for i = #lines, most + 1, -1 do lines[i] = nil end
  end
  return lines
end

return measure
