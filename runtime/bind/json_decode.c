/* Lua values from JSON text: see json.h.
 *
 * The scanner has accepted the text before anything is built, so nothing is checked twice. A table is made for
 * as many members as the last one had that began like it: growing tables is most of what a decoder costs
 * otherwise, and what a worker decodes are the same few shapes again and again. Little stands on the Lua stack
 * meanwhile, because the stack of a run's coroutine stays as large as it has been for as long as the run waits.
 * lua-cjson has no part in this: scanning and building here took 1.7 µs for a call's usual answer where its
 * decoder alone took 2.6 (deep nesting is about even), and it leaks its buffer when Lua is out of memory in the
 * middle, which a run's cap makes ordinary.
 */
#include "bind/json.h"

#include <string.h>

#include "base/json.h"
#include "base/json_text.h"
#include "bind/json_state.h"

typedef struct builder {
  lua_State *L;
  const char *at, *end;
  json_state *state;
  int known; /* stack index of the table of known keys */
} builder;

static void build_value(builder *b);

static char next_token(builder *b) {
  while (json_is_space(*b->at)) b->at++;
  return *b->at;
}

static void build_string(builder *b) {
  const char *bytes;
  size_t length;
  b->at = json_read_string(b->at, b->end, &b->state->scratch, &bytes, &length);
  lua_pushlstring(b->L, bytes, length);
}

/* Pushes the key that was read last at this place among the known ones, if it is the same again: that spares Lua to
 * look the text up. */
static void build_key(builder *b) {
  const char *bytes;
  size_t length;
  b->at = json_read_string(b->at, b->end, &b->state->scratch, &bytes, &length);
  if (length == 0 || length > JSON_KEY_LENGTH) {
    lua_pushlstring(b->L, bytes, length);
    return;
  }
  unsigned place = (unsigned char)bytes[0] + 7u * (unsigned char)bytes[length - 1] + 31u * (unsigned)length;
  json_known_key *key = &b->state->known[place % JSON_KEYS_KNOWN];
  lua_Integer item = (lua_Integer)(place % JSON_KEYS_KNOWN) + 1;
  if (key->bytes && key->length == length && memcmp(key->bytes, bytes, length) == 0) {
    lua_rawgeti(b->L, b->known, item);
    return;
  }
  const char *kept = lua_pushlstring(b->L, bytes, length);
  lua_pushvalue(b->L, -1);
  lua_rawseti(b->L, b->known, item);
  *key = (json_known_key){kept, length};
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

/* Where it is kept how many members a container had whose text goes on from `at` like this: an object by how its first
 * key begins. */
static unsigned char *guess_for(const builder *b) {
  size_t shape = (unsigned char)b->at[0];
  if (b->end - b->at > 2) shape = (shape * 31 + (unsigned char)b->at[1]) * 31 + (unsigned char)b->at[2];
  return &b->state->guesses[shape % JSON_GUESSES];
}

static unsigned char next_guess(lua_Integer count) {
  return (unsigned char)(count < JSON_GUESS_MOST ? count : JSON_GUESS_MOST);
}

static void build_array(builder *b) {
  b->at++;
  bool more = next_token(b) != ']';
  unsigned char *guess = guess_for(b);
  lua_Integer count = 0;
  lua_createtable(b->L, more ? *guess : 0, 0);
  if (!more) b->at++;
  while (more) {
    build_value(b);
    lua_rawseti(b->L, -2, ++count);
    more = next_token(b) == ',';
    b->at++;
  }
  if (count) *guess = next_guess(count);
  json_push_array_mark(b->L);
  lua_setmetatable(b->L, -2);
}

/* Members are set in their order, so that the last of equal keys wins. */
static void build_object(builder *b) {
  b->at++;
  bool more = next_token(b) != '}';
  unsigned char *guess = guess_for(b);
  lua_Integer count = 0;
  lua_createtable(b->L, 0, more ? *guess : 0);
  if (!more) b->at++;
  while (more) {
    next_token(b);
    build_key(b);
    next_token(b);
    b->at++; /* the colon */
    build_value(b);
    lua_rawset(b->L, -3);
    count++;
    more = next_token(b) == ',';
    b->at++;
  }
  if (count) *guess = next_guess(count);
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
    json_need_stack(b->L, 4);
    build_array(b);
    break;
  case '{':
    json_need_stack(b->L, 4);
    build_object(b);
    break;
  default: build_number(b);
  }
}

void json_decode_known(lua_State *L, const char *text, size_t length) {
  json_need_stack(L, 4);
  json_state *state = json_state_of(L);
  builder b = {.L = L, .at = json_read_start(text, text + length), .end = text + length, .state = state};
  json_push_known_keys(L);
  b.known = lua_gettop(L);
  build_value(&b);
  lua_remove(L, b.known);
  json_state_trim(state);
}

int json_decode_value(lua_State *L, const char *text, size_t length, error *err) {
  if (json_scan(text, length, JSON_DEPTH, NULL, err) != 0) return -1;
  json_decode_known(L, text, length);
  return 0;
}
