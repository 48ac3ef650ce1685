-- What a command says of itself: for --help and for the manual page.

local arguments = require "jaunt.cli.arguments"
local term = require "jaunt.base.term"

local help = {}

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
    local shown = flag.default_text or (arguments.takes_value(flag) and flag.default)
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

-- What there is to say about a command, for help and manual: { usage =, paragraphs = (its summary first), examples = {
-- { line, what } … }, arguments =, flags =, exit = (each a list of { name, text }) }.
function help.description(command)
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
  term.rows(rows)
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
function help.print(command)
  local width, told = math.min(term.width(), 100), help.description(command)
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

return help
