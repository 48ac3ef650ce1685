/* A limit that threads share: never more than `most` at once, first come first served, no place lost. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/hash.h"
#include "calls/limit.h"

/* ---- one thread ---- */

static limit_waiter *granted[8];
static size_t granted_count;

static void note(limit_waiter *waiter) {
  granted[granted_count++] = waiter;
}

static int begin(void **state) {
  (void)state;
  granted_count = 0;
  return 0;
}

static void without_a_bound_everybody_gets_a_place(void **state) {
  (void)state;
  limit *l = limit_new(0);
  limit_waiter w = {.granted = note};
  for (int i = 0; i < 1000; i++) assert_true(limit_acquire(l, &w));
  for (int i = 0; i < 1000; i++) limit_release(l);
  assert_int_equal(limit_queued(l), 0);
  limit_free(l);
}

static void places_are_given_in_the_order_of_asking(void **state) {
  (void)state;
  limit *l = limit_new(2);
  limit_waiter w[5];
  for (int i = 0; i < 5; i++) {
    w[i] = (limit_waiter){.granted = note};
    list_init(&w[i].link);
    assert_int_equal(limit_acquire(l, &w[i]), i < 2);
  }
  assert_int_equal(limit_queued(l), 3);
  for (int i = 0; i < 5; i++) limit_release(l);
  assert_int_equal(granted_count, 3);
  for (int i = 0; i < 3; i++) assert_ptr_equal(granted[i], &w[i + 2]);
  assert_int_equal(limit_queued(l), 0);
  assert_int_equal(limit_longest_queue(l), 3);
  assert_true(limit_acquire(l, &w[0]));
  assert_true(limit_acquire(l, &w[1]));
  assert_false(limit_acquire(l, &w[2]));
  assert_true(limit_leave(l, &w[2]));
  limit_free(l);
}

static void who_leaves_the_line_is_passed_over(void **state) {
  (void)state;
  limit *l = limit_new(1);
  limit_waiter w[4];
  for (int i = 0; i < 4; i++) {
    w[i] = (limit_waiter){.granted = note};
    limit_acquire(l, &w[i]);
  }
  assert_true(limit_leave(l, &w[1]));
  assert_false(limit_leave(l, &w[1]));
  limit_release(l);
  assert_ptr_equal(granted[0], &w[2]);
  assert_false(limit_leave(l, &w[2])); /* its place is its to give back */
  limit_release(l);
  assert_ptr_equal(granted[1], &w[3]);
  limit_release(l);
  assert_int_equal(granted_count, 2);
  limit_free(l);
}

/* ---- many threads ---- */

enum { THREADS = 4, WAITERS = 8, ROUNDS = 4000, MOST = 5 };

typedef struct crowd {
  limit *limit;
  _Atomic int inside, most_inside, turns;
} crowd;

/* One thread: its waiters ask again and again, and the news of grants comes through its own mailbox. */
typedef struct member member;

typedef struct asker {
  limit_waiter waiter;
  member *of;
  enum { IDLE, WAITS, INSIDE, GONE } state;
} asker;

struct member {
  crowd *in;
  pthread_t thread;
  pthread_mutex_t lock;
  pthread_cond_t news;
  asker *mail[WAITERS];
  size_t mail_count;
  asker askers[WAITERS];
  uint64_t seed;
};

static void post(limit_waiter *waiter) {
  asker *a = LIST_OF(asker, waiter, waiter);
  member *m = a->of;
  pthread_mutex_lock(&m->lock);
  m->mail[m->mail_count++] = a;
  pthread_cond_signal(&m->news);
  pthread_mutex_unlock(&m->lock);
}

static void enter(asker *a) {
  crowd *in = a->of->in;
  a->state = INSIDE;
  int now = atomic_fetch_add(&in->inside, 1) + 1;
  int most = atomic_load(&in->most_inside);
  while (now > most && !atomic_compare_exchange_weak(&in->most_inside, &most, now)) {}
  atomic_fetch_add(&in->turns, 1);
}

