/* Points in time as people and protocols write them.
 *
 * A moment is a number of milliseconds since 1970-01-01T00:00:00Z. What has no offset of its own is meant in
 * a zone (zone.h), whose skipped and repeated hours are as zone_instant says. */
#ifndef JAUNT_BASE_MOMENT_H
#define JAUNT_BASE_MOMENT_H

#include <stdint.h>

#include "base/error.h"
#include "base/zone.h"

/* Reads one of
 *   "09:00"                          the next time it is nine in `z`, strictly after `now_ms`
 *   "mon 09:00", "monday 09:00"      the next such day and time, strictly after `now_ms`
 *   "tomorrow 09:00"
 *   "2026-11-30"                     the beginning of that day in `z`
 *   "2026-11-30 09:00"               in `z`; it may have passed
 *   "2026-11-30T09:00:00+02:00"      RFC 3339; `z` is not asked
 * Seconds may follow every time of the day, and a fraction them, which is cut to milliseconds. Without a zone
 * (NULL) it is UTC. Returns 0 and sets *at_ms, or -1 and says in `err` what is taken. */
int moment_parse(const char *text, const zone *z, int64_t now_ms, int64_t *at_ms, error *err);

/* "2026-11-30 09:00:00", as the clocks of `z` show it. */
void moment_format(int64_t ms, const zone *z, char out[40]);

/* "2026-11-30T09:00:00Z", with ".250" before the Z where there are milliseconds. */
void moment_rfc3339(int64_t ms, char out[40]);

/* The moment of an HTTP date, of which there are three forms (RFC 9110, 5.6.7); -1 when it is none. */
int64_t moment_http_date(const char *text);

#endif
