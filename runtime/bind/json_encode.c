/* JSON text from Lua values: see json.h.
 *
 * Tables are read raw and nothing of Lua's is allocated on the way, so no script and no finalizer runs in
 * the middle, and nothing raises: what cannot be written becomes an error that gives the path to it. */
#include "bind/json.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/json.h"
#include "base/json_text.h"
#include "bind/json_path.h"
#include "bind/json_state.h"

/* Slots of the Lua stack: four members, a view with its metatables, and what looking at them takes. */
enum { STACK_ROOM = 20 };

typedef struct encoder {
  lua_State *L;
  buf *out;
  int indent, depth;
  int array_mark, raw_name; /* stack indices: the metatable of arrays, the string "__raw" */
  json_state *state;
  error *err;
} encoder;

/* What the keys of a table are, and how many. */
typedef struct census {
  size_t names;                    /* keys that are strings */
  lua_Integer integers, low, high; /* keys that are integers: how many, the lowest, the highest */
} census;

static int encode_value(encoder *e, int index, const json_place *place);

static inline void add_char(encoder *e, char c) {
  buf *out = e->out;
  if (out->len == out->cap) buf_room(out, 1);
  out->data[out->len++] = c;
}

/* ---- the parts that need no table ---- */

static int encode_number(encoder *e, int index, const json_place *place) {
  if (lua_isinteger(e->L, index)) {
    json_write_integer(e->out, lua_tointeger(e->L, index));
    return 0;
  }
  lua_Number value = lua_tonumber(e->L, index);
  if (json_write_double(e->out, value) == 0) return 0;
  return json_path_error(e->err, place,
                         "is %s, which JSON cannot hold; json.null says that there is no value",
                         value != value ? "NaN" : "infinite");
}

static int encode_string(encoder *e, int index, const json_place *place) {
  size_t length;
  const char *bytes = lua_tolstring(e->L, index, &length);
  if (json_write_string(e->out, bytes, length) == 0) return 0;
  size_t good = utf8_valid_length(bytes, length);
  return json_path_error(e->err, place,
                         "is not valid UTF-8 (byte %zu is 0x%02X); convert it, or send bytes as base64",
                         good + 1, (unsigned char)bytes[good]);
}

static int encode_light(encoder *e, int index, const json_place *place) {
  if (lua_touserdata(e->L, index) == NULL) {
    buf_add(e->out, "null", 4);
  } else if (json_is_empty_array(e->L, index)) {
    buf_add(e->out, "[]", 2);
  } else {
    return json_path_error(e->err, place, "is a userdata, which JSON cannot hold");
  }
  return 0;
}

static void new_line(encoder *e) {
  if (e->indent == 0) return;
  size_t blanks = (size_t)(e->indent * e->depth);
  add_char(e, '\n');
  memset(buf_room(e->out, blanks), ' ', blanks);
  e->out->len += blanks;
}

/* ---- tables ---- */

/* Pushes the table or userdata at `index`, or the table that it is a view of. Returns -1 when views follow
 * each other without end. */
static int push_behind(encoder *e, int index) {
  lua_State *L = e->L;
  lua_pushvalue(L, index);
  for (int views = 0; lua_getmetatable(L, -1); views++) {
    lua_pushvalue(L, e->raw_name);
    lua_rawget(L, -2);
    if (lua_isboolean(L, -1) && lua_type(L, -3) == LUA_TUSERDATA) { /* stack: view, metatable, true */
      lua_getiuservalue(L, -3, 1);
      lua_replace(L, -2);
    }
    if (!lua_istable(L, -1)) {
      lua_pop(L, 2);
      break;
    }
    if (views == JSON_DEPTH) return -1;
    lua_replace(L, -3);
    lua_pop(L, 1);
  }
  return 0;
}

/* The key's first bytes as a number that is in the order of the bytes; what a short key lacks counts as 0. */
static uint64_t first_bytes(const char *bytes, size_t length) {
  return __builtin_bswap64(length >= 8 ? json_eight(bytes) : json_few(bytes, length));
}

/* Keeps the member whose key is the string at `slot`. */
static void keep_key(encoder *e, int slot) {
  json_state *state = e->state;
  if (state->key_count == state->key_room) {
    state->key_room = state->key_room ? state->key_room * 2 : 64;
    state->keys = mem_grow(state->keys, state->key_room * sizeof *state->keys);
  }
  json_key *key = &state->keys[state->key_count++];
  key->slot = slot;
  key->bytes = lua_tolstring(e->L, slot, &key->length);
  key->first = first_bytes(key->bytes, key->length);
}

static void count_integer(census *found, lua_Integer key) {
  if (found->integers == 0 || key < found->low) found->low = key;
  if (found->integers == 0 || key > found->high) found->high = key;
  found->integers++;
}

/* Keeps the member on top of the stack, the `count`th, and pushes its key once more, for lua_next. Room is made
 * for four members at once. */
