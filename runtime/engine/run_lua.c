/* What a run has in Lua beside its coroutine: its anchors, and the calls of its predicates and payloads, which no error leaves. */
#include <lauxlib.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "engine/guard.h"
#include "engine/run.h"
#include "engine/run_parts.h"

/* ---- anchors ---- */

void run_anchor_get(run *r, lua_State *L, int slot) {
  lua_rawgeti(L, LUA_REGISTRYINDEX, r->anchor);
  lua_rawgeti(L, -1, slot);
  lua_remove(L, -2);
}

void run_anchor_set(run *r, lua_State *L, int slot) {
  lua_rawgeti(L, LUA_REGISTRYINDEX, r->anchor);
  lua_insert(L, -2);
  lua_rawseti(L, -2, slot);
  lua_pop(L, 1);
}

/* ---- protected ---- */

/* An object without a text of its own is named by its type: its address would say nothing. */
static int error_text(lua_State *L) {
  if (lua_isstring(L, 1) || luaL_getmetafield(L, 1, "__tostring") != LUA_TNIL)
    luaL_tolstring(L, 1, NULL);
  else
    lua_pushfstring(L, "an error was raised with a %s instead of a text", luaL_typename(L, 1));
  return 1;
}

/* What was raised, on top of the stack, as text: __tostring of an error object is the script's own code. */
static void read_error(lua_State *L, error *err) {
  lua_pushcfunction(L, error_text);
  lua_insert(L, -2);
  if (lua_pcall(L, 1, 1, 0) != LUA_OK || lua_type(L, -1) != LUA_TSTRING)
    error_set(err, "an error was raised whose text can't be had");
  else
    error_set(err, "%s", lua_tostring(L, -1));
}

/* The same for an error on top of `co`, a stack of the run that nothing may be called on any more. */
void run_take_error(run *r, lua_State *co, error *err) {
  worker *w = r->in;
  lua_State *S = w->scratch;
  int top = lua_gettop(S);
  lua_xmove(co, S, 1);
  w->current = r;
  w->in_predicate = true;
  guard_enter(w, S);
  read_error(S, err);
  guard_leave(w);
  guard_settle(w, S);
  w->current = NULL;
  w->in_predicate = false;
  lua_settop(S, top);
}

/* The script broke a limit in a predicate or a payload: whoever asked has only got an error. */
static void break_limit(run *r, error *err) {
  char words[256];
  guard_describe(r->in, words, sizeof words);
  error_set(err, "%s", words);
  free(r->broken);
  r->broken = mem_text(words);
}

int run_protected(run *r, lua_CFunction function, void *task, error *err) {
  worker *w = r->in;
  lua_State *S = w->scratch;
  run *before = w->current;
  bool was_blocked = w->chain_blocked, was_predicate = w->in_predicate;
  int top = lua_gettop(S);
  w->current = r;
  w->chain_blocked = w->in_predicate = true;
  lua_State *outer = w->running;
  lua_pushcfunction(S, function);
  lua_pushlightuserdata(S, task);
  guard_enter(w, S);
  int status = lua_pcall(S, 1, 0, 0);
  if (status != LUA_OK) read_error(S, err);
  guard_leave(w);
  w->current = before;
  w->chain_blocked = was_blocked;
  w->in_predicate = was_predicate;
  if (w->kill && status != LUA_OK) break_limit(r, err);
  if (w->kill && !outer)
    guard_settle(w, S);
  else
    lua_sethook(S, NULL, 0, 0);
  if (outer) guard_switch(w, outer);
  lua_settop(S, top);
  return status == LUA_OK ? 0 : -1;
}
