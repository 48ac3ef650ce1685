/* Small blocks of memory for one thread: what Lua makes and drops by the thousand a millisecond.
 *
 * Blocks of a size class are cut from slabs and, once dropped, kept for the next of that class: no search, no
 * locks and no headers, where the system's allocator takes about a tenth of a call's time. What is larger
 * goes to that one. Slabs are given back all at once, by blocks_free. */
#ifndef JAUNT_ENGINE_BLOCKS_H
#define JAUNT_ENGINE_BLOCKS_H

#include <stddef.h>
#include <stdlib.h>

enum { BLOCK_STEP = 16, BLOCK_MOST = 2048 };

typedef struct blocks {
  void *dropped[BLOCK_MOST / BLOCK_STEP + 1]; /* by class, each pointing at the next */
  char *fresh, *fresh_end;                    /* what is left of the newest slab */
  void *slabs;                                /* each pointing at the one before */
} blocks;

void *blocks_cut(blocks *all, size_t bytes); /* a new block, for blocks_take */

static inline size_t blocks_class(size_t size) {
  return (size + BLOCK_STEP - 1) / BLOCK_STEP;
}

/* The sanitizers watch blocks of the system's allocator alone. */
static inline int blocks_is_small(size_t size) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  (void)size;
  return 0;
#else
  return size <= BLOCK_MOST;
#endif
}

/* A block of `size` bytes, more than none; NULL where there is no memory. */
static inline void *blocks_take(blocks *all, size_t size) {
  if (!blocks_is_small(size)) return malloc(size);
  void **dropped = &all->dropped[blocks_class(size)], *block = *dropped;
  if (!block) return blocks_cut(all, blocks_class(size) * BLOCK_STEP);
  *dropped = *(void **)block;
  __builtin_prefetch(*dropped,
                     1); /* where it points will be looked at when it is taken: by then it is at hand */
  return block;
}

static inline void blocks_drop(blocks *all, void *block, size_t size) {
  if (!blocks_is_small(size)) {
    free(block);
    return;
  }
  void **dropped = &all->dropped[blocks_class(size)];
  *(void **)block = *dropped;
  *dropped = block;
}

/* As realloc does it: `old` of `old_size` bytes (NULL and 0: none) becomes a block of `size`; 0 drops it.
 * Returns NULL for 0, and where there is no memory for more: `old` is as it was then. A zeroed `blocks` is
 * ready. */
void *blocks_change(blocks *all, void *old, size_t old_size, size_t size);

/* Frees the slabs; no block may be in use. */
void blocks_free(blocks *all);

#endif
