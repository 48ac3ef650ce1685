-- The welcome as a template that WhatsApp has approved: the words are theirs, the name is ours.
local LANGUAGES = { DE = "de", AT = "de", FR = "fr", ES = "es", MX = "es", IT = "it", BR = "pt_BR", PT = "pt_PT" }

return function(person)
  return {
    messaging_product = "whatsapp", to = person.phone, type = "template",
    template = {
      name = "welcome", language = { code = LANGUAGES[person.country] or "en" },
      components = {
        { type = "body", parameters = { { type = "text", text = person.first_name or "there" } } },
      },
    },
  }
end
