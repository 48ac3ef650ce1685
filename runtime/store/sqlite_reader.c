/* A state file looked at from outside: see reader.h.
 *
 * Rows tell of runs as they were when they were settled last. What happened since is in the log, which is read once, when the
 * file is opened: by it, runs that are under way are shown where they are, and those that have no row yet are shown at all. */
#include "store/reader.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>
#include <uthash.h>

#include "base/alloc.h"
#include "store/sqlite_parts.h"
#include "store/varint.h"

enum { WINDOW = 20000 }; /* rows that one transaction looks at, at most */

enum statement {
  PAGE,
  ENTERED,
  FRESH,
  ROW,
  FIRST,
  SEGMENTS,
  EVENTS,
  ATTRIBUTES,
  PEOPLE,
  NEWEST,
  BUNDLE,
  LOG
};
enum { STATEMENTS = LOG + 1 };

#define MEANT                                                                                                \
  " AND (?3 = 0 OR journey IN (SELECT number FROM journey WHERE family = ?3))"                               \
  " AND (?4 = 0 OR journey = ?4)"                                                                            \
  " AND (?5 = 0 OR (?5 >> state) & 1)"                                                                       \
  " AND (?6 IS NULL OR element IN (SELECT number FROM element WHERE name = ?6))"                             \
  " AND (?7 IS NULL OR reason = ?7) AND (?8 IS NULL OR detail = ?8)"                                         \
  " AND since >= ?9 AND entered >= ?10 AND (?11 = 0 OR entered < ?11)"                                       \
  " AND (?12 IS NULL OR instr(coalesce(journal, (SELECT bytes FROM segment WHERE key = number * 1048576)),"  \
  " ?12)) AND (?14 IS NULL OR person = ?14)"                                                                 \
  " ORDER BY number DESC LIMIT ?13"

static const char *const texts[STATEMENTS] = {
    [PAGE] = "SELECT " RUN_COLUMNS " FROM run WHERE number < ?1 AND number >= ?2" MEANT,
    [ENTERED] = "SELECT run FROM entered WHERE who = ?1 AND past IS NULL",
    [FRESH] = FRESH_RUNS,
    [ROW] = ("SELECT " RUN_COLUMNS " FROM run WHERE number = ?1"),
    [FIRST] = "SELECT journal FROM run WHERE number = ?1",
    [SEGMENTS] = "SELECT bytes FROM segment WHERE key BETWEEN ?1 AND ?2 ORDER BY key",
    [EVENTS] = EVENTS_OF_RUN,
    [ATTRIBUTES] = ATTRIBUTES_OF_PERSON,
    [PEOPLE] = "SELECT DISTINCT person FROM attribute WHERE json = CAST(?1 AS BLOB)",
    [NEWEST] = "SELECT max(number) FROM run",
    [BUNDLE] = "SELECT bundle FROM journey WHERE number = ?1",
    [LOG] = "SELECT bytes FROM log ORDER BY batch",
};

/* What the log holds of a run: records `first` to `last` of it. */
typedef struct logged {
  UT_hash_handle hh;
  uint64_t run, first, last;
  buf bytes;
} logged;

struct store_reader {
  store *names; /* with journeys, elements and counters */
  sqlite_file file;
  sqlite3 *db;
  sqlite3_stmt *reads[STATEMENTS];
  logged *log; /* newest run first */
  /* Runs that the table `entered` may not have yet, in order. NULL: nobody was asked for so far. */
  who_run *young;
  size_t young_count;
  char *path;
};

/* ---- opening ---- */

static const store_backend no_backend = {0}; /* it holds names and counters alone */

static bool has_wal(const char *path) {
  buf wal = BUF_EMPTY;
  struct stat about;
  buf_format(&wal, "%s-wal", path);
  bool has = stat(buf_text(&wal), &about) == 0 && about.st_size > 0;
  buf_free(&wal);
  return has;
}

/* Where no file may be made beside it, a state that nobody writes is read as one that can't change. */
static int open_unchanging(store_reader *r, error *err) {
  sqlite3_close(r->db);
  r->db = NULL;
  return read_unchanging(r->path, &r->db, err);
}

