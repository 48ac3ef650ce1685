/* Durations, the calendar and moments: what is read, what is refused in words, and that what is written reads
 * back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/clock.h"
#include "base/duration.h"
#include "base/hash.h"
#include "base/moment.h"
#include "base/zone.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static void need_zone_data(void) {
  if (access("/usr/share/zoneinfo/Europe/Berlin", R_OK) == 0) return;
  print_message("no zone data in /usr/share/zoneinfo (package tzdata)\n");
  skip();
}

static const zone *find(const char *name) {
  error err = {""};
  const zone *z = zone_find(name, &err);
  if (!z) fail_msg("%s", err.text);
  return z;
}

static int64_t random_below(uint64_t *seed, int64_t bound) {
  return (int64_t)(random_next(seed) % (uint64_t)bound);
}

/* ---- durations ---- */

static void durations_are_read(void **state) {
  (void)state;
  static const struct {
    const char *text;
    int64_t ms;
  } cases[] = {{"500ms", 500},
               {"10s", 10000},
               {"2h", 7200000},
               {"1h30m", 5400000},
               {"1h 30m", 5400000},
               {" 7d ", 604800000},
               {"2w", 1209600000},
               {"0s", 0},
               {"007s", 7000},
               {"1w1d1h1m1s1ms", 694861001},
               {"90m", 5400000},
               {"36525d", DURATION_MOST_MS},
               {"3155760000000ms", DURATION_MOST_MS}};
  for (size_t i = 0; i < COUNT(cases); i++) {
    error err = {""};
    int64_t ms = -1;
    if (duration_parse(cases[i].text, &ms, &err)) fail_msg("%s", err.text);
    assert_int_equal(ms, cases[i].ms);
  }
}

static void what_is_no_duration_is_refused_with_an_example(void **state) {
  (void)state;
  static const char *const texts[] = {"",          " ",         "10",    "h",      "1",
                                      "10 s",      "-1s",       "+1s",   "1.5h",   "1y",
                                      "2H",        "30m1h",     "1h1h",  "1h30",   "1h,",
                                      "tomorrow",  "1min",      "1ms1s", "1h\t2m", "99999999999999999999",
                                      "\xC3\xA4h", "1\xC2\xB5s"};
  for (size_t i = 0; i < COUNT(texts); i++) {
    error err = {""};
    int64_t ms = 17;
    assert_int_equal(duration_parse(texts[i], &ms, &err), -1);
    assert_int_equal(ms, 17);
    assert_non_null(strstr(err.text, "w, d, h, m, s and ms"));
    assert_non_null(strstr(err.text, "\"1h30m\""));
  }
  static const char *const longer[] = {
      "36525d1ms", "36526d", "101w5300w", "3155760000001ms", "99999999999999999999s", "5217w7d", "876601h"};
  for (size_t i = 0; i < COUNT(longer); i++) {
    error err = {""};
    int64_t ms = 17;
    assert_int_equal(duration_parse(longer[i], &ms, &err), -1);
    if (strcmp(longer[i], "101w5300w") != 0) assert_non_null(strstr(err.text, "100 years"));
  }
}

static void durations_are_shown_with_two_units_at_most(void **state) {
  (void)state;
  static const struct {
    int64_t ms;
    const char *text;
  } cases[] = {{0, "0s"},
               {350, "350ms"},
               {1000, "1s"},
               {1500, "1s 500ms"},
               {7200000, "2h"},
               {100800000, "1d 4h"},
               {100800000 + 3599999, "1d 4h"},
               {86400000 + 60000, "1d 1m"},
               {1209600000, "14d"},
               {-90000, "-1m 30s"},
               {INT64_MAX, "106751991167d 7h"},
               {INT64_MIN, "-106751991167d 7h"}};
  char out[32];
  for (size_t i = 0; i < COUNT(cases); i++) {
    duration_format(cases[i].ms, out);
    assert_string_equal(out, cases[i].text);
  }
}

