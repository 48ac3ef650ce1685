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

static int failed(const save *s, error *err) {
  return error_set(err, "could not write the answer to %s: %s", s->path, strerror(errno));
}

static void part_name(save *s) {
  buf name = BUF_EMPTY;
  buf_format(&name, "%s.XXXXXX", s->path);
  s->part = buf_take(&name, NULL);
}

int save_open(save *s, const char *path, error *err) {
  struct stat old;
  bool exists = stat(path, &old) == 0;
  *s = (save){.fd = -1, .path = mem_text(path)};
  if (exists && !S_ISREG(old.st_mode)) {
    s->fd = open(path, O_WRONLY | O_CLOEXEC | O_NONBLOCK);
    return s->fd < 0 ? failed(s, err) : 0;
  }
  part_name(s);
  s->fd = mkostemp(s->part, O_CLOEXEC);
  if (s->fd < 0) {
    int status = failed(s, err);
    free(s->part);
    s->part = NULL;
    return status;
  }
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
  if (rename(s->part, s->path) != 0) return failed(s, err);
  free(s->part);
  s->part = NULL;
  return 0;
}

void save_drop(save *s) {
  if (!s->path) return;
  if (s->fd >= 0) close(s->fd);
  if (s->part) unlink(s->part);
  free(s->part);
  free(s->path);
  *s = (save){0};
}
