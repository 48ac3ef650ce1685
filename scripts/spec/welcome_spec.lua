-- What welcome promises: a contact in the CRM, a welcome after a day, and tips on the Monday after.

describe("welcome", function()
  it("welcomes a day later, and sends tips on Monday at nine where the person lives", function()
    local run = enter("welcome", "grace")
    assert.received("crm", "POST /contacts", { external_id = "grace", first_name = "Grace" })
    assert.waits_until(run, "2026-11-26 09:00", "UTC")
    clock "+1d"
    assert.waits_until(run, "2026-11-30 09:00")
    clock "2026-11-30 13:59"
    assert.is_waiting_at(run, "wait_until mon 09:00")
    clock "2026-11-30 14:00" -- nine in New York
    assert.received("sms", "POST /messages")
    assert.completed(run)
  end)

  it("welcomes by the one channel or by the other", function()
    local by = {}
    for i = 1, 20 do
      local run = enter("welcome", { id = "p" .. i, first_name = "P", email = "p@example.com", phone = "+447700900123" })
      clock "+1d"
      by.whatsapp = by.whatsapp or sent(run, "welcome by WhatsApp")
      by.email = by.email or sent(run, "welcome by e-mail")
    end
    assert.matches_snapshot("welcome_whatsapp", by.whatsapp.json)
    assert.matches_snapshot("welcome_email", by.email.json)
  end)

  it("drops who has no name, where the CRM refuses", function()
    local run = enter("welcome", "nobody")
    assert.dropped_at(run, "contact in the CRM")
    assert.received("sms", "POST /messages", nil, 0)
  end)

  it("waits when the CRM asks for it, and writes each contact once", function()
    vendor "crm":on "POST /contacts":storm(2, 60)
    local run = enter("welcome", "ada")
    clock "+3m"
    assert.went_through(run, "contact in the CRM")
    assert.received("crm", "POST /contacts", nil, 1)
  end)
end)
