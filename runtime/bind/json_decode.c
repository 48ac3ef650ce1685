/* Lua values from JSON text: see json.h.
 *
 * The scanner has accepted the text before anything is built, so nothing is checked twice. Members are
 * gathered on the Lua stack and put into a table that is made for their number; growing tables one by one
 * is most of what a decoder costs otherwise. lua-cjson has no part in this: scanning and
 * building here took 1.7 µs for a call's usual answer where its decoder alone took 2.6 (deep nesting is about
 * even), and it leaks its buffer when Lua is out of memory in the middle, which a run's cap makes ordinary.
 */
#include "bind/json.h"

#include "base/json.h"
#include "base/json_text.h"
#include "bind/json_state.h"

/* Members that wait on the stack before they go into their table: few, because the stack of a run's coroutine
 * stays as large as it has been, for as long as the run waits. */
enum { GATHERED_MOST = 8 };

typedef struct builder {
  lua_State *L;
  const char *at, *end;
  int array_mark; /* stack index of the metatable for arrays; there when the text has arrays... */
  buf *scratch;   /* ...and this when it has escapes */
} builder;

static void build_value(builder *b);

static char next_token(builder *b) {
  while (json_is_space(*b->at)) b->at++;
  return *b->at;
}

static void build_string(builder *b) {
  const char *bytes;
  size_t length;
  b->at = json_read_string(b->at, b->end, b->scratch, &bytes, &length);
  lua_pushlstring(b->L, bytes, length);
}

static void build_number(builder *b) {
  json_number number;
  b->at = json_read_number(b->at, b->end, &number);
  if (number.is_integer) {
    lua_pushinteger(b->L, number.integer);
  } else {
    lua_pushnumber(b->L, number.real);
  }
}

/* The table that belongs at stack index `slot`, where nil stands until the first members are there. */
static void make_table(builder *b, int slot, int items, int pairs) {
  if (!lua_isnil(b->L, slot)) return;
  lua_createtable(b->L, items, pairs);
  lua_replace(b->L, slot);
}

/* stack: table or nil at `slot`, items */
static lua_Integer store_items(builder *b, int slot, lua_Integer stored, bool more) {
  int gathered = lua_gettop(b->L) - slot;
  make_table(b, slot, more ? 2 * gathered : gathered, 0);
  for (int i = 1; i <= gathered; i++) {
    lua_pushvalue(b->L, slot + i);
    lua_rawseti(b->L, slot, ++stored);
  }
  lua_settop(b->L, slot);
  return stored;
}

static void build_array(builder *b) {
  lua_pushnil(b->L);
  int slot = lua_gettop(b->L);
  lua_Integer stored = 0;
  b->at++;
  bool more = next_token(b) != ']';
  if (!more) b->at++;
  while (more) {
    build_value(b);
    more = next_token(b) == ',';
    b->at++;
    if (!more || lua_gettop(b->L) - slot == GATHERED_MOST) stored = store_items(b, slot, stored, more);
  }
  make_table(b, slot, 0, 0);
  lua_pushvalue(b->L, b->array_mark);
  lua_setmetatable(b->L, slot);
}

/* stack: table or nil at `slot`, keys and values in turn; in their order, so that the last of equal keys wins
 */
static void store_pairs(builder *b, int slot, bool more) {
  int gathered = lua_gettop(b->L) - slot;
  make_table(b, slot, 0, more ? gathered : gathered / 2);
  for (int i = 1; i < gathered; i += 2) {
    lua_pushvalue(b->L, slot + i);
    lua_pushvalue(b->L, slot + i + 1);
    lua_rawset(b->L, slot);
  }
  lua_settop(b->L, slot);
}

static void build_object(builder *b) {
  lua_pushnil(b->L);
  int slot = lua_gettop(b->L);
  b->at++;
  bool more = next_token(b) != '}';
  if (!more) b->at++;
  while (more) {
    next_token(b);
    build_string(b);
    next_token(b);
    b->at++; /* the colon */
    build_value(b);
    more = next_token(b) == ',';
    b->at++;
    if (!more || lua_gettop(b->L) - slot == 2 * GATHERED_MOST) store_pairs(b, slot, more);
  }
  make_table(b, slot, 0, 0);
}

static void build_word(builder *b) {
  char c = *b->at;
  if (c == 'n') {
    lua_pushlightuserdata(b->L, NULL);
  } else {
    lua_pushboolean(b->L, c == 't');
  }
  b->at += c == 'f' ? 5 : 4;
}

static void build_value(builder *b) {
  switch (next_token(b)) {
  case '"': build_string(b); break;
  case 't':
  case 'f':
  case 'n': build_word(b); break;
  case '[':
    json_need_stack(b->L, GATHERED_MOST + 4);
    build_array(b);
    break;
  case '{':
    json_need_stack(b->L, 2 * GATHERED_MOST + 4);
    build_object(b);
    break;
  default: build_number(b);
  }
}

int json_decode_value(lua_State *L, const char *text, size_t length, error *err) {
  json_marks marks;
  if (json_scan(text, length, JSON_DEPTH, &marks, err) != 0) return -1;
  json_need_stack(L, 4);
  builder b = {.L = L, .at = json_read_start(text, text + length), .end = text + length};
  if (!marks.arrays && !marks.escapes) {
    build_value(&b);
    return 0;
  }
  json_state *state = json_state_of(L);
  json_push_array_mark(L);
  b.array_mark = lua_gettop(L);
  b.scratch = &state->scratch;
  build_value(&b);
  lua_remove(L, b.array_mark);
  json_state_trim(state);
  return 0;
}
