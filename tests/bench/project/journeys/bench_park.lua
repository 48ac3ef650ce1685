-- Waits, takes a step, and waits again, for ever.
return journey "bench_park" {
  flow = function(person)
    while true do
      wait(person.wait or "1d")
      split "copy" { plain = 1, funny = 1 }
    end
  end,
}
