/* Old runs are taken out: what is over for long enough, and nothing else; nobody's entry is forgotten, counters stay, and the room is given
 * back. */
#include "store_world.h"

#include <sys/stat.h>

#include "store/reader.h"
#include "store/sqlite_parts.h"

enum { KEEP_MS = 1000000, LATER_MS = 100 * KEEP_MS };

static void open_to_keep(world *w, int64_t keep_ms, int64_t now_ms) {
  error err = {""};
  world_close(w);
  w->s = store_open_sqlite(&(store_file){.path = w->path,
                                         .trouble = world_trouble,
                                         .data = w,
                                         .kind = STORE_REHEARSAL,
                                         .sweeps = true,
                                         .keep_ms = keep_ms,
                                         .now_ms = now_ms},
                           &err);
  if (!w->s) fail_msg("%s", err.text);
  w->journey = store_journey(w->s, "welcome", "v1", "{\"a\":1}", 7);
  w->element = store_element(w->s, w->journey, "sms", "call_api", 7);
  w->lane =
      store_lane_open(w->s, w->journey, &(store_lane_options){.durable = world_durable, .data = w}, &err);
  if (!w->lane) fail_msg("%s", err.text);
}

/* Opens it so much later, and closes it: what is old goes meanwhile, at the latest at the end. */
static void let_time_pass(world *w) {
  open_to_keep(w, KEEP_MS, LATER_MS);
  world_again(w);
}

static uint64_t run_through(world *w, const char *person, run_state to, int64_t at_ms) {
  traveller t;
  world_enter(w, &t, person);
  t.now_ms = at_ms;
  world_step(w, &t, NULL);
  world_settle(w, &t, to, to == RUN_WAITING ? LATER_MS : INT64_MAX, to == RUN_DROPPED ? "status" : NULL);
  store_journal_forget(&t.journal);
  return t.journal.run;
}

/* The same, of a journey whose goal counts until then. */
static uint64_t run_through_with_goal(world *w, const char *person, int64_t at_ms, int64_t goal_ms) {
  traveller t;
  world_enter(w, &t, person);
  store_settle settle = {.person = t.person,
                         .entry = 1,
                         .element = w->element,
                         .due_ms = INT64_MAX,
                         .listens = "paid",
                         .goal_ms = goal_ms};
  t.now_ms = at_ms;
  world_record(w, &t, (store_record){.kind = RECORD_END, .element = NO_ELEMENT, .settle = &settle},
               RUN_COMPLETED);
  store_journal_forget(&t.journal);
  return t.journal.run;
}

static bool is_there(world *w, uint64_t number) {
  store_run run;
  int found = store_find(w->lane, number, &run);
  if (found == 1) store_run_free(&run);
  return found == 1;
}

static void what_is_over_for_long_goes_and_all_else_stays(void **state) {
  world *w = *state;
  uint64_t completed = run_through(w, "ada", RUN_COMPLETED, 2000);
  uint64_t dropped = run_through(w, "bob", RUN_DROPPED, 2000);
  uint64_t held = run_through(w, "cyd", RUN_HELD, 2000);
  uint64_t waiting = run_through(w, "dan", RUN_WAITING, 2000);
  uint64_t recent = run_through(w, "eve", RUN_EXITED, LATER_MS - KEEP_MS + 1000);
  let_time_pass(w);
  assert_false(is_there(w, completed));
  assert_false(is_there(w, dropped));
  assert_true(is_there(w, held));
  assert_true(is_there(w, waiting));
  assert_true(is_there(w, recent));
  world_adds_up(w, 5);
  assert_int_equal(world_count(w, RUN_COMPLETED), 1);
  assert_int_equal(world_count(w, RUN_DROPPED), 1);
  assert_int_equal(ask(w, "SELECT count(*) FROM run"), 3);
  assert_int_equal(store_next_due(w->lane), LATER_MS);
}

