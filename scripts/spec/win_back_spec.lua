-- What win_back promises: the better customer gets the better coupon, and who still buys is left alone.

describe("win_back", function()
  local function quiet(attributes)
    local person = { id = "p1", email = "p1@example.com", phone = "+447700900123", recency_days = "200",
      frequency = "1", total = "5" }
    for key, value in pairs(attributes or {}) do person[key] = value end
    return enter("win_back", person)
  end

  it("leaves alone who still buys, and whose data say nothing", function()
    assert.exited(quiet { recency_days = "12" }, nil, "still buys")
    assert.dropped_at(quiet { id = "p2", recency_days = "soon" }, nil, "recency unknown")
  end)

  it("gives a coupon by worth", function()
    for percent, attributes in pairs {
      [10] = { id = "a" }, [15] = { id = "b", total = "100" }, [25] = { id = "c", frequency = "10" },
    } do
      local run = quiet(attributes)
      assert.equal(percent, sent(run, "coupon from the shop").json.percent)
      assert.went_through(run, "we miss you")
    end
  end)

  it("sends gold customers a WhatsApp as well, and those whom no e-mail reaches", function()
    local gold = quiet { id = "gold", total = "900" }
    assert.went_through(gold, "coupon by WhatsApp")
    vendor "email":on "POST /mail/send":reply(422)
    local bronze = quiet { id = "bronze" }
    assert.went_through(bronze, "coupon by WhatsApp")
  end)
end)
