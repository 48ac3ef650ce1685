/* Lanes: positions count up, a full ring takes nothing, what is durable is told in order, on the lane's own
 * thread. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "store/store.h"

enum { RING = 32, WELCOME = 1 }; /* the first journey's number */

/* What `durable` was told, and what it is to append from within. */
typedef struct told {
  store_lane *lane;
  int times, appends;
  store_position last;
} told;

static const store_record step = {.kind = RECORD_STEP, .journey = WELCOME, .element = NO_ELEMENT};
static store_journal journal;

static void durable(void *data, store_position up_to) {
  told *t = data;
  assert_true(up_to > t->last);
  t->times++;
  t->last = up_to;
  if (t->lane) assert_int_equal(store_durable(t->lane), up_to);
  while (t->appends > 0) {
    t->appends--;
    assert_int_not_equal(store_append(t->lane, &journal, &step), 0);
  }
}

typedef struct world {
  store *s;
  uint32_t journey;
  store_lane *lane;
  told told;
} world;

static int open_world(void **state) {
  static world w;
  w = (world){.s = store_open_memory((hash128){1, 2})};
  w.journey = store_journey(w.s, "welcome", "v1", "{}", 2);
  w.lane = store_lane_open(
      w.s, w.journey, &(store_lane_options){.durable = durable, .data = &w.told, .ring_records = RING}, NULL);
  store_journal_init(&journal);
  assert_int_equal(w.journey, WELCOME);
  w.told.lane = w.lane;
  *state = &w;
  return 0;
}

static int close_world(void **state) {
  store_close(((world *)*state)->s);
  return 0;
}

static uint64_t records(world *w) {
  store_report *report = store_report_new(w->s, w->journey, false);
  uint64_t count = report->records;
  store_report_free(report);
  return count;
}

static void positions_count_up_from_one(void **state) {
  world *w = *state;
  for (store_position p = 1; p <= 5; p++) assert_int_equal(store_append(w->lane, &journal, &step), p);
  store_flush(w->lane);
  assert_int_equal(store_append(w->lane, &journal, &step), 6);
}

static void nothing_is_durable_before_it_was_flushed(void **state) {
  world *w = *state;
  assert_int_equal(store_durable(w->lane), 0);
  store_append(w->lane, &journal, &step);
  store_append(w->lane, &journal, &step);
  assert_int_equal(store_durable(w->lane), 0);
  assert_int_equal(w->told.times, 0);
  assert_int_equal(records(w), 0);
  store_flush(w->lane);
  assert_int_equal(store_durable(w->lane), 2);
  assert_int_equal(w->told.times, 1);
  assert_int_equal(w->told.last, 2);
  assert_int_equal(records(w), 2);
}

static void a_flush_of_nothing_tells_nothing(void **state) {
  world *w = *state;
  store_flush(w->lane);
  assert_int_equal(w->told.times, 0);
  store_append(w->lane, &journal, &step);
  store_flush(w->lane);
  store_flush(w->lane);
  assert_int_equal(w->told.times, 1);
}

static void a_full_ring_takes_nothing_and_loses_nothing(void **state) {
  world *w = *state;
  for (store_position p = 1; p <= RING; p++) assert_int_equal(store_append(w->lane, &journal, &step), p);
  assert_int_equal(store_append(w->lane, &journal, &step), 0);
  assert_int_equal(store_append(w->lane, &journal, &step), 0);
  store_flush(w->lane);
  assert_int_equal(w->told.last, RING);
  assert_int_equal(records(w), RING);
  assert_int_equal(store_append(w->lane, &journal, &step),
                   RING + 1); /* no position was spent on what was refused */
}

static void a_lane_calls_itself_full_while_sixteen_places_are_not_left(void **state) {
  world *w = *state;
  for (int used = 0; used < RING; used++) {
    assert_int_equal(store_lane_full(w->lane), RING - used < 16);
    store_append(w->lane, &journal, &step);
  }
  assert_true(store_lane_full(w->lane));
  store_flush(w->lane);
  assert_false(store_lane_full(w->lane));
}

static void a_ring_may_go_round_many_times(void **state) {
  world *w = *state;
  store_position position = 0;
  for (int round = 0; round < 100; round++) {
    for (int i = 0; i < 1 + round % RING; i++)
      assert_int_equal(store_append(w->lane, &journal, &step), ++position);
    store_flush(w->lane);
    assert_int_equal(store_durable(w->lane), position);
  }
  assert_int_equal(records(w), position);
}

static void what_is_durable_may_be_answered_with_more(void **state) {
  world *w = *state;
  store_append(w->lane, &journal, &step);
  w->told.appends = RING; /* a whole ring: the flushed place is free again */
  store_flush(w->lane);
  assert_int_equal(w->told.last, 1);
  assert_int_equal(store_append(w->lane, &journal, &step), 0);
  store_flush(w->lane);
  assert_int_equal(w->told.last, RING + 1);
}

static void a_closed_lane_has_counted_what_was_in_its_ring_and_tells_nobody(void **state) {
  world *w = *state;
  store_append(w->lane, &journal, &step);
  store_append(w->lane, &journal, &step);
  store_lane_close(w->lane);
  assert_int_equal(w->told.times, 0);
  assert_int_equal(records(w), 2);
}

static void what_is_appended_is_copied(void **state) {
  world *w = *state;
  char detail[] = "503";
  uint32_t element = store_element(w->s, w->journey, "sms", "call_api", 3);
  store_record dropped = {.kind = RECORD_MOVE,
                          .journey = WELCOME,
                          .from = RUN_RUNNING,
                          .to = RUN_DROPPED,
                          .element = element,
                          .reason = "status",
                          .detail = detail};
  store_append(w->lane, &journal, &dropped);
  memcpy(detail, "???", 3);
  store_flush(w->lane);
  store_report *report = store_report_new(w->s, w->journey, false);
  assert_string_equal(report->elements[0].reasons[0].detail, "503");
  store_report_free(report);
}

static void a_store_keeps_its_id_and_the_default_ring_is_large(void **state) {
  world *w = *state;
  assert_int_equal(store_id(w->s).lo, 1);
  assert_int_equal(store_id(w->s).hi, 2);
  store_lane *large = store_lane_open(w->s, w->journey, &(store_lane_options){0}, NULL);
  for (int i = 0; i < 65536; i++) assert_int_not_equal(store_append(large, &journal, &step), 0);
  assert_int_equal(store_append(large, &journal, &step), 0);
  store_flush(large); /* and without `durable` it tells nobody */
  assert_int_equal(store_durable(large), 65536);
}

#define LANE_TEST(name) cmocka_unit_test_setup_teardown(name, open_world, close_world)

int main(void) {
  const struct CMUnitTest tests[] = {
      LANE_TEST(positions_count_up_from_one),
      LANE_TEST(nothing_is_durable_before_it_was_flushed),
      LANE_TEST(a_flush_of_nothing_tells_nothing),
      LANE_TEST(a_full_ring_takes_nothing_and_loses_nothing),
      LANE_TEST(a_lane_calls_itself_full_while_sixteen_places_are_not_left),
      LANE_TEST(a_ring_may_go_round_many_times),
      LANE_TEST(what_is_durable_may_be_answered_with_more),
      LANE_TEST(a_closed_lane_has_counted_what_was_in_its_ring_and_tells_nobody),
      LANE_TEST(what_is_appended_is_copied),
      LANE_TEST(a_store_keeps_its_id_and_the_default_ring_is_large),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
