-- scripts/journeys/hello.lua
return journey "hello" {
  flow = function(person)
    call_api "contact in the CRM" { via = "crm", POST = "/contacts", payload = "contact" }

    wait "1d"
    local told = call_api "hello by WhatsApp" {
      via = "whatsapp", POST = "/messages", payload = "welcome_whatsapp", on_failure = "continue",
    }
    if told.failed then
      call_api "hello by e-mail" { via = "email", POST = "/mail/send", payload = "welcome_email" }
    end
  end,
}
