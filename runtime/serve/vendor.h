/* The pretend vendor: an HTTP server on libmicrohttpd that answers every path, fails when told to, and
 * remembers what it was sent. `jaunt vendor` is this; a rehearsal runs one inside the process.
 *
 * The first segment of a path is a connection's name: /crm/v2/leads is what the connection `crm` was sent.
 * Its own pages begin with an underscore:
 *   GET  /_health                           {"ok":true}
 *   GET  /_received                         counts: of all, by connection, by path
 *   GET  /_received?items=1&limit=&offset=  and what was received, in the order of arrival, 100 at a time
 *                                           (10,000 at most); "next_offset" is null at the end
 *   GET  /_received?key=K                   what was received under one idempotency key
 *   POST /_reset                            forgets everything
 *
 * It has a thread, a loop and a lua_State (for the behaviour file) of its own, and listens on 127.0.0.1
 * only. What the functions below do is safe from any thread. */
#ifndef JAUNT_SERVE_VENDOR_H
#define JAUNT_SERVE_VENDOR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"

typedef struct vendor vendor;

typedef struct vendor_options {
  int64_t port;          /* on 127.0.0.1; 0 for a free one */
  int64_t latency_ms;    /* before each answer */
  double fail;           /* share of attempts answered with 503, 0 to 1 */
  double reset;          /* share of attempts whose connection is reset instead of answered: half of them
                            before the request is processed, half after (the answer is lost) */
  uint64_t seed;         /* faults are drawn from hash(seed, key, attempt), never from the order of arrival */
  const char *behaviour; /* a Lua file that says how paths answer (scripts/vendor.lua); NULL: 200 to all */
  uint64_t remember;     /* how many requests are kept with their bodies; 0 for the default of 100,000 */
} vendor_options;

/* What came, and what became of it: requests = accepted + refused + failed + repeats + (reset - lost). */
typedef struct vendor_counts {
  uint64_t requests;
  uint64_t accepted;   /* processed, and answered 2xx */
  uint64_t refused;    /* answered with anything else by the behaviour */
  uint64_t failed;     /* answered 503, as drawn */
  uint64_t reset;      /* cut off instead of answered, as drawn... */
  uint64_t lost;       /* ...after it was accepted, refused or repeated */
  uint64_t repeats;    /* of a key that was accepted before: answered again, not processed again */
  uint64_t two_bodies; /* of a key that came before with another method, target or body: refused, 422 */
  uint64_t doubles;    /* without a key, and the same request was accepted before: accepted once more */
  uint64_t errors;     /* errors in the behaviour, among the refused: 500 */
} vendor_counts;

/* The names of the counts, for those who print them; ends with a name of NULL. */
typedef struct vendor_count_name {
  const char *name;
  size_t offset; /* of the uint64_t within vendor_counts */
} vendor_count_name;
extern const vendor_count_name vendor_count_names[];

/* Starts it. Returns NULL and fills `err` (the port is taken, the behaviour file has an error). */
vendor *vendor_start(const vendor_options *options, error *err);
int vendor_port(const vendor *v);
vendor_counts vendor_count(vendor *v);
/* Appends what GET /_received answers; `items`: with the first requests themselves. */
void vendor_received(vendor *v, bool items, buf *out);
void vendor_stop(vendor *v); /* waits for its thread; frees it; NULL is taken */

#endif
