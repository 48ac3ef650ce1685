-- How a run goes, while it goes: a line that is written again and again on a terminal, a plain line every few seconds
-- elsewhere. On standard error, so that results can be redirected.

local figures = require "jaunt.base.figures"
local native = require "jaunt.native.control"
local term = require "jaunt.base.term"

local progress = {}

local LIVE_EVERY, PLAIN_EVERY = 100, 5000 -- milliseconds
local RATE_OVER = 2000                    -- calls a second are told over this time

local function ended(look)
  return look.completed + look.exited
end

-- Calls a second over the last seconds; `samples` are { time, attempts }.
local function call_rate(samples, now, attempts)
  samples[#samples + 1] = { now, attempts }
  while #samples > 2 and samples[2][1] < now - RATE_OVER do table.remove(samples, 1) end
  local first = samples[1]
  return now > first[1] and (attempts - first[2]) * 1000 / (now - first[1]) or 0
end

local function time_left(started, now, entered, total)
  if not total or entered == 0 or entered >= total or now - started < 1000 then return nil end
  return (now - started) * (total - entered) / entered
end

local function admitted(look, total, exact)
  if not total then return figures.count(look.admitted) .. " admitted" end
  return ("%s of %s%s admitted"):format(figures.count(look.admitted), exact and "" or "~",
    figures.count(math.max(total, look.admitted)))
end

-- The parts of the line, the important ones first.
local function parts_of(state, look, now, total, exact)
  local parts = { ((look.paused_ms or look.paused) and "paused, " or "") .. admitted(look, total, exact) }
  local function add(n, what) parts[#parts + 1] = figures.count(n) .. " " .. what end
  table.move(look.out, 1, #look.out, #parts + 1, parts)
  add(look.running, "running")
  add(look.queued, "queued")
  add(look.waiting, "waiting")
  add(ended(look), "done")
  add(look.dropped, "dropped")
  if look.held > 0 then add(look.held, "held") end
  if look.attempts > 0 then
    parts[#parts + 1] = ("%s calls/s"):format(figures.count(math.floor(call_rate(state.samples, now, look.attempts) + 0.5)))
    parts[#parts + 1] = ("median %s, p99 %s"):format(figures.latency(look.median_ms), figures.latency(look.p99_ms))
  end
  local left = time_left(state.started, now, look.admitted, total)
  if left then parts[#parts + 1] = figures.duration(left) .. " left" end
  return parts
end

-- The parts over at most two lines of `width` columns.
local function lay_out(parts, width)
  local lines, line = {}, ""
  for _, part in ipairs(parts) do
    local longer = line == "" and part or line .. " · " .. part
    if term.columns(longer) < width then
      line = longer
    else
      lines[#lines + 1] = line
      line = part
    end
    if #lines == 2 then return lines end
  end
  lines[#lines + 1] = line
  return lines
end

-- Takes the lines that stand there away.
local function clear(state)
  if state.shown == 0 then return end
  io.stderr:write("\r\27[K", ("\27[A\27[K"):rep(state.shown - 1))
  state.shown = 0
end

-- A display. show(look, total) may be called as often as one likes, and asks only when it shows: look() for the figures,
-- total() for the number of people, where it is known or guessed, and whether it is known. say(text)
-- writes a line above it; done() takes it away.
function progress.new(quiet)
  local live = term.redraws(2)
  local now = native.now_mono()
  local state = { samples = {}, started = now, last = live and now - LIVE_EVERY or now, shown = 0 }
  local every = live and LIVE_EVERY or PLAIN_EVERY
  local display = {}

  function display.show(look_now, total_now)
    if quiet then return end
    local at = native.now_mono()
    if at - state.last < every then return end
    state.last = at
    local parts = parts_of(state, look_now(), at, total_now())
    if live then
      clear(state)
      local lines = lay_out(parts, term.width())
      io.stderr:write(table.concat(lines, "\n"))
      state.shown = #lines
    else
      io.stderr:write(table.concat(parts, ", "), "\n")
    end
    io.stderr:flush()
  end

  -- Writes to `file` (standard error by default).
  function display.say(text, file)
    clear(state)
    file = file or io.stderr
    file:write(text, "\n")
    file:flush()
  end

  function display.done()
    clear(state)
    io.stderr:flush()
  end

  return display
end

return progress
