/* person: the profile as a script sees it. Reading is free, writing an attribute is a recorded step, and what lies inside a
 * value is read-only: a change in there would be lost, so the whole is to be assigned.
 *
 * A view is a userdata with the table it shows as its user value. json.encode sees through it by __raw. */
#include <string.h>

#include "bind/json.h"
#include "bind/order.h"
#include "bind/primitive.h"

static const char person_type[] = "person", inside_type[] = "person's value";

static void push_view(lua_State *L, int table, const char *type) {
  table = lua_absindex(L, table);
  lua_newuserdatauv(L, 0, 1);
  lua_pushvalue(L, table);
  lua_setiuservalue(L, -2, 1);
  luaL_setmetatable(L, type);
}

static int view_index(lua_State *L) {
  lua_getiuservalue(L, 1, 1);
  lua_rotate(L, 2, 1); /* stack: view, table, key */
  int type = lua_rawget(L, 2);
  if (type == LUA_TTABLE)
    push_view(L, -1, inside_type);
  else if (type == LUA_TLIGHTUSERDATA)
    lua_pushnil(L); /* JSON's null: the person does not have it */
  return 1;
}

static int view_length(lua_State *L) {
  lua_getiuservalue(L, 1, 1);
  lua_pushinteger(L, (lua_Integer)lua_rawlen(L, -1));
  return 1;
}

/* The upvalue is the iterator of the table behind the view: what it gives is shown as views, too. */
static int view_next(lua_State *L) {
  do { /* null is nothing, as in view_index */
    lua_settop(L, 0);
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_call(L, 0, 2);
  } while (lua_islightuserdata(L, 2));
  if (lua_istable(L, 2)) push_view(L, 2, inside_type), lua_replace(L, 2);
  return 2;
}

static int view_pairs(lua_State *L) {
  lua_getiuservalue(L, 1, 1);
  order_iterator(L, lua_gettop(L));
  lua_pushcclosure(L, view_next, 1);
  return 1;
}

static int inside_newindex(lua_State *L) {
  return luaL_error(
      L, "what lies inside a value of person is read-only: build a new table and assign the whole, "
         "person.NAME = { ... }");
}

/* The value as the profile keeps it: a copy of a table, so that later changes of the script's own don't reach it. */
static int write_attribute(lua_State *L) {
  run *r = primitive_run(L, "a write to person");
  if (lua_type(L, 2) != LUA_TSTRING)
    return luaL_error(L, "attributes of person have names: person.NAME = value");
  const char *name = lua_tostring(L, 2);
  if (strcmp(name, "id") == 0) return luaL_error(L, "person.id can't be changed: it names the person");
  char path[160];
  snprintf(path, sizeof path, "person.%s", name);
  buf *json = &r->in->text;
  error err;
  buf_clear(json);
  int failed = json_encode_value(L, 3, json, path, &err);
  if (!failed) run_write(r, L, name, json->data, json->len);
  if (!failed && !lua_isnil(L, 3) && (lua_istable(L, 3) || lua_isuserdata(L, 3))) {
    json_decode_known(L, json->data, json->len);
    lua_replace(L, 3);
  }
  if (failed) return primitive_fail(L, &err);
  lua_getiuservalue(L, 1, 1);
  lua_insert(L, 2);
  lua_rawset(L, 2);
  return 0;
}

static int person_text(lua_State *L) {
  lua_getiuservalue(L, 1, 1);
  lua_getfield(L, -1, "id");
  const char *id = luaL_tolstring(L, -1, NULL);
  lua_pushfstring(L, "person %s", id);
  return 1;
}

static void make_type(lua_State *L, const char *type, lua_CFunction newindex) {
  static const luaL_Reg shared[] = {
      {"__index", view_index}, {"__len", view_length}, {"__pairs", view_pairs}, {NULL, NULL}};
  luaL_newmetatable(L, type);
  luaL_setfuncs(L, shared, 0);
  lua_pushboolean(L, 1);
  lua_setfield(L, -2, "__raw");
  lua_pushcfunction(L, newindex);
  lua_setfield(L, -2, "__newindex");
  lua_pushboolean(L, 0);
  lua_setfield(L, -2, "__metatable");
  if (newindex == write_attribute) {
    lua_pushcfunction(L, person_text);
    lua_setfield(L, -2, "__tostring");
  }
  lua_pop(L, 1);
}

void person_open(lua_State *L) {
  make_type(L, person_type, write_attribute);
  make_type(L, inside_type, inside_newindex);
}

/* ---- changes from outside of the script: see engine_lua ---- */

static bool is_nothing(lua_State *L, int index) {
  return lua_isnoneornil(L, index) || lua_islightuserdata(L, index);
}

