/* The words that stand beside a reason, for a person to read. Private to calls/.
 *
 * No secret gets into them: what the wire says may quote a URL, and a URL's query may hold a key. */
#ifndef JAUNT_CALLS_DETAIL_H
#define JAUNT_CALLS_DETAIL_H

#include <stdint.h>

#include "calls/calls.h"

/* How an attempt, or the whole call, ended. */
typedef struct ending {
  call_result result;
  call_reason reason;
  char detail[256];
} ending;

/* A success: it needs no words. Of an ending only these bytes of its detail are set that are its text. */
static inline ending ending_ok(void) {
  ending e;
  e.result = CALL_OK;
  e.reason = REASON_NONE;
  e.detail[0] = '\0';
  return e;
}

/* An ending whose detail is printf's, cut between characters when it is too long. */
ending ending_say(call_result result, call_reason reason, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* "503 Service Unavailable", or the number alone where the standard has no phrase for it. */
ending ending_status(int status);

/* The answer asks for a pause that ends after `within`. */
ending ending_too_late(const call *c, int64_t pause_ms);

/* `within` was over; from what c knows about its attempts so far, before this ending is written into it. */
ending ending_within(const call *c);

ending ending_cut(void);

/* What the wire said of a broken attempt, without the queries of URLs. */
ending ending_broken(call_reason reason, const char *said);

/* A mistake of ours. */
ending ending_mistake(call_reason reason, const char *said);

#endif
