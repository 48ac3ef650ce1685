/* The tables of a state file, their version, and the way from an older one.
 *
 *   meta       one row: the store's id; whether its runs are live ones; the highest number of a run that was
 *              taken out
 *   journey    a version of a journey. `family`: the number of the first version of its name; there, `paused`: since when an
 *              operator lets nobody in and wakes nobody; `removed`: how many old runs were taken out, and when the last of
 *              them had ended
 *   element    by family
 *   log        what happened since the oldest record that is in no segment: one row for each batch of a lane
 *   run        a row for each run that was settled once. `start`: the segment in which its present incarnation begins;
 *              `goal`: until when its goal counts although it is over; `converted`: when it has reached it; `fed`: see
 *              store_settle; `journal`: its segment 0, where that is small or all there will be
 *   entered    the runs of people; `past`: what is left of one that was taken out. fresh: those that are not yet there. See
 *              sqlite_entered.c
 *   segment    the others: key = run * 1048576 + n
 *   timer      what parked runs wait for
 *   inbox      events that came for a run, until it ends; `print` tells equal ones, of which one is kept. `met`, `asked`: see
 *              store_inbox_event. As many as the lane says: the oldest give way
 *   attribute  what scripts have written to people
 *   profile    see store_profile
 *   counter    the ledger and the funnel; `what` is told in sqlite_counters.c
 *
 * Numbers that grow are primary keys, so that most rows go to the end of their table. Times are milliseconds since 1970. Pages
 * can be given back (auto_vacuum), for when old runs are taken out. */
#include "store/sqlite_parts.h"

enum { APPLICATION = 0x6a61756e /* "jaun" */, VERSION = 4 };

static const char tables[] =
    "CREATE TABLE meta (store_id BLOB NOT NULL, live INTEGER NOT NULL, newest INTEGER NOT NULL DEFAULT 0);"
    "CREATE TABLE journey (number INTEGER PRIMARY KEY, family INTEGER NOT NULL, name TEXT NOT NULL,"
    "  version TEXT NOT NULL, bundle BLOB NOT NULL, paused INTEGER,"
    "  removed INTEGER NOT NULL DEFAULT 0, removed_to INTEGER NOT NULL DEFAULT 0);"
    "CREATE TABLE element (number INTEGER PRIMARY KEY, family INTEGER NOT NULL, name TEXT NOT NULL,"
    "  kind TEXT NOT NULL, line INTEGER NOT NULL);"
    "CREATE TABLE log (batch INTEGER PRIMARY KEY, bytes BLOB NOT NULL);"
    "CREATE TABLE run (number INTEGER PRIMARY KEY, journey INTEGER NOT NULL, person TEXT NOT NULL, per TEXT,"
    "  entry INTEGER NOT NULL, id BLOB NOT NULL, entered INTEGER NOT NULL, since INTEGER NOT NULL, due "
    "INTEGER,"
    "  state INTEGER NOT NULL, element INTEGER, listens TEXT, reason TEXT, detail TEXT, control INTEGER NOT "
    "NULL,"
    "  incarnation INTEGER NOT NULL, segments INTEGER NOT NULL, records INTEGER NOT NULL, start INTEGER NOT "
    "NULL,"
    "  goal INTEGER, converted INTEGER, fed INTEGER, journal BLOB);"
    "CREATE TABLE entered (who INTEGER, run INTEGER, past BLOB, PRIMARY KEY (who, run)) WITHOUT ROWID;"
    "CREATE TABLE fresh (at INTEGER PRIMARY KEY, who INTEGER NOT NULL, run INTEGER NOT NULL);"
    "CREATE TABLE segment (key INTEGER PRIMARY KEY, bytes BLOB NOT NULL);"
    "CREATE TABLE timer (family INTEGER, shard INTEGER, due INTEGER, run INTEGER,"
    "  PRIMARY KEY (family, shard, due, run)) WITHOUT ROWID;"
    "CREATE TABLE inbox (number INTEGER PRIMARY KEY AUTOINCREMENT, run INTEGER NOT NULL, name TEXT NOT NULL,"
    "  json BLOB NOT NULL, at INTEGER NOT NULL, print INTEGER NOT NULL, taken INTEGER NOT NULL,"
    "  met INTEGER NOT NULL DEFAULT 0, asked INTEGER NOT NULL DEFAULT 0);"
    "CREATE UNIQUE INDEX inbox_of_run ON inbox (run, print);"
    "CREATE INDEX inbox_open ON inbox (run) WHERE taken = 0;"
    "CREATE INDEX inbox_taken ON inbox (run) WHERE taken = 1;"
    "CREATE TABLE attribute (person TEXT, name TEXT, json BLOB NOT NULL, at INTEGER NOT NULL,"
    "  PRIMARY KEY (person, name)) WITHOUT ROWID;"
    "CREATE TABLE profile (person TEXT PRIMARY KEY, json BLOB NOT NULL, fed INTEGER NOT NULL, at INTEGER NOT "
    "NULL)"
    "  WITHOUT ROWID;"
    "CREATE TABLE counter (journey INTEGER, element INTEGER, what INTEGER, reason TEXT, detail TEXT,"
    "  n INTEGER NOT NULL, PRIMARY KEY (journey, element, what, reason, detail)) WITHOUT ROWID;";

/* migrations[v] brings a file of version v to v + 1; there is no version 0.
 *
 * Version 2 has journals of format 2 (journal.h). Those of format 1 are read as they are; but a jaunt that knows no other format is to
 * say so when it opens the file, not to take what is new for damaged. */
