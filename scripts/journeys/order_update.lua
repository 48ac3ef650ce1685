-- scripts/journeys/order_update.lua
-- Tells people where their order is. The data come with the event: order_id, items, courier, tracking.
--
-- A person may have several orders under way, each in a run of its own. People have asked for these messages by
-- ordering, so there are no control people and no consent to ask for.

local function same_order(e, event) return e.order_id == event.order_id end

return journey "order_update" {
  starts_on = "order_shipped",
  per       = "order_id",
  reentry   = "always",
  exit_on   = { "order_cancelled", where = same_order },

  flow = function(person, event)
    if not event.order_id then drop "no order in the event" end

    local told = call_api "on its way, by WhatsApp" {
      via = "whatsapp", POST = "/messages", payload = "order_shipped_whatsapp", on_failure = "continue",
      only_if = function() return person.phone ~= nil end,
    }
    if told.failed or told.skipped then
      call_api "on its way, by e-mail" { via = "email", POST = "/mail/send", payload = "order_shipped_email" }
    end

    local delivered = wait_for("order_delivered", { where = same_order, within = "5d" })
    if delivered then exit "delivered" end

    -- five days are long: ask the shop before anyone asks us
    local order = call_api "where is it" { via = "shop", GET = "/orders/" .. event.order_id, retry = { attempts = 6 } }
    if order.json.state == "lost" then
      call_api "we are looking for it" {
        via = "email", POST = "/mail/send", payload = "order_late_email", vars = { order = order.json },
      }
      call_api "ticket in the CRM" {
        via = "crm", POST = "/notes", on_failure = "hold",
        json = { contact = person.id, text = "order " .. event.order_id .. " is lost with " .. order.json.courier },
      }
    end
  end,
}
