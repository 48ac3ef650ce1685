/* What is due next: exact, in order, told once for each settling, and only a few of a million in memory. */
#include "store_world.h"

#include <malloc.h>

#include <sqlite3.h>

#include "base/hash.h"

/* Parks many at once, by the shortest way. */
static void park_many(world *w, int count, int64_t (*due_of)(int)) {
  for (int i = 0; i < count; i++) {
    char person[24];
    snprintf(person, sizeof person, "p%d", i);
    while (store_lane_full(w->lane)) store_flush(w->lane);
    world_park(w, person, due_of(i));
    if (i % 1000 == 0) store_flush(w->lane);
  }
  world_sync(w);
}

static void the_next_time_is_exact_and_runs_are_told_in_order(void **state) {
  world *w = *state;
  store_due_run due[8];
  uint64_t late = world_park(w, "ada", 9000), early = world_park(w, "bob", 3000),
           middle = world_park(w, "eve", 5000);
  world_park(w, "zoe", INT64_MAX);
  assert_int_equal(store_next_due(w->lane), INT64_MAX); /* not durable yet */
  world_sync(w);
  for (int round = 0; round < 2; round++) {
    assert_int_equal(store_next_due(w->lane), 3000);
    assert_int_equal(store_due(w->lane, 2999, due, 8), 0);
    assert_int_equal(store_due(w->lane, 5000, due, 8), 2);
    assert_int_equal(due[0].run, early);
    assert_int_equal(due[0].due_ms, 3000);
    assert_int_equal(due[1].run, middle);
    assert_int_equal(store_due(w->lane, 5000, due, 8), 0); /* each once */
    assert_int_equal(store_next_due(w->lane), 9000);
    assert_int_equal(store_due(w->lane, INT64_MAX - 1, due, 8), 1);
    assert_int_equal(due[0].run, late);
    assert_int_equal(store_next_due(w->lane), INT64_MAX);
    if (round == 0) world_again(w); /* nobody acted: they are told again after a restart */
  }
}

static void a_run_that_could_not_be_looked_at_is_told_again_and_others_are_not(void **state) {
  world *w = *state;
  store_due_run due[2], again;
  uint64_t bob = world_park(w, "bob", 3000), eve = world_park(w, "eve", 5000);
  world_sync(w);
  assert_int_equal(store_due(w->lane, 5000, due, 2), 2);
  store_due_again(w->lane, &due[0]);
  assert_int_equal(store_next_due(w->lane), 3000);
  assert_int_equal(store_due(w->lane, 5000, &again, 1), 1);
  assert_int_equal(again.run, bob);
  assert_int_equal(again.due_ms, 3000);
  assert_int_equal(store_next_due(w->lane), INT64_MAX);
  store_due_again(w->lane, &due[1]);
  assert_int_equal(store_due(w->lane, 5000, &again, 1), 1);
  assert_int_equal(again.run, eve);
}

static void a_run_that_wakes_for_another_reason_is_not_due_at_its_old_time(void **state) {
  world *w = *state;
  traveller t;
  char kinds[32];
  store_due_run due[4];
  for (int restart = 0; restart < 2; restart++) {
    uint64_t run = world_park(w, "ada", 5000);
    world_sync(w);
    if (restart) world_again(w);
    assert_int_equal(store_next_due(w->lane), 5000);
    world_wake(w, run, &t, kinds);
    assert_int_equal(store_next_due(w->lane), INT64_MAX);
    world_step(w, &t, NULL);
    world_settle(w, &t, RUN_WAITING, 8000, NULL);
    world_sync(w);
    assert_int_equal(store_next_due(w->lane), 8000);
    world_step(w, &t, NULL); /* it was still in memory */
    assert_int_equal(store_next_due(w->lane), INT64_MAX);
    world_settle(w, &t, RUN_WAITING, 4000, NULL);
    world_sync(w);
    assert_int_equal(store_due(w->lane, 10000, due, 4), 1);
    assert_int_equal(due[0].due_ms, 4000);
    world_step(w, &t, NULL);
    world_settle(w, &t, RUN_COMPLETED, INT64_MAX, NULL);
    store_journal_forget(&t.journal);
    world_sync(w);
    assert_int_equal(store_next_due(w->lane), INT64_MAX);
  }
}

static int64_t same_second(int i) {
  (void)i;
  return 60000;
}

