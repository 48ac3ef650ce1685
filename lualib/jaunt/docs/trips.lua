-- What sample people meet in a journey: which elements they come to, and what is sent there. They walk by
-- jaunt.preview.walk, again and again with something else pretended, until everything has been reached or nothing is
-- left to pretend.

local json = require "json"
local steps = require "jaunt.docs.steps"
local walk = require "jaunt.preview.walk"

local trips = {}

local START_MS = 1795597200000 -- 2026-11-25T09:00:00Z, a Wednesday: always the same, so that the same is written
local TIME_MOST = 60000        -- milliseconds of real time; the bounds of jaunt.preview.walk come long before it
local BODIES_MOST = 200        -- different ones of an element, whose fields are looked at

local trip = {}
trip.__index = trip

local function add_report(self, report)
  for _, element in ipairs(report.elements) do
    self.names[element.name] = true
    self.lines[element.kind .. " " .. element.line] = true
    for _, reason in ipairs(element.reasons) do self.reasons[reason.reason .. " " .. (reason.detail or "")] = true end
  end
  for _, exit in ipairs(report.exits) do self.reasons[exit.reason .. " " .. (exit.detail or "")] = true end
end

local function add_call(self, call, pretended)
  local sent = self.sent[call.element]
  if not sent then
    sent = { bodies = {}, seen = {} }
    self.sent[call.element] = sent
  end
  if not sent.first then sent.first, sent.pretended = call, pretended end
  if self.shown == call.person and not sent.shown then sent.shown, sent.shown_pretended = call, pretended end
  if call.body and not sent.seen[call.body] and #sent.bodies < BODIES_MOST then
    sent.seen[call.body] = true
    sent.bodies[#sent.bodies + 1] = call.body
  end
end

-- Whether a sample person has come to a step; nil where that is not known of steps of its kind.
function trip:reached(step)
  if not self.walked then return nil end
  if step.element then
    return self.names[step.name] or not steps.is_named(step) and self.lines[step.element .. " " .. step.line] or false
  end
  if step.kind == "ending" and (step.what == "drop" or step.what == "exit") then
    if step.literal then return self.reasons[step.what .. " " .. tostring(step.literal)] or false end
    return self.lines[step.what .. " " .. step.line] or false
  end
  return nil
end

local function has_reached_all(self, list)
  local all = true
  steps.each(list, function(step) all = all and self:reached(step) ~= false end)
  return all
end

-- Whether somebody may stay in the journey for ever, as far as its text says: there is a loop in it, or it begins anew.
local function may_be_endless(list)
  local may_be = false
  steps.each(list, function(step)
    may_be = may_be or step.kind == "loop" or step.kind == "ending" and (step.what == "restart_with" or step.what == "goto")
  end)
  return may_be
end

-- What was sent from the element of a step: { call = (the sample's), pretended = (words or nil), bodies = { … } };
-- nil where nobody came there.
function trip:calls_of(step)
  local sent = self.sent[step.name]
  if not sent and not steps.is_named(step) then
    local pattern = "^" .. step.name:gsub("‹.-›", "\0"):gsub("%p", "%%%0"):gsub("%z", ".*") .. "$"
    for _, name in ipairs(require("jaunt.base.keys").sorted(self.sent)) do
      if not sent and name:find(pattern) then sent = self.sent[name] end
    end
  end
  if not sent then return nil end
  if sent.shown then return { call = sent.shown, pretended = sent.shown_pretended, bodies = sent.bodies } end
  return { call = sent.first, pretended = sent.pretended, bodies = sent.bodies }
end

-- Walks `people` (see jaunt.project.people; an empty list: nobody walks) through the journey at `path`, whose flow has
-- the steps `list`. options: shown = (the id of the person whose data are shown), events = (a file), variable (see
-- jaunt.project.connections.read), look_on (see walk.all). The result's reached and calls_of say what they met;
-- complete = false where not all of it was tried.
function trips.walk(found, path, people, list, options)
  local self = setmetatable({ names = {}, lines = {}, reasons = {}, sent = {}, shown = options.shown }, trip)
  self.walked = #people > 0
  if not self.walked then return self end
  local first = options.events and require("jaunt.project.events").first_time(options.events)
  self.complete = walk.all(found, path, people, function(calls, report, pretended)
    add_report(self, report)
    for _, one in ipairs(people) do
      for _, call in ipairs(calls[one.id] or {}) do add_call(self, call, pretended) end
    end
    return has_reached_all(self, list)
  end, { start_ms = first or START_MS, events = options.events, variable = options.variable, time_most = TIME_MOST,
    endless = may_be_endless(list), look_on = options.look_on })
  return self
end

-- The value of each field of a body that is JSON or a form: a decoded value; nil for another body.
function trips.decoded(body, headers)
  local type_ = ""
  for name, value in pairs(headers or {}) do
    if name:lower() == "content-type" then type_ = tostring(value):lower() end
  end
  if type_:find("json", 1, true) then
    local ok, value = pcall(json.decode, body)
    return ok and value or nil, "json"
  elseif type_:find("form-urlencoded", 1, true) then
    local fields = {}
    for name, value in body:gmatch("([^&=]*)=?([^&]*)") do
      local function plain(text)
        return (text:gsub("+", " "):gsub("%%(%x%x)", function(hex) return string.char(tonumber(hex, 16)) end))
      end
      if name ~= "" then fields[plain(name)] = plain(value) end
    end
    return fields, "form"
  end
  return nil, type_:find("html", 1, true) and "html" or type_:find("xml", 1, true) and "xml" or "text"
end

return trips
