/* Numbers of more than one byte: see varint.h. */
#include "store/varint.h"

size_t varint_put(char out[VARINT_MOST], uint64_t number) {
  size_t length = 0;
  while (number >= VARINT_MORE) out[length++] = (char)(number | VARINT_MORE), number >>= 7;
  out[length++] = (char)number;
  return length;
}

void varint_add_long(buf *out, uint64_t number) {
  out->len += varint_put(buf_room(out, VARINT_MOST), number);
}

bool varint_next_long(const char **at, const char *end, uint64_t *out) {
  uint64_t number = 0;
  const char *p = *at;
  for (int shift = 0; shift < 64; shift += 7, p++) {
    if (p == end) return false;
    number |= (uint64_t)(*p & 0x7f) << shift;
    if (*p & VARINT_MORE) continue;
    *at = p + 1;
    *out = number;
    return true;
  }
  return false;
}
