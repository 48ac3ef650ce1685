/* The order in which a script sees a table's fields: numbers, then texts by their bytes, then false and true. The same in
 * every process, whatever the hash seed. Other keys have no order, and are an error. */
#ifndef JAUNT_BIND_ORDER_H
#define JAUNT_BIND_ORDER_H

#include <lauxlib.h>
#include <lua.h>

/* Pushes a function that gives the next key and its value at each call, nil at the end; the keys are those that the table
 * at `index` has now, and one that is taken away meanwhile is passed over. */
void order_iterator(lua_State *L, int index);

/* Pushes the key of the table at `index` that follows the one at `key` (nil: the first), and its value; returns 2, or
 * pushes nil and returns 1. */
int order_next(lua_State *L, int index, int key);

#endif
