-- Vendors that are out, told while a live run goes on: a line when an outage begins, one a minute while it lasts, and one when
-- it is over. Without it whoever looks on would see queued people alone, until the last retries are spent.

local figures = require "jaunt.base.figures"
local term = require "jaunt.base.term"

local outages = {}

local ATTEMPTS = 20           -- so many that have failed in a row are an outage,
local FEW, FEW_MS = 5, 30000  -- or so many over so long a time, where few people are under way
local EVERY_MS = 60000

local function name_of(outage)
  return outage.name == "" and "calls without via" or outage.name
end

local function why(outage)
  if outage.reason == "status" then return outage.detail end
  return outage.detail == "" and outage.reason or outage.reason .. ": " .. outage.detail
end

local function from_now(ms)
  if ms == 0 then return "now" end
  return (ms < 60000 and ("%d s"):format(math.ceil(ms / 1000)) or figures.duration(ms)) .. " from now"
end

-- "crm: 20 attempts in a row failed (connect: connection refused); 1,340 people wait; the next try 12 s from now".
local function describe(outage)
  local failed = figures.of(outage.failed, "attempt")
  local waiting = outage.waiting > 0 and figures.of(outage.waiting, "person waits", "people wait") or "nobody waits"
  local next_try = outage.next_ms and "; the next try " .. from_now(outage.next_ms) or ""
  return ("%s: %s in a row failed (%s); %s%s"):format(name_of(outage), failed, term.harmless(why(outage)), waiting, next_try)
end

local function is_out(outage, since, now)
  return outage.failed >= ATTEMPTS or (outage.failed >= FEW and now - since >= FEW_MS)
end

-- A teller: look(all, now), to be called now and then with what engine:outages() gives and the time in milliseconds, tells by
-- warn(text) of those that begin or last, and by say(text) of those that are over. Returns what the progress line shows of them: a
-- list of texts.
function outages.teller(warn, say)
  local known, last_told = {}, {} -- by name: { since =, failed =, told = (how many had when it was told last) }; when that was

  local function over(name, now)
    local was = known[name]
    known[name] = nil
    if not was.told then return end
    say(("%s answers again, after %s; %s in a row had failed"):format(name, figures.duration(now - was.since),
      figures.of(was.failed, "attempt")))
  end

  local function tell(name, outage, now)
    if known[name].told == outage.failed or (last_told[name] and now - last_told[name] < EVERY_MS) then return end
    last_told[name], known[name].told = now, outage.failed
    warn(describe(outage))
  end

  return function(all, now)
    local shown, fails = {}, {}
    for _, outage in ipairs(all) do
      local name = name_of(outage)
      if known[name] and outage.failed < known[name].failed then over(name, now) end
      known[name] = known[name] or { since = now }
      known[name].failed, fails[name] = outage.failed, true
      if is_out(outage, known[name].since, now) then
        tell(name, outage, now)
        shown[#shown + 1] = ("%s is out: %s failed"):format(name, figures.count(outage.failed))
      end
    end
    for name in pairs(known) do
      if not fails[name] then over(name, now) end
    end
    return shown
  end
end

return outages