static void what_is_shown_of_a_duration_reads_back(void **state) {
  (void)state;
  uint64_t seed = 3;
  for (int i = 0; i < 20000; i++) {
    int64_t ms = random_below(&seed, DURATION_MOST_MS) >> (random_next(&seed) % 40), back;
    char out[32], again[32];
    duration_format(ms, out);
    assert_int_equal(duration_parse(out, &back, NULL), 0);
    assert_true(back <= ms);
    duration_format(back, again);
    assert_string_equal(again, out);
  }
}

/* ---- the calendar ---- */

static void the_calendar_agrees_with_libc(void **state) {
  (void)state;
  for (int64_t day = -1000000; day < 4000000; day += 7) {
    time_t seconds = day * 86400 + 86399;
    struct tm tm;
    civil c;
    assert_non_null(gmtime_r(&seconds, &tm));
    civil_of(seconds * 1000 + 999, &c);
    assert_int_equal(c.year, tm.tm_year + 1900);
    assert_int_equal(c.month, tm.tm_mon + 1);
    assert_int_equal(c.day, tm.tm_mday);
    assert_int_equal(c.weekday, tm.tm_wday);
    assert_int_equal(c.hour * 10000 + c.minute * 100 + c.second, 235959);
    assert_int_equal(c.ms, 999);
    assert_int_equal(civil_days(c.year, c.month, c.day), day);
    assert_true(c.day <= civil_month_days(c.year, c.month));
    assert_int_equal(civil_ms(&c), seconds * 1000 + 999);
  }
}

static void the_ends_of_time_are_dates_too(void **state) {
  (void)state;
  static const int64_t ends[] = {INT64_MIN, INT64_MIN / 2, -1, 0, INT64_MAX / 2, INT64_MAX};
  for (size_t i = 0; i < COUNT(ends); i++) {
    civil c;
    char out[40];
    civil_of(ends[i], &c);
    if (i > 0 && i + 1 < COUNT(ends)) assert_int_equal(civil_ms(&c), ends[i]);
    moment_rfc3339(ends[i], out);
    assert_true(strlen(out) >= strlen("1970-01-01T00:00:00Z"));
    moment_format(ends[i], zone_utc(), out);
    assert_true(strlen(out) >= strlen("1970-01-01 00:00:00"));
  }
}

/* ---- moments ---- */

typedef struct moment_case {
  const char *text, *zone, *now, *expected;
} moment_case;

static void check_moments(const moment_case *cases, size_t count) {
  for (size_t i = 0; i < count; i++) {
    const moment_case *c = &cases[i];
    int64_t now, at;
    char got[40];
    error err = {""};
    assert_int_equal(moment_parse(c->now, zone_utc(), 0, &now, &err), 0);
    if (moment_parse(c->text, find(c->zone), now, &at, &err)) fail_msg("%s", err.text);
    moment_rfc3339(at, got);
    if (strcmp(got, c->expected) != 0)
      fail_msg("\"%s\" in %s at %s is %s, not %s", c->text, c->zone, c->now, got, c->expected);
  }
}

