-- What is wrong with payloads: as text, and as they are rendered for the project's samples.

local keys = require "jaunt.base.keys"
local mistakes = require "jaunt.base.mistakes"
local people = require "jaunt.project.people"
local renderers = require "jaunt.worker.renderers"
local rendering = require "jaunt.preview.rendering"
local subjects = require "jaunt.preview.subjects"

local payloads = {}

local function check_text(source, sources, found)
  if source.kind == "lua" then return true end -- as scripts are
  local template, fault = renderers.compile(source, sources)
  if template then return true end
  local of = fault.path == source.path and source or { path = fault.path, text = source.text }
  found:add(of, { code = "template", line = fault.line, column = fault.column, text = fault.text, hint = fault.hint,
    hint_is_sentence = true, why = "jaunt run does not begin with it" })
  return false
end

local function check_schema(source, found)
  local ok, why = pcall(renderers.schema_of, source)
  if not ok then found:add(source.schema, { code = "schema", text = tostring(why), why = "jaunt run does not begin with it" }) end
  return ok
end

-- The file that a finding of jaunt.preview.findings is in.
local function source_of(finding, sources)
  for _, source in pairs(sources) do
    if source.path == finding.file then return source end
    if source.schema and source.schema.path == finding.file then return source.schema end
  end
end

-- `has_vars`: the vars are those that a journey gives; where none does, nobody can say what is blank of them, or fails
-- for want of them.
local function check_rendered(preview, has_vars, sources, found)
  for _, finding in ipairs(preview.findings) do
    local source = source_of(finding, sources) or preview.source
    local text = finding.text:gsub("^%S-:%d+: ", "", 1)
    if finding.misspelt and (has_vars or not finding.in_vars) then
      found:add(source, { code = "blank", line = finding.line, text = text, why = "people would be sent nothing there" })
    elseif finding.invalid then
      found:add(source, { code = "schema", line = finding.line, text = text, why = "the schema forbids it" })
    end
  end
  for _, result in ipairs(preview.results) do
    if has_vars and result.outcome == "failed" then
      found:add(preview.source, { code = "render", line = result.line, column = result.column,
        text = ("it fails for %s: %s"):format(result.id, result.fault:match("^[^\n]*"):gsub("^%S-:%d+:%d*:? ", "", 1)),
        why = "they would be held" })
      break
    end
  end
end

-- The first part: payloads as texts. Returns the names of those that are well, and whether these are all.
function payloads.check(sources, found)
  local well, all = {}, true
  for _, name in ipairs(keys.sorted(sources)) do
    local source = sources[name]
    if not source.variants and check_text(source, sources, found) and check_schema(source, found) then
      well[#well + 1] = name
    elseif not source.variants then
      all = false
    end
  end
  return well, all
end

-- The second part, for those that are well: as they are rendered for the project's samples, which can be read. It takes some
-- time, as people are walked through journeys for the vars.
function payloads.check_rendered(project, sources, well, found)
  if #well == 0 or #people.read(people.files(project)[1], 1) == 0 then return end
  local renderer = rendering.new(project, sources, true)
  for _, name in ipairs(well) do
    local ok, described, wanting = pcall(subjects.of_payload, project, sources, { payload = name }, {})
    if not ok then mistakes.fail("%s: %s", name, mistakes.message(described)) end
    for _, one in ipairs(described) do
      check_rendered(renderer.preview(one.name, one.subjects, one.fields), #wanting == 0, sources, found)
    end
  end
end

return payloads
