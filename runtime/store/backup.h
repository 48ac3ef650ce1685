/* A copy of a state, also of one that a runtime has: what was durable when the copy was begun.
 *
 * It takes no lock of the runtime's and writes nothing beside the state. As long as it takes, the state's WAL can't be begun anew, and
 * grows. */
#ifndef JAUNT_STORE_BACKUP_H
#define JAUNT_STORE_BACKUP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

typedef struct store_backup store_backup;

/* Begins to copy the state `from`. The copy is made as TO.part, readable by its owner alone, and named `to` when it is whole. Returns NULL
 * and fills `err`: there is no such state, `to` is there and may not be replaced, or it can't be made. */
store_backup *backup_begin(const char *from, const char *to, bool replace, error *err);
/* Copies some megabytes: 1, there is more; 0, it is whole, was checked and is on the disk; or -1. `done` and `total` are pages. */
int backup_step(store_backup *b, uint64_t *done, uint64_t *total, error *err);
void backup_end(store_backup *b); /* what is not whole is removed; NULL is taken */

#endif
