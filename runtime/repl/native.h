/* The native modules of this layer, for the list in runtime/native.c: see bind/native.h. */
#ifndef JAUNT_REPL_NATIVE_H
#define JAUNT_REPL_NATIVE_H

#include <lua.h>

int native_prompt_open(lua_State *L); /* jaunt.native.prompt: open */

#endif
