/* Time zones: the clocks of this process and those of libc agree, around every change of theirs and far
 * ahead; no name and no file does harm. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/alloc.h"
#include "base/buf.h"
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

/* ---- zones ---- */

static void utc_is_there_without_zone_data(void **state) {
  (void)state;
  error err = {""};
  setenv("TZDIR", "/nowhere/at all", 1);
  assert_ptr_equal(zone_find("UTC", &err), zone_utc());
  assert_null(zone_find("Antarctica/Troll", &err));
  unsetenv("TZDIR");
  assert_non_null(strstr(err.text, "Antarctica/Troll"));
  assert_non_null(strstr(err.text, "tzdata"));
  assert_int_equal(zone_offset_at(zone_utc(), 1234567890), 0);
  assert_string_equal(zone_name(zone_utc()), "UTC");
}

static void what_is_no_zone_is_refused(void **state) {
  (void)state;
  need_zone_data();
  static const char *const names[] = {"",
                                      "Europe/Berln",
                                      "Europe",
                                      "Europe/",
                                      "/Europe/Berlin",
                                      "Europe//Berlin",
                                      "Europe/../Europe/Berlin",
                                      "./Europe/Berlin",
                                      "../zoneinfo/UTC",
                                      "zone.tab",
                                      "leapseconds",
                                      "Europe/Berlin\n",
                                      "/etc/passwd",
                                      "CET-1CEST,M3.5.0,M10.5.0/3",
                                      "\xFF\xFE",
                                      "Europe/Berlin/x"};
  for (size_t i = 0; i < COUNT(names); i++) {
    error err = {""};
    assert_null(zone_find(names[i], &err));
    assert_non_null(strstr(err.text, "\"Europe/Berlin\""));
  }
  error err = {""};
  char *endless = mem_zero(100001);
  memset(endless, 'A', 100000);
  assert_null(zone_find(endless, &err));
  assert_true(strlen(err.text) < 300);
  free(endless);
}

static void leap_seconds_are_refused(void **state) {
  (void)state;
  if (access("/usr/share/zoneinfo/right/UTC", R_OK) != 0) skip();
  error err = {""};
  assert_null(zone_find("right/UTC", &err));
  assert_non_null(strstr(err.text, "leap seconds"));
}

/* Checks what `local` ("2026-10-25 02:30") means in a zone. */
static void means(const char *zone_of, const char *local, const char *instant) {
  char got[40];
  int64_t ms;
  error err = {""};
  if (moment_parse(local, find(zone_of), 0, &ms, &err)) fail_msg("%s", err.text);
  moment_rfc3339(ms, got);
  assert_string_equal(got, instant);
}

static void a_skipped_time_is_the_end_of_its_gap(void **state) {
  (void)state;
  need_zone_data();
  means("Europe/Berlin", "2026-03-29 01:59:59.999", "2026-03-29T00:59:59.999Z");
  means("Europe/Berlin", "2026-03-29 02:00", "2026-03-29T01:00:00Z");
  means("Europe/Berlin", "2026-03-29 02:30:00.250", "2026-03-29T01:00:00Z");
  means("Europe/Berlin", "2026-03-29 03:00", "2026-03-29T01:00:00Z");
  means("America/New_York", "2026-03-08 02:30", "2026-03-08T07:00:00Z");
  means("Australia/Lord_Howe", "2026-10-04 02:15", "2026-10-03T15:30:00Z");
  means("Pacific/Apia", "2011-12-30 12:00", "2011-12-30T10:00:00Z"); /* a day that Samoa did not have */
}

static void a_repeated_time_is_the_first_of_the_two(void **state) {
  (void)state;
  need_zone_data();
  means("Europe/Berlin", "2026-10-25 01:59", "2026-10-24T23:59:00Z");
  means("Europe/Berlin", "2026-10-25 02:30", "2026-10-25T00:30:00Z");
  means("Europe/Berlin", "2026-10-25 03:00", "2026-10-25T02:00:00Z");
  means("America/New_York", "2026-11-01 01:30", "2026-11-01T05:30:00Z");
  means("Australia/Lord_Howe", "2026-04-05 01:45", "2026-04-04T14:45:00Z");
  means("Australia/Lord_Howe", "2026-04-05 02:00", "2026-04-04T15:30:00Z");
}

