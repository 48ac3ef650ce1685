-- What order_update promises: one message when an order is on its way, and somebody who looks for it when it does not come.

describe("order_update", function()
  it("tells by WhatsApp, and ends when the order is there", function()
    local run = enter("order_update", "ada", { order_id = "O-1", tracking = "T1" })
    assert.went_through(run, "on its way, by WhatsApp")
    happens("order_delivered", "ada", { order_id = "O-1" })
    assert.exited(run, nil, "delivered")
    assert.received("email", "POST /mail/send", nil, 0)
  end)

  it("tells by e-mail who has no phone, or whom WhatsApp does not know", function()
    local run = enter("order_update", { id = "p", email = "p@example.com" }, { order_id = "O-1" })
    assert.went_through(run, "on its way, by e-mail")
    vendor "whatsapp":on "POST /messages":reply(400)
    run = enter("order_update", "ada", { order_id = "O-2" })
    assert.went_through(run, "on its way, by e-mail")
  end)

  it("asks the shop after five days, and has a lost order looked for", function()
    vendor "shop":on "GET /orders/O-1":reply(200, { state = "lost", courier = "DHL" })
    local run = enter("order_update", "ada", { order_id = "O-1" })
    clock "+5d"
    assert.went_through(run, "we are looking for it")
    assert.received("crm", "POST /notes", { text = "order O-1 is lost with DHL" })
    assert.completed(run)
  end)

  it("holds for us when the ticket can't be written", function()
    vendor "shop":on "GET /orders/:id":reply(200, { state = "lost", courier = "DHL" })
    vendor "crm":on "POST /notes":reply(400)
    local run = enter("order_update", "ada", { order_id = "O-1" })
    clock "+5d"
    assert.held_at(run, "ticket in the CRM")
  end)

  it("stops when the order is cancelled, and needs an order", function()
    local run = enter("order_update", "ada", { order_id = "O-1" })
    happens("order_cancelled", "ada", { order_id = "O-1" })
    assert.exited(run)
    assert.dropped_at(enter("order_update", { id = "p" }), nil, "no order in the event")
  end)
end)
