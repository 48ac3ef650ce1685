/* Packed headers: see headers.h. */
#include "store/headers.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/moment.h"
#include "store/varint.h"

enum { REST = 0, LINE = 1, ALL = 2, FIRST_BASE = 4, FIRST_KNOWN = 64 };
enum { VALUE_DATE = 0, VALUE_BODY_LENGTH = 1, VALUE_BYTES = 2 };
enum { BASE_MOST = FIRST_KNOWN - FIRST_BASE, KNOWN_MOST = (256 - FIRST_KNOWN) / 2 };

/* ---- the table ---- */

typedef struct known {
  uint8_t name_length, value_length;
  const char *name, *value; /* NULL: any */
} known;

#define NAME(name)                                                                                           \
  { sizeof(name) - 1, 0, name, NULL }
#define PAIR(name, value)                                                                                    \
  { sizeof(name) - 1, sizeof(value) - 1, name, value }

/* Places in it are in files: they never change, and what is new comes last. Each name has an entry without a value. Most are of
 * RFC 7541, appendix A; the others are what vendors answer with. */
static const known table[] = {
    NAME("Content-Length"),
    NAME("Date"),
    NAME("Server"),
    NAME("Content-Type"),
    PAIR("Content-Type", "application/json"),
    PAIR("Content-Type", "application/json; charset=utf-8"),
    PAIR("Content-Type", "application/json;charset=UTF-8"),
    PAIR("Content-Type", "application/json; charset=UTF-8"),
    PAIR("Content-Type", "application/xml"),
    PAIR("Content-Type", "text/html"),
    PAIR("Content-Type", "text/html; charset=utf-8"),
    PAIR("Content-Type", "text/plain"),
    PAIR("Content-Type", "text/plain; charset=utf-8"),
    NAME("Connection"),
    PAIR("Connection", "keep-alive"),
    PAIR("Connection", "close"),
    NAME("Keep-Alive"),
    NAME("Transfer-Encoding"),
    PAIR("Transfer-Encoding", "chunked"),
    NAME("Content-Encoding"),
    PAIR("Content-Encoding", "gzip"),
    PAIR("Content-Encoding", "br"),
    NAME("Vary"),
    PAIR("Vary", "Accept-Encoding"),
    PAIR("Vary", "Origin"),
    NAME("Cache-Control"),
    PAIR("Cache-Control", "no-cache"),
    PAIR("Cache-Control", "no-store"),
    PAIR("Cache-Control", "private"),
    PAIR("Cache-Control", "max-age=0, private, must-revalidate"),
    NAME("Pragma"),
    PAIR("Pragma", "no-cache"),
    NAME("Expires"),
    PAIR("Expires", "0"),
    NAME("Last-Modified"),
    NAME("ETag"),
    NAME("Age"),
    NAME("Accept-Ranges"),
    PAIR("Accept-Ranges", "bytes"),
    PAIR("Server", "nginx"),
    PAIR("Server", "Apache"),
    PAIR("Server", "cloudflare"),
    NAME("Location"),
    NAME("Content-Location"),
    NAME("Content-Disposition"),
    NAME("Content-Language"),
    NAME("Content-Range"),
    NAME("Set-Cookie"),
    NAME("Link"),
    NAME("Allow"),
    NAME("Retry-After"),
    NAME("Refresh"),
    NAME("Via"),
    NAME("WWW-Authenticate"),
    NAME("Proxy-Authenticate"),
    NAME("Strict-Transport-Security"),
    PAIR("Strict-Transport-Security", "max-age=31536000; includeSubDomains"),
    NAME("Content-Security-Policy"),
    NAME("Referrer-Policy"),
    NAME("Access-Control-Allow-Origin"),
    PAIR("Access-Control-Allow-Origin", "*"),
    NAME("Access-Control-Allow-Credentials"),
    PAIR("Access-Control-Allow-Credentials", "true"),
    NAME("Access-Control-Allow-Headers"),
    NAME("Access-Control-Allow-Methods"),
    NAME("Access-Control-Expose-Headers"),
    NAME("X-Content-Type-Options"),
    PAIR("X-Content-Type-Options", "nosniff"),
    NAME("X-Frame-Options"),
    PAIR("X-Frame-Options", "SAMEORIGIN"),
    PAIR("X-Frame-Options", "DENY"),
    NAME("X-XSS-Protection"),
    PAIR("X-XSS-Protection", "1; mode=block"),
    NAME("X-Powered-By"),
    NAME("X-Request-Id"),
    NAME("Request-Id"),
    NAME("X-Correlation-Id"),
    NAME("X-Runtime"),
    NAME("X-RateLimit-Limit"),
    NAME("X-RateLimit-Remaining"),
    NAME("X-RateLimit-Reset"),
    NAME("X-Cache"),
    NAME("Alt-Svc"),
    NAME("CF-RAY"),
    NAME("CF-Cache-Status"),
    PAIR("CF-Cache-Status", "DYNAMIC"),
};
enum { KNOWN = sizeof table / sizeof *table };
_Static_assert((int)KNOWN <= (int)KNOWN_MOST, "a byte names an entry, in either case");

