/* A copy of a state file, by SQLite's backup interface: see backup.h. The source is read within one transaction, so that what is
 * committed meanwhile does not make it begin again. */
#include "store/backup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "store/sqlite_parts.h"

enum { PAGES = 512 };

struct store_backup {
  char *from, *to, *part;
  bool replaces, has_part;
  sqlite3 *source, *target;
  sqlite3_backup *copy;
};

static int open_source(store_backup *b, error *err) {
  if (access(b->from, R_OK))
    return error_set(err, "the state %s can't be read: %s", b->from, strerror(errno));
  int failed = read_connection(b->from, &b->source, err) || sql_run(b->source, "BEGIN", err) ||
               schema_readable(b->source, b->from, err);
  if (failed && sqlite3_errcode(b->source) == SQLITE_NOTADB)
    error_set(err, "%s is no state of jaunt", b->from);
  return failed ? -1 : 0;
}

static bool is_same_file(const char *a, const char *b) {
  struct stat x, y;
  return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

static int refuse(const store_backup *b, error *err) {
  if (is_same_file(b->from, b->to)) return error_set(err, "%s is the state itself", b->to);
  if (b->replaces || access(b->to, F_OK)) return 0;
  return error_set(err, "%s is there already: --force replaces it", b->to);
}

/* SQLite would make it readable for others. */
static int open_target(store_backup *b, error *err) {
  unlink(b->part);
  int fd = open(b->part, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0) return error_set(err, "%s can't be made: %s", b->part, strerror(errno));
  b->has_part = true;
  close(fd);
  if (sqlite3_open_v2(b->part, &b->target, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK)
    return error_set(err, "%s can't be opened: %s", b->part, sqlite3_errmsg(b->target));
  return sql_run(b->target, "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF", err);
}

store_backup *backup_begin(const char *from, const char *to, bool replace, error *err) {
  store_backup *b = mem_zero(sizeof *b);
  buf part = BUF_EMPTY;
  buf_format(&part, "%s.part", to);
  b->part = buf_take(&part, NULL);
  b->from = mem_text(from);
  b->to = mem_text(to);
  b->replaces = replace;
  if (open_source(b, err) == 0 && refuse(b, err) == 0 && open_target(b, err) == 0) {
    b->copy = sqlite3_backup_init(b->target, "main", b->source, "main");
    if (b->copy) return b;
    error_set(err, "%s can't be copied: %s", from, sqlite3_errmsg(b->target));
  }
  backup_end(b);
  return NULL;
}

/* ---- when all pages are there ---- */

/* The copy is looked through as a file that can't change, so that nothing is made beside it. */
static int check(store_backup *b, error *err) {
  sqlite3 *db = NULL;
  sqlite3_stmt *s = NULL;
  static const char *const text[] = {"PRAGMA quick_check(1)"};
  int result = read_unchanging(b->part, &db, err);
  if (result == 0) result = sql_prepare(db, text, 1, &s, err);
  if (result == 0) {
    const char *said = sqlite3_step(s) == SQLITE_ROW ? (const char *)sqlite3_column_text(s, 0) : NULL;
    if (!said || strcmp(said, "ok") != 0)
      result = error_set(err, "the copy of %s is not whole (%s): the state is damaged, or the disk is",
                         b->from, said ? said : sqlite3_errmsg(db));
  }
  sqlite3_finalize(s);
  sqlite3_close(db);
  return result;
}

static int sync_path(const char *path, int flags) {
  int fd = open(path, flags | O_CLOEXEC);
  if (fd < 0) return -1;
  int failed = fsync(fd);
  close(fd);
  return failed;
}

static int sync_folder(const char *path) {
  char *folder = mem_text(path), *slash = strrchr(folder, '/');
  if (slash) slash[slash == folder] = '\0';
  int failed = sync_path(slash ? folder : ".", O_RDONLY | O_DIRECTORY);
  free(folder);
  return failed;
}

/* Somebody may have made the file meanwhile: link() does not replace it. */
static int name_it(const store_backup *b) {
  if (b->replaces) return rename(b->part, b->to);
  return link(b->part, b->to) || unlink(b->part) ? -1 : 0;
}

static int finish(store_backup *b, error *err) {
  int status = sqlite3_backup_finish(b->copy);
  b->copy = NULL;
  if (status == SQLITE_OK) status = sqlite3_close(b->target);
  if (status != SQLITE_OK) return error_set(err, "%s can't be written: %s", b->part, sqlite3_errstr(status));
  b->target = NULL;
  sqlite3_close(b->source);
  b->source = NULL;
  if (check(b, err)) return -1;
  if (sync_path(b->part, O_RDWR) || name_it(b) || sync_folder(b->to))
    return error_set(err, "%s can't be made: %s", b->to, strerror(errno));
  b->has_part = false;
  return 0;
}

int backup_step(store_backup *b, uint64_t *done, uint64_t *total, error *err) {
  int status = sqlite3_backup_step(b->copy, PAGES);
  if (status != SQLITE_OK && status != SQLITE_DONE)
    return error_set(err, "%s can't be copied to %s: %s", b->from, b->part, sqlite3_errstr(status));
  *total = (uint64_t)sqlite3_backup_pagecount(b->copy);
  *done = *total - (uint64_t)sqlite3_backup_remaining(b->copy);
  return status == SQLITE_OK ? 1 : finish(b, err);
}

void backup_end(store_backup *b) {
  if (!b) return;
  if (b->copy) sqlite3_backup_finish(b->copy);
  sqlite3_close(b->target);
  sqlite3_close(b->source);
  if (b->has_part) unlink(b->part);
  free(b->from);
  free(b->to);
  free(b->part);
  free(b);
}
