/* jaunt.native.clock: real time, for what must not take too long. In commands and in workers; scripts never see it.
 *
 *   mono()   milliseconds since some fixed moment, with a fraction */
#include "base/clock.h"
#include "native/native.h"

int native_clock_mono(lua_State *L) {
  lua_pushnumber(L, (lua_Number)clock_mono_ns() / 1e6);
  return 1;
}

int native_clock_open(lua_State *L) {
  static const luaL_Reg functions[] = {{"mono", native_clock_mono}, {NULL, NULL}};
  luaL_newlib(L, functions);
  return 1;
}
