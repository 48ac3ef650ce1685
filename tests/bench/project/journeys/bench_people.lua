-- People go through without a call: what reading them, and a run's beginning and end, cost.
return journey "bench_people" {
  flow = function(person)
    local copy = split "copy" { plain = 1, funny = 1 }
    person.copy = copy
    if person.plan == "plus" then exit(copy) end
  end,
}
