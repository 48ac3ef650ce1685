/* The calendar and time zones: see zone.h. */
#include "base/zone.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/utf8.h"

enum {
  HOUR = 3600,
  DAY = 24 * HOUR,
  OFFSET_LEAST = -25 * HOUR + 1, /* RFC 8536, 3.2 */
  OFFSET_MOST = 26 * HOUR - 1,
  NAME_MOST = 100,
  FILE_MOST = 64 * 1024, /* bytes; the largest of tzdata has under 4 KiB */
  ZONES_MOST = 1024,     /* that a process keeps; tzdata has some 600 names */
  ABBREVIATION = 12      /* bytes of the longest one with its NUL; tzdata has none above six letters */
};

/* ---- the calendar: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms" (2013) ---- */

static int64_t floor_div(int64_t a, int64_t b) {
  return a / b - (a % b < 0);
}

static int64_t floor_mod(int64_t a, int64_t b) {
  return a % b < 0 ? a % b + b : a % b;
}

int64_t civil_days(int64_t year, int month, int day) { /* days_from_civil */
  int64_t y = month <= 2 ? year - 1 : year;            /* years begin in March, so that a leap day ends one */
  int64_t era = floor_div(y, 400);
  int64_t year_of_era = y - era * 400;
  int64_t day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5;
  int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return era * 146097 + day_of_era - 719468 + day - 1;
}

static void date_of(int64_t days, civil *out) { /* civil_from_days */
  int64_t z = days + 719468;
  int64_t era = floor_div(z, 146097);
  int64_t day_of_era = z - era * 146097;
  int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  int month = (int)((5 * day_of_year + 2) / 153);
  out->day = (int)(day_of_year - (153 * month + 2) / 5 + 1);
  out->month = month < 10 ? month + 3 : month - 9;
  out->year = (int)(year_of_era + era * 400 + (out->month <= 2));
}

static int weekday_of(int64_t days) { /* 1970-01-01 was a Thursday */
  return (int)floor_mod(days + 4, 7);
}

int civil_month_days(int64_t year, int month) {
  static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
  return days[month - 1] + (month == 2 && leap);
}

static int64_t civil_seconds(const civil *c) {
  return civil_days(c->year, c->month, c->day) * DAY + (int64_t)c->hour * HOUR + (int64_t)c->minute * 60 +
         c->second;
}

int64_t civil_ms(const civil *c) {
  return civil_seconds(c) * 1000 + c->ms;
}

static void civil_of_seconds(int64_t seconds, int ms, civil *out) {
  int left = (int)floor_mod(seconds, DAY);
  date_of(floor_div(seconds, DAY), out);
  out->hour = left / HOUR;
  out->minute = left / 60 % 60;
  out->second = left % 60;
  out->ms = ms;
  out->weekday = weekday_of(floor_div(seconds, DAY));
}

void civil_of(int64_t ms, civil *out) {
  civil_of_seconds(floor_div(ms, 1000), (int)floor_mod(ms, 1000), out);
}

/* ---- what a zone is made of ---- */

/* A day of any year, and a time on it. */
typedef struct rule_day {
  char form; /* 'M': that weekday of that week of the month; 'J': 1 to 365 without leap days; 'n': 0 to 365 */
  int month, week, day;
  int seconds; /* from that day's beginning; may lie outside of the day */
} rule_day;

/* What a POSIX TZ string says, such as "CET-1CEST,M3.5.0,M10.5.0/3". */
typedef struct rule {
  bool present;
  bool changes; /* twice a year; otherwise `standard` it is for ever */
  int32_t standard, summer;
  char standard_name[ABBREVIATION], summer_name[ABBREVIATION];
  rule_day start, end; /* of summer; `start` in standard time, `end` in summer time */
} rule;

typedef struct change {
  int64_t at; /* seconds since 1970 */
  int32_t offset;
  uint8_t name; /* where its abbreviation stands in the zone's names */
} change;

struct zone {
  char *name;
  char *names;   /* abbreviations, one behind the other; NULL without a file */
  int32_t first; /* the offset before all changes */
  uint8_t first_name;
  size_t count;
  change *changes; /* in ascending order */
  rule rule;       /* from the last change on */
};

static const zone utc = {.name = (char[]){"UTC"}, .names = (char[]){"UTC"}};

const zone *zone_utc(void) {
  return &utc;
}

const char *zone_name(const zone *z) {
  return z->name;
}

void zone_free(zone *z) {
  if (z == NULL) return;
  free(z->name);
  free(z->names);
  free(z->changes);
  free(z);
}