static bool is_named(const known *k, const char *name, bool lower) {
  if (!lower) return memcmp(k->name, name, k->name_length) == 0;
  for (size_t i = 0; i < k->name_length; i++) {
    if (tolower((unsigned char)k->name[i]) != name[i]) return false;
  }
  return true;
}

/* The entry for a line, one with its value rather than one without; -1: there is none. */
static int find_known(const char *name, size_t name_length, const char *value, size_t value_length,
                      bool lower) {
  int found = -1;
  for (int i = 0; i < KNOWN; i++) {
    const known *k = &table[i];
    if (k->name_length != name_length || !is_named(k, name, lower)) continue;
    if (!k->value) found = i;
    if (k->value && k->value_length == value_length && memcmp(k->value, value, value_length) == 0) return i;
  }
  return found;
}

/* ---- dates ---- */

enum { DATE_LENGTH = 29 };

static void write_date(uint32_t seconds, char out[DATE_LENGTH + 1]) {
  static const char days[] = "SunMonTueWedThuFriSat", months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
  civil c;
  civil_of((int64_t)seconds * 1000, &c);
  snprintf(out, DATE_LENGTH + 1, "%.3s, %02u %.3s %04u %02u:%02u:%02u GMT", days + 3 * c.weekday,
           (unsigned)c.day % 100, months + 3 * (c.month - 1), (unsigned)c.year % 10000,
           (unsigned)c.hour % 100, (unsigned)c.minute % 100, (unsigned)c.second % 100);
}

/* Whether `value` is what write_date makes of `*seconds`. */
static bool read_date(const char *value, size_t length, uint32_t *seconds) {
  char text[DATE_LENGTH + 1], again[DATE_LENGTH + 1];
  if (length != DATE_LENGTH || memcmp(value + DATE_LENGTH - 4, " GMT", 4) != 0) return false;
  memcpy(text, value, DATE_LENGTH);
  text[DATE_LENGTH] = '\0';
  int64_t ms = moment_http_date(text);
  if (ms < 0 || ms / 1000 > UINT32_MAX) return false;
  *seconds = (uint32_t)(ms / 1000);
  write_date(*seconds, again);
  return memcmp(again, value, DATE_LENGTH) == 0;
}

/* ---- packing ---- */

enum { LENGTH_DIGITS = 24 };

static size_t write_length(size_t length, char out[LENGTH_DIGITS]) {
  return (size_t)snprintf(out, LENGTH_DIGITS, "%zu", length);
}

static bool is_length(const char *value, size_t value_length, size_t body_length) {
  char digits[LENGTH_DIGITS];
  if (!value_length || !isdigit((unsigned char)*value)) return false;
  return write_length(body_length, digits) == value_length && memcmp(digits, value, value_length) == 0;
}

