-- The environment that scripts run in: which of Lua's names and of the vocabulary's they see.
--
-- What is allowed stands in tables; whatever is not named does not exist for a script. Libraries are shared by all runs
-- and therefore read-only; each run has globals of its own.

local sandbox = {}

-- Lua's own functions, by library; "" are the basic ones.
local ALLOWED = {
  [""] = {
    "assert", "error", "getmetatable", "ipairs", "next", "pairs", "pcall", "rawequal", "rawget", "rawlen", "rawset",
    "select", "setmetatable", "tonumber", "tostring", "type", "xpcall", "_VERSION",
  },
  string = {
    "byte", "char", "find", "format", "gmatch", "gsub", "len", "lower", "match", "pack", "packsize", "rep", "reverse",
    "sub", "unpack", "upper",
  },
  table = { "concat", "insert", "move", "pack", "remove", "sort", "unpack" },
  math = {
    "abs", "acos", "asin", "atan", "ceil", "cos", "deg", "exp", "floor", "fmod", "huge", "log", "max", "maxinteger",
    "min", "mininteger", "modf", "pi", "rad", "sin", "sqrt", "tan", "tointeger", "type", "ult",
  },
  utf8 = { "char", "charpattern", "codepoint", "codes", "len", "offset" },
}

-- Libraries that stand in for Lua's: those of jaunt.native.vocabulary (see runtime/bind/libraries.h).
local REPLACED = {
  base = { "next", "pairs", "rawget", "rawset", "setmetatable", "tostring", "xpcall" },
  string = { "find", "format", "gmatch", "gsub", "match", "rep" },
  table = { "concat", "insert", "move", "remove", "sort" },
}

-- The vocabulary's names in scripts; those that jaunt.worker alone uses are left out.
local VOCABULARY = {
  "call_api", "wait", "wait_until", "wait_for", "split", "drop", "exit", "restart_with", "env", "secret", "now", "random", "uuid",
  "log", "print",
}

-- What can be read of a response: see runtime/bind/response.c.
sandbox.RESPONSE_FIELDS = {
  "ok", "failed", "unknown", "skipped", "status", "headers", "body", "json", "attempts", "ms", "error", "truncated",
}

local function pick_names(library)
  local names = {}
  for name in pairs(library) do names[name] = true end
  return names
end

local function pick(names, from, into)
  local picked = into or {}
  for _, name in ipairs(names) do picked[name] = from[name] end
  return picked
end

-- An empty table that shows another one and cannot be changed, not even by rawset.
local function read_only(name, library, ours)
  local proxy = setmetatable({}, {
    __index = library,
    __newindex = function(_, key)
      error(("%s is read-only: %s.%s can't be set"):format(name, name, ours.tostring(key)), 2)
    end,
    __pairs = function() return ours.pairs(library) end,
    __metatable = false,
  })
  return ours.protect(proxy)
end

-- Lua's own functions where there are none of ours: in the control state, where scripts are only looked at.
local PLAIN = { protect = function(proxy) return proxy end, tostring = tostring, pairs = pairs }

-- The names that are the same for all runs of a process. `vocabulary` is jaunt.native.vocabulary's table, or, where a
-- script is only looked at, one with functions that refuse to work and no libraries.
function sandbox.base(vocabulary, json)
  local ours = rawget(vocabulary, "base")
  local base = pick(ALLOWED[""], _G)
  if ours then pick(REPLACED.base, ours, base) end
  for name, names in pairs(ALLOWED) do
    if name ~= "" then
      local library = pick(names, _G[name])
      if ours and REPLACED[name] then pick(REPLACED[name], vocabulary[name], library) end
      if name == "math" then library.random = vocabulary.random end
      base[name] = read_only(name, library, ours or PLAIN)
    end
  end
  pick(VOCABULARY, vocabulary, base)
  base.coroutine = read_only("coroutine", vocabulary.coroutine, ours or PLAIN)
  base.os = read_only("os", ours and vocabulary.os or pick({ "time", "date", "clock", "difftime" }, os), ours or PLAIN)
  base.json = read_only("json", json, ours or PLAIN)
  return base
end

-- The names that scripts see, and what they see in libraries: { call_api = true, string = { find = true, … }, … }.
function sandbox.names()
  local names = {
    json = { encode = true, decode = true, array = true, null = true, is_array = true, empty_array = true },
    coroutine = pick_names(coroutine),
    os = { time = true, date = true, clock = true, difftime = true },
    require = true, _G = true, journey = true,
  }
  for library, list in pairs(ALLOWED) do
    local into = names
    if library ~= "" then
      into = {}
      names[library] = into
    end
    for _, name in ipairs(list) do into[name] = true end
  end
  names.math.random = true
  for _, name in ipairs(VOCABULARY) do names[name] = true end
  return names
end

-- A fresh environment over `base`; what a script assigns stays in it. `require` is its own function of that name.
function sandbox.environment(meta, require)
  local environment = setmetatable({ require = require, _G = false }, meta) -- made with room for both
  environment._G = environment
  return environment
end

-- The metatable for sandbox.environment: made once for a base.
function sandbox.meta(base)
  return { __index = base, __metatable = false }
end

-- The metatable of texts: ("x"):upper() finds what scripts have, and nobody can change it.
function sandbox.lock_strings(vocabulary)
  local meta = getmetatable("")
  meta.__index = pick(REPLACED.string, vocabulary.string, pick(ALLOWED.string, string))
  meta.__metatable = false
end

return sandbox
