-- nst/JSONTestSuite: every y_ is decoded, every n_ is refused with line and column, and an i_, which may be either,
-- ends as one of the two.

local json = require "json"
local helper = require "helper"

local folder, why = helper.data("json/test_parsing")

local function texts(kind)
  local found = {}
  for _, name in ipairs(require("jaunt.native.fs").list(folder)) do
    if name:match("^" .. kind .. "_.*%.json$") then found[#found + 1] = name end
  end
  table.sort(found)
  return found
end

local function decode(name)
  local text = helper.read_file(folder .. "/" .. name)
  local ok, answer = pcall(json.decode, text)
  return ok, answer, text
end

describe("JSONTestSuite:", function()
  if not folder then
    pending("every y_ is decoded, every n_ is refused (" .. why .. ")")
    return
  end

  for _, name in ipairs(texts "y") do
    it(name .. " is decoded, and encoded to what decodes to the same", function()
      local ok, value = decode(name)
      assert.is_true(ok, tostring(value))
      local again = json.encode(value)
      assert.same(value, json.decode(again))
    end)
  end

  for _, name in ipairs(texts "n") do
    it(name .. " is refused with line and column", function()
      local ok, message = decode(name)
      assert.is_false(ok)
      assert.matches("json%.decode: line %d+, column %d+: ", message)
    end)
  end

  for _, name in ipairs(texts "i") do
    it(name .. " is decoded to what can be encoded, or refused with line and column", function()
      local ok, answer = decode(name)
      if ok then
        assert.same(answer, json.decode(json.encode(answer)))
      else
        assert.matches("json%.decode: line %d+, column %d+: ", answer)
      end
    end)
  end

  it("is there whole", function()
    assert.is_true(#texts "y" >= 95)
    assert.is_true(#texts "n" >= 187)
  end)
end)
