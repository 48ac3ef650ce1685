/* A disk for tests, as an SQLite VFS over the system's: it knows what was synced, and what not. At a power cut it makes an image of what
 * would be on the disk: all that was synced, and of the rest what chance wants: some writes in whole, some in part (sectors), some
 * not at all, in any order. And it can fail: writes and syncs from some moment on, for some time.
 *
 * Files below the folder of the images are left alone. */
#ifndef JAUNT_TEST_STORE_DISK_H
#define JAUNT_TEST_STORE_DISK_H

#include <pthread.h>
#include <sqlite3.h>

#include "store_life.h"

enum { DISK_FILES = 4, SECTOR = 512 };

typedef struct disk_write {
  sqlite3_int64 at;
  size_t length; /* SIZE_MAX: the file is cut off at `at` */
  char *bytes;
} disk_write;

/* A file as it is on the disk for certain, and what was written since. */
typedef struct disk_file {
  char path[256];
  bool is_there;
  buf durable;
  disk_write *writes;
  size_t count;
} disk_file;

static struct {
  pthread_mutex_t lock;
  char images[72]; /* the folder of the images */
  sqlite3_vfs vfs, *below;
  disk_file files[DISK_FILES];
  uint64_t dice;
  uint64_t deeds;              /* writes, syncs and truncations so far */
  void (*before)(void);        /* each of them; the lock is held */
  uint64_t fail_from, fail_to; /* those that fail: numbers of deeds */
  int fails_with;              /* SQLITE_FULL, SQLITE_IOERR_WRITE: writes; SQLITE_IOERR_FSYNC: syncs */
  uint64_t failed;
} disk = {.lock = PTHREAD_MUTEX_INITIALIZER};

typedef struct disk_handle {
  sqlite3_file base;
  disk_file *of; /* NULL: left alone */
  sqlite3_file *real;
} disk_handle;

#define REAL(file) (((disk_handle *)(file))->real)

/* ---- what is durable ---- */

static void disk_apply(buf *to, const disk_write *w, size_t from, size_t length) {
  size_t end = (size_t)w->at + from + length;
  if (to->len < end) {
    buf_room(to, end - to->len);
    memset(to->data + to->len, 0, end - to->len);
    to->len = end;
  }
  memcpy(to->data + (size_t)w->at + from, w->bytes + from, length);
}

static void disk_forget(disk_file *f) {
  for (size_t i = 0; i < f->count; i++) free(f->writes[i].bytes);
  f->count = 0;
}

static void disk_make_durable(disk_file *f) {
  for (size_t i = 0; i < f->count; i++) {
    const disk_write *w = &f->writes[i];
    if (w->length != SIZE_MAX)
      disk_apply(&f->durable, w, 0, w->length);
    else if ((size_t)w->at < f->durable.len)
      f->durable.len = (size_t)w->at;
  }
  disk_forget(f);
}

static void disk_remember(disk_file *f, const void *bytes, size_t length, sqlite3_int64 at) {
  disk_write w = {at, length, NULL};
  if (bytes) w.bytes = memcpy(malloc(length), bytes, length);
  f->writes = realloc(f->writes, (f->count + 1) * sizeof *f->writes);
  f->writes[f->count++] = w;
}

/* ---- a power cut ---- */

static void disk_chance(buf *image, const disk_write *w) {
  uint64_t fate = random_next(&disk.dice) % 3;
  if (fate == 0) return;
  if (w->length == SIZE_MAX) {
    if ((size_t)w->at < image->len) image->len = (size_t)w->at;
    return;
  }
  for (size_t from = 0; from < w->length; from += SECTOR) {
    size_t length = w->length - from < SECTOR ? w->length - from : SECTOR;
    if (fate == 1 || random_next(&disk.dice) % 2) disk_apply(image, w, from, length);
  }
}

static void disk_image_of(disk_file *f, const char *folder) {
  buf image = BUF_EMPTY;
  char path[512];
  if (f->durable.len) buf_add(&image, f->durable.data, f->durable.len);
  for (size_t i = f->count; i > 1; i--) { /* in any order */
    size_t other = random_next(&disk.dice) % i;
    disk_write w = f->writes[i - 1];
    f->writes[i - 1] = f->writes[other];
    f->writes[other] = w;
  }
  for (size_t i = 0; i < f->count; i++) disk_chance(&image, &f->writes[i]);
  snprintf(path, sizeof path, "%s/%s", folder, strrchr(f->path, '/') + 1);
  FILE *out = fopen(path, "wb");
  assert_non_null(out);
  if (image.len) assert_int_equal(fwrite(image.data, 1, image.len, out), image.len);
  fclose(out);
  buf_free(&image);
}

