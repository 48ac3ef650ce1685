/* A state looked at from outside: what is durable is seen where it is, beside a runtime that has the file; pages are complete, and a
 * file that is no state is refused in words. */
#include "store_world.h"

#include <sqlite3.h>
#include <sys/stat.h>

#include "store/journal.h"
#include "store/reader.h"

static store_reader *look(world *w) {
  error err = {""};
  store_reader *r = reader_open_sqlite(w->path, &err);
  if (!r) fail_msg("%s", err.text);
  return r;
}

static reader_selection all(void) {
  return (reader_selection){.before = UINT64_MAX};
}

/* Reads all that is meant, page by page; says how many, and the persons one after the other. */
static int read_all(store_reader *r, reader_selection which, int most, char *persons, size_t room) {
  store_run runs[64];
  error err = {""};
  int total = 0, count;
  if (persons) *persons = '\0';
  while ((count = reader_runs(r, &which, runs, most, &err)) > 0) {
    for (int i = 0; i < count; i++) {
      if (persons) strncat(persons, runs[i].person, room - strlen(persons) - 1);
      store_run_free(&runs[i]);
    }
    total += count;
  }
  if (count < 0) fail_msg("%s", err.text);
  return total;
}

static store_run only_run(store_reader *r, reader_selection which) {
  store_run runs[2];
  error err = {""};
  assert_int_equal(reader_runs(r, &which, runs, 2, &err), 1);
  return runs[0];
}

/* ---- where runs are ---- */

static void a_run_under_way_is_seen_although_it_has_no_row(void **state) {
  world *w = *state;
  traveller t;
  world_enter(w, &t, "ada");
  world_step(w, &t, NULL);
  world_sync(w);
  store_reader *r = look(w);
  store_run run = only_run(r, all());
  assert_string_equal(run.person, "ada");
  assert_string_equal(run.per, "cart");
  assert_int_equal(run.entry, 3);
  assert_int_equal(run.id.hi, 77);
  assert_int_equal(run.state, RUN_RUNNING);
  assert_int_equal(run.element, w->element);
  assert_int_equal(run.entered_ms, 1000);
  assert_int_equal(run.since_ms, 1010);
  store_run_free(&run);
  reader_close(r);
  store_journal_forget(&t.journal);
}

static void a_parked_run_that_went_on_is_seen_where_it_is_now(void **state) {
  world *w = *state;
  traveller t;
  char kinds[32];
  uint64_t number = world_park(w, "ada", 5000);
  world_sync(w);
  world_wake(w, number, &t, kinds);
  world_step(w, &t, "on its way");
  world_sync(w);
  store_reader *r = look(w);
  reader_selection which = all();
  which.states = 1 << RUN_WAITING;
  assert_int_equal(read_all(r, which, 10, NULL, 0), 0);
  which.states = 1 << RUN_RUNNING;
  store_run run = only_run(r, which);
  assert_int_equal(run.run, number);
  assert_int_equal(run.since_ms, 1020);
  store_run_free(&run);
  reader_close(r);
  store_journal_forget(&t.journal);
}

static void what_a_run_did_is_read_from_its_segments_and_the_log(void **state) {
  world *w = *state;
  traveller t;
  char kinds[32];
  error err = {""};
  buf journal = BUF_EMPTY;
  uint64_t number = world_park(w, "ada", 5000);
  world_sync(w);
  world_wake(w, number, &t, kinds);
  world_step(w, &t, "second");
  world_settle(w, &t, RUN_WAITING, 6000, NULL);
  world_step(w, &t, "third");
  world_sync(w);
  store_reader *r = look(w);
  assert_int_equal(reader_journal(r, number, &journal, &err), 0);
  const char *at = journal.data, *end = at + journal.len;
  store_record record = {0};
  char verdicts[64] = "";
  int count = 0;
  for (; store_record_next(&at, end, &record); count++) {
    if (record.kind == RECORD_STEP && record.data)
      strncat(verdicts, record.data, record.data_length), strcat(verdicts, " ");
  }
  assert_ptr_equal(at, end);
  assert_int_equal(count, 4);
  assert_string_equal(verdicts, "second third ");
  buf_free(&journal);
  reader_close(r);
  store_journal_forget(&t.journal);
}

/* ---- pages ---- */

enum { MANY = 57 };