static int connect(store_reader *r, error *err) {
  if (access(r->path, R_OK)) return error_set(err, "%s can't be read: %s", r->path, strerror(errno));
  int failure = read_connection(r->path, &r->db, err);
  if (!failure) sql_single(r->db, "SELECT 1 FROM sqlite_schema", 0); /* the first look at the file */
  int code = sqlite3_errcode(r->db);
  if (code == SQLITE_NOTADB) return error_set(err, "%s is no state of jaunt", r->path);
  if ((code == SQLITE_CANTOPEN || code == SQLITE_READONLY) && !has_wal(r->path))
    failure = open_unchanging(r, err);
  return failure ? -1 : schema_readable(r->db, r->path, err);
}

static int damaged(const store_reader *r, error *err) {
  return error_set(err, "the log of %s is damaged", r->path);
}

static int failed(const store_reader *r, error *err) {
  return error_set(err, "%s can't be read: %s", r->path, sqlite3_errmsg(r->db));
}

static logged *logged_of(store_reader *r, uint64_t run, uint64_t place) {
  logged *found;
  HASH_FIND(hh, r->log, &run, sizeof run, found);
  if (found) return found;
  found = mem_zero(sizeof *found);
  found->run = run;
  found->first = place;
  found->last = place - 1;
  HASH_ADD(hh, r->log, run, sizeof found->run, found);
  return found;
}

static int take_batch(store_reader *r, const char *at, const char *end, error *err) {
  while (at < end) {
    logged_record record;
    if (!batch_log_next(&at, end, &record)) return damaged(r, err);
    logged *of = logged_of(r, record.run, record.place);
    if (record.place != of->last + 1) return damaged(r, err);
    of->last = record.place;
    buf_add(&of->bytes, record.bytes, record.length);
  }
  return 0;
}

static int newest_first(const logged *a, const logged *b) {
  return a->run > b->run ? -1 : a->run < b->run;
}

static int read_log(store_reader *r, error *err) {
  sqlite3_stmt *s = r->reads[LOG];
  int status, result = 0;
  while (result == 0 && (status = sqlite3_step(s)) == SQLITE_ROW) {
    const char *bytes = sqlite3_column_blob(s, 0);
    if (bytes) result = take_batch(r, bytes, bytes + sqlite3_column_bytes(s, 0), err);
  }
  if (result == 0 && status != SQLITE_DONE) result = failed(r, err);
  sqlite3_reset(s);
  HASH_SORT(r->log, newest_first);
  return result;
}

/* All of it in one transaction, so that the parts agree. */
static int read_what_stands(store_reader *r, error *err) {
  if (sql_run(r->db, "BEGIN", err)) return -1;
  int result = names_load(&r->file, err) || counters_load(&r->file, err) || read_log(r, err) ? -1 : 0;
  sqlite3_exec(r->db, "COMMIT", NULL, NULL, NULL);
  return result;
}

store_reader *reader_open_sqlite(const char *path, error *err) {
  store_reader *r = mem_zero(sizeof *r);
  r->path = mem_text(path);
  r->names = store_new(&no_backend);
  r->file.in = r->names;
  r->file.path = r->path;
  int failure = connect(r, err);
  r->file.db = r->db;
  if (!failure) failure = sql_prepare(r->db, texts, STATEMENTS, r->reads, err);
  if (!failure) failure = read_what_stands(r, err);
  if (!failure) return r;
  reader_close(r);
  return NULL;
}

void reader_close(store_reader *r) {
  if (!r) return;
  logged *of, *next;
  HASH_ITER(hh, r->log, of, next) {
    HASH_DEL(r->log, of);
    buf_free(&of->bytes);
    free(of);
  }
  free(r->young);
  sql_finalize(r->reads, STATEMENTS);
  sqlite3_close(r->db);
  store_close(r->names);
  for (size_t i = 0; i < r->file.reason_count; i++) free(r->file.reasons[i]);
  free(r->file.reasons);
  free(r->path);
  free(r);
}

/* Looks at who holds PATH.lock without asking for it: that would be in a runtime's way. */
bool reader_in_use(const store_reader *r) {
  buf lock = BUF_EMPTY;
  struct stat about;
  buf_format(&lock, "%s.lock", r->path);
  bool there = stat(buf_text(&lock), &about) == 0, held = false;
  buf_free(&lock);
  FILE *locks = there ? fopen("/proc/locks", "re") : NULL;
  if (!locks) return false;
  char line[256], file[64];
  snprintf(file, sizeof file, " %02x:%02x:%llu ", major(about.st_dev), minor(about.st_dev),
           (unsigned long long)about.st_ino);
  while (!held && fgets(line, sizeof line, locks)) held = strstr(line, "FLOCK") && strstr(line, file);
  fclose(locks);
  return held;
}

/* ---- names ---- */

