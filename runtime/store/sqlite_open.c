/* A state file: its lock, opening and closing, and what is read into memory at the start: names and counters. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/alloc.h"
#include "store/sqlite_parts.h"

enum { CACHE_BYTES = 32 << 20, WAL_KEPT = 64 << 20 };

/* ---- the lock ---- */

static int in_use(const sqlite_file *f, error *err) {
  char pid[24] = "";
  ssize_t length = pread(f->lock, pid, sizeof pid - 1, 0);
  pid[length > 0 ? length : 0] = '\0';
  pid[strspn(pid, "0123456789")] = '\0';
  return error_set(err, "the state %s is in use by process %s: end that one, or use another state", f->path,
                   *pid ? pid : "(unknown)");
}

/* SQLite itself would let several write; a runtime counts on being alone. */
static int take_lock(sqlite_file *f, error *err) {
  char pid[24];
  f->lock = open(f->lock_path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (f->lock < 0) return error_set(err, "%s can't be opened: %s", f->lock_path, strerror(errno));
  if (flock(f->lock, LOCK_EX | LOCK_NB))
    return errno == EWOULDBLOCK ? in_use(f, err)
                                : error_set(err, "%s can't be locked: %s", f->lock_path, strerror(errno));
  sqlite3_snprintf(sizeof pid, pid, "%d\n", (int)getpid());
  if (ftruncate(f->lock, 0) || pwrite(f->lock, pid, strlen(pid), 0) < 0)
    return error_set(err, "%s can't be written: %s", f->lock_path, strerror(errno));
  return 0;
}

/* ---- opening ---- */

/* A new state is its owner's alone: it holds what is known of people. One that is there keeps the mode that somebody gave it, and is not
 * opened here: closing it would let go of locks that this process may hold on it. What SQLite makes beside it gets the same mode. */
static void make_private(const char *path) {
  int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd >= 0) close(fd);
}

static int open_database(sqlite_file *f, error *err) {
  char pragmas[256];
  int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
  make_private(f->path);
  if (sqlite3_open_v2(f->path, &f->db, flags, NULL) != SQLITE_OK)
    return error_set(err, "the state %s can't be opened: %s", f->path, sqlite3_errmsg(f->db));
  sqlite3_extended_result_codes(f->db, 1);
  sqlite3_busy_timeout(f->db, SQLITE_BUSY_MS);
  if (schema_ready(f->db, f->path, &f->options, err)) return -1;
  size_t cache = f->options.cache_bytes ? f->options.cache_bytes : CACHE_BYTES;
  sqlite3_snprintf(sizeof pragmas, pragmas,
                   "PRAGMA journal_mode=WAL; PRAGMA synchronous=%s; PRAGMA wal_autocheckpoint=0;"
                   "PRAGMA journal_size_limit=%d; PRAGMA cache_size=-%lld; PRAGMA temp_store=MEMORY",
                   f->options.sync_normal ? "NORMAL" : "FULL", WAL_KEPT, (long long)(cache / 1024));
  return sql_run(f->db, pragmas, err);
}

static int load_id(sqlite_file *f, error *err) {
  static const char *const text[] = {"SELECT store_id FROM meta"};
  sqlite3_stmt *s = NULL;
  int result = -1;
  if (sql_prepare(f->db, text, 1, &s, err)) return -1;
  if (sqlite3_step(s) == SQLITE_ROW && sqlite3_column_bytes(s, 0) == sizeof f->in->id) {
    memcpy(&f->in->id, sqlite3_column_blob(s, 0), sizeof f->in->id);
    result = 0;
  }
  sqlite3_finalize(s);
  return result ? error_set(err, "the state %s is damaged: it has no id", f->path) : 0;
}

/* Numbers are places in the store's arrays, so they have to come without gaps. */
int names_load(sqlite_file *f, error *err) {
  static const char *const text[] = {"SELECT number, name, version, paused, removed, removed_to FROM journey"
                                     " ORDER BY number",
                                     "SELECT number, family, name, kind, line FROM element ORDER BY number"};
  sqlite3_stmt *s[2] = {NULL, NULL};
  bool whole = true;
  if (sql_prepare(f->db, text, 2, s, err) == 0) {
    while (sqlite3_step(s[0]) == SQLITE_ROW) {
      whole = whole && (size_t)sqlite3_column_int64(s[0], 0) == f->in->journey_count + 1;
      store_journey_add(f->in, (const char *)sqlite3_column_text(s[0], 1),
                        (const char *)sqlite3_column_text(s[0], 2), NULL, 0);
      store_journey_name *added = &f->in->journeys[f->in->journey_count - 1];
      added->paused_ms = added->paused_kept_ms = sqlite3_column_int64(s[0], 3);
      added->removed = (uint64_t)sqlite3_column_int64(s[0], 4);
      added->removed_to_ms = sqlite3_column_int64(s[0], 5);
    }
    while (sqlite3_step(s[1]) == SQLITE_ROW) {
      whole = whole && (size_t)sqlite3_column_int64(s[1], 0) == f->in->element_count;
      store_element_add(f->in, (uint32_t)sqlite3_column_int64(s[1], 1),
                        (const char *)sqlite3_column_text(s[1], 2),
                        (const char *)sqlite3_column_text(s[1], 3), (uint32_t)sqlite3_column_int64(s[1], 4));
    }
  }
  whole = whole && sqlite3_errcode(f->db) == SQLITE_DONE;
  sql_finalize(s, 2);
  f->journeys_written = f->in->journey_count;
  f->elements_written = f->in->element_count;
  return whole ? 0 : error_set(err, "the state %s is damaged: its journeys can't be read", f->path);
}

