-- The reminder for those whom WhatsApp does not reach. It knows the cart from the event that let the person in.
return function(person, event)
  return {
    from = { email = "shop@shop.example.com", name = "The Shop" },
    to = { email = person.email, name = person.first_name },
    subject = "You left something in your cart",
    text = ("Hello %s,\n\nyour cart is waiting: https://shop.example.com/cart/%s\n")
      :format(person.first_name or "there", event.cart_id),
  }
end
