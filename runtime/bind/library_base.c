/* Basic functions for scripts: see libraries.h. */
#include <stdbool.h>

#include "bind/libraries.h"
#include "bind/order.h"

/* ---- tostring ---- */

/* "table", not "table: 0x55…": an address differs from process to process. */
const char *text_of_value(lua_State *L, int index) {
  index = lua_absindex(L, index);
  switch (lua_type(L, index)) {
  case LUA_TNIL:
  case LUA_TBOOLEAN:
  case LUA_TNUMBER:
  case LUA_TSTRING: return luaL_tolstring(L, index, NULL);
  default: break;
  }
  if (luaL_getmetafield(L, index, "__tostring") != LUA_TNIL) {
    lua_pop(L, 1);
    return luaL_tolstring(L, index, NULL);
  }
  if (lua_islightuserdata(L, index)) return lua_pushliteral(L, "null");
  int name = luaL_getmetafield(L, index, "__name");
  if (name == LUA_TSTRING) return lua_tostring(L, -1);
  if (name != LUA_TNIL) lua_pop(L, 1); /* callers count on one value, no more */
  return lua_pushstring(L, luaL_typename(L, index));
}

static int base_tostring(lua_State *L) {
  luaL_checkany(L, 1);
  text_of_value(L, 1);
  return 1;
}

/* ---- pairs and next ---- */

static int base_next(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 2);
  return order_next(L, 1, 2);
}

static int after_metamethod(lua_State *L, int status, lua_KContext context) {
  (void)L, (void)status, (void)context;
  return 3;
}

static int base_pairs(lua_State *L) {
  luaL_checkany(L, 1);
  if (luaL_getmetafield(L, 1, "__pairs") != LUA_TNIL) {
    lua_pushvalue(L, 1);
    lua_callk(L, 1, 3, 0, after_metamethod);
    return 3;
  }
  luaL_checktype(L, 1, LUA_TTABLE);
  order_iterator(L, 1);
  return 1;
}

/* ---- metatables ---- */

/* What a metatable can say. Neither finalisers nor weak tables: both would show a script when garbage is collected. */
static const char *const events[] = {
    "__index", "__newindex", "__call",   "__tostring", "__name", "__pairs", "__close", "__len",  "__eq",
    "__lt",    "__le",       "__concat", "__unm",      "__add",  "__sub",   "__mul",   "__div",  "__mod",
    "__pow",   "__idiv",     "__band",   "__bor",      "__bxor", "__shl",   "__shr",   "__bnot", NULL,
};

static const char copies_key; /* its address names the table: a script's metatable -> the one that is set */

static void push_copies(lua_State *L) {
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &copies_key) == LUA_TTABLE) return;
  lua_pop(L, 1);
  lua_newtable(L);
  lua_createtable(L, 0, 1);
  lua_pushliteral(L, "k");
  lua_setfield(L, -2, "__mode"); /* goes when the script's own goes: the copy is held by what it is set on */
  lua_setmetatable(L, -2);
  lua_pushvalue(L, -1);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &copies_key);
}

static void refuse_collector(lua_State *L, int metatable, const char *event) {
  lua_pushstring(L, event);
  if (lua_rawget(L, metatable) != LUA_TNIL)
    luaL_error(L, "setmetatable: %s is not there for scripts: they can't see when garbage is collected",
               event);
  lua_pop(L, 1);
}

static void copy_events(lua_State *L, int from, int to) {
  for (const char *const *event = events; *event; event++) {
    lua_pushstring(L, *event);
    lua_pushvalue(L, -1);
    lua_rawget(L, from);
    lua_rawset(L, to);
  }
  lua_pushliteral(L,
                  "__metatable"); /* getmetatable gives the script's own, unless that says something else */
  lua_pushvalue(L, -1);
  if (lua_rawget(L, from) == LUA_TNIL) {
    lua_pop(L, 1);
    lua_pushvalue(L, from);
  }
  lua_rawset(L, to);
}

/* setmetatable(table, metatable): what is set is a copy of what the metatable says now. A field that is added to it later
 * counts from the next setmetatable on. */