static void load_numbers(sqlite_file *f) {
  static const char events[] = "SELECT seq FROM sqlite_sequence WHERE name = 'inbox'";
  int64_t newest = sql_single(f->db, "SELECT max(number) FROM run", 0);
  int64_t removed = sql_single(f->db, "SELECT newest FROM meta", 0);
  f->in->next_run = (uint64_t)(newest > removed ? newest : removed) + 1;
  atomic_store(&f->next_event, (uint64_t)sql_single(f->db, events, 0) + 1);
  atomic_store(&f->next_batch, 1); /* the log is empty */
  atomic_store(&f->has_profiles, sql_has_rows(f->db, "profile"));
  atomic_store(&f->has_attributes, sql_has_rows(f->db, "attribute"));
  atomic_store(&f->has_inbox, sql_has_rows(f->db, "inbox"));
}

static int open_file(sqlite_file *f, error *err) {
  if (take_lock(f, err) || open_database(f, err)) return -1;
  if (load_id(f, err) || names_load(f, err) || counters_load(f, err)) return -1;
  if (commit_prepare(f, err) || sweep_open(f, err) || entered_prepare(f, err)) return -1;
  if (recover(f, err) || entered_load(f, err)) return -1;
  load_numbers(f);
  return thread_start(f, err);
}

/* ---- closing ---- */

static void lane_clean(sqlite_lane *lane) {
  for (list *l; (l = list_pop(&lane->spare));) batch_free(LIST_OF(batch, link, l));
  batch_free(lane->front);
}

static void close_file(store *s) {
  sqlite_file *f = s->file;
  thread_stop(f);
  for (size_t i = 0; i < s->lane_count; i++) lane_clean((sqlite_lane *)s->lanes[i]);
  sql_finalize(f->writes, WRITES);
  entered_close(f);
  sweep_close(f);
  sqlite3_close(f->db);
  if (f->lock >= 0) close(f->lock);
  for (size_t i = 0; i < f->reason_count; i++) free(f->reasons[i]);
  free(f->reasons);
  free(f->ordered);
  free(f->log);
  tally_set_free(&f->change);
  free(f->path);
  free(f->lock_path);
  free(f);
}

static void named(store *s) {
  sqlite_file *f = s->file;
  pthread_mutex_lock(&f->lock_handed);
  f->names = true;
  pthread_cond_signal(&f->something);
  pthread_mutex_unlock(&f->lock_handed);
}

static const store_backend sqlite_backend = {
    .lane_size = sizeof(sqlite_lane),
    .close = close_file,
    .named = named,
    .bundle = read_bundle,
    .lane_open = lane_open,
    .lane_close = lane_close,
    .append = lane_append,
    .full = lane_full,
    .flush = lane_flush,
    .forget = lane_forget,
    .find = read_find,
    .runs_of = read_runs_of,
    .load = lane_load,
    .peek = read_peek,
    .next_due = timers_next_due,
    .due = timers_due,
    .due_again = timers_due_again,
    .event = lane_event,
    .crowded_out = lane_crowded_out,
    .events = read_events,
    .has_event = read_has_event,
    .refuse = lane_refuse,
    .convert = lane_convert,
    .attributes = read_attributes,
    .give_row = lane_give_row,
    .profile_came = lane_profile_came,
    .profile_of = read_profile_of,
};

store *store_open_sqlite(const store_file *options, error *err) {
  store *s = store_new(&sqlite_backend);
  sqlite_file *f = mem_zero(sizeof *f);
  buf lock_path = BUF_EMPTY;
  buf_format(&lock_path, "%s.lock", options->path);
  s->file = f;
  f->in = s;
  f->options = *options;
  f->path = mem_text(options->path);
  f->lock_path = buf_take(&lock_path, NULL);
  f->lock = -1;
  pthread_mutex_init(&f->entered.lock, NULL);
  pthread_mutex_init(&f->sweep.lock, NULL);
  if (open_file(f, err) == 0) return s;
  store_close(s);
  return NULL;
}
