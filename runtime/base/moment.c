/* Points in time as people and protocols write them: see moment.h. */
#include "base/moment.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/utf8.h"

enum { SHOWN_MOST = 60 };

static const char *const weekdays[] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                       "Thursday", "Friday", "Saturday"};
static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

/* ---- reading piece by piece: each takes what it finds at *at and goes behind it, or returns false ---- */

static bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

static bool read_char(const char **at, char c) {
  bool there = **at == c;
  *at += there;
  return there;
}

/* Returns whether there was any. */
static bool skip_spaces(const char **at) {
  const char *start = *at;
  while (**at == ' ') ++*at;
  return *at > start;
}

static bool read_digits(const char **at, int least, int most, int *number) {
  int count = 0;
  for (*number = 0; count < most && is_digit(**at); count++, ++*at) *number = *number * 10 + (**at - '0');
  return count >= least;
}

/* hh:mm, with :ss behind it and a fraction behind that; `hour_digits` is how many the hour has at least. */
static bool read_clock(const char **at, int hour_digits, civil *c) {
  c->second = c->ms = 0;
  if (!read_digits(at, hour_digits, 2, &c->hour) || !read_char(at, ':') || !read_digits(at, 2, 2, &c->minute))
    return false;
  if (!read_char(at, ':')) return true;
  if (!read_digits(at, 2, 2, &c->second)) return false;
  if (!read_char(at, '.')) return true;
  if (!is_digit(**at)) return false;
  for (int scale = 100; is_digit(**at); ++*at, scale /= 10) c->ms += (**at - '0') * scale;
  return true;
}

/* yyyy-mm-dd */
static bool read_date(const char **at, civil *c) {
  return read_digits(at, 4, 4, &c->year) && read_char(at, '-') && read_digits(at, 2, 2, &c->month) &&
         read_char(at, '-') && read_digits(at, 2, 2, &c->day);
}

/* "Z", or "+02:00" and "-02:00", as minutes ahead of UTC. */
static bool read_offset(const char **at, int *minutes) {
  int hour, minute;
  bool west = **at == '-';
  *minutes = 0;
  if (read_char(at, 'Z') || read_char(at, 'z')) return true;
  if (!read_char(at, '-') && !read_char(at, '+')) return false;
  if (!read_digits(at, 2, 2, &hour) || !read_char(at, ':') || !read_digits(at, 2, 2, &minute)) return false;
  *minutes = (hour * 60 + minute) * (west ? -1 : 1);
  return hour < 24 && minute < 60;
}

/* A run of letters. Returns how many. */
static size_t read_word(const char **at, const char **word) {
  *word = *at;
  while ((**at >= 'a' && **at <= 'z') || (**at >= 'A' && **at <= 'Z')) ++*at;
  return (size_t)(*at - *word);
}

static bool date_is_real(const civil *c) {
  return c->month >= 1 && c->month <= 12 && c->day >= 1 && c->day <= civil_month_days(c->year, c->month);
}

/* A leap second (60) counts as the second after it, for the system's clock has no other place for it. */
static bool clock_is_real(const civil *c, int most_seconds) {
  return c->hour <= 23 && c->minute <= 59 && c->second <= most_seconds;
}

/* ---- what people write ---- */

enum { NEXT_TIME, NEXT_WEEKDAY, TOMORROW, DATE, INSTANT };

typedef struct reading {
  int kind;
  civil when;
  int weekday;        /* of NEXT_WEEKDAY */
  int offset_minutes; /* of INSTANT */
} reading;

/* yyyy-mm-dd, alone or with a time behind a space or a "T", and that perhaps with its offset. */
static const char *read_dated(const char **at, reading *r) {
  r->kind = DATE;
  if (!read_date(at, &r->when)) return "";
  if (!date_is_real(&r->when)) return ", for there is no such day";
  bool spaced = skip_spaces(at);
  if (**at == '\0') return NULL;
  if (!spaced && !read_char(at, 'T') && !read_char(at, 't')) return "";
  if (!read_clock(at, spaced ? 1 : 2, &r->when)) return "";
  if (strchr("+-Zz", **at) != NULL && **at != '\0') {
    r->kind = INSTANT;
    if (!read_offset(at, &r->offset_minutes)) return ", for an offset from UTC looks like Z or +02:00";
  } else if (!spaced) {
    return ", for a time with a T needs its offset from UTC (Z or +02:00); a time in a zone has a space";
  }
  return clock_is_real(&r->when, r->kind == INSTANT ? 60 : 59) ? NULL : ", for no clock shows that time";
}

/* Takes the word before a time: a weekday by its name or the first three letters of it, or "tomorrow". */
static bool take_day(const char *word, size_t length, reading *r) {
  r->kind = TOMORROW;
  if (length == strlen("tomorrow") && strncasecmp(word, "tomorrow", length) == 0) return true;
  r->kind = NEXT_WEEKDAY;
  for (r->weekday = 0; r->weekday < 7; r->weekday++) {
    const char *name = weekdays[r->weekday];
    if ((length == 3 || length == strlen(name)) && strncasecmp(word, name, length) == 0) return true;
  }
  return false;
}

/* hh:mm, alone or with a day's word before it. */
static const char *read_undated(const char **at, reading *r) {
  const char *word;
  size_t length = read_word(at, &word);
  if (length > 0 && !take_day(word, length, r)) return "";
  bool spaced = skip_spaces(at);
  if (length > 0 && **at == '\0') return ", for it lacks a time of the day";
  if ((length > 0 && !spaced) || !read_clock(at, 1, &r->when)) return "";
  return clock_is_real(&r->when, 59) ? NULL : ", for no clock shows that time";
}

