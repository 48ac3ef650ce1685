/* The native modules of this layer, for the list in runtime/native_modules.c: see native/native.h. */
#ifndef JAUNT_SERVE_NATIVE_H
#define JAUNT_SERVE_NATIVE_H

#include <lua.h>

int native_socket_open(lua_State *L); /* jaunt.native.socket: listen, connect */
int native_vendor_open(lua_State *L); /* jaunt.native.vendor: start */

#endif
