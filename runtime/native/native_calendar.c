/* jaunt.native.calendar: what the clocks of a zone show, for payload templates; in workers' states, too. Only what
 * base/zone.h knows: the words around it are written in lualib/jaunt/liquid/.
 *
 * A zone is its name, such as "Europe/Berlin", or an integer: so many seconds ahead of UTC; nil is UTC.
 *
 *   zone(name)               true, or nil and why there is none
 *   local_time(ms, zone)     year, month, day, hour, minute, second, ms, weekday (0 is Sunday), seconds ahead of UTC
 *   instant(zone, year, month, day, hour, minute, second)    the moment at which its clocks show that, see zone_instant; a day
 *                            outside its month counts on from it
 *   abbreviation(ms, zone)   "CET"; "UTC"; nothing for a number
 *   days(year, month, day)   days since 1970-01-01
 *
 * What most dates are like is read and printed in one go:
 *   read(text, zone)            "2026-11-30", and "2026-11-30T09:00:00" (or a blank for the T) with a fraction, "Z" or an offset
 *                               behind it or none (RFC 3339, 5.6, and ISO 8601's +0100): the moment, and the zone that it is shown
 *                               in: the one handed in, or the text's offset (nil for Z). Nothing for any other text
 *   print(format, ms, zone)     the format with %Y %m %d %H %M %S filled in; nothing where the year has not four digits. Any other
 *                               directive stays as it is */
#include <stdbool.h>

#include "base/zone.h"
#include "native/native.h"

enum {
  FAR = 10000000, /* years either way; a civil has room for them, and milliseconds have 64 bits */
  DAYS = 1000     /* within a month: those outside it count on */
};

/* The zone at `index`; NULL for a number, which is put into *ahead. */
static const zone *check_zone(lua_State *L, int index, lua_Integer *ahead) {
  error err;
  *ahead = 0;
  if (lua_isnoneornil(L, index)) return zone_utc();
  if (lua_isinteger(L, index)) {
    *ahead = lua_tointeger(L, index);
    luaL_argcheck(L, *ahead > -86400 && *ahead < 86400, index, "less than a day either way");
    return NULL;
  }
  const zone *found = zone_find(luaL_checkstring(L, index), &err);
  if (!found) luaL_error(L, "%s", err.text);
  return found;
}

static int calendar_zone(lua_State *L) {
  error err;
  if (zone_find(luaL_checkstring(L, 1), &err)) {
    lua_pushboolean(L, 1);
    return 1;
  }
  return native_none(L, &err);
}

static int64_t check_ms(lua_State *L, int index) {
  lua_Integer ms = luaL_checkinteger(L, index);
  lua_Integer far = (lua_Integer)FAR * 366 * 86400000;
  luaL_argcheck(L, ms > -far && ms < far, index, "this moment is too far away");
  return ms;
}

static int64_t floor_seconds(int64_t ms) {
  return ms / 1000 - (ms % 1000 < 0);
}

/* What the clocks of the zone behind it show at the moment at `index`. Returns how many seconds they are ahead of UTC. */
static lua_Integer check_civil(lua_State *L, int index, civil *c) {
  int64_t ms = check_ms(L, index);
  lua_Integer ahead;
  const zone *z = check_zone(L, index + 1, &ahead);
  if (z) ahead = zone_offset_at(z, floor_seconds(ms));
  civil_of(ms + ahead * 1000, c);
  return ahead;
}

static int calendar_local_time(lua_State *L) {
  civil c;
  lua_Integer ahead = check_civil(L, 1, &c);
  int shown[] = {c.year, c.month, c.day, c.hour, c.minute, c.second, c.ms, c.weekday};
  int count = sizeof shown / sizeof *shown;
  for (int i = 0; i < count; i++) lua_pushinteger(L, shown[i]);
  lua_pushinteger(L, ahead);
  return count + 1;
}

static int check_part(lua_State *L, int index, lua_Integer least, lua_Integer most) {
  lua_Integer part = luaL_checkinteger(L, index);
  luaL_argcheck(L, part >= least && part <= most, index, "no calendar and no clock shows that");
  return (int)part;
}

static int calendar_instant(lua_State *L) {
  lua_Integer ahead;
  const zone *z = check_zone(L, 1, &ahead);
  civil c = {.year = check_part(L, 2, -FAR, FAR),
             .month = check_part(L, 3, 1, 12),
             .day = check_part(L, 4, -DAYS, DAYS),
             .hour = check_part(L, 5, 0, 24),
             .minute = check_part(L, 6, 0, 59),
             .second = check_part(L, 7, 0, 60)};
  lua_pushinteger(L, z ? zone_instant(z, &c) : civil_ms(&c) - ahead * 1000);
  return 1;
}

static int calendar_abbreviation(lua_State *L) {
  int64_t ms = check_ms(L, 1);
  lua_Integer ahead;
  const zone *z = check_zone(L, 2, &ahead);
  lua_pushstring(L, z ? zone_abbreviation_at(z, floor_seconds(ms)) : "");
  return 1;
}

static int calendar_days(lua_State *L) {
  int year = check_part(L, 1, -FAR, FAR), month = check_part(L, 2, 1, 12),
      day = check_part(L, 3, -DAYS, DAYS);
  lua_pushinteger(L, civil_days(year, month, day));
  return 1;
}

