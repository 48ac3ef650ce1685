/* The window over an audience's bytes: see input.h. */
#include "people/input.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"

enum { PATIENCE_MS = 50 }; /* how long a pipe is waited for, until others get their turn */

static bool is_plain_file(int fd, struct stat *facts) {
  return fstat(fd, facts) == 0 && S_ISREG(facts->st_mode);
}

/* The size of what is left to read, or 0 where it is no plain file. */
static uint64_t size_left(int fd) {
  struct stat facts;
  if (!is_plain_file(fd, &facts)) return 0;
  off_t at = lseek(fd, 0, SEEK_CUR);
  return at >= 0 && facts.st_size > at ? (uint64_t)(facts.st_size - at) : 0;
}

int input_open(input *in, const char *path, size_t chunk, error *err) {
  bool standard = strcmp(path, "-") == 0;
  *in = (input){.fd = STDIN_FILENO, .chunk = chunk, .line = 1};
  in->name = mem_text(standard ? "standard input" : path);
  /* a named pipe that nobody writes to yet must not be waited for here */
  if (!standard) in->fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  if (in->fd < 0 && errno == ENOENT) return error_set(err, "there is no file %s", path);
  if (in->fd < 0) return error_set(err, "cannot open %s: %s", path, strerror(errno));
  in->total = size_left(in->fd);
  in->slow = !is_plain_file(in->fd, &(struct stat){0});
  return 0;
}

void input_close(input *in) {
  if (in->fd > STDIN_FILENO) close(in->fd);
  free(in->name);
  free(in->data);
  *in = (input){.fd = -1};
}

/* Moves what is held to the front and makes room for one read behind it. */
static void make_room(input *in) {
  size_t held = input_held(in);
  if (in->start > 0 && held > 0) memmove(in->data, in->data + in->start, held);
  in->start = 0;
  in->end = held;
  if (in->room - held >= in->chunk) return;
  in->room = in->room * 2 > held + in->chunk ? in->room * 2 : held + in->chunk;
  in->data = mem_grow(in->data, in->room);
}

/* True when reading will not wait: there is something, or the end, or a fault that read() will tell. */
static bool is_ready(const input *in) {
  if (!in->slow) return true;
  int ready = poll(&(struct pollfd){.fd = in->fd, .events = POLLIN}, 1, PATIENCE_MS);
  return ready > 0 || (ready < 0 && errno != EINTR && errno != EAGAIN);
}

int input_more(input *in, error *err) {
  if (in->ended) return 0;
  if (!is_ready(in)) return INPUT_LATER;
  make_room(in);
  ssize_t got = read(in->fd, in->data + in->end, in->chunk);
  if (got < 0 && (errno == EINTR || errno == EAGAIN)) return INPUT_LATER;
  if (got < 0) return error_set(err, "cannot read %s: %s", in->name, strerror(errno));
  in->ended = got == 0;
  in->end += (size_t)got;
  return got > 0;
}

line_found input_line(input *in, size_t from, char newline, size_t most, size_t *behind, error *err) {
  size_t looked = from;
  for (;;) {
    size_t held = input_held(in), limit = held < most ? held : most;
    const char *found = looked < limit ? memchr(input_at(in) + looked, newline, limit - looked) : NULL;
    if (found) {
      *behind = (size_t)(found - input_at(in)) + 1;
      return LINE_WHOLE;
    }
    if (held >= most) return LINE_TOO_LONG;
    looked = held;
    int more = input_more(in, err);
    if (more < 0) return LINE_FAILED;
    if (more == INPUT_LATER) return LINE_LATER;
    if (more == 0) {
      *behind = held;
      return held > from ? LINE_WHOLE : LINE_NONE;
    }
  }
}

void input_take(input *in, size_t length, uint64_t lines) {
  in->start += length;
  in->taken += length;
  in->line += lines;
}
