-- vars: order (what the shop knows of it)
return function(person, event, vars)
  return {
    from = { email = "orders@shop.example.com", name = "The Shop" },
    to = { email = person.email, name = person.first_name },
    subject = ("We are looking for your order %s"):format(event.order_id),
    text = ("It should have been with you by now. We have asked %s, and will write again.\n")
      :format(vars.order.courier),
  }
end
