/* The request of an intent as a record keeps it: see store_intent_line in store.h. */
#include <stdio.h>
#include <string.h>

#include "store/store.h"

/* What stands for a whole line, as a byte: places in it are in files. */
static const char *const request_words[] = {
    "GET",
    "POST",
    "PUT",
    "PATCH",
    "DELETE",
    "HEAD",
    "OPTIONS",
    "application/json",
    "application/x-www-form-urlencoded",
    "application/xml",
    "text/html; charset=utf-8",
    "text/plain; charset=utf-8",
};
enum { REQUEST_WORDS = sizeof request_words / sizeof *request_words, FIRST_REQUEST_WORD = 0x10 };
_Static_assert((int)FIRST_REQUEST_WORD + (int)REQUEST_WORDS <= 0x20,
               "no method and no type begins with these");

void store_intent_word(buf *out, const char *text) {
  for (int word = 0; word < REQUEST_WORDS; word++) {
    if (strcmp(request_words[word], text) != 0) continue;
    buf_char(out, (char)(FIRST_REQUEST_WORD + word));
    return;
  }
  buf_text_add(out, text);
}

const char *store_intent_line(const store_record *intent, enum intent_line line, size_t *length) {
  const char *at = intent->extra, *end = at ? at + intent->extra_length : NULL;
  for (int before = 0; before < (int)line && at; before++) {
    at = memchr(at, '\n', (size_t)(end - at));
    if (at) at++;
  }
  if (!at) return NULL;
  const char *stop = memchr(at, '\n', (size_t)(end - at));
  *length = (size_t)((stop ? stop : end) - at);
  unsigned word = *length == 1 ? (unsigned char)*at - (unsigned)FIRST_REQUEST_WORD : REQUEST_WORDS;
  if ((line == INTENT_METHOD || line == INTENT_TYPE) && word < REQUEST_WORDS) {
    at = request_words[word];
    *length = strlen(at);
  }
  return *length ? at : NULL;
}

void store_intent_name(store_record *intent, const char *key) {
  hash128 name;
  if (hash_from_hex(key, &name)) {
    intent->name = key;
    return;
  }
  intent->numbers[0] = (int64_t)name.lo;
  intent->numbers[1] = (int64_t)name.hi;
}

void store_intent_key(const store_record *intent, char out[33]) {
  if (intent->name) /* of the first format */
    snprintf(out, 33, "%s", intent->name);
  else
    hash_hex((hash128){(uint64_t)intent->numbers[0], (uint64_t)intent->numbers[1]}, out);
}