static void zones_have_their_offsets_today_and_in_a_far_future(void **state) {
  (void)state;
  need_zone_data();
  means("Asia/Kolkata", "2026-07-01 09:00", "2026-07-01T03:30:00Z");
  means("Europe/Berlin", "2150-07-01 12:00", "2150-07-01T10:00:00Z");
  means("Europe/Berlin", "2150-01-15 12:00", "2150-01-15T11:00:00Z");
  means("America/New_York", "9999-07-01 12:00", "9999-07-01T16:00:00Z");
  means("Australia/Lord_Howe", "2200-01-01 00:00", "2199-12-31T13:00:00Z");
  means("Australia/Lord_Howe", "2200-07-01 00:00", "2200-06-30T13:30:00Z");
  means("Asia/Kathmandu", "2300-07-01 12:00", "2300-07-01T06:15:00Z");
}

/* ---- zones, against libc ---- */

static const char *const many_zones[] = {
    "Europe/Berlin",     "America/New_York",  "Australia/Lord_Howe", "Asia/Kolkata",   "Europe/Dublin",
    "America/Sao_Paulo", "Africa/Casablanca", "America/St_Johns",    "America/Nuuk",   "Asia/Gaza",
    "Pacific/Apia",      "Pacific/Chatham",   "Africa/Cairo",        "Asia/Kathmandu", "Antarctica/Troll",
    "Europe/Moscow",     "America/Caracas",   "Etc/GMT+12",          "Asia/Tehran",    "America/Santiago"};

static const int64_t year_2100 = 4102444800;

static void libc_zone(const char *name) {
  setenv("TZ", name, 1);
  tzset();
}

/* Seconds that libc's clocks show at that instant, as if they were in UTC. */
static int64_t libc_shows(int64_t at) {
  struct tm tm;
  time_t t = at;
  assert_non_null(localtime_r(&t, &tm));
  return at + tm.tm_gmtoff;
}

static void compare_at(const zone *z, int64_t at) {
  civil c;
  zone_local(z, at * 1000 + 7, &c);
  if (civil_ms(&c) != libc_shows(at) * 1000 + 7)
    fail_msg("%s at %lld: libc is %lld s ahead of it", zone_name(z), (long long)at,
             (long long)(libc_shows(at) - civil_ms(&c) / 1000));
  time_t t = at;
  assert_string_equal(zone_abbreviation_at(z, at), localtime_r(&t, &(struct tm){0})->tm_zone);
  int64_t back = zone_instant(z, &c), seconds = back / 1000;
  assert_true(back <= at * 1000 + 7);
  if (back == at * 1000 + 7) return;
  assert_int_equal(libc_shows(seconds), libc_shows(at)); /* it comes twice, and that is the first time */
  assert_true(zone_offset_at(z, seconds) > zone_offset_at(z, at));
}

static void zones_agree_with_libc(void **state) {
  (void)state;
  need_zone_data();
  uint64_t seed = 11;
  for (size_t i = 0; i < COUNT(many_zones); i++) {
    const zone *z = find(many_zones[i]);
    libc_zone(many_zones[i]);
    for (int n = 0; n < 5000; n++) compare_at(z, random_below(&seed, year_2100));
  }
  libc_zone("UTC");
}

static void all_zones_of_the_system_agree_with_libc(void **state) {
  (void)state;
  need_zone_data();
  char line[512], name[512];
  int count = 0;
  uint64_t seed = 12;
  FILE *table = fopen("/usr/share/zoneinfo/zone1970.tab", "r");
  if (!table) skip();
  while (fgets(line, sizeof line, table)) {
    if (line[0] == '#' || sscanf(line, "%*s %*s %511s", name) != 1) continue;
    const zone *z = find(name);
    libc_zone(name);
    for (int n = 0; n < 100; n++) compare_at(z, random_below(&seed, year_2100));
    count++;
  }
  fclose(table);
  libc_zone("UTC");
  assert_true(count > 200);
}

/* The first change of the clocks between two instants, found by halving; 0 where they agree. */
static int64_t libc_change(int64_t from, int64_t to) {
  int64_t offset = libc_shows(from) - from;
  if (libc_shows(to) - to == offset) return 0;
  while (to - from > 1) {
    int64_t middle = from + (to - from) / 2;
    if (libc_shows(middle) - middle == offset)
      from = middle;
    else
      to = middle;
  }
  return to;
}

/* zone_instant gives the first instant at which libc's clocks show that time or a later one. */
static void check_instant(const zone *z, int64_t shown) {
  civil c;
  civil_of(shown * 1000, &c);
  int64_t at = zone_instant(z, &c) / 1000;
  assert_true(libc_shows(at) >= shown);
  for (int64_t earlier = at - 1; earlier > at - 2 * 86400; earlier -= 601)
    assert_true(libc_shows(earlier) < shown);
}

