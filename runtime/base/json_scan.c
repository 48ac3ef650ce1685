/* The JSON scanner: decides whether a text is JSON, and marks what is in it: see json.h.
 *
 * It walks the text once, without recursion: the kinds of the open containers are bits of `objects`. It
 * keeps no value; what it accepted is taken apart by json_read.c. */
#include "base/json.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/json_text.h"

typedef struct scan {
  const char *start, *at, *end;
  unsigned depth, max_depth;
  uint64_t objects[JSON_DEPTH_MOST / 64]; /* bit d: the container at depth d is an object */
  json_marks marks;
  bool cut; /* what was wrong is that the text ended */
  error *err;
} scan;

/* What people write who know JavaScript or Lua, and what to say to them. */
static const char *hint_for(char c) {
  static const struct {
    const char *chars, *hint;
  } hints[] = {
      {"'", " (strings take double quotes)"},          {"/#", " (JSON has no comments)"},
      {"]}", " (is there a comma too many?)"},         {"+", " (a number begins with a digit or '-')"},
      {".", " (a number begins with a digit or '-')"},
  };
  for (size_t i = 0; i < sizeof hints / sizeof *hints; i++) {
    if (c != '\0' && strchr(hints[i].chars, c)) return hints[i].hint;
  }
  return "";
}

/* Words the failure at `where`. `wanted` says what is wrong, without the place. */
static int fail_at(scan *s, const char *where, const char *wanted) {
  size_t line = 1, column = 1;
  for (const char *p = s->start; p < where; p++) {
    if (*p == '\n') {
      line++;
      column = 1;
    } else if (((unsigned char)*p & 0xC0) != 0x80) {
      column++;
    }
  }
  return error_set(s->err, "line %zu, column %zu: %s", line, column, wanted);
}

/* The same, and adds what stands there instead. */
static int fail_found(scan *s, const char *where, const char *wanted, bool hints) {
  char words[256];
  if (where == s->end) {
    s->cut = true;
    snprintf(words, sizeof words, "%s, but the text ends here", wanted);
  } else if ((unsigned char)*where > 0x20 && (unsigned char)*where < 0x7F) {
    snprintf(words, sizeof words, "%s, found '%c'%s", wanted, *where, hints ? hint_for(*where) : "");
  } else {
    snprintf(words, sizeof words, "%s, found the byte 0x%02X", wanted, (unsigned char)*where);
  }
  return fail_at(s, where, words);
}

static void skip_space(scan *s) {
  while (s->at < s->end && json_is_space(*s->at)) s->at++;
}

static int fail_character(scan *s) {
  s->cut = utf8_cut(s->at, (size_t)(s->end - s->at));
  return fail_at(s, s->at, "the text is not valid UTF-8");
}

/* Reads the four digits of a \u escape at s->at and steps over them. */
static int scan_hex(scan *s, unsigned *code) {
  *code = 0;
  for (int i = 0; i < 4; i++, s->at++) {
    char c = s->at < s->end ? *s->at : '\0';
    if (json_is_digit(c)) {
      *code = *code * 16 + (unsigned)(c - '0');
    } else if ((c | 32) >= 'a' && (c | 32) <= 'f') {
      *code = *code * 16 + (unsigned)((c | 32) - 'a' + 10);
    } else {
      return fail_found(s, s->at, "expected four hexadecimal digits after \\u", false);
    }
  }
  return 0;
}

/* A \u escape, s->at behind its u. Surrogates must come as a pair: half of one is no text. */
static int scan_unicode_escape(scan *s) {
  const char *escape = s->at - 2;
  unsigned code;
  if (scan_hex(s, &code) != 0) return -1;
  if (code < 0xD800 || code > 0xDFFF) return 0;
  if (code <= 0xDBFF) {
    size_t left = (size_t)(s->end - s->at);
    if (left < 2 && memcmp(s->at, "\\u", left) == 0)
      return fail_found(s, s->end, "expected the second half of a surrogate pair", false);
    if (left >= 2 && memcmp(s->at, "\\u", 2) == 0) {
      s->at += 2;
      if (scan_hex(s, &code) != 0) return -1;
      if (code >= 0xDC00 && code <= 0xDFFF) return 0;
    }
  }
  return fail_at(s, escape, "this escape is half of a surrogate pair, which is no character");
}

