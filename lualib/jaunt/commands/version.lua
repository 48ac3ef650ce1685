-- jaunt version, jaunt --version: what this binary is made of.

local host = require "jaunt.native.host"

-- libcurl and libmicrohttpd are loaded when they are first needed. --verbose needs them.
local function found_versions(versions)
  versions.libcurl = host.libcurl_version()
  versions.libmicrohttpd = require("jaunt.native.vendor").library_version()
end

local function run(_, flags)
  local versions = host.versions()
  local built_with = " (built with)"
  if flags.verbose then
    found_versions(versions)
    built_with = ""
  end
  print("jaunt " .. versions.jaunt)
  print("Lua " .. versions.lua)
  print("libcurl " .. versions.libcurl .. built_with)
  print("libuv " .. versions.libuv)
  print("lua-cjson " .. versions.cjson)
  print("libmicrohttpd " .. versions.libmicrohttpd .. built_with)
end

return {
  name = "version",
  summary = "Names the versions of jaunt and of the libraries it is made of.",
  flags = {
    { name = "verbose", help = "loads the libraries that are loaded when needed, and names what was found" },
  },
  run = run,
}
