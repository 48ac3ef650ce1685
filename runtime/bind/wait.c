/* wait, wait_until and wait_for: parking a run until a time or an event. */
#include <string.h>

#include "base/duration.h"
#include "base/moment.h"
#include "base/zone.h"
#include "bind/primitive.h"
#include "bind/value.h"

/* The element's name of an unnamed wait: "wait 2h". Pushes it, so that it stays. */
static const char *name_of(lua_State *L, const char *kind, const char *what) {
  return lua_pushfstring(L, "%s %s", kind, what);
}

static int waited(lua_State *L, int status, lua_KContext context) {
  (void)L, (void)status, (void)context;
  return 0;
}

static int park_until(lua_State *L, run *r, const char *kind, const char *what, int64_t at_ms) {
  char instant[40];
  moment_rfc3339(at_ms, instant);
  run_step_info info = {.kind = kind, .name = name_of(L, kind, what), .written = what, .data = instant};
  run_step(r, L, &info, false);
  run_wait(r, at_ms);
  return primitive_yield(L, waited);
}

/* wait(duration): "2h", or seconds. */
int primitive_wait(lua_State *L) {
  run *r = primitive_parking_run(L, "wait");
  int64_t ms = value_duration(L, 1, "wait");
  char what[32];
  duration_format(ms, what);
  return park_until(L, r, "wait", what, logical_now_ms(&r->in->shared->clock) + ms);
}

/* The zone: the one that is asked for, else the person's, else the system's. */
static const zone *zone_for(lua_State *L, run *r) {
  error err;
  const zone *found = NULL;
  int top = lua_gettop(L);
  if (lua_istable(L, 1)) lua_getfield(L, 1, "zone");
  else lua_pushnil(L);
  if (lua_isnil(L, -1)) {
    run_anchor_get(r, L, ANCHOR_PERSON);
    if (!lua_isnil(L, -1)) lua_getfield(L, -1, "zone");
  }
  const char *name = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : zone_local_name();
  found = zone_find(name, &err);
  if (!found) luaL_error(L, "wait_until: %s", err.text);
  lua_settop(L, top);
  return found;
}

/* wait_until(moment): "mon 09:00", "2026-11-30 09:00", an RFC 3339 time, or { "09:00", zone = "Europe/Berlin" }. A number is a
 * time as now() gives it. */
int primitive_wait_until(lua_State *L) {
  run *r = primitive_parking_run(L, "wait_until");
  if (lua_isnumber(L, 1) && lua_type(L, 1) == LUA_TNUMBER) {
    char instant[40];
    int64_t at_ms = (int64_t)(lua_tonumber(L, 1) * 1000);
    moment_rfc3339(at_ms, instant);
    return park_until(L, r, "wait_until", instant, at_ms);
  }
  const zone *z = zone_for(L, r);
  if (lua_istable(L, 1)) lua_geti(L, 1, 1);
  else lua_pushvalue(L, 1);
  if (lua_type(L, -1) != LUA_TSTRING)
    return luaL_error(L, "wait_until takes a time such as \"mon 09:00\", or { \"09:00\", zone = \"Europe/Berlin\" }");
  const char *text = lua_tostring(L, -1);
  error err;
  int64_t at_ms;
  if (moment_parse(text, z, logical_now_ms(&r->in->shared->clock), &at_ms, &err))
    return luaL_error(L, "wait_until: %s", err.text);
  return park_until(L, r, "wait_until", text, at_ms);
}

/* ---- wait_for ---- */

static int push_event(lua_State *L, run *r) {
  if (r->taken) r->in->shared->options->lua->push_json(L, r->taken->json, r->taken->length);
  else lua_pushnil(L);
  run_event_free(r->taken);
  r->taken = NULL;
  return 1;
}

static int event_came(lua_State *L, int status, lua_KContext context) {
  (void)status, (void)context;
  return push_event(L, worker_of(L)->current);
}

static void check_options(lua_State *L, int index) {
  lua_pushnil(L);
  while (lua_next(L, index)) {
    const char *key = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : NULL;
    bool known = key ? strcmp(key, "where") == 0 || strcmp(key, "within") == 0 : lua_type(L, -2) == LUA_TNUMBER;
    if (!known) luaL_error(L, "wait_for knows no option %s: it takes where and within", key ? key : luaL_typename(L, -2));
    lua_pop(L, 1);
  }
}

/* wait_for(event, { where =, within = }) or wait_for { event, where =, within = }: the event, or nil when the time is over. */
int primitive_wait_for(lua_State *L) {
  run *r = primitive_parking_run(L, "wait_for");
  int options = lua_istable(L, 1) ? 1 : 2;
  lua_settop(L, 2);
  if (options == 1) lua_geti(L, 1, 1);
  else lua_pushvalue(L, 1);
  if (lua_type(L, 3) != LUA_TSTRING) return luaL_error(L, "wait_for takes an event's name, and { where =, within = }");
  const char *name = lua_tostring(L, 3);
  int64_t until = INT64_MAX;
  bool has_where = false;
  if (lua_istable(L, options)) {
    check_options(L, options);
    if (lua_getfield(L, options, "within") != LUA_TNIL)
      until = logical_now_ms(&r->in->shared->clock) + value_duration(L, -1, "wait_for: within");
    has_where = lua_getfield(L, options, "where") != LUA_TNIL;
    if (has_where && !lua_isfunction(L, -1)) return luaL_error(L, "wait_for: where is a function(event, own_event)");
    run_anchor_set(r, L, ANCHOR_WHERE);
  } else if (!lua_isnil(L, options)) {
    return luaL_error(L, "wait_for's second argument is a table { where =, within = }, not a %s", luaL_typename(L, options));
  }
  run_step_info info = {.kind = "wait_for", .name = name_of(L, "wait_for", name), .written = name};
  run_step(r, L, &info, false);
  if (run_wait_for(r, name, has_where, until)) return push_event(L, r);
  return primitive_yield(L, event_came);
}
