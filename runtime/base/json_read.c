/* Takes apart a text that the scanner accepted: its numbers and strings: see json.h.
 *
 * Nothing is checked again here, so nothing can fail. Containers are the caller's: they are made of whatever
 * values it builds. */
#include "base/json.h"

#include <locale.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/json_text.h"

const char *json_read_start(const char *text, const char *end) {
  text += json_mark_length(text, (size_t)(end - text));
  while (text < end && json_is_space(*text)) text++;
  return text;
}

/* A number as it is written: digits times ten to the exponent. */
typedef struct decimal {
  bool negative, whole;
  bool exact; /* all its digits are in `digits` */
  uint64_t digits;
  int exponent;
} decimal;

enum { EXPONENT_MOST = 100000 }; /* beyond, only zero and infinity are left, and strtod knows which */

static const char *read_digits(const char *at, const char *end, decimal *d) {
  for (; at < end && json_is_digit(*at); at++) {
    if (d->digits > (UINT64_MAX - 9) / 10) {
      d->exact = false;
    } else {
      d->digits = d->digits * 10 + (uint64_t)(*at - '0');
    }
  }
  return at;
}

static const char *read_exponent(const char *at, const char *end, decimal *d) {
  bool negative = *at == '-';
  int exponent = 0;
  if (*at == '-' || *at == '+') at++;
  for (; at < end && json_is_digit(*at); at++) {
    if (exponent < EXPONENT_MOST) exponent = exponent * 10 + (*at - '0');
  }
  d->exponent += negative ? -exponent : exponent;
  return at;
}

static const char *read_decimal(const char *at, const char *end, decimal *d) {
  *d = (decimal){.whole = true, .exact = true};
  if (*at == '-') {
    d->negative = true;
    at++;
  }
  at = read_digits(at, end, d);
  if (at < end && *at == '.') {
    const char *point = ++at;
    at = read_digits(at, end, d);
    ptrdiff_t places = at - point;
    d->exponent = places < EXPONENT_MOST ? -(int)places : -EXPONENT_MOST;
    d->whole = false;
  }
  if (at < end && (*at | 32) == 'e') {
    at = read_exponent(at + 1, end, d);
    d->whole = false;
  }
  return at;
}

/* The C library rounds right whatever the number's length; it wants a NUL and the locale's decimal point. */
static double read_by_library(const char *first, size_t length) {
  const char *point = localeconv()->decimal_point;
  char few[128];
  size_t room = length + strlen(point) + 1;
  char *copy = room <= sizeof few ? few : mem_alloc(room);
  const char *dot = memchr(first, '.', length);
  size_t before = dot ? (size_t)(dot - first) : length, used = before;
  memcpy(copy, first, before);
  if (dot) {
    memcpy(copy + used, point, strlen(point));
    used += strlen(point);
    memcpy(copy + used, dot + 1, length - before - 1);
    used += length - before - 1;
  }
  copy[used] = '\0';
  double value = strtod(copy, NULL);
  if (copy != few) free(copy);
  return value;
}

/* Where digits and power are doubles without rounding, one multiplication or division rounds right
 * (W. D. Clinger, "How to read floating point numbers accurately", 1990). */
static bool read_small(const decimal *d, double *value) {
  static const double powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                  1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
  if (!d->exact || d->digits > (uint64_t)1 << 53 || d->exponent < -22 || d->exponent > 22) return false;
  double digits = d->negative ? -(double)d->digits : (double)d->digits;
  *value = d->exponent < 0 ? digits / powers[-d->exponent] : digits * powers[d->exponent];
  return true;
}

const char *json_read_number(const char *at, const char *end, json_number *number) {
  decimal d;
  const char *behind = read_decimal(at, end, &d);
  uint64_t most = (uint64_t)INT64_MAX + (d.negative ? 1 : 0);
  number->is_integer = d.whole && d.exact && d.digits <= most;
  if (number->is_integer) {
    number->integer = d.negative ? (int64_t)(0 - d.digits) : (int64_t)d.digits;
  } else if (!read_small(&d, &number->real)) {
    number->real = read_by_library(at, (size_t)(behind - at));
  }
  return behind;
}

/* The value of four hexadecimal digits. */
static unsigned read_hex(const char *at) {
  unsigned code = 0;
  for (int i = 0; i < 4; i++)
    code = code * 16 + (unsigned)(at[i] <= '9' ? at[i] - '0' : (at[i] | 32) - 'a' + 10);
  return code;
}

static void add_utf8(buf *out, unsigned code) {
  char *to = buf_room(out, 4);
  if (code < 0x80) {
    to[0] = (char)code;
    out->len += 1;
  } else if (code < 0x800) {
    to[0] = (char)(0xC0 | code >> 6);
    to[1] = (char)(0x80 | (code & 0x3F));
    out->len += 2;
  } else if (code < 0x10000) {
    to[0] = (char)(0xE0 | code >> 12);
    to[1] = (char)(0x80 | (code >> 6 & 0x3F));
    to[2] = (char)(0x80 | (code & 0x3F));
    out->len += 3;
  } else {
    to[0] = (char)(0xF0 | code >> 18);
    to[1] = (char)(0x80 | (code >> 12 & 0x3F));
    to[2] = (char)(0x80 | (code >> 6 & 0x3F));
    to[3] = (char)(0x80 | (code & 0x3F));
    out->len += 4;
  }
}

/* Reads the escape whose backslash is at `at` and returns what follows it. */
static const char *read_escape(const char *at, buf *out) {
  static const char letters[] = "bfnrt", controls[] = "\b\f\n\r\t";
  char c = at[1];
  if (c != 'u') {
    const char *letter = strchr(letters, c);
    buf_char(out, letter ? controls[letter - letters] : c);
    return at + 2;
  }
  unsigned code = read_hex(at + 2);
  at += 6;
  if (code >= 0xD800 && code <= 0xDBFF) {
    code = 0x10000 + ((code - 0xD800) << 10) + (read_hex(at + 2) - 0xDC00);
    at += 6;
  }
  add_utf8(out, code);
  return at;
}

/* The quote that ends the string, or its next backslash: one of them is there. */
static const char *string_stop(const char *at, const char *end) {
  for (; end - at >= 8; at += 8) {
    uint64_t stops = json_stop_bytes(json_eight(at));
    if (stops) return at + json_first_of(stops);
  }
  while (*at != '"' && *at != '\\') at++;
  return at;
}

const char *json_read_string(const char *at, const char *end, buf *scratch, const char **bytes,
                             size_t *length) {
  const char *first = at + 1;
  const char *stop = string_stop(first, end);
  *bytes = first;
  *length = (size_t)(stop - first);
  if (*stop == '"') return stop + 1;
  buf_clear(scratch);
  while (*stop != '"') {
    buf_add(scratch, first, (size_t)(stop - first));
    first = read_escape(stop, scratch);
    stop = string_stop(first, end);
  }
  buf_add(scratch, first, (size_t)(stop - first));
  *bytes = scratch->data ? scratch->data : first;
  *length = scratch->len;
  return stop + 1;
}
