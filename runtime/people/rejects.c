/* The rejects file: see rejects.h. */
#include "people/rejects.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"

int rejects_init(rejects *r, const char *path, int input_fd, error *err) {
  *r = (rejects){.path = mem_text(path)};
  struct stat there, input;
  if (path && stat(path, &there) == 0 && fstat(input_fd, &input) == 0 && S_ISREG(there.st_mode) &&
      there.st_dev == input.st_dev && there.st_ino == input.st_ino) {
    return error_set(err, "%s cannot be both read and the rejects file: name another one for the rejects",
                     path);
  }
  return 0;
}

static int fail(const rejects *r, error *err) {
  return error_set(err, "cannot write the rejected rows to %s: %s", r->path, strerror(errno));
}

static int put(rejects *r, const char *bytes, size_t length, error *err) {
  return length == 0 || fwrite(bytes, 1, length, r->file) == length ? 0 : fail(r, err);
}

/* What is rejected is personal all the same: a file that was there before is nobody else's to read from now on, either. */
static int hide(int fd) {
  struct stat there;
  if (fstat(fd, &there) != 0) return -1;
  return S_ISREG(there.st_mode) ? fchmod(fd, 0600) : 0;
}

static int make_file(rejects *r, error *err) {
  int fd = open(r->path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) return fail(r, err);
  if (hide(fd) != 0) {
    fail(r, err);
    close(fd);
    return -1;
  }
  r->file = fdopen(fd, "w");
  if (!r->file) {
    fail(r, err);
    close(fd);
    return -1;
  }
  return put(r, r->head, r->head_length, err);
}

/* Line ends stand only between the parts of a JSON text, or where it is broken. */
static int put_on_one_line(rejects *r, const char *bytes, size_t length, error *err) {
  for (size_t i = 0; i < length; i++) {
    char c = bytes[i] == '\n' || bytes[i] == '\r' ? ' ' : bytes[i];
    if (putc_unlocked(c, r->file) == EOF) return fail(r, err);
  }
  return 0;
}

int rejects_add(rejects *r, const char *bytes, size_t length, error *err) {
  if (!r->path) return 0;
  if (!r->file && make_file(r, err) != 0) return -1;
  return r->one_line ? put_on_one_line(r, bytes, length, err) : put(r, bytes, length, err);
}

int rejects_end_row(rejects *r, error *err) {
  return r->file && r->one_line ? put(r, "\n", 1, err) : 0;
}

int rejects_flush(rejects *r, error *err) {
  return r->file && fflush(r->file) != 0 ? fail(r, err) : 0;
}

void rejects_close(rejects *r) {
  if (r->file) fclose(r->file);
  free(r->path);
  *r = (rejects){0};
}
