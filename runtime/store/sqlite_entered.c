/* Which runs a person has, and has had: a table of hashes, (who, run), where `who` is half a hash of the person's id.
 *
 * Ids come in no order, so that each new run would touch a page of its own: of a table of a million runs that would be most of
 * what a commit writes. So new ones are appended to the table `fresh`, and stand in memory (`active`). When there are many, they
 * are frozen, put in order, and moved a few with each commit: many of them to the same page. A crash finds them all in `fresh`.
 *
 * A run that is taken out (sqlite_sweep.c) leaves its line here, with what letting people in asks for (`past`): the other half of
 * the hash, the journey, the entry number, when it ended, and `per`. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "store/sqlite_parts.h"
#include "store/varint.h"

enum {
  ACTIVE_MOST = 1 << 15, /* then they are frozen */
  ROOM_LEAST = 1 << 10,  /* of a table; a power of two */
  MOVED_LEAST = 64,      /* with each commit, and twice as many as came */
};

enum statement { ADD_FRESH, ADD_ENTERED, NEWEST_FRESH, DROP_FRESH };
enum { STATEMENTS = DROP_FRESH + 1 };
_Static_assert((int)STATEMENTS <= (int)ENTERED_WRITES, "entered_index.writes holds them");

static const char *const texts[STATEMENTS] = {
    [ADD_FRESH] = "INSERT INTO fresh (who, run) VALUES (?1, ?2)",
    [ADD_ENTERED] = "INSERT OR IGNORE INTO entered (who, run) VALUES (?1, ?2)",
    [NEWEST_FRESH] = "SELECT max(at) FROM fresh",
    [DROP_FRESH] = "DELETE FROM fresh WHERE at <= ?1",
};

int64_t entered_who(const char *person, size_t length) {
  return (int64_t)hash_bytes64((hash128){0, 0}, person, length);
}

/* ---- in memory ---- */

static who_run *slot_of(const young *y, int64_t who, uint64_t run) {
  size_t at = (size_t)who & (y->room - 1);
  while (y->slots[at].run && !(y->slots[at].who == who && y->slots[at].run == run))
    at = (at + 1) & (y->room - 1);
  return &y->slots[at];
}

static void young_grow(young *y) {
  young larger = {.room = y->room ? 2 * y->room : ROOM_LEAST, .count = y->count};
  larger.slots = mem_zero(larger.room * sizeof *larger.slots);
  for (size_t i = 0; i < y->room; i++) {
    if (y->slots[i].run) *slot_of(&larger, y->slots[i].who, y->slots[i].run) = y->slots[i];
  }
  free(y->slots);
  *y = larger;
}

void young_add(young *y, int64_t who, uint64_t run) {
  if (2 * y->count >= y->room) young_grow(y);
  who_run *slot = slot_of(y, who, run);
  if (slot->run) return;
  *slot = (who_run){who, run};
  y->count++;
}

int young_read(young *y, sqlite3_stmt *s) {
  int status;
  while ((status = sqlite3_step(s)) == SQLITE_ROW)
    young_add(y, sqlite3_column_int64(s, 0), (uint64_t)sqlite3_column_int64(s, 1));
  return status;
}

bool young_has(const young *y, int64_t who, uint64_t run) {
  return y->room && slot_of(y, who, run)->run != 0;
}

static void find_active(const young *y, int64_t who, buf *out) {
  if (!y->count) return;
  for (size_t at = (size_t)who & (y->room - 1); y->slots[at].run; at = (at + 1) & (y->room - 1)) {
    if (y->slots[at].who == who) buf_add(out, &y->slots[at].run, sizeof y->slots[at].run);
  }
}

void ordered_find(const who_run *all, size_t count, int64_t who, buf *out) {
  size_t low = 0, high = count;
  while (low < high) {
    size_t middle = (low + high) / 2;
    if (all[middle].who < who)
      low = middle + 1;
    else
      high = middle;
  }
  for (; low < count && all[low].who == who; low++) buf_add(out, &all[low].run, sizeof all[low].run);
}

static int by_who(const void *a, const void *b) {
  const who_run *x = a, *y = b;
  if (x->who != y->who) return x->who < y->who ? -1 : 1;
  return x->run < y->run ? -1 : x->run > y->run;
}

who_run *young_in_order(const young *y, size_t *count) {
  who_run *all = mem_alloc((y->count ? y->count : 1) * sizeof *all);
  *count = 0;
  for (size_t i = 0; i < y->room; i++) {
    if (y->slots[i].run) all[(*count)++] = y->slots[i];
  }
  if (*count) qsort(all, *count, sizeof *all, by_who);
  return all;
}

void entered_find(sqlite_file *f, int64_t who, buf *out) {
  entered_index *e = &f->entered;
  pthread_mutex_lock(&e->lock);
  find_active(&e->active, who, out);
  ordered_find(e->frozen, e->frozen_count, who, out);
  pthread_mutex_unlock(&e->lock);
}

/* ---- opening and closing ---- */

int entered_prepare(sqlite_file *f, error *err) {
  return sql_prepare(f->db, texts, STATEMENTS, f->entered.writes, err);
}

