/* A worker's lua_State: what can be required in it, and all else that the engine asks of Lua. */
#ifndef JAUNT_NATIVE_WORKER_LUA_H
#define JAUNT_NATIVE_WORKER_LUA_H

#include "engine/engine.h"

extern const engine_lua worker_lua;

#endif
