-- Some 300 bytes of JSON, from what is known of the person.
return function(person)
  return {
    external_id = person.id,
    name = { first = person.first_name, last = person.last_name },
    email = person.email,
    phone = person.phone,
    address = { street = person.street, city = person.city, country = person.country },
    plan = person.plan or "free",
    score = person.score,
    consent = person.consent == "yes",
    tags = { "newcomer", person.country, person.plan },
  }
end
