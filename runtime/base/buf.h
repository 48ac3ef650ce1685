/* A growable run of bytes: what is being built before it is sent, stored or shown.
 *
 * Bytes are not text: they may hold NULs. buf_text() ends them with one for those who need it. */
#ifndef JAUNT_BASE_BUF_H
#define JAUNT_BASE_BUF_H

#include <stdarg.h>
#include <stddef.h>
#include <string.h>

typedef struct buf {
  char *data; /* NULL while nothing was ever written */
  size_t len;
  size_t cap;
} buf;

#define BUF_EMPTY ((buf){NULL, 0, 0})

void buf_free(buf *b);              /* frees the bytes; b is empty again */
void buf_clear(buf *b);             /* forgets the bytes, keeps the room */
void buf_grow(buf *b, size_t more); /* makes room for `more` bytes where there is too little: for buf_room */

/* Makes room; returns where `more` bytes may be written (then add to len). */
static inline char *buf_room(buf *b, size_t more) {
  if (b->cap - b->len < more) buf_grow(b, more);
  return b->data + b->len;
}

static inline void buf_add(buf *b, const void *bytes, size_t length) {
  if (length == 0) return;
  memcpy(buf_room(b, length), bytes, length);
  b->len += length;
}

/* Up to its NUL. */
static inline void buf_text_add(buf *b, const char *text) {
  buf_add(b, text, strlen(text));
}

static inline void buf_char(buf *b, char c) {
  *buf_room(b, 1) = c;
  b->len++;
}

void buf_format(buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
void buf_format_list(buf *b, const char *format, va_list args) __attribute__((format(printf, 2, 0)));
const char *buf_text(buf *b);           /* the bytes, with a NUL behind them that len does not count */
char *buf_take(buf *b, size_t *length); /* hands the bytes over (ended by a NUL); the caller frees them */

#endif
