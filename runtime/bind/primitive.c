/* What all primitives share: see primitive.h. */
#include "bind/primitive.h"

#include <limits.h>
#include <string.h>

#include "base/utf8.h"

run *primitive_run(lua_State *L, const char *primitive) {
  worker *w = worker_of(L);
  run *r = w->current;
  if (!r)
    luaL_error(L, "%s works in a journey's flow or in a plain script, not while a script is loaded",
               primitive);
  if (r->closing)
    luaL_error(L, "%s can't be used in <close> of a run that ends: only log works there", primitive);
  if (w->in_predicate)
    luaL_error(L, "%s can't be used in a predicate or a payload: they only look, and give an answer",
               primitive);
  return r;
}

run *primitive_yielding_run(lua_State *L, const char *primitive) {
  run *r = primitive_run(L, primitive);
  if (r->in->chain_blocked || !lua_isyieldable(L))
    luaL_error(L,
               "%s can't pause here: it is called from inside a function that can't be paused (a table.sort "
               "comparator, a "
               "gsub callback, a metamethod of a library call); call it outside and keep the result",
               primitive);
  return r;
}

run *primitive_parking_run(lua_State *L, const char *primitive) {
  run *r = primitive_run(L, primitive);
  const char *name = r->in->pending;
  if (name)
    luaL_error(L,
               "call_api \"%s\" has no braces before this %s: call_api \"%s\" { ... } "
               "(within the braces nothing can pause: make that call or wait before, and keep its result)",
               name, primitive, name);
  return primitive_yielding_run(L, primitive);
}

void primitive_check_name(lua_State *L, const char *primitive, const char *name) {
  enum { MOST = 200, SHOWN = 60 };
  size_t length = strlen(name);
  if (length <= MOST) return;
  lua_pushlstring(L, name, utf8_trim(name, SHOWN));
  luaL_error(L, "%s: an element's name has at most %d bytes, not %d: give \"%s…\" a short one", primitive,
             MOST, (int)(length < INT_MAX ? length : INT_MAX), lua_tostring(L, -1));
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

int primitive_fail(lua_State *L, const error *err) {
  return luaL_error(L, "%s", err->text);
}