/* ---- plain dates ---- */

/* The number that `count` digits at *at are; goes behind them. -1 where they are none. */
static int take_digits(const char **at, int count) {
  int number = 0;
  for (int i = 0; i < count; i++, (*at)++) {
    if (**at < '0' || **at > '9') return -1;
    number = number * 10 + (**at - '0');
  }
  return number;
}

static bool take_sign(const char **at, char sign) {
  if (**at != sign) return false;
  (*at)++;
  return true;
}

static bool take_date(const char **at, civil *c) {
  c->year = take_digits(at, 4);
  if (c->year < 0 || !take_sign(at, '-')) return false;
  c->month = take_digits(at, 2);
  if (c->month < 1 || c->month > 12 || !take_sign(at, '-')) return false;
  c->day = take_digits(at, 2);
  return c->day >= 1 && c->day <= 31;
}

/* With the second's fraction, of which three digits count. */
static bool take_time(const char **at, civil *c) {
  c->hour = take_digits(at, 2);
  if (c->hour < 0 || c->hour > 23 || !take_sign(at, ':')) return false;
  c->minute = take_digits(at, 2);
  if (c->minute < 0 || c->minute > 59 || !take_sign(at, ':')) return false;
  c->second = take_digits(at, 2);
  if (c->second < 0 || c->second > 59) return false;
  if (!take_sign(at, '.')) return true;
  for (int worth = 100; **at >= '0' && **at <= '9'; (*at)++, worth /= 10) c->ms += worth * (**at - '0');
  return true;
}

/* "+01:00", "-0530": seconds ahead of UTC. */
static bool take_offset(const char **at, lua_Integer *ahead) {
  bool west = **at == '-';
  if (!west && **at != '+') return false;
  (*at)++;
  int hour = take_digits(at, 2);
  if (hour < 0 || hour > 23) return false;
  take_sign(at, ':');
  int minute = take_digits(at, 2);
  if (minute < 0 || minute > 59) return false;
  *ahead = (hour * 60 + minute) * (west ? -60 : 60);
  return true;
}

/* What stands behind a time. Pushes the zone that it is shown in, which is at index 2 where nothing is said. */
static bool take_zone(lua_State *L, const char **at, const zone **z, lua_Integer *ahead) {
  if (**at == '\0') {
    lua_pushvalue(L, 2);
    return true;
  }
  *z = NULL;
  *ahead = 0;
  if (take_sign(at, 'Z'))
    lua_pushnil(L);
  else if (take_offset(at, ahead))
    lua_pushinteger(L, *ahead);
  else
    return false;
  return **at == '\0';
}

static int calendar_read(lua_State *L) {
  size_t length;
  lua_Integer ahead;
  civil c = {0};
  const char *text = luaL_checklstring(L, 1, &length), *at = text;
  lua_settop(L, 2);
  const zone *z = check_zone(L, 2, &ahead);
  if (!take_date(&at, &c)) return 0;
  if (*at != '\0' && !((take_sign(&at, 'T') || take_sign(&at, ' ')) && take_time(&at, &c))) return 0;
  if (!take_zone(L, &at, &z, &ahead) || at != text + length) return 0;
  int64_t ms = c.ms;
  c.ms = 0;
  lua_pushinteger(L, ms + (z ? zone_instant(z, &c) : civil_ms(&c) - ahead * 1000));
  lua_insert(L, -2);
  return 2;
}

/* The part of a date that a directive stands for, and how many digits it has; -1 for other directives. */
static int part_for(char directive, const civil *c, int *digits) {
  *digits = directive == 'Y' ? 4 : 2;
  switch (directive) {
  case 'Y': return c->year;
  case 'm': return c->month;
  case 'd': return c->day;
  case 'H': return c->hour;
  case 'M': return c->minute;
  case 'S': return c->second;
  default: return -1;
  }
}

static int calendar_print(lua_State *L) {
  size_t length;
  civil c;
  const char *at = luaL_checklstring(L, 1, &length), *end = at + length;
  check_civil(L, 2, &c);
  if (c.year < 0 || c.year > 9999) return 0;
  luaL_Buffer out;
  char *begin = luaL_buffinitsize(L, &out, 2 * length), *to = begin; /* %Y, of two bytes, becomes four */
  while (at < end) {
    int digits, part = *at == '%' && at + 1 < end ? part_for(at[1], &c, &digits) : -1;
    if (part < 0) {
      *to++ = *at++;
      continue;
    }
    for (int i = digits - 1; i >= 0; i--, part /= 10) to[i] = (char)('0' + part % 10);
    to += digits;
    at += 2;
  }
  luaL_pushresultsize(&out, (size_t)(to - begin));
  return 1;
}

int native_calendar_open(lua_State *L) {
  static const luaL_Reg functions[] = {{"zone", calendar_zone},       {"local_time", calendar_local_time},
                                       {"instant", calendar_instant}, {"abbreviation", calendar_abbreviation},
                                       {"days", calendar_days},       {"read", calendar_read},
                                       {"print", calendar_print},     {NULL, NULL}};
  luaL_newlib(L, functions);
  return 1;
}
