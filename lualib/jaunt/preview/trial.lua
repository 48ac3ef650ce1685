-- --hostile: a payload rendered for people who break software, and whether what comes out stays what it was: JSON
-- that can be parsed, a form with the same fields, XML and HTML with the same elements.

local figures = require "jaunt.base.figures"
local hostile = require "jaunt.preview.hostile"
local json = require "json"
local term = require "jaunt.base.term"

local trial = {}

-- What a person's data must not change: the fields of a form, the elements of XML and HTML; nil where there is no
-- such thing.
local SHAPES = {}

function SHAPES.form(body, into)
  for field in body:gmatch("[^&]+") do into[field:match("^[^=]*")] = true end
end

function SHAPES.xml(body, into)
  for name in body:gmatch("<[/!?]?([%w:_-]*)") do into[name] = true end
end
SHAPES.html = SHAPES.xml

-- The shapes of what honest people are sent.
local function honest_shape(preview)
  local shape_of, shape = SHAPES[preview.source.kind], {}
  if not shape_of then return nil end
  for _, result in ipairs(preview.results) do
    if result.body then shape_of(result.body, shape) end
  end
  return shape
end

local function foreign(body, kind, shape)
  local found = {}
  SHAPES[kind](body, found)
  for name in pairs(found) do
    if not shape[name] then
      return ("it has %s that nobody else's has: \"%s\""):format(kind == "form" and "a field" or "an element",
        term.one_line(name))
    end
  end
end

-- What is wrong with what would be sent, in words; nil: nothing. A schema is not asked: these people have no phone
-- numbers.
local function trouble(result, shape)
  if not result.body then return nil end
  if result.invalid and #result.schema_faults == 0 then return result.invalid end
  return shape and foreign(result.body, result.kind, shape)
end

local function shown(value)
  if value == nil then return "nothing" end
  if type(value) == "string" then value = term.utf8(value) end
  return term.cut(term.one_line(json.encode(value)), 60)
end

-- Adds to the troubles of one kind: how many there are, and the first of them.
local function note(list, kind, value, why)
  local last = list[#list]
  if last and last.kind == kind then
    last.count = last.count + 1
  else
    list[#list + 1] = { kind = kind, value = shown(value), why = term.harmless(term.utf8(why)), count = 1 }
  end
end

-- Tries one preview with hostile kin of its first person. Returns { tried =, sent =, skipped =, dropped =, held =,
-- failed =, invalid = (counts), broken = and refused = (lists of { kind =, value =, why =, count = }), strings = (the
-- file) }.
local function try(renderer, preview, strings_file)
  local strings, path = hostile.strings(strings_file)
  local shape, base = honest_shape(preview), preview.results[1].subject
  local found = { tried = 0, sent = 0, skipped = 0, dropped = 0, held = 0, failed = 0, invalid = 0, broken = {},
    refused = {}, strings = path }
  for _, subject in ipairs(hostile.subjects(base, strings)) do
    subject.id, subject.now = base.id, base.now
    local result = renderer.one(preview.name, subject)
    local why = trouble(result, shape)
    found.tried = found.tried + 1
    found[why and "invalid" or result.outcome] = found[why and "invalid" or result.outcome] + 1
    if why then note(found.broken, subject.kind, subject.value, why) end
    if result.outcome == "failed" then
      note(found.refused, subject.kind, subject.value, result.fault:match("^[^\n]*"))
    end
  end
  return found
end

local function say_list(list, what)
  for _, one in ipairs(list) do
    local others = one.count > 1 and (" and %d more"):format(one.count - 1) or ""
    print(("%s, %s (%s%s): %s"):format(one.kind, what, one.value, others, one.why))
  end
end

local function say(found, name)
  local paint, parts = term.paint(), {}
  say_list(found.broken, paint.red "invalid")
  say_list(found.refused, "refused")
  for _, outcome in ipairs { "sent", "skipped", "dropped", "held" } do
    if found[outcome] > 0 then parts[#parts + 1] = ("%s %s"):format(figures.count(found[outcome]), outcome) end
  end
  if found.failed > 0 then
    parts[#parts + 1] = ("%s refused with an error, which holds the person"):format(figures.count(found.failed))
  end
  print((found.invalid > 0 and paint.red or paint.green)(("%s stays valid for %s of %s hostile people: %s"):format(name,
    figures.count(found.tried - found.invalid), figures.count(found.tried), table.concat(parts, ", "))))
  print(found.strings and ("with the strings of %s"):format(found.strings)
    or "only with what is built in: --strings FILE takes more, such as blns.json of the Big List of Naughty Strings")
end

-- Tries it and prints what came of it, as JSON if wanted. Returns whether anything that would be sent is invalid.
function trial.run(renderer, preview, strings_file, as_json)
  local found = try(renderer, preview, strings_file)
  if as_json then
    found.payload, found.broken, found.refused = preview.name, json.array(found.broken), json.array(found.refused)
    print(json.encode(found))
  else
    say(found, preview.name)
  end
  return found.invalid > 0
end

return trial