static const char *const migrations[VERSION] = {
    NULL,
    "",
    /* Until then nobody but who has exited by the goal (state 7) had converted. */
    "ALTER TABLE run ADD COLUMN goal INTEGER;"
    "ALTER TABLE run ADD COLUMN converted INTEGER;"
    "ALTER TABLE run ADD COLUMN fed INTEGER;"
    "UPDATE run SET converted = since WHERE state = 7 AND reason = 'goal';"
    "INSERT INTO counter (journey, element, what, reason, detail, n)"
    "  SELECT journey, -1, 35, '', '', sum(n) FROM counter WHERE what = 42 AND reason = 'goal' GROUP BY "
    "journey;"
    "ALTER TABLE inbox ADD COLUMN met INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE inbox ADD COLUMN asked INTEGER NOT NULL DEFAULT 0;"
    "CREATE INDEX inbox_open ON inbox (run) WHERE taken = 0;"
    "CREATE TABLE profile (person TEXT PRIMARY KEY, json BLOB NOT NULL, fed INTEGER NOT NULL, at INTEGER NOT "
    "NULL)"
    "  WITHOUT ROWID;",
    "CREATE INDEX inbox_taken ON inbox (run) WHERE taken = 1;",
};

/* Before the first table: neither can be changed afterwards without a copy of the whole file. */
static int begin_file(sqlite3 *db, error *err) {
  return sql_run(db, "PRAGMA page_size=8192; PRAGMA auto_vacuum=INCREMENTAL; PRAGMA journal_mode=WAL", err);
}

static int write_meta(sqlite3 *db, hash128 id, bool live, error *err) {
  static const char *const text[] = {"INSERT INTO meta (store_id, live) VALUES (?1, ?2)"};
  sqlite3_stmt *insert = NULL;
  if (sql_prepare(db, text, 1, &insert, err)) return -1;
  sql_blob(insert, 1, &id, sizeof id);
  sqlite3_bind_int(insert, 2, live);
  int status = sql_done(insert);
  sqlite3_finalize(insert);
  return status == SQLITE_OK ? 0 : sql_failed(db, err);
}

static int set_version(sqlite3 *db, int64_t version, error *err) {
  char text[96];
  sqlite3_snprintf(sizeof text, text, "PRAGMA application_id=%d; PRAGMA user_version=%lld", APPLICATION,
                   (long long)version);
  return sql_run(db, text, err);
}

static int make(sqlite3 *db, const store_file *options, error *err) {
  hash128 id = options->id;
  if (!options->has_id && random_system(&id))
    return error_set(err, "the system gives no random numbers for the store's id");
  if (begin_file(db, err) || sql_run(db, "BEGIN IMMEDIATE", err)) return -1;
  if (sql_run(db, tables, err) || write_meta(db, id, options->kind == STORE_LIVE, err) ||
      set_version(db, VERSION, err) || sql_run(db, "COMMIT", err)) {
    sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
    return -1;
  }
  return 0;
}

int schema_migrate(sqlite3 *db, const char *const steps[], int64_t from, int64_t to, error *err) {
  if (sql_run(db, "BEGIN IMMEDIATE", err)) return -1;
  int failed = 0;
  for (int64_t v = from; v < to && !failed; v++) failed = sql_run(db, steps[v], err);
  if (failed || set_version(db, to, err) || sql_run(db, "COMMIT", err)) {
    sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
    return -1;
  }
  return 0;
}

/* Its version; -1 where it is no state, or a newer one. */
static int64_t version_of(sqlite3 *db, const char *path, error *err) {
  int64_t version = sql_single(db, "PRAGMA user_version", 0);
  if (sql_single(db, "PRAGMA application_id", 0) != APPLICATION || version < 1)
    return error_set(err, "%s is an SQLite file, but no state of jaunt", path);
  if (version > VERSION)
    return error_set(
        err, "%s was written by a newer jaunt (its format is %lld, this one reads up to %d): use that one",
        path, (long long)version, VERSION);
  return version;
}

static int64_t count_tables(sqlite3 *db, const char *path, error *err) {
  int64_t count = sql_single(db, "SELECT count(*) FROM sqlite_schema", -1);
  return count < 0 ? error_set(err, "%s is no state of jaunt: %s", path, sqlite3_errmsg(db)) : count;
}

/* A rehearsal would take people through journeys in earnest who are in the middle of one, and the other way round. */
static int check_kind(sqlite3 *db, const char *path, const store_file *options, error *err) {
  bool live = sql_single(db, "SELECT live FROM meta", 0) != 0;
  if (live && options->kind == STORE_REHEARSAL)
    return error_set(
        err, "the state %s is of live runs: a rehearsal needs a state of its own, --state sqlite:OTHER",
        path);
  if (!live && options->kind == STORE_LIVE)
    return error_set(
        err, "the state %s is of rehearsals: live runs need a state of their own, --state sqlite:OTHER",
        path);
  return 0;
}

int schema_ready(sqlite3 *db, const char *path, const store_file *options, error *err) {
  int64_t count = count_tables(db, path, err);
  if (count <= 0) return count < 0 ? -1 : make(db, options, err);
  int64_t version = version_of(db, path, err);
  if (version < 0 || (version < VERSION && schema_migrate(db, migrations, version, VERSION, err))) return -1;
  return check_kind(db, path, options, err);
}

int schema_readable(sqlite3 *db, const char *path, error *err) {
  int64_t count = count_tables(db, path, err);
  if (count < 0) return -1;
  if (count == 0) return error_set(err, "%s is empty: no state of jaunt", path);
  int64_t version = version_of(db, path, err);
  if (version >= 0 && version < VERSION)
    return error_set(err, "%s was written by an older jaunt: the next run on it brings it forward", path);
  return version < 0 ? -1 : 0;
}
