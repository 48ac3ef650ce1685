/* What all primitives share: see primitive.h. */
#include "bind/primitive.h"

#include <math.h>

#include "base/duration.h"

run *primitive_run(lua_State *L, const char *primitive) {
  worker *w = worker_of(L);
  run *r = w->current;
  if (!r) luaL_error(L, "%s works in a journey's flow or in a plain script, not while a script is loaded", primitive);
  if (r->closing) luaL_error(L, "%s can't be used in <close> of a run that ends: only log works there", primitive);
  if (w->in_predicate)
    luaL_error(L, "%s can't be used in a predicate or a payload: they only look, and give an answer", primitive);
  if (w->pending_name)
    luaL_error(L, "call_api \"%s\" stands without its braces before this %s: call_api \"%s\" { ... }", w->pending_name,
               primitive, w->pending_name);
  return r;
}

run *primitive_parking_run(lua_State *L, const char *primitive) {
  run *r = primitive_run(L, primitive);
  if (r->in->chain_blocked || !lua_isyieldable(L))
    luaL_error(L,
               "%s can't pause here: it is called from inside a function that can't be paused (a table.sort comparator, a "
               "gsub callback, a metamethod of a library call); call it outside and keep the result",
               primitive);
  return r;
}

int primitive_yield(lua_State *L, lua_KFunction k) {
  worker_of(L)->passing = true;
  return lua_yieldk(L, 0, 0, k);
}

static int never(lua_State *L, int status, lua_KContext context) {
  (void)status, (void)context;
  return luaL_error(L, "a run that has ended was resumed");
}

int primitive_leave(lua_State *L) {
  return primitive_yield(L, never);
}

int64_t primitive_duration(lua_State *L, int index, const char *what) {
  error err;
  int64_t ms = 0;
  if (lua_type(L, index) == LUA_TNUMBER) {
    double seconds = lua_tonumber(L, index);
    if (!(seconds >= 0 && seconds < 4e9)) luaL_error(L, "%s: %f is no duration in seconds", what, seconds);
    return (int64_t)llround(seconds * 1000);
  }
  if (lua_type(L, index) != LUA_TSTRING)
    luaL_error(L, "%s is a duration such as \"2h\", not a %s", what, luaL_typename(L, index));
  if (duration_parse(lua_tostring(L, index), &ms, &err)) luaL_error(L, "%s: %s", what, err.text);
  return ms;
}

int primitive_fail(lua_State *L, const error *err) {
  return luaL_error(L, "%s", err->text);
}
