/* An answer's body on its way into a file: see save.h. */
#include "http/save.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/hash.h"

static int failed(const save *s, error *err) {
  return error_set(err, "could not write the answer to %s: %s", s->path, strerror(errno));
}

/* ---- the way there ---- */

int save_check(const char *path, error *err) {
  const char *at = path;
  do {
    size_t length = strcspn(at, "/");
    bool leads_out =
        length == 0 || (length == 1 && at[0] == '.') || (length == 2 && at[0] == '.' && at[1] == '.');
    if (leads_out)
      return error_set(
          err, "a relative path without . or .. is wanted, that ends in a file's name, not \"%s\"", path);
    at += length;
  } while (*at++ == '/');
  return 0;
}

/* Opens the folder `name` within `at`, makes it where there is none. Returns -1, errno says why. */
static int enter(int at, const char *name, int more) {
  const int how = O_PATH | O_DIRECTORY | O_CLOEXEC | more;
  int fd = openat(at, name, how);
  if (fd < 0 && errno == ENOENT && (mkdirat(at, name, 0700) == 0 || errno == EEXIST))
    fd = openat(at, name, how);
  return fd;
}

/* Walks from s->folder to the last folder of s->name, and leaves the file's name there. */
static int walk(save *s) {
  char *at = s->name, *slash;
  while ((slash = strchr(at, '/'))) {
    *slash = '\0';
    int next = enter(s->folder, at, O_NOFOLLOW);
    if (next < 0) return -1;
    close(s->folder);
    s->folder = next;
    at = slash + 1;
  }
  memmove(s->name, at, strlen(at) + 1);
  return 0;
}

static int find_folder(save *s, const char *below, error *err) {
  if (!below) return 0;
  if (save_check(s->name, err) != 0) return -1;
  s->folder = enter(AT_FDCWD, below, 0);
  if (s->folder < 0) {
    s->folder = AT_FDCWD;
    return failed(s, err);
  }
  if (walk(s) == 0) return 0;
  return errno == ELOOP || errno == ENOTDIR
             ? error_set(err, "could not write the answer to %s: something on the way is no folder", s->path)
             : failed(s, err);
}

/* ---- the file ---- */

/* A new file beside the place, for its owner only. */
static int open_part(save *s) {
  hash128 dice;
  if (random_system(&dice) != 0) return -1;
  buf name = BUF_EMPTY;
  buf_format(&name, "%s.%016llx", s->name, (unsigned long long)dice.lo);
  s->part = buf_take(&name, NULL);
  s->fd = openat(s->folder, s->part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (s->fd >= 0) return 0;
  free(s->part);
  s->part = NULL;
  return -1;
}

int save_open(save *s, const char *below, const char *path, error *err) {
  struct stat old;
  *s = (save){.fd = -1, .folder = AT_FDCWD, .path = mem_text(path), .name = mem_text(path)};
  if (find_folder(s, below, err) != 0) return -1;
  bool exists = fstatat(s->folder, s->name, &old, below ? AT_SYMLINK_NOFOLLOW : 0) == 0;
  if (exists && !S_ISREG(old.st_mode)) {
    s->fd = openat(s->folder, s->name, O_WRONLY | O_CLOEXEC | O_NONBLOCK | (below ? O_NOFOLLOW : 0));
    return s->fd < 0 ? failed(s, err) : 0;
  }
  if (open_part(s) != 0) return failed(s, err);
  if (exists) (void)!fchmod(s->fd, old.st_mode & 0777); /* on a file of our own it does not fail */
  return 0;
}

int save_write(save *s, const void *bytes, size_t length, error *err) {
  const char *at = bytes;
  while (length > 0) {
    ssize_t n = write(s->fd, at, length);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return failed(s, err);
    at += n;
    length -= (size_t)n;
    s->bytes += (size_t)n;
  }
  return 0;
}

int save_keep(save *s, error *err) {
  int fd = s->fd;
  s->fd = -1;
  if (close(fd) != 0) return failed(s, err);
  if (!s->part) return 0;
  if (renameat(s->folder, s->part, s->folder, s->name) != 0) return failed(s, err);
  free(s->part);
  s->part = NULL;
  return 0;
}

void save_drop(save *s) {
  if (!s->path) return;
  if (s->fd >= 0) close(s->fd);
  if (s->part) unlinkat(s->folder, s->part, 0);
  if (s->folder >= 0) close(s->folder);
  free(s->part);
  free(s->name);
  free(s->path);
  *s = (save){0};
}