static void add_value(buf *out, const char *value, size_t length, size_t body_length) {
  uint32_t seconds;
  if (is_length(value, length, body_length)) {
    varint_add(out, VALUE_BODY_LENGTH);
  } else if (read_date(value, length, &seconds)) {
    varint_add(out, VALUE_DATE);
    for (int shift = 0; shift < 32; shift += 8) buf_char(out, (char)(seconds >> shift));
  } else {
    varint_add(out, length + VALUE_BYTES);
    buf_add(out, value, length);
  }
}

static void add_bytes(buf *out, int what, const char *bytes, size_t length) {
  buf_char(out, (char)what);
  varint_add(out, length);
  buf_add(out, bytes, length);
}

static void add_line(buf *out, const char *line, size_t length, size_t body_length) {
  const char *colon = memmem(line, length, ": ", 2);
  size_t name_length = colon ? (size_t)(colon - line) : 0;
  const char *value = colon ? colon + 2 : line;
  size_t value_length = (size_t)(line + length - value);
  bool lower = name_length && islower((unsigned char)*line);
  int place = name_length ? find_known(line, name_length, value, value_length, lower) : -1;
  if (place < 0) {
    add_bytes(out, LINE, line, length);
    return;
  }
  buf_char(out, (char)(FIRST_KNOWN + 2 * place + lower));
  if (!table[place].value) add_value(out, value, value_length, body_length);
}

/* The length of the entry that begins there; 0: none does. */
static size_t entry_length(const char *at, const char *end) {
  const char *start = at;
  uint64_t number, follow = 0;
  if (at == end) return 0;
  unsigned what = (unsigned char)*at++;
  bool names = what >= FIRST_KNOWN, has_bytes = what <= LINE;
  if (names && (what - FIRST_KNOWN) / 2 >= KNOWN) return 0;
  if (names) has_bytes = !table[(what - FIRST_KNOWN) / 2].value;
  if (!names && what > ALL && what < FIRST_BASE) return 0;
  if (has_bytes && !varint_next(&at, end, &number)) return 0;
  if (has_bytes && names)
    follow = number == VALUE_DATE ? 4 : number - (number == VALUE_BODY_LENGTH ? 1 : VALUE_BYTES);
  if (has_bytes && !names) follow = number;
  return follow <= (uint64_t)(end - at) ? (size_t)(at - start) + (size_t)follow : 0;
}

/* Where the first answer had the entry that stands in `out` from `start` on, its number there takes its place. */
static void refer(buf *out, size_t start, size_t first_at, size_t first_length) {
  const char *at = out->data + first_at, *end = at + first_length, *entry = out->data + start;
  size_t length = out->len - start, each;
  if (length <= 1) return;
  for (int place = 0; place < BASE_MOST && (each = entry_length(at, end)) > 0; place++, at += each) {
    if (each != length || memcmp(at, entry, length) != 0) continue;
    out->data[start] = (char)(FIRST_BASE + place);
    out->len = start + 1;
    return;
  }
}

/* All that the first answer had, and nothing else, is one byte. */
static void refer_to_all(buf *out, size_t start, size_t first_at, size_t first_length) {
  const char *at = out->data + first_at, *end = at + first_length;
  size_t count = 0, each;
  for (; (each = entry_length(at, end)) > 0; at += each, count++) {
    bool same = start + count < out->len && (out->data[start + count] == (char)(FIRST_BASE + count) ||
                                             (each == 1 && out->data[start + count] == *at));
    if (!same || count == BASE_MOST) return;
  }
  if (start + count != out->len || count < 2) return;
  out->data[start] = ALL;
  out->len = start + 1;
}

