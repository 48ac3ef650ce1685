/* The bytes of an audience: a window that moves over a file or a pipe.
 *
 * The formats (rows_csv.c, rows_json.c) look at what the window holds, ask for more where a row is not
 * complete, and take the row off its front when they are done with it. It knows lines, and nothing else of
 * what it holds. */
#ifndef JAUNT_PEOPLE_INPUT_H
#define JAUNT_PEOPLE_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

typedef struct input {
  int fd;
  char *name; /* the path, or "standard input": for messages */
  char *data; /* what is held stands in data[start] to data[end - 1] */
  size_t room, start, end;
  size_t chunk;  /* how much one read asks for */
  bool marked;   /* it begins with a byte order mark, which was taken */
  bool ended;    /* there is nothing behind what is held */
  bool slow;     /* no plain file: what it holds may come later */
  uint64_t line; /* of the first byte held, from 1 */
  uint64_t taken, total;
} input;

/* Opens `path` ("-" is standard input), to be read `chunk` bytes at a time. Returns 0, or -1 and says which
 * file; `in` is to be closed in either case. */
int input_open(input *in, const char *path, size_t chunk, error *err);
void input_close(input *in);

static inline const char *input_at(const input *in) {
  return in->data + in->start;
}
static inline size_t input_held(const input *in) {
  return in->end - in->start;
}

enum { INPUT_LATER = 2 };

/* Reads more behind what is held. Offsets from input_at() stay right, pointers do not. Returns 1; 0 at the end;
 * INPUT_LATER where nothing came from a pipe for a short time, or a signal did: whoever asked leaves what is held
 * where it stands, and asks again when others had their turn; -1 and fills `err` where reading fails. */
int input_more(input *in, error *err);

typedef enum line_found { LINE_FAILED = -1, LINE_NONE, LINE_WHOLE, LINE_TOO_LONG, LINE_LATER } line_found;

/* Finds the end of the line that starts at offset `from`, reading on as needed. LINE_WHOLE: *behind is the
 * offset behind its `newline`, or that of the input's end. LINE_NONE: the input ends at `from`.
 * LINE_TOO_LONG: there is none before the offset `most`. LINE_LATER: it has not come yet. */
line_found input_line(input *in, size_t from, char newline, size_t most, size_t *behind, error *err);

/* Takes `length` bytes, in which `lines` lines end, off the front. */
void input_take(input *in, size_t length, uint64_t lines);

#endif
