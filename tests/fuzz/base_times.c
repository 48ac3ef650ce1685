/* Durations, moments and HTTP dates: what is taken is within its bounds, and reads back the same when it is
 * written. */
#include <string.h>

#include "base/alloc.h"
#include "base/duration.h"
#include "base/moment.h"
#include "fuzz/fuzz.h"

const char *const fuzz_seeds[] = {
    "1h30m",
    "10s",
    "7d",
    "1w 2d 3h 4m 5s 6ms",
    "36525d",
    "500ms",
    "09:00",
    "mon 09:00",
    "sunday 23:59:59.999",
    "tomorrow 9:30",
    "2026-11-30",
    "2026-11-30 09:00",
    "2026-11-30T09:00:00+02:00",
    "2024-02-29T23:59:60Z",
    "Sun, 06 Nov 1994 08:49:37 GMT",
    "Sunday, 06-Nov-94 08:49:37 GMT",
    "Sun Nov  6 08:49:37 1994",
    NULL,
};

const char *const fuzz_words[] = {"0",      "9",        "99999999999999999999",
                                  "-",      "+",        ":",
                                  ".",      " ",        "T",
                                  "Z",      "ms",       "w",
                                  "GMT",    "Feb",      "29",
                                  "31",     "24:00",    "60",
                                  "+23:59", "\xC3\xA4", NULL};

static void check_duration(const char *text) {
  int64_t ms, again;
  error err = {""};
  char written[32];
  if (duration_parse(text, &ms, &err) != 0) {
    FUZZ_HOLDS(err.text[0] != '\0');
    return;
  }
  FUZZ_HOLDS(ms >= 0 && ms <= DURATION_MOST_MS);
  duration_format(ms, written);
  FUZZ_HOLDS(duration_parse(written, &again, NULL) == 0 && again <= ms); /* it cuts, and never adds */
}

static void check_instant(int64_t at_ms) {
  char written[40];
  int64_t again;
  moment_rfc3339(at_ms, written);
  FUZZ_HOLDS(moment_parse(written, NULL, 0, &again, NULL) == 0 && again == at_ms);
}

static void check_moment(const char *text, const zone *z) {
  static const int64_t now_ms = 1790000000123;
  int64_t at_ms;
  error err = {""};
  char written[40];
  if (moment_parse(text, z, now_ms, &at_ms, &err) != 0) {
    FUZZ_HOLDS(err.text[0] != '\0');
    return;
  }
  moment_format(at_ms, z ? z : zone_utc(), written);
  civil c;
  civil_of(at_ms, &c);
  if (c.year >= 0 && c.year <= 9999) check_instant(at_ms);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length) {
  char *text = mem_text_of((const char *)bytes, length);
  check_duration(text);
  check_moment(text, NULL);
  check_moment(text, zone_find("Europe/Berlin", NULL));
  int64_t at_ms = moment_http_date(text);
  FUZZ_HOLDS(at_ms >= -1 || at_ms % 1000 == 0);
  if (at_ms >= 0) check_instant(at_ms);
  free(text);
  return 0;
}