void headers_pack(buf *out, const char *lines, size_t length, size_t body_length, size_t first_at,
                  size_t first_length) {
  const char *at = lines, *end = lines + length;
  size_t begin = out->len;
  while (at < end) {
    const char *line_end = memchr(at, '\n', (size_t)(end - at));
    size_t start = out->len;
    if (line_end)
      add_line(out, at, (size_t)(line_end - at), body_length);
    else
      add_bytes(out, REST, at, (size_t)(end - at));
    if (first_length) refer(out, start, first_at, first_length);
    at = line_end ? line_end + 1 : end;
  }
  if (first_length) refer_to_all(out, begin, first_at, first_length);
}

/* ---- unpacking ---- */

static const char *end_of(headers_packed packed) {
  return packed.length ? packed.bytes + packed.length : packed.bytes;
}

bool headers_are_packed(headers_packed packed, headers_packed first) {
  const char *end = end_of(packed), *first_end = end_of(first);
  size_t length;
  unsigned places = FIRST_BASE;
  for (const char *at = first.bytes; first.length && (length = entry_length(at, first_end)) > 0; at += length)
    places++;
  for (const char *at = packed.bytes; at < end; at += length) {
    unsigned what = (unsigned char)*at;
    length = entry_length(at, end);
    if (length == 0 || (what == ALL && places == FIRST_BASE) ||
        (what >= FIRST_BASE && what < FIRST_KNOWN && what >= places))
      return false;
  }
  return true;
}

static void unpack_bytes(const char *at, const char *end, buf *out) {
  uint64_t length;
  if (!varint_next(&at, end, &length)) return;
  buf_add(out, at, (size_t)length);
}

static void unpack_value(const char *at, const char *end, size_t body_length, buf *out) {
  uint64_t number;
  char text[DATE_LENGTH + 1];
  if (!varint_next(&at, end, &number)) return;
  if (number == VALUE_BODY_LENGTH) {
    buf_add(out, text, write_length(body_length, text));
  } else if (number == VALUE_DATE) {
    uint32_t seconds = 0;
    for (int i = 0; i < 4; i++) seconds |= (uint32_t)(unsigned char)at[i] << (8 * i);
    write_date(seconds, text);
    buf_add(out, text, DATE_LENGTH);
  } else {
    buf_add(out, at, (size_t)(number - VALUE_BYTES));
  }
}

static void unpack_known(const char *at, const char *end, size_t body_length, buf *out) {
  unsigned place = (unsigned char)*at - FIRST_KNOWN;
  const known *k = &table[place / 2];
  char *name = buf_room(out, k->name_length);
  for (size_t i = 0; i < k->name_length; i++)
    name[i] = (char)(place % 2 ? tolower((unsigned char)k->name[i]) : k->name[i]);
  out->len += k->name_length;
  buf_add(out, ": ", 2);
  if (k->value)
    buf_add(out, k->value, k->value_length);
  else
    unpack_value(at + 1, end, body_length, out);
}

/* An entry that refers to none. */
static void unpack_entry(const char *at, const char *end, size_t body_length, buf *out) {
  unsigned what = (unsigned char)*at;
  if (what >= FIRST_KNOWN)
    unpack_known(at, end, body_length, out);
  else
    unpack_bytes(at + 1, end, out);
  if (what != REST) buf_char(out, '\n');
}

void headers_unpack(headers_packed packed, headers_packed first, size_t body_length, buf *out) {
  const char *end = end_of(packed), *first_end = end_of(first);
  size_t length;
  for (const char *at = packed.bytes; at < end && (length = entry_length(at, end)) > 0; at += length) {
    unsigned what = (unsigned char)*at;
    const char *entry = at, *entry_end = end;
    if (what == ALL) {
      headers_unpack(first, (headers_packed){0}, body_length, out);
      continue;
    }
    if (what >= FIRST_BASE && what < FIRST_KNOWN) {
      entry = first.bytes, entry_end = first_end;
      for (unsigned place = FIRST_BASE; place < what; place++) entry += entry_length(entry, first_end);
    }
    unpack_entry(entry, entry_end, body_length, out);
  }
}
