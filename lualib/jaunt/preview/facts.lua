-- Previews as JSON, for programs.

local json = require "json"
local term = require "jaunt.base.term"

local facts = {}

local function list_of(items, make)
  local list = json.array()
  for i, item in ipairs(items) do list[i] = make(item) end
  return list
end

local function fault_of(fault)
  return {
    path = fault.path, value = fault.value, rule = fault.rule, schema = ("%s:%d"):format(fault.file, fault.line),
    text = fault.text,
  }
end

local function blank_of(blank)
  return { name = blank.text, line = blank.line, default = blank.defaulted or false, left_out = blank.omitted or false }
end

-- One person's; a body that is JSON is told as a text all the same: its bytes are what is sent.
local function person_of(result)
  return {
    person = result.id, outcome = result.outcome, reason = result.reason, fault = result.fault,
    invalid = result.invalid, repaired = result.repaired, body = result.body and term.utf8(result.body),
    request = result.request, pretended = result.note, blanks = list_of(result.blanks, blank_of),
    schema = list_of(result.schema_faults, fault_of),
  }
end

local function finding_of(finding)
  return {
    text = finding.text, file = finding.file, line = finding.line, name = finding.name, blank = finding.blank,
    of = finding.of, default = finding.defaulted or false, left_out = finding.omitted or false,
    misspelt = finding.misspelt or false, invalid = finding.invalid or false,
  }
end

-- One line of JSON about all that was rendered: previews, bare, said and mistake, as jaunt preview gathers them.
function facts.json(all)
  local list = list_of(all.previews, function(preview)
    return {
      payload = preview.name, path = preview.source.path, hash = preview.source.hash,
      people = list_of(preview.results, person_of), findings = list_of(preview.findings, finding_of),
    }
  end)
  if #all.bare > 0 then list[#list + 1] = { people = list_of(all.bare, person_of), findings = json.array() } end
  return json.encode { previews = list, said = json.array(all.said), mistake = all.mistake }
end

return facts
