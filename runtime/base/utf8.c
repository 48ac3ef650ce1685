/* UTF-8: see utf8.h. */
#include "base/utf8.h"

#include <stdint.h>
#include <string.h>

static bool continues(unsigned char c) {
  return (c & 0xC0) == 0x80;
}

static bool within(unsigned char c, unsigned char low, unsigned char high) {
  return c >= low && c <= high;
}

/* How many bytes a character has that begins with `c`; 0 where none does. */
static size_t length_by_lead(unsigned char c) {
  if (c < 0x80) return 1;
  if (c < 0xC2) return 0;
  if (c < 0xE0) return 2;
  if (c < 0xF0) return 3;
  return c < 0xF5 ? 4 : 0;
}

/* The second byte's range is what refuses overlong forms, surrogates and code points that are too big. */
static bool second_fits(unsigned char lead, unsigned char second) {
  switch (lead) {
  case 0xE0: return within(second, 0xA0, 0xBF);
  case 0xED: return within(second, 0x80, 0x9F);
  case 0xF0: return within(second, 0x90, 0xBF);
  case 0xF4: return within(second, 0x80, 0x8F);
  default: return continues(second);
  }
}

size_t utf8_sequence(const char *bytes, size_t left) {
  const unsigned char *p = (const unsigned char *)bytes;
  if (left == 0) return 0;
  size_t length = length_by_lead(p[0]);
  if (length > left) return 0;
  if (length > 1 && !second_fits(p[0], p[1])) return 0;
  for (size_t i = 2; i < length; i++) {
    if (!continues(p[i])) return 0;
  }
  return length;
}

size_t utf8_valid_length(const char *bytes, size_t length) {
  const char *at = bytes, *end = bytes + length;
  while (at < end) {
    uint64_t eight;
    while (end - at >= 8 && (memcpy(&eight, at, 8), (eight & 0x8080808080808080u) == 0)) at += 8;
    if (at == end) break;
    size_t step = utf8_sequence(at, (size_t)(end - at));
    if (step == 0) break;
    at += step;
  }
  return (size_t)(at - bytes);
}

bool utf8_valid(const char *bytes, size_t length) {
  return length == 0 || utf8_valid_length(bytes, length) == length;
}

bool utf8_cut(const char *bytes, size_t left) {
  if (left == 0) return true;
  size_t length = length_by_lead((unsigned char)bytes[0]);
  if (length <= left) return false;
  for (size_t i = 1; i < left; i++) {
    if (!continues((unsigned char)bytes[i])) return false;
  }
  return left < 2 || second_fits((unsigned char)bytes[0], (unsigned char)bytes[1]);
}

size_t utf8_trim(const char *bytes, size_t length) {
  for (size_t back = 1; back <= 3 && back <= length; back++) {
    if (utf8_cut(bytes + length - back, back)) return length - back;
  }
  return length;
}