/* Reads any of the forms. Returns NULL, or why not: words that can follow "is no time". */
static const char *read_form(const char *text, reading *r) {
  const char *at = text;
  *r = (reading){.kind = NEXT_TIME};
  skip_spaces(&at);
  const char *wrong = strspn(at, "0123456789") > 2 ? read_dated(&at, r) : read_undated(&at, r);
  skip_spaces(&at);
  return wrong == NULL && *at != '\0' ? "" : wrong;
}

/* The first instant after `now_ms` at which it is `r->when`'s time on the day `ahead` days from `today`, or
 * on one that lies a multiple of `step` days later. A day's time may come twice, so that even tomorrow's may
 * have passed. */
static int64_t next_after(const reading *r, const zone *z, const civil *today, int ahead, int step,
                          int64_t now_ms) {
  civil when = r->when;
  int64_t at_ms;
  when.year = today->year;
  when.month = today->month;
  when.day = today->day + ahead;
  while ((at_ms = zone_instant(z, &when)) <= now_ms) when.day += step;
  return at_ms;
}

static int64_t resolve(const reading *r, const zone *z, int64_t now_ms) {
  civil today;
  zone_local(z, now_ms, &today);
  switch (r->kind) {
  case NEXT_TIME: return next_after(r, z, &today, 0, 1, now_ms);
  case NEXT_WEEKDAY: return next_after(r, z, &today, (r->weekday - today.weekday + 7) % 7, 7, now_ms);
  case TOMORROW: return next_after(r, z, &today, 1, 1, now_ms);
  case DATE: return zone_instant(z, &r->when);
  default: return civil_ms(&r->when) - (int64_t)r->offset_minutes * 60000;
  }
}

int moment_parse(const char *text, const zone *z, int64_t now_ms, int64_t *at_ms, error *err) {
  reading r;
  const char *wrong = read_form(text, &r);
  if (wrong != NULL)
    return error_set(err,
                     "\"%.*s\" is no time%s: write it as \"09:00\", \"mon 09:00\", \"tomorrow 09:00\", "
                     "\"2026-11-30\", \"2026-11-30 09:00\" or \"2026-11-30T09:00:00+02:00\"",
                     (int)utf8_valid_length(text, strnlen(text, SHOWN_MOST)), text, wrong);
  *at_ms = resolve(&r, z != NULL ? z : zone_utc(), now_ms);
  return 0;
}

/* ---- writing ---- */

void moment_format(int64_t ms, const zone *z, char out[40]) {
  civil c;
  zone_local(z, ms, &c);
  snprintf(out, 40, "%04d-%02d-%02d %02d:%02d:%02d", c.year, c.month, c.day, c.hour, c.minute, c.second);
}

void moment_rfc3339(int64_t ms, char out[40]) {
  civil c;
  civil_of(ms, &c);
  int used =
      snprintf(out, 40, "%04d-%02d-%02dT%02d:%02d:%02d", c.year, c.month, c.day, c.hour, c.minute, c.second);
  if (c.ms != 0) used += snprintf(out + used, 40 - (size_t)used, ".%03d", c.ms);
  snprintf(out + used, 40 - (size_t)used, "Z");
}

/* ---- HTTP dates ---- */

static bool read_weekday(const char **at, bool whole) {
  const char *word;
  size_t length = read_word(at, &word);
  for (int i = 0; i < 7; i++) {
    size_t wanted = whole ? strlen(weekdays[i]) : 3;
    if (length == wanted && memcmp(word, weekdays[i], wanted) == 0) return true;
  }
  return false;
}

static bool read_month(const char **at, int *month) {
  const char *word;
  size_t length = read_word(at, &word);
  for (*month = 1; *month <= 12; ++*month) {
    if (length == 3 && memcmp(word, months[*month - 1], 3) == 0) return true;
  }
  return false;
}

/* Of the years that end like this, the latest that is not more than 50 years ahead. */
static bool read_short_year(const char **at, int *year) {
  civil now;
  civil_of(clock_wall_ms(), &now);
  if (!read_digits(at, 2, 2, year)) return false;
  *year += (now.year + 50) / 100 * 100;
  if (*year > now.year + 50) *year -= 100;
  return true;
}

/* One letter of the forms below; what is no letter of theirs stands for itself. */
static bool read_http_piece(const char **at, char piece, civil *c) {
  switch (piece) {
  case 'a': return read_weekday(at, false);
  case 'A': return read_weekday(at, true);
  case 'd': return read_digits(at, 2, 2, &c->day);
  case 'e': return read_char(at, ' ') ? read_digits(at, 1, 1, &c->day) : read_digits(at, 2, 2, &c->day);
  case 'b': return read_month(at, &c->month);
  case 'Y': return read_digits(at, 4, 4, &c->year);
  case 'y': return read_short_year(at, &c->year);
  case 'H': return read_digits(at, 2, 2, &c->hour);
  case 'M': return read_digits(at, 2, 2, &c->minute);
  case 'S': return read_digits(at, 2, 2, &c->second);
  case 'Z': return read_char(at, 'G') && read_char(at, 'M') && read_char(at, 'T');
  default: return read_char(at, piece);
  }
}

int64_t moment_http_date(const char *text) {
  static const char *const forms[] = {"a, d b Y H:M:S Z", "A, d-b-y H:M:S Z", "a b e H:M:S Y"};
  for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
    civil c = {0};
    const char *at = text, *piece = forms[i];
    skip_spaces(&at);
    while (*piece != '\0' && read_http_piece(&at, *piece, &c)) piece++;
    skip_spaces(&at);
    if (*piece == '\0' && *at == '\0' && date_is_real(&c) && clock_is_real(&c, 60)) return civil_ms(&c);
  }
  return -1;
}
