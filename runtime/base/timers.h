/* A heap of timers: the engine's waits and deadlines, and the wire's timeouts.
 *
 * The heap knows no clock: its owner says what time it is, in milliseconds of whichever clock it serves,
 * and arms one timer of the loop for the earliest. A million waiting runs are a million small entries, not
 * a million handles. Timers due at the same time fire in the order they were set.
 *
 * Memory: a timer lives inside its owner's structure; the heap keeps 8 bytes for each. One thread at a time. */
#ifndef JAUNT_BASE_TIMERS_H
#define JAUNT_BASE_TIMERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct timer timer;
typedef void (*timer_due)(timer *t);

struct timer {
  int64_t at_ms;
  uint64_t order; /* of setting: decides between equals */
  timer_due due;
  size_t place; /* in the heap, from 1; 0 while not set */
};

typedef struct timers {
  timer **heap; /* heap[1] is the earliest */
  size_t count, room;
  uint64_t set_so_far;
} timers;

void timers_init(timers *set);
void timers_free(timers *set); /* forgets all; fires none */

/* Sets `t` (anew, if it was set) to fire `due` at `at_ms` or later, never earlier. */
void timer_set(timers *set, timer *t, int64_t at_ms, timer_due due);
void timer_clear(timers *set, timer *t); /* no-op when not set */
static inline bool timer_is_set(const timer *t) {
  return t->place != 0;
}

/* The earliest due time, or INT64_MAX when none is set. */
int64_t timers_next(const timers *set);

/* Fires what is due at `now_ms`, each cleared before its callback, which may set and clear any.
 * At most `most` of them, so that one call stays short. Returns how many fired. */
size_t timers_fire(timers *set, int64_t now_ms, size_t most);

#endif
