/* Killed at any moment: what was told durable is there, nobody is lost, and nothing happened twice.
 *
 * A child lives in the file (store_life.h) and reports by a pipe whatever it is told durable. It is killed after some number of reports.
 */
#include "store_life.h"

#include <signal.h>
#include <sys/wait.h>

enum { ROUNDS = 25, REPORTS_MOST = 1500 };

static void tell_parent(void *data, report what) {
  if (write(*(int *)data, &what, sizeof what) != sizeof what) _exit(1);
}

static void live_as_child(world *w, int out, uint64_t seed) {
  static life c;
  c = (life){.w = w, .tell = tell_parent, .data = &out};
  live(&c, &(store_file){.path = w->path}, seed, 0);
  _exit(2);
}

static void let_live_and_kill(world *w, uint64_t seed) {
  int ends[2];
  report r;
  assert_int_equal(pipe(ends), 0);
  pid_t pid = fork();
  if (pid == 0) {
    close(ends[0]);
    live_as_child(w, ends[1], seed);
  }
  close(ends[1]);
  uint64_t dice = seed;
  int reports = (int)(random_next(&dice) % REPORTS_MOST);
  for (int i = 0; i < reports && read(ends[0], &r, sizeof r) == sizeof r; i++) take(r);
  kill(pid, SIGKILL);
  while (read(ends[0], &r, sizeof r) == sizeof r) take(r);
  close(ends[0]);
  int status;
  waitpid(pid, &status, 0);
  assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static void nobody_is_lost_whenever_the_process_is_killed(void **state) {
  world *w = *state;
  memset(&promised, 0, sizeof promised);
  world_close(w);
  uint64_t rounds = (uint64_t)(ROUNDS * soak_times());
  for (uint64_t round = 1; round <= rounds; round++) {
    let_live_and_kill(w, round);
    check_file(w);
  }
  int64_t runs = in_file(w, "run");
  printf("killed %d times, %d runs checked\n", (int)rounds, (int)runs);
  assert_true(runs > (int64_t)rounds);
  world_open(w);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(nobody_is_lost_whenever_the_process_is_killed, world_begin, world_end),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
