/* What a crash has left: records in the log that are in no segment. They become segments, their runs are running and due at once, and the
 * log is empty; all in one transaction, so that a crash in the middle of it changes nothing.
 *
 * What is parked or over is not looked at: the time this takes depends on the length of the log alone. */
#include <stdlib.h>
#include <uthash.h>

#include "base/alloc.h"
#include "store/sqlite_parts.h"

enum statement { LOG, ROW, RUNNING, EMPTY_LOG };
enum { STATEMENTS = EMPTY_LOG + 1 };

static const char *const texts[STATEMENTS] = {
    [LOG] = "SELECT batch, bytes FROM log ORDER BY batch",
    [ROW] = "SELECT records, segments, due, journey, person, start, incarnation, since FROM run WHERE number "
            "= ?1",
    [RUNNING] = "SELECT run.journey FROM timer CROSS JOIN run ON run.number = timer.run"
                " WHERE timer.family = ?1 AND timer.shard = ?2 AND timer.due = 0 AND run.state = ?3",
    [EMPTY_LOG] = "DELETE FROM log",
};

/* A run with records in the log. */
typedef struct found {
  UT_hash_handle hh;
  uint64_t run;
  bool has_row;
  uint32_t records, segments, journey, shard, from, incarnation; /* of its row */
  int64_t due_ms, since_ms;
  buf bytes; /* of its records that are in no segment */
} found;

typedef struct recovery {
  sqlite_file *f;
  error *err;
  sqlite3_stmt *reads[STATEMENTS];
  found *runs;
  batch *texts;
} recovery;

static int failed(recovery *r) {
  return error_set(r->err, "what was open in %s can't be taken up again: %s", r->f->path,
                   sqlite3_errmsg(r->f->db));
}

static int damaged(recovery *r) {
  return error_set(r->err, "the log of %s is damaged: what was open can't be taken up again; use a backup",
                   r->f->path);
}

/* ---- gathering ---- */

static int read_row(recovery *r, found *run) {
  sqlite3_stmt *s = r->reads[ROW];
  sql_number(s, 1, run->run);
  int status = sqlite3_step(s);
  run->has_row = status == SQLITE_ROW;
  if (run->has_row) {
    const char *person = (const char *)sqlite3_column_text(s, 4);
    run->records = (uint32_t)sqlite3_column_int64(s, 0);
    run->segments = (uint32_t)sqlite3_column_int64(s, 1);
    if (sqlite3_column_type(s, 2) != SQLITE_NULL) run->due_ms = sqlite3_column_int64(s, 2);
    run->journey = (uint32_t)sqlite3_column_int64(s, 3);
    run->shard = person ? store_shard(person, strlen(person)) : 0;
    run->from = (uint32_t)sqlite3_column_int64(s, 5);
    run->incarnation = (uint32_t)sqlite3_column_int64(s, 6);
    run->since_ms = sqlite3_column_int64(s, 7);
  }
  sqlite3_reset(s);
  return status == SQLITE_ROW || status == SQLITE_DONE ? 0 : failed(r);
}

static found *run_of(recovery *r, uint64_t number) {
  found *run;
  HASH_FIND(hh, r->runs, &number, sizeof number, run);
  if (run) return run;
  run = mem_zero(sizeof *run);
  run->run = number;
  run->due_ms = INT64_MAX;
  HASH_ADD(hh, r->runs, run, sizeof run->run, run);
  return read_row(r, run) ? NULL : run;
}

static int gather_batch(recovery *r, const char *at, const char *end) {
  while (at < end) {
    logged_record record;
    if (!batch_log_next(&at, end, &record)) return damaged(r);
    found *run = run_of(r, record.run);
    if (!run) return -1;
    if (record.place <= run->records) continue; /* it is in a segment */
    if (record.place != run->records + 1) return damaged(r);
    run->records++;
    buf_add(&run->bytes, record.bytes, record.length);
  }
  return 0;
}

static int gather(recovery *r) {
  sqlite3_stmt *s = r->reads[LOG];
  int status, result = 0;
  while (result == 0 && (status = sqlite3_step(s)) == SQLITE_ROW) {
    const char *bytes = sqlite3_column_blob(s, 1);
    if (bytes) result = gather_batch(r, bytes, bytes + sqlite3_column_bytes(s, 1));
  }
  if (result == 0 && status != SQLITE_DONE) result = failed(r);
  sqlite3_reset(s);
  return result;
}

/* ---- writing ---- */

