/* A system that misbehaves when it is told to, preloaded into jaunt by specs (faulty.lua): its calendar is stepped, its
 * name server fails, its disk takes its time for a sync or fails to read, it is killed at a certain write. What it is
 * told, and what it counts, stands in a file that both have mapped, FAULTY_SYSTEM; without it everything is as ever. The
 * monotonic clock is left alone, as it is by whoever sets a calendar. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

/* 64-bit words, in the order of faulty.lua's. */
typedef struct faults {
  _Atomic int64_t calendar_ms; /* told: how far the calendar is off */
  _Atomic int64_t names_fail;  /* told: no name is found */
  _Atomic int64_t syncs_wait;  /* told: a sync of a commit does not return */
  _Atomic int64_t dies_at; /* told: the write or sync, counted from now, before which it is killed; 0: none */
  _Atomic int64_t look_ups;     /* counted: names asked for, of those that are ours */
  _Atomic int64_t syncs;        /* counted: syncs of commits */
  _Atomic int64_t syncs_waited; /* counted: that had to wait */
  _Atomic int64_t reads_fail;   /* told: so many reads of a state fail */
  _Atomic int64_t reads_failed; /* counted: of those */
  _Atomic int64_t reads_pass;   /* told: so many go well before that */
} faults;

static const char OUR_NAMES[] = ".faulty.test"; /* they are this machine's, while they are found */

static faults nothing, *told = &nothing;

__attribute__((constructor)) static void map_faults(void) {
  const char *path = getenv("FAULTY_SYSTEM");
  int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
  if (fd < 0) return;
  void *mapped = mmap(NULL, sizeof(faults), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (mapped != MAP_FAILED) told = mapped;
  close(fd);
}

/* ---- the calendar ---- */

int clock_gettime(clockid_t clock, struct timespec *out) {
  int status = (int)syscall(SYS_clock_gettime, clock, out);
  if (clock != CLOCK_REALTIME || status) return status;
  int64_t ms = out->tv_sec * INT64_C(1000) + out->tv_nsec / 1000000 + told->calendar_ms;
  out->tv_sec = ms / 1000;
  out->tv_nsec = ms % 1000 * 1000000 + out->tv_nsec % 1000000;
  return 0;
}

time_t time(time_t *out) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  if (out) *out = now.tv_sec;
  return now.tv_sec;
}

int gettimeofday(struct timeval *restrict out, void *restrict zone) {
  struct timespec now;
  (void)zone;
  clock_gettime(CLOCK_REALTIME, &now);
  *out = (struct timeval){.tv_sec = now.tv_sec, .tv_usec = now.tv_nsec / 1000};
  return 0;
}

/* ---- names ---- */

static int is_ours(const char *name) {
  size_t length = name ? strlen(name) : 0, ending = sizeof OUR_NAMES - 1;
  return length > ending && strcmp(name + length - ending, OUR_NAMES) == 0;
}

int getaddrinfo(const char *restrict name, const char *restrict service,
                const struct addrinfo *restrict hints, struct addrinfo **restrict out) {
  int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **) =
      (int (*)(const char *, const char *, const struct addrinfo *, struct addrinfo **))dlsym(RTLD_NEXT,
                                                                                              "getaddrinfo");
  if (!is_ours(name)) return real(name, service, hints, out);
  told->look_ups++;
  return told->names_fail ? EAI_AGAIN : real("127.0.0.1", service, hints, out);
}

/* ---- writes and syncs ---- */

static void perhaps_die(void) {
  if (told->dies_at && --told->dies_at == 0) raise(SIGKILL);
}

ssize_t pwrite(int fd, const void *bytes, size_t length, off_t at) {
  perhaps_die();
  return syscall(SYS_pwrite64, fd, bytes, length, at);
}

ssize_t pwrite64(int fd, const void *bytes, size_t length, off_t at) {
  return pwrite(fd, bytes, length, at);
}

/* Whether the file's path has that in it. */
static int is_named(int fd, const char *part) {
  char link[40], path[512];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, sizeof path - 1);
  path[length > 0 ? length : 0] = '\0';
  return strstr(path, part) != NULL;
}

/* A commit is durable when the log has been synced. */
static void sync_begins(int fd) {
  perhaps_die();
  if (!is_named(fd, ".db-wal")) return;
  told->syncs++;
  if (told->syncs_wait) told->syncs_waited++;
  while (told->syncs_wait) usleep(1000);
}

int fdatasync(int fd) {
  sync_begins(fd);
  return (int)syscall(SYS_fdatasync, fd);
}

int fsync(int fd) {
  sync_begins(fd);
  return (int)syscall(SYS_fsync, fd);
}

/* ---- reads ---- */

static int read_fails(int fd) {
  if (told->reads_fail <= 0 || !is_named(fd, ".db")) return 0;
  if (told->reads_pass > 0 && told->reads_pass-- > 0) return 0;
  return told->reads_fail-- > 0;
}

ssize_t pread(int fd, void *out, size_t length, off_t at) {
  if (!read_fails(fd)) return syscall(SYS_pread64, fd, out, length, at);
  told->reads_failed++;
  errno = EIO;
  return -1;
}

ssize_t pread64(int fd, void *out, size_t length, off_t at) {
  return pread(fd, out, length, at);
}
