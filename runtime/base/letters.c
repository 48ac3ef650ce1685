/* Capital and small letters: see letters.h. */
#include "base/letters.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/letters_table.h"
#include "base/utf8.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

typedef enum letter_case { UPPER, LOWER, INITIAL } letter_case;

/* ---- single letters ---- */

/* The character of `length` bytes at `at`, which is valid. */
static uint32_t decode(const char *at, size_t length) {
  static const unsigned char lead[] = {0, 0x7F, 0x1F, 0x0F, 0x07};
  uint32_t code = (unsigned char)at[0] & lead[length];
  for (size_t i = 1; i < length; i++) code = code << 6 | ((unsigned char)at[i] & 0x3F);
  return code;
}

static char *encode(uint32_t code, char *out) {
  if (code < 0x80) {
    *out++ = (char)code;
    return out;
  }
  int more = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
  static const unsigned char lead[] = {0, 0xC0, 0xE0, 0xF0};
  *out++ = (char)(lead[more] | code >> (6 * more));
  while (more-- > 0) *out++ = (char)(0x80 | (code >> (6 * more) & 0x3F));
  return out;
}

static int by_range(const void *wanted, const void *row) {
  uint32_t code = *(const uint32_t *)wanted;
  const letter_range *range = row;
  return code < range->first ? -1 : code > range->last;
}

static uint32_t mapped(const letter_range *ranges, size_t count, uint32_t code) {
  const letter_range *range = bsearch(&code, ranges, count, sizeof *ranges, by_range);
  if (!range || (int64_t)(code - range->first) % range->step != 0) return code;
  return (uint32_t)((int64_t)code + range->delta);
}

static int by_code(const void *wanted, const void *row) {
  uint32_t code = *(const uint32_t *)wanted, other = ((const letter_words *)row)->code;
  return code < other ? -1 : code > other;
}

static const letter_words *special_of(uint32_t code) {
  return bsearch(&code, special, COUNT(special), sizeof *special, by_code);
}

static char *add_text(char *out, const char *text) {
  size_t length = strlen(text);
  memcpy(out, text, length);
  return out + length;
}

/* ---- characters beyond ASCII ---- */

static char *add_capital(uint32_t code, bool initial, char *out) {
  const letter_words *words = special_of(code);
  if (words) return add_text(out, initial ? words->initial : words->capital);
  return encode(mapped(to_capital, COUNT(to_capital), code), out);
}

static char *add_small(uint32_t code, char *out) {
  if (code == 0x0130) return add_text(out, "i\u0307"); /* the only one that becomes two */
  return encode(mapped(to_small, COUNT(to_small), code), out);
}

/* Writes the character at *at as that case wants it, and goes behind it. */
static char *add_character(const char **at, const char *end, letter_case wanted, char *out) {
  size_t length = utf8_sequence(*at, (size_t)(end - *at));
  if (length == 0) {
    *out++ = *(*at)++;
    return out;
  }
  uint32_t code = decode(*at, length);
  *at += length;
  return wanted == LOWER ? add_small(code, out) : add_capital(code, wanted == INITIAL, out);
}

/* ---- texts ---- */

static bool is_small(char c) {
  return c >= 'a' && c <= 'z';
}

static bool is_capital(char c) {
  return c >= 'A' && c <= 'Z';
}

static size_t change(const char *text, size_t length, letter_case wanted, char *out) {
  const char *at = text, *end = text + length;
  char *to = out;
  while (at < end) {
    if (((unsigned char)*at & 0x80) != 0) {
      to = add_character(&at, end, wanted, to);
    } else {
      bool flip = wanted == LOWER ? is_capital(*at) : is_small(*at);
      *to++ = (char)(*at++ ^ (flip ? 0x20 : 0));
    }
  }
  return (size_t)(to - out);
}

size_t letters_upper(const char *text, size_t length, char *out) {
  return change(text, length, UPPER, out);
}

size_t letters_lower(const char *text, size_t length, char *out) {
  return change(text, length, LOWER, out);
}

size_t letters_capitalize(const char *text, size_t length, char *out) {
  size_t first = utf8_sequence(text, length);
  size_t written = change(text, first, INITIAL, out);
  return written + change(text + first, length - first, LOWER, out + written);
}
