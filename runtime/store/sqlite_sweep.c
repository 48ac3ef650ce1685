/* Old runs are taken out: those that ended longer ago than they are to be kept. The committer does it when it has nothing else to do, a few
 * hundred runs at a time, each slice a transaction; then it gives the room back, a slice of pages at a time.
 *
 * A pass goes through the runs in the order in which they came, and is over at the first that came too short a time ago. Whoever may
 * still convert stays until the goal's time is over. Counters
 * stay, and so does what letting people in asks for: see sqlite_entered.c.
 *
 * What the time is: for live runs the wall clock's; a rehearsal's is the latest that any run was settled at. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "store/sqlite_parts.h"

enum {
  SLICE = 400,      /* runs */
  MOVED = 4000,     /* lines of `entered` at a time */
  PAGES = 256,      /* given back at a time */
  PAGES_KEPT = 256, /* free ones that stay, for what comes next */
  PASSES = 30,      /* while a run grows as old as it may */
  PASS_MS = 60000,  /* the least time between them */
};

enum statement {
  SCAN,
  SEGMENTS,
  EVENTS,
  RUN,
  PROFILE,
  PASTS,
  DROP_PAST,
  SET_PAST,
  NOTE,
  NOTE_NEWEST,
};
enum { STATEMENTS = NOTE_NEWEST + 1 };
_Static_assert((int)STATEMENTS <= (int)SWEEP_WRITES, "sweep.writes holds them");

static const char *const texts[STATEMENTS] = {
    [SCAN] =
        ("SELECT number, person, per, entry, since, state, journey, entered, CASE WHEN converted IS NULL "
         "THEN goal END"
         " FROM run WHERE number >= ?1 ORDER BY number LIMIT ?2"),
    [SEGMENTS] = "DELETE FROM segment WHERE key BETWEEN ?1 AND ?2",
    [EVENTS] = "DELETE FROM inbox WHERE run = ?1",
    [RUN] = "DELETE FROM run WHERE number = ?1",
    [PROFILE] = ("DELETE FROM profile WHERE person = ?1 AND NOT EXISTS (SELECT 1 FROM entered CROSS JOIN run"
                 " ON run.number = entered.run WHERE entered.who = ?2 AND run.person = ?1)"),
    [PASTS] = "SELECT run, past FROM entered WHERE who = ?1 AND past IS NOT NULL",
    [DROP_PAST] = "DELETE FROM entered WHERE who = ?1 AND run = ?2",
    [SET_PAST] = ("INSERT INTO entered (who, run, past) VALUES (?1, ?2, ?3)"
                  " ON CONFLICT (who, run) DO UPDATE SET past = excluded.past"),
    [NOTE] = "UPDATE journey SET removed = removed + ?2, removed_to = max(removed_to, ?3) WHERE number = ?1",
    [NOTE_NEWEST] = "UPDATE meta SET newest = max(newest, ?1)",
};

/* A run that is to go. */
typedef struct victim {
  uint64_t run;
  int64_t who, ended_ms;
  uint32_t family, entry;
  char *person, *per;
} victim;

typedef struct slice {
  victim victims[SLICE];
  size_t count;
  uint64_t next; /* where the next one begins; 0: the pass is over */
} slice;

int sweep_open(sqlite_file *f, error *err) {
  sweep *w = &f->sweep;
  w->newest_ms = f->options.now_ms ? f->options.now_ms : INT64_MIN;
  w->pass_ms = INT64_MIN;
  return sql_prepare(f->db, texts, STATEMENTS, w->writes, err);
}

void sweep_close(sqlite_file *f) {
  sql_finalize(f->sweep.writes, STATEMENTS);
  free(f->sweep.logged);
  free(f->sweep.spared.slots);
}

/* ---- when ---- */

static int64_t now_ms(const sqlite_file *f) {
  return f->options.kind == STORE_LIVE ? clock_wall_ms() : f->sweep.newest_ms;
}

static int64_t pause_ms(const sqlite_file *f) {
  int64_t pause = f->options.keep_ms / PASSES;
  return pause > PASS_MS ? pause : PASS_MS;
}

bool sweep_has_work(sqlite_file *f) {
  sweep *w = &f->sweep;
  if (!f->options.sweeps) return false;
  if (w->next || w->gives_back) return true;
  int64_t now = now_ms(f);
  if (now == INT64_MIN || (w->pass_ms != INT64_MIN && now - w->pass_ms < pause_ms(f))) return false;
  w->pass_ms = now;
  w->next = 1;
  return true;
}

/* ---- whom ---- */

