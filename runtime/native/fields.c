/* Fields of tables: see fields.h. */
#include "native/fields.h"

#include <lauxlib.h>

/* ---- set ---- */

void field_set_integer(lua_State *L, const char *name, int64_t number) {
  lua_pushinteger(L, number);
  lua_setfield(L, -2, name);
}

void field_set_number(lua_State *L, const char *name, double number) {
  lua_pushnumber(L, number);
  lua_setfield(L, -2, name);
}

void field_set_flag(lua_State *L, const char *name, bool flag) {
  lua_pushboolean(L, flag);
  lua_setfield(L, -2, name);
}

void field_set_text(lua_State *L, const char *name, const char *text) {
  if (!text) return;
  lua_pushstring(L, text);
  lua_setfield(L, -2, name);
}

void field_set_bytes(lua_State *L, const char *name, const char *bytes, size_t length) {
  if (!bytes) return;
  lua_pushlstring(L, bytes, length);
  lua_setfield(L, -2, name);
}

/* ---- read ---- */

lua_Integer field_integer(lua_State *L, int table, const char *name, lua_Integer otherwise) {
  int whole = true;
  lua_Integer number = otherwise;
  if (lua_getfield(L, table, name) != LUA_TNIL) number = lua_tointegerx(L, -1, &whole);
  luaL_argcheck(L, whole, table, name);
  lua_pop(L, 1);
  return number;
}

lua_Number field_number(lua_State *L, int table, const char *name, lua_Number otherwise) {
  int is_number = true;
  lua_Number number = otherwise;
  if (lua_getfield(L, table, name) != LUA_TNIL) number = lua_tonumberx(L, -1, &is_number);
  luaL_argcheck(L, is_number, table, name);
  lua_pop(L, 1);
  return number;
}

bool field_flag(lua_State *L, int table, const char *name) {
  lua_getfield(L, table, name);
  bool flag = lua_toboolean(L, -1);
  lua_pop(L, 1);
  return flag;
}

const char *field_text(lua_State *L, int table, const char *name, size_t *length) {
  int type = lua_getfield(L, table, name);
  luaL_argcheck(L, type == LUA_TNIL || type == LUA_TSTRING, table, name);
  const char *text = lua_tolstring(L, -1, length);
  lua_pop(L, 1);
  return text;
}
