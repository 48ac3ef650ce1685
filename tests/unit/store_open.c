/* Opening a state file: who may, what an older format becomes, and what is no state. */
#include "store_world.h"

#include <sys/stat.h>

#include "store/sqlite_parts.h"

/* The file as a jaunt of the first format made it. */
static void make_older(world *w) {
  static const char *const steps[] = {
      "DROP INDEX inbox_open",
      "DROP INDEX inbox_taken",
      "ALTER TABLE inbox DROP COLUMN met",
      "ALTER TABLE inbox DROP COLUMN asked",
      "ALTER TABLE run DROP COLUMN goal",
      "ALTER TABLE run DROP COLUMN converted",
      "ALTER TABLE run DROP COLUMN fed",
      "DROP TABLE profile",
      "PRAGMA user_version = 1",
  };
  for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) ask(w, steps[i]);
}

/* ---- who may open ---- */

static void assert_mode(const char *path, const char *ending, unsigned mode) {
  char whole[600];
  struct stat there;
  snprintf(whole, sizeof whole, "%s%s", path, ending);
  assert_int_equal(stat(whole, &there), 0);
  assert_int_equal(there.st_mode & 07777, mode);
}

static void a_new_state_is_its_owners_alone_and_one_that_is_there_keeps_its_mode(void **state) {
  world *w = *state;
  assert_mode(w->path, "", 0600);
  assert_mode(w->path, "-wal", 0600);
  world_close(w);
  assert_int_equal(chmod(w->path, 0640), 0);
  world_open(w);
  assert_mode(w->path, "", 0640);
}

static void a_state_in_use_is_refused_and_the_one_who_has_it_is_named(void **state) {
  world *w = *state;
  error err = {""};
  char wanted[64];
  assert_null(world_try(w, &err));
  snprintf(wanted, sizeof wanted, "in use by process %d", (int)getpid());
  assert_non_null(strstr(err.text, wanted));
  assert_non_null(strstr(err.text, w->path));
  world_again(w); /* it is free as soon as it was closed */
}

static void a_newer_format_is_refused_and_left_as_it_is(void **state) {
  world *w = *state;
  error err = {""};
  world_close(w);
  make_older(w);
  ask(w, "PRAGMA user_version = 99");
  assert_null(world_try(w, &err));
  assert_non_null(strstr(err.text, "newer jaunt"));
  assert_int_equal(ask(w, "PRAGMA user_version"), 99);
  ask(w, "PRAGMA user_version = 1");
  world_open(w);
}

static void an_older_file_has_its_conversions_counted(void **state) {
  world *w = *state;
  traveller t;
  char kinds[32];
  for (int i = 0; i < 3; i++) {
    uint64_t number = world_park(w, i ? "bob" : "ada", 5000);
    world_sync(w);
    world_wake(w, number, &t, kinds);
    world_settle(w, &t, RUN_EXITED, INT64_MAX, i == 2 ? "exit_on" : "goal");
    store_journal_forget(&t.journal);
  }
  world_close(w);
  make_older(w);
  world_open(w);
  assert_int_equal(ask(w, "SELECT count(*) FROM run WHERE converted = since"), 2);
  store_report *report = store_report_new(w->s, w->journey, false);
  assert_int_equal(report->converted, 2);
  store_report_free(report);
}

/* By made-up steps: no older format was ever released. */
static void an_older_format_is_brought_forward_step_by_step_or_not_at_all(void **state) {
  world *w = *state;
  static const char *const steps[] = {
      NULL, "ALTER TABLE meta ADD COLUMN colour TEXT; UPDATE meta SET colour = 'red'",
      "ALTER TABLE meta ADD COLUMN size; UPDATE meta SET size = length(colour)", "UPDATE nothing SET x = 1"};
  sqlite3 *db;
  error err = {""};
  world_close(w);
  assert_int_equal(sqlite3_open(w->path, &db), SQLITE_OK);
  assert_int_equal(schema_migrate(db, steps, 1, 3, &err), 0);
  assert_int_equal(sql_single(db, "SELECT size FROM meta", 0), 3);
  assert_int_equal(sql_single(db, "PRAGMA user_version", 0), 3);
  assert_int_equal(schema_migrate(db, steps, 3, 4, &err), -1);
  assert_non_null(strstr(err.text, "nothing"));
  assert_int_equal(sql_single(db, "PRAGMA user_version", 0), 3);
  sqlite3_close(db);
  make_older(w);
  world_open(w);
}

