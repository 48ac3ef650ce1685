/* How `require` finds jaunt's own modules in a full lua_State: the native ones and those of lualib/. */
#ifndef JAUNT_NATIVE_MODULES_H
#define JAUNT_NATIVE_MODULES_H

#include <lauxlib.h>
#include <lua.h>

/* Makes `require` find `natives` (a table that ends with {NULL, NULL}; may be NULL) and, before any file, the
 * modules of lualib/. The standard libraries are open already. Raises Lua's errors. */
void modules_install(lua_State *L, const luaL_Reg *natives);

#endif
