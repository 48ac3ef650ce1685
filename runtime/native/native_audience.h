/* What jaunt.native.engine needs of jaunt.native.audience. */
#ifndef JAUNT_NATIVE_AUDIENCE_H
#define JAUNT_NATIVE_AUDIENCE_H

#include <lua.h>

#include "people/audience.h"

/* The audience that the userdata at `index` holds. Raises where it is closed or something else. */
audience *native_audience_at(lua_State *L, int index);

#endif
