/* A histogram of latencies: see latency.h. */
#include "engine/latency.h"

/* Microseconds are bucketed by their highest bit and the four bits below it. */
static size_t bucket_of(uint64_t us) {
  if (us < 16) return (size_t)us;
  int high = 63 - __builtin_clzll(us);
  size_t bucket = (size_t)(high - 3) * 16 + ((us >> (high - 4)) & 15);
  return bucket < LATENCY_BUCKETS ? bucket : LATENCY_BUCKETS - 1;
}

static double bucket_ms(size_t bucket) {
  if (bucket < 16) return (double)bucket / 1000;
  size_t high = bucket / 16 + 3;
  double low = (double)(1ULL << high), step = low / 16;
  return (low + (double)(bucket % 16) * step + step / 2) / 1000;
}

void latency_add(latency *l, double ms) {
  uint64_t us = ms > 0 ? (uint64_t)(ms * 1000) : 0;
  _Atomic uint32_t *bucket = &l->buckets[bucket_of(us)]; /* one thread adds: it need not be done atomically */
  atomic_store_explicit(bucket, atomic_load_explicit(bucket, memory_order_relaxed) + 1, memory_order_relaxed);
}

void latency_quantiles(latency *const *all, size_t count, const double *quantiles, double *ms,
                       size_t quantile_count) {
  uint64_t sums[LATENCY_BUCKETS] = {0}, total = 0;
  for (size_t i = 0; i < count; i++) {
    for (size_t b = 0; b < LATENCY_BUCKETS; b++)
      sums[b] += atomic_load_explicit(&all[i]->buckets[b], memory_order_relaxed);
  }
  for (size_t b = 0; b < LATENCY_BUCKETS; b++) total += sums[b];
  for (size_t q = 0; q < quantile_count; q++) {
    ms[q] = 0;
    uint64_t wanted = (uint64_t)(quantiles[q] * (double)total), seen = 0;
    for (size_t b = 0; total && b < LATENCY_BUCKETS; b++) {
      seen += sums[b];
      if (seen > wanted) {
        ms[q] = bucket_ms(b);
        break;
      }
    }
  }
}
