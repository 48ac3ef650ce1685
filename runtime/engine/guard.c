/* Memory and time of scripts: see guard.h. The watchdog's thread is in watchdog.c. */
#include "engine/guard.h"

#include <lauxlib.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/run.h"
#include "engine/worker.h"

/* Keeps the innermost line of the script's own. */
static void note_place(worker *w, lua_State *L) {
  lua_Debug at;
  for (int level = 0; L && !*w->kill_place && lua_getstack(L, level, &at); level++) {
    lua_getinfo(L, "Sl", &at);
    if (at.currentline > 0 && strncmp(at.source, "@lualib/", 8) != 0)
      snprintf(w->kill_place, sizeof w->kill_place, "%s:%d", at.short_src, at.currentline);
  }
}

/* ---- memory ---- */

static inline bool may_have(const worker *w, size_t more) {
  const run *r = w->current;
  return !r || r->memory + (int64_t)more <= (int64_t)w->shared->options->limits.run_memory;
}

/* Lua collects all garbage after the first refusal and asks again: the second one in a row is the script's end. */
static void *refuse(worker *w) {
  note_place(w, w->running);
  if (w->starved) guard_kill(w, "run_memory");
  w->starved = true;
  return NULL;
}

static void charge(worker *w, int64_t change) {
  w->memory += change;
  if (w->current) w->current->memory += change;
}

/* It got what it asked for: the refusal before, if any, was not the last word. */
static void feed(worker *w) {
  if (!w->starved) return;
  if (!w->kill) w->kill_place[0] = '\0';
  w->starved = false;
}

/* Lua's table of short strings belongs to all runs together: none of them is charged for it, nor refused it. It is the one
 * block of that size which a new state begins with. */
enum { STRINGS_FIRST = 128 * sizeof(void *) };

static void *change_strings(worker *w, size_t old_size, size_t size) {
  void *block = blocks_change(&w->blocks, w->strings, old_size, size);
  if (!block) return NULL;
  w->strings = block;
  w->memory += (int64_t)size - (int64_t)old_size;
  return block;
}

static void *make_block(worker *w, size_t size) {
  if (size == 0) return NULL;
  if (!may_have(w, size)) return refuse(w);
  feed(w);
  void *block = blocks_take(&w->blocks, size);
  if (block) charge(w, (int64_t)size);
  if (!w->L && !w->strings && size == STRINGS_FIRST) w->strings = block;
  return block;
}

static void *change_block(worker *w, void *old, size_t old_size, size_t size) {
  if (old == w->strings) return change_strings(w, old_size, size);
  if (size > old_size) {
    if (!may_have(w, size - old_size)) return refuse(w);
    feed(w);
  }
  void *block = blocks_change(&w->blocks, old, old_size, size);
  if (block) charge(w, (int64_t)size - (int64_t)old_size);
  return block;
}

void *guard_alloc(void *data, void *old, size_t old_size, size_t size) {
  worker *w = data;
  if (!old) return make_block(w, size); /* `old_size` tells the kind of object there */
  if (size) return change_block(w, old, old_size, size);
  blocks_drop(&w->blocks, old, old_size);
  charge(w, -(int64_t)old_size);
  return NULL;
}

/* ---- killing ---- */

/* Only this thread changes it: no need for an atomic addition, which is slow. */
static void count_slice(worker *w, uint64_t more) {
  uint64_t slice = atomic_load_explicit(&w->slice, memory_order_relaxed);
  atomic_store_explicit(&w->slice, slice + more, memory_order_release);
}

/* The slice takes long. Once that may be the collector's doing, with a million coroutines to look at: only a script that is
 * found at work twice is stopped. */
static void consider_time(worker *w) {
  if (!w->overdue) return;
  w->overdue = false;
  if (atomic_exchange(&w->interrupted, false))
    w->kill = w->kill ? w->kill : "interrupted";
  else if (++w->strikes == GUARD_STRIKES)
    w->kill = w->kill ? w->kill : "slice_time";
  else
    count_slice(w, 2); /* the watchdog begins anew */
}

static void hook(lua_State *L, lua_Debug *at) {
  (void)at;
  worker *w = worker_of(L);
  consider_time(w);
  if (!w->kill) {
    lua_sethook(L, NULL, 0, 0);
    return;
  }
  note_place(w, L);
  if (lua_isyieldable(L))
    lua_yield(L, 0);
  else
    luaL_error(L, "the script is being stopped (limit %s)", w->kill);
}

void guard_check(lua_State *L) {
  worker *w = worker_of(L);
  consider_time(w);
  if (!w->kill) return;
  note_place(w, L);
  luaL_error(L, "the script is being stopped (limit %s)", w->kill);
}

void guard_pass_on(lua_State *L) {
  lua_sethook(L, hook, LUA_MASKCOUNT, 1);
}

void guard_kill(worker *w, const char *name) {
  if (!w->kill) w->kill = name;
  if (w->running) lua_sethook(w->running, hook, LUA_MASKCOUNT, 1);
}

_Noreturn void guard_break(lua_State *L, const char *name, const char *format, ...) {
  worker *w = worker_of(L);
  char words[sizeof w->kill_words];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(words, sizeof words, format, arguments);
  va_end(arguments);
  if (w->running && !w->kill) { /* else nobody's script runs: it is only being loaded */
    note_place(w, L);
    memcpy(w->kill_words, words, sizeof words);
    guard_kill(w, name);
  }
  luaL_error(L, "%s (limit %s)", words, name);
  abort(); /* it does not return */
}

/* The hook is put once: Lua walks all calls of the stack for it, which takes longer than the next signal is away when a script
 * recurses deeply. */
void guard_overdue(worker *w) {
  if (w->overdue && lua_gethook(w->running) == hook) return;
  w->overdue = true;
  lua_sethook(w->running, hook, LUA_MASKCOUNT, 1);
}

void guard_settle(worker *w, lua_State *L) {
  w->kill = NULL;
  w->kill_place[0] = w->kill_words[0] = '\0';
  lua_sethook(L, NULL, 0, 0);
}

void guard_describe(const worker *w, char *out, size_t room) {
  const script_limits *limits = &w->shared->options->limits;
  const char *place = *w->kill_place ? w->kill_place : "an unknown place";
  if (*w->kill_words)
    snprintf(out, room, "%s: %s, at %s", w->kill, w->kill_words, place);
  else if (strcmp(w->kill, "interrupted") == 0)
    snprintf(out, room, "interrupted: at %s", place);
  else if (strcmp(w->kill, "slice_time") == 0)
    snprintf(out, room, "slice_time: it ran for %lld ms without a pause, at %s", (long long)limits->slice_ms,
             place);
  else
    snprintf(out, room, "%s: it wants more than %zu KiB of memory, at %s", w->kill, limits->run_memory / 1024,
             place);
}

/* ---- slices ---- */

void guard_enter(worker *w, lua_State *L) {
  if (w->slice_depth++ == 0) {
    w->strikes = 0;
    w->overdue = false;
    count_slice(w, 1);
  }
  w->running = L;
}

void guard_leave(worker *w) {
  if (--w->slice_depth > 0) return;
  w->running = NULL;
  count_slice(w, 1);
}

void guard_renew(worker *w) {
  w->strikes = 0;
  w->overdue = false;
  count_slice(w, 2);
}

lua_State *guard_switch(worker *w, lua_State *L) {
  lua_State *before = w->running;
  w->running = L;
  return before;
}
