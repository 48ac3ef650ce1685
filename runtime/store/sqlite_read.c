/* Reading back, by the lane's own connection, which never writes and never checkpoints. Each statement is a transaction of its own
 * and is read to its end at once, so that the WAL can be taken up. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "store/sqlite_parts.h"

enum { READ_CACHE_KIB = 2048 };

enum statement {
  BEGIN,
  COMMIT,
  FIND,
  RUNS_OF,
  FIRST_SEGMENT,
  SEGMENTS,
  EVENTS,
  HAS_EVENT,
  ATTRIBUTES,
  PROFILE,
  TIMERS,
};
enum { STATEMENTS = TIMERS + 1 };

static const char *const texts[STATEMENTS] = {
    [BEGIN] = "BEGIN",
    [COMMIT] = "COMMIT",
    [FIND] = ("SELECT " RUN_COLUMNS " FROM run WHERE number = ?1"),
    [RUNS_OF] = "SELECT run, past FROM entered WHERE who = ?1",
    [FIRST_SEGMENT] = "SELECT journal FROM run WHERE number = ?1",
    [SEGMENTS] = "SELECT bytes FROM segment WHERE key BETWEEN ?1 AND ?2 ORDER BY key",
    [EVENTS] = EVENTS_OF_RUN,
    [HAS_EVENT] = "SELECT 1 FROM inbox WHERE run = ?1 AND print = ?2",
    [ATTRIBUTES] = ATTRIBUTES_OF_PERSON,
    [PROFILE] = "SELECT json, fed, at FROM profile WHERE person = ?1",
    [TIMERS] = ("SELECT due, run FROM timer WHERE family = ?1 AND shard = ?2 AND (due, run) >= (?3, ?4)"
                " ORDER BY due, run LIMIT ?5"),
};
_Static_assert((int)STATEMENTS <= (int)READS, "sqlite_lane.reads holds them");

/* ---- opening ---- */

