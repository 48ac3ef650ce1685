/* A histogram of latencies: log-linear buckets within 6 %, written by one thread, read by any. */
#ifndef JAUNT_ENGINE_LATENCY_H
#define JAUNT_ENGINE_LATENCY_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

enum { LATENCY_BUCKETS = 16 * 40 };

typedef struct latency {
  _Atomic uint32_t buckets[LATENCY_BUCKETS];
} latency;

void latency_add(latency *l, double ms);

/* The quantiles (0..1) of several histograms together, in ms; 0 where nothing was added. */
void latency_quantiles(latency *const *all, size_t count, const double *quantiles, double *ms,
                       size_t quantile_count);

#endif
