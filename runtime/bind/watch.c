/* watch(goal, exit_on): the run's body tells the engine what events end it. */
#include <string.h>

#include "base/alloc.h"
#include "bind/primitive.h"
#include "bind/value.h"

/* Until when an event counts: `within`, of the specification on top of the stack, after the entry. */
static int64_t until_when(lua_State *L, const run *r, const char *what) {
  int64_t until = INT64_MAX;
  if (lua_getfield(L, -1, "within") != LUA_TNIL) until = r->entered_ms + value_duration(L, -1, what);
  lua_pop(L, 1);
  return until;
}

/* The times of a list of event specifications at `index` ({ "name", where =, within = } each). A time that is none raises,
 * so this comes before anything that would be lost then. */
static int64_t *read_times(lua_State *L, const run *r, int index) {
  size_t count = (size_t)lua_rawlen(L, index);
  int64_t *kept = lua_newuserdatauv(L, (count + 1) * sizeof *kept, 0);
  for (size_t i = 0; i < count; i++) {
    lua_rawgeti(L, index, (lua_Integer)i + 1);
    kept[i] = until_when(L, r, "exit_on: within");
    lua_pop(L, 1);
  }
  int64_t *times = mem_zero((count + 1) * sizeof *times);
  memcpy(times, kept, count * sizeof *times);
  lua_pop(L, 1);
  return times;
}

/* The names of the same list; their predicates go, by position, into the table on top of the stack. */
static char **read_names(lua_State *L, int index) {
  size_t count = (size_t)lua_rawlen(L, index);
  char **names = mem_zero((count + 1) * sizeof *names);
  for (size_t i = 0; i < count; i++) {
    lua_rawgeti(L, index, (lua_Integer)i + 1);
    lua_rawgeti(L, -1, 1);
    names[i] = mem_text(lua_tostring(L, -1));
    lua_getfield(L, -2, "where");
    if (lua_isnil(L, -1)) lua_pushboolean(L, 0), lua_replace(L, -2);
    lua_rawseti(L, -4, (lua_Integer)i + 1);
    lua_pop(L, 2);
  }
  return names;
}

/* watch(goal | nil, exits | nil): both in the checked form that jaunt.worker.journey gives them: goal { "name", where =, within = },
 * exits a list of the same. It has no element and takes no time. */
int primitive_watch(lua_State *L) {
  run *r = primitive_parking_run(L, "watch");
  lua_settop(L, 2);
  const char *goal = NULL;
  bool has_where = false;
  int64_t until = INT64_MAX;
  char **exits = NULL;
  int64_t *times = NULL;
  if (lua_istable(L, 1)) {
    lua_pushvalue(L, 1);
    until = until_when(L, r, "goal: within");
    has_where = lua_getfield(L, 1, "where") == LUA_TFUNCTION;
    run_anchor_set(r, L, ANCHOR_GOAL_WHERE);
    lua_rawgeti(L, 1, 1);
    goal = lua_tostring(L, -1);
  }
  if (lua_istable(L, 2)) {
    times = read_times(L, r, 2);
    lua_newtable(L);
    exits = read_names(L, 2);
    run_anchor_set(r, L, ANCHOR_EXIT_ON);
  }
  return run_watch(r, goal, has_where, until, exits, times) ? primitive_leave(L) : 0;
}

/* only_watch(duration | nil): a person of the control group waits for the goal's time, at no element, and is then complete. */
static int watched(lua_State *L, int status, lua_KContext context) {
  (void)L, (void)status, (void)context;
  return 0;
}

int primitive_only_watch(lua_State *L) {
  run *r = primitive_parking_run(L, "only_watch");
  if (lua_isnoneornil(L, 1)) return 0;
  bool over = run_wait(r, r->entered_ms + value_duration(L, 1, "goal: within"));
  return over ? 0 : primitive_yield(L, watched);
}