static void every_run_comes_once_and_the_newest_first(void **state) {
  world *w = *state;
  traveller travellers[MANY];
  char wanted[1024] = "", persons[1024], person[24];
  for (int i = 0; i < MANY; i++) { /* of every three, one is parked, one has ended, one is under way */
    snprintf(person, sizeof person, "<%d>", i);
    traveller *t = &travellers[i];
    world_enter(w, t, person);
    world_step(w, t, NULL);
    if (i % 3 == 0) world_settle(w, t, RUN_WAITING, 5000 + i, NULL);
    if (i % 3 == 1) world_settle(w, t, RUN_DROPPED, INT64_MAX, "status");
  }
  world_sync(w);
  for (int i = MANY; i-- > 0;) snprintf(wanted + strlen(wanted), 24, "<%d>", i);
  store_reader *r = look(w);
  for (int most = 1; most <= 64; most += 7) {
    assert_int_equal(read_all(r, all(), most, persons, sizeof persons), MANY);
    assert_string_equal(persons, wanted);
  }
  reader_selection dropped = all();
  dropped.states = 1 << RUN_DROPPED;
  assert_int_equal(read_all(r, dropped, 4, NULL, 0), MANY / 3);
  reader_close(r);
  for (int i = 0; i < MANY; i++) store_journal_forget(&travellers[i].journal);
}

static void a_selection_takes_what_is_meant_and_nothing_else(void **state) {
  world *w = *state;
  traveller t[3];
  const char *const persons[] = {"ada", "grace", "yuki"};
  uint32_t other = store_element(w->s, w->journey, "mail", "call_api", 9);
  for (int i = 0; i < 3; i++) world_enter(w, &t[i], persons[i]), world_step(w, &t[i], NULL);
  world_settle(w, &t[0], RUN_DROPPED, INT64_MAX, "status");
  w->element = other;
  t[1].now_ms = 9000;
  world_settle(w, &t[1], RUN_DROPPED, INT64_MAX, "timeout");
  world_sync(w);
  store_reader *r = look(w);
  const struct {
    reader_selection which;
    const char *found;
  } cases[] = {
      {{.states = 1 << RUN_DROPPED}, "graceada"},
      {{.states = 1 << RUN_RUNNING}, "yuki"},
      {{.element = "sms"}, "yukiada"},
      {{.element = "mail"}, "grace"},
      {{.element = "nowhere"}, ""},
      {{.reason = "status"}, "ada"},
      {{.reason = "status", .detail = "503"}, "ada"},
      {{.reason = "status", .detail = "422"}, ""},
      {{.person = "grace"}, "grace"},
      {{.since_ms = 9000}, "grace"},
      {{.entered_ms = 1001}, ""},
      {{.until_ms = 1000}, ""},
      {{.family = w->journey}, "yukigraceada"},
      {{.version = w->journey}, "yukigraceada"},
      {{.family = w->journey + 1}, ""},
      {{.mention = "\"n\":1"}, "yukigraceada"},
      {{.mention = "\"n\":2"}, ""},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    reader_selection which = cases[i].which;
    char found[64];
    which.before = UINT64_MAX;
    read_all(r, which, 2, found, sizeof found);
    assert_string_equal(found, cases[i].found);
  }
  reader_close(r);
  for (int i = 0; i < 3; i++) store_journal_forget(&t[i].journal);
}

static void change(const char *path, const char *sql) {
  sqlite3 *db = NULL;
  assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
  assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
  sqlite3_close(db);
}

static void assert_three_of_ada(world *w) {
  store_reader *r = look(w);
  reader_selection ada = all();
  char persons[64];
  ada.person = "ada";
  for (int most = 1; most <= 4; most++) {
    assert_int_equal(read_all(r, ada, most, persons, sizeof persons), 3);
    assert_string_equal(persons, "adaadaada");
  }
  ada.states = 1 << RUN_RUNNING;
  assert_int_equal(read_all(r, ada, 4, NULL, 0), 2);
  ada.before = 2;
  assert_int_equal(read_all(r, ada, 4, NULL, 0), 0);
  ada.person = "nobody";
  assert_int_equal(read_all(r, ada, 4, NULL, 0), 0);
  reader_close(r);
}

static void a_person_is_found_once_wherever_their_runs_stand(void **state) {
  world *w = *state;
  traveller went_on, under_way;
  char kinds[32];
  world_park(w, "ada", 5000);
  uint64_t number = world_park(w, "ada", 5000);
  world_park(w, "grace", 5000);
  world_sync(w);
  world_wake(w, number, &went_on, kinds);
  world_step(w, &went_on, "on its way");
  world_enter(w, &under_way, "ada");
  world_step(w, &under_way, NULL);
  world_sync(w);
  assert_three_of_ada(w);
  change(w->path, "INSERT INTO entered (who, run) SELECT who, run FROM fresh"); /* half-way to there */
  assert_three_of_ada(w);
  change(w->path, "DELETE FROM fresh");
  assert_three_of_ada(w);
  store_journal_forget(&went_on.journal);
  store_journal_forget(&under_way.journal);
}

