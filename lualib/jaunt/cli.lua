-- The command line: finds the command, understands its arguments and flags, prints its help.
--
-- A command is a module lualib/jaunt/commands/NAME.lua that returns
--
--   { name = "run", group = "run",          -- write, run, look or repair; without one, help does not list it
--     summary = "Sends people through a journey.",
--     about = "…",                          -- optional: more, shown by --help
--     usage = "JOURNEY --people FILE",      -- optional: made from the next two without it
--     arguments = { { name = "journey", help = "…", optional = true, many = true } },  -- many: the last one only
--     flags = { { name = "in-flight", value = "N", kind = "integer", default = 1000, min = 1, help = "…" } },
--     examples = { "jaunt run welcome", { "jaunt run welcome --live", "the real thing" } },
--     exit = { [0] = "all went on", [2] = "could not run" },
--     run = function(args, flags) … return code end }   -- in a coroutine: native functions may wait
--
-- args has the arguments by name (a list where `many`); flags by name, with "_" for "-": flags.in_flight.
-- A flag that is not given has its default, or nil (false where it takes no value). Given twice, the last counts.
-- Kinds of values: string (default where there is a `value`), integer, number, percent ("2%" gives 0.02),
-- duration ("250ms", "10s", "5m", "2h", "7d", "1h30m"; gives milliseconds) and flag (takes none). `min` and
-- `max` bound numbers, `choices` lists the texts that are taken, also by an argument.
--
-- Completion (jaunt.completion) knows by an argument's name, or by a flag's value, what may stand there. Where these do not
-- say it, `holds` does ("call", { "journey", "file" }); `suggests` lists texts that may stand there among others, and
-- `list` says that several do, with commas.
--
-- A mistake of the person's is raised with cli.fail: "jaunt: message" on standard error, exit code 2.

local fs = require "jaunt.native.fs"
local host = require "jaunt.native.host"
local keys = require "jaunt.keys"
local native = require "jaunt.native.control"
local nearest = require "jaunt.nearest"
local term = require "jaunt.term"

local cli = {}

-- Raises a mistake of the person's; the message is formatted with what follows it, if anything does.
function cli.fail(message, ...)
  native.fail(select("#", ...) > 0 and message:format(...) or message)
end

-- What an error that pcall caught says, a person's mistake or one of ours.
function cli.message(raised)
  return type(raised) == "table" and raised.message or tostring(raised)
end

---------------------------------------------------------------------------------------------- commands

-- The names of all commands, sorted.
function cli.commands()
  return keys.sorted(host.modules("jaunt.commands"))
end

-- The command of that name; fails with the nearest right name where there is none.
function cli.command(name)
  local names = cli.commands()
  for _, known in ipairs(names) do
    if known == name then return require("jaunt.commands." .. name) end
  end
  local hint = nearest.hint(name, names)
  cli.fail("no such command: %s%s", name, hint ~= "" and hint or "; jaunt help lists them")
end

---------------------------------------------------------------------------------------------- values

local MS = { ms = 1, s = 1000, m = 60 * 1000, h = 3600 * 1000, d = 24 * 3600 * 1000 }

-- The milliseconds of a duration such as "250ms", "10s" or "1h30m"; nil for anything else.
function cli.duration(text)
  local total, at = 0, 1
  while at <= #text do
    local number, unit, next_at = text:match("^(%d+%.?%d*)(%a+)()", at)
    if not MS[unit] then return nil end
    total, at = total + tonumber(number) * MS[unit], next_at
  end
  return at > 1 and math.floor(total + 0.5) or nil
end

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
  duration = { cli.duration, "a duration, such as 20ms, 10s, 5m, 2h or 7d" },
}

local function kind_of(flag)
  return flag.kind or (flag.value and "string" or "flag")
end

-- Whether a flag is followed by a value.
function cli.takes_value(flag)
  return kind_of(flag) ~= "flag"
end

local function check_bounds(flag, value)
  if type(value) ~= "number" then return end
  if flag.min and value < flag.min then
    cli.fail("--%s is at least %s, not %s", flag.name, flag.min, value)
  end
  if flag.max and value > flag.max then cli.fail("--%s is at most %s, not %s", flag.name, flag.max, value) end
end

-- `declared` is a flag or an argument, `shown` what it is called in a message.
local function check_choices(declared, shown, text)
  if not declared.choices then return end
  for _, choice in ipairs(declared.choices) do
    if choice == text then return end
  end
  local hint = nearest.hint(text, declared.choices)
  cli.fail("%s is one of %s, not %s%s", shown, table.concat(declared.choices, ", "), text, hint)
end

