/* The control state and its loop: see control.h. */
#include "native/control.h"

#include <lualib.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "native/modules.h"

static const char FAILURE[] = "jaunt.failure"; /* the metatable of errors that are worded for a person */

control *control_of(lua_State *L) {
  return *(control **)lua_getextraspace(L);
}

/* ---- errors ---- */

static int failure_text(lua_State *L) {
  lua_getfield(L, 1, "message");
  return 1;
}

static void failure_define(lua_State *L) {
  luaL_newmetatable(L, FAILURE);
  lua_pushcfunction(L, failure_text);
  lua_setfield(L, -2, "__tostring");
  lua_pop(L, 1);
}

int control_fail_top(lua_State *L) {
  luaL_checkstring(L, -1);
  lua_createtable(L, 0, 1);
  lua_insert(L, -2);
  lua_setfield(L, -2, "message");
  luaL_setmetatable(L, FAILURE);
  return lua_error(L);
}

int control_fail(lua_State *L, const error *err) {
  lua_pushstring(L, err->text);
  return control_fail_top(L);
}

static bool wants_trace(void) {
  const char *trace = getenv("JAUNT_TRACE");
  return trace != NULL && strcmp(trace, "1") == 0;
}

/* Ends the command with the error on top of `from`: c->L, or the coroutine, whose stack still stands then. */
static void end_with_error(control *c, lua_State *from) {
  lua_State *L = c->L;
  if (from != L) lua_xmove(from, L, 1);
  bool meant = lua_istable(L, -1);
  buf_clear(&c->complaint);
  buf_text_add(&c->complaint, luaL_tolstring(L, -1, NULL));
  if (wants_trace() && from != L) {
    luaL_traceback(L, from, NULL, 0);
    buf_format(&c->complaint, "\n%s", lua_tostring(L, -1));
    lua_pop(L, 1);
  } else if (!meant && !wants_trace()) {
    buf_text_add(&c->complaint, " (a mistake in jaunt itself; JAUNT_TRACE=1 shows where)");
  }
  lua_pop(L, 2);
  c->ended = true;
  c->code = 2;
}

static void end_with_words(control *c, const char *words) {
  buf_clear(&c->complaint);
  buf_text_add(&c->complaint, words);
  c->ended = true;
  c->code = 2;
}

static int with_traceback(lua_State *L) {
  if (lua_type(L, 1) == LUA_TSTRING && wants_trace()) luaL_traceback(L, L, lua_tostring(L, 1), 1);
  return 1;
}

/* ---- the command's coroutine ---- */

void control_can_yield(lua_State *L) {
  control *c = control_of(L);
  if (L != c->co) luaL_error(L, "this waits for the loop, which only the command's own coroutine can do");
  if (!lua_isyieldable(L))
    luaL_error(L, "this waits for the loop, which cannot be done inside a C function's callback");
}

int control_yield(lua_State *L) {
  control_can_yield(L);
  control_of(L)->parked = true;
  return lua_yield(L, 0);
}

static void take_exit_code(control *c, int results) {
  c->ended = true;
  c->code = 0;
  if (results > 0 && lua_isinteger(c->co, -results)) c->code = (int)lua_tointeger(c->co, -results);
  lua_pop(c->co, results);
}

void control_resume(control *c, lua_State *co, int nargs) {
  int results = 0;
  if (c->ended || co != c->co) return;
  c->parked = false;
  int status = lua_resume(co, c->L, nargs, &results);
  if (status == LUA_OK) {
    take_exit_code(c, results);
  } else if (status != LUA_YIELD) {
    end_with_error(c, co);
  } else {
    lua_pop(co, results);
    if (!c->parked) end_with_words(c, "coroutine.yield was called outside a coroutine");
  }
  if (c->ended) uv_stop(&c->loop);
}

bool control_call(control *c, int nargs) {
  int function = lua_gettop(c->L) - nargs;
  lua_pushcfunction(c->L, with_traceback);
  lua_insert(c->L, function);
  int status = lua_pcall(c->L, nargs, 0, function);
  if (status != LUA_OK && c->ended)
    lua_pop(c->L, 1); /* the first error is the one that is told */
  else if (status != LUA_OK)
    end_with_error(c, c->L);
  lua_remove(c->L, function);
  if (c->ended) uv_stop(&c->loop);
  return status == LUA_OK;
}

/* The body of the coroutine: (module, args) -> require(module).main(args). */
static const char BODY[] = "local module, args = ...\nreturn require(module).main(args)\n";