int entered_load(sqlite_file *f, error *err) {
  entered_index *e = &f->entered;
  static const char *const text[] = {FRESH_RUNS};
  sqlite3_stmt *s = NULL;
  if (sql_prepare(f->db, text, 1, &s, err)) return -1;
  atomic_store(&e->has_moved, sql_has_rows(f->db, "entered"));
  int status = young_read(&e->active, s);
  sqlite3_finalize(s);
  return status == SQLITE_DONE ? 0 : error_set(err, "%s", sqlite3_errmsg(f->db));
}

void entered_close(sqlite_file *f) {
  entered_index *e = &f->entered;
  sql_finalize(e->writes, STATEMENTS);
  free(e->active.slots);
  free(e->frozen);
}

/* ---- within a transaction ---- */

int entered_add(sqlite_file *f, int64_t who, uint64_t run) {
  sqlite3_stmt *s = f->entered.writes[ADD_FRESH];
  sqlite3_bind_int64(s, 1, who);
  sql_number(s, 2, run);
  return sql_done(s);
}

/* All that is in `fresh` is in `active`, as long as this transaction has added nothing. */
static int freeze(sqlite_file *f) {
  entered_index *e = &f->entered;
  sqlite3_stmt *s = e->writes[NEWEST_FRESH];
  int status = sqlite3_step(s);
  if (status == SQLITE_ROW) e->frozen_to = sqlite3_column_int64(s, 0);
  sqlite3_reset(s);
  if (status != SQLITE_ROW) return status;
  size_t count;
  who_run *all = young_in_order(&e->active, &count);
  pthread_mutex_lock(&e->lock);
  free(e->active.slots);
  e->active = (young){0};
  e->frozen = all;
  e->frozen_count = count;
  e->moved = 0;
  pthread_mutex_unlock(&e->lock);
  return SQLITE_OK;
}

/* Moves up to `most` of those that are frozen. */
static int move(sqlite_file *f, size_t most) {
  entered_index *e = &f->entered;
  sqlite3_stmt *s = e->writes[ADD_ENTERED];
  int status = SQLITE_OK;
  atomic_store(&e->has_moved, true);
  for (e->moving = 0; e->moving < most && e->moved + e->moving < e->frozen_count && status == SQLITE_OK;
       e->moving++) {
    const who_run *one = &e->frozen[e->moved + e->moving];
    sqlite3_bind_int64(s, 1, one->who);
    sql_number(s, 2, one->run);
    status = sql_done(s);
  }
  if (status != SQLITE_OK || e->moved + e->moving < e->frozen_count) return status;
  sqlite3_bind_int64(e->writes[DROP_FRESH], 1, e->frozen_to);
  return sql_done(e->writes[DROP_FRESH]);
}

int entered_begin(sqlite_file *f) {
  entered_index *e = &f->entered;
  e->moving = 0;
  return !e->frozen && e->active.count >= ACTIVE_MOST ? freeze(f) : SQLITE_OK;
}

int entered_move(sqlite_file *f, size_t came) {
  return f->entered.frozen ? move(f, 2 * came + MOVED_LEAST) : SQLITE_OK;
}

int entered_settle(sqlite_file *f, size_t most) {
  int status = SQLITE_OK;
  if (!f->entered.frozen) status = freeze(f);
  return status == SQLITE_OK ? move(f, most) : status;
}

bool entered_is_settled(const sqlite_file *f) {
  return !f->entered.active.count && !f->entered.frozen;
}

/* ---- after it ---- */

void entered_committed(sqlite_file *f, settled *const *rows, size_t count) {
  entered_index *e = &f->entered;
  pthread_mutex_lock(&e->lock);
  for (size_t i = 0; i < count; i++) {
    if (rows[i]->is_new) young_add(&e->active, rows[i]->who, rows[i]->run);
  }
  e->moved += e->moving;
  e->moving = 0;
  if (e->frozen && e->moved == e->frozen_count) {
    free(e->frozen);
    e->frozen = NULL;
    e->frozen_count = e->moved = 0;
  }
  pthread_mutex_unlock(&e->lock);
}

/* ---- what is left of a run that is taken out ---- */

static uint64_t other_half(const char *person) {
  return hash_bytes((hash128){0, 0}, person, strlen(person)).hi;
}

void past_write(buf *out, const char *person, const entered_past *past) {
  uint64_t other = other_half(person);
  buf_add(out, &other, sizeof other);
  varint_add(out, past->family);
  varint_add(out, past->entry);
  varint_add(out, past->ended_ms > 0 ? (uint64_t)past->ended_ms : 0);
  if (!past->per) return;
  buf_char(out, ':');
  buf_add(out, past->per, past->per_length);
}

bool past_read(const char *bytes, size_t length, const char *person, entered_past *out) {
  const char *at = bytes + sizeof(uint64_t), *end = bytes + length;
  uint64_t other, family, entry, ended;
  if (length < sizeof other) return false;
  memcpy(&other, bytes, sizeof other);
  if (other != other_half(person) || !varint_next(&at, end, &family) || !varint_next(&at, end, &entry) ||
      !varint_next(&at, end, &ended))
    return false;
  *out = (entered_past){.family = (uint32_t)family, .entry = (uint32_t)entry, .ended_ms = (int64_t)ended};
  if (at < end) out->per = at + 1, out->per_length = (size_t)(end - at) - 1;
  return true;
}
