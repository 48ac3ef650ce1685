/* What commands ask that is no engine's: times as texts and back, a hash, how many cores there are, what call_api takes. They stand
 * in jaunt.native.engine:
 *
 *   hash(text)               32 hexadecimal digits
 *   now_ms()                 the wall clock
 *   call_fields()                                    the names of call_api's fields
 *   rfc3339(ms), moment(text [, zone [, now_ms]])    as base/moment.h; moment gives nil and a message
 *   duration(text)           milliseconds, as base/duration.h reads them; or nil and a message
 *   cores()                  how many workers are the default */
#include <uv.h>

#include "base/clock.h"
#include "base/duration.h"
#include "base/hash.h"
#include "base/moment.h"
#include "bind/primitive.h"
#include "native/native.h"

static int native_hash(lua_State *L) {
  size_t length;
  const char *bytes = luaL_checklstring(L, 1, &length);
  char hex[33];
  hash_hex(hash_bytes((hash128){0, 0}, bytes, length), hex);
  lua_pushstring(L, hex);
  return 1;
}

static int native_now_ms(lua_State *L) {
  lua_pushinteger(L, clock_wall_ms());
  return 1;
}

static int native_rfc3339(lua_State *L) {
  char text[40];
  moment_rfc3339(luaL_checkinteger(L, 1), text);
  lua_pushstring(L, text);
  return 1;
}

static int native_moment(lua_State *L) {
  error err;
  int64_t at_ms;
  const zone *z = zone_find(luaL_optstring(L, 2, zone_local_name()), &err);
  if (z &&
      moment_parse(luaL_checkstring(L, 1), z, luaL_optinteger(L, 3, clock_wall_ms()), &at_ms, &err) == 0) {
    lua_pushinteger(L, at_ms);
    return 1;
  }
  return native_none(L, &err);
}

static int native_duration(lua_State *L) {
  error err;
  int64_t ms;
  if (duration_parse(luaL_checkstring(L, 1), &ms, &err) == 0) {
    lua_pushinteger(L, ms);
    return 1;
  }
  return native_none(L, &err);
}

static int native_cores(lua_State *L) {
  lua_pushinteger(L, (lua_Integer)uv_available_parallelism());
  return 1;
}

const luaL_Reg native_facts[] = {
    {"hash", native_hash},
    {"now_ms", native_now_ms},
    {"rfc3339", native_rfc3339},
    {"moment", native_moment},
    {"cores", native_cores},
    {"duration", native_duration},
    {"call_fields", call_api_fields},
    {NULL, NULL},
};