/* ---- the file ---- */

static void counters_are_those_of_the_last_commit(void **state) {
  world *w = *state;
  world_park(w, "ada", 5000);
  world_park(w, "grace", 5000);
  world_sync(w);
  store_reader *r = look(w);
  store_report *report = reader_report(r, w->journey, false);
  assert_int_equal(report->entered, 2);
  assert_int_equal(report->states[RUN_WAITING], 2);
  assert_int_equal(report->element_count, 1);
  assert_int_equal(report->elements[0].counts[ELEMENT_REACHED], 2);
  store_report_free(report);
  reader_close(r);
}

static void a_reader_knows_whether_a_runtime_has_the_state_and_changes_nothing(void **state) {
  world *w = *state;
  struct stat before, after;
  world_park(w, "ada", 5000);
  world_sync(w);
  store_reader *r = look(w);
  assert_true(reader_in_use(r));
  reader_close(r);
  world_close(w);
  assert_int_equal(stat(w->path, &before), 0);
  r = look(w);
  assert_false(reader_in_use(r));
  assert_int_equal(read_all(r, all(), 10, NULL, 0), 1);
  reader_close(r);
  assert_int_equal(stat(w->path, &after), 0);
  assert_int_equal(before.st_size, after.st_size);
  assert_int_equal(before.st_mtim.tv_nsec, after.st_mtim.tv_nsec);
  world_open(w); /* and a runtime can have it again */
}

/* Root may write everywhere: then there is nothing to see. */
static void a_state_in_a_folder_that_may_not_be_written_can_be_read(void **state) {
  world *w = *state;
  world_park(w, "ada", 5000);
  world_close(w);
  assert_int_equal(chmod(w->folder, 0500), 0);
  store_reader *r = look(w);
  assert_int_equal(read_all(r, all(), 10, NULL, 0), 1);
  reader_close(r);
  assert_int_equal(chmod(w->folder, 0700), 0);
  world_open(w);
}

static void refuse(const char *path, const char *words) {
  error err = {""};
  assert_null(reader_open_sqlite(path, &err));
  if (!strstr(err.text, words)) fail_msg("\"%s\" does not say %s", err.text, words);
  assert_non_null(strstr(err.text, path));
}

static void write_text(const char *path, const char *text) {
  FILE *file = fopen(path, "w");
  assert_non_null(file);
  fputs(text, file);
  fclose(file);
}

static void what_is_no_state_is_refused_in_words(void **state) {
  world *w = *state;
  char path[160];
  snprintf(path, sizeof path, "%s/none", w->folder);
  refuse(path, "No such file");
  snprintf(path, sizeof path, "%s/text", w->folder);
  write_text(path,
             "id,name\nada,Ada Lovelace, who wrote the first program, and more than a page of notes on it\n");
  refuse(path, "no state of jaunt");
  snprintf(path, sizeof path, "%s/empty", w->folder);
  write_text(path, "");
  refuse(path, "is empty");
  snprintf(path, sizeof path, "%s/other", w->folder);
  change(path, "CREATE TABLE t (a)");
  refuse(path, "no state of jaunt");
  world_close(w);
  change(w->path, "PRAGMA user_version = 99");
  refuse(w->path, "newer jaunt");
}

/* ---- visits ---- */

static void add(store_journal *journal, store_record record) {
  journal_add(journal, &record);
}

