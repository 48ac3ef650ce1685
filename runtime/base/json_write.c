/* Writes the parts of a JSON text: strings, integers, doubles: see json.h.
 *
 * No printf: it is slow, and it follows the locale. Who writes containers puts the parts together. */
#include "base/json.h"

#include <string.h>

#include "base/json_powers.h"
#include "base/json_text.h"

/* ---- strings ---- */

/* What a backslash and one letter stand for; 0 where a control needs \u00XX. */
static char escape_letter(unsigned char c) {
  switch (c) {
  case '"': return '"';
  case '\\': return '\\';
  case '\b': return 'b';
  case '\f': return 'f';
  case '\n': return 'n';
  case '\r': return 'r';
  case '\t': return 't';
  default: return '\0';
  }
}

static void add_escape(buf *out, unsigned char c) {
  static const char hex[] = "0123456789abcdef";
  char letter = escape_letter(c);
  if (letter) {
    buf_add(out, (char[]){'\\', letter}, 2);
  } else {
    buf_add(out, (char[]){'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]}, 6);
  }
}

/* U+2028 and U+2029 are E2 80 A8 and E2 80 A9. */
static bool ends_line_in_javascript(const char *at) {
  return memcmp(at, "\xE2\x80", 2) == 0 && ((unsigned char)at[2] | 1) == 0xA9;
}

/* Appends what has to be looked at, from the first byte that is not plain on. */
static int add_text(buf *out, const char *at, const char *end) {
  while (at < end) {
    unsigned char c = (unsigned char)*at;
    size_t step = utf8_sequence(at, (size_t)(end - at));
    if (step == 0) return -1;
    if (c == '"' || c == '\\' || c < 0x20) {
      add_escape(out, c);
    } else if (step == 3 && ends_line_in_javascript(at)) {
      buf_text_add(out, at[2] == '\xA8' ? "\\u2028" : "\\u2029");
    } else {
      buf_add(out, at, step);
    }
    at += step;
    const char *plain = json_plain_end(at, end);
    buf_add(out, at, (size_t)(plain - at));
    at = plain;
  }
  return 0;
}

/* Copies 0 to 7 bytes. */
static inline void copy_few(char *to, const char *bytes, size_t length) {
  if (length >= 4) {
    char tail[4];
    memcpy(tail, bytes + length - 4, 4);
    memcpy(to, bytes, 4);
    memcpy(to + length - 4, tail, 4);
  } else if (length) {
    char middle = bytes[length / 2], last = bytes[length - 1];
    to[0] = bytes[0];
    to[length / 2] = middle;
    to[length - 1] = last;
  }
}

/* Copies `bytes` to `to`, eight at once. Returns how many of them, from the start, are plain. */
static inline size_t copy_plain(char *to, const char *bytes, size_t length) {
  size_t done = 0;
  for (; length - done >= 8; done += 8) {
    uint64_t odd = json_odd_bytes(json_eight(bytes + done));
    memcpy(to + done, bytes + done, 8);
    if (odd) return done + (size_t)json_first_of(odd);
  }
  copy_few(to + done, bytes + done, length - done);
  uint64_t odd = json_odd_of_few(bytes + done, length - done);
  return odd ? done + (size_t)json_first_of(odd) : length;
}

int json_write_string(buf *out, const char *bytes, size_t length) {
  size_t before = out->len;
  char *to = buf_room(out, length + 2);
  *to = '"';
  size_t plain = copy_plain(to + 1, bytes, length);
  if (plain == length) {
    to[1 + length] = '"';
    out->len += length + 2;
    return 0;
  }
  out->len += 1 + plain;
  if (add_text(out, bytes + plain, bytes + length) != 0) {
    out->len = before;
    return -1;
  }
  buf_char(out, '"');
  return 0;
}

/* ---- integers ---- */

enum { DIGITS_MOST = 20 }; /* of a uint64_t */

/* Writes the digits so that they end at `end`; returns where they begin. */
static char *digits_before(char *end, uint64_t value) {
  static const char pairs[] =
      "00010203040506070809101112131415161718192021222324252627282930313233343536373839"
      "40414243444546474849505152535455565758596061626364656667686970717273747576777879"
      "8081828384858687888990919293949596979899";
  while (value >= 100) {
    end -= 2;
    memcpy(end, pairs + value % 100 * 2, 2);
    value /= 100;
  }
  if (value >= 10) {
    end -= 2;
    memcpy(end, pairs + value * 2, 2);
  } else {
    *--end = (char)('0' + value);
  }
  return end;
}

void json_write_integer(buf *out, int64_t value) {
  char digits[DIGITS_MOST + 1], *end = digits + sizeof digits;
  uint64_t size = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
  char *first = digits_before(end, size);
  if (value < 0) *--first = '-';
  buf_add(out, first, (size_t)(end - first));
}

/* ---- doubles ----
 *
 * Schubfach, after Raffaello Giulietti, "The Schubfach way to render doubles" (2020): of the decimals that
 * lie in the double's rounding interval, the shortest; of several, the nearest. The names below are the
 * paper's: the double is c * 2^q, and the decimal that is looked for a multiple of 10^k. */

typedef struct decimal {
  uint64_t digits;
  int exponent;
} decimal;

static int log10_of_pow2(int q) { /* floor(log10(2^q)) */
  return (q * 1262611) >> 22;
}

static int log10_of_three_quarters_pow2(int q) { /* floor(log10(3/4 * 2^q)) */
  return (q * 1262611 - 524031) >> 22;
}

static int log2_of_pow10(int k) { /* floor(log2(10^k)) */
  return (k * 1741647) >> 19;
}

/* g * cp / 2^128 by its whole part, with the lowest bit set when something was cut off. */
static uint64_t round_to_odd(json_power g, uint64_t cp) {
  unsigned __int128 low = (unsigned __int128)g.low * cp;
  unsigned __int128 high = (unsigned __int128)g.high * cp + (uint64_t)(low >> 64);
  return (uint64_t)(high >> 64) | ((uint64_t)high > 1);
}

/* The shortest decimal in the rounding interval of c * 2^q. `closer`: the neighbour below is half as far. */
static decimal shortest(uint64_t c, int q, bool closer) {
  uint64_t odd = c & 1; /* an even c rounds its interval's ends to itself */
  int k = closer ? log10_of_three_quarters_pow2(q) : log10_of_pow2(q);
  int h = q + log2_of_pow10(-k) + 1;
  json_power g = json_powers[-k - JSON_POWER_FIRST];
  uint64_t lower = round_to_odd(g, (4 * c - 2 + (closer ? 1 : 0)) << h) + odd;
  uint64_t value = round_to_odd(g, (4 * c) << h);
  uint64_t upper = round_to_odd(g, (4 * c + 2) << h) - odd;
  uint64_t s = value / 4;
  if (s >= 10) {
    uint64_t tens = s / 10;
    bool under = lower <= 40 * tens, over = 40 * tens + 40 <= upper;
    if (under != over) return (decimal){tens + over, k + 1};
  }
  bool under = lower <= 4 * s, over = 4 * s + 4 <= upper;
  if (under != over) return (decimal){s + over, k};
  uint64_t middle = 4 * s + 2;
  bool up = value > middle || (value == middle && (s & 1));
  return (decimal){s + up, k};
}

/* The shortest decimal of a positive, finite double given by its bits, without zeros at its end. */
static decimal decimal_of(uint64_t bits) {
  uint64_t fraction = bits & (((uint64_t)1 << 52) - 1);
  int biased = (int)(bits >> 52);
  uint64_t c = biased ? fraction | (uint64_t)1 << 52 : fraction;
  int q = (biased ? biased : 1) - 1075;
  decimal d;
  if (q <= 0 && q > -53 && (c & (((uint64_t)1 << -q) - 1)) == 0) {
    d = (decimal){c >> -q, 0}; /* a whole number below 2^53 */
  } else {
    d = shortest(c, q, fraction == 0 && biased > 1);
  }
  while (d.digits % 10 == 0) {
    d.digits /= 10;
    d.exponent++;
  }
  return d;
}

static char *put_zeros(char *to, int count) {
  memset(to, '0', (size_t)count);
  return to + count;
}

static char *put(char *to, const char *from, int count) {
  memcpy(to, from, (size_t)count);
  return to + count;
}

/* d.ddde±x, the exponent being that of the first digit. */
static char *put_scientific(char *to, const char *digits, int count, int exponent) {
  *to++ = digits[0];
  if (count > 1) {
    *to++ = '.';
    to = put(to, digits + 1, count - 1);
  }
  *to++ = 'e';
  if (exponent < 0) *to++ = '-';
  char few[DIGITS_MOST], *end = few + sizeof few;
  char *first = digits_before(end, (uint64_t)(exponent < 0 ? -exponent : exponent));
  return put(to, first, (int)(end - first));
}

/* Positional where it is no longer than about twenty bytes, as people expect of money and coordinates. */
static char *put_decimal(char *to, decimal d) {
  char all[DIGITS_MOST], *end = all + sizeof all;
  char *digits = digits_before(end, d.digits);
  int count = (int)(end - digits);
  int point = count + d.exponent; /* the decimal point stands behind that many digits */
  if (point < -3 || point > 16) return put_scientific(to, digits, count, point - 1);
  if (point <= 0) {
    *to++ = '0';
    *to++ = '.';
    return put(put_zeros(to, -point), digits, count);
  }
  if (point < count) {
    to = put(to, digits, point);
    *to++ = '.';
    return put(to, digits + point, count - point);
  }
  to = put_zeros(put(to, digits, count), point - count);
  *to++ = '.';
  *to++ = '0';
  return to;
}

int json_write_double(buf *out, double value) {
  uint64_t bits;
  memcpy(&bits, &value, sizeof bits);
  bool negative = bits >> 63;
  bits &= UINT64_MAX >> 1;
  if (bits >> 52 == 0x7FF) return -1;
  char *start = buf_room(out, 32), *to = start;
  if (negative) *to++ = '-';
  if (bits == 0) {
    to = put(to, "0.0", 3);
  } else {
    to = put_decimal(to, decimal_of(bits));
  }
  out->len += (size_t)(to - start);
  return 0;
}
