/* Who was already let in: a set of ids, with the line that each came from.
 *
 * Made for very many: an id is kept as 96 bits of a keyed hash (that two of 100 million ids share one has a
 * chance of 1 in 10 trillion) and 32 bits of line, 16 bytes together, and the set is never less than three
 * quarters full, nor copied to grow. So it holds at most 24 bytes an id at any moment, from a few thousand
 * ids on. One thread at a time. */
#ifndef JAUNT_PEOPLE_SEEN_H
#define JAUNT_PEOPLE_SEEN_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

typedef struct seen seen;

/* Returns NULL and fills `err` where the system gives no memory. */
seen *seen_new(error *err);
void seen_free(seen *s); /* NULL is taken */

/* Notes that `id` was met on `line` (from 1). Returns 1 when it is new; 0 when it was known, and sets
 * *earlier to its line (0 where that is above four billion); -1 where the system gives no more memory. */
int seen_add(seen *s, const char *id, size_t length, uint64_t line, uint64_t *earlier, error *err);

size_t seen_count(const seen *s);
size_t
seen_bytes(const seen *s); /* all the memory it holds; also its peak, for it only grows, and in place */

#endif
