-- Fifty recorded decisions for each person, and no call: what steps cost.
return journey "bench_steps" {
  flow = function()
    for _ = 1, 25 do
      split "copy" { plain = 1, funny = 1 }
      split "hour" { early = 1, late = 1 }
    end
  end,
}
