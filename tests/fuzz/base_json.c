/* JSON from outside: what the scanner accepts can be taken apart, and says the same when it is written again;
 * what it refuses, it refuses with a place. */
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "base/json.h"
#include "fuzz/fuzz.h"

const char *const fuzz_seeds[] = {
    "{\"a\":[1,-2.5e-3,true,false,null],\"b\":{},\"c\":[]}",
    "[12345678901234567890,9223372036854775807,-9223372036854775808,1e308,4.9e-324,0.1]",
    "\"\\u00e4\\ud83d\\ude00 \\\"\\\\\\/\\b\\f\\n\\r\\t \xC3\xA4\xE2\x82\xAC\xF0\x9F\x92\xA5\"",
    "\xEF\xBB\xBF { \"a\" : [ ] } ",
    "[[[[[[[[[[{\"a\":{\"b\":{\"c\":[{}]}}}]]]]]]]]]]",
    "-0.0",
    "{\"a\":1}\n{\"a\":2}\n",
    NULL,
};

const char *const fuzz_words[] = {"\\u",
                                  "\\ud800",
                                  "\\udc00",
                                  "\"",
                                  "\\",
                                  "[",
                                  "]",
                                  "{",
                                  "}",
                                  ",",
                                  ":",
                                  "null",
                                  "1e999",
                                  "-",
                                  "e",
                                  ".",
                                  "00",
                                  "\xED\xA0\x80",
                                  "\xF4\x90\x80\x80",
                                  "\xC0\x80",
                                  NULL};

/* A string that was read is written and read again. */
static void check_string(const char *bytes, size_t length) {
  buf out = BUF_EMPTY, scratch = BUF_EMPTY;
  const char *again;
  size_t again_length;
  FUZZ_HOLDS(json_write_string(&out, bytes, length) == 0);
  FUZZ_HOLDS(json_scan(out.data, out.len, 1, NULL, NULL) == 0);
  const char *behind = json_read_string(out.data, out.data + out.len, &scratch, &again, &again_length);
  FUZZ_HOLDS(behind == out.data + out.len && again_length == length && memcmp(again, bytes, length) == 0);
  buf_free(&out);
  buf_free(&scratch);
}

static void check_number(const json_number *number) {
  buf out = BUF_EMPTY;
  json_number again;
  if (number->is_integer)
    json_write_integer(&out, number->integer);
  else
    FUZZ_HOLDS(json_write_double(&out, number->real) == 0);
  json_read_number(out.data, out.data + out.len, &again);
  FUZZ_HOLDS(again.is_integer == number->is_integer);
  if (number->is_integer)
    FUZZ_HOLDS(again.integer == number->integer);
  else
    FUZZ_HOLDS(again.real == number->real && signbit(again.real) == signbit(number->real));
  buf_free(&out);
}

/* Goes through an accepted text, string by string and number by number. */
static void take_apart(const char *at, const char *end) {
  buf scratch = BUF_EMPTY;
  at = json_read_start(at, end);
  while (at < end) {
    const char *bytes;
    size_t length;
    json_number number;
    if (*at == '"') {
      at = json_read_string(at, end, &scratch, &bytes, &length);
      check_string(bytes, length);
    } else if (*at == '-' || (*at >= '0' && *at <= '9')) {
      at = json_read_number(at, end, &number);
      check_number(&number);
    } else {
      at++; /* a bracket, a comma, a colon, a letter of a word */
    }
    FUZZ_HOLDS(at <= end);
    at = json_read_start(at, end);
  }
  buf_free(&scratch);
}

/* A stream of values: each step goes on or ends, and a value it finds is one. */
static void check_stream(const char *at, const char *end) {
  bool short_of;
  error err = {""};
  size_t step;
  while ((step = json_skip(at, (size_t)(end - at), JSON_DEPTH, &short_of, &err)) > 0) {
    FUZZ_HOLDS(step <= (size_t)(end - at));
    FUZZ_HOLDS(json_scan(at, step, JSON_DEPTH, NULL, NULL) == 0);
    at += step;
  }
  FUZZ_HOLDS(strncmp(err.text, "line ", 5) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length) {
  const char *text = (const char *)bytes, *end = text + length;
  json_marks marks;
  error err = {""};
  if (json_scan(text, length, JSON_DEPTH, &marks, &err) == 0) {
    FUZZ_HOLDS(utf8_valid(text, length));
    FUZZ_HOLDS(marks.depth <= JSON_DEPTH);
    take_apart(text, end);
  } else {
    unsigned line = 0, column = 0;
    FUZZ_HOLDS(sscanf(err.text, "line %u, column %u: ", &line, &column) == 2 && line > 0 && column > 0);
  }
  check_stream(text, end);
  return 0;
}
