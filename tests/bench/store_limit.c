/* The bare limit of the SQLite store: how many steps a second it takes from a loop in C that does nothing else, and what they
 * cost on disk; beside it SQLite appending the same bytes to one table.
 *
 *   bench_store_limit FILE [RUNS] [LANES] [IN_FLIGHT] [calls|scattered|decisions]
 *
 * Each run enters, takes three steps (a step, an intent, and, as soon as that is durable, a result of 100 bytes), and ends.
 * `scattered` gives people ids in no order. With `decisions` it takes 50 steps that are one record each and wait for nothing, as a
 * split does. FILE is made anew, and removed. Not a test: figures for people. */
#include <fcntl.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "store/store.h"

enum { STEPS = 3, DECISIONS = 50, TURN = 256, SYNCS = 100 };

typedef enum bench_kind { CALLS, SCATTERED, DECIDING } bench_kind;

typedef struct bench_run {
  store_journal journal;
  char person[24];
  int step;
  store_position gate;
  struct bench_run *next;
} bench_run;

typedef struct bench_lane {
  store *s;
  uint32_t journey, element;
  int index, lanes, in_flight;
  uint64_t left, entered, ended, wakes;
  bench_kind kind;
  store_lane *lane;
  bench_run *ready, *first_gated, *last_gated;
  pthread_mutex_t lock;
  pthread_cond_t woken;
  bool is_woken;
  pthread_t thread;
} bench_lane;

static char body[101], profile[] = "{\"first_name\":\"Ada\",\"country\":\"de\"}";

/* ---- a worker that does nothing but append ---- */

static store_position append(bench_lane *b, bench_run *r, store_record *record) {
  store_position position;
  record->journey = b->journey;
  record->step = (uint32_t)r->step;
  record->at_ms = clock_wall_ms();
  while ((position = store_append(b->lane, &r->journal, record)) == 0) store_flush(b->lane);
  return position;
}

static void enter(bench_lane *b, bench_run *r) {
  uint64_t number = b->entered++ * (uint64_t)b->lanes + (uint64_t)b->index, mixed = number;
  if (b->kind == SCATTERED) mixed = random_next(&mixed) % 10000000000;
  snprintf(r->person, sizeof r->person, "p%010llu", (unsigned long long)mixed);
  store_journal_init(&r->journal);
  r->step = 0;
  append(b, r,
         &(store_record){.kind = RECORD_ENTER,
                         .element = NO_ELEMENT,
                         .name = r->person,
                         .data = profile,
                         .data_length = strlen(profile),
                         .more = "{}",
                         .more_length = 2,
                         .to = RUN_RUNNING,
                         .numbers = {1, (int64_t)(number * 0x9e3779b97f4a7c15u), (int64_t)~number}});
}

static void step(bench_lane *b, bench_run *r) {
  r->step++;
  append(b, r,
         &(store_record){.kind = RECORD_STEP,
                         .element = b->element,
                         .name = "note in crm",
                         .fingerprint = 0x9e3779b97f4a7c15u * (uint64_t)r->step,
                         .counts = 1 << ELEMENT_REACHED});
  r->gate =
      append(b, r,
             &(store_record){
                 .kind = RECORD_INTENT, .element = NO_ELEMENT, .name = "0123456789abcdef0123456789abcdef"});
  r->next = NULL;
  if (b->last_gated)
    b->last_gated->next = r;
  else
    b->first_gated = r;
  b->last_gated = r;
}

static void end(bench_lane *b, bench_run *r) {
  store_settle settle = {.id = {1, 2},
                         .person = r->person,
                         .entry = 1,
                         .entered_ms = clock_wall_ms(),
                         .element = b->element,
                         .due_ms = INT64_MAX};
  append(b, r,
         &(store_record){.kind = RECORD_END,
                         .element = b->element,
                         .from = RUN_RUNNING,
                         .to = RUN_COMPLETED,
                         .settle = &settle});
  store_journal_forget(&r->journal);
  b->ended++;
}

static void make_ready(bench_lane *b, bench_run *r) {
  r->next = b->ready;
  b->ready = r;
}

/* All of a run at once; when the lane is full, the rest of it later. */
static void decide(bench_lane *b, bench_run *r) {
  if (r->step == 0) enter(b, r);
  while (r->step < DECISIONS && !store_lane_full(b->lane)) {
    r->step++;
    append(b, r,
           &(store_record){.kind = RECORD_STEP,
                           .element = b->element,
                           .name = "copy",
                           .data = "plain",
                           .data_length = 5,
                           .extra = "split",
                           .extra_length = 5,
                           .fingerprint = 0x9e3779b97f4a7c15u * (uint64_t)(1 + r->step % 2),
                           .counts = 1 << ELEMENT_REACHED | 1 << ELEMENT_WENT_ON});
  }
  if (r->step == DECISIONS) {
    end(b, r);
    r->step = 0;
  }
  if (r->step > 0 || b->entered < b->left)
    make_ready(b, r);
  else
    free(r);
}

