/* A life for a store: people are let in, take steps, are parked, woken and ended, at random; and what of it is told durable is noted. Later
 * every run's journal has to be the beginning of what was done. A record's data is its place among the run's records, so that a
 * gap or a repetition shows. */
#ifndef JAUNT_TEST_STORE_LIFE_H
#define JAUNT_TEST_STORE_LIFE_H

#include "store_world.h"

#include <sqlite3.h>

#include "base/hash.h"

enum { LIVING = 40, RUNS_MOST = 200000 };

typedef struct report {
  uint64_t run;
  uint32_t records;
  uint32_t over; /* it has ended */
} report;

/* ---- living ---- */

typedef struct act {
  store_position position;
  report what;
} act;

typedef struct life {
  world *w;
  void (*tell)(void *data, report what); /* it is durable */
  void *data;
  uint64_t dice;
  traveller living[LIVING];
  bool lives[LIVING];
  uint64_t entered;
  act acts[65536]; /* in order of position: a ring */
  size_t first, count;
} life;

static void life_durable(void *data, store_position up_to) {
  life *c = data;
  while (c->count && c->acts[c->first].position <= up_to) {
    c->tell(c->data, c->acts[c->first].what);
    c->first = (c->first + 1) % 65536;
    c->count--;
  }
}

static void note(life *c, const traveller *t, bool over) {
  act a = {store_last(c->w->lane), {t->journal.run, t->journal.records, over}};
  c->acts[(c->first + c->count++) % 65536] = a;
}

static void number_step(life *c, traveller *t, record_kind kind) {
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

static void begin_one(life *c, int i) {
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

static void settle_one(life *c, int i, bool ends) {
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

static void do_something(life *c) {
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

/* Opens the file and lives in it: for so many acts, or for ever (0). Returns whether it could be opened. */
UNUSED static bool live(life *c, const store_file *file, uint64_t seed, uint64_t acts) {
  error err;
  world *w = c->w;
  c->dice = seed;
  w->s = store_open_sqlite(file, &err);
  if (!w->s) return false;
  w->journey = store_journey(w->s, "welcome", "v1", "{}", 2);
  w->element = store_element(w->s, w->journey, "sms", "call_api", 7);
  w->lane =
      store_lane_open(w->s, w->journey, &(store_lane_options){.durable = life_durable, .data = c}, &err);
  if (!w->lane) return false;
  for (uint64_t done = 0; done < acts || !acts;) {
    if (!store_lane_full(w->lane) && c->count < 60000) {
      do_something(c);
      done++;
    }
    if (random_next(&c->dice) % 8 == 0 || store_lane_full(w->lane)) store_flush(w->lane);
  }
  return true;
}

/* Waits until all of it is durable, and closes. */
UNUSED static void live_to_the_end(life *c) {
  world_sync(c->w);
  for (int i = 0; i < LIVING; i++) {
    if (c->lives[i]) store_journal_forget(&c->living[i].journal);
  }
  world_close(c->w);
}

/* ---- what was promised ---- */

typedef struct ledger {
  uint32_t records[RUNS_MOST];
  bool over[RUNS_MOST];
} ledger;

static ledger promised;
static bool may_lose; /* power loss without a sync for each commit: what was promised may be gone */
UNUSED static uint64_t lost;

UNUSED static void take(report r) {
  assert_in_range(r.run, 1, RUNS_MOST - 1);
  if (r.records > promised.records[r.run]) promised.records[r.run] = r.records;
  if (r.over) promised.over[r.run] = true;
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
      if (promised.records[number]) lost++;
      assert_true(may_lose || !promised.records[number]);
      if (number > 2 * found + 1000) break;
      continue;
    }
    found++;
    states[run.state]++;
    bool less =
        run.records < promised.records[number] || (promised.over[number] && run.state != RUN_COMPLETED);
    if (less) lost++;
    assert_true(may_lose || !less);
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

UNUSED static uint64_t check_file(world *w) {
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
  return found;
}

#endif
