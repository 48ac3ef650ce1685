-- What a word of a command line may become, from what commands declare of themselves (see jaunt.cli) and the names of
-- the project around. The shells' scripts ask for it (jaunt.commands.completion); nothing is called, and no journey's
-- script runs.

local arguments = require "jaunt.cli.arguments"
local cli = require "jaunt.cli"
local names = require "jaunt.project.names"
local project = require "jaunt.project"

local completion = {}

---------------------------------------------------------------------------------------------- what may stand where

-- What the project around has; of --project, where that was given.
local function found_by(context)
  if context.found == nil then context.found = project.find(context.given.project) or false end
  return context.found or nil
end

-- What an argument or a flag's value holds: a list of names of sources.
local function holds(declared, name)
  local held = declared.holds or name:lower()
  return type(held) == "table" and held or { held }
end

-- The journey that is spoken of before the word.
local function journey_of(context)
  for i, argument in ipairs(context.command.arguments or {}) do
    for _, held in ipairs(holds(argument, argument.name)) do
      if held == "journey" then return context.args[i] end
    end
  end
  return context.given.journey
end

-- By what an argument is called, or a flag's value: functions that return a list of texts, or of { text, what it is }.
-- "file" and "folder" are left to the shell.
local SOURCES = {
  command = function()
    local list = {}
    for i, name in ipairs(cli.commands()) do list[i] = { name, cli.command(name).summary } end
    return list
  end,
  journey = function(context) return names.journeys(found_by(context)) end,
  payload = function(context) return names.payloads(found_by(context)) end,
  person = function(context) return names.people(found_by(context)) end,
  element = function(context) return names.elements(found_by(context), journey_of(context)) end,
  call = function(context) return names.elements(found_by(context), journey_of(context), "call_api") end,
  split = function(context) return names.elements(found_by(context), journey_of(context), "split") end,
}
SOURCES.id = SOURCES.person

local OF_SHELL = { file = "files", folder = "folders", specs = "files" }

local function begins(text, with) return text:sub(1, #with) == with end

local function add_matching(list, from, start)
  for _, one in ipairs(from) do
    if type(one) == "string" then one = { one } end
    if begins(one[1], start) then list[#list + 1] = one end
  end
end

-- What may stand for a declared argument or flag: the answer, as below; `skip` bytes of the word stand before it.
local function values(context, declared, name, word, skip)
  if declared.list then skip = skip + #(word:match("^.*,", skip + 1) or "") end
  local start, answer = word:sub(skip + 1), { kind = "words", skip = skip, list = {} }
  add_matching(answer.list, declared.choices or declared.suggests or {}, start)
  for _, source in ipairs(holds(declared, name)) do
    if SOURCES[source] then
      local ok, from = pcall(SOURCES[source], context)
      add_matching(answer.list, ok and from or {}, start)
    elseif OF_SHELL[source] and #answer.list == 0 then
      answer.kind = OF_SHELL[source]
    end
  end
  return answer
end

---------------------------------------------------------------------------------------------- flags

local function flag_named(command, name)
  for _, flag in ipairs(command.flags or {}) do
    if flag.name == name then return flag end
  end
end

-- --state WHERE: a file stands behind "sqlite:".
local function flag_values(context, flag, word, skip)
  local scheme = flag.value == "WHERE" and word:match("^sqlite:", skip + 1)
  if scheme then return { kind = "files", skip = skip + #scheme, list = {} } end
  local answer = values(context, flag, flag.value, word, skip)
  if flag.value == "WHERE" then
    answer.kind, answer.open = "words", true
    add_matching(answer.list, { "sqlite:" }, word:sub(skip + 1))
  end
  return answer
end

local function flags_of(context, word)
  local answer = { kind = "words", skip = 0, list = {} }
  for _, flag in ipairs(context.command.flags or {}) do
    if not context.given[flag.name] then add_matching(answer.list, { { "--" .. flag.name, flag.help } }, word) end
  end
  add_matching(answer.list, { { "--help", "shows what there is to say about " .. context.command.name } }, word)
  return answer
end

---------------------------------------------------------------------------------------------- words

-- Goes through the words behind the command's name that are complete. Returns the flag that waits for its value, if one
-- does, and whether "--" was among them.
local function look_through(context, words)
  local waiting, only_arguments
  for _, word in ipairs(words) do
    local name, value = word:match("^%-%-([^=]+)=?(.*)$")
    if waiting then
      context.given[waiting.name], waiting = word, nil
    elseif only_arguments or not word:find("^%-.") then
      context.args[#context.args + 1] = word
    elseif word == "--" then
      only_arguments = true
    elseif name then
      local flag = flag_named(context.command, name)
      context.given[name] = value
      if flag and arguments.takes_value(flag) and not word:find("=", 1, true) then waiting = flag end
    end
  end
  return waiting, only_arguments
end

local function argument_at(command, place)
  local declared = command.arguments or {}
  local last = declared[#declared]
  return declared[place] or (last and last.many and last or nil)
end

local function of_command(context, words, word)
  local waiting, only_arguments = look_through(context, words)
  if waiting then return flag_values(context, waiting, word, 0) end
  local name = not only_arguments and word:match("^%-%-([^=]+)=")
  local flag = name and flag_named(context.command, name)
  if flag then return arguments.takes_value(flag) and flag_values(context, flag, word, #name + 3) end
  if not only_arguments and word:find("^%-") then return flags_of(context, word) end
  local argument = argument_at(context.command, #context.args + 1)
  if argument then return values(context, argument, argument.name, word, 0) end
  return word == "" and not only_arguments and flags_of(context, word) or nil
end

-- In the place of a command: one, or a script.
local function of_first(word)
  local answer = { kind = "words", skip = 0, list = {} }
  for _, name in ipairs(cli.commands()) do
    if begins(name, word) then answer.list[#answer.list + 1] = { name, cli.command(name).summary } end
  end
  if word:find("^%-") then add_matching(answer.list, { { "--help" }, { "--version" } }, word) end
  if #answer.list == 0 then answer.kind = "files" end
  return answer
end

-- What `word` may become behind the complete `words` (lists of texts as jaunt would get them, without its own name): {
-- kind = "words", "files" or "folders" (of these the shell knows); list = { { text, what it is or nil } … }, each
-- instead of what follows the first `skip` bytes of the word; open = true where more of the word may follow }.
function completion.of(words, word)
  local answer
  if #words == 0 then
    answer = of_first(word)
  else
    local known, command = pcall(cli.command, words[1])
    local context = { command = command, args = {}, given = {} }
    answer = known and of_command(context, table.move(words, 2, #words, 1, {}), word) or nil
    if not known then answer = { kind = "files", skip = 0, list = {} } end -- of a script
  end
  return answer or { kind = "words", skip = 0, list = {} }
end

return completion