static void go_on(bench_lane *b, bench_run *r) {
  if (b->kind == DECIDING) {
    decide(b, r);
    return;
  }
  if (r->step > 0)
    append(b, r,
           &(store_record){.kind = RECORD_RESULT,
                           .element = b->element,
                           .name = "ok",
                           .data = body,
                           .data_length = 100,
                           .numbers = {200, 1, 35},
                           .counts = 1 << ELEMENT_WENT_ON});
  if (r->step == STEPS) end(b, r);
  if (r->step == STEPS && b->entered == b->left) {
    free(r);
    return;
  }
  if (r->step == STEPS || r->step == 0) enter(b, r);
  step(b, r);
}

static void durable(void *data, store_position up_to) {
  bench_lane *b = data;
  while (b->first_gated && b->first_gated->gate <= up_to) {
    bench_run *r = b->first_gated;
    b->first_gated = r->next;
    if (!b->first_gated) b->last_gated = NULL;
    make_ready(b, r);
  }
}

static void wake(void *data) {
  bench_lane *b = data;
  pthread_mutex_lock(&b->lock);
  b->is_woken = true;
  b->wakes++;
  pthread_cond_signal(&b->woken);
  pthread_mutex_unlock(&b->lock);
}

static void sleep_till_woken(bench_lane *b) {
  pthread_mutex_lock(&b->lock);
  while (!b->is_woken) pthread_cond_wait(&b->woken, &b->lock);
  b->is_woken = false;
  pthread_mutex_unlock(&b->lock);
}

static void *lane_main(void *data) {
  bench_lane *b = data;
  for (int i = 0; i < b->in_flight && (uint64_t)i < b->left; i++) {
    make_ready(b, mem_zero(sizeof(bench_run)));
  }
  while (b->ended < b->left) {
    for (int i = 0; i < TURN && b->ready && !store_lane_full(b->lane); i++) {
      bench_run *r = b->ready;
      b->ready = r->next;
      go_on(b, r);
    }
    store_flush(b->lane);
    if ((!b->ready || store_lane_full(b->lane)) && b->ended < b->left) sleep_till_woken(b);
  }
  store_lane_close(b->lane);
  return NULL;
}

/* ---- the two measurements ---- */

static void fail(const char *text) {
  fprintf(stderr, "bench_store_limit: %s\n", text);
  exit(1);
}

static void told(void *data, const char *text) {
  (void)data;
  if (text) fprintf(stderr, "%s\n", text);
}

static void remove_file(const char *path) {
  static const char *const ends[] = {"", "-wal", "-shm", ".lock"};
  char name[4096];
  for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
    snprintf(name, sizeof name, "%s%s", path, ends[i]);
    unlink(name);
  }
}

static double size_of(const char *path) {
  struct stat st;
  return stat(path, &st) ? 0 : (double)st.st_size;
}

static double seconds_since(int64_t start_ns) {
  return (double)(clock_mono_ns() - start_ns) / 1e9;
}

/* Where the bytes are, by table; without SQLite's dbstat there is nothing to tell. */
static void print_tables(const char *path, uint64_t runs) {
  sqlite3 *db;
  sqlite3_stmt *select = NULL;
  sqlite3_open(path, &db);
  sqlite3_prepare_v2(
      db, "SELECT name, sum(pgsize), sum(unused) FROM dbstat GROUP BY name ORDER BY 2 DESC LIMIT 4", -1,
      &select, NULL);
  while (select && sqlite3_step(select) == SQLITE_ROW)
    printf("         %9.0f of them in %s, %.0f unused\n", sqlite3_column_double(select, 1) / (double)runs,
           (const char *)sqlite3_column_text(select, 0), sqlite3_column_double(select, 2) / (double)runs);
  sqlite3_finalize(select);
  sqlite3_close(db);
}

static uint64_t steps_of(bench_kind kind) {
  return kind == DECIDING ? DECISIONS : STEPS;
}

