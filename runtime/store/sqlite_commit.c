/* Batches become rows: one transaction for all that the lanes have handed over. Nothing of the committer's own is changed before it
 * has succeeded, so that it can be tried again. */
#include <stdlib.h>

#include "base/alloc.h"
#include "store/sqlite_parts.h"

enum {
  INLINE_MOST = 1000, /* a run's first segment stands in its row if it is that small, or all there will be */
  TRIM_BYTES = 512 << 10, /* so much that is settled stays in the log before it is taken out */
  LOG_BYTES = 32 << 20,   /* a longer log, and runs get interim segments */
  LOG_RECORDS = 250000,
};

enum statement {
  BEGIN,
  COMMIT,
  ROLLBACK,
  ADD_JOURNEY,
  SET_PAUSED,
  ADD_ELEMENT,
  ADD_LOG,
  TRIM_LOG,
  ADD_RUN,
  SET_RUN,
  ADD_SEGMENT,
  ADD_TIMER,
  DROP_TIMER,
  ADD_EVENT,
  DROP_EVENT,
  DROP_EVENTS,
  CROWD_OUT,
  FORGET_TAKEN,
  SET_MET,
  SET_ASKED,
  SET_CONVERTED,
  SET_ATTRIBUTE,
  SET_PROFILE,
  COUNT,
};
enum { STATEMENTS = COUNT + 1 };

/* All of a run's but the newest ?2, of those that were not taken ("0"), or were: each kind has an index. */
#define OLDEST_EVENTS(taken)                                                                                 \
  "DELETE FROM inbox WHERE run = ?1 AND taken = " taken                                                      \
  " AND number <= (SELECT number FROM inbox WHERE run = ?1 AND taken = " taken                               \
  " ORDER BY number DESC LIMIT 1 OFFSET ?2)"

static const char *const texts[STATEMENTS] = {
    [BEGIN] = "BEGIN IMMEDIATE",
    [COMMIT] = "COMMIT",
    [ROLLBACK] = "ROLLBACK",
    [ADD_JOURNEY] = "INSERT INTO journey (number, family, name, version, bundle) VALUES (?1, ?2, ?3, ?4, ?5)",
    [SET_PAUSED] = "UPDATE journey SET paused = ?2 WHERE number = ?1",
    [ADD_ELEMENT] = "INSERT INTO element (number, family, name, kind, line) VALUES (?1, ?2, ?3, ?4, ?5)",
    [ADD_LOG] = "INSERT INTO log (batch, bytes) VALUES (?1, ?2)",
    [TRIM_LOG] = "DELETE FROM log WHERE batch < ?1",
    [ADD_RUN] =
        "INSERT INTO run (number, since, due, state, element, listens, reason, detail, incarnation, segments,"
        " records, start, journey, goal, converted, fed, person, per, entry, id, entered, control, journal)"
        " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, "
        "?21,"
        " ?22, ?23)",
    [SET_RUN] =
        "UPDATE run SET since = ?2, due = ?3, state = ?4, element = coalesce(?5, element), listens = ?6,"
        " reason = ?7, detail = ?8, incarnation = ?9, segments = ?10, records = ?11, start = ?12,"
        " journey = coalesce(nullif(?13, 0), journey), goal = coalesce(?14, goal),"
        " converted = coalesce(?15, converted), fed = coalesce(?16, fed) WHERE number = ?1",
    /* The last segment that a run may have takes what comes after it as well. */
    [ADD_SEGMENT] = "INSERT INTO segment (key, bytes) VALUES (?1, ?2)"
                    " ON CONFLICT (key) DO UPDATE SET bytes = CAST(bytes || excluded.bytes AS BLOB)",
    [ADD_TIMER] = "INSERT OR IGNORE INTO timer (family, shard, due, run) VALUES (?1, ?2, ?3, ?4)",
    [DROP_TIMER] = "DELETE FROM timer WHERE family = ?1 AND shard = ?2 AND due = ?3 AND run = ?4",
    [ADD_EVENT] = "INSERT OR IGNORE INTO inbox (number, run, name, json, at, print, met, asked, taken)"
                  " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 0)",
    [DROP_EVENT] = "UPDATE inbox SET taken = 1, json = x'' WHERE number = ?1",
    [DROP_EVENTS] = "DELETE FROM inbox WHERE run = ?1",
    [CROWD_OUT] = OLDEST_EVENTS("0"),
    [FORGET_TAKEN] = OLDEST_EVENTS("1"),
    [SET_MET] = "UPDATE inbox SET met = 1 WHERE run = ?1 AND taken = 0 AND number <= ?2",
    [SET_ASKED] = "UPDATE inbox SET asked = ?4 WHERE run = ?1 AND taken = 0 AND number <= ?2 AND name = ?3",
    [SET_CONVERTED] = "UPDATE run SET converted = ?2 WHERE number = ?1",
    [SET_PROFILE] =
        "INSERT INTO profile (person, json, fed, at) VALUES (?1, ?2, ?3, ?4)"
        " ON CONFLICT (person) DO UPDATE SET json = excluded.json, fed = excluded.fed, at = excluded.at",
    [SET_ATTRIBUTE] = "INSERT INTO attribute (person, name, json, at) VALUES (?1, ?2, ?3, ?4)"
                      " ON CONFLICT (person, name) DO UPDATE SET json = excluded.json, at = excluded.at",
    [COUNT] =
        "INSERT INTO counter (journey, element, what, reason, detail, n) VALUES (?1, ?2, ?3, ?4, ?5, ?6)"
        " ON CONFLICT (journey, element, what, reason, detail) DO UPDATE SET n = n + excluded.n",
};
_Static_assert((int)STATEMENTS <= (int)WRITES, "sqlite_file.writes holds them");