static void leave(asker *a) {
  atomic_fetch_sub(&a->of->in->inside, 1);
  a->state = IDLE;
  limit_release(a->of->in->limit);
}

static void read_mail(member *m, bool wait) {
  asker *mail[WAITERS];
  pthread_mutex_lock(&m->lock);
  while (wait && m->mail_count == 0) pthread_cond_wait(&m->news, &m->lock);
  size_t count = m->mail_count;
  memcpy(mail, m->mail, sizeof mail);
  m->mail_count = 0;
  pthread_mutex_unlock(&m->lock);
  for (size_t i = 0; i < count; i++) {
    bool gone = mail[i]->state == GONE;
    enter(mail[i]);
    if (gone) leave(mail[i]); /* what limit_leave asks of whoever comes too late */
  }
}

static void step(member *m, asker *a) {
  switch (a->state) {
  case IDLE:
    if (limit_acquire(m->in->limit, &a->waiter))
      enter(a);
    else
      a->state = WAITS;
    break;
  case WAITS:
    if (random_next(&m->seed) % 4) break;
    a->state = limit_leave(m->in->limit, &a->waiter) ? IDLE : GONE;
    break;
  case INSIDE: leave(a); break;
  case GONE: break;
  }
}

static bool waits_for_mail(const member *m) {
  for (size_t i = 0; i < WAITERS; i++) {
    if (m->askers[i].state == WAITS || m->askers[i].state == GONE) return true;
  }
  return false;
}

static void *live(void *data) {
  member *m = data;
  for (int round = 0; round < ROUNDS; round++) {
    step(m, &m->askers[random_next(&m->seed) % WAITERS]);
    read_mail(m, false);
  }
  do { /* everybody who still waits is served in the end, or a place was lost */
    for (size_t i = 0; i < WAITERS; i++) {
      if (m->askers[i].state == INSIDE) leave(&m->askers[i]);
    }
    if (waits_for_mail(m)) read_mail(m, true);
  } while (waits_for_mail(m) || m->mail_count);
  for (size_t i = 0; i < WAITERS; i++) {
    if (m->askers[i].state == INSIDE) leave(&m->askers[i]);
  }
  return NULL;
}

static void threads_share_its_places_and_lose_none(void **state) {
  (void)state;
  static member members[THREADS];
  crowd all = {.limit = limit_new(MOST)};
  for (size_t t = 0; t < THREADS; t++) {
    member *m = &members[t];
    m->in = &all;
    m->seed = t;
    pthread_mutex_init(&m->lock, NULL);
    pthread_cond_init(&m->news, NULL);
    for (size_t i = 0; i < WAITERS; i++) m->askers[i] = (asker){.waiter = {.granted = post}, .of = m};
  }
  for (size_t t = 0; t < THREADS; t++)
    assert_int_equal(pthread_create(&members[t].thread, NULL, live, &members[t]), 0);
  for (size_t t = 0; t < THREADS; t++) pthread_join(members[t].thread, NULL);
  assert_int_equal(atomic_load(&all.inside), 0);
  assert_true(atomic_load(&all.most_inside) <= MOST);
  assert_true(atomic_load(&all.turns) > 0); /* how many is the scheduler's to say */
  assert_int_equal(limit_queued(all.limit), 0);
  limit_waiter w[MOST + 1]; /* all places are there again */
  for (size_t i = 0; i < MOST; i++) assert_true(limit_acquire(all.limit, &w[i]));
  assert_false(limit_acquire(all.limit, &w[MOST]));
  assert_true(limit_leave(all.limit, &w[MOST]));
  limit_free(all.limit);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(without_a_bound_everybody_gets_a_place, begin),
      cmocka_unit_test_setup(places_are_given_in_the_order_of_asking, begin),
      cmocka_unit_test_setup(who_leaves_the_line_is_passed_over, begin),
      cmocka_unit_test(threads_share_its_places_and_lose_none),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
