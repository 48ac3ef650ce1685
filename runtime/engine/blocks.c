/* Small blocks of memory for one thread: see blocks.h. */
#include "engine/blocks.h"

#include <stdlib.h>
#include <string.h>

enum { SLAB_BYTES = 64 << 10 };

void *blocks_cut(blocks *all, size_t bytes) {
  if ((size_t)(all->fresh_end - all->fresh) < bytes) {
    char *slab = malloc(SLAB_BYTES);
    if (!slab) return NULL;
    *(void **)(void *)slab = all->slabs;
    all->slabs = slab;
    all->fresh = slab + BLOCK_STEP;
    all->fresh_end = slab + SLAB_BYTES;
  }
  void *block = all->fresh;
  all->fresh += bytes;
  return block;
}

void *blocks_change(blocks *all, void *old, size_t old_size, size_t size) {
  if (!old) return size ? blocks_take(all, size) : NULL;
  if (!size) return blocks_drop(all, old, old_size), NULL;
  if (!blocks_is_small(old_size) && !blocks_is_small(size)) return realloc(old, size);
  if (blocks_is_small(old_size) && blocks_is_small(size) && blocks_class(old_size) == blocks_class(size))
    return old;
  void *block = blocks_take(all, size);
  if (!block)
    return size < old_size ? old : NULL; /* it is never refused to shrink; the rest of it is lost then */
  memcpy(block, old, old_size < size ? old_size : size);
  blocks_drop(all, old, old_size);
  return block;
}

void blocks_free(blocks *all) {
  for (void *slab = all->slabs, *before; slab; slab = before) {
    before = *(void **)slab;
    free(slab);
  }
  *all = (blocks){0};
}
