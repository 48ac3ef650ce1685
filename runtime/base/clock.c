/* The three clocks: see clock.h. */
#include "base/clock.h"

#include <time.h>

int64_t clock_mono_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

int64_t clock_wall_ms(void) {
  struct timespec t;
  clock_gettime(CLOCK_REALTIME, &t);
  return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

void logical_init_real(logical_clock *clock) {
  clock->is_virtual = false;
  atomic_init(&clock->virtual_ms, 0);
}

void logical_init_virtual(logical_clock *clock, int64_t start_ms) {
  clock->is_virtual = true;
  atomic_init(&clock->virtual_ms, start_ms);
}

int64_t logical_now_ms(const logical_clock *clock) {
  return clock->is_virtual ? atomic_load(&clock->virtual_ms) : clock_wall_ms();
}

int64_t logical_elapsed_ms(const logical_clock *clock) {
  return clock->is_virtual ? atomic_load(&clock->virtual_ms) : clock_mono_ns() / 1000000;
}

void logical_move_to(logical_clock *clock, int64_t ms) {
  int64_t shown = atomic_load(&clock->virtual_ms);
  while (ms > shown && !atomic_compare_exchange_weak(&clock->virtual_ms, &shown, ms)) {}
}
