/* coroutine.* for scripts: Lua's own, but the engine's yields pass through a script's coroutines to the engine.
 *
 * A primitive that parks yields its own coroutine with worker->passing set; our resume sees that and yields in its turn,
 * and when the engine resumes the run, goes on with the inner coroutine where it was. So call_api and waits work
 * in a coroutine of the script's own. A resumer that can't yield is remembered in worker->chain_blocked. */
#include "bind/primitive.h"
#include "engine/guard.h"

static lua_State *coroutine_at(lua_State *L, int index) {
  lua_State *co = lua_tothread(L, index);
  luaL_argexpected(L, co, index, "coroutine");
  return co;
}

static int after_pass(lua_State *L, int status, lua_KContext wraps);

/* Runs what `co` left open with <close>, as the innermost coroutine: the watchdog has to find it there. */
static int close_in(lua_State *L, lua_State *co) {
  worker *w = worker_of(L);
  lua_State *outer = guard_switch(w, co);
  int status = lua_resetthread(co);
  guard_switch(w, outer);
  if (w->kill) guard_pass_on(L);
  return status;
}

/* What a resume gives its caller: true and the values, or false and the error; wrap gives the values or raises. */
static int deliver(lua_State *L, lua_State *co, int status, int results, bool wraps) {
  if (status == LUA_OK || status == LUA_YIELD) {
    luaL_checkstack(L, results + 1, "too many results");
    if (!wraps) lua_pushboolean(L, 1);
    lua_xmove(co, L, results);
    return results + !wraps;
  }
  if (wraps) {
    if (lua_status(co) != LUA_OK && lua_status(co) != LUA_YIELD) close_in(L, co);
    lua_xmove(co, L, 1);
    if (lua_type(L, -1) == LUA_TSTRING) {
      luaL_where(L, 1);
      lua_insert(L, -2);
      lua_concat(L, 2);
    }
    return lua_error(L);
  }
  lua_pushboolean(L, 0);
  lua_xmove(co, L, 1);
  return 2;
}

/* Resumes `co`, which stands at index 1 of L (an upvalue for wrap), with `arguments` values already on its stack. */
static int go(lua_State *L, lua_State *co, int arguments, bool wraps) {
  worker *w = worker_of(L);
  bool was_blocked = w->chain_blocked;
  int results = 0;
  if (!lua_isyieldable(L)) w->chain_blocked = true;
  lua_State *outer = guard_switch(w, co);
  int status = lua_resume(co, L, arguments, &results);
  guard_switch(w, outer);
  w->chain_blocked = was_blocked;
  if (w->kill) guard_pass_on(L); /* ends what stands around it, too */
  if (status == LUA_YIELD && (w->passing || w->kill)) {
    lua_pop(co, results);
    if (!lua_isyieldable(L)) return luaL_error(L, "the script is being stopped (limit %s)", w->kill);
    return lua_yieldk(L, 0, wraps, after_pass);
  }
  return deliver(L, co, status, results, wraps);
}

static int after_pass(lua_State *L, int status, lua_KContext wraps) {
  (void)status;
  worker_of(L)->passing = false;
  return go(L, wraps ? lua_tothread(L, lua_upvalueindex(1)) : lua_tothread(L, 1), 0, wraps != 0);
}

/* ---- what a coroutine waits in ---- */

static int co_resume(lua_State *L);
static int co_yield (lua_State *L);
static int wrapped(lua_State *L);

/* The C function that `co` was suspended in; NULL where it is not suspended. */
static lua_CFunction suspended_in(lua_State *co) {
  lua_Debug at;
  if (lua_status(co) != LUA_YIELD || !lua_getstack(co, 0, &at) || !lua_checkstack(co, 1)) return NULL;
  lua_getinfo(co, "f", &at);
  lua_CFunction function = lua_tocfunction(co, -1);
  lua_pop(co, 1);
  return function;
}

/* Parked by a primitive, and so for the engine alone to resume: not for a predicate or a <close> that runs meanwhile. */
static bool is_parked(lua_State *co) {
  lua_CFunction function = suspended_in(co);
  return function && function != co_yield;
}

/* What stands at 1 in co_resume, and in the upvalue of wrapped. */
lua_State *coroutine_inner(lua_State *co) {
  lua_CFunction function = suspended_in(co);
  if ((function != co_resume && function != wrapped) || !lua_checkstack(co, 2)) return NULL;
  lua_Debug at;
  lua_getstack(co, 0, &at);
  lua_getinfo(co, "f", &at);
  const char *name = function == wrapped ? lua_getupvalue(co, -1, 1) : lua_getlocal(co, &at, 1);
  lua_State *inner = name ? lua_tothread(co, -1) : NULL;
  lua_pop(co, name ? 2 : 1);
  return inner;
}

/* ---- the library ---- */

