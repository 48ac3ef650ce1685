-- A contact, as the CRM takes it. What a person does not have is left out.
return function(person)
  return {
    external_id = person.id,
    first_name = person.first_name, last_name = person.last_name,
    email = person.email, phone = person.phone, country = person.country,
    plan = person.plan or "free",
  }
end
