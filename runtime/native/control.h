/* The control state: where commands run. One full lua_State and one loop, on the main thread.
 *
 * A command is one coroutine. A native function that has to wait for the loop suspends it with control_yield, and
 * a callback of the loop lets it go on with control_resume. Journeys never run here; they have
 * workers of their own. Code in this state is trusted.
 *
 * Handles: a binding allocates its handles itself, and its userdata's __gc (or __close) calls uv_close on them. At
 * the end Lua is closed first, then the loop runs until every close callback has come; those callbacks
 * must not touch Lua. */
#ifndef JAUNT_NATIVE_CONTROL_H
#define JAUNT_NATIVE_CONTROL_H

#include <lauxlib.h>
#include <lua.h>
#include <stdbool.h>
#include <uv.h>

#include "base/buf.h"
#include "base/error.h"

enum { CONTROL_SIGNALS = 3 }; /* SIGINT, SIGTERM, SIGHUP */

typedef struct control control;

typedef struct control_signal {
  uv_signal_t handle;
  control *owner;
  const char *name;
  bool open; /* the handle is initialised */
  int fn;    /* a registry reference; LUA_NOREF while nobody listens */
} control_signal;

struct control {
  uv_loop_t loop;
  lua_State *L;  /* the main state; callbacks of the loop call their functions here, by control_call */
  lua_State *co; /* the command's coroutine, while there is one */
  bool parked;   /* it waits for control_resume */
  bool ended;    /* the command has returned or failed */
  int code;      /* the exit code */
  buf complaint; /* why it failed, for a person; empty when it did not */
  int endings;   /* of what closes itself on the loop, in its own time: control_free waits for them */
  bool
      left_behind; /* a thread that does not come to its end: control_free would wait for ever, so that the process is to be
                       left without it */
  uv_timer_t sleeper;
  control_signal signals[CONTROL_SIGNALS];
};

/* Makes the state: standard libraries, `natives` (see native/native.h), lualib/. Returns NULL and fills `err`. */
control *control_new(const luaL_Reg *natives, error *err);

/* Runs require(module).main(args) in a coroutine and turns the loop until it has returned. Returns the exit code: what
 * main returned (0 for nothing), or 2 when it failed; c->complaint then says why. */
int control_run(control *c, const char *module, int count, char *const *args);

/* Closes Lua, then every handle, then frees. Writes to standard error what was left open by mistake. */
void control_free(control *c);

/* The control to which a state or one of its coroutines belongs. Control states only. */
control *control_of(lua_State *L);

/* Suspends the command; a binding says `return control_yield(L);` after it has started what will call control_resume.
 * Raises an error where L is not the command's own coroutine (one made by coroutine.create or wrap) or
 * cannot yield. A binding that starts something first asks control_can_yield, which raises the same errors. */
int control_yield(lua_State *L);
void control_can_yield(lua_State *L);

/* Lets the command go on: the `nargs` values on top of `co` are what the suspended function returns. Only from a callback of
 * the loop, never before control_yield was called. */
void control_resume(control *c, lua_State *co, int nargs);

/* Calls, from a callback of the loop, the function and its `nargs` arguments on top of c->L, in protected mode; results
 * are dropped. It cannot yield. An error ends the command; returns false then. */
bool control_call(control *c, int nargs);

/* Raises what a person reads as "jaunt: MESSAGE", without a place in our code: for mistakes that are theirs. */
int control_fail(lua_State *L, const error *err);

/* The same, with the message (a string) on top of the stack. */
int control_fail_top(lua_State *L);

#endif
