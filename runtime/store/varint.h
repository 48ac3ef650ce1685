/* Numbers as 1 to 10 bytes: 7 bits a byte, the lowest first, the highest bit of a byte set where another one follows. Signed ones are
 * zigzag: 0, -1, 1, -2 … are 0, 1, 2, 3 … */
#ifndef JAUNT_STORE_VARINT_H
#define JAUNT_STORE_VARINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

enum { VARINT_MOST = 10, VARINT_MORE = 0x80 };

/* Writes the number, and returns how many bytes it has. */
size_t varint_put(char out[VARINT_MOST], uint64_t number);

void varint_add_long(buf *out, uint64_t number);
static inline void varint_add(buf *out, uint64_t number) {
  if (number < VARINT_MORE)
    buf_char(out, (char)number);
  else
    varint_add_long(out, number);
}

static inline void varint_add_signed(buf *out, int64_t number) {
  varint_add(out, (uint64_t)number << 1 ^ (number < 0 ? UINT64_MAX : 0));
}

/* Takes a number off [*at, end); false where there is none. */
bool varint_next_long(const char **at, const char *end, uint64_t *out);
static inline bool varint_next(const char **at, const char *end, uint64_t *out) {
  if (*at == end || (unsigned char)**at >= VARINT_MORE) return varint_next_long(at, end, out);
  *out = (unsigned char)*(*at)++;
  return true;
}

static inline bool varint_next_signed(const char **at, const char *end, int64_t *out) {
  uint64_t number;
  if (!varint_next(at, end, &number)) return false;
  *out = (int64_t)(number >> 1 ^ (0 - (number & 1)));
  return true;
}

#endif
