-- Twenty recorded decisions, and a wait: what it takes to come back and end.
return journey "bench_wake" {
  flow = function()
    for _ = 1, 10 do
      split "copy" { plain = 1, funny = 1 }
      split "hour" { early = 1, late = 1 }
    end
    wait "1d"
  end,
}
