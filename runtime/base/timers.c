/* A heap of timers: see timers.h. */
#include "base/timers.h"

#include <stdlib.h>

#include "base/alloc.h"

static bool before(const timer *a, const timer *b) {
  return a->at_ms != b->at_ms ? a->at_ms < b->at_ms : a->order < b->order;
}

static void put(timers *set, size_t place, timer *t) {
  set->heap[place] = t;
  t->place = place;
}

static void rise(timers *set, size_t place, timer *t) {
  while (place > 1 && before(t, set->heap[place / 2])) {
    put(set, place, set->heap[place / 2]);
    place /= 2;
  }
  put(set, place, t);
}

static void sink(timers *set, size_t place, timer *t) {
  for (;;) {
    size_t child = place * 2;
    if (child > set->count) break;
    if (child < set->count && before(set->heap[child + 1], set->heap[child])) child++;
    if (!before(set->heap[child], t)) break;
    put(set, place, set->heap[child]);
    place = child;
  }
  put(set, place, t);
}

void timers_init(timers *set) {
  *set = (timers){0};
}

void timers_free(timers *set) {
  for (size_t i = 1; i <= set->count; i++) set->heap[i]->place = 0;
  free(set->heap);
  timers_init(set);
}

void timer_set(timers *set, timer *t, int64_t at_ms, timer_due due) {
  timer_clear(set, t);
  if (set->count + 1 >= set->room) {
    set->room = set->room ? set->room * 2 : 64;
    set->heap = mem_grow(set->heap, set->room * sizeof *set->heap);
  }
  t->at_ms = at_ms;
  t->order = set->set_so_far++;
  t->due = due;
  set->count++;
  rise(set, set->count, t);
}

void timer_clear(timers *set, timer *t) {
  size_t place = t->place;
  if (!place) return;
  t->place = 0;
  timer *last = set->heap[set->count--];
  if (last == t) return;
  if (place > 1 && before(last, set->heap[place / 2]))
    rise(set, place, last);
  else
    sink(set, place, last);
}

int64_t timers_next(const timers *set) {
  return set->count ? set->heap[1]->at_ms : INT64_MAX;
}

size_t timers_fire(timers *set, int64_t now_ms, size_t most) {
  size_t fired = 0;
  while (fired < most && set->count && set->heap[1]->at_ms <= now_ms) {
    timer *t = set->heap[1];
    timer_clear(set, t);
    t->due(t);
    fired++;
  }
  return fired;
}
