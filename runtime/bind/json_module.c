/* The Lua module `json`: see json_module.h.
 *
 * The module has no settings of its own, so nothing that one person's script does to it can reach another's.
 * lua-cjson's setting functions are here under their names: they answer with what holds, take it as a new
 * value, and refuse every other one in words. */
#include "bind/json_module.h"

#include <lauxlib.h>
#include <lua-cjson.h>
#include <string.h>

#include "base/json.h"
#include "bind/json.h"
#include "bind/json_state.h"

static const char module_key; /* its address: a key of the registry */

/* ---- encode and decode ---- */

/* The field `indent` of the options at `index`, 0 without. */
static int indent_option(lua_State *L, int index) {
  if (lua_isnoneornil(L, index)) return 0;
  luaL_checktype(L, index, LUA_TTABLE);
  lua_pushnil(L);
  while (lua_next(L, index)) {
    if (lua_type(L, -2) != LUA_TSTRING || strcmp(lua_tostring(L, -2), "indent") != 0) {
      luaL_error(L, "json.encode has no option '%s'; it has indent", luaL_tolstring(L, -2, NULL));
    }
    lua_pop(L, 1);
  }
  lua_getfield(L, index, "indent");
  lua_Integer indent = luaL_optinteger(L, -1, 0);
  luaL_argcheck(L, indent >= 0 && indent <= JSON_INDENT_MOST, index, "indent is a number of blanks, 0 to 16");
  lua_pop(L, 1);
  return (int)indent;
}

/* json.encode(value [, { indent = blanks }]): the value's text. Raises an error with the path to what JSON
 * cannot hold. */
static int json_encode(lua_State *L) {
  luaL_checkany(L, 1);
  int indent = indent_option(L, 2);
  error err;
  json_state *state = json_encode_kept(L, 1, "value", indent, &err);
  if (!state) return luaL_error(L, "json.encode: %s", err.text);
  lua_pushlstring(L, state->out.data, state->out.len);
  json_state_trim(state);
  return 1;
}

/* json.decode(text): the text's value. Raises an error with line and column when it is not JSON. */
static int json_decode(lua_State *L) {
  luaL_checktype(L, 1, LUA_TSTRING);
  size_t length;
  const char *text = lua_tolstring(L, 1, &length);
  error err;
  if (json_decode_value(L, text, length, &err) != 0) return luaL_error(L, "json.decode: %s", err.text);
  return 1;
}

/* ---- arrays ---- */

/* json.array([table]): the table (a new one without), marked as an array, so that it is [] when empty. */
static int json_array(lua_State *L) {
  lua_settop(L, 1);
  if (lua_isnil(L, 1)) {
    lua_newtable(L);
    lua_replace(L, 1);
  }
  luaL_checktype(L, 1, LUA_TTABLE);
  json_state_of(L);
  json_push_array_mark(L);
  if (lua_getmetatable(L, 1)) {
    if (!lua_rawequal(L, -1, -2)) return luaL_error(L, "json.array: the table has another metatable already");
    lua_pop(L, 1);
  }
  lua_setmetatable(L, 1);
  return 1;
}

static bool is_marked(lua_State *L, int table) {
  if (!lua_getmetatable(L, table)) return false;
  json_push_array_mark(L);
  bool marked = lua_rawequal(L, -1, -2);
  lua_pop(L, 2);
  return marked;
}

/* json.is_array(value): true for a table that is marked as an array or has something at [1] (or is a view of
 * such), and for json.empty_array. */
static int json_is_array(lua_State *L) {
  luaL_checkany(L, 1);
  lua_settop(L, 1);
  json_state_of(L);
  for (int views = 0; views < JSON_DEPTH && luaL_getmetafield(L, 1, "__raw") != LUA_TNIL; views++) {
    if (lua_isboolean(L, -1) && lua_type(L, 1) == LUA_TUSERDATA) lua_getiuservalue(L, 1, 1);
    if (!lua_istable(L, -1)) break;
    lua_replace(L, 1);
  }
  lua_settop(L, 1);
  bool array = lua_islightuserdata(L, 1) && json_is_empty_array(L, 1);
  if (lua_istable(L, 1)) array = is_marked(L, 1) || lua_rawgeti(L, 1, 1) != LUA_TNIL;
  lua_pushboolean(L, array);
  return 1;
}

/* ---- lua-cjson's settings ---- */

typedef struct setting {
  const char *name;
  const char *holds; /* what it answers: a number, or "true" or "false" */
  const char *why;
} setting;

static const setting settings[] = {
    {"encode_max_depth", "256", "nesting is limited to 256"},
    {"decode_max_depth", "256", "nesting is limited to 256"},
    {"encode_number_precision", "17", "numbers are always written so that they read back the same"},
    {"encode_invalid_numbers", "false", "JSON has no NaN and no infinity"},
    {"decode_invalid_numbers", "false", "JSON has no NaN and no infinity"},
    {"encode_sparse_array", "false", "gaps are filled with json.null, by whoever knows what they mean"},
    {"encode_keep_buffer", "true", "the buffer is kept while it is small"},
};

static void push_holding(lua_State *L, const setting *s) {
  if (lua_stringtonumber(L, s->holds) == 0) lua_pushboolean(L, strcmp(s->holds, "true") == 0);
}

static int json_setting(lua_State *L) {
  const setting *s = lua_touserdata(L, lua_upvalueindex(1));
  push_holding(L, s);
  if (lua_gettop(L) > 1 && !lua_isnil(L, 1) && !lua_rawequal(L, 1, -1)) {
    return luaL_error(L, "json.%s cannot be set: %s", s->name, s->why);
  }
  return 1;
}

/* ---- the module ---- */

static int json_new(lua_State *L) {
  static const luaL_Reg functions[] = {{"encode", json_encode}, {"decode", json_decode},
                                       {"array", json_array},   {"is_array", json_is_array},
                                       {"new", json_new},       {NULL, NULL}};
  luaL_newlib(L, functions);
  lua_pushlightuserdata(L, NULL);
  lua_setfield(L, -2, "null");
  json_push_empty_array(L);
  lua_setfield(L, -2, "empty_array");
  for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
    lua_pushlightuserdata(L, (void *)&settings[i]);
    lua_pushcclosure(L, json_setting, 1);
    lua_setfield(L, -2, settings[i].name);
  }
  return 1;
}

/* Both names give one table. */
int bind_json_open(lua_State *L) {
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &module_key) == LUA_TTABLE) return 1;
  lua_pop(L, 1);
  json_new(L);
  lua_pushvalue(L, -1);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &module_key);
  return 1;
}

int bind_lua_cjson_open(lua_State *L) {
  return luaopen_cjson(L);
}