static int scan_escape(scan *s) {
  s->marks.escapes = true;
  s->at++;
  if (s->at == s->end) return fail_found(s, s->at, "expected an escape after the backslash", false);
  char c = *s->at;
  if (c == '\0' || !strchr("\"\\/bfnrtu", c)) {
    return fail_found(s, s->at, "expected one of \" \\ / b f n r t u after the backslash", false);
  }
  s->at++;
  return c == 'u' ? scan_unicode_escape(s) : 0;
}

static int scan_string(scan *s) {
  s->at++;
  for (;;) {
    s->at = json_plain_end(s->at, s->end);
    if (s->at == s->end) return fail_found(s, s->at, "expected the closing quote of a string", false);
    unsigned char c = (unsigned char)*s->at;
    if (c == '"') break;
    if (c == '\\') {
      if (scan_escape(s) != 0) return -1;
    } else if (c < 0x20) {
      return fail_found(
          s, s->at, "expected the string to go on (line breaks, tabs and controls are escaped in it)", false);
    } else {
      size_t step = utf8_sequence(s->at, (size_t)(s->end - s->at));
      if (step == 0) return fail_character(s);
      s->at += step;
    }
  }
  s->at++;
  return 0;
}

/* Digits, at least one. Returns how many, or 0 with the failure told. */
static size_t scan_digits(scan *s, const char *wanted) {
  const char *first = s->at;
  while (s->at < s->end && json_is_digit(*s->at)) s->at++;
  if (s->at == first) fail_found(s, first, wanted, false);
  return (size_t)(s->at - first);
}

/* Only numbers that could be out of bounds are read for it. */
static int mark_number(scan *s, const char *first, size_t digits, bool whole, bool exponent) {
  json_number number = {.is_integer = true};
  if (digits > 18 || exponent) json_read_number(first, s->at, &number);
  if (!number.is_integer && isinf(number.real)) {
    return fail_at(s, first, "this number is too big: a double ends near 1.8e308");
  }
  if (whole && number.is_integer) s->marks.integers = true;
  if (whole && !number.is_integer) s->marks.big_numbers = true;
  return 0;
}

static int scan_number(scan *s) {
  const char *first = s->at;
  bool whole = true, exponent = false;
  if (*s->at == '-') s->at++;
  bool zero = s->at < s->end && *s->at == '0';
  size_t digits = scan_digits(s, "expected a digit after '-'");
  if (digits == 0) return -1;
  if (zero && digits > 1)
    return fail_at(s, first, "a number must not begin with a 0 that more digits follow");
  if (s->at < s->end && *s->at == '.') {
    whole = false;
    s->at++;
    if (scan_digits(s, "expected a digit after the decimal point") == 0) return -1;
  }
  if (s->at < s->end && (*s->at == 'e' || *s->at == 'E')) {
    whole = false;
    exponent = true;
    s->at++;
    if (s->at < s->end && (*s->at == '+' || *s->at == '-')) s->at++;
    if (scan_digits(s, "expected a digit in the exponent") == 0) return -1;
  }
  return mark_number(s, first, digits, whole, exponent);
}

static int scan_word(scan *s) {
  static const char *const words[] = {"true", "false", "null"};
  size_t left = (size_t)(s->end - s->at);
  for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
    size_t length = strlen(words[i]);
    if (left >= length && memcmp(s->at, words[i], length) == 0) {
      s->at += length;
      return 0;
    }
    if (left < length && memcmp(s->at, words[i], left) == 0)
      return fail_found(s, s->end, "expected true, false or null", false);
  }
  return fail_found(s, s->at, "expected a value (its only words are true, false and null)", false);
}

static bool in_object(const scan *s) {
  return s->objects[s->depth / 64] >> (s->depth % 64) & 1;
}

