/* jaunt.native.control: what a command asks of the loop it runs on. */
#include <string.h>
#include <unistd.h>

#include "native/control.h"
#include "native/native.h"

/* ---- sleep(ms): suspends the command; real time ---- */

static void sleep_over(uv_timer_t *timer) {
  control *c = timer->data;
  control_resume(c, c->co, 0);
}

static int native_sleep(lua_State *L) {
  control *c = control_of(L);
  lua_Number ms = luaL_checknumber(L, 1);
  luaL_argcheck(L, ms >= 0 && ms < 1e12, 1, "milliseconds from 0 on");
  control_can_yield(L);
  c->sleeper.data = c;
  uv_update_time(&c->loop);
  /* the loop's clock is cut to milliseconds: one more, so that it is never early */
  uv_timer_start(&c->sleeper, sleep_over, ms > 0 ? (uint64_t)ms + 1 : 0, 0);
  return control_yield(L);
}

/* ---- on_signal(name, fn): calls fn(name) on the loop; fn nil gives the signal back to the system ---- */

static const struct {
  const char *name;
  int number;
} signals[CONTROL_SIGNALS] = {{"SIGINT", SIGINT}, {"SIGTERM", SIGTERM}, {"SIGHUP", SIGHUP}};

static void signal_came(uv_signal_t *handle, int number) {
  control_signal *s = handle->data;
  (void)number;
  if (s->fn == LUA_NOREF) return;
  lua_rawgeti(s->owner->L, LUA_REGISTRYINDEX, s->fn);
  lua_pushstring(s->owner->L, s->name);
  control_call(s->owner, 1);
}

static control_signal *signal_named(lua_State *L, const char *name, int *number) {
  for (int i = 0; i < CONTROL_SIGNALS; i++) {
    if (strcmp(signals[i].name, name) != 0) continue;
    *number = signals[i].number;
    return &control_of(L)->signals[i];
  }
  luaL_error(L, "%s is no signal that can be listened to", name);
  return NULL;
}

/* A listener keeps no loop alive: it is no reason for a command to go on. */
static void signal_listen(lua_State *L, control_signal *s, int number) {
  int status = 0;
  if (!s->open) {
    status = uv_signal_init(&s->owner->loop, &s->handle);
    if (status != 0) luaL_error(L, "can't listen to %s: %s", s->name, uv_strerror(status));
    s->handle.data = s;
    s->open = true;
    uv_unref((uv_handle_t *)&s->handle);
  }
  status = uv_signal_start(&s->handle, signal_came, number);
  if (status != 0) luaL_error(L, "can't listen to %s: %s", s->name, uv_strerror(status));
}

static int native_on_signal(lua_State *L) {
  int number = 0;
  control_signal *s = signal_named(L, luaL_checkstring(L, 1), &number);
  if (!lua_isnoneornil(L, 2)) luaL_checktype(L, 2, LUA_TFUNCTION);
  lua_settop(L, 2);
  luaL_unref(L, LUA_REGISTRYINDEX, s->fn);
  s->fn = LUA_NOREF;
  if (lua_isnil(L, 2)) {
    if (s->open) uv_signal_stop(&s->handle);
    return 0;
  }
  s->fn = luaL_ref(L, LUA_REGISTRYINDEX);
  signal_listen(L, s, number);
  return 0;
}

/* ---- fail(message): raises what a person reads as "jaunt: MESSAGE" ---- */

static int native_fail(lua_State *L) {
  luaL_checkstring(L, 1);
  lua_settop(L, 1);
  return control_fail_top(L);
}

/* ---- leave(code): ends the process at once; what was printed and not yet written is lost ---- */

static int native_leave(lua_State *L) {
  _exit((int)luaL_checkinteger(L, 1));
}

static const luaL_Reg functions[] = {
    {"sleep", native_sleep}, {"now_mono", native_clock_mono}, {"on_signal", native_on_signal},
    {"fail", native_fail},   {"leave", native_leave},         {NULL, NULL},
};

int native_control_open(lua_State *L) {
  luaL_newlib(L, functions);
  return 1;
}
