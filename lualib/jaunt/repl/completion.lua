-- What a word at the prompt may become: names, fields of values, call_api's fields, connections, payloads, people, files, commands.
--
-- completion.new(parts) returns a function of (line, start, stop) for jaunt.native.prompt: the word is the bytes start
-- to stop. parts: found = the project or nil; names() = { NAME = true or table of what is in it } that scripts see by
-- now; commands() = { NAME = command or true } of dot commands; before() = the lines of the block that is open.

local engine = require "jaunt.native.engine"
local fs = require "jaunt.native.fs"
local lexer = require "jaunt.lua.lexer"
local names = require "jaunt.project.names"

local completion = {}

---------------------------------------------------------------------------------------------- what there is

-- The names of `all` (a list, or a table by name) that begin so.
local function beginning(all, start)
  local list = {}
  for key, value in pairs(all) do
    local name = math.type(key) == "integer" and value or key
    if name:sub(1, #start) == start then list[#list + 1] = name end
  end
  return list
end

local function file_names(start)
  local folder, rest = start:match("^(.*/)([^/]*)$")
  local list = {}
  for _, name in ipairs(fs.list(folder or ".") or {}) do
    if name:sub(1, #(rest or start)) == (rest or start) and name:sub(1, 1) ~= "." then
      local path = (folder or "") .. name
      list[#list + 1] = fs.kind(path) == "dir" and path .. "/" or path
    end
  end
  return list
end

---------------------------------------------------------------------------------------------- commands

local METHODS = { "ANY", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT" }

-- What the argument of a command of the prompt's own may be, by the command's name: function(found, how many arguments
-- stand before it). Those that are not here take files, or nothing.
local OWN = {
  person = names.people, step = names.journeys, help = function() return require("jaunt.repl.help").names() end,
  edit = function(found)
    local list, journeys = names.payloads(found), names.journeys(found)
    return table.move(journeys, 1, #journeys, #list + 1, list)
  end,
  vendor = function(found, before)
    if before == 1 then return METHODS end
    local list = before == 0 and found and names.connections(found) or {}
    if before == 0 then list[#list + 1] = "off" end
    return list
  end,
}
local TAKES_FILES = { load = true, save = true }

-- An argument or flag of a command: of the prompt, or of the command line.
local function complete_words(parts, line, word, start)
  local words = {}
  for one in line:sub(1, start - 1):gmatch("%S+") do words[#words + 1] = one end
  words[1] = words[1]:gsub("^%.", "")
  if require("jaunt.repl.dots").own[words[1]] then
    local list = OWN[words[1]] and beginning(OWN[words[1]](parts.found, #words - 1), word)
      or TAKES_FILES[words[1]] and file_names(word) or {}
    return list, OWN[words[1]] and " " or ""
  end
  local answer = require("jaunt.cli.completion").of(words, word)
  if answer.kind ~= "words" then return file_names(word), "" end
  local list = {}
  for i, one in ipairs(answer.list) do list[i] = word:sub(1, answer.skip) .. one[1] end
  return list, answer.open and "" or " "
end

local function complete_command(parts, line, word, start)
  if line:sub(1, start - 1):find("%S") then return complete_words(parts, line, word, start) end
  local list = {}
  for _, name in ipairs(beginning(parts.commands(), word:sub(2))) do list[#list + 1] = "." .. name end
  return list, " "
end

---------------------------------------------------------------------------------------------- Lua

-- The tokens before the word that matter, and whether the word stands in a text's quotes.
local function tokens_before(text)
  local tokens, in_quotes = {}, false
  for _, token in ipairs(lexer.tokens(text)) do
    if token.kind == "error" and token.incomplete then in_quotes = true
    elseif token.kind ~= "comment" and token.kind ~= "end" then tokens[#tokens + 1] = token end
  end
  return tokens, in_quotes
end

-- Whether the innermost open brace before the end is that of a call_api.
local function is_in_call(tokens)
  local open = {}
  for i, token in ipairs(tokens) do
    if token.value == "{" and token.kind == "symbol" then
      local before = tokens[i - 1]
      if before and before.kind == "string" then before = tokens[i - 2] end
      open[#open + 1] = before ~= nil and before.kind == "name" and before.value == "call_api"
    elseif token.value == "}" and token.kind == "symbol" then
      open[#open] = nil
    end
  end
  return open[#open] == true
end

-- What stands in quotes: a connection behind `via =`, a payload behind `payload`.
local function complete_text(parts, tokens, word)
  local last, before = tokens[#tokens], tokens[#tokens - 1]
  if last and last.value == "=" then last = before end
  if not (last and last.kind == "name" and parts.found) then return {} end
  if last.value == "via" then return beginning(names.connections(parts.found), word), '"' end
  if last.value == "payload" then return beginning(names.payloads(parts.found), word), '"' end
  return {}
end

-- "person.pl" → the names in `person` that begin with "pl", each with "person." before it.
local function complete_name(all, word)
  local way, last = word:match("^(.*[.:])([%w_]*)$")
  local at = all
  for step in (way or ""):gmatch("[%w_]+") do at = type(at) == "table" and at[step] end
  if type(at) ~= "table" then return {} end
  local list = beginning(at, last or word)
  for i, name in ipairs(list) do list[i] = (way or "") .. name end
  return list
end

local function complete_lua(parts, line, word, start)
  local tokens, in_quotes = tokens_before(parts.before() .. line:sub(1, start - 1))
  if in_quotes then return complete_text(parts, tokens, word) end
  local last = tokens[#tokens]
  if last and (last.value == "{" or last.value == "," or last.value == ";") and is_in_call(tokens) then
    local fields = beginning(engine.call_fields(), word)
    for i, name in ipairs(fields) do fields[i] = name .. " = " end
    return fields, ""
  end
  local all = parts.names()
  local list = complete_name(all, word)
  if not word:find("[.:]") then
    for keyword in pairs(lexer.KEYWORDS) do
      if keyword:sub(1, #word) == word and word ~= "" then list[#list + 1] = keyword end
    end
  end
  return list, ""
end

-- See above.
function completion.new(parts)
  return function(line, start, stop)
    local word = line:sub(start, stop)
    local asks = line:match("^%s*%?%s*()")
    if asks then
      local prefix = word:sub(1, 1) == "?" and "?" or ""
      local list = beginning(require("jaunt.repl.help").names(), word:sub(#prefix + 1))
      for i, name in ipairs(list) do list[i] = prefix .. name end
      return list, ""
    end
    if parts.before() == "" and line:find("^%s*%.") then return complete_command(parts, line, word, start) end
    return complete_lua(parts, line, word, start)
  end
end

return completion
