-- scripts/payloads/greeting.lua
return function(person, event, vars)
  return {
    to = person.phone,
    text = ("Hello %s, your code is %s"):format(person.first_name or "there", vars.code),
    tags = json.array { person.plan },
  }
end