int commit_prepare(sqlite_file *f, error *err) {
  return sql_prepare(f->db, texts, STATEMENTS, f->writes, err);
}

/* ---- names ---- */

static int add_journeys(sqlite_file *f) {
  const store *s = f->in;
  sqlite3_stmt *add = f->writes[ADD_JOURNEY];
  int status = SQLITE_OK;
  for (size_t i = f->journeys_written; i < s->journey_count && status == SQLITE_OK; i++) {
    const store_journey_name *journey = &s->journeys[i];
    sql_number(add, 1, i + 1);
    sql_number(add, 2, journey->family);
    sql_text(add, 3, journey->name);
    sql_text(add, 4, journey->version);
    sql_blob(add, 5, journey->bundle, journey->bundle_length);
    status = sql_done(add);
  }
  f->journeys_tried = s->journey_count;
  return status;
}

static int add_elements(sqlite_file *f) {
  const store *s = f->in;
  sqlite3_stmt *add = f->writes[ADD_ELEMENT];
  int status = SQLITE_OK;
  for (size_t i = f->elements_written; i < s->element_count && status == SQLITE_OK; i++) {
    const store_element_name *element = &s->elements[i];
    sql_number(add, 1, i);
    sql_number(add, 2, element->family);
    sql_text(add, 3, element->name);
    sql_text(add, 4, element->kind);
    sql_number(add, 5, element->line);
    status = sql_done(add);
  }
  f->elements_tried = s->element_count;
  return status;
}

static int set_paused(sqlite_file *f) {
  store *s = f->in;
  int status = SQLITE_OK;
  f->pauses_tried = s->pauses;
  if (f->pauses_written == s->pauses) return status;
  for (size_t i = 0; i < s->journey_count && status == SQLITE_OK; i++) {
    store_journey_name *journey = &s->journeys[i];
    journey->paused_tried_ms = journey->paused_ms;
    if (journey->paused_ms == journey->paused_kept_ms) continue;
    sql_number(f->writes[SET_PAUSED], 1, i + 1);
    sqlite3_bind_int64(f->writes[SET_PAUSED], 2, journey->paused_ms);
    status = sql_done(f->writes[SET_PAUSED]);
  }
  return status;
}

static void paused_is_kept(sqlite_file *f) {
  if (f->pauses_written == f->pauses_tried) return;
  pthread_mutex_lock(&f->in->lock);
  for (size_t i = 0; i < f->in->journey_count; i++)
    f->in->journeys[i].paused_kept_ms = f->in->journeys[i].paused_tried_ms;
  pthread_mutex_unlock(&f->in->lock);
  f->pauses_written = f->pauses_tried;
}

