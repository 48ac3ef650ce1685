/* What json_module.c, json_encode.c and json_decode.c share: one small state for each lua_State. */
#ifndef JAUNT_BIND_JSON_STATE_H
#define JAUNT_BIND_JSON_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <lua.h>

#include "base/buf.h"
#include "base/error.h"

/* A member of the table that is being encoded; its key stands at stack index `slot`, its value behind it. */
typedef struct json_key {
  uint64_t first; /* the key's first eight bytes, so that numbers are in the order of keys */
  const char *bytes;
  size_t length;
  int slot;
} json_key;

/* A key that was decoded before: a string in the table of known keys, so that its bytes stay where they are. */
typedef struct json_known_key {
  const char *bytes; /* NULL: none */
  size_t length;
} json_known_key;

enum {
  JSON_KEYS_KNOWN = 64,
  JSON_KEY_LENGTH = 40, /* of the longest one that is kept: Lua has each text up to that length once */
  JSON_GUESSES = 64,
  JSON_GUESS_MOST = 32, /* a guess that is wrong wastes no more room than this */
};

/* Room that is used again from call to call. It is Lua's, so an error that unwinds the C stack leaks nothing;
 * no Lua code runs while any of it is in use, so coroutines and finalizers cannot mix it up. */
typedef struct json_state {
  buf out;     /* the text that is written */
  buf scratch; /* a string whose escapes were resolved */
  json_key *keys;
  size_t key_count, key_room;
  json_known_key
      known[JSON_KEYS_KNOWN]; /* each is the item of its number, from 1, in the table of known keys */
  unsigned char guesses[JSON_GUESSES]; /* how many members containers of some shape had, see json_decode.c */
} json_state;

/* The state of this lua_State. Made on first use, which may raise out of memory; allocates nothing later. */
json_state *json_state_of(lua_State *L);

/* Makes room on the Lua stack, or raises Lua's own words for out of memory: what it lacks is never slots. */
void json_need_stack(lua_State *L, int slots);

/* Gives back what an unusually big value made grow. */
void json_state_trim(json_state *state);

/* Encodes the value at `index` as json_encode_lines does, into the state's `out`, where it stays until the next
 * value is encoded; to be followed by json_state_trim. Returns the state, or NULL and fills `err`. */
json_state *json_encode_kept(lua_State *L, int index, const char *name, int indent, error *err);

/* All want a state, and allocate nothing: push the metatable that marks a table as an array, the string "__raw",
 * and the table of known keys. */
void json_push_array_mark(lua_State *L);
void json_push_raw_name(lua_State *L);
void json_push_known_keys(lua_State *L);

/* Pushes json.empty_array, which is [] wherever it stands. */
void json_push_empty_array(lua_State *L);

/* True when the value at `index` is json.empty_array. */
bool json_is_empty_array(lua_State *L, int index);

#endif
