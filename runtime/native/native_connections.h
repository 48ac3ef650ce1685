/* What jaunt.native.engine takes over from jaunt.native.connections. */
#ifndef JAUNT_NATIVE_CONNECTIONS_H
#define JAUNT_NATIVE_CONNECTIONS_H

#include <lua.h>
#include <stddef.h>

#include "calls/connection.h"
#include "calls/secrets.h"

/* Each hands over what the userdata at `index` holds; the caller owns it then. Raises where it was taken before. */
secrets *native_secrets_take(lua_State *L, int index);
connection **native_connections_take(lua_State *L, int index, size_t *count);

#endif
