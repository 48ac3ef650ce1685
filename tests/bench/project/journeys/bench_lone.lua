-- One call after the other: how long each takes when nothing else is going on.
return journey "bench_lone" {
  flow = function(person)
    for _ = 1, 20 do call_api "contact" { via = "vendor", POST = "/contacts", json = { id = person.id } } end
  end,
}