/* Of a run whose records are in the log a crash would make one that is under way. */
static void spare_logged(const sweep *w, slice *s) {
  for (size_t i = 0; i < w->logged_count; i++) {
    size_t low = 0, high = s->count;
    while (low < high) {
      size_t middle = (low + high) / 2;
      if (s->victims[middle].run < w->logged[i].run)
        low = middle + 1;
      else
        high = middle;
    }
    if (low < s->count && s->victims[low].run == w->logged[i].run) s->victims[low].ended_ms = INT64_MAX;
  }
}

static void add_victim(const sqlite_file *f, slice *s, sqlite3_stmt *row) {
  char *person = sql_column_text(row, 1);
  s->victims[s->count++] = (victim){
      .run = (uint64_t)sqlite3_column_int64(row, 0),
      .who = person ? entered_who(person, strlen(person)) : 0,
      .ended_ms = sqlite3_column_int64(row, 4),
      .family = store_family(f->in, (uint32_t)sqlite3_column_int64(row, 6)),
      .entry = (uint32_t)sqlite3_column_int64(row, 3),
      .person = person,
      .per = sql_column_text(row, 2),
  };
}

static int scan(sqlite_file *f, slice *s) {
  sweep *w = &f->sweep;
  int64_t horizon = w->pass_ms - f->options.keep_ms;
  sqlite3_stmt *rows = w->writes[SCAN];
  int status, seen = 0;
  bool over = false;
  sql_number(rows, 1, w->next);
  sqlite3_bind_int(rows, 2, SLICE);
  pthread_mutex_lock(&f->in->lock);
  while ((status = sqlite3_step(rows)) == SQLITE_ROW && !over) {
    seen++;
    s->next = (uint64_t)sqlite3_column_int64(rows, 0) + 1;
    over = sqlite3_column_int64(rows, 7) > horizon;
    bool may_convert = sqlite3_column_int64(rows, 8) >= w->pass_ms;
    bool old =
        sqlite3_column_int(rows, 5) > RUN_HELD && sqlite3_column_int64(rows, 4) <= horizon && !may_convert;
    if (old && !young_has(&w->spared, (int64_t)(s->next - 1), s->next - 1)) add_victim(f, s, rows);
  }
  pthread_mutex_unlock(&f->in->lock);
  sqlite3_reset(rows);
  if (over || seen < SLICE) s->next = 0;
  return status == SQLITE_DONE || over ? SQLITE_OK : status;
}

/* ---- taking out ---- */

static bool same_per(const victim *v, const entered_past *past) {
  if (!v->per || !past->per) return !v->per && !past->per;
  return strlen(v->per) == past->per_length && memcmp(v->per, past->per, past->per_length) == 0;
}

/* Of several runs of one person in one journey, and `per`, one line is enough: the highest entry, and the last end. */
static int join_past(sqlite_file *f, victim *v) {
  sqlite3_stmt *s = f->sweep.writes[PASTS], *drop = f->sweep.writes[DROP_PAST];
  entered_past past;
  int status;
  uint64_t joined = 0;
  sqlite3_bind_int64(s, 1, v->who);
  while (!joined && (status = sqlite3_step(s)) == SQLITE_ROW) {
    const char *bytes = sqlite3_column_blob(s, 1);
    if (!bytes || !past_read(bytes, (size_t)sqlite3_column_bytes(s, 1), v->person, &past)) continue;
    if (past.family != v->family || !same_per(v, &past)) continue;
    joined = (uint64_t)sqlite3_column_int64(s, 0);
    if (past.entry > v->entry) v->entry = past.entry;
    if (past.ended_ms > v->ended_ms) v->ended_ms = past.ended_ms;
  }
  sqlite3_reset(s);
  if (!joined || joined == v->run) return joined || status == SQLITE_DONE ? SQLITE_OK : status;
  sqlite3_bind_int64(drop, 1, v->who);
  sql_number(drop, 2, joined);
  return sql_done(drop);
}

static int leave_past(sqlite_file *f, victim *v) {
  sqlite3_stmt *s = f->sweep.writes[SET_PAST];
  buf bytes = BUF_EMPTY;
  int status = join_past(f, v);
  if (status == SQLITE_OK) {
    entered_past past = {.family = v->family,
                         .entry = v->entry,
                         .ended_ms = v->ended_ms,
                         .per = v->per,
                         .per_length = v->per ? strlen(v->per) : 0};
    past_write(&bytes, v->person, &past);
    sqlite3_bind_int64(s, 1, v->who);
    sql_number(s, 2, v->run);
    sql_blob(s, 3, bytes.data, bytes.len);
    status = sql_done(s);
  }
  buf_free(&bytes);
  return status;
}

