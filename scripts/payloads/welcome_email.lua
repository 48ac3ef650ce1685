-- The welcome by e-mail.
return function(person)
  local name = person.first_name or "there"
  return {
    from = { email = "hello@shop.example.com", name = "The Shop" },
    to = { email = person.email, name = person.first_name },
    subject = ("Welcome, %s!"):format(name),
    text = ("Hello %s,\n\ngood to have you with us. You are on the plan \"%s\".\n"):format(name, person.plan or "free"),
  }
end
