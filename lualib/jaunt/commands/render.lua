-- jaunt render: templates with their data in, results out, a line each, so that any suite can be held against the
-- engine.

local engine = require "jaunt.native.engine"
local existing = require "jaunt.base.existing"
local json = require "json"
local liquid = require "jaunt.liquid"
local mistakes = require "jaunt.base.mistakes"
local term = require "jaunt.base.term"

local KINDS = { txt = true, json = true, form = true, html = true, xml = true }

-- What is wrong with a line, in words; nil where it is a case.
local function mistake_in(case)
  if type(case) ~= "table" or json.is_array(case) then return "a case is a JSON object" end
  if type(case.template) ~= "string" then return "its template is no text" end
  if case.kind ~= nil and not KINDS[case.kind] then return "its kind is none of txt, json, form, html and xml" end
  for _, field in ipairs { "data", "partials" } do
    if case[field] ~= nil and (type(case[field]) ~= "table" or json.is_array(case[field]) and next(case[field])) then
      return ("its %s are no object"):format(field)
    end
  end
end

local function plain(value)
  return value ~= json.null and value or nil
end

-- The answer to one case: { result = } or { error =, line =, column = }.
local function answer(case, now)
  local kind, data, partials = case.kind or "txt", case.data or {}, case.partials or {}
  local template, fault = liquid.compile(case.template, {
    path = "template", kind = kind,
    partial = function(name) return partials[name] and { text = partials[name], path = name, kind = kind } end,
  })
  local result
  if template then
    result, fault = template:render { person = plain(data.person), event = plain(data.event), vars = data, now = now }
  end
  if result then return { result = term.utf8(result) } end -- which it is not where the template isn't
  return { error = fault.text .. (fault.hint and "; " .. fault.hint or ""), line = fault.line, column = fault.column,
    outcome = fault.reason and fault.what or nil }
end

local function answer_line(line, number, now)
  local ok, case = pcall(json.decode, line)
  local mistake = not ok and tostring(case):gsub("^.-line 1, ", "", 1) or mistake_in(case)
  if not mistake then return answer(case, now), true end
  return { error = ("line %d is no case: %s"):format(number, mistake) }, false
end

local function open(path)
  if path == "-" then return io.stdin end
  return assert(io.open(existing.file(path, "file of cases"), "rb"))
end

local function run(_, flags)
  if not flags.cases then mistakes.fail("render needs cases: --cases FILE (or - for standard input)") end
  local now, why = engine.now_ms(), nil
  if flags.now then now, why = engine.moment(flags.now) end
  if not now then mistakes.fail("--now: %s", why) end
  local number, understood = 0, true
  for line in open(flags.cases):lines() do
    number = number + 1
    if line:find("%S") then
      local reply, is_case = answer_line(line, number, now)
      understood = understood and is_case
      io.stdout:write(json.encode(reply), "\n")
    end
  end
  return understood and 0 or 1
end

return {
  name = "render",
  group = "write",
  summary = "Renders templates with their data: a JSON object a line in, one a line out.",
  about = "A line in is {\"template\":…, \"data\":{…}, \"kind\":\"txt\"}; kind is txt, json, form, html or xml, and "
    .. "partials, {NAME:TEXT}, are what render finds. The fields of data are the template's names; person and event in "
    .. "it are those of a payload. A line out is "
    .. "{\"result\":…}, or {\"error\":…, \"line\":…, \"column\":…}.",
  flags = {
    { name = "cases", value = "FILE", help = "NDJSON; - is standard input" },
    { name = "now", value = "TIME", default_text = "now", help = "the clock of all cases: \"2026-11-25 09:00\"" },
  },
  examples = { "jaunt render --cases cases.ndjson --now 2026-11-25T09:00:00Z" },
  exit = { [0] = "every line was a case", [1] = "a line was none", [2] = "it could not begin" },
  run = run,
}