/* A name is given before the first record that has it is handed over, so this comes after the batches were taken. */
static int add_names(sqlite_file *f) {
  pthread_mutex_lock(&f->in->lock);
  int status = add_journeys(f);
  if (status == SQLITE_OK) status = set_paused(f);
  if (status == SQLITE_OK) status = add_elements(f);
  pthread_mutex_unlock(&f->in->lock);
  return status;
}

/* ---- runs ---- */

static void bind_at(sqlite3_stmt *s, int at, const batch *b, text_at text) {
  const char *bytes = batch_bytes_at(b, text);
  if (bytes)
    sqlite3_bind_text64(s, at, bytes, text.length, SQLITE_STATIC, SQLITE_UTF8);
  else
    sqlite3_bind_null(s, at);
}

static void bind_due(sqlite3_stmt *s, int at, int64_t due_ms) {
  if (due_ms == INT64_MAX)
    sqlite3_bind_null(s, at);
  else
    sqlite3_bind_int64(s, at, due_ms);
}

/* 0 leaves it as it is. */
static void bind_if_any(sqlite3_stmt *s, int at, int64_t number) {
  if (number)
    sqlite3_bind_int64(s, at, number);
  else
    sqlite3_bind_null(s, at);
}

static bool stands_in_row(const settled *row) {
  return row->is_new && row->has_segment && (row->state >= RUN_HELD || row->bytes.length <= INLINE_MOST);
}

static int write_row(sqlite_file *f, const settled *row) {
  sqlite3_stmt *s = f->writes[row->is_new ? ADD_RUN : SET_RUN];
  sql_number(s, 1, row->run);
  sqlite3_bind_int64(s, 2, row->since_ms);
  bind_due(s, 3, row->due_ms);
  sqlite3_bind_int(s, 4, row->state);
  if (row->element == NO_ELEMENT)
    sqlite3_bind_null(s, 5);
  else
    sql_number(s, 5, row->element);
  bind_at(s, 6, row->in, row->listens);
  bind_at(s, 7, row->in, row->reason);
  bind_at(s, 8, row->in, row->detail);
  sql_number(s, 9, row->incarnation);
  sql_number(s, 10, row->segments);
  sql_number(s, 11, row->records);
  sql_number(s, 12, row->from);
  sql_number(s, 13, row->journey); /* 0: as it is */
  bind_if_any(s, 14, row->goal_ms);
  bind_if_any(s, 15, row->converted_ms);
  bind_if_any(s, 16, (int64_t)row->fed);
  if (!row->is_new) return sql_done(s);
  int status = entered_add(f, row->who, row->run);
  if (status != SQLITE_OK) return status;
  bind_at(s, 17, row->in, row->person);
  bind_at(s, 18, row->in, row->per);
  sql_number(s, 19, row->entry);
  sql_blob(s, 20, &row->id, sizeof row->id);
  sqlite3_bind_int64(s, 21, row->entered_ms);
  sqlite3_bind_int(s, 22, row->control);
  sql_blob(s, 23, stands_in_row(row) ? batch_bytes_at(row->in, row->bytes) : NULL, row->bytes.length);
  return sql_done(s);
}

static int write_segment(sqlite_file *f, const settled *row) {
  sqlite3_stmt *s = f->writes[ADD_SEGMENT];
  sql_number(s, 1, row->run * SEGMENTS_MOST + row->segment);
  sql_blob(s, 2, batch_bytes_at(row->in, row->bytes), row->bytes.length);
  return sql_done(s);
}

static int write_timer(sqlite_file *f, enum statement what, const settled *row, int64_t due_ms) {
  sqlite3_stmt *s = f->writes[what];
  sql_number(s, 1, row->family);
  sql_number(s, 2, row->shard);
  sqlite3_bind_int64(s, 3, due_ms);
  sql_number(s, 4, row->run);
  return sql_done(s);
}

static int drop_events_of(sqlite_file *f, uint64_t run) {
  sql_number(f->writes[DROP_EVENTS], 1, run);
  return sql_done(f->writes[DROP_EVENTS]);
}