bool reader_version_at(const store_reader *r, size_t at, reader_version *out) {
  if (at >= r->names->journey_count) return false;
  const store_journey_name *journey = &r->names->journeys[at],
                           *first = &r->names->journeys[journey->family - 1];
  *out = (reader_version){(uint32_t)at + 1, journey->family, journey->name,       journey->version,
                          first->paused_ms, first->removed,  first->removed_to_ms};
  return true;
}

int reader_bundle(store_reader *r, uint32_t version, buf *out, error *err) {
  sqlite3_stmt *s = r->reads[BUNDLE];
  sql_number(s, 1, version);
  int status = sqlite3_step(s);
  if (status == SQLITE_ROW) buf_add(out, sqlite3_column_blob(s, 0), (size_t)sqlite3_column_bytes(s, 0));
  int result = status == SQLITE_ROW    ? 0
               : status == SQLITE_DONE ? error_set(err, "%s has no version %u of a journey", r->path, version)
                                       : failed(r, err);
  sqlite3_reset(s);
  return result;
}

bool reader_element_at(const store_reader *r, size_t at, reader_element *out) {
  if (at >= r->names->element_count) return false;
  const store_element_name *element = &r->names->elements[at];
  *out = (reader_element){(uint32_t)at, element->family, element->line, element->name, element->kind};
  return true;
}

store_report *reader_report(store_reader *r, uint32_t journey, bool version_only) {
  return store_report_new(r->names, journey, version_only);
}

/* ---- what the log adds ---- */

static bool is_kind(const store_record *step, const char *kind) {
  return step->extra_length == strlen(kind) && memcmp(step->extra, kind, step->extra_length) == 0;
}

/* Where a run is by its last record. */
static run_state state_after(const store_record *last) {
  bool waits =
      last->extra && (is_kind(last, "wait") || is_kind(last, "wait_until") || is_kind(last, "wait_for"));
  if (last->kind == RECORD_END) return last->to;
  if (last->kind == RECORD_ATTEMPT) return RUN_QUEUED; /* for the next one */
  if (last->kind != RECORD_STEP) return RUN_RUNNING;
  return waits ? RUN_WAITING : last->extra && is_kind(last, "call_api") ? RUN_QUEUED : RUN_RUNNING;
}

static void enter(store_run *run, const store_record *record) {
  run->journey = record->journey;
  run->entry = (uint32_t)record->numbers[0];
  run->id = (run_id){(uint64_t)record->numbers[1], (uint64_t)record->numbers[2]};
  run->entered_ms = record->at_ms;
  run->control = record->control;
  run->person = mem_text(record->name);
  run->per = record->extra ? mem_text_of(record->extra, record->extra_length) : NULL;
}

/* The log's records after the first `known` ones of the run; false where it has none. */
static bool news_of(const logged *of, uint64_t known, const char **at, const char **end) {
  if (!of || of->last <= known || of->first > known + 1) return false;
  *at = of->bytes.data;
  *end = *at + of->bytes.len;
  for (uint64_t place = of->first; place <= known; place++) {
    uint64_t length;
    if (!varint_next(at, *end, &length)) return false;
    *at += length;
  }
  return true;
}

/* Brings a run that was read from its row, or that is zeroed where it has none, to where the log says it is. Returns whether
 * that is somewhere else. */
static bool bring_up_to_date(store_run *run, const logged *of) {
  store_record record = {.element = NO_ELEMENT};
  const char *at, *end;
  if (!news_of(of, run->records, &at, &end)) return false;
  while (store_record_next(&at, end, &record)) {
    if (record.kind == RECORD_ENTER && !run->person) enter(run, &record);
  }
  if (!run->person) return false;
  run->state = state_after(&record);
  if (record.element != NO_ELEMENT) run->element = record.element;
  run->incarnation = record.incarnation;
  run->since_ms = record.at_ms;
  run->due_ms = run->state == RUN_WAITING && record.numbers[0] ? record.numbers[0] : INT64_MAX;
  free(run->listens), free(run->reason), free(run->detail);
  run->listens = NULL;
  run->reason = mem_text(record.reason);
  run->detail = mem_text(record.detail);
  bool by_goal = run->state == RUN_EXITED && run->reason && strcmp(run->reason, "goal") == 0;
  if (by_goal && !run->converted_ms) run->converted_ms = run->since_ms;
  return true;
}

static bool same(const char *wanted, const char *is) {
  return !wanted || (is && strcmp(wanted, is) == 0);
}

