-- Texts on a terminal: how many columns they take, whatever they are written in.

local term = require "jaunt.base.term"

describe("a text on a terminal", function()
  it("takes as many columns as its characters do", function()
    for text, columns in pairs { [""] = 0, Ada = 3, ["Wanjirũ"] = 7, ["結城"] = 4, ["e\u{301}"] = 1, ["🛒"] = 2,
      ["\xFF\xFE"] = 2 } do
      assert.equal(columns, term.columns(text), text)
    end
  end)

  it("is filled up to a column", function()
    assert.equal("Ada   |", term.pad("Ada", 6) .. "|")
    assert.equal("結城  |", term.pad("結城", 6) .. "|")
    assert.equal("Wanjirũ|", term.pad("Wanjirũ", 6) .. "|")
  end)

  it("is cut to a width, between characters", function()
    for _, case in ipairs { { "abcdef", 6, "abcdef" }, { "abcdef", 4, "abc…" }, { "結城結", 6, "結城結" },
      { "結城結", 5, "結城…" }, { "結城結", 4, "結…" }, { "e\u{301}e\u{301}e\u{301}", 2, "e\u{301}…" }, { "\xFF\xFE\xFD", 2, "\xFF…" } } do
      assert.equal(case[3], term.cut(case[1], case[2]))
    end
  end)
end)