static int open_container(scan *s, bool object) {
  if (s->depth == s->max_depth) {
    char words[80];
    snprintf(words, sizeof words, "nested more than %u deep", s->max_depth);
    return fail_at(s, s->at, words);
  }
  s->at++;
  if (object) {
    s->objects[s->depth / 64] |= (uint64_t)1 << (s->depth % 64);
  } else {
    s->objects[s->depth / 64] &= ~((uint64_t)1 << (s->depth % 64));
    s->marks.arrays = true;
  }
  s->depth++;
  if (s->marks.depth < s->depth) s->marks.depth = s->depth;
  return 0;
}

static int scan_key(scan *s) {
  skip_space(s);
  if (s->at == s->end || *s->at != '"') return fail_found(s, s->at, "expected a key in double quotes", true);
  if (scan_string(s) != 0) return -1;
  skip_space(s);
  if (s->at == s->end || *s->at != ':') return fail_found(s, s->at, "expected ':' after the key", false);
  s->at++;
  return 0;
}

/* A value's beginning: a scalar, an empty container, or any number of opened ones up to such. */
static int scan_begin(scan *s) {
  for (;;) {
    skip_space(s);
    char c = s->at < s->end ? *s->at : '\0';
    if (c == '"') return scan_string(s);
    if (c == '-' || json_is_digit(c)) return scan_number(s);
    if ((c | 32) >= 'a' && (c | 32) <= 'z') return scan_word(s);
    if (c != '{' && c != '[') return fail_found(s, s->at, "expected a value", true);
    if (open_container(s, c == '{') != 0) return -1;
    skip_space(s);
    if (s->at < s->end && *s->at == (c == '{' ? '}' : ']')) {
      s->at++;
      s->depth--;
      s->marks.empties = true;
      return 0;
    }
    if (c == '{' && scan_key(s) != 0) return -1;
  }
}

/* What follows a value: the ends of containers, then a comma (and a key) before the next, or nothing. */
static int scan_end(scan *s) {
  while (s->depth > 0) {
    s->depth--;
    bool object = in_object(s);
    skip_space(s);
    char c = s->at < s->end ? *s->at : '\0';
    if (c == ',') {
      s->at++;
      s->depth++;
      return object ? scan_key(s) : 0;
    }
    if (c != (object ? '}' : ']'))
      return fail_found(s, s->at, object ? "expected ',' or '}'" : "expected ',' or ']'", false);
    s->at++;
  }
  return 0;
}

static int scan_value(scan *s) {
  do {
    if (scan_begin(s) != 0 || scan_end(s) != 0) return -1;
  } while (s->depth > 0);
  return 0;
}

static void scan_init(scan *s, const char *text, size_t length, unsigned max_depth, error *err) {
  s->start = s->at = text;
  s->end = text + length;
  s->depth = 0;
  s->max_depth = max_depth < JSON_DEPTH_MOST ? max_depth : JSON_DEPTH_MOST;
  s->marks = (json_marks){0};
  s->cut = false;
  s->err = err;
}

int json_scan(const char *text, size_t length, unsigned max_depth, json_marks *marks, error *err) {
  scan s;
  scan_init(&s, text, length, max_depth, err);
  s.start = s.at = text + json_mark_length(text, length);
  if (scan_value(&s) != 0) return -1;
  skip_space(&s);
  if (s.at != s.end) return fail_found(&s, s.at, "expected the end of the text", false);
  if (marks) *marks = s.marks;
  return 0;
}

size_t json_skip(const char *text, size_t length, unsigned max_depth, bool *short_of, error *err) {
  scan s;
  scan_init(&s, text, length, max_depth, err);
  int status = scan_value(&s);
  bool open_number = status == 0 && s.at == s.end && json_is_digit(s.at[-1]);
  if (open_number) status = fail_found(&s, s.at, "expected something behind the number", false);
  *short_of = s.cut;
  return status == 0 ? (size_t)(s.at - text) : 0;
}