/* Makes the image in that folder. The disk goes on as if nothing had been; its order of writes is lost, so this may be done
 * once for each. The lock is held. */
UNUSED static void disk_cut(const char *folder) {
  for (int i = 0; i < DISK_FILES; i++) {
    if (!disk.files[i].is_there) continue;
    disk_file copy = disk.files[i];
    copy.writes = malloc((copy.count + 1) * sizeof *copy.writes);
    if (copy.count) memcpy(copy.writes, disk.files[i].writes, copy.count * sizeof *copy.writes);
    disk_image_of(&copy, folder);
    free(copy.writes);
  }
}

/* ---- files ---- */

/* Whether this deed fails. The lock is held. */
static bool disk_deed(bool is_sync) {
  disk.deeds++;
  if (disk.before) disk.before();
  bool fails = disk.deeds >= disk.fail_from && disk.deeds < disk.fail_to &&
               is_sync == (disk.fails_with == SQLITE_IOERR_FSYNC);
  disk.failed += fails;
  return fails;
}

static int disk_close(sqlite3_file *file) {
  int status = REAL(file)->pMethods ? REAL(file)->pMethods->xClose(REAL(file)) : SQLITE_OK;
  free(REAL(file));
  return status;
}

static int disk_read(sqlite3_file *file, void *out, int length, sqlite3_int64 at) {
  return REAL(file)->pMethods->xRead(REAL(file), out, length, at);
}

static int disk_write_at(sqlite3_file *file, const void *bytes, int length, sqlite3_int64 at) {
  disk_file *of = ((disk_handle *)file)->of;
  if (!of) return REAL(file)->pMethods->xWrite(REAL(file), bytes, length, at);
  pthread_mutex_lock(&disk.lock);
  bool fails = disk_deed(false);
  if (fails) length = length / 2 / SECTOR * SECTOR; /* a part of it may have gone */
  int status = length ? REAL(file)->pMethods->xWrite(REAL(file), bytes, length, at) : SQLITE_OK;
  if (length) disk_remember(of, bytes, (size_t)length, at);
  pthread_mutex_unlock(&disk.lock);
  return fails ? disk.fails_with : status;
}

static int disk_truncate(sqlite3_file *file, sqlite3_int64 length) {
  disk_file *of = ((disk_handle *)file)->of;
  if (!of) return REAL(file)->pMethods->xTruncate(REAL(file), length);
  pthread_mutex_lock(&disk.lock);
  disk_deed(false);
  int status = REAL(file)->pMethods->xTruncate(REAL(file), length);
  disk_remember(of, NULL, SIZE_MAX, length);
  pthread_mutex_unlock(&disk.lock);
  return status;
}

/* A sync that fails may lose what it should have kept, and the next one may say that all is well. */
static int disk_sync(sqlite3_file *file, int flags) {
  disk_file *of = ((disk_handle *)file)->of;
  if (!of) return REAL(file)->pMethods->xSync(REAL(file), flags);
  pthread_mutex_lock(&disk.lock);
  bool fails = disk_deed(true);
  if (fails)
    disk_forget(of);
  else
    disk_make_durable(of);
  pthread_mutex_unlock(&disk.lock);
  return fails ? SQLITE_IOERR_FSYNC : SQLITE_OK;
}

static int disk_size(sqlite3_file *file, sqlite3_int64 *size) {
  return REAL(file)->pMethods->xFileSize(REAL(file), size);
}
static int disk_lock(sqlite3_file *file, int level) {
  return REAL(file)->pMethods->xLock(REAL(file), level);
}
static int disk_unlock(sqlite3_file *file, int level) {
  return REAL(file)->pMethods->xUnlock(REAL(file), level);
}
static int disk_reserved(sqlite3_file *file, int *out) {
  return REAL(file)->pMethods->xCheckReservedLock(REAL(file), out);
}
static int disk_control(sqlite3_file *file, int what, void *with) {
  if (what == SQLITE_FCNTL_SIZE_HINT || what == SQLITE_FCNTL_CHUNK_SIZE) return SQLITE_OK;
  return REAL(file)->pMethods->xFileControl(REAL(file), what, with);
}
static int disk_sector(sqlite3_file *file) {
  return REAL(file)->pMethods->xSectorSize(REAL(file));
}
static int disk_traits(sqlite3_file *file) {
  return REAL(file)->pMethods->xDeviceCharacteristics(REAL(file));
}
static int disk_shm_map(sqlite3_file *file, int page, int size, int extend, void volatile **out) {
  return REAL(file)->pMethods->xShmMap(REAL(file), page, size, extend, out);
}
static int disk_shm_lock(sqlite3_file *file, int at, int count, int flags) {
  return REAL(file)->pMethods->xShmLock(REAL(file), at, count, flags);
}
static void disk_shm_barrier(sqlite3_file *file) {
  REAL(file)->pMethods->xShmBarrier(REAL(file));
}
static int disk_shm_unmap(sqlite3_file *file, int remove) {
  return REAL(file)->pMethods->xShmUnmap(REAL(file), remove);
}