static int keep_member(encoder *e, int slot, size_t count, const json_place *place) {
  keep_key(e, slot);
  if (count % 4 == 0 && !lua_checkstack(e->L, STACK_ROOM))
    return json_path_error(e->err, place, "has too many keys to be sorted");
  lua_pushvalue(e->L, slot);
  return 0;
}

/* Looks at all keys of the table; members whose keys are strings stay on the stack and are kept in the state.
 * stack: …, string keys and their values in turn */
static int take_census(encoder *e, int table, const json_place *place, census *found) {
  lua_State *L = e->L;
  int slot = lua_gettop(L) + 1;
  *found = (census){0};
  lua_pushnil(L);
  while (lua_next(L, table)) {
    int whole = 0, type = lua_type(L, slot);
    if (type == LUA_TSTRING) {
      if (keep_member(e, slot, ++found->names, place) != 0) return -1;
      slot += 2;
      continue;
    }
    lua_Integer key = type == LUA_TNUMBER ? lua_tointegerx(L, slot, &whole) : 0;
    if (!whole) {
      return json_path_error(e->err, place,
                             "has a key that is a %s; JSON's keys are strings, so use tostring(key)",
                             lua_typename(L, type));
    }
    count_integer(found, key);
    lua_settop(L, slot);
  }
  return 0;
}

/* ---- objects ---- */

static int by_bytes(const void *left, const void *right) {
  const json_key *a = left, *b = right;
  if (a->first != b->first) return a->first < b->first ? -1 : 1;
  size_t shorter = a->length < b->length ? a->length : b->length;
  int order = memcmp(a->bytes, b->bytes, shorter);
  return order ? order : (a->length > b->length) - (a->length < b->length);
}

/* Most objects have few keys, and qsort is slow to begin. */
static void sort_keys(json_key *keys, size_t count) {
  if (count > 16) {
    qsort(keys, count, sizeof *keys, by_bytes);
    return;
  }
  for (size_t i = 1; i < count; i++) {
    json_key key = keys[i];
    size_t j = i;
    for (; j > 0 && by_bytes(&key, &keys[j - 1]) < 0; j--) keys[j] = keys[j - 1];
    keys[j] = key;
  }
}

static int encode_member(encoder *e, json_key key, const json_place *outer) {
  json_place place = {.outer = outer, .key = key.bytes, .key_length = key.length};
  new_line(e);
  if (json_write_string(e->out, key.bytes, key.length) != 0) {
    return json_path_error(e->err, &place, "has a name that is not valid UTF-8");
  }
  add_char(e, ':');
  if (e->indent) add_char(e, ' ');
  return encode_value(e, key.slot + 1, &place);
}

/* Keys are looked up by number: members grow the array that they are in. */
static int encode_object(encoder *e, size_t first_key, const json_place *place) {
  json_state *state = e->state;
  size_t behind = state->key_count;
  sort_keys(state->keys + first_key, behind - first_key);
  add_char(e, '{');
  e->depth++;
  for (size_t i = first_key; i < behind; i++) {
    if (i > first_key) add_char(e, ',');
    if (encode_member(e, state->keys[i], place) != 0) return -1;
  }
  e->depth--;
  if (behind > first_key) new_line(e);
  add_char(e, '}');
  return 0;
}

/* ---- arrays ---- */

static int encode_array(encoder *e, int table, lua_Integer count, const json_place *outer) {
  int item = lua_gettop(e->L) + 1;
  add_char(e, '[');
  e->depth++;
  for (lua_Integer i = 1; i <= count; i++) {
    json_place place = {.outer = outer, .index = i};
    if (i > 1) add_char(e, ',');
    new_line(e);
    lua_rawgeti(e->L, table, i);
    if (encode_value(e, item, &place) != 0) return -1;
    lua_settop(e->L, item - 1);
  }
  e->depth--;
  if (count > 0) new_line(e);
  add_char(e, ']');
  return 0;
}

/* Integer keys that are not 1 to n. */
static int fail_gaps(encoder *e, int table, const census *found, const json_place *place) {
  lua_Integer odd = found->low;
  if (odd >= 1) {
    for (odd = 1; lua_rawgeti(e->L, table, odd) != LUA_TNIL; odd++) lua_pop(e->L, 1);
  }
  return json_path_error(
      e->err, place,
      "has integer keys that are no array's: %s [%lld]; fill gaps with json.null, or make it an "
      "object by tostring(key)",
      found->low < 1 ? "there is" : "there is nothing at", (long long)odd);
}

static int fail_mixed(encoder *e, const json_key *name, const census *found, const json_place *place) {
  buf key = BUF_EMPTY;
  json_path_add_key(&key, name->bytes, name->length);
  if (found->integers > 0) {
    json_path_error(
        e->err, place,
        "has integer keys ([%lld]) and names (%s) together; JSON has arrays and objects, but no mixture",
        (long long)found->low, buf_text(&key));
  } else {
    json_path_error(e->err, place, "is marked as an array, but has the name %s; copy it into a plain table",
                    buf_text(&key));
  }
  buf_free(&key);
  return -1;
}