static void who_was_here_is_remembered_with_entry_and_end(void **state) {
  world *w = *state;
  store_run *runs;
  size_t count;
  uint64_t number = run_through(w, "ada", RUN_COMPLETED, 2000);
  run_through(w, "ada", RUN_EXITED, 5000);
  let_time_pass(w);
  assert_int_equal(store_runs_of(w->lane, "ada", &runs, &count), 0);
  assert_int_equal(count, 1); /* one line for both */
  assert_true(runs[0].run > number);
  assert_int_equal(runs[0].entry, 3);
  assert_int_equal(runs[0].since_ms, 5010);
  assert_int_equal(runs[0].state, RUN_COMPLETED);
  assert_string_equal(runs[0].person, "ada");
  assert_string_equal(runs[0].per, "cart");
  store_run_free(&runs[0]);
  free(runs);
  assert_int_equal(store_runs_of(w->lane, "Ada", &runs, &count), 0);
  assert_int_equal(count, 0);
  assert_int_equal(ask(w, "SELECT count(*) FROM entered"), 1);
}

static void a_newer_run_is_told_beside_what_is_left_of_older_ones(void **state) {
  world *w = *state;
  store_run *runs;
  size_t count;
  run_through(w, "ada", RUN_COMPLETED, 2000);
  let_time_pass(w);
  uint64_t newer = run_through(w, "ada", RUN_WAITING, LATER_MS);
  world_sync(w);
  assert_int_equal(store_runs_of(w->lane, "ada", &runs, &count), 0);
  assert_int_equal(count, 2);
  assert_int_equal(runs[0].run, newer);
  assert_int_equal(runs[0].state, RUN_WAITING);
  assert_int_equal(runs[1].since_ms, 2010);
  for (size_t i = 0; i < count; i++) store_run_free(&runs[i]);
  free(runs);
}

static void a_reader_is_told_that_older_ones_are_gone(void **state) {
  world *w = *state;
  error err = {""};
  reader_version version;
  run_through(w, "ada", RUN_COMPLETED, 2000);
  run_through(w, "bob", RUN_COMPLETED, 3000);
  let_time_pass(w);
  store_reader *r = reader_open_sqlite(w->path, &err);
  assert_non_null(r);
  assert_true(reader_version_at(r, 0, &version));
  assert_int_equal(version.removed, 2);
  assert_int_equal(version.removed_to_ms, 3010);
  reader_close(r);
}

/* A crash makes a run of what the log holds: there must be nothing in it of one that is gone. */
static void a_run_that_is_gone_does_not_come_back_by_the_log(void **state) {
  world *w = *state;
  traveller open;
  open_to_keep(w, 0, 0);
  world_enter(w, &open, "zoe"); /* holds the log */
  world_sync(w);
  for (int i = 0; i < 50; i++) {
    char person[16];
    snprintf(person, sizeof person, "p%d", i);
    run_through(w, person, RUN_COMPLETED, 2000 + i * 1000000);
    world_sync(w);
  }
  store_journal_forget(&open.journal);
  world_again(w);
  world_adds_up(w, 51);
  assert_int_equal(world_count(w, RUN_COMPLETED), 50);
  assert_int_equal(world_count(w, RUN_RUNNING), 1);
  assert_int_equal(ask(w, "SELECT count(*) FROM run WHERE state = 1"), 1);
}

static void a_dropped_run_that_is_sent_on_is_not_taken_from_under_it(void **state) {
  world *w = *state;
  traveller t;
  char kinds[32];
  uint64_t dropped = run_through(w, "ada", RUN_DROPPED, 2000);
  open_to_keep(w, KEEP_MS, 0); /* no time is known: nothing goes yet */
  assert_true(world_wake(w, dropped, &t, kinds) > 0);
  uint64_t other = run_through(w, "bob", RUN_DROPPED, LATER_MS);
  world_sync(w);
  for (int i = 2; is_there(w, other); i++) { /* until it was gone by */
    run_through(w, "cyd", RUN_COMPLETED, (int64_t)LATER_MS * i);
    world_sync(w);
  }
  world_record(w, &t, (store_record){.kind = RECORD_REDRIVE, .element = NO_ELEMENT}, RUN_RUNNING);
  store_journal_forget(&t.journal);
  world_again(w);
  assert_true(is_there(w, dropped));
  assert_int_equal(world_count(w, RUN_RUNNING), 1);
}

