/* plain(value): a value without the read-only views that scripts see of a profile, for templates, which change nothing. */
#include "bind/json.h"
#include "bind/primitive.h"

enum { DEEPEST = 100 };

/* Replaces the view on top of the stack by what it shows; leaves other values. */
static void look_through(lua_State *L) {
  if (lua_type(L, -1) != LUA_TUSERDATA || !luaL_getmetafield(L, -1, "__raw")) return;
  lua_pop(L, 1);
  lua_getiuservalue(L, -1, 1);
  lua_remove(L, -2);
}

static bool holds_view(lua_State *L, int table, int depth) {
  bool found = false;
  if (depth > DEEPEST) luaL_error(L, "vars are nested more than %d deep", DEEPEST);
  luaL_checkstack(L, 4, NULL);
  lua_pushnil(L);
  while (!found && lua_next(L, table)) {
    found =
        lua_type(L, -1) == LUA_TUSERDATA || (lua_istable(L, -1) && holds_view(L, lua_gettop(L), depth + 1));
    lua_pop(L, 1);
    if (found) lua_pop(L, 1);
  }
  return found;
}

static void push_plain(lua_State *L, int value);

/* A copy of the table, with its metatable: that says of an empty one whether it is an array. */
static void push_copy(lua_State *L, int table) {
  lua_newtable(L);
  if (lua_getmetatable(L, table)) lua_setmetatable(L, -2);
  int copy = lua_gettop(L);
  for (lua_pushnil(L); lua_next(L, table); lua_pop(L, 1)) {
    lua_pushvalue(L, -2);
    push_plain(L, lua_gettop(L) - 1);
    lua_rawset(L, copy);
  }
}

/* A table stays itself where nothing in it is a view; what lies behind a view holds none. */
static void push_plain(lua_State *L, int value) {
  lua_pushvalue(L, value);
  if (lua_istable(L, -1)) {
    if (!holds_view(L, lua_gettop(L), 0)) return;
    push_copy(L, lua_gettop(L));
    lua_remove(L, -2);
  } else {
    look_through(L);
  }
}

int vocabulary_plain(lua_State *L) {
  lua_settop(L, 1);
  push_plain(L, 1);
  return 1;
}