static void a_time_of_the_day_is_the_next_one(void **state) {
  (void)state;
  need_zone_data();
  static const moment_case cases[] = {
      {"09:00", "Europe/Berlin", "2026-11-30T07:59:59.999Z", "2026-11-30T08:00:00Z"},
      {"09:00", "Europe/Berlin", "2026-11-30T08:00:00Z", "2026-12-01T08:00:00Z"},
      {" 9:00 ", "Europe/Berlin", "2026-12-31T20:00:00Z", "2027-01-01T08:00:00Z"},
      {"09:00:30", "Asia/Kolkata", "2026-11-30T03:30:00Z", "2026-11-30T03:30:30Z"},
      {"00:00", "America/New_York", "2026-07-01T03:59:59Z", "2026-07-01T04:00:00Z"},
      {"09:00", "Europe/Berlin", "2026-03-28T12:00:00Z",
       "2026-03-29T07:00:00Z"}, /* the clocks change that night */
      {"02:30", "Europe/Berlin", "2026-03-28T12:00:00Z", "2026-03-29T01:00:00Z"},
      {"02:30", "Europe/Berlin", "2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"},
      {"02:30", "Europe/Berlin", "2026-10-24T12:00:00Z", "2026-10-25T00:30:00Z"},
      {"02:30", "Europe/Berlin", "2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"},
      {"00:00", "America/St_Johns", "2010-11-07T02:45:00Z",
       "2010-11-08T03:30:00Z"}, /* that day began twice */
  };
  check_moments(cases, COUNT(cases));
}

static void a_weekday_is_the_next_one(void **state) {
  (void)state;
  need_zone_data();
  static const moment_case cases[] = {
      {"mon 09:00", "Europe/Berlin", "2026-11-30T07:59:59.999Z", "2026-11-30T08:00:00Z"},
      {"Monday 09:00", "Europe/Berlin", "2026-11-30T08:00:00Z", "2026-12-07T08:00:00Z"},
      {"MON  9:00", "Europe/Berlin", "2026-11-29T12:00:00Z", "2026-11-30T08:00:00Z"},
      {"sunday 23:59", "Pacific/Chatham", "2026-06-15T00:00:00Z", "2026-06-21T11:14:00Z"},
      {"thu 00:00", "UTC", "1970-01-01T00:00:00Z", "1970-01-08T00:00:00Z"},
      {"sun 02:30", "Europe/Berlin", "2026-03-23T12:00:00Z", "2026-03-29T01:00:00Z"},
      {"tomorrow 09:00", "Europe/Berlin", "2026-11-30T05:00:00Z", "2026-12-01T08:00:00Z"},
      {"Tomorrow 09:00", "America/New_York", "2026-12-01T04:30:00Z", "2026-12-01T14:00:00Z"},
  };
  check_moments(cases, COUNT(cases));
}

static void dates_are_of_the_zone_and_offsets_stand_for_themselves(void **state) {
  (void)state;
  need_zone_data();
  static const moment_case cases[] = {
      {"2026-11-30", "Europe/Berlin", "2000-01-01T00:00:00Z", "2026-11-29T23:00:00Z"},
      {"2018-11-04", "America/Sao_Paulo", "2000-01-01T00:00:00Z",
       "2018-11-04T03:00:00Z"}, /* it began at 01:00 */
      {"2026-11-30 09:00", "Europe/Berlin", "2030-01-01T00:00:00Z", "2026-11-30T08:00:00Z"},
      {"2026-11-30 09:00:30", "Europe/Berlin", "2000-01-01T00:00:00Z", "2026-11-30T08:00:30Z"},
      {"2024-02-29 9:05", "UTC", "2000-01-01T00:00:00Z", "2024-02-29T09:05:00Z"},
      {"2026-11-30T09:00:00Z", "Europe/Berlin", "2000-01-01T00:00:00Z", "2026-11-30T09:00:00Z"},
      {"2026-11-30t09:00:00z", "Europe/Berlin", "2000-01-01T00:00:00Z", "2026-11-30T09:00:00Z"},
      {"2026-11-30T09:00:00+02:00", "Asia/Kolkata", "2000-01-01T00:00:00Z", "2026-11-30T07:00:00Z"},
      {"2026-11-30 09:00:00-09:30", "Asia/Kolkata", "2000-01-01T00:00:00Z", "2026-11-30T18:30:00Z"},
      {"2026-11-30T09:00:00.5Z", "UTC", "2000-01-01T00:00:00Z", "2026-11-30T09:00:00.500Z"},
      {"2026-11-30T09:00:00.123987654321Z", "UTC", "2000-01-01T00:00:00Z", "2026-11-30T09:00:00.123Z"},
      {"1969-12-31T23:59:59.999Z", "UTC", "2000-01-01T00:00:00Z", "1969-12-31T23:59:59.999Z"},
      {"2016-12-31T23:59:60Z", "UTC", "2000-01-01T00:00:00Z", "2017-01-01T00:00:00Z"},
      {"0001-01-01T00:00:00Z", "UTC", "2000-01-01T00:00:00Z", "0001-01-01T00:00:00Z"},
      {"9999-12-31T23:59:59Z", "UTC", "2000-01-01T00:00:00Z", "9999-12-31T23:59:59Z"},
  };
  check_moments(cases, COUNT(cases));
  int64_t at = -1;
  assert_int_equal(moment_parse("1970-01-01T02:00:00+02:00", NULL, 0, &at, NULL), 0);
  assert_int_equal(at, 0);
}

