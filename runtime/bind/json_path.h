/* Where a value stands within the value that is encoded, for errors: person.cart[3].price. */
#ifndef JAUNT_BIND_JSON_PATH_H
#define JAUNT_BIND_JSON_PATH_H

#include <stddef.h>

#include "base/buf.h"
#include "base/error.h"

/* One step of a path. The steps of one path lie in the frames of the functions that walk it. */
typedef struct json_place {
  const struct json_place *outer; /* NULL at the root, whose name is the key */
  const char *key;                /* NULL for an array's item */
  size_t key_length;
  long long index; /* the item's, from 1 */
} json_place;

/* Appends a key as it is written in Lua: .name or ["any name"]; what is not text as \xNN; cut when long. */
void json_path_add_key(buf *out, const char *key, size_t length);

/* Fills `err` with the path and what is said of it. Of a very long path the ends are told. Returns -1. */
int json_path_error(error *err, const json_place *place, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
