/* jaunt.native.engine: what operators do to runs and to the whole. */
#include <stdlib.h>

#include "native/engine_parts.h"

static int engine_act_lua(lua_State *L) {
  static const char *const names[] = {"redrive", "redrive --unknown", "end", "move", "try", NULL};
  static const engine_act acts[] = {ENGINE_REDRIVE, ENGINE_RESEND, ENGINE_END, ENGINE_MOVE, ENGINE_TRY};
  engine *e = native_engine_at(L);
  engine_act act = acts[luaL_checkoption(L, 2, NULL, names)];
  engine_act_on(e, act, (uint64_t)luaL_checkinteger(L, 3), luaL_checkstring(L, 4),
                (uint32_t)luaL_optinteger(L, 5, 0));
  return 0;
}

static int engine_advance_lua(lua_State *L) {
  engine_advance(native_engine_at(L), luaL_checkinteger(L, 2));
  return 0;
}

static int engine_interrupt_lua(lua_State *L) {
  engine_interrupt(native_engine_at(L));
  return 0;
}

static int engine_payloads_lua(lua_State *L) {
  size_t length;
  const char *json = luaL_checklstring(L, 2, &length);
  engine_payloads(native_engine_at(L), json, length);
  return 0;
}

static int engine_version_lua(lua_State *L) {
  engine *e = native_engine_at(L);
  size_t length;
  const char *version = luaL_checkstring(L, 2), *bundle = luaL_checklstring(L, 3, &length);
  lua_pushinteger(L, engine_version(e, version, bundle, length));
  return 1;
}

static int engine_outcome_lua(lua_State *L) {
  engine_outcome outcome;
  if (!engine_next_outcome(native_engine_at(L), &outcome)) return 0;
  lua_pushinteger(L, (lua_Integer)outcome.run);
  lua_pushstring(L, outcome.refused);
  lua_pushstring(L, outcome.why);
  free(outcome.why);
  return 3;
}

static int engine_pause_lua(lua_State *L) {
  engine_pause(native_engine_at(L), lua_toboolean(L, 2));
  return 0;
}

static int engine_pause_kept_lua(lua_State *L) {
  lua_pushboolean(L, engine_pause_kept(native_engine_at(L)));
  return 1;
}

const luaL_Reg native_engine_acts[] = {
    {"act", engine_act_lua},
    {"outcome", engine_outcome_lua},
    {"interrupt", engine_interrupt_lua},
    {"payloads", engine_payloads_lua},
    {"advance", engine_advance_lua},
    {"version", engine_version_lua},
    {"pause", engine_pause_lua},
    {"pause_kept", engine_pause_kept_lua},
    {NULL, NULL},
};
