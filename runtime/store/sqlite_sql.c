/* Statements: preparing, binding, stepping; what went wrong with them, in words; and the rows that more than one file reads. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "store/sqlite_parts.h"

/* Names the file: whoever reads it may have several. */
int sql_failed(sqlite3 *db, error *err) {
  int code = sqlite3_errcode(db) & 0xff;
  const char *path = sqlite3_db_filename(db, "main");
  if (sql_is_damage(db, code))
    return error_set(err, "the state %s is damaged (%s): go on from a copy that jaunt backup has made",
                     path ? path : "", sqlite3_errmsg(db));
  return error_set(err, "the state %s can't be used: %s%s", path ? path : "", sqlite3_errmsg(db),
                   code == SQLITE_FULL || code == SQLITE_IOERR ? " (is there room on its disk?)" : "");
}

int sql_prepare(sqlite3 *db, const char *const texts[], size_t count, sqlite3_stmt **out, error *err) {
  for (size_t i = 0; i < count; i++) {
    if (sqlite3_prepare_v3(db, texts[i], -1, SQLITE_PREPARE_PERSISTENT, &out[i], NULL) == SQLITE_OK) continue;
    return error_set(err, "%s (in: %s)", sqlite3_errmsg(db), texts[i]);
  }
  return 0;
}

void sql_finalize(sqlite3_stmt **statements, size_t count) {
  for (size_t i = 0; i < count; i++) {
    sqlite3_finalize(statements[i]);
    statements[i] = NULL;
  }
}

int sql_run(sqlite3 *db, const char *text, error *err) {
  if (sqlite3_exec(db, text, NULL, NULL, NULL) == SQLITE_OK) return 0;
  return sql_failed(db, err);
}

int sql_done(sqlite3_stmt *s) {
  int status = sqlite3_step(s);
  sqlite3_reset(s);
  return status == SQLITE_DONE || status == SQLITE_ROW ? SQLITE_OK : status;
}

/* Of the database's file, or of its WAL: the system's number of the last fault; 0. */
static int fault_of(sqlite3 *db, int which) {
  sqlite3_file *file = NULL;
  int number = 0;
  sqlite3_file_control(db, "main", which, &file);
  if (file && file->pMethods) file->pMethods->xFileControl(file, SQLITE_FCNTL_LAST_ERRNO, &number);
  return number;
}

/* A disk that fails to read. SQLite tells it as a malformed image, without the system's number. */
static int disk_fault(sqlite3 *db, int status) {
  if ((status & 0xff) != SQLITE_CORRUPT) return 0;
  int number = fault_of(db, SQLITE_FCNTL_FILE_POINTER);
  if (!number) number = fault_of(db, SQLITE_FCNTL_JOURNAL_POINTER);
  return number == EIO || number == ENXIO || number == ERANGE ? number : 0;
}

bool sql_is_damage(sqlite3 *db, int status) {
  if ((status & 0xff) == SQLITE_NOTADB) return true;
  return (status & 0xff) == SQLITE_CORRUPT && !disk_fault(db, status);
}

void sql_words(sqlite3 *db, int status, char *out, size_t room) {
  int fault = disk_fault(db, status), number = sqlite3_system_errno(db);
  if (fault)
    snprintf(out, room, "the disk fails (%s)", strerror(fault));
  else if (number)
    snprintf(out, room, "%s (%s)", sqlite3_errmsg(db), strerror(number));
  else
    snprintf(out, room, "%s", sqlite3_errmsg(db));
}

void file_trouble(sqlite_file *f, const char *format, ...) {
  char text[1024];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  if (f->options.trouble) f->options.trouble(f->options.data, text);
}

void sql_text(sqlite3_stmt *s, int at, const char *text) {
  if (text)
    sqlite3_bind_text(s, at, text, -1, SQLITE_STATIC);
  else
    sqlite3_bind_null(s, at);
}

void sql_blob(sqlite3_stmt *s, int at, const void *bytes, size_t length) {
  if (bytes)
    sqlite3_bind_blob64(s, at, bytes, length, SQLITE_STATIC);
  else
    sqlite3_bind_null(s, at);
}

void sql_number(sqlite3_stmt *s, int at, uint64_t number) {
  sqlite3_bind_int64(s, at, (sqlite3_int64)number);
}