static void many_may_be_due_at_the_same_moment(void **state) {
  world *w = *state;
  enum { PEOPLE = 80000 };
  static store_due_run due[1000];
  static unsigned char told[PEOPLE + 2];
  memset(told, 0, sizeof told);
  assert_int_equal(store_next_due(w->lane),
                   INT64_MAX); /* from here on it knows them all, until they are too many */
  park_many(w, PEOPLE, same_second);
  int count = 0;
  assert_int_equal(store_next_due(w->lane), 60000);
  for (size_t got; (got = store_due(w->lane, 60000, due, 1000)) > 0;) {
    for (size_t i = 0; i < got; i++, count++) {
      assert_in_range(due[i].run, 1, PEOPLE);
      assert_int_equal(told[due[i].run]++, 0);
    }
  }
  assert_int_equal(count, PEOPLE);
  assert_int_equal(store_next_due(w->lane), INT64_MAX);
}

static int64_t over_a_day(int i) {
  uint64_t dice = (uint64_t)i;
  return 100000 + (int64_t)(random_next(&dice) % 86400000);
}

/* The window moves back and forth while runs are parked before, in and behind it; the order still is that of time. */
static void whatever_is_parked_when_is_told_in_its_time(void **state) {
  world *w = *state;
  enum { PEOPLE = 100000, MORE = 5000 }; /* more than are kept in memory */
  static store_due_run due[500];
  assert_int_equal(store_next_due(w->lane), INT64_MAX);
  park_many(w, PEOPLE, over_a_day);
  int told = 0, parked = PEOPLE;
  int64_t now = 0;
  for (int64_t next; (next = store_next_due(w->lane)) != INT64_MAX;) {
    assert_true(next > now);
    now = next + 20000;
    size_t got;
    while ((got = store_due(w->lane, now, due, 500)) > 0) {
      told += (int)got;
      for (size_t i = 1; i < got; i++) assert_true(due[i].due_ms >= due[i - 1].due_ms);
      assert_true(due[0].due_ms <= now);
    }
    for (int i = 0; i < 10 && parked < PEOPLE + MORE; i++, parked++)
      world_park(w, "again", now + 1 + (int64_t)((uint64_t)parked * 7919 % 40000000));
    world_sync(w); /* until then they are not told */
  }
  world_sync(w);
  assert_int_equal(told, PEOPLE + MORE);
  world_adds_up(w, PEOPLE + MORE);
}

static void a_lane_is_told_of_its_own_shards_only(void **state) {
  world *w = *state;
  error err;
  store_due_run due[64];
  bool seen[41] = {false};
  for (int i = 0; i < 40; i++) {
    char person[16];
    snprintf(person, sizeof person, "p%d", i);
    world_park(w, person, 1000 + i);
  }
  world_sync(w);
  for (int index = 0; index < 3; index++) {
    store_lane *lane =
        store_lane_open(w->s, w->journey, &(store_lane_options){.index = index, .lanes = 3}, &err);
    size_t count = store_due(lane, 5000, due, 64);
    assert_in_range(count, 1, 39);
    for (size_t i = 0; i < count; i++) {
      char person[16];
      snprintf(person, sizeof person, "p%d", (int)due[i].run - 1);
      assert_int_equal(store_shard(person, strlen(person)) % 3, index);
      assert_false(seen[due[i].run]);
      seen[due[i].run] = true;
    }
    store_lane_close(lane);
  }
  for (int i = 1; i <= 40; i++) assert_true(seen[i]);
}

/* Without what SQLite takes, whose cache has a bound of its own. */
static int64_t bytes_in_use(void) {
  return (int64_t)mallinfo2().uordblks - sqlite3_memory_used();
}

static void parked_runs_take_no_memory_beyond_a_fixed_amount(void **state) {
  world *w = *state;
  enum { PEOPLE = 60000 };
  assert_int_equal(store_next_due(w->lane), INT64_MAX);
  park_many(w, PEOPLE, over_a_day);
  int64_t before = bytes_in_use();
  park_many(w, PEOPLE, over_a_day);
  assert_true(store_next_due(w->lane) < INT64_MAX);
  assert_true(bytes_in_use() - before <
              50 * PEOPLE); /* newcomers' numbers are in memory: see sqlite_entered.c */
}

#define TIMER_TEST(name) cmocka_unit_test_setup_teardown(name, world_begin, world_end)

int main(void) {
  mallopt(M_ARENA_MAX, 1); /* mallinfo looks at the first one alone */
  const struct CMUnitTest tests[] = {
      TIMER_TEST(the_next_time_is_exact_and_runs_are_told_in_order),
      TIMER_TEST(a_run_that_could_not_be_looked_at_is_told_again_and_others_are_not),
      TIMER_TEST(a_run_that_wakes_for_another_reason_is_not_due_at_its_old_time),
      TIMER_TEST(many_may_be_due_at_the_same_moment),
      TIMER_TEST(whatever_is_parked_when_is_told_in_its_time),
      TIMER_TEST(a_lane_is_told_of_its_own_shards_only),
      TIMER_TEST(parked_runs_take_no_memory_beyond_a_fixed_amount),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
