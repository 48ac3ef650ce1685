-- Everybody waits: what a waiting run weighs.
return journey "bench_wait" {
  flow = function()
    wait "1d"
  end,
}
