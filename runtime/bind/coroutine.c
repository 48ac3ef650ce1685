/* coroutine.* for scripts: Lua's own, but the engine's yields pass through a script's coroutines to the engine.
 *
 * A primitive that parks yields its own coroutine with worker->passing set; our resume sees that and yields in its turn,
 * and when the engine resumes the run, goes on with the inner coroutine where it was. So call_api and waits work
 * in a coroutine of the script's own. A resumer that can't yield is remembered in worker->chain_blocked. */
#include "bind/primitive.h"

static lua_State *coroutine_at(lua_State *L, int index) {
  lua_State *co = lua_tothread(L, index);
  luaL_argexpected(L, co, index, "coroutine");
  return co;
}

static int after_pass(lua_State *L, int status, lua_KContext wraps);

/* What a resume gives its caller: true and the values, or false and the error; wrap gives the values or raises. */
static int deliver(lua_State *L, lua_State *co, int status, int results, bool wraps) {
  if (status == LUA_OK || status == LUA_YIELD) {
    luaL_checkstack(L, results + 1, "too many results");
    if (!wraps) lua_pushboolean(L, 1);
    lua_xmove(co, L, results);
    return results + !wraps;
  }
  if (wraps) {
    if (lua_status(co) != LUA_OK && lua_status(co) != LUA_YIELD) lua_resetthread(co);
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
  int status = lua_resume(co, L, arguments, &results);
  w->chain_blocked = was_blocked;
  if (status == LUA_YIELD && w->passing) {
    lua_pop(co, results);
    return lua_yieldk(L, 0, wraps, after_pass);
  }
  return deliver(L, co, status, results, wraps);
}

static int after_pass(lua_State *L, int status, lua_KContext wraps) {
  (void)status;
  worker_of(L)->passing = false;
  return go(L, wraps ? lua_tothread(L, lua_upvalueindex(1)) : lua_tothread(L, 1), 0, wraps != 0);
}

/* Moves the arguments from index `first` on to `co`; false with an error text on L when it can't be resumed. */
static bool hand_over(lua_State *L, lua_State *co, int first, int *arguments) {
  int count = lua_gettop(L) - first + 1;
  bool dead = lua_status(co) == LUA_OK && lua_gettop(co) == 0;
  if (dead || lua_status(co) > LUA_YIELD) {
    lua_pushliteral(L, "cannot resume dead coroutine");
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

static int co_create(lua_State *L) {
  luaL_checktype(L, 1, LUA_TFUNCTION);
  lua_State *co = lua_newthread(L);
  lua_pushvalue(L, 1);
  lua_xmove(L, co, 1);
  return 1;
}

static int co_wrap(lua_State *L) {
  co_create(L);
  lua_pushcclosure(L, wrapped, 1);
  return 1;
}

/* A script's own yield. At the top of a run there is nobody to yield to but the engine. */
static int co_yield(lua_State *L) {
  worker *w = worker_of(L);
  if (w->current && L == w->current->co)
    return luaL_error(L, "coroutine.yield outside of any coroutine: the flow itself is paused by wait, wait_for and call_api");
  w->passing = false;
  return lua_yield(L, lua_gettop(L));
}

/* status, running, isyieldable and close are Lua's own. */
int coroutine_open(lua_State *L) {
  static const luaL_Reg ours[] = {
      {"create", co_create}, {"resume", co_resume}, {"wrap", co_wrap}, {"yield", co_yield}, {NULL, NULL}};
  static const char *const taken[] = {"status", "running", "isyieldable", "close"};
  luaL_newlib(L, ours);
  lua_getglobal(L, "coroutine");
  for (size_t i = 0; i < sizeof taken / sizeof *taken; i++) {
    lua_getfield(L, -1, taken[i]);
    lua_setfield(L, -3, taken[i]);
  }
  lua_pop(L, 1);
  return 1;
}