/* Moves the arguments from index `first` on to `co`; false with an error text on L when it can't be resumed. */
static bool hand_over(lua_State *L, lua_State *co, int first, int *arguments) {
  int count = lua_gettop(L) - first + 1;
  bool dead = lua_status(co) == LUA_OK && lua_gettop(co) == 0;
  if (dead || lua_status(co) > LUA_YIELD) {
    lua_pushliteral(L, "cannot resume dead coroutine");
    return false;
  }
  if (is_parked(co)) {
    lua_pushliteral(L, "cannot resume a coroutine that waits: it goes on by itself");
    return false;
  }
  if (lua_status(co) == LUA_OK) {
    lua_Debug at;
    if (lua_getstack(co, 0, &at)) {
      lua_pushliteral(L, "cannot resume non-suspended coroutine");
      return false;
    }
  }
  if (!lua_checkstack(co, count)) {
    lua_pushliteral(L, "too many arguments to resume");
    return false;
  }
  lua_xmove(L, co, count);
  *arguments = count;
  return true;
}

static int co_resume(lua_State *L) {
  lua_State *co = coroutine_at(L, 1);
  int arguments;
  if (!hand_over(L, co, 2, &arguments)) {
    lua_pushboolean(L, 0);
    lua_insert(L, -2);
    return 2;
  }
  return go(L, co, arguments, false);
}

static int wrapped(lua_State *L) {
  lua_State *co = lua_tothread(L, lua_upvalueindex(1));
  int arguments;
  if (!hand_over(L, co, 1, &arguments)) return lua_error(L);
  return go(L, co, arguments, true);
}

/* Coroutines of the run that still exist: what the table of weak keys at ANCHOR_COROUTINES holds. */
static int count_living(lua_State *L, int table) {
  int count = 0;
  for (lua_pushnil(L); lua_next(L, table); lua_pop(L, 1)) {
    int status = lua_status(lua_tothread(L, -2));
    bool dead = status > LUA_YIELD || (status == LUA_OK && lua_gettop(lua_tothread(L, -2)) == 0);
    if (!dead) count++;
  }
  return count;
}

static void push_coroutines(lua_State *L, run *r) {
  run_anchor_get(r, L, ANCHOR_COROUTINES);
  if (lua_istable(L, -1)) return;
  lua_pop(L, 1);
  lua_newtable(L);
  lua_createtable(L, 0, 1);
  lua_pushliteral(L, "k");
  lua_setfield(L, -2, "__mode");
  lua_setmetatable(L, -2);
  lua_pushvalue(L, -1);
  run_anchor_set(r, L, ANCHOR_COROUTINES);
}

/* Takes note of the new coroutine on top of the stack. Only when many were made the living ones are counted. */
static void register_coroutine(lua_State *L, run *r) {
  int most = r->in->shared->options->limits.coroutines;
  push_coroutines(L, r);
  int table = lua_gettop(L);
  if (++r->coroutines > most) {
    r->coroutines = count_living(L, table) + 1;
    if (r->coroutines > most) guard_break(L, "coroutines", "a run may have %d coroutines at a time", most);
  }
  lua_pushvalue(L, table - 1);
  lua_pushboolean(L, 1);
  lua_rawset(L, table);
  lua_pop(L, 1);
}

static int co_create(lua_State *L) {
  luaL_checktype(L, 1, LUA_TFUNCTION);
  run *r = worker_of(L)->current;
  lua_State *co = lua_newthread(L);
  lua_pushvalue(L, 1);
  lua_xmove(L, co, 1);
  if (r) register_coroutine(L, r);
  return 1;
}

static int co_wrap(lua_State *L) {
  co_create(L);
  lua_pushcclosure(L, wrapped, 1);
  return 1;
}

/* A script's own yield. At the top of a run there is nobody to yield to but the engine. */
static int co_yield (lua_State *L) {
  worker *w = worker_of(L);
  if (w->current && L == w->current->co)
    return luaL_error(
        L,
        "coroutine.yield outside of any coroutine: the flow itself is paused by wait, wait_for and call_api");
  w->passing = false;
  return lua_yield(L, lua_gettop(L));
}

/* As Lua's own; but not for the coroutine that the flow itself runs in. */
static int co_close(lua_State *L) {
  lua_State *co = coroutine_at(L, 1);
  const run *r = worker_of(L)->current;
  lua_Debug at;
  if (r && co == r->co && lua_status(co) == LUA_YIELD)
    return luaL_error(L, "cannot close the coroutine that the flow runs in");
  if (lua_status(co) == LUA_OK && lua_getstack(co, 0, &at))
    return luaL_error(L, "cannot close a %s coroutine", co == L ? "running" : "normal");
  bool well = close_in(L, co) == LUA_OK;
  lua_pushboolean(L, well);
  if (well) return 1;
  lua_xmove(co, L, 1);
  return 2;
}

/* status, running and isyieldable are Lua's own. */
int coroutine_open(lua_State *L) {
  static const luaL_Reg ours[] = {{"create", co_create}, {"resume", co_resume}, {"wrap", co_wrap},
                                  {"yield", co_yield },  {"close", co_close},   {NULL, NULL}};
  static const char *const taken[] = {"status", "running", "isyieldable"};
  luaL_newlib(L, ours);
  lua_getglobal(L, "coroutine");
  for (size_t i = 0; i < sizeof taken / sizeof *taken; i++) {
    lua_getfield(L, -1, taken[i]);
    lua_setfield(L, -3, taken[i]);
  }
  lua_pop(L, 1);
  return 1;
}
