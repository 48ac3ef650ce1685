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

-- The vocabulary's names in scripts; those that jaunt.worker alone uses are left out.
local VOCABULARY = {
  "call_api", "wait", "wait_until", "wait_for", "split", "drop", "exit", "env", "secret", "now", "random", "uuid", "log",
  "print",
}

-- An empty table that shows another one and cannot be changed.
local function read_only(name, library)
  return setmetatable({}, {
    __index = library,
    __newindex = function(_, key)
      error(("%s is read-only: %s.%s can't be set"):format(name, name, tostring(key)), 2)
    end,
    __pairs = function() return next, library, nil end,
    __metatable = false,
  })
end

local function pick(names, from)
  local picked = {}
  for _, name in ipairs(names) do picked[name] = from[name] end
  return picked
end

-- os, as far as it is about time, on the logical clock.
local function clock_library(now)
  return {
    time = function(parts)
      if parts then return os.time(parts) end
      return math.floor(now())
    end,
    date = function(format, time) return os.date(format, math.floor(time or now())) end,
    clock = function() return now() end,
    difftime = os.difftime,
  }
end

-- The names that are the same for all runs of a process. `vocabulary` is jaunt.native.vocabulary's table, or, where a
-- script is only looked at, one with functions that refuse to work.
function sandbox.base(vocabulary, json)
  local base = pick(ALLOWED[""], _G)
  for name, names in pairs(ALLOWED) do
    if name ~= "" then
      local library = pick(names, _G[name])
      if name == "math" then library.random = vocabulary.random end
      base[name] = read_only(name, library)
    end
  end
  for _, name in ipairs(VOCABULARY) do base[name] = vocabulary[name] end
  base.coroutine = read_only("coroutine", vocabulary.coroutine)
  base.os = read_only("os", clock_library(vocabulary.now))
  base.json = read_only("json", json)
  return base
end

-- Whether a script can name it without defining it.
function sandbox.names(base)
  local names = {}
  for name in pairs(base) do names[#names + 1] = name end
  table.sort(names)
  return names
end

-- A fresh environment over `base`; what a script assigns stays in it. `require` is its own function of that name.
function sandbox.environment(meta, require)
  local environment = setmetatable({ require = require }, meta)
  environment._G = environment
  return environment
end

-- The metatable for sandbox.environment: made once for a base.
function sandbox.meta(base)
  return { __index = base, __metatable = false }
end

-- The metatable of texts: ("x"):upper() finds the allowed functions only, and nobody can change it.
function sandbox.lock_strings()
  local meta = getmetatable("")
  meta.__index = pick(ALLOWED.string, string)
  meta.__metatable = false
end

return sandbox
