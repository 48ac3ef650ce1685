/* What goes wrong at the pretend vendor: drawn for each attempt from the seed, the key and the attempt's
 * number, so that the order in which requests come changes nothing. */
#ifndef JAUNT_SERVE_VENDOR_FAULTS_H
#define JAUNT_SERVE_VENDOR_FAULTS_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

typedef struct vendor_faults {
  int64_t latency_ms; /* before each answer */
  double fail, reset; /* shares of attempts, together at most 1 */
} vendor_faults;

typedef enum vendor_fault {
  FAULT_NONE,
  FAULT_FAIL,         /* 503, and nothing is processed */
  FAULT_RESET_BEFORE, /* cut off, and nothing is processed */
  FAULT_RESET_AFTER,  /* processed, and cut off instead of answered */
} vendor_fault;

vendor_fault vendor_fault_draw(const vendor_faults *faults, uint64_t seed, const char *key, size_t length,
                               uint64_t attempt);

/* Says what is wrong with them: 0, or -1 and `err`. `whose` begins the sentence. */
int vendor_faults_check(const vendor_faults *faults, const char *whose, error *err);

#endif
