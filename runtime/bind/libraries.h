/* The parts of Lua's libraries that scripts get from us, because Lua's own would let them stop the runtime, reach another
 * run, or see what differs from process to process. lualib/jaunt/worker/sandbox.lua puts them into the environment. */
#ifndef JAUNT_BIND_LIBRARIES_H
#define JAUNT_BIND_LIBRARIES_H

#include <lauxlib.h>
#include <lua.h>
#include <stdint.h>

/* Each pushes a table of functions that stand in for Lua's of the same names. */
int library_base(lua_State *L);   /* pairs, next, tostring, setmetatable, rawset, rawget, xpcall */
int library_string(lua_State *L); /* find, match, gmatch, gsub, format, rep */
int library_table(lua_State *L);  /* sort, concat, insert, move, remove */
int library_os(lua_State *L);     /* time, date, clock, difftime */

/* Pushes the value as tostring shows it: without addresses. */
const char *text_of_value(lua_State *L, int index);

#endif
