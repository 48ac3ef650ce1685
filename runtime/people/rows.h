/* Rows: what the formats have in common.
 *
 * A format finds the next row at the front of the window, and says that it can be used or why it cannot.
 * audience.c then decides about duplicates, writes what was rejected to the rejects file, and takes the row's
 * bytes off the window. */
#ifndef JAUNT_PEOPLE_ROWS_H
#define JAUNT_PEOPLE_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "people/audience.h"
#include "people/input.h"

enum {
  ROW_MOST = 16 * 1024 * 1024, /* bytes of one row, its line end included */
  WHY_MOST = 512,
  SHOWN_MOST = 80,
};

/* ROW_LATER: the row has not come whole. Nothing of it was taken; `next` looks at it again from its beginning. */
typedef enum row_found { ROW_FAILED = -1, ROW_END, ROW_USABLE, ROW_REJECTED, ROW_LATER } row_found;

typedef struct row {
  size_t length;        /* its bytes, at the front of the window... */
  uint64_t lines;       /* ...and how many lines end in them */
  bool more;            /* rejected, and it goes on behind them: ask `rest` */
  bool counts;          /* set by who asks: it is only counted, so profile and event need not be filled */
  buf id;               /* of one that can be used */
  buf profile, event;   /* JSON objects */
  reject_reason reason; /* of one that cannot */
  char why[WHY_MOST];
} row;

typedef struct rows rows;
struct rows {
  const char *format;
  const char *head; /* what the rejects file begins with */
  size_t head_length;
  bool one_line; /* a rejected row may stand on several lines and is to be written as one */
  row_found (*next)(rows *r, row *out, error *err);
  /* What follows of a row that was rejected with `more`: sets length, lines and more. Returns 0, INPUT_LATER or -1. */
  int (*rest)(rows *r, row *out, error *err);
  void (*free)(rows *r);
};

/* Each reads from `in`, which stands at the header or at the first row and outlives it. `id_name` is the name
 * of the column or member that holds the id; it is kept, not copied. Returns 0 and sets *out; INPUT_LATER where the
 * header or the first line has not come whole, and nothing was taken; -1 and `err` where it cannot work. */
int rows_csv_open(rows **out, input *in, const char *id_name, error *err);
int rows_json_lines_open(rows **out, input *in, const char *id_name, error *err);
rows *rows_json_array_open(input *in, const char *id_name);

void row_clear(row *r);
void row_free(row *r);

/* Says why the row cannot be used, in one sentence. Returns ROW_REJECTED. */
row_found row_reject(row *r, reject_reason reason, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Rejects a line that is longer than ROW_MOST; the held part of it is the row, and more follows. */
row_found row_reject_long_line(row *r, const input *in);

/* The next part of such a line: `rest` of the formats that have a row a line. Returns 0, INPUT_LATER or -1. */
int row_rest_of_line(row *r, input *in, char newline, error *err);

/* Begins the next member of the object being built in `object`: a '{' or a comma, then `key` as it stands
 * (quoted, with its colon). */
static inline void row_add_key(buf *object, const char *key, size_t length) {
  char *to = buf_room(object, 1 + length);
  *to = object->len == 0 ? '{' : ',';
  memcpy(to + 1, key, length);
  object->len += 1 + length;
}

/* Puts the id into the profile, if `add_id`, and closes both objects. A row without an id that can be used is
 * rejected. */
row_found row_finish(row *r, bool add_id);

/* Foreign text, made fit for a message: cut, and without controls that a terminal would obey. Returns `out`.
 */
const char *show_text(char out[SHOWN_MOST], const char *bytes, size_t length);

#endif
