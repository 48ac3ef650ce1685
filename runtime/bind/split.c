/* split "NAME" { a = 50, b = 50 }: a branch's name, the same for the same person for ever; and a payload's variant. */
#include <math.h>
#include <string.h>

#include "base/hash.h"
#include "bind/primitive.h"

typedef struct branch {
  const char *name;
  double weight;
} branch;

enum { BRANCHES = 64 };

/* Puts it among the others, in the order of their names. They are few. */
static void insert(branch *branches, int count, branch added) {
  int at = count;
  for (; at > 0 && strcmp(branches[at - 1].name, added.name) > 0; at--) branches[at] = branches[at - 1];
  branches[at] = added;
}

/* Reads the branches in the order of their names, so that the table's own order does not matter. */
static int read_branches(lua_State *L, int index, branch *out, double *total) {
  int count = 0;
  lua_pushnil(L);
  while (lua_next(L, index)) {
    double share = lua_type(L, -1) == LUA_TNUMBER ? lua_tonumber(L, -1) : -1;
    if (lua_type(L, -2) != LUA_TSTRING || !(share >= 0 && isfinite(share)))
      return luaL_error(L, "split takes shares by name, such as { plain = 50, funny = 50 }");
    if (count == BRANCHES) return luaL_error(L, "split takes %d branches at most", BRANCHES);
    insert(out, count++, (branch){lua_tostring(L, -2), share});
    lua_pop(L, 1);
  }
  *total = 0;
  for (int i = 0; i < count; i++) *total += out[i].weight;
  if (!(*total > 0)) return luaL_error(L, "split needs at least one branch with a share above 0");
  if (!isfinite(*total)) return luaL_error(L, "split: the shares are too big to be added up");
  return count;
}

static const char *choose(const run *r, shared_dice kind, const char *name, const branch *branches, int count,
                          double total) {
  hash_part parts[] = {{r->person, strlen(r->person)}, {name, strlen(name)}};
  double at = shared_throw(r->in->shared, kind, parts, 2) * total;
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
  branch branches[BRANCHES];
  double total = 0;
  int count = read_branches(L, 1, branches, &total);
  const char *chosen = choose(r, DICE_SPLIT, name, branches, count, total);
  run_step_info info = {.kind = "split", .name = name, .data = chosen};
  run_step(r, L, &info, true);
  lua_pushstring(L, info.data);
  return 1;
}

/* Its upvalue holds the functions that it has given, by name: they have nothing else, and serve all runs. */
static int split(lua_State *L) {
  primitive_run(L, "split");
  if (lua_type(L, 1) != LUA_TSTRING)
    return luaL_error(L, "split takes a name before its shares: split \"NAME\" { a = 50, b = 50 }");
  lua_settop(L, 1);
  lua_pushvalue(L, 1);
  if (lua_rawget(L, lua_upvalueindex(1)) != LUA_TNIL) return 1;
  primitive_check_name(L, "split", lua_tostring(L, 1));
  lua_pushvalue(L, 1);
  lua_pushcclosure(L, split_named, 1);
  lua_pushvalue(L, 1);
  lua_pushvalue(L, -2);
  lua_rawset(L, lua_upvalueindex(1));
  return 1;
}

void split_open(lua_State *L) {
  lua_newtable(L);
  lua_createtable(L, 0, 1);
  lua_pushliteral(L, "v"); /* what a script makes names of is not kept for ever */
  lua_setfield(L, -2, "__mode");
  lua_setmetatable(L, -2);
  lua_pushcclosure(L, split, 1);
}

/* choose(name, variants): one of a payload's variants, all alike in share; the same for the same person for ever. No step: what
 * was sent stands in the intent. */
int vocabulary_choose(lua_State *L) {
  const char *name = luaL_checkstring(L, 1);
  int count = (int)luaL_len(L, 2);
  if (count < 1 || count > BRANCHES)
    return luaL_error(L, "payload %s has %d variants: 1 to %d are taken", name, count, BRANCHES);
  branch branches[BRANCHES];
  for (int i = 0; i < count; i++) {
    lua_rawgeti(L, 2, i + 1);
    branches[i] = (branch){lua_tostring(L, -1), 1};
    lua_pop(L, 1); /* the table keeps it */
  }
  lua_pushstring(L, choose(worker_of(L)->current, DICE_PAYLOAD, name, branches, count, count));
  return 1;
}
