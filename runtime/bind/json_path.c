/* Paths for errors: see json_path.h. */
#include "bind/json_path.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>

#include "base/utf8.h"

enum {
  KEY_SHOWN = 60,  /* bytes of a key */
  STEPS_SHOWN = 6, /* steps at either end of a long path */
  WORDS_MOST = 400 /* bytes of what is said behind the path */
};

static bool is_name(const char *key, size_t length) {
  if (length == 0 || length > KEY_SHOWN || isdigit((unsigned char)key[0])) return false;
  for (size_t i = 0; i < length; i++) {
    if (!isalnum((unsigned char)key[i]) && key[i] != '_') return false;
  }
  return true;
}

/* Appends the character at `at` as it can be read within quotes; returns its length. */
static size_t add_shown(buf *out, const char *at, size_t left) {
  unsigned char c = (unsigned char)*at;
  size_t length = utf8_sequence(at, left);
  if (length == 0 || c < 0x20 || c == 0x7F) {
    buf_format(out, "\\x%02X", c);
    return 1;
  }
  if (c == '"' || c == '\\') buf_char(out, '\\');
  buf_add(out, at, length);
  return length;
}

void json_path_add_key(buf *out, const char *key, size_t length) {
  if (is_name(key, length)) {
    buf_char(out, '.');
    buf_add(out, key, length);
    return;
  }
  buf_text_add(out, "[\"");
  size_t at = 0;
  while (at < length && at < KEY_SHOWN) at += add_shown(out, key + at, length - at);
  buf_text_add(out, at < length ? "…\"]" : "\"]");
}

static void add_step(buf *out, const json_place *place) {
  if (!place->outer) {
    buf_add(out, place->key, place->key_length);
  } else if (place->key) {
    json_path_add_key(out, place->key, place->key_length);
  } else {
    buf_format(out, "[%lld]", place->index);
  }
}

static unsigned steps_to(const json_place *place) {
  unsigned steps = 0;
  for (; place->outer; place = place->outer) steps++;
  return steps;
}

/* Paths are walked from their ends and told from their beginnings; `depth` is the place's own. */
static void add_path(buf *out, const json_place *place, unsigned depth, unsigned deepest) {
  if (place->outer) add_path(out, place->outer, depth - 1, deepest);
  if (depth < STEPS_SHOWN || depth + STEPS_SHOWN > deepest) {
    add_step(out, place);
  } else if (depth == STEPS_SHOWN) {
    buf_text_add(out, ".…");
  }
}

int json_path_error(error *err, const json_place *place, const char *format, ...) {
  char words[WORDS_MOST];
  va_list args;
  va_start(args, format);
  vsnprintf(words, sizeof words, format, args);
  va_end(args);
  buf path = BUF_EMPTY;
  unsigned steps = steps_to(place);
  add_path(&path, place, steps, steps);
  error_set(err, "%s %s", buf_text(&path), words);
  buf_free(&path);
  return -1;
}
