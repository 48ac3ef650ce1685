-- What a word at the prompt may become: names, fields of values, call_api's fields, connections, payloads, people, files, commands.
--
-- completion.new(parts) returns a function of (line, start, stop) for jaunt.native.prompt: the word is the bytes start to stop. parts:
-- found = the project or nil; names() = { NAME = true or table of what is in it } that scripts see by now; commands() = { NAME = command or
-- true } of dot commands; before() = the lines of the block that is open.

local engine = require "jaunt.native.engine"
local fs = require "jaunt.native.fs"
local keys = require "jaunt.keys"
local lexer = require "jaunt.lua.lexer"
local project = require "jaunt.project"

local completion = {}

local PEOPLE_MOST = 200000

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

local function connection_names(found)
  local names = {}
  for i, connection in ipairs((require("jaunt.connections").read(found))) do names[i] = connection.name end
  return names
end

local function payload_names(found)
  local names = {}
  for name in pairs(require("jaunt.payloads").gather(found)) do
    if not name:find("^_") then names[#names + 1] = name end
  end
  return names
end

local function journey_names(found)
  return keys.sorted(project.files(found, "journeys", { lua = true }))
end

-- The ids of the samples, read once for as long as their files stay as they are.
local ids, ids_of = nil, nil
local function people_ids(found)
  local files, mark = require("jaunt.preview.people").files(found), {}
  for i, path in ipairs(files) do mark[i] = path .. tostring(fs.mtime(path)) end
  mark = table.concat(mark, "\n")
  if ids_of == mark then return ids end
  ids, ids_of = {}, mark
  for _, path in ipairs(files) do
    local file <close> = require("jaunt.native.audience").open { path = path }
    local id = file:next()
    while id and #ids < PEOPLE_MOST do
      ids[#ids + 1] = id
      id = file:next()
    end
  end
  return ids
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

-- What an argument of a command is, by the command's name.
local PEOPLE, JOURNEYS, PAYLOADS, FILES = { "person", "why", "forget" },
  { "run", "step", "report", "runs", "redrive", "move", "end", "pause", "resume", "docs" }, { "preview", "edit", "render" },
  { "load", "save" }
local KINDS = {}
for kind, list in pairs { people = PEOPLE, journeys = JOURNEYS, payloads = PAYLOADS, files = FILES } do
  for _, name in ipairs(list) do KINDS[name] = kind end
end

local function flag_names(command)
  local names = {}
  for _, flag in ipairs(command.flags or {}) do names[#names + 1] = "--" .. flag.name end
  return names
end

local function of_kind(kind, found, word)
  if kind == "files" then return file_names(word) end
  if not found then return {} end
  local read = ({ people = people_ids, journeys = journey_names, payloads = payload_names })[kind]
  return read and beginning(read(found), word) or {}
end

local function complete_command(parts, line, word, start)
  local commands = parts.commands()
  if not line:sub(1, start - 1):find("%S") then
    local list = {}
    for _, name in ipairs(beginning(commands, word:sub(2))) do list[#list + 1] = "." .. name end
    return list, " "
  end
  local name, flag = line:match("^%s*%.([%w_%-]+)"), line:sub(1, start - 1):match("%-%-([%w%-]+)%s+$")
  local command = commands[name]
  if word:find("^%-") and type(command) == "table" then return beginning(flag_names(command), word), " " end
  if flag == "person" then return of_kind("people", parts.found, word), " " end
  if flag then return file_names(word), "" end
  local list = of_kind(KINDS[name], parts.found, word)
  return list, KINDS[name] == "files" and "" or " "
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
  if last.value == "via" then return beginning(connection_names(parts.found), word), '"' end
  if last.value == "payload" then return beginning(payload_names(parts.found), word), '"' end
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
      local names = require("jaunt.repl.help").names()
      local prefix = word:sub(1, 1) == "?" and "?" or ""
      local list = beginning(names, word:sub(#prefix + 1))
      for i, name in ipairs(list) do list[i] = prefix .. name end
      return list, ""
    end
    if parts.before() == "" and line:find("^%s*%.") then return complete_command(parts, line, word, start) end
    return complete_lua(parts, line, word, start)
  end
end

return completion
