/* The parts of jaunt.native.engine: what it can do is told at the top of native_engine.c. */
#ifndef JAUNT_NATIVE_ENGINE_PARTS_H
#define JAUNT_NATIVE_ENGINE_PARTS_H

#include <lauxlib.h>
#include <lua.h>

#include "engine/engine.h"

/* ---- engine_host.c ---- */

/* The engine at 1. Raises where it is closed. */
engine *native_engine_at(lua_State *L);
int native_engine_start(lua_State *L); /* start */
/* Defines its type: with wait, stop and the like, and with the methods in lists of `more`, which ends with NULL. */
void native_engine_define(lua_State *L, const luaL_Reg *const more[]);

/* ---- engine_start.c ---- */

/* What start is asked for, in the table at 1; its callbacks are missing. Raises what is wrong with it. It holds a store, connections and
 * secrets that engine_start takes, and texts of the table. */
engine_options native_engine_options(lua_State *L);
int native_engine_check_limits(lua_State *L); /* check_limits */

/* ---- methods ---- */

extern const luaL_Reg native_engine_people[]; /* feed, admit, event, …: engine_people.c */
extern const luaL_Reg native_engine_acts[];   /* act, pause, advance, …: engine_acts.c */
extern const luaL_Reg native_engine_sights[]; /* look, report, message, …: engine_look.c */

#endif
