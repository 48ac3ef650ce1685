-- person: the profile; event: what let the person in; vars: what the call passes.
return function(person, event, vars)
  return {
    to = person.phone,
    text = ("Hello %s, here is your code: %s"):format(person.first_name, vars.code),
    tags = json.array { person.plan },
  }
end