local function flag_value(flag, text)
  local kind = KINDS[kind_of(flag)]
  local value = kind[1](text)
  if value == nil or value == false then cli.fail("--%s takes %s, not \"%s\"", flag.name, kind[2], text) end
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
  cli.fail("%s has no flag %s%s", command.name, word:match("^[^=]*"), hint)
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
    if given then cli.fail("--%s takes no value", flag.name) end
    flags[key_of(flag)] = true
    return at + 1
  end
  if not given then
    at = at + 1
    text = words[at]
    if not text or text:find("^%-%-") then
      cli.fail("--%s needs a value: --%s %s", flag.name, flag.name, flag.value)
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
      cli.fail("%s needs %s; jaunt %s --help says more", command.name, argument.name:upper(), command.name)
    end
  end
  local last = declared[#declared]
  if #rest > #declared and not (last and last.many) then
    cli.fail("%s does not know what to do with \"%s\"; jaunt %s --help says what it takes", command.name,
      rest[#declared + 1], command.name)
  end
  return args
end

-- Understands the words behind a command's name: returns args and flags, as its `run` gets them; or nil when they ask
-- for help. Fails for what is wrong.
function cli.parse(command, words)
  local rest, flags = part_words(command, words)
  if not rest then return nil end
  return name_arguments(command, rest), flags
end

---------------------------------------------------------------------------------------------- help

-- Prints rows of { name, text } in two columns, the text wrapped beside its name.
function cli.print_rows(rows)
  local left = 0
  for _, row in ipairs(rows) do left = math.max(left, term.columns(row[1])) end
  left = math.min(left, 28)
  local right = math.max(30, math.min(term.width(), 100) - left - 4)
  for _, row in ipairs(rows) do
    local lines = term.wrap(row[2] or "", right)
    local name = term.pad(row[1], left)
    if term.columns(row[1]) > left then
      print("  " .. row[1])
      name = (" "):rep(left)
    end
    for i, line in ipairs(lines) do
      local beside = i == 1 and name or (" "):rep(left)
      print((("  %s  %s"):format(beside, line):gsub("%s+$", "")))
    end
  end
end

local function usage_of(command)
  if command.usage then return command.usage end
  local parts = {}
  for _, argument in ipairs(command.arguments or {}) do
    local name = argument.name:upper() .. (argument.many and "…" or "")
    parts[#parts + 1] = argument.optional and "[" .. name .. "]" or name
  end
  if command.flags and #command.flags > 0 then parts[#parts + 1] = "[--FLAGS]" end
  return table.concat(parts, " ")
end

local function argument_rows(command)
  local rows = {}
  for _, argument in ipairs(command.arguments or {}) do
    rows[#rows + 1] = { argument.name:upper(), argument.help }
  end
  return rows
end

local function flag_rows(command)
  local rows = {}
  for _, flag in ipairs(command.flags or {}) do
    local name = "--" .. flag.name .. (flag.value and " " .. flag.value or "")
    local help = flag.help or ""
    local shown = flag.default_text or (kind_of(flag) ~= "flag" and flag.default)
    if shown ~= nil and shown ~= false then help = ("%s (default: %s)"):format(help, shown) end
    rows[#rows + 1] = { name, help }
  end
  rows[#rows + 1] = { "--help", "shows this" }
  return rows
end

local function exit_rows(command)
  local rows, codes = {}, {}
  for code in pairs(command.exit or {}) do codes[#codes + 1] = code end
  table.sort(codes)
  for _, code in ipairs(codes) do rows[#rows + 1] = { tostring(code), command.exit[code] } end
  return rows
end

local function examples_of(command)
  local list = {}
  for i, example in ipairs(command.examples or {}) do list[i] = type(example) == "string" and { example } or example end
  return list
end

-- What there is to say about a command, for help and manual: { usage =, paragraphs = (its summary first), examples = { { line, what } … },
-- arguments =, flags =, exit = (each a list of { name, text }) }.
function cli.description(command)
  local paragraphs = { command.summary }
  for paragraph in ((command.about or "") .. "\n\n"):gmatch("(.-)\n\n") do
    if paragraph ~= "" then paragraphs[#paragraphs + 1] = paragraph end
  end
  return { usage = (("jaunt %s %s"):format(command.name, usage_of(command)):gsub("%s+$", "")), paragraphs = paragraphs,
    arguments = argument_rows(command), flags = flag_rows(command), examples = examples_of(command), exit = exit_rows(command) }
end

local function print_section(title, rows)
  if #rows == 0 then return end
  print("\n" .. term.paint().bold(title))
  cli.print_rows(rows)
end

local function print_examples(examples)
  if #examples == 0 then return end
  print("\n" .. term.paint().bold("Examples"))
  for _, example in ipairs(examples) do
    if example[2] then print("  # " .. example[2]) end
    print("  " .. example[1])
  end
end

-- Prints what `jaunt COMMAND --help` shows.
function cli.print_help(command)
  local width, told = math.min(term.width(), 100), cli.description(command)
  print("Usage: " .. told.usage)
  for _, paragraph in ipairs(told.paragraphs) do
    print()
    for _, line in ipairs(term.wrap(paragraph, width)) do print(line) end
  end
  print_section("Arguments", told.arguments)
  print_section("Flags", told.flags)
  print_examples(told.examples)
  print_section("Exit codes", told.exit)
end

---------------------------------------------------------------------------------------------- files

local function join(dir, name)
  if dir == "" then return name end
  return dir:sub(-1) == "/" and dir .. name or dir .. "/" .. name
end

-- The names in a folder that are of the wanted kind ("file" or "dir").
local function names_of_kind(dir, kind)
  local names = {}
  for _, name in ipairs(fs.list(dir == "" and "." or dir) or {}) do
    if fs.kind(join(dir, name)) == kind then names[#names + 1] = name end
  end
  return names
end

-- Walks the path from its beginning and takes the nearest right name wherever one is wrong. Returns what is most likely
-- meant, and whether only the last name was wrong; nil where nothing is near.
local function mend_path(path, kind)
  local mended = path:sub(1, 1) == "/" and "/" or ""
  local wrong_folder = false
  for name, slash in path:gmatch("([^/]+)(/*)") do
    local wanted = slash == "" and kind or "dir"
    local right = fs.kind(join(mended, name)) == wanted and name
      or nearest.find(name, names_of_kind(mended, wanted))
    if not right then return nil end
    wrong_folder = wrong_folder or (slash ~= "" and right ~= name)
    mended = join(mended, right)
  end
  return mended, not wrong_folder
end

local function missing(path, what, kind)
  local mended, last_only = mend_path(path, kind)
  local hint = ""
  if mended then
    hint = ("; did you mean %s?"):format(last_only and mended:match("[^/]+$") or mended)
  end
  cli.fail("no such %s: %s%s", what, path, hint)
end

-- Returns `path` if it is a file that can be opened (a pipe or a device will do); otherwise fails, with the nearest right
-- name where there is one. `what` names the thing in the message ("file" by default).
function cli.existing_file(path, what)
  local kind = fs.kind(path)
  if not kind then missing(path, what or "file", "file") end
  if kind == "dir" then cli.fail("%s is a folder, where a %s is needed", path, what or "file") end
  if kind == "file" then
    local file, why = io.open(path, "rb")
    if not file then cli.fail("can't open the %s %s", what or "file", why) end
    file:close()
  end
  return path
end

-- The same for a folder.
function cli.existing_folder(path, what)
  local kind = fs.kind(path)
  if not kind then missing(path, what or "folder", "dir") end
  if kind ~= "dir" then cli.fail("%s is a file, where a %s is needed", path, what or "folder") end
  return path
end

---------------------------------------------------------------------------------------------- main

-- What may stand in the place of a command.
local SPELLINGS = { ["--help"] = "help", ["-h"] = "help", ["--version"] = "version" }

local function command_name(word)
  if SPELLINGS[word] then return SPELLINGS[word] end
  if not word:find("^%-") then return word end
  local hint = nearest.hint(word, { "--help", "--version" })
  cli.fail("%s stands where a command is expected%s", word, hint ~= "" and hint or "; jaunt help lists them")
end

-- Whether a word in the place of a command is a script, as it is behind `#!/usr/bin/env jaunt`.
local function is_script(word)
  return word:find("[/.]") and not word:find("^%-") and fs.kind(word) == "file"
end

-- The command line in full: nothing is the prompt for who sits at a terminal, a script is run, -e CODE is evaluated.
local function spelt_out(words)
  local word = words[1]
  if not word then return { term.isatty(0) and "repl" or "help" } end
  if word == "-e" then return table.move(words, 2, #words, 3, { "repl", "--eval" }) end
  if is_script(word) then return table.move(words, 2, #words, 4, { "run", word, "--" }) end
  return words
end

-- Runs the command line `words` (a list, without the program's name). Returns the exit code.
function cli.main(words)
  words = spelt_out(words)
  local command = cli.command(command_name(words[1]))
  local args, flags = cli.parse(command, table.move(words, 2, #words, 1, {}))
  if not args then
    cli.print_help(command)
    return 0
  end
  return command.run(args, flags) or 0
end

return cli
