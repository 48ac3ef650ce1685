/* The native modules of this layer, for the list in runtime/native_modules.c: see native/native.h. */
#ifndef JAUNT_REPL_NATIVE_H
#define JAUNT_REPL_NATIVE_H

#include <lua.h>

int native_process_open(lua_State *L); /* jaunt.native.process: start */
int native_prompt_open(lua_State *L);  /* jaunt.native.prompt: open */

#endif
