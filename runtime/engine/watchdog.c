/* The watchdog: a thread that looks every few milliseconds whether a worker is still in the slice it was in before, and
 * for how long its thread has been computing in it. One that takes too long is sent a signal; the rest happens on the
 * worker's own thread, because only there a hook may be set. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

#include "base/alloc.h"
#include "engine/guard.h"
#include "engine/run.h"
#include "engine/worker.h"

enum { LOOK_MS = 10 };

/* What the watchdog knows of one worker. */
typedef struct watch {
  uint64_t slice; /* as it was seen last */
  int64_t since;  /* the thread's processor time when it was first seen */
} watch;

struct watchdog {
  pthread_t thread;
  pthread_mutex_t lock;
  pthread_cond_t stop_asked;
  bool stop;
  worker *workers;
  int count;
  watch *seen;
};

static _Thread_local worker *own_worker;

static int signal_number(void) {
  return SIGRTMIN + 5;
}

/* On the worker's thread, wherever it is. lua_sethook is the one function of Lua that a signal handler may call. */
static void overrun(int number) {
  (void)number;
  int saved = errno;
  worker *w = own_worker;
  if (w && w->running && atomic_load_explicit(&w->slice, memory_order_relaxed) % 2) guard_overdue(w);
  errno = saved;
}

void watchdog_adopt(worker *w) {
  own_worker = w;
  pthread_getcpuclockid(pthread_self(), &w->cpu_clock);
  atomic_store_explicit(&w->watched, true, memory_order_release);
}

void watchdog_interrupt(worker *w) {
  if (atomic_load_explicit(&w->watched, memory_order_acquire)) pthread_kill(w->thread, signal_number());
}

static int64_t cpu_ns(const worker *w) {
  struct timespec now;
  if (clock_gettime(w->cpu_clock, &now)) return 0;
  return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void look_at(worker *w, watch *seen) {
  if (!atomic_load_explicit(&w->watched, memory_order_acquire)) return;
  uint64_t slice = atomic_load_explicit(&w->slice, memory_order_acquire);
  if (slice % 2 == 0 || slice != seen->slice) {
    seen->slice = slice;
    seen->since = slice % 2 ? cpu_ns(w) : 0;
    return;
  }
  if (cpu_ns(w) - seen->since > w->shared->options->limits.slice_ms * 1000000 / GUARD_STRIKES)
    pthread_kill(w->thread, signal_number());
}

static void pause_a_little(watchdog *dog) {
  struct timespec until;
  clock_gettime(CLOCK_MONOTONIC, &until);
  until.tv_nsec += LOOK_MS * 1000000;
  until.tv_sec += until.tv_nsec / 1000000000;
  until.tv_nsec %= 1000000000;
  pthread_cond_timedwait(&dog->stop_asked, &dog->lock, &until);
}

static void *watch_all(void *data) {
  watchdog *dog = data;
  pthread_mutex_lock(&dog->lock);
  while (!dog->stop) {
    for (int i = 0; i < dog->count; i++) look_at(&dog->workers[i], &dog->seen[i]);
    pause_a_little(dog);
  }
  pthread_mutex_unlock(&dog->lock);
  return NULL;
}

watchdog *watchdog_start(worker *workers, int count) {
  watchdog *dog = mem_zero(sizeof *dog);
  struct sigaction action = {.sa_handler = overrun, .sa_flags = SA_RESTART};
  sigemptyset(&action.sa_mask);
  sigaction(signal_number(), &action, NULL);
  dog->workers = workers;
  dog->count = count;
  dog->seen = mem_zero((size_t)count * sizeof *dog->seen);
  pthread_mutex_init(&dog->lock, NULL);
  pthread_condattr_t steady; /* a wall clock that is stepped back would put the dog to sleep */
  pthread_condattr_init(&steady);
  pthread_condattr_setclock(&steady, CLOCK_MONOTONIC);
  pthread_cond_init(&dog->stop_asked, &steady);
  pthread_condattr_destroy(&steady);
  if (pthread_create(&dog->thread, NULL, watch_all, dog) == 0) return dog;
  pthread_mutex_destroy(&dog->lock);
  pthread_cond_destroy(&dog->stop_asked);
  free(dog->seen);
  free(dog);
  return NULL;
}

void watchdog_stop(watchdog *dog) {
  if (!dog) return;
  pthread_mutex_lock(&dog->lock);
  dog->stop = true;
  pthread_cond_signal(&dog->stop_asked);
  pthread_mutex_unlock(&dog->lock);
  pthread_join(dog->thread, NULL);
  pthread_mutex_destroy(&dog->lock);
  pthread_cond_destroy(&dog->stop_asked);
  free(dog->seen);
  free(dog);
}
