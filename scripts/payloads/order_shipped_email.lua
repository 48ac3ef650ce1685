-- event: order_id, courier, tracking
return function(person, event)
  return {
    from = { email = "orders@shop.example.com", name = "The Shop" },
    to = { email = person.email, name = person.first_name },
    subject = ("Your order %s is on its way"):format(event.order_id),
    text = ("%s has it. Tracking number: %s\n"):format(event.courier or "Our courier", event.tracking or "follows"),
  }
end
