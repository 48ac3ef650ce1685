/* now, random and uuid: the logical clock, and dice that fall the same way when a run is told again. */
#include <stdio.h>

#include "bind/primitive.h"

/* now(): seconds since 1970, the time of the run's last record. In predicates and payloads, too. */
int primitive_now(lua_State *L) {
  const run *r = worker_of(L)->current;
  if (!r)
    return luaL_error(L, "now works in a journey's flow or in a plain script, not while a script is loaded");
  lua_pushnumber(L, (double)r->now_ms / 1000);
  return 1;
}

/* random(): 0 <= x < 1; random(n): 1..n; random(m, n): m..n. */
int primitive_random(lua_State *L) {
  run *r = primitive_run(L, "random");
  if (lua_gettop(L) == 0) {
    lua_pushnumber(L, random_unit(&r->random));
    return 1;
  }
  lua_Integer low = lua_gettop(L) > 1 ? luaL_checkinteger(L, 1) : 1;
  lua_Integer high = luaL_checkinteger(L, lua_gettop(L) > 1 ? 2 : 1);
  luaL_argcheck(L, low <= high, 1, "random(m, n) needs m <= n");
  uint64_t span = (uint64_t)high - (uint64_t)low + 1;
  uint64_t drawn = random_next(&r->random);
  lua_pushinteger(L, (lua_Integer)((uint64_t)low + (span ? drawn % span : drawn)));
  return 1;
}

/* uuid(): a version 4 UUID (RFC 9562, 5.4) from the run's own dice. */
int primitive_uuid(lua_State *L) {
  run *r = primitive_run(L, "uuid");
  uint64_t a = random_next(&r->random), b = random_next(&r->random);
  char text[37];
  snprintf(text, sizeof text, "%08x-%04x-4%03x-%04x-%04x%08x", (unsigned)(a >> 32),
           (unsigned)(a >> 16 & 0xffff), (unsigned)(a & 0xfff), (unsigned)(0x8000 | (b >> 48 & 0x3fff)),
           (unsigned)(b >> 32 & 0xffff), (unsigned)b);
  lua_pushstring(L, text);
  return 1;
}
