-- The reminder in plain words.
return function(person, event, vars)
  return {
    messaging_product = "whatsapp", to = person.phone, type = "text",
    text = { body = ("Hello %s, your cart is still here. Shall we keep it for you?\nhttps://shop.example.com/cart/%s")
      :format(person.first_name or "there", vars.cart.cart_id) },
  }
end
