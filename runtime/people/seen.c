/* The set of ids that were already let in: see seen.h.
 *
 * One array of slots in the order of their hashes, with gaps. An id's home is the place in proportion to its
 * hash, so the order of homes is the order of hashes; an id stands at its home or behind it, with no gap
 * between (linear probing, kept sorted). Growing therefore needs no second array: the region is made longer
 * (mremap moves pages, not bytes), what it holds is pushed to its far end, and from there dealt out again
 * from the front. */
#include "people/seen.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/alloc.h"
#include "base/hash.h"

typedef struct slot {
  uint64_t high;
  uint32_t low;
  uint32_t line; /* 0: the slot is free */
} slot;

enum {
  SLOTS_A_PAGE = 4096 / sizeof(slot),
  SLOTS_FIRST = 4 * SLOTS_A_PAGE,
  SLOTS_BEHIND = SLOTS_A_PAGE, /* nobody's home: for those whose home is near the end */
};

struct seen {
  slot *slots;
  size_t total, count;
  hash128 key; /* random: nobody can choose ids that crowd together */
};

/* At 85 of 100 a new id moves some twenty others by a place; a growth by an eighth leaves 75 of 100. */
static bool is_full(const seen *s) {
  return s->count >= (s->total - SLOTS_BEHIND) / 100 * 85;
}

static size_t larger(size_t total) {
  size_t pages = total / SLOTS_A_PAGE;
  return (pages + pages / 8 + 1) * SLOTS_A_PAGE;
}

seen *seen_new(error *err) {
  seen *s = mem_zero(sizeof *s);
  s->total = SLOTS_FIRST;
  if (random_system(&s->key) != 0) s->key = (hash128){(uint64_t)(uintptr_t)s, 0};
  s->slots = mmap(NULL, s->total * sizeof(slot), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (s->slots != MAP_FAILED) return s;
  error_set(err, "no memory to note who was already let in: %s", strerror(errno));
  free(s);
  return NULL;
}

void seen_free(seen *s) {
  if (!s) return;
  munmap(s->slots, s->total * sizeof(slot));
  free(s);
}

size_t seen_count(const seen *s) {
  return s->count;
}

size_t seen_bytes(const seen *s) {
  return sizeof *s + s->total * sizeof(slot);
}

static size_t home_of(const seen *s, uint64_t high) {
  size_t homes = s->total - SLOTS_BEHIND;
  return (size_t)((unsigned __int128)high * homes >> 64);
}

static bool stands_before(const slot *a, const slot *b) {
  return a->high < b->high || (a->high == b->high && a->low < b->low);
}

static void clear_slots(seen *s, size_t from, size_t to) {
  if (to > from) memset(s->slots + from, 0, (to - from) * sizeof(slot));
}

/* Pushes all that is held to the end, without gaps. Returns where it starts. */
static size_t push_to_end(seen *s, size_t old_total) {
  size_t to = s->total;
  for (size_t from = old_total; from-- > 0;) {
    if (s->slots[from].line) s->slots[--to] = s->slots[from];
  }
  return to;
}

/* Deals out again, from the front, what stands from `from` to the end. It always fits, and nothing is
 * overwritten before it is read: with k slots more, a home moves up by at most k, and so does each id. */
static void deal_out(seen *s, size_t from) {
  size_t next = 0;
  for (; from < s->total; from++) {
    slot moved = s->slots[from];
    size_t home = home_of(s, moved.high), place = home > next ? home : next;
    clear_slots(s, next, place);
    s->slots[place] = moved;
    next = place + 1;
  }
  clear_slots(s, next, s->total);
}

static int grow(seen *s, error *err) {
  size_t old_total = s->total, total = larger(old_total);
  slot *moved = mremap(s->slots, old_total * sizeof(slot), total * sizeof(slot), MREMAP_MAYMOVE);
  if (moved == MAP_FAILED)
    return error_set(err, "no memory to note who was already let in, after %zu people: %s", s->count,
                     strerror(errno));
  s->slots = moved;
  s->total = total;
  deal_out(s, push_to_end(s, old_total));
  return 0;
}

/* The slot that holds `id`, or else the one that it should take. */
static size_t find(const seen *s, const slot *id) {
  size_t at = home_of(s, id->high);
  while (at < s->total && s->slots[at].line && stands_before(&s->slots[at], id)) at++;
  return at;
}

/* Puts `id` at `at`, moving those behind up to the next free slot by one. Returns false when there is none.
 */
static bool insert(seen *s, size_t at, const slot *id) {
  size_t free_slot = at;
  while (free_slot < s->total && s->slots[free_slot].line) free_slot++;
  if (free_slot == s->total) return false;
  memmove(s->slots + at + 1, s->slots + at, (free_slot - at) * sizeof(slot));
  s->slots[at] = *id;
  s->count++;
  return true;
}

int seen_add(seen *s, const char *id, size_t length, uint64_t line, uint64_t *earlier, error *err) {
  hash128 hash = hash_bytes(s->key, id, length);
  slot new = {hash.lo, (uint32_t)hash.hi, line < UINT32_MAX ? (uint32_t)line : UINT32_MAX};
  size_t at = find(s, &new);
  if (at < s->total && s->slots[at].line && !stands_before(&new, &s->slots[at])) {
    *earlier = s->slots[at].line == UINT32_MAX ? 0 : s->slots[at].line;
    return 0;
  }
  while (is_full(s) || !insert(s, at, &new)) {
    if (grow(s, err) != 0) return -1;
    at = find(s, &new);
  }
  return 1;
}