static void around_every_change_of_the_clocks_the_first_instant_is_found(void **state) {
  (void)state;
  need_zone_data();
  uint64_t seed = 13;
  int changes = 0;
  for (size_t i = 0; i < COUNT(many_zones); i++) {
    const zone *z = find(many_zones[i]);
    libc_zone(many_zones[i]);
    for (int64_t from = 0; from < year_2100; from += 120 * 86400 + random_below(&seed, 86400)) {
      int64_t change = libc_change(from, from + 120 * 86400);
      if (change == 0) continue;
      changes++;
      for (int side = -1; side <= 1; side++) compare_at(z, change + side);
      check_instant(z, libc_shows(change));
      check_instant(z, libc_shows(change - 1));
      for (int n = 0; n < 3; n++) check_instant(z, libc_shows(change) - 7200 + random_below(&seed, 4 * 3600));
    }
  }
  libc_zone("UTC");
  assert_true(changes > 1000);
}

/* ---- zones, from bytes ---- */

static void add_number(buf *out, uint64_t number, int bytes) {
  while (bytes-- > 0) buf_char(out, (char)(number >> (8 * bytes)));
}

static void add_header(buf *out, uint32_t times, uint32_t types, uint32_t chars) {
  static const char zeros[15] = {0};
  buf_text_add(out, "TZif2");
  buf_add(out, zeros, sizeof zeros);
  const uint32_t counts[] = {0, 0, 0, times, types, chars};
  for (int i = 0; i < 6; i++) add_number(out, counts[i], 4);
}

/* A file with two changes, at 1000 and 2000 s, between offsets of 3600 and 7200 s; then `footer` rules. */
static void make_file(buf *out, const char *footer) {
  add_header(out, 0, 1, 4);
  add_number(out, 0, 6);
  buf_add(out, "AAA", 4);
  add_header(out, 2, 2, 8);
  add_number(out, 1000, 8);
  add_number(out, 2000, 8);
  add_number(out, 0x0100, 2);
  add_number(out, 3600, 4), add_number(out, 0, 2);
  add_number(out, 7200, 4), add_number(out, 0x0104, 2);
  buf_add(out, "AAA\0BBB", 8);
  buf_format(out, "\n%s\n", footer);
}

static zone *made_zone(const char *footer) {
  buf bytes = BUF_EMPTY;
  make_file(&bytes, footer);
  zone *z = zone_read("Test/Zone", bytes.data, bytes.len, NULL);
  buf_free(&bytes);
  return z;
}

static int32_t offset_on(const zone *z, int year, int month, int day, int hour) {
  civil c = {.year = year, .month = month, .day = day, .hour = hour};
  return zone_offset_at(z, civil_ms(&c) / 1000);
}

static void a_file_s_table_is_followed_by_its_rule(void **state) {
  (void)state;
  zone *z = made_zone("AAA-1");
  assert_int_equal(zone_offset_at(z, INT64_MIN), 3600);
  assert_int_equal(zone_offset_at(z, 999), 3600);
  assert_int_equal(zone_offset_at(z, 1000), 7200);
  assert_int_equal(zone_offset_at(z, 1999), 7200);
  assert_int_equal(zone_offset_at(z, 2000), 3600);
  assert_int_equal(zone_offset_at(z, INT64_MAX / 1000), 3600);
  zone_free(z);
  z = made_zone(""); /* no rule: the last offset goes on */
  assert_int_equal(zone_offset_at(z, INT64_MAX / 1000), 3600);
  zone_free(z);
}

static void short_names_are_the_table_s_and_then_the_rule_s(void **state) {
  (void)state;
  zone *z = made_zone("<-0330>3:30LONGESTOFALLNAMES,J60/0,J300/0");
  assert_string_equal(zone_abbreviation_at(z, INT64_MIN), "AAA");
  assert_string_equal(zone_abbreviation_at(z, 1999), "BBB");
  assert_string_equal(zone_abbreviation_at(z, 2000), "-0330");
  assert_string_equal(zone_abbreviation_at(z, 150 * 86400), "LONGESTOFAL"); /* cut */
  zone_free(z);
  z = made_zone("");
  assert_string_equal(zone_abbreviation_at(z, INT64_MAX / 1000), "AAA");
  zone_free(z);
  assert_string_equal(zone_abbreviation_at(zone_utc(), 0), "UTC");
}

