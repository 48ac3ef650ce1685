-- Files that commands write for people: with the folders above them, or a mistake that says why not.

local fs = require "jaunt.native.fs"
local mistakes = require "jaunt.base.mistakes"

local writing = {}

-- Makes a folder, and those above it, where there is none.
function writing.folder(path)
  local made, why = fs.make_folder(path)
  if not made then mistakes.fail("can't make the folder %s", why) end
end

-- Writes a text to a file.
function writing.file(path, text)
  local folder = path:match("^(.*)/[^/]*$")
  if folder and folder ~= "" then writing.folder(folder) end
  local file, why = io.open(path, "wb")
  if not file then mistakes.fail("can't write %s", why) end
  local written, trouble = file:write(text)
  local closed, more = file:close()
  if not written or not closed then mistakes.fail("can't write %s: %s", path, trouble or more) end
end

return writing