static int read_records(recovery *r, const found *run, settled *row) {
  store_record record = {.element = NO_ELEMENT};
  const char *at = run->bytes.data, *end = at + run->bytes.len;
  while (store_record_next(&at, end, &record)) {
    if (record.kind == RECORD_RESTART) row->from = run->segments;
    if (record.kind != RECORD_ENTER) continue;
    if (!record.name) return damaged(r);
    row->journey = record.journey;
    row->control = record.control;
    row->entry = (uint32_t)record.numbers[0];
    row->id = (run_id){(uint64_t)record.numbers[1], (uint64_t)record.numbers[2]};
    row->entered_ms = record.at_ms;
    row->fed = fed_as(&record);
    row->person = batch_text(r->texts, record.name, strlen(record.name));
    row->per = batch_text(r->texts, record.extra, record.extra_length);
    row->shard = store_shard(record.name, strlen(record.name));
    row->who = entered_who(record.name, strlen(record.name));
  }
  row->element = record.element;
  row->incarnation = record.incarnation;
  row->since_ms = record.at_ms;
  return at == end && (run->has_row || row->journey) ? 0 : damaged(r);
}

static int write_run(recovery *r, const found *run) {
  text_at none = {NO_TEXT, 0};
  settled row = {
      .run = run->run,
      .in = r->texts,
      .is_new = !run->has_row,
      .has_segment = true,
      .state = RUN_RUNNING,
      .journey = run->journey,
      .shard = run->shard,
      .records = run->records,
      .segment = run->segments,
      .segments = run->segments < SEGMENTS_MOST - 1 ? run->segments + 1 : run->segments,
      .from = run->from,
      .due_ms = 0,
      .old_due_ms = run->due_ms,
      .person = none,
      .per = none,
      .listens = none,
      .reason = none,
      .detail = none,
  };
  batch_clear(r->texts);
  if (read_records(r, run, &row)) return -1;
  row.bytes = batch_segment(r->texts, &run->bytes, row.is_new);
  row.family = store_family(r->f->in, row.journey);
  return commit_settled(r->f, &row) == SQLITE_OK ? 0 : failed(r);
}

static int by_number(const found *a, const found *b) {
  return a->run < b->run ? -1 : a->run > b->run;
}

static int write_runs(recovery *r) {
  HASH_SORT(r->runs, by_number);
  for (found *run = r->runs; run; run = run->hh.next) {
    if (run->bytes.len && write_run(r, run)) return -1;
  }
  return sql_done(r->reads[EMPTY_LOG]) == SQLITE_OK ? 0 : failed(r);
}

/* ---- counters ---- */

static int count_running(recovery *r, tally_set *running) {
  sqlite3_stmt *s = r->reads[RUNNING];
  const store *in = r->f->in;
  int status = SQLITE_DONE;
  for (uint32_t family = 1; family <= in->journey_count; family++) {
    if (in->journeys[family - 1].family != family) continue;
    for (uint32_t shard = 0; shard < SHARDS && status == SQLITE_DONE; shard++) {
      sql_number(s, 1, family);
      sql_number(s, 2, shard);
      sqlite3_bind_int(s, 3, RUN_RUNNING);
      while ((status = sqlite3_step(s)) == SQLITE_ROW)
        tally_of(running, (uint32_t)sqlite3_column_int64(s, 0))->states[RUN_RUNNING]++;
      sqlite3_reset(s);
    }
  }
  return status == SQLITE_DONE ? 0 : failed(r);
}

/* Nobody is at a connection now, and who is not running waits. */
static void put_right(const tally_set *totals, tally_set *running, tally_set *change) {
  for (size_t i = 0; i < totals->count; i++) {
    uint32_t journey = totals->versions[i].journey;
    const uint64_t *is = totals->versions[i].counts.states;
    uint64_t runs = tally_of(running, journey)->states[RUN_RUNNING];
    uint64_t *by = tally_of(change, journey)->states;
    by[RUN_RUNNING] = runs - is[RUN_RUNNING];
    by[RUN_QUEUED] = 0 - is[RUN_QUEUED];
    by[RUN_WAITING] = 0 - by[RUN_RUNNING] - by[RUN_QUEUED];
  }
}

static int write_counters(recovery *r) {
  tally_set running = {0}, *change = &r->f->change;
  int result = count_running(r, &running);
  if (result == 0) {
    put_right(&r->f->in->totals, &running, change);
    if (commit_counters(r->f, change) != SQLITE_OK) result = failed(r);
  }
  tally_set_free(&running);
  return result;
}

/* ---- the transaction ---- */

static int run_recovery(recovery *r) {
  sqlite3 *db = r->f->db;
  if (sql_run(db, "BEGIN IMMEDIATE", r->err)) return -1;
  if (gather(r) || write_runs(r) || write_counters(r) || sql_run(db, "COMMIT", r->err)) {
    sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
    return -1;
  }
  tally_set_add(&r->f->in->totals, &r->f->change);
  return 0;
}

static void found_free(recovery *r) {
  found *run, *next;
  HASH_ITER(hh, r->runs, run, next) {
    HASH_DEL(r->runs, run);
    buf_free(&run->bytes);
    free(run);
  }
}

int recover(sqlite_file *f, error *err) {
  recovery r = {.f = f, .err = err, .texts = batch_new(NULL)};
  int result = sql_prepare(f->db, texts, STATEMENTS, r.reads, err);
  if (result == 0) result = run_recovery(&r);
  sql_finalize(r.reads, STATEMENTS);
  found_free(&r);
  batch_free(r.texts);
  return result;
}
