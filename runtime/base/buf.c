/* A growable run of bytes: see buf.h. */
#include "base/buf.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"

void buf_free(buf *b) {
  free(b->data);
  *b = BUF_EMPTY;
}

void buf_clear(buf *b) {
  b->len = 0;
}

void buf_grow(buf *b, size_t more) {
  size_t cap = b->cap ? b->cap * 2 : 64;
  if (cap < b->len + more) cap = b->len + more;
  b->data = mem_grow(b->data, cap);
  b->cap = cap;
}

void buf_format_list(buf *b, const char *format, va_list args) {
  va_list again;
  va_copy(again, args);
  int needed = vsnprintf(NULL, 0, format, args);
  if (needed > 0) {
    vsnprintf(buf_room(b, (size_t)needed + 1), (size_t)needed + 1, format, again);
    b->len += (size_t)needed;
  }
  va_end(again);
}

void buf_format(buf *b, const char *format, ...) {
  va_list args;
  va_start(args, format);
  buf_format_list(b, format, args);
  va_end(args);
}

const char *buf_text(buf *b) {
  *buf_room(b, 1) = '\0';
  return b->data;
}

char *buf_take(buf *b, size_t *length) {
  buf_text(b);
  char *data = b->data;
  if (length) *length = b->len;
  *b = BUF_EMPTY;
  return data;
}
