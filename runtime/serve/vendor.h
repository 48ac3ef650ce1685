/* The pretend vendor: an HTTP server on libmicrohttpd that answers every path, fails when told to, and
 * remembers what it was sent. `jaunt vendor` is this; a rehearsal runs one inside the process.
 *
 * It has a thread, a loop and a lua_State (for the behaviour file) of its own. */
#ifndef JAUNT_SERVE_VENDOR_H
#define JAUNT_SERVE_VENDOR_H

#include <stdint.h>

#include "base/error.h"

typedef struct vendor vendor;

typedef struct vendor_options {
  int port;               /* on 127.0.0.1; 0 for a free one */
  int64_t latency_ms;     /* before each answer */
  double fail;            /* share of attempts answered with 503, 0 to 1 */
  double reset;           /* share of attempts whose connection is reset instead of answered */
  uint64_t seed;          /* faults are drawn from hash(seed, key, attempt), never from the order of arrival */
  const char *behaviour;  /* a Lua file that says how paths answer (scripts/vendor.lua); NULL: 200 to all */
  uint64_t remember;      /* how many requests are kept with their bodies; 0 for the default of 100,000 */
} vendor_options;

/* Starts it. Returns NULL and fills `err` (the port is taken, the behaviour file has an error). */
vendor *vendor_start(const vendor_options *options, error *err);
int vendor_port(const vendor *v);
void vendor_stop(vendor *v); /* waits for its thread; frees it */

#endif