/* ---- rules ---- */

/* Reads up to three digits that make a number of that range. */
static bool read_number(const char **at, int least, int most, int *number) {
  const char *start = *at;
  for (*number = 0; **at >= '0' && **at <= '9' && *at - start < 3; ++*at)
    *number = *number * 10 + (**at - '0');
  return *at > start && *number >= least && *number <= most;
}

static bool read_char(const char **at, char c) {
  bool there = **at == c;
  *at += there;
  return there;
}

/* [+-]h[h[h]][:mm[:ss]] */
static bool read_time(const char **at, int most_hours, int *seconds) {
  bool negative = **at == '-';
  int hour, minute = 0, second = 0;
  *at += **at == '-' || **at == '+';
  if (!read_number(at, 0, most_hours, &hour)) return false;
  if (read_char(at, ':')) {
    if (!read_number(at, 0, 59, &minute)) return false;
    if (read_char(at, ':') && !read_number(at, 0, 59, &second)) return false;
  }
  *seconds = (hour * HOUR + minute * 60 + second) * (negative ? -1 : 1);
  return true;
}

static bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/* The zone's abbreviation: three letters or more, or anything of that kind in <>. One that is too long is cut. */
static bool read_abbreviation(const char **at, char name[ABBREVIATION]) {
  bool quoted = read_char(at, '<');
  const char *start = *at;
  while (is_letter(**at) || (quoted && (is_digit(**at) || **at == '+' || **at == '-'))) ++*at;
  snprintf(name, ABBREVIATION, "%.*s", (int)(*at - start), start);
  return *at - start >= 3 && (!quoted || read_char(at, '>'));
}

static bool read_day(const char **at, rule_day *day) {
  bool well;
  *day = (rule_day){.form = 'n', .seconds = 2 * HOUR};
  if (read_char(at, 'M')) {
    day->form = 'M';
    well = read_number(at, 1, 12, &day->month) && read_char(at, '.') && read_number(at, 1, 5, &day->week) &&
           read_char(at, '.') && read_number(at, 0, 6, &day->day);
  } else if (read_char(at, 'J')) {
    day->form = 'J';
    well = read_number(at, 1, 365, &day->day);
  } else {
    well = read_number(at, 0, 365, &day->day);
  }
  return well && (!read_char(at, '/') || read_time(at, 167, &day->seconds));
}

/* Reads a POSIX TZ string; nothing may follow it. Offsets in there are west of UTC, ours east. */
static bool read_rule(const char *text, rule *r) {
  const char *at = text;
  int west;
  *r = (rule){.present = true};
  if (!read_abbreviation(&at, r->standard_name) || !read_time(&at, 24, &west)) return false;
  r->standard = -west;
  if (*at == '\0') return true;
  r->changes = true;
  r->summer = r->standard + HOUR;
  if (!read_abbreviation(&at, r->summer_name)) return false;
  if (*at != ',') {
    if (!read_time(&at, 24, &west)) return false;
    r->summer = -west;
  }
  return read_char(&at, ',') && read_day(&at, &r->start) && read_char(&at, ',') && read_day(&at, &r->end) &&
         *at == '\0';
}

/* Seconds from 1970 to that day's time in that year, as a clock shows it. */
static int64_t day_in_year(const rule_day *day, int64_t year) {
  int64_t days;
  if (day->form == 'M') {
    int64_t first = civil_days(year, day->month, 1);
    int of_month = (day->day - weekday_of(first) + 7) % 7 + 7 * (day->week - 1);
    if (of_month >= civil_month_days(year, day->month)) of_month -= 7; /* week 5 is the last one */
    days = first + of_month;
  } else {
    days = civil_days(year, 1, 1) + day->day;
    if (day->form == 'J') days -= day->day < 60 || civil_month_days(year, 2) == 28;
  }
  return days * DAY + day->seconds;
}

static int64_t summer_start(const rule *r, int64_t year) {
  return day_in_year(&r->start, year) - r->standard;
}

static int64_t summer_end(const rule *r, int64_t year) {
  return day_in_year(&r->end, year) - r->summer;
}

static int64_t rule_year(const rule *r, int64_t at) {
  civil c;
  date_of(floor_div(at + r->standard, DAY), &c);
  return c.year;
}

/* What a rule that changes says of an instant. A change may lie a week outside of its year, so that three are
 * looked at. Where summer ends as the next one begins, it is for ever. */
typedef struct season {
  bool summer;
  int64_t until; /* the first change after the instant */
} season;

