/* An engine as a value of Lua: its beginning, waiting for it, its end. */
#include <stdlib.h>

#include "base/alloc.h"
#include "native/control.h"
#include "native/engine_parts.h"
#include "native/native.h"

static const char ENGINE[] = "jaunt.engine";

enum { PATIENCE_MS = 2000 }; /* for workers that are in a hurry to end */

/* Outlives its userdata: the close callback of its last handle frees it. */
typedef struct host {
  engine *e; /* NULL when it is gone */
  control *owner;
  uv_timer_t timer;
  uv_idle_t
      turn; /* wakes up after one turn of the loop: a timer of 0 ms, set anew each time, would let it have none */
  int open_handles;
  bool waiting, changed, stopping, stopped;
  bool hurried, left_behind; /* the end was asked for twice; and a worker did not come to it */
} host;

static host *host_at(lua_State *L) {
  host *h = *(host **)luaL_checkudata(L, 1, ENGINE);
  if (!h || !h->e) luaL_error(L, "this engine is closed");
  return h;
}

engine *native_engine_at(lua_State *L) {
  return host_at(L)->e;
}

/* ---- waiting ---- */

static void go_on(host *h) {
  h->waiting = false;
  uv_timer_stop(&h->timer);
  uv_idle_stop(&h->turn);
  control_resume(h->owner, h->owner->co, 0);
}

static void come_back(host *h) {
  if (h->waiting && !h->stopping) go_on(h);
}

static void changed(void *data) {
  host *h = data;
  h->changed = true;
  come_back(h);
}

static void time_over(uv_timer_t *handle) {
  come_back(handle->data);
}

static void turn_over(uv_idle_t *handle) {
  come_back(handle->data);
}

static int engine_wait(lua_State *L) {
  host *h = host_at(L);
  lua_Number ms = luaL_checknumber(L, 2);
  control_can_yield(L);
  if (h->changed) ms = 0; /* the loop still gets its turn: signals, timers */
  h->changed = false;
  h->waiting = true;
  uv_update_time(&h->owner->loop);
  if (ms > 0)
    uv_timer_start(&h->timer, time_over, (uint64_t)ms, 0);
  else
    uv_idle_start(&h->turn, turn_over);
  return control_yield(L);
}

/* Not at once: it is called from a callback that may be in the middle of something. */
static int engine_poke(lua_State *L) {
  host *h = host_at(L);
  h->changed = true;
  if (h->waiting && !h->stopping) uv_idle_start(&h->turn, turn_over);
  return 0;
}

static void all_stopped(void *data) {
  host *h = data;
  h->stopped = true;
  h->stopping = false;
  if (h->waiting) go_on(h);
}

static void patience_over(uv_timer_t *handle) {
  host *h = handle->data;
  if (!h->stopping || !h->waiting) return;
  h->stopping = false;
  h->left_behind = true;
  go_on(h);
}

static void hurry(host *h) {
  engine_stop(h->e, 0, all_stopped, h);
  uv_update_time(&h->owner->loop);
  uv_timer_start(&h->timer, patience_over, PATIENCE_MS, 0);
}

static int engine_stop_lua(lua_State *L) {
  host *h = host_at(L);
  lua_Number grace = luaL_optnumber(L, 2, 0);
  control_can_yield(L);
  if (h->stopped) return 0;
  h->stopping = h->waiting = true;
  if (h->hurried)
    hurry(h);
  else
    engine_stop(h->e, (int64_t)grace, all_stopped, h);
  return control_yield(L);
}

/* From a signal's callback, before stop() or while it waits. */
static int engine_hurry(lua_State *L) {
  host *h = host_at(L);
  if (h->stopping && !h->hurried) hurry(h);
  h->hurried = true;
  return 0;
}

static int engine_left_behind(lua_State *L) {
  lua_pushboolean(L, host_at(L)->left_behind);
  return 1;
}

/* ---- end ---- */

static void host_closed(uv_handle_t *handle) {
  host *h = handle->data;
  if (--h->open_handles > 0) return;
  h->owner->endings--;
  free(h);
}

static void close_host(host *h) {
  uv_close((uv_handle_t *)&h->timer, host_closed);
  uv_close((uv_handle_t *)&h->turn, host_closed);
}

static host *open_host(control *owner) {
  host *h = mem_zero(sizeof *h);
  h->owner = owner;
  uv_timer_init(&owner->loop, &h->timer);
  uv_idle_init(&owner->loop, &h->turn);
  h->timer.data = h->turn.data = h;
  h->open_handles = 2;
  owner->endings++;
  return h;
}

static void engine_gone(void *data) {
  close_host(data);
}

static void free_engine(void *data) {
  host *h = data;
  engine_free(h->e);
  h->e = NULL;
  close_host(h);
}

static int engine_close(lua_State *L) {
  host **held = luaL_checkudata(L, 1, ENGINE);
  host *h = *held;
  *held = NULL;
  if (!h) return 0;
  h->waiting = false;
  if (h->left_behind)
    h->owner->left_behind = true; /* a thread still uses what would be freed */
  else if (!h->e || h->stopped)
    free_engine(h);
  else
    engine_stop(h->e, 0, free_engine, h);
  return 0;
}

/* ---- the beginning ---- */

int native_engine_start(lua_State *L) {
  error err;
  lua_settop(L, 1);
  host **held = lua_newuserdatauv(L, sizeof *held, 0);
  *held = NULL;
  engine_options options = native_engine_options(L);
  host *h = open_host(control_of(L));
  options.data = h;
  options.changed = changed;
  options.gone = engine_gone;
  h->e = engine_start(&options, &err);
  if (!h->e) return control_fail(L, &err);
  *held = h;
  luaL_setmetatable(L, ENGINE);
  return 1;
}

static const luaL_Reg methods[] = {
    {"wait", engine_wait},
    {"poke", engine_poke},
    {"stop", engine_stop_lua},
    {"hurry", engine_hurry},
    {"left_behind", engine_left_behind},
    {"close", engine_close},
    {NULL, NULL},
};

void native_engine_define(lua_State *L, const luaL_Reg *const more[]) {
  native_type(L, ENGINE, methods, engine_close, engine_close);
  for (; *more; more++) native_type_more(L, ENGINE, *more);
}
