local nearest = require "jaunt.base.nearest"

describe("the distance between two words", function()
  it("counts letters left out, added, changed, and swapped with a neighbour", function()
    assert.equal(0, nearest.distance("people", "people"))
    assert.equal(1, nearest.distance("peple", "people"))
    assert.equal(1, nearest.distance("peoplle", "people"))
    assert.equal(1, nearest.distance("peoble", "people"))
    assert.equal(1, nearest.distance("poeple", "people"))
    assert.equal(6, nearest.distance("", "people"))
  end)

  it("counts characters, not bytes", function()
    assert.equal(1, nearest.distance("müde", "mude"))
  end)

  it("takes bytes that are not UTF-8 as they are", function()
    assert.equal(1, nearest.distance("a\xff", "a"))
  end)
end)

describe("the nearest name", function()
  it("is the one with the fewest slips", function()
    assert.equal("people", nearest.find("peolpe", { "payload", "people", "port" }))
    assert.equal("run", nearest.find("rnu", { "repl", "run", "runs" }))
  end)

  it("does not mind capitals", function()
    assert.equal("people", nearest.find("PEOPLE", { "people" }))
  end)

  it("may be a longer one that begins so, if it is the only one", function()
    assert.equal("in-flight", nearest.find("in", { "in-flight", "limit" }))
    assert.is_nil(nearest.find("re", { "report", "redrive" }))
  end)

  it("is nothing when nothing is near", function()
    assert.is_nil(nearest.find("banana", { "people", "limit" }))
    assert.is_nil(nearest.find("x", { "y" }))
    assert.is_nil(nearest.find("x", {}))
  end)

  it("is the first by alphabet of equally near ones", function()
    assert.equal("bat", nearest.find("zat", { "cat", "bat" }))
  end)

  it("makes a hint for messages", function()
    assert.equal("; did you mean --people?", nearest.hint("peple", { "people" }, "--"))
    assert.equal("", nearest.hint("banana", { "people" }))
  end)
end)
