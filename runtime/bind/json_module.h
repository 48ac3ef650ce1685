/* The Lua module `json`, which scripts, transforms and commands have: json.h for Lua, under the names of lua-cjson. */
#ifndef JAUNT_BIND_JSON_MODULE_H
#define JAUNT_BIND_JSON_MODULE_H

#include <lua.h>

/* Pushes the module's table: a lua_CFunction to put into package.preload as "json" and as "cjson". */
int bind_json_open(lua_State *L);

/* Pushes lua-cjson itself, with all its faults: the tests' second opinion, as "jaunt.native.lua_cjson". */
int bind_lua_cjson_open(lua_State *L);

#endif