static void all_forms_of_rules_are_understood(void **state) {
  (void)state;
  zone *z = made_zone("AAA0BBB,J60/0,300/0"); /* March 1 in every year; the 301st day, leap days counted */
  for (int year = 2023; year <= 2024; year++) {
    bool leap = year == 2024;
    assert_int_equal(offset_on(z, year, 2, leap ? 29 : 28, 23), 0);
    assert_int_equal(offset_on(z, year, 3, 1, 0), 3600);
    assert_int_equal(offset_on(z, year, 10, leap ? 26 : 27, 22), 3600);
    assert_int_equal(offset_on(z, year, 10, leap ? 26 : 27, 23), 0);
  }
  zone_free(z);
  z = made_zone("XXX3EDT4,0/0,J365/23"); /* summer for ever (RFC 8536, 3.3.1) */
  for (int hour = 0; hour < 24; hour++) {
    assert_int_equal(offset_on(z, 2030, 12, 31, hour), -4 * 3600);
    assert_int_equal(offset_on(z, 2031, 1, 1, hour), -4 * 3600);
  }
  zone_free(z);
  z = made_zone("AAA0BBB,J180/0,J365/30"); /* an end in the next year */
  assert_int_equal(offset_on(z, 2030, 12, 31, 23), 3600);
  assert_int_equal(offset_on(z, 2031, 1, 1, 4), 3600);
  assert_int_equal(offset_on(z, 2031, 1, 1, 5), 0);
  zone_free(z);
  z = made_zone("<-02>2<-01>,M3.5.0/-1,M10.5.0/0"); /* a time on the day before */
  assert_int_equal(offset_on(z, 2030, 3, 31, 0), -2 * 3600);
  assert_int_equal(offset_on(z, 2030, 3, 31, 1), -3600);
  zone_free(z);
}

static void clocks_may_change_at_new_year(void **state) {
  (void)state;
  zone *forward = made_zone("AAA0BBB,J1/0,J180/0"), *back = made_zone("AAA0BBB,J180/0,J1/0");
  civil half_past = {.year = 2031, .month = 1, .day = 1, .minute = 30};
  civil before = {.year = 2030, .month = 12, .day = 31, .hour = 23, .minute = 30};
  int64_t new_year = civil_days(2031, 1, 1) * 86400000;
  assert_int_equal(zone_instant(forward, &half_past), new_year);
  assert_int_equal(zone_instant(back, &before), new_year - 5400000);
  assert_int_equal(zone_instant(back, &half_past), new_year + 1800000);
  zone_free(forward);
  zone_free(back);
}

static void rules_that_say_nothing_are_refused(void **state) {
  (void)state;
  static const char *const rules[] = {"AA0",
                                      "AAA",
                                      "AAA25",
                                      "<AAA0",
                                      "AAA0BBB",
                                      "AAA0BBB,M3",
                                      "AAA0BBB,J0,J1",
                                      "AAA0BBB,J366,J1",
                                      "AAA0BBB,366,1",
                                      "AAA0BBB,M13.1.0,J1",
                                      "AAA0BBB,M1.6.0,J1",
                                      "AAA0BBB,M1.1.7,J1",
                                      "AAA0BBB,J1/168,J2",
                                      "AAA0BBB,J1,J2x",
                                      "AAA0:60",
                                      "AAA0BBB,J1,J2\nAAA0 "};
  for (size_t i = 0; i < COUNT(rules); i++) {
    zone *z = made_zone(rules[i]);
    if (i + 1 < COUNT(rules))
      assert_null(z); /* the last one is cut at its newline, and well until there */
    else
      assert_non_null(z);
    zone_free(z);
  }
}

static void a_damaged_file_does_no_harm(void **state) {
  (void)state;
  buf whole = BUF_EMPTY;
  uint64_t seed = 5;
  int read = 0;
  make_file(&whole, "CET-1CEST,M3.5.0,M10.5.0/3");
  for (int i = 0; i < 40000; i++) {
    size_t length = i % 4 == 0 ? (size_t)random_below(&seed, (int64_t)whole.len) : whole.len;
    char *bytes = mem_alloc(length); /* of just that size, so that a sanitizer sees one byte too many */
    memcpy(bytes, whole.data, length);
    for (int64_t n = random_below(&seed, 4); n > 0 && length > 0; n--)
      bytes[random_below(&seed, (int64_t)length)] =
          (char)(1u << random_below(&seed, 8) | random_below(&seed, 256));
    error err = {""};
    zone *z = zone_read("Test/Damaged", bytes, length, &err);
    free(bytes);
    if (!z) {
      assert_non_null(strstr(err.text, "Test/Damaged"));
      continue;
    }
    read++;
    for (int n = 0; n < 4; n++) {
      civil c;
      int64_t at = random_below(&seed, year_2100) * 1000;
      civil_of(at, &c);
      int64_t off = zone_instant(z, &c) - at;
      assert_true(off > -2 * 86400000LL && off < 2 * 86400000LL);
      assert_true(strlen(zone_abbreviation_at(z, at / 1000)) < 300);
    }
    zone_free(z);
  }
  buf_free(&whole);
  assert_true(read > 1000);
}