static void what_is_no_time_is_refused_with_the_forms(void **state) {
  (void)state;
  static const struct {
    const char *text, *because;
  } cases[] = {{"", ""},
               {"soon", ""},
               {"9", ""},
               {"900", ""},
               {"09:0", ""},
               {"9:00pm", ""},
               {"09:00 mon", ""},
               {"mon", "lacks a time"},
               {"tomorrow ", "lacks a time"},
               {"mon09:00", ""},
               {"mond 09:00", ""},
               {"24:00", "no clock"},
               {"23:60", "no clock"},
               {"09:00:60", "no clock"},
               {"-9:00", ""},
               {"2026-11-3", ""},
               {"2026-11-3009:00", ""},
               {"2026-02-29", "no such day"},
               {"2026-04-31 09:00", "no such day"},
               {"2026-13-01", "no such day"},
               {"2026-00-10", "no such day"},
               {"2026-11-30T", ""},
               {"2026-11-30T09:00:00", "needs its offset"},
               {"2026-11-30T9:00:00Z", ""},
               {"2026-11-30T09:00:00+2", "offset from UTC"},
               {"2026-11-30T09:00:00+24:00", "offset from UTC"},
               {"2026-11-30T09:00:00.Z", ""},
               {"2026-11-30T09:00:00Zz", ""},
               {"2026-11-30 09:00 Europe/Berlin", ""},
               {"30.11.2026", ""},
               {"\xC3\xA4", ""}};
  for (size_t i = 0; i < COUNT(cases); i++) {
    error err = {""};
    int64_t at = 17;
    if (moment_parse(cases[i].text, zone_utc(), 0, &at, &err) != -1)
      fail_msg("\"%s\" was read", cases[i].text);
    assert_int_equal(at, 17);
    if (!strstr(err.text, cases[i].because)) fail_msg("%s", err.text);
    assert_non_null(strstr(err.text, "\"mon 09:00\""));
    assert_non_null(strstr(err.text, "\"2026-11-30T09:00:00+02:00\""));
  }
}

static void moments_are_shown_in_a_zone_and_in_utc(void **state) {
  (void)state;
  char out[40];
  moment_rfc3339(1795942800000, out);
  assert_string_equal(out, "2026-11-29T09:00:00Z");
  moment_rfc3339(-1, out);
  assert_string_equal(out, "1969-12-31T23:59:59.999Z");
  moment_format(1795942800250, zone_utc(), out);
  assert_string_equal(out, "2026-11-29 09:00:00");
  need_zone_data();
  moment_format(1795942800000, find("Australia/Lord_Howe"), out);
  assert_string_equal(out, "2026-11-29 20:00:00");
}

static const int64_t year_2100_ms = 4102444800000;

static void what_is_shown_of_a_moment_reads_back(void **state) {
  (void)state;
  uint64_t seed = 8;
  for (int i = 0; i < 20000; i++) {
    int64_t ms = random_below(&seed, 2 * year_2100_ms) - year_2100_ms, back;
    char out[40];
    moment_rfc3339(ms, out);
    assert_int_equal(moment_parse(out, zone_utc(), 0, &back, NULL), 0);
    assert_int_equal(back, ms);
  }
}

