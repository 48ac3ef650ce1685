/* What the files of json.h share: how to run over the bytes that need no second look. */
#ifndef JAUNT_BASE_JSON_TEXT_H
#define JAUNT_BASE_JSON_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline bool json_is_space(char c) {
  return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

static inline bool json_is_digit(char c) {
  return c >= '0' && c <= '9';
}

/* The length of the byte order mark that the text begins with: 3, or 0 without one. */
static inline size_t json_mark_length(const char *text, size_t length) {
  return length >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;
}

/* True for ASCII that stands for itself within a string: no quote, no backslash, no control. */
static inline bool json_is_plain(char c) {
  unsigned char u = (unsigned char)c;
  return u >= 0x20 && u < 0x80 && u != '"' && u != '\\';
}

/* The first byte from `at` on that is not plain, or `end`. Looks at eight bytes at once: each term below
 * has a byte's top bit set when that byte is above ASCII, a quote, a backslash or a control. A borrow can
 * only taint bytes behind one that was found, and those are looked at singly. */
static inline const char *json_plain_end(const char *at, const char *end) {
  const uint64_t ones = 0x0101010101010101u, tops = 0x8080808080808080u;
  while (end - at >= 8) {
    uint64_t x;
    memcpy(&x, at, 8);
    uint64_t quote = (x ^ (ones * '"')) - ones;
    uint64_t backslash = (x ^ (ones * '\\')) - ones;
    uint64_t control = x - ones * 0x20;
    if ((x | quote | backslash | control) & tops) break;
    at += 8;
  }
  while (at < end && json_is_plain(*at)) at++;
  return at;
}

#endif
