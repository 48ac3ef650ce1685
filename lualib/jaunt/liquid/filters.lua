-- All filters of payload templates: a table by name, of
--
--   run(value, ...)       what it does; gets exactly the arguments that are written, and behind `most` of them the
--                         table of the named ones where there may be any. With context = true the render's context
--                         comes first: { now = ms, zone = its name or nil, … }
--   least, most           how many arguments it takes
--   names                 a list of the named ones, or nil
--   subject               the module that it stands in: "text", "numbers", "lists", "dates", "codes" or "checks"
--   arguments, about      for people: what it takes, and in one line what it does
--   example, result       an expression and what it gives, where `vars` are known; `template` and `kind` where it says
--                         more than the expression. tests/spec/liquid_filters_spec.lua renders each.
--
-- Filters keep nothing between two calls. nil is nil, also where Shopify's give nothing; a mistake is raised by
-- values.fail.

local SUBJECTS = { "text", "numbers", "lists", "dates", "codes", "checks" }

local filters = {}

local function add(row, subject)
  if filters[row.name] then error(("two filters are called %s"):format(row.name)) end
  row.subject = subject
  row.least, row.most = row.least or 0, row.most or 0
  row.arguments = row.arguments or ""
  filters[row.name] = row
end

for _, subject in ipairs(SUBJECTS) do
  for _, row in ipairs(require("jaunt.liquid.filters." .. subject)) do add(row, subject) end
end

return filters
