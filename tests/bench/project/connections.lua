-- The one vendor of the benchmark: an nginx beside it on loopback.
return {
  vendor = {
    base_url = env "BENCH_URL",
    private_network = true,
  },
}
