/* A growable run of bytes: what is being built before it is sent, stored or shown.
 *
 * Bytes are not text: they may hold NULs. buf_text() ends them with one for those who need it. */
#ifndef JAUNT_BASE_BUF_H
#define JAUNT_BASE_BUF_H

#include <stdarg.h>
#include <stddef.h>

typedef struct buf {
  char *data; /* NULL while nothing was ever written */
  size_t len;
  size_t cap;
} buf;

#define BUF_EMPTY ((buf){NULL, 0, 0})

void buf_free(buf *b);  /* frees the bytes; b is empty again */
void buf_clear(buf *b); /* forgets the bytes, keeps the room */
char *buf_room(buf *b,
               size_t more); /* makes room; returns where `more` bytes may be written (then add to len) */
void buf_add(buf *b, const void *bytes, size_t length);
void buf_text_add(buf *b, const char *text); /* up to its NUL */
void buf_char(buf *b, char c);
void buf_format(buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
const char *buf_text(buf *b);           /* the bytes, with a NUL behind them that len does not count */
char *buf_take(buf *b, size_t *length); /* hands the bytes over (ended by a NUL); the caller frees them */

#endif
