-- Scripts as functions of their environment: compiled once, called once for every run, so that no two runs share a
-- global or an upvalue.

local chunk = {}

-- Compiles `text` (its file is `path`, for messages). Returns a function of (environment, ...) that runs it from the
-- top; or nil and what is wrong, with the line. The text is compiled alone first, so that it cannot close what is put
-- around it.
function chunk.compile(text, path)
  text = text:gsub("^\u{FEFF}", ""):gsub("^#[^\n]*", "")
  local alone, why = load(text, "@" .. path, "t", {})
  if not alone then return nil, why end
  local make
  make, why = load("return function(_ENV, ...) " .. text .. "\nend", "@" .. path, "t", {})
  if not make then return nil, why end
  return make()
end

return chunk