/* Whether the two values at the top are not the same to who reads them. `room` is as before afterwards. */
static bool differ(lua_State *L, buf *room) {
  error err;
  if (is_nothing(L, -1) || is_nothing(L, -2)) return is_nothing(L, -1) != is_nothing(L, -2);
  if (lua_type(L, -1) != lua_type(L, -2)) return true;
  if (!lua_istable(L, -1)) return !lua_rawequal(L, -1, -2) || lua_isinteger(L, -1) != lua_isinteger(L, -2);
  size_t start = room->len;
  bool failed = json_encode_value(L, -1, room, "person", &err) != 0;
  size_t middle = room->len, length = middle - start;
  failed = failed || json_encode_value(L, -2, room, "person", &err) != 0;
  bool same =
      !failed && room->len - middle == length && memcmp(room->data + start, room->data + middle, length) == 0;
  room->len = start;
  return !same;
}

/* Puts into the table `changes` what of the table `newer` is not so in the table `older`. */
static void add_changes(lua_State *L, int older, int newer, int changes, buf *room) {
  for (lua_pushnil(L); lua_next(L, newer); lua_settop(L, changes + 1)) {
    lua_pushvalue(L, -2);
    lua_rawget(L, older); /* stack: key, newer value, older value */
    if (!differ(L, room)) continue;
    lua_pushvalue(L, -3);
    lua_pushvalue(L, -3);
    lua_rawset(L, changes);
  }
}

static void add_removals(lua_State *L, int older, int newer, int changes) {
  for (lua_pushnil(L); lua_next(L, older); lua_settop(L, changes + 1)) {
    lua_pushvalue(L, -2);
    if (is_nothing(L, -2) || lua_rawget(L, newer) != LUA_TNIL) continue;
    lua_pushvalue(L, changes + 1);
    lua_pushlightuserdata(L, NULL);
    lua_rawset(L, changes);
  }
}

void person_compare(lua_State *L, const char *json, size_t length, bool is_whole, buf *out) {
  error err;
  int top = lua_gettop(L), older = top + 1, newer = top + 2, changes = top + 3;
  luaL_checkudata(L, top, person_type);
  luaL_checkstack(L, 12, NULL);
  lua_getiuservalue(L, top, 1);
  json_decode_known(L, json, length);
  lua_newtable(L);
  add_changes(L, older, newer, changes, out);
  if (is_whole) add_removals(L, older, newer, changes);
  lua_pushnil(L);
  bool any = lua_next(L, changes) != 0;
  lua_settop(L, changes);
  if (any && json_encode_value(L, changes, out, "person", &err)) luaL_error(L, "%s", err.text);
  lua_settop(L, top);
}

/* Puts all that one table has into another; what is null goes from there. */
static void merge(lua_State *L, int from, int into) {
  int top = lua_gettop(L);
  for (lua_pushnil(L); lua_next(L, from); lua_settop(L, top + 1)) {
    lua_pushvalue(L, -2); /* stack: key, value, key */
    if (is_nothing(L, -2))
      lua_pushnil(L);
    else
      lua_pushvalue(L, -2);
    lua_rawset(L, into);
  }
}

/* Another table is put behind the view: a script that goes through the person meanwhile goes on as it began. */
void person_change(lua_State *L, const char *changes, size_t length, bool itself) {
  int top = lua_gettop(L), changed = top + 1;
  luaL_checkudata(L, top, person_type);
  luaL_checkstack(L, 8, NULL);
  lua_newtable(L);
  lua_getiuservalue(L, top, 1);
  merge(L, top + 2, changed);
  json_decode_known(L, changes, length);
  merge(L, top + 3, changed);
  lua_settop(L, changed);
  if (itself) {
    lua_setiuservalue(L, top, 1);
    return;
  }
  push_view(L, changed, person_type);
  lua_replace(L, top);
  lua_settop(L, top);
}

/* event.meta: the id and time of the event that let the person in; its name is the journey's to know. */
static void add_meta(lua_State *L, const run *r) {
  char id[33];
  hash_hex(r->id, id);
  lua_createtable(L, 0, 3);
  lua_pushstring(L, id);
  lua_setfield(L, -2, "id");
  lua_pushnumber(L, (double)r->now_ms / 1000);
  lua_setfield(L, -2, "time");
  lua_setfield(L, -2, "meta");
}

/* enter(profile, event): the first thing a run's body does: its person and event, decoded and anchored. Both texts were
 * looked at when the person was let in. */
int primitive_enter(lua_State *L) {
  run *r = primitive_run(L, "enter");
  size_t length;
  const char *profile = luaL_checklstring(L, 1, &length);
  json_decode_known(L, profile, length);
  push_view(L, -1, person_type);
  lua_pushvalue(L, -1);
  run_anchor_set(r, L, ANCHOR_PERSON);
  const char *event = luaL_checklstring(L, 2, &length);
  if (strcmp(event, "{}") == 0)
    lua_createtable(L, 0, 1); /* with room for `meta` */
  else
    json_decode_known(L, event, length);
  add_meta(L, r);
  lua_pushvalue(L, -1);
  run_anchor_set(r, L, ANCHOR_EVENT);
  return 2;
}
