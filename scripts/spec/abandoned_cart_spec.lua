-- What abandoned_cart promises: one reminder for a cart that was left for an hour, and none for one that was bought.

describe("abandoned_cart", function()
  it("reminds by WhatsApp after an hour of silence, and counts from the last change", function()
    local run = enter("abandoned_cart", "ada", { cart_id = "c1", total = 20 })
    clock "+50m"
    happens("cart_updated", "ada", { cart_id = "c1", total = 30 })
    clock "+50m"
    assert.is_not.went_through(run, "note in Salesforce")
    clock "+10m"
    assert.received("crm", "POST /leads", { external_id = "ada", cart = { total = 30 } })
    assert.received("whatsapp", "POST /messages", nil, 1)
    assert.completed(run)
  end)

  it("writes an e-mail to those whom WhatsApp does not reach", function()
    vendor "whatsapp":on "POST /messages":reply(400)
    local run = enter("abandoned_cart", "ada", { cart_id = "c1" })
    clock "+2h"
    assert.went_through(run, "email reminder")
    assert.received("email", "POST /mail/send", { to = { email = "ada@example.com" } })
    assert.matches_snapshot("cart_email", sent(run, "email reminder").json)
  end)

  it("reminds all the same when the CRM takes no notes", function()
    vendor "crm":on "POST /leads":reset():reply(503)
    local run = enter("abandoned_cart", "grace", { cart_id = "c2" })
    clock "+1d"
    assert.went_through(run, "whatsapp reminder")
  end)

  it("leaves who buys in peace", function()
    local run = enter("abandoned_cart", "ada", { cart_id = "c1" })
    clock "+30m"
    happens("order_placed", "ada", { cart_id = "another" })
    assert.is_waiting_at(run, "wait_for cart_updated")
    happens("order_placed", "ada", { cart_id = "c1" })
    clock "+1d"
    assert.exited(run)
    assert.received("whatsapp", "POST /messages", nil, 0)
  end)

  it("has one run for a cart at a time", function()
    assert.is_table(enter("abandoned_cart", "ada", { cart_id = "c1" }))
    assert.is_nil(enter("abandoned_cart", "ada", { cart_id = "c1" }))
    assert.is_table(enter("abandoned_cart", "ada", { cart_id = "c2" }))
  end)

  it("goes on from wherever the process ends", function()
    crash_everywhere("abandoned_cart", "ada", { event = { cart_id = "c1", total = 80, items = {} } })
  end)
end)
