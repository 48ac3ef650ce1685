/* What the three files of a run share: run.c (life), run_call.c (its calls), run_event.c (its events). */
#ifndef JAUNT_ENGINE_RUN_PARTS_H
#define JAUNT_ENGINE_RUN_PARTS_H

#include "engine/run.h"

store_position run_record(run *r, store_record *record, run_state to);
void run_move(run *r, run_state to, uint8_t counts, const char *reason, const char *detail);
void run_park_until(run *r, run_park kind, int64_t until_ms); /* INT64_MAX: no timer */
void run_make_ready(run *r);
void run_finish(run *r); /* after run_end: closes, counts and forgets the run */
/* After run_end, from outside the run: it ends at once when it waits or is ready, else as soon as its call is over
 * (`calling`: it has one under way); a call that is not on the wire is cancelled. */
void run_end_soon(run *r, bool calling);
void run_index(run *r); /* so that events find it */
void run_unindex(run *r);

#endif
