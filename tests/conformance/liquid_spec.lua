-- The golden suite of Liquid (jg-rp/golden-liquid): what is to be rendered is rendered as it says, what is to be
-- rejected is, by compile or by render; and its benchmark fixtures give their expected output. The kind is txt, so that
-- nothing is escaped; the data is the root of names.

local helper = require "helper"
local json = require "json"
local liquid = require "jaunt.liquid"

local NOW = 1764158400000 -- Wed 26 Nov 2025, 12:00 UTC: the year in which the fixtures were made

-- Cases that are not kept to, and why.
local ORDER = "objects are walked in the order of their keys, as by pairs in scripts: JSON's own order is not kept"
local LEFT_OUT = {
  ["filters, compact, array of objects with key property"] = ORDER,
  ["filters, reject, input is a hash, default value, nil match"] = ORDER,
  ["filters, reject, input is a hash, default value, no match"] = ORDER,
  ["filters, reject, input is a hash, explicit nil match"] = ORDER,
  ["filters, reject, input is a hash, int value, no match"] = ORDER,
  ["filters, uniq, array of objects with key property"] = ORDER,
  ["filters, uniq, array of objects with missing key property"] = ORDER,
  ["tags, for, simple hash loop"] = ORDER,
  ["tags, case, unexpected when token"] =
    "the suite has this template twice, to be rendered as if the `and` in its when ended"
    .. " it, and to be rejected: it is rejected",
}

local function render(text, data, options)
  local template, fault = liquid.compile(text, options)
  if not template then return nil, fault end
  return template:render { vars = data, person = data.person, event = data.event, now = data.now or NOW }
end

local function check_rendered(case)
  local result, fault = render(case.template, case.data or {}, { kind = "txt" })
  assert.is_string(result, tostring(fault))
  if not case.results then return assert.equal(case.result, result) end
  local found = false
  for _, wanted in ipairs(case.results) do found = found or wanted == result end
  assert.is_true(found, ("%q is none of the results"):format(result))
end

local function check_rejected(case)
  local result, fault = render(case.template, case.data or {}, { kind = "txt" })
  assert.is_nil(result)
  assert.is_true(fault.what == "syntax" or fault.what == "render", fault.what)
  assert.matches("^template:%d+:%d+: .+\n  %d+ | .*\n *| *%^$", tostring(fault))
end

describe("golden Liquid:", function()
  local path, why = helper.data "liquid/golden-payload-subset.json"
  if not path then
    pending("869 cases are rendered, 123 are rejected (" .. why .. ")")
    return
  end
  local cases = json.decode(helper.read_file(path)).tests

  for _, case in ipairs(cases) do
    local left_out = LEFT_OUT[case.name]
    if left_out then
      pending(("%s (left out: %s)"):format(case.name, left_out))
    elseif case.invalid then
      it(case.name .. ": is rejected", function() check_rejected(case) end)
    else
      it(case.name, function() check_rendered(case) end)
    end
  end

  it("is there whole", function()
    local rejected = 0
    for _, case in ipairs(cases) do rejected = rejected + (case.invalid and 1 or 0) end
    assert.equal(123, rejected)
    assert.equal(869, #cases - rejected)
  end)
end)

-- Two of the expected outputs end with a line end that their templates don't have.
local function without_end(text)
  return (text:gsub("\n$", ""))
end

describe("Liquid's benchmark fixtures:", function()
  local folder, why = helper.data "liquid/benchmark_fixtures"
  if not folder then
    pending("all five give their expected output (" .. why .. ")")
    return
  end
  for _, name in ipairs { "001", "002", "004", "005", "006" } do
    it(name .. " gives its expected output", function()
      local function read(file) return helper.read_file(("%s/%s/%s"):format(folder, name, file)) end
      local result, fault = render(read "templates/index.liquid", json.decode(read "data.json"), {
        kind = "txt", path = "index.liquid",
        partial = function(partial) return { text = read("templates/" .. partial), path = partial } end,
      })
      assert.is_string(result, tostring(fault))
      assert.equal(without_end(read "expected_result.txt"), without_end(result))
    end)
  end
end)
