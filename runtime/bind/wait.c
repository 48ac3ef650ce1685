/* wait, wait_until and wait_for: parking a run until a time or an event. */
#include <string.h>

#include "base/duration.h"
#include "base/moment.h"
#include "base/zone.h"
#include "bind/primitive.h"
#include "bind/value.h"

/* The element's name of an unnamed wait: "wait 2h". Pushes it, so that it stays. */
static const char *name_of(lua_State *L, const char *kind, const char *what) {
  const char *name = lua_pushfstring(L, "%s %s", kind, what);
  primitive_check_name(L, kind, name);
  return name;
}

static int waited(lua_State *L, int status, lua_KContext context) {
  (void)L, (void)status, (void)context;
  return 0;
}

static int park_until(lua_State *L, run *r, const char *kind, const char *what, int64_t at_ms) {
  char instant[40];
  moment_rfc3339(at_ms, instant);
  run_step_info info = {
      .kind = kind, .name = name_of(L, kind, what), .written = what, .data = instant, .number = at_ms};
  run_step(r, L, &info, false);
  return run_wait(r, info.number) ? 0 : primitive_yield(L, waited);
}

/* wait(duration): "2h", or seconds. */
int primitive_wait(lua_State *L) {
  run *r = primitive_parking_run(L, "wait");
  int64_t ms = value_duration(L, 1, "wait");
  char what[32];
  duration_format(ms, what);
  return park_until(L, r, "wait", what, logical_now_ms(&r->in->shared->clock) + ms);
}

/* The field `zone` of the value on top: a zone's name, or NULL where there is none; `whose` says in words where it stands. */
static const char *zone_name_at(lua_State *L, const char *whose) {
  int type = lua_getfield(L, -1, "zone");
  if (type == LUA_TNIL) return NULL;
  if (type != LUA_TSTRING)
    luaL_error(L, "wait_until: %s is a zone's name such as \"Europe/Berlin\", not a %s", whose,
               luaL_typename(L, -1));
  return lua_tostring(L, -1);
}

/* The zone: the one that is asked for, else the person's (an empty text, as CSV has it, is none), else the system's. */
static const zone *zone_for(lua_State *L, run *r) {
  error err;
  const char *name = NULL;
  int top = lua_gettop(L);
  if (lua_istable(L, 1)) {
    lua_pushvalue(L, 1);
    name = zone_name_at(L, "zone");
  }
  if (!name) {
    run_anchor_get(r, L, ANCHOR_PERSON);
    name = zone_name_at(L, "person.zone");
    if (name && !*name) name = NULL;
  }
  const zone *found = zone_find(name ? name : zone_local_name(), &err);
  if (!found) luaL_error(L, "wait_until: %s", err.text);
  lua_settop(L, top);
  return found;
}

/* Refuses what is not among the names (NULL at the end) in the table at `index`; its first item alone may stand there without
 * a name, if `items`. */
static void check_names(lua_State *L, int index, const char *primitive, const char *const *names,
                        bool items) {
  for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) {
    if (items && lua_isinteger(L, -2) && lua_tointeger(L, -2) == 1) continue;
    if (lua_type(L, -2) != LUA_TSTRING)
      luaL_error(L, "%s takes one thing without a name, and the rest by name", primitive);
    const char *key = lua_tostring(L, -2);
    const char *const *known = names;
    while (*known && strcmp(*known, key) != 0) known++;
    if (!*known) luaL_error(L, "%s knows no option %s%s", primitive, key, value_nearest(L, key, names));
  }
}

/* A number that is a time: milliseconds since 1970, within the years that have four digits. */
static int64_t instant_at(lua_State *L, int index) {
  double seconds = lua_tonumber(L, index);
  if (!(seconds >= 0 && seconds < 253402300800.0))
    luaL_error(L, "wait_until: %f is no time in seconds since 1970, as now() gives it", seconds);
  return (int64_t)(seconds * 1000);
}

/* wait_until(moment): "mon 09:00", "2026-11-30 09:00", an RFC 3339 time, or { "09:00", zone = "Europe/Berlin" }. A number is a
 * time as now() gives it. */
int primitive_wait_until(lua_State *L) {
  static const char *const names[] = {"zone", NULL};
  run *r = primitive_parking_run(L, "wait_until");
  if (lua_type(L, 1) == LUA_TNUMBER) {
    char instant[40];
    int64_t at_ms = instant_at(L, 1);
    moment_rfc3339(at_ms, instant);
    return park_until(L, r, "wait_until", instant, at_ms);
  }
  if (lua_istable(L, 1)) check_names(L, 1, "wait_until", names, true);
  const zone *z = zone_for(L, r);
  if (lua_istable(L, 1))
    lua_geti(L, 1, 1);
  else
    lua_pushvalue(L, 1);
  if (lua_type(L, -1) != LUA_TSTRING)
    return luaL_error(
        L, "wait_until takes a time such as \"mon 09:00\", or { \"09:00\", zone = \"Europe/Berlin\" }");
  const char *text = lua_tostring(L, -1);
  error err;
  int64_t at_ms;
  if (moment_parse(text, z, logical_now_ms(&r->in->shared->clock), &at_ms, &err))
    return luaL_error(L, "wait_until: %s", err.text);
  return park_until(L, r, "wait_until", text, at_ms);
}

/* ---- wait_for ---- */

static int push_event(lua_State *L, run *r) {
  if (r->taken)
    r->in->shared->options->lua->push_json(L, r->taken->json, r->taken->length);
  else
    lua_pushnil(L);
  run_event_free(r->taken);
  r->taken = NULL;
  return 1;
}

static int event_came(lua_State *L, int status, lua_KContext context) {
  (void)status, (void)context;
  return push_event(L, worker_of(L)->current);
}

/* wait_for(event, { where =, within = }) or wait_for { event, where =, within = }: the event, or nil when the time is over. */
int primitive_wait_for(lua_State *L) {
  static const char *const names[] = {"where", "within", NULL};
  run *r = primitive_parking_run(L, "wait_for");
  int options = lua_istable(L, 1) ? 1 : 2;
  lua_settop(L, 2);
  if (options == 1)
    lua_geti(L, 1, 1);
  else
    lua_pushvalue(L, 1);
  if (lua_type(L, 3) != LUA_TSTRING)
    return luaL_error(L, "wait_for takes an event's name, and { where =, within = }");
  const char *name = lua_tostring(L, 3);
  int64_t until = INT64_MAX;
  bool has_where = false;
  if (lua_istable(L, options)) {
    check_names(L, options, "wait_for", names, options == 1);
    if (lua_getfield(L, options, "within") != LUA_TNIL)
      until = logical_now_ms(&r->in->shared->clock) + value_duration(L, -1, "wait_for: within");
    has_where = lua_getfield(L, options, "where") != LUA_TNIL;
    if (has_where && !lua_isfunction(L, -1))
      return luaL_error(L, "wait_for: where is a function(event, own_event)");
    run_anchor_set(r, L, ANCHOR_WHERE);
  } else if (!lua_isnil(L, options)) {
    return luaL_error(L, "wait_for's second argument is a table { where =, within = }, not a %s",
                      luaL_typename(L, options));
  }
  run_step_info info = {
      .kind = "wait_for", .name = name_of(L, "wait_for", name), .written = name, .number = until};
  run_step(r, L, &info, false);
  if (run_wait_for(r, name, has_where, info.number)) return push_event(L, r);
  return primitive_yield(L, event_came);
}
