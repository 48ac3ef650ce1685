/* A disk that is full, and a file that is damaged: nothing is told durable that is not, it is told once, and it goes on when there is room.
 */
#include "store_world.h"

#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>

/* No file of this process may become larger: what writes beyond gets EFBIG, as it would get ENOSPC. */
static void limit_files(rlim_t bytes) {
  struct rlimit limit;
  getrlimit(RLIMIT_FSIZE, &limit);
  limit.rlim_cur = bytes < limit.rlim_max ? bytes : limit.rlim_max;
  assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static rlim_t largest_file(world *w) {
  struct stat file = {0}, wal = {0};
  char path[128];
  snprintf(path, sizeof path, "%s-wal", w->path);
  stat(w->path, &file);
  stat(path, &wal);
  return (rlim_t)(file.st_size > wal.st_size ? file.st_size : wal.st_size);
}

/* Until the disk is full. */
static void fill(world *w) {
  char data[4096];
  memset(data, 'x', sizeof data - 1);
  data[sizeof data - 1] = '\0';
  for (int i = 0; !w->troubles; i++) {
    traveller t;
    if (store_last(w->lane) - store_durable(w->lane) < 200) {
      world_enter(w, &t, "ada");
      world_step(w, &t, data);
      world_settle(w, &t, RUN_COMPLETED, INT64_MAX, NULL);
      store_journal_forget(&t.journal);
    }
    store_flush(w->lane);
  }
}

static int64_t now_ms(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void a_full_disk_is_told_once_and_nobodys_position_moves_until_there_is_room(void **state) {
  world *w = *state;
  limit_files(largest_file(w) + 300000);
  fill(w);
  assert_non_null(strstr(w->trouble, w->path));
  assert_non_null(strstr(w->trouble, "can't be written"));
  assert_non_null(strstr(w->trouble, "tried again"));
  store_flush(w->lane);
  store_position told = store_durable(w->lane), last = store_last(w->lane);
  uint64_t entered, states[RUN_STATES], later;
  assert_true(told < last);
  store_ledger(w->s, w->journey, &entered, states);
  for (int64_t until = now_ms() + 700; now_ms() < until; usleep(1000)) { /* three more tries */
    store_flush(w->lane);
    assert_int_equal(store_durable(w->lane), told);
  }
  store_ledger(w->s, w->journey, &later, states);
  assert_int_equal(later, entered);
  assert_int_equal(w->troubles, 1);
  assert_int_equal(w->relieved, 0);
  limit_files(RLIM_INFINITY);
  world_sync(w);
  assert_int_equal(store_durable(w->lane), last);
  assert_int_equal(w->troubles, 1);
  assert_int_equal(w->relieved, 1);
  store_ledger(w->s, w->journey, &entered, states);
  assert_int_equal(entered, last / 3);
  world_again(w);
  world_adds_up(w, last / 3);
  assert_int_equal(world_count(w, RUN_COMPLETED), last / 3);
}

static void closing_does_not_wait_for_ever_and_says_what_is_lost(void **state) {
  world *w = *state;
  limit_files(largest_file(w) + 300000);
  fill(w);
  store_lane_close(w->lane);
  store_position told = store_durable(w->lane);
  assert_true(told < store_last(w->lane));
  world_close(w);
  assert_non_null(strstr(w->trouble, "are not in it"));
  limit_files(RLIM_INFINITY);
  world_open(w);
  assert_true(told % 3 == 0);
  world_adds_up(w, told / 3);
}

/* Overwrites the first page of a table or an index. */
static void damage(world *w, const char *name) {
  sqlite3 *db;
  sqlite3_stmt *s;
  char garbage[8192];
  memset(garbage, 0xa5, sizeof garbage);
  assert_int_equal(sqlite3_open(w->path, &db), SQLITE_OK);
  assert_int_equal(sqlite3_prepare_v2(db, "SELECT rootpage FROM sqlite_schema WHERE name = ?1", -1, &s, NULL),
                   0);
  sqlite3_bind_text(s, 1, name, -1, SQLITE_STATIC);
  assert_int_equal(sqlite3_step(s), SQLITE_ROW);
  off_t page = sqlite3_column_int64(s, 0) - 1;
  sqlite3_finalize(s);
  sqlite3_close(db);
  int fd = open(w->path, O_WRONLY);
  assert_int_equal(pwrite(fd, garbage, sizeof garbage, page * (off_t)sizeof garbage), sizeof garbage);
  close(fd);
}

static void a_damaged_file_is_told_and_not_written_to_again_and_again(void **state) {
  world *w = *state;
  world_close(w);
  damage(w, "attribute");
  world_open(w);
  traveller t;
  world_enter(w, &t, "ada");
  world_record(w, &t,
               (store_record){.kind = RECORD_WRITE,
                              .element = NO_ELEMENT,
                              .name = "city",
                              .data = "1",
                              .data_length = 1,
                              .extra = "ada",
                              .extra_length = 3},
               RUN_RUNNING);
  store_journal_forget(&t.journal);
  store_flush(w->lane);
  store_lane_close(w->lane);
  assert_int_equal(store_durable(w->lane), 0);
  assert_non_null(strstr(w->trouble, "damaged"));
  assert_non_null(strstr(w->trouble, w->path));
  world_close(w);
  unlink(w->path);
  world_open(w);
}

#define FULL_TEST(name) cmocka_unit_test_setup_teardown(name, world_begin, world_end)

int main(void) {
  signal(SIGXFSZ, SIG_IGN);
  const struct CMUnitTest tests[] = {
      FULL_TEST(a_full_disk_is_told_once_and_nobodys_position_moves_until_there_is_room),
      FULL_TEST(closing_does_not_wait_for_ever_and_says_what_is_lost),
      FULL_TEST(a_damaged_file_is_told_and_not_written_to_again_and_again),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