/* ---- values ---- */

/* A table that is no view; `marked` as an array, or not. Leaves its members on the stack. */
static int encode_plain_table(encoder *e, int table, bool marked, const json_place *place) {
  size_t first_key = e->state->key_count;
  census found;
  if (take_census(e, table, place, &found) != 0) return -1;
  if (found.names > 0 && (found.integers > 0 || marked)) {
    return fail_mixed(e, &e->state->keys[first_key], &found, place);
  }
  if (found.integers > 0 && (found.low < 1 || found.high != found.integers))
    return fail_gaps(e, table, &found, place);
  int status = found.integers > 0 || marked ? encode_array(e, table, found.integers, place)
                                            : encode_object(e, first_key, place);
  e->state->key_count = first_key;
  return status;
}

/* A table or userdata with a metatable, which stands on top of the stack. */
static int encode_with_metatable(encoder *e, int index, const json_place *place) {
  lua_State *L = e->L;
  if (lua_rawequal(L, -1, e->array_mark)) return encode_plain_table(e, index, true, place);
  if (push_behind(e, index) != 0)
    return json_path_error(e->err, place, "is a view (__raw) of views without end");
  if (!lua_istable(L, -1)) return json_path_error(e->err, place, "is a userdata, which JSON cannot hold");
  int table = lua_gettop(L);
  bool marked = lua_getmetatable(L, table) && lua_rawequal(L, -1, e->array_mark);
  return encode_plain_table(e, table, marked, place);
}

static int encode_table(encoder *e, int index, const json_place *place) {
  lua_State *L = e->L;
  if (e->depth == JSON_DEPTH) {
    return json_path_error(e->err, place, "is nested more than %d deep; does a table contain itself?",
                           JSON_DEPTH);
  }
  int top = lua_gettop(L), status;
  if (!lua_checkstack(L, STACK_ROOM)) return json_path_error(e->err, place, "finds no room on the Lua stack");
  if (lua_getmetatable(L, index)) {
    status = encode_with_metatable(e, index, place);
  } else if (lua_istable(L, index)) {
    status = encode_plain_table(e, index, false, place);
  } else {
    status = json_path_error(e->err, place, "is a userdata, which JSON cannot hold");
  }
  lua_settop(L, top);
  return status;
}

static int encode_value(encoder *e, int index, const json_place *place) {
  if (e->out->len > JSON_ENCODE_MOST) {
    return json_path_error(e->err, place, "comes after %d MiB of JSON, which is the most that is written",
                           JSON_ENCODE_MOST >> 20);
  }
  switch (lua_type(e->L, index)) {
  case LUA_TNIL: buf_add(e->out, "null", 4); return 0;
  case LUA_TBOOLEAN: buf_text_add(e->out, lua_toboolean(e->L, index) ? "true" : "false"); return 0;
  case LUA_TNUMBER: return encode_number(e, index, place);
  case LUA_TSTRING: return encode_string(e, index, place);
  case LUA_TLIGHTUSERDATA: return encode_light(e, index, place);
  case LUA_TTABLE:
  case LUA_TUSERDATA: return encode_table(e, index, place);
  default:
    return json_path_error(e->err, place, "is a %s, which JSON cannot hold",
                           lua_typename(e->L, lua_type(e->L, index)));
  }
}

json_state *json_encode_kept(lua_State *L, int index, const char *name, int indent, error *err) {
  int top = lua_gettop(L);
  index = lua_absindex(L, index);
  json_place root = {.key = name, .key_length = strlen(name)};
  if (!lua_checkstack(L, 8)) {
    json_path_error(err, &root, "finds no room on the Lua stack");
    return NULL;
  }
  json_state *state = json_state_of(L); /* from here on, nothing of Lua's is allocated */
  json_push_array_mark(L);
  json_push_raw_name(L);
  buf_clear(&state->out);
  encoder e = {.L = L, .out = &state->out, .indent = indent, .state = state, .err = err};
  e.array_mark = top + 1;
  e.raw_name = top + 2;
  int status = encode_value(&e, index, &root);
  state->key_count = 0;
  lua_settop(L, top);
  if (status == 0) return state;
  json_state_trim(state);
  return NULL;
}

int json_encode_lines(lua_State *L, int index, buf *out, const char *name, int indent, error *err) {
  json_state *state = json_encode_kept(L, index, name, indent, err);
  if (!state) return -1;
  buf_add(out, state->out.data, state->out.len);
  json_state_trim(state);
  return 0;
}

int json_encode_value(lua_State *L, int index, buf *out, const char *name, error *err) {
  return json_encode_lines(L, index, out, name, 0, err);
}
