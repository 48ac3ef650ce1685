/* Functions on tables for scripts: see libraries.h. Lua's own loop in C for as long as a table says, and sort by a
 * pivot that hangs on the clock; these look whether the script is being stopped, and sort stably. */
#include <stdbool.h>

#include "bind/libraries.h"
#include "engine/guard.h"
#include "engine/worker.h"

enum { LOOK_EVERY = 1024 };

static void look(lua_State *L, lua_Integer at) {
  if (at % LOOK_EVERY == 0) guard_check(L);
}

/* Anything that can be indexed will do, as for Lua's own. */
static lua_Integer length_of(lua_State *L, int index) {
  luaL_checktype(L, index, LUA_TTABLE);
  return luaL_len(L, index);
}

/* ---- concat ---- */

static int table_concat(lua_State *L) {
  lua_Integer last = length_of(L, 1);
  size_t between_length;
  const char *between = luaL_optlstring(L, 2, "", &between_length);
  lua_Integer i = luaL_optinteger(L, 3, 1);
  last = luaL_optinteger(L, 4, last);
  size_t most = worker_of(L)->shared->options->limits.text;
  luaL_Buffer out;
  luaL_buffinit(L, &out);
  for (bool first = true; i <= last; i++, first = false) {
    look(L, i);
    if (!first) luaL_addlstring(&out, between, between_length);
    lua_geti(L, 1, i);
    if (!lua_isstring(L, -1))
      return luaL_error(L, "invalid value (at index %I) in table for 'concat'", (LUAI_UACINT)i);
    luaL_addvalue(&out);
    if (luaL_bufflen(&out) > most)
      guard_break(L, "text", "table.concat would make a text of more than %zu bytes", most);
    if (i == LUA_MAXINTEGER) break;
  }
  luaL_pushresult(&out);
  return 1;
}

/* ---- insert, remove and move ---- */

static int table_insert(lua_State *L) {
  lua_Integer end = length_of(L, 1) + 1, at = end;
  int arguments = lua_gettop(L);
  if (arguments != 2 && arguments != 3) return luaL_error(L, "wrong number of arguments to 'insert'");
  if (arguments == 3) {
    at = luaL_checkinteger(L, 2);
    luaL_argcheck(L, (lua_Unsigned)at - 1u < (lua_Unsigned)end, 2, "position out of bounds");
    for (lua_Integer i = end; i > at; i--) {
      look(L, i);
      lua_geti(L, 1, i - 1);
      lua_seti(L, 1, i);
    }
  }
  lua_seti(L, 1, at);
  return 0;
}

static int table_remove(lua_State *L) {
  lua_Integer size = length_of(L, 1), at = luaL_optinteger(L, 2, size);
  if (!lua_isnone(L, 2))
    luaL_argcheck(L, (lua_Unsigned)at - 1u <= (lua_Unsigned)size, 2, "position out of bounds");
  lua_geti(L, 1, at);
  for (; at < size; at++) {
    look(L, at);
    lua_geti(L, 1, at + 1);
    lua_seti(L, 1, at);
  }
  lua_pushnil(L);
  lua_seti(L, 1, at);
  return 1;
}

static int table_move(lua_State *L) {
  lua_Integer from = luaL_checkinteger(L, 2), end = luaL_checkinteger(L, 3), to = luaL_checkinteger(L, 4);
  int target = lua_isnoneornil(L, 5) ? 1 : 5;
  luaL_checktype(L, 1, LUA_TTABLE);
  luaL_checktype(L, target, LUA_TTABLE);
  if (end >= from) {
    luaL_argcheck(L, from > 0 || end < LUA_MAXINTEGER + from, 3, "too many elements to move");
    lua_Integer count = end - from + 1;
    luaL_argcheck(L, to <= LUA_MAXINTEGER - count + 1, 4, "destination wrap around");
    bool upwards = to > end || to <= from || (target != 1 && !lua_rawequal(L, 1, target));
    for (lua_Integer n = 0; n < count; n++) {
      lua_Integer i = upwards ? n : count - 1 - n;
      look(L, n);
      lua_geti(L, 1, from + i);
      lua_seti(L, target, to + i);
    }
  }
  lua_pushvalue(L, target);
  return 1;
}

/* ---- sort ---- */

/* Whether the value at `b` has to stand before the one at `a`, which now does. Without an order function (at 2) by <. */
static bool is_before(lua_State *L, int b, int a) {
  if (lua_isnil(L, 2)) return lua_compare(L, b, a, LUA_OPLT);
  lua_pushvalue(L, 2);
  lua_pushvalue(L, b < 0 ? b - 1 : b);
  lua_pushvalue(L, a < 0 ? a - 2 : a);
  lua_call(L, 2, 1);
  bool before = lua_toboolean(L, -1);
  lua_pop(L, 1);
  return before;
}

/* Merges from[low..middle) and from[middle..high) into `to`; both are stack indices. */
static void merge(lua_State *L, int from, int to, lua_Integer low, lua_Integer middle, lua_Integer high) {
  lua_Integer left = low, right = middle;
  for (lua_Integer at = low; at < high; at++) {
    look(L, at);
    if (left < middle && right < high) {
      lua_rawgeti(L, from, left);
      lua_rawgeti(L, from, right);
      bool takes_right = is_before(L, -1, -2); /* of equal ones the left one goes first */
      if (takes_right) {
        right++;
        lua_replace(L, -2);
      } else {
        left++;
        lua_pop(L, 1);
      }
      lua_rawseti(L, to, at);
    } else {
      lua_rawgeti(L, from, left < middle ? left++ : right++);
      lua_rawseti(L, to, at);
    }
  }
}

/* Sorts bottom-up, to and fro between two lists; returns the stack index of the one that holds the result. */
static int merge_sort(lua_State *L, int from, int to, lua_Integer count) {
  for (lua_Integer width = 1; width < count; width *= 2) {
    for (lua_Integer low = 1; low <= count; low += 2 * width) {
      lua_Integer middle = low + width, high = low + 2 * width;
      if (middle > count + 1) middle = count + 1;
      if (high > count + 1) high = count + 1;
      merge(L, from, to, low, middle, high);
    }
    int other = from;
    from = to;
    to = other;
  }
  return from;
}

static int table_sort(lua_State *L) {
  lua_Integer count = length_of(L, 1);
  if (count < 2) return 0;
  luaL_argcheck(L, count < 1 << 24, 1, "array too big");
  if (!lua_isnoneornil(L, 2)) luaL_checktype(L, 2, LUA_TFUNCTION);
  lua_settop(L, 2);
  lua_createtable(L, 0, 0); /* 3 and 4: the two lists */
  lua_createtable(L, 0, 0);
  for (lua_Integer i = 1; i <= count; i++) {
    look(L, i);
    lua_geti(L, 1, i);
    lua_rawseti(L, 3, i);
  }
  int sorted = merge_sort(L, 3, 4, count);
  for (lua_Integer i = 1; i <= count; i++) {
    look(L, i);
    lua_rawgeti(L, sorted, i);
    lua_seti(L, 1, i);
  }
  return 0;
}

int library_table(lua_State *L) {
  static const luaL_Reg functions[] = {{"concat", table_concat}, {"insert", table_insert},
                                       {"remove", table_remove}, {"move", table_move},
                                       {"sort", table_sort},     {NULL, NULL}};
  luaL_newlib(L, functions);
  return 1;
}