static int base_setmetatable(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  luaL_argexpected(L, lua_isnil(L, 2) || lua_istable(L, 2), 2, "nil or table");
  lua_settop(L, 2);
  if (lua_getmetatable(L, 1)) {
    lua_pushliteral(L, "__metatable");
    lua_rawget(L, -2);
    bool is_copy = lua_istable(L, -1);
    if (!is_copy && !lua_isnil(L, -1)) return luaL_error(L, "cannot change a protected metatable");
    lua_settop(L, 2);
  }
  if (lua_istable(L, 2)) {
    refuse_collector(L, 2, "__gc");
    refuse_collector(L, 2, "__mode");
    push_copies(L);
    lua_pushvalue(L, 2);
    if (lua_rawget(L, 3) != LUA_TTABLE) {
      lua_pop(L, 1);
      lua_createtable(L, 0, 8);
      lua_pushvalue(L, 2);
      lua_pushvalue(L, -2);
      lua_rawset(L, 3);
    }
    copy_events(L, 2, 4);
    lua_replace(L, 2);
  }
  lua_settop(L, 2);
  lua_setmetatable(L, 1);
  return 1;
}

/* ---- rawget and rawset ---- */

static const char libraries_key; /* its address names the set of the libraries' proxies */

/* library.protect(proxy): neither rawset nor anything else may write into it. */
static int protect(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &libraries_key) != LUA_TTABLE) {
    lua_newtable(L);
    lua_pushvalue(L, -1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &libraries_key);
  }
  lua_pushvalue(L, 1);
  lua_pushboolean(L, 1);
  lua_rawset(L, -3);
  lua_settop(L, 1);
  return 1;
}

static bool is_protected(lua_State *L, int index) {
  lua_rawgetp(L, LUA_REGISTRYINDEX, &libraries_key);
  if (!lua_istable(L, -1)) return lua_pop(L, 1), false;
  lua_pushvalue(L, index);
  bool found = lua_rawget(L, -2) != LUA_TNIL;
  lua_pop(L, 2);
  return found;
}

static int base_rawset(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  luaL_checkany(L, 2);
  luaL_checkany(L, 3);
  lua_settop(L, 3);
  if (is_protected(L, 1)) return luaL_error(L, "a library is read-only");
  lua_rawset(L, 1);
  return 1;
}

static int base_rawget(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  luaL_checkany(L, 2);
  lua_settop(L, 2);
  if (is_protected(L, 1))
    lua_gettable(L, 1);
  else
    lua_rawget(L, 1);
  return 1;
}

/* ---- xpcall ---- */

static int handled(lua_State *L, int status, lua_KContext context) {
  (void)context;
  bool well = status == LUA_OK || status == LUA_YIELD;
  lua_pushboolean(L, 0);
  lua_insert(L, 2); /* stack: handler, false, what the handler gave */
  if (!well) lua_settop(L, 3);
  return lua_gettop(L) - 1;
}

/* stack: handler, then the results or the error */
static int tried(lua_State *L, int status, lua_KContext context) {
  (void)context;
  if (status == LUA_OK || status == LUA_YIELD) {
    lua_pushboolean(L, 1);
    lua_replace(L, 1);
    return lua_gettop(L);
  }
  lua_pushvalue(L, 1);
  lua_insert(L, 2);
  return handled(L, lua_pcallk(L, 1, LUA_MULTRET, 0, 0, handled), 0);
}

/* xpcall(f, handler, …): the handler runs after the stack is unwound, as an ordinary call. Lua's own would run it with
 * hooks off when a hook has raised the error, and it could loop for ever. */
static int base_xpcall(lua_State *L) {
  int arguments = lua_gettop(L) - 2;
  luaL_checktype(L, 2, LUA_TFUNCTION);
  lua_pushvalue(L, 1); /* stack: f, handler, arguments, f */
  lua_insert(L, 3);
  lua_remove(L, 1); /* handler, f, arguments */
  return tried(L, lua_pcallk(L, arguments, LUA_MULTRET, 0, 0, tried), 0);
}

int library_base(lua_State *L) {
  static const luaL_Reg functions[] = {
      {"tostring", base_tostring},
      {"next", base_next},
      {"pairs", base_pairs},
      {"setmetatable", base_setmetatable},
      {"rawset", base_rawset},
      {"rawget", base_rawget},
      {"xpcall", base_xpcall},
      {"protect", protect},
      {NULL, NULL},
  };
  luaL_newlib(L, functions);
  return 1;
}
