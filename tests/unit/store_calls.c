/* Killed at every system call by which the store writes, one after the other: before it, and in the middle of what it writes. */
#include "store_life.h"

#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>

enum { ACTS = 120, CALLS_MOST = 2000 };

/* ---- the calls ---- */

static _Atomic int calls;
static int die_at;     /* the number of a call; 0: never */
static bool dies_torn; /* half of what it writes is written first */

static bool dies_now(void) {
  return die_at && ++calls == die_at;
}

static void die(void) {
  raise(SIGKILL);
}

/* These stand before libc's for everything that is linked with this test. */
ssize_t write(int fd, const void *bytes, size_t length) {
  if (dies_now()) {
    if (dies_torn) syscall(SYS_write, fd, bytes, length / 2);
    die();
  }
  return syscall(SYS_write, fd, bytes, length);
}

static ssize_t put(int fd, const void *bytes, size_t length, off_t at) {
  if (dies_now()) {
    if (dies_torn) syscall(SYS_pwrite64, fd, bytes, length / 2, at);
    die();
  }
  return syscall(SYS_pwrite64, fd, bytes, length, at);
}

ssize_t pwrite(int fd, const void *bytes, size_t length, off_t at) {
  return put(fd, bytes, length, at);
}

ssize_t pwrite64(int fd, const void *bytes, size_t length, off_t at) {
  return put(fd, bytes, length, at);
}

int fdatasync(int fd) {
  if (dies_now()) die();
  return (int)syscall(SYS_fdatasync, fd);
}

int fsync(int fd) {
  if (dies_now()) die();
  return (int)syscall(SYS_fsync, fd);
}

int ftruncate(int fd, off_t length) {
  if (dies_now()) die();
  return (int)syscall(SYS_ftruncate, fd, length);
}

int ftruncate64(int fd, off_t length) {
  return ftruncate(fd, length);
}

int unlink(const char *path) {
  if (dies_now()) die();
  return (int)syscall(SYS_unlink, path);
}

int rename(const char *from, const char *to) {
  if (dies_now()) die();
  return (int)syscall(SYS_rename, from, to);
}

/* ---- the child ---- */

static void tell_parent(void *data, report what) {
  if (syscall(SYS_write, *(int *)data, &what, sizeof what) != sizeof what) _exit(1);
}

static void live_as_child(world *w, int out, int at, bool torn, uint64_t seed) {
  static life c;
  c = (life){.w = w, .tell = tell_parent, .data = &out};
  die_at = at;
  dies_torn = torn;
  store_file file = {.path = w->path};
  if (!live(&c, &file, seed, ACTS)) _exit(2);
  live_to_the_end(&c);
  _exit(0);
}

/* Returns whether it was killed. */
static bool let_live(world *w, int at, bool torn, uint64_t seed) {
  int ends[2], status;
  report r;
  assert_int_equal(pipe(ends), 0);
  pid_t pid = fork();
  if (pid == 0) {
    close(ends[0]);
    live_as_child(w, ends[1], at, torn, seed);
  }
  close(ends[1]);
  while (read(ends[0], &r, sizeof r) == sizeof r) take(r);
  close(ends[0]);
  waitpid(pid, &status, 0);
  bool killed = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
  assert_true(killed || (WIFEXITED(status) && WEXITSTATUS(status) == 0));
  return killed;
}

static void begin_anew(world *w) {
  static const char *const ends[] = {"", "-wal", "-shm", ".lock"};
  char name[128];
  memset(&promised, 0, 1000 * sizeof *promised.records);
  memset(&promised.over, 0, 1000 * sizeof *promised.over);
  for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
    snprintf(name, sizeof name, "%s%s", w->path, ends[i]);
    unlink(name);
  }
}

static uint64_t kills, runs;

static void end_at_each_call(world *w, bool torn, uint64_t seed) {
  bool killed = true;
  for (int at = 1; killed; at++) {
    assert_true(at < CALLS_MOST);
    begin_anew(w);
    killed = let_live(w, at, torn, seed);
    kills += killed;
    runs += check_file(w);
  }
}

static void nobody_is_lost_at_whichever_call_it_ends(void **state) {
  world *w = *state;
  world_close(w);
  for (uint64_t seed = 5; seed < 5 + (uint64_t)soak_times(); seed++) {
    end_at_each_call(w, false, seed);
    end_at_each_call(w, true, seed);
  }
  printf("killed at %d system calls, %d runs checked\n", (int)kills, (int)runs);
  assert_true(kills > 100);
  world_open(w);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(nobody_is_lost_at_whichever_call_it_ends, world_begin, world_end),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
