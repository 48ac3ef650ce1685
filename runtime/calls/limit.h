/* A limit that workers share: how many calls of one connection may be under way at once.
 *
 * Asked for asynchronously, so that many processes can share it later. First come, first served. It has its
 * own lock; `granted` may be called on any thread (that of the call which made room), and has to carry the
 * news to its own worker itself. */
#ifndef JAUNT_CALLS_LIMIT_H
#define JAUNT_CALLS_LIMIT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/list.h"

typedef struct limit limit;

typedef struct limit_waiter limit_waiter;
struct limit_waiter {
  list link;
  bool queued; /* guarded by the limit's lock */
  void (*granted)(limit_waiter *waiter);
};

limit *limit_new(size_t most); /* 0: no limit */
void limit_free(limit *l);

/* True: a place is taken, go on at once. False: `waiter` is in line, `granted` will come. */
bool limit_acquire(limit *l, limit_waiter *waiter);
void limit_release(limit *l); /* gives the place to the first in line, or back */

/* Leaves the line. True: it was still in it. False: `granted` was called or is being called; that place has to be
 * released by whoever gets the news. */
bool limit_leave(limit *l, limit_waiter *waiter);

size_t limit_queued(limit *l);        /* how many are in line now */
size_t limit_longest_queue(limit *l); /* and at the most so far */

#endif
