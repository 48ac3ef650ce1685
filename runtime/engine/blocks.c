/* Small blocks of memory for one thread: see blocks.h. */
#include "engine/blocks.h"

#include <stdlib.h>
#include <string.h>

enum { SLAB_BYTES = 64 << 10 };

static size_t class_of(size_t size) {
  return (size + BLOCK_STEP - 1) / BLOCK_STEP;
}

/* The sanitizers watch blocks of the system's allocator alone. */
static int is_small(size_t size) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  (void)size;
  return 0;
#else
  return size <= BLOCK_MOST;
#endif
}

static void *cut(blocks *all, size_t bytes) {
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

static void *take(blocks *all, size_t size) {
  if (!is_small(size)) return malloc(size);
  void **dropped = &all->dropped[class_of(size)], *block = *dropped;
  if (!block) return cut(all, class_of(size) * BLOCK_STEP);
  *dropped = *(void **)block;
  return block;
}

static void drop(blocks *all, void *block, size_t size) {
  if (!is_small(size)) {
    free(block);
    return;
  }
  void **dropped = &all->dropped[class_of(size)];
  *(void **)block = *dropped;
  *dropped = block;
}

void *blocks_change(blocks *all, void *old, size_t old_size, size_t size) {
  if (!old) return size ? take(all, size) : NULL;
  if (!size) return drop(all, old, old_size), NULL;
  if (!is_small(old_size) && !is_small(size)) return realloc(old, size);
  if (is_small(old_size) && is_small(size) && class_of(old_size) == class_of(size)) return old;
  void *block = take(all, size);
  if (!block)
    return size < old_size ? old : NULL; /* it is never refused to shrink; the rest of it is lost then */
  memcpy(block, old, old_size < size ? old_size : size);
  drop(all, old, old_size);
  return block;
}

void blocks_free(blocks *all) {
  for (void *slab = all->slabs, *before; slab; slab = before) {
    before = *(void **)slab;
    free(slab);
  }
  *all = (blocks){0};
}
