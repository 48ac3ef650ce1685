/* An answer's body on its way into a file.
 *
 * A regular file is written beside its place, under a name of its own, and moved there when it is whole:
 * nobody ever sees half of it, and what stood there before stays when the answer breaks. New files can be
 * read by their owner only. Anything else (a pipe, a device) is written to directly. */
#ifndef JAUNT_HTTP_SAVE_H
#define JAUNT_HTTP_SAVE_H

#include <stddef.h>

#include "base/error.h"

typedef struct save {
  int fd;     /* -1 while closed */
  int folder; /* where `name` and `part` are: a descriptor, or AT_FDCWD */
  char *path; /* where it goes, in words; NULL while nothing is saved */
  char *name; /* the same, from the folder */
  char *part; /* where it is written; NULL when directly */
  size_t bytes;
} save;

/* Whether `path` can't lead out of the folder it is relative to, as far as its spelling tells. Returns 0, or -1 and fills
 * `err`. */
int save_check(const char *path, error *err);

/* Each returns 0, or -1 and fills `err`; after a failure save_drop has to be called, as ever.
 *
 * With a folder `below`, `path` is relative to it, and whatever stands there, it is not left: no .., no symbolic link.
 * Folders that are missing are made, `below` among them, for their owner only. With NULL, `path` is any path. */
int save_open(save *s, const char *below, const char *path, error *err);
int save_write(save *s, const void *bytes, size_t length, error *err);
int save_keep(save *s, error *err); /* the file is whole */

/* Frees what is held; takes away what was written, unless it was kept. Nothing to do while nothing is saved.
 */
void save_drop(save *s);

#endif
