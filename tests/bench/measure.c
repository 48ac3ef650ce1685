/* Runs a program on one core and tells what it cost: bench_measure CORE FILE PROGRAM [ARGUMENTS]
 * With - as the core it may run on all of them.
 *
 * FILE gets one line: seconds, CPU microseconds (user and system), and the largest resident memory in KB.
 * Signals that ask for an end go to the program. The exit code is the program's. */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static volatile pid_t child;

static void pass_on(int number) {
  kill(child, number);
}

static double seconds_now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void pin(int core) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(core, &set);
  if (sched_setaffinity(0, sizeof set, &set)) perror("bench_measure: can't pin");
}

static double microseconds(struct timeval t) {
  return (double)t.tv_sec * 1e6 + (double)t.tv_usec;
}

int main(int argc, char **argv) {
  if (argc < 4) return fprintf(stderr, "usage: bench_measure CORE FILE PROGRAM [ARGUMENTS]\n"), 2;
  if (strcmp(argv[1], "-") != 0) pin(atoi(argv[1]));
  double start = seconds_now();
  child = fork();
  if (child == 0) {
    execvp(argv[3], argv + 3);
    fprintf(stderr, "bench_measure: %s: %s\n", argv[3], strerror(errno));
    _exit(127);
  }
  signal(SIGINT, pass_on);
  signal(SIGTERM, pass_on);
  int status;
  struct rusage used;
  while (wait4(child, &status, 0, &used) < 0 && errno == EINTR) {}
  FILE *out = fopen(argv[2], "w");
  if (!out) return perror(argv[2]), 2;
  fprintf(out, "%.6f %.0f %ld\n", seconds_now() - start,
          microseconds(used.ru_utime) + microseconds(used.ru_stime), used.ru_maxrss);
  fclose(out);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
