/* What was counted: the ledger adds up at every commit, and a report is the sum of all lanes, in script
 * order. */
#include "store_world.h"

#include "base/utf8.h"

enum { WELCOME = 1 }; /* the first journey's number */

static store_journal journal;

/* A store of either backend with two lanes. */
typedef struct pair {
  store *s;
  uint32_t journey;
  store_lane *lanes[2];
  world file;
} pair;

static void open_lanes(pair *w) {
  w->journey = store_journey(w->s, "welcome", "v1", "{}", 2);
  for (int i = 0; i < 2; i++) w->lanes[i] = store_lane_open(w->s, w->journey, &(store_lane_options){0}, NULL);
  store_journal_init(&journal);
  assert_int_equal(w->journey, WELCOME);
}

static int open_memory(void **state) {
  static pair w;
  w = (pair){.s = store_open_memory((hash128){1, 2})};
  open_lanes(&w);
  *state = &w;
  return 0;
}

static int open_disk(void **state) {
  static pair w;
  w = (pair){.s = NULL};
  world_folder(&w.file);
  w.s = world_try(&w.file, NULL);
  open_lanes(&w);
  *state = &w;
  return 0;
}

static int close_pair(void **state) {
  pair *w = *state;
  store_journal_forget(&journal);
  store_close(w->s);
  if (*w->file.folder) world_remove(&w->file);
  return 0;
}

/* Until it is durable, which takes a while on a disk. */
static void flush(store_lane *lane) {
  do {
    store_flush(lane);
  } while (store_durable(lane) < store_last(lane) && usleep(20) == 0);
}

static void move(store_lane *lane, run_state from, run_state to) {
  store_append(lane, &journal,
               &(store_record){
                   .kind = RECORD_MOVE, .journey = WELCOME, .element = NO_ELEMENT, .from = from, .to = to});
}

/* Ends a run of that lane, at an element, and flushes. */
static void end(store_lane *lane, run_state to, uint32_t element, const char *reason, const char *detail) {
  store_append(lane, &journal,
               &(store_record){.kind = RECORD_MOVE,
                               .journey = WELCOME,
                               .element = element,
                               .counts = to == RUN_DROPPED ? 1 << ELEMENT_DROPPED : 0,
                               .from = RUN_RUNNING,
                               .to = to,
                               .reason = reason,
                               .detail = detail});
  flush(lane);
}

static void assert_adds_up(pair *w, uint64_t wanted) {
  uint64_t entered, states[RUN_STATES], sum = 0;
  store_ledger(w->s, w->journey, &entered, states);
  for (int i = 0; i < RUN_STATES; i++) sum += states[i];
  assert_int_equal(entered, wanted);
  assert_int_equal(sum, wanted);
  assert_int_equal(states[RUN_NONE], 0);
}

static void every_state_has_its_name(void **state) {
  (void)state;
  static const char *const names[] = {"none", "running",   "queued",  "waiting",
                                      "held", "completed", "dropped", "exited"};
  for (int i = 0; i < RUN_STATES; i++) assert_string_equal(run_state_name((run_state)i), names[i]);
}

static void the_ledger_adds_up_at_every_commit(void **state) {
  pair *w = *state;
  static const run_state life[] = {RUN_NONE,    RUN_RUNNING, RUN_QUEUED, RUN_RUNNING,
                                   RUN_WAITING, RUN_RUNNING, RUN_HELD,   RUN_RUNNING};
  static const run_state ends[] = {RUN_COMPLETED, RUN_DROPPED, RUN_EXITED};
  for (uint64_t person = 1; person <= 30; person++) {
    store_lane *lane = w->lanes[person % 2];
    for (size_t i = 1; i < sizeof life / sizeof *life; i++) {
      move(lane, life[i - 1], life[i]);
      assert_adds_up(w, i == 1 ? person - 1 : person); /* what is not flushed does not count yet */
      flush(lane);
      assert_adds_up(w, person);
    }
    move(lane, RUN_RUNNING, ends[person % 3]);
    flush(lane);
    assert_adds_up(w, person);
  }
  store_report *report = store_report_new(w->s, w->journey, false);
  assert_int_equal(report->states[RUN_COMPLETED], 10);
  assert_int_equal(report->states[RUN_DROPPED], 10);
  assert_int_equal(report->states[RUN_EXITED], 10);
  assert_int_equal(report->records, 30 * 8);
  store_report_free(report);
}