char *sql_column_text(sqlite3_stmt *s, int at) {
  const char *text = (const char *)sqlite3_column_text(s, at);
  return text ? mem_text_of(text, (size_t)sqlite3_column_bytes(s, at)) : NULL;
}

int64_t sql_single(sqlite3 *db, const char *text, int64_t otherwise) {
  sqlite3_stmt *s;
  int64_t number = otherwise;
  if (sqlite3_prepare_v2(db, text, -1, &s, NULL) != SQLITE_OK) return otherwise;
  if (sqlite3_step(s) == SQLITE_ROW && sqlite3_column_type(s, 0) != SQLITE_NULL)
    number = sqlite3_column_int64(s, 0);
  sqlite3_finalize(s);
  return number;
}

bool sql_has_rows(sqlite3 *db, const char *table) {
  char text[64];
  sqlite3_snprintf(sizeof text, text, "SELECT EXISTS (SELECT 1 FROM %s)", table);
  return sql_single(db, text, 1) != 0;
}

int sql_events(sqlite3_stmt *s, uint64_t run, store_inbox_event **out, size_t *count) {
  int status;
  *out = NULL;
  *count = 0;
  sql_number(s, 1, run);
  while ((status = sqlite3_step(s)) == SQLITE_ROW) {
    *out = mem_grow(*out, (*count + 1) * sizeof **out);
    (*out)[(*count)++] = (store_inbox_event){
        .number = (uint64_t)sqlite3_column_int64(s, 0),
        .name = sql_column_text(s, 1),
        .json = sql_column_text(s, 2),
        .length = (size_t)sqlite3_column_bytes(s, 2),
        .at_ms = sqlite3_column_int64(s, 3),
        .print = (uint64_t)sqlite3_column_int64(s, 4),
        .met = sqlite3_column_int(s, 5) != 0,
        .asked = (uint64_t)sqlite3_column_int64(s, 6),
    };
  }
  return status;
}

int sql_attributes(sqlite3_stmt *s, const char *person, store_attribute each, void *data) {
  int status;
  sql_text(s, 1, person);
  while ((status = sqlite3_step(s)) == SQLITE_ROW) {
    const char *json = sqlite3_column_blob(s, 1);
    each(data, (const char *)sqlite3_column_text(s, 0), json ? json : "", (size_t)sqlite3_column_bytes(s, 1),
         sqlite3_column_int64(s, 2));
  }
  return status;
}

static void take_id(sqlite3_stmt *s, int at, run_id *out) {
  const void *bytes = sqlite3_column_blob(s, at);
  if (bytes && sqlite3_column_bytes(s, at) == sizeof *out) memcpy(out, bytes, sizeof *out);
}

store_run sql_take_run(sqlite3_stmt *s) {
  store_run run = {
      .run = (uint64_t)sqlite3_column_int64(s, 0),
      .journey = (uint32_t)sqlite3_column_int64(s, 1),
      .person = sql_column_text(s, 2),
      .per = sql_column_text(s, 3),
      .entry = (uint32_t)sqlite3_column_int64(s, 4),
      .entered_ms = sqlite3_column_int64(s, 6),
      .since_ms = sqlite3_column_int64(s, 7),
      .due_ms = sqlite3_column_type(s, 8) == SQLITE_NULL ? INT64_MAX : sqlite3_column_int64(s, 8),
      .state = (run_state)sqlite3_column_int(s, 9),
      .element =
          sqlite3_column_type(s, 10) == SQLITE_NULL ? NO_ELEMENT : (uint32_t)sqlite3_column_int64(s, 10),
      .listens = sql_column_text(s, 11),
      .reason = sql_column_text(s, 12),
      .detail = sql_column_text(s, 13),
      .control = sqlite3_column_int(s, 14) != 0,
      .incarnation = (uint32_t)sqlite3_column_int64(s, 15),
      .segments = (uint32_t)sqlite3_column_int64(s, 16),
      .records = (uint32_t)sqlite3_column_int64(s, 17),
      .from = (uint32_t)sqlite3_column_int64(s, 18),
      .goal_ms = sqlite3_column_int64(s, 19),
      .converted_ms = sqlite3_column_int64(s, 20),
      .fed = (uint64_t)sqlite3_column_int64(s, 21),
  };
  take_id(s, 5, &run.id);
  return run;
}
