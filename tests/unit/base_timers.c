/* The heap of timers: whatever is set and cleared, it fires as a sorted list would. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/hash.h"
#include "base/timers.h"

enum { FEW = 8, MANY = 500, STEPS = 60000 };

/* A timer and what it should do; `t` comes first, so that a timer is its tracked one. */
typedef struct tracked {
  timer t;
  bool set; /* as the reference has it */
  int64_t at_ms;
  uint64_t order;
} tracked;

static timer *fired[MANY];
static size_t fired_count;

static void note(timer *t) {
  assert_false(timer_is_set(t));
  assert_true(fired_count < MANY);
  fired[fired_count++] = t;
}

static int64_t random_below(uint64_t *seed, int64_t bound) {
  return (int64_t)(random_next(seed) % (uint64_t)bound);
}

/* ---- one by one ---- */

static void timers_fire_in_the_order_of_their_times(void **state) {
  (void)state;
  static const int64_t times[FEW] = {50, -10, 70, 0, 20, INT64_MAX, 60, INT64_MIN};
  static const int order[FEW] = {7, 1, 3, 4, 0, 6, 2, 5};
  timers set;
  timer t[FEW] = {0};
  timers_init(&set);
  fired_count = 0;
  for (int i = 0; i < FEW; i++) timer_set(&set, &t[i], times[i], note);
  assert_int_equal(timers_next(&set), INT64_MIN);
  assert_int_equal(timers_fire(&set, INT64_MAX, SIZE_MAX), FEW);
  for (int i = 0; i < FEW; i++) assert_ptr_equal(fired[i], &t[order[i]]);
  timers_free(&set);
}

static void timers_of_one_time_fire_in_the_order_they_were_set(void **state) {
  (void)state;
  static timer t[MANY];
  timers set;
  timers_init(&set);
  fired_count = 0;
  for (int i = 0; i < MANY; i++) timer_set(&set, &t[i], 1000, note);
  timer_set(&set, &t[0], 1000, note); /* set anew: now the last */
  assert_int_equal(timers_fire(&set, 1000, SIZE_MAX), MANY);
  for (int i = 0; i + 1 < MANY; i++) assert_ptr_equal(fired[i], &t[i + 1]);
  assert_ptr_equal(fired[MANY - 1], &t[0]);
  timers_free(&set);
}

static void a_timer_is_never_early(void **state) {
  (void)state;
  timers set;
  timer t = {0};
  timers_init(&set);
  assert_int_equal(timers_next(&set), INT64_MAX);
  assert_int_equal(timers_fire(&set, INT64_MAX, SIZE_MAX), 0);
  fired_count = 0;
  timer_set(&set, &t, 1000, note);
  assert_int_equal(timers_fire(&set, 999, SIZE_MAX), 0);
  assert_true(timer_is_set(&t));
  assert_int_equal(timers_fire(&set, 1000, SIZE_MAX), 1);
  assert_int_equal(timers_fire(&set, 1000, SIZE_MAX), 0);
  timers_free(&set);
}

static void a_cleared_timer_does_not_fire(void **state) {
  (void)state;
  timers set;
  timer a = {0}, b = {0};
  timers_init(&set);
  fired_count = 0;
  timer_clear(&set, &a); /* not set: nothing happens */
  timer_set(&set, &a, 1, note);
  timer_set(&set, &b, 2, note);
  timer_clear(&set, &a);
  timer_clear(&set, &a);
  assert_false(timer_is_set(&a));
  assert_int_equal(timers_next(&set), 2);
  assert_int_equal(timers_fire(&set, 9, SIZE_MAX), 1);
  assert_ptr_equal(fired[0], &b);
  timers_free(&set);
}

static void a_call_fires_no_more_than_it_was_asked_to(void **state) {
  (void)state;
  static timer t[MANY];
  timers set;
  timers_init(&set);
  fired_count = 0;
  for (int i = 0; i < 10; i++) timer_set(&set, &t[i], i, note);
  assert_int_equal(timers_fire(&set, 100, 0), 0);
  assert_int_equal(timers_fire(&set, 100, 4), 4);
  assert_int_equal(timers_next(&set), 4);
  assert_int_equal(timers_fire(&set, 100, 100), 6);
  timers_free(&set);
}

static void forgotten_timers_are_not_set(void **state) {
  (void)state;
  static timer t[MANY];
  timers set;
  timers_init(&set);
  fired_count = 0;
  for (int i = 0; i < MANY; i++) timer_set(&set, &t[i], i, note);
  timers_free(&set);
  assert_int_equal(fired_count, 0);
  for (int i = 0; i < MANY; i++) assert_false(timer_is_set(&t[i]));
  timer_set(&set, &t[0], 5, note); /* the heap can be used anew */
  assert_int_equal(timers_fire(&set, 5, SIZE_MAX), 1);
  timers_free(&set);
}

