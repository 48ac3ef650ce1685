-- Rows of CSV, as RFC 4180 has them but for the line ends, which are plain newlines.

local csv = {}

local function cell(value)
  if value == nil then return "" end
  local text = tostring(value)
  if not text:find('[",\r\n]') then return text end
  return '"' .. text:gsub('"', '""') .. '"'
end

-- The line of a list of values (`count` of them: nil gives an empty cell), with its newline.
function csv.line(values, count)
  local cells = {}
  for i = 1, count or #values do cells[i] = cell(values[i]) end
  return table.concat(cells, ",") .. "\n"
end

return csv
