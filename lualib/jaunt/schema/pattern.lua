-- The patterns of schemas: regular expressions as jaunt.native.regex reads them.

local mistake = require("jaunt.schema.telling").mistake
local regex = require "jaunt.native.regex"
local shown = require("jaunt.schema.values").shown

-- A pattern as a matcher; one that can't be read is a mistake in the schema.
return function(pattern, place)
  local matcher, why, at = regex.compile(pattern)
  if matcher then return matcher end
  mistake(place, "%s can't be used: %s%s", shown(pattern), why, at and (" (at character %d)"):format(at) or "")
end
