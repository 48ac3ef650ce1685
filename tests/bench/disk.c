/* How long a folder's disk takes to make bytes durable: bench_disk FOLDER
 *
 * Prints the file system's name, and milliseconds: the median of 200 times a 4 KiB append and its fdatasync. */
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#ifndef XFS_SUPER_MAGIC
#define XFS_SUPER_MAGIC 0x58465342
#endif

enum { TIMES = 200, BYTES = 4096 };

static const struct {
  unsigned long number;
  const char *name;
} kinds[] = {{EXT4_SUPER_MAGIC, "ext4"}, {XFS_SUPER_MAGIC, "xfs"}, {BTRFS_SUPER_MAGIC, "btrfs"},
             {F2FS_SUPER_MAGIC, "f2fs"}, {TMPFS_MAGIC, "tmpfs"},   {OVERLAYFS_SUPER_MAGIC, "overlayfs"},
             {NFS_SUPER_MAGIC, "nfs"},   {RAMFS_MAGIC, "tmpfs"}};

static const char *name_of(unsigned long number) {
  static char other[32];
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
    if (kinds[i].number == number) return kinds[i].name;
  }
  snprintf(other, sizeof other, "file system %#lx", number);
  return other;
}

static double now_ms(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static int by_size(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static int fail(const char *path) {
  perror(path);
  return 1;
}

int main(int argc, char **argv) {
  static char bytes[BYTES];
  double took[TIMES];
  char path[4096];
  struct statfs fs;
  if (argc != 2) return fprintf(stderr, "usage: bench_disk FOLDER\n"), 2;
  snprintf(path, sizeof path, "%s/bench-disk.%d", argv[1], (int)getpid());
  int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND, 0600);
  if (fd < 0 || fstatfs(fd, &fs)) return fail(path);
  unlink(path);
  for (int i = 0; i < TIMES; i++) {
    double start = now_ms();
    if (write(fd, bytes, BYTES) != BYTES || fdatasync(fd)) return fail(path);
    took[i] = now_ms() - start;
  }
  close(fd);
  qsort(took, TIMES, sizeof *took, by_size);
  printf("%s %.4f\n", name_of((unsigned long)fs.f_type), (took[TIMES / 2 - 1] + took[TIMES / 2]) / 2);
  return 0;
}
