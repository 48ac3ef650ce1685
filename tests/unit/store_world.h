/* What the store's tests share: a file of their own, a lane on it, and runs that do what they are told. */
#ifndef JAUNT_TEST_STORE_WORLD_H
#define JAUNT_TEST_STORE_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include <sqlite3.h>

#include "store/store.h"

#define UNUSED __attribute__((unused))

/* How many times as much `make soak` wants of a test. */
UNUSED static int soak_times(void) {
  const char *times = getenv("SOAK_TIMES");
  return times ? atoi(times) : 1;
}

typedef struct world {
  char folder[64], path[96];
  store *s;
  uint32_t journey, element;
  store_lane *lane;
  store_position told;
  _Atomic int troubles, relieved;
  char trouble[1024];
} world;

static void world_durable(void *data, store_position up_to) {
  ((world *)data)->told = up_to;
}

static void world_trouble(void *data, const char *text) {
  world *w = data;
  if (!text) {
    w->relieved++;
    return;
  }
  snprintf(w->trouble, sizeof w->trouble, "%s", text);
  w->troubles++;
}

static void world_folder(world *w) {
  const char *tmp = getenv("TMPDIR");
  snprintf(w->folder, sizeof w->folder, "%s/jaunt-store-XXXXXX", tmp && strlen(tmp) < 30 ? tmp : "/tmp");
  assert_non_null(mkdtemp(w->folder));
  snprintf(w->path, sizeof w->path, "%s/state.db", w->folder);
}

UNUSED static store *world_try(world *w, error *err) {
  return store_open_sqlite(&(store_file){.path = w->path, .trouble = world_trouble, .data = w}, err);
}

/* Opens the file, once more or for the first time, with one lane. */
UNUSED static void world_open(world *w) {
  error err = {""};
  w->s = world_try(w, &err);
  if (!w->s) fail_msg("%s", err.text);
  w->journey = store_journey(w->s, "welcome", "v1", "{\"a\":1}", 7);
  w->element = store_element(w->s, w->journey, "sms", "call_api", 7);
  w->told = 0;
  w->lane =
      store_lane_open(w->s, w->journey, &(store_lane_options){.durable = world_durable, .data = w}, &err);
  if (!w->lane) fail_msg("%s", err.text);
}

UNUSED static void world_close(world *w) {
  store_close(w->s);
  w->s = NULL;
}

UNUSED static void world_again(world *w) {
  world_close(w);
  world_open(w);
}

/* Waits until all that was appended is durable. */
UNUSED static void world_sync(world *w) {
  do {
    store_flush(w->lane);
    if (store_durable(w->lane) < store_last(w->lane)) usleep(100);
  } while (store_durable(w->lane) < store_last(w->lane));
}

UNUSED static int world_begin(void **state) {
  world *w = calloc(1, sizeof *w);
  world_folder(w);
  world_open(w);
  *state = w;
  return 0;
}

static void world_remove(world *w) {
  char command[128];
  snprintf(command, sizeof command, "rm -r '%s'", w->folder);
  assert_int_equal(system(command), 0);
}

UNUSED static int world_end(void **state) {
  world *w = *state;
  store_close(w->s);
  world_remove(w);
  free(w);
  return 0;
}

/* ---- runs ---- */

typedef struct traveller {
  store_journal journal;
  char person[24];
  run_state state;
  uint32_t step, incarnation;
  int64_t now_ms;
} traveller;

static store_position world_record(world *w, traveller *t, store_record record, run_state to) {
  record.journey = w->journey;
  record.step = t->step;
  record.incarnation = t->incarnation;
  record.at_ms = t->now_ms;
  record.from = t->state;
  record.to = t->state = to;
  store_position position = store_append(w->lane, &t->journal, &record);
  assert_int_not_equal(position, 0);
  return position;
}

UNUSED static void world_enter(world *w, traveller *t, const char *person) {
  *t = (traveller){.now_ms = 1000};
  store_journal_init(&t->journal);
  snprintf(t->person, sizeof t->person, "%s", person);
  world_record(w, t,
               (store_record){.kind = RECORD_ENTER,
                              .element = NO_ELEMENT,
                              .name = t->person,
                              .data = "{\"n\":1}",
                              .data_length = 7,
                              .more = "{}",
                              .more_length = 2,
                              .extra = "cart",
                              .extra_length = 4,
                              .numbers = {3, INT64_MIN + 5, 77}},
               RUN_RUNNING);
}

