/* Native modules go to package.preload; lualib/ gets a searcher of its own, the second after it, so that no file
 * in the current folder can take the place of one of jaunt's modules. */
#include "native/modules.h"

#include <lualib.h>

#include "base/lualib.h"

/* package.searchers' contract: a loader and where it comes from, or a text that says why there is none. */
static int search_lualib(lua_State *L) {
  error err;
  lualib_source source;
  const char *name = luaL_checkstring(L, 1);
  int found = lualib_find(name, &source, &err);
  if (found == 0) {
    lua_pushfstring(L, "no module '%s' in lualib", name);
    return 1;
  }
  if (found < 0) return luaL_error(L, "%s", err.text);
  lua_pushstring(L, source.path);
  lua_pushfstring(L, "@%s", source.path);
  int status = luaL_loadbufferx(L, source.code, source.length, lua_tostring(L, -1), source.mode);
  lualib_free(&source);
  if (status != LUA_OK) return lua_error(L);
  lua_pushvalue(L, -3); /* stack: path, chunk name, loader, path */
  return 2;
}

void modules_install(lua_State *L, const luaL_Reg *natives) {
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
  for (; natives != NULL && natives->name != NULL; natives++) {
    lua_pushcfunction(L, natives->func);
    lua_setfield(L, -2, natives->name);
  }
  lua_getglobal(L, LUA_LOADLIBNAME);
  lua_getfield(L, -1, "searchers");
  for (lua_Integer i = luaL_len(L, -1); i >= 2; i--) { /* moves the others down */
    lua_geti(L, -1, i);
    lua_seti(L, -2, i + 1);
  }
  lua_pushcfunction(L, search_lualib);
  lua_seti(L, -2, 2);
  lua_pop(L, 3);
}
