/* The power is cut while the store writes: with synchronous=FULL nothing is lost that was told durable; with NORMAL the last of it may be, but
 * what is left is whole. */
#include "store_disk.h"

#include <sys/stat.h>

enum { LIVES = 8, ACTS = 1500, CUTS_MOST = 600, ONE_IN = 3, KNOWN_MOST = 1000, TRIES_MOST = 50 };

typedef struct cut {
  uint32_t records[KNOWN_MOST]; /* what was promised by then */
  bool over[KNOWN_MOST];
} cut;

static cut *cuts;
static int cut_count;
static char images[72];

static void promise(void *data, report what) {
  (void)data;
  pthread_mutex_lock(&disk.lock);
  assert_true(what.run < KNOWN_MOST);
  take(what);
  pthread_mutex_unlock(&disk.lock);
}

static void name_image(char out[84], int number) {
  snprintf(out, 84, "%s/%d", images, number);
}

/* Before each write and sync. */
static void perhaps_cut(void) {
  char folder[84];
  if (random_next(&disk.dice) % ONE_IN || cut_count == CUTS_MOST) return;
  name_image(folder, cut_count);
  assert_int_equal(mkdir(folder, 0700), 0);
  disk_cut(folder);
  memcpy(cuts[cut_count].records, promised.records, sizeof cuts->records);
  memcpy(cuts[cut_count].over, promised.over, sizeof cuts->over);
  cut_count++;
}

static void let_live(world *w, uint64_t seed, bool sync_normal) {
  static life c;
  c = (life){.w = w, .tell = promise};
  snprintf(images, sizeof images, "%s/images", w->folder);
  assert_int_equal(mkdir(images, 0700), 0);
  disk_begin(images, seed);
  memset(&promised, 0, sizeof promised);
  cut_count = 0;
  disk.before = perhaps_cut;
  assert_true(live(&c, &(store_file){.path = w->path, .sync_normal = sync_normal}, seed, ACTS));
  live_to_the_end(&c);
  disk.before = NULL;
}

/* A file that was cut while it was made may be empty, or no database yet: then nothing may have been promised. */
static bool is_made(const char *path, const cut *c) {
  struct stat about;
  sqlite3 *db;
  sqlite3_stmt *s;
  bool made = stat(path, &about) == 0 && sqlite3_open(path, &db) == SQLITE_OK;
  if (made) {
    made = sqlite3_prepare_v2(db, "SELECT count(*) FROM meta", -1, &s, NULL) == SQLITE_OK &&
           sqlite3_step(s) == SQLITE_ROW;
    sqlite3_finalize(s);
    sqlite3_close(db);
  }
  for (int i = 0; i < KNOWN_MOST && !made; i++) assert_int_equal(c->records[i], 0);
  return made;
}

static uint64_t check_images(world *w) {
  world image = {0};
  uint64_t runs = 0;
  for (int i = 0; i < cut_count; i++) {
    char folder[84];
    name_image(folder, i);
    snprintf(image.path, sizeof image.path, "%s/state.db", folder);
    if (!is_made(image.path, &cuts[i])) continue;
    memcpy(promised.records, cuts[i].records, sizeof cuts->records);
    memcpy(promised.over, cuts[i].over, sizeof cuts->over);
    runs += check_file(&image);
  }
  (void)w;
  return runs;
}

/* Returns how many cuts there were. */
static int cut_the_power(bool sync_normal) {
  uint64_t runs = 0;
  int count = 0;
  cuts = calloc(CUTS_MOST, sizeof *cuts);
  lost = 0;
  may_lose = sync_normal;
  for (uint64_t seed = 1; seed <= (uint64_t)(LIVES * soak_times()); seed++) {
    world w = {0};
    world_folder(&w);
    let_live(&w, seed, sync_normal);
    runs += check_images(&w);
    count += cut_count;
    world_remove(&w);
  }
  free(cuts);
  printf("%d power cuts with synchronous=%s, %d runs checked, %d had lost something\n", count,
         sync_normal ? "NORMAL" : "FULL", (int)runs, (int)lost);
  return count;
}

static void a_power_cut_loses_nothing_that_was_told_durable(void **state) {
  (void)state;
  assert_true(cut_the_power(false) > 100);
  assert_int_equal(lost, 0);
}

static void with_sync_normal_it_loses_the_last_moment_and_what_is_left_is_whole(void **state) {
  (void)state;
  lost = 0;
  for (int i = 0; i < TRIES_MOST && lost == 0; i++) /* how much is not synced depends on who is quicker */
    assert_true(cut_the_power(true) > 100);
  assert_true(lost > 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_power_cut_loses_nothing_that_was_told_durable),
      cmocka_unit_test(with_sync_normal_it_loses_the_last_moment_and_what_is_left_is_whole),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
