/* What keeps one script from stopping the others: memory charged to the run that asks for it, and a watchdog for slices
 * that never pause.
 *
 * A script that breaks a limit is killed: a flag is set and a hook put on the innermost running coroutine. The hook
 * yields where that is possible; elsewhere (a sort comparator, a gsub callback) it raises an error, at every
 * instruction, until a place is reached where it can yield. So no pcall keeps a killed script alive. run.c then holds the
 * run for the reason `limit`.
 *
 * A slice is what a script runs between two pauses; its time is the processor time of its thread, so that a busy
 * machine kills nobody. */
#ifndef JAUNT_ENGINE_GUARD_H
#define JAUNT_ENGINE_GUARD_H

#include <lua.h>
#include <stdbool.h>
#include <stddef.h>

struct worker;
struct engine_shared;

/* Lua's allocator for a worker's state; `worker` is the user data. */
void *guard_alloc(void *worker, void *old, size_t old_size, size_t size);

/* A slice begins: `L` runs scripts, on behalf of w->current. Slices nest (a predicate within a primitive). */
void guard_enter(struct worker *w, lua_State *L);
void guard_leave(struct worker *w);
/* What the running slice does from here on was a slice of its own when it was done first: its time counts anew. */
void guard_renew(struct worker *w);

/* Another coroutine is the innermost one now. Returns the one that was. */
lua_State *guard_switch(struct worker *w, lua_State *L);

/* The running slice takes long; called from the signal's handler, on the worker's thread. */
void guard_overdue(struct worker *w);
enum {
  GUARD_STRIKES = 2
}; /* how often it is found so, each time after its part of slice_time, before it is killed */

/* The script that runs is to be killed for breaking the limit of that name (static text). */
void guard_kill(struct worker *w, const char *name);

/* Raises: what L asks for goes over the limit of that name (static text), in these words, and the script is killed for it. */
_Noreturn void guard_break(lua_State *L, const char *name, const char *format, ...);

/* For long loops in C, once in a while: raises where the running script is being stopped. */
void guard_check(lua_State *L);

/* Puts the hook on `L`, too: for a resumer whose inner coroutine was killed. */
void guard_pass_on(lua_State *L);

/* Forgets the kill, once it was dealt with; `L` is what ran. */
void guard_settle(struct worker *w, lua_State *L);

/* Says which limit was broken, by how much, and at which line: "slice_time: …". Needs a kill. */
void guard_describe(const struct worker *w, char *out, size_t room);

/* The watchdog's thread looks at `count` workers until it is stopped. Returns 0, or -1 where the system has no thread. */
typedef struct watchdog watchdog;
watchdog *watchdog_start(struct worker *workers, int count);
void watchdog_stop(watchdog *dog);     /* NULL is taken */
void watchdog_adopt(struct worker *w); /* called once on the worker's own thread */
/* The script that runs there now, if one does, looks at w->interrupted before its next instruction; from any thread. */
void watchdog_interrupt(struct worker *w);

#endif