/* ---- HTTP dates ---- */

static void all_three_forms_of_http_dates_are_read(void **state) {
  (void)state;
  static const int64_t nineties = 784111777000;
  assert_int_equal(moment_http_date("Sun, 06 Nov 1994 08:49:37 GMT"), nineties);
  assert_int_equal(moment_http_date("Sunday, 06-Nov-94 08:49:37 GMT"), nineties);
  assert_int_equal(moment_http_date("Sun Nov  6 08:49:37 1994"), nineties);
  assert_int_equal(moment_http_date(" Wed, 16 Nov 1994 08:49:37 GMT "), nineties + 10 * 86400000LL);
  assert_int_equal(moment_http_date("Wed Nov 16 08:49:37 1994"), nineties + 10 * 86400000LL);
  assert_int_equal(moment_http_date("Sat, 31 Dec 2016 23:59:60 GMT"), 1483228800000);
}

static void two_digits_of_a_year_are_at_most_fifty_years_ahead(void **state) {
  (void)state;
  civil now;
  civil_of(clock_wall_ms(), &now);
  for (int ahead = -49; ahead <= 50; ahead++) {
    char text[64];
    int year = now.year + ahead;
    snprintf(text, sizeof text, "Monday, 01-Jan-%02d 00:00:00 GMT", year % 100);
    assert_int_equal(moment_http_date(text), civil_days(year, 1, 1) * 86400000);
  }
}

static void what_is_no_http_date_is_none(void **state) {
  (void)state;
  static const char *const texts[] = {"",
                                      "120",
                                      "-1",
                                      "Sun, 06 Nov 1994 08:49:37",
                                      "Sun, 06 Nov 1994 08:49:37 CET",
                                      "Sun, 06 Nov 1994 08:49:37 GMTx",
                                      "Sun, 6 Nov 1994 08:49:37 GMT",
                                      "Sun, 31 Feb 1994 08:49:37 GMT",
                                      "Sun, 00 Nov 1994 08:49:37 GMT",
                                      "Sun, 06 Nov 1994 24:49:37 GMT",
                                      "Son, 06 Nov 1994 08:49:37 GMT",
                                      "Sunday, 06 Nov 1994 08:49:37 GMT",
                                      "Sun, 06-Nov-94 08:49:37 GMT",
                                      "Sun Nov 6 08:49:37 1994",
                                      "1994-11-06T08:49:37Z"};
  for (size_t i = 0; i < COUNT(texts); i++) {
    if (moment_http_date(texts[i]) != -1) fail_msg("\"%s\" was read", texts[i]);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(durations_are_read),
      cmocka_unit_test(what_is_no_duration_is_refused_with_an_example),
      cmocka_unit_test(durations_are_shown_with_two_units_at_most),
      cmocka_unit_test(what_is_shown_of_a_duration_reads_back),
      cmocka_unit_test(the_calendar_agrees_with_libc),
      cmocka_unit_test(the_ends_of_time_are_dates_too),
      cmocka_unit_test(a_time_of_the_day_is_the_next_one),
      cmocka_unit_test(a_weekday_is_the_next_one),
      cmocka_unit_test(dates_are_of_the_zone_and_offsets_stand_for_themselves),
      cmocka_unit_test(what_is_no_time_is_refused_with_the_forms),
      cmocka_unit_test(moments_are_shown_in_a_zone_and_in_utc),
      cmocka_unit_test(what_is_shown_of_a_moment_reads_back),
      cmocka_unit_test(all_three_forms_of_http_dates_are_read),
      cmocka_unit_test(two_digits_of_a_year_are_at_most_fifty_years_ahead),
      cmocka_unit_test(what_is_no_http_date_is_none),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
