-- What stands behind a command's name: its arguments and flags, understood as the command declares them (see jaunt.cli).

local durations = require "jaunt.base.durations"
local mistakes = require "jaunt.base.mistakes"
local nearest = require "jaunt.base.nearest"

local arguments = {}

---------------------------------------------------------------------------------------------- values

-- Each kind: what turns the text into a value (nil where it cannot), and how to name what is right.
local KINDS = {
  string = { function(text) return text end, "a text" },
  integer = {
    function(text) return text:match("^[+-]?%d+$") and math.tointeger(tonumber(text)) end, "a whole number",
  },
  number = {
    function(text)
      return (text:match("^[+-]?%d+%.?%d*$") or text:match("^[+-]?%.%d+$")) and tonumber(text)
    end, "a number",
  },
  percent = {
    function(text)
      local number = text:match("^(%d+%.?%d*)%%$")
      return number and tonumber(number) <= 100 and tonumber(number) / 100 or nil
    end, "a share from 0% to 100%, such as 2%",
  },
  duration = { durations.read, "a duration, such as 20ms, 10s, 5m, 2h or 7d" },
}

local function kind_of(flag)
  return flag.kind or (flag.value and "string" or "flag")
end

-- Whether a flag is followed by a value.
function arguments.takes_value(flag)
  return kind_of(flag) ~= "flag"
end

local function check_bounds(flag, value)
  if type(value) ~= "number" then return end
  if flag.min and value < flag.min then
    mistakes.fail("--%s is at least %s, not %s", flag.name, flag.min, value)
  end
  if flag.max and value > flag.max then mistakes.fail("--%s is at most %s, not %s", flag.name, flag.max, value) end
end

-- `declared` is a flag or an argument, `shown` what it is called in a message.
local function check_choices(declared, shown, text)
  if not declared.choices then return end
  for _, choice in ipairs(declared.choices) do
    if choice == text then return end
  end
  local hint = nearest.hint(text, declared.choices)
  mistakes.fail("%s is one of %s, not %s%s", shown, table.concat(declared.choices, ", "), text, hint)
end

local function flag_value(flag, text)
  local kind = KINDS[kind_of(flag)]
  local value = kind[1](text)
  if value == nil or value == false then mistakes.fail("--%s takes %s, not \"%s\"", flag.name, kind[2], text) end
  check_choices(flag, "--" .. flag.name, text)
  check_bounds(flag, value)
  return value
end

---------------------------------------------------------------------------------------------- parsing

local function key_of(flag)
  return (flag.name:gsub("-", "_"))
end

local function find_flag(command, name)
  local names = { "help" }
  for _, flag in ipairs(command.flags or {}) do
    if flag.name == name then return flag end
    names[#names + 1] = flag.name
  end
  return nil, names
end

local function unknown_flag(command, word, names)
  local hint = nearest.hint(word:match("^%-*([^=]*)"), names, "--")
  if hint == "" then hint = ("; jaunt %s --help lists its flags"):format(command.name) end
  mistakes.fail("%s has no flag %s%s", command.name, word:match("^[^=]*"), hint)
end

-- Understands the flag at words[at]; returns where to go on, or nil when it asks for help.
local function take_flag(command, words, at, flags)
  local word = words[at]
  if word == "-h" or word == "--help" then return nil end
  local name, text = word:match("^%-%-([^=]+)=?(.*)$")
  local given = word:find("=", 1, true)
  local flag, names = find_flag(command, name)
  if not flag then unknown_flag(command, word, names) end
  if kind_of(flag) == "flag" then
    if given then mistakes.fail("--%s takes no value", flag.name) end
    flags[key_of(flag)] = true
    return at + 1
  end
  if not given then
    at = at + 1
    text = words[at]
    if not text or text:find("^%-%-") then
      mistakes.fail("--%s needs a value: --%s %s", flag.name, flag.name, flag.value)
    end
  end
  flags[key_of(flag)] = flag_value(flag, text)
  return at + 1
end

-- Parts the words into flags and the rest; nil when they ask for help.
local function part_words(command, words)
  local rest, flags = {}, {}
  for _, flag in ipairs(command.flags or {}) do
    flags[key_of(flag)] = flag.default
    if kind_of(flag) == "flag" and flag.default == nil then flags[key_of(flag)] = false end
  end
  local at = 1
  while at <= #words do
    local word = words[at]
    if word == "--" then
      table.move(words, at + 1, #words, #rest + 1, rest)
      break
    elseif word:find("^%-.") then
      at = take_flag(command, words, at, flags)
      if not at then return nil end
    else
      rest[#rest + 1] = word
      at = at + 1
    end
  end
  return rest, flags
end

local function name_arguments(command, rest)
  local args, declared = {}, command.arguments or {}
  for i, argument in ipairs(declared) do
    if argument.many then
      args[argument.name] = table.move(rest, i, #rest, 1, {})
    else
      args[argument.name] = rest[i]
    end
    if rest[i] then
      check_choices(argument, argument.name:upper(), rest[i])
    elseif not argument.optional then
      mistakes.fail("%s needs %s; jaunt %s --help says more", command.name, argument.name:upper(), command.name)
    end
  end
  local last = declared[#declared]
  if #rest > #declared and not (last and last.many) then
    mistakes.fail("%s does not know what to do with \"%s\"; jaunt %s --help says what it takes", command.name,
      rest[#declared + 1], command.name)
  end
  return args
end

-- Understands the words behind a command's name: returns args and flags, as its `run` gets them; or nil when they ask
-- for help. Fails for what is wrong.
function arguments.parse(command, words)
  local rest, flags = part_words(command, words)
  if not rest then return nil end
  return name_arguments(command, rest), flags
end

return arguments
