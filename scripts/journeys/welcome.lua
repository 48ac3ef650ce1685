-- scripts/journeys/welcome.lua
-- Welcomes those who signed up: by WhatsApp or e-mail after a day, with tips by SMS on the Monday after.
--
-- It shows how people leave: whoever the CRM refuses (no name, no address) and whoever cannot be welcomed (no
-- WhatsApp number, an address that is none) is dropped there, and the funnel says with which status.

return journey "welcome" {
  starts_on = "signed_up",
  reentry   = "never",

  flow = function(person)
    local contact = call_api "contact in the CRM" { via = "crm", POST = "/contacts", payload = "contact" }
    person.crm_id = contact.json.id

    wait "1d"

    local channel = split "welcome channel" { whatsapp = 50, email = 50 }
    if channel == "whatsapp" then
      call_api "welcome by WhatsApp" { via = "whatsapp", POST = "/messages", payload = "welcome_whatsapp" }
    else
      call_api "welcome by e-mail" { via = "email", POST = "/mail/send", payload = "welcome_email" }
    end
    person.welcomed_by = channel

    wait_until "mon 09:00"          -- where the person lives: person.zone

    call_api "tips by SMS" {        -- nice to have: nobody is dropped for want of it
      via = "sms", POST = "/messages",
      form = {
        To = person.phone, From = "+15550100",
        Body = ("Hi %s, three tips to begin with: https://shop.example.com/tips"):format(person.first_name or "there"),
      },
      only_if = function() return person.phone ~= nil and person.consent == "all" end,
      on_failure = "continue",
    }
  end,
}
