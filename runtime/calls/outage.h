/* Whether a connection's vendor is out: how many attempts in a row got no answer that says yes or no, why the last one did
 * not, and who waits for another.
 *
 * Shared by all workers, with a lock of its own, which is not asked for while the vendor answers. What is told of an outage,
 * and when, is decided elsewhere (lualib/jaunt/run/outages.lua); whether to try again, in retry.c. */
#ifndef JAUNT_CALLS_OUTAGE_H
#define JAUNT_CALLS_OUTAGE_H

#include <stddef.h>
#include <stdint.h>

#include "base/timers.h"
#include "calls/reason.h"

enum { OUTAGE_DETAIL = 256 };

typedef struct outage outage;

outage *outage_new(void);
void outage_free(outage *o);

/* An attempt has failed so; the detail is for people, without secrets. */
void outage_failed(outage *o, call_reason reason, const char *detail);
/* The vendor has answered, and no failure is in a row with those to come. */
void outage_answered(outage *o);

/* A call waits for its next attempt, until `at_ms`; `place` is its own, and is never fired. And it waits no longer. */
void outage_wait(outage *o, timer *place, int64_t at_ms);
void outage_go_on(outage *o, timer *place);

typedef struct outage_look {
  uint64_t failed;    /* in a row; 0: it answers */
  call_reason reason; /* of the last one */
  char detail[OUTAGE_DETAIL];
  size_t waiting;
  int64_t next_ms; /* when the first of those who wait is tried again; INT64_MAX: nobody waits */
} outage_look;
outage_look outage_look_at(outage *o);

#endif