int commit_settled(sqlite_file *f, const settled *row) {
  bool changes_timer = row->due_ms != row->old_due_ms;
  int status = write_row(f, row);
  if (status == SQLITE_OK && row->has_segment && !stands_in_row(row)) status = write_segment(f, row);
  if (status == SQLITE_OK && changes_timer && row->old_due_ms != INT64_MAX)
    status = write_timer(f, DROP_TIMER, row, row->old_due_ms);
  if (status == SQLITE_OK && changes_timer && row->due_ms != INT64_MAX)
    status = write_timer(f, ADD_TIMER, row, row->due_ms);
  if (status == SQLITE_OK && row->state > RUN_HELD && atomic_load(&f->has_inbox))
    status = drop_events_of(f, row->run);
  return status;
}

static int by_run(const void *a, const void *b) {
  const settled *x = *(settled *const *)a, *y = *(settled *const *)b;
  if (x->run != y->run) return x->run < y->run ? -1 : 1;
  return x->order < y->order ? -1 : 1;
}

/* In order of their numbers, so that they go to the end of their tables, one beside the other. */
static int write_runs(sqlite_file *f, list *batches) {
  size_t count = 0;
  for (list *l = batches->next; l != batches; l = l->next) {
    batch *b = LIST_OF(batch, link, l);
    if (count + b->settle_count > f->ordered_room) {
      f->ordered_room = 2 * (count + b->settle_count);
      f->ordered = mem_grow(f->ordered, f->ordered_room * sizeof(settled *));
    }
    for (size_t i = 0; i < b->settle_count; i++, count++) {
      f->ordered[count] = &b->settles[i];
      f->ordered[count]->order = count;
    }
  }
  if (count) qsort(f->ordered, count, sizeof(settled *), by_run);
  f->ordered_count = count;
  int status = entered_begin(f);
  for (size_t i = 0; i < count && status == SQLITE_OK; i++) status = commit_settled(f, f->ordered[i]);
  return status == SQLITE_OK ? entered_move(f, count) : status;
}

/* ---- batches ---- */

static int write_log(sqlite_file *f, const batch *b) {
  if (b->log.len == 0) return SQLITE_OK;
  sqlite3_stmt *s = f->writes[ADD_LOG];
  sql_number(s, 1, b->number);
  sql_blob(s, 2, b->log.data, b->log.len);
  return sql_done(s);
}

static int add_event(sqlite_file *f, const batch *b, const arrived *e) {
  sqlite3_stmt *s = f->writes[ADD_EVENT];
  sql_number(s, 1, e->number);
  sql_number(s, 2, e->run);
  bind_at(s, 3, b, e->name);
  sql_blob(s, 4, batch_bytes_at(b, e->json), e->json.length);
  sqlite3_bind_int64(s, 5, e->at_ms);
  sql_number(s, 6, e->print);
  sqlite3_bind_int(s, 7, e->met);
  sql_number(s, 8, e->asked);
  return sql_done(s);
}

static int drop_event(sqlite_file *f, uint64_t number) {
  sql_number(f->writes[DROP_EVENT], 1, number);
  return sql_done(f->writes[DROP_EVENT]);
}

/* Takes the oldest ones out of a run's inbox, where it is too full of this kind. */
static int bound_inbox(sqlite_file *f, const batch *b, enum statement oldest, uint64_t run) {
  sqlite3_stmt *s = f->writes[oldest];
  if (!b->lane->base.options.inbox) return SQLITE_OK;
  sql_number(s, 1, run);
  sql_number(s, 2, b->lane->base.options.inbox);
  return sql_done(s);
}

static int crowd_out(sqlite_file *f, batch *b, uint64_t run) {
  int64_t before = sqlite3_total_changes64(f->db);
  int status = bound_inbox(f, b, CROWD_OUT, run);
  int64_t gone = sqlite3_total_changes64(f->db) - before;
  if (gone) b->crowded_run = run;
  b->crowded_out += (uint64_t)gone;
  return status;
}