/* A run that was parked by a jaunt which knew no other format, in a file of its version. */
static void a_journal_of_the_first_format_goes_on(void **state) {
  world *w = *state;
  traveller t;
  char kinds[32];
  uint64_t number = world_park(w, "ada", 5000);
  world_close(w);
  ask(w, "UPDATE run SET journal ="
         " x'0c510601020801027b7d027b7d1422690002313233343536373800"
         "04736d73000161'");
  make_older(w);
  world_open(w);
  assert_int_equal(world_wake(w, number, &t, kinds), 2);
  assert_string_equal(kinds, "ES");
  assert_int_equal(t.step, 1);
  world_step(w, &t, "{\"x\":1}");
  world_settle(w, &t, RUN_COMPLETED, INT64_MAX, NULL);
  store_journal_forget(&t.journal);
  world_again(w);
  assert_int_equal(world_wake(w, number, &t, kinds), 4);
  assert_string_equal(kinds, "ESSX");
  store_journal_forget(&t.journal);
  world_close(w);
  assert_true(ask(w, "PRAGMA user_version") > 1);
  world_open(w);
}

static store *try_kind(world *w, store_kind kind, error *err) {
  return store_open_sqlite(&(store_file){.path = w->path, .kind = kind}, err);
}

static void a_state_is_of_live_runs_or_of_rehearsals_and_the_other_kind_is_refused(void **state) {
  world *w = *state;
  static const store_kind kinds[] = {STORE_REHEARSAL, STORE_LIVE};
  static const char *const words[] = {"of rehearsals: live runs need", "of live runs: a rehearsal needs"};
  for (int i = 0; i < 2; i++) {
    error err = {""};
    world_close(w);
    if (i) unlink(w->path);
    store_close(try_kind(w, kinds[i], &err));
    assert_null(try_kind(w, kinds[!i], &err));
    assert_non_null(strstr(err.text, w->path));
    assert_non_null(strstr(err.text, words[i]));
    store *s = try_kind(w, kinds[i], &err);
    assert_non_null(s);
    store_close(s);
    world_open(w); /* of any kind */
  }
}

static void a_file_that_is_no_state_is_refused(void **state) {
  world *w = *state;
  error err = {""};
  world_close(w);
  ask(w, "PRAGMA application_id = 5");
  assert_null(world_try(w, &err));
  assert_non_null(strstr(err.text, "no state of jaunt"));
  FILE *file = fopen(w->path, "w");
  fputs("a letter to my aunt, which is long enough to be looked at by SQLite, and has nothing to do with it "
        "at all",
        file);
  fclose(file);
  assert_null(world_try(w, &err));
  assert_non_null(strstr(err.text, "no state of jaunt"));
  snprintf(w->path, sizeof w->path, "%s/no/such/folder", w->folder);
  assert_null(world_try(w, &err));
  assert_non_null(strstr(err.text, "no/such/folder"));
}

#define OPEN_TEST(name) cmocka_unit_test_setup_teardown(name, world_begin, world_end)

int main(void) {
  const struct CMUnitTest tests[] = {
      OPEN_TEST(a_new_state_is_its_owners_alone_and_one_that_is_there_keeps_its_mode),
      OPEN_TEST(a_state_in_use_is_refused_and_the_one_who_has_it_is_named),
      OPEN_TEST(a_newer_format_is_refused_and_left_as_it_is),
      OPEN_TEST(an_older_file_has_its_conversions_counted),
      OPEN_TEST(an_older_format_is_brought_forward_step_by_step_or_not_at_all),
      OPEN_TEST(a_journal_of_the_first_format_goes_on),
      OPEN_TEST(a_state_is_of_live_runs_or_of_rehearsals_and_the_other_kind_is_refused),
      OPEN_TEST(a_file_that_is_no_state_is_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
