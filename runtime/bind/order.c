/* The order of a table's fields: see order.h. */
#include "bind/order.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "bind/libraries.h"

/* One key. Texts point into Lua's strings, which the table holds meanwhile. */
typedef struct order_key {
  int type;
  bool is_integer;
  lua_Integer integer; /* also false and true */
  lua_Number number;
  const char *text;
  size_t length;
} order_key;

static int rank(int type) {
  return type == LUA_TNUMBER ? 0 : type == LUA_TSTRING ? 1 : 2;
}

static int compare_numbers(const order_key *a, const order_key *b) {
  if (a->is_integer && b->is_integer) return (a->integer > b->integer) - (a->integer < b->integer);
  return (a->number > b->number) - (a->number < b->number);
}

static int compare(const void *left, const void *right) {
  const order_key *a = left, *b = right;
  if (a->type != b->type) return rank(a->type) - rank(b->type);
  if (a->type == LUA_TNUMBER) return compare_numbers(a, b);
  if (a->type == LUA_TBOOLEAN) return (int)(a->integer - b->integer);
  int order = memcmp(a->text, b->text, a->length < b->length ? a->length : b->length);
  return order ? order : (a->length > b->length) - (a->length < b->length);
}

static void read_key(lua_State *L, int index, order_key *key) {
  *key = (order_key){.type = lua_type(L, index)};
  switch (key->type) {
  case LUA_TNUMBER:
    key->is_integer = lua_isinteger(L, index);
    key->integer = key->is_integer ? lua_tointeger(L, index) : 0;
    key->number = lua_tonumber(L, index);
    break;
  case LUA_TSTRING: key->text = lua_tolstring(L, index, &key->length); break;
  case LUA_TBOOLEAN: key->integer = lua_toboolean(L, index); break;
  default:
    luaL_error(L, "a %s as a key has no order that is the same twice: keep such values in a list",
               luaL_typename(L, index));
  }
}

static void push_key(lua_State *L, const order_key *key) {
  if (key->type == LUA_TSTRING)
    lua_pushlstring(L, key->text, key->length);
  else if (key->type == LUA_TBOOLEAN)
    lua_pushboolean(L, (int)key->integer);
  else if (key->is_integer)
    lua_pushinteger(L, key->integer);
  else
    lua_pushnumber(L, key->number);
}

/* How many fields the table has, and whether their keys are 1 to that number, met in this order. */
static lua_Integer count_fields(lua_State *L, int table, bool *is_list) {
  lua_Integer count = 0;
  *is_list = true;
  for (lua_pushnil(L); lua_next(L, table); lua_pop(L, 1)) {
    count++;
    if (*is_list && !(lua_isinteger(L, -2) && lua_tointeger(L, -2) == count)) *is_list = false;
  }
  return count;
}

/* Pushes a list of the keys in order. */
static void push_sorted_keys(lua_State *L, int table, lua_Integer count) {
  order_key *keys = lua_newuserdatauv(L, (size_t)count * sizeof *keys, 0);
  lua_Integer at = 0;
  bool sorted = true;
  for (lua_pushnil(L); lua_next(L, table); lua_pop(L, 1)) {
    read_key(L, -2, &keys[at]);
    if (at && compare(&keys[at - 1], &keys[at]) > 0) sorted = false;
    at++;
  }
  if (!sorted) qsort(keys, (size_t)count, sizeof *keys, compare);
  lua_createtable(L, (int)count, 0);
  for (lua_Integer i = 0; i < count; i++) {
    push_key(L, &keys[i]);
    lua_rawseti(L, -2, i + 1);
  }
  lua_remove(L, -2);
}

/* Upvalues: the table, the keys in order (nil for a list), the number of fields, the position. */
static int step(lua_State *L) {
  lua_Integer count = lua_tointeger(L, lua_upvalueindex(3)), at = lua_tointeger(L, lua_upvalueindex(4));
  bool is_list = lua_isnil(L, lua_upvalueindex(2));
  lua_settop(L, 0);
  while (++at <= count) {
    if (is_list)
      lua_pushinteger(L, at);
    else
      lua_rawgeti(L, lua_upvalueindex(2), at);
    lua_pushvalue(L, 1);
    if (lua_rawget(L, lua_upvalueindex(1)) != LUA_TNIL) break;
    lua_settop(L, 0);
  }
  lua_pushinteger(L, at);
  lua_replace(L, lua_upvalueindex(4));
  if (at > count) lua_pushnil(L);
  return at > count ? 1 : 2;
}

void order_iterator(lua_State *L, int index) {
  bool is_list;
  index = lua_absindex(L, index);
  luaL_checkstack(L, 8, NULL);
  lua_Integer count = count_fields(L, index, &is_list);
  lua_pushvalue(L, index);
  if (is_list)
    lua_pushnil(L);
  else
    push_sorted_keys(L, index, count);
  lua_pushinteger(L, count);
  lua_pushinteger(L, 0);
  lua_pushcclosure(L, step, 4);
}

int order_next(lua_State *L, int index, int key) {
  index = lua_absindex(L, index);
  key = lua_absindex(L, key);
  order_key after, best = {0}, found;
  bool first = lua_isnil(L, key), any = false;
  if (!first) read_key(L, key, &after);
  for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) {
    read_key(L, -2, &found);
    if (!first && compare(&found, &after) <= 0) continue;
    if (any && compare(&found, &best) >= 0) continue;
    best = found;
    any = true;
  }
  if (!any) return lua_pushnil(L), 1;
  push_key(L, &best);
  lua_pushvalue(L, -1);
  lua_rawget(L, index);
  return 2;
}
