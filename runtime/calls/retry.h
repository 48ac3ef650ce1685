/* Which attempts deserve another one. Private to calls/; the pauses between them are in calls.h. */
#ifndef JAUNT_CALLS_RETRY_H
#define JAUNT_CALLS_RETRY_H

#include <stdbool.h>

#include "calls/calls.h"

/* True where one more attempt may help and may be made; how many are left is not asked here. */
bool retry_allowed(const call *c, const http_answer *answer);

/* True where the vendor gave no answer, or one that says no more than "not now". */
bool retry_is_outage(const http_answer *answer);

/* True where nobody can know whether the vendor did what it was asked, and asking again might do it twice. */
bool retry_fate_unclear(const call *c, const http_answer *answer);

/* Notes in c->unclear what this attempt, which was judged so, tells of what became of the call. A vendor's "not now" tells of
 * the attempt that it answers, not of one before it that got no answer. */
void retry_note_fate(call *c, const http_answer *answer, call_result judged);

/* The pause after this attempt, in ms: never shorter than what the answer asks for (*asked: it does). */
int64_t retry_pause(const call *c, const http_answer *answer, bool *asked);

#endif