/* Returns how many commits there were. */
static uint64_t measure_store(const char *path, uint64_t runs, int lanes, int in_flight, bench_kind kind) {
  error err;
  bench_lane *b = mem_zero((size_t)lanes * sizeof *b);
  remove_file(path);
  store *s = store_open_sqlite(&(store_file){.path = path, .trouble = told}, &err);
  if (!s) fail(err.text);
  uint32_t journey = store_journey(s, "bench", "v1", "{}", 2);
  uint32_t element = store_element(s, journey, "note in crm", "call_api", 1);
  int64_t start = clock_mono_ns();
  uint64_t wakes = 0;
  for (int i = 0; i < lanes; i++) {
    b[i] = (bench_lane){.s = s,
                        .journey = journey,
                        .element = element,
                        .index = i,
                        .lanes = lanes,
                        .in_flight = in_flight / lanes,
                        .left = runs / (uint64_t)lanes,
                        .kind = kind};
    pthread_mutex_init(&b[i].lock, NULL);
    pthread_cond_init(&b[i].woken, NULL);
    store_lane_options options = {
        .durable = durable, .wake = wake, .data = &b[i], .index = i, .lanes = lanes};
    b[i].lane = store_lane_open(s, journey, &options, &err);
    if (!b[i].lane) fail(err.text);
    pthread_create(&b[i].thread, NULL, lane_main, &b[i]);
  }
  for (int i = 0; i < lanes; i++) {
    pthread_join(b[i].thread, NULL);
    if (b[i].wakes > wakes) wakes = b[i].wakes;
  }
  double seconds = seconds_since(start), steps = (double)(runs * steps_of(kind));
  uint64_t records = runs * (kind == DECIDING ? DECISIONS + 2 : 3 * STEPS + 2);
  store_close(s);
  printf("store    %9.0f steps/s  %9.0f records/s  %7.0f runs/s  %6.0f commits/s of %.0f steps\n",
         steps / seconds, (double)records / seconds, (double)runs / seconds, (double)wakes / seconds,
         steps / (double)wakes);
  printf("disk     %9.0f bytes a run, of them %zu profile and event\n", size_of(path) / (double)runs,
         strlen(profile) + 2);
  print_tables(path, runs);
  free(b);
  return wakes;
}

/* As many commits, of one row each, that have the bytes of the log. */
static void measure_append(const char *path, uint64_t steps, size_t step_bytes, uint64_t commits) {
  sqlite3 *db;
  sqlite3_stmt *insert;
  size_t length = (size_t)(steps * step_bytes / commits);
  char *bytes = mem_zero(length);
  remove_file(path);
  if (sqlite3_open(path, &db)) fail(sqlite3_errmsg(db));
  sqlite3_exec(db,
               "PRAGMA page_size=8192; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
               "CREATE TABLE log (batch INTEGER PRIMARY KEY, bytes BLOB)",
               NULL, NULL, NULL);
  sqlite3_prepare_v2(db, "INSERT INTO log (bytes) VALUES (?1)", -1, &insert, NULL);
  int64_t start = clock_mono_ns();
  for (uint64_t i = 0; i < commits; i++) {
    sqlite3_bind_blob64(insert, 1, bytes, length, SQLITE_STATIC);
    if (sqlite3_step(insert) != SQLITE_DONE) fail(sqlite3_errmsg(db));
    sqlite3_reset(insert);
  }
  printf("append   %9.0f steps/s  the same bytes (%zu for each commit), one row a commit\n",
         (double)steps / seconds_since(start), length);
  sqlite3_finalize(insert);
  sqlite3_close(db);
  free(bytes);
}

static void measure_disk(const char *path) {
  struct statfs fs = {0};
  int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0644);
  if (fd < 0 || fstatfs(fd, &fs)) fail("the file can't be made");
  int64_t start = clock_mono_ns();
  for (int i = 0; i < SYNCS; i++) {
    if (write(fd, body, 100) != 100 || fdatasync(fd)) fail("the file can't be synced");
  }
  printf("disk     file system %#lx, %.2f ms a sync\n", (unsigned long)fs.f_type,
         seconds_since(start) * 1e3 / SYNCS);
  close(fd);
  remove_file(path);
}

static uint64_t number(int argc, char **argv, int at, uint64_t otherwise) {
  return argc > at ? strtoull(argv[at], NULL, 10) : otherwise;
}

int main(int argc, char **argv) {
  if (argc < 2)
    fail("which file? bench_store_limit FILE [RUNS] [LANES] [IN_FLIGHT] [calls|scattered|decisions]");
  uint64_t runs = number(argc, argv, 2, 100000);
  int lanes = (int)number(argc, argv, 3, 1), in_flight = (int)number(argc, argv, 4, 2000);
  enum { CALL_BYTES = 180, DECISION_BYTES = 45 }; /* of the log, for each step */
  bench_kind kind = argc <= 5 ? CALLS : *argv[5] == 'd' ? DECIDING : *argv[5] == 's' ? SCATTERED : CALLS;
  memset(body, 'x', 100);
  measure_disk(argv[1]);
  uint64_t commits = measure_store(argv[1], runs, lanes, in_flight, kind);
  remove_file(argv[1]);
  measure_append(argv[1], runs * steps_of(kind), kind == DECIDING ? DECISION_BYTES : CALL_BYTES, commits);
  remove_file(argv[1]);
  return 0;
}