static season rule_season(const rule *r, int64_t at) {
  season now = {false, INT64_MAX};
  int64_t year = rule_year(r, at), last = INT64_MIN;
  for (int64_t y = year - 1; y <= year + 1; y++) {
    int64_t changes[] = {summer_end(r, y), summer_start(r, y)};
    for (int i = 0; i < 2; i++) {
      if (changes[i] > at) {
        if (changes[i] < now.until) now.until = changes[i];
      } else if (changes[i] >= last) {
        last = changes[i];
        now.summer = i == 1;
      }
    }
  }
  return now;
}

static int32_t rule_offset(const rule *r, int64_t at) {
  return r->changes && rule_season(r, at).summer ? r->summer : r->standard;
}

static int64_t rule_next(const rule *r, int64_t at) {
  return r->changes ? rule_season(r, at).until : INT64_MAX;
}

/* ---- a zone's time ---- */

/* How many changes have come at that second. */
static size_t changes_until(const zone *z, int64_t at) {
  size_t low = 0, high = z->count;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (z->changes[middle].at <= at)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

int32_t zone_offset_at(const zone *z, int64_t utc_seconds) {
  size_t come = changes_until(z, utc_seconds);
  if (come == z->count && z->rule.present) return rule_offset(&z->rule, utc_seconds);
  return come == 0 ? z->first : z->changes[come - 1].offset;
}

const char *zone_abbreviation_at(const zone *z, int64_t utc_seconds) {
  size_t come = changes_until(z, utc_seconds);
  if (come == z->count && z->rule.present) {
    bool summer = z->rule.changes && rule_season(&z->rule, utc_seconds).summer;
    return summer ? z->rule.summer_name : z->rule.standard_name;
  }
  return z->names + (come == 0 ? z->first_name : z->changes[come - 1].name);
}

/* The first change after `at`, be it one that changes nothing; INT64_MAX where none comes. */
static int64_t next_change(const zone *z, int64_t at) {
  size_t come = changes_until(z, at);
  if (come < z->count) return z->changes[come].at;
  return z->rule.present ? rule_next(&z->rule, at) : INT64_MAX;
}

void zone_local(const zone *z, int64_t utc_ms, civil *out) {
  int64_t seconds = floor_div(utc_ms, 1000);
  civil_of_seconds(seconds + zone_offset_at(z, seconds), (int)floor_mod(utc_ms, 1000), out);
}

/* Goes through the stretches of one offset each, from the earliest that can matter. */
int64_t zone_instant(const zone *z, const civil *local) {
  int64_t wanted = civil_seconds(local) + floor_div(local->ms, 1000), ms = floor_mod(local->ms, 1000);
  int64_t from = wanted - OFFSET_MOST;
  for (;;) {
    int64_t instant = wanted - zone_offset_at(z, from), until = next_change(z, from);
    if (instant < from) return from * 1000; /* the clocks were put forward over it */
    if (instant < until) return instant * 1000 + ms;
    from = until;
  }
}

/* ---- files: RFC 8536 ---- */

enum { HEADER = 44, TYPE_SIZE = 6 };

/* How many of each there are in a block. */
typedef struct counts {
  uint64_t is_utc, is_standard, leaps, times, types, chars;
} counts;

static uint64_t big_endian(const uint8_t *at, int size) {
  uint64_t value = 0;
  for (int i = 0; i < size; i++) value = value << 8 | at[i];
  return value;
}

static bool read_header(const uint8_t *at, size_t left, counts *c) {
  if (left < HEADER || memcmp(at, "TZif", 4) != 0 || at[4] < '2') return false;
  uint64_t *fields[] = {&c->is_utc, &c->is_standard, &c->leaps, &c->times, &c->types, &c->chars};
  for (int i = 0; i < 6; i++) *fields[i] = big_endian(at + 20 + 4 * i, 4);
  return true;
}

/* The bytes of the block behind a header; `time_size` is 4 in the first block and 8 in the second. */
static uint64_t block_size(const counts *c, uint64_t time_size) {
  return c->times * (time_size + 1) + c->types * TYPE_SIZE + c->chars + c->leaps * (time_size + 4) +
         c->is_standard + c->is_utc;
}

/* Reads an offset, and where its abbreviation stands. */
static bool read_type(const uint8_t *types, uint64_t index, const counts *c, int32_t *offset, uint8_t *name) {
  const uint8_t *type = types + index * TYPE_SIZE;
  *offset = (int32_t)(uint32_t)big_endian(type, 4);
  *name = type[5];
  return *offset >= OFFSET_LEAST && *offset <= OFFSET_MOST && *name < c->chars;
}

static bool read_changes(const uint8_t *at, const counts *c, zone *z) {
  const uint8_t *indexes = at + 8 * c->times, *types = indexes + c->times;
  if (c->types == 0 || !read_type(types, 0, c, &z->first, &z->first_name)) return false;
  z->names = mem_zero(c->chars + 1);
  memcpy(z->names, types + c->types * TYPE_SIZE, c->chars);
  z->changes = mem_zero(c->times * sizeof *z->changes);
  for (z->count = 0; z->count < c->times; z->count++) {
    change *next = &z->changes[z->count];
    next->at = (int64_t)big_endian(at + 8 * z->count, 8);
    if (z->count > 0 && next->at <= next[-1].at) return false;
    if (indexes[z->count] >= c->types || !read_type(types, indexes[z->count], c, &next->offset, &next->name))
      return false;
  }
  return true;
}

/* "\nRULE\n", where the rule may be empty. */
static bool read_footer(const uint8_t *at, size_t left, zone *z) {
  char text[128];
  const uint8_t *end = left > 1 && at[0] == '\n' ? memchr(at + 1, '\n', left - 1) : NULL;
  if (end == NULL || (size_t)(end - at) > sizeof text) return false;
  size_t length = (size_t)(end - at) - 1;
  memcpy(text, at + 1, length);
  text[length] = '\0';
  return length == 0 || (strlen(text) == length && read_rule(text, &z->rule));
}

/* Reads a whole file. Leap seconds are refused: the system's clock does not count them. */
static bool read_file(const uint8_t *bytes, size_t length, zone *z) {
  counts c;
  if (!read_header(bytes, length, &c)) return false;
  uint64_t second = HEADER + block_size(&c, 4);
  if (second > length || !read_header(bytes + second, length - second, &c)) return false;
  uint64_t block = second + HEADER, footer = block + block_size(&c, 8);
  return footer <= length && c.leaps == 0 && read_changes(bytes + block, &c, z) &&
         read_footer(bytes + footer, length - footer, z);
}

zone *zone_read(const char *name, const void *bytes, size_t length, error *err) {
  zone *z = mem_zero(sizeof *z);
  z->name = mem_text(name);
  if (read_file(bytes, length, z)) return z;
  error_set(
      err,
      "the zone data of \"%s\" can't be used: it is no file of RFC 8536, version 2 or later, without leap "
      "seconds",
      name);
  zone_free(z);
  return NULL;
}

/* ---- finding one ---- */

static struct {
  pthread_mutex_t lock;
  zone *zones[ZONES_MOST]; /* sorted by name; never taken out */
  size_t count;
} kept = {.lock = PTHREAD_MUTEX_INITIALIZER};

static const char *data_folder(void) {
  const char *folder = getenv("TZDIR");
  return folder != NULL && folder[0] != '\0' ? folder : "/usr/share/zoneinfo";
}

/* The place of `name` among the kept zones, or where it would go. The lock is held. */
static size_t kept_place(const char *name) {
  size_t low = 0, high = kept.count;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (strcmp(kept.zones[middle]->name, name) < 0)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

static const zone *kept_at(size_t place, const char *name) {
  return place < kept.count && strcmp(kept.zones[place]->name, name) == 0 ? kept.zones[place] : NULL;
}

static const zone *kept_find(const char *name) {
  pthread_mutex_lock(&kept.lock);
  const zone *found = kept_at(kept_place(name), name);
  pthread_mutex_unlock(&kept.lock);
  return found;
}

/* Keeps `z`, or frees it where another thread was quicker. Returns the one that is kept, or NULL and fills
 * `err`. */
static const zone *keep(zone *z, error *err) {
  pthread_mutex_lock(&kept.lock);
  size_t place = kept_place(z->name);
  const zone *found = kept_at(place, z->name);
  if (found == NULL && kept.count < ZONES_MOST) {
    memmove(kept.zones + place + 1, kept.zones + place, (kept.count - place) * sizeof(zone *));
    kept.zones[place] = z;
    kept.count++;
    found = z;
  }
  pthread_mutex_unlock(&kept.lock);
  if (found == NULL)
    error_set(err, "the time zone \"%s\" is one too many: a process keeps %d", z->name, ZONES_MOST);
  if (found != z) zone_free(z);
  return found;
}

/* Parts of letters, digits, "_", "+" and "-" with single slashes between: such a name can't leave the folder,
 * nor can one file be asked for in any number of spellings. */
static bool name_is_proper(const char *name) {
  size_t i = 0;
  for (; i <= NAME_MOST && name[i] != '\0'; i++) {
    char c = name[i];
    bool part = is_letter(c) || is_digit(c) || c == '_' || c == '+' || c == '-';
    bool slash = c == '/' && i > 0 && name[i - 1] != '/';
    if (!part && !slash) return false;
  }
  return i > 0 && i <= NAME_MOST && name[i - 1] != '/';
}

static void set_unknown(const char *name, error *err) {
  int shown = (int)utf8_valid_length(name, strnlen(name, NAME_MOST));
  if (access(data_folder(), R_OK | X_OK) != 0) {
    error_set(err,
              "the time zone \"%.*s\" can't be looked up, for there is no zone data in %s (install the "
              "package tzdata, "
              "or set TZDIR); \"UTC\" works without",
              shown, name, data_folder());
  } else {
    error_set(
        err,
        "there is no time zone \"%.*s\": names look like \"Europe/Berlin\", \"America/New_York\" or \"UTC\"",
        shown, name);
  }
}

/* Returns the bytes read; 0 where there is no such zone, -1 and `err` where its file can't be read. */
static ssize_t read_data(const char *name, char *bytes, size_t room, error *err) {
  char path[4096];
  struct stat st;
  ssize_t got = 0, more;
  int length = snprintf(path, sizeof path, "%s/%s", data_folder(), name);
  if (length < 0 || (size_t)length >= sizeof path) return error_set(err, "TZDIR is too long a path");
  int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0 && (errno == ENOENT || errno == ENOTDIR || errno == ELOOP)) return 0;
  if (fd < 0) return error_set(err, "can't read the time zone \"%s\" in %s: %s", name, path, strerror(errno));
  if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode)) {
    while ((more = read(fd, bytes + got, room - (size_t)got)) > 0) got += more;
    if (more < 0)
      got = error_set(err, "can't read the time zone \"%s\" in %s: %s", name, path, strerror(errno));
  }
  close(fd);
  return got;
}

