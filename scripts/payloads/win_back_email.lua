-- vars: code, percent
return function(person, event, vars)
  return {
    from = { email = "hello@shop.example.com", name = "The Shop" },
    to = { email = person.email },
    subject = ("We miss you: %d%% off"):format(vars.percent),
    text = ("It has been %s days. Come back with the code %s, it is good for 30 days.\n"):format(person.recency_days,
      vars.code),
  }
end
