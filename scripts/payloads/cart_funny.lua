-- The reminder with a wink.
return function(person, event, vars)
  return {
    messaging_product = "whatsapp", to = person.phone, type = "text",
    text = { body = ("%s, your cart says it feels abandoned 🛒💔 Cheer it up?\nhttps://shop.example.com/cart/%s")
      :format(person.first_name or "Psst", vars.cart.cart_id) },
  }
end
