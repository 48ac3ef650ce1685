/* The parts of jaunt.native.engine: what it can do is told at the top of native_engine.c. */
#ifndef JAUNT_NATIVE_ENGINE_H
#define JAUNT_NATIVE_ENGINE_H

#include <lauxlib.h>
#include <lua.h>

#include "engine/engine.h"

/* The engine at 1. Raises where it is closed. */
engine *native_engine_at(lua_State *L);

/* ---- native_engine_start.c ---- */

/* What start is asked for, in the table at 1; its callbacks are missing. Raises what is wrong with it. It holds a store, connections and
 * secrets that engine_start takes, and texts of the table. */
engine_options native_engine_options(lua_State *L);
int native_engine_check_limits(lua_State *L); /* check_limits */

/* ---- methods ---- */

extern const luaL_Reg native_engine_people[]; /* feed, admit, event, …: native_engine_people.c */
extern const luaL_Reg native_engine_acts[];   /* act, pause, advance, …: native_engine_acts.c */
extern const luaL_Reg native_engine_sights[]; /* look, report, message, …: native_engine_look.c */

#endif