static void a_run_that_is_taken_out_after_it_was_found_is_not_loaded(void **state) {
  world *w = *state;
  store_run run;
  store_journal journal;
  buf bytes = BUF_EMPTY;
  uint64_t dropped = run_through(w, "ada", RUN_DROPPED, 2000);
  open_to_keep(w, KEEP_MS, 0); /* no time is known: nothing goes yet */
  assert_int_equal(store_find(w->lane, dropped, &run), 1);
  for (int i = 1; is_there(w, dropped); i++) {
    run_through(w, "bob", RUN_COMPLETED, (int64_t)LATER_MS * i);
    world_sync(w);
  }
  store_journal_init(&journal);
  assert_int_equal(store_load(w->lane, &run, &journal, &bytes), -1);
  store_journal_forget(&journal);
  store_run_free(&run);
  buf_free(&bytes);
}

static void a_newer_profile_came(world *w, const char *person, int64_t at_ms) {
  store_profile profile = {.json = "{\"n\":2}", .length = 7, .fed = 5, .at_ms = at_ms};
  assert_true(store_profile_came(w->lane, person, &profile) > 0);
  world_sync(w);
}

static bool has_profile(world *w, const char *person) {
  store_profile profile;
  int found = store_profile_of(w->lane, person, &profile);
  assert_true(found >= 0);
  if (found) free(profile.json);
  return found;
}

static void a_profile_that_came_again_goes_with_the_last_run_of_its_person(void **state) {
  world *w = *state;
  const char *people[] = {"ada", "bob", "cyd"};
  for (int i = 0; i < 3; i++) {
    run_through(w, people[i], RUN_COMPLETED, 2000);
    if (i == 1) run_through(w, people[i], RUN_WAITING, 3000);
    if (i == 2) run_through(w, people[i], RUN_HELD, 3000);
    a_newer_profile_came(w, people[i], 4000);
  }
  let_time_pass(w);
  assert_false(has_profile(w, "ada"));
  assert_true(has_profile(w, "bob"));
  assert_true(has_profile(w, "cyd"));
}

/* It has entered, and was not settled since: nothing but the log would know of it. */
static void a_profile_stays_for_a_run_that_is_in_memory_all_the_while(void **state) {
  world *w = *state;
  traveller t;
  uint64_t old = run_through(w, "ada", RUN_COMPLETED, 2000);
  open_to_keep(w, KEEP_MS, 0); /* no time is known: nothing goes yet */
  world_enter(w, &t, "ada");
  store_give_row(&t.journal);
  a_newer_profile_came(w, "ada", 4000);
  for (int i = 1; is_there(w, old); i++) {
    run_through(w, "bob", RUN_COMPLETED, (int64_t)LATER_MS * i);
    world_sync(w);
  }
  assert_true(has_profile(w, "ada"));
  world_settle(w, &t, RUN_COMPLETED, INT64_MAX, NULL);
  store_journal_forget(&t.journal);
  world_again(w);
  world_adds_up(w, world_count(w, RUN_COMPLETED));
}

static int64_t size_of(world *w) {
  struct stat about;
  assert_int_equal(stat(w->path, &about), 0);
  return about.st_size;
}

enum { FREE_MOST = 4 << 20 };

static int64_t free_bytes(world *w) {
  return ask(w, "PRAGMA freelist_count") * 8192;
}

/* As often as it takes: on a slow machine one close is over before all of it is done. */
static void let_all_go(world *w) {
  for (int i = 0; i < 200 && (ask(w, "SELECT count(*) FROM run") || free_bytes(w) >= FREE_MOST); i++)
    let_time_pass(w);
}

static void the_room_is_given_back_and_a_person_leaves_few_bytes(void **state) {
  world *w = *state;
  enum { PEOPLE = 20000, BYTES_MOST = 100 };
  for (int i = 0; i < PEOPLE; i++) {
    char person[40];
    snprintf(person, sizeof person, "%08x-person-%d", (unsigned)i * 2654435761u, i);
    run_through(w, person, RUN_COMPLETED, 2000);
    if (i % 500 == 0) world_sync(w);
  }
  world_again(w);
  int64_t before = size_of(w);
  let_all_go(w);
  world_close(w);
  assert_int_equal(ask(w, "SELECT count(*) FROM run"), 0);
  int64_t after = size_of(w), unused = free_bytes(w);
  printf("%d bytes a person before, %d after, and %d of free pages\n", (int)(before / PEOPLE),
         (int)((after - unused) / PEOPLE), (int)(unused / PEOPLE));
  assert_true(after < before);
  assert_true(after - unused < BYTES_MOST * PEOPLE);
  assert_true(unused < FREE_MOST);
  world_open(w);
  world_adds_up(w, PEOPLE);
}

