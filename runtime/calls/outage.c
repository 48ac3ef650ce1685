/* Outages: see outage.h. */
#include "calls/outage.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

struct outage {
  _Atomic uint64_t failed; /* is changed under the lock */
  pthread_mutex_t lock;    /* guards what follows */
  call_reason reason;
  char detail[OUTAGE_DETAIL];
  timers waiting; /* those who wait, by the time that is next */
};

outage *outage_new(void) {
  outage *o = mem_zero(sizeof *o);
  pthread_mutex_init(&o->lock, NULL);
  timers_init(&o->waiting);
  return o;
}

void outage_free(outage *o) {
  if (!o) return;
  timers_free(&o->waiting);
  pthread_mutex_destroy(&o->lock);
  free(o);
}

void outage_failed(outage *o, call_reason reason, const char *detail) {
  pthread_mutex_lock(&o->lock);
  atomic_fetch_add(&o->failed, 1);
  o->reason = reason;
  snprintf(o->detail, sizeof o->detail, "%s", detail);
  pthread_mutex_unlock(&o->lock);
}

void outage_answered(outage *o) {
  if (!atomic_load_explicit(&o->failed, memory_order_relaxed)) return;
  pthread_mutex_lock(&o->lock);
  atomic_store(&o->failed, 0);
  pthread_mutex_unlock(&o->lock);
}

void outage_wait(outage *o, timer *place, int64_t at_ms) {
  pthread_mutex_lock(&o->lock);
  timer_set(&o->waiting, place, at_ms, NULL);
  pthread_mutex_unlock(&o->lock);
}

void outage_go_on(outage *o, timer *place) {
  pthread_mutex_lock(&o->lock);
  timer_clear(&o->waiting, place);
  pthread_mutex_unlock(&o->lock);
}

outage_look outage_look_at(outage *o) {
  pthread_mutex_lock(&o->lock);
  outage_look look = {.failed = atomic_load(&o->failed),
                      .reason = o->reason,
                      .waiting = o->waiting.count,
                      .next_ms = timers_next(&o->waiting)};
  memcpy(look.detail, o->detail, sizeof look.detail);
  pthread_mutex_unlock(&o->lock);
  return look;
}
