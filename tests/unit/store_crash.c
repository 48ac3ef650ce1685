/* Killed at any moment: what was told durable is there, nobody is lost, and nothing happened twice.
 *
 * A child works on the file: it lets people in, takes steps, parks, wakes and ends runs, and reports by a pipe whatever it is told
 * durable. It is killed after some number of reports. Then the file is opened, and every run's journal has to be the beginning of
 * what the child did. A record's data is its place among the run's records, so that a gap or a repetition shows. */
#include "store_world.h"

#include <signal.h>
#include <sqlite3.h>
#include <sys/wait.h>

#include "base/hash.h"

enum { ROUNDS = 25, LIVING = 40, REPORTS_MOST = 1500, RUNS_MOST = 200000 };

typedef struct report {
  uint64_t run;
  uint32_t records;
  uint32_t over; /* it has ended */
} report;

/* ---- the child ---- */

typedef struct act {
  store_position position;
  report what;
} act;

typedef struct child {
  world *w;
  int out;
  uint64_t dice;
  traveller living[LIVING];
  bool lives[LIVING];
  uint64_t entered;
  act acts[65536]; /* in order of position: a ring */
  size_t first, count;
} child;

static void tell_parent(void *data, store_position up_to) {
  child *c = data;
  while (c->count && c->acts[c->first].position <= up_to) {
    if (write(c->out, &c->acts[c->first].what, sizeof(report)) != sizeof(report)) _exit(1);
    c->first = (c->first + 1) % 65536;
    c->count--;
  }
}

static void note(child *c, const traveller *t, bool over) {
  act a = {store_last(c->w->lane), {t->journal.run, t->journal.records, over}};
  c->acts[(c->first + c->count++) % 65536] = a;
}

static void number_step(child *c, traveller *t, record_kind kind) {
  char data[16];
  snprintf(data, sizeof data, "%u", t->journal.records + 1);
  t->step++;
  t->now_ms++;
  world_record(c->w, t,
               (store_record){.kind = kind,
                              .element = c->w->element,
                              .name = "n",
                              .data = data,
                              .data_length = strlen(data),
                              .extra = t->person,
                              .extra_length = strlen(t->person)},
               RUN_RUNNING);
  note(c, t, false);
}

static void begin_one(child *c, int i) {
  char person[24];
  store_due_run due;
  char kinds[32];
  c->lives[i] = true;
  if (random_next(&c->dice) % 2 && store_due(c->w->lane, INT64_MAX - 1, &due, 1) == 1) {
    assert_true(world_wake(c->w, due.run, &c->living[i], kinds) > 0);
    return;
  }
  snprintf(person, sizeof person, "p%llx", (unsigned long long)random_next(&c->dice));
  world_enter(c->w, &c->living[i], person);
  note(c, &c->living[i], false);
}

static void settle_one(child *c, int i, bool ends) {
  traveller *t = &c->living[i];
  char data[16];
  snprintf(data, sizeof data, "%u", t->journal.records + 1);
  store_settle settle = {.id = {1, 2},
                         .person = t->person,
                         .entry = 3,
                         .entered_ms = 1000,
                         .element = c->w->element,
                         .due_ms = (int64_t)(1 + random_next(&c->dice) % 1000)};
  world_record(c->w, t,
               (store_record){.kind = ends ? RECORD_END : RECORD_MOVE,
                              .element = c->w->element,
                              .data = data,
                              .data_length = strlen(data),
                              .settle = &settle},
               ends ? RUN_COMPLETED : RUN_WAITING);
  note(c, t, ends);
  store_journal_forget(&t->journal);
  c->lives[i] = false;
}

static void do_something(child *c) {
  uint64_t dice = random_next(&c->dice);
  int i = (int)(dice % LIVING), what = (int)(dice >> 32 & 15);
  if (!c->lives[i])
    begin_one(c, i);
  else if (what == 0)
    settle_one(c, i, true);
  else if (what <= 2)
    settle_one(c, i, false);
  else
    number_step(c, &c->living[i], what == 3 ? RECORD_WRITE : RECORD_STEP);
}

static void live(const char *path, int out, uint64_t seed) {
  static child c;
  static world w;
  error err;
  c = (child){.w = &w, .out = out, .dice = seed};
  snprintf(w.path, sizeof w.path, "%s", path);
  w.s = world_try(&w, &err);
  if (!w.s) _exit(2);
  w.journey = store_journey(w.s, "welcome", "v1", "{}", 2);
  w.element = store_element(w.s, w.journey, "sms", "call_api", 7);
  w.lane = store_lane_open(w.s, w.journey, &(store_lane_options){.durable = tell_parent, .data = &c}, &err);
  if (!w.lane) _exit(2);
  for (;;) {
    if (!store_lane_full(w.lane) && c.count < 60000) do_something(&c);
    if (random_next(&c.dice) % 8 == 0 || store_lane_full(w.lane)) store_flush(w.lane);
  }
}

/* ---- the parent ---- */

typedef struct ledger {
  uint32_t records[RUNS_MOST];
  bool over[RUNS_MOST];
} ledger;

