/* JSON as text: a scanner that validates and marks, and the writer's parts. No Lua in it.
 *
 * RFC 8259, in UTF-8 only. The scanner is what every foreign text passes first; bind/json_decode.c builds Lua
 * values from what it has accepted. */
#ifndef JAUNT_BASE_JSON_H
#define JAUNT_BASE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/utf8.h"

enum {
  JSON_DEPTH = 256,      /* nesting that is accepted unless the caller says otherwise */
  JSON_DEPTH_MOST = 1024 /* the most that a caller can ask for; more counts as this */
};

/* What a scan found in an accepted text. */
typedef struct json_marks {
  bool integers;    /* a number without fraction and exponent: must become a Lua integer */
  bool big_numbers; /* an integer that 64 bits don't hold: becomes a float */
  bool empties;     /* [] or {}: must stay what it is */
  bool arrays;      /* an array: must stay one */
  bool escapes;     /* a string with an escape: takes room to be read */
  unsigned depth;   /* the deepest nesting */
} json_marks;

/* Checks that `text` is exactly one JSON value, white space around it allowed, nested at most `max_depth`.
 * Returns 0 and fills `marks` (may be NULL), or -1 with "line L, column C: what is wrong" in `err`.
 * Columns count characters, from 1. A byte order mark before the value is passed over. Refused, although
 * the grammar allows them: half a surrogate pair (it is no text), and a number that no double reaches. */
int json_scan(const char *text, size_t length, unsigned max_depth, json_marks *marks, error *err);

/* The offset behind the one JSON value that starts at `text` (after white space), for streams of values;
 * 0 when the text ends within it (more is needed: *short_of is set) or is wrong (err says how). A number
 * that touches the end counts as short, for its next digit may follow: put a newline behind the last one. */
size_t json_skip(const char *text, size_t length, unsigned max_depth, bool *short_of, error *err);

/* What json_scan has accepted is taken apart with these three, which check nothing again. `at` stands
 * within an accepted text of which `end` is the end. */

/* Passes over white space (and, at the start of a text, a byte order mark). */
const char *json_read_start(const char *text, const char *end);

typedef struct json_number {
  bool is_integer;
  int64_t integer; /* when is_integer */
  double real;     /* otherwise: the nearest double */
} json_number;

/* Reads the number at `at` and returns what follows it. Without fraction and exponent it is an integer
 * where 64 bits hold it. */
const char *json_read_number(const char *at, const char *end, json_number *number);

/* Reads the string whose opening quote is at `at` and returns what follows its closing one. *bytes lies in
 * the text itself, or in `scratch` when there were escapes (and lasts until `scratch` is used again). */
const char *json_read_string(const char *at, const char *end, buf *scratch, const char **bytes,
                             size_t *length);

/* Appends `bytes` as a JSON string, quotes included: ", \ and controls escaped, U+2028/2029 too (they end
 * lines in JavaScript). Returns 0, or -1 when they are not valid UTF-8 (nothing is appended then). */
int json_write_string(buf *out, const char *bytes, size_t length);

/* Appends an integer, exact. */
void json_write_integer(buf *out, int64_t value);

/* Appends the shortest text that reads back as the same double ("1.0" keeps its ".0", so that a float stays
 * a float). Returns 0, or -1 for NaN and infinities (nothing is appended then). */
int json_write_double(buf *out, double value);

#endif
