/* The three clocks. Nobody else asks the operating system for the time.
 *
 *   mono     never steps: wire timeouts, latency, progress. Always real.
 *   wall     the calendar: TLS, tokens, log lines. Always real.
 *   logical  the journeys' time: waits, backoff, `within`, now(). It is the wall clock, or, in a rehearsal
 *            and in tests, a virtual one that stands still until somebody moves it. Where it is the wall clock it
 *            may be stepped: whoever waits for it looks again after CLOCK_LOOK_MS at the latest. What is a length and no
 *            date, and lasts no longer than the process, is measured by what has elapsed on it, which no step changes.
 *
 * One logical clock a process; it is passed in, and may be read from any thread. */
#ifndef JAUNT_BASE_CLOCK_H
#define JAUNT_BASE_CLOCK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum { CLOCK_LOOK_MS = 1000 };

int64_t clock_mono_ns(void); /* nanoseconds since some fixed moment */
int64_t clock_wall_ms(void); /* milliseconds since 1970-01-01T00:00:00Z */

typedef struct logical_clock {
  bool is_virtual;
  _Atomic int64_t virtual_ms; /* milliseconds since 1970, when virtual */
} logical_clock;

void logical_init_real(logical_clock *clock);
void logical_init_virtual(logical_clock *clock, int64_t start_ms);
int64_t logical_now_ms(const logical_clock *clock);
/* Milliseconds since some fixed moment: the virtual clock's, else mono's. */
int64_t logical_elapsed_ms(const logical_clock *clock);

/* Moves a virtual clock forward; an earlier time than it shows is ignored: time never runs backwards. */
void logical_move_to(logical_clock *clock, int64_t ms);

#endif
