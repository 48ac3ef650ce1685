/* Lanes on several threads: each has its own order, all share names, and whoever reads meanwhile sees whole
 * commits. */
#include "store_world.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#include "base/hash.h"

enum { LANES = 4, RUNS = 3000, ELEMENTS = 12 };

typedef struct work {
  store *s;
  uint64_t seed;
  store_lane *lane;
  store_journal journal;
  store_position last, told;
  uint64_t ends[RUN_STATES];
  pthread_t thread;
  pthread_t durable_on;
} work;

static void durable(void *data, store_position up_to) {
  work *w = data;
  w->durable_on = pthread_self();
  w->told = up_to;
}

static void append(work *w, const store_record *record) {
  store_position position;
  while ((position = store_append(w->lane, &w->journal, record)) == 0) {
    store_flush(w->lane);
    sched_yield();
  }
  w->last++;
  if (position != w->last) w->last = UINT64_MAX; /* told by the main thread */
}

/* One run: enters, reaches elements, ends in one way or another, with reasons of its own. */
static void run(work *w, uint32_t journey) {
  static const run_state ends[] = {RUN_COMPLETED, RUN_DROPPED, RUN_EXITED, RUN_HELD};
  static const char *const reasons[] = {NULL, "status", "goal", "config"};
  uint64_t dice = random_next(&w->seed);
  char name[16], detail[16];
  snprintf(name, sizeof name, "e%d", (int)(dice % ELEMENTS));
  snprintf(detail, sizeof detail, "%d", (int)(dice >> 8 & 7));
  uint32_t element = store_element(w->s, journey, name, "call_api", (uint32_t)(dice % ELEMENTS));
  int how = (int)(dice >> 16 & 3);
  char person[24];
  snprintf(person, sizeof person, "p%llx", (unsigned long long)dice);
  store_settle settle = {.person = person, .entry = 1, .element = element, .due_ms = INT64_MAX};
  store_journal_init(&w->journal);
  append(w, &(store_record){.kind = RECORD_ENTER,
                            .journey = journey,
                            .element = NO_ELEMENT,
                            .name = person,
                            .to = RUN_RUNNING});
  append(w, &(store_record){.kind = RECORD_STEP,
                            .journey = journey,
                            .element = element,
                            .counts = 1 << ELEMENT_REACHED,
                            .from = RUN_RUNNING,
                            .to = RUN_QUEUED});
  append(w, &(store_record){.kind = RECORD_END,
                            .journey = journey,
                            .element = element,
                            .from = RUN_QUEUED,
                            .to = ends[how],
                            .reason = reasons[how],
                            .detail = detail,
                            .settle = &settle});
  store_journal_forget(&w->journal);
  w->ends[ends[how]]++;
  if ((dice >> 24 & 15) == 0) store_flush(w->lane);
}

static void *lane_main(void *data) {
  work *w = data;
  uint32_t journey = store_journey(w->s, "welcome", "v1", "{}", 2);
  w->lane = store_lane_open(w->s, journey,
                            &(store_lane_options){.durable = durable, .data = w, .ring_records = 64}, NULL);
  for (int i = 0; i < RUNS; i++) run(w, journey);
  do {
    store_flush(w->lane);
  } while (store_durable(w->lane) < store_last(w->lane) && sched_yield() == 0);
  store_lane_close(w->lane);
  return NULL;
}

static atomic_bool over;

/* Reads while the others write. Returns NULL, or what did not add up. */
static void *reader_main(void *data) {
  store *s = data;
  uint32_t journey = store_journey(s, "welcome", "v1", "{}", 2);
  while (!atomic_load(&over)) {
    uint64_t entered, states[RUN_STATES], sum = 0;
    store_ledger(s, journey, &entered, states);
    for (int i = 0; i < RUN_STATES; i++) sum += states[i];
    if (sum != entered) return "the ledger does not add up";
    store_report *report = store_report_new(s, journey, false);
    uint64_t reasons = 0, wanted = report->states[RUN_DROPPED] + report->states[RUN_HELD];
    for (size_t i = 0; i < report->element_count; i++)
      for (size_t k = 0; k < report->elements[i].reason_count; k++)
        reasons += report->elements[i].reasons[k].count;
    store_report_free(report);
    if (reasons != wanted) return "the reasons do not add up";
  }
  return NULL;
}

static void check_sum(store *s, const work *works) {
  uint64_t entered, states[RUN_STATES];
  store_ledger(s, store_journey(s, "welcome", "v1", "{}", 2), &entered, states);
  assert_int_equal(entered, LANES * RUNS);
  for (int state = 0; state < RUN_STATES; state++) {
    uint64_t wanted = 0;
    for (int i = 0; i < LANES; i++) wanted += works[i].ends[state];
    assert_int_equal(states[state], wanted);
  }
}

/* Closes the store. */
static void check_threads(store *s) {
  work works[LANES];
  pthread_t reader;
  void *wrong;
  atomic_store(&over, false);
  assert_int_equal(pthread_create(&reader, NULL, reader_main, s), 0);
  for (int i = 0; i < LANES; i++) {
    works[i] = (work){.s = s, .seed = (uint64_t)i};
    assert_int_equal(pthread_create(&works[i].thread, NULL, lane_main, &works[i]), 0);
  }
  for (int i = 0; i < LANES; i++) {
    pthread_join(works[i].thread, NULL);
    assert_int_equal(works[i].last, 3 * RUNS);
    assert_int_equal(works[i].told, 3 * RUNS);
    assert_true(pthread_equal(works[i].durable_on, works[i].thread));
  }
  atomic_store(&over, true);
  pthread_join(reader, &wrong);
  if (wrong) fail_msg("%s", (const char *)wrong);
  check_sum(s, works);
  store_report *report = store_report_new(s, store_journey(s, "welcome", "v1", "{}", 2), false);
  assert_int_equal(report->element_count, ELEMENTS); /* a name has one number, whichever thread was first */
  store_report_free(report);
  store_close(s);
}

static void lanes_of_several_threads_add_up_at_any_moment(void **state) {
  (void)state;
  check_threads(store_open_memory((hash128){3, 4}));
}

static void so_do_they_on_disk_and_when_it_is_opened_again(void **state) {
  world *w = *state;
  uint64_t entered, states[RUN_STATES];
  world_close(w);
  unlink(w->path);
  check_threads(world_try(w, NULL));
  world_open(w);
  store_ledger(w->s, w->journey, &entered, states);
  assert_int_equal(entered, LANES * RUNS);
  assert_int_equal(states[RUN_RUNNING] + states[RUN_QUEUED] + states[RUN_WAITING], 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(lanes_of_several_threads_add_up_at_any_moment),
      cmocka_unit_test_setup_teardown(so_do_they_on_disk_and_when_it_is_opened_again, world_begin, world_end),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
