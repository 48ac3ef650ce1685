-- vars: code, percent
return function(person, event, vars)
  return {
    messaging_product = "whatsapp", to = person.phone, type = "text",
    text = { body = ("Long time no see! %d%% off with %s 🎁"):format(vars.percent, vars.code) },
  }
end