static void the_room_that_a_killed_process_did_not_give_back_is_given_back_by_those_after_it(void **state) {
  world *w = *state;
  sqlite3 *db;
  world_close(w);
  assert_int_equal(sqlite3_open(w->path, &db), SQLITE_OK);
  assert_int_equal(sqlite3_exec(db,
                                "CREATE TABLE gone (bytes); INSERT INTO gone VALUES (zeroblob(8000000));"
                                "DROP TABLE gone; PRAGMA wal_checkpoint(TRUNCATE)",
                                NULL, NULL, NULL),
                   SQLITE_OK);
  sqlite3_close(db);
  assert_true(size_of(w) > 8000000);
  world_open(w);
  let_all_go(w);
  world_close(w);
  assert_true(size_of(w) < 8000000 && free_bytes(w) < FREE_MOST);
  world_open(w);
}

/* The index of people is moved a few at a time: everybody is found at any moment, and after a crash. */
static void everybody_is_found_while_the_index_is_being_made(void **state) {
  world *w = *state;
  enum { PEOPLE = 80000 };
  for (int i = 0; i < PEOPLE; i++) {
    char person[40];
    store_run *runs;
    size_t count;
    snprintf(person, sizeof person, "%08x", (unsigned)i * 2654435761u);
    run_through(w, person, RUN_COMPLETED, 2000);
    if (i % 1000) continue;
    world_sync(w);
    for (int earlier = i; earlier >= 0; earlier -= 7919) {
      snprintf(person, sizeof person, "%08x", (unsigned)earlier * 2654435761u);
      assert_int_equal(store_runs_of(w->lane, person, &runs, &count), 0);
      if (count != 1) fail_msg("%s, %d of %d, is found %d times", person, earlier, i, (int)count);
      assert_string_equal(runs[0].person, person);
      store_run_free(&runs[0]);
      free(runs);
    }
    if (i % 20000 == 0) world_again(w);
  }
  world_again(w);
  assert_true(ask(w, "SELECT count(*) FROM entered") > 30000);
  assert_int_equal(
      ask(w, "SELECT count(*) FROM (SELECT who, run FROM entered UNION SELECT who, run FROM fresh)"), PEOPLE);
}

#define SWEEP_TEST(name) cmocka_unit_test_setup_teardown(name, world_begin, world_end)

static void whoever_may_still_convert_stays(void **state) {
  world *w = *state;
  uint64_t may = run_through_with_goal(w, "ada", 2000, LATER_MS + 1),
           has = run_through_with_goal(w, "bob", 2000, LATER_MS + 1),
           late = run_through_with_goal(w, "cyd", 2000, LATER_MS - 1);
  store_run run;
  world_sync(w);
  assert_int_equal(store_find(w->lane, has, &run), 1);
  store_convert(w->lane, &run, 3000);
  store_run_free(&run);
  let_time_pass(w);
  assert_true(is_there(w, may));
  assert_false(is_there(w, has));
  assert_false(is_there(w, late));
  store_report *report = store_report_new(w->s, w->journey, false);
  assert_int_equal(report->converted, 1);
  store_report_free(report);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      SWEEP_TEST(what_is_over_for_long_goes_and_all_else_stays),
      SWEEP_TEST(whoever_may_still_convert_stays),
      SWEEP_TEST(who_was_here_is_remembered_with_entry_and_end),
      SWEEP_TEST(a_newer_run_is_told_beside_what_is_left_of_older_ones),
      SWEEP_TEST(a_reader_is_told_that_older_ones_are_gone),
      SWEEP_TEST(a_run_that_is_gone_does_not_come_back_by_the_log),
      SWEEP_TEST(a_dropped_run_that_is_sent_on_is_not_taken_from_under_it),
      SWEEP_TEST(a_run_that_is_taken_out_after_it_was_found_is_not_loaded),
      SWEEP_TEST(a_profile_that_came_again_goes_with_the_last_run_of_its_person),
      SWEEP_TEST(a_profile_stays_for_a_run_that_is_in_memory_all_the_while),
      SWEEP_TEST(the_room_is_given_back_and_a_person_leaves_few_bytes),
      SWEEP_TEST(the_room_that_a_killed_process_did_not_give_back_is_given_back_by_those_after_it),
      SWEEP_TEST(everybody_is_found_while_the_index_is_being_made),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
