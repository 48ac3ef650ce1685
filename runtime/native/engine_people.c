/* jaunt.native.engine: who is let in, and what happens to them. */
#include "bind/json.h"
#include "native/control.h"
#include "native/native_audience.h"
#include "native/engine_parts.h"

/* ---- people ---- */

/* where(person): true lets the person in. The function is at 4. */
static bool is_wanted(lua_State *L, const person_row *row) {
  error err;
  lua_pushvalue(L, 4);
  if (json_decode_value(L, row->profile, row->profile_length, &err)) luaL_error(L, "%s", err.text);
  lua_pushinteger(L, (lua_Integer)row->line);
  lua_call(L, 2, 1);
  bool wanted = lua_toboolean(L, -1);
  lua_pop(L, 1);
  return wanted;
}

enum feed { FEED_MORE, FEED_FULL, FEED_LATER, FEED_END };

/* FEED_MORE: the row is the next person. */
static enum feed next_person(lua_State *L, engine *e, audience *from, person_row *row) {
  error err;
  if (!engine_has_room(e)) return FEED_FULL;
  int found = audience_next(from, row, &err);
  if (found < 0) control_fail(L, &err);
  return found == 0 ? FEED_END : found == AUDIENCE_LATER ? FEED_LATER : FEED_MORE;
}

static int engine_feed(lua_State *L) {
  static const char *const names[] = {"more", "full", "later", "end"};
  engine *e = native_engine_at(L);
  audience *from = native_audience_at(L, 2);
  lua_Integer most = luaL_checkinteger(L, 3), admitted = 0, left_out = 0;
  bool asks = !lua_isnoneornil(L, 4);
  enum feed found = FEED_MORE;
  person_row row;
  while (admitted < most && (found = next_person(L, e, from, &row)) == FEED_MORE) {
    if (asks && !is_wanted(L, &row)) {
      left_out++;
      continue;
    }
    engine_admit(e, row.id, row.id_length, row.profile, row.profile_length, row.event, row.event_length);
    admitted++;
  }
  lua_pushinteger(L, admitted);
  lua_pushinteger(L, left_out);
  lua_pushstring(L, names[found]);
  return 3;
}

static int engine_admit_lua(lua_State *L) {
  engine *e = native_engine_at(L);
  size_t id_length, profile_length, event_length;
  const char *id = luaL_checklstring(L, 2, &id_length);
  const char *profile = luaL_checklstring(L, 3, &profile_length);
  const char *event = luaL_checklstring(L, 4, &event_length);
  engine_admit(e, id, id_length, profile, profile_length, event, event_length);
  return 0;
}

static int engine_admission_over_lua(lua_State *L) {
  engine_admission_over(native_engine_at(L));
  return 0;
}

/* ---- events ---- */

static int engine_wants_event_lua(lua_State *L) {
  lua_pushboolean(L, engine_wants_event(native_engine_at(L)));
  return 1;
}

static int engine_event_lua(lua_State *L) {
  engine *e = native_engine_at(L);
  size_t length;
  const char *json = luaL_checklstring(L, 5, &length);
  engine_event(e, luaL_checkinteger(L, 2), luaL_checkstring(L, 3), luaL_checkstring(L, 4), json, length);
  return 0;
}

static int engine_events_over_lua(lua_State *L) {
  engine_events_over(native_engine_at(L));
  return 0;
}

const luaL_Reg native_engine_people[] = {
    {"feed", engine_feed},
    {"admit", engine_admit_lua},
    {"admission_over", engine_admission_over_lua},
    {"wants_event", engine_wants_event_lua},
    {"event", engine_event_lua},
    {"events_over", engine_events_over_lua},
    {NULL, NULL},
};
