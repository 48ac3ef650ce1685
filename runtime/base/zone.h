/* The calendar, and the time zones that people live in.
 *
 * Zones come from the system's zone data: $TZDIR, else /usr/share/zoneinfo (files of RFC 8536, version 2 or
 * later; past the end of a file's table the rule in its footer goes on for ever). A zone is read when it is
 * first asked for and kept, unchanging, for as long as the process lives; any thread may call what is
 * declared here. */
#ifndef JAUNT_BASE_ZONE_H
#define JAUNT_BASE_ZONE_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* A date and a time of the day, as a calendar and a clock on the wall show them (Gregorian, also before
 * 1582). */
typedef struct civil {
  int year;
  int month; /* 1 to 12 */
  int day;   /* 1 to 31 */
  int hour, minute, second, ms;
  int weekday; /* 0 is Sunday; written by civil_of and zone_local, read by nobody */
} civil;

/* Days from 1970-01-01 to that date. A day outside its month counts on from it: November 31 is December 1. */
int64_t civil_days(int64_t year, int month, int day);

/* How many days that month has. */
int civil_month_days(int64_t year, int month);

/* Milliseconds from 1970-01-01 00:00 to `c` without any zone, and back. Each field but the month may lie
 * outside its range and counts on; years are those that the result has room for (292 million either way). */
int64_t civil_ms(const civil *c);
void civil_of(int64_t ms, civil *out);

/* ---- zones ---- */

typedef struct zone zone;

/* The zone of that name, such as "Europe/Berlin"; "UTC" is there without zone data, too. Returns NULL and
 * fills `err` where there is none. Never to be freed. */
const zone *zone_find(const char *name, error *err);

const zone *zone_utc(void);
const char *zone_name(const zone *z);

/* The name of the system's own zone, for zone_find: from TZ (a name, or a rule such as
 * "CET-1CEST,M3.5.0,M10.5.0/3"), else from the link /etc/localtime, else from /etc/timezone; "UTC" where
 * these say nothing that is known. Looked up once a process. */
const char *zone_local_name(void);

/* Seconds that the zone's clocks are ahead of UTC (east is positive) at that second since 1970. */
int32_t zone_offset_at(const zone *z, int64_t utc_seconds);

/* The short name of the zone's time at that second: "CET", "+03". Lasts as long as the zone. */
const char *zone_abbreviation_at(const zone *z, int64_t utc_seconds);

/* What the zone's clocks and calendars show at `utc_ms`, milliseconds since 1970. */
void zone_local(const zone *z, int64_t utc_ms, civil *out);

/* The first instant, in milliseconds since 1970, at which the zone's clocks show `local` or later: the first
 * of two where that time comes twice (autumn), and the end of the gap where it is left out (spring). */
int64_t zone_instant(const zone *z, const civil *local);

/* Makes a zone of a file's bytes, which zone_find does with what it has read. Returns NULL and fills `err`
 * where they make no sense. The caller frees it. */
zone *zone_read(const char *name, const void *bytes, size_t length, error *err);
void zone_free(zone *z);

#endif