static bool is_at(const store_reader *r, const store_run *run, const char *element) {
  if (!element) return true;
  return run->element < r->names->element_count &&
         strcmp(r->names->elements[run->element].name, element) == 0;
}

static bool mentions(const logged *of, const char *mention) {
  return !mention || memmem(of->bytes.data, of->bytes.len, mention, strlen(mention));
}

/* The same as MEANT, for a run that the log has changed. */
static bool is_meant(const store_reader *r, const reader_selection *which, const store_run *run,
                     const logged *of, bool has_row) {
  if (which->family && store_family(r->names, run->journey) != which->family) return false;
  if (which->version && run->journey != which->version) return false;
  if (which->states && !(which->states >> run->state & 1)) return false;
  if (!is_at(r, run, which->element)) return false;
  if (!same(which->reason, run->reason) || !same(which->detail, run->detail)) return false;
  if (!same(which->person, run->person)) return false;
  if (run->since_ms < which->since_ms || run->entered_ms < which->entered_ms) return false;
  if (which->until_ms && run->entered_ms >= which->until_ms) return false;
  return has_row || mentions(of, which->mention);
}

/* ---- pages ---- */

static int64_t as_number(uint64_t number) {
  return number > INT64_MAX ? INT64_MAX : (int64_t)number;
}

static void bind_selection(sqlite3_stmt *s, const reader_selection *which, uint64_t from, int most) {
  sqlite3_bind_int64(s, 1, as_number(which->before));
  sqlite3_bind_int64(s, 2, as_number(from));
  sql_number(s, 3, which->family);
  sql_number(s, 4, which->version);
  sql_number(s, 5, which->states);
  sql_text(s, 6, which->element);
  sql_text(s, 7, which->reason);
  sql_text(s, 8, which->detail);
  sqlite3_bind_int64(s, 9, which->since_ms);
  sqlite3_bind_int64(s, 10, which->entered_ms);
  sqlite3_bind_int64(s, 11, which->until_ms);
  sql_blob(s, 12, which->mention, which->mention ? strlen(which->mention) : 0);
  sqlite3_bind_int(s, 13, most);
  sql_text(s, 14, which->person);
}

static const logged *logged_find(const store_reader *r, uint64_t run) {
  logged *found;
  HASH_FIND(hh, r->log, &run, sizeof run, found);
  return found;
}

typedef struct page {
  store_run *runs;
  int count, room;
} page;

static void page_add(page *p, const store_run *run) {
  if (p->count == p->room)
    p->runs = mem_grow(p->runs, (size_t)(p->room = p->room ? 2 * p->room : 16) * sizeof *p->runs);
  p->runs[p->count++] = *run;
}

static void page_free(page *p, int from) {
  for (int i = from; i < p->count; i++) store_run_free(&p->runs[i]);
  free(p->runs);
}

/* Adds rows that are meant, `most` at most, of those from *from on; *from is set to how far it has come. What the log has changed
 * is left to the log. */
static int read_rows(store_reader *r, const reader_selection *which, uint64_t *from, int most, page *out,
                     error *err) {
  sqlite3_stmt *s = r->reads[PAGE];
  int status, seen = 0;
  bind_selection(s, which, *from, most);
  while ((status = sqlite3_step(s)) == SQLITE_ROW) {
    store_run run = sql_take_run(s);
    const logged *of = logged_find(r, run.run);
    if (++seen == most) *from = run.run;
    if (of && of->last > run.records)
      store_run_free(&run);
    else
      page_add(out, &run);
  }
  sqlite3_reset(s);
  return status == SQLITE_DONE ? 0 : failed(r, err);
}

/* The run as the log has left it; 1, 0 where its row is newer, or -1. */
static int read_changed(store_reader *r, const logged *of, store_run *out, bool *has_row, error *err) {
  sqlite3_stmt *s = r->reads[ROW];
  *out = (store_run){.run = of->run, .element = NO_ELEMENT, .due_ms = INT64_MAX};
  sql_number(s, 1, of->run);
  int status = sqlite3_step(s);
  *has_row = status == SQLITE_ROW;
  if (*has_row) *out = sql_take_run(s);
  sqlite3_reset(s);
  if (status != SQLITE_ROW && status != SQLITE_DONE) return failed(r, err);
  if (bring_up_to_date(out, of)) return 1;
  store_run_free(out);
  return 0;
}