static void a_run_that_changes_lanes_is_counted_once(void **state) {
  pair *w = *state;
  move(w->lanes[0], RUN_NONE, RUN_RUNNING);
  move(w->lanes[0], RUN_RUNNING, RUN_WAITING);
  flush(w->lanes[0]);
  move(w->lanes[1], RUN_WAITING, RUN_COMPLETED);
  flush(w->lanes[1]);
  assert_adds_up(w, 1);
}

static void a_record_without_a_change_of_state_moves_nobody(void **state) {
  pair *w = *state;
  move(w->lanes[0], RUN_NONE, RUN_RUNNING);
  move(w->lanes[0], RUN_RUNNING, RUN_RUNNING);
  move(w->lanes[0], RUN_NONE, RUN_NONE);
  flush(w->lanes[0]);
  assert_adds_up(w, 1);
}

static void the_control_group_is_counted_as_it_enters(void **state) {
  pair *w = *state;
  store_record enter = {.kind = RECORD_ENTER,
                        .name = "ada",
                        .journey = WELCOME,
                        .element = NO_ELEMENT,
                        .to = RUN_RUNNING,
                        .control = true};
  store_append(w->lanes[0], &journal, &enter);
  store_append(w->lanes[1], &journal, &enter);
  enter.from = RUN_RUNNING, enter.to = RUN_COMPLETED;
  store_append(w->lanes[1], &journal, &enter);
  for (int i = 0; i < 2; i++) flush(w->lanes[i]);
  store_report *report = store_report_new(w->s, w->journey, false);
  assert_int_equal(report->entered, 2);
  assert_int_equal(report->control, 2);
  store_report_free(report);
}

static void journeys_and_elements_keep_their_numbers(void **state) {
  pair *w = *state;
  assert_int_equal(store_journey(w->s, "welcome", "v1", "{}", 2), w->journey);
  uint32_t other = store_journey(w->s, "welcome", "v2", "{}", 2);
  assert_int_not_equal(other, w->journey);
  uint32_t sms = store_element(w->s, w->journey, "sms", "call_api", 7);
  uint32_t email = store_element(w->s, w->journey, "email", "call_api", 9);
  assert_int_not_equal(sms, email);
  assert_int_equal(store_element(w->s, w->journey, "sms", "call_api", 7), sms);
  assert_int_equal(store_element(w->s, other, "sms", "call_api", 8),
                   sms); /* all versions share their elements */
  uint32_t stranger = store_journey(w->s, "other", "v1", "{}", 2);
  assert_int_not_equal(store_element(w->s, stranger, "sms", "call_api", 7), sms);
}

static void elements_are_as_many_as_is_said_of_each_journey(void **state) {
  pair *w = *state;
  store_bound_elements(w->s, 2);
  uint32_t stranger = store_journey(w->s, "other", "v1", "{}", 2);
  uint32_t first = store_element(w->s, stranger, "first", "wait", 1);
  store_element(w->s, stranger, "second", "wait", 2);
  assert_int_equal(store_element(w->s, stranger, "third", "wait", 3), NO_ELEMENT);
  assert_int_equal(store_element(w->s, stranger, "first", "wait", 1), first);
  assert_int_not_equal(store_element(w->s, stranger, "(others)", "others", 3), NO_ELEMENT);
  store_report *report = store_report_new(w->s, stranger, false);
  assert_int_equal(report->element_count, 3);
  store_report_free(report);
}

static void versions_are_added_up_or_told_apart(void **state) {
  pair *w = *state;
  uint32_t second = store_journey(w->s, "welcome", "v2", "{}", 2);
  uint32_t stranger = store_journey(w->s, "other", "v1", "{}", 2);
  uint32_t sms = store_element(w->s, w->journey, "sms", "call_api", 7);
  store_record enter = {.kind = RECORD_ENTER, .name = "ada", .element = sms, .counts = 1, .to = RUN_RUNNING};
  static const int entered[] = {1, 2, 4};
  for (int i = 0; i < 3; i++) {
    enter.journey = i == 0 ? WELCOME : i == 1 ? second : stranger;
    for (int k = 0; k < entered[i]; k++) store_append(w->lanes[0], &journal, &enter);
  }
  flush(w->lanes[0]);
  assert_adds_up(w, 3);
  static const uint64_t wanted[2][2] = {{3, 3},
                                        {1, 2}}; /* asked by either version: all of them, one of them */
  for (int only = 0; only < 2; only++) {
    for (int i = 0; i < 2; i++) {
      store_report *report = store_report_new(w->s, i ? second : w->journey, only);
      assert_int_equal(report->entered, wanted[only][i]);
      assert_int_equal(report->elements[0].counts[ELEMENT_REACHED], wanted[only][i]);
      store_report_free(report);
    }
  }
}