/* Who gives way is known when all that was taken is out. */
static int write_events(sqlite_file *f, batch *b) {
  int status = SQLITE_OK;
  b->crowded_out = 0;
  if (b->event_count) atomic_store(&f->has_inbox, true);
  for (size_t i = 0; i < b->event_count && status == SQLITE_OK; i++) status = add_event(f, b, &b->events[i]);
  for (size_t i = 0; i < b->taken_count && status == SQLITE_OK; i++)
    status = drop_event(f, b->taken[i].number);
  for (size_t i = 0; i < b->event_count && status == SQLITE_OK; i++)
    status = crowd_out(f, b, b->events[i].run);
  for (size_t i = 0; i < b->taken_count && status == SQLITE_OK; i++)
    status = bound_inbox(f, b, FORGET_TAKEN, b->taken[i].run);
  return status;
}

static int write_refusals(sqlite_file *f, const batch *b) {
  int status = SQLITE_OK;
  for (size_t i = 0; i < b->refusal_count && status == SQLITE_OK; i++) {
    const refused *r = &b->refusals[i];
    sqlite3_stmt *s = f->writes[r->asked ? SET_ASKED : SET_MET];
    sql_number(s, 1, r->run);
    sql_number(s, 2, r->number);
    if (r->asked) {
      bind_at(s, 3, b, r->name);
      sql_number(s, 4, r->asked);
    }
    status = sql_done(s);
  }
  return status;
}

static int write_conversions(sqlite_file *f, const batch *b) {
  sqlite3_stmt *s = f->writes[SET_CONVERTED];
  int status = SQLITE_OK;
  for (size_t i = 0; i < b->conversion_count && status == SQLITE_OK; i++) {
    sql_number(s, 1, b->conversions[i].run);
    sqlite3_bind_int64(s, 2, b->conversions[i].at_ms);
    status = sql_done(s);
  }
  return status;
}

static int write_profiles(sqlite_file *f, const batch *b) {
  sqlite3_stmt *s = f->writes[SET_PROFILE];
  int status = SQLITE_OK;
  if (b->profile_count) atomic_store(&f->has_profiles, true);
  for (size_t i = 0; i < b->profile_count && status == SQLITE_OK; i++) {
    const came_profile *p = &b->profiles[i];
    bind_at(s, 1, b, p->person);
    sql_blob(s, 2, batch_bytes_at(b, p->json), p->json.length);
    sql_number(s, 3, p->fed);
    sqlite3_bind_int64(s, 4, p->at_ms);
    status = sql_done(s);
  }
  return status;
}

static int write_attributes(sqlite_file *f, const batch *b) {
  sqlite3_stmt *s = f->writes[SET_ATTRIBUTE];
  int status = SQLITE_OK;
  if (b->write_count) atomic_store(&f->has_attributes, true);
  for (size_t i = 0; i < b->write_count && status == SQLITE_OK; i++) {
    const written *w = &b->writes[i];
    bind_at(s, 1, b, w->person);
    bind_at(s, 2, b, w->name);
    sql_blob(s, 3, batch_bytes_at(b, w->json), w->json.length);
    sqlite3_bind_int64(s, 4, w->at_ms);
    status = sql_done(s);
  }
  return status;
}

int commit_counters(sqlite_file *f, const tally_set *change) {
  return counters_write(f->writes[COUNT], change);
}

static int write_counters(sqlite_file *f, list *batches) {
  tally_set_clear(&f->change);
  for (list *l = batches->next; l != batches; l = l->next)
    tally_set_add(&f->change, &LIST_OF(batch, link, l)->counts);
  pthread_mutex_lock(&f->in->lock);
  tally_set_fit(&f->change, &f->in->totals);
  pthread_mutex_unlock(&f->in->lock);
  return commit_counters(f, &f->change);
}

/* ---- the log ---- */

/* The oldest batch that some lane needs, when these ones are committed. */
static uint64_t oldest_needed(sqlite_file *f, list *batches) {
  for (list *l = batches->next; l != batches; l = l->next) {
    batch *b = LIST_OF(batch, link, l);
    b->lane->oldest_next = b->oldest;
  }
  uint64_t oldest = UINT64_MAX;
  pthread_mutex_lock(&f->in->lock);
  for (size_t i = 0; i < f->in->lane_count; i++) {
    const sqlite_lane *lane = (const sqlite_lane *)f->in->lanes[i];
    if (lane->oldest_next < oldest) oldest = lane->oldest_next;
  }
  pthread_mutex_unlock(&f->in->lock);
  return oldest;
}