/* ---- zones, found by many and by default ---- */

static void *find_all(void *found) {
  const zone **zones = found;
  for (size_t i = 0; i < COUNT(many_zones); i++) zones[i] = zone_find(many_zones[i], NULL);
  return NULL;
}

static void threads_that_look_a_zone_up_get_the_same_one(void **state) {
  (void)state;
  need_zone_data();
  enum { THREADS = 8 };
  static const zone *found[THREADS][COUNT(many_zones)];
  pthread_t threads[THREADS];
  for (int i = 0; i < THREADS; i++)
    assert_int_equal(pthread_create(&threads[i], NULL, find_all, found[i]), 0);
  for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
  for (size_t n = 0; n < COUNT(many_zones); n++) {
    assert_non_null(found[0][n]);
    assert_string_equal(zone_name(found[0][n]), many_zones[n]);
    for (int i = 1; i < THREADS; i++) assert_ptr_equal(found[i][n], found[0][n]);
  }
}

/* The local zone's name and its offset in July 2026, in a process whose TZ is that. */
static void local_is(const char *variable, const char *name, int32_t offset) {
  int status;
  pid_t child = fork();
  assert_true(child >= 0);
  if (child == 0) {
    if (variable)
      setenv("TZ", variable, 1);
    else
      unsetenv("TZ");
    const zone *z = zone_find(zone_local_name(), NULL);
    _exit(!z                                                ? 1
          : name && strcmp(zone_local_name(), name) != 0    ? 2
          : name && zone_offset_at(z, 1783000000) != offset ? 3
                                                            : 0);
  }
  assert_int_equal(waitpid(child, &status, 0), child);
  if (!WIFEXITED(status) || WEXITSTATUS(status))
    fail_msg("TZ=%s: %d", variable ? variable : "(none)", status >> 8);
}

static void the_local_zone_is_what_tz_says(void **state) {
  (void)state;
  local_is("UTC", "UTC", 0);
  local_is("", "UTC", 0);
  local_is("Europe/Berln", "UTC", 0);
  local_is("../../etc/passwd", "UTC", 0);
  local_is("CET-1CEST,M3.5.0,M10.5.0/3", "CET-1CEST,M3.5.0,M10.5.0/3", 7200);
  local_is("IST-5:30", "IST-5:30", 19800);
  local_is(NULL, NULL, 0); /* whatever the system says, it is found */
  need_zone_data();
  local_is("Europe/Berlin", "Europe/Berlin", 7200);
  local_is(":Asia/Kolkata", "Asia/Kolkata", 19800);
  local_is("/usr/share/zoneinfo/America/New_York", "America/New_York", -14400);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(utc_is_there_without_zone_data),
      cmocka_unit_test(threads_that_look_a_zone_up_get_the_same_one),
      cmocka_unit_test(what_is_no_zone_is_refused),
      cmocka_unit_test(leap_seconds_are_refused),
      cmocka_unit_test(a_skipped_time_is_the_end_of_its_gap),
      cmocka_unit_test(a_repeated_time_is_the_first_of_the_two),
      cmocka_unit_test(zones_have_their_offsets_today_and_in_a_far_future),
      cmocka_unit_test(zones_agree_with_libc),
      cmocka_unit_test(all_zones_of_the_system_agree_with_libc),
      cmocka_unit_test(around_every_change_of_the_clocks_the_first_instant_is_found),
      cmocka_unit_test(a_file_s_table_is_followed_by_its_rule),
      cmocka_unit_test(short_names_are_the_table_s_and_then_the_rule_s),
      cmocka_unit_test(all_forms_of_rules_are_understood),
      cmocka_unit_test(clocks_may_change_at_new_year),
      cmocka_unit_test(rules_that_say_nothing_are_refused),
      cmocka_unit_test(a_damaged_file_does_no_harm),
      cmocka_unit_test(the_local_zone_is_what_tz_says),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