/* Adds one that the log has changed, if it is meant. */
static int add_changed(store_reader *r, const reader_selection *which, const logged *of, page *out,
                       error *err) {
  store_run run;
  bool has_row;
  int changed = read_changed(r, of, &run, &has_row, err);
  if (changed <= 0) return changed;
  if (is_meant(r, which, &run, of, has_row))
    page_add(out, &run);
  else
    store_run_free(&run);
  return 0;
}

/* The same for all of them, from `from` on. */
static int read_all_changed(store_reader *r, const reader_selection *which, uint64_t from, page *out,
                            error *err) {
  for (const logged *of = r->log; of; of = of->hh.next) {
    if (of->run >= which->before || of->run < from) continue;
    if (add_changed(r, which, of, out, err)) return -1;
  }
  return 0;
}

/* The newest `most` of both, which are in order; the others are freed, and come again with the next page. */
static int merge(page *rows, page *changed, store_run *out, int most) {
  int count = 0, row = 0, change = 0;
  while (count < most && (row < rows->count || change < changed->count)) {
    bool is_row =
        change == changed->count || (row < rows->count && rows->runs[row].run > changed->runs[change].run);
    out[count++] = is_row ? rows->runs[row++] : changed->runs[change++];
  }
  page_free(rows, row);
  page_free(changed, change);
  return count;
}

static int read_page(store_reader *r, reader_selection *which, store_run *out, int most, error *err) {
  page rows = {0}, changed = {0};
  uint64_t from = which->before <= WINDOW ? 0 : which->before - WINDOW;
  if (read_rows(r, which, &from, most, &rows, err) || read_all_changed(r, which, from, &changed, err)) {
    page_free(&rows, 0);
    page_free(&changed, 0);
    return -1;
  }
  bool all = rows.count + changed.count <= most;
  int count = merge(&rows, &changed, out, most);
  which->before = all ? from : out[count - 1].run;
  return count;
}

/* Beyond the newest run. */
static uint64_t beyond(store_reader *r) {
  uint64_t newest = r->log ? r->log->run : 0, row = 0;
  if (sqlite3_step(r->reads[NEWEST]) == SQLITE_ROW) row = (uint64_t)sqlite3_column_int64(r->reads[NEWEST], 0);
  sqlite3_reset(r->reads[NEWEST]);
  return (row > newest ? row : newest) + 1;
}

/* ---- runs of one person ---- */

static int read_fresh(store_reader *r, young *into, error *err) {
  sqlite3_stmt *s = r->reads[FRESH];
  int status = young_read(into, s);
  sqlite3_reset(s);
  return status == SQLITE_DONE ? 0 : failed(r, err);
}

/* Those that have no row yet: the log has all of them. */
static void find_logged(const store_reader *r, young *into) {
  for (const logged *of = r->log; of; of = of->hh.next) {
    store_record record = {.element = NO_ELEMENT};
    const char *at = of->bytes.data;
    if (!store_record_next(&at, at + of->bytes.len, &record) || record.kind != RECORD_ENTER || !record.name)
      continue;
    young_add(into, entered_who(record.name, strlen(record.name)), of->run);
  }
}

/* Read once, for however many people are asked for. */
static int find_young(store_reader *r, error *err) {
  young found = {0};
  if (r->young) return 0;
  int result = read_fresh(r, &found, err);
  find_logged(r, &found);
  if (result == 0) r->young = young_in_order(&found, &r->young_count);
  free(found.slots);
  return result;
}

static int newest_number_first(const void *a, const void *b) {
  uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
  return x > y ? -1 : x < y;
}

/* Numbers of the person's runs, newest first, and of whoever else has the same hash; some may come twice. */
static int numbers_of(store_reader *r, const char *person, buf *out, error *err) {
  sqlite3_stmt *s = r->reads[ENTERED];
  int64_t who = entered_who(person, strlen(person));
  int status;
  if (find_young(r, err)) return -1;
  sqlite3_bind_int64(s, 1, who);
  while ((status = sqlite3_step(s)) == SQLITE_ROW) {
    uint64_t number = (uint64_t)sqlite3_column_int64(s, 0);
    buf_add(out, &number, sizeof number);
  }
  sqlite3_reset(s);
  if (status != SQLITE_DONE) return failed(r, err);
  ordered_find(r->young, r->young_count, who, out);
  if (out->len) qsort(out->data, out->len / sizeof(uint64_t), sizeof(uint64_t), newest_number_first);
  return 0;
}