static zone *load(const char *name, error *err) {
  char *bytes = mem_alloc(FILE_MOST);
  ssize_t length = name_is_proper(name) ? read_data(name, bytes, FILE_MOST, err) : 0;
  zone *z = NULL;
  if (length == 0 || (length > 0 && memcmp(bytes, "TZif", length < 4 ? (size_t)length : 4) != 0)) {
    set_unknown(name, err);
  } else if (length > 0) {
    z = zone_read(name, bytes, (size_t)length, err);
  }
  free(bytes);
  return z;
}

const zone *zone_find(const char *name, error *err) {
  if (strcmp(name, utc.name) == 0) return &utc;
  const zone *found = kept_find(name);
  if (found != NULL) return found;
  zone *loaded = load(name, err);
  return loaded != NULL ? keep(loaded, err) : NULL;
}

/* ---- the system's own ---- */

static pthread_once_t local_once = PTHREAD_ONCE_INIT;
static const char *local_name;

/* Takes `name` where it is a zone's; with what stands before the zone's name in a path cut off. */
static bool take_local(const char *name) {
  const char *folder = strstr(name, "zoneinfo/");
  const zone *found = zone_find(folder != NULL ? folder + strlen("zoneinfo/") : name, NULL);
  if (found == NULL) return false;
  local_name = found->name;
  return true;
}

/* Keeps a zone that has no file, only a rule, under the rule as its name. */
static void take_local_rule(const char *text) {
  rule r;
  if (strlen(text) > NAME_MOST || !read_rule(text, &r)) return;
  zone *z = mem_zero(sizeof *z);
  z->name = mem_text(text);
  z->rule = r;
  const zone *found = keep(z, NULL);
  if (found != NULL) local_name = found->name;
}

static void look_up_local(void) {
  char text[4096];
  const char *variable = getenv("TZ");
  local_name = utc.name;
  if (variable != NULL) { /* it decides, as in libc: one that says nothing is UTC */
    variable += variable[0] == ':';
    if (!take_local(variable)) take_local_rule(variable);
    return;
  }
  ssize_t length = readlink("/etc/localtime", text, sizeof text - 1);
  text[length > 0 ? length : 0] = '\0';
  if (length > 0 && take_local(text)) return;
  FILE *file = fopen("/etc/timezone", "re");
  if (file == NULL) return;
  if (fgets(text, sizeof text, file) != NULL) {
    text[strcspn(text, " \t\r\n")] = '\0';
    take_local(text);
  }
  fclose(file);
}

const char *zone_local_name(void) {
  pthread_once(&local_once, look_up_local);
  return local_name;
}
