/* What is in a state file, for figures about its size.
 *
 *   bench_state bytes FILE             prints one line: runs, and the file's bytes for each of them; of these requests, profile and
 *                                      event, headers and bodies of answers
 *   bench_state multiply FILE FROM N   makes FILE, a copy of FROM, N times as large: other people in the same places. The first
 *                                      run to be due stays one
 *   bench_state version FILE           prints SQLite's
 *
 * Nobody may have the file meanwhile. */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "store/store.h"

static sqlite3 *db;

static int fail(void) {
  fprintf(stderr, "bench_state: %s\n", sqlite3_errmsg(db));
  exit(1);
}

static void run_sql(const char *text) {
  if (sqlite3_exec(db, text, NULL, NULL, NULL)) fail();
}

static sqlite3_stmt *prepared(const char *text) {
  sqlite3_stmt *s = NULL;
  if (sqlite3_prepare_v2(db, text, -1, &s, NULL)) fail();
  return s;
}

/* ---- bytes ---- */

typedef struct sizes {
  size_t requests, profile, headers, bodies;
} sizes;

/* Of one segment: what its records hold. A request is its whole record. */
static void add_segment(sizes *sum, const char *at, size_t length) {
  store_record record = {0};
  const char *end = at + length;
  for (const char *before = at; store_record_next(&at, end, &record); before = at) {
    if (record.kind == RECORD_INTENT) sum->requests += (size_t)(at - before);
    if (record.kind == RECORD_ENTER) sum->profile += record.data_length + record.more_length;
    if (record.kind != RECORD_RESULT) continue;
    sum->headers += record.more_length;
    sum->bodies += record.data_length;
  }
}

static int bytes(const char *path) {
  sizes sum = {0};
  struct stat st;
  double runs = 0;
  sqlite3_stmt *s = prepared("SELECT journal FROM run UNION ALL SELECT bytes FROM segment");
  while (sqlite3_step(s) == SQLITE_ROW) {
    const char *at = sqlite3_column_blob(s, 0);
    if (at) add_segment(&sum, at, (size_t)sqlite3_column_bytes(s, 0));
  }
  sqlite3_finalize(s);
  s = prepared("SELECT count(*) FROM run");
  if (sqlite3_step(s) == SQLITE_ROW) runs = sqlite3_column_double(s, 0);
  sqlite3_finalize(s);
  if (stat(path, &st) || runs < 1) return fprintf(stderr, "bench_state: nobody is in %s\n", path), 1;
  printf("%.0f %.1f %.1f %.1f %.1f %.1f\n", runs, (double)st.st_size / runs, (double)sum.requests / runs,
         (double)sum.profile / runs, (double)sum.headers / runs, (double)sum.bodies / runs);
  return 0;
}

/* ---- multiply ---- */

/* ?1 is the number of copies. Most is written in the order of its table. */
static const char *const copying[] = {
    "INSERT INTO run SELECT number + n * (SELECT max(number) FROM one.run), journey, person || '~' || n, "
    "per, entry, id,"
    " entered, since, due, state, element, listens, reason, detail, control, incarnation, segments, records, "
    "start, goal, converted, fed, journal"
    " FROM copy CROSS JOIN one.run WHERE number <> (SELECT run FROM first)",
    "INSERT INTO entered SELECT who / 2 + n, run + n * (SELECT max(number) FROM one.run) AS number, past"
    " FROM one.entered CROSS JOIN copy ORDER BY 1, 2",
    "INSERT INTO timer SELECT family, shard, due, run + n * (SELECT max(number) FROM one.run) AS number"
    " FROM one.timer CROSS JOIN (SELECT 0 AS n UNION ALL SELECT n FROM copy)"
    " WHERE n = 0 OR run <> (SELECT run FROM first) ORDER BY family, shard, due, number",
};

static int multiply(const char *from, int times) {
  sqlite3_stmt *s;
  run_sql("PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA cache_size=-262144");
  s = prepared("ATTACH ?1 AS one");
  sqlite3_bind_text(s, 1, from, -1, SQLITE_STATIC);
  if (sqlite3_step(s) != SQLITE_DONE) fail();
  sqlite3_finalize(s);
  run_sql("BEGIN; CREATE TEMP TABLE copy (n INTEGER PRIMARY KEY);"
          "CREATE TEMP TABLE first AS SELECT run FROM one.timer ORDER BY due LIMIT 1;"
          "DELETE FROM timer");
  s = prepared("INSERT INTO copy (n) VALUES (?1)");
  for (int n = 1; n < times; n++) {
    sqlite3_bind_int(s, 1, n);
    if (sqlite3_step(s) != SQLITE_DONE) fail();
    sqlite3_reset(s);
  }
  sqlite3_finalize(s);
  for (size_t i = 0; i < sizeof copying / sizeof *copying; i++) run_sql(copying[i]);
  s = prepared("UPDATE counter SET n = n * ?1");
  sqlite3_bind_int(s, 1, times);
  if (sqlite3_step(s) != SQLITE_DONE) fail();
  sqlite3_finalize(s);
  run_sql("COMMIT; DETACH one; PRAGMA journal_mode=WAL");
  return 0;
}

int main(int argc, char **argv) {
  int failed = 2;
  if (argc < 3) return fprintf(stderr, "usage: bench_state bytes|version FILE | multiply FILE FROM N\n"), 2;
  if (sqlite3_open(argv[2], &db)) return fail();
  if (strcmp(argv[1], "version") == 0) failed = puts(sqlite3_libversion()) < 0;
  if (strcmp(argv[1], "bytes") == 0) failed = bytes(argv[2]);
  if (strcmp(argv[1], "multiply") == 0 && argc == 5) failed = multiply(argv[3], atoi(argv[4]));
  sqlite3_close(db);
  return failed;
}