static void a_visit_says_when_a_run_came_when_it_left_and_how(void **state) {
  (void)state;
  enum { CALL, SPLIT, WAIT };
  store_journal journal;
  reader_visits visits;
  reader_visit visit;
  store_journal_init(&journal);
  add(&journal, (store_record){.kind = RECORD_ENTER, .name = "ada", .element = NO_ELEMENT, .at_ms = 100});
  add(&journal, (store_record){.kind = RECORD_STEP,
                               .name = "mail",
                               .extra = "call_api",
                               .extra_length = 8,
                               .element = CALL,
                               .at_ms = 100,
                               .step = 1});
  add(&journal, (store_record){.kind = RECORD_INTENT,
                               .name = "key",
                               .extra = "POST\ncrm\n\ngreeting",
                               .extra_length = 18,
                               .element = NO_ELEMENT,
                               .at_ms = 150,
                               .step = 1});
  add(&journal,
      (store_record){.kind = RECORD_RESULT, .name = "ok", .element = CALL, .at_ms = 180, .step = 1});
  add(&journal, (store_record){.kind = RECORD_STEP,
                               .name = "copy",
                               .extra = "split",
                               .extra_length = 5,
                               .data = "funny",
                               .data_length = 5,
                               .element = SPLIT,
                               .at_ms = 200,
                               .step = 2});
  add(&journal, (store_record){.kind = RECORD_STEP,
                               .name = "wait 1d",
                               .extra = "wait",
                               .extra_length = 4,
                               .element = WAIT,
                               .at_ms = 200,
                               .step = 3});
  reader_visits_begin(&visits, &journal.tail);
  assert_true(reader_visits_next(&visits, &visit));
  assert_int_equal(visit.element, CALL);
  assert_int_equal(visit.left_ms, 180);
  assert_true(visit.went_on);
  assert_int_equal(visit.payload_length, 8);
  assert_memory_equal(visit.payload, "greeting", 8);
  assert_true(reader_visits_next(&visits, &visit));
  assert_memory_equal(visit.verdict, "funny", 5);
  assert_int_equal(visit.left_ms, 200);
  assert_true(reader_visits_next(&visits, &visit));
  assert_int_equal(visit.left_ms, -1); /* it is there */
  assert_false(visit.went_on);
  assert_false(reader_visits_next(&visits, &visit));
  add(&journal, (store_record){.kind = RECORD_END,
                               .to = RUN_EXITED,
                               .reason = "goal",
                               .detail = "bought",
                               .element = WAIT,
                               .at_ms = 900,
                               .step = 3});
  reader_visits_begin(&visits, &journal.tail);
  for (int i = 0; i < 3; i++) assert_true(reader_visits_next(&visits, &visit));
  assert_int_equal(visit.left_ms, 900);
  assert_int_equal(visit.ended, RUN_EXITED);
  assert_string_equal(visit.reason, "goal");
  assert_false(visit.went_on);
  assert_false(reader_visits_next(&visits, &visit));
  store_journal_forget(&journal);
}

/* Whether its payload counts as sent, of a call that was rendered: with its result and status, NULL: none yet, and the status of an
 * attempt before it, -1: there was none. */
static bool was_sent(const char *result, int64_t status, int64_t attempt_status, bool is_unclear) {
  store_journal journal;
  reader_visits visits;
  reader_visit visit;
  store_journal_init(&journal);
  add(&journal, (store_record){.kind = RECORD_ENTER, .name = "ada", .element = NO_ELEMENT});
  add(&journal,
      (store_record){.kind = RECORD_STEP, .name = "mail", .extra = "call_api", .extra_length = 8, .step = 1});
  add(&journal, (store_record){.kind = RECORD_INTENT,
                               .name = "key",
                               .extra = "POST\ncrm\n\ngreeting",
                               .extra_length = 18,
                               .element = NO_ELEMENT,
                               .step = 1});
  if (attempt_status >= 0)
    add(&journal,
        (store_record){
            .kind = RECORD_ATTEMPT, .name = "status", .element = NO_ELEMENT, .numbers = {attempt_status}});
  if (result)
    add(&journal, (store_record){.kind = RECORD_RESULT,
                                 .name = result,
                                 .step = 1,
                                 .numbers = {status, 1, 0, is_unclear ? RESULT_UNCLEAR : 0}});
  reader_visits_begin(&visits, &journal.tail);
  assert_true(reader_visits_next(&visits, &visit));
  bool has_payload = visit.payload != NULL;
  store_journal_forget(&journal);
  return has_payload;
}

static void a_payload_was_sent_unless_its_call_never_left(void **state) {
  (void)state;
  assert_true(was_sent("ok", 201, -1, false));
  assert_true(was_sent("failed", 422, -1, false));
  assert_true(was_sent("failed", 0, 503, false));
  assert_true(was_sent("failed", 0, -1, true));
  assert_true(was_sent("unknown", 0, -1, false));
  assert_true(was_sent(NULL, 0, -1, false)); /* it is under way */
  assert_false(was_sent("failed", 0, 0, false));
  assert_false(was_sent("mistake", 0, -1, false));
}

int main(void) {
  const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, world_begin, world_end)
      TEST(a_run_under_way_is_seen_although_it_has_no_row),
      TEST(a_parked_run_that_went_on_is_seen_where_it_is_now),
      TEST(what_a_run_did_is_read_from_its_segments_and_the_log),
      TEST(every_run_comes_once_and_the_newest_first),
      TEST(a_selection_takes_what_is_meant_and_nothing_else),
      TEST(a_person_is_found_once_wherever_their_runs_stand),
      TEST(counters_are_those_of_the_last_commit),
      TEST(a_reader_knows_whether_a_runtime_has_the_state_and_changes_nothing),
      TEST(a_state_in_a_folder_that_may_not_be_written_can_be_read),
      TEST(what_is_no_state_is_refused_in_words),
      cmocka_unit_test(a_visit_says_when_a_run_came_when_it_left_and_how),
      cmocka_unit_test(a_payload_was_sent_unless_its_call_never_left),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
