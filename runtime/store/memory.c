/* The memory backend: it keeps counters and forgets bytes. What a run did is in its coroutine while it lives, and nothing
 * outlives the process. Its batches are taken by store_flush, on the lane's own thread. */
#include <stdatomic.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "store/store_parts.h"

typedef struct memory_lane {
  store_lane base;
  tally_change *ring;   /* position p lives at ring[p % room] */
  uint64_t next_number; /* of an event */
} memory_lane;

static int lane_open(store_lane *base, error *err) {
  (void)err;
  memory_lane *lane = (memory_lane *)base;
  lane->ring = mem_alloc(base->room * sizeof *lane->ring);
  return 0;
}

static void flush(store_lane *base) {
  memory_lane *lane = (memory_lane *)base;
  pthread_mutex_lock(&base->lock);
  while (base->durable < base->last) {
    tally_change *change = &lane->ring[++base->durable % base->room];
    tally_apply(tally_of(&base->counted, change->journey), change);
    free(change->detail);
  }
  pthread_mutex_unlock(&base->lock);
  if (base->options.durable) base->options.durable(base->options.data, base->durable);
}

static void flush_if_any(store_lane *lane) {
  if (lane->durable != lane->last) flush(lane);
}

static void lane_close(store_lane *base) {
  memory_lane *lane = (memory_lane *)base;
  flush_if_any(base);
  free(lane->ring);
  lane->ring = NULL;
}

static store_position append(store_lane *base, store_journal *journal, const store_record *record) {
  memory_lane *lane = (memory_lane *)base;
  if (base->last - base->durable >= base->room) return 0;
  if (record->kind == RECORD_ENTER)
    journal->run = atomic_fetch_add_explicit(&base->in->next_run, 1, memory_order_relaxed);
  store_position position = ++base->last;
  lane->ring[position % base->room] = tally_change_of(record);
  return position;
}

static bool full(const store_lane *lane) {
  return lane->room - (lane->last - lane->durable) < RING_RESERVE;
}

static void forget(store_journal *journal) {
  (void)journal;
}

static int find(store_lane *lane, uint64_t run, store_run *out) {
  (void)lane, (void)run, (void)out;
  return 0;
}

static int runs_of(store_lane *lane, const char *person, store_run **out, size_t *count) {
  (void)lane, (void)person;
  *out = NULL;
  *count = 0;
  return 0;
}

static int load(store_lane *lane, const store_run *run, store_journal *journal, buf *out) {
  (void)lane, (void)run, (void)journal, (void)out;
  return -1;
}

static int peek(store_lane *lane, const store_run *run, buf *out) {
  (void)lane, (void)run, (void)out;
  return -1;
}

static int64_t next_due(store_lane *lane) {
  (void)lane;
  return INT64_MAX;
}

static size_t due(store_lane *lane, int64_t now_ms, store_due_run *out, size_t most) {
  (void)lane, (void)now_ms, (void)out, (void)most;
  return 0;
}

/* Whoever lives has its events in memory. */
static uint64_t event(store_lane *base, uint64_t run, const store_inbox_event *e, store_position *position) {
  (void)run, (void)e;
  if (position) *position = base->last;
  return ++((memory_lane *)base)->next_number;
}

static uint64_t crowded_out(const store_lane *lane, uint64_t *run) {
  (void)lane, (void)run;
  return 0;
}

static int events(store_lane *lane, uint64_t run, store_inbox_event **out, size_t *count) {
  (void)lane, (void)run;
  *out = NULL;
  *count = 0;
  return 0;
}

static int has_event(store_lane *lane, uint64_t run, uint64_t print) {
  (void)lane, (void)run, (void)print;
  return 0;
}

/* What is told of runs that are kept is forgotten, as all bytes are. */
static store_position refuse(store_lane *base, const store_refusal *refusal) {
  (void)refusal;
  return base->last;
}

static store_position convert(store_lane *base, const store_run *run, int64_t at_ms) {
  (void)run, (void)at_ms;
  return base->last;
}

static store_position profile_came(store_lane *base, const char *person, const store_profile *profile) {
  (void)person, (void)profile;
  return base->last;
}

static int profile_of(store_lane *lane, const char *person, store_profile *out) {
  (void)lane, (void)person, (void)out;
  return 0;
}

static int attributes(store_lane *lane, const char *person, store_attribute each, void *data) {
  (void)lane, (void)person, (void)each, (void)data;
  return 0;
}

static const store_backend memory_backend = {
    .lane_size = sizeof(memory_lane),
    .lane_open = lane_open,
    .lane_close = lane_close,
    .append = append,
    .full = full,
    .flush = flush_if_any,
    .forget = forget,
    .find = find,
    .runs_of = runs_of,
    .load = load,
    .peek = peek,
    .next_due = next_due,
    .due = due,
    .event = event,
    .crowded_out = crowded_out,
    .events = events,
    .has_event = has_event,
    .refuse = refuse,
    .convert = convert,
    .attributes = attributes,
    .give_row = forget, /* there are none */
    .profile_came = profile_came,
    .profile_of = profile_of,
};

store *store_open_memory(hash128 id) {
  store *s = store_new(&memory_backend);
  s->id = id;
  return s;
}
