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
 *   days(year, month, day)   days since 1970-01-01 */
#include "base/zone.h"
#include "bind/native.h"

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
  lua_pushnil(L);
  lua_pushstring(L, err.text);
  return 2;
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

static int calendar_local_time(lua_State *L) {
  int64_t ms = check_ms(L, 1);
  lua_Integer ahead;
  civil c;
  const zone *z = check_zone(L, 2, &ahead);
  if (z) ahead = zone_offset_at(z, floor_seconds(ms));
  civil_of(ms + ahead * 1000, &c);
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

int native_calendar_open(lua_State *L) {
  static const luaL_Reg functions[] = {{"zone", calendar_zone},       {"local_time", calendar_local_time},
                                       {"instant", calendar_instant}, {"abbreviation", calendar_abbreviation},
                                       {"days", calendar_days},       {NULL, NULL}};
  luaL_newlib(L, functions);
  return 1;
}