int read_connection(const char *path, sqlite3 **db, error *err) {
  char pragmas[96];
  int flags = SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX;
  if (sqlite3_open_v2(path, db, flags, NULL) != SQLITE_OK)
    return error_set(err, "%s can't be opened for reading: %s", path, sqlite3_errmsg(*db));
  sqlite3_db_config(*db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
  sqlite3_busy_timeout(*db, SQLITE_BUSY_MS);
  sqlite3_snprintf(sizeof pragmas, pragmas, "PRAGMA cache_size=-%d", READ_CACHE_KIB);
  return sql_run(*db, pragmas, err);
}

int read_unchanging(const char *path, sqlite3 **db, error *err) {
  buf uri = BUF_EMPTY;
  buf_text_add(&uri, "file:");
  for (const char *at = path; *at; at++) {
    if (strchr("?#%", *at))
      buf_format(&uri, "%%%02X", (unsigned char)*at);
    else
      buf_char(&uri, *at);
  }
  buf_text_add(&uri, "?immutable=1");
  int status = sqlite3_open_v2(buf_text(&uri), db, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, NULL);
  buf_free(&uri);
  return status == SQLITE_OK ? 0 : error_set(err, "%s can't be read: %s", path, sqlite3_errmsg(*db));
}

int read_open(sqlite_lane *lane, error *err) {
  if (read_connection(lane->file->path, &lane->db, err) == 0 &&
      sql_prepare(lane->db, texts, STATEMENTS, lane->reads, err) == 0)
    return 0;
  read_close(lane);
  return -1;
}

void read_close(sqlite_lane *lane) {
  sql_finalize(lane->reads, STATEMENTS);
  sqlite3_close(lane->db);
  lane->db = NULL;
}

static void tell_failure(sqlite_lane *lane, int status) {
  char why[256];
  sql_words(lane->db, status, why, sizeof why);
  if (sql_is_damage(lane->db, status)) {
    file_trouble(lane->file, "the state %s can't be read: %s", lane->file->path, why);
    return;
  }
  lane->base.unread = true;
  if (!lane->base.unread_told)
    file_trouble(lane->file, "the state %s can't be read: %s; it is tried again", lane->file->path, why);
  lane->base.unread_told = true;
}

/* Ends a statement that was stepped until `status`. */
static int end(sqlite_lane *lane, sqlite3_stmt *s, int status) {
  sqlite3_reset(s);
  if (status == SQLITE_DONE) return 0;
  tell_failure(lane, status);
  return -1;
}

/* ---- runs ---- */

int read_find(store_lane *base, uint64_t number, store_run *out) {
  sqlite_lane *lane = (sqlite_lane *)base;
  sqlite3_stmt *s = lane->reads[FIND];
  sql_number(s, 1, number);
  int status = sqlite3_step(s), found = status == SQLITE_ROW;
  if (found) *out = sql_take_run(s);
  return end(lane, s, found ? SQLITE_DONE : status) ? -1 : found;
}

static bool is_of_lane(sqlite_lane *lane, const store_run *run) {
  pthread_mutex_lock(&lane->base.in->lock);
  bool is = store_family(lane->base.in, run->journey) == lane->base.family;
  pthread_mutex_unlock(&lane->base.in->lock);
  return is;
}

/* A person's runs while they are gathered. */
typedef struct runs_of {
  sqlite_lane *lane;
  const char *person;
  buf numbers; /* uint64_t: of runs that may be the person's */
  store_run *runs;
  size_t count;
} runs_of;

static void runs_add(runs_of *r, const store_run *run) {
  r->runs = mem_grow(r->runs, (r->count + 1) * sizeof *r->runs);
  r->runs[r->count++] = *run;
}

static void add_past(runs_of *r, uint64_t number, const char *bytes, size_t length) {
  entered_past past;
  if (!past_read(bytes, length, r->person, &past) || past.family != r->lane->base.family) return;
  runs_add(r, &(store_run){
                  .run = number,
                  .entry = past.entry,
                  .element = NO_ELEMENT,
                  .person = mem_text(r->person),
                  .per = past.per ? mem_text_of(past.per, past.per_length) : NULL,
                  .state = RUN_COMPLETED,
                  .entered_ms = past.ended_ms,
                  .since_ms = past.ended_ms,
                  .due_ms = INT64_MAX,
              });
}

static int read_entered(runs_of *r) {
  sqlite3_stmt *s = r->lane->reads[RUNS_OF];
  int status;
  sqlite3_bind_int64(s, 1, entered_who(r->person, strlen(r->person)));
  while ((status = sqlite3_step(s)) == SQLITE_ROW) {
    uint64_t number = (uint64_t)sqlite3_column_int64(s, 0);
    const char *past = sqlite3_column_blob(s, 1);
    if (past)
      add_past(r, number, past, (size_t)sqlite3_column_bytes(s, 1));
    else
      buf_add(&r->numbers, &number, sizeof number);
  }
  return end(r->lane, s, status);
}

static int read_rows(runs_of *r) {
  const uint64_t *numbers = (const uint64_t *)(const void *)r->numbers.data;
  for (size_t i = 0; i < r->numbers.len / sizeof *numbers; i++) {
    store_run run;
    int found = read_find(&r->lane->base, numbers[i], &run);
    if (found < 0) return -1;
    if (!found) continue;
    if (strcmp(run.person, r->person) == 0 && is_of_lane(r->lane, &run))
      runs_add(r, &run);
    else
      store_run_free(&run);
  }
  return 0;
}

static void runs_clear(runs_of *r) {
  for (size_t i = 0; i < r->count; i++) store_run_free(&r->runs[i]);
  free(r->runs);
  r->runs = NULL;
  r->count = 0;
}

/* In one transaction, so that a run that is taken out meanwhile is seen either as it was or as it is now. The table is asked whatever
 * was in it before: what is known from memory may have been moved there, and taken out. */
static int read_again(runs_of *r, size_t known) {
  sqlite3_stmt *const *reads = r->lane->reads;
  runs_clear(r);
  r->numbers.len = known;
  if (sql_done(reads[BEGIN]) != SQLITE_OK) return end(r->lane, reads[BEGIN], SQLITE_ERROR);
  int result = read_entered(r) || read_rows(r) ? -1 : 0;
  sql_done(reads[COMMIT]);
  return result;
}

static int newest_first(const void *a, const void *b) {
  const store_run *x = a, *y = b;
  return x->run > y->run ? -1 : x->run < y->run;
}

/* One that was moved a moment ago is found twice. */
static void sort_runs(runs_of *r) {
  size_t kept = 0;
  if (r->count) qsort(r->runs, r->count, sizeof *r->runs, newest_first);
  for (size_t i = 0; i < r->count; i++) {
    if (kept && r->runs[kept - 1].run == r->runs[i].run)
      store_run_free(&r->runs[i]);
    else
      r->runs[kept++] = r->runs[i];
  }
  r->count = kept;
}

int read_runs_of(store_lane *base, const char *person, store_run **out, size_t *count) {
  sqlite_lane *lane = (sqlite_lane *)base;
  runs_of r = {.lane = lane, .person = person, .numbers = BUF_EMPTY};
  entered_find(lane->file, entered_who(person, strlen(person)), &r.numbers);
  size_t known = r.numbers.len;
  bool has_moved = atomic_load_explicit(&lane->file->entered.has_moved, memory_order_relaxed);
  int result = has_moved ? read_entered(&r) : 0;
  if (result == 0 && r.numbers.len) result = read_again(&r, known);
  if (result) runs_clear(&r);
  sort_runs(&r);
  buf_free(&r.numbers);
  *out = r.runs;
  *count = r.count;
  return result;
}

/* ---- segments, bundles ---- */

static int add_bytes(sqlite_lane *lane, sqlite3_stmt *s, buf *out) {
  int status;
  while ((status = sqlite3_step(s)) == SQLITE_ROW)
    buf_add(out, sqlite3_column_blob(s, 0), (size_t)sqlite3_column_bytes(s, 0));
  return end(lane, s, status);
}

static int read_segments(sqlite_lane *lane, const store_run *run, buf *out) {
  sqlite3_stmt *first = lane->reads[FIRST_SEGMENT], *others = lane->reads[SEGMENTS];
  sql_number(first, 1, run->run);
  if (run->from == 0 && add_bytes(lane, first, out)) return -1;
  sql_number(others, 1, run->run * SEGMENTS_MOST + run->from);
  sql_number(others, 2, run->run * SEGMENTS_MOST + SEGMENTS_MOST - 1);
  return add_bytes(lane, others, out);
}

/* The first segment may begin before the incarnation does. */
static void cut_earlier(buf *out, size_t start) {
  store_record record = {0};
  size_t begins = start;
  const char *at = out->data + start, *before = at, *last = out->data + out->len;
  while (store_record_next(&at, last, &record)) {
    if (record.kind == RECORD_RESTART) begins = (size_t)(before - out->data);
    before = at;
  }
  memmove(out->data + start, out->data + begins, out->len - begins);
  out->len -= begins - start;
}

int read_peek(store_lane *base, const store_run *run, buf *out) {
  size_t start = out->len;
  if (read_segments((sqlite_lane *)base, run, out)) return -1;
  if (run->incarnation && out->len > start) cut_earlier(out, start);
  return 0;
}

int read_bundle(store *s, uint32_t journey, buf *out) {
  static const char *const text[] = {"SELECT bundle FROM journey WHERE number = ?1"};
  const sqlite_file *f = s->file;
  sqlite3 *db = NULL;
  sqlite3_stmt *select = NULL;
  error err;
  int status = SQLITE_ERROR;
  if (read_connection(f->path, &db, &err) == 0 && sql_prepare(db, text, 1, &select, &err) == 0) {
    sql_number(select, 1, journey);
    status = sqlite3_step(select);
  }
  if (status == SQLITE_ROW)
    buf_add(out, sqlite3_column_blob(select, 0), (size_t)sqlite3_column_bytes(select, 0));
  sqlite3_finalize(select);
  sqlite3_close(db);
  return status == SQLITE_ROW ? 0 : status == SQLITE_DONE ? -1 : -2;
}

/* ---- events, attributes, timers ---- */

int read_events(store_lane *base, uint64_t run, store_inbox_event **out, size_t *count) {
  sqlite_lane *lane = (sqlite_lane *)base;
  sqlite3_stmt *s = lane->reads[EVENTS];
  int status = sql_events(s, run, out, count);
  if (end(lane, s, status) == 0) return 0;
  store_events_free(*out, *count);
  *out = NULL;
  *count = 0;
  return -1;
}

int read_has_event(store_lane *base, uint64_t run, uint64_t print) {
  sqlite_lane *lane = (sqlite_lane *)base;
  sqlite3_stmt *s = lane->reads[HAS_EVENT];
  if (!atomic_load_explicit(&lane->file->has_inbox, memory_order_relaxed)) return 0;
  sql_number(s, 1, run);
  sql_number(s, 2, print);
  int status = sqlite3_step(s), found = status == SQLITE_ROW;
  return end(lane, s, found ? SQLITE_DONE : status) ? -1 : found;
}

int read_profile_of(store_lane *base, const char *person, store_profile *out) {
  sqlite_lane *lane = (sqlite_lane *)base;
  sqlite3_stmt *s = lane->reads[PROFILE];
  if (!atomic_load_explicit(&lane->file->has_profiles, memory_order_relaxed)) return 0;
  sql_text(s, 1, person);
  int status = sqlite3_step(s), found = status == SQLITE_ROW;
  if (found) {
    *out = (store_profile){
        .json = sql_column_text(s, 0),
        .length = (size_t)sqlite3_column_bytes(s, 0),
        .fed = (uint64_t)sqlite3_column_int64(s, 1),
        .at_ms = sqlite3_column_int64(s, 2),
    };
  }
  return end(lane, s, found ? SQLITE_DONE : status) ? -1 : found;
}

int read_attributes(store_lane *base, const char *person, store_attribute each, void *data) {
  sqlite_lane *lane = (sqlite_lane *)base;
  sqlite3_stmt *s = lane->reads[ATTRIBUTES];
  if (!atomic_load_explicit(&lane->file->has_attributes, memory_order_relaxed)) return 0;
  return end(lane, s, sql_attributes(s, person, each, data));
}

int read_timers(sqlite_lane *lane, uint32_t shard, store_due_run from, store_due_run *out, int most) {
  sqlite3_stmt *s = lane->reads[TIMERS];
  int status, count = 0;
  sql_number(s, 1, lane->base.family);
  sql_number(s, 2, shard);
  sqlite3_bind_int64(s, 3, from.due_ms);
  sql_number(s, 4, from.run);
  sqlite3_bind_int(s, 5, most);
  while ((status = sqlite3_step(s)) == SQLITE_ROW && count < most)
    out[count++] = (store_due_run){sqlite3_column_int64(s, 0), (uint64_t)sqlite3_column_int64(s, 1)};
  return end(lane, s, status == SQLITE_ROW ? SQLITE_DONE : status) ? -1 : count;
}