/* ---- callbacks that set and clear ---- */

static timers shared;
static timer pair[2];

static void clear_the_other(timer *t) {
  note(t);
  timer_clear(&shared, t == &pair[0] ? &pair[1] : &pair[0]);
}

static void set_again(timer *t) {
  note(t);
  timer_set(&shared, t, t->at_ms + 10, set_again);
}

static void a_callback_may_clear_a_timer_that_is_due_as_well(void **state) {
  (void)state;
  timers_init(&shared);
  fired_count = 0;
  for (int i = 0; i < 2; i++) timer_set(&shared, &pair[i], 5, clear_the_other);
  assert_int_equal(timers_fire(&shared, 5, SIZE_MAX), 1);
  assert_ptr_equal(fired[0], &pair[0]);
  assert_false(timer_is_set(&pair[1]));
  timers_free(&shared);
}

static void a_callback_may_set_its_own_timer_again(void **state) {
  (void)state;
  timers_init(&shared);
  fired_count = 0;
  timer_set(&shared, &pair[0], 0, set_again);
  assert_int_equal(timers_fire(&shared, 35, SIZE_MAX), 4); /* at 0, 10, 20 and 30 */
  assert_int_equal(timers_next(&shared), 40);
  timers_free(&shared);
}

/* ---- against a reference ---- */

static int by_time_and_order(const void *a, const void *b) {
  const tracked *x = *(tracked *const *)a, *y = *(tracked *const *)b;
  if (x->at_ms != y->at_ms) return x->at_ms < y->at_ms ? -1 : 1;
  return x->order < y->order ? -1 : x->order > y->order;
}

/* The reference: all that are set, sorted. Returns how many. */
static size_t sorted(tracked *all, tracked **out) {
  size_t count = 0;
  for (int i = 0; i < MANY; i++) {
    if (all[i].set) out[count++] = &all[i];
  }
  qsort(out, count, sizeof(tracked *), by_time_and_order);
  return count;
}

static void fire_and_compare(timers *set, tracked *all, int64_t now, size_t most) {
  tracked *expected[MANY] = {NULL};
  size_t count = sorted(all, expected), due = 0;
  assert_int_equal(set->count, count);
  assert_int_equal(timers_next(set), count ? expected[0]->at_ms : INT64_MAX);
  while (due < count && due < most && expected[due]->at_ms <= now) due++;
  fired_count = 0;
  assert_int_equal(timers_fire(set, now, most), due);
  assert_int_equal(fired_count, due);
  for (size_t i = 0; i < due; i++) {
    assert_ptr_equal(fired[i], &expected[i]->t);
    expected[i]->set = false;
  }
}

static void any_mix_of_setting_and_clearing_fires_as_a_sorted_list_does(void **state) {
  (void)state;
  static tracked all[MANY];
  timers set;
  uint64_t seed = 2, order = 0;
  int64_t now = 0;
  timers_init(&set);
  memset(all, 0, sizeof all);
  for (int step = 0; step < STEPS; step++) {
    tracked *one = &all[random_below(&seed, MANY)];
    int64_t what = random_below(&seed, 100);
    if (what < 70) {
      *one = (tracked){one->t, true, now + random_below(&seed, 400) - 20, order++};
      timer_set(&set, &one->t, one->at_ms, note);
    } else if (what < 95) {
      timer_clear(&set, &one->t);
      one->set = false;
    } else {
      now += random_below(&seed, 60);
      fire_and_compare(&set, all, now, what == 95 ? (size_t)random_below(&seed, 5) : SIZE_MAX);
    }
    assert_true(timer_is_set(&one->t) == one->set);
  }
  fire_and_compare(&set, all, INT64_MAX, SIZE_MAX);
  assert_int_equal(set.count, 0);
  timers_free(&set);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(timers_fire_in_the_order_of_their_times),
      cmocka_unit_test(timers_of_one_time_fire_in_the_order_they_were_set),
      cmocka_unit_test(a_timer_is_never_early),
      cmocka_unit_test(a_cleared_timer_does_not_fire),
      cmocka_unit_test(a_call_fires_no_more_than_it_was_asked_to),
      cmocka_unit_test(forgotten_timers_are_not_set),
      cmocka_unit_test(a_callback_may_clear_a_timer_that_is_due_as_well),
      cmocka_unit_test(a_callback_may_set_its_own_timer_again),
      cmocka_unit_test(any_mix_of_setting_and_clearing_fires_as_a_sorted_list_does),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
