/* What JSON keeps for each lua_State: see json_state.h. */
#include "bind/json_state.h"

#include <lauxlib.h>
#include <stdlib.h>

static const char state_key, array_mark_key, raw_name_key,
    known_keys_key;            /* addresses: keys of the registry */
static const char empty_array; /* its address is json.empty_array */

enum { ROOM_KEPT = 256 << 10, KEYS_KEPT = 4096 };

static int state_gc(lua_State *L) {
  json_state *state = lua_touserdata(L, 1);
  buf_free(&state->out);
  buf_free(&state->scratch);
  free(state->keys);
  *state = (json_state){0};
  return 0;
}

void json_need_stack(lua_State *L, int slots) {
  if (!lua_checkstack(L, slots)) luaL_error(L, "not enough memory");
}

/* The array mark is locked, because all tables that are marked share it. */
static json_state *state_make(lua_State *L) {
  json_need_stack(L, 4);
  lua_pushliteral(L, "__raw");
  lua_rawsetp(L, LUA_REGISTRYINDEX, &raw_name_key);
  lua_createtable(L, 0, 1);
  lua_pushliteral(L, "json array");
  lua_setfield(L, -2, "__metatable");
  lua_rawsetp(L, LUA_REGISTRYINDEX, &array_mark_key);
  lua_createtable(L, JSON_KEYS_KNOWN, 0);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &known_keys_key);
  json_state *state = lua_newuserdatauv(L, sizeof *state, 0);
  *state = (json_state){0};
  lua_createtable(L, 0, 1);
  lua_pushcfunction(L, state_gc);
  lua_setfield(L, -2, "__gc");
  lua_setmetatable(L, -2);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &state_key);
  return state;
}

json_state *json_state_of(lua_State *L) {
  lua_rawgetp(L, LUA_REGISTRYINDEX, &state_key);
  json_state *state = lua_touserdata(L, -1);
  lua_pop(L, 1);
  return state ? state : state_make(L);
}

void json_state_trim(json_state *state) {
  if (state->out.cap > ROOM_KEPT) buf_free(&state->out);
  if (state->scratch.cap > ROOM_KEPT) buf_free(&state->scratch);
  if (state->key_room <= KEYS_KEPT) return;
  free(state->keys);
  state->keys = NULL;
  state->key_room = 0;
}

void json_push_array_mark(lua_State *L) {
  lua_rawgetp(L, LUA_REGISTRYINDEX, &array_mark_key);
}

void json_push_raw_name(lua_State *L) {
  lua_rawgetp(L, LUA_REGISTRYINDEX, &raw_name_key);
}

void json_push_known_keys(lua_State *L) {
  lua_rawgetp(L, LUA_REGISTRYINDEX, &known_keys_key);
}

void json_push_empty_array(lua_State *L) {
  lua_pushlightuserdata(L, (void *)&empty_array);
}

bool json_is_empty_array(lua_State *L, int index) {
  return lua_touserdata(L, index) == &empty_array;
}
