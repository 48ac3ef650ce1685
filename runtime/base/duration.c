/* Lengths of time as people write them: see duration.h. */
#include "base/duration.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

enum { SHOWN_MOST = 60, SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE, DAY = 24 * HOUR };

/* From the longest to the shortest. A week is read, but not written: "14d" says more than "2w". */
static const struct unit {
  const char *name;
  int64_t ms;
} units[] = {{"w", (int64_t)7 * DAY}, {"d", DAY}, {"h", HOUR}, {"m", MINUTE}, {"s", SECOND}, {"ms", 1}};

enum { UNIT_COUNT = sizeof units / sizeof units[0], FIRST_WRITTEN = 1 };

static bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

static const char *skip_spaces(const char *at) {
  while (*at == ' ') at++;
  return at;
}

/* The digits at *at; one more than the longest duration where there are too many. */
static int64_t read_number(const char **at) {
  int64_t number = 0;
  for (; is_digit(**at); ++*at) {
    if (number <= DURATION_MOST_MS) number = number * 10 + (**at - '0');
  }
  return number <= DURATION_MOST_MS ? number : DURATION_MOST_MS + 1;
}

/* The index of the unit at *at; UNIT_COUNT where none is. */
static size_t read_unit(const char **at) {
  size_t length = 0, i = 0;
  while ((*at)[length] >= 'a' && (*at)[length] <= 'z') length++;
  while (i < UNIT_COUNT && (strlen(units[i].name) != length || memcmp(units[i].name, *at, length) != 0)) i++;
  *at += length;
  return i;
}

static int refuse(const char *text, error *err) {
  return error_set(
      err,
      "\"%.*s\" is no duration: it takes whole numbers with the units w, d, h, m, s and ms, the longer "
      "ones first, such as \"10s\", \"1h30m\" or \"7d\"",
      (int)utf8_valid_length(text, strnlen(text, SHOWN_MOST)), text);
}

int duration_parse(const char *text, int64_t *ms, error *err) {
  const char *at = skip_spaces(text);
  int64_t total = 0;
  size_t next = 0; /* the longest unit that may come */
  do {
    if (!is_digit(*at)) return refuse(text, err);
    int64_t number = read_number(&at);
    size_t unit = read_unit(&at);
    if (unit < next || unit == UNIT_COUNT) return refuse(text, err);
    if (number > (DURATION_MOST_MS - total) / units[unit].ms)
      return error_set(err, "\"%.*s\" is longer than 100 years (36525d), the longest duration that is taken",
                       (int)utf8_valid_length(text, strnlen(text, SHOWN_MOST)), text);
    total += number * units[unit].ms;
    next = unit + 1;
    at = skip_spaces(at);
  } while (*at != '\0');
  *ms = total;
  return 0;
}

void duration_format(int64_t ms, char out[32]) {
  uint64_t left = ms < 0 ? 0 - (uint64_t)ms : (uint64_t)ms;
  size_t used = 0, shown = 0;
  if (ms < 0) out[used++] = '-';
  for (size_t i = FIRST_WRITTEN; i < UNIT_COUNT && shown < 2; i++) {
    uint64_t number = left / (uint64_t)units[i].ms;
    left %= (uint64_t)units[i].ms;
    if (number == 0) continue;
    used +=
        (size_t)snprintf(out + used, 32 - used, "%s%" PRIu64 "%s", shown ? " " : "", number, units[i].name);
    shown++;
  }
  if (shown == 0) snprintf(out, 32, "0s");
}