static void a_version_is_read_by_its_number(void **state) {
  pair *w = *state;
  buf name = BUF_EMPTY, version = BUF_EMPTY, bundle = BUF_EMPTY;
  uint32_t second = store_journey(w->s, "welcome", "v2", "{\"a\":1}", 7);
  assert_int_equal(store_journey_read(w->s, second, &name, &version, &bundle), 0);
  assert_string_equal(buf_text(&name), "welcome");
  assert_string_equal(buf_text(&version), "v2");
  assert_string_equal(buf_text(&bundle), "{\"a\":1}");
  assert_int_equal(store_journey_read(w->s, second, NULL, NULL, NULL), 0);
  assert_int_equal(store_journey_read(w->s, second + 1, &name, &version, &bundle), -1);
  assert_int_equal(store_journey_read(w->s, 0, &name, &version, &bundle), -1);
  buf_free(&name);
  buf_free(&version);
  buf_free(&bundle);
}

static void elements_come_in_script_order_each_with_its_sum_over_the_lanes(void **state) {
  pair *w = *state;
  uint32_t last = store_element(w->s, w->journey, "last", "wait", 30);
  uint32_t first = store_element(w->s, w->journey, "first", "call_api", 10);
  uint32_t b = store_element(w->s, w->journey, "b", "split", 20);
  store_element(w->s, w->journey, "a", "split", 20);
  store_element(w->s, store_journey(w->s, "other", "v1", "{}", 2), "stranger", "wait", 1);
  store_record reach = {
      .kind = RECORD_STEP, .journey = WELCOME, .element = last, .counts = 1 << ELEMENT_REACHED};
  store_append(w->lanes[0], &journal, &reach);
  reach.element = first, reach.counts = 1 << ELEMENT_REACHED | 1 << ELEMENT_WENT_ON;
  for (int i = 0; i < 3; i++) store_append(w->lanes[i % 2], &journal, &reach);
  reach.element = b, reach.counts = 1 << ELEMENT_HELD;
  store_append(w->lanes[1], &journal, &reach);
  for (int i = 0; i < 2; i++) flush(w->lanes[i]);
  store_report *report = store_report_new(w->s, w->journey, false);
  static const char *const order[] = {"first", "a", "b", "last"};
  assert_int_equal(report->element_count, 4);
  for (int i = 0; i < 4; i++) assert_string_equal(report->elements[i].name, order[i]);
  assert_string_equal(report->elements[0].kind, "call_api");
  assert_int_equal(report->elements[0].line, 10);
  assert_int_equal(report->elements[0].counts[ELEMENT_REACHED], 3);
  assert_int_equal(report->elements[0].counts[ELEMENT_WENT_ON], 3);
  assert_int_equal(report->elements[1].counts[ELEMENT_REACHED], 0);
  assert_int_equal(report->elements[2].counts[ELEMENT_HELD], 1);
  assert_int_equal(report->elements[3].counts[ELEMENT_REACHED], 1);
  store_report_free(report);
}

static void reasons_are_grouped_over_the_lanes_the_most_frequent_first(void **state) {
  pair *w = *state;
  uint32_t sms = store_element(w->s, w->journey, "sms", "call_api", 3);
  for (int i = 0; i < 5; i++) end(w->lanes[i % 2], RUN_DROPPED, sms, "status", "503 Service Unavailable");
  for (int i = 0; i < 7; i++) end(w->lanes[i % 2], RUN_DROPPED, sms, "status", "404 Not Found");
  for (int i = 0; i < 2; i++) end(w->lanes[i % 2], RUN_DROPPED, sms, "timeout", NULL);
  for (int i = 0; i < 2; i++) end(w->lanes[i % 2], RUN_HELD, sms, "timeout", NULL);
  end(w->lanes[0], RUN_EXITED, sms, "goal", NULL);
  store_report *report = store_report_new(w->s, w->journey, false);
  store_element_row *row = &report->elements[0];
  assert_int_equal(row->reason_count, 4); /* held for it and dropped by it are told apart */
  assert_string_equal(row->reasons[0].detail, "404 Not Found");
  assert_int_equal(row->reasons[0].count, 7);
  assert_string_equal(row->reasons[1].detail, "503 Service Unavailable");
  assert_int_equal(row->reasons[1].count, 5);
  assert_string_equal(row->reasons[2].reason, "timeout");
  assert_string_equal(row->reasons[2].detail, "");
  assert_true(row->reasons[2].held != row->reasons[3].held);
  assert_int_equal(row->counts[ELEMENT_DROPPED], 14);
  assert_int_equal(report->exit_count, 1); /* an exit is the journey's, not the element's */
  assert_string_equal(report->exits[0].reason, "goal");
  store_report_free(report);
}

