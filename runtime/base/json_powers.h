/* The powers of ten that a double can need, as 128 bits each: what json_write.c scales with.
 *
 * The entry of k is 10^k times the power of two that brings it into [2^127, 2^128), rounded up. */
#ifndef JAUNT_BASE_JSON_POWERS_H
#define JAUNT_BASE_JSON_POWERS_H

#include <stdint.h>

enum { JSON_POWER_FIRST = -292, JSON_POWER_LAST = 324 };

typedef struct json_power {
  uint64_t high, low;
} json_power;

extern const json_power json_powers[JSON_POWER_LAST - JSON_POWER_FIRST + 1]; /* [k - JSON_POWER_FIRST] */

#endif
