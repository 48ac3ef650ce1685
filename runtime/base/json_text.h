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

/* Eight bytes as a number whose lowest byte is the first of them, on every machine. */
static inline uint64_t json_eight(const char *at) {
  uint64_t x;
  memcpy(&x, at, sizeof x);
  return __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? x : __builtin_bswap64(x);
}

static inline uint64_t json_four(const char *at) {
  uint32_t x;
  memcpy(&x, at, sizeof x);
  return __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? x : __builtin_bswap32(x);
}

/* The same for 0 to 7 bytes, and zeros behind them. Those that are read twice stand where they stood. */
static inline uint64_t json_few(const char *at, size_t length) {
  if (length >= 4) return json_four(at) | json_four(at + length - 4) << (8 * (length - 4));
  if (length == 0) return 0;
  uint64_t first = (unsigned char)at[0], middle = (unsigned char)at[length / 2],
           last = (unsigned char)at[length - 1];
  return first | middle << (8 * (length / 2)) | last << (8 * (length - 1));
}

#define JSON_ONES 0x0101010101010101u
#define JSON_TOPS 0x8080808080808080u

/* Of eight bytes, the top bits of those that are not plain: each term has a byte's top bit set when that byte
 * is above ASCII, a quote, a backslash or a control. A borrow can only taint bytes behind one that was found,
 * so the lowest bit is right. */
static inline uint64_t json_odd_bytes(uint64_t x) {
  uint64_t quote = (x ^ (JSON_ONES * '"')) - JSON_ONES;
  uint64_t backslash = (x ^ (JSON_ONES * '\\')) - JSON_ONES;
  uint64_t control = x - JSON_ONES * 0x20;
  return (x | quote | backslash | control) & JSON_TOPS;
}

/* The same for quotes and backslashes alone. */
static inline uint64_t json_stop_bytes(uint64_t x) {
  uint64_t quote = x ^ (JSON_ONES * '"'), backslash = x ^ (JSON_ONES * '\\');
  return (((quote - JSON_ONES) & ~quote) | ((backslash - JSON_ONES) & ~backslash)) & JSON_TOPS;
}

/* The offset of the first of the bytes whose top bits are in `found`. */
static inline int json_first_of(uint64_t found) {
  return __builtin_ctzll(found) / 8;
}

/* Of 0 to 7 bytes, the top bits of those that are not plain. */
static inline uint64_t json_odd_of_few(const char *at, size_t length) {
  return json_odd_bytes(json_few(at, length) | JSON_ONES * 0x20 << (8 * length));
}

/* The first byte from `at` on that is not plain, or `end`. */
static inline const char *json_plain_end(const char *at, const char *end) {
  for (; end - at >= 8; at += 8) {
    uint64_t odd = json_odd_bytes(json_eight(at));
    if (odd) return at + json_first_of(odd);
  }
  uint64_t odd = json_odd_of_few(at, (size_t)(end - at));
  return odd ? at + json_first_of(odd) : end;
}

#endif
