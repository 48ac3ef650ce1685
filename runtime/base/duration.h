/* Lengths of time as people write them: "500ms", "10s", "2h", "1h30m", "7d", "2w".
 *
 * A duration is a number of milliseconds. Days are 24 hours and weeks 7 days, whatever a zone's clocks do:
 * what has to come at a time of the day is a moment (moment.h). */
#ifndef JAUNT_BASE_DURATION_H
#define JAUNT_BASE_DURATION_H

#include <stdint.h>

#include "base/error.h"

/* The longest that is accepted: 100 years, in milliseconds. */
#define DURATION_MOST_MS ((int64_t)36525 * 24 * 3600 * 1000)

/* Reads whole numbers with the units w, d, h, m, s and ms, the longer ones first and each at most once;
 * spaces may stand between them ("1d 4h"). Returns 0 and sets *ms, or -1 and says in `err` what is taken. */
int duration_parse(const char *text, int64_t *ms, error *err);

/* Writes `ms` with its two largest units of d, h, m, s and ms: "2h", "1d 4h", "350ms", "0s". What is smaller
 * is cut off, so that nothing is shown as longer than it is. */
void duration_format(int64_t ms, char out[32]);

#endif
