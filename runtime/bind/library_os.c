/* os for scripts: the time, on the logical clock, and in UTC, so that the same run says the same on every machine. What
 * depends on where a person lives is wait_until's to know. */
#include "base/zone.h"
#include "bind/libraries.h"
#include "bind/primitive.h"

enum { YEAR_MOST = 100000000 }; /* its milliseconds are an int64_t */

static double now_of(lua_State *L) {
  const run *r = worker_of(L)->current;
  if (!r)
    luaL_error(
        L, "the time is only known in a journey's flow or in a plain script, not while a script is loaded");
  return (double)r->now_ms / 1000;
}

static int field_of(lua_State *L, const char *name, int otherwise) {
  int whole = 0;
  if (lua_getfield(L, 1, name) == LUA_TNIL) {
    if (otherwise < 0) luaL_error(L, "field '%s' missing in date table", name);
    lua_pop(L, 1);
    return otherwise;
  }
  lua_Integer value = lua_tointegerx(L, -1, &whole);
  if (!whole || value < -1000000000 || value > 1000000000)
    luaL_error(L, "field '%s' is not a whole number in range", name);
  lua_pop(L, 1);
  return (int)value;
}

/* os.time([parts]): seconds since 1970; parts are in UTC. */
static int os_time(lua_State *L) {
  if (lua_isnoneornil(L, 1)) {
    lua_pushinteger(L, (lua_Integer)now_of(L));
    return 1;
  }
  luaL_checktype(L, 1, LUA_TTABLE);
  civil c = {.year = field_of(L, "year", -1),
             .day = field_of(L, "day", -1),
             .hour = field_of(L, "hour", 12),
             .minute = field_of(L, "min", 0),
             .second = field_of(L, "sec", 0)};
  int month = field_of(L, "month", -1) - 1; /* the one field that civil_ms wants in range */
  c.year += month >= 0 ? month / 12 : -((11 - month) / 12);
  c.month = (month % 12 + 12) % 12 + 1;
  if (c.year < -YEAR_MOST || c.year > YEAR_MOST)
    return luaL_error(L, "field 'year' is not a whole number in range");
  lua_pushinteger(L, civil_ms(&c) / 1000);
  return 1;
}

/* os.date([format [, time]]): Lua's own (the upvalue), always in UTC. */
static int os_date(lua_State *L) {
  const char *format = luaL_optstring(L, 1, "%c");
  lua_Number seconds = lua_isnoneornil(L, 2) ? now_of(L) : luaL_checknumber(L, 2);
  if (!(seconds > -9e18 && seconds < 9e18))
    return luaL_error(L, "%f is no time in seconds since 1970", seconds);
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_pushfstring(L, "%s%s", *format == '!' ? "" : "!", format);
  lua_pushinteger(L, (lua_Integer)seconds);
  lua_call(L, 2, 1);
  return 1;
}

static int os_clock(lua_State *L) {
  lua_pushnumber(L, now_of(L));
  return 1;
}

static int os_difftime(lua_State *L) {
  lua_pushnumber(L, luaL_checknumber(L, 1) - luaL_checknumber(L, 2));
  return 1;
}

int library_os(lua_State *L) {
  static const luaL_Reg functions[] = {
      {"time", os_time}, {"clock", os_clock}, {"difftime", os_difftime}, {NULL, NULL}};
  luaL_newlib(L, functions);
  lua_getglobal(L, "os");
  lua_getfield(L, -1, "date");
  lua_pushcclosure(L, os_date, 1);
  lua_setfield(L, -3, "date");
  lua_pop(L, 1);
  return 1;
}
