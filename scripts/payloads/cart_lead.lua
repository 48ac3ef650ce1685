-- A lead for the sales people: who left what in the cart.
return function(person, event, vars)
  local cart = vars.cart
  return {
    external_id = person.id,
    name = ((person.first_name or "") .. " " .. (person.last_name or "")):match("^%s*(.-)%s*$"),
    email = person.email,
    source = "abandoned cart",
    cart = { id = cart.cart_id, total = cart.total, currency = cart.currency or "EUR", items = cart.items },
  }
end
