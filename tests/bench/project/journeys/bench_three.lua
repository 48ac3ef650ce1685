-- Three calls whose answers are 100 bytes each: what a run takes on disk.
return journey "bench_three" {
  flow = function(person)
    for _ = 1, 3 do call_api "message" { via = "vendor", POST = "/hundred", json = { id = person.id } } end
  end,
}