/* Adds the run with this number, if it is meant. */
static int read_one(store_reader *r, const reader_selection *which, uint64_t number, page *out, error *err) {
  reader_selection one = *which;
  uint64_t from = number;
  one.before = number + 1;
  if (read_rows(r, &one, &from, 1, out, err)) return -1;
  const logged *of = logged_find(r, number);
  return of ? add_changed(r, &one, of, out, err) : 0;
}

static int read_page_of_person(store_reader *r, reader_selection *which, store_run *out, int most,
                               error *err) {
  buf numbers = BUF_EMPTY;
  page found = {0};
  int result = numbers_of(r, which->person, &numbers, err);
  const uint64_t *number = (const uint64_t *)(const void *)numbers.data;
  size_t left = numbers.len / sizeof *number;
  for (; result == 0 && left && found.count < most; left--, number++) {
    if (*number >= which->before) continue;
    which->before = *number;
    result = read_one(r, which, *number, &found, err);
  }
  if (result == 0 && !left) which->before = 0;
  int count = result == 0 ? found.count : 0;
  if (count) memcpy(out, found.runs, (size_t)count * sizeof *out);
  page_free(&found, count);
  buf_free(&numbers);
  return result == 0 ? count : -1;
}

int reader_runs(store_reader *r, reader_selection *which, store_run *out, int most, error *err) {
  int count = 0;
  if (which->person) return read_page_of_person(r, which, out, most, err);
  if (which->before == UINT64_MAX) which->before = beyond(r);
  while (count == 0 && which->before > 0) count = read_page(r, which, out, most, err);
  return count;
}

/* ---- one run ---- */

static int add_bytes(const store_reader *r, sqlite3_stmt *s, buf *out, error *err) {
  int status;
  while ((status = sqlite3_step(s)) == SQLITE_ROW)
    buf_add(out, sqlite3_column_blob(s, 0), (size_t)sqlite3_column_bytes(s, 0));
  sqlite3_reset(s);
  return status == SQLITE_DONE ? 0 : failed(r, err);
}

/* How many records its row says that it has; 0 without a row. */
static uint64_t settled_records(store_reader *r, uint64_t run) {
  sqlite3_stmt *s = r->reads[ROW];
  sql_number(s, 1, run);
  uint64_t records = sqlite3_step(s) == SQLITE_ROW ? (uint64_t)sqlite3_column_int64(s, 17) : 0;
  sqlite3_reset(s);
  return records;
}

static int read_journal(store_reader *r, uint64_t run, buf *out, error *err) {
  sqlite3_stmt *first = r->reads[FIRST], *others = r->reads[SEGMENTS];
  const char *at, *end;
  uint64_t known = settled_records(r, run);
  sql_number(first, 1, run);
  sql_number(others, 1, run * SEGMENTS_MOST);
  sql_number(others, 2, run * SEGMENTS_MOST + SEGMENTS_MOST - 1);
  if (add_bytes(r, first, out, err) || add_bytes(r, others, out, err)) return -1;
  if (news_of(logged_find(r, run), known, &at, &end)) buf_add(out, at, (size_t)(end - at));
  return 0;
}

int reader_journal(store_reader *r, uint64_t run, buf *out, error *err) {
  if (sql_run(r->db, "BEGIN", err)) return -1;
  int result = read_journal(r, run, out, err);
  sqlite3_exec(r->db, "COMMIT", NULL, NULL, NULL);
  return result;
}

int reader_events(store_reader *r, uint64_t run, store_inbox_event **out, size_t *count, error *err) {
  sqlite3_stmt *s = r->reads[EVENTS];
  int status = sql_events(s, run, out, count);
  sqlite3_reset(s);
  if (status == SQLITE_DONE) return 0;
  store_events_free(*out, *count);
  *out = NULL;
  *count = 0;
  return failed(r, err);
}

/* ---- people ---- */

int reader_people_with(store_reader *r, const char *json, void (*each)(void *data, const char *person),
                       void *data, error *err) {
  sqlite3_stmt *s = r->reads[PEOPLE];
  int status;
  sql_text(s, 1, json);
  while ((status = sqlite3_step(s)) == SQLITE_ROW) each(data, (const char *)sqlite3_column_text(s, 0));
  sqlite3_reset(s);
  return status == SQLITE_DONE ? 0 : failed(r, err);
}

int reader_attributes(store_reader *r, const char *person, store_attribute each, void *data, error *err) {
  sqlite3_stmt *s = r->reads[ATTRIBUTES];
  int status = sql_attributes(s, person, each, data);
  sqlite3_reset(s);
  return status == SQLITE_DONE ? 0 : failed(r, err);
}
