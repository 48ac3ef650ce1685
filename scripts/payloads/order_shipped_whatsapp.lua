-- event: order_id, courier, tracking
return function(person, event)
  return {
    messaging_product = "whatsapp", to = person.phone, type = "template",
    template = {
      name = "order_shipped", language = { code = "en" },
      components = {
        { type = "body", parameters = {
          { type = "text", text = event.order_id }, { type = "text", text = event.courier or "our courier" },
          { type = "text", text = event.tracking or "–" },
        } },
      },
    },
  }
end