static const sqlite3_io_methods disk_methods = {
    .iVersion = 2,
    .xClose = disk_close,
    .xRead = disk_read,
    .xWrite = disk_write_at,
    .xTruncate = disk_truncate,
    .xSync = disk_sync,
    .xFileSize = disk_size,
    .xLock = disk_lock,
    .xUnlock = disk_unlock,
    .xCheckReservedLock = disk_reserved,
    .xFileControl = disk_control,
    .xSectorSize = disk_sector,
    .xDeviceCharacteristics = disk_traits,
    .xShmMap = disk_shm_map,
    .xShmLock = disk_shm_lock,
    .xShmBarrier = disk_shm_barrier,
    .xShmUnmap = disk_shm_unmap,
};

/* ---- the VFS ---- */

static disk_file *disk_file_of(const char *path) {
  if (!path || strncmp(path, disk.images, strlen(disk.images)) == 0) return NULL;
  for (int i = 0; i < DISK_FILES; i++) {
    disk_file *f = &disk.files[i];
    if (!f->path[0]) snprintf(f->path, sizeof f->path, "%s", path);
    if (strcmp(f->path, path) == 0) return f;
  }
  fail_msg("too many files: %s", path);
  return NULL;
}

static int disk_open(sqlite3_vfs *vfs, const char *path, sqlite3_file *file, int flags, int *out) {
  (void)vfs;
  disk_handle *h = (disk_handle *)file;
  h->real = calloc(1, (size_t)disk.below->szOsFile);
  pthread_mutex_lock(&disk.lock);
  bool kept = flags & (SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_WAL | SQLITE_OPEN_MAIN_JOURNAL);
  h->of = kept ? disk_file_of(path) : NULL;
  if (h->of) h->of->is_there = true;
  pthread_mutex_unlock(&disk.lock);
  int status = disk.below->xOpen(disk.below, path, h->real, flags, out);
  h->base.pMethods = h->real->pMethods ? &disk_methods : NULL;
  if (!h->base.pMethods) free(h->real);
  return status;
}

static int disk_delete(sqlite3_vfs *vfs, const char *path, int sync) {
  (void)vfs;
  pthread_mutex_lock(&disk.lock);
  disk_file *f = disk_file_of(path);
  if (f) {
    f->is_there = false;
    f->durable.len = 0;
    disk_forget(f);
  }
  pthread_mutex_unlock(&disk.lock);
  return disk.below->xDelete(disk.below, path, sync);
}

/* From here on it is what store_open_sqlite writes to. */
UNUSED static void disk_begin(const char *images, uint64_t seed) {
  snprintf(disk.images, sizeof disk.images, "%s", images);
  for (int i = 0; i < DISK_FILES; i++) {
    disk_forget(&disk.files[i]);
    free(disk.files[i].writes);
    buf_free(&disk.files[i].durable);
    disk.files[i] = (disk_file){.path = ""};
  }
  disk.dice = seed;
  disk.deeds = disk.failed = disk.fail_from = disk.fail_to = 0;
  disk.before = NULL;
  if (disk.below) return;
  disk.below = sqlite3_vfs_find(NULL);
  disk.vfs = *disk.below;
  disk.vfs.zName = "disk";
  disk.vfs.szOsFile = sizeof(disk_handle);
  disk.vfs.xOpen = disk_open;
  disk.vfs.xDelete = disk_delete;
  disk.vfs.pNext = NULL;
  assert_int_equal(sqlite3_vfs_register(&disk.vfs, 1), SQLITE_OK);
}

#endif