static int start(lua_State *L) {
  control *c = control_of(L);
  const char *module = lua_touserdata(L, 1);
  int count = (int)lua_tointeger(L, 2);
  char *const *args = lua_touserdata(L, 3);
  c->co = lua_newthread(L);
  lua_rawsetp(L, LUA_REGISTRYINDEX, c); /* anchors it */
  luaL_checkstack(c->co, 5, NULL);
  if (luaL_loadbufferx(c->co, BODY, sizeof BODY - 1, "=command", "t") != LUA_OK) {
    lua_xmove(c->co, L, 1);
    return lua_error(L);
  }
  lua_pushstring(c->co, module);
  lua_createtable(c->co, count, 0);
  for (int i = 0; i < count; i++) {
    lua_pushstring(c->co, args[i]);
    lua_seti(c->co, -2, i + 1);
  }
  return 0;
}

int control_run(control *c, const char *module, int count, char *const *args) {
  c->ended = c->parked = false;
  lua_pushcfunction(c->L, start);
  lua_pushlightuserdata(c->L, (void *)(uintptr_t)module);
  lua_pushinteger(c->L, count);
  lua_pushlightuserdata(c->L, (void *)(uintptr_t)args);
  if (control_call(c, 3)) control_resume(c, c->co, 2);
  while (!c->ended) {
    if (uv_run(&c->loop, UV_RUN_DEFAULT) == 0 && !c->ended)
      end_with_words(c, "the command waits for something that will never come (a mistake in jaunt itself)");
  }
  if (c->co != NULL) lua_resetthread(c->co); /* a command that was cut short: its <close> variables */
  c->co = NULL;
  lua_pushnil(c->L);
  lua_rawsetp(c->L, LUA_REGISTRYINDEX, c);
  return c->code;
}

/* ---- life ---- */

static int open_state(lua_State *L) {
  luaL_openlibs(L);
  failure_define(L);
  modules_install(L, lua_touserdata(L, 1));
  return 0;
}

static void init_handles(control *c) {
  static const char *const names[CONTROL_SIGNALS] = {"SIGINT", "SIGTERM", "SIGHUP"};
  uv_timer_init(&c->loop, &c->sleeper);
  for (int i = 0; i < CONTROL_SIGNALS; i++)
    c->signals[i] = (control_signal){.owner = c, .name = names[i], .fn = LUA_NOREF};
}

control *control_new(const luaL_Reg *natives, error *err) {
  control *c = mem_zero(sizeof *c);
  int status = uv_loop_init(&c->loop);
  if (status != 0) {
    error_set(err, "can't make an event loop: %s", uv_strerror(status));
    free(c);
    return NULL;
  }
  init_handles(c);
  c->L = luaL_newstate();
  if (c->L == NULL) {
    error_set(err, "can't make a Lua state: out of memory");
    control_free(c);
    return NULL;
  }
  *(control **)lua_getextraspace(c->L) = c;
  lua_pushcfunction(c->L, open_state);
  lua_pushlightuserdata(c->L, (void *)(uintptr_t)natives);
  if (lua_pcall(c->L, 1, 0, 0) != LUA_OK) {
    error_set(err, "can't set up Lua: %s", lua_tostring(c->L, -1));
    control_free(c);
    return NULL;
  }
  return c;
}

static void close_left_open(uv_handle_t *handle, void *data) {
  (void)data;
  if (uv_is_closing(handle)) return;
  fprintf(stderr, "jaunt: a %s handle was left open (a mistake in jaunt itself)\n",
          uv_handle_type_name(handle->type));
  uv_close(handle, NULL);
}

void control_free(control *c) {
  if (c == NULL) return;
  if (c->L != NULL) lua_close(c->L);
  c->L = NULL;
  while (c->endings > 0) uv_run(&c->loop, UV_RUN_ONCE);
  uv_close((uv_handle_t *)&c->sleeper, NULL);
  for (int i = 0; i < CONTROL_SIGNALS; i++)
    if (c->signals[i].open) uv_close((uv_handle_t *)&c->signals[i].handle, NULL);
  uv_walk(&c->loop, close_left_open, NULL);
  while (uv_run(&c->loop, UV_RUN_DEFAULT) != 0) continue; /* a stop asked for earlier ends one run of it */
  uv_loop_close(&c->loop);
  buf_free(&c->complaint);
  free(c);
}
