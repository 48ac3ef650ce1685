/* Statements: preparing, binding, stepping; and the rows that more than one file reads. */
#include <string.h>

#include "base/alloc.h"
#include "store/sqlite_parts.h"

/* Names the file: whoever reads it may have several. */
int sql_failed(sqlite3 *db, error *err) {
  int code = sqlite3_errcode(db) & 0xff;
  const char *path = sqlite3_db_filename(db, "main");
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
        .is_taken = sqlite3_column_int(s, 5) != 0,
    };
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
  };
  take_id(s, 5, &run.id);
  return run;
}
