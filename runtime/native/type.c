/* What native modules have in common: see native.h. */
#include <lauxlib.h>

#include "native/native.h"

void native_type(lua_State *L, const char *name, const luaL_Reg *methods, lua_CFunction collect,
                 lua_CFunction close) {
  if (luaL_newmetatable(L, name)) {
    if (methods) {
      lua_newtable(L);
      luaL_setfuncs(L, methods, 0);
      lua_setfield(L, -2, "__index");
    }
    lua_pushcfunction(L, collect);
    lua_setfield(L, -2, "__gc");
    if (close) lua_pushcfunction(L, close), lua_setfield(L, -2, "__close");
  }
  lua_pop(L, 1);
}

void native_type_more(lua_State *L, const char *name, const luaL_Reg *methods) {
  luaL_getmetatable(L, name);
  lua_getfield(L, -1, "__index");
  luaL_setfuncs(L, methods, 0);
  lua_pop(L, 2);
}

int native_none(lua_State *L, const error *err) {
  lua_pushnil(L);
  lua_pushstring(L, err->text);
  return 2;
}
