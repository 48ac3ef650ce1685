/* The rejects file: the rows that could not be used, as they stood, to be mended and fed again. */
#ifndef JAUNT_PEOPLE_REJECTS_H
#define JAUNT_PEOPLE_REJECTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/error.h"

typedef struct rejects {
  char *path; /* NULL: nothing is written */
  FILE *file; /* NULL until the first row */
  const char *head;
  size_t head_length;
  bool one_line; /* line ends within a row become spaces, and one is put behind it */
} rejects;

/* Refuses a path that is the very file open as `input_fd`. Copies `path`. Returns 0 or -1. */
int rejects_init(rejects *r, const char *path, int input_fd, error *err);

/* Some bytes of a rejected row; the first call makes the file (readable by its owner only) and writes the
 * head. */
int rejects_add(rejects *r, const char *bytes, size_t length, error *err);
int rejects_end_row(rejects *r, error *err);
int rejects_flush(rejects *r, error *err);
void rejects_close(rejects *r);

#endif
