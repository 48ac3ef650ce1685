/* split "NAME" { a = 50, b = 50 }: a branch's name, the same for the same person for ever. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "bind/primitive.h"

typedef struct branch {
  const char *name;
  double weight;
} branch;

enum { BRANCHES = 64 };

static int by_name(const void *a, const void *b) {
  return strcmp(((const branch *)a)->name, ((const branch *)b)->name);
}

/* Reads the branches in the order of their names, so that the table's own order does not matter. */
static int read_branches(lua_State *L, int index, branch *out, double *total) {
  int count = 0;
  lua_pushnil(L);
  while (lua_next(L, index)) {
    bool is_share =
        lua_type(L, -1) == LUA_TNUMBER && lua_tonumber(L, -1) >= 0 && isfinite(lua_tonumber(L, -1));
    if (lua_type(L, -2) != LUA_TSTRING || !is_share)
      return luaL_error(L, "split takes shares by name, such as { plain = 50, funny = 50 }");
    if (count == BRANCHES) return luaL_error(L, "split takes %d branches at most", BRANCHES);
    out[count++] = (branch){lua_tostring(L, -2), lua_tonumber(L, -1)};
    lua_pop(L, 1);
  }
  qsort(out, (size_t)count, sizeof *out, by_name);
  *total = 0;
  for (int i = 0; i < count; i++) *total += out[i].weight;
  if (!(*total > 0)) return luaL_error(L, "split needs at least one branch with a share above 0");
  if (!isfinite(*total)) return luaL_error(L, "split: the shares are too big to be added up");
  return count;
}

static const char *choose(const run *r, const char *name, const branch *branches, int count, double total) {
  const engine_shared *s = r->in->shared;
  const char *journey = s->options->journey;
  hash_part parts[] = {
      {"split", 5}, {journey, strlen(journey)}, {r->person, strlen(r->person)}, {name, strlen(name)}};
  uint64_t dice = hash_parts(s->split_key, parts, 4).lo;
  double at = (double)(dice >> 11) * 0x1.0p-53 * total;
  const char *last = NULL; /* for what rounding leaves over */
  for (int i = 0; i < count; i++) {
    at -= branches[i].weight;
    if (at < 0) return branches[i].name;
    if (branches[i].weight > 0) last = branches[i].name;
  }
  return last;
}

static int split_named(lua_State *L) {
  run *r = primitive_run(L, "split");
  if (!lua_istable(L, 1))
    return luaL_error(L, "split \"NAME\" takes { branch = share, ... }, not a %s", luaL_typename(L, 1));
  const char *name = lua_tostring(L, lua_upvalueindex(1));
  primitive_check_name(L, "split", name);
  branch branches[BRANCHES];
  double total = 0;
  int count = read_branches(L, 1, branches, &total);
  const char *chosen = choose(r, name, branches, count, total);
  run_step_info info = {.kind = "split", .name = name, .data = chosen};
  run_step(r, L, &info, true);
  lua_pushstring(L, info.data);
  return 1;
}

int primitive_split(lua_State *L) {
  primitive_run(L, "split");
  if (lua_type(L, 1) != LUA_TSTRING)
    return luaL_error(L, "split takes a name before its shares: split \"NAME\" { a = 50, b = 50 }");
  lua_settop(L, 1);
  lua_pushcclosure(L, split_named, 1);
  return 1;
}