static ledger promised;

static void take(report r) {
  assert_in_range(r.run, 1, RUNS_MOST - 1);
  if (r.records > promised.records[r.run]) promised.records[r.run] = r.records;
  if (r.over) promised.over[r.run] = true;
}

static void let_live_and_kill(world *w, uint64_t seed) {
  int ends[2];
  report r;
  assert_int_equal(pipe(ends), 0);
  pid_t pid = fork();
  if (pid == 0) {
    close(ends[0]);
    live(w->path, ends[1], seed);
  }
  close(ends[1]);
  uint64_t dice = seed;
  int reports = (int)(random_next(&dice) % REPORTS_MOST);
  for (int i = 0; i < reports && read(ends[0], &r, sizeof r) == sizeof r; i++) take(r);
  kill(pid, SIGKILL);
  while (read(ends[0], &r, sizeof r) == sizeof r) take(r);
  close(ends[0]);
  int status;
  waitpid(pid, &status, 0);
  assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static void write_seen(void *data, const char *name, const char *json, size_t length, int64_t at_ms) {
  (void)name, (void)at_ms;
  snprintf(data, 16, "%.*s", (int)length, json);
}

static void check_journal(world *w, const store_run *run) {
  store_journal journal;
  store_record record = {0};
  buf bytes = BUF_EMPTY;
  uint32_t count = 0;
  char written[16] = "", wanted[16] = "", attribute[16] = "";
  store_journal_init(&journal);
  assert_int_equal(store_load(w->lane, run, &journal, &bytes), 0);
  for (const char *at = bytes.data; store_record_next(&at, bytes.data + bytes.len, &record);) {
    count++;
    snprintf(wanted, sizeof wanted, "%u", count);
    assert_int_equal(record.kind == RECORD_ENTER, count == 1);
    if (count > 1) assert_int_equal(strncmp(record.data, wanted, record.data_length), 0);
    if (count > 1) assert_int_equal(record.data_length, strlen(wanted));
    if (record.kind == RECORD_WRITE) memcpy(written, wanted, sizeof wanted);
    assert_int_equal(record.kind == RECORD_END, run->state == RUN_COMPLETED && count == run->records);
  }
  assert_int_equal(count, run->records);
  assert_int_equal(store_attributes(w->lane, run->person, write_seen, attribute), 0);
  assert_string_equal(attribute, written);
  buf_free(&bytes);
  store_journal_forget(&journal);
}

static uint64_t check_runs(world *w, uint64_t states[RUN_STATES]) {
  uint64_t found = 0;
  for (uint64_t number = 1; number < RUNS_MOST; number++) {
    store_run run;
    int there = store_find(w->lane, number, &run);
    if (!there) {
      assert_int_equal(promised.records[number], 0);
      if (number > 2 * found + 1000) break;
      continue;
    }
    found++;
    states[run.state]++;
    assert_true(run.records >= promised.records[number]);
    assert_true(!promised.over[number] || run.state == RUN_COMPLETED);
    assert_int_equal(run.due_ms == INT64_MAX, run.state == RUN_COMPLETED);
    assert_int_equal(run.due_ms == 0, run.state == RUN_RUNNING);
    promised.records[number] = run.records; /* it can't get less any more */
    check_journal(w, &run);
    store_run_free(&run);
  }
  return found;
}

static int64_t in_file(world *w, const char *table) {
  sqlite3 *db;
  sqlite3_stmt *s;
  char sql[64];
  snprintf(sql, sizeof sql, "SELECT count(*) FROM %s", table);
  assert_int_equal(sqlite3_open_v2(w->path, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
  assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &s, NULL), SQLITE_OK);
  assert_int_equal(sqlite3_step(s), SQLITE_ROW);
  int64_t count = sqlite3_column_int64(s, 0);
  sqlite3_finalize(s);
  sqlite3_close(db);
  return count;
}

static void check_file(world *w) {
  uint64_t entered, counted[RUN_STATES], states[RUN_STATES] = {0};
  world_open(w);
  uint64_t found = check_runs(w, states);
  store_ledger(w->s, w->journey, &entered, counted);
  assert_int_equal(entered, found);
  for (int i = 0; i < RUN_STATES; i++) assert_int_equal(counted[i], states[i]);
  world_close(w);
  assert_int_equal(in_file(w, "run"), (int64_t)found);
  assert_int_equal(in_file(w, "log"), 0);
  assert_int_equal(in_file(w, "timer"), (int64_t)(states[RUN_RUNNING] + states[RUN_WAITING]));
}

static void nobody_is_lost_whenever_the_process_is_killed(void **state) {
  world *w = *state;
  memset(&promised, 0, sizeof promised);
  world_close(w);
  for (uint64_t round = 1; round <= ROUNDS; round++) {
    let_live_and_kill(w, round);
    check_file(w);
  }
  int64_t runs = in_file(w, "run");
  assert_true(runs > ROUNDS);
  world_open(w);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(nobody_is_lost_whenever_the_process_is_killed, world_begin, world_end),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
