/* Small blocks of memory for one thread: what Lua makes and drops by the thousand a millisecond.
 *
 * Blocks of a size class are cut from slabs and, once dropped, kept for the next of that class: no search, no
 * locks and no headers, where the system's allocator takes about a tenth of a call's time. What is larger
 * goes to that one. Slabs are given back all at once, by blocks_free. */
#ifndef JAUNT_ENGINE_BLOCKS_H
#define JAUNT_ENGINE_BLOCKS_H

#include <stddef.h>

enum { BLOCK_STEP = 16, BLOCK_MOST = 2048 };

typedef struct blocks {
  void *dropped[BLOCK_MOST / BLOCK_STEP + 1]; /* by class, each pointing at the next */
  char *fresh, *fresh_end;                    /* what is left of the newest slab */
  void *slabs;                                /* each pointing at the one before */
} blocks;

/* As realloc does it: `old` of `old_size` bytes (NULL and 0: none) becomes a block of `size`; 0 drops it.
 * Returns NULL for 0, and where there is no memory for more: `old` is as it was then. A zeroed `blocks` is
 * ready. */
void *blocks_change(blocks *all, void *old, size_t old_size, size_t size);

/* Frees the slabs; no block may be in use. */
void blocks_free(blocks *all);

#endif
