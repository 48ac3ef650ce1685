/* The committer: takes what the lanes have handed over, commits it, tells them, and checkpoints. While a commit is under way more
 * gathers, so that one sync serves them all.
 *
 * A try that fails is repeated with the same batches: nobody's position moves meanwhile, and lanes fill up. */
#include <time.h>

#include "base/clock.h"
#include "store/sqlite_parts.h"

enum {
  SPARES_MOST = 4, /* used batches that a lane keeps */
  RETRY_MS = 200,
  IDLE_MS = 1000,          /* without work: the rest is checkpointed */
  CHECKPOINT_PAGES = 2000, /* of the WAL */
  CHECKPOINT_WAIT_MS =
      5,            /* for readers, who are in the way of some checkpoints: nobody's commit waits for them */
  SWEEP_MS = 60000, /* without work: whether old runs are to be taken out */
  SWEEP_END_MS = 1000, /* when the store is closed, as long as that */
};

/* ---- waiting ---- */

/* Until something is signalled, or so many milliseconds are over. */
static void wait_for(pthread_cond_t *cond, pthread_mutex_t *lock, int ms) {
  struct timespec at;
  clock_gettime(CLOCK_MONOTONIC, &at);
  at.tv_nsec += (long)(ms % 1000) * 1000000;
  at.tv_sec += ms / 1000 + at.tv_nsec / 1000000000;
  at.tv_nsec %= 1000000000;
  pthread_cond_timedwait(cond, lock, &at);
}

static bool has_work(const sqlite_file *f) {
  return !list_empty(&f->handed) || f->names;
}

typedef enum work { WORK_BATCHES, WORK_SWEEP, WORK_IDLE, WORK_OVER } work;

/* Takes what was handed over, when there is something; old runs are taken out meanwhile. Idle: there was nothing for a while, and
 * something is left in the WAL. */
static work take_work(sqlite_file *f, list *batches) {
  bool waited = false, sweeps = false;
  pthread_mutex_lock(&f->lock_handed);
  while (!has_work(f) && !f->closing && !(waited && f->wal_pages) && !(sweeps = sweep_has_work(f))) {
    if (f->wal_pages)
      wait_for(&f->something, &f->lock_handed, IDLE_MS);
    else if (f->options.sweeps)
      wait_for(&f->something, &f->lock_handed, SWEEP_MS);
    else
      pthread_cond_wait(&f->something, &f->lock_handed);
    waited = true;
  }
  work found = has_work(f) ? WORK_BATCHES : f->closing ? WORK_OVER : sweeps ? WORK_SWEEP : WORK_IDLE;
  list_move_all(batches, &f->handed);
  pthread_mutex_unlock(&f->lock_handed);
  return found;
}

/* ---- trying ---- */

/* Returns whether it is the last try: the store is being closed. */
static bool begin_try(sqlite_file *f) {
  pthread_mutex_lock(&f->lock_handed);
  bool last = f->closing;
  f->names = f->hurry = false;
  f->tries++;
  pthread_mutex_unlock(&f->lock_handed);
  return last;
}

static void end_try(sqlite_file *f, bool failed, bool broken) {
  pthread_mutex_lock(&f->lock_handed);
  if (failed) f->failed_try = f->tries;
  f->broken = broken;
  pthread_cond_broadcast(&f->tried);
  pthread_mutex_unlock(&f->lock_handed);
}

static void wait_to_retry(sqlite_file *f) {
  pthread_mutex_lock(&f->lock_handed);
  if (!f->closing && !f->hurry) wait_for(&f->something, &f->lock_handed, RETRY_MS);
  pthread_mutex_unlock(&f->lock_handed);
}

static void wait_for_the_end(sqlite_file *f) {
  pthread_mutex_lock(&f->lock_handed);
  while (!f->closing) pthread_cond_wait(&f->something, &f->lock_handed);
  pthread_mutex_unlock(&f->lock_handed);
}

static void tell_failure(sqlite_file *f, int status, bool broken) {
  char why[256];
  sql_words(f->db, status, why, sizeof why);
  if (broken)
    file_trouble(f, "the state %s is damaged (%s): nothing more is saved; end this and use a backup", f->path,
                 why);
  else if (!f->troubled)
    file_trouble(f, "the state %s can't be written: %s; make room or mend the disk: it is tried again",
                 f->path, why);
  f->troubled = true;
}

/* Commits the batches, however often it takes. False where it can't be done, or the store is closed before it could. */
static bool commit(sqlite_file *f, list *batches) {
  for (;;) {
    bool last = begin_try(f);
    int status = commit_batches(f, batches);
    bool failed = status != SQLITE_OK, broken = sql_is_damage(f->db, status);
    if (failed) tell_failure(f, status, broken);
    if (!failed && f->troubled && f->options.trouble) f->options.trouble(f->options.data, NULL);
    if (!failed) f->troubled = false;
    end_try(f, failed, broken);
    if (!failed) return true;
    if (broken) wait_for_the_end(f);
    if (broken || last) return false;
    wait_to_retry(f);
  }
}

/* ---- telling ---- */

/* The lanes whose old records make the log long settle those runs at their next flush. */
static bool keeps_log_long(sqlite_file *f, const sqlite_lane *lane) {
  return lane->oldest_next < atomic_load(&f->settle_before);
}

static void wake(const sqlite_lane *lane) {
  if (lane->base.options.wake) lane->base.options.wake(lane->base.options.data);
}

