-- jaunt version, jaunt --version: what this binary is made of.

local host = require "jaunt.native.host"

local LIBRARIES = {
  { "Lua", "lua" }, { "libcurl", "libcurl" }, { "libuv", "libuv" }, { "lua-cjson", "cjson" },
  { "libmicrohttpd", "libmicrohttpd" },
}

local function run()
  local versions = host.versions()
  print("jaunt " .. versions.jaunt)
  for _, library in ipairs(LIBRARIES) do print(library[1] .. " " .. versions[library[2]]) end
end

return {
  name = "version",
  summary = "Names the versions of jaunt and of the libraries it runs with.",
  run = run,
}