UNUSED static void world_step(world *w, traveller *t, const char *data) {
  t->step++;
  t->now_ms += 10;
  world_record(w, t,
               (store_record){.kind = RECORD_STEP,
                              .element = w->element,
                              .name = "sms",
                              .data = data,
                              .data_length = data ? strlen(data) : 0,
                              .fingerprint = 0x1234 + t->step,
                              .counts = 1 << ELEMENT_REACHED},
               RUN_RUNNING);
}

/* Parks it, holds it, or ends it. */
UNUSED static store_position world_settle(world *w, traveller *t, run_state to, int64_t due_ms,
                                          const char *reason) {
  store_settle settle = {.id = {(uint64_t)INT64_MIN + 5, 77},
                         .person = t->person,
                         .per = "cart",
                         .entry = 3,
                         .entered_ms = 1000,
                         .element = w->element,
                         .due_ms = due_ms,
                         .listens = to == RUN_WAITING ? "paid\nleft" : NULL};
  return world_record(w, t,
                      (store_record){.kind = to == RUN_WAITING ? RECORD_MOVE : RECORD_END,
                                     .element = w->element,
                                     .reason = reason,
                                     .detail = reason ? "503" : NULL,
                                     .counts = to == RUN_DROPPED ? 1 << ELEMENT_DROPPED : 0,
                                     .settle = &settle},
                      to);
}

/* Asks the file itself: anything while nobody has it open, and what was committed while somebody has. */
UNUSED static int64_t ask(world *w, const char *sql) {
  sqlite3 *db;
  sqlite3_stmt *s;
  int64_t number = -1;
  int mode = w->s ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE;
  assert_int_equal(sqlite3_open_v2(w->path, &db, mode, NULL), SQLITE_OK);
  if (sqlite3_prepare_v2(db, sql, -1, &s, NULL) != SQLITE_OK) fail_msg("%s: %s", sql, sqlite3_errmsg(db));
  if (sqlite3_step(s) == SQLITE_ROW) number = sqlite3_column_int64(s, 0);
  sqlite3_finalize(s);
  sqlite3_close(db);
  return number;
}

/* A run that is parked until then, and gone from memory. Returns its number. */
UNUSED static uint64_t world_park(world *w, const char *person, int64_t due_ms) {
  traveller t;
  world_enter(w, &t, person);
  world_step(w, &t, NULL);
  world_settle(w, &t, RUN_WAITING, due_ms, NULL);
  store_journal_forget(&t.journal);
  return t.journal.run;
}

/* Brings it back into memory. Returns how many records it has, -1 where they can't be read; *kinds gets the first 31 of their kinds as
 * letters. */
UNUSED static int world_wake(world *w, uint64_t number, traveller *t, char kinds[32]) {
  store_run run;
  buf bytes = BUF_EMPTY;
  store_record record = {0};
  int count = 0;
  *t = (traveller){.now_ms = 0};
  store_journal_init(&t->journal);
  assert_int_equal(store_find(w->lane, number, &run), 1);
  t->state = run.state;
  t->now_ms = run.since_ms;
  snprintf(t->person, sizeof t->person, "%s", run.person);
  assert_int_equal(store_load(w->lane, &run, &t->journal, &bytes), 0);
  const char *at = bytes.data, *end = bytes.data + bytes.len;
  while (store_record_next(&at, end, &record)) {
    if (count < 31) kinds[count] = "?ESIARWKTBXM"[record.kind];
    count++;
    t->step = record.step;
    t->incarnation = record.incarnation;
  }
  kinds[count < 31 ? count : 31] = '\0';
  if (at != end) count = -1;
  buf_free(&bytes);
  store_run_free(&run);
  return count;
}

UNUSED static void world_adds_up(world *w, uint64_t wanted) {
  uint64_t entered, states[RUN_STATES], sum = 0;
  store_ledger(w->s, w->journey, &entered, states);
  for (int i = 0; i < RUN_STATES; i++) sum += states[i];
  assert_int_equal(entered, wanted);
  assert_int_equal(sum, wanted);
}

UNUSED static uint64_t world_count(world *w, run_state state) {
  uint64_t entered, states[RUN_STATES];
  store_ledger(w->s, w->journey, &entered, states);
  return states[state];
}

#endif
