/* Counters as rows: (journey's version, element, what, reason, detail) -> n. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "store/sqlite_parts.h"

/* These numbers are in files: they never change. */
enum {
  WHAT_COUNT = 0,  /* + element_count, of the element */
  WHAT_STATE = 16, /* + run_state */
  WHAT_ENTERED = 32,
  WHAT_CONTROL = 33,
  WHAT_RECORDS = 34,
  WHAT_CONVERTED = 35,
  WHAT_DROPPED_FOR = 40, /* of the element */
  WHAT_HELD_FOR = 41,
  WHAT_EXITED_FOR = 42,
};
enum { NOWHERE = -1 }; /* the element of what is the journey's */

/* ---- loading ---- */

/* Reasons are few (a closed list), and counters point at them for as long as the store lives. */
static const char *keep_reason(sqlite_file *f, const char *reason) {
  for (size_t i = 0; i < f->reason_count; i++) {
    if (strcmp(f->reasons[i], reason) == 0) return f->reasons[i];
  }
  f->reasons = mem_grow(f->reasons, (f->reason_count + 1) * sizeof *f->reasons);
  return f->reasons[f->reason_count++] = mem_text(reason);
}

typedef struct counter {
  uint32_t journey;
  int64_t element, n;
  int what;
  const char *reason, *detail;
} counter;

static void take(sqlite_file *f, const counter *c) {
  tally *t = tally_of(&f->in->totals, c->journey);
  uint64_t n = (uint64_t)c->n;
  if (c->what == WHAT_ENTERED) {
    t->entered += n;
  } else if (c->what == WHAT_CONTROL) {
    t->control += n;
  } else if (c->what == WHAT_RECORDS) {
    t->records += n;
  } else if (c->what == WHAT_CONVERTED) {
    t->converted += n;
  } else if (c->what >= WHAT_STATE && c->what < WHAT_STATE + RUN_STATES) {
    t->states[c->what - WHAT_STATE] += n;
  } else if (c->what == WHAT_EXITED_FOR) {
    tally_reason_add(&t->exits, keep_reason(f, c->reason), c->detail, false, n);
  } else if (c->element >= 0 && c->what < WHAT_COUNT + ELEMENT_COUNTS) {
    tally_row_of(t, (size_t)c->element)->counts[c->what - WHAT_COUNT] += n;
  } else if (c->element >= 0) {
    tally_reason_add(tally_row_of(t, (size_t)c->element), keep_reason(f, c->reason), c->detail,
                     c->what == WHAT_HELD_FOR, n);
  }
}

int counters_load(sqlite_file *f, error *err) {
  static const char *const text[] = {"SELECT journey, element, what, reason, detail, n FROM counter"};
  sqlite3_stmt *s = NULL;
  int status;
  if (sql_prepare(f->db, text, 1, &s, err)) return -1;
  while ((status = sqlite3_step(s)) == SQLITE_ROW) {
    counter c = {
        .journey = (uint32_t)sqlite3_column_int64(s, 0),
        .element = sqlite3_column_int64(s, 1),
        .what = sqlite3_column_int(s, 2),
        .reason = (const char *)sqlite3_column_text(s, 3),
        .detail = (const char *)sqlite3_column_text(s, 4),
        .n = sqlite3_column_int64(s, 5),
    };
    if (c.reason && c.detail) take(f, &c);
  }
  sqlite3_finalize(s);
  return status == SQLITE_DONE ? 0 : error_set(err, "%s", sqlite3_errmsg(f->db));
}

/* ---- writing ---- */

typedef struct writer {
  sqlite3_stmt *upsert;
  uint32_t journey;
  int status;
} writer;

static void add(writer *w, int64_t element, int what, const char *reason, const char *detail, uint64_t n) {
  if (n == 0 || w->status != SQLITE_OK) return;
  sql_number(w->upsert, 1, w->journey);
  sqlite3_bind_int64(w->upsert, 2, element);
  sqlite3_bind_int(w->upsert, 3, what);
  sql_text(w->upsert, 4, reason);
  sql_text(w->upsert, 5, detail);
  sql_number(w->upsert, 6, n);
  w->status = sql_done(w->upsert);
}

static void add_reasons(writer *w, int64_t element, const tally_row *row, bool exits) {
  for (size_t i = 0; i < row->reason_count; i++) {
    const tally_reason *r = &row->reasons[i];
    int what = exits ? WHAT_EXITED_FOR : r->held ? WHAT_HELD_FOR : WHAT_DROPPED_FOR;
    add(w, element, what, r->reason, r->detail, r->count);
  }
}

static void add_tally(writer *w, const tally *t) {
  add(w, NOWHERE, WHAT_ENTERED, "", "", t->entered);
  add(w, NOWHERE, WHAT_CONTROL, "", "", t->control);
  add(w, NOWHERE, WHAT_RECORDS, "", "", t->records);
  add(w, NOWHERE, WHAT_CONVERTED, "", "", t->converted);
  for (int i = 0; i < RUN_STATES; i++) add(w, NOWHERE, WHAT_STATE + i, "", "", t->states[i]);
  for (size_t element = 0; element < t->row_count; element++) {
    const tally_row *row = &t->rows[element];
    for (int i = 0; i < ELEMENT_COUNTS; i++) add(w, (int64_t)element, WHAT_COUNT + i, "", "", row->counts[i]);
    add_reasons(w, (int64_t)element, row, false);
  }
  add_reasons(w, NOWHERE, &t->exits, true);
}

int counters_write(sqlite3_stmt *upsert, const tally_set *change) {
  writer w = {.upsert = upsert, .status = SQLITE_OK};
  for (size_t i = 0; i < change->count; i++) {
    w.journey = change->versions[i].journey;
    add_tally(&w, &change->versions[i].counts);
  }
  return w.status;
}
