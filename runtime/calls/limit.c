/* A limit that workers share: see limit.h.
 *
 * A place that is given back goes straight to the first in line, so while somebody waits no place is free,
 * and nobody can overtake. `granted` is called without the lock: it may take others. */
#include "calls/limit.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/alloc.h"

struct limit {
  size_t most; /* 0: no limit; not changed */
  pthread_mutex_t lock;
  size_t taken, queued, longest;
  list line;
};

limit *limit_new(size_t most) {
  limit *l = mem_zero(sizeof *l);
  l->most = most;
  pthread_mutex_init(&l->lock, NULL);
  list_init(&l->line);
  return l;
}

void limit_free(limit *l) {
  if (!l) return;
  pthread_mutex_destroy(&l->lock);
  free(l);
}

static void get_in_line(limit *l, limit_waiter *waiter) {
  waiter->queued = true;
  list_push(&l->line, &waiter->link);
  if (++l->queued > l->longest) l->longest = l->queued;
}

bool limit_acquire(limit *l, limit_waiter *waiter) {
  if (l->most == 0) return true;
  pthread_mutex_lock(&l->lock);
  bool free_place = l->taken < l->most;
  if (free_place)
    l->taken++;
  else
    get_in_line(l, waiter);
  pthread_mutex_unlock(&l->lock);
  return free_place;
}

/* Under the lock. */
static limit_waiter *first_in_line(limit *l) {
  list *first = list_pop(&l->line);
  if (!first) return NULL;
  limit_waiter *waiter = LIST_OF(limit_waiter, link, first);
  waiter->queued = false;
  l->queued--;
  return waiter;
}

void limit_release(limit *l) {
  if (l->most == 0) return;
  pthread_mutex_lock(&l->lock);
  limit_waiter *next = first_in_line(l);
  if (!next) l->taken--;
  pthread_mutex_unlock(&l->lock);
  if (next) next->granted(next);
}

bool limit_leave(limit *l, limit_waiter *waiter) {
  pthread_mutex_lock(&l->lock);
  bool was_in_line = waiter->queued;
  if (was_in_line) {
    waiter->queued = false;
    list_remove(&waiter->link);
    l->queued--;
  }
  pthread_mutex_unlock(&l->lock);
  return was_in_line;
}

static size_t look(limit *l, const size_t *figure) {
  pthread_mutex_lock(&l->lock);
  size_t value = *figure;
  pthread_mutex_unlock(&l->lock);
  return value;
}

size_t limit_queued(limit *l) {
  return look(l, &l->queued);
}

size_t limit_longest_queue(limit *l) {
  return look(l, &l->longest);
}