static int trim(sqlite_file *f, uint64_t before, uint64_t least) {
  uint64_t bytes = 0;
  for (size_t i = 0; i < f->log_count; i++) {
    if (f->log[i].number < before) bytes += f->log[i].bytes;
  }
  f->trimmed = 0;
  if (bytes < least) return SQLITE_OK;
  if (before > INT64_MAX) before = INT64_MAX;
  sql_number(f->writes[TRIM_LOG], 1, before);
  f->trimmed = before;
  return sql_done(f->writes[TRIM_LOG]);
}

static void note_trimmed(sqlite_file *f) {
  size_t kept = 0;
  for (size_t i = 0; i < f->log_count; i++) {
    if (f->log[i].number >= f->trimmed) f->log[kept++] = f->log[i];
  }
  f->log_count = kept;
  spare_trimmed(f, f->trimmed);
  f->trimmed = 0;
}

/* What is in the log now; where it is too long, lanes are told to settle what keeps it so. */
static void note_log(sqlite_file *f, const list *batches) {
  uint64_t bytes = 0, records = 0;
  for (const list *l = batches->next; l != batches; l = l->next) {
    const batch *b = LIST_OF(batch, link, l);
    if (b->log.len == 0) continue;
    if (f->log_count == f->log_room)
      f->log = mem_grow(f->log, (f->log_room = f->log_room ? 2 * f->log_room : 64) * sizeof *f->log);
    f->log[f->log_count++] = (log_row){b->number, b->log.len, b->records};
  }
  for (size_t i = 0; i < f->log_count; i++) bytes += f->log[i].bytes, records += f->log[i].records;
  if (bytes > LOG_BYTES || records > LOG_RECORDS)
    atomic_store(&f->settle_before, f->log[f->log_count / 2].number);
}

/* ---- the transaction ---- */

static int write_batches(sqlite_file *f, list *batches) {
  int status = add_names(f);
  for (list *l = batches->next; l != batches && status == SQLITE_OK; l = l->next) {
    batch *b = LIST_OF(batch, link, l);
    status = write_log(f, b);
    if (status == SQLITE_OK) status = write_events(f, b);
    if (status == SQLITE_OK) status = write_refusals(f, b);
    if (status == SQLITE_OK) status = write_attributes(f, b);
    if (status == SQLITE_OK) status = write_profiles(f, b);
    if (status == SQLITE_OK) status = write_conversions(f, b);
  }
  if (status == SQLITE_OK) status = write_runs(f, batches);
  if (status == SQLITE_OK) status = write_counters(f, batches);
  if (status == SQLITE_OK) status = trim(f, oldest_needed(f, batches), TRIM_BYTES);
  return status;
}

int commit_begin(sqlite_file *f) {
  f->trimmed = 0;
  return sql_done(f->writes[BEGIN]);
}

int commit_trim_all(sqlite_file *f) {
  list none;
  list_init(&none);
  return trim(f, oldest_needed(f, &none), 1);
}

int commit_end(sqlite_file *f, int status) {
  if (status == SQLITE_OK) status = sql_done(f->writes[COMMIT]);
  if (status == SQLITE_OK)
    note_trimmed(f);
  else if (!sqlite3_get_autocommit(f->db))
    sql_done(f->writes[ROLLBACK]);
  return status;
}

int commit_batches(sqlite_file *f, list *batches) {
  int status = commit_begin(f);
  if (status == SQLITE_OK) status = commit_end(f, write_batches(f, batches));
  if (status != SQLITE_OK) return status;
  f->journeys_written = f->journeys_tried;
  f->elements_written = f->elements_tried;
  paused_is_kept(f);
  note_log(f, batches);
  entered_committed(f, f->ordered, f->ordered_count);
  spare_committed(f, f->ordered, f->ordered_count);
  pthread_mutex_lock(&f->in->lock);
  tally_set_add(&f->in->totals, &f->change);
  pthread_mutex_unlock(&f->in->lock);
  return SQLITE_OK;
}
