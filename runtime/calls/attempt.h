/* One attempt of a call: its request put together, and its answer kept. Private to calls/. */
#ifndef JAUNT_CALLS_ATTEMPT_H
#define JAUNT_CALLS_ATTEMPT_H

#include "calls/calls.h"

/* Finds what would keep the request from being put together, before anything is recorded: a header that is
 * none, a line break in a value, a secret without a value. -1 with the reason, which shows no value. */
int attempt_check(const call *c, error *err);

/* Sends it: c->exchange is set. -1 with the reason when the wire does not take it; `done` is not called then.
 * What held secrets is wiped before it returns. */
int attempt_send(call *c, http *wire, const char *reroute, http_done done, error *err);

/* Takes what the answer has into c: status, headers, body (cut to keep_body), attempts, ms. */
void attempt_read(call *c, http_answer *answer);

void attempt_wipe(call *c); /* frees and wipes what was put together; no-op when there is nothing */

#endif
