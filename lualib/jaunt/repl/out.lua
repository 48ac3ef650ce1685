-- What the prompt shows: values, responses, mistakes, and that something takes time.

local figures = require "jaunt.base.figures"
local layout = require "jaunt.preview.layout"
local lexer = require "jaunt.lua.lexer"
local term = require "jaunt.base.term"

local out = {}

local BODY_LINES, LINE_MOST = 100, 2000
local SPINS, SPINS_AFTER = { "⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏" }, 250 -- milliseconds

---------------------------------------------------------------------------------------------- Lua's colours

local COLOURS = { keyword = "blue", string = "green", number = "cyan", comment = "dim" }
local VALUES = { ["nil"] = "cyan", ["true"] = "cyan", ["false"] = "cyan" }

-- A text of Lua with colours; `marks` (bytes that are painted bold) may be left out. The bytes are the same but for the colours.
function out.paint_lua(text, paint, marks)
  local pieces, at = {}, 1
  for _, token in ipairs(lexer.tokens(text)) do
    if token.kind == "end" then break end
    pieces[#pieces + 1] = text:sub(at, token.at - 1)
    local bytes = text:sub(token.at, token.stop)
    local colour = token.kind == "keyword" and VALUES[token.value] or COLOURS[token.kind] or marks and marks[token.at] and "bold"
      or token.kind == "error" and (bytes:find("^%-%-") and "dim" or bytes:find("^[\"'%[]") and "green") or nil
    pieces[#pieces + 1] = colour and paint[colour](bytes) or bytes
    at = token.stop + 1
  end
  pieces[#pieces + 1] = text:sub(at)
  return table.concat(pieces)
end

local CLOSES = { ["("] = ")", ["["] = "]", ["{"] = "}" }

-- The bracket at the byte `at` and the one that belongs to it, as marks; nothing where none stands there.
local function bracket_marks(text, at)
  local open, partner, wanted = {}, {}, nil
  for _, token in ipairs(lexer.tokens(text)) do
    if token.kind == "symbol" and CLOSES[token.value] then
      open[#open + 1] = token
    elseif token.kind == "symbol" and #open > 0 and CLOSES[open[#open].value] == token.value then
      local first = table.remove(open)
      partner[first.at], partner[token.at] = token.at, first.at
    end
  end
  wanted = partner[at] and at or partner[at - 1] and at - 1
  return wanted and { [wanted] = true, [partner[wanted]] = true } or {}
end

-- A line that is being typed, with colours; `before` are the lines of its block above it, `cursor` a byte of the line.
-- nil where it is no Lua.
function out.paint_line(before, line, cursor, paint)
  if before == "" and line:find("^%s*[.?]") then return nil end
  local text = before .. line
  local marks = bracket_marks(text, #before + cursor)
  local _, lines_before = before:gsub("\n", "")
  local painted = out.paint_lua(text, paint, marks)
  for _ = 1, lines_before do painted = painted:match("^[^\n]*\n(.*)$") or painted end
  return painted
end

---------------------------------------------------------------------------------------------- values

-- The first line of a response: how it ended, status, time, attempts.
local function response_head(response, paint)
  local how = response.ok and paint.green("ok") or response.unknown and paint.yellow("unknown")
    or response.skipped and paint.yellow("skipped") or paint.red("failed")
  local parts = { how }
  if response.status then parts[#parts + 1] = "status " .. response.status end
  if response.attempts > 0 then
    parts[#parts + 1] = figures.latency(response.ms)
    parts[#parts + 1] = figures.of(response.attempts, "attempt")
  end
  if response.bytes > 0 then parts[#parts + 1] = figures.of(response.bytes, "byte") end
  if response.error then parts[#parts + 1] = term.one_line(response.error) end
  return table.concat(parts, " · ")
end

-- Adds the lines of a body, JSON indented.
local function add_body(lines, text, paint)
  local kind = text:find("^%s*[%[{]") and "json" or "text"
  local body = layout.lines(text, kind)
  for i = 1, math.min(#body, BODY_LINES) do
    local plain = layout.show(body[i], {})
    lines[#lines + 1] = term.columns(plain) > LINE_MOST and term.cut(plain, LINE_MOST) or layout.show(body[i], paint)
  end
  if #body > BODY_LINES then
    lines[#lines + 1] = paint.dim(("… and %s"):format(figures.of(#body - BODY_LINES, "more line")))
  end
end

local function response_lines(response, paint)
  local lines = { response_head(response, paint) }
  if response.body ~= "" then add_body(lines, response.body, paint) end
  if response.truncated then
    lines[#lines + 1] = paint.dim("… the vendor said more: keep_body bounds what is kept of an answer")
  end
  return lines
end

-- The values of a chunk, as jaunt.repl.body tells them, as text; "" for none.
function out.values(values, paint)
  local lines = {}
  for _, value in ipairs(values) do
    if value.response then
      for _, line in ipairs(response_lines(value.response, paint)) do lines[#lines + 1] = line end
    elseif value.body then
      add_body(lines, value.body, paint)
    else
      lines[#lines + 1] = out.paint_lua(value.text, paint)
    end
  end
  return table.concat(lines, "\n")
end

---------------------------------------------------------------------------------------------- mistakes

-- A mistake as text: its message, and where it came from, where that says more.
function out.failed(failed, paint)
  local lines = { paint.red(term.harmless(failed.message)) }
  local first = failed.at[1]
  if first and (#failed.at > 1 or not failed.message:find(first, 1, true)) then
    for _, place in ipairs(failed.at) do lines[#lines + 1] = paint.dim("  at " .. place) end
  end
  return table.concat(lines, "\n")
end

---------------------------------------------------------------------------------------------- time

-- Shows on a terminal that something takes time: a function of the milliseconds so far, and one that takes it away.
function out.spinner(fd_is_terminal, words)
  local shown, turn = false, 0
  local function take_away()
    if shown then io.stderr:write("\r\27[K") end
    shown = false
  end
  if not fd_is_terminal then return function() end, take_away end
  return function(ms)
    if ms < SPINS_AFTER then return end
    turn = turn % #SPINS + 1
    shown = true
    io.stderr:write(("\r\27[K%s %.1f s  %s"):format(SPINS[turn], ms / 1000, words))
    io.stderr:flush()
  end, take_away
end

return out