static void reasons_stay_few_and_their_counts_whole_however_many_details_there_are(void **state) {
  pair *w = *state;
  uint32_t sms = store_element(w->s, w->journey, "sms", "call_api", 3);
  for (int i = 0; i < 1000; i++) {
    char detail[16];
    snprintf(detail, sizeof detail, "%d", i);
    end(w->lanes[i % 2], RUN_DROPPED, sms, "status", detail);
  }
  store_report *report = store_report_new(w->s, w->journey, false);
  uint64_t sum = 0;
  for (size_t i = 0; i < report->elements[0].reason_count; i++) sum += report->elements[0].reasons[i].count;
  assert_int_equal(sum, 1000);
  assert_in_range(report->elements[0].reason_count, 2, 100);
  assert_string_equal(report->elements[0].reasons[0].detail, "others");
  store_report_free(report);
}

/* Characters of four bytes, behind 0 to 3 others, so that each way of cutting one comes. */
static void a_long_detail_is_cut_between_characters(void **state) {
  pair *w = *state;
  for (int ahead = 0; ahead < 4; ahead++) {
    char detail[256] = "abc", name[2] = {(char)('a' + ahead), '\0'};
    for (int i = 0; i < 60; i++) memcpy(detail + ahead + 4 * i, "\xF0\x9F\x92\xA5", 5);
    uint32_t element = store_element(w->s, w->journey, name, "call_api", 3);
    end(w->lanes[0], RUN_DROPPED, element, detail, detail); /* a reason is short, yet nothing breaks */
    store_report *report = store_report_new(w->s, w->journey, false);
    const store_reason *reason = &report->elements[ahead].reasons[0];
    assert_true(utf8_valid(reason->detail, strlen(reason->detail)));
    assert_true(utf8_valid(reason->reason, strlen(reason->reason)));
    assert_in_range(strlen(reason->detail), sizeof reason->detail - 4, sizeof reason->detail - 1);
    assert_in_range(strlen(reason->reason), sizeof reason->reason - 4, sizeof reason->reason - 1);
    store_report_free(report);
  }
}

static void details_that_are_shown_alike_are_counted_as_one(void **state) {
  pair *w = *state;
  uint32_t sms = store_element(w->s, w->journey, "sms", "call_api", 3);
  for (int i = 0; i < 3; i++) {
    char detail[200];
    memset(detail, 'x', sizeof detail);
    snprintf(detail + 150, 50, "%d", i);
    end(w->lanes[i % 2], RUN_DROPPED, sms, "status", detail);
  }
  store_report *report = store_report_new(w->s, w->journey, false);
  assert_int_equal(report->elements[0].reason_count, 1);
  assert_int_equal(report->elements[0].reasons[0].count, 3);
  store_report_free(report);
}

static void a_journey_that_nobody_entered_has_an_empty_report(void **state) {
  pair *w = *state;
  store_report *report = store_report_new(w->s, store_journey(w->s, "other", "v1", "{}", 2), false);
  assert_int_equal(report->entered, 0);
  assert_int_equal(report->element_count, 0);
  assert_int_equal(report->exit_count, 0);
  store_report_free(report);
  store_report_free(NULL);
}

#define REPORT_TEST(name)                                                                                    \
  cmocka_unit_test_setup_teardown(name, open_memory, close_pair), {                                          \
    "on disk: " #name, name, open_disk, close_pair, NULL                                                     \
  }

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_state_has_its_name),
      REPORT_TEST(the_ledger_adds_up_at_every_commit),
      REPORT_TEST(a_run_that_changes_lanes_is_counted_once),
      REPORT_TEST(a_record_without_a_change_of_state_moves_nobody),
      REPORT_TEST(the_control_group_is_counted_as_it_enters),
      REPORT_TEST(journeys_and_elements_keep_their_numbers),
      REPORT_TEST(elements_are_as_many_as_is_said_of_each_journey),
      REPORT_TEST(versions_are_added_up_or_told_apart),
      REPORT_TEST(a_version_is_read_by_its_number),
      REPORT_TEST(elements_come_in_script_order_each_with_its_sum_over_the_lanes),
      REPORT_TEST(reasons_are_grouped_over_the_lanes_the_most_frequent_first),
      REPORT_TEST(reasons_stay_few_and_their_counts_whole_however_many_details_there_are),
      REPORT_TEST(a_long_detail_is_cut_between_characters),
      REPORT_TEST(details_that_are_shown_alike_are_counted_as_one),
      REPORT_TEST(a_journey_that_nobody_entered_has_an_empty_report),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