static void tell_lanes(sqlite_file *f, list *batches) {
  for (list *l = batches->next; l != batches; l = l->next) {
    batch *b = LIST_OF(batch, link, l);
    atomic_fetch_sub_explicit(&b->lane->waiting_bytes, batch_bytes(b), memory_order_relaxed);
    if (b->crowded_out) {
      atomic_store(&b->lane->crowded_run, b->crowded_run);
      atomic_fetch_add(&b->lane->crowded_out, b->crowded_out);
    }
    atomic_store_explicit(&b->lane->committed, b->last, memory_order_release);
    b->lane->has_news = true;
  }
  pthread_mutex_lock(&f->lock_handed);
  for (list *l; (l = list_pop(batches));) {
    batch *b = LIST_OF(batch, link, l);
    batch_clear(b);
    if (b->lane->spares < SPARES_MOST) {
      list_push(&b->lane->spare, &b->link);
      b->lane->spares++;
    } else {
      batch_free(b);
    }
  }
  pthread_mutex_lock(&f->in->lock);
  for (size_t i = 0; i < f->in->lane_count; i++) {
    sqlite_lane *lane = (sqlite_lane *)f->in->lanes[i];
    if (lane->has_news || keeps_log_long(f, lane)) wake(lane);
    lane->has_news = false;
  }
  pthread_mutex_unlock(&f->in->lock);
  pthread_cond_broadcast(&f->tried);
  pthread_mutex_unlock(&f->lock_handed);
}

static void tell_lost(sqlite_file *f, list *batches) {
  uint64_t records = 0, runs = 0;
  pthread_mutex_lock(&f->lock_handed);
  list_move_all(batches, &f->handed);
  pthread_mutex_unlock(&f->lock_handed);
  for (list *l; (l = list_pop(batches));) {
    batch *b = LIST_OF(batch, link, l);
    records += b->records;
    runs += b->settle_count;
    batch_free(b);
  }
  if (records + runs)
    file_trouble(
        f,
        "the state %s could not be written to the end: the last %llu records, of runs that go on from before "
        "them when it is opened again, are not in it",
        f->path, (unsigned long long)records);
}

/* ---- checkpoints ---- */

static int count_pages(void *data, sqlite3 *db, const char *name, int pages) {
  (void)db, (void)name;
  ((sqlite_file *)data)->wal_pages = pages;
  return SQLITE_OK;
}

/* Copies the WAL into the file, as far as no reader needs it; what fails here is tried again, and told when commits fail. */
static void checkpoint(sqlite_file *f, bool idle) {
  bool long_one = f->wal_pages > 8 * CHECKPOINT_PAGES && f->wal_pages > f->wal_tried + CHECKPOINT_PAGES;
  int mode = idle       ? SQLITE_CHECKPOINT_TRUNCATE
             : long_one ? SQLITE_CHECKPOINT_RESTART
                        : SQLITE_CHECKPOINT_PASSIVE;
  sqlite3_busy_timeout(f->db, CHECKPOINT_WAIT_MS);
  int status = sqlite3_wal_checkpoint_v2(f->db, NULL, mode, NULL, NULL);
  sqlite3_busy_timeout(f->db, SQLITE_BUSY_MS);
  f->wal_tried = long_one ? f->wal_pages : 0;
  if (idle && status == SQLITE_OK) f->wal_pages = 0;
}

/* ---- old runs ---- */

static void sweep_a_little(sqlite_file *f) {
  if (sweep_slice(f) != SQLITE_OK) sweep_give_up(f);
  if (f->wal_pages >= CHECKPOINT_PAGES) checkpoint(f, false);
}

static void sweep_at_the_end(sqlite_file *f) {
  int64_t until = clock_mono_ns() + SWEEP_END_MS * (int64_t)1000000;
  while (clock_mono_ns() < until && sweep_has_work(f)) sweep_a_little(f);
}

/* ---- the thread ---- */

static void *run_committer(void *data) {
  sqlite_file *f = data;
  list batches;
  work found;
  bool commits = true;
  list_init(&batches);
  while (commits && (found = take_work(f, &batches)) != WORK_OVER) {
    if (found == WORK_BATCHES) commits = commit(f, &batches);
    if (found == WORK_BATCHES && commits) tell_lanes(f, &batches);
    if (commits && (found == WORK_IDLE || f->wal_pages >= CHECKPOINT_PAGES))
      checkpoint(f, found == WORK_IDLE);
    if (found == WORK_SWEEP) sweep_a_little(f);
  }
  if (commits)
    sweep_at_the_end(f);
  else
    tell_lost(f, &batches);
  return NULL;
}

int thread_start(sqlite_file *f, error *err) {
  pthread_condattr_t monotonic;
  sqlite3_wal_hook(f->db, count_pages, f);
  pthread_condattr_init(&monotonic);
  pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
  pthread_cond_init(&f->something, &monotonic);
  pthread_cond_init(&f->tried, NULL);
  pthread_condattr_destroy(&monotonic);
  pthread_mutex_init(&f->lock_handed, NULL);
  list_init(&f->handed);
  if (pthread_create(&f->committer, NULL, run_committer, f))
    return error_set(err, "the system has no thread for the committer of %s", f->path);
  f->has_committer = true;
  return 0;
}

void thread_stop(sqlite_file *f) {
  if (!f->has_committer) return;
  pthread_mutex_lock(&f->lock_handed);
  f->closing = true;
  pthread_cond_signal(&f->something);
  pthread_mutex_unlock(&f->lock_handed);
  pthread_join(f->committer, NULL);
  f->has_committer = false;
}