/* The profile that came with the person again goes with their last run: nobody is there who would read it. */
static int drop_profile(sqlite_file *f, const victim *v) {
  sqlite3_stmt *s = f->sweep.writes[PROFILE];
  if (!atomic_load(&f->has_profiles)) return SQLITE_OK;
  sql_text(s, 1, v->person);
  sqlite3_bind_int64(s, 2, v->who);
  return sql_done(s);
}

static int take_out(sqlite_file *f, victim *v) {
  sqlite3_stmt *const *writes = f->sweep.writes;
  sql_number(writes[SEGMENTS], 1, v->run * SEGMENTS_MOST);
  sql_number(writes[SEGMENTS], 2, v->run * SEGMENTS_MOST + SEGMENTS_MOST - 1);
  int status = sql_done(writes[SEGMENTS]);
  if (status == SQLITE_OK && atomic_load(&f->has_inbox)) {
    sql_number(writes[EVENTS], 1, v->run);
    status = sql_done(writes[EVENTS]);
  }
  if (status == SQLITE_OK) status = leave_past(f, v);
  sql_number(writes[RUN], 1, v->run);
  if (status == SQLITE_OK) status = sql_done(writes[RUN]);
  return status == SQLITE_OK ? drop_profile(f, v) : status;
}

/* Readers say that older runs were taken out, and up to when; and a run's number is never given again. */
static int note(sqlite_file *f, const slice *s) {
  sqlite3_stmt *write = f->sweep.writes[NOTE];
  int status = SQLITE_OK;
  uint64_t newest = 0;
  for (size_t i = 0; i < s->count && status == SQLITE_OK; i++) {
    if (s->victims[i].ended_ms == INT64_MAX) continue;
    sql_number(write, 1, s->victims[i].family);
    sqlite3_bind_int(write, 2, 1);
    sqlite3_bind_int64(write, 3, s->victims[i].ended_ms);
    status = sql_done(write);
    if (s->victims[i].run > newest) newest = s->victims[i].run;
  }
  if (status != SQLITE_OK || !newest) return status;
  sql_number(f->sweep.writes[NOTE_NEWEST], 1, newest);
  return sql_done(f->sweep.writes[NOTE_NEWEST]);
}

static int by_who(const void *a, const void *b) {
  const victim *x = a, *y = b;
  if (x->who != y->who) return x->who < y->who ? -1 : 1;
  return x->run < y->run ? -1 : x->run > y->run;
}

static int write_slice(sqlite_file *f, slice *s) {
  int status = scan(f, s);
  if (status != SQLITE_OK) return status;
  spare_logged(&f->sweep, s);
  qsort(s->victims, s->count, sizeof *s->victims, by_who);
  status = note(f, s);
  for (size_t i = 0; i < s->count && status == SQLITE_OK; i++) {
    if (s->victims[i].ended_ms != INT64_MAX) status = take_out(f, &s->victims[i]);
  }
  return status;
}

static int sweep_runs(sqlite_file *f) {
  sweep *w = &f->sweep;
  slice *s = mem_zero(sizeof *s);
  pthread_mutex_lock(&w->lock);
  int status = commit_begin(f);
  if (status == SQLITE_OK) status = commit_trim_all(f);
  if (status == SQLITE_OK) status = write_slice(f, s);
  status = commit_end(f, status);
  pthread_mutex_unlock(&w->lock);
  if (status == SQLITE_OK) {
    w->next = s->next;
    w->gives_back = true; /* also where nobody went: the last process may have been killed before it did */
  }
  for (size_t i = 0; i < s->count; i++) free(s->victims[i].person), free(s->victims[i].per);
  free(s);
  return status;
}

/* ---- room ---- */

static int give_back(sqlite_file *f) {
  char text[64];
  int64_t spare = sql_single(f->db, "PRAGMA freelist_count", 0) - PAGES_KEPT;
  if (spare <= 0) {
    f->sweep.gives_back = false;
    return SQLITE_OK;
  }
  sqlite3_snprintf(sizeof text, text, "PRAGMA incremental_vacuum(%lld)", spare < PAGES ? spare : PAGES);
  return sqlite3_exec(f->db, text, NULL, NULL, NULL);
}

static int settle_entered(sqlite_file *f) {
  int status = commit_begin(f);
  if (status == SQLITE_OK) status = entered_settle(f, MOVED);
  status = commit_end(f, status);
  if (status == SQLITE_OK) entered_committed(f, NULL, 0);
  return status;
}

int sweep_slice(sqlite_file *f) {
  if (!f->sweep.next) return give_back(f);
  return entered_is_settled(f) ? sweep_runs(f) : settle_entered(f);
}

void sweep_give_up(sqlite_file *f) {
  f->sweep.next = 0;
  f->sweep.gives_back = false;
}
