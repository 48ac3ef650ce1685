/* A disk that fails while a commit is under way: no room, a write that is refused, a sync that fails and has lost what it should have kept. Nobody's
 * position moves meanwhile, it is told once, and when the disk works again all goes on, and is there after a power cut. */
#include "store_disk.h"

#include <errno.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

enum { RUNS = 30, EACH = 7 };

static void be_there(world *w, const char *person, run_state to) {
  traveller t;
  world_enter(w, &t, person);
  world_step(w, &t, "\"x\"");
  world_settle(w, &t, to, to == RUN_WAITING ? 5000 : INT64_MAX, NULL);
  store_journal_forget(&t.journal);
}

static void let_some_in(world *w, int count) {
  for (int i = 0; i < count; i++) {
    char person[16];
    snprintf(person, sizeof person, "p%d", i);
    be_there(w, person, i % 2 ? RUN_WAITING : RUN_COMPLETED);
  }
}

/* Waits until the disk has failed, and looks that nothing was told meanwhile; or until all is durable: it did not get there. */
static bool wait_for_failure(world *w) {
  store_position before = store_durable(w->lane);
  while (!w->troubles) {
    store_flush(w->lane);
    if (w->troubles) break;
    if (store_durable(w->lane) == store_last(w->lane)) return false;
    usleep(100);
  }
  for (int i = 0; i < 20; i++) {
    store_flush(w->lane);
    assert_true(store_durable(w->lane) < store_last(w->lane));
    usleep(500);
  }
  assert_true(store_durable(w->lane) >= before);
  assert_non_null(strstr(w->trouble, w->path));
  assert_non_null(strstr(w->trouble, "make room or mend the disk: it is tried again"));
  return true;
}

static void set_failing(uint64_t from, int with) {
  pthread_mutex_lock(&disk.lock);
  disk.fail_from = disk.deeds + from;
  disk.fail_to = UINT64_MAX;
  disk.fails_with = with;
  pthread_mutex_unlock(&disk.lock);
}

static void mend(void) {
  pthread_mutex_lock(&disk.lock);
  disk.fail_to = 0;
  pthread_mutex_unlock(&disk.lock);
}

/* What would be on the disk now, with nothing of what was not synced. */
static void check_image(world *w, uint64_t runs) {
  world image = {0};
  snprintf(image.path, sizeof image.path, "%s/state.db", disk.images);
  pthread_mutex_lock(&disk.lock);
  disk_cut(disk.images);
  pthread_mutex_unlock(&disk.lock);
  world_open(&image);
  world_adds_up(&image, runs);
  assert_int_equal(world_count(&image, RUN_COMPLETED), runs / 2);
  assert_int_equal(world_count(&image, RUN_WAITING), runs / 2);
  world_close(&image);
  (void)w;
}

/* Returns whether it came to the failure. */
static bool fail_and_go_on(uint64_t from, int with) {
  world w = {0};
  char images_at[72];
  world_folder(&w);
  snprintf(images_at, sizeof images_at, "%s/images", w.folder);
  assert_int_equal(mkdir(images_at, 0700), 0);
  disk_begin(images_at, from);
  world_open(&w);
  let_some_in(&w, RUNS);
  world_sync(&w);
  set_failing(from, with);
  let_some_in(&w, RUNS);
  bool failed = wait_for_failure(&w);
  mend();
  world_sync(&w);
  assert_int_equal(w.troubles, failed);
  assert_int_equal(w.relieved, failed);
  world_adds_up(&w, 2 * RUNS);
  check_image(&w, 2 * RUNS);
  world_close(&w);
  mend();
  world_open(&w);
  world_adds_up(&w, 2 * RUNS);
  world_close(&w);
  world_remove(&w);
  return failed;
}

static int fail_at_each(int with) {
  int failures = 0, most = EACH * soak_times();
  for (uint64_t from = 1; failures < most && fail_and_go_on(from, with); from++) failures++;
  printf("%d failures of the disk (%s)\n", failures, sqlite3_errstr(with));
  return failures;
}

static void a_disk_without_room_is_waited_for(void **state) {
  (void)state;
  assert_true(fail_at_each(SQLITE_FULL) > 1);
}

static void a_write_that_is_refused_is_made_again(void **state) {
  (void)state;
  assert_true(fail_at_each(SQLITE_IOERR_WRITE) > 1);
}

static void what_a_failing_sync_has_lost_is_written_again(void **state) {
  (void)state;
  assert_true(fail_at_each(SQLITE_IOERR_FSYNC) >= 1);
}

/* A file system that really is full. */
static void a_full_file_system_is_waited_for(void **state) {
  world w = {0};
  char filler[128], bytes[4096];
  (void)state;
  world_folder(&w);
  if (mount("none", w.folder, "tmpfs", 0, "size=2m")) {
    print_message("skipped: a file system can't be mounted here: %s\n", strerror(errno));
    rmdir(w.folder);
    skip();
  }
  snprintf(filler, sizeof filler, "%s/filler", w.folder);
  world_open(&w);
  FILE *fills = fopen(filler, "wb");
  memset(bytes, 'x', sizeof bytes);
  setvbuf(fills, NULL, _IONBF, 0);
  while (fwrite(bytes, 1, sizeof bytes, fills) == sizeof bytes) {}
  fclose(fills);
  let_some_in(&w, 2000);
  bool failed = wait_for_failure(&w);
  unlink(filler);
  world_sync(&w);
  assert_true(failed);
  assert_int_equal(w.relieved, 1);
  world_adds_up(&w, 2000);
  world_again(&w);
  world_adds_up(&w, 2000);
  world_close(&w);
  assert_int_equal(umount(w.folder), 0);
  rmdir(w.folder);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_full_file_system_is_waited_for),
      cmocka_unit_test(a_disk_without_room_is_waited_for),
      cmocka_unit_test(a_write_that_is_refused_is_made_again),
      cmocka_unit_test(what_a_failing_sync_has_lost_is_written_again),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
