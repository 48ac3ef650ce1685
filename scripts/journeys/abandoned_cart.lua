-- scripts/journeys/abandoned_cart.lua
local function same_cart(e, event) return e.cart_id == event.cart_id end

return journey "abandoned_cart" {
  starts_on = "cart_updated",       -- the event that lets a person in
  per       = "cart_id",            -- one living run per person and cart
  reentry   = "7d",                 -- "never" (default), "always", or a duration since the last end
  goal      = { "order_placed", where = same_cart, within = "7d" },   -- leaves as `exited`, counts as converted
  control   = "10%",                -- these people are only watched

  flow = function(person, event)
    repeat                          -- an hour of silence
      local newer = wait_for("cart_updated", { where = same_cart, within = "1h" })
      event = newer or event
    until not newer

    call_api "note in Salesforce" {   -- fails? the person is dropped here, unless said otherwise
      via = "crm", POST = "/leads", payload = "cart_lead", vars = { cart = event },
      on_failure = "continue",        -- "drop" (default), "continue" or "hold"
    }

    local copy  = split "reminder copy" { plain = 50, funny = 50 }
    local nudge = call_api "whatsapp reminder" {
      via = "whatsapp", POST = "/messages", payload = "cart_" .. copy, vars = { cart = event },
      within = "4h", on_failure = "continue",
    }
    if nudge.failed then
      call_api "email reminder" { via = "email", POST = "/mail/send", payload = "cart_email" }
    end
    person.last_cart = event.cart_id
  end,
}
